// Package say holds sentences for people: in English for programs, logs and the
// command line, and with what a page needs to say them in its reader's language.
package say

import (
	"context"
	"fmt"
	"strings"
)

// Text is a sentence. Its English form is its key too: it stands once, where
// the sentence is made, and other languages are looked up by it.
type Text struct {
	English string // with the verbs of package fmt
	Args    []any  // Word, Words, Text and Texts among them are said in the language too
}

// New makes a sentence.
func New(english string, args ...any) Text {
	_ = fmt.Sprintf(english, args...) // so that vet checks the verbs of callers
	return Text{english, args}
}

// String says it in English.
func (t Text) String() string { return fmt.Sprintf(t.English, t.Args...) }

// Word is a name of ours that stands in a sentence, such as an entity type or a
// state.
type Word struct{ Group, Name string }

// String is the name itself.
func (w Word) String() string { return w.Name }

// Words are several of them.
type Words struct {
	Group string
	Names []string
}

// String lists the names.
func (w Words) String() string { return strings.Join(w.Names, ", ") }

// Texts are several sentences.
type Texts []Text

// String says one after the other.
func (t Texts) String() string {
	out := make([]string, len(t))
	for i, x := range t {
		out[i] = x.String()
	}
	return strings.Join(out, ", ")
}

// Language says sentences in a language.
type Language interface {
	// Sentence gives the form of an English sentence, with the same verbs; false
	// where the language has none.
	Sentence(english string) (string, bool)
	// Word gives the word for a name of a group, or the name.
	Word(group, name string) string
	// List joins the parts of a list.
	List(parts []string) string
}

// In says a sentence in a language; in English where that has no form of it.
func (t Text) In(l Language) string {
	form, ok := l.Sentence(t.English)
	if !ok {
		form = t.English
	}
	args := make([]any, len(t.Args))
	for i, arg := range t.Args {
		args[i] = in(l, arg)
	}
	return fmt.Sprintf(form, args...)
}

func in(l Language, arg any) any {
	var parts []string
	switch x := arg.(type) {
	case Word:
		return l.Word(x.Group, x.Name)
	case Text:
		return x.In(l)
	case Words:
		for _, name := range x.Names {
			parts = append(parts, l.Word(x.Group, name))
		}
	case Texts:
		for _, t := range x {
			parts = append(parts, t.In(l))
		}
	default:
		return arg
	}
	return l.List(parts)
}

// Teller is an error that has a sentence for who asked.
type Teller interface {
	error
	Told() Text
}

type languageKey struct{}

// With keeps in a context which language who asks reads.
func With(ctx context.Context, l Language) context.Context {
	return context.WithValue(ctx, languageKey{}, l)
}

// To says a sentence to who asks, in English where nothing is known of them.
func To(ctx context.Context, t Text) string {
	if l, ok := ctx.Value(languageKey{}).(Language); ok {
		return t.In(l)
	}
	return t.String()
}
