package dedupe_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/dedupe"
)

// names are made-up ones, all different.
func names(r *rand.Rand, n int) []string {
	parts := strings.Fields("ka lo mi ne ru sa te vo wi xa yu zo ber dan fel gar hol jun kir lum mor nor pel quin ros sil tar ul ver wen")
	seen, out := map[string]bool{}, []string{}
	for len(out) < n {
		s := ""
		for range 3 + r.IntN(2) {
			s += parts[r.IntN(len(parts))]
		}
		s += " " + parts[r.IntN(len(parts))] + parts[r.IntN(len(parts))]
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// Whatever a file holds: an answer, or what is wrong with it, for a bounded
// number of pairs.
func TestBadInputIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	many := names(r, 20_000)
	person := []string{"given_name", "family_name", "phone", "email", "city"}
	make := func(n int, row func(i int) []string) [][]string {
		rows := [][]string{person}
		for i := range n {
			rows = append(rows, row(i))
		}
		return rows
	}
	odd := []string{"🙂🙃", "\x01\x02\x1f", "Ада Лавлейс", "王小明", "عائشة", "é\u0301\u0301\u0301", "\u202eevil", "﷽", "\ufffd\ufffe", "Ｆｕｌｌ", "'; DROP TABLE x", strings.Repeat("й", 300), "a\nb", "--", "null"}
	tests := []struct {
		name   string
		rows   [][]string
		usage  string // what the refusal says; "" for an answer
		most   int64  // pairs compared
		groups [2]int // least and most clusters
	}{
		{"all fields empty", make(3000, func(int) []string { return []string{"", " ", "-", "null", "n/a"} }), "no column is left to compare", 0, [2]int{}},
		{"one value everywhere", make(20_000, func(int) []string { return []string{"x", "x", "x", "x", "x"} }), "", 0, [2]int{1, 20_000}},
		{"equal rows", make(20_000, func(int) []string {
			return []string{"Ada", "Lovelace", "+44 20 7946 0001", "ada@example.com", "London"}
		}), "", 0, [2]int{1, 1}},
		{"one phone number", make(20_000, func(i int) []string {
			g, f, _ := strings.Cut(many[i], " ")
			return []string{g, f, "+44 20 7946 0001", "", ""}
		}), "", 600_000, [2]int{15_000, 20_000}},
		{"one city and nothing else", make(20_000, func(i int) []string { return []string{"", "", "", "", fmt.Sprint("city ", i%3)} }), "", 1000, [2]int{1, 20_000}},
		{"names of 20 kB", make(200, func(i int) []string {
			return []string{strings.Repeat(many[i]+" ", 1500), many[i], fmt.Sprintf("+44 20 7946 %04d", i), "", "Leeds"}
		}), "", 20_000, [2]int{150, 200}},
		{"scripts, emoji, control characters", make(2000, func(i int) []string {
			return []string{odd[i%len(odd)], odd[i/7%len(odd)], odd[i/3%len(odd)], odd[i/11%len(odd)], odd[i/5%len(odd)]}
		}), "", 2_000_000, [2]int{1, 2000}},
		{"swapped columns", make(3000, func(i int) []string {
			g, f, _ := strings.Cut(many[i], " ")
			row := []string{g, f, fmt.Sprintf("+44 20 7946 %04d", i), fmt.Sprintf("user%d@example.com", i), "Leeds"}
			if i%2 == 1 {
				slices.Reverse(row)
			}
			return row
		}), "", 600_000, [2]int{2000, 3000}},
	}
	for _, tt := range tests {
		tab, err := dedupe.Load(t.Context(), inputs(t, writeRows(t, filepath.Join(t.TempDir(), "rows.csv"), tt.rows)), 1<<30, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		res, err := dedupe.Run(t.Context(), tab, dedupe.Options{Workers: 2, Memory: 1 << 30})
		if tt.usage != "" {
			if !errors.As(err, &dedupe.UsageError{}) || !strings.Contains(err.Error(), tt.usage) {
				t.Errorf("%s: %v, want a usage error that says %q", tt.name, err, tt.usage)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if res.Compared > tt.most || res.Clusters < tt.groups[0] || res.Clusters > tt.groups[1] || len(res.Rows) != len(tt.rows)-1 {
			t.Errorf("%s: %d pairs compared, %d clusters of %d rows; want at most %d pairs and %d to %d clusters", tt.name, res.Compared, res.Clusters, len(res.Rows), tt.most, tt.groups[0], tt.groups[1])
		}
		if len(res.Rows) >= 2000 {
			sameOnDisk(t, tt.name, tt.rows, res)
		}
	}
}

// sameOnDisk holds the answer beside that of little memory, for rows as these.
func sameOnDisk(t *testing.T, name string, rows [][]string, want *dedupe.Result) {
	t.Helper()
	memory := int64(64<<20 + 500*len(rows))
	tab, err := dedupe.Load(t.Context(), inputs(t, writeRows(t, filepath.Join(t.TempDir(), "rows.csv"), rows)), memory, nil)
	if err != nil {
		t.Errorf("%s, little memory: %v", name, err)
		return
	}
	defer closed(t, tab)
	got, err := dedupe.Run(t.Context(), tab, dedupe.Options{Workers: 2, Memory: memory})
	if err != nil {
		t.Errorf("%s, little memory: %v", name, err)
		return
	}
	if !dedupe.Spills(tab) {
		t.Errorf("%s: all in memory in %d bytes", name, memory)
	}
	if got.Compared != want.Compared || !slices.Equal(got.Rows, want.Rows) || !slices.Equal(got.Review, want.Review) {
		t.Errorf("%s: with little memory %d pairs and %d clusters, want the %d and %d of enough, and each row where it was", name, got.Compared, got.Clusters, want.Compared, want.Clusters)
	}
}

// A table of many rows on few values: what is left out is planned, told and the
// same in every order of rows.
func TestPlanKeepsItsBudget(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	first, last := names(r, 30), names(r, 60)
	rows := [][]string{{"id", "given_name", "family_name", "birth_date", "city", "postcode", "phone"}}
	for i := range 12_000 {
		g, _, _ := strings.Cut(first[r.IntN(len(first))], " ")
		f, _, _ := strings.Cut(last[r.IntN(len(last))], " ")
		row := []string{"", g, f, fmt.Sprintf("19%02d-%02d-%02d", 70+r.IntN(6), 1+r.IntN(12), 1+r.IntN(28)), fmt.Sprint("city", r.IntN(40)), fmt.Sprint(10000 + r.IntN(120)), fmt.Sprintf("+44 20 7%03d %04d", r.IntN(1000), i%10_000)}
		rows = append(rows, row)
		if i%4 == 0 {
			again := slices.Clone(row)
			again[6] = ""
			rows = append(rows, again)
		}
	}
	var want []string
	for seed := range uint64(2) {
		body := slices.Clone(rows[1:])
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(body), func(i, j int) { body[i], body[j] = body[j], body[i] })
		for i := range body {
			body[i] = slices.Clone(body[i])
			body[i][0] = fmt.Sprintf("r%d-%d", seed, i)
		}
		tab, res := table(t, dedupe.Options{ID: "id", Workers: int(seed) + 1}, append([][]string{rows[0]}, body...)...)
		if p := res.Plan; p == nil || p.Expected > p.Budget || len(p.Tightened) == 0 || p.Pairs <= p.Budget || res.Compared > p.Budget*5/4 || p.Lost > 0.1 {
			t.Fatalf("plan %+v, %d pairs compared; want a budget that is kept, and at most 10 %% of the likely matches lost", p, res.Compared)
		}
		if res.Duplicates < 2800 || res.Duplicates > 3300 {
			t.Errorf("%d duplicates, want about 3000", res.Duplicates)
		}
		got := append(partition(tab, res, "id"), res.Plan.String())
		if want == nil {
			want = got
		} else if !slices.Equal(want, got) {
			t.Errorf("another order of rows and another number of workers: other clusters or another plan: %s, want %s", got[len(got)-1], want[len(want)-1])
		}
	}
}
