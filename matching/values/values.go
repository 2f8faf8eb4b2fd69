// Package values finds the spellings of one field that may mean the same:
// clusters of distinct values, by a key they share or by how near they are. It
// is pure, and what it gives depends on the set of values alone, not on their
// order.
//
// The methods are those that OpenRefine documents ("Clustering methods
// in-depth", openrefine.org/docs/technical-reference/clustering-in-depth),
// written from that text: fingerprint, n-gram fingerprint, phonetic key and
// nearest neighbour within blocks. Beyond it, full width and traditional Chinese
// are folded, and a Chinese word's phonetic key is its reading in pinyin.
package values

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Method names a way to cluster.
type Method string

// The methods, from strict to lax.
const (
	Fingerprint Method = "fingerprint"
	NGram       Method = "ngram"
	Phonetic    Method = "phonetic"
	Nearest     Method = "nearest"
)

// Methods lists them.
func Methods() []string {
	return []string{string(Fingerprint), string(NGram), string(Phonetic), string(Nearest)}
}

// The distances of Nearest.
const (
	Levenshtein = "levenshtein"
	JaroWinkler = "jaro-winkler"
)

// Value is one distinct value and how many hold it.
type Value struct {
	Text  string `json:"value"`
	Count int    `json:"count"`
}

// Options say how to cluster; the zero value is fingerprint with its defaults.
type Options struct {
	Method Method
	// N is the length of n-grams: of the key with NGram (default 2), of what two
	// values must share to be compared with Nearest (default 3, of values with
	// Chinese characters 2).
	N int
	// Distance of Nearest: Levenshtein (default) or JaroWinkler.
	Distance string
	// Radius is how far apart two values of a cluster's chain may be: edits
	// (default 2), or 1 minus the similarity of Jaro and Winkler (default 0.08).
	// Edits are never more than a third of the shorter value, so that short words
	// do not all fall together.
	Radius float64
	// Block is how many values that share one n-gram are compared with each other
	// (default 100). In a longer list each is compared with its neighbours in
	// content order alone.
	Block int
	// Most bounds the distinct values (default a million): the commonest are
	// taken, the others counted in LeftOut.
	Most int
}

// Cluster is a set of values that may mean the same.
type Cluster struct {
	// ID depends on the values alone: it names the same cluster tomorrow.
	ID       string  `json:"id"`
	Proposed string  `json:"proposed"` // the commonest value; of equally common ones the first in byte order
	Count    int     `json:"count"`    // how many hold any of the values
	Values   []Value `json:"values"`   // commonest first
}

// Result is what was found.
type Result struct {
	Clusters []Cluster `json:"clusters"` // those of most values first, then of most records, then by the proposed value
	Distinct int       `json:"distinct"` // values looked at
	LeftOut  int       `json:"left_out,omitempty"`
	Compared int       `json:"compared,omitempty"` // pairs measured, of Nearest
	Spilled  int       `json:"spilled,omitempty"`  // lists too long to compare each with each, of Nearest
}

const (
	defaultGram   = 2
	defaultShared = 3
	sharedHan     = 2
	defaultEdits  = 2
	defaultWink   = 0.08
	defaultBlock  = 100
	defaultMost   = 1_000_000
	mostGram      = 16
)

// Find clusters distinct values. Values given twice are added up; blank ones are
// left out. The error says which option makes no sense.
func Find(list []Value, o Options) (Result, error) {
	o, err := o.filled()
	if err != nil {
		return Result{}, err
	}
	list, left := distinct(list, o.Most)
	out := Result{Distinct: len(list), LeftOut: left, Clusters: []Cluster{}}
	var groups [][]int
	if o.Method == Nearest {
		n := newNear(list, o)
		groups = n.groups()
		out.Compared, out.Spilled = n.compared, n.spilled
	} else {
		groups = collide(list, o)
	}
	for _, g := range groups {
		out.Clusters = append(out.Clusters, clusterOf(list, g))
	}
	slices.SortFunc(out.Clusters, func(a, b Cluster) int {
		return cmp.Or(len(b.Values)-len(a.Values), b.Count-a.Count, strings.Compare(a.Proposed, b.Proposed), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

func (o Options) filled() (Options, error) {
	o.Method = cmp.Or(o.Method, Fingerprint)
	if !slices.Contains(Methods(), string(o.Method)) {
		return o, fmt.Errorf("method %q: want one of %s", o.Method, strings.Join(Methods(), ", "))
	}
	if o.N < 0 || o.N > mostGram {
		return o, fmt.Errorf("n-grams of %d: want 1 to %d", o.N, mostGram)
	}
	o.Distance = cmp.Or(o.Distance, Levenshtein)
	switch o.Distance {
	case Levenshtein:
		o.Radius = cmp.Or(o.Radius, defaultEdits)
		if !(o.Radius >= 0 && o.Radius <= 10) {
			return o, fmt.Errorf("radius %v: want 0 to 10 edits", o.Radius)
		}
	case JaroWinkler:
		o.Radius = cmp.Or(o.Radius, defaultWink)
		if !(o.Radius >= 0 && o.Radius < 0.5) {
			return o, fmt.Errorf("radius %v: want less than 0.5 with %s", o.Radius, JaroWinkler)
		}
	default:
		return o, fmt.Errorf("distance %q: want %s or %s", o.Distance, Levenshtein, JaroWinkler)
	}
	o.Block, o.Most = cmp.Or(max(o.Block, 0), defaultBlock), cmp.Or(max(o.Most, 0), defaultMost)
	return o, nil
}

// distinct adds up equal values and puts them in byte order.
func distinct(list []Value, most int) (out []Value, left int) {
	out = make([]Value, 0, len(list))
	for _, v := range list {
		if strings.TrimSpace(v.Text) != "" {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b Value) int { return strings.Compare(a.Text, b.Text) })
	n := 0
	for _, v := range out {
		if n > 0 && out[n-1].Text == v.Text {
			out[n-1].Count += v.Count
			continue
		}
		out[n] = v
		n++
	}
	if out = out[:n]; n <= most {
		return out, 0
	}
	slices.SortFunc(out, commoner)
	out = out[:most]
	slices.SortFunc(out, func(a, b Value) int { return strings.Compare(a.Text, b.Text) })
	return out, n - most
}

func commoner(a, b Value) int {
	return cmp.Or(b.Count-a.Count, strings.Compare(a.Text, b.Text))
}

// collide groups the values that have the same key.
func collide(list []Value, o Options) (groups [][]int) {
	type keyed struct {
		key string
		at  int
	}
	keys := make([]keyed, 0, len(list))
	for i, v := range list {
		if k := o.key(v.Text); k != "" {
			keys = append(keys, keyed{k, i})
		}
	}
	slices.SortFunc(keys, func(a, b keyed) int { return cmp.Or(strings.Compare(a.key, b.key), a.at-b.at) })
	for from := 0; from < len(keys); {
		to := from + 1
		for to < len(keys) && keys[to].key == keys[from].key {
			to++
		}
		if to-from > 1 {
			g := make([]int, 0, to-from)
			for _, k := range keys[from:to] {
				g = append(g, k.at)
			}
			groups = append(groups, g)
		}
		from = to
	}
	return groups
}

func (o Options) key(s string) string {
	switch o.Method {
	case NGram:
		return NGramKey(s, cmp.Or(o.N, defaultGram))
	case Phonetic:
		return PhoneticKey(s)
	default:
		return FingerprintKey(s)
	}
}

func clusterOf(list []Value, at []int) (c Cluster) {
	h := sha256.New()
	for _, i := range at { // in byte order of the values, as list is
		c.Values = append(c.Values, list[i])
		c.Count += list[i].Count
		fmt.Fprintf(h, "%d:%s", len(list[i].Text), list[i].Text)
	}
	slices.SortFunc(c.Values, commoner)
	c.Proposed, c.ID = c.Values[0].Text, hex.EncodeToString(h.Sum(nil)[:5])
	return c
}
