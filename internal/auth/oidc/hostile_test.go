package oidc

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc/oidctest"
	"touchstone/internal/env"
)

// patience is how long a hostile provider is waited for here.
const patience = 2 * time.Second

// flood sends JSON without end, as far as anybody reads.
func flood(w io.Writer) {
	part := []byte(strings.Repeat(" ", 64<<10))
	for range 160 { // 10 MB
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}

// packed is the flood as a few kilobytes. It is packed once, before it is asked for:
// that takes longer than anybody waits on a busy machine.
var packed = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	flood(z)
	_ = z.Close() // nothing fails in memory
	return b.Bytes()
})

// hostile are the ways in which a provider answers badly, and what is said of it.
func hostile(hung <-chan struct{}) map[string]struct {
	answer http.HandlerFunc
	told   string
} {
	type way = struct {
		answer http.HandlerFunc
		told   string
	}
	return map[string]way{
		"10 MB": {func(w http.ResponseWriter, _ *http.Request) { flood(w) }, "more than 262144 bytes"},
		"10 MB, announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10485760")
			flood(w)
		}, "more than 262144 bytes"},
		"10 MB, packed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed())
		}, "more than 262144 bytes"},
		"headers of 1 MB": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", strings.Repeat("x", 1<<20))
			w.WriteHeader(http.StatusOK)
		}, "exceeded"},
		"nothing": {func(_ http.ResponseWriter, r *http.Request) { wait(hung, r) }, "exceeded"},
		"headers and nothing": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			wait(hung, r)
		}, "exceeded"},
		"a byte now and then": {func(w http.ResponseWriter, r *http.Request) {
			for range 1000 {
				if _, err := w.Write([]byte(" ")); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-hung:
					return
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}, "exceeded"},
		"half of it": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"issuer":`)
		}, "unexpected EOF"},
		"a circle": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"?again", http.StatusFound)
		}, "leads on more than 3 times"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/SECRET", http.StatusTemporaryRedirect)
		}, "leads elsewhere"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, "<html>SECRET "+strings.Repeat("x", 100_000))
		}, "not JSON"},
		"a status": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, "SECRET "+strings.Repeat("x", 100_000))
		}, "status 403"},
		"another shape": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `["SECRET"]`)
		}, "cannot unmarshal"},
	}
}

func wait(hung <-chan struct{}, r *http.Request) {
	select {
	case <-hung:
	case <-r.Context().Done():
	}
}

// TestAHostileProviderCostsLittle: whatever the discovery document or the keys are
// answered with, a sign-in ends within its time and with little memory, says that
// the provider is at fault, and repeats little of what it sent.
func TestAHostileProviderCostsLittle(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	packed()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ways := hostile(hung)
	t.Run("ways", func(t *testing.T) {
		for name, way := range ways {
			for _, path := range []string{"/.well-known/openid-configuration", "/keys"} {
				t.Run(name+path[strings.LastIndex(path, "/"):], func(t *testing.T) {
					t.Parallel()
					endures(t, path, way.answer, way.told)
				})
			}
		}
	})
	runtime.ReadMemStats(&after)
	if grew, most := after.TotalAlloc-before.TotalAlloc, uint64(4<<20*len(ways)); grew > most { // with what the servers take
		t.Errorf("all of it took %d bytes of memory, want %d at most", grew, most)
	}
}

// endures signs in by a provider that answers one path badly, and then again when
// it behaves.
func endures(t *testing.T, path string, bad http.HandlerFunc, told string) {
	t.Helper()
	i := oidctest.New(t)
	i.Claims = map[string]any{"groups": "it"}
	var behaves atomic.Bool
	good := i.Config.Handler
	i.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path && !behaves.Load() {
			bad(w, r)
			return
		}
		good.ServeHTTP(w, r)
	})
	p, err := New(Options{Issuer: i.URL, ClientID: "touchstone", Claim: "groups", Roles: map[string]auth.Role{"it": auth.Admin}, Env: env.Real(), Bound: patience})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	to, kept, err := p.Begin(back, "/")
	if err == nil {
		_, _, err = p.Finish(t.Context(), back, kept, i.Asked(t, to))
	}
	if took := time.Since(began); took > 5*patience {
		t.Errorf("it took %v", took)
	}
	if !errors.Is(err, ErrDown) || !strings.Contains(err.Error(), told) || strings.Contains(err.Error(), "SECRET x") || len(err.Error()) > 3*maxBrief+200 {
		t.Errorf("%.400v, want ErrDown with %q", err, told)
	}
	behaves.Store(true)
	if to, kept, err = p.Begin(back, "/"); err != nil {
		t.Fatalf("once it behaves: %v", err)
	}
	if who, _, err := p.Finish(t.Context(), back, kept, i.Asked(t, to)); err != nil || who.Role != auth.Admin {
		t.Errorf("once it behaves: %+v, %v", who, err)
	}
}

// TestAHostileTokenAnswer: the answer to the code is as bounded as the others.
func TestAHostileTokenAnswer(t *testing.T) {
	json := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, text)
		}
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		err    error
		told   string
	}{
		"10 MB":             {func(w http.ResponseWriter, _ *http.Request) { flood(w) }, ErrDown, "token request failed"},
		"a page":            {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>SECRET") }, ErrDown, "token request failed"},
		"a token of 200 kB": {json(`{"access_token":"x","token_type":"Bearer","id_token":"` + strings.Repeat("e", 200_000) + `"}`), ErrRefused, "longer than 65536 bytes"},
		"no id token":       {json(`{"access_token":"x","token_type":"Bearer"}`), ErrRefused, "id token"},
		"a long error": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"error":"SECRET%s"}`, strings.Repeat("x", 100_000))
		}, ErrRefused, "refused without a code"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, ErrDown, "token request failed"},
	} {
		t.Run(name, func(t *testing.T) {
			i := oidctest.New(t)
			good := i.Config.Handler
			i.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					tt.answer(w, r)
					return
				}
				good.ServeHTTP(w, r)
			})
			p, err := New(Options{Issuer: i.URL, ClientID: "touchstone", ClientSecret: "ours", Env: env.Real(), Bound: patience})
			if err != nil {
				t.Fatal(err)
			}
			to, kept, err := p.Begin(back, "/")
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = p.Finish(t.Context(), back, kept, i.Asked(t, to))
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.told) || strings.Contains(err.Error(), "SECRET") || len(err.Error()) > 1000 {
				t.Errorf("%.300v, want %v with %q", err, tt.err, tt.told)
			}
		})
	}
}

// TestADiscoveryDocumentLeadsToSafeAddresses: where the secret and the code are
// sent is protected.
func TestADiscoveryDocumentLeadsToSafeAddresses(t *testing.T) {
	for name, addresses := range map[string][3]string{
		"authorization_endpoint": {"javascript:alert(1)", "%s/token", "%s/keys"},
		"token_endpoint":         {"%s/auth", "http://id.example.com/token", "%s/keys"},
		"jwks_uri":               {"%s/auth", "%s/token", "file:///etc/passwd"},
	} {
		var base string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			at := func(s string) string { return strings.ReplaceAll(s, "%s", base) }
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q}`, base, at(addresses[0]), at(addresses[1]), at(addresses[2]))
		}))
		base = srv.URL
		p, err := New(Options{Issuer: base, ClientID: "touchstone", Env: env.Real()})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.Begin(back, "/"); !errors.Is(err, ErrDown) || !strings.Contains(err.Error(), "the "+name+" of its discovery document is no https address") {
			t.Errorf("%s: %v", name, err)
		}
		srv.Close()
	}
}

// TestManyAtAHostileProvider: a hundred people at once cost one question, and each
// is told within the time of one.
func TestManyAtAHostileProvider(t *testing.T) {
	hung := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { wait(hung, r) }))
	defer srv.Close()
	defer close(hung)
	p, err := New(Options{Issuer: srv.URL, ClientID: "touchstone", Env: env.Real(), Bound: patience})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, _, err := p.Begin(back, "/"); !errors.Is(err, ErrDown) {
				t.Errorf("begin: %v, want ErrDown", err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > 10*patience {
		t.Errorf("all were told after %v", took)
	}
}
