package matching

import (
	"cmp"
	"slices"

	"touchstone/matching/block"
)

// keyLists are the posting lists of records' keys, and which of them are too long:
// what makes candidates by the rule of block.Candidate.
type keyLists struct {
	limit int
	keys  []keyAt
	over  map[uint64]bool // the hashes whose lists are too long; known once each was called
}

type keyAt struct {
	coarse, fine uint64
	at           uint32
	rule         block.Rule
}

func (l *keyLists) add(keys []KeyHash, at uint32) {
	for _, k := range keys {
		l.keys = append(l.keys, keyAt{k.Coarse, k.Fine, at, k.Rule})
	}
}

func (l *keyLists) sort() {
	slices.SortFunc(l.keys, func(x, y keyAt) int {
		return cmp.Or(cmp.Compare(x.coarse, y.coarse), cmp.Compare(x.fine, y.fine), cmp.Compare(x.at, y.at))
	})
}

// each gives the lists that are scanned, with the rule of their key: the coarse
// ones, or the finer ones of those that are too long.
func (l *keyLists) each(yield func(list []uint32, rule block.Rule)) {
	var list []uint32
	members := func(keys []keyAt) []uint32 {
		list = list[:0]
		for _, k := range keys {
			list = append(list, k.at)
		}
		slices.Sort(list)
		list = slices.Compact(list)
		return list
	}
	for i := 0; i < len(l.keys); {
		j := i + 1
		for j < len(l.keys) && l.keys[j].coarse == l.keys[i].coarse {
			j++
		}
		if m := members(l.keys[i:j]); len(m) <= l.limit {
			yield(m, l.keys[i].rule)
			i = j
			continue
		}
		l.over[l.keys[i].coarse] = true
		for i < j {
			k := i + 1
			for k < j && l.keys[k].fine == l.keys[i].fine {
				k++
			}
			if m := members(l.keys[i:k]); l.keys[i].fine != 0 && len(m) <= l.limit {
				yield(m, l.keys[i].rule)
			} else {
				l.over[l.keys[i].fine] = true
			}
			i = k
		}
	}
}

// rules are those of the keys by which two records meet.
func (l *keyLists) rules(a, b []KeyHash) (s block.RuleSet) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		c := cmp.Or(cmp.Compare(a[i].Coarse, b[j].Coarse), cmp.Compare(a[i].Fine, b[j].Fine))
		switch {
		case a[i].Coarse == b[j].Coarse && !l.over[a[i].Coarse], c == 0 && a[i].Fine != 0 && !l.over[a[i].Fine]:
			s |= block.SetOf(a[i].Rule)
			i, j = i+1, j+1
		case c < 0:
			i++
		default:
			j++
		}
	}
	return s
}
