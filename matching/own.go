package matching

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Kinds of the fields of an entity type of one's own. What a field is compared
// by, what finds pairs and what an agreement weighs at the start follow from its
// kind alone.
const (
	KindName     = "name"     // what it is called: several words, no two things share it by chance often
	KindText     = "text"     // a description
	KindID       = "id"       // a number of its own, given once: two of them are two things
	KindCode     = "code"     // a number that others may share: a part number, a postcode
	KindNumber   = "number"   // a measure
	KindDate     = "date"     //
	KindCategory = "category" // one of few values
	KindPhone    = "phone"
	KindEmail    = "email"
	KindWeb      = "web"
	KindAddress  = "address" // in one text, or by its parts
	KindIgnore   = "ignore"  // takes no part
)

// Kinds lists them.
func Kinds() []string {
	return []string{KindName, KindText, KindID, KindCode, KindNumber, KindDate, KindCategory, KindPhone, KindEmail, KindWeb, KindAddress, KindIgnore}
}

// OwnField is a field of an entity type of one's own.
type OwnField struct{ Name, Kind string }

// Shape says what the fields of an entity type of one's own are: at most
// maxOwn single ones, the most telling first, then by name. Make one with ShapeOf.
type Shape []OwnField

// maxOwn leaves room for the four fields that gather phones, mail and web
// addresses and places.
const maxOwn = maxFields - 4

// ShapeOf puts fields in order and leaves out those that take no part: ignored
// ones, and of very many the least telling.
func ShapeOf(fields map[string]string) Shape {
	var s Shape
	for name, kind := range fields {
		if kind != KindIgnore && slices.Contains(Kinds(), kind) {
			s = append(s, OwnField{name, kind})
		}
	}
	slices.SortFunc(s, func(a, b OwnField) int {
		return cmp.Or(cmp.Compare(telling(a.Kind), telling(b.Kind)), strings.Compare(a.Name, b.Name))
	})
	single := 0
	return slices.DeleteFunc(s, func(f OwnField) bool {
		if gathered(f.Kind) {
			return false
		}
		single++
		return single > maxOwn
	})
}

// String is the shape in one line, the same for equal ones.
func (s Shape) String() string {
	var b strings.Builder
	for _, f := range s {
		fmt.Fprintf(&b, "%q %s\n", f.Name, f.Kind)
	}
	return b.String()
}

// telling is the place of a kind among those of a shape.
func telling(kind string) int {
	return slices.Index([]string{KindID, KindName, KindCode, KindDate, KindText, KindNumber, KindCategory}, kind)
}

// gathered says whether all fields of the kind are one field of the model.
func gathered(kind string) bool {
	switch kind {
	case KindPhone, KindEmail, KindWeb, KindAddress:
		return true
	}
	return false
}

// ownLevel is a level of a kind with the weight it has before anything is learnt.
type ownLevel struct {
	name   string
	weight int32
}

// ownLevels are the levels of a kind, the closest first, with the start weights
// by judgement: those of companies and persons where there is such a field there.
func ownLevels(kind string) []ownLevel {
	switch kind {
	case KindName:
		return []ownLevel{{"same", 9000}, {"same words", 8500}, {"nearly same", 7500}, {"contained", 5000}, {"alike", 2500}, {"another number", -5000}, {"different", -5000}}
	case KindText:
		return []ownLevel{{"same", 5000}, {"same words", 4500}, {"nearly same", 4000}, {"contained", 2500}, {"alike", 1000}, {"another number", -1500}, {"different", -1500}}
	case KindID:
		return []ownLevel{{"same", 18000}, {"nearly same", 9000}, {"different", -9000}}
	case KindCode:
		return []ownLevel{{"same", 8000}, {"nearly same", 5000}, {"contained", 1500}, {"different", -3500}}
	case KindNumber:
		return []ownLevel{{"same", 3500}, {"within 1 %", 1500}, {"within 5 %", 500}, {"different", -2500}}
	case KindDate:
		return []ownLevel{{"same", 7000}, {"day and month swapped", 5000}, {"one slip", 5000}, {"close", 3000}, {"same year", 0}, {"different", -4000}}
	case KindCategory:
		return []ownLevel{{"same", 1500}, {"different", -2500}}
	case KindPhone:
		return []ownLevel{{"same", 9000}, {"nearly same", 4000}, {"same, shared", 500}, {"different", -1000}}
	case KindEmail:
		return []ownLevel{{"same", 11000}, {"nearly same", 7000}, {"same own domain", 2500}, {"same, shared", 500}, {"different", -1000}}
	case KindWeb:
		return []ownLevel{{"same", 8000}, {"nearly same", 4000}, {"different", -2500}}
	case KindAddress:
		return []ownLevel{
			{"same", 8000},
			{"same building", 5000},
			{"nearly same", 6000},
			{"same street", 2500},
			{"same, shared", 2500},
			{"same postcode", 2500},
			{"same city, another street", -1500},
			{"same district", 2000},
			{"same city", 1500},
			{"different", -2500},
		}
	}
	return nil
}

// ownFieldOf is the model's field of a name and a kind; without levels where
// there is no such kind.
func ownFieldOf(name, kind string) field {
	f := field{name: name, kind: kind}
	if levels := ownLevels(kind); levels != nil {
		f.levels = []string{"missing"}
		for _, l := range levels {
			f.levels = append(f.levels, l.name)
		}
	}
	return f
}

// gatheredName is what the field of a kind is called that gathers those of a
// record.
func gatheredName(kind string) string {
	switch kind {
	case KindPhone:
		return "phones"
	case KindEmail:
		return "emails"
	case KindWeb:
		return "web"
	}
	return "addresses"
}

// StartModelOf makes the model that an entity type of one's own starts with. It
// is a function of the shape alone, and its version says which it is.
func StartModelOf(entity string, s Shape) (*Model, error) {
	if catalogue(entity) != nil {
		return nil, fmt.Errorf("match model: entity type %q is built in", entity)
	}
	m := &Model{Entity: entity, SharedNames: ownSharedNames, KeyCap: KeyCap, prior: ownPrior}
	for _, f := range s {
		name := f.Name
		if gathered(f.Kind) {
			if name = gatheredName(f.Kind); slices.ContainsFunc(m.fields, func(o field) bool { return o.kind == f.Kind }) {
				continue
			}
		}
		for k, l := range ownLevels(f.Kind) {
			m.weights[len(m.fields)][k+1] = l.weight
		}
		m.fields = append(m.fields, ownFieldOf(name, f.Kind))
	}
	if len(m.fields) == 0 {
		return nil, fmt.Errorf("entity type %q has no field to compare records by: say what they are with match.fields (FIELD: one of %s)", entity, strings.Join(Kinds(), ", "))
	}
	if err := m.sign(); err != nil {
		return nil, err
	}
	m.Version = ownStart + strings.TrimPrefix(m.Version, "fit-")
	return m, nil
}

const (
	// ownPrior is that of companies, ownSharedNames and KeyCap too.
	ownPrior       = -13000
	ownSharedNames = 5
	// ownStart begins the version of a start model: see Model.Fitted.
	ownStart = "start-"
)

// Fitted says whether the model was learnt from records, and is not one to start
// with.
func (m *Model) Fitted() bool { return !strings.HasPrefix(m.Version, ownStart) }

// Names lists the fields of the model.
func (m *Model) Names() []string {
	out := make([]string, len(m.fields))
	for i, f := range m.fields {
		out[i] = f.name
	}
	return out
}

// ownFields reads the fields of a model of an entity type that is not built in.
func ownFields(list []fieldJSON) ([]field, error) {
	if len(list) == 0 || len(list) > maxFields {
		return nil, fmt.Errorf("match model: %d fields, want 1 to %d", len(list), maxFields)
	}
	var out []field
	for _, f := range list {
		o := ownFieldOf(f.Name, f.Kind)
		if o.levels == nil {
			return nil, fmt.Errorf("match model: field %q: its kind is %q, want one of %s", f.Name, f.Kind, strings.Join(Kinds(), ", "))
		}
		if slices.ContainsFunc(out, func(x field) bool { return x.same(o) }) {
			return nil, fmt.Errorf("match model: field %q is there twice", f.Name)
		}
		out = append(out, o)
	}
	return out, nil
}

// same says whether two fields are one: by name, and what gathers several by its
// kind.
func (f field) same(o field) bool { return f.name == o.name && gathered(f.kind) == gathered(o.kind) }

// fieldAt finds a field of the model's JSON.
func (m *Model) fieldAt(f fieldJSON) int {
	return slices.IndexFunc(m.fields, func(c field) bool { return c.same(field{name: f.Name, kind: f.Kind}) })
}

// isOwn says whether the model is of an entity type that is not built in.
func (m *Model) isOwn() bool { return kindOf(m.Entity) == kindOther }
