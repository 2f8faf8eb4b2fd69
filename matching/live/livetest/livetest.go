// Package livetest makes random histories of small worlds of records in which
// everything meets: values that many use, numbers that exclude each other, weak
// bridges, updates, deletions, returns and rulings that are taken back. The
// order tests of the in-memory resolver and of the stores play the same ones.
package livetest

import (
	"fmt"
	"math/rand/v2"

	"touchstone/internal/record"
)

// Row is one version of a record by flat columns; a column that is missing says
// nothing.
type Row map[string]string

// Ruling is what a person says of two records, by number.
type Ruling struct {
	Kind string // must | cannot | "" to take back what was said before
	A, B int
}

// Script is what happens in a world: to each record in its own order, and to
// each pair that people rule on.
type Script struct {
	Entity   string
	Versions [][]Row    // of each record, oldest first; a nil row is a deletion
	Rulings  [][]Ruling // of each pair, oldest first
}

// Event is one thing that happens.
type Event struct {
	Record, Version int
	Ruling          *Ruling // nil: Version of Record comes
}

// ID names a record of a script.
func ID(i int) string { return fmt.Sprintf("r%02d", i) }

// New makes a script of n records of an entity type.
func New(r *rand.Rand, entity string, n int) Script {
	s := Script{Entity: entity, Versions: make([][]Row, n)}
	for i := range n {
		v := []Row{row(r, entity)}
		for r.IntN(3) == 0 {
			v = append(v, row(r, entity))
		}
		if r.IntN(6) == 0 {
			v = append(v, nil)
			if r.IntN(2) == 0 {
				v = append(v, row(r, entity))
			}
		}
		s.Versions[i] = v
	}
	seen := map[[2]int]bool{}
	for range r.IntN(5) {
		a, b := r.IntN(n), r.IntN(n)
		if a == b || seen[[2]int{min(a, b), max(a, b)}] {
			continue
		}
		seen[[2]int{min(a, b), max(a, b)}] = true
		var said []Ruling
		for len(said) == 0 || r.IntN(3) == 0 {
			kind := [...]string{"must", "cannot", ""}[r.IntN(3)]
			if len(said) == 0 && kind == "" {
				kind = "cannot"
			}
			said = append(said, Ruling{kind, a, b})
		}
		s.Rulings = append(s.Rulings, said)
	}
	return s
}

// Order is a random order of everything in which each record and each pair
// keeps its own. With landed no ruling comes before both its records did.
func (s Script) Order(r *rand.Rand, landed bool) []Event {
	var slots []int // a record's number once for each version; a ruled pair as −1−i
	for i, v := range s.Versions {
		for range v {
			slots = append(slots, i)
		}
	}
	for i, said := range s.Rulings {
		for range said {
			slots = append(slots, -1-i)
		}
	}
	r.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
	versions, said := make([]int, len(s.Versions)), make([]int, len(s.Rulings))
	var out []Event
	for len(slots) > 0 {
		var later []int
		for _, i := range slots {
			if i >= 0 {
				out = append(out, Event{Record: i, Version: versions[i]})
				versions[i]++
				continue
			}
			x := s.Rulings[-1-i][said[-1-i]]
			if landed && (versions[x.A] == 0 || versions[x.B] == 0) {
				later = append(later, i)
				continue
			}
			out = append(out, Event{Ruling: &x})
			said[-1-i]++
		}
		slots = later
	}
	return out
}

// Fields are the standard fields of a row.
func (w Row) Fields() record.Fields {
	f := record.Fields{}
	for _, name := range [...]string{"name", "full_name", "birth_date", "website"} {
		if w[name] != "" {
			f[name] = record.TextValue(w[name])
		}
	}
	for name, list := range map[string]string{"phone": "phones", "email": "emails"} {
		if w[name] != "" {
			f[list] = record.ListValue(record.Point{Value: w[name]})
		}
	}
	if w["number"] != "" {
		f["ids"] = record.ListValue(record.Point{Value: w["number"], Parts: map[string]string{"scheme": "reg"}})
	}
	if w["street"] != "" {
		f["addresses"] = record.ListValue(record.Point{Parts: map[string]string{"line": w["street"], "city": "Leeds", "postcode": "LS1 4AP", "country": "GB"}})
	}
	return f
}

// row draws a version from so few values that records often agree, and as often
// contradict one another.
func row(r *rand.Rand, entity string) Row {
	w := Row{}
	put := func(name string, of ...string) {
		if r.IntN(3) > 0 {
			w[name] = of[r.IntN(len(of))]
		}
	}
	if entity == record.Person {
		w["full_name"] = [...]string{"Anna Schmidt", "Anne Schmidt", "Anna Schmitt", "Bernd Schmidt", "王小明", "Wang Xiaoming", "John Smith Jr", "John Smith Sr", "J Smith"}[r.IntN(9)]
		put("birth_date", "1980-02-03", "1980-03-02", "1951-08-19", "1980-02-08")
		put("email", "anna.schmidt@example.com", "schmidt@example.com", "wxm1980@example.org", "johnsmith77@example.org")
	} else {
		w["name"] = [...]string{
			"Acme Tools Ltd", "ACME Tools Limited", "Acme Tool GmbH", "Acme Holdings Ltd", "Zenith Bakery Ltd", "Zenith Bakeries", "上海海通科技有限公司",
			"海通科技有限公司上海分公司", "Haitong Technology Co., Ltd",
		}[r.IntN(9)]
		put("website", "acme.example", "zenith.example", "haitong.example.cn")
		put("email", "info@acme.example", "sales@acme.example", "office@gmail.com")
		put("number", "07946001", "07946007", "51172233", "88210465")
	}
	put("phone", "+44 113 496 0001", "+44 113 496 0002", "+86 21 5888 0003")
	put("street", "12 Mill Lane", "7 High Street")
	return w
}
