package app

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"touchstone/internal/env"
	"touchstone/internal/web"
)

// filledRows is how many golden records the test of the pages fills a store with:
// TOUCHSTONE_BENCH_ROWS, or few.
func filledRows(t *testing.T) int {
	t.Helper()
	s := os.Getenv("TOUCHSTONE_BENCH_ROWS")
	if s == "" {
		return 3000
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPagesStayQuickOverAFilledStore reads each page of the systems twice over a
// store with rows in every table that a page counts, and logs how long the second
// reading took: what a reader waits for while the daemon counts beside.
func TestPagesStayQuickOverAFilledStore(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		n := filledRows(t)
		w, _, _ := two(t, dsn, []string{acme("c1", "2", "")}, []string{acme("o1", "1", "")})
		real := env.Real()
		w.env.Clock = real.Clock
		w.open()
		w.clean()
		w.fill(n)
		ctx := t.Context()
		began := real.Clock.Now()
		if _, err := w.app.Measure(ctx); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d records counted in %v", n, real.Clock.Now().Sub(began))
		for _, page := range []struct {
			name string
			read func(context.Context) error
		}{
			{"overview", func(ctx context.Context) error {
				o, err := w.app.Overview(ctx)
				if err == nil && o.Golden <= n {
					err = fmt.Errorf("%d golden records, want more than %d", o.Golden, n)
				}
				return err
			}},
			{"quality", func(ctx context.Context) error { _, err := w.app.Quality(ctx); return err }},
			{"field", func(ctx context.Context) error {
				p, err := w.app.FieldProfile(ctx, "crm", "company", "name")
				if err == nil && p.Records <= n {
					err = fmt.Errorf("%d records counted, want more than %d", p.Records, n)
				}
				return err
			}},
			{"health", func(ctx context.Context) error { _, err := w.app.Health(ctx, 30); return err }},
			{"plans", func(ctx context.Context) error { _, err := w.app.Plans(ctx); return err }},
			{"plan", func(ctx context.Context) error {
				_, err := w.app.PlanPage(ctx, web.PlanQuery{Target: "desk", Limit: 30})
				return err
			}},
			{"runs", func(ctx context.Context) error { _, err := w.app.Runs(ctx, web.RunFilter{Limit: 50}); return err }},
			{"live", func(ctx context.Context) error { _, _, err := w.app.Live(ctx); return err }},
		} {
			for i := range 2 {
				began := real.Clock.Now()
				if err := page.read(ctx); err != nil {
					t.Fatalf("%s: %v", page.name, err)
				}
				if i == 1 {
					t.Logf("%-9s %v", page.name, real.Clock.Now().Sub(began))
				}
			}
		}
	})
}

// fill writes rows as a load of n records would leave them, by SQL: in a
// thousandth of the time.
func (w *world) fill(n int) {
	w.Helper()
	dsn, crm, desk := w.dsn, w.app.SourceUID("crm"), w.app.SourceUID("desk")
	w.execute(fmt.Sprintf(`INSERT INTO source_record (rec, source, entity, external_id, anchor, salt, version, latest, hash, stamp, etag, deleted)
		%s SELECT 1000 + n, '%s', 'company', 'x' || n, 'a' || n, NULL, 1, 1, %s, '', '', 0 FROM k`, numbers(n), crm, noBytes(dsn)))
	w.execute(fmt.Sprintf(`INSERT INTO feature (rec, entity, version, seq, live, authored, features, published)
		%s SELECT 1000 + n, 'company', 1, 1000 + n, 1, '{"name":{"n":1,"s":"2026-01-01T00:00:00.000000Z","v":"Name ' || n || '"},"country":{"n":1,"s":"2026-01-01T00:00:00.000000Z","v":"GB"}}', %[2]s, %[2]s FROM k`, numbers(n), noBytes(dsn)))
	w.execute(fmt.Sprintf(`INSERT INTO crosswalk (rec, comp, golden) %s SELECT 1000 + n, 1000 + n, 1000 + n FROM k`, numbers(n)))
	w.execute(fmt.Sprintf(`INSERT INTO golden (founder, id, entity, fields, provenance, members, live, version, changed_at)
		%s SELECT 1000 + n, 'g' || n, 'company', '{"name":"Name ' || n || '"}', '{}', 1, 1, 1, '2026-01-01T00:00:00.000000Z' FROM k`, numbers(n)))
	w.execute(fmt.Sprintf(`INSERT INTO outbox (seq, id, target, system, entity, op, founder, rec, external_id, key, sealed_by, fields, base, got, wanted, refusal, precondition, state, attempt,
		sent_seq, sent_at, not_before, zombie_until, verified, error, at, settled_at)
		%s SELECT 5000000 + n, 'o' || n, 'desk', '%[3]s', 'company', 'update', 1000 + n, 1000 + n, 'x' || n, '', 0, %[2]s, %[2]s, %[2]s, %[2]s, %[2]s, '', 'delivered', 1,
		5000000 + n, '2026-01-01T00:00:00.000000Z', '', '', 1, '', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z' FROM k`, numbers(n), noBytes(dsn), desk))
	w.execute(fmt.Sprintf(`INSERT INTO match (a, b, weight, pattern, model, entity) %s SELECT 1000 + n, 1001 + n, 3000, 0, 'start-1', 'company' FROM k`, numbers(n/10)))
	if err := w.app.Store.CountTables(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// numbers is a table k of 1 to n.
func numbers(n int) string {
	return fmt.Sprintf(`WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < %d)`, max(n, 1))
}

// noBytes is an empty value of bytes.
func noBytes(dsn string) string {
	if strings.HasPrefix(dsn, "postgres") {
		return "''::bytea"
	}
	return "X''"
}
