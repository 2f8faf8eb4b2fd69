package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/say"
)

// By says who does something and why.
type By struct{ Who, Why string }

// Done says what an action did: the key of its words, and the decision that
// undoes it, "" for none.
type Done struct{ Key, Undo string }

// ReaderError is an error whose text is for the reader of a page: what was asked
// for cannot be done as it was.
type ReaderError interface {
	error
	ForReader() bool
}

// Problem refuses what a form asked for.
type Problem struct {
	Field string // the name of the input at fault; "" for the whole form
	Text  string
	// Said is the text for readers of other languages; nil where Text is in the
	// reader's already.
	Said *say.Text
	// Take is the form in which a typed value would be taken; "" where it is not
	// that. The form sends it with the value, once it was seen.
	Take string
}

// Refuse makes a Problem of an English sentence, which the reader is told in
// their own language: see package say.
func Refuse(field, english string, args ...any) *Problem {
	return Refused(field, say.New(english, args...))
}

// Refused makes a Problem of a sentence.
func Refused(field string, said say.Text) *Problem {
	return &Problem{Field: field, Text: said.String(), Said: &said}
}

// Told is the sentence.
func (p *Problem) Told() say.Text {
	if p.Said != nil {
		return *p.Said
	}
	return say.New("%s", p.Text)
}

func (p *Problem) Error() string { return p.Text }

// ForReader says that the text is for the reader.
func (p *Problem) ForReader() bool { return true }

const (
	doneCookie = "touchstone_done"
	doneLife   = time.Minute
	actBound   = 30 * time.Second
)

// maxForm bounds what a form may send, in bytes.
const maxForm = 16 << 10

// form reads a posted form of a bounded size; it answers itself when that fails.
func (s *server) form(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.message(w, r, http.StatusBadRequest, "form.title", "form.text")
		return false
	}
	return true
}

// act does what a form asks for and leads to the next page, which says what was
// done and offers to undo it. What cannot be done is told by again, which shows
// the form with what was typed; nil for a page that says why.
func (s *server) act(w http.ResponseWriter, r *http.Request, next string, do func(context.Context, By) (Done, error), again func(Problem)) {
	s.actTo(w, r, func() string { return next }, do, again)
}

// actTo is act where only the doing tells which page is next.
func (s *server) actTo(w http.ResponseWriter, r *http.Request, next func() string, do func(context.Context, By) (Done, error), again func(Problem)) {
	if r.PostForm == nil && !s.form(w, r) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), actBound)
	defer cancel()
	done, err := do(ctx, By{Who: auth.From(ctx).ID, Why: strings.TrimSpace(r.PostForm.Get("why"))})
	if err != nil {
		s.answerError(w, r, err, again)
		return
	}
	s.keepDone(w, r, done)
	http.Redirect(w, r, ourPath(next()), http.StatusSeeOther) //nolint:gosec // ourPath keeps only addresses of ours
}

// answerError answers that nothing is there, that something cannot be done as it
// was asked for, or that it failed. What the reader can mend is told by again; nil
// for a page that says why.
func (s *server) answerError(w http.ResponseWriter, r *http.Request, err error, again func(Problem)) {
	told, mendable := s.refusal(r, err)
	switch {
	case errors.Is(err, record.ErrNotFound):
		s.notFound(w, r)
	case mendable && again != nil:
		again(told)
	case mendable:
		p := s.page(w, r, "")
		s.render(w, r, http.StatusUnprocessableEntity, "message.html", messagePage{p, p.words.T("refused.title"), told.Text, ""})
	default:
		s.fail(w, r, err)
	}
}

// refusal is what an error tells the reader, in the reader's language; false where
// it is not for the reader.
func (s *server) refusal(r *http.Request, err error) (Problem, bool) {
	in := wordsOf(r)
	var own *Problem
	if errors.As(err, &own) {
		p := *own
		if p.Said != nil {
			p.Text, p.Said = p.Said.In(in), nil
		}
		return p, true
	}
	var told ReaderError
	if errors.As(err, &told) {
		var sentence say.Teller
		if errors.As(err, &sentence) {
			return Problem{Text: sentence.Told().In(in)}, true
		}
		return Problem{Text: told.Error()}, true
	}
	return Problem{}, false
}

// keepDone keeps for the next page what was done.
func (s *server) keepDone(w http.ResponseWriter, r *http.Request, d Done) {
	keepCookie(w, r, doneCookie, url.QueryEscape(d.Key+" "+d.Undo), "/", int(doneLife/time.Second), http.SameSiteStrictMode)
}

// takeDone reads what the last action did, once. It shows no text but ours. A
// request ahead of its time leaves it for the page that is shown.
func (s *server) takeDone(w http.ResponseWriter, r *http.Request, in words) Done {
	c, err := r.Cookie(doneCookie)
	if err != nil || r.Header.Get(aheadHeader) != "" {
		return Done{}
	}
	keepCookie(w, r, doneCookie, "", "/", -1, http.SameSiteStrictMode)
	text, err := url.QueryUnescape(c.Value)
	if err != nil {
		return Done{}
	}
	key, undo, _ := strings.Cut(text, " ")
	if _, ours := in.table[key]; !ours {
		return Done{}
	}
	return Done{key, undo}
}
