package rest

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
)

// forgetful serves three pages whose tokens carry an epoch; it refuses those of
// an earlier one.
func forgetful(status int, body string, epoch *atomic.Value) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e := epoch.Load().(string)
		switch r.URL.Query().Get("cursor") {
		case "":
			reply(w, 200, list(e+"2", item("1", day+"1Z")))
		case e + "2":
			reply(w, 200, list(e+"3", item("2", day+"2Z")))
		case e + "3":
			reply(w, 200, list("null", item("3", day+"3Z")))
		default:
			reply(w, status, body)
		}
	}
}

func TestAForgottenPageTokenBeginsThePassAgain(t *testing.T) {
	reset := edited(t, company, "error_handler:\n", "error_handler:\n  - {status: 422, when: 'body.error.code == \"expired\"', class: reset}\n")
	for _, tt := range []struct {
		name, block string
		status      int
		body        string
	}{
		{"400", company, 400, `{"error":{"message":"bad cursor"}}`},
		{"404", company, 404, `{}`},
		{"410", company, 410, `{}`},
		{"a rule of class reset", reset, 422, `{"error":{"code":"expired"}}`},
	} {
		var epoch atomic.Value
		epoch.Store("a")
		s := serve(t, forgetful(tt.status, tt.body, &epoch))
		c := open(t, tt.block, s.URL)
		first, err := c.Pull(t.Context(), "company", nil)
		if err != nil {
			t.Fatal(err)
		}
		epoch.Store("b")
		ids, cursor, _, err := pass(t, c, first.Cursor)
		if diff := cmp.Diff([]string{"1", "2", "3"}, ids); err != nil || diff != "" {
			t.Errorf("%s: the pass gave %v, %v (-want +got):\n%s", tt.name, ids, err, diff)
		}
		if cur, err := readCursor(cursor); err != nil || cur.Mark != day+"3Z" || len(c.Notes()) != 1 {
			t.Errorf("%s: ends at %+v, %v with notes %q", tt.name, cur, err, c.Notes())
		}
	}
}

func TestASystemThatForgetsEveryTokenIsToldEveryTime(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") != "" {
			reply(w, 400, `{"error":{"message":"what cursor?"}}`)
			return
		}
		reply(w, 200, list("p2", item("1", day+"1Z")))
	})
	c := open(t, company, s.URL)
	var cursor []byte
	for round := range 3 {
		ids, at, _, err := pass(t, c, cursor)
		if !errors.Is(err, connectors.ErrRejected) || !strings.Contains(err.Error(), "again after the pass was begun anew") || len(ids) > 2 {
			t.Errorf("round %d: %v, %v; want an error of the second refusal", round, ids, err)
		}
		cursor = at
	}
	if n := s.count("GET"); n > 10 {
		t.Errorf("%d requests in three rounds, want at most four in the first and three in each other", n)
	}
}

func TestWhatIsNoForgottenTokenDoesNotBeginAgain(t *testing.T) {
	ruled := edited(t, company, "error_handler:\n", "error_handler:\n  - {status: 400, class: rate_limited}\n")
	for _, tt := range []struct {
		name, block string
		status      int
	}{
		{"500", company, 500}, {"403", company, 403}, {"429", company, 429}, {"a rule says what 400 is", ruled, 400},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("cursor") != "" {
				reply(w, tt.status, `{}`)
				return
			}
			reply(w, 200, list("p2", item("1", day+"1Z")))
		})
		_, _, n, err := pass(t, open(t, tt.block, s.URL), nil)
		if err == nil || n != 2 || s.count("GET") != 2 {
			t.Errorf("%s: ended on page %d after %d requests with %v; want the second page's error", tt.name, n, s.count("GET"), err)
		}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 404, `{}`) })
	if _, err := open(t, company, s.URL).Pull(t.Context(), "company", nil); err == nil || s.count("GET") != 1 {
		t.Errorf("404 to the first page: %v after %d requests, want an error at once", err, s.count("GET"))
	}
}

func TestCountedPagesEndWhereThereIsNoPage(t *testing.T) {
	block := edited(t, company, "{type: cursor, token: 'body.next_cursor', inject: {query: cursor}}", "{type: page, inject: {query: page}}")
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("page") {
		case "1":
			reply(w, 200, list("null", item("1", day+"1Z")))
		case "2":
			reply(w, 200, list("null", item("2", day+"2Z")))
		default:
			reply(w, 404, `{}`)
		}
	})
	ids, cursor, _, err := pass(t, open(t, block, s.URL), nil)
	if diff := cmp.Diff([]string{"1", "2"}, ids); err != nil || diff != "" {
		t.Errorf("%v, %v (-want +got):\n%s", ids, err, diff)
	}
	if cur, _ := readCursor(cursor); cur.Mark != day+"2Z" || cur.Token != nil {
		t.Errorf("ends at %+v", cur)
	}
}

// TestALinkOfAFormerAddressBeginsThePassAgain: a kept link leads to the host
// that base_url had when it was kept.
func TestALinkOfAFormerAddressBeginsThePassAgain(t *testing.T) {
	linked := edited(t, company, "{type: cursor, token: 'body.next_cursor', inject: {query: cursor}}", "{type: link, token: 'body.next_cursor'}")
	at := func() *system {
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			next := "http://" + r.Host + "/companies?cursor="
			switch r.URL.Query().Get("cursor") {
			case "":
				reply(w, 200, list(next+"2", item("1", day+"1Z")))
			case "2":
				reply(w, 200, list("null", item("2", day+"2Z")))
			}
		})
	}
	before, after := at(), at()
	first, err := open(t, linked, before.URL).Pull(t.Context(), "company", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, linked, after.URL)
	ids, _, _, err := pass(t, c, first.Cursor)
	if diff := cmp.Diff([]string{"1", "2"}, ids); err != nil || diff != "" || len(c.Notes()) != 1 || before.count("GET") != 1 {
		t.Errorf("the pass gave %v, %v with notes %q, and asked the former address %d times; want once (-want +got):\n%s", ids, err, c.Notes(), before.count("GET"), diff)
	}
}
