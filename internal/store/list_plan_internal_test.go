package store

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLongListsAreLookedUp: SQLite goes by a list of many as it goes by a list of one.
// Without statistics it takes any other index of which one value is named for a better
// way than many look-ups, and reads all of a source, or all that are open, for each list.
func TestLongListsAreLookedUp(t *testing.T) {
	db := openBare(t, filepath.Join(t.TempDir(), "store.db"))
	texts := []string{createsBy("external_id"), createsBy("key")}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`([^`]*IN \\$LIST[^`]*)`").FindAllStringSubmatch(string(text), -1) {
			texts = append(texts, m[1])
		}
	}
	indexes := func(q string, n int) (list []string, err error) {
		extra := 0
		for _, m := range regexp.MustCompile(`\$X(\d+)`).FindAllStringSubmatch(q, -1) {
			x, _ := strconv.Atoi(m[1])
			extra = max(extra, x)
		}
		rows, err := db.read.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+db.d.text(db.d.listText(q, "bigint[]", n, extra)), make([]any, n+extra)...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var step string
			if err := rows.Scan(new(int), new(int), new(int), &step); err != nil {
				return nil, err
			}
			if _, index, uses := strings.Cut(step, "INDEX "); uses {
				list = append(list, index)
			}
		}
		return list, rows.Err()
	}
	looked := 0
	// These say as much as the list does, or name one customer.
	alike := []string{"golden_of (entity=? AND founder=? AND rowid=?)", "reach_founder (founder=?)"}
	for _, q := range texts {
		few, err := indexes(q, 1)
		if err != nil {
			continue // a part of a statement
		}
		many, err := indexes(q, listSizes[len(listSizes)-1])
		if err != nil {
			t.Fatal(err)
		}
		looked++
		for _, index := range many {
			if !slices.Contains(few, index) && !slices.Contains(alike, index) {
				t.Errorf("%s\n goes by %s, of a list of one by %s", q, index, strings.Join(few, ", "))
			}
		}
	}
	if looked < 80 {
		t.Errorf("%d statements looked at", looked)
	}
}
