package app

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rotator is a system whose refresh tokens work once.
type rotator struct {
	mu   sync.Mutex
	used []string
	good string
}

func (s *rotator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/token":
		_ = r.ParseForm()
		token := r.PostForm.Get("refresh_token")
		s.used = append(s.used, token)
		if token != fmt.Sprintf("canary-refresh-%d", len(s.used)-1) {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
			return
		}
		s.good = fmt.Sprintf("canary-access-%d", len(s.used))
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"refresh_token":"canary-refresh-%d","expires_in":600}`, s.good, len(s.used))
	case r.Header.Get("Authorization") != "Bearer "+s.good:
		w.WriteHeader(401)
		_, _ = io.WriteString(w, `{}`)
	default:
		_, _ = io.WriteString(w, `{"items":[{"id":"1","name":"Aurora Ltd"}]}`)
	}
}

// A refresh token that works once is used once, whatever stops in between, and
// stands in the store sealed.
func TestARotatedRefreshTokenSurvivesRestarts(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		sys := &rotator{}
		srv := httptest.NewServer(sys)
		t.Cleanup(srv.Close)
		if err := os.WriteFile(filepath.Join(w.dir, "first.token"), []byte("canary-refresh-0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		hour := func() { _ = w.clock.Sleep(t.Context(), time.Hour) }
		w.yaml = fmt.Sprintf(`
sources:
  crm:
    type: rest
    base_url: %s
    auth: {type: oauth2, token_url: %[1]s/token, client_id: c, grant: refresh_token, refresh_token: "${file:first.token}"}
    streams: {company: {list: {path: /companies, records: 'body.items'}, id: 'record.id'}}
    entities: {company: {map: {name: 'record.name'}}}
`, srv.URL)
		w.open()
		w.clean()
		w.restart("") // within the token's life: it is read from the store
		w.clean()
		hour() // behind it
		w.clean()
		w.restart("")
		hour()
		w.clean()
		if diff := cmp.Diff([]string{"canary-refresh-0", "canary-refresh-1", "canary-refresh-2"}, sys.used); diff != "" {
			t.Errorf("refresh tokens used (-want +got):\n%s", diff)
		}
		if bytes.Contains(w.log.Bytes(), []byte("canary")) {
			t.Error("the log shows a token")
		}
		files, _ := filepath.Glob(filepath.Join(w.dir, "data", "*"))
		for _, f := range files {
			if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte("canary")) {
				t.Errorf("%s holds a token in the clear", filepath.Base(f))
			}
		}
	})
}
