package web

import (
	"maps"
	"slices"
)

// heldLine is one kind of what a customer holds, before and after.
type heldLine struct{ Name, Unit, Before, After string }

// Differs says whether the two are unlike; what was not there before, or is
// there no more, is no difference of its own.
func (l heldLine) Differs() bool { return l.Before != l.After && l.Before != none && l.After != none }

// none stands where there is no customer to hold anything.
const none = "—"

// heldLines lists what a customer holds before and after, nil for none: source
// records, and everything else of which there is any.
func heldLines(before, after *Holdings) (out []heldLine) {
	add := func(name string, pick func(Holdings) int) {
		l, any := heldLine{Name: name, Before: none, After: none}, name == "records"
		for _, x := range []struct {
			h    *Holdings
			into *string
		}{{before, &l.Before}, {after, &l.After}} {
			if x.h != nil {
				n := pick(*x.h)
				*x.into, any = count(n), any || n > 0
			}
		}
		if any {
			out = append(out, l)
		}
	}
	add("records", func(h Holdings) int { return len(h.Records) + h.More })
	add("events", func(h Holdings) int { return h.Events })
	sums := [2]map[string]string{{}, {}}
	names := map[string]bool{}
	for i, h := range []*Holdings{before, after} {
		if h == nil {
			continue
		}
		for _, m := range h.Money {
			sums[i][m.Currency], names[m.Currency] = m.Amount, true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		l := heldLine{Name: "money", Unit: name, Before: none, After: none}
		for i, into := range []*string{&l.Before, &l.After} {
			if v, ok := sums[i][name]; ok {
				*into = v
			}
		}
		out = append(out, l)
	}
	add("consents", func(h Holdings) int { return h.Consents })
	add("relations", func(h Holdings) int { return h.Relations })
	add("pins", func(h Holdings) int { return h.Pins })
	return out
}
