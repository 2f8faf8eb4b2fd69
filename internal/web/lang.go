package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	xlanguage "golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

// language is one of the languages the pages speak.
type language struct {
	Code    string // BCP 47
	Name    string // in itself
	And     string // between the parts of a sentence
	Stop    string // at its end
	table   map[string]string
	counts  map[string]bool // the keys that have a form by number
	reasons reasons
	details reasons           // how something of the audit trail was done
	sayings map[string]string // sentences of package say, by the English one
	speak   *i18n.Localizer
}

// languages gives the languages in the order of the switch; the first is the
// fallback. They are read once and never change.
var languages = sync.OnceValue(readLanguages)

// readLanguages reads the words of all areas. A file of ours that cannot be read is a mistake
// of ours and ends the program.
func readLanguages() []language {
	out := []language{
		{Code: "en", Name: "English", And: ", ", Stop: "."},
		{Code: "zh-Hans", Name: "简体", And: "，", Stop: "。"},
		{Code: "zh-Hant", Name: "繁體", And: "，", Stop: "。"},
	}
	bundle := i18n.NewBundle(xlanguage.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	for i := range out {
		l := &out[i]
		l.table, l.counts = map[string]string{}, map[string]bool{}
		names, err := fs.Glob(files, "words/*."+l.Code+".yaml")
		if err != nil || len(names) == 0 {
			panic(fmt.Sprintf("web: no words in %s: %v", l.Code, err))
		}
		for _, name := range names {
			f, err := bundle.LoadMessageFileFS(files, name)
			if err != nil {
				panic(fmt.Sprintf("web: %s: %v", name, err))
			}
			for _, m := range f.Messages {
				if _, twice := l.table[m.ID]; twice {
					panic(fmt.Sprintf("web: %s: %s stands in two files", name, m.ID))
				}
				l.table[m.ID], l.counts[m.ID] = m.Other, strings.Contains(m.Other, "{{.PluralCount}}") || m.One != ""
			}
		}
		l.sayings, l.reasons = readSaid(l.Code), readReasons("reasons", l.Code)
		l.details = readReasons("details", l.Code)
		l.speak = i18n.NewLocalizer(bundle, l.Code)
	}
	return out
}

func byCode(code string) (language, bool) {
	for _, l := range languages() {
		if l.Code == code {
			return l, true
		}
	}
	return language{}, false
}

func isLanguage(code string) bool {
	_, ok := byCode(code)
	return ok
}

// matcher finds the place of the best language among languages.
var matcher = sync.OnceValue(func() xlanguage.Matcher {
	var tags []xlanguage.Tag
	for _, l := range languages() {
		tags = append(tags, xlanguage.Make(l.Code))
	}
	return xlanguage.NewMatcher(tags)
})

// asksIn is the language that a program asks for. It has no cookie to say another.
func asksIn(r *http.Request) words { return words{pickLanguage("", r.Header.Get("Accept-Language"))} }

// wordsOf speaks the reader's language where there is no page yet.
func wordsOf(r *http.Request) words {
	return words{pickLanguage(chosen(r, "lang", isLanguage), r.Header.Get("Accept-Language"))}
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
	_, i, confidence := matcher().Match(wanted...)
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

// N gives a text about a number, in the form that the language has for it;
// key.none for 0 where there is one.
func (w words) N(key string, n int) string {
	if s, ok := w.table[key+".none"]; ok && n == 0 {
		return s
	}
	s, err := w.speak.Localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: n, TemplateData: map[string]string{"PluralCount": count(n)}})
	if err != nil {
		return key
	}
	return s
}

// word translates a name that comes as data, such as a state or an entity; one
// that the table does not know stays as it is.
func (w words) word(group, name string) string {
	if s, ok := w.table[group+"."+name]; ok {
		return s
	}
	if group == "answer" { // a decision that no answer to a pair makes
		return w.word("decision", name)
	}
	if event, ok := strings.CutPrefix(name, "event/"); ok && group == "entity" { // what is read of events stands where kinds of customers do
		return w.word("event", event)
	}
	return name
}
