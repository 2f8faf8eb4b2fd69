package web

import (
	"math"
)

// fall is one step of a weight's waterfall: a bar from where the sum stood to
// where it stands then. Places are in per mille of the chart's width.
type fall struct {
	Evidence
	X, Wide    string
	Zero, Link string // where nothing and the threshold are
	Sum        float64
	Against    bool
	Of         string // the compared part of a field that has several; "" where the field says it
}

// waterfall draws the parts of a weight, in their order.
func waterfall(p Pair) []fall {
	low, high, sum := 0.0, max(0, p.Threshold), 0.0
	for _, e := range p.Evidence {
		sum += e.Bits
		low, high = min(low, sum), max(high, sum)
	}
	span := high - low
	if span <= 0 {
		span = 1
	}
	at := func(v float64) float64 { return 10 + 980*(v-low)/span }
	out, sum := make([]fall, 0, len(p.Evidence)), 0.0
	for _, e := range p.Evidence {
		a, b := at(sum), at(sum+e.Bits)
		sum += e.Bits
		out = append(out, fall{
			Evidence: e, X: coordinate(min(a, b)), Wide: coordinate(max(math.Abs(b-a), 4)), Zero: coordinate(at(0)), Link: coordinate(at(p.Threshold)),
			Sum: sum, Against: e.Bits < 0,
		})
	}
	return out
}

// part is a piece of a stacked bar, in per mille.
type part struct {
	Kind    string
	N       int
	X, Wide string
}

// stacked cuts a bar of this width into the counts of a pull.
func stacked(pulled, stored, unchanged, echo, quarantined, filtered int) []part {
	total := max(pulled, stored+unchanged+echo+quarantined+filtered, 1)
	var out []part
	x := 0.0
	for _, c := range []struct {
		kind string
		n    int
	}{{"stored", stored}, {"unchanged", unchanged}, {"echo", echo}, {"quarantined", quarantined}, {"filtered", filtered}} {
		if c.n <= 0 {
			continue
		}
		wide := 1000 * float64(c.n) / float64(total)
		out = append(out, part{c.kind, c.n, coordinate(x), coordinate(wide)})
		x += wide
	}
	return out
}

// flowStep is one bar of the flow: how much is left of what came in.
type flowStep struct {
	Kind string
	N    int
	Wide string // per mille of the longest
	Href string
}

// flow is the way of records from the sources to the targets.
func flow(o Overview, total SourceRow) []flowStep {
	var planned, delivered, verified int
	for _, t := range o.Targets {
		planned, delivered, verified = planned+t.Planned, delivered+t.Delivered, verified+t.Verified
	}
	steps := []flowStep{
		{Kind: "pulled", N: total.Pulled, Href: "#sources"},
		{Kind: "stored", N: total.Stored, Href: "#sources"},
		{Kind: "members", N: o.Members, Href: "/customers"},
		{Kind: "golden", N: o.Golden, Href: "/customers"},
		{Kind: "planned", N: planned, Href: "#targets"},
		{Kind: "delivered", N: delivered, Href: "#targets"},
		{Kind: "verified", N: verified, Href: "#targets"},
	}
	top := 1
	for _, s := range steps {
		top = max(top, s.N)
	}
	for i, s := range steps {
		steps[i].Wide = coordinate(1000 * float64(s.N) / float64(top))
	}
	return steps
}
