package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc"
)

// Provider is the firm's identity provider.
type Provider interface {
	// Begin gives the address to go to, and what the browser keeps meanwhile.
	Begin(redirect, next string) (to, kept string, err error)
	// Finish takes what the provider sent the browser back with.
	Finish(ctx context.Context, redirect, kept string, query url.Values) (who oidc.Person, next string, err error)
}

const (
	providerPath   = "/login/oidc"
	providerCookie = "touchstone_oidc"
	providerLife   = 10 * time.Minute
)

func (s *server) providerRoutes(m *routes) {
	if s.opts.Provider == nil {
		return
	}
	m.handle("GET "+providerPath, auth.Open, auth.NoValues, s.toProvider)
	m.handle("GET "+providerPath+"/callback", auth.Open, auth.NoValues, s.fromProvider)
}

// callback is our address that the provider leads back to.
func callback(r *http.Request) string {
	scheme := "http"
	if secure(r) {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host, Path: providerPath + "/callback"}).String()
}

// keep has the browser hold what belongs to a sign-in that was begun. The
// provider leads back from elsewhere, so the cookie has to come along then.
func (s *server) keep(w http.ResponseWriter, r *http.Request, kept string, age int) {
	keepCookie(w, r, providerCookie, kept, providerPath, age, http.SameSiteLaxMode)
}

func (s *server) toProvider(w http.ResponseWriter, r *http.Request) {
	to, kept, err := s.opts.Provider.Begin(callback(r), ourPath(r.URL.Query().Get("next")))
	if err != nil {
		s.noProvider(w, r, err)
		return
	}
	s.keep(w, r, kept, int(providerLife/time.Second))
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // to the configured provider, by its own discovery document
}

func (s *server) fromProvider(w http.ResponseWriter, r *http.Request) {
	kept := ""
	if c, err := r.Cookie(providerCookie); err == nil {
		kept = c.Value
	}
	s.keep(w, r, "", -1)
	who, next, err := s.opts.Provider.Finish(r.Context(), callback(r), kept, r.URL.Query())
	if err != nil {
		s.noProvider(w, r, err)
		return
	}
	in, err := s.opts.People.SignInFrom(r.Context(), s.caller(r), who)
	s.signedIn(w, r, in, err, signInPage{Next: ourPath(next)})
}

// noProvider says why nobody was signed in, beside the form for who has a
// password here. The log knows more.
func (s *server) noProvider(w http.ResponseWriter, r *http.Request, err error) {
	l := wordsOf(r)
	status, key := http.StatusUnauthorized, "provider.refused"
	switch {
	case errors.Is(err, oidc.ErrDown):
		status, key = http.StatusServiceUnavailable, "provider.down"
		w.Header().Set("Retry-After", "30")
	case errors.Is(err, oidc.ErrLate):
		key = "provider.late"
	case errors.Is(err, oidc.ErrNoRole):
		status, key = http.StatusForbidden, "provider.norole"
	}
	s.opts.Log.WarnContext(r.Context(), "no sign-in by the identity provider", "err", err)
	s.showSignIn(w, r, status, signInPage{Problem: l.T(key)})
}
