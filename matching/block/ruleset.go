package block

import (
	"fmt"
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

// Names lists the rules of the set, in their order.
func (s RuleSet) Names() []string {
	var out []string
	for r, name := range ruleNames() {
		if s.Has(Rule(r)) { //nolint:gosec // there are few rules
			out = append(out, name)
		}
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
