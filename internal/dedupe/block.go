package dedupe

import (
	"cmp"
	"slices"
	"strconv"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/block"
)

// Caps of the posting lists: those of single values spill to a finer key where
// they have one, those of two columns together are left out when longer.
const (
	valueCap = matching.KeyCap
	comboCap = 24
	wordKeys = 5 // of a text, the rarest words that are keys alone
	pairKeys = 4 // and in pairs
	maxCombo = 6 // columns taken two by two
)

// allPairs is up to how many pairs a table is compared pair by pair, keys or
// not: some 1,400 rows.
const allPairs = 1_000_000

// posting is one key of one unit.
type posting struct {
	coarse, fine uint64
	unit         int32
	rule         uint16
}

// rule is a way of finding pairs.
type rule struct {
	name   string
	forced uint64 // the fields that sharing such a key makes agree
	limit  int
}

// Capped says what a rule's caps left out.
type Capped struct {
	Rule  string `json:"rule"`
	Keys  int    `json:"keys"`
	Pairs int64  `json:"pairs"` // that share such a key, other keys of theirs not looked at
}

// index holds the posting lists that are scanned.
type index struct {
	rules   []rule
	units   []int32 // of all lists, one after the other
	lists   []span
	of      []int32 // unit → its lists, by start
	listsOf []int32
	capped  []Capped
}

type span struct {
	from, to int32
	forced   uint64
}

// blocker collects keys.
type blocker struct {
	e     *engine
	rules []rule
	named map[string]uint16
}

func (b *blocker) rule(name string, forced uint64, limit int) uint16 {
	if r, ok := b.named[name]; ok {
		return r
	}
	r := uint16(len(b.rules))
	b.named[name] = r
	b.rules = append(b.rules, rule{name, forced, limit})
	return r
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

// index makes the posting lists.
func (e *engine) index() (*index, error) {
	b := &blocker{e: e, named: map[string]uint16{}}
	n := len(e.u.first)
	var all []posting
	if e.model != nil {
		keys := make([][]matching.Key, n)
		if err := e.o.parallel(n, "keys", func(_, i int) { keys[i] = e.features[i].Keys() }); err != nil {
			return nil, err
		}
		for i, ks := range keys {
			for _, k := range ks {
				all = append(all, posting{k.Coarse, k.Fine, int32(i), b.rule(k.Rule, e.forcedBy(k.Rule), valueCap)})
			}
		}
	}
	all = b.words(all)
	all = b.names(all)
	all = b.values(all)
	all = b.combos(all)
	x := b.lists(all, n)
	if e.possible() <= allPairs {
		x.everyone(n)
	}
	return x, nil
}

// values makes keys of single values of the columns that no model knows.
func (b *blocker) values(all []posting) []posting {
	for k := b.e.packed; k < len(b.e.fields); k++ {
		f := &b.e.fields[k]
		switch f.values.meaning {
		case Category, Country, Region, Figure:
			continue
		}
		r := b.rule("same "+f.Name, 1<<k, valueCap)
		for i, row := range b.e.u.first {
			if v := &f.values.values[f.column.Codes[row]]; v.ok {
				all = append(all, posting{coarse: block.Hash(f.Name, v.fold), unit: int32(i), rule: r})
			}
		}
	}
	return all
}

// words makes keys of the rarest words of texts, alone and two together.
func (b *blocker) words(all []posting) []posting {
	for k, p := range b.e.texts {
		c := b.e.textOf[k]
		forced := b.e.columnMask(c)
		one, two := b.rule("word of "+c.Name, forced, valueCap), b.rule("two words of "+c.Name, forced, valueCap)
		for i, row := range b.e.u.first {
			v := &p.values[c.Codes[row]]
			var used []uint64
			for _, t := range v.toks {
				if w := p.words[t.id]; len(w) < 2 {
					continue
				}
				h := block.Hash("word", c.Name, string(p.words[t.id]))
				if len(used) < wordKeys {
					all = append(all, posting{coarse: h, unit: int32(i), rule: one})
				}
				for _, o := range used[:min(len(used), pairKeys)] {
					all = append(all, posting{coarse: mix(min(o, h)) ^ max(o, h), unit: int32(i), rule: two})
				}
				if used = append(used, h); len(used) >= wordKeys {
					break
				}
			}
		}
	}
	return all
}

// combos makes keys of two columns together: a pair is found though all but
// two of its values differ.
func (b *blocker) combos(all []posting) []posting {
	if b.e.entity == record.Company {
		return all
	}
	type part struct {
		c        *Column
		folded   []uint64 // by code
		mask     uint64
		distinct int
	}
	var parts []part
	for _, r := range b.e.reads {
		switch r.Meaning {
		case Given, Family, Full, Birth, City, Postcode, Street, OrgName, Code, Text, Date, Figure, Employer, Category:
			c := b.e.t.Column(r.Column)
			if r.Distinct < 10 {
				continue
			}
			p := part{c: c, folded: make([]uint64, len(c.Values)), mask: b.e.columnMask(c), distinct: r.Distinct}
			for code, s := range c.Values {
				if v := read(s, shapeOf(r.Meaning)); v.ok && !blank(s) {
					p.folded[code] = block.Hash(c.Name, v.fold)
				}
			}
			parts = append(parts, p)
		}
	}
	slices.SortStableFunc(parts, func(x, y part) int {
		return cmp.Or(cmp.Compare(y.distinct, x.distinct), cmp.Compare(x.c.Name, y.c.Name))
	})
	parts = parts[:min(len(parts), maxCombo)]
	for x := range parts {
		for y := x + 1; y < len(parts); y++ {
			p, q := &parts[x], &parts[y]
			r := b.rule(p.c.Name+" + "+q.c.Name, p.mask|q.mask, comboCap)
			for i, row := range b.e.u.first {
				g, h := p.folded[p.c.Codes[row]], q.folded[q.c.Codes[row]]
				if g != 0 && h != 0 {
					all = append(all, posting{coarse: mix(g) ^ mix(h+1), unit: int32(i), rule: r})
				}
			}
		}
	}
	return all
}

// lists sorts the postings into lists, spills those that are too long to their
// finer keys, and leaves out what is too long even so.
func (b *blocker) lists(all []posting, n int) *index {
	x := &index{rules: b.rules}
	lost := make([]Capped, len(b.rules))
	slices.SortFunc(all, func(p, q posting) int { return cmp.Or(cmp.Compare(p.coarse, q.coarse), cmp.Compare(p.unit, q.unit)) })
	var fine []posting
	eachList(all, func(list []posting) {
		if size := holders(list); size <= b.rules[list[0].rule].limit {
			x.add(list, b.rules[list[0].rule].forced)
			return
		}
		for _, p := range list {
			if p.fine != 0 {
				p.coarse = p.fine
				fine = append(fine, p)
			}
		}
		if list[0].fine == 0 {
			note(&lost[list[0].rule], len(list))
			x.windows(list, b.rules[list[0].rule].forced)
		}
	})
	slices.SortFunc(fine, func(p, q posting) int { return cmp.Or(cmp.Compare(p.coarse, q.coarse), cmp.Compare(p.unit, q.unit)) })
	eachList(fine, func(list []posting) {
		if holders(list) <= b.rules[list[0].rule].limit {
			x.add(list, b.rules[list[0].rule].forced)
		} else {
			note(&lost[list[0].rule], len(list))
			x.windows(list, b.rules[list[0].rule].forced)
		}
	})
	for i, c := range lost {
		if c.Keys > 0 {
			c.Rule = b.rules[i].name
			x.capped = append(x.capped, c)
		}
	}
	x.byUnit(n)
	return x
}

func note(c *Capped, n int) {
	c.Keys++
	c.Pairs += int64(n) * int64(n-1) / 2
}

func eachList(all []posting, do func(list []posting)) {
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].coarse == all[i].coarse {
			j++
		}
		if j > i+1 {
			do(all[i:j])
		}
		i = j
	}
}

func holders(list []posting) int {
	n := 1
	for i := 1; i < len(list); i++ {
		if list[i].unit != list[i-1].unit {
			n++
		}
	}
	return n
}

func (x *index) add(list []posting, forced uint64) {
	from := int32(len(x.units))
	for i, p := range list {
		if i == 0 || p.unit != list[i-1].unit {
			x.units = append(x.units, p.unit)
		}
	}
	if to := int32(len(x.units)); to-from > 1 {
		x.lists = append(x.lists, span{from, to, forced})
	} else {
		x.units = x.units[:from]
	}
}

// windowSize is how many neighbours are compared in a list that is too long.
const windowSize = 12

// windows compares the units of a list that is too long with their neighbours
// in the order of their content only: what grows is the list, not the work
// (Hernández and Stolfo 1995, "The merge/purge problem", the sorted
// neighbourhood). Each window shares its last unit with the next.
func (x *index) windows(list []posting, forced uint64) {
	for from := 0; from+1 < len(list); from += windowSize - 1 {
		x.add(list[from:min(from+windowSize, len(list))], forced)
	}
}

// byUnit turns the lists round: which lists a unit stands in.
func (x *index) byUnit(n int) {
	x.of = make([]int32, n+1)
	for _, l := range x.lists {
		for _, u := range x.units[l.from:l.to] {
			x.of[u+1]++
		}
	}
	for i := range n {
		x.of[i+1] += x.of[i]
	}
	x.listsOf = make([]int32, len(x.units))
	at := slices.Clone(x.of)
	for k, l := range x.lists {
		for _, u := range x.units[l.from:l.to] {
			x.listsOf[at[u]] = int32(k)
			at[u]++
		}
	}
}

func (c Capped) String() string {
	return c.Rule + ": " + strconv.Itoa(c.Keys) + " values shared by too many rows"
}

// everyone puts all units into one list.
func (x *index) everyone(n int) {
	x.units, x.lists, x.capped = nil, []span{{0, int32(n), 0}}, nil
	for i := range n {
		x.units = append(x.units, int32(i))
	}
	x.byUnit(n)
}
