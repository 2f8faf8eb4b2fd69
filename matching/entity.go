package matching

import (
	"strings"
	"unicode/utf8"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// Companies of one house share brand, domain, address and switchboard. What
// makes them customers of their own is said by the name: a holding beside its
// operating company, a branch, another line of business, another place; or by
// the register: another number. Such a pair is a relation, never a merge.

// roleNames are the roles by their number in the binary form.
var roleNames = [8]string{"", standardise.RoleGroup, standardise.RoleHolding, standardise.RoleParent, standardise.RolePartner, standardise.RoleBranch}

func roleCode(role string) byte {
	for i, r := range roleNames {
		if r == role {
			return byte(i)
		}
	}
	return 0
}

// tradeLevel compares what two companies do. Across languages only lines of
// business that have nothing in common differ.
func tradeLevel(x, y org) uint8 {
	s, t := x.trade(), y.trade()
	l := partLevel(s, t)
	if l != different {
		return l
	}
	if x.han() == y.han() {
		if nearTrade(s, t) {
			return missing
		}
		return different
	}
	v, w := standardise.TradesOf(s), standardise.TradesOf(t)
	switch {
	case v.Apart(&w):
		return different
	case v == w && !v.Empty():
		return same
	}
	return missing
}

// nearTrade: one is part of the other (贸易 and 进出口贸易), or a typo of it.
func nearTrade(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return strings.Contains(b, a) || compare.WithinOne(a, b)
}

// branchLevel: a branch and its head company are two customers, and so are a
// holding and what it holds.
func branchLevel(x, y org) uint8 {
	v, w := x.branch(), y.branch()
	switch {
	case v == "" && w == "" && x.flags>>roleShift&7 == y.flags>>roleShift&7: // most are neither
		if x.role() == "" {
			return missing
		}
		return branchSame
	case !sameBranch(v, w):
		return branchDifferent
	case !sameRole(x, y):
		return branchOther
	case v == "" && x.role() == "":
		return missing
	}
	return branchSame
}

// sameBranch allows for Köln and Koeln, and a slip: of two Chinese names, which
// are short, none is one (北京 and 南京).
func sameBranch(a, b string) bool {
	return a == b || a != "" && b != "" && (sameButUmlauts(a, b) || min(utf8.RuneCountInString(a), utf8.RuneCountInString(b)) >= 5 && compare.OneSlip(a, b))
}

// sameButUmlauts: equal but for the e of ae, oe and ue.
func sameButUmlauts(a, b string) bool {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if a[i] != b[j] {
			switch {
			case a[i] == 'e' && umlautEnds(a[:i]):
				i++
			case b[j] == 'e' && umlautEnds(b[:j]):
				j++
			default:
				return false
			}
			continue
		}
		i, j = i+1, j+1
	}
	return i == len(a) && j == len(b)
}

func umlautEnds(s string) bool { return s != "" && strings.IndexByte("aou", s[len(s)-1]) >= 0 }

// sameRole: of two that have one branch's name it does not matter which calls
// itself a branch.
func sameRole(x, y org) bool {
	role := func(o org) string {
		if o.branch() != "" {
			return standardise.RoleBranch
		}
		return o.role()
	}
	return standardise.SameRole(role(x), role(y))
}

// namePlaceLevel: a province and a city in it are one place, as far as a name
// says.
func namePlaceLevel(x, y org) uint8 {
	v, w := x.place(), y.place()
	l := partLevel(v, w)
	switch {
	case l != different:
	case standardise.WithinPlace(v, w):
		return missing
	case x.han() != y.han() && standardise.OneReading(v, w): // Fuzhou is 福州 and 抚州
		return same
	}
	return l
}

// houseOfTwo says whether the names are those of two companies of one house.
func houseOfTwo(out *[maxFields]found) bool {
	return out[cTrade].level == different || out[cBranch].level >= branchOther || out[cPlace].level == different
}

// oneSpelling: a domain that differs by the letter that the name differs by is
// the other name's, not a second slip.
func oneSpelling(out *[maxFields]found) {
	if l := out[cName].level; out[cWeb].level == webNear && (l == nameNear || l == nameAlike) {
		out[cWeb].level = webDifferent
	}
}

// oneHouse takes the weight off what companies of one house share, where the
// names or the register say that they are two: they have it because they are
// one house. A number that is nearly the same is then the next in the register.
func oneHouse(out *[maxFields]found) {
	two := houseOfTwo(out)
	if out[cIDs].level == idNear && (two || out[cForm].level == different) {
		out[cIDs].level = idDifferent
	}
	if !two && out[cIDs].level != idDifferent {
		return
	}
	if l := out[cPhone].level; l == phoneSame || l == phoneNear {
		out[cPhone].level = phoneShared
	}
	if l := out[cWeb].level; l >= webAddress && l < webShared {
		out[cWeb].level = webShared
	}
	if l := out[cAddress].level; l >= placeExact && l < placeShared {
		out[cAddress].level = placeShared
	}
}

// companyVeto: another role in the house, or a branch that calls itself one.
// The same number in a register stands against it. Of a record's names those
// with a legal form count, where it has such.
func companyVeto(a, b *Features) (string, bool) {
	if !haveBoth(a, b, orgs) || sharesID(a, b) {
		return "", false
	}
	why, formal, formalToo := "", a.hasForm(), b.hasForm()
	for i := range a.count(orgs) {
		for j := range b.count(orgs) {
			x, y := a.org(i), b.org(j)
			if formal && x.form() == "" || formalToo && y.form() == "" {
				continue
			}
			v, w := x.role(), y.role()
			if sameRole(x, y) && sameBranch(x.branch(), y.branch()) || v != standardise.RoleBranch && standardise.SameRole(v, w) {
				return "", false
			}
			switch nameLevel(x, y) {
			case nameAcronym, nameAlike, nameDifferent: // too far for a role to tell
				continue
			}
			why = "another company of the group"
			if v == standardise.RoleBranch || w == standardise.RoleBranch {
				why = "another branch"
			}
		}
	}
	return why, why != ""
}

// hasForm says whether any of the names has a legal form.
func (f *Features) hasForm() bool {
	for i := range f.count(orgs) {
		if f.org(i).form() != "" {
			return true
		}
	}
	return false
}
