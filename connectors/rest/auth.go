package rest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/internal/httpx"
)

// authError is a request that was not sent because it could not be signed.
type authError struct{ error }

func (e *authError) Unwrap() error { return e.error }

// authority signs requests, and fetches and renews the tokens that it needs for
// that. One goroutine renews at a time; the others wait and use what it got.
type authority struct {
	name   string
	opts   Auth
	client *Client
	token  *httpx.Client
	keeper connectors.Keeper
	was    []string // former names of the source
	login  login

	lock chan struct{} // holds one value while free
	now  grant         // guarded by lock
}

// grant is what a system gave: a token and how long it is good.
type grant struct {
	Access  string         `json:"access"`
	Refresh string         `json:"refresh,omitempty"`
	Expires time.Time      `json:"expires"`
	Seed    string         `json:"seed,omitempty"` // hash of the refresh token in the configuration that it came from
	also    map[string]any // further members of bodies, of a login
	unkept  bool           // has a refresh token that could not be kept yet
}

func newAuthority(c *Client, parts Parts) (*authority, config.Problems) {
	a := &authority{name: c.name, opts: c.opts.Auth, client: c, token: parts.Token, keeper: parts.Keeper, was: parts.Was, lock: make(chan struct{}, 1)}
	a.lock <- struct{}{}
	var problems config.Problems
	if a.opts.Type == "login" {
		a.login, problems = compileLogin(a.opts)
	}
	return a, problems
}

// renews says whether a refused token may only be too old.
func (a *authority) renews() bool { return a.opts.Type == "oauth2" || a.opts.Type == "login" }

// secrets are the values that must not be seen, as far as they are known.
func (a *authority) secrets() []any {
	list := []any{a.opts.Token.Reveal(), a.opts.Password.Reveal(), a.opts.ClientSecret.Reveal(), a.opts.RefreshToken.Reveal()}
	for _, s := range a.opts.Secrets {
		list = append(list, s.Value.Reveal())
	}
	select {
	case <-a.lock:
		list = append(list, a.now.Access, a.now.Refresh)
		a.lock <- struct{}{}
	default: // somebody renews: what comes of it is not in an answer yet
	}
	return list
}

// sign puts the credentials into a request and says which token it used.
func (a *authority) sign(ctx context.Context, h http.Header, u *url.URL, body *nest) (token string, err error) {
	switch o := a.opts; o.Type {
	case "bearer":
		h.Set("Authorization", "Bearer "+o.Token.Reveal())
	case "basic":
		h.Set("Authorization", basic(o.Username, o.Password.Reveal()))
	case "header":
		h.Set(o.Header, o.Token.Reveal())
	case "query":
		q := u.Query()
		q.Set(o.Query, o.Token.Reveal())
		u.RawQuery = q.Encode()
	case "oauth2", "login":
		g, err := a.current(ctx)
		if err != nil {
			return "", &authError{err}
		}
		if o.Type == "oauth2" {
			h.Set("Authorization", "Bearer "+g.Access)
			return g.Access, nil
		}
		return g.Access, a.carry(g, h, body)
	}
	return "", nil
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// carry puts a login's token where requests carry it. The caller's body is not
// written to: it may be sent again with another token.
func (a *authority) carry(g grant, h http.Header, body *nest) error {
	l := a.opts.Login
	if l.Header != "" {
		h.Set(l.Header, l.Prefix+g.Access)
	}
	if l.Member == "" && len(g.also) == 0 {
		return nil
	}
	if *body == nil {
		return nil // a request without a body carries nothing in it
	}
	signed := copyOf(*body)
	if l.Member != "" {
		if err := put(signed, l.Member, g.Access); err != nil {
			return &authError{fmt.Errorf("login.member: %w", err)}
		}
	}
	for _, n := range l.Also {
		if err := put(signed, n.Name, g.also[n.Name]); err != nil {
			return &authError{fmt.Errorf("login.also: %w", err)}
		}
	}
	*body = signed
	return nil
}

func copyOf(n nest) nest {
	out := make(nest, len(n))
	for k, v := range n {
		if child, ok := v.(nest); ok {
			v = copyOf(child)
		}
		out[k] = v
	}
	return out
}

// current gives a good token, a new one when there is none or it is about to
// end.
func (a *authority) current(ctx context.Context) (grant, error) {
	if err := a.enter(ctx); err != nil {
		return grant{}, err
	}
	defer a.leave()
	if a.good(a.now) {
		return a.now, nil
	}
	err := a.fetch(ctx)
	return a.now, err
}

// renew fetches a new token in place of one that was refused, unless another
// goroutine has done so already.
func (a *authority) renew(ctx context.Context, refused string) error {
	if err := a.enter(ctx); err != nil {
		return err
	}
	defer a.leave()
	if a.now.Access == refused {
		a.now.Expires = time.Time{}
	}
	if a.good(a.now) {
		return nil
	}
	return a.fetch(ctx)
}

func (a *authority) enter(ctx context.Context) error {
	select {
	case <-a.lock:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *authority) leave() { a.lock <- struct{}{} }

// margin is how long before its end a token is renewed.
const margin = 30 * time.Second

func (a *authority) good(g grant) bool {
	return g.Access != "" && !g.unkept && a.clock().Add(margin).Before(g.Expires)
}

func (a *authority) clock() time.Time { return a.client.http.Clock().Now() }

func (a *authority) fetch(ctx context.Context) error {
	var err error
	switch {
	case a.opts.Type == "login":
		a.now, err = a.logIn(ctx)
	case a.opts.Grant == "refresh_token":
		err = a.refresh(ctx)
	default:
		a.now, err = a.grantFor(ctx, url.Values{"grant_type": {"client_credentials"}})
	}
	if err != nil {
		return fmt.Errorf("get a token: %w", err)
	}
	return nil
}

// errInvalidGrant is the token server's refusal of a refresh token.
var errInvalidGrant = errors.New("invalid_grant")

// grantFor asks the token server (RFC 6749, sections 4.4 and 6).
func (a *authority) grantFor(ctx context.Context, form url.Values) (grant, error) {
	h := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {"touchstone"}}
	if len(a.opts.Scopes) > 0 {
		form.Set("scope", strings.Join(a.opts.Scopes, " "))
	}
	if a.opts.ClientAuth == "basic" {
		h.Set("Authorization", basic(url.QueryEscape(a.opts.ClientID), url.QueryEscape(a.opts.ClientSecret.Reveal())))
	} else {
		form.Set("client_id", a.opts.ClientID)
		if s := a.opts.ClientSecret.Reveal(); s != "" {
			form.Set("client_secret", s)
		}
	}
	if a.token == nil {
		return grant{}, errors.New("there is no client for the token server")
	}
	got, err := a.token.Do(ctx, httpx.Request{Method: http.MethodPost, URL: a.opts.TokenURL, Header: h, Body: []byte(form.Encode())})
	if err != nil {
		return grant{}, err
	}
	ans, err := read(got)
	if err != nil {
		return grant{}, err
	}
	object, _ := ans.body.(map[string]any)
	if got.Status != http.StatusOK {
		return grant{}, tokenRefused(got, object)
	}
	g := grant{Access: textOf(object["access_token"]), Refresh: textOf(object["refresh_token"]), Expires: a.end(textOf(object["expires_in"]))}
	if g.Access == "" {
		return grant{}, errors.New("the token server's answer holds no access_token")
	}
	return g, nil
}

// tokenRefused is an answer of the token server that is no token. Of its text
// only the codes of RFC 6749, 5.2, are told.
func tokenRefused(got *httpx.Answer, object map[string]any) error {
	code := textOf(object["error"])
	switch code {
	case "invalid_grant":
		return fmt.Errorf("status %d: %w", got.Status, errInvalidGrant)
	case "invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return fmt.Errorf("%w: status %d: %s", connectors.ErrAuth, got.Status, code)
	}
	err := fmt.Errorf("the token server answers with status %d", got.Status)
	switch {
	case got.Status == http.StatusTooManyRequests || got.RetryAfter > 0:
		return &connectors.RateLimited{After: got.RetryAfter, Err: err}
	case got.Status >= 400 && got.Status < 500:
		return fmt.Errorf("%w: %w", connectors.ErrAuth, err)
	}
	return err
}

// end is when a token ends that is good for so many seconds.
func (a *authority) end(seconds string) time.Time {
	life := duration(a.opts.Life)
	if n, err := strconv.ParseFloat(seconds, 64); err == nil && n > 0 && n < 1e9 {
		life = time.Duration(n) * time.Second
	}
	return a.clock().Add(max(life, 2*margin)) // one that ends sooner is renewed when it is refused
}
