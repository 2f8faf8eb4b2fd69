package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"gopkg.in/yaml.v3"

	"touchstone/internal/say"
)

var _ say.Language = words{}

// readSaid reads the sentences that come from elsewhere in a language: English
// sentence, as it stands in the code → ours. English itself has no file.
func readSaid(code string) map[string]string {
	name := "words/refusals/" + code + ".yaml"
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return nil
	}
	var out map[string]string
	if err := yaml.Unmarshal(b, &out); err != nil {
		panic(fmt.Sprintf("web: %s: %v", name, err)) // a mistake in our own files
	}
	return out
}

// Speaks lets what stands behind it tell refusals with say.To in the language
// that a request asks for.
func Speaks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(say.With(r.Context(), asksIn(r))))
	})
}

// Sentence gives our form of an English sentence.
func (w words) Sentence(english string) (string, bool) {
	s, ok := w.sayings[english]
	return s, ok
}

// Word gives our word for a name.
func (w words) Word(group, name string) string {
	switch group {
	case "place":
		return w.place(name)
	case "reason":
		return w.reason(name)
	}
	return w.word(group, name)
}

// FieldTitle is what English calls a field; a name that is none of ours stays.
func FieldTitle(name string) string { return inEnglish().word("field", name) }

// Told says in English what is wrong with a record, as it is kept, with the titles
// of fields.
func Told(kept string) string { return inEnglish().reason(kept) }

func inEnglish() words { return words{languages()[0]} }

// List joins the parts of a list.
func (w words) List(parts []string) string {
	return strings.Join(parts, w.T("list.comma"))
}

// told says a sentence in our language; what has no sentence is said as it is.
func (w words) told(said say.Text, text string) string {
	if said.English == "" {
		return text
	}
	return said.In(w)
}

// between is what stands between two sentences.
func (w words) between() string {
	if w.Code == "en" {
		return " "
	}
	return ""
}

// tip is what a mark of a chart says: its name and figure.
func (w words) tip(text string) string { return strings.ReplaceAll(text, ": ", w.T("colon")) }
