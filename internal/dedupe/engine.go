package dedupe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/fit"
	"touchstone/matching/standardise"
)

// maxFields bounds the fields of a comparison: four bits each, in two words.
const maxFields = 32

// engine compares units and knows what their agreement weighs.
type engine struct {
	t        *Table
	u        *units
	o        Options
	entity   string
	reads    []Read
	model    *matching.Model // of a company or a person; nil for other things
	packed   int             // how many fields come from the model
	fields   []evidence
	features []*matching.Features
	texts    []*prepared // columns whose words are keys, with
	textOf   []*Column
	prior    int32
	weights  [][]int32
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
	e.u = newUnits(t, compared, o.Link)
	if m, ok := matching.StartModel(entity); ok {
		if err := e.usePack(m); err != nil {
			return nil, err
		}
	}
	if err := e.standardise(); err != nil {
		return nil, err
	}
	e.addColumns()
	if len(e.fields) == 0 {
		return nil, usage("nothing of what the columns hold can be compared; say what they mean with --map COLUMN=MEANING")
	}
	if k := e.lone(); k >= 0 {
		e.fields[k].values.lonely()
	}
	e.weights = e.startWeights()
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

// standardise makes the features of every unit.
func (e *engine) standardise() error {
	if e.model == nil {
		return nil
	}
	e.features = make([]*matching.Features, len(e.u.first))
	columns := e.byMeaning()
	return e.o.parallel(len(e.u.first), "standardise", func(_ int, i int) {
		e.features[i] = matching.Standardise(e.entity, fieldsOf(columns, int(e.u.first[i])))
	})
}

func (e *engine) byMeaning() map[Meaning][]*Column {
	out := map[Meaning][]*Column{}
	for _, r := range e.reads {
		if e.packOf(r.Meaning) != "" {
			out[r.Meaning] = append(out[r.Meaning], e.t.Column(r.Column))
		}
	}
	return out
}

// fieldsOf maps a row's columns to the fields of a record.
func fieldsOf(columns map[Meaning][]*Column, row int) record.Fields {
	f := record.Fields{}
	first := func(m Meaning) string {
		for _, c := range columns[m] {
			if v := c.Text(row); !blank(v) {
				return v
			}
		}
		return ""
	}
	for _, m := range [...]Meaning{OrgName, LegalName, Given, Family, Full, Birth, Employer, Website, Country} {
		if v := first(m); v != "" {
			f[string(m)] = record.TextValue(v)
		}
	}
	list := func(field string, m Meaning, point func(c *Column, v string) record.Point) {
		var ps []record.Point
		for _, c := range columns[m] {
			if v := c.Text(row); !blank(v) {
				ps = append(ps, point(c, v))
			}
		}
		if len(ps) > 0 {
			f[field] = record.ListValue(ps...)
		}
	}
	plain := func(_ *Column, v string) record.Point { return record.Point{Value: v} }
	list("aliases", Alias, plain)
	list("phones", Phone, plain)
	list("emails", Email, plain)
	list("ids", Number, func(c *Column, v string) record.Point {
		return record.Point{Value: v, Parts: map[string]string{"scheme": c.Name}}
	})
	parts := map[string]string{}
	for part, v := range map[string]string{
		"line": strings.TrimSpace(first(House) + " " + first(Street)), "district": first(District), "city": first(City),
		"region": first(Region), "postcode": first(Postcode), "country": first(Country),
	} {
		if v != "" {
			parts[part] = v
		}
	}
	if len(parts) > 0 {
		f["addresses"] = record.ListValue(record.Point{Parts: parts})
	}
	return f
}

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
			e.addRarity(r.Meaning, c, f)
			if r.Meaning == OrgName || r.Meaning == LegalName {
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
		ev.rare = e.frequencies(func(unit int) uint64 {
			v := &ev.values.values[c.Codes[e.u.first[unit]]]
			if !v.ok {
				return 0
			}
			return hash(v.fold)
		})
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

// rareSize bounds a table of frequencies.
const rareSize = 100_000

func (e *engine) frequencies(of func(unit int) uint64) *rarity {
	r := &rarity{hash: make([]uint64, len(e.u.first))}
	var counts []fit.Entry
	for i := range r.hash {
		if r.hash[i] = of(i); r.hash[i] != 0 {
			counts = append(counts, fit.Entry{Hash: r.hash[i], Count: int64(len(e.u.rows[i]))})
		}
	}
	r.table = fit.NewFrequencies(counts, rareSize)
	return r
}

// addRarity lets an exact agreement on a rare name weigh more.
func (e *engine) addRarity(m Meaning, c *Column, field string) {
	i := e.fieldIndex(field)
	if i < 0 || e.fields[i].rare != nil {
		return
	}
	key := func(s string) string { return standardise.Fold(s) }
	switch m {
	case Given, Family, Employer:
	case OrgName:
		key = func(s string) string { o, _ := standardise.Organisation(s); return o.Brand }
	default:
		return
	}
	hashes := make([]uint64, len(c.Values))
	for code, v := range c.Values {
		if k := key(v); !blank(v) && k != "" {
			hashes[code] = hash(k)
		}
	}
	e.fields[i].rare = e.frequencies(func(unit int) uint64 { return hashes[c.Codes[e.u.first[unit]]] })
	e.fields[i].exact = 1
}

func (e *engine) startWeights() [][]int32 {
	var out [][]int32
	for _, f := range e.fields {
		out = append(out, slices.Clone(f.start))
	}
	return out
}

// levels compares two units field by field.
func (e *engine) levels(i, j int, out []uint8) {
	if e.model != nil {
		w := e.model.Weigh(e.features[i], e.features[j])
		for k := range e.packed {
			out[k] = uint8(w.Pattern>>(4*k)) & 15
		}
	}
	a, b := e.u.first[i], e.u.first[j]
	for k := e.packed; k < len(e.fields); k++ {
		out[k] = e.fields[k].level(a, b)
	}
}

// rareLimit bounds how much the rarity of one value adds or takes: 8 bits.
const rareLimit = 8000

// adjust is what the rarity of the agreeing values adds.
func (e *engine) adjust(i, j int, levels []uint8) int32 {
	sum := int32(0)
	for k := range e.fields {
		sum += e.rarityOf(k, i, j, levels[k])
	}
	return sum
}

// rarityOf is one field's share of it.
func (e *engine) rarityOf(k, i, j int, level uint8) int32 {
	f := &e.fields[k]
	if f.rare == nil || level == 0 || level > f.exact {
		return 0
	}
	h := f.rare.hash[i]
	if h == 0 || h != f.rare.hash[j] {
		return 0
	}
	return f.rare.table.Adjust(h, f.rare.table.Agreement(), 0, 1000, rareLimit)
}

func (e *engine) sum(levels []uint8) int32 {
	w := e.prior
	for k, l := range levels {
		w += e.weights[k][l]
	}
	return w
}

// weigh is the weight of a pair, its rarity included.
func (e *engine) weigh(i, j int) int32 {
	var buf [maxFields]uint8
	levels := buf[:len(e.fields)]
	e.levels(i, j, levels)
	return e.sum(levels) + e.adjust(i, j, levels)
}

// veto gives hard evidence against a pair, by the rule that the store resolves by
// too.
func (e *engine) veto(i, j int) bool {
	if e.u.apart(i, j) {
		return true
	}
	if e.model == nil {
		return false
	}
	_, no := e.model.Veto(e.features[i], e.features[j])
	return no
}
