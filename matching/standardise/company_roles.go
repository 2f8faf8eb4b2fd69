package standardise

import (
	"strings"
	"sync"

	"touchstone/matching/compare"
)

// The roles of a company among those that bear one brand. Two companies of one
// brand and different roles are two customers, however much else they share.
const (
	RoleGroup   = "group"         // the head of a group
	RoleHolding = "holding"       // what holds the shares
	RoleParent  = "group holding" // says both
	RolePartner = "partner"       // the general partner of a partnership: Acme Verwaltungs-GmbH beside Acme GmbH & Co. KG
	RoleBranch  = "branch"        // a branch that calls itself one; the name alone after a dash does not
)

// roleWords are the folded words that name a role at the end of a name, before
// the legal form.
var roleWords = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for role, words := range map[string]string{
		RoleHolding: "holding holdings hldg hldgs holdco holdinggesellschaft beteiligung beteiligungs beteiligungen beteiligungsgesellschaft participations participaciones partecipazioni",
		RoleGroup:   "group grp gruppe groupe grupo gruppo groep koncern konzern konsern concern",
		RolePartner: "verwaltung verwaltungs verwaltungsgesellschaft komplementar komplementars geschaftsfuhrungs geschaftsfuhrungsgesellschaft",
	} {
		for w := range strings.FieldsSeq(words) {
			m[w] = role
		}
	}
	return m
})

// leadingRole are the words that stand before the brand: Groupe Acme SA.
func leadingRole(w string) bool {
	switch w {
	case "groupe", "grupo", "gruppo", "groep", "holding":
		return true
	}
	return false
}

// leastTypedRole is from how many letters on a mistyped role word is known.
const leastTypedRole = 7

// roleOf gives the role that a word names, also mistyped by one slip.
func roleOf(w string) string {
	if r, ok := roleWords()[w]; ok {
		return r
	}
	if len(w) >= leastTypedRole {
		if near, ok := nearWord(nearRoles(), w); ok {
			return roleWords()[near]
		}
	}
	return ""
}

// cutRole takes the words for a role off a name without its legal form; one
// word stays. A word between the role and the end that says how far it reaches
// ("Acme Holdings International") stays.
func cutRole(toks []string) ([]string, string) {
	role := ""
	for len(toks) > 1 {
		at := len(toks) - 1
		if at > 1 && tradeWords()[toks[at]] == "international" {
			at--
		}
		r := roleOf(toks[at])
		if r == "" {
			break
		}
		role = joinRoles(role, r)
		toks = append(toks[:at:at], toks[at+1:]...)
	}
	if role == "" && len(toks) > 1 && leadingRole(toks[0]) {
		return toks[1:], roleOf(toks[0])
	}
	return toks, role
}

// joinRoles: a group's holding is both.
func joinRoles(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case a != RolePartner && b != RolePartner:
		return RoleParent
	}
	return a
}

// SameRole says whether two roles may be one company's: who writes Acme Group
// Holdings may be either.
func SameRole(a, b string) bool {
	parent := func(r string) bool { return r == RoleGroup || r == RoleHolding }
	return a == b || a == RoleParent && parent(b) || b == RoleParent && parent(a)
}

// hanRole gives the role of a word at the end of a Chinese name. 团集 is the slip
// of the keyboard.
func hanRole(w string) string {
	switch w {
	case "集团", "团集":
		return RoleGroup
	case "控股":
		return RoleHolding
	}
	return ""
}

// nearTable finds a word by one slip: each word is listed under itself and
// under itself less one letter.
type nearTable map[string]string

func newNearTable(words map[string]string, least int) nearTable {
	t := nearTable{}
	add := func(key, w string) {
		if old, ok := t[key]; !ok || w < old {
			t[key] = w
		}
	}
	for w := range words {
		if len(w) < least {
			continue
		}
		add(w, w)
		for i := range len(w) {
			add(w[:i]+w[i+1:], w)
		}
	}
	return t
}

// nearWord gives the word that s is, but for one letter lost, added, changed or
// swapped with its neighbour. The first letter is never wrong.
func nearWord(t nearTable, s string) (string, bool) {
	found := func(w string) bool { return w != "" && w[0] == s[0] && compare.OneSlip(w, s) }
	if w := t[s]; found(w) { // a letter was lost
		return w, true
	}
	var buf [64]byte
	if len(s) > len(buf) {
		return "", false
	}
	for i := 1; i < len(s); i++ {
		b := append(append(buf[:0], s[:i]...), s[i+1:]...)
		if w := t[string(b)]; found(w) { // added, changed or swapped
			return w, true
		}
	}
	return "", false
}

var nearRoles = sync.OnceValue(func() nearTable { return newNearTable(roleWords(), leastTypedRole) })
