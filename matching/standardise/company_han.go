package standardise

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// hanForm is a legal form of Chinese names (or of Japanese ones, which share
// the characters) and its class.
type hanForm struct{ text, class string }

// hanForms lists them longest first, simplified. The forms of the People's
// Republic are those of its company and partnership laws.
var hanForms = [...]hanForm{
	{"股份有限责任公司", "gf"},
	{"特殊普通合伙企业", "hh"},
	{"农民专业合作社", "hz"},
	{"股份有限公司", "gf"},
	{"有限责任公司", "yx"},
	{"有限合伙企业", "hh"},
	{"普通合伙企业", "hh"},
	{"个人独资企业", "dz"},
	{"专业合作社", "hz"},
	{"个体工商户", "gt"},
	{"有限公司", "yx"},
	{"股份公司", "gf"},
	{"责任公司", "yx"},
	{"有限合伙", "hh"},
	{"普通合伙", "hh"},
	{"株式会社", "kk"},
	{"合同会社", "gk"},
	{"有限会社", "yk"},
	{"总公司", ""},
	{"公司", ""},
	{"有限", "yx"},
}

// hanHeadForms begin a name in Japan.
var hanHeadForms = [...]hanForm{{"株式会社", "kk"}, {"合同会社", "gk"}, {"有限会社", "yk"}}

// cutHanAlias takes "（曾用名：…）" off.
func cutHanAlias(s string) (string, string) {
	for _, w := range [...]string{"曾用名", "原名", "又名", "简称", "簡稱", "別名", "别名"} {
		i := strings.Index(s, w)
		if i < 2 {
			continue
		}
		head := strings.TrimRight(s[:i], " ")
		name, ok := strings.CutSuffix(head, "（")
		if !ok {
			name, ok = strings.CutSuffix(head, "(")
		}
		if !ok {
			continue
		}
		alias := strings.TrimLeft(s[i+len(w):], " :：")
		if rest, ok := strings.CutPrefix(alias, "为"); ok {
			alias = rest
		} else if rest, ok := strings.CutPrefix(alias, "為"); ok {
			alias = rest
		}
		alias, rest := closed(alias)
		return name + rest, strings.Trim(alias, " :：")
	}
	return s, ""
}

// closed cuts where the bracket closes that stood open before s; brackets
// within, "新名（上海）", belong to it.
func closed(s string) (in, after string) {
	depth := 0
	for i, r := range s {
		switch r {
		case '(', '（':
			depth++
		case ')', '）':
			if depth--; depth < 0 {
				return s[:i], s[i+utf8.RuneLen(r):]
			}
		}
	}
	return s, ""
}

func hanOrg(s string) Org {
	o := Org{Han: true}
	var buf [fastOut]byte
	b := foldedIn(buf[:0], s, joined)
	b = bracketed(b, &o)
	b = withoutBrackets(b)
	s = cutHanBranch(string(b), &o)
	if o.Form == "" {
		s, o.Form = cutHanForm(s)
	}
	for i := range 2 { // 江苏省南京市…
		p, n := hanPlace(s)
		if n == 0 || len(s) < n+2 || utf8.RuneCountInString(s[n:]) < 2 {
			break
		}
		if i > 0 && n == len(p) && !within(p, o.Place) { // 上海黄山机械: a brand of Shanghai
			break
		}
		o.Place, s = p, s[n:]
	}
	if d, n := hanDistrict(s); n > 0 && utf8.RuneCountInString(s[n:]) >= 2 { // 长兴县…, 浦东新区…
		s = s[n:]
		if o.Place == "" {
			o.Place = d
		}
	}
	if rest, ok := strings.CutPrefix(s, "市"); ok && utf8.RuneCountInString(s) > 4 { // the city was cut off, its level left
		s = rest
	}
	end, whole := len(s), len(s)
	for {
		n := tradeLen(s[:end])
		if n == 0 {
			break
		}
		if role := hanRole(s[end-n : end]); role != "" && end == whole {
			whole -= n
			if o.Role != RoleBranch {
				o.Role = joinRoles(o.Role, role)
			}
		}
		end -= n
	}
	o.Trade, o.Brand = s[end:whole], s[:end]
	if o.Brand == "" {
		o.Brand, o.Trade = s, ""
	}
	o.Roman = Roman(o.Brand)
	o.Readings = Readings(o.Brand)
	return o
}

// within says whether a city lies in a province or a city.
func within(p, whole string) bool {
	d := china()
	return d.provinces[p] == whole || d.named[p].parent == whole
}

// bracketed takes "(南京)" out of the name when it holds a place or nothing, and
// a legal form at the end: "(有限合伙)".
func bracketed(b []byte, o *Org) []byte {
	i := bytes.IndexByte(b, '(')
	j := bytes.IndexByte(b, ')')
	if i < 0 || j < i {
		return b
	}
	in := string(b[i+1 : j])
	if p, n := hanPlace(in); n == len(in) && n > 0 {
		o.Place = p
	} else if class := bracketForm(in); class != "" && j == len(b)-1 {
		o.Form = class
	} else if in != "" {
		return b
	}
	return append(b[:i], b[j+1:]...)
}

func bracketForm(s string) string {
	switch s {
	case "有限合伙", "普通合伙", "特殊普通合伙":
		return "hh"
	case "个体工商户":
		return "gt"
	case "个人独资":
		return "dz"
	case "株":
		return "kk"
	}
	return ""
}

func withoutBrackets(b []byte) []byte {
	out := b[:0]
	for _, c := range b {
		if c != '(' && c != ')' {
			out = append(out, c)
		}
	}
	return out
}

// cutHanBranch takes "上海分公司" and the like off the end.
func cutHanBranch(s string, o *Org) string {
	for _, w := range [...]string{"分公司", "分厂", "分店", "办事处", "分行", "支行", "分所", "代表处", "营业部"} {
		head, ok := strings.CutSuffix(s, w)
		if !ok || head == "" {
			continue
		}
		o.Role = RoleBranch
		// The branch's name stands between the head company's legal form and the word.
		for _, f := range hanForms {
			if i := strings.LastIndex(head, f.text); i > 0 {
				o.Form = f.class
				o.Branch = hanBranchName(head[i+len(f.text):], w)
				return head[:i]
			}
		}
		for k, at := 4, len(head); k > 0 && at > 0; k-- { // a place of two to four characters
			_, size := utf8.DecodeLastRuneInString(head[:at])
			at -= size
			if p, n := hanPlace(head[at:]); n > 0 && n == len(head)-at && utf8.RuneCountInString(head[:at]) >= 2 {
				o.Branch = p
				return head[:at]
			}
		}
		o.Branch = w
		return head
	}
	return s
}

func hanBranchName(s, word string) string {
	if p, n := hanPlace(s); n > 0 && n == len(s) {
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
	for _, f := range hanHeadForms {
		if rest, ok := strings.CutPrefix(s, f.text); ok && utf8.RuneCountInString(rest) >= 2 {
			return rest, f.class
		}
	}
	return s, ""
}

// tradeLen is the length in bytes of the longest trade word that ends s and
// leaves a brand of two runes or more.
func tradeLen(s string) int {
	r, _ := utf8.DecodeLastRuneInString(s)
	for _, w := range hanTrades()[r] {
		if head, ok := strings.CutSuffix(s, w); ok && utf8.RuneCountInString(head) >= 2 {
			return len(w)
		}
	}
	return 0
}
