// Command match measures touchstone dedupe beside Splink on DuckDB: the same
// generated file, one run, CPU seconds and peak memory of the whole process of
// each, and the pairwise precision, recall and F1 of its clusters. It prints the
// table of docs/benchmarks.md.
//
//	match BINARY DATA [ROWS…]
//
// DATA holds gen/gen.py, the generator of labelled customers. Splink runs by
// peer_splink.py in a Python environment of its own, made on first use.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"touchstone/matching/eval"
	"touchstone/matching/label"
)

// The peer's versions: another one is another figure.
var packages = []string{"splink==5.0.0", "duckdb==2.0.0"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "match:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 || args[1] == "" {
		return errors.New("want a binary and a folder with gen/gen.py: make bench-match TOUCHSTONE_DATA=FOLDER")
	}
	rows := args[2:]
	if len(rows) == 0 {
		rows = []string{"100000"}
	}
	python, err := environment(ctx)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "match")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // a folder of generated files
	fmt.Println("| rows | program | CPU s | wall s | peak RSS MB | precision | recall | F1 |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for _, n := range rows {
		for _, s := range []struct{ kind, many, seed string }{{"person", "persons", "31"}, {"company", "companies", "32"}} {
			dir := filepath.Join(tmp, s.kind+n)
			shards := "1"
			if v, err := strconv.Atoi(n); err != nil {
				return fmt.Errorf("rows: %w", err)
			} else if v > 200_000 {
				shards = "8"
			}
			if _, _, err := spent(ctx, nil, "python3", filepath.Join(args[1], "gen", "gen.py"), "--n", n, "--kind", s.kind, "--locale", "mixed",
				"--dup-rate", "0.3", "--seed", s.seed, "--shards", shards, "--jobs", "2", "--out", dir); err != nil {
				return fmt.Errorf("generate: %w", err)
			}
			if err := both(ctx, args[0], python, dir, s.kind, n+" "+s.many); err != nil {
				return err
			}
			if err := os.RemoveAll(dir); err != nil { //nolint:gosec // within the temporary folder
				return err
			}
		}
	}
	return nil
}

// environment makes the Python environment of the peer, once.
func environment(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "touchstone-bench", strings.Join(packages, "_"))
	python := filepath.Join(dir, "bin", "python")
	if _, err := os.Stat(filepath.Join(dir, "ready")); err == nil {
		return python, nil
	}
	fmt.Fprintln(os.Stderr, "installing", strings.Join(packages, ", "))
	if _, _, err := spent(ctx, nil, "python3", "-m", "venv", dir); err != nil {
		return "", fmt.Errorf("python environment: %w", err)
	}
	if _, _, err := spent(ctx, nil, python, append([]string{"-m", "pip", "install", "--quiet"}, packages...)...); err != nil {
		return "", fmt.Errorf("install the peer: %w", err)
	}
	return python, os.WriteFile(filepath.Join(dir, "ready"), nil, 0o600)
}

// both runs each program on the set and prints its line.
func both(ctx context.Context, binary, python, dir, kind, title string) error {
	truth, err := clusters(filepath.Join(dir, "truth.csv"))
	if err != nil {
		return err
	}
	records, model := filepath.Join(dir, "records.csv"), filepath.Join(dir, "model.json")
	peer := filepath.Join("internal", "bench", "match", "peer_splink.py")
	for _, p := range []struct {
		name string
		args []string
	}{
		{"touchstone dedupe", []string{binary, "dedupe", "--id", "id", "--out", "OUT", records}},
		{"Splink 5.0.0, u from 10⁷ pairs", []string{python, "-B", peer, kind, records, "OUT", "1e7"}},
		{"Splink 5.0.0, u from 10⁸ pairs", []string{python, "-B", peer, kind, records, "OUT", "1e8", model}},
		{"Splink 5.0.0, model saved before", []string{python, "-B", peer, kind, records, "OUT", "1e8", model}},
	} {
		out := filepath.Join(dir, "out.csv")
		for i, a := range p.args {
			if a == "OUT" {
				p.args[i] = out
			}
		}
		u, wall, err := spent(ctx, []string{"DUCKDB_FILE=:memory:"}, p.args[0], p.args[1:]...)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		found, err := clusters(out)
		if err != nil {
			return err
		}
		s, err := scored(truth, found)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Printf("| %s | %s | %.1f | %.1f | %d | %.3f | %.3f | %.3f |\n", title, p.name, u.cpu, wall, u.rss>>10, s.Precision.Value, s.Recall.Value, s.F1.Value)
	}
	return nil
}

type usage struct {
	cpu float64 // seconds, user and system
	rss int64   // KiB
}

// spent runs a program and says what it took.
func spent(ctx context.Context, env []string, name string, args ...string) (usage, float64, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // running what the caller names is its purpose
	cmd.Env = append(os.Environ(), env...)
	start := time.Now() //nolint:forbidigo // a measurement
	out, err := cmd.CombinedOutput()
	wall := time.Since(start).Seconds() //nolint:forbidigo // a measurement
	if err != nil {
		return usage{}, 0, fmt.Errorf("%w: %s", err, out)
	}
	u := usage{cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.rss = r.Maxrss
	}
	return u, wall, nil
}

// clusters reads which cluster each id stands in.
func clusters(path string) (label.Truth, error) {
	f, err := os.Open(path) //nolint:gosec // made by this program
	if err != nil {
		return label.Truth{}, err
	}
	defer func() { _ = f.Close() }() // only read from
	return label.ReadTruth(f, path)
}

// scored counts pairs. An id that the program left out stands alone.
func scored(truth, found label.Truth) (eval.Score, error) {
	for _, id := range truth.IDs {
		if _, named := found.Cluster[id]; !named {
			found.Cluster[id] = "alone " + id
		}
	}
	t, p, err := truth.Beside(found)
	return eval.Of(t, p), err
}
