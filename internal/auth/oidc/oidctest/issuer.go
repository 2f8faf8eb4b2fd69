// Package oidctest is an identity provider on loopback for tests.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"touchstone/internal/env"
)

// Issuer is an identity provider on loopback, with an encryption key beside its
// signing key, as Keycloak has one. It keeps what it was asked.
type Issuer struct {
	*httptest.Server
	Key, Other *ecdsa.PrivateKey // it publishes Key
	encrypts   *rsa.PrivateKey
	Down       bool // it answers 502

	Challenge, Nonce string            // of the last authorization request
	Claims, Access   map[string]any    // put into the next id token and access token
	SignWith         *ecdsa.PrivateKey // signs them
	Opaque           bool              // the access token is no JWT
}

// New starts one; it ends with the test.
func New(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{}
	for _, k := range []**ecdsa.PrivateKey{&i.Key, &i.Other} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		*k = key
	}
	var err error
	if i.encrypts, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	i.SignWith = i.Key
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case i.Down:
			w.WriteHeader(http.StatusBadGateway)
		case r.URL.Path == "/.well-known/openid-configuration":
			i.say(w, map[string]any{
				"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
				"id_token_signing_alg_values_supported": []string{"ES256"},
			})
		case r.URL.Path == "/keys":
			i.say(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
				{Key: &i.encrypts.PublicKey, KeyID: "enc", Algorithm: "RSA-OAEP", Use: "enc"},
				{Key: &i.Key.PublicKey, KeyID: "sig", Algorithm: "ES256", Use: "sig"},
			}})
		case r.URL.Path == "/token":
			i.token(t, w, r)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *Issuer) say(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func (i *Issuer) token(t testing.TB, w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if r.FormValue("code") != "good" || base64.RawURLEncoding.EncodeToString(sum[:]) != i.Challenge {
		w.WriteHeader(http.StatusBadRequest)
		i.say(w, map[string]string{"error": "invalid_grant", "error_description": "SECRET"})
		return
	}
	access := "opaque"
	if !i.Opaque {
		access = i.sign(t, i.Access)
	}
	i.say(w, map[string]any{"access_token": access, "token_type": "Bearer", "id_token": i.sign(t, i.Claims)})
}

func (i *Issuer) sign(t testing.TB, claims map[string]any) string {
	now := env.Real().Clock.Now()
	all := map[string]any{"iss": i.URL, "sub": "u-1", "aud": "touchstone", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "nonce": i.Nonce}
	maps.Copy(all, claims)
	text, err := json.Marshal(all)
	if err != nil {
		t.Error(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.SignWith}, (&jose.SignerOptions{}).WithHeader("kid", "sig"))
	if err != nil {
		t.Error(err)
	}
	o, err := signer.Sign(text)
	if err != nil {
		t.Error(err)
	}
	out, err := o.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return out
}

// Asked takes an address that a browser is sent to, as the provider does, and
// gives what it sends the browser back with.
func (i *Issuer) Asked(t testing.TB, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	i.Challenge, i.Nonce = q.Get("code_challenge"), q.Get("nonce")
	return url.Values{"state": {q.Get("state")}, "code": {"good"}, "iss": {i.URL}}
}
