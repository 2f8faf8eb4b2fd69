package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/auth"
)

func (s *server) meRoutes(m *routes) {
	m.handle("GET /me", auth.Self, auth.NoValues, s.me)
	s.tasteRoutes(m)
	m.handle("GET /me/password", auth.Self, auth.NoValues, s.passwordForm)
	m.handle("POST /me/password", auth.Self, auth.NoValues, s.setPassword)
	m.handle("POST /me/two-step", auth.Self, auth.NoValues, s.beginTwoStep)
	m.handle("GET /me/two-step", auth.Self, auth.NoValues, s.twoStepForm)
	m.handle("POST /me/two-step/confirm", auth.Self, auth.NoValues, s.confirmTwoStep)
	m.handle("POST /me/two-step/end", auth.Self, auth.NoValues, s.endTwoStep)
	m.handle("POST /me/sessions/end", auth.Self, auth.NoValues, s.endSession)
	m.handle("POST /me/tokens", auth.Self, auth.NoValues, s.addOwnToken)
	m.handle("POST /me/tokens/{id}/revoke", auth.Self, auth.NoValues, s.revokeOwnToken)
}

// mePage is the visitor's own account, with the form at fault.
type mePage struct {
	page
	formAt
	Fresh          bool
	MustChange     bool
	Me             MyAccount
	Least, Advised int
	Two            Authenticator
	QR             *qrCode
	Recovery       []string
	Token          string // shown once
	Scopes         []auth.Permission
	kept           Taste
}

// offer shows the key that waits for a code.
func (p *mePage) offer(two Authenticator) { p.Two, p.QR = two, drawQR(two.Address) }

// mine is who is signed in; where nobody is it says so itself.
func (s *server) mine(w http.ResponseWriter, r *http.Request) (Visit, bool) {
	v := visitOf(r.Context())
	if v.Account == "" {
		s.message(w, r, http.StatusNotFound, "me.none.title", "me.none.text")
	}
	return v, v.Account != ""
}

// showMe shows the visitor's account or one of its parts.
func (s *server) showMe(w http.ResponseWriter, r *http.Request, status int, file string, change func(*mePage)) {
	v, ok := s.mine(w, r)
	if !ok {
		return
	}
	me, ok := load(s, w, r, func(ctx context.Context) (MyAccount, error) { return s.opts.People.Me(ctx, v) })
	if !ok {
		return
	}
	p := mePage{
		page: s.page(w, r, "me"), Fresh: v.Fresh, MustChange: v.MustChange, Me: me, Least: auth.MinPassword, Advised: auth.AdvisedPassword,
		Scopes: scopesOf(v.Actor), kept: v.Taste,
	}
	if change != nil {
		change(&p)
	}
	s.render(w, r, status, file, p)
}

func (s *server) me(w http.ResponseWriter, r *http.Request) {
	s.showMe(w, r, http.StatusOK, "me.html", nil)
}

func (s *server) passwordForm(w http.ResponseWriter, r *http.Request) {
	s.showMe(w, r, http.StatusOK, "password.html", nil)
}

// proved asks for the visitor's own password, unless it was given a short while
// ago: an unlocked screen changes no account.
func (s *server) proved(ctx context.Context, v Visit, given string) error {
	if v.Fresh {
		return nil
	}
	return s.opts.People.Prove(ctx, v, given)
}

// change does something to the visitor's account after the password was given,
// and shows the form again where that fails.
func (s *server) change(w http.ResponseWriter, r *http.Request, next, file, form string, do func(context.Context, Visit) (Done, error)) {
	if !s.form(w, r) {
		return
	}
	v, ok := s.mine(w, r)
	if !ok {
		return
	}
	l := wordsOf(r)
	s.act(w, r, next, func(ctx context.Context, _ By) (Done, error) {
		if err := s.proved(ctx, v, r.PostForm.Get("own")); err != nil {
			return Done{}, s.inWords(l, err)
		}
		done, err := do(ctx, v)
		return done, s.inWords(l, err)
	}, func(problem Problem) { s.meAgain(w, r, v, file, form, problem) })
}

// meAgain shows a form with what was typed and what is wrong with it.
func (s *server) meAgain(w http.ResponseWriter, r *http.Request, v Visit, file, form string, problem Problem) {
	s.showMe(w, r, http.StatusUnprocessableEntity, file, func(p *mePage) {
		p.formAt = faultIn(r, form, problem)
		if form == "two-step" {
			s.waiting(r, v, p)
		}
	})
}

// refusedIn shows a form again where the reader can mend it, and else fails.
func (s *server) refusedIn(w http.ResponseWriter, r *http.Request, err error, again func(Problem)) {
	s.answerError(w, r, s.inWords(wordsOf(r), err), again)
}

func (s *server) setPassword(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, "/me", "password.html", "password", func(ctx context.Context, v Visit) (Done, error) {
		l := wordsOf(r)
		if r.PostForm.Get("password") != r.PostForm.Get("again") {
			return Done{}, &Problem{Field: "again", Text: l.T("problem.again")}
		}
		token, err := s.opts.People.SetPassword(ctx, v, r.PostForm.Get("password"))
		if err != nil {
			return Done{}, err
		}
		s.renew(w, r, v, token)
		return Done{Key: "done.password"}, nil
	})
}

// renew gives the browser another token for its session, for what is left of it
// at most; the store says when it ends.
func (s *server) renew(w http.ResponseWriter, r *http.Request, v Visit, token string) {
	life := 7 * 24 * time.Hour
	if m, err := s.opts.People.Person(r.Context(), v.Login); err == nil {
		for _, x := range m.Sessions {
			if x.ID == v.Session {
				life = x.Ends.Sub(s.opts.Env.Clock.Now())
			}
		}
	}
	s.setVisit(w, r, token, life)
}

func (s *server) beginTwoStep(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, "/me/two-step", "me.html", "begin", func(ctx context.Context, v Visit) (Done, error) {
		_, err := s.opts.People.BeginTwoStep(ctx, v)
		return Done{}, err
	})
}

// waiting reads the key that waits for a code.
func (s *server) waiting(r *http.Request, v Visit, p *mePage) {
	two, err := s.opts.People.WaitingTwoStep(r.Context(), v)
	if err == nil {
		p.offer(two)
	}
}

func (s *server) twoStepForm(w http.ResponseWriter, r *http.Request) {
	v, ok := s.mine(w, r)
	if !ok {
		return
	}
	two, err := s.opts.People.WaitingTwoStep(r.Context(), v)
	if err != nil || !v.Fresh {
		http.Redirect(w, r, "/me", http.StatusSeeOther)
		return
	}
	s.showMe(w, r, http.StatusOK, "twostep.html", func(p *mePage) { p.offer(two) })
}

func (s *server) confirmTwoStep(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	v, ok := s.mine(w, r)
	if !ok {
		return
	}
	codes, err := s.opts.People.ConfirmTwoStep(r.Context(), v, strings.TrimSpace(r.PostForm.Get("code")))
	if err == nil {
		s.showMe(w, r, http.StatusOK, "recovery.html", func(p *mePage) { p.Recovery = codes })
		return
	}
	s.refusedIn(w, r, err, func(problem Problem) { s.meAgain(w, r, v, "twostep.html", "two-step", problem) })
}

func (s *server) endTwoStep(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, "/me", "me.html", "end", func(ctx context.Context, v Visit) (Done, error) {
		token, err := s.opts.People.EndTwoStep(ctx, v)
		if err != nil {
			return Done{}, err
		}
		s.renew(w, r, v, token)
		return Done{Key: "done.twostep"}, nil
	})
}

// endSession ends one session, or all others. It asks for no password: who lost
// a device should lose no time.
func (s *server) endSession(w http.ResponseWriter, r *http.Request) {
	v, ok := s.mine(w, r)
	if !ok || !s.form(w, r) {
		return
	}
	s.act(w, r, "/me", func(ctx context.Context, _ By) (Done, error) {
		return Done{Key: "done.session"}, s.opts.People.EndSession(ctx, v, r.PostForm.Get("id"))
	}, nil)
}

// tokenForm reads what a new token is to be.
func tokenForm(r *http.Request, n NewToken) NewToken {
	n.Name, n.Scopes, n.Reach, n.Masks = r.PostForm.Get("name"), r.PostForm["scope"], r.PostForm["reach"], r.PostForm["mask"]
	n.Days, _ = strconv.Atoi(r.PostForm.Get("days")) // the list has only numbers
	return n
}

// addOwnToken makes an API token and shows it, this once.
func (s *server) addOwnToken(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	v, ok := s.mine(w, r)
	if !ok {
		return
	}
	token := ""
	err := s.proved(r.Context(), v, r.PostForm.Get("own"))
	if err == nil {
		token, err = s.opts.People.AddToken(r.Context(), By{Who: v.Login}, tokenForm(r, NewToken{Login: v.Login}))
	}
	if err == nil {
		s.showMe(w, r, http.StatusOK, "me.html", func(p *mePage) { p.Token, p.Fresh = token, true })
		return
	}
	s.refusedIn(w, r, err, func(problem Problem) { s.meAgain(w, r, v, "me.html", "token", problem) })
}

func (s *server) revokeOwnToken(w http.ResponseWriter, r *http.Request) {
	v, ok := s.mine(w, r)
	if !ok {
		return
	}
	s.act(w, r, "/me", func(ctx context.Context, by By) (Done, error) {
		return Done{Key: "done.token"}, s.opts.People.RevokeToken(ctx, by, r.PathValue("id"), v.Login)
	}, nil)
}
