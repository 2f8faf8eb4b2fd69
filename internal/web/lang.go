package web

import (
	"fmt"
	"strings"

	xlanguage "golang.org/x/text/language"
)

// language is one of the languages the pages speak.
type language struct {
	Code  string // BCP 47
	Name  string // in itself
	And   string // between the parts of a sentence
	Stop  string // at its end
	table map[string]string
}

// languages lists them in the order of the switch; the first is the fallback.
func languages() []language {
	return []language{
		{"en", "English", ", ", ".", withPages(english(), 1)},
		{"zh-Hans", "简体", "，", "。", withPages(simplified(), 2)},
		{"zh-Hant", "繁體", "，", "。", withPages(traditional(), 3)},
	}
}

func byCode(code string) (language, bool) {
	for _, l := range languages() {
		if l.Code == code {
			return l, true
		}
	}
	return language{}, false
}

// pickLanguage takes the reader's choice, else the best of what the browser
// asks for, else English.
func pickLanguage(chosen, accept string) language {
	if l, ok := byCode(chosen); ok {
		return l
	}
	all := languages()
	wanted, _, err := xlanguage.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 {
		return all[0]
	}
	tags := make([]xlanguage.Tag, 0, len(all))
	for _, l := range all {
		tags = append(tags, xlanguage.Make(l.Code))
	}
	_, i, confidence := xlanguage.NewMatcher(tags).Match(wanted...)
	if confidence == xlanguage.No {
		return all[0]
	}
	return all[i]
}

// words speaks one language.
type words struct{ language }

// T gives a text. A key that is not there is shown as itself: a test keeps that
// from happening.
func (w words) T(key string) string {
	if s, ok := w.table[key]; ok {
		return s
	}
	return key
}

// N gives a text about a number: key.none for 0 where there is one, key.one,
// else key.other, with %s for the number.
func (w words) N(key string, n int) string {
	form := key + ".other"
	switch n {
	case 0:
		if _, ok := w.table[key+".none"]; ok {
			return w.table[key+".none"]
		}
	case 1:
		form = key + ".one"
	}
	s := w.T(form)
	if !strings.Contains(s, "%s") {
		return s
	}
	return fmt.Sprintf(s, count(n))
}

// word translates a name that comes as data, such as a state or an entity; one
// that the table does not know stays as it is.
func (w words) word(group, name string) string {
	if s, ok := w.table[group+"."+name]; ok {
		return s
	}
	return name
}
