package dedupe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/fit"
)

// maxFields bounds the fields of a comparison: four bits each, in two words.
const maxFields = 32

// engine compares units and knows what their agreement weighs.
type engine struct {
	t       *Table
	u       *units
	o       Options
	entity  string
	reads   []Read
	model   *matching.Model // of a company or a person; nil for other things
	packed  int             // how many fields come from the model
	fields  []evidence
	forms   forms       // the features of the units
	texts   []*prepared // columns whose words are keys, with
	textOf  []*Column
	phones  []int // fields that are telephones beside those of a model
	streets []int // and addresses
	prior   int32
	weights [][]int32
	rares   []rareField // the fields that rarity adjusts
}

// fits says whether the columns that are compared by their kind leave room.
func (e *engine) fits() error {
	need := e.t.Bytes
	for _, r := range e.reads {
		switch r.Meaning {
		case RowID, Source, Ignore, Empty:
			continue
		}
		if e.packOf(r.Meaning) == "" {
			need += e.t.Column(r.Column).prepared()
		}
		if e.o.Memory > 0 && need > forRows(e.o.Memory) {
			return tooLarge("comparing column "+r.Column+" passes", e.o.Memory)
		}
	}
	return nil
}

// modelForm is what is needed of a model's own form.
type modelForm struct {
	Prior  int32 `json:"prior"`
	Fields []struct {
		Name   string `json:"name"`
		Levels []struct {
			Name   string `json:"name"`
			Weight int32  `json:"weight"`
		} `json:"levels"`
	} `json:"fields"`
}

func newEngine(t *Table, reads []Read, entity string, o Options) (*engine, error) {
	o.Workers, o.disk = min(max(o.Workers, 1), maxWorkers), t.disk
	e := &engine{t: t, o: o, entity: entity, reads: reads, prior: -13_000}
	var compared []*Column
	for _, r := range reads {
		switch r.Meaning {
		case RowID, Source, Ignore, Empty:
		default:
			compared = append(compared, t.Column(r.Column))
		}
	}
	if len(compared) == 0 {
		return nil, usage("no column is left to compare; say what they mean with --map COLUMN=MEANING")
	}
	var err error
	if e.u, err = newUnits(t, compared, &e.o); err != nil {
		return nil, err
	}
	if m, ok := matching.StartModel(entity); ok {
		if err := e.usePack(m); err != nil {
			return nil, err
		}
	}
	if err := e.fits(); err != nil {
		return nil, err
	}
	if err := e.standardise(); err != nil {
		return nil, err
	}
	e.o.collect(t.Rows())
	e.addColumns()
	if len(e.fields) == 0 {
		return nil, usage("nothing of what the columns hold can be compared; say what they mean with --map COLUMN=MEANING")
	}
	if k := e.lone(); k >= 0 {
		e.fields[k].values.lonely()
	}
	e.weights = e.startWeights()
	e.findRare()
	return e, nil
}

// usePack takes over the fields of a built-in model.
func (e *engine) usePack(m *matching.Model) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("built-in model: %w", err)
	}
	var form modelForm
	if err := json.Unmarshal(b, &form); err != nil {
		return fmt.Errorf("built-in model: %w", err)
	}
	e.model, e.prior, e.packed = m, form.Prior, len(form.Fields)
	for _, f := range form.Fields {
		ev := evidence{Field: fit.Field{Name: f.Name, Levels: []string{"missing"}}, start: []int32{0}}
		for _, l := range f.Levels {
			ev.Levels = append(ev.Levels, l.Name)
			ev.start = append(ev.start, l.Weight)
		}
		ev.Free = !slices.IsSortedFunc(ev.start[1:], func(a, b int32) int { return cmp.Compare(b, a) })
		e.fields = append(e.fields, ev)
	}
	return nil
}

// packOf is the model's field that a meaning goes into; "" for none.
func (e *engine) packOf(m Meaning) string {
	if e.model == nil {
		return ""
	}
	person := e.entity == record.Person
	switch m {
	case OrgName, LegalName, Alias:
		if !person {
			return "name"
		}
	case Employer:
		if person {
			return "employer"
		}
	case Given:
		if person {
			return "given name"
		}
	case Family, Full:
		if person {
			return "family name"
		}
	case Birth:
		if person {
			return "birth date"
		}
	case Phone:
		return "phones"
	case Email:
		if person {
			return "emails"
		}
		return "web"
	case Website:
		if !person {
			return "web"
		}
	case House, Street, District, City, Region, Postcode:
		return "addresses"
	case Country:
		if person {
			return "addresses"
		}
		return "country"
	case Number:
		return "ids"
	}
	return ""
}

func (e *engine) fieldIndex(name string) int {
	return slices.IndexFunc(e.fields, func(f evidence) bool { return f.Name == name && f.column == nil })
}

// wordsUpTo is how many units a table may have for the words of names to be
// keys beside those of the model: on larger ones they bring hundreds of pairs
// for each match that no other key finds (measured on 100,000 companies).
const wordsUpTo = 20_000

// addColumns takes the columns that no field of the model covers, each as
// evidence of its own, and the words that are keys.
func (e *engine) addColumns() {
	for i := range e.reads {
		r := &e.reads[i]
		c := e.t.Column(r.Column)
		switch r.Meaning {
		case RowID, Source, Ignore, Empty:
			continue
		}
		if f := e.packOf(r.Meaning); f != "" {
			e.addRarity(r.Meaning, f)
			if (r.Meaning == OrgName || r.Meaning == LegalName) && len(e.u.first) <= wordsUpTo {
				e.addText(prepare(c, Text, e.u), c)
			}
			continue
		}
		if len(e.fields) == maxFields {
			r.Evidence += fmt.Sprintf("; not compared, %d fields are already: leave others out with --map COLUMN=ignore", maxFields)
			continue
		}
		ev := kindEvidence(r.Column, r.Meaning)
		ev.meaning, ev.column, ev.values = r.Meaning, c, prepare(c, shapeOf(r.Meaning), e.u)
		ev.rare = e.frequencies(func(u *placedUnit) uint64 {
			v := &ev.values.values[c.code(u.row)]
			if !v.ok {
				return 0
			}
			return hash(v.fold)
		})
		switch r.Meaning {
		case Phone:
			e.phones = append(e.phones, len(e.fields))
		case Street:
			e.streets = append(e.streets, len(e.fields))
		}
		e.fields = append(e.fields, ev)
		switch shapeOf(r.Meaning) {
		case Text, LongText, List:
			e.addText(ev.values, c)
		}
	}
}

func (e *engine) addText(p *prepared, c *Column) {
	e.texts = append(e.texts, p)
	e.textOf = append(e.textOf, c)
}

// shapeOf is the kind that a field's values are compared by where no model
// knows the field.
func shapeOf(m Meaning) Meaning {
	switch m {
	case OrgName, LegalName, Alias, Given, Family, Full, Employer, Street, District, City:
		return Text
	}
	return m
}

func (e *engine) startWeights() [][]int32 {
	var out [][]int32
	for _, f := range e.fields {
		out = append(out, slices.Clone(f.start))
	}
	return out
}

// packedLevels compares two units field by field, four bits a field.
func (e *engine) packedLevels(i, j int) [2]uint64 {
	var rooms pairRooms
	return e.packedIn(&rooms, i, j)
}

// pairRooms are for the features of a pair that are on the disk.
type pairRooms [2][]byte

// packedIn is packedLevels with room of the caller's.
func (e *engine) packedIn(rooms *pairRooms, i, j int) [2]uint64 {
	if e.model == nil {
		return e.packedOf(nil, nil, i, j)
	}
	a, b := e.forms.into(&rooms[0], i), e.forms.into(&rooms[1], j)
	return e.packedOf(&a, &b, i, j)
}

// packedOf is packedLevels of units whose features are at hand.
func (e *engine) packedOf(x, y *matching.Features, i, j int) (out [2]uint64) {
	if e.model != nil {
		out[0] = e.model.Pattern(x, y)
	}
	if e.packed == len(e.fields) {
		return out
	}
	a, b := e.u.first[i], e.u.first[j]
	for k := e.packed; k < len(e.fields); k++ {
		out[k/16] |= uint64(e.fields[k].level(a, b)) << (4 * (k % 16))
	}
	e.oneSwitchboard(&out)
	return out
}

// levels takes them apart.
func (e *engine) levels(i, j int, out []uint8) { unpack(e.packedLevels(i, j), out) }

func unpack(packed [2]uint64, out []uint8) {
	for k := range out {
		out[k] = levelOf(packed, k)
	}
}

func (e *engine) sum(levels []uint8) int32 {
	w := e.prior
	for k, l := range levels {
		w += e.weights[k][l]
	}
	return w
}

// weigh is the weight of a pair, its rarity included.
func (e *engine) weigh(i, j int) int32 { return e.weight(e.packedLevels(i, j), i, j) }

// weighOf is weigh of units whose features are at hand.
func (e *engine) weighOf(x, y *matching.Features, i, j int) int32 {
	return e.weight(e.packedOf(x, y, i, j), i, j)
}

func (e *engine) weight(packed [2]uint64, i, j int) int32 {
	var buf [maxFields]uint8
	levels := buf[:len(e.fields)]
	unpack(packed, levels)
	return e.sum(levels) + e.adjust(i, j, levels)
}

// veto gives hard evidence against a pair, by the rule that the store resolves by
// too.
func (e *engine) veto(i, j int) bool {
	if e.model == nil || e.u.apart(i, j) { // no features are needed
		return e.vetoOf(nil, nil, i, j)
	}
	a, b := e.forms.of(i), e.forms.of(j)
	return e.vetoOf(&a, &b, i, j)
}

// vetoOf is veto of units whose features are at hand.
func (e *engine) vetoOf(x, y *matching.Features, i, j int) bool {
	if e.u.apart(i, j) {
		return true
	}
	if e.model == nil {
		return false
	}
	_, no := e.model.Veto(x, y)
	return no
}
