package web

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc"
	"touchstone/internal/env"
	"touchstone/internal/lookup"
)

var update = flag.Bool("update", false, "write docs/permissions.md anew")

// allRoutes is the table of every address of the pages, with all that can be
// switched on.
func allRoutes() *routes {
	o := Options{Env: env.Env{Clock: stopped{}, Rand: func(p []byte) { copy(p, "0123456789") }}, ShowValues: true, Provider: noProvider{}, LookUp: noLookUps{}, Metrics: http.NotFoundHandler()}
	return newServer(newOffice(), o).routesOf()
}

// TestWhoMayAskForWhat asks for every address in every role: 403 is answered
// exactly where the table says so.
func TestWhoMayAskForWhat(t *testing.T) {
	m := allRoutes()
	if len(m.list) < 60 {
		t.Fatalf("%d addresses", len(m.list))
	}
	roles := append([]auth.Role{""}, auth.Roles()...)
	for _, route := range m.list {
		for _, role := range roles {
			method, path := asked(route.Pattern)
			r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
			if _, got := m.mux.Handler(r); got != route.Pattern {
				t.Errorf("%s is answered by %q", route.Pattern, got)
				continue
			}
			actor := auth.Actor{ID: "somebody", Role: role}
			may := actor.May(route.Needs)
			w := httptest.NewRecorder()
			refused := false
			// What may be done is not done here: the data are pretended, and some
			// handlers need more of them. The check stands before the handler.
			func() {
				defer func() { _ = recover() }()
				m.mux.ServeHTTP(w, r.WithContext(auth.With(ended(t), actor)))
			}()
			refused = w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), "Your role does not include this")
			if refused == may {
				t.Errorf("%s as %q: %d; may is %v", route.Pattern, role, w.Code, may)
			}
		}
	}
}

// TestWhatIsOpenToAll holds the addresses that ask nobody who they are against
// a list: one more is a decision.
func TestWhatIsOpenToAll(t *testing.T) {
	want := []string{
		"GET /assets/{name}", "GET /healthz", "GET /readyz", "GET /login", "POST /login", "POST /login/code", "POST /logout", "GET /setup", "POST /setup",
		"GET /login/oidc", "GET /login/oidc/callback",
	}
	var got []string
	for _, r := range allRoutes().list {
		if r.Needs == auth.Open {
			got = append(got, r.Pattern)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("open to all:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// narrowing says what the last column of docs/permissions.md means.
const narrowing = `Who has scopes reaches some customers alone, from who has masks fields are kept back (docs/access.md). What an address does for them:

- **no values**: it shows nothing of customers and counts none.
- **by customer**, **by pair**: what the address names has to be in reach, or it is as if it were not there; values are masked.
- **by list**: its rows are chosen by reach, and their values masked.
- **…, unmasked**: the same for who has no mask; who has one is refused.
- **counts of all**: it shows no values but counts all customers: refused to who has a scope.
- **whole only**: refused to who has a scope or a mask.

The command line is the operator's, as server.api_token and the reconciliation service are: they are not narrowed.
`

// TestThePermissionsAreDocumented holds docs/permissions.md against the tables.
func TestThePermissionsAreDocumented(t *testing.T) {
	const file = "../../docs/permissions.md"
	var b strings.Builder
	b.WriteString("# Who may do what\n\nMade from the tables of the program by `go test ./internal/web -run Documented -update`. The API's permissions stand in /openapi.json as `x-permission`, and how it is narrowed as `x-narrow`.\n\n| permission |")
	for _, r := range auth.Roles() {
		fmt.Fprintf(&b, " %s |", r)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(auth.Roles())) + "\n")
	for _, p := range auth.Permissions() {
		fmt.Fprintf(&b, "| %s |", p)
		for _, r := range auth.Roles() {
			sign := " "
			if (auth.Actor{Role: r}).May(p) {
				sign = " ✓ "
			}
			b.WriteString(sign + "|")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n" + narrowing + "\n| address | permission | narrowed |\n|---|---|---|\n")
	list := slices.SortedFunc(slices.Values(allRoutes().list), func(x, y Route) int {
		_, a, _ := strings.Cut(x.Pattern, "/")
		_, c, _ := strings.Cut(y.Pattern, "/")
		return strings.Compare(a+x.Pattern, c+y.Pattern)
	})
	for _, r := range list {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Pattern, r.Needs, r.Narrow)
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what the tables say; run this test with -update", file)
	}
}

// asked makes a request's method and path of a pattern.
func asked(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern
	}
	path = strings.TrimSuffix(path, "{$}")
	path = regexp.MustCompile(`\{[a-z]+(\.\.\.)?\}`).ReplaceAllString(path, "x")
	if pattern == "/" {
		path = "/nowhere/at/all"
	}
	return method, path
}

// ended is a context that is over: what would wait does not.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// noProvider is an identity provider that nobody asks.
type noProvider struct{}

func (noProvider) Begin(string, string) (string, string, error) { return "", "", oidc.ErrDown }

func (noProvider) Finish(context.Context, string, string, url.Values) (oidc.Person, string, error) {
	return oidc.Person{}, "", oidc.ErrDown
}

// noLookUps answers no look-up.
type noLookUps struct{ LookUps }

func (noLookUps) OwnFields() lookup.Own { return nil }
