package oidc

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc/oidctest"
	"touchstone/internal/env"
)

// clock can be set ahead.
type clock struct{ ahead time.Duration }

func (c *clock) Now() time.Time                                   { return time.Now().Add(c.ahead) }
func (c *clock) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

const back = "http://127.0.0.1:8480/login/oidc/callback"

func TestSignIn(t *testing.T) {
	roles := map[string]auth.Role{"crm-stewards": auth.Steward, "it": auth.Admin, "audit": auth.Auditor}
	keycloak := map[string]any{"azp": "touchstone", "aud": "account", "realm_access": map[string]any{"roles": []string{"offline_access", "crm-stewards"}}}
	tests := []struct {
		name  string
		claim string
		set   func(*oidctest.Issuer, *clock)
		query func(url.Values)
		kept  string // instead of what the browser keeps
		role  auth.Role
		err   error
	}{
		{name: "a group in the id token", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["groups"] = []string{"crm-stewards"} }, role: auth.Steward},
		{name: "one group that is no list", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["groups"] = "it" }, role: auth.Admin},
		{name: "the widest of several", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["groups"] = []string{"audit", "it", "crm-stewards"} }, role: auth.Admin},
		{name: "roles in the access token only", claim: "realm_access.roles", set: func(i *oidctest.Issuer, _ *clock) { i.Access = keycloak }, role: auth.Steward},
		{name: "a claim with dots in its name", claim: "https://example.com/roles", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["https://example.com/roles"] = []string{"audit"} }, role: auth.Auditor},
		{name: "an access token made for another client", claim: "realm_access.roles", set: func(i *oidctest.Issuer, _ *clock) {
			i.Access = maps.Clone(keycloak)
			i.Access["azp"] = "other"
		}, err: ErrNoRole},
		{name: "an access token that says nothing", claim: "realm_access.roles", set: func(i *oidctest.Issuer, _ *clock) { i.Opaque = true }, err: ErrNoRole},
		{name: "no group with a role", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["groups"] = []string{"sales"} }, err: ErrNoRole},
		{name: "another nonce", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["nonce"] = "replayed" }, err: ErrRefused},
		{name: "another audience", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["aud"] = "other" }, err: ErrRefused},
		{name: "another issuer", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["iss"] = "https://evil.example.com" }, err: ErrRefused},
		{name: "expired", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Claims["exp"] = time.Now().Add(-time.Hour).Unix() }, err: ErrRefused},
		{name: "signed by somebody else", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.SignWith = i.Other }, err: ErrRefused},
		{name: "another state", claim: "groups", query: func(v url.Values) { v.Set("state", "forged") }, err: ErrLate},
		{name: "another code", claim: "groups", query: func(v url.Values) { v.Set("code", "bad") }, err: ErrRefused},
		{name: "refused at the provider", claim: "groups", query: func(v url.Values) { v.Set("error", "access_denied") }, err: ErrRefused},
		{name: "an answer of another provider", claim: "groups", query: func(v url.Values) { v.Set("iss", "https://evil.example.com") }, err: ErrRefused},
		{name: "too late", claim: "groups", set: func(_ *oidctest.Issuer, c *clock) { c.ahead = 11 * time.Minute }, err: ErrLate},
		{name: "not begun here", claim: "groups", kept: "x", err: ErrLate},
		{name: "the provider is down by then", claim: "groups", set: func(i *oidctest.Issuer, _ *clock) { i.Down = true }, err: ErrDown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i, c := oidctest.New(t), &clock{}
			i.Claims = map[string]any{"preferred_username": "amy", "name": "Amy Wong"}
			world := env.Real()
			world.Clock = c
			p, err := New(Options{Issuer: i.URL, ClientID: "touchstone", Claim: tt.claim, Roles: roles, Env: world})
			if err != nil {
				t.Fatal(err)
			}
			to, kept, err := p.Begin(back, "/review")
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(to)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			if q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != back || q.Get("response_type") != "code" || q.Get("scope") != "openid" {
				t.Errorf("the provider is asked %v", q)
			}
			answer := i.Asked(t, to)
			if tt.set != nil {
				tt.set(i, c)
			}
			if tt.kept != "" {
				kept = tt.kept
			}
			if tt.query != nil {
				tt.query(answer)
			}
			who, next, err := p.Finish(t.Context(), back, kept, answer)
			if !errors.Is(err, tt.err) || who.Role != tt.role {
				t.Fatalf("%+v, %v; want role %q and %v", who, err, tt.role, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error repeats what the provider said: %v", err)
			}
			if tt.err == nil && (who.Issuer != i.URL || who.Subject != "u-1" || who.Login != "amy" || who.Name != "Amy Wong" || next != "/review") {
				t.Errorf("%+v, next %s", who, next)
			}
		})
	}
}

func TestAProviderThatIsDownIsAskedAgain(t *testing.T) {
	i := oidctest.New(t)
	i.Down = true
	p, err := New(Options{Issuer: i.URL, ClientID: "touchstone", Env: env.Real()})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Begin(back, "/"); !errors.Is(err, ErrDown) {
		t.Fatalf("begin: %v, want ErrDown", err)
	}
	i.Down = false
	if _, _, err := p.Begin(back, "/"); err != nil {
		t.Errorf("begin again: %v", err)
	}
}

func TestAnIssuerWithoutTLSIsRefused(t *testing.T) {
	for _, issuer := range []string{"http://id.example.com", "id.example.com", "", "ftp://127.0.0.1"} {
		if _, err := New(Options{Issuer: issuer, Env: env.Real()}); err == nil {
			t.Errorf("issuer %q is taken", issuer)
		}
	}
}

// slow is a provider that says nothing before the gate opens, and then fails.
type slow struct {
	gate  chan struct{}
	asked atomic.Int32
}

func (s *slow) RoundTrip(*http.Request) (*http.Response, error) {
	s.asked.Add(1)
	<-s.gate
	return nil, errors.New("no answer")
}

func TestAProviderIsAskedOnceByAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, world := &slow{gate: make(chan struct{})}, env.Real()
		world.HTTP = provider
		p, err := New(Options{Issuer: "http://127.0.0.1", ClientID: "touchstone", Env: world})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, _, err := p.Begin(back, "/"); !errors.Is(err, ErrDown) {
					t.Errorf("begin: %v, want ErrDown", err)
				}
			})
		}
		synctest.Wait()
		close(provider.gate)
		all.Wait()
		if n := provider.asked.Load(); n != 1 {
			t.Errorf("five people at once made %d requests, want 1", n)
		}
	})
}
