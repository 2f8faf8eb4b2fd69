// Package block makes blocking keys: hashes of values by which records that may
// be the same customer find one another.
package block

// Key is one blocking key. Two records are a candidate pair iff they share a
// Coarse hash whose posting list holds at most the cap, or, where that list is
// longer, share the Fine hash too and its list holds at most the cap.
type Key struct {
	Coarse, Fine uint64 // Fine 0: there is none
	Rule         string
	Text         string // the value, for explaining
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
