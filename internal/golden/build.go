package golden

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode/utf8"

	"touchstone/internal/record"
)

// Member is one source record of the cluster. A member that is not live keeps
// its place in the cluster and gives no values.
type Member struct {
	Ref      record.Ref
	Live     bool
	Authored Authored
}

// Pin is a person's word on a field; it wins over every source.
type Pin struct {
	ID    string // of the decision
	Field string
	Value record.Value
	Who   string
	At    string
}

// Loser is a value that did not make it.
type Loser struct {
	Value   record.Value `json:"value"`
	From    string       `json:"from"`
	Since   string       `json:"since,omitempty"`
	Version int          `json:"version"`
}

// Provenance says where a field's value came from.
type Provenance struct {
	Rule    string   `json:"rule"` // the strategy that decided, "only" when there was no choice, "pin"
	From    []string `json:"from"` // references, each a word; of a united list one text per entry, several joined by a blank
	Since   string   `json:"since,omitempty"`
	Version int      `json:"version"`
	Who     string   `json:"who,omitempty"`  // of a pin
	Pin     string   `json:"pin,omitempty"`  // the decision that pinned it
	Maps    []string `json:"maps,omitempty"` // decisions by which what the source has counts as this value
	Was     string   `json:"was,omitempty"`  // what the source has then, of a single value
	Losers  []Loser  `json:"losers,omitempty"`
}

// Record is a golden record.
type Record struct {
	Fields     record.Fields
	Provenance map[string]Provenance
	Live       int
}

// candidate is one member's value of a field.
type candidate struct {
	ref   record.Ref
	field Field
	json  string
	count int // members with the same value
	full  int // fields the member has
	maps  []string
	was   string
}

// Build makes the golden record of a cluster: a pure function of the members,
// the pins and the policy. Members may come in any order.
func Build(members []Member, pins []Pin, p Policy) Record {
	most := 0
	for _, m := range members {
		if m.Live {
			most = max(most, len(m.Authored))
		}
	}
	out := Record{Fields: make(record.Fields, most), Provenance: make(map[string]Provenance, most)}
	byField := make(map[string][]*candidate, most)
	for _, m := range members {
		if !m.Live {
			continue
		}
		out.Live++
		full := m.Authored.filled()
		room := make([]candidate, 0, full)
		for name, f := range m.Authored {
			if f.Value.Blank() {
				continue // an empty value never wins
			}
			c := candidate{ref: m.Ref, full: full, was: f.Value.Text}
			f.Value, c.maps = p.Values.Replace(name, f.Value)
			c.field = f
			room = append(room, c)
			byField[name] = append(byField[name], &room[len(room)-1])
		}
	}
	for name, list := range byField {
		out.Fields[name], out.Provenance[name] = choose(name, list, p)
	}
	for _, pin := range pins { // oldest first: the newest pin wins
		out.pin(pin)
	}
	return out
}

func (a Authored) filled() int {
	n := 0
	for _, f := range a {
		if !f.Value.Blank() {
			n++
		}
	}
	return n
}

func (r *Record) pin(pin Pin) {
	prov := Provenance{Rule: "pin", From: []string{"pin"}, Since: pin.At, Who: pin.Who, Pin: pin.ID}
	if old, ok := r.Fields[pin.Field]; ok {
		was := r.Provenance[pin.Field]
		losers := append([]Loser{{Value: old, From: strings.Join(was.From, " "), Since: was.Since, Version: was.Version}}, was.Losers...)
		for _, l := range losers {
			if !l.Value.Equal(pin.Value) { // equal values are no losers
				prov.Losers = append(prov.Losers, l)
			}
		}
	}
	r.Fields[pin.Field], r.Provenance[pin.Field] = pin.Value, prov
}

func choose(name string, list []*candidate, p Policy) (record.Value, Provenance) {
	values := 1
	if list[0].count = 1; len(list) > 1 {
		same := make(map[string]int, len(list))
		for _, c := range list {
			c.json = string(c.field.Value.AppendJSON(nil))
			same[c.json]++
		}
		for i := range list {
			list[i].count = same[list[i].json]
		}
		values = len(same)
		p.settle(list)
	}
	strategies := p.strategies(name, kindOf(list))
	if strategies[0] == Union {
		return unite(name, p.prefer(list, strategies[1:]), p)
	}
	left, rule := list, "only"
	for _, s := range strategies {
		if len(left) == 1 {
			break
		}
		if kept := p.keep(left, s); len(kept) < len(left) {
			left, rule = kept, string(s)
		}
	}
	if rule == "only" && values > 1 {
		rule = "tie"
	}
	won := left[0]
	prov := Provenance{
		Rule: rule, From: []string{won.ref.Word()}, Since: won.field.Since, Version: won.field.Version, Maps: won.maps,
	}
	if values > 1 {
		prov.Losers = losers(p.prefer(list, strategies), won)
	}
	if len(won.maps) > 0 {
		prov.Was = won.was
	}
	return won.field.Value, prov
}

// kindOf says what a field is that several members have: a list when one of them
// has a list, so that a single value of another joins it.
func kindOf(list []*candidate) record.Kind {
	for _, c := range list {
		if c.field.Value.Kind == record.List {
			return record.List
		}
	}
	return list[0].field.Value.Kind
}

// losers are the other values, best first; equal values are no losers.
func losers(list []*candidate, won *candidate) []Loser {
	var out []Loser
	for _, c := range list {
		if c.json != won.json {
			out = append(out, Loser{Value: c.field.Value, From: c.ref.Word(), Since: c.field.Since, Version: c.field.Version})
		}
	}
	return out
}

// settle orders candidates by what decides ties: recency, source rank, value
// hash; the reference last, among equal values only.
func (p Policy) settle(list []*candidate) {
	slices.SortFunc(list, func(a, b *candidate) int {
		if c := strings.Compare(b.field.Since, a.field.Since); c != 0 {
			return c
		}
		if c := cmp.Compare(p.rank(a.ref.Source), p.rank(b.ref.Source)); c != 0 {
			return c
		}
		if a.json != b.json {
			x, y := sha256.Sum256([]byte(a.json)), sha256.Sum256([]byte(b.json))
			return bytes.Compare(x[:], y[:])
		}
		return a.ref.Compare(b.ref)
	})
}

// keep gives the candidates that one strategy prefers, their order unchanged.
func (p Policy) keep(list []*candidate, s Strategy) []*candidate {
	best := list[0]
	for _, c := range list[1:] {
		if p.better(s, c, best) {
			best = c
		}
	}
	kept := make([]*candidate, 0, len(list))
	for _, c := range list {
		if !p.better(s, best, c) {
			kept = append(kept, c)
		}
	}
	return kept
}

// prefer orders candidates by the strategies, ties as settled before.
func (p Policy) prefer(list []*candidate, strategies []Strategy) []*candidate {
	if len(list) < 2 {
		return list
	}
	slices.SortStableFunc(list, func(a, b *candidate) int {
		for _, s := range strategies {
			if p.better(s, a, b) {
				return -1
			}
			if p.better(s, b, a) {
				return 1
			}
		}
		return 0
	})
	return list
}

func (p Policy) better(s Strategy, a, b *candidate) bool {
	switch s {
	case SourceRank:
		return p.rank(a.ref.Source) < p.rank(b.ref.Source)
	case MostRecent:
		return a.field.Since > b.field.Since
	case MostFrequent:
		return a.count > b.count
	case Longest:
		return length(a.field.Value) > length(b.field.Value)
	case MostComplete:
		return a.full > b.full
	case Min:
		return less(a.field.Value, b.field.Value)
	case Max:
		return less(b.field.Value, a.field.Value)
	}
	return false
}

func length(v record.Value) int {
	n := utf8.RuneCountInString(v.Text)
	for _, p := range v.Points {
		n += utf8.RuneCountInString(p.Value)
		for _, part := range p.Parts {
			n += utf8.RuneCountInString(part)
		}
	}
	return n
}

// unite joins lists: every different entry once, in the spelling that is
// preferred, those of the preferred members first.
func unite(name string, list []*candidate, p Policy) (record.Value, Provenance) {
	best := list[0]
	prov := Provenance{Rule: string(Union), Since: best.field.Since, Version: best.field.Version}
	if len(list) == 1 && len(best.field.Value.Points) == 1 { // mostly
		prov.From, prov.Maps = []string{best.ref.Word()}, best.maps
		return record.ListValue(best.field.Value.Points[0]), prov
	}
	var points []record.Point
	var from []string
	at := map[string]int{}
	for _, c := range list {
		ref := c.ref.Word()
		prov.Maps = append(prov.Maps, c.maps...)
		seen := map[string]bool{} // one member naming an entry twice is one voice
		for _, pt := range Entries(c.field.Value) {
			key := p.same(name, pt)
			if key == "" || seen[key] {
				continue
			}
			seen[key] = true
			if i, ok := at[key]; ok {
				from[i] += " " + ref
				continue
			}
			at[key] = len(points)
			points = append(points, pt)
			from = append(from, ref)
		}
	}
	prov.From = from
	slices.Sort(prov.Maps)
	prov.Maps = slices.Compact(prov.Maps)
	return record.ListValue(points...), prov
}

// Entries are those of a list; a single value is one entry of the list it joins.
func Entries(v record.Value) []record.Point {
	if v.Kind == record.List {
		return v.Points
	}
	return []record.Point{{Value: v.Text}}
}

func (p Policy) same(field string, pt record.Point) string {
	if p.Same != nil {
		if s := p.Same(field, pt); s != "" {
			return s
		}
	}
	return string(pt.AppendJSON(nil))
}
