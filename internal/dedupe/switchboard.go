package dedupe

// Sites of one house share its name and its telephone. Where their addresses say
// that they are two, the telephone is the house's: it is one piece of evidence
// with the name, and not a second one. Companies have the same rule, see
// matching.

// phoneElsewhere is the level of a telephone that is the same, or nearly, in
// another place, and phoneElsewhereWeight the most it weighs: what is learnt from
// any two rows knows nothing of houses.
const (
	phoneElsewhere       = 4
	phoneElsewhereWeight = 1500
	// otherStreet is from which level on two addresses are two: they share fewer than
	// two words in five.
	otherStreet = 8
)

// oneSwitchboard takes the weight off telephones of two places.
func (e *engine) oneSwitchboard(levels *[2]uint64) {
	if len(e.phones) == 0 || len(e.streets) == 0 {
		return
	}
	apart := false
	for _, k := range e.streets {
		switch l := levelOf(*levels, k); {
		case l == 0:
		case l < otherStreet:
			return
		default:
			apart = true
		}
	}
	if !apart {
		return
	}
	for _, k := range e.phones {
		if l := levelOf(*levels, k); l == 1 || l == 2 {
			levels[k/16] += uint64(phoneElsewhere-l) << (4 * (k % 16))
		}
	}
}
