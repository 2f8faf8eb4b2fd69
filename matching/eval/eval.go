// Package eval measures a clustering against a truth: pairs, B³ and exact
// clusters, each with an interval, and what labels say of a model.
package eval

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// Figure is a measured share with its 95 % interval.
type Figure struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// String writes 0.948 (0.941 to 0.955).
func (f Figure) String() string {
	d := func(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }
	return d(f.Value) + " (" + d(f.Low) + " to " + d(f.High) + ")"
}

// Score is how well a clustering agrees with a truth.
type Score struct {
	Records   int    `json:"records"`
	TruePairs int64  `json:"true_pairs"`
	Found     int64  `json:"found_pairs"`
	Hit       int64  `json:"hit_pairs"`
	Precision Figure `json:"precision"` // of pairs
	Recall    Figure `json:"recall"`
	F1        Figure `json:"f1"`
	B3        Figure `json:"b3_f1"`            // Bagga and Baldwin 1998
	Exact     Figure `json:"exact_cluster_f1"` // over clusters of two and more
}

// sums are those of one true cluster; a score is a ratio of their sums over all
// clusters (Binette and others 2022, "Estimating the Performance of Entity
// Resolution Algorithms: Lessons Learned Through PatentsView.org").
type sums struct {
	n, true, hit float64
	found        float64 // hit, and half of the false pairs that end here
	b3p, b3r     float64
	big, exact   float64 // of two and more; found exactly
	parts        float64 // found clusters of two and more, each by its share here
}

func (s *sums) add(o *sums, by float64) {
	s.n += by * o.n
	s.true += by * o.true
	s.hit += by * o.hit
	s.found += by * o.found
	s.b3p += by * o.b3p
	s.b3r += by * o.b3r
	s.big += by * o.big
	s.exact += by * o.exact
	s.parts += by * o.parts
}

func compareSums(x, y sums) int {
	return cmp.Or(cmp.Compare(x.n, y.n), cmp.Compare(x.hit, y.hit), cmp.Compare(x.found, y.found), cmp.Compare(x.exact, y.exact),
		cmp.Compare(x.b3p, y.b3p), cmp.Compare(x.b3r, y.b3r), cmp.Compare(x.parts, y.parts))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 1
	}
	return a / b
}

func f1(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

// figures in the order precision, recall, F1, B³, exact.
func (s *sums) figures() [5]float64 {
	p, r := ratio(s.hit, s.found), ratio(s.hit, s.true)
	return [5]float64{p, r, f1(p, r), f1(ratio(s.b3p, s.n), ratio(s.b3r, s.n)), f1(ratio(s.exact, s.parts), ratio(s.exact, s.big))}
}

// replicates is how many samples an interval is made from.
const replicates = 400

// Of scores a clustering: truth and found give the clusters of the same records
// by any numbers. The intervals are those of a Poisson bootstrap over the true
// clusters (Hanley and MacGibbon 2006, "Creating non-parametric bootstrap samples
// using Poisson frequencies"), whose draws are hashes of the cluster's place: the
// same input gives the same interval.
func Of(truth, found []int) Score {
	clusters := sumsOf(truth, found)
	slices.SortFunc(clusters, compareSums) // the order of the records decides nothing
	var all sums
	for i := range clusters {
		all.add(&clusters[i], 1)
	}
	s := Score{Records: len(truth), TruePairs: int64(math.Round(all.true)), Found: int64(math.Round(all.found)), Hit: int64(math.Round(all.hit))}
	value := all.figures()
	var drawn [5][]float64
	for b := range uint64(replicates) {
		var one sums
		for i := range clusters {
			if k := poisson(mix(b<<40 | uint64(i))); k > 0 {
				one.add(&clusters[i], float64(k))
			}
		}
		for i, v := range one.figures() {
			drawn[i] = append(drawn[i], v)
		}
	}
	for i, to := range [5]*Figure{&s.Precision, &s.Recall, &s.F1, &s.B3, &s.Exact} {
		slices.Sort(drawn[i])
		*to = Figure{value[i], min(value[i], drawn[i][replicates/40]), max(value[i], drawn[i][replicates-1-replicates/40])}
	}
	return s
}

// sumsOf counts each true cluster, in the order of first appearance.
func sumsOf(truth, found []int) []sums {
	type cell struct{ t, f int }
	number := map[int]int{}
	at := make([]int, len(truth))
	both, size, trueSize := map[cell]int{}, map[int]int{}, []int{}
	for i, t := range truth {
		k, ok := number[t]
		if !ok {
			k = len(trueSize)
			number[t] = k
			trueSize = append(trueSize, 0)
		}
		at[i] = k
		trueSize[k]++
		both[cell{k, found[i]}]++
		size[found[i]]++
	}
	out := make([]sums, len(trueSize))
	for k, n := range trueSize {
		out[k].n, out[k].true = float64(n), pairs(n)
		if n > 1 {
			out[k].big = 1
		}
	}
	done := map[cell]bool{}
	for i, k := range at { // not over the map: the order of sums decides their last bit
		c := cell{k, found[i]}
		if done[c] {
			continue
		}
		done[c] = true
		n, whole := both[c], size[found[i]]
		s := &out[k]
		s.hit += pairs(n)
		s.found += pairs(n) + float64(n*(whole-n))/2
		s.b3p += float64(n*n) / float64(whole)
		s.b3r += float64(n*n) / float64(trueSize[k])
		if whole > 1 {
			s.parts += float64(n) / float64(whole)
			if n == whole && n == trueSize[k] {
				s.exact = 1
			}
		}
	}
	return out
}

func pairs(n int) float64 { return float64(n) * float64(n-1) / 2 }

// poisson turns 64 random bits into a draw of mean 1.
func poisson(h uint64) int {
	x := float64(h>>11) / (1 << 53)
	p, sum := 1/math.E, 1/math.E // of none, and of as many or fewer
	k := 0
	for x >= sum && k < 20 {
		k++
		p /= float64(k)
		sum += p
	}
	return k
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
