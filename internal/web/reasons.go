package web

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// reasons says in one language what rules, connectors and logs say in English:
// such sentences are kept with what they are about, and so are read back by their
// form.
type reasons struct {
	kinds map[string]string
	exact map[string]string
	forms []reasonForm
}

// reasonForm is a sentence with parts that differ.
type reasonForm struct {
	is    *regexp.Regexp
	holds []string     // what stands between the parts: cheaper to look for
	parts []string     // what each group of is stands for
	says  []reasonPart // what is said, in its order
	open  bool         // ends in a part that can be anything
}

// reasonPart is a piece of a form as it is said: a text, or the part at a place.
type reasonPart struct {
	text string
	part int // place among the parts; -1 for a text
}

// reasonName finds the names of parts in a form. A name is followed by a number
// where a form has several of its kind.
var reasonName = regexp.MustCompile(`\{([a-z]+[0-9]?)\}`)

// readReasons reads the sentences of a folder in a language. English has those
// alone that it says otherwise than they are kept.
func readReasons(folder, code string) reasons {
	out := reasons{kinds: map[string]string{}, exact: map[string]string{}}
	names, err := fs.Glob(files, "words/"+folder+"/*"+code+".yaml")
	if err != nil || len(names) == 0 {
		return reasons{}
	}
	for _, name := range names {
		var in struct{ Kinds, Sentences map[string]string }
		b, err := fs.ReadFile(files, name)
		if err == nil {
			err = yaml.Unmarshal(b, &in)
		}
		if err != nil {
			panic(fmt.Sprintf("web: %s: %v", name, err)) // a mistake in our own files
		}
		maps.Copy(out.kinds, in.Kinds)
		for english, says := range in.Sentences {
			f := formOf(english, says)
			if len(f.parts) == 0 {
				out.exact[english] = says
				continue
			}
			out.forms = append(out.forms, f)
		}
	}
	slices.SortFunc(out.forms, before)
	return out
}

// formOf reads a sentence and what is said for it.
func formOf(english, says string) (f reasonForm) {
	var form strings.Builder
	place := map[string]int{}
	at := 0
	literal := func(s string) {
		form.WriteString(regexp.QuoteMeta(s))
		if strings.TrimSpace(s) != "" {
			f.holds = append(f.holds, s)
		}
	}
	for i, m := range reasonName.FindAllStringSubmatchIndex(english, -1) {
		literal(english[at:m[0]])
		name := english[m[2]:m[3]]
		// A part is named again by its own name, or by its place: x, y, z.
		place[name], place[string("xyzuv"[min(i, 4)])] = i, i
		kind := strings.TrimRight(name, "0123456789")
		form.WriteString(patternOf(kind))
		f.parts, at = append(f.parts, kind), m[1]
	}
	literal(english[at:])
	f.open = at == len(english) && len(f.parts) > 0 && isData(f.parts[len(f.parts)-1])
	f.is = regexp.MustCompile(`^(?s:` + form.String() + `)$`)
	at = 0
	for _, m := range reasonName.FindAllStringSubmatchIndex(says, -1) {
		i, ok := place[says[m[2]:m[3]]]
		if !ok {
			continue // braces of its own
		}
		f.says, at = append(f.says, reasonPart{says[at:m[0]], -1}, reasonPart{"", i}), m[1]
	}
	f.says = append(f.says, reasonPart{says[at:], -1})
	return f
}

// patternOf is what a part of a kind looks like.
func patternOf(kind string) string {
	switch kind {
	case "n":
		return `(-?[0-9][0-9.,]*(?:e[+-]?[0-9]+)?)`
	case "t":
		return `([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]+))`
	case "dur":
		return `((?:[0-9.]+(?:h|m|s|ms|µs|ns))+)`
	case "entity":
		return `([a-z_]+)`
	case "role":
		return `(viewer|steward|admin|auditor|machine)`
	case "scope":
		return `([a-z-]+)`
	case "op":
		return `(create|update|upsert|delete)`
	case "counts":
		return `((?:(?:pulled|stored|unchanged|echo|quarantined|filtered) [0-9]+(?:, )?)+)`
	case "name":
		return `([^\s:]+)`
	}
	return `(.+?)`
}

// isData says whether a part is shown as somebody else has written it.
func isData(kind string) bool { return slices.Contains([]string{"x", "y", "z", "u", "v"}, kind) }

// before orders forms: one that stands around another goes first, then the one
// that says most, and of two one whose parts are not just anything.
func before(a, b reasonForm) int {
	count := func(f reasonForm, is func(string) bool) (n int) {
		for _, p := range f.parts {
			if is(p) {
				n++
			}
		}
		return n
	}
	rest := func(p string) bool { return p == "rest" }
	literal := func(f reasonForm) int { return len(strings.Join(f.holds, "")) }
	return cmp.Or(count(b, rest)-count(a, rest), literal(b)-literal(a), count(a, isData)-count(b, isData), strings.Compare(a.is.String(), b.is.String()))
}

// longestReason bounds what is looked at, in bytes.
const longestReason = 2000

// piece is a part of what is said: in our words, or as somebody else has
// written it.
type piece struct {
	Text string
	Data bool
}

// reason says a kept sentence in our language; what no form fits stays as it is.
func (w words) reason(text string) string {
	var out strings.Builder
	for _, p := range w.retold(text) {
		out.WriteString(p.Text)
	}
	return out.String()
}

// retold is reason in pieces, of which a page marks those that are not our words.
func (w words) retold(text string) []piece {
	own := w.Code == "en"
	if len(text) > longestReason || len(w.reasons.forms) == 0 {
		return []piece{{text, !own}}
	}
	s := sayer{words: w, left: mostSaid}
	out, known := s.say(text)
	if own && !known { // it is said as it comes
		return []piece{{Text: text}}
	}
	return oneAfterAnother(out)
}

// detail says in pieces how something of the audit trail was done. The row itself
// is sealed as it was written.
func (w words) detail(text string) []piece {
	w.reasons = w.details
	return w.retold(text)
}

// mostSaid bounds the work on one text, which anybody may have made: how many
// sentences are looked for in it.
const mostSaid = 60

// sayer says one kept sentence.
type sayer struct {
	words
	left int
}

// say says a text, and tells whether any of it is in our words.
func (w *sayer) say(text string) ([]piece, bool) {
	if s, ok := w.reasons.exact[text]; ok {
		return []piece{{Text: s}}, true
	}
	if w.left--; w.left < 0 || text == "" {
		return []piece{{text, true}}, false
	}
	if out, ok := w.byForm(text, false); ok {
		return out, true
	}
	if out, ok := w.byLines(text); ok {
		return out, true
	}
	if out, ok := w.byParts(text, true); ok {
		return out, true
	}
	if out, ok := w.byForm(text, true); ok {
		return out, true
	}
	if out, ok := w.byParts(text, false); ok {
		return out, true
	}
	return []piece{{text, true}}, false
}

// byForm says a text by the first form that fits. What stands behind a colon in
// the last part of an open form may be a sentence of its own: wide takes it as it
// is.
func (w *sayer) byForm(text string, wide bool) ([]piece, bool) {
	for i := range w.reasons.forms {
		f := &w.reasons.forms[i]
		if slices.ContainsFunc(f.holds, func(s string) bool { return !strings.Contains(text, s) }) {
			continue
		}
		m := f.is.FindStringSubmatch(text)
		if m == nil || f.open && !wide && strings.Contains(m[len(m)-1], ": ") {
			continue
		}
		if out, ok := w.fitted(f, m[1:]); ok {
			return out, true
		}
	}
	return nil, false
}

// byLines says errors that stand under one another.
func (w *sayer) byLines(text string) (out []piece, known bool) {
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		return nil, false
	}
	for i, line := range lines {
		p, ok := w.say(line)
		if i > 0 {
			out = append(out, piece{Text: w.T("list.semicolon")})
		}
		out, known = append(out, p...), known || ok
	}
	return out, known
}

// byParts says an error that tells what was being done, a colon and why. strict
// wants a form for what stands before the colon; else that may be anything, up to
// the first.
func (w *sayer) byParts(text string, strict bool) ([]piece, bool) {
	for i := 0; ; i += 2 {
		n := strings.Index(text[i:], ": ")
		if n < 0 || w.left < 0 {
			return nil, false
		}
		i += n
		head, known := w.whole(text[:i])
		if strict && !known {
			continue
		}
		tail, ok := w.say(text[i+2:])
		if !known && !ok {
			return nil, false
		}
		return append(append(head, piece{Text: w.T("colon")}), tail...), true
	}
}

// whole says a text that has no parts behind a colon.
func (w *sayer) whole(text string) ([]piece, bool) {
	if s, ok := w.reasons.exact[text]; ok {
		return []piece{{Text: s}}, true
	}
	w.left--
	if out, ok := w.byForm(text, false); ok {
		return out, true
	}
	return []piece{{text, true}}, false
}

// fitted says a text by a form and its parts; false where one of them does not
// fit.
func (w *sayer) fitted(f *reasonForm, parts []string) (out []piece, ok bool) {
	for _, p := range f.says {
		if p.part < 0 {
			out = append(out, piece{Text: p.text})
			continue
		}
		text := parts[p.part]
		switch kind := f.parts[p.part]; kind {
		case "kinds":
			if text, ok = w.kindsOf(text); !ok {
				return nil, false
			}
			out = append(out, piece{Text: text})
		case "fields":
			out = append(out, piece{Text: w.fieldsOf(text)})
		case "names":
			for i, name := range enumerated.Split(text, -1) {
				if i > 0 {
					out = append(out, piece{Text: w.T("list.comma")})
				}
				out = append(out, piece{name, true})
			}
		case "place":
			out = append(out, piece{Text: w.place(text)})
		case "entity", "op", "role", "scope":
			out = append(out, piece{Text: w.word(kind, text)})
		case "counts":
			out = append(out, piece{Text: w.countsOf(text)})
		case "n":
			out = append(out, piece{Text: amount(text)})
		case "t":
			out = append(out, piece{Text: w.timeOf(text)})
		case "dur":
			out = append(out, piece{Text: w.durationOf(text)})
		case "rest":
			rest, _ := w.say(text)
			out = append(out, rest...)
		default:
			out = append(out, piece{text, true})
		}
	}
	return out, true
}

// oneAfterAnother puts neighbours together.
func oneAfterAnother(list []piece) (out []piece) {
	for _, p := range list {
		if n := len(out); n > 0 && out[n-1].Data == p.Data {
			out[n-1].Text += p.Text
		} else if p.Text != "" {
			out = append(out, p)
		}
	}
	return out
}

// countsOf says counts of a page or a run: "pulled 5, stored 3".
func (w words) countsOf(text string) string {
	var out []string
	for _, c := range strings.Split(strings.TrimSuffix(text, ", "), ", ") {
		name, n, _ := strings.Cut(c, " ")
		out = append(out, w.word("col", name)+" "+amount(n))
	}
	return strings.Join(out, w.And)
}

// timeOf is a time in a kept sentence as pages write it.
func (w words) timeOf(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return exact(t)
}

// durationOf is a length of time in a kept sentence as pages write it.
func (w words) durationOf(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	return w.span(d)
}

var enumerated = regexp.MustCompile(`, | or | and `)

// kindsOf says kinds of values: "a number or empty".
func (w words) kindsOf(text string) (string, bool) {
	if s, ok := w.reasons.kinds[text]; ok {
		return s, true
	}
	var out []string
	for _, kind := range enumerated.Split(strings.ReplaceAll(text, "true or false", "true\u00a0or\u00a0false"), -1) {
		s, ok := w.reasons.kinds[strings.ReplaceAll(kind, "\u00a0", " ")]
		if !ok {
			return "", false
		}
		out = append(out, s)
	}
	return strings.Join(out, "或"), true
}

// fieldsOf says names of fields, in English between the words that stand there.
func (w words) fieldsOf(text string) string {
	between := enumerated.FindAllString(text, -1)
	if w.Code != "en" {
		between = slices.Repeat([]string{w.T("list.comma")}, len(between))
	}
	var out strings.Builder
	for i, name := range enumerated.Split(text, -1) {
		if i > 0 {
			out.WriteString(between[i-1])
		}
		out.WriteString(w.word("field", name))
	}
	return out.String()
}
