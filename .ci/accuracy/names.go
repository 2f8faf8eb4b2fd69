package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"touchstone/internal/record"
	"touchstone/matching"
)

// scoreNames runs touchstone compare on pairs of names with its defaults, takes
// those of probability 0.5 and more for one, and measures what the comparison of
// two prepared names costs.
func scoreNames(ctx context.Context, binary, file, tmp string) (string, error) {
	out := filepath.Join(tmp, "names.csv")
	cmd := exec.CommandContext(ctx, binary, "compare", file, "--out", out) //nolint:gosec // running what the caller names is its purpose
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	rows, err := readTable(out)
	if err != nil {
		return "", err
	}
	at := func(column string) int { return slices.Index(rows[0], column) }
	match, probability := at("is_match"), at("probability")
	if match < 0 || probability < 0 {
		return "", fmt.Errorf("columns %v, want is_match and probability", rows[0])
	}
	hit, found, all := 0.0, 0.0, 0.0
	for _, r := range rows[1:] {
		p, err := strconv.ParseFloat(r[probability], 64)
		if err != nil {
			return "", err
		}
		is := strings.EqualFold(r[match], "true")
		if is {
			all++
		}
		if p >= 0.5 {
			found++
			if is {
				hit++
			}
		}
	}
	cost, err := costOfNames(rows, at("name1"), at("name2"))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("| %s (%d) | %.3f | %.3f | %.3f | F1 ≥ 0.84, ≤ 5 µs | 0.796 nomenklatura logic-v2 on the whole bench, 1053 µs | %.2f |",
		filepath.Base(filepath.Dir(file)), len(rows)-1, hit/max(found, 1), hit/max(all, 1), 2*hit/max(found+all, 1), cost), nil
}

// repeats is how often each pair is compared to be measured.
const repeats = 2000

// costOfNames is the CPU time of one comparison in microseconds, the names
// prepared before.
func costOfNames(rows [][]string, left, right int) (float64, error) {
	if left < 0 || right < 0 {
		return 0, fmt.Errorf("columns %v, want name1 and name2", rows[0])
	}
	m, ok := matching.StartModel(record.Company)
	if !ok {
		return 0, fmt.Errorf("no start model for a %s", record.Company)
	}
	prepared := func(name string) *matching.Features {
		return matching.Standardise(record.Company, record.Fields{"name": record.TextValue(name)})
	}
	var pairs [][2]*matching.Features
	for _, r := range rows[1:] {
		pairs = append(pairs, [2]*matching.Features{prepared(r[left]), prepared(r[right])})
	}
	before, err := cpu()
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for range repeats {
		for _, p := range pairs {
			sum += int64(m.Weigh(p[0], p[1]).Total)
		}
	}
	after, err := cpu()
	if err != nil || sum == 0 {
		return 0, err
	}
	return (after - before) * 1e6 / float64(repeats*len(pairs)), nil
}

// cpu is the CPU time of this program so far, in seconds.
func cpu() (float64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6, nil
}
