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
	sizes  map[uint64]int32 // of the lists that a known pair stands on
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
	c := &chooser{model: m, sizes: map[uint64]int32{}, figure: &KeyFigures{}}
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

type ruledKey struct {
	coarse, fine uint64
	at           uint32
	rule         block.Rule
}

// count makes the lists of all rules, says how many pairs each makes, and finds
// out which rules find the known pairs.
func (c *chooser) count(g *gathering) error {
	keys := make([][2][]KeyHash, len(c.known))
	for i := range c.known {
		for side, f := range [2]*Features{c.known[i].a, c.known[i].b} {
			keys[i][side] = f.appendKeys(nil, block.AllRules)
			for _, k := range keys[i][side] {
				c.sizes[k.Coarse], c.sizes[k.Fine] = 0, 0
			}
		}
	}
	var all []ruledKey
	var room []KeyHash
	for i := range g.packed {
		if err := g.ask(i); err != nil {
			return err
		}
		x, err := g.get(uint32(i)) //nolint:gosec // mostTrained at the most
		if err != nil {
			return err
		}
		room = x.features.appendKeys(room[:0], block.AllRules)
		for _, k := range room {
			all = append(all, ruledKey{k.Coarse, k.Fine, uint32(i), k.Rule}) //nolint:gosec // as above
		}
	}
	slices.SortFunc(all, func(x, y ruledKey) int {
		return cmp.Or(cmp.Compare(x.coarse, y.coarse), cmp.Compare(x.fine, y.fine), cmp.Compare(x.at, y.at))
	})
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].coarse == all[from].coarse {
			to++
		}
		c.list(all[from:to])
		from = to
	}
	for i := range c.known {
		c.known[i].rules = c.finding(keys[i][0], keys[i][1])
	}
	return nil
}

// list counts one coarse list, and the fine ones it spills into.
func (c *chooser) list(run []ruledKey) {
	pairs := func(n int) int64 { return int64(n) * int64(n-1) / 2 }
	whole, rule := records(run), run[0].rule
	c.size(run[0].coarse, whole)
	spilled := whole > c.model.KeyCap
	if !spilled {
		c.pairs[rule] += pairs(whole)
	}
	for from := 0; from < len(run); {
		to := from + 1
		for to < len(run) && run[to].fine == run[from].fine {
			to++
		}
		if run[from].fine != 0 {
			n := records(run[from:to])
			c.size(run[from].fine, n)
			if spilled && n <= c.model.KeyCap {
				c.pairs[rule] += pairs(n)
			}
		}
		from = to
	}
}

func (c *chooser) size(hash uint64, n int) {
	if _, wanted := c.sizes[hash]; wanted {
		c.sizes[hash] = int32(n) //nolint:gosec // mostTrained at the most
	}
}

// records counts the different ones of a run.
func records(run []ruledKey) int {
	list := make([]uint32, len(run))
	for i, k := range run {
		list[i] = k.at
	}
	slices.Sort(list)
	return len(slices.Compact(list))
}

// finding are the rules of the keys by which two records meet, by the rule of
// block.Candidate.
func (c *chooser) finding(a, b []KeyHash) (s block.RuleSet) {
	limit := int32(c.model.KeyCap) //nolint:gosec // maxKeyCap at the most
	for _, x := range a {
		for _, y := range b {
			if x.Coarse == y.Coarse && (c.sizes[x.Coarse] <= limit || x.Fine != 0 && x.Fine == y.Fine && c.sizes[x.Fine] <= limit) {
				s |= block.SetOf(x.Rule)
			}
		}
	}
	return s
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
	for r := range block.Rules {
		if s.Has(r) {
			n += c.pairs[r]
		}
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
	var order []block.Rule
	for r := range block.Rules {
		if chosen.Has(r) && !counted.Has(r) {
			order = append(order, r)
		}
	}
	slices.SortStableFunc(order, func(x, y block.Rule) int { return cmp.Compare(c.pairs[y], c.pairs[x]) })
	for _, r := range order {
		if rest := chosen &^ block.SetOf(r); c.fresh(rest, r) == 0 {
			chosen = rest
		}
	}
	return chosen
}
