package dedupe

import (
	"cmp"
	"slices"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/block"
)

// Bounds of the keys. Lists of single values may be longer than those of two
// columns together.
const (
	valueCap = matching.KeyCap
	comboCap = 24
	wordKeys = 5 // of a text, the rarest words that are keys alone
	pairKeys = 4 // and in pairs
	maxCombo = 6 // columns taken two by two
	// combosUpTo is how many units a table may have for two columns together to
	// be keys beside those of the model: on larger ones they find nothing that
	// no key of the model does (measured on 100,000 persons).
	combosUpTo = 20_000
)

// rule is a way of finding pairs.
type rule struct {
	name   string
	forced uint64 // the fields that sharing such a key makes agree
	limit  int    // the longest list of its keys that is compared each with each
	finer  bool   // its keys have finer ones
}

// key is one key of a unit. Those of the model may have finer ones too.
type key struct {
	coarse uint64
	rule   uint8
}

// keyMaker makes the keys of units.
type keyMaker struct {
	e      *engine
	rules  []rule
	values []valueKeys
	words  []wordsKeys
	combos []comboKeys
	names  *nameKeys // of a name that stands alone; else nil
}

// valueKeys are single values of a column that no model knows, wordsKeys the
// rarest words of a text, comboKeys two columns together.
type (
	valueKeys struct {
		field *evidence
		seed  uint64
		rule  uint8
	}
	wordsKeys struct {
		column   *Column
		text     *prepared
		hashes   []uint64 // by word; 0 for one too short
		one, two uint8
	}
	comboKeys struct {
		x, y *comboColumn
		rule uint8
	}
	comboColumn struct {
		column   *Column
		folded   []uint64 // by code
		mask     uint64
		distinct int
	}
)

// newKeyMaker finds out what the keys are. The order of the rules is that of
// their names, whatever the order of the columns.
func newKeyMaker(e *engine) *keyMaker {
	m := &keyMaker{e: e}
	if e.model != nil {
		for r := range block.Rules {
			m.rules = append(m.rules, rule{name: r.String(), forced: e.forcedBy(r.String()), limit: valueCap})
		}
	}
	var more []rule
	var set []func(number uint8)
	add := func(r rule, number func(uint8)) {
		more, set = append(more, r), append(set, number)
	}
	m.addValues(add)
	m.addWords(add)
	m.addCombos(add)
	m.addNames(add)
	order := make([]int, len(more))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(more[a].name, more[b].name) })
	for _, i := range order {
		set[i](uint8(len(m.rules)))
		m.rules = append(m.rules, more[i])
	}
	return m
}

type addRule = func(r rule, number func(uint8))

func (m *keyMaker) addValues(add addRule) {
	for k := m.e.packed; k < len(m.e.fields); k++ {
		f := &m.e.fields[k]
		switch f.values.meaning {
		case Category, Country, Region, Figure:
			continue
		}
		at := len(m.values)
		m.values = append(m.values, valueKeys{field: f, seed: hash(f.Name)})
		add(rule{name: "same " + f.Name, forced: 1 << k, limit: valueCap}, func(n uint8) { m.values[at].rule = n })
	}
}

func (m *keyMaker) addWords(add addRule) {
	for k, p := range m.e.texts {
		c := m.e.textOf[k]
		w := wordsKeys{column: c, text: p, hashes: make([]uint64, len(p.words))}
		for id, runes := range p.words {
			if len(runes) >= 2 {
				w.hashes[id] = block.Hash("word", c.Name, string(runes))
			}
		}
		forced, at := m.e.columnMask(c), len(m.words)
		m.words = append(m.words, w)
		add(rule{name: "word of " + c.Name, forced: forced, limit: valueCap}, func(n uint8) { m.words[at].one = n })
		add(rule{name: "two words of " + c.Name, forced: forced, limit: valueCap}, func(n uint8) { m.words[at].two = n })
	}
}

// addCombos takes columns two by two: a pair is found though all but two of its
// values differ.
func (m *keyMaker) addCombos(add addRule) {
	e := m.e
	if e.entity == record.Company || e.model != nil && len(e.u.first) > combosUpTo {
		return
	}
	var columns []*comboColumn
	for _, r := range e.reads {
		switch r.Meaning {
		case Given, Family, Full, Birth, City, Postcode, Street, OrgName, Code, Text, Date, Figure, Employer, Category:
			if r.Distinct < 10 {
				continue
			}
			c := e.t.Column(r.Column)
			columns = append(columns, &comboColumn{column: c, mask: e.columnMask(c), distinct: r.Distinct})
		}
	}
	slices.SortStableFunc(columns, func(x, y *comboColumn) int {
		return cmp.Or(cmp.Compare(y.distinct, x.distinct), cmp.Compare(x.column.Name, y.column.Name))
	})
	columns = columns[:min(len(columns), maxCombo)]
	for _, p := range columns {
		p.fold(e.meaningOf(p.column))
	}
	for x := range columns {
		for y := x + 1; y < len(columns); y++ {
			p, q := columns[x], columns[y]
			at := len(m.combos)
			m.combos = append(m.combos, comboKeys{x: p, y: q})
			add(rule{name: p.column.Name + " + " + q.column.Name, forced: p.mask | q.mask, limit: comboCap}, func(n uint8) { m.combos[at].rule = n })
		}
	}
}

func (c *comboColumn) fold(m Meaning) {
	c.folded = make([]uint64, c.column.values())
	for code := range c.folded {
		if s := c.column.value(uint32(code)); !blank(s) {
			if v := read(s, shapeOf(m)); v.ok {
				c.folded[code] = block.Hash(c.column.Name, v.fold)
			}
		}
	}
}

func (e *engine) meaningOf(c *Column) Meaning {
	for _, r := range e.reads {
		if r.Column == c.Name {
			return r.Meaning
		}
	}
	return Ignore
}

// keys appends the keys of a unit to dst, but for those of the model.
func (m *keyMaker) keys(u *placedUnit, dst []key) []key {
	row := u.row
	for i := range m.values {
		k := &m.values[i]
		if v := &k.field.values.values[k.field.column.code(row)]; v.ok {
			dst = append(dst, key{coarse: hash(v.fold) ^ k.seed, rule: k.rule})
		}
	}
	for i := range m.words {
		dst = m.words[i].append(row, dst)
	}
	dst = m.names.append(u.unit, row, dst)
	for i := range m.combos {
		k := &m.combos[i]
		if g, h := k.x.folded[k.x.column.code(row)], k.y.folded[k.y.column.code(row)]; g != 0 && h != 0 {
			dst = append(dst, key{coarse: mix(g) ^ mix(h+1), rule: k.rule})
		}
	}
	return dst
}

func (w *wordsKeys) append(row int32, dst []key) []key {
	var used [wordKeys]uint64
	n := 0
	for _, t := range w.text.values[w.column.code(row)].toks {
		h := w.hashes[t.id]
		if h == 0 {
			continue
		}
		dst = append(dst, key{coarse: h, rule: w.one})
		for _, o := range used[:min(n, pairKeys)] {
			dst = append(dst, key{coarse: mix(min(o, h)) ^ max(o, h), rule: w.two})
		}
		used[n] = h
		if n++; n == wordKeys {
			break
		}
	}
	return dst
}

// fieldsMask is the set of named fields of the model.
func (e *engine) fieldsMask(names ...string) uint64 {
	m := uint64(0)
	for _, n := range names {
		if i := e.fieldIndex(n); i >= 0 {
			m |= 1 << i
		}
	}
	return m
}

// forcedBy says which fields a key of the model's rules makes agree.
func (e *engine) forcedBy(name string) uint64 {
	names := []string{"name", "trade", "family name", "given name"}
	switch name {
	case "id", "id-head", "id-tail":
		return e.fieldsMask("ids")
	case "phone":
		return e.fieldsMask("phones")
	case "email", "domain", "local", "local-head", "local-tail":
		return e.fieldsMask("emails", "web")
	case "domain-name":
		return e.fieldsMask(append(names, "emails", "web")...)
	case "birth":
		return e.fieldsMask("birth date")
	case "birth-month-name", "year-day-name", "initials-birth-year":
		return e.fieldsMask("birth date", "family name", "given name")
	case "street", "postcode-house":
		return e.fieldsMask("addresses")
	case "family-postcode", "postcode-name":
		return e.fieldsMask(append(names, "addresses")...)
	}
	return e.fieldsMask(names...) // names in all their forms
}

// columnMask is the set of fields that a column's values go into.
func (e *engine) columnMask(c *Column) uint64 {
	for i := range e.fields {
		if e.fields[i].column == c {
			return 1 << i
		}
	}
	for _, r := range e.reads {
		if r.Column == c.Name {
			return e.fieldsMask(e.packOf(r.Meaning))
		}
	}
	return 0
}
