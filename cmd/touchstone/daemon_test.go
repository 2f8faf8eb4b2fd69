package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"touchstone/internal/app"
	"touchstone/internal/store/pgtest"
)

// process is a touchstone that runs on its own.
type process struct {
	*testing.T
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  bytes.Buffer
	done chan struct{}
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{T: t, cmd: exec.Command(binary, args...), done: make(chan struct{})}
	p.cmd.Stderr, p.cmd.Stdout = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // its code is read from the state
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it usually has ended
		<-p.done
	})
	return p
}

// ends waits for the end and gives the exit code, -1 for a signal.
func (p *process) ends(within time.Duration) int {
	p.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.Fatalf("still running after %s\n%s", within, p.text())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) says(what string) {
	p.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(p.text(), what); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("it does not say %q within 20s:\n%s", what, p.text())
		}
	}
}

// TestServiceManagerIsTold plays systemd: ready when it works, stopping when it
// was asked to.
func TestServiceManagerIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	y := newYard(t, "")
	p := start(t, y.args("run")...)
	told := func(want string) {
		t.Helper()
		b := make([]byte, 100)
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if err != nil || string(b[:n]) != want {
			t.Fatalf("told %q, %v; want %q\n%s", b[:n], err, want, p.text())
		}
	}
	told("READY=1")
	y.pulled()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	told("STOPPING=1")
	if code := p.ends(10 * time.Second); code != exitDone {
		t.Errorf("exit %d, want %d", code, exitDone)
	}
}

// yard is a folder with a table as its only source.
type yard struct {
	*testing.T
	dir, store string
}

const yardConfig = `server: {listen: "127.0.0.1:0"}
log: {format: json, level: info}
sources:
  erp:
    type: file
    path: erp.csv
    every: 1s
    entities: {company: {id: record.id, map: {name: record.name, phone: record.phone}}}
`

func newYard(t *testing.T, store string) yard {
	t.Helper()
	y := yard{t, t.TempDir(), store}
	y.write("touchstone.yaml", yardConfig)
	y.write("erp.csv", "id,name,phone\n1,Acme Tools Ltd,+44 113 496 0001\n2,Zenith Bakery,\n")
	return y
}

func (y yard) write(name, text string) {
	y.Helper()
	if err := os.WriteFile(filepath.Join(y.dir, name), []byte(text), 0o600); err != nil {
		y.Fatal(err)
	}
}

func (y yard) args(command ...string) []string {
	args := append(command, "-c", filepath.Join(y.dir, "touchstone.yaml"), "--dir", filepath.Join(y.dir, "data"))
	if y.store != "" {
		args = append(args, "--store", y.store)
	}
	return args
}

func (y yard) status() (s app.Status) {
	y.Helper()
	cmd := exec.Command(binary, y.args("status", "--json")...)
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != exitPerson {
		var exit *exec.ExitError
		errors.As(err, &exit)
		y.Fatalf("status: %v\n%s%s", err, out, exit.Stderr)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		y.Fatalf("status: %v\n%s", err, out)
	}
	return s
}

// pulled waits until the daemon has pulled its source to the end.
func (y yard) pulled() app.Status {
	y.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if r, ok := app.FindRunning(filepath.Join(y.dir, "data")); ok && r.Control != "" {
			if s := y.status(); s.Live && len(s.Sources) > 0 && !s.Sources[0].LastSuccess.IsZero() {
				return s
			}
		}
		if time.Now().After(end) {
			y.Fatal("nothing was pulled within 20s")
		}
	}
}

func TestSignalsAndCommandsOfARunningDaemon(t *testing.T) {
	t.Parallel()
	y := newYard(t, "")
	p := start(t, y.args("run")...)
	s := y.pulled()
	if s.Daemon == nil || s.Daemon.PID != p.cmd.Process.Pid || s.Records != 2 || s.Sources[0].Next.IsZero() {
		t.Errorf("status %+v, want the daemon's pid %d, 2 records and a next run", s, p.cmd.Process.Pid)
	}
	// A second daemon is refused, and told who is there.
	second := start(t, y.args("run")...)
	if code := second.ends(20 * time.Second); code != exitFailed || !strings.Contains(second.text(), fmt.Sprintf("pid %d", p.cmd.Process.Pid)) {
		t.Errorf("a second daemon: exit %d, %q; want %d and the first one's pid", code, second.text(), exitFailed)
	}
	// A wrong file: the command says where, SIGHUP says it in the log.
	y.write("touchstone.yaml", strings.Replace(yardConfig, "every: 1s", "evry: 1s", 1))
	refused := start(t, y.args("reload")...)
	if code := refused.ends(20 * time.Second); code != exitUsage || !strings.Contains(refused.text(), "touchstone.yaml:7:5: sources.erp.evry") {
		t.Errorf("reload of a wrong file: exit %d, %q; want %d and the place", code, refused.text(), exitUsage)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for strings.Count(p.text(), "is refused; the old one goes on") < 2 {
		p.says("is refused; the old one goes on")
		time.Sleep(20 * time.Millisecond)
	}
	if s := y.pulled(); s.Reload == nil || s.Reload.Taken || len(s.Reload.Problems) != 1 {
		t.Errorf("status after a refused file: %+v, want it told", s.Reload)
	}
	// A right one.
	y.write("touchstone.yaml", strings.Replace(yardConfig, "  erp:\n", "  erp:\n    was: [old]\n", 1))
	touchstone(t, exitDone, y.args("reload")...)
	p.says("the new configuration is in force")
	// The endpoints.
	for path, want := range map[string]string{"healthz": `"ok"`, "readyz": `"ready"`, "metrics": "touchstone_source_records_total"} {
		resp, err := http.Get(s.Daemon.Page + path)
		if err != nil {
			t.Error(err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(want)) {
			t.Errorf("%s answers %s %.80q, %v; want 200 and %s", path, resp.Status, body, err, want)
		}
	}
	// Backup and doctor beside the daemon, and the way back.
	file := filepath.Join(y.dir, "b.db")
	touchstone(t, exitDone, y.args("backup", file, "--with-key")...)
	touchstone(t, exitUsage, y.args("backup", file)...)
	touchstone(t, exitDone, y.args("doctor")...)
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.ends(10 * time.Second); code != exitDone {
		t.Errorf("SIGTERM: exit %d after %s, want %d\n%s", code, time.Since(began), exitDone, p.text())
	}
	for _, line := range strings.Split(strings.TrimSpace(p.text()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("with log: {format: json} it wrote %q", line)
		}
	}
	fresh := newYard(t, "")
	touchstone(t, exitDone, fresh.args("restore", file, "--key", file+app.KeySuffix)...)
	touchstone(t, exitUsage, fresh.args("restore", file)...)
	touchstone(t, exitDone, fresh.args("rebuild", "--verify")...)
	if a, b := touchstone(t, exitDone, y.args("export", "--canonical")...), touchstone(t, exitDone, fresh.args("export", "--canonical")...); !bytes.Equal(a, b) {
		t.Errorf("the export after the way back differs:\n%s", firstDifference(string(a), string(b)))
	}
	if s := y.status(); s.Daemon != nil || s.Live {
		t.Errorf("status after the end says a daemon runs: %+v", s.Daemon)
	}
}

// TestDaemonsOfTwoMachinesShareNoStore: another data folder with the same key,
// as on another machine.
func TestDaemonsOfTwoMachinesShareNoStore(t *testing.T) {
	t.Parallel()
	for _, store := range []string{pgtest.DSN(t), filepath.Join(t.TempDir(), "shared.db")} {
		a, b := newYard(t, store), newYard(t, store)
		first := start(t, a.args("run")...)
		a.pulled()
		key, err := os.ReadFile(filepath.Join(a.dir, "data", "installation.key"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(b.dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		b.write("data/installation.key", string(key))
		second := start(t, b.args("run")...)
		want := regexp.MustCompile(fmt.Sprintf(`host \S+, pid %d, since 20`, first.cmd.Process.Pid))
		if code := second.ends(20 * time.Second); code != exitFailed || !want.MatchString(second.text()) {
			t.Errorf("a second daemon: exit %d, %q; want %d and who holds the store", code, second.text(), exitFailed)
		}
		if err := first.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		first.ends(10 * time.Second)
		third := start(t, b.args("run")...)
		b.pulled()
		if err := third.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if code := third.ends(10 * time.Second); code != exitDone {
			t.Errorf("the one that took over: exit %d, want %d\n%s", code, exitDone, third.text())
		}
	}
}

// TestStopWhileASystemIsSlow: a page that takes a minute does not hold the
// daemon; a second signal ends it at once.
func TestStopWhileASystemIsSlow(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-time.After(time.Minute):
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	config := `server: {listen: "127.0.0.1:0"}
sources:
  crm:
    type: rest
    every: 1s
    base_url: "` + slow.URL + `"
    streams: {company: {list: {path: /c, records: 'body.items'}, id: 'record.id'}}
    entities: {company: {map: {name: record.name}}}
`
	for _, signals := range []int{1, 2} {
		y := newYard(t, "")
		y.write("touchstone.yaml", config)
		p := start(t, y.args("run")...)
		select {
		case <-asked:
		case <-p.done:
			t.Fatalf("it ended:\n%s", p.text())
		}
		began := time.Now()
		for i := range signals {
			if i > 0 {
				time.Sleep(300 * time.Millisecond)
			}
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		code := p.ends(10 * time.Second)
		took := time.Since(began)
		if signals == 1 && code != exitDone {
			t.Errorf("one signal: exit %d after %s, want %d\n%s", code, took, exitDone, p.text())
		}
		if signals == 2 && (code != -1 || took > 2*time.Second) {
			t.Errorf("two signals: exit %d after %s, want an end by the signal at once", code, took)
		}
		s := y.status()
		if i := slices.IndexFunc(s.Sources, func(x app.SourceStatus) bool { return x.Name == "crm" }); i < 0 || s.Sources[i].State != "interrupted" {
			t.Errorf("status after %d signals: %+v, want the source interrupted", signals, s.Sources)
		}
	}
}
