package block

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// RuleSet is a set of rules, a bit each. The empty one leaves the choice to the
// entity type.
type RuleSet uint64

// AllRules are all there are.
const AllRules = RuleSet(1)<<Rules - 1

// SetOf makes a set.
func SetOf(rules ...Rule) (s RuleSet) {
	for _, r := range rules {
		s |= 1 << r
	}
	return s
}

// Has says whether a rule is in the set.
func (s RuleSet) Has(r Rule) bool { return s>>r&1 == 1 }

// All gives the rules of the set, in their order.
func (s RuleSet) All() iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(Rule(bits.TrailingZeros64(uint64(s)))) { //nolint:gosec // 63 at the most
				return
			}
		}
	}
}

// Names lists the rules of the set, in their order.
func (s RuleSet) Names() []string {
	var out []string
	for r := range s.All() {
		out = append(out, r.String())
	}
	return out
}

// NamedSet is the set of the rules with these names. A name of none, or one that
// is there twice, is an error.
func NamedSet(names []string) (s RuleSet, err error) {
	all := ruleNames()
	for _, n := range names {
		r := slices.Index(all[:], n)
		switch {
		case r < 0:
			return 0, fmt.Errorf("%q is no rule of keys, want one of %s", n, strings.Join(all[:], ", "))
		case s.Has(Rule(r)):
			return 0, fmt.Errorf("the rule %q is there twice", n)
		}
		s |= SetOf(Rule(r))
	}
	return s, nil
}
