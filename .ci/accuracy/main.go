// Command accuracy scores touchstone dedupe on labelled sets, each with its
// defaults and in four orders of rows, and prints the table of
// docs/accuracy.md.
//
//	accuracy BINARY DATA [SET…]
//
// DATA holds a folder for each set: records.csv, or a.csv and b.csv to be
// linked one to one, with an id column, and truth.csv with id,cluster or with
// id_a,id_b. notes.csv (id,errors,hard) adds the share of hard non-duplicates
// whose cluster holds another customer.
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 || args[1] == "" {
		return fmt.Errorf("want a binary and a folder of labelled sets: make accuracy TOUCHSTONE_DATA=FOLDER")
	}
	sets := args[2:]
	if len(sets) == 0 {
		found, err := filepath.Glob(filepath.Join(args[1], "*", "truth.csv"))
		if err != nil {
			return err
		}
		for _, f := range found {
			sets = append(sets, filepath.Base(filepath.Dir(f)))
		}
	}
	tmp, err := os.MkdirTemp("", "accuracy")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // a folder of copies
	fmt.Println("| set | rows | precision | recall | F1 | B³ F1 | hard merged | CPU s | peak RSS MB | 4 orders |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	for _, set := range sets {
		if err := score(ctx, args[0], filepath.Join(args[1], set), tmp); err != nil {
			return fmt.Errorf("%s: %w", set, err)
		}
	}
	return nil
}

func readTable(path string) ([][]string, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the folder is the caller's choice
	if err != nil {
		return nil, err
	}
	return csv.NewReader(bytes.NewReader(b)).ReadAll()
}

// score runs one set in four orders and prints its line.
func score(ctx context.Context, binary, dir, tmp string) error {
	truth, err := readTable(filepath.Join(dir, "truth.csv"))
	if err != nil {
		return err
	}
	var first map[string]string
	var use usage
	same := "equal"
	for order := range 4 {
		clusters, u, err := dedupe(ctx, binary, dir, tmp, order)
		if err != nil {
			return err
		}
		if order == 0 {
			first, use = clusters, u
		} else if !equalParts(first, clusters) {
			same = "DIFFERENT"
		}
	}
	s := scored(truth, first)
	fmt.Printf("| %s | %d | %.4f | %.4f | %.4f | %.4f | %s | %.1f | %d | %s |\n",
		filepath.Base(dir), len(first), s.precision, s.recall, s.f1, s.b3, hardMerged(dir, truth, first), use.cpu, use.rss>>10, same)
	return nil
}

type usage struct {
	cpu float64
	rss int64 // KiB
}

// dedupe runs the program on the set with its rows in the given order.
func dedupe(ctx context.Context, binary, dir, tmp string, order int) (map[string]string, usage, error) {
	args := []string{"dedupe", "--id", "id", "--out", filepath.Join(tmp, "out.csv")}
	for _, name := range []string{"records.csv", "a.csv", "b.csv"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil { //nolint:gosec // the folder is the caller's choice
			continue
		}
		if name == "b.csv" {
			args = append(args, "--link")
		}
		path, err := shuffled(filepath.Join(dir, name), tmp, order)
		if err != nil {
			return nil, usage{}, err
		}
		args = append(args, path)
	}
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // running what the caller names is its purpose
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, usage{}, fmt.Errorf("%w: %s", err, out)
	}
	u := usage{cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.rss = r.Maxrss
	}
	rows, err := readTable(filepath.Join(tmp, "out.csv"))
	if err != nil {
		return nil, u, err
	}
	clusters := map[string]string{}
	for _, r := range rows[1:] {
		clusters[r[1]] = r[2]
	}
	return clusters, u, nil
}

// shuffled writes the file again with its rows in an order of its own; order 0
// is as it came.
func shuffled(path, tmp string, order int) (string, error) {
	if order == 0 {
		return path, nil
	}
	rows, err := readTable(path)
	if err != nil {
		return "", err
	}
	body := rows[1:]
	state := uint64(order)
	for i := len(body) - 1; i > 0; i-- { // Fisher–Yates with SplitMix64
		state += 0x9e3779b97f4a7c15
		z := (state ^ state>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		j := int((z ^ z>>31) % uint64(i+1))
		body[i], body[j] = body[j], body[i]
	}
	out := filepath.Join(tmp, strconv.Itoa(order)+filepath.Base(path))
	f, err := os.Create(out)
	if err != nil {
		return "", err
	}
	if err := csv.NewWriter(f).WriteAll(rows); err != nil {
		_ = f.Close() // the write has failed already
		return "", err
	}
	return out, f.Close()
}

// equalParts says whether two results part the ids alike.
func equalParts(a, b map[string]string) bool {
	there, back := map[string]string{}, map[string]string{}
	for id, x := range a {
		y := b[id]
		if t, ok := there[x]; ok && t != y {
			return false
		}
		if t, ok := back[y]; ok && t != x {
			return false
		}
		there[x], back[y] = y, x
	}
	return len(a) == len(b)
}

type result struct{ precision, recall, f1, b3 float64 }

// truthOf gives each id its true cluster; pairs are closed transitively.
func truthOf(truth [][]string, ids map[string]string) map[string]string {
	out := map[string]string{}
	if truth[0][0] == "id" {
		for _, r := range truth[1:] {
			out[r[0]] = r[1]
		}
		return out
	}
	parent := map[string]string{}
	find := func(x string) string {
		for parent[x] != "" && parent[x] != x {
			x = parent[x]
		}
		return x
	}
	for _, r := range truth[1:] {
		parent[find(r[0])] = find(r[1])
	}
	for id := range ids {
		out[id] = find(id)
	}
	return out
}

func scored(truth [][]string, clusters map[string]string) result {
	of := truthOf(truth, clusters)
	size, found, both := map[string]int{}, map[string]int{}, map[[2]string]int{}
	for id, c := range clusters {
		size[of[id]]++
		found[c]++
		both[[2]string{of[id], c}]++
	}
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	all, got, hit, p, r := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, n := range size {
		all += pairs(n)
	}
	for _, n := range found {
		got += pairs(n)
	}
	for k, n := range both {
		hit += pairs(n)
		p += float64(n*n) / float64(found[k[1]])
		r += float64(n*n) / float64(size[k[0]])
	}
	p, r = p/float64(len(clusters)), r/float64(len(clusters))
	return result{hit / max(got, 1), hit / max(all, 1), 2 * hit / max(got+all, 1), 2 * p * r / (p + r)}
}

func hardMerged(dir string, truth [][]string, clusters map[string]string) string {
	notes, err := readTable(filepath.Join(dir, "notes.csv"))
	if err != nil || !slices.Contains(notes[0], "hard") {
		return "–"
	}
	of, mixed, seen := truthOf(truth, clusters), map[string]bool{}, map[string]string{}
	for id, c := range clusters {
		if t, ok := seen[c]; ok && t != of[id] {
			mixed[c] = true
		}
		seen[c] = of[id]
	}
	at, n, bad := slices.Index(notes[0], "hard"), 0, 0
	for _, r := range notes[1:] {
		if r[at] == "" || r[at] == "jrsr" {
			continue
		}
		n++
		if mixed[clusters[r[0]]] {
			bad++
		}
	}
	return strconv.FormatFloat(float64(bad)/float64(max(n, 1)), 'f', 4, 64)
}
