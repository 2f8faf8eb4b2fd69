package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/auth"
)

// visitCookie holds the token of a session; over TLS it is bound to this host.
const visitCookie = "touchstone_visit"

type visitKey struct{}

// visitOf gives who is signed in; the zero Visit is nobody.
func visitOf(ctx context.Context) Visit {
	v, _ := ctx.Value(visitKey{}).(Visit)
	return v
}

func (s *server) accountRoutes(m *routes) {
	m.handle("GET /login", auth.Open, auth.NoValues, s.loginForm)
	m.handle("POST /login", auth.Open, auth.NoValues, s.login)
	m.handle("POST /login/code", auth.Open, auth.NoValues, s.loginCode)
	m.handle("POST /logout", auth.Open, auth.NoValues, s.logout)
	m.handle("GET /setup", auth.Open, auth.NoValues, s.setupForm)
	m.handle("POST /setup", auth.Open, auth.NoValues, s.setup)
	if s.opts.Demo {
		m.handle("POST /demo/role", auth.See, auth.NoValues, s.demoRole)
	}
	s.home = func(role auth.Role) string {
		to := map[auth.Role]string{auth.Steward: "/review", auth.Auditor: "/audit"}[role]
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, to, nil)
		if _, pattern := m.mux.Handler(r); to == "" || err != nil || pattern == "/" {
			return "/"
		}
		return to
	}
}

// hasAccounts says whether everybody has to sign in to an account.
func (s *server) hasAccounts(ctx context.Context) (bool, error) {
	if s.opts.People == nil {
		return false, nil
	}
	if s.opts.Provider != nil {
		return true, nil
	}
	return s.opts.People.HasAccounts(ctx)
}

func visitCookieName(r *http.Request) string {
	if secure(r) {
		return "__Host-" + visitCookie
	}
	return visitCookie
}

func (s *server) setVisit(w http.ResponseWriter, r *http.Request, token string, life time.Duration) {
	age := int(life / time.Second)
	if token == "" {
		age = -1
	}
	keepCookie(w, r, visitCookieName(r), token, "/", age, http.SameSiteLaxMode)
}

// visit finds who is signed in with this browser.
func (s *server) visit(r *http.Request) (Visit, bool, error) {
	c, err := r.Cookie(visitCookieName(r))
	if err != nil || c.Value == "" || s.opts.People == nil {
		return Visit{}, false, nil
	}
	return s.opts.People.Visit(r.Context(), c.Value)
}

// visiting serves who is signed in to an account, and sends everybody else to
// the sign-in.
func (s *server) visiting(w http.ResponseWriter, r *http.Request, m *routes) {
	v, found, err := s.visit(r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case !found && r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, apiPath):
		s.ended(w, r)
	case !found:
		s.signInFirst(w, r)
	case v.MustChange && m.needs(r) != auth.Self:
		http.Redirect(w, r, "/me/password", http.StatusSeeOther)
	default:
		ctx := context.WithValue(auth.With(r.Context(), v.Actor), visitKey{}, v)
		m.mux.ServeHTTP(w, r.WithContext(ctx))
	}
}

// signInPage is the sign-in form, the one for the code, and the one that makes
// the first account.
type signInPage struct {
	page
	Next, Login, Name, Problem, Pending, Setup string
	Field                                      string // at fault
	Provider                                   string // name of the identity provider; "" for none
	Least, Advised                             int    // characters of a password
}

// At says whether an input is at fault.
func (p signInPage) At(field string) bool { return p.Field == field }

func (s *server) caller(r *http.Request) Caller {
	agent := r.UserAgent()
	return Caller{Address: s.callerAddress(r), Agent: agent[:min(len(agent), 512)]}
}

func (s *server) loginForm(w http.ResponseWriter, r *http.Request) {
	next := r.URL.Query().Get("next")
	accounts, err := s.hasAccounts(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if !accounts {
		s.showLogin(w, r, http.StatusOK, next, "")
		return
	}
	if v, found, err := s.visit(r); err == nil && found {
		s.goHome(w, r, next, v.Actor.Role)
		return
	}
	s.showSignIn(w, r, http.StatusOK, signInPage{Next: ourPath(next)})
}

// goHome leads to where somebody wanted to go, else to where the role works.
func (s *server) goHome(w http.ResponseWriter, r *http.Request, next string, role auth.Role) {
	to := ourPath(next)
	if to == "/" {
		to = s.home(role)
	}
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // ourPath keeps only addresses of ours
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request, status int, p signInPage) {
	p.page = s.page(w, r, "login")
	p.Least, p.Advised = auth.MinPassword, auth.AdvisedPassword
	if s.opts.Provider != nil {
		p.Provider = s.opts.ProviderName
	}
	file := "signin.html"
	if p.Setup != "" {
		file = "setup.html"
	}
	s.render(w, r, status, file, p)
}

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	accounts, err := s.hasAccounts(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if !accounts {
		s.tokenLogin(w, r)
		return
	}
	login := strings.TrimSpace(r.PostForm.Get("login"))
	in, err := s.opts.People.SignIn(r.Context(), s.caller(r), login, r.PostForm.Get("password"))
	s.signedIn(w, r, in, err, signInPage{Next: ourPath(r.PostForm.Get("next")), Login: login})
}

func (s *server) loginCode(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	if s.opts.People == nil {
		s.notFound(w, r)
		return
	}
	pending := r.PostForm.Get("pending")
	in, err := s.opts.People.SignInCode(r.Context(), s.caller(r), pending, r.PostForm.Get("code"))
	p := signInPage{Next: ourPath(r.PostForm.Get("next")), Pending: pending}
	if errors.Is(err, ErrTooLate) {
		p.Pending = ""
	}
	s.signedIn(w, r, in, err, p)
}

// signedIn answers a sign-in: the session's cookie, the form for the code, or
// the form again. A session that this browser had before ends.
func (s *server) signedIn(w http.ResponseWriter, r *http.Request, in SignedIn, err error, p signInPage) {
	if err == nil && in.Pending == "" {
		if old, found, e := s.visit(r); e == nil && found {
			if e := s.opts.People.SignOut(r.Context(), old); e != nil {
				s.opts.Log.WarnContext(r.Context(), "the session before was not ended", "err", e)
			}
		}
		s.setVisit(w, r, in.Token, in.Life)
		s.goHome(w, r, p.Next, in.Role)
		return
	}
	if err == nil {
		p.Pending = in.Pending
		s.showSignIn(w, r, http.StatusOK, p)
		return
	}
	l := wordsOf(r)
	var slow *SlowDown
	var told *Problem
	status := http.StatusUnauthorized
	switch {
	case errors.As(err, &slow):
		status = http.StatusTooManyRequests
		seconds := int(math.Ceil(slow.Wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		p.Problem = l.N("signin.slow", seconds)
	case errors.Is(err, ErrWrong) && p.Pending != "":
		p.Problem = l.T("signin.code.wrong")
	case errors.Is(err, ErrWrong):
		p.Problem = l.T("signin.wrong")
	case errors.Is(err, ErrTooLate):
		p.Problem = l.T("signin.late")
	case errors.As(s.inWords(l, err), &told):
		status, p.Problem, p.Field = http.StatusUnprocessableEntity, told.Text, told.Field
	default:
		s.fail(w, r, err)
		return
	}
	s.showSignIn(w, r, status, p)
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	v, found, err := s.visit(r)
	if err == nil && found {
		err = s.opts.People.SignOut(r.Context(), v)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.setVisit(w, r, "", 0)
	s.setSession(w, r, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *server) setupForm(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	if s.setupOver(w, r, token) {
		return
	}
	s.showSignIn(w, r, http.StatusOK, signInPage{Setup: token})
}

// setupOver answers who comes with a set-up link that is good for nothing.
func (s *server) setupOver(w http.ResponseWriter, r *http.Request, token string) bool {
	err := ErrSetupOver
	if s.opts.People != nil {
		err = s.opts.People.SetupOpen(r.Context(), token)
	}
	switch {
	case errors.Is(err, ErrSetupOver):
		s.message(w, r, http.StatusGone, "setup.over.title", "setup.over.text")
	case err != nil:
		s.fail(w, r, err)
	}
	return err != nil
}

func (s *server) setup(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	token, f := r.PostForm.Get("setup"), r.PostForm
	if s.setupOver(w, r, token) {
		return
	}
	p := signInPage{Setup: token, Login: strings.TrimSpace(f.Get("login")), Name: strings.TrimSpace(f.Get("name"))}
	if f.Get("password") != f.Get("again") {
		p.Problem, p.Field = wordsOf(r).T("problem.again"), "again"
		s.showSignIn(w, r, http.StatusUnprocessableEntity, p)
		return
	}
	in, err := s.opts.People.Setup(r.Context(), s.caller(r), token, NewPerson{Login: p.Login, Name: p.Name, Password: f.Get("password")})
	if errors.Is(err, ErrSetupOver) {
		s.message(w, r, http.StatusGone, "setup.over.title", "setup.over.text")
		return
	}
	s.signedIn(w, r, in, err, p)
}

// inWords tells an error about accounts in the reader's language, beside the
// input at fault. Others stay as they are.
func (s *server) inWords(l words, err error) error {
	var weak auth.Weak
	var slow *SlowDown
	switch {
	case errors.As(err, &weak):
		return &Problem{Field: "password", Text: l.word("weak", string(weak))}
	case errors.As(err, &slow):
		return &Problem{Text: l.N("signin.slow", int(math.Ceil(slow.Wait.Seconds())))}
	case errors.Is(err, auth.ErrLogin):
		return &Problem{Field: "login", Text: l.T("problem.login")}
	case errors.Is(err, ErrLoginTaken):
		return &Problem{Field: "login", Text: l.T("problem.taken")}
	case errors.Is(err, ErrOwnPassword):
		return &Problem{Field: "own", Text: l.T("problem.own")}
	case errors.Is(err, ErrSame):
		return &Problem{Field: "password", Text: l.T("problem.same")}
	case errors.Is(err, ErrCode):
		return &Problem{Field: "code", Text: l.T("problem.code")}
	case errors.Is(err, ErrLastAdmin):
		return &Problem{Field: "role", Text: l.T("problem.admin")}
	case errors.Is(err, ErrRole):
		return &Problem{Field: "role", Text: l.T("problem.role")}
	case errors.Is(err, ErrScope):
		return &Problem{Field: "scope", Text: l.T("problem.scope")}
	}
	return err
}

// endedPage keeps what somebody typed whose session ended meanwhile.
type endedPage struct {
	page
	Action string
	Fields []endedField
}

type endedField struct{ Name, Value string }

// secretFields are never given back.
func secretFields() []string {
	return []string{"password", "again", "own", "code", "token", "pending", "setup"}
}

// ended answers a form that came without a session: it was not done, and what
// was typed is not lost. Cross-origin forms do not come this far.
func (s *server) ended(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	p := endedPage{page: s.page(w, r, "login"), Action: ourPath(r.URL.RequestURI())}
	names := make([]string, 0, len(r.PostForm))
	for name := range r.PostForm {
		if !slices.Contains(secretFields(), name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range r.PostForm[name] {
			p.Fields = append(p.Fields, endedField{name, value})
		}
	}
	s.render(w, r, http.StatusUnauthorized, "ended.html", p)
}

const (
	demoCookie = "touchstone_demo"
	demoPrefix = "demo "
)

// demoActor is who one is in the demo: a steward, until another role is chosen.
func demoActor(r *http.Request) auth.Actor {
	role := auth.Steward
	if c, err := r.Cookie(demoCookie); err == nil && slices.Contains(demoRoles(), auth.Role(c.Value)) {
		role = auth.Role(c.Value)
	}
	return auth.Actor{ID: demoPrefix + string(role), Name: demoPrefix + string(role), Role: role}
}

func isDemo(a auth.Actor) bool { return strings.HasPrefix(a.ID, demoPrefix) }

func demoRoles() []auth.Role { return []auth.Role{auth.Steward, auth.Viewer, auth.Admin, auth.Auditor} }

// DemoRoles are the roles that one may act in.
func (p page) DemoRoles() []auth.Role { return demoRoles() }

// demoRole lets who looks at the demo act in another role.
func (s *server) demoRole(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	role := auth.Role(r.PostForm.Get("role"))
	if !isDemo(auth.From(r.Context())) || !slices.Contains(demoRoles(), role) {
		s.forbidden(w, r)
		return
	}
	keepCookie(w, r, demoCookie, string(role), "/", 0, http.SameSiteStrictMode)
	http.Redirect(w, r, s.home(role), http.StatusSeeOther)
}
