package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"touchstone/internal/auth"
)

func (s *server) peopleRoutes(m *routes) {
	m.handle("GET /accounts", auth.Accounts, auth.WholeOnly, s.people)
	m.handle("POST /accounts", auth.Accounts, auth.WholeOnly, s.addPerson)
	m.handle("GET /accounts/{login}", auth.Accounts, auth.WholeOnly, s.person)
	m.handle("POST /accounts/{login}/role", auth.Accounts, auth.WholeOnly, s.setRole)
	m.handle("POST /accounts/{login}/sees", auth.Accounts, auth.WholeOnly, s.setSees)
	m.handle("POST /accounts/{login}/state", auth.Accounts, auth.WholeOnly, s.setState)
	m.handle("POST /accounts/{login}/password", auth.Accounts, auth.WholeOnly, s.resetPassword)
	m.handle("POST /accounts/{login}/two-step", auth.Accounts, auth.WholeOnly, s.resetTwoStep)
	m.handle("POST /accounts/{login}/sessions", auth.Accounts, auth.WholeOnly, s.endSessionsOf)
	m.handle("GET /accounts/tokens", auth.Accounts, auth.WholeOnly, s.tokens)
	m.handle("POST /accounts/tokens", auth.Accounts, auth.WholeOnly, s.addToken)
	m.handle("POST /accounts/tokens/{id}/revoke", auth.Accounts, auth.WholeOnly, s.revokeToken)
}

// peoplePage is the accounts, one of them, or the tokens.
type peoplePage struct {
	page
	formAt
	None  bool // nobody has an account
	Fresh bool // the reader's password was given a short while ago
	PersonList
	Text   string // that the accounts or tokens are looked for by
	One    Person
	Tokens TokenList
	Roles  []auth.Role
	Scopes []auth.Permission
	Sees   seesInputs
	Given  string // login that Secret was made for
	Secret string // shown once
}

// Self says whether an account is the reader's own.
func (p peoplePage) Self() bool { return p.One.Login == p.Actor.ID }

func (s *server) peoplePage(w http.ResponseWriter, r *http.Request) peoplePage {
	v := visitOf(r.Context())
	p := peoplePage{page: s.page(w, r, "accounts"), Fresh: v.Fresh, None: v.Account == "", Roles: auth.PersonRoles()}
	if s.opts.People != nil {
		p.Sees.Scopes, p.Sees.Masks = s.opts.People.Sees()
	}
	return p
}

// personsShown is how many accounts one page lists, maxPersonText how long what
// they are looked for by may be.
const (
	personsShown  = 50
	maxPersonText = 100
)

// showPeople shows the accounts.
func (s *server) showPeople(w http.ResponseWriter, r *http.Request, status int, change func(*peoplePage)) {
	p := s.peoplePage(w, r)
	if s.opts.People != nil {
		q := r.URL.Query()
		p.Text = cutText(strings.TrimSpace(q.Get("q")), maxPersonText)
		var ok bool
		p.PersonList, ok = load(s, w, r, func(ctx context.Context) (PersonList, error) {
			return s.opts.People.PersonsOf(ctx, PersonQuery{Text: p.Text, After: q.Get("after"), Limit: personsShown})
		})
		if !ok {
			return
		}
	}
	if change != nil {
		change(&p)
	}
	s.render(w, r, status, "accounts.html", p)
}

func (s *server) people(w http.ResponseWriter, r *http.Request) {
	s.showPeople(w, r, http.StatusOK, nil)
}

// showPerson shows one account.
func (s *server) showPerson(w http.ResponseWriter, r *http.Request, status int, change func(*peoplePage)) {
	if _, ok := s.mine(w, r); !ok {
		return
	}
	one, ok := load(s, w, r, func(ctx context.Context) (Person, error) { return s.opts.People.Person(ctx, r.PathValue("login")) })
	if !ok {
		return
	}
	p := s.peoplePage(w, r)
	p.One = one
	p.Sees.Reach, p.Sees.Kept = one.Reach, one.Masks
	if change != nil {
		change(&p)
	}
	s.render(w, r, status, "account.html", p)
}

func (s *server) person(w http.ResponseWriter, r *http.Request) {
	s.showPerson(w, r, http.StatusOK, nil)
}

// asAdmin does something to accounts for who is signed in and has just given
// the own password; again shows the form where that fails, and done the page
// where it does not lead elsewhere.
func (s *server) asAdmin(w http.ResponseWriter, r *http.Request, do func(context.Context, By) error, again func(Problem), done func()) {
	v, ok := s.mine(w, r)
	if !ok || !s.form(w, r) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), actBound)
	defer cancel()
	err := s.proved(ctx, v, r.PostForm.Get("own"))
	if err == nil {
		err = do(ctx, By{Who: v.Login})
	}
	if err != nil {
		s.refusedIn(w, r, err, again)
		return
	}
	done()
}

// lead leads to the next page, which says what was done.
func (s *server) lead(w http.ResponseWriter, r *http.Request, next, done string) func() {
	return func() {
		s.keepDone(w, r, Done{Key: done})
		http.Redirect(w, r, ourPath(next), http.StatusSeeOther) //nolint:gosec // ourPath keeps only addresses of ours
	}
}

func (s *server) addPerson(w http.ResponseWriter, r *http.Request) {
	var password string
	var n NewPerson
	s.asAdmin(w, r, func(ctx context.Context, by By) (err error) {
		n = NewPerson{Login: strings.TrimSpace(r.PostForm.Get("login")), Name: r.PostForm.Get("name"), Role: auth.Role(r.PostForm.Get("role"))}
		n.Reach, n.Masks = r.PostForm["reach"], r.PostForm["mask"]
		password, err = s.opts.People.AddPerson(ctx, by, n)
		return err
	}, func(problem Problem) {
		s.showPeople(w, r, http.StatusUnprocessableEntity, func(p *peoplePage) { p.formAt = faultIn(r, "add", problem) })
	}, func() {
		s.showPeople(w, r, http.StatusOK, func(p *peoplePage) { p.Given, p.Secret, p.Fresh = n.Login, password, true })
	})
}

// changePerson changes the account of the address.
func (s *server) changePerson(w http.ResponseWriter, r *http.Request, form, done string, do func(context.Context, By, string) error) {
	login := r.PathValue("login")
	s.asAdmin(w, r, func(ctx context.Context, by By) error { return do(ctx, by, login) },
		s.personAgain(w, r, form), s.lead(w, r, "/accounts/"+login, done))
}

func (s *server) personAgain(w http.ResponseWriter, r *http.Request, form string) func(Problem) {
	return func(problem Problem) {
		s.showPerson(w, r, http.StatusUnprocessableEntity, func(p *peoplePage) { p.formAt = faultIn(r, form, problem) })
	}
}

func (s *server) setRole(w http.ResponseWriter, r *http.Request) {
	s.changePerson(w, r, "role", "done.role", func(ctx context.Context, by By, login string) error {
		return s.opts.People.ChangePerson(ctx, by, login, PersonChange{Role: auth.Role(r.PostForm.Get("role"))})
	})
}

// seesInputs are the scopes and masks that there are, with those that are chosen.
type seesInputs struct{ Scopes, Masks, Reach, Kept []string }

// Any says whether there is anything to choose.
func (in seesInputs) Any() bool { return len(in.Scopes)+len(in.Masks) > 0 }

// Has says whether a scope or a mask is chosen.
func (in seesInputs) Has(name string, mask bool) bool {
	if mask {
		return slices.Contains(in.Kept, name)
	}
	return slices.Contains(in.Reach, name)
}

func (s *server) setSees(w http.ResponseWriter, r *http.Request) {
	s.changePerson(w, r, "sees", "done.sees", func(ctx context.Context, by By, login string) error {
		reach, masks := r.PostForm["reach"], r.PostForm["mask"]
		return s.opts.People.ChangePerson(ctx, by, login, PersonChange{Reach: &reach, Masks: &masks})
	})
}

func (s *server) setState(w http.ResponseWriter, r *http.Request) {
	s.changePerson(w, r, "state", "done.state", func(ctx context.Context, by By, login string) error {
		return s.opts.People.ChangePerson(ctx, by, login, PersonChange{State: r.PostForm.Get("state")})
	})
}

func (s *server) resetPassword(w http.ResponseWriter, r *http.Request) {
	password := ""
	s.asAdmin(w, r, func(ctx context.Context, by By) (err error) {
		password, err = s.opts.People.ResetPassword(ctx, by, r.PathValue("login"))
		return err
	}, s.personAgain(w, r, "reset"), func() {
		s.showPerson(w, r, http.StatusOK, func(p *peoplePage) { p.Given, p.Secret, p.Fresh = p.One.Login, password, true })
	})
}

func (s *server) resetTwoStep(w http.ResponseWriter, r *http.Request) {
	s.changePerson(w, r, "two-step", "done.twostep", func(ctx context.Context, by By, login string) error {
		return s.opts.People.ResetTwoStep(ctx, by, login)
	})
}

func (s *server) endSessionsOf(w http.ResponseWriter, r *http.Request) {
	s.changePerson(w, r, "sessions", "done.session", func(ctx context.Context, by By, login string) error {
		return s.opts.People.EndSessionsOf(ctx, by, login)
	})
}

// showTokens shows the API tokens.
func (s *server) showTokens(w http.ResponseWriter, r *http.Request, status int, change func(*peoplePage)) {
	p := s.peoplePage(w, r)
	if s.opts.People != nil {
		q := r.URL.Query()
		p.Text = cutText(strings.TrimSpace(q.Get("q")), maxPersonText)
		var ok bool
		p.Tokens, ok = load(s, w, r, func(ctx context.Context) (TokenList, error) {
			return s.opts.People.TokensOf(ctx, TokenQuery{Text: p.Text, After: q.Get("after"), Limit: personsShown})
		})
		if !ok {
			return
		}
	}
	p.Roles, p.Scopes = append([]auth.Role{auth.Machine}, p.Roles...), scopesOf(p.Actor)
	if change != nil {
		change(&p)
	}
	s.render(w, r, status, "tokens.html", p)
}

func (s *server) tokens(w http.ResponseWriter, r *http.Request) {
	s.showTokens(w, r, http.StatusOK, nil)
}

func (s *server) addToken(w http.ResponseWriter, r *http.Request) {
	token := ""
	s.asAdmin(w, r, func(ctx context.Context, by By) (err error) {
		token, err = s.opts.People.AddToken(ctx, by, tokenForm(r, NewToken{Role: auth.Role(r.PostForm.Get("role"))}))
		return err
	}, func(problem Problem) {
		s.showTokens(w, r, http.StatusUnprocessableEntity, func(p *peoplePage) { p.formAt = faultIn(r, "token", problem) })
	}, func() {
		s.showTokens(w, r, http.StatusOK, func(p *peoplePage) { p.Secret, p.Fresh = token, true })
	})
}

// revokeToken ends a token. It asks for no password: who lost one should lose no
// time.
func (s *server) revokeToken(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.mine(w, r); !ok {
		return
	}
	s.act(w, r, "/accounts/tokens", func(ctx context.Context, by By) (Done, error) {
		return Done{Key: "done.token"}, s.opts.People.RevokeToken(ctx, by, r.PathValue("id"), "")
	}, nil)
}
