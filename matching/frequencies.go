package matching

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"touchstone/internal/record"
	"touchstone/matching/block"
)

// frequencies corrects the weight of "same" in one field by how common the
// value is: many are called 王伟, and few 令狐冲. Values are kept as hashes, and
// only those that several records hold.
type frequencies struct {
	rare   int32 // of a value that is not in the table: it counts as rarer than the rarest
	hashes []uint64
	adjust []int32 // in 1/1000 bit
}

// of gives the correction for a value.
func (f *frequencies) of(hash uint64) int32 {
	if i, ok := slices.BinarySearch(f.hashes, hash); ok {
		return f.adjust[i]
	}
	return f.rare
}

type frequencyJSON struct {
	Field  string         `json:"field"`
	Rare   int32          `json:"rare"`
	Values frequencyTable `json:"values"`
}

// frequencyTable is written as one object, hash in hexadecimal to correction, in
// the order of the hashes.
type frequencyTable struct {
	hashes []uint64
	adjust []int32
}

// MarshalJSON writes the table.
func (t frequencyTable) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, h := range t.hashes {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `"%016x":%d`, h, t.adjust[i])
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads it.
func (t *frequencyTable) UnmarshalJSON(b []byte) error {
	m := map[string]int32{}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	type entry struct {
		hash   uint64
		adjust int32
	}
	list := make([]entry, 0, len(m))
	for text, w := range m {
		h, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return fmt.Errorf("%q is no hash", text)
		}
		if !bounded(w) {
			return fmt.Errorf("value %s: weight %d is out of range", text, w)
		}
		list = append(list, entry{h, w})
	}
	slices.SortFunc(list, func(x, y entry) int { return cmp.Compare(x.hash, y.hash) })
	*t = frequencyTable{}
	for _, e := range list {
		t.hashes, t.adjust = append(t.hashes, e.hash), append(t.adjust, e.adjust)
	}
	return nil
}

// setFrequencies takes the tables of a model over.
func (m *Model) setFrequencies(list []frequencyJSON) error {
	for _, f := range list {
		i := slices.IndexFunc(m.fields, func(c field) bool { return c.name == f.Field })
		if i < 0 || !slices.Contains(m.frequencyFields(), i) {
			return fmt.Errorf("match model: there are no frequencies of field %q", f.Field)
		}
		if !bounded(f.Rare) {
			return fmt.Errorf("match model: frequencies of %q: weight %d is out of range", f.Field, f.Rare)
		}
		m.frequencies[i] = &frequencies{f.Rare, f.Values.hashes, f.Values.adjust}
	}
	return nil
}

func (m *Model) frequenciesJSON() (out []frequencyJSON) {
	for i, f := range m.fields {
		if t := m.frequencies[i]; t != nil {
			out = append(out, frequencyJSON{f.name, t.rare, frequencyTable{t.hashes, t.adjust}})
		}
	}
	return out
}

// frequencyFields are the fields whose values are counted: of an entity type of
// one's own names, codes and categories.
func (m *Model) frequencyFields() (list []int) {
	switch m.Entity {
	case record.Company:
		return []int{cName}
	case record.Person:
		return []int{pFamily, pGiven}
	}
	for i, f := range m.fields {
		switch f.kind {
		case KindName, KindCode, KindCategory:
			list = append(list, i)
		}
	}
	return list
}

// valueHash is that of a record's value in a counted field; 0 when it has none.
func (f *Features) valueHash(i, at int) uint64 {
	text := ""
	switch kind := f.kind(); {
	case kind == kindCompany && i == cName && at < f.count(orgs):
		text = f.org(at).brand()
	case kind == kindPerson && i == pFamily && f.count(humans) > 0:
		text = f.human(0).family()
	case kind == kindPerson && i == pGiven && f.count(humans) > 0:
		text = f.human(0).given()
	}
	if text == "" {
		return 0
	}
	return block.Hash(f.Entity(), "value", text)
}

// correction is what the value that both records have in a field adds to the
// weight of "same".
func (m *Model) correction(a *Features, found *[maxFields]found, i int) int32 {
	t := m.frequencies[i]
	if t == nil || found[i].level != same || m.Entity == record.Person && found[pOrder].level == different {
		return 0
	}
	h := m.valueHash(a, i, int(found[i].a))
	if h == 0 {
		return 0
	}
	return t.of(h)
}
