package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/app"
	"touchstone/internal/store/pgtest"
	"touchstone/internal/web"
)

const queueConfiguration = `
sources:
  crm: {type: file, path: crm.csv, entities: {company: {id: record.id, map: {name: record.name}}}}
  desk: {type: file, path: desk.csv, entities: {company: {id: record.id, map: {name: record.name}}}}
entities:
  company: {match: {link: 0.9999999999, review: 0.01}}
`

// queuePairs is how many pairs wait.
const queuePairs = 100_000

// BenchmarkQueue asks for pages of a queue of 100,000 pairs and decides pairs,
// on SQLite and PostgreSQL, and tells how long each takes:
// go test -v -run xxx -bench Queue -benchtime 1x -timeout 1h ./internal/bench
func BenchmarkQueue(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		if only := os.Getenv("TOUCHSTONE_BENCH_STORE"); only != "" && only != engine {
			continue
		}
		b.Run(engine, func(b *testing.B) {
			for range b.N {
				dsn := ""
				if engine == "postgres" {
					dsn = pgtest.DSN(b)
				}
				askQueue(b, dsn)
			}
		})
	}
}

// fillQueue copies the one pair that the installation has resolved, and has the
// queue made anew.
func fillQueue(b *testing.B, dir, dsn string) *app.App {
	b.Helper()
	for _, name := range []string{"crm", "desk"} {
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), []byte("id,name\n"+name+",Quarry Bakery Ltd\n"), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	ctx := context.Background()
	a := openWith(b, dir, queueConfiguration, dsn)
	if err := a.Start(ctx); err != nil {
		b.Fatal(err)
	}
	if _, err := a.Pass(ctx, nil); err != nil {
		b.Fatal(err)
	}
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
	db := openDB(b, dir, dsn, "")
	// Both of the two records and what follows from them, n times; the pairs'
	// weights go up and down.
	nums := fmt.Sprintf(`WITH RECURSIVE nums(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM nums WHERE n < %d) `, queuePairs-1)
	for _, q := range []string{
		`INSERT INTO source_record (rec, source, entity, external_id, anchor, salt, version, latest, hash, stamp, etag, deleted) ` + nums +
			`SELECT r.rec + 10 * nums.n, r.source, r.entity, r.external_id || nums.n, r.anchor || nums.n, r.salt, r.version, r.latest, r.hash, r.stamp, r.etag, r.deleted FROM source_record r, nums`,
		`INSERT INTO feature (rec, entity, version, seq, live, authored, features, published) ` + nums +
			`SELECT f.rec + 10 * nums.n, f.entity, f.version, f.seq, f.live, f.authored, f.features, f.published FROM feature f, nums`,
		`INSERT INTO crosswalk (rec, comp, golden) ` + nums + `SELECT c.rec + 10 * nums.n, c.comp + 10 * nums.n, c.golden + 10 * nums.n FROM crosswalk c, nums`,
		`INSERT INTO golden (founder, id, entity, fields, provenance, members, live, version, changed_at) ` + nums +
			`SELECT g.founder + 10 * nums.n, g.id || nums.n, g.entity, g.fields, g.provenance, g.members, g.live, g.version, g.changed_at FROM golden g, nums`,
		`INSERT INTO search_text (founder, entity, name, text, systems) ` + nums + `SELECT s.founder + 10 * nums.n, s.entity, s.name || nums.n, s.text, s.systems FROM search_text s, nums`,
		`INSERT INTO match (a, b, weight, pattern, model, entity) ` + nums + `SELECT m.a + 10 * nums.n, m.b + 10 * nums.n, m.weight + nums.n * 7919 % 9973, m.pattern, m.model, m.entity FROM match m, nums`,
		`INSERT INTO setting (name, value) VALUES ('queue_fill/company', 'needed')`,
	} {
		if _, err := db.ExecContext(ctx, q); err != nil {
			b.Fatalf("%v\n%s", err, q)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	a = openWith(b, dir, queueConfiguration, dsn)
	began := time.Now()
	if err := a.Resolve(ctx, func(string, string, int) {}); err != nil {
		b.Fatal(err)
	}
	if err := a.Store.CountTables(ctx); err != nil {
		b.Fatal(err)
	}
	b.Logf("the queue of %d pairs is made in %.1f s", queuePairs, time.Since(began).Seconds())
	return a
}

func askQueue(b *testing.B, dsn string) {
	dir := b.TempDir()
	a := fillQueue(b, dir, dsn)
	defer func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
	}()
	ctx := context.Background()
	var first web.OpenPairs
	measure := func(what string, times int, run func(i int) error) {
		var took []time.Duration
		for i := range times {
			began := time.Now()
			if err := run(i); err != nil {
				b.Fatalf("%s: %v", what, err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		b.Logf("%-34s median %6.1f ms, 95 %% within %6.1f ms", what, ms(took[len(took)/2]), ms(took[len(took)*95/100]))
		b.ReportMetric(ms(took[len(took)/2]), strings.ReplaceAll(what, " ", "_")+"_ms")
	}
	ask := func(q web.ReviewQuery) func(int) error {
		return func(int) (err error) {
			first, err = a.OpenPairs(ctx, q)
			if err == nil && first.Open < queuePairs/2 {
				err = fmt.Errorf("%d pairs wait", first.Open)
			}
			return err
		}
	}
	measure("first page", 40, ask(web.ReviewQuery{}))
	next := first.Next
	measure("next page", 40, ask(web.ReviewQuery{After: next}))
	for _, order := range web.ReviewOrders[1:] {
		measure("first page by "+order, 20, ask(web.ReviewQuery{Order: order}))
	}
	measure("of a kind", 20, ask(web.ReviewQuery{Kind: web.KindBelow}))
	measure("of two sources", 20, ask(web.ReviewQuery{Source: "crm", Other: "desk"}))
	measure("of a value nobody has", 20, ask(web.ReviewQuery{Value: 1e6}))
	measure("stats", 20, func(int) error { _, err := a.ReviewStats(ctx, "ann", "", 0); return err })
	list, err := a.OpenPairs(ctx, web.ReviewQuery{Limit: 200})
	if err != nil {
		b.Fatal(err)
	}
	answers := []string{web.AnswerSame, web.AnswerApart, web.AnswerUnsure}
	measure("decision and next page", 150, func(i int) error {
		id := list.Items[i].ID
		work, err := a.PairWork(ctx, id, "ann")
		if err != nil {
			return err
		}
		out, err := a.AnswerPair(ctx, web.PairAnswer{ID: id, Answer: answers[i%3], Seen: work.Seen}, web.By{Who: "ann"})
		if err != nil || out.State != web.OutcomeDecided {
			return fmt.Errorf("%+v, %w", out, err)
		}
		_, err = a.OpenPairs(ctx, web.ReviewQuery{Limit: 2})
		return err
	})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
