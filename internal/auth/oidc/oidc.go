// Package oidc lets people sign in with their firm's identity provider: OpenID
// Connect Core 1.0, authorization code flow with PKCE (RFC 7636), state and
// nonce. The provider's groups become roles.
package oidc

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"touchstone/internal/auth"
	"touchstone/internal/env"
)

const (
	// life is how long a person may take at the provider.
	life = 10 * time.Minute
	// bound is how long the provider may take to answer.
	bound = 10 * time.Second
	// maxToken bounds a token, in bytes: how long a signature is decides how long
	// it takes to check.
	maxToken = 64 << 10
)

// Why a sign-in comes to nothing.
var (
	ErrDown    = errors.New("the identity provider does not answer as it should")
	ErrLate    = errors.New("the sign-in was not begun in this browser, or took too long")
	ErrRefused = errors.New("the identity provider did not sign this person in")
	ErrNoRole  = errors.New("none of this person's groups has a role here")
)

// Options say which provider, and what its groups may do.
type Options struct {
	Issuer       string // as it stands in the provider's discovery document
	ClientID     string
	ClientSecret string   // "" for a public client
	Scopes       []string // beside openid
	Claim        string   // where the groups stand: "groups", "realm_access.roles"
	Roles        map[string]auth.Role
	Env          env.Env
	Bound        time.Duration // how long the provider may take to answer; 0 for 10 seconds
}

// Person is somebody whom the provider has signed in.
type Person struct {
	Issuer, Subject string // together they name a person for good; a login name may pass on to somebody else
	Login, Name     string
	Role            auth.Role
	Groups          []string // as the provider says them
}

// Provider is an identity provider.
type Provider struct {
	o    Options
	http *http.Client
	aead cipher.AEAD // of what a browser keeps meanwhile

	once singleflight.Group            // who comes while it is asked shares the answer
	seen atomic.Pointer[oidc.Provider] // once its discovery document was read
}

// New makes a provider; nobody is asked before somebody signs in.
func New(o Options) (*Provider, error) {
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || (u.Scheme != "https" && !loopback(u)) {
		return nil, fmt.Errorf("issuer %q: must be an https address", o.Issuer)
	}
	key := make([]byte, 32)
	o.Env.Rand(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	o.Bound = cmp.Or(o.Bound, bound)
	client := &http.Client{Timeout: o.Bound, Transport: bounded{o.Env.HTTP}, CheckRedirect: stay}
	return &Provider{o: o, http: client, aead: aead}, nil
}

func loopback(u *url.URL) bool {
	host := u.Hostname()
	return u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1")
}

// discovered reads the provider's discovery document, once it can be had.
func (p *Provider) discovered() (*oidc.Provider, error) {
	if found := p.seen.Load(); found != nil {
		return found, nil
	}
	_, err, _ := p.once.Do("", func() (any, error) {
		// Its keys are fetched later with this context: it has to outlive the
		// request. The client bounds each call.
		found, err := oidc.NewProvider(oidc.ClientContext(context.Background(), p.http), p.o.Issuer)
		if err == nil {
			err = safe(found, p.o.Issuer)
		}
		if err == nil {
			p.seen.Store(found)
		}
		return nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrDown, brief(err))
	}
	return p.seen.Load(), nil
}

func (p *Provider) config(at oauth2.Endpoint, redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, Endpoint: at, RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.o.Scopes...)}
}

// begun is what the browser keeps while the person is at the provider.
type begun struct {
	State, Nonce, Verifier, Next string
	At                           int64
}

// Begin gives the address at the provider to go to, and what the browser has to
// keep meanwhile. Redirect is our address that the provider leads back to, next
// the page that was wanted.
func (p *Provider) Begin(redirect, next string) (to, kept string, err error) {
	found, err := p.discovered()
	if err != nil {
		return "", "", err
	}
	b := begun{State: p.random(), Nonce: p.random(), Verifier: p.random(), Next: next, At: p.o.Env.Clock.Now().Unix()}
	text, err := json.Marshal(b)
	if err != nil {
		return "", "", err
	}
	nonce := make([]byte, p.aead.NonceSize())
	p.o.Env.Rand(nonce)
	kept = base64.RawURLEncoding.EncodeToString(p.aead.Seal(nonce, nonce, text, nil))
	return p.config(found.Endpoint(), redirect).AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)), kept, nil
}

// random is 256 random bits as text; PKCE takes 43 letters or more.
func (p *Provider) random() string {
	var b [32]byte
	p.o.Env.Rand(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (p *Provider) opened(kept string) (b begun, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(kept)
	if err != nil || len(raw) < p.aead.NonceSize() {
		return b, ErrLate
	}
	text, err := p.aead.Open(nil, raw[:p.aead.NonceSize()], raw[p.aead.NonceSize():], nil)
	if err != nil || json.Unmarshal(text, &b) != nil {
		return b, ErrLate
	}
	if age := p.o.Env.Clock.Now().Unix() - b.At; age < 0 || age > int64(life/time.Second) {
		return b, ErrLate
	}
	return b, nil
}

// Finish takes what the provider sent the browser back with.
func (p *Provider) Finish(ctx context.Context, redirect, kept string, query url.Values) (who Person, next string, err error) {
	b, err := p.opened(kept)
	if err != nil {
		return who, "", err
	}
	if query.Get("state") != b.State {
		return who, "", ErrLate
	}
	if query.Get("error") != "" || query.Get("code") == "" {
		return who, b.Next, ErrRefused // what it says more is not ours to repeat
	}
	// RFC 9207: another provider's answer is not taken for this one's.
	if iss := query.Get("iss"); iss != "" && iss != p.o.Issuer {
		return who, b.Next, ErrRefused
	}
	found, err := p.discovered()
	if err != nil {
		return who, b.Next, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.http), p.o.Bound)
	defer cancel()
	token, err := p.config(found.Endpoint(), redirect).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(b.Verifier))
	if err != nil {
		var answered *oauth2.RetrieveError
		if errors.As(err, &answered) && answered.Response != nil && answered.Response.StatusCode < http.StatusInternalServerError {
			return who, b.Next, fmt.Errorf("%w: token request: %s", ErrRefused, code(answered.ErrorCode))
		}
		return who, b.Next, fmt.Errorf("%w: token request failed", ErrDown)
	}
	raw, _ := token.Extra("id_token").(string)
	if len(raw) > maxToken {
		return who, b.Next, fmt.Errorf("%w: the id token is longer than %d bytes", ErrRefused, maxToken)
	}
	id, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.o.ClientID, Now: p.o.Env.Clock.Now}).Verify(ctx, raw)
	if err != nil {
		return who, b.Next, fmt.Errorf("%w: id token: %s", unverified(err), brief(err))
	}
	if id.Nonce != b.Nonce {
		return who, b.Next, fmt.Errorf("%w: the id token was made for another sign-in", ErrRefused)
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil || id.Subject == "" {
		return who, b.Next, fmt.Errorf("%w: the id token names nobody", ErrRefused)
	}
	who = Person{Issuer: id.Issuer, Subject: id.Subject, Login: text(claims, "preferred_username", "email"), Name: text(claims, "name", "preferred_username", "email")}
	groups := under(claims, p.o.Claim)
	if len(groups) == 0 {
		groups = p.accessGroups(ctx, found, token.AccessToken)
	}
	who.Groups = groups
	if who.Role = p.role(groups); who.Role == "" {
		return who, b.Next, ErrNoRole
	}
	return who, b.Next, nil
}

// accessGroups reads the groups of an access token, where it is a JWT of this
// provider made for us: some put roles there only.
func (p *Provider) accessGroups(ctx context.Context, found *oidc.Provider, raw string) []string {
	if strings.Count(raw, ".") != 2 || len(raw) > maxToken {
		return nil
	}
	token, err := found.VerifierContext(ctx, &oidc.Config{SkipClientIDCheck: true, Now: p.o.Env.Clock.Now}).Verify(ctx, raw)
	if err != nil {
		return nil
	}
	var claims map[string]any
	if token.Claims(&claims) != nil || (claims["azp"] != p.o.ClientID && claims["client_id"] != p.o.ClientID && !slices.Contains(token.Audience, p.o.ClientID)) {
		return nil
	}
	return under(claims, p.o.Claim)
}

// role is the widest role of a person's groups.
func (p *Provider) role(groups []string) auth.Role {
	for _, r := range []auth.Role{auth.Admin, auth.Steward, auth.Auditor, auth.Viewer} {
		if slices.ContainsFunc(groups, func(g string) bool { return p.o.Roles[g] == r }) {
			return r
		}
	}
	return ""
}

// text is the first claim that is a text.
func text(claims map[string]any, names ...string) string {
	for _, n := range names {
		if s, ok := claims[n].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// under reads the texts at a path of claims: a list, or one text. A claim whose
// own name has dots in it is taken first.
func under(claims map[string]any, path string) []string {
	v, found := claims[path]
	if name, rest, deeper := strings.Cut(path, "."); !found && deeper {
		inner, _ := claims[name].(map[string]any)
		return under(inner, rest)
	}
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
