package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"touchstone/internal/simulator"
	"touchstone/internal/store/pgtest"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "touchstone-cmd-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "touchstone")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := pgtest.Main(m)
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// touchstone runs the binary to its end and gives what it printed.
func touchstone(t *testing.T, want int, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("touchstone %s: %v", strings.Join(args, " "), err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("touchstone %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.Bytes(), errs.Bytes())
	}
	return out.Bytes()
}

// simulate starts the demo's simulated systems as a process of their own.
func simulate(t *testing.T, which demoKind, state string) (base string) {
	t.Helper()
	systems := which.systems()
	cmd := exec.Command(binary, "simulate", "--listen", "127.0.0.1:0", "--state", state, "--systems", strings.Join(systems, ","))
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("simulate: %v", err)
		}
	})
	line, err := bufio.NewReader(errs).ReadString('\n')
	if err != nil {
		t.Fatalf("simulate said nothing: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, errs) }() // ends with the process
	for _, w := range strings.Fields(line) {
		if strings.HasPrefix(w, "http://") {
			return strings.TrimSuffix(strings.TrimSuffix(w, ","), "/"+systems[0])
		}
	}
	t.Fatalf("simulate gave no address: %q", line)
	return ""
}

// installation is one demo with its systems.
type installation struct {
	which                   demoKind
	dir, state, base, store string
}

func newInstallation(t *testing.T, which demoKind, store string) installation {
	t.Helper()
	i := installation{which: which, dir: t.TempDir(), state: t.TempDir(), store: store}
	i.base = simulate(t, which, i.state)
	if which == demoVendors {
		i.settings(t, "hubspot", simulator.Settings{TokenSeconds: 1})
		i.settings(t, "zendesk", simulator.Settings{JobSteps: 1})
	}
	return i
}

// demo is the command line of one pass of the demo.
func (i installation) demo() []string {
	args := i.args("demo", "--once", "--json", "--systems", i.base)
	if i.which == demoVendors {
		args = append(args, "--vendors")
	}
	return args
}

func (i installation) args(command ...string) []string {
	args := append(command, "--dir", i.dir)
	if i.store != "" {
		args = append(args, "--store", i.store)
	}
	return args
}

func (i installation) once(t *testing.T) demoSummary {
	t.Helper()
	var s demoSummary
	out := touchstone(t, exitDone, i.demo()...)
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("summary: %v\n%s", err, out)
	}
	if got := s.Stored + s.Unchanged + s.Echo + s.Quarantined + s.Filtered; s.Pulled != got {
		t.Errorf("pulled %d, but stored + unchanged + echo + quarantined + filtered = %d", s.Pulled, got)
	}
	return s
}

func (i installation) canonical(t *testing.T) string {
	t.Helper()
	return string(touchstone(t, exitDone, i.args("export", "--canonical", "-c", filepath.Join(i.dir, "touchstone.yaml"))...))
}

func (i installation) verify(t *testing.T) {
	t.Helper()
	out := touchstone(t, exitDone, i.args("rebuild", "--verify", "--json", "-c", filepath.Join(i.dir, "touchstone.yaml"))...)
	var v struct {
		Rows        int
		Differences []any
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	if v.Rows < 1000 || len(v.Differences) != 0 {
		t.Errorf("rebuild --verify compared %d rows and found %v", v.Rows, v.Differences)
	}
}

// writes counts what really changed in the systems, by object and field set.
func (i installation) writes(t *testing.T) (creates, updates int) {
	t.Helper()
	for _, system := range i.which.written() {
		list, err := simulator.ReadApplied(filepath.Join(i.state, system))
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]int{}
		for _, w := range list {
			switch {
			case w.Created:
				creates++
				made[w.ExternalID]++
			case len(w.Fields) > 0:
				updates++
			}
		}
		for key, n := range made {
			if n > 1 {
				t.Errorf("%s: %d objects were made for one golden record (%s)", system, n, key)
			}
		}
	}
	return creates, updates
}

func TestDemoDoesItsMainJobOnBothDatabases(t *testing.T) {
	var exports []string
	for _, engine := range []string{"sqlite", "postgres"} {
		store := ""
		if engine == "postgres" {
			store = pgtest.DSN(t)
		}
		i := newInstallation(t, demoSmall, store)
		s := i.once(t)
		for name, n := range map[string]int{"golden": s.Golden, "merged": s.Merged, "quarantined": s.Quarantined, "pushed": s.Pushed, "verified": s.Verified} {
			if n <= 0 {
				t.Errorf("%s: %s = %d, want more than 0", engine, name, n)
			}
		}
		again := i.once(t)
		if again.Planned != 0 || again.Stored != 0 || again.Quarantined != 0 {
			t.Errorf("%s: a second pass stored %d, quarantined %d and planned %d, want nothing", engine, again.Stored, again.Quarantined, again.Planned)
		}
		i.verify(t)
		exports = append(exports, i.canonical(t))
	}
	if exports[0] != exports[1] {
		t.Error("the canonical exports of SQLite and PostgreSQL differ")
	}
}

// TestKilledAtAnyMomentItEndsTheSame kills the daemon with SIGKILL while it
// works, again and again, and compares with a run that was left alone. The
// systems' own logs are the judge. TOUCHSTONE_KILLS sets the number of kills.
func TestKilledAtAnyMomentItEndsTheSame(t *testing.T) {
	kills := killsWanted(t, 30)
	alone := newInstallation(t, demoSmall, "")
	alone.once(t)
	alone.once(t)
	want := alone.canonical(t)
	wantCreates, wantUpdates := alone.writes(t)

	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			store := ""
			if engine == "postgres" {
				store = pgtest.DSN(t)
			}
			i := newInstallation(t, demoSmall, store)
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 1))
			for killed := 0; killed < kills; {
				if i.killAfter(t, time.Duration(30+r.IntN(600))*time.Millisecond) {
					killed++
				} else { // it had nothing left to do: begin with fresh systems
					i.compare(t, want, wantCreates, wantUpdates)
					if engine == "postgres" {
						store = pgtest.DSN(t)
					}
					i = newInstallation(t, demoSmall, store)
				}
			}
			i.once(t)
			i.once(t)
			i.compare(t, want, wantCreates, wantUpdates)
			i.verify(t)
		})
	}
}

// killsWanted is how often the daemon is killed on each engine.
func killsWanted(t *testing.T, usual int) int {
	t.Helper()
	v := os.Getenv("TOUCHSTONE_KILLS")
	if v == "" {
		return usual
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// killAfter starts the demo and kills it. It says whether it was still at work.
func (i installation) killAfter(t *testing.T, d time.Duration) bool {
	t.Helper()
	cmd := exec.Command(binary, i.demo()...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("the demo ended by itself: %v\n%s%s", err, out.Bytes(), errs.Bytes())
		}
		return false
	case <-time.After(d):
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		err := <-done
		return err != nil && cmd.ProcessState.ExitCode() == -1
	}
}

func (i installation) compare(t *testing.T, want string, wantCreates, wantUpdates int) {
	t.Helper()
	i.once(t)
	if got := i.canonical(t); got != want {
		t.Errorf("the canonical export differs from the run that was left alone:\n%s", firstDifference(want, got))
	}
	creates, updates := i.writes(t)
	if creates != wantCreates || updates != wantUpdates {
		t.Errorf("%d creates and %d updates were applied, %d and %d in the run that was left alone", creates, updates, wantCreates, wantUpdates)
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d of %d and %d\nwant %s\ngot  %s", i+1, len(a), len(b), a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(b), len(a))
}
