package standardise

import (
	"cmp"
	"strings"
)

// Org is a company's name in its parts, all folded.
type Org struct {
	Brand  string // what is left when everything below is taken off; never empty for a name that is not
	Trade  string // what it does, in standard words
	Form   string // class of the legal form: "inc", "gmbh", "yx" for 有限公司 …
	Place  string // a place before (or in brackets within) the name
	Branch string // the branch, when the name is one's
	Role   string // RoleGroup, RoleHolding, RoleParent, RolePartner, RoleBranch, or ""
	Roman  string // the brand without spaces, Chinese by its usual reading
	// Readings are further readings of a Chinese brand.
	Readings []string
	Han      bool
}

// Organisation takes a company's name apart; alias is the name after "dba",
// "formerly", 曾用名 and the like, when there is one.
func Organisation(s string) (o Org, alias string) {
	s = cut(s)
	if HasHan(s) {
		s, alias = cutHanAlias(s)
		return hanOrg(s), alias
	}
	return latinOrg(s)
}

func latinOrg(s string) (Org, string) {
	s, alias := cutAlias(s)
	o := Org{}
	s = cutBracketPlace(s, &o)
	s = cutBranch(s, &o)
	folded := Fold(s)
	var buf [24]string
	n := nameTokens{toks: appendFields(buf[:0], folded)}
	n = n.joinInitials()
	if len(n.toks) > 1 && n.toks[0] == "the" {
		n = n.dropHead(1)
	}
	words := len(n.toks)
	n, o.Branch = n.cutBranchWord(o.Branch)
	if len(n.toks) < words {
		o.Role = RoleBranch
	}
	n, o.Form = n.cutForm(s)
	n, o.Form = n.cutHeadForm(o.Form)
	if n = n.cutPlace(&o); o.Place != "" && o.Form == "" { // Acme Ltd UK
		n, o.Form = n.cutForm(s)
	}
	n = n.dropAnd()
	if toks, role := cutRole(n.toks); role != "" {
		n.toks, n.changed = toks, true
		o.Role = cmp.Or(o.Role, role)
		n = n.cutPlace(&o) // Acme UK Holdings
	}
	if len(n.toks) > 2 && o.Form == "ltd" && o.Place == "" {
		if p, ok := hanPlaceRoman()[n.toks[0]]; ok && !onlyTrade(n.toks[1:]) { // "Beijing Xianren Machinery Co., Ltd."
			o.Place = p
			n = n.dropHead(1)
		} else if p, ok := twoWordPlace(n.toks[0], n.toks[1]); ok && len(n.toks) > 3 {
			o.Place = p
			n = n.dropHead(2)
		}
	}
	end := len(n.toks)
	for end > 1 {
		if tradeOf(n.toks[end-1]) == "" {
			break
		}
		end--
	}
	o.Trade = standardTrades(n.toks[end:])
	n.toks = n.toks[:end]
	o.Brand = n.joined(folded)
	o.Roman = latinized(squash(o.Brand))
	return o, alias
}

// twoWordPlace knows the places that are written in two words.
func twoWordPlace(a, b string) (string, bool) {
	switch {
	case a == "hong" && b == "kong":
		return "香港", true
	case a == "inner" && b == "mongolia":
		return "内蒙古", true
	}
	return "", false
}

func standardTrades(toks []string) string {
	switch len(toks) {
	case 0:
		return ""
	case 1:
		return tradeOf(toks[0])
	}
	var buf [128]byte
	b := buf[:0]
	for i, t := range toks {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, tradeOf(t)...)
	}
	return string(b)
}

// nameTokens are the words of a folded name. As long as they stand in it as
// they are, what is left of them can be cut out of it.
type nameTokens struct {
	toks    []string
	head    int // bytes of the name before the first word
	changed bool
}

func appendFields(toks []string, s string) []string {
	for s != "" {
		i := strings.IndexByte(s, ' ')
		if i < 0 {
			return append(toks, s)
		}
		if i > 0 {
			toks = append(toks, s[:i])
		}
		s = s[i+1:]
	}
	return toks
}

func (n nameTokens) dropHead(k int) nameTokens {
	for _, t := range n.toks[:k] {
		n.head += len(t) + 1
	}
	n.toks = n.toks[k:]
	return n
}

// joined gives what is left of the folded name as one text.
func (n nameTokens) joined(folded string) string {
	if n.changed {
		return strings.Join(n.toks, " ")
	}
	end := n.head
	for _, t := range n.toks {
		end += len(t) + 1
	}
	return folded[n.head:max(n.head, end-1)]
}

// joinInitials makes "l l c" into "llc".
func (n nameTokens) joinInitials() nameTokens {
	out := n.toks[:0]
	run := false
	for _, t := range n.toks {
		single := len(t) == 1 && t[0] >= 'a' && t[0] <= 'z'
		if single && run {
			out[len(out)-1] += t
			n.changed = true
			continue
		}
		run = single
		out = append(out, t)
	}
	n.toks = out
	return n
}

// cutForm takes the legal form off the end, longest first, repeatedly ("Co.,
// Ltd."). At least one token stays. written is the name as it is written.
func (n nameTokens) cutForm(written string) (nameTokens, string) {
	form := ""
	for range 3 {
		took, class := formAt(wordForms(), n.toks, true)
		if at := len(n.toks) - took; took > 0 && !standsAsForm(n.toks[:at], n.toks[at:], written) {
			break
		}
		if took > 0 {
			if form == "" {
				form = class
			}
			written = "" // of the last word alone
			n.toks = n.toks[:len(n.toks)-took]
		}
		for len(n.toks) > 1 && n.toks[len(n.toks)-1] == "&" {
			n.toks = n.toks[:len(n.toks)-1]
		}
		if took == 0 {
			break
		}
	}
	return n, form
}

// cutHeadForm takes a form off the start, where none stood at the end.
func (n nameTokens) cutHeadForm(form string) (nameTokens, string) {
	if form != "" && form != "pt" || len(n.toks) < 2 {
		return n, form
	}
	if took, class := formAt(firstForms(), n.toks, false); took > 0 && !onlyTrade(n.toks[took:]) { // NV Energy is no N.V.
		return n.dropHead(took), class
	}
	return n, form
}

// onlyTrade says whether words do nothing but say what a company does.
func onlyTrade(toks []string) bool {
	for _, t := range toks {
		if _, ok := tradeWords()[t]; !ok {
			return false
		}
	}
	return true
}

// formAt finds the longest form at one side of the words: how many of them it
// takes, and its class.
func formAt(t *formTable, toks []string, atEnd bool) (int, string) {
	if len(toks) < 2 {
		return 0, ""
	}
	edge := toks[0]
	if atEnd {
		edge = toks[len(toks)-1]
	}
	most := min(t.most[edge], len(toks)-1)
	var buf [160]byte
	for k := most; k >= 1; k-- {
		part := toks[:k]
		if atEnd {
			part = toks[len(toks)-k:]
		}
		if k == 1 {
			if class, ok := t.class[part[0]]; ok {
				return 1, class
			}
			break
		}
		b := buf[:0]
		for _, tok := range part {
			if len(b)+len(tok) > len(buf) {
				b = b[:0]
				break
			}
			if tok != "&" {
				b = append(b, tok...)
			}
		}
		if class, ok := t.class[string(b)]; ok && len(b) > 0 && part[0] != "&" {
			return k, class
		}
	}
	return 0, ""
}

// dropAnd leaves the words for "and" out: & everywhere, others between words.
func (n nameTokens) dropAnd() nameTokens {
	k := 0
	for k < len(n.toks) && !andWord(n.toks, k) {
		k++
	}
	if k == len(n.toks) {
		return n
	}
	kept := 0
	for i := range n.toks {
		if !andWord(n.toks, i) {
			kept++
		}
	}
	if kept == 0 {
		return n
	}
	out := make([]string, 0, kept)
	for i, t := range n.toks {
		if !andWord(n.toks, i) {
			out = append(out, t)
		}
	}
	n.toks, n.changed = out, true
	return n
}

func andWord(toks []string, i int) bool {
	switch toks[i] {
	case "&", "#":
		return true
	case "and", "und", "et", "y", "och", "og":
		return i > 0 && i < len(toks)-1
	}
	return false
}
