package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"touchstone/internal/auth"
)

// onPair does something about a pair that is no answer to it, and comes back.
func (s *server) onPair(w http.ResponseWriter, r *http.Request, done string, do func(ctx context.Context, id string, by By) error) {
	if !s.form(w, r) {
		return
	}
	id := r.PathValue("id")
	next := addressOf("/review/"+url.PathEscape(id), filtersOf(postedFilters(r)).Encode())
	s.act(w, r, next, func(ctx context.Context, by By) (Done, error) {
		return Done{Key: done}, do(ctx, id, by)
	}, func(p Problem) { s.sayAgain(w, r, deskForm{Aside: true}, p, "problem") })
}

// note keeps a comment.
func (s *server) note(w http.ResponseWriter, r *http.Request) {
	s.onPair(w, r, "desk.note.done", func(ctx context.Context, id string, by By) error {
		text := strings.TrimSpace(r.PostForm.Get("text"))
		if text == "" {
			return &Problem{Field: "text", Text: wordsOf(r).T("desk.note.empty")}
		}
		return s.data.NotePair(ctx, id, text, by)
	})
}

// assign gives the pair to somebody until a day.
func (s *server) assign(w http.ResponseWriter, r *http.Request) {
	s.onPair(w, r, "desk.assign.done", func(ctx context.Context, id string, by By) error {
		to := strings.TrimSpace(r.PostForm.Get("to"))
		switch r.PostForm.Get("take") {
		case "me":
			to = auth.From(ctx).ID
		case "nobody":
			to = ""
		}
		var due time.Time
		if day := r.PostForm.Get("due"); day != "" {
			var err error
			if due, err = time.Parse(time.DateOnly, day); err != nil {
				return &Problem{Field: "due", Text: wordsOf(r).T("desk.until.bad")}
			}
		}
		err := s.data.AssignPair(ctx, id, to, by)
		if err != nil || due.IsZero() {
			return err
		}
		return s.data.DuePair(ctx, id, due, by)
	})
}

func (s *server) escalate(w http.ResponseWriter, r *http.Request) {
	s.onPair(w, r, "desk.escalate.done", s.data.EscalatePair)
}

// withdraw takes a proposal of one's own back.
func (s *server) withdraw(w http.ResponseWriter, r *http.Request) {
	s.onPair(w, r, "desk.withdraw.done", s.data.WithdrawProposal)
}
