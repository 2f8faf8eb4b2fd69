package matching

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"touchstone/internal/record"
	"touchstone/matching/block"
)

// Model gives each level of each field its weight. It is immutable.
type Model struct {
	Version string
	Entity  string
	// SharedNames is how many different names may use a phone, an address or a
	// domain before it is taken for shared; 0: none is ever.
	SharedNames int
	// KeyCap is the longest posting list that is scanned.
	KeyCap  int
	rules   block.RuleSet // that make the keys; empty: those to start with
	prior   int32
	fields  []field
	weights [maxFields][16]int32
	// frequencies are those of the values of a field; nil for none.
	frequencies [maxFields]*frequencies
}

// Weight is what speaks for a pair being one customer: a sum of log2 Bayes
// factors in 1/1000 bit, the prior included (Fellegi and Sunter 1969).
type Weight struct {
	Total   int32
	Pattern uint64 // four bits a field: the levels
}

// Part is one piece of a weight.
type Part struct {
	Field, Level string
	A, B         string // the values compared
	Weight       int32
}

// maxKeyCap bounds the longest list that a model may have scanned.
const maxKeyCap = 10_000

// maxWeight bounds a single weight, so that no sum overflows.
const maxWeight = 1_000_000

type modelJSON struct {
	Version string      `json:"version"`
	Entity  string      `json:"entity"`
	Prior   int32       `json:"prior"`
	Shared  int         `json:"shared_names,omitempty"`
	KeyCap  int         `json:"key_cap,omitempty"`
	Keys    []string    `json:"keys,omitempty"` // the rules of blocking; none: those that the entity type starts with
	Fields  []fieldJSON `json:"fields"`

	Frequencies []frequencyJSON `json:"frequencies,omitempty"`
}

type fieldJSON struct {
	Name   string      `json:"name"`
	Kind   string      `json:"kind,omitempty"` // of an entity type of one's own
	Levels []levelJSON `json:"levels"`
}

type levelJSON struct {
	Name   string `json:"name"`
	Weight int32  `json:"weight"`
}

//go:embed models/company.json models/person.json
var startModels embed.FS

// StartModel gives the built-in model of an entity type, made by judgement; it
// serves until there are records enough to fit one.
func StartModel(entity string) (*Model, bool) {
	if entity != record.Company && entity != record.Person {
		return nil, false
	}
	b, err := startModels.ReadFile("models/" + entity + ".json")
	if err != nil {
		return nil, false
	}
	m, err := DecodeModel(b)
	if err != nil {
		panic("built-in model: " + err.Error()) // a mistake in our own table; a test decodes both
	}
	return m, true
}

// DecodeModel reads a model. Every field and level of the entity type must be
// there once, by name.
func DecodeModel(b []byte) (*Model, error) {
	var in modelJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("match model: %w", err)
	}
	m := &Model{Version: in.Version, Entity: in.Entity, SharedNames: in.Shared, KeyCap: cmp.Or(in.KeyCap, KeyCap), prior: in.Prior, fields: catalogue(in.Entity)}
	if m.isOwn() {
		var err error
		if m.fields, err = ownFields(in.Fields); err != nil {
			return nil, err
		}
	}
	if in.Version == "" {
		return nil, errors.New("match model: version is missing")
	}
	if in.Shared < 0 || in.KeyCap < 0 || m.KeyCap > maxKeyCap {
		return nil, fmt.Errorf("match model: shared_names %d and key_cap %d, want 0 or more, and a cap of at most %d", in.Shared, in.KeyCap, maxKeyCap)
	}
	rules, err := block.NamedSet(in.Keys)
	if err != nil {
		return nil, fmt.Errorf("match model: keys: %w", err)
	}
	if m.rules = rules; rules != 0 {
		m.rules |= countedRules(in.Entity)
	}
	if !bounded(in.Prior) {
		return nil, fmt.Errorf("match model: prior %d is out of range", in.Prior)
	}
	if len(in.Fields) != len(m.fields) {
		return nil, fmt.Errorf("match model: %d fields, want %d", len(in.Fields), len(m.fields))
	}
	for _, f := range in.Fields {
		i := m.fieldAt(f)
		if i < 0 {
			return nil, fmt.Errorf("match model: unknown field %q", f.Name)
		}
		if err := m.setField(i, f.Levels); err != nil {
			return nil, fmt.Errorf("match model: field %q: %w", f.Name, err)
		}
	}
	if err := m.setFrequencies(in.Frequencies); err != nil {
		return nil, err
	}
	return m, nil
}

func bounded(w int32) bool { return w >= -maxWeight && w <= maxWeight }

func (m *Model) setField(i int, levels []levelJSON) error {
	names := m.fields[i].levels
	if len(levels) > len(names)-1 {
		return fmt.Errorf("%d levels, want %d", len(levels), len(names)-1)
	}
	next := 1
	for k, l := range levels {
		at := slices.Index(names[next:], l.Name)
		if at < 0 {
			return fmt.Errorf("level %d is %q, want %q", k+1, l.Name, names[min(next, len(names)-1)])
		}
		if !bounded(l.Weight) {
			return fmt.Errorf("level %q: weight %d is out of range", l.Name, l.Weight)
		}
		for ; at >= 0; at-- { // a level that an older model does not know was part of the next
			m.weights[i][next] = l.Weight
			next++
		}
	}
	if next != len(names) {
		return fmt.Errorf("level %q is missing", names[next])
	}
	return nil
}

// MarshalJSON writes the form that DecodeModel reads.
func (m *Model) MarshalJSON() ([]byte, error) {
	out := modelJSON{Version: m.Version, Entity: m.Entity, Prior: m.prior, Shared: m.SharedNames, KeyCap: m.KeyCap, Keys: m.rules.Names()}
	for i, f := range m.fields {
		fj := fieldJSON{Name: f.name, Kind: f.kind}
		for k, l := range f.levels[1:] {
			fj.Levels = append(fj.Levels, levelJSON{l, m.weights[i][k+1]})
		}
		out.Fields = append(out.Fields, fj)
	}
	out.Frequencies = m.frequenciesJSON()
	return json.Marshal(out)
}

// Weigh compares two records of the model's entity type. It is symmetric. A
// pair with a record of another type has the weight of the prior.
func (m *Model) Weigh(a, b *Features) Weight {
	var found [maxFields]found
	m.levels(a, b, &found)
	w := Weight{Total: m.prior}
	for i := range m.fields {
		l := found[i].level & 15
		w.Total += m.weights[i][l]
		if m.frequencies[i] != nil {
			w.Total += m.correction(a, &found, i)
		}
		w.Pattern |= uint64(l) << (4 * i)
	}
	return w
}

// Pattern is that of Weigh, without the weight.
func (m *Model) Pattern(a, b *Features) (p uint64) {
	var found [maxFields]found
	m.levels(a, b, &found)
	for i := range m.fields {
		p |= uint64(found[i&(maxFields-1)].level&15) << (4 * i)
	}
	return p
}

// levels fills in what is found, as far as it says something of one customer;
// out is empty before.
func (m *Model) levels(a, b *Features, out *[maxFields]found) {
	if !m.agreement(a, b, out) {
		return
	}
	switch m.Entity {
	case record.Company:
		oneHouse(out)
	case record.Person:
		oneHousehold(out)
	}
}

// agreement fills in what is found, field by field.
func (m *Model) agreement(a, b *Features, out *[maxFields]found) bool {
	kind := kindOf(m.Entity)
	if a.kind() != kind || b.kind() != kind || a.end() == noText || b.end() == noText {
		return false
	}
	switch kind {
	case kindCompany:
		companyLevels(a, b, out)
	case kindPerson:
		personLevels(a, b, out)
	default:
		return m.ownAgreement(a, b, out)
	}
	return true
}

// Threshold is the weight that a probability stands for.
func (m *Model) Threshold(p float64) int32 {
	if !(p > 0) { // NaN too
		return math.MinInt32
	}
	if p >= 1 {
		return math.MaxInt32
	}
	return int32(math.Ceil(1000 * math.Log2(p/(1-p))))
}

// Probability is the chance that a pair of this weight is one customer.
func (m *Model) Probability(w int32) float64 {
	return 1 / (1 + math.Exp2(-float64(w)/1000))
}
