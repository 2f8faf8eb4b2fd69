package standardise

import (
	"strings"
	"unicode/utf8"
)

// Org is a company's name in its parts, all folded.
type Org struct {
	Brand  string // what is left when everything below is taken off; never empty for a name that is not
	Trade  string // what it does, in standard words
	Form   string // class of the legal form: "inc", "gmbh", "yx" for 有限公司 …
	Place  string // a place before (or in brackets within) the name
	Branch string // the branch, when the name is one's
	Roman  string // the brand without spaces, Chinese by its usual reading
	// Readings are further readings of a Chinese brand.
	Readings []string
	Han      bool
}

// Organisation takes a company's name apart; alias is the name after "dba",
// "formerly" and the like, when there is one.
func Organisation(s string) (o Org, alias string) {
	s = cut(s)
	if HasHan(s) {
		return hanOrg(s), ""
	}
	return latinOrg(s)
}

func latinOrg(s string) (Org, string) {
	s, alias := cutAlias(s)
	s, branch := cutBranch(s)
	toks := joinInitials(strings.Fields(Fold(s)))
	o := Org{Branch: branch}
	if len(toks) > 1 && toks[0] == "the" {
		toks = toks[1:]
	}
	if n := len(toks); n > 2 && toks[n-1] == "branch" {
		o.Branch, toks = toks[n-2], toks[:n-2]
	}
	toks, o.Form = cutForm(toks)
	toks = dropAnd(toks)
	if len(toks) > 2 && o.Form == "ltd" {
		if p, ok := hanPlaceRoman()[toks[0]]; ok { // "Beijing Xianren Machinery Co., Ltd."
			o.Place, toks = p, toks[1:]
		}
	}
	end := len(toks)
	for end > 1 {
		if _, ok := tradeWords()[toks[end-1]]; !ok {
			break
		}
		end--
	}
	trade := make([]string, 0, 4)
	for _, t := range toks[end:] {
		trade = append(trade, tradeWords()[t])
	}
	o.Trade = strings.Join(trade, " ")
	o.Brand = strings.Join(toks[:end], " ")
	o.Roman = squash(o.Brand)
	return o, alias
}

// cutAlias takes "(dba Skytech)" off.
func cutAlias(s string) (string, string) {
	low := strings.ToLower(s)
	if len(low) != len(s) { // lower case of another length: offsets would lie
		return s, ""
	}
	for _, w := range [...]string{"(dba ", "(d/b/a ", " d/b/a ", " dba ", "(formerly ", "(f/k/a ", " aka "} {
		if i := strings.Index(low, w); i > 0 {
			return s[:i], strings.Trim(s[i+len(w):], " ().")
		}
	}
	return s, ""
}

// cutBranch takes " - City", "(City Branch)" and "Niederlassung City" off.
func cutBranch(s string) (string, string) {
	if i := strings.Index(s, " - "); i > 0 && strings.TrimSpace(s[i+3:]) != "" {
		return s[:i], branchOf(s[i+3:])
	}
	low := strings.ToLower(s)
	if len(low) != len(s) {
		return s, ""
	}
	if i := strings.Index(low, " niederlassung "); i > 0 {
		return s[:i], branchOf(s[i+len(" niederlassung "):])
	}
	if j := strings.LastIndex(low, " branch"); j > 0 {
		if i := strings.LastIndexAny(s[:j], "(,"); i > 0 {
			return s[:i], branchOf(s[i+1 : j])
		}
	}
	return s, ""
}

func branchOf(s string) string {
	s = strings.TrimSuffix(Fold(s), " branch")
	if p, ok := hanPlaceRoman()[squash(s)]; ok {
		return p
	}
	return s
}

// joinInitials makes "l l c" into "llc".
func joinInitials(toks []string) []string {
	out := toks[:0]
	run := false
	for _, t := range toks {
		single := len(t) == 1 && t[0] >= 'a' && t[0] <= 'z'
		if single && run {
			out[len(out)-1] += t
			continue
		}
		run = single
		out = append(out, t)
	}
	return out
}

// cutForm takes the legal form off the end: up to five tokens, longest first,
// repeatedly ("Co., Ltd."). At least one token stays.
func cutForm(toks []string) ([]string, string) {
	form := ""
	for range 3 {
		cutAny := false
		for n := min(5, len(toks)-1); n >= 1; n-- {
			tail := toks[len(toks)-n:]
			size := 0
			for _, t := range tail {
				size += len(t)
			}
			if size > 64 {
				continue
			}
			var key string
			if n == 1 {
				key = tail[0]
			} else {
				key = strings.ReplaceAll(strings.Join(tail, ""), "&", "")
			}
			if class, ok := legalForms()[key]; ok {
				if form == "" {
					form = class
				}
				toks, cutAny = toks[:len(toks)-n], true
				break
			}
		}
		for len(toks) > 1 && toks[len(toks)-1] == "&" {
			toks = toks[:len(toks)-1]
		}
		if !cutAny {
			break
		}
	}
	return toks, form
}

func dropAnd(toks []string) []string {
	out := make([]string, 0, len(toks))
	for i, t := range toks {
		if i > 0 && i < len(toks)-1 && (t == "&" || t == "and" || t == "und" || t == "et" || t == "#") || t == "&" || t == "#" {
			continue
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return toks
	}
	return out
}

func hanOrg(s string) Org {
	o := Org{Han: true}
	s = simplify(letters(s))
	s = bracketed(s, &o)
	s = squash(spaced(strings.NewReplacer("(", "", ")", "", "（", "", "）", "", "&", "", "#", "").Replace(s)))
	s = cutHanBranch(s, &o)
	if o.Form == "" {
		s, o.Form = cutHanForm(s)
	}
	rs := []rune(s)
	for range 2 { // 江苏省南京市…
		p, n := hanPlace(rs)
		if n == 0 || len(rs)-n < 2 {
			break
		}
		o.Place, rs = p, rs[n:]
	}
	if len(rs) > 4 && rs[0] == '市' { // the city was cut off, its level left
		rs = rs[1:]
	}
	for len(rs) > 2 {
		n := tradeLen(rs)
		if n == 0 {
			break
		}
		o.Trade = string(rs[len(rs)-n:]) + o.Trade
		rs = rs[:len(rs)-n]
	}
	o.Brand = string(rs)
	if o.Brand == "" {
		o.Brand = s
	}
	o.Roman = Roman(o.Brand)
	o.Readings = Readings(o.Brand)
	return o
}

// bracketed takes "（南京）" out of the name when it holds a place or nothing.
func bracketed(s string, o *Org) string {
	i := strings.IndexByte(s, '(')
	j := strings.IndexByte(s, ')')
	if i < 0 || j < i {
		return s
	}
	in := []rune(strings.TrimSpace(s[i+1 : j]))
	if p, n := hanPlace(in); n == len(in) && n > 0 {
		o.Place = p
	} else if len(in) > 0 {
		return s
	}
	return s[:i] + s[j+1:]
}

// cutHanBranch takes "上海分公司" and the like off the end.
func cutHanBranch(s string, o *Org) string {
	for _, w := range [...]string{"分公司", "分厂", "分店", "办事处", "分行", "支行"} {
		head, ok := strings.CutSuffix(s, w)
		if !ok || head == "" {
			continue
		}
		// The branch's name stands between the head company's legal form and the word.
		for _, f := range hanForms {
			if i := strings.LastIndex(head, f.text); i > 0 {
				o.Form = f.class
				o.Branch = hanBranchName(head[i+len(f.text):], w)
				return head[:i]
			}
		}
		rs := []rune(head)
		for k := max(0, len(rs)-4); k < len(rs)-1; k++ {
			if p, n := hanPlace(rs[k:]); n == len(rs)-k && k >= 2 {
				o.Branch = p
				return string(rs[:k])
			}
		}
		o.Branch = w
		return head
	}
	return s
}

func hanBranchName(s, word string) string {
	rs := []rune(s)
	if p, n := hanPlace(rs); n > 0 && n == len(rs) {
		return p
	}
	if s == "" {
		return word
	}
	return s
}

func cutHanForm(s string) (string, string) {
	for _, f := range hanForms {
		if head, ok := strings.CutSuffix(s, f.text); ok && utf8.RuneCountInString(head) >= 2 {
			return head, f.class
		}
	}
	return s, ""
}

// tradeLen is the length of the longest trade word that ends rs and leaves a
// brand of two runes or more.
func tradeLen(rs []rune) int {
	for n := min(8, len(rs)-2); n >= 1; n-- {
		if hanTrades()[string(rs[len(rs)-n:])] {
			return n
		}
	}
	return 0
}
