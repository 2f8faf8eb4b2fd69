// Package block makes blocking keys: hashes of values by which records that may
// be the same customer find one another.
package block

import (
	"cmp"
	"slices"
)

// Key is one blocking key. Two records are a candidate pair iff they share a
// Coarse hash whose posting list holds at most the cap, or, where that list is
// longer, share the Fine hash too and its list holds at most the cap.
type Key struct {
	Coarse, Fine uint64 // Fine 0: there is none
	Rule         string
	Text         string // the value, for explaining
}

// FNV-1a, 64 bit (Fowler, Noll, Vo): offset basis and prime. Stored keys hold
// its values, so it must never change.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

// Hash folds the parts, each ended by a zero byte, and never gives 0.
func Hash(parts ...string) uint64 {
	h := uint64(offset)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * prime
		}
		h *= prime // the zero byte
	}
	if h == 0 {
		return 1
	}
	return h
}

// Builder collects the keys of one record.
type Builder struct {
	entity string
	keys   []Key
}

// New starts the keys of a record of one entity type.
func New(entity string) *Builder { return &Builder{entity: entity, keys: make([]Key, 0, 16)} }

// Add makes one key: text is the value of the rule, fine a second value that
// narrows it ("" for none). An empty text makes no key.
func (b *Builder) Add(rule, text, fine string) {
	if text == "" {
		return
	}
	k := Key{Coarse: max(Hash(b.entity, rule, text)&^1, 2), Rule: rule, Text: text}
	if fine != "" {
		k.Fine = Hash(b.entity, rule, text, fine)
	}
	b.keys = append(b.keys, k)
}

// Value is the Coarse hash of a counted key: its last bit is set, as no other
// key's is, so that a stored key tells what it is.
func Value(entity, rule, text string) uint64 { return Hash(entity, rule, text) | 1 }

// Counted says whether a Coarse hash is that of a counted key.
func Counted(coarse uint64) bool { return coarse&1 == 1 }

// AddValue makes a counted key: its Fine hash is that of the holder's name, so
// that the different ones on its list count the names that use the value.
func (b *Builder) AddValue(rule, text, name string) {
	if text == "" {
		return
	}
	b.keys = append(b.keys, Key{Coarse: Value(b.entity, rule, text), Fine: Hash(b.entity, rule, text, name), Rule: rule, Text: text})
}

// Keys gives the keys sorted by (Coarse, Fine), without repeats, at most n:
// past n those added first stay.
func (b *Builder) Keys(n int) []Key {
	out := b.keys[:0]
	for _, k := range b.keys { // few enough to look through
		known := slices.ContainsFunc(out, func(o Key) bool { return o.Coarse == k.Coarse && o.Fine == k.Fine })
		if !known && len(out) < n {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(x, y Key) int {
		return cmp.Or(cmp.Compare(x.Coarse, y.Coarse), cmp.Compare(x.Fine, y.Fine))
	})
	return out
}

// Shared lists a's keys that b has too: the same Coarse hash.
func Shared(a, b []Key) []Key {
	var out []Key
	j := 0
	for i, k := range a {
		if i > 0 && a[i-1].Coarse == k.Coarse {
			continue
		}
		for j < len(b) && b[j].Coarse < k.Coarse {
			j++
		}
		if j < len(b) && b[j].Coarse == k.Coarse {
			out = append(out, k)
		}
	}
	return out
}

// Candidate says whether two records with these sorted keys are a candidate
// pair, given the current length of each posting list.
func Candidate(a, b []Key, size func(hash uint64) int, limit int) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].Coarse < b[j].Coarse:
			i++
		case a[i].Coarse > b[j].Coarse:
			j++
		default:
			coarse := a[i].Coarse
			if size(coarse) <= limit {
				return true
			}
			ie, je := end(a, i), end(b, j)
			if sharesFine(a[i:ie], b[j:je], size, limit) {
				return true
			}
			i, j = ie, je
		}
	}
	return false
}

func end(keys []Key, i int) int {
	e := i
	for e < len(keys) && keys[e].Coarse == keys[i].Coarse {
		e++
	}
	return e
}

func sharesFine(a, b []Key, size func(uint64) int, limit int) bool {
	for _, x := range a {
		if x.Fine == 0 {
			continue
		}
		for _, y := range b {
			if x.Fine == y.Fine && size(x.Fine) <= limit {
				return true
			}
		}
	}
	return false
}
