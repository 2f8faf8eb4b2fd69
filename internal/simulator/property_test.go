package simulator

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// writes draws any mix of requests, good and bad ones.
func writes(t *rapid.T) []request {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request {
		q := request{
			method: rapid.SampledFrom([]string{"POST", "PATCH", "PUT", "DELETE"}).Draw(t, "method"),
			object: "companies",
			idem:   rapid.SampledFrom([]string{"", "", "k1", "k2"}).Draw(t, "idem"),
			human:  rapid.Bool().Draw(t, "human"),
		}
		key := rapid.SampledFrom([]string{"g-1", "g-2", "g-3"}).Draw(t, "key")
		switch q.method {
		case http.MethodPut:
			q.key = key
		case http.MethodPatch, http.MethodDelete:
			q.id = rapid.SampledFrom([]string{"o1001", "o1002", "o1003"}).Draw(t, "id")
			q.ifMatch = rapid.SampledFrom([]string{"", "v1", "v2"}).Draw(t, "if_match")
		}
		q.path = "/companies/" + q.id + q.key
		q.body = []byte(rapid.OneOf(rapid.SampledFrom([]string{
			`{"title":" A ","tel":"+1 555","external_id":"` + key + `"}`,
			`{"title":"B","address":{"city":"York"}}`, `{"title":"B","address":null}`, `{"address":{"line":null,"zip":"1"}}`,
			`{"headcount":1e400,"title":"C"}`, `{"headcount":9007199254740993}`, `{"tel":null}`, `{"nope":1}`, `[`, `{}`,
		}), rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf(`{"title":%q}`, rapid.StringMatching(`[a-z \p{Han}\\n"]{0,8}`).Draw(t, "title"))
		})).Draw(t, "body"))
		return q
	}), 0, 25).Draw(t, "writes")
}

func closing(t *rapid.T, s *System) {
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestReopenedStateIsTheSame(t *testing.T) {
	base := t.TempDir()
	seed := Seed{"companies": raws(`{"id":"o1001","updated_at":"2025-11-01T10:00:00Z","title":"A","address":"wrong type"}`)}
	p := Desk()
	p.IdempotencyKeys = true
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "s")
		if err != nil {
			t.Fatal(err)
		}
		sys, err := Open(dir, p, seed)
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, sys)
		for _, q := range writes(t) {
			sys.mu.Lock()
			sys.write(q)
			sys.mu.Unlock()
		}
		before, err := sys.State()
		if err != nil {
			t.Fatal(err)
		}
		if cut := rapid.IntRange(0, 3).Draw(t, "torn"); cut > 0 {
			f, err := os.OpenFile(filepath.Join(dir, logName), os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the test's own folder
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(`{"n"`[:cut]); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		again, err := Open(dir, p, seed)
		if err != nil {
			t.Fatalf("reopen: %v", err)
		}
		defer closing(t, again)
		after, err := again.State()
		if err != nil {
			t.Fatal(err)
		}
		if string(before) != string(after) {
			t.Fatalf("state after reopening\n%s\nwant\n%s", after, before)
		}
		for k, first := range sys.keys {
			if got := again.keys[k]; string(got.answer.body) != string(first.answer.body) || got.answer.status != first.answer.status || got.request != first.request {
				t.Fatalf("key %s replays %d %s after reopening, want %d %s", k, got.answer.status, got.answer.body, first.answer.status, first.answer.body)
			}
		}
	})
}
