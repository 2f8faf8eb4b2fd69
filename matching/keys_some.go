package matching

import "touchstone/matching/block"

// The rules that values of one field make keys by.
const (
	idRules        = 1<<block.ID | 1<<block.IDHead | 1<<block.IDTail
	emailRules     = 1<<block.Email | 1<<block.Domain | 1<<block.DomainName | 1<<block.Local | 1<<block.LocalHead | 1<<block.LocalTail
	fullRules      = 1<<block.NameFull | 1<<block.NameHead | 1<<block.NameTail
	birthNameRules = 1<<block.BirthMonthName | 1<<block.YearDayName
	placeRules     = 1<<block.Address | 1<<block.Street | 1<<block.PostcodeHouse | 1<<block.PostcodeName
)

// AppendSomeKeys appends the keys of AppendKeys whose rules are wanted, in any
// order and with repeats. Without fine a Fine of 1 says that there is one. It
// costs less by what is not made, and is not sorted.
func (f *Features) AppendSomeKeys(dst []KeyHash, wanted block.RuleSet, fine bool) []KeyHash {
	from := len(dst)
	k := keyMaker{b: block.BuildSome(dst, f.seeds(), MaxKeys, wanted, fine)}
	k.all(f)
	dst, all := k.b.Some()
	if all {
		return dst
	}
	dst = f.AppendKeys(dst[:from])
	kept := dst[:from]
	for _, key := range dst[from:] {
		if wanted.Has(key.Rule) {
			kept = append(kept, key)
		}
	}
	return kept
}

// wanted gives how many values to make keys of: all n of them, or none where none
// of the rules is wanted, of which one value makes most keys at the most.
func (k *keyMaker) wanted(n int, rules block.RuleSet, most int) int {
	if n == 0 || k.b.Wants(rules, n*most) {
		return n
	}
	return 0
}
