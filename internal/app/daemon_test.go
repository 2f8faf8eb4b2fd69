package app

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/config"
	"touchstone/internal/env"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// safeBuffer is a log that is read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// running is a daemon at work on a world, on a real clock.
type running struct {
	*world
	daemon *Daemon
	out    *safeBuffer
	mu     sync.Mutex
	stop   context.CancelFunc
	ended  chan error
}

// run starts the daemon; every: 5m becomes every second.
func (w *world) run() *running {
	w.Helper()
	r := &running{world: w, out: &safeBuffer{}, ended: make(chan error, 1)}
	w.env.Clock = env.Real().Clock
	w.yaml = quick(w.yaml)
	cfg, err := w.parse()
	if err != nil {
		w.Fatal(err)
	}
	w.emptyStore(cfg)
	w.app, err = Open(w.Context(), cfg, Options{Dir: filepath.Join(w.dir, "data"), Store: w.dsn, Env: w.env, Log: slog.New(slog.NewTextHandler(r.out, nil))})
	if err != nil {
		w.Fatal(err)
	}
	a := w.app
	r.daemon = NewDaemon(a, func() (*config.Config, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return w.parse()
	})
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- r.daemon.Run(ctx) }()
	w.Cleanup(func() {
		stop()
		if err, ok := <-r.ended; ok && err != nil && !errors.Is(err, store.ErrLeaseLost) {
			w.Errorf("the daemon ended with %v", err)
		}
		if err := a.Close(); err != nil {
			w.Errorf("close: %v", err)
		}
	})
	return r
}

// quick makes a configuration's sources be pulled each second.
func quick(yaml string) string {
	if strings.Contains(yaml, "every:") {
		return yaml
	}
	return strings.ReplaceAll(yaml, "    entities:\n", "    every: 1s\n    entities:\n")
}

// reload gives the daemon another configuration.
func (r *running) reload(yaml string) Reloaded {
	r.Helper()
	r.mu.Lock()
	r.yaml = quick(yaml)
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	result, err := r.daemon.Reload(ctx)
	if err != nil {
		r.Fatal(err)
	}
	return result
}

// until waits for something to become so.
func (r *running) until(what string, so func() bool) {
	r.Helper()
	for end := time.Now().Add(15 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("not within 15s: %s\n%s", what, r.out)
		}
	}
}

func (r *running) untilDelivered(target string, n int) {
	r.Helper()
	r.until(fmt.Sprintf("%d rows of %s delivered", n, target), func() bool { return r.count(target, store.Delivered) >= n })
}

func (r *running) count(target, state string) int {
	r.Helper()
	n, err := r.app.Store.Numbers(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	for _, t := range n.ByTarget {
		if t.Target == target {
			return t.States[state]
		}
	}
	return 0
}

func acmes(t *testing.T, dsn string) (w *world, crm, desk *simulated) {
	t.Helper()
	return two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", `,"phone":"0113 999"`)})
}

func TestDaemonTakesANewConfigurationWhileItRuns(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := acmes(t, dsn)
		r := w.run()
		r.untilDelivered("desk", 1)
		full := r.yaml

		// A wrong file: the old one goes on, and the reasons have places.
		bad := r.reload(strings.Replace(full, "policy: update_only", "policy: everything", 1))
		if bad.Taken || len(bad.Problems) != 1 || bad.Problems[0].Line == 0 || !strings.Contains(bad.Problems[0].Text, "want one of update_only") {
			t.Errorf("a wrong file: %+v, want it refused with its place", bad)
		}
		broken := r.reload("sources: [\n")
		if broken.Taken || len(broken.Problems) == 0 {
			t.Errorf("a broken file: %+v, want it refused", broken)
		}
		other := r.reload("store: {path: other.db}\n" + full)
		if dsn == "" && (other.Taken || !strings.Contains(other.Error, "restart")) { // --store overrides it
			t.Errorf("another store: %+v, want it refused", other)
		}
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		r.untilDelivered("desk", 2)

		// A target is taken out: what is planned for it waits, and comes with it again.
		head, targets, _ := strings.Cut(full, "targets:")
		out := r.reload(head)
		if !out.Taken || !slices.Equal(out.Changes, []string{"target desk is no longer configured"}) {
			t.Errorf("without its target: %+v", out)
		}
		back := r.reload(head + "targets:" + targets)
		if !back.Taken || !slices.Equal(back.Changes, []string{"target desk is new"}) {
			t.Errorf("with its target again: %+v", back)
		}
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0003"})
		r.untilDelivered("desk", 3)
		desk.want("o1", "phone", "+44 113 496 0003")
		look, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		if _, err := r.daemon.App().LookUp(look, lookup.Query{Entity: "company", Fields: record.Fields{"name": record.TextValue("Acme")}}); err != nil {
			t.Errorf("a look-up under the new configuration: %v", err)
		}
		if len(r.daemon.Ready(t.Context())) > 0 {
			t.Errorf("not ready: %q", r.daemon.Ready(t.Context()))
		}
	})
}

func TestWritesOfATargetThatIsGoneAreKeptAndSentWhenItComesBack(t *testing.T) {
	t.Parallel()
	w, crm, desk := acmes(t, "")
	w.yaml = strings.Replace(w.yaml, "approve: auto", "approve: person", 1)
	r := w.run()
	r.until("one write held", func() bool { return r.count("desk", store.Pending) == 1 })
	head, targets, _ := strings.Cut(r.yaml, "targets:")
	r.reload(head)
	s, err := r.daemon.App().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []Unconfigured{{"desk", 1}}; !slices.Equal(s.Unconfigured, want) || !s.NeedsPerson() || len(s.Targets) != 0 {
		t.Errorf("status without the target: unconfigured %v, targets %v; want %v, none", s.Unconfigured, s.Targets, want)
	}
	if !strings.Contains(r.out.String(), "no longer configured; they are kept") {
		t.Errorf("the log does not say that writes are kept:\n%s", r.out)
	}
	r.reload(strings.Replace(head+"targets:"+targets, "approve: person", "approve: auto", 1))
	r.untilDelivered("desk", 1)
	desk.want("o1", "phone", "+44 113 496 0001")
	crm.want("c1", "phone", "+44 113 496 0001")
}

func TestRenamedSourceIsAskedAbout(t *testing.T) {
	t.Parallel()
	w, _, _ := acmes(t, "")
	r := w.run()
	r.untilDelivered("desk", 1)
	renamed := strings.Replace(r.yaml, "\n  crm:", "\n  sales:", 1)
	result := r.reload(renamed)
	asks := func() bool {
		return slices.ContainsFunc(result.Warnings, func(w string) bool { return strings.Contains(w, "did you mean was: [crm]") })
	}
	if !result.Taken || !asks() {
		t.Errorf("crm is called sales: %+v, want a warning that asks for was: [crm]", result)
	}
	result = r.reload(strings.Replace(renamed, "\n  sales:", "\n  sales:\n    was: [crm]", 1))
	if !result.Taken || asks() {
		t.Errorf("with was: [crm]: %+v, want nothing asked", result)
	}
	r.until("the records are the same records again", func() bool {
		g, err := r.daemon.App().Golden(t.Context(), "sales/company/c1")
		return err == nil && slices.ContainsFunc(g.Members, func(m ShownMember) bool { return m.Ref == "sales/company/c1" && m.Live }) &&
			slices.ContainsFunc(g.Members, func(m ShownMember) bool { return m.Ref == "desk/company/o1" && m.Live })
	})
}

// TestStopEndsWithinTenSeconds stops the daemon while a system does not answer.
func TestStopEndsWithinTenSeconds(t *testing.T) {
	t.Parallel()
	w, crm, desk := acmes(t, "")
	release, asked := make(chan struct{}), make(chan struct{})
	var once sync.Once
	desk.before = func(_ http.ResponseWriter, q *http.Request) bool {
		if q.Method == http.MethodGet {
			return false
		}
		once.Do(func() { close(asked) })
		select { // it took the write and says nothing
		case <-release:
		case <-q.Context().Done():
		}
		return true
	}
	t.Cleanup(func() { close(release) })
	r := w.run()
	<-asked
	began := time.Now()
	r.stop()
	err := <-r.ended
	close(r.ended)
	if took := time.Since(began); err != nil || took > 10*time.Second {
		t.Errorf("stopped after %s with %v, want within 10s and no error", took, err)
	}
	if got := w.states("desk"); got != "unknown 1" {
		t.Errorf("rows after the stop: %s, want the one that was cut to be unknown 1", got)
	}
	if crm.created() != 0 {
		t.Error("the crm was written to")
	}
}

// TestFailingSystemIsLeftAloneAndComesBack: one line in the log for the whole
// incident, growing pauses, one question first.
func TestFailingSystemIsToldOnceAndComesBack(t *testing.T) {
	t.Parallel()
	w, crm, _ := acmes(t, "")
	var mu sync.Mutex
	down := true
	crm.before = func(rw http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if down {
			rw.WriteHeader(http.StatusInternalServerError)
		}
		return down
	}
	r := w.run()
	part := func() Part { p, _ := r.app.life.parts(r.app.Config); return p["crm"] }
	r.until("two failures", func() bool { return part().Failures >= 2 })
	if n := strings.Count(r.out.String(), "source failed"); n != 1 {
		t.Errorf("%d lines for one incident, want 1\n%s", n, r.out)
	}
	mu.Lock()
	down = false
	mu.Unlock()
	r.untilDelivered("desk", 1)
	r.until("the end is told", func() bool { return strings.Contains(r.out.String(), "source works again") })
	if p := part(); p.Failures != 0 || p.Problem != "" {
		t.Errorf("after it came back: %+v, want no failure", p)
	}
}

// TestLostLeaseStopsTheDaemon lets another process take the store over while
// the daemon works.
func TestLostLeaseStopsTheDaemon(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	w, crm, desk := acmes(t, dsn)
	r := w.run()
	r.untilDelivered("desk", 1)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// What another process does when the lock's connection broke.
	if _, err := db.ExecContext(t.Context(), `UPDATE lease SET epoch = epoch + 1, host = 'other.example.com'`); err != nil {
		t.Fatal(err)
	}
	crm.edit("c1", map[string]any{"phone": "+44 113 496 0005"})
	select {
	case err = <-r.ended:
		close(r.ended)
	case <-time.After(15 * time.Second):
		t.Fatalf("the daemon works on 15s after it lost the store\n%s", r.out)
	}
	if !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("the daemon ended with %v, want ErrLeaseLost", err)
	}
	desk.want("o1", "phone", "+44 113 496 0001")
}

func TestSecondDaemonOnTheFolderIsToldWhoHasIt(t *testing.T) {
	t.Parallel()
	w, _, _ := acmes(t, "")
	r := w.run()
	r.untilDelivered("desk", 1)
	cfg, err := w.parse()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), cfg, Options{Dir: filepath.Join(w.dir, "data"), Env: w.env})
	me := r.app.me()
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("host %s, pid %d, since 20", me.Host, me.PID)) {
		t.Errorf("a second daemon on the folder: %v, want host and pid of the first", err)
	}
	_, err = Open(t.Context(), cfg, Options{Dir: filepath.Join(w.dir, "data"), Env: w.env, Shared: true})
	if err != nil {
		t.Errorf("a command beside the daemon: %v", err)
	}
}

// TestCommandsBesideTheDaemon speaks to the control port with and without the
// token.
func TestCommandsBesideTheDaemon(t *testing.T) {
	t.Parallel()
	w, _, _ := acmes(t, "")
	r := w.run()
	r.untilDelivered("desk", 1)
	var found Running
	r.until("the control port is told", func() bool {
		var ok bool
		found, ok = FindRunning(filepath.Join(w.dir, "data"))
		return ok && found.Control != ""
	})
	var live Live
	if err := Ask(t.Context(), found, http.MethodGet, "/live", &live); err != nil || live.Sources["crm"].Next.IsZero() {
		t.Errorf("live = %+v, %v; want the sources with their next run", live, err)
	}
	var result Reloaded
	if err := Ask(t.Context(), found, http.MethodPost, "/reload", &result); err != nil || !result.Taken {
		t.Errorf("reload = %+v, %v; want it taken", result, err)
	}
	found.Token = "guess"
	if err := Ask(t.Context(), found, http.MethodPost, "/reload", &result); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("with another token: %v, want 401", err)
	}
	s, err := r.daemon.App().Status(t.Context())
	if err != nil || !s.Live || s.Daemon == nil || s.Daemon.Token != "" || len(s.Sources) != 2 || s.Sources[0].State == sourceNew || s.Targets[0].States[store.Delivered] != 1 {
		t.Errorf("status = %+v, %v; want a live daemon, two sources, one write, and no token", s, err)
	}
}
