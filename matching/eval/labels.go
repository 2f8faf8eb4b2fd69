package eval

import (
	"cmp"
	"math"
	"slices"

	"touchstone/matching/weight"
)

// Judged is a labelled pair with what a model makes of it.
type Judged struct {
	Weight int32 // 1/1000 bit
	Same   bool
}

// OnLabels is how a model does on labelled pairs.
type OnLabels struct {
	Same      int     `json:"same"`
	Different int     `json:"different"`
	Linked    int     `json:"linked"` // of the labels, those at or above the threshold
	Precision Figure  `json:"precision"`
	Recall    Figure  `json:"recall"`
	Loss      float64 `json:"log_loss_bits"` // a label, at the weight as it is
}

// Labelled scores a model on labelled pairs at a threshold in 1/1000 bit. The
// intervals are Wilson's (Wilson 1927, "Probable inference, the law of
// succession, and statistical inference"). They hold for pairs like those that
// were labelled: of pairs chosen for being doubtful precision and recall are
// lower than over all pairs.
func Labelled(list []Judged, threshold int32) OnLabels {
	var o OnLabels
	hit := 0
	for _, j := range list {
		w := float64(j.Weight) / 1000
		if j.Same {
			o.Same++
			w = -w
		} else {
			o.Different++
		}
		o.Loss += log2p1(w)
		if j.Weight >= threshold {
			o.Linked++
			if j.Same {
				hit++
			}
		}
	}
	o.Loss /= max(float64(len(list)), 1)
	o.Precision, o.Recall = Wilson(hit, o.Linked), Wilson(hit, o.Same)
	return o
}

// log2p1 is log2(1 + 2^x) without overflow.
func log2p1(x float64) float64 {
	if x > 50 {
		return x
	}
	return math.Log2(1 + math.Exp2(x))
}

// Wilson is a share of n with its 95 % interval; of nothing it is 1, anything
// from 0 on.
func Wilson(hit, n int) Figure {
	if n == 0 {
		return Figure{1, 0, 1}
	}
	const z = 1.959963984540054
	p, m := float64(hit)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Figure{p, max(0, min(p, mid-half)), min(1, max(p, mid+half))}
}

// Reach is the lowest threshold from which labels show a wanted precision.
type Reach struct {
	Wanted    float64      `json:"wanted"`
	Found     bool         `json:"found"`
	Threshold weight.Milli `json:"threshold_bits"`
	Precision Figure       `json:"precision"`
	Recall    Figure       `json:"recall"`
}

// Reaching finds the lowest weight from which on labelled pairs are matches in
// the wanted share. Its interval says how sure so many labels can be: fewer than
// some 400 never show 0.99 for certain.
func Reaching(list []Judged, wanted float64) Reach {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Judged) int {
		switch {
		case a.Weight != b.Weight:
			return cmp.Compare(b.Weight, a.Weight)
		case a.Same == b.Same:
			return 0
		case b.Same: // of pairs that weigh the same a match comes last: the order of labels decides nothing
			return -1
		}
		return 1
	})
	same := 0
	for _, j := range sorted {
		if j.Same {
			same++
		}
	}
	r := Reach{Wanted: wanted}
	hit := 0
	for i, j := range sorted {
		if j.Same {
			hit++
		}
		if i+1 < len(sorted) && sorted[i+1].Weight == j.Weight {
			continue // a threshold cannot part them
		}
		if j.Same && float64(hit) >= wanted*float64(i+1) {
			r.Found, r.Threshold, r.Precision, r.Recall = true, weight.Milli(j.Weight), Wilson(hit, i+1), Wilson(hit, same)
		}
	}
	return r
}
