package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// What a provider sends is somebody else's: however long, late or wrong it is, a
// sign-in costs little, and no error repeats it at length.
const (
	// maxAnswer bounds what the provider may send, in bytes.
	maxAnswer = 256 << 10
	// maxRedirects is how often it may lead to another address of its own.
	maxRedirects = 3
	// maxBrief bounds what an error repeats of what went wrong, in runes.
	maxBrief = 300
)

// stay lets the provider lead on to addresses of its own alone: what we send it,
// such as the client's secret, is for nobody else.
func stay(r *http.Request, via []*http.Request) error {
	switch first := via[0].URL; {
	case r.URL.Host != first.Host || r.URL.Scheme != first.Scheme:
		return errors.New("the identity provider leads elsewhere")
	case len(via) > maxRedirects:
		return fmt.Errorf("the identity provider leads on more than %d times", maxRedirects)
	}
	return nil
}

// bounded reads each answer before anybody works on it: no longer than the bound,
// and what was asked for without a form has to be JSON.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := answer(resp)
	if err != nil {
		return nil, err
	}
	if led := resp.StatusCode >= 300 && resp.StatusCode < 400; r.Method == http.MethodGet && !led {
		switch {
		case resp.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("it answers with status %d", resp.StatusCode)
		case !json.Valid(body):
			return nil, errors.New("what it answers is not JSON")
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// answer reads a bounded body, and closes it.
func answer(resp *http.Response) (body []byte, err error) {
	tooLong := fmt.Errorf("it answers with more than %d bytes", maxAnswer)
	if resp.ContentLength > maxAnswer {
		return nil, errors.Join(tooLong, resp.Body.Close())
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("its answer breaks off: %w", err)
	case len(body) > maxAnswer:
		return nil, tooLong
	}
	return body, nil
}

// safe checks the addresses that a discovery document names: they are as well
// protected as the issuer's own.
func safe(found *oidc.Provider, issuer string) error {
	var more struct {
		Keys string `json:"jwks_uri"`
	}
	if err := found.Claims(&more); err != nil {
		return fmt.Errorf("discovery document: %w", err)
	}
	plain := strings.HasPrefix(issuer, "http:") // of this machine, see New
	at := found.Endpoint()
	for _, x := range []struct{ name, address string }{{"authorization_endpoint", at.AuthURL}, {"token_endpoint", at.TokenURL}, {"jwks_uri", more.Keys}} {
		u, err := url.Parse(x.address)
		if err != nil || u.Host == "" || (u.Scheme != "https" && (!plain || !loopback(u))) {
			return fmt.Errorf("the %s of its discovery document is no https address", x.name)
		}
	}
	return nil
}

// unverified says whose fault it is that a token could not be checked: the
// person's, or that of a provider that does not give its keys.
func unverified(err error) error {
	if strings.Contains(err.Error(), "fetching keys") { // go-oidc wraps it in words alone
		return ErrDown
	}
	return ErrRefused
}

// brief is an error in a few words.
func brief(err error) string {
	text := []rune(err.Error())
	if len(text) > maxBrief {
		text = append(text[:maxBrief:maxBrief], '…')
	}
	return string(text)
}

// code is an error code of OAuth 2.0, which is letters and underscores (RFC 6749,
// section 5.2); anything else is not repeated.
func code(s string) string {
	if s == "" || len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "refused without a code"
	}
	return s
}
