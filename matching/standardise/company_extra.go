package standardise

import "strings"

// aliasMarks stand between a name and another of the same company.
var aliasMarks = [...]string{
	"dba ", "d/b/a ", "d.b.a. ", "doing business as ", "formerly known as ", "formerly ", "f/k/a ", "fka ", "aka ", "a/k/a ", "also known as ",
	"trading as ", "t/a ", "vormals ", "anciennement ", "antes ", "previously ", "now known as ", "operating as ", "o/a ",
}

// cutAlias takes "(dba Skytech)" off.
func cutAlias(s string) (string, string) {
	for i := range len(s) {
		if c := s[i]; c != '(' && c != ' ' || i == 0 || i+5 > len(s) {
			continue
		}
		if strings.IndexByte("dfatvpno", lowerASCII(s[i+1])) < 0 {
			continue
		}
		for _, w := range aliasMarks {
			if !hasPrefixFold(s[i+1:], w) {
				continue
			}
			// Within a sentence only what is written for nothing else counts.
			if s[i] == ' ' && (w == "formerly " || w == "antes " || w == "previously " || w == "vormals ") {
				continue
			}
			name, alias := s[:i], s[i+1+len(w):]
			if j := strings.IndexByte(alias, ')'); s[i] == '(' && j >= 0 { // "Acme (formerly Beta) Ltd"
				name, alias = name+alias[j+1:], alias[:j]
			}
			alias = strings.Trim(alias, " ().")
			if s[i] == ' ' && onlyForm(alias) { // "Studio Aka Ltd" is no other name
				continue
			}
			return name, alias
		}
	}
	return s, ""
}

// onlyForm says whether a text is nothing but a legal form.
func onlyForm(s string) bool {
	_, is := wordForms().class[squash(Fold(s))]
	return is
}

// hasLegalForm says whether a name ends in a legal form.
func hasLegalForm(s string) bool {
	var buf [24]string
	_, form := nameTokens{toks: appendFields(buf[:0], Fold(s))}.joinInitials().cutForm(s)
	return form != ""
}

// hasPrefixFold compares ASCII without case; w is in lower case.
func hasPrefixFold(s, w string) bool {
	if len(s) < len(w) {
		return false
	}
	for i := range len(w) {
		if lowerASCII(s[i]) != w[i] {
			return false
		}
	}
	return true
}

// indexFold finds ASCII without case; w is in lower case.
func indexFold(s, w string) int {
	for i := 0; i+len(w) <= len(s); i++ {
		if lowerASCII(s[i]) == w[0] && hasPrefixFold(s[i:], w) {
			return i
		}
	}
	return -1
}

// cutBracketPlace takes "(Shanghai)" or "(UK)" out of the name.
func cutBracketPlace(s string, o *Org) string {
	i := strings.IndexByte(s, '(')
	if i <= 0 {
		return s
	}
	j := strings.IndexByte(s[i:], ')')
	if j < 0 {
		return s
	}
	j += i
	if strings.TrimSpace(s[:i]) == "" {
		return s
	}
	p, ok := hanPlaceRoman()[squash(Fold(s[i+1:j]))]
	if !ok {
		p = bracketCountry(s[i+1:j], s[j+1:])
	}
	if p == "" {
		return s
	}
	o.Place = p
	return s[:i] + " " + s[j+1:]
}

// cutBranch takes " - City", "(City Branch)" and ", City Branch" off.
func cutBranch(s string, o *Org) string {
	for _, dash := range [...]string{" - ", " – ", " — "} {
		i := strings.Index(s, dash)
		if i <= 0 || strings.TrimSpace(s[i+len(dash):]) == "" {
			continue
		}
		if tail := s[i+len(dash):]; !hasLegalForm(tail) || hasLegalForm(s[:i]) { // "Müller - Bau GmbH" is one name
			o.Branch = branchOf(tail)
			return s[:i]
		}
	}
	if strings.IndexByte(s, '(') < 0 && strings.IndexByte(s, ',') < 0 {
		return s
	}
	if j := indexFold(s, " branch"); j > 0 {
		if i := strings.LastIndexAny(s[:j], "(,"); i > 0 {
			o.Branch, o.Role = branchOf(s[i+1:j]), RoleBranch
			return s[:i]
		}
	}
	return s
}

// cutBranchWord takes "Leeds Branch" off the end, and a word for a branch with
// what follows it: "Niederlassung Berlin", "Sucursal de Madrid".
func (n nameTokens) cutBranchWord(branch string) (nameTokens, string) {
	if k := len(n.toks); k > 2 && n.toks[k-1] == "branch" {
		branch, n.toks = branchOf(n.toks[k-2]), n.toks[:k-2]
		return n, branch
	}
	for i := 1; i < len(n.toks); i++ {
		if !branchWord(n.toks[i]) {
			continue
		}
		rest := n.toks[i+1:]
		if len(rest) > 0 && (rest[0] == "de" || rest[0] == "in" || rest[0] == "di") {
			rest = rest[1:]
		}
		switch {
		case len(rest) > 0:
			branch = branchOf(strings.Join(rest, " "))
		case branch == "":
			branch = n.toks[i]
		}
		n.toks = n.toks[:i]
		break
	}
	return n, branch
}

func branchWord(t string) bool {
	switch t {
	case "niederlassung", "zweigniederlassung", "zweigstelle", "filiale", "filial", "succursale", "sucursal", "bijkantoor", "oddzial", "pobocka", "филиал":
		return true
	}
	return false
}

func branchOf(s string) string {
	s = strings.TrimSuffix(Fold(s), " branch")
	if p, ok := hanPlaceRoman()[squash(s)]; ok {
		return p
	}
	return s
}
