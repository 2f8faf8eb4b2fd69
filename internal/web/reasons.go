package web

import (
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// reasons says in one language what the rules say in English: such sentences
// are kept with the records they are about, and so are read back by their form.
type reasons struct {
	kinds map[string]string
	exact map[string]string
	forms []reasonForm
}

// reasonForm is a sentence with parts that differ.
type reasonForm struct {
	is    *regexp.Regexp
	parts []string // what each group of is stands for: x, kinds, fields, rest
	says  string
}

// readReasons reads the sentences in a language; English has none.
func readReasons(code string) reasons {
	name := "words/reasons/" + code + ".yaml"
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return reasons{}
	}
	var in struct{ Kinds, Sentences map[string]string }
	if err := yaml.Unmarshal(b, &in); err != nil {
		panic(fmt.Sprintf("web: %s: %v", name, err)) // a mistake in our own files
	}
	out := reasons{kinds: in.Kinds, exact: map[string]string{}}
	part := regexp.MustCompile(`\{(x|y|z|kinds|fields|rest)\}`)
	literal := map[*regexp.Regexp]int{}
	for english, says := range in.Sentences {
		found := part.FindAllStringSubmatchIndex(english, -1)
		if found == nil {
			out.exact[english] = says
			continue
		}
		f := reasonForm{says: says}
		var form strings.Builder
		at := 0
		for _, m := range found {
			form.WriteString(regexp.QuoteMeta(english[at:m[0]]) + `(.+?)`)
			f.parts, at = append(f.parts, english[m[2]:m[3]]), m[1]
		}
		form.WriteString(regexp.QuoteMeta(english[at:]))
		f.is = regexp.MustCompile(`^(?s:` + form.String() + `)$`)
		literal[f.is] = len(part.ReplaceAllString(english, ""))
		out.forms = append(out.forms, f)
	}
	// One that stands around another goes first, then the one that says most, and
	// of two one whose parts are not just anything.
	count := func(f reasonForm, parts ...string) (n int) {
		for _, p := range f.parts {
			if slices.Contains(parts, p) {
				n++
			}
		}
		return n
	}
	slices.SortFunc(out.forms, func(a, b reasonForm) int {
		return cmp.Or(count(b, "rest")-count(a, "rest"), literal[b.is]-literal[a.is], count(b, "kinds", "fields")-count(a, "kinds", "fields"), strings.Compare(a.is.String(), b.is.String()))
	})
	return out
}

// longestReason bounds what is looked at, in bytes.
const longestReason = 2000

// reason says what is wrong with a record, or what mends it, in our language;
// what no form fits stays as it is.
func (w words) reason(text string) string {
	if len(text) > longestReason {
		return text
	}
	s, _ := w.reasonIn(text, 0)
	return s
}

func (w words) reasonIn(text string, depth int) (string, bool) {
	if s, ok := w.reasons.exact[text]; ok {
		return s, true
	}
	for _, f := range w.reasons.forms {
		if s, ok := w.fitted(f, text, depth); ok {
			return s, true
		}
	}
	return text, false
}

// fitted says a text by a form; false where the form or one of its parts does
// not fit.
func (w words) fitted(f reasonForm, text string, depth int) (string, bool) {
	m := f.is.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	names := []string{"{x}", "{y}", "{z}"}
	var replace []string
	for i, kind := range f.parts {
		said, ok := m[i+1], true
		switch kind {
		case "kinds":
			said, ok = w.kindsOf(said)
		case "fields":
			said = w.fieldsOf(said)
		case "rest":
			if depth < 2 {
				said, _ = w.reasonIn(said, depth+1)
			}
		}
		if !ok {
			return "", false
		}
		replace = append(replace, names[min(i, 2)], said, "{"+kind+"}", said)
	}
	return strings.NewReplacer(replace...).Replace(f.says), true
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

func (w words) fieldsOf(text string) string {
	var out []string
	for _, name := range enumerated.Split(text, -1) {
		out = append(out, w.word("field", name))
	}
	return w.List(out)
}
