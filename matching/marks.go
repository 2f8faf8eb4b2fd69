package matching

import (
	"cmp"
	"slices"

	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// Mark is a note on one value of a field: "check digit wrong", "role address".
type Mark struct {
	Field string
	Index int // which value of a list; 0 for a single value
	Text  string
}

// Marks lists the notes made while standardising, field by field in an order
// that is always the same. They are not part of the binary form: MarksOf makes
// them anew from a record's values.
func (f *Features) Marks() []Mark { return slices.Clone(f.marks) }

// Noted is a mark for people.
type Noted struct {
	Mark
	// Wants and Has are the check digit that the number's other characters ask for
	// and the one that stands there; "" where the scheme's rule names none.
	Wants, Has string
}

// MarksOf notes what is odd about a record's values, for a person to see; shape
// is that of an entity type of one's own, nil for the others. That a company's
// address is a function's is not odd.
func MarksOf(entity string, shape Shape, f record.Fields) []Noted {
	var out []Noted
	for _, m := range StandardiseAs(entity, shape, f).marks {
		if m.Text == standardise.NoteRole && entity != record.Person {
			continue
		}
		n := Noted{Mark: m}
		if list := points(f[m.Field]); m.Text == standardise.NoteCheckDigit && m.Index < len(list) {
			p := list[m.Index]
			id, _ := standardise.Identifier(cmp.Or(p.Parts["scheme"], p.Kind), p.Value)
			n.Wants, n.Has = id.Expected()
		}
		out = append(out, n)
	}
	return out
}
