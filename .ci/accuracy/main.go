// Command accuracy scores touchstone dedupe on labelled sets, each with its
// defaults and in four orders of rows, and writes the tables of
// docs/accuracy.md: the sets beside their bars and the peers, how far the
// probabilities can be believed, and pairs of names.
//
//	accuracy BINARY DATA [SET…]
//
// DATA is one folder or several, with : between, that hold a folder for each
// set: records.csv, or a.csv and b.csv to be linked one to one, with an id
// column, and truth.csv with id,cluster or with id_a,id_b. notes.csv
// (id,errors,hard) adds the share of hard non-duplicates whose cluster holds
// another customer. A folder with labelled_pairs.csv (name1,name2,is_match)
// holds pairs of names. Without SET the tables go between the marks of
// docs/accuracy.md; with it they are printed.
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
	"strings"
	"syscall"

	"touchstone/matching/label"
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

// document is where the tables go, from the top of the tree.
const document = "docs/accuracy.md"

func run(ctx context.Context, args []string) error {
	if len(args) < 2 || args[1] == "" {
		return fmt.Errorf("want a binary and a folder of labelled sets: make accuracy TOUCHSTONE_DATA=FOLDER")
	}
	sets, err := folders(args[1], args[2:])
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "accuracy")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // a folder of copies
	t := &tables{}
	for _, dir := range sets {
		if err := t.score(ctx, args[0], dir, tmp); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(dir), err)
		}
		fmt.Fprintln(os.Stderr, filepath.Base(dir), "is scored")
	}
	if len(args) > 2 {
		for _, name := range t.names() {
			fmt.Println(t.text(name))
		}
		return nil
	}
	return t.writeTo(document)
}

// folders finds the sets, in the order of the folders and of their names.
func folders(data string, wanted []string) ([]string, error) {
	var out []string
	for root := range strings.SplitSeq(data, ":") {
		for _, file := range []string{"truth.csv", "labelled_pairs.csv"} {
			found, err := filepath.Glob(filepath.Join(root, "*", file))
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				if dir := filepath.Dir(f); len(wanted) == 0 || slices.Contains(wanted, filepath.Base(dir)) {
					out = append(out, dir)
				}
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no labelled set in %s", data)
	}
	return out, nil
}

func readTable(path string) ([][]string, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the folder is the caller's choice
	if err != nil {
		return nil, err
	}
	return csv.NewReader(bytes.NewReader(b)).ReadAll()
}

type usage struct {
	cpu float64
	rss int64 // KiB
}

// dedupe runs the program on the set with its rows in the given order.
func dedupe(ctx context.Context, binary, dir, tmp string, order int) (label.Truth, usage, error) {
	args := []string{"dedupe", "--id", "id", "--out", filepath.Join(tmp, "out.csv"), "--pairs", filepath.Join(tmp, "pairs.csv")}
	for _, name := range []string{"records.csv", "a.csv", "b.csv"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil { //nolint:gosec // the folder is the caller's choice
			continue
		}
		if name == "b.csv" {
			args = append(args, "--link")
		}
		path, err := shuffled(filepath.Join(dir, name), tmp, order)
		if err != nil {
			return label.Truth{}, usage{}, err
		}
		args = append(args, path)
	}
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // running what the caller names is its purpose
	if out, err := cmd.CombinedOutput(); err != nil {
		return label.Truth{}, usage{}, fmt.Errorf("%w: %s", err, out)
	}
	u := usage{cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.rss = r.Maxrss
	}
	clusters, err := readTruth(filepath.Join(tmp, "out.csv"))
	return clusters, u, err
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
