package matching

import (
	"cmp"
	"fmt"
	"slices"

	"touchstone/matching/block"
)

// The choice of keys: of all rules, the cheapest set whose keys find every pair
// that is known to be one (weighted set cover, the greedy form, within a factor
// of ln n of the best: Chvátal 1979; as blocking: Michelson and Knoblock 2006,
// Bilenko, Kamath and Mooney 2006). What a rule costs are the pairs that its
// lists make. A hundred labels do not show all the ways in which two records of
// one customer agree: the pairs that the weights are sure of count too.

const (
	// leastSame is from how many labelled pairs of one customer on keys are chosen.
	leastSame = 30
	// mostSure is how many pairs count that the weights are sure of, and surely
	// from which probability on they are.
	mostSure = 20_000
	surely   = 0.999
	// pairsARecord is the budget: so many pairs for each record, or as many as the
	// rules of the start make where those are more.
	pairsARecord = 50
)

// KeyFigures say which rules make keys, and why.
type KeyFigures struct {
	Labelled int           `json:"labelled"` // pairs of one customer, by labels
	Sure     int           `json:"sure"`     // and by their weight
	Missed   int           `json:"missed"`   // labelled pairs that no chosen rule finds
	Pairs    int64         `json:"pairs"`    // that the chosen rules' lists make, one in two lists counted twice
	Before   int64         `json:"before"`   // that those of the start make
	Budget   int64         `json:"budget"`
	Rules    []RuleFigures `json:"rules,omitempty"`
	Note     string        `json:"note,omitempty"` // why nothing was chosen
}

// RuleFigures are those of one rule.
type RuleFigures struct {
	Rule    string `json:"rule"`
	Pairs   int64  `json:"pairs"`
	Finds   int    `json:"finds"` // of the pairs of one customer
	Chosen  bool   `json:"chosen"`
	Counted bool   `json:"counted,omitempty"` // its keys also count who shares a value: it stays
}

// chooser chooses rules from what was gathered.
type chooser struct {
	model  *Model
	known  []knownPair
	pairs  [block.Rules]int64
	figure *KeyFigures
}

// knownPair is a pair of one customer with the rules that find it.
type knownPair struct {
	a, b     *Features
	labelled bool
	rules    block.RuleSet
}

// chooseKeys chooses the rules of a fitted model by labels and sure pairs.
func (t *Trainer) chooseKeys(m *Model) (*KeyFigures, error) {
	if len(t.labels) == 0 || t.gathered == nil {
		return nil, nil //nolint:nilnil // without labels there is no choice
	}
	c := &chooser{model: m, figure: &KeyFigures{}}
	for _, l := range t.labels {
		if l.Same {
			c.known = append(c.known, knownPair{a: l.A, b: l.B, labelled: true})
		}
	}
	if c.figure.Labelled = len(c.known); c.figure.Labelled < leastSame {
		c.figure.Note = fmt.Sprintf("%d labelled pairs are one customer; keys are chosen from %d on", c.figure.Labelled, leastSame)
		return c.figure, nil
	}
	sure := m.Threshold(surely)
	for _, p := range t.sure {
		a, b, err := t.gathered.pair(p[0], p[1])
		if err != nil {
			return nil, err
		}
		if m.Weigh(a, b).Total >= sure {
			c.known = append(c.known, knownPair{a: a, b: b})
		}
	}
	c.figure.Sure = len(c.known) - c.figure.Labelled
	if err := c.count(t.gathered); err != nil {
		return nil, err
	}
	m.rules = c.choose(len(t.gathered.packed))
	return c.figure, nil
}

// count makes the lists of all rules, says how many pairs each makes, and finds
// out which rules find the known pairs.
func (c *chooser) count(g *gathering) error {
	lists, err := g.listsBy(func(f *Features, dst []KeyHash) []KeyHash { return f.appendKeys(dst, block.AllRules) })
	if err != nil {
		return err
	}
	lists.each(func(list []uint32, rule block.Rule) {
		c.pairs[rule] += int64(len(list)) * int64(len(list)-1) / 2
	})
	var a, b []KeyHash
	for i := range c.known {
		if err := g.ask(i); err != nil {
			return err
		}
		k := &c.known[i]
		a, b = k.a.appendKeys(a[:0], block.AllRules), k.b.appendKeys(b[:0], block.AllRules)
		k.rules = lists.rules(a, b)
	}
	return nil
}

// choose covers the known pairs at the least cost.
func (c *chooser) choose(records int) block.RuleSet {
	fig, counted, start := c.figure, countedRules(c.model.Entity), startRules(c.model.Entity)
	finds := [block.Rules]int{}
	for r := range block.Rules {
		for i := range c.known {
			if c.known[i].rules.Has(r) {
				finds[r]++
			}
		}
		if start.Has(r) {
			fig.Before += c.pairs[r]
		}
	}
	fig.Budget = max(fig.Before, pairsARecord*int64(records))
	chosen := counted
	spent := c.cost(chosen)
	for {
		best, gain := block.Rules, 0.0
		for r := range block.Rules {
			if chosen.Has(r) || spent+c.pairs[r] > fig.Budget {
				continue
			}
			if n := c.fresh(chosen, r); n > 0 && n/float64(c.pairs[r]+1) > gain {
				best, gain = r, n/float64(c.pairs[r]+1)
			}
		}
		if best == block.Rules {
			break
		}
		chosen |= block.SetOf(best)
		spent += c.pairs[best]
	}
	chosen = c.pruned(chosen, counted)
	fig.Pairs = c.cost(chosen)
	for i := range c.known {
		if c.known[i].labelled && c.known[i].rules&chosen == 0 {
			fig.Missed++
		}
	}
	for r := range block.Rules {
		if chosen.Has(r) || finds[r] > 0 || start.Has(r) && c.pairs[r] > 0 {
			fig.Rules = append(fig.Rules, RuleFigures{r.String(), c.pairs[r], finds[r], chosen.Has(r), counted.Has(r)})
		}
	}
	return chosen
}

func (c *chooser) cost(s block.RuleSet) (n int64) {
	for r := range s.All() {
		n += c.pairs[r]
	}
	return n
}

// labelCounts is how many sure pairs a labelled one counts: sure ones are found
// by several keys already, and are many.
const labelCounts = 10

// fresh is what a rule finds that no chosen one does.
func (c *chooser) fresh(chosen block.RuleSet, r block.Rule) (n float64) {
	for i := range c.known {
		switch k := &c.known[i]; {
		case k.rules&chosen != 0 || !k.rules.Has(r):
		case k.labelled:
			n += labelCounts
		default:
			n++
		}
	}
	return n
}

// pruned takes the rules out again that later ones made needless, the dearest
// first.
func (c *chooser) pruned(chosen, counted block.RuleSet) block.RuleSet {
	order := slices.Collect((chosen &^ counted).All())
	slices.SortStableFunc(order, func(x, y block.Rule) int { return cmp.Compare(c.pairs[y], c.pairs[x]) })
	for _, r := range order {
		if rest := chosen &^ block.SetOf(r); c.fresh(rest, r) == 0 {
			chosen = rest
		}
	}
	return chosen
}
