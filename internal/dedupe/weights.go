package dedupe

import (
	"math"

	"touchstone/matching/fit"
)

// What is learnt is held within what judgement allows. Fields are not as
// independent as the model has it: an address, a phone and a name agree
// together for two firms of one house, and learnt weights alone then prove too
// much. The figures were chosen on the sets of docs/accuracy.md, one for all.
const (
	// fieldSlack is how much more than its start weight an agreement of a known
	// field may weigh, and againstSlack how much more a disagreement may weigh
	// against.
	fieldSlack   = 750
	againstSlack = 500
	// slackRows is the size of table that fieldSlack is meant for: of larger ones
	// the prior falls by 3.3 bits with each factor of ten, and an agreement may
	// weigh slackPerTen more, or the same evidence would prove less and less.
	slackRows   = 10_000
	slackPerTen = 500
	// hardAgainst: a level whose start weight is at most this says "another
	// customer" by judgement (another branch, another number); data, in which the
	// two often stand together, does not unlearn it.
	hardAgainst = -6000
	// learntShare of a weight is learnt where only the kind of a column is known;
	// the rest is the start's. In thousandths.
	learntShare = 700
	// partlyAlike is from which level on texts only share some of their words, and
	// alikeSlack how much more than at the start that may weigh: whoever is alike in
	// one column (one author, one provider) is so in the next by chance too.
	partlyAlike = 6
	alikeSlack  = 2000
	// A column that many rows agree in by chance describes and does not identify:
	// it takes no part in telling matches apart, and weighs little for and
	// against.
	describes    = 0.002
	describesFor = 500
	describesNot = -2000
)

// weak says whether a field only describes.
func (e *engine) weak(k int) bool {
	if k < e.packed {
		return false
	}
	switch f := &e.fields[k]; f.meaning {
	case OrgName, LegalName, Full, Family, Given, Street:
		return false
	default:
		return f.rare.agreement > describes
	}
}

// take sets the weights to what was learnt, within bounds.
func (e *engine) take(r fit.Result) {
	e.prior = r.PriorWeight
	for k := range e.weights {
		for l := 1; l < len(e.weights[k]); l++ {
			e.weights[k][l] = e.bounded(k, l, r.Weights[k][l])
			if start := e.fields[k].start[l]; k < e.packed && start < 0 && l < len(e.weights[k])-1 {
				// A near miss that speaks against, such as another street of the same city:
				// any two rows know it by chance, namesakes far more often.
				e.weights[k][l] = min(e.weights[k][l], start)
			}
		}
	}
}

// slack is how much more than its start weight an agreement may weigh here.
func (e *engine) slack() int32 {
	return fieldSlack + int32(math.Round(slackPerTen*max(0, math.Log10(float64(len(e.u.first))/slackRows))))
}

// bounded holds the learnt weight of a level.
func (e *engine) bounded(k, l int, learnt int32) int32 {
	f := &e.fields[k]
	start := f.start[l]
	if k < e.packed {
		if start <= hardAgainst {
			learnt = min(learnt, start)
		}
		return max(min(learnt, max(start, 0)+e.slack()), min(start, 0)-againstSlack)
	}
	w := int32(math.Round((learntShare*float64(learnt) + (1000-learntShare)*float64(start)) / 1000))
	switch {
	case l >= partlyAlike && len(f.Levels) == len(textLevels()):
		w = min(w, start+alikeSlack)
	case l == phoneElsewhere && f.meaning == Phone:
		w = min(w, start)
	}
	if e.weak(k) {
		w = max(describesNot, min(describesFor, w))
	}
	return w
}

// lone is the field of a name that nothing else beside it confirms; -1 where
// something does.
func (e *engine) lone() int {
	at := -1
	for k := range e.fields {
		switch f := &e.fields[k]; {
		case k < e.packed:
			return -1
		case f.meaning == OrgName || f.meaning == Full || f.meaning == LegalName:
			if at >= 0 {
				return -1
			}
			at = k
		case f.meaning == List || f.meaning == LongText || e.weak(k):
		default:
			return -1
		}
	}
	return at
}

// A lone name has to be enough by itself: its closer levels are lifted so far
// that they pass the prior; what describes may add a little and takes nothing.
const (
	loneLift   = 11_000
	loneLevels = 6 // up to 6/10 alike
	loneOther  = 3000
)

func (e *engine) loneName(k int) {
	e.fields[k].rare = nil
	e.findRare()
	for i := range e.fields {
		for l := 1; l < len(e.weights[i]); l++ {
			switch {
			case i != k:
				e.weights[i][l] = max(0, min(e.weights[i][l]/2, loneOther))
			case l <= loneLevels:
				e.weights[i][l] += loneLift
			}
		}
	}
}
