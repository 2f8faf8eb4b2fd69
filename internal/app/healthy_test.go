package app

import (
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/store/storetest"
	"touchstone/internal/web"
)

// probes are what an orchestrator asks of a daemon.
type probes struct {
	*running
	h http.Handler
}

func (r *running) probes() probes {
	return probes{r, web.New(r.app, web.Options{Env: env.Real(), Log: slog.New(slog.DiscardHandler), Health: r.app.Healthy, Ready: r.daemon.Ready})}
}

func (p probes) ask(path string) (code int, status string, reasons []string) {
	p.Helper()
	q := httptest.NewRequestWithContext(p.Context(), http.MethodGet, path, http.NoBody)
	q.Host = "127.0.0.1:8480"
	rec := httptest.NewRecorder()
	p.h.ServeHTTP(rec, q)
	var answer struct {
		Status  string
		Reasons []string
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
		p.Errorf("%s answers %q: %v", path, rec.Body, err)
	}
	return rec.Code, answer.Status, answer.Reasons
}

// want asks both, until readiness gives the reason, "" for ready.
func (p probes) want(when string, healthy int, reason string) {
	p.Helper()
	ready := http.StatusOK
	if reason != "" {
		ready = http.StatusServiceUnavailable
	}
	p.until(when+": readyz "+reason, func() bool {
		code, status, reasons := p.ask("/readyz")
		return code == ready && (reason == "" && status == "ready" && len(reasons) == 0 || reason != "" && status == "not ready" && strings.Contains(strings.Join(reasons, ";"), reason))
	})
	if code, status, _ := p.ask("/healthz"); code != healthy || status != map[int]string{200: "ok", 503: "unhealthy"}[healthy] {
		p.Errorf("%s: healthz %d %s, want %d", when, code, status, healthy)
	}
}

func TestProbesWhileTheDatabaseServerIsAway(t *testing.T) {
	t.Parallel()
	line := newLine(t, storetest.Postgres(t))
	w, crm, _ := acmes(t, line.dsn)
	r := w.run()
	r.untilDelivered("desk", 1)
	p := r.probes()
	p.want("at work", 200, "")
	line.cut()
	began := time.Now()
	p.want("the server is away", 503, "the store does not answer")
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("the answers took %s", took)
	}
	line.mend()
	p.want("the server is back", 200, "")
	crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
	r.untilDelivered("desk", 2)
}

func TestProbesWithoutTheStoresFile(t *testing.T) {
	t.Parallel()
	w, _, _ := acmes(t, "")
	r := w.run()
	r.untilDelivered("desk", 1)
	p := r.probes()
	p.want("at work", 200, "")
	file := w.file()
	away := filepath.Join(w.dir, "away")
	if err := os.Rename(file, away); err != nil {
		t.Fatal(err)
	}
	p.want("the file is gone", 503, "the store does not answer")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.want("another file is there", 503, "the store does not answer")
	if err := os.Rename(away, file); err != nil {
		t.Fatal(err)
	}
	p.want("the file is back", 200, "")
}

func TestProbesAtTheStartAndTheEnd(t *testing.T) {
	t.Parallel()
	w, _, desk := acmes(t, "")
	release, asked := make(chan struct{}), make(chan struct{})
	var once sync.Once
	desk.before = func(_ http.ResponseWriter, q *http.Request) bool {
		if q.Method != http.MethodGet {
			once.Do(func() { close(asked) })
			<-release
		}
		return false
	}
	r := w.run()
	p := r.probes()
	if reasons := NewDaemon(r.app, nil).Ready(t.Context()); len(reasons) != 1 || reasons[0] != "the daemon is starting" {
		t.Errorf("before it runs: %q, want that it is starting", reasons)
	}
	<-asked
	p.want("at work", 200, "")
	r.stop()
	p.want("a write is under way and the daemon ends", 200, "the daemon is stopping")
	close(release)
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	close(r.ended)
}

func TestProbesWithoutTheLease(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	w, crm, _ := acmes(t, dsn)
	r := w.run()
	r.untilDelivered("desk", 1)
	p := r.probes()
	p.want("at work", 200, "")
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE lease SET epoch = epoch + 1, host = 'other.example.com'`); err != nil {
		t.Fatal(err)
	}
	crm.edit("c1", map[string]any{"phone": "+44 113 496 0005"})
	p.want("another process has the store", 200, "the daemon is stopping")
}

// TestReadinessWhileRecordsCannotBeResolved breaks what the resolver alone needs.
func TestReadinessWhileRecordsCannotBeResolved(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	w, crm, _ := acmes(t, dsn)
	r := w.run()
	r.untilDelivered("desk", 1)
	p := r.probes()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rename := func(from, to string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), `ALTER TABLE `+from+` RENAME TO `+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("match", "match_away")
	crm.edit("c1", map[string]any{"name": "Acme Tools and Sons Ltd"})
	p.want("a table is away", 200, "records cannot be resolved")
	rename("match_away", "match")
	if got := r.reload(r.yaml); !got.Taken { // which does not wait for the pause to end
		t.Fatalf("reload: %+v", got)
	}
	p.want("it is back", 200, "")
}

// line stands between a daemon and its database server, and can be cut.
type line struct {
	dsn  string
	to   string
	addr string
	t    *testing.T

	mu    sync.Mutex
	l     net.Listener
	conns []net.Conn
	all   sync.WaitGroup
}

func newLine(t *testing.T, dsn string) *line {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	x := &line{t: t, to: u.Host, addr: "127.0.0.1:0"}
	x.mend()
	u.Host = x.addr
	x.dsn = u.String()
	t.Cleanup(func() { x.cut(); x.all.Wait() })
	return x
}

func (x *line) mend() {
	x.t.Helper()
	l, err := net.Listen("tcp", x.addr)
	if err != nil {
		x.t.Fatal(err)
	}
	x.mu.Lock()
	x.l, x.addr = l, l.Addr().String()
	x.mu.Unlock()
	x.all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", x.to)
			if err != nil {
				_ = in.Close()
				continue
			}
			x.mu.Lock()
			x.conns = append(x.conns, in, out)
			x.mu.Unlock()
			pipe := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_, _ = to.Close(), from.Close()
			}
			x.all.Go(func() { pipe(in, out) })
			x.all.Go(func() { pipe(out, in) })
		}
	})
}

func (x *line) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	_ = x.l.Close()
	for _, c := range x.conns {
		_ = c.Close()
	}
	x.conns = nil
}
