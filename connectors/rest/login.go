package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/internal/expr"
	"touchstone/internal/httpx"
)

// login is a compiled Login.
type login struct {
	request
	token, expires program
	also           []namedProgram
}

type namedProgram struct {
	name string
	program
}

func compileLogin(a Auth) (login, config.Problems) {
	c := &compiler{}
	names := make(expr.Fields, len(a.Secrets))
	for i, s := range a.Secrets {
		names[i] = s.Name
	}
	l, at := a.Login, a.Login.At
	vars := map[string]any{"username": "", "password": "", "secret": names}
	out := login{request: c.request(at, http.MethodPost, l.Path, nil, map[string]any{})}
	if !l.Body.IsZero() && l.Body.Kind != config.ObjectTree {
		c.say(at.Key("body"), "want an object")
	}
	out.body = c.tree(l.Body, vars)
	out.token = c.expr(l.Token, answerVars(), textKind)
	out.expires = c.expr(l.Expires, answerVars(), textKind)
	for _, n := range l.Also {
		out.also = append(out.also, namedProgram{n.Name, c.expr(n.Value, answerVars(), anyKind)})
	}
	return out, c.problems
}

// logIn asks for a token with the account's secrets.
func (a *authority) logIn(ctx context.Context) (grant, error) {
	secrets := map[string]any{}
	for _, s := range a.opts.Secrets {
		secrets[s.Name] = s.Value.Reveal()
	}
	vars := map[string]any{"username": a.opts.Username, "password": a.opts.Password.Reveal(), "secret": secrets}
	u, err := a.client.address(a.login.request, map[string]any{})
	if err != nil {
		return grant{}, err
	}
	object, err := a.login.body.object(vars)
	if err != nil {
		return grant{}, fmt.Errorf("login.body: %w", err)
	}
	b, err := encode(object)
	if err != nil {
		return grant{}, err
	}
	h := a.client.header.Clone()
	h.Set("Content-Type", "application/json")
	got, err := a.client.http.Do(ctx, httpx.Request{Method: http.MethodPost, URL: u.String(), Header: h, Body: b})
	if err != nil {
		return grant{}, err
	}
	ans, err := read(got)
	if err != nil {
		return grant{}, err
	}
	switch s := got.Status; {
	case s == http.StatusTooManyRequests || got.RetryAfter > 0:
		return grant{}, &connectors.RateLimited{After: got.RetryAfter, Err: fmt.Errorf("login: status %d", s)}
	case s >= 400 && s < 500:
		return grant{}, fmt.Errorf("%w: login: status %d", connectors.ErrAuth, s)
	case s < 200 || s > 299 || !ans.isJSON:
		return grant{}, fmt.Errorf("login: status %d without a JSON answer", s)
	}
	return a.loggedIn(ans)
}

// loggedIn reads what a login's answer gives.
func (a *authority) loggedIn(ans answer) (grant, error) {
	v, err := a.login.token.Run(ans.vars())
	if err != nil {
		return grant{}, fmt.Errorf("login.token: %w", err)
	}
	g := grant{also: map[string]any{}}
	if g.Access, _ = v.(string); g.Access == "" {
		return grant{}, fmt.Errorf("%w: login: %w", connectors.ErrAuth, errors.New("the answer holds no token"))
	}
	seconds := ""
	if a.login.expires.given() {
		v, err := a.login.expires.Run(ans.vars())
		if err != nil {
			return grant{}, fmt.Errorf("login.expires_in: %w", err)
		}
		seconds, _ = v.(string)
	}
	g.Expires = a.end(seconds)
	for _, n := range a.login.also {
		if g.also[n.name], err = n.Run(ans.vars()); err != nil {
			return grant{}, fmt.Errorf("login.also.%s: %w", n.name, err)
		}
	}
	return g, nil
}
