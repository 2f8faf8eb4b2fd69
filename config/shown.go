package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
	"gopkg.in/yaml.v3"
)

func (d *document) problem(line, column int, path, text string) Problem {
	p := Problem{Line: line, Column: column, Path: path, Text: text}
	if d != nil {
		p.File, p.Shown = d.file, d.shown(line, column)
	}
	return p
}

// Bounds of a shown line: as much as a terminal shows without wrapping.
const (
	shownWidth  = 110
	shownBefore = 70
)

// maxShown bounds how many problems of a file show their line.
const maxShown = 500

// finish puts problems in the order of the file and shows their lines. It comes
// last, when all that is secret is known.
func (d *document) finish(ps Problems) Problems {
	for i := range ps {
		ps[i].Shown = ""
	}
	ps = ps.sorted()
	for i := range min(len(ps), maxShown) {
		if p := d.part(ps[i].File); p != d {
			ps[i].Shown = p.shown(ps[i].Line, ps[i].Column)
			continue
		}
		ps[i].Shown = d.shown(ps[i].Line, ps[i].Column)
	}
	return ps
}

// shown gives a source line with its secrets hidden and a caret below the column.
func (d *document) shown(line, column int) string {
	if line < 1 || line > len(d.lines) || column < 1 {
		return ""
	}
	text, caret := d.hide(line, column)
	if caret > shownBefore {
		text = append([]rune{'…'}, text[caret-shownBefore:]...)
		caret = shownBefore + 1
	}
	if len(text) > shownWidth {
		text = append(text[:shownWidth:shownWidth], '…')
	}
	var below strings.Builder
	for i, r := range text {
		if r == '\t' {
			text[i] = ' '
		}
		if i < caret {
			below.WriteByte(' ')
			if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
				below.WriteByte(' ')
			}
		}
	}
	below.WriteString(strings.Repeat(" ", max(0, caret-len(text))))
	return strings.TrimRight(string(text), " ") + "\n" + below.String() + "^"
}

// hide gives a line without its secrets, and where the column has moved to
// (from 0). Hidden are the scalars known or, by the names above them, guessed to
// be secret, and what looks like a credential in the text itself; the value of an
// unknown key is cut.
func (d *document) hide(line, column int) ([]rune, int) {
	src := []rune(d.lines[line-1])
	instead := make([]string, len(src)) // what stands there; "" for the text itself
	for _, i := range d.secretsOn(line) {
		n := d.order[i]
		endLine, endCol := d.end(n, i)
		from, to := 0, len(src)
		if n.Line == line {
			from = n.Column - 1
		}
		if endLine == line {
			to = endCol - 1
		}
		if n.Line <= line && line <= endLine && !blank(src, from, to) {
			for j := max(0, from); j < min(to, len(src)); j++ {
				instead[j] = d.mask(n)
			}
		}
	}
	for _, span := range d.looksSecret(line) {
		for j := span[0]; j < span[1]; j++ {
			instead[j] = hidden
		}
	}
	var out []rune
	caret := -1
	for i, r := range src {
		goesOn := i > 0 && instead[i] != "" && instead[i] == instead[i-1]
		if i == column-1 {
			caret = len(out)
			if goesOn {
				caret = max(0, len(out)-len([]rune(instead[i])))
			}
		}
		switch {
		case instead[i] == "":
			out = append(out, r)
		case !goesOn:
			out = append(out, []rune(instead[i])...)
		}
	}
	if caret < 0 {
		caret = len(out)
	}
	return out, caret
}

// mask is what stands in the place of a scalar that is not shown.
func (d *document) mask(n *yaml.Node) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut[n] && !d.guessed[n] {
		return "…"
	}
	return hidden
}

// blank says that there is nothing to hide in a part of a line.
func blank(src []rune, from, to int) bool {
	return strings.TrimSpace(string(src[min(max(0, from), len(src)):max(min(max(0, from), len(src)), min(to, len(src)))])) == ""
}

var (
	doubleQuoted = regexp.MustCompile(`^"(?:[^"\\]|\\.)*"`)
	singleQuoted = regexp.MustCompile(`^'(?:[^']|'')*'`)
	urlPassword  = regexp.MustCompile(`://([^/\s@"']+)@`)
	urlKey       = regexp.MustCompile(`(?i)([?&][\w.-]*(?:token|secret|passw|pwd|key|auth|sig)[\w.-]*=)([^&#\s"'{}]+)`)
	authHeader   = regexp.MustCompile(`(?i)(?:bearer|basic)\s+([\w.~+/=-]{6,})`)
	secretKey    = regexp.MustCompile(`(?i)[\w-]*(?:token|secret|passw|pwd|api_?-?key|private_?key|credential|authorization|postgres|dsn)[\w-]*["']?\s*:\s*(.+)$`)
)

// withoutCredentials hides what looks like a credential in a text.
func withoutCredentials(s string) string {
	s = urlKey.ReplaceAllString(authHeader.ReplaceAllString(s, hidden), "${1}"+hidden)
	return urlPassword.ReplaceAllString(s, "://"+hidden+"@")
}

// end is the place just after a scalar: exact for one written in one line,
// else where the next scalar starts.
func (d *document) end(n *yaml.Node, i int) (line, column int) {
	src := []rune(d.lines[n.Line-1])
	rest := string(src[min(max(0, n.Column-1), len(src)):])
	switch n.Style &^ yaml.TaggedStyle {
	case 0:
		if strings.HasPrefix(rest, n.Value) {
			return n.Line, n.Column + utf8.RuneCountInString(n.Value)
		}
	case yaml.DoubleQuotedStyle:
		if m := doubleQuoted.FindString(rest); m != "" {
			return n.Line, n.Column + utf8.RuneCountInString(m)
		}
	case yaml.SingleQuotedStyle:
		if m := singleQuoted.FindString(rest); m != "" {
			return n.Line, n.Column + utf8.RuneCountInString(m)
		}
	}
	if i+1 < len(d.order) && d.order[i+1].Line > 0 {
		return d.order[i+1].Line, d.order[i+1].Column
	}
	return len(d.lines) + 1, 1
}

// looksSecret finds credentials by their look: the password in an address, the key
// in its query, and,
// when the file has no tree to go by, what follows a key with a secret's name.
func (d *document) looksSecret(line int) [][2]int {
	text := d.lines[line-1]
	var spans [][2]int
	add := func(from, to int) {
		a := utf8.RuneCountInString(text[:from])
		spans = append(spans, [2]int{a, a + utf8.RuneCountInString(text[from:to])})
	}
	for _, m := range urlPassword.FindAllStringSubmatchIndex(text, -1) {
		add(m[2], m[3])
	}
	for _, m := range urlKey.FindAllStringSubmatchIndex(text, -1) {
		add(m[4], m[5])
	}
	for _, m := range authHeader.FindAllStringSubmatchIndex(text, -1) {
		add(m[2], m[3])
	}
	if d.root != nil {
		return spans
	}
	if m := secretKey.FindStringSubmatchIndex(text); m != nil {
		add(m[2], m[3])
	} else if above := d.parent(line); secretKey.MatchString(above+" x") && !strings.Contains(text, ":") {
		add(0, len(text))
	}
	return spans
}

// parent is the nearest line above that is indented less.
func (d *document) parent(line int) string {
	indent := func(s string) int { return len(s) - len(strings.TrimLeft(s, " \t")) }
	own := indent(d.lines[line-1])
	for i := line - 2; i >= 0; i-- {
		if l := d.lines[i]; strings.TrimSpace(l) != "" && (indent(l) < own || own == 0) {
			return l
		}
	}
	return ""
}

// secretNames are parts of names of secrets; secretWords are what a misspelt name
// of one is nearest to.
var (
	secretNames = []string{"password", "passwd", "secret", "api_key", "apikey", "private_key", "access_key", "authorization", "credential", "access_token", "refresh_token"}
	secretWords = append([]string{"token", "bearer", "passphrase", "pwd", "pass", "postgres", "secrets", "credentials", "client_secret", "api_token"}, secretNames...)
)

// secretName guesses from the keys on the way whether a scalar is a secret. It
// serves only for parts that nothing has decoded yet.
func secretName(names []string) bool {
	if len(names) == 0 {
		return false
	}
	last := strings.ToLower(names[len(names)-1])
	for _, w := range secretNames {
		if strings.Contains(last, w) {
			return true
		}
	}
	under := slices.ContainsFunc(names[:len(names)-1], func(n string) bool { return strings.HasPrefix(strings.ToLower(n), "auth") })
	return under && last != "type"
}

// secretsOn gives the scalars to hide that may reach into a line, as places in
// d.order. A reference tells nothing and is shown.
func (d *document) secretsOn(line int) (out []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open {
		return nil
	}
	from, to := d.reaching(line)
	d.looked += to - from
	for i := from; i < to; i++ {
		n := d.order[i]
		is, ok := d.known[n]
		if _, ref := d.refs[n]; !ref && (is || !ok && d.guessed[n]) {
			out = append(out, i)
		}
	}
	return out
}

// reaching gives the range of d.order whose scalars may reach into a line: those
// that begin there, and the last one before, for a scalar ends where the next one
// begins at the latest. Where the order is not that of the lines it is all.
func (d *document) reaching(line int) (from, to int) {
	if !d.inLines {
		return 0, len(d.order)
	}
	byLine := func(n *yaml.Node, line int) int { return cmp.Compare(n.Line, line) }
	from, _ = slices.BinarySearchFunc(d.order, line, byLine)
	to, _ = slices.BinarySearchFunc(d.order, line+1, byLine)
	return max(0, from-1), to
}

// ordered says that scalars stand in the order of their lines.
func ordered(list []*yaml.Node) bool {
	return !slices.ContainsFunc(list, func(n *yaml.Node) bool { return n.Line < 1 }) &&
		slices.IsSortedFunc(list, func(a, b *yaml.Node) int { return cmp.Compare(a.Line, b.Line) })
}

// isSecret says what is known of a scalar, and what is guessed where nothing is.
func (d *document) isSecret(n *yaml.Node) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if is, ok := d.known[n]; ok {
		return is
	}
	return d.guessed[n]
}

// note remembers whether the scalars of a part are secrets. Once secret, always secret.
func (d *document) note(n *yaml.Node, secret bool) {
	n = follow(n)
	if d == nil || n == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noteAll(n, secret, 0)
}

// noteUnknown notes the value of an unknown key: where secrets may stand, or where
// its name is like that of one, it is cut, for nobody can tell what it is. What is
// true or false tells nothing.
func (d *document) noteUnknown(n *yaml.Node, name string, amongSecrets bool) {
	n = follow(n)
	if d == nil || n == nil {
		return
	}
	like := secretName([]string{name}) || nearest(name, secretWords) != ""
	cut := (amongSecrets || like) && (n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool")
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noteAll(n, cut, 0)
	if cut && !like {
		d.cutAll(n, 0)
	}
}

func (d *document) cutAll(n *yaml.Node, depth int) {
	n = follow(n)
	if n == nil || depth > maxDepth {
		return
	}
	d.cut[n] = true
	for _, c := range n.Content {
		d.cutAll(c, depth+1)
	}
}

func (d *document) noteAll(n *yaml.Node, secret bool, depth int) {
	n = follow(n)
	if n == nil || depth > maxDepth {
		return
	}
	if n.Kind == yaml.ScalarNode {
		d.known[n] = secret || d.known[n]
	}
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			d.noteAll(c, secret, depth+1)
		}
	}
}
