package bench

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"touchstone/internal/store/pgtest"
)

// BenchmarkCounts tells what the counts that the database keeps cost: it takes
// TOUCHSTONE_BENCH_RECORDS companies (20,000) in and resolves them, with all
// counts, without that of the backlog and the indexes beside it, and without any.
// On PostgreSQL the server's CPU time is counted with ours.
//
//	go test -v -run xxx -bench Counts -benchtime 1x -timeout 1h ./internal/bench
func BenchmarkCounts(b *testing.B) {
	n := recordsWanted(20_000)
	eachEngine(b, func(b *testing.B, engine string) {
		for range b.N {
			for _, kept := range []string{"all", "few", "none"} {
				b.Run(kept, func(b *testing.B) { counts(b, engine, kept, n) })
			}
		}
	})
}

func counts(b *testing.B, engine, kept string, n int) {
	dir := b.TempDir()
	if err := WriteCompanies(filepath.Join(dir, "companies.csv"), n, 0.3, 32); err != nil {
		b.Fatal(err)
	}
	dsn := ""
	if engine == "postgres" {
		dsn = pgtest.DSN(b)
	}
	a := openWith(b, dir, configuration, dsn)
	db := openDB(b, dir, dsn, "?_busy_timeout=5000")
	defer func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
		_ = db.Close() // its work is done
	}()
	ctx := context.Background()
	if kept != "all" {
		dropCounts(b, db, engine, kept)
	}
	step := func(name string, fn func() error) float64 {
		before := cpuOf(b, db, engine)
		began := time.Now()
		if err := fn(); err != nil && !strings.Contains(err.Error(), "source crm") {
			b.Fatal(err)
		}
		took := (cpuOf(b, db, engine) - before) / float64(n) * 1e6
		b.ReportMetric(took, name+"-µs/record")
		b.Logf("%s %s %s: %.0f µs of CPU a record, %.1f s", engine, kept, name, took, time.Since(began).Seconds())
		return took
	}
	b.ResetTimer()
	whole := step("intake", func() error { return a.PullAll(ctx) })
	if kept != "all" { // the resolver asks how many wait
		for _, q := range []string{`DELETE FROM tally WHERE what = 'backlog'`, `INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', t.entity, s.source, CAST(t.stage AS TEXT), count(*), 0 FROM backlog t JOIN source_record s ON s.rec = t.rec GROUP BY t.entity, s.source, t.stage`} {
			if _, err := db.ExecContext(ctx, q); err != nil {
				b.Fatal(err)
			}
		}
	}
	whole += step("resolve", func() error { return a.Resolve(ctx, func(string, string, int) {}) })
	b.ReportMetric(whole, "whole-µs/record")
}

// dropCounts drops the counting triggers: "few" only those of the backlog, with
// the indexes that came with them.
func dropCounts(b *testing.B, db *sql.DB, engine, kept string) {
	b.Helper()
	q := `SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'tally_%'`
	if engine == "postgres" {
		q = `SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace s ON s.oid = c.relnamespace WHERE t.tgname LIKE 'tally_%' AND s.nspname = current_schema()`
	}
	rows, err := db.QueryContext(context.Background(), q)
	if err != nil {
		b.Fatal(err)
	}
	drop := []string{"DROP INDEX backlog_stage", "DROP INDEX backlog_seq", "DROP INDEX outbox_due", "DROP INDEX outbox_unknown", "DROP INDEX outbox_again"}
	defer func() { _ = rows.Close() }() // it was only read
	for rows.Next() {
		var name, table string
		if err := rows.Scan(&name, &table); err != nil {
			b.Fatal(err)
		}
		if kept == "few" && table != "backlog" {
			continue
		}
		if engine == "postgres" {
			name += " ON " + table
		}
		drop = append(drop, "DROP TRIGGER "+name)
	}
	if err := rows.Err(); err != nil || len(drop) < 8 {
		b.Fatalf("%d triggers, %v", len(drop), err)
	}
	slices.Sort(drop)
	for _, q := range drop {
		if _, err := db.ExecContext(context.Background(), q); err != nil {
			b.Fatalf("%s: %v", q, err)
		}
	}
}

// cpuOf is the CPU time of this process so far, in seconds, with that of the
// PostgreSQL server and what it has started.
func cpuOf(b *testing.B, db *sql.DB, engine string) float64 {
	b.Helper()
	own, _ := usage(b)
	if engine != "postgres" {
		return own
	}
	var text string
	if err := db.QueryRowContext(context.Background(), `SELECT pg_read_file('postmaster.pid')`).Scan(&text); err != nil {
		b.Fatal(err)
	}
	server, _, _ := strings.Cut(text, "\n")
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		stat, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		part := strings.Fields(rest) // from the third on: state, parent, …
		used := part[11:13]          // user and system
		if filepath.Base(filepath.Dir(f)) == server {
			used = part[11:15] // with those of what has ended
		} else if part[1] != server {
			continue
		}
		for _, ticks := range used {
			n, _ := strconv.ParseFloat(ticks, 64)
			own += n / 100
		}
	}
	return own
}
