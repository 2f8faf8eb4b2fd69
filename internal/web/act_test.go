package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/record"
)

// posted sends a form to a handler of one address, as an actor.
func posted(s *server, needs auth.Permission, role auth.Role, body string, h http.HandlerFunc) *httptest.ResponseRecorder {
	m := &routes{s: s, mux: http.NewServeMux(), need: map[string]auth.Permission{}}
	m.handle("POST /act", needs, auth.NoValues, h)
	r := httptest.NewRequest(http.MethodPost, "/act", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	m.mux.ServeHTTP(w, r.WithContext(auth.With(r.Context(), auth.Actor{ID: "amy", Role: role})))
	return w
}

func TestAnActionIsDoneToldOrRefused(t *testing.T) {
	s := newServer(fake{}, Options{Env: env.Env{Clock: stopped{}, Rand: func(p []byte) { copy(p, "0123456789") }}})
	tests := []struct {
		name string
		body string
		err  error
		code int
		text string
	}{
		{"done", "why=seen", nil, 303, ""},
		{"not there", "", record.ErrNotFound, 404, "nothing at this address"},
		{"refused", "", &Problem{Text: "the two are <one>"}, 422, "the two are &lt;one&gt;"},
		{"broken", "", errors.New("disk SECRET"), 500, "Nothing was lost"},
		{"too long", "why=" + strings.Repeat("x", maxForm), nil, 400, "too long or broken"},
	}
	for _, tt := range tests {
		ran := By{}
		w := posted(s, auth.Decide, auth.Steward, tt.body, func(w http.ResponseWriter, r *http.Request) {
			s.act(w, r, "/next", func(_ context.Context, by By) (Done, error) { ran = by; return Done{"undo", "d1"}, tt.err }, nil)
		})
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.text) || strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%s: %d %s, want %d and %q", tt.name, w.Code, w.Body, tt.code, tt.text)
		}
		if tt.code == 303 && (w.Header().Get("Location") != "/next" || ran != By{"amy", "seen"}) {
			t.Errorf("%s: leads to %s, done by %+v", tt.name, w.Header().Get("Location"), ran)
		}
	}
}

func TestWhatWasDoneIsSaidOnce(t *testing.T) {
	s := newServer(fake{}, Options{Env: env.Env{Clock: stopped{}, Rand: func(p []byte) { copy(p, "0123456789") }}})
	w := posted(s, auth.Decide, auth.Steward, "", func(w http.ResponseWriter, r *http.Request) {
		s.act(w, r, "/next", func(context.Context, By) (Done, error) { return Done{"undo", "d1"}, nil }, nil)
	})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	ahead := r.Clone(t.Context()) // fetched by the script for later: the line waits for the page that is shown
	ahead.Header.Set(aheadHeader, "1")
	early := httptest.NewRecorder()
	if p := s.page(early, ahead, ""); p.Done != (Done{}) || len(early.Result().Cookies()) != 0 {
		t.Errorf("a page fetched ahead takes the line: %+v, %v", p.Done, early.Result().Cookies())
	}
	next := httptest.NewRecorder()
	if p := s.page(next, r, ""); p.Done != (Done{"undo", "d1"}) {
		t.Errorf("the next page says %+v", p.Done)
	}
	if c := next.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", c)
	}
	forged := httptest.NewRequest(http.MethodGet, "/", nil)
	forged.AddCookie(&http.Cookie{Name: doneCookie, Value: "Your+account+is+closed d1"})
	if p := s.page(httptest.NewRecorder(), forged, ""); p.Done.Key != "" {
		t.Errorf("a text that is not ours is said: %+v", p.Done)
	}
}

func TestWhoMayNotIsTurnedAway(t *testing.T) {
	s := newServer(fake{}, Options{Env: env.Env{Clock: stopped{}, Rand: func(p []byte) { copy(p, "0123456789") }}})
	for _, role := range auth.Roles() {
		for _, needs := range auth.Permissions() {
			asked := false
			w := posted(s, needs, role, "", func(http.ResponseWriter, *http.Request) { asked = true })
			may := auth.Actor{Role: role}.May(needs)
			if asked != may || (w.Code == http.StatusForbidden) == may {
				t.Errorf("%s at what needs %s: asked %v, %d; want %v", role, needs, asked, w.Code, may)
			}
		}
	}
}
