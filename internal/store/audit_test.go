package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"touchstone/internal/audit"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

func auditKey(db *store.DB) *audit.Key { return audit.NewKey(db.LogID(), [32]byte{3}) }

// sealAll chains what is open and signs a checkpoint.
func sealAll(b *storetest.Bench) store.AuditHead {
	b.Helper()
	for {
		n, err := b.DB.Seal(b.Context(), 100)
		b.Must(err)
		if n == 0 {
			break
		}
	}
	h, err := b.DB.AuditHead(b.Context())
	b.Must(err)
	at := store.TimeText(b.Clock.Now())
	b.Must(b.DB.KeepCheckpoint(b.Context(), store.Signed{N: h.N, At: at, Note: auditKey(b.DB).Checkpoint(h.N, h.H, at)}))
	return h
}

func checked(b *storetest.Bench, marks audit.Marks) *audit.Report {
	b.Helper()
	r, err := b.DB.AuditVerify(b.Context(), auditKey(b.DB).Public(), marks)
	b.Must(err)
	return r
}

func note(b *storetest.Bench, who, what string, subjects ...string) {
	b.Helper()
	b.Must(b.DB.Note(b.Context(), audit.Entry{Who: who, What: what, Subjects: subjects}))
}

func eachEngine(t *testing.T, test func(t *testing.T, b *storetest.Bench, dsn string)) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			test(t, bench(t, dsn, 1), dsn)
		})
	}
}

// TestAuditChain writes from many goroutines while two sealers chain, and wants
// every row in the chain once, without gaps, in its order.
func TestAuditChain(t *testing.T) {
	eachEngine(t, func(t *testing.T, b *storetest.Bench, _ string) {
		const writers, each = 6, 20
		var wg, sealers sync.WaitGroup
		stop := make(chan struct{})
		for range 2 {
			sealers.Go(func() {
				for {
					if _, err := b.DB.Seal(context.Background(), 7); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		for w := range writers {
			wg.Go(func() {
				ctx := audit.With(context.Background(), audit.By{Role: "steward", Request: fmt.Sprint("r", w)})
				for i := range each {
					if err := b.DB.Seen(ctx, fmt.Sprint("w", w), "read.customer", []string{fmt.Sprint("g", i), "both"}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		close(stop)
		sealers.Wait()
		h := sealAll(b)
		if h.N != writers*each || h.Open != 0 {
			t.Errorf("the chain has %d entries and %d open rows, want %d and 0", h.N, h.Open, writers*each)
		}
		if r := checked(b, audit.Marks{}); !r.Whole() || r.Last != h.N || r.Checkpoints != 1 {
			t.Errorf("verify: %+v, want %d entries whole and one checkpoint", r, h.N)
		}
		list, err := b.DB.AuditList(t.Context(), store.AuditFilter{Subject: "both", Who: "w3"}, 100)
		b.Must(err)
		if len(list) != each || list[0].Role != "steward" || list[0].Request != "r3" || list[0].Outcome != audit.Done {
			t.Errorf("looks of w3: %d, the newest %+v; want %d as steward under r3", len(list), list[:min(1, len(list))], each)
		}
	})
}

func TestAuditRowsStay(t *testing.T) {
	eachEngine(t, func(t *testing.T, b *storetest.Bench, dsn string) {
		note(b, "anna", "decision.merge", "d1", "g1")
		sealAll(b)
		raw := rawDB(t, dsn)
		for _, q := range []string{
			`UPDATE audit SET who = 'otto'`, `DELETE FROM audit`, `UPDATE audit_seal SET n = n + 1`, `DELETE FROM audit_seal`,
			`UPDATE audit_checkpoint SET note = ''`, `DELETE FROM audit_checkpoint`,
		} {
			if _, err := raw.ExecContext(t.Context(), q); err == nil || !strings.Contains(err.Error(), "audit rows are never") {
				t.Errorf("%s: error %v, want it refused", q, err)
			}
		}
		if r := checked(b, audit.Marks{}); !r.Whole() {
			t.Errorf("afterwards: %+v", r)
		}
	})
}

func rawDB(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver := "sqlite3"
	if strings.HasPrefix(dsn, "postgres") {
		driver = "pgx"
	} else {
		dsn = "file:" + dsn + "?_busy_timeout=5000"
	}
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	raw.SetMaxOpenConns(1)
	t.Cleanup(func() { raw.Close() })
	return raw
}

// TestAuditList asks in every way at random and compares with a plain filter.
func TestAuditList(t *testing.T) {
	eachEngine(t, func(t *testing.T, b *storetest.Bench, _ string) {
		r := rand.New(rand.NewPCG(1, 2))
		pick := func(from ...string) string { return from[r.IntN(len(from))] }
		whos, whats, subjects := []string{"anna", "bo", "touchstone"}, []string{"decision.merge", "decision.split", "golden.save", "read.customer"}, []string{"g1", "g2", "g3", "g4"}
		for range 150 {
			n := 1 + r.IntN(3)
			var about []string
			for range n {
				about = append(about, pick(subjects...))
			}
			note(b, pick(whos...), pick(whats...), about...)
		}
		all, err := b.DB.AuditList(t.Context(), store.AuditFilter{}, 1000)
		b.Must(err)
		if len(all) != 150 {
			t.Fatalf("%d entries, want 150", len(all))
		}
		for i := range 200 {
			f := store.AuditFilter{Who: pick("", whos[0], whos[1], "nobody"), Subject: pick("", "", "g1", "g2", "none")}
			for _, w := range whats {
				if r.IntN(4) == 0 {
					f.What = append(f.What, w)
				}
			}
			if r.IntN(2) == 0 {
				f.From = all[r.IntN(len(all))].At
			}
			if r.IntN(2) == 0 {
				f.To = all[r.IntN(len(all))].At
			}
			if r.IntN(2) == 0 {
				f.Before = all[r.IntN(len(all))].Seq
			}
			limit := 1 + r.IntN(30)
			var want []int64
			for _, e := range all {
				if (f.Who == "" || e.Who == f.Who) && (f.Subject == "" || slices.Contains(e.Subjects, f.Subject)) && (len(f.What) == 0 || slices.Contains(f.What, e.What)) &&
					(f.From == "" || e.At >= f.From) && (f.To == "" || e.At < f.To) && (f.Before == 0 || e.Seq < f.Before) && len(want) < limit {
					want = append(want, e.Seq)
				}
			}
			list, err := b.DB.AuditList(t.Context(), f, limit)
			b.Must(err)
			var got []int64
			for _, e := range list {
				got = append(got, e.Seq)
			}
			if !slices.Equal(got, want) {
				t.Errorf("question %d %+v, at most %d: rows %v, want %v", i, f, limit, got, want)
			}
		}
		words, err := b.DB.AuditWhats(t.Context())
		b.Must(err)
		people, err := b.DB.AuditWhos(t.Context())
		b.Must(err)
		if !slices.Equal(words, whats) || !slices.Equal(people, whos) {
			t.Errorf("actions %v of %v, want %v of %v", words, people, whats, whos)
		}
	})
}

// TestAuditOddTexts keeps what both engines can hold, and what was kept verifies.
func TestAuditOddTexts(t *testing.T) {
	eachEngine(t, func(t *testing.T, b *storetest.Bench, _ string) {
		for _, s := range []string{"", "a\x00b", "\xff\xfe", "two\nlines", strings.Repeat("长", 1000), "<script>", "\u202e\u200b", "a b  c"} {
			note(b, s, "what."+s, s, s+"1", s)
		}
		var many []string
		for i := range 1200 {
			many = append(many, fmt.Sprint("g", i))
		}
		b.Must(b.DB.Seen(t.Context(), "anna", "read.export", many))
		h := sealAll(b)
		if r := checked(b, audit.Marks{}); !r.Whole() || h.N != 8+3 {
			t.Errorf("%d entries, report %+v; want 11 whole", h.N, r)
		}
		for _, s := range []string{"g0", "g499", "g500", "g1199"} {
			list, err := b.DB.AuditList(t.Context(), store.AuditFilter{Subject: s}, 10)
			b.Must(err)
			if len(list) != 1 {
				t.Errorf("looks at %s: %d, want 1", s, len(list))
			}
		}
	})
}

// mutation changes the tables as somebody could who has the database and not the
// key. Seals is how many rows are chained, rows how many there are.
type mutation struct {
	name string
	do   func(r *rand.Rand, rows, seals int) []string
	need string // "" for found by the store alone, "elsewhere" for one that needs a checkpoint kept elsewhere
}

func mutations() []mutation {
	nth := func(r *rand.Rand, n int) string {
		return fmt.Sprintf(`(SELECT seq FROM audit ORDER BY seq LIMIT 1 OFFSET %d)`, r.IntN(n))
	}
	return []mutation{
		{"flip", func(r *rand.Rand, rows, _ int) []string {
			column := []string{"who", "what", "subject", "at", "role", "request", "outcome", "more", "detail"}[r.IntN(9)]
			return []string{`UPDATE audit SET ` + column + ` = ` + column + ` || 'x' WHERE seq = ` + nth(r, rows)}
		}, ""},
		{"flip a hash", func(r *rand.Rand, rows, _ int) []string {
			column := []string{"before", "after", "mac"}[r.IntN(3)]
			return []string{`UPDATE audit SET ` + column + ` = randomblob(16) WHERE seq = ` + nth(r, rows)}
		}, ""},
		{"another form", func(r *rand.Rand, rows, _ int) []string {
			return []string{`UPDATE audit SET form = 3 - form WHERE seq = ` + nth(r, rows)}
		}, ""},
		{"delete", func(r *rand.Rand, _, seals int) []string {
			return []string{`DELETE FROM audit WHERE seq = ` + nth(r, seals)}
		}, ""},
		{"delete with its seal", func(r *rand.Rand, _, seals int) []string {
			n := r.IntN(seals) + 1
			return []string{
				fmt.Sprintf(`DELETE FROM audit WHERE seq = (SELECT seq FROM audit_seal WHERE n = %d)`, n), fmt.Sprintf(`DELETE FROM audit_seal WHERE n = %d`, n),
			}
		}, ""},
		{"delete and renumber", func(r *rand.Rand, _, seals int) []string {
			n := r.IntN(seals-1) + 1
			return []string{
				fmt.Sprintf(`DELETE FROM audit WHERE seq = (SELECT seq FROM audit_seal WHERE n = %d)`, n), fmt.Sprintf(`DELETE FROM audit_seal WHERE n = %d`, n),
				fmt.Sprintf(`UPDATE audit_seal SET n = -n WHERE n > %d`, n), `UPDATE audit_seal SET n = -n - 1 WHERE n < 0`,
			}
		}, ""},
		{"swap", func(r *rand.Rand, _, seals int) []string {
			a, b := r.IntN(seals)+1, r.IntN(seals)+1
			if a == b {
				b = a%seals + 1
			}
			return []string{
				fmt.Sprintf(`UPDATE audit_seal SET n = -1 WHERE n = %d`, a), fmt.Sprintf(`UPDATE audit_seal SET n = %d WHERE n = %d`, a, b), fmt.Sprintf(`UPDATE audit_seal SET n = %d WHERE n = -1`, b),
			}
		}, ""},
		{"insert", func(r *rand.Rand, rows, _ int) []string {
			return []string{`INSERT INTO audit (seq, at, who, what, subject, before, after, mac, form)
				SELECT (SELECT max(seq) FROM audit) + 1, at, 'forged', what, subject, before, after, mac, form FROM audit WHERE seq = ` + nth(r, rows)}
		}, ""},
		{"insert in between", func(_ *rand.Rand, _, _ int) []string {
			return []string{`INSERT INTO audit (seq, at, who, what, subject, before, after, mac, form, role, request, outcome, more)
				SELECT 1000000, at, who, what, subject, before, after, mac, form, role, request, outcome, more FROM audit ORDER BY seq LIMIT 1`}
		}, ""},
		{"seal of one's own", func(r *rand.Rand, _, seals int) []string {
			return []string{fmt.Sprintf(`UPDATE audit_seal SET h = randomblob(32) WHERE n = %d`, r.IntN(seals)+1)}
		}, ""},
		{"truncate the rows", func(r *rand.Rand, _, seals int) []string {
			return []string{`DELETE FROM audit WHERE seq >= ` + nth(r, seals)}
		}, ""},
		{"truncate rows and seals", func(r *rand.Rand, _, seals int) []string {
			n := r.IntN(seals) + 1
			return []string{
				fmt.Sprintf(`DELETE FROM audit WHERE seq >= (SELECT seq FROM audit_seal WHERE n = %d)`, n), fmt.Sprintf(`DELETE FROM audit_seal WHERE n >= %d`, n),
			}
		}, ""}, // the store's own checkpoint knows of more
		{"set back", func(r *rand.Rand, _, seals int) []string {
			n := r.IntN(seals) + 1
			return []string{
				fmt.Sprintf(`DELETE FROM audit WHERE seq >= (SELECT seq FROM audit_seal WHERE n = %d)`, n), fmt.Sprintf(`DELETE FROM audit_seal WHERE n >= %d`, n),
				fmt.Sprintf(`DELETE FROM audit_subject WHERE seq NOT IN (SELECT seq FROM audit) OR %d < 0`, n), fmt.Sprintf(`DELETE FROM audit_checkpoint WHERE n >= %d`, n),
			}
		}, "elsewhere"},
		{"checkpoint", func(_ *rand.Rand, _, _ int) []string {
			return []string{`UPDATE audit_checkpoint SET note = replace(note, '2026', '2027')`}
		}, ""},
		{"subject hidden", func(_ *rand.Rand, _, _ int) []string {
			return []string{`DELETE FROM audit_subject WHERE seq = (SELECT min(seq) FROM audit_subject)`}
		}, ""},
		{"subject made up", func(r *rand.Rand, rows, _ int) []string {
			return []string{`INSERT INTO audit_subject (subject, seq) VALUES ('gX', ` + nth(r, rows) + `)`}
		}, ""},
	}
}

// TestAuditMutations changes a SQLite file behind the store's back, 256 times,
// and wants each change found; a store that was set back whole is found by a
// checkpoint that was kept elsewhere, and not without it.
func TestAuditMutations(t *testing.T) {
	dsn := engines()[0].dsn(t)
	b := bench(t, dsn, 1)
	for i := range 24 {
		note(b, "anna", "decision.merge", fmt.Sprint("d", i), fmt.Sprint("g", i), fmt.Sprint("g", i+1))
	}
	head := sealAll(b)
	for i := range 4 { // an open tail
		note(b, "bo", "read.customer", fmt.Sprint("g", i))
	}
	var elsewhere audit.Marks
	elsewhere.Add(audit.Checkpoint{Log: b.DB.LogID(), N: head.N, H: head.H, At: "2026-01-02T03:04:06.000000Z"})
	raw := rawDB(t, dsn)
	run := func(list ...string) {
		t.Helper()
		for _, q := range list {
			if _, err := raw.ExecContext(t.Context(), q); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
	}
	tables := []string{"audit", "audit_seal", "audit_subject", "audit_checkpoint"}
	for _, table := range []string{"audit", "audit_seal", "audit_checkpoint"} {
		run(`DROP TRIGGER `+table+`_no_update`, `DROP TRIGGER `+table+`_no_delete`)
	}
	for _, table := range tables {
		run(`CREATE TEMP TABLE kept_` + table + ` AS SELECT * FROM ` + table)
	}
	if r := checked(b, elsewhere); !r.Whole() || r.Open != 4 {
		t.Fatalf("before: %+v, want whole with 4 open rows", r)
	}
	all := mutations()
	for seed := range uint64(256) {
		r := rand.New(rand.NewPCG(4, seed))
		m := all[seed%uint64(len(all))]
		run("BEGIN")
		run(m.do(r, 28, 24)...)
		run("COMMIT")
		if got := checked(b, elsewhere); got.Whole() {
			t.Errorf("seed %d: %s was not found", seed, m.name)
		}
		if got := checked(b, audit.Marks{}); got.Whole() != (m.need == "elsewhere") {
			t.Errorf("seed %d: %s, without a checkpoint from elsewhere: %v, want it found: %v", seed, m.name, got.Problems, m.need == "")
		}
		run("BEGIN")
		for _, table := range tables {
			run(`DELETE FROM `+table, `INSERT INTO `+table+` SELECT * FROM kept_`+table)
		}
		run("COMMIT")
	}
	if r := checked(b, elsewhere); !r.Whole() {
		t.Errorf("after: %+v", r)
	}
}

// TestAuditOfOldRows verifies rows that an earlier program wrote.
func TestAuditOfOldRows(t *testing.T) {
	eachEngine(t, func(t *testing.T, b *storetest.Bench, dsn string) {
		raw := rawDB(t, dsn)
		at := "2025-01-02T03:04:05.000000Z"
		for i, what := range []string{"read.customer", "golden.save"} {
			mac := storetest.Vault().MAC("audit", fmt.Sprint(i+1), at, "anna", what, "g1 g2", "", "x")
			if _, err := raw.ExecContext(t.Context(), `INSERT INTO audit (seq, at, who, what, subject, before, after, mac) VALUES ($1, $2, 'anna', $3, 'g1 g2', $4, $5, $6)`, i+1, at, what, []byte{}, []byte("x"), mac); err != nil {
				t.Fatal(err)
			}
		}
		sealAll(b)
		if r := checked(b, audit.Marks{}); !r.Whole() || r.Last != 2 {
			t.Errorf("report %+v, want 2 whole", r)
		}
		list, err := b.DB.AuditList(t.Context(), store.AuditFilter{}, 5)
		b.Must(err)
		if len(list) != 2 || !slices.Equal(list[1].Subjects, []string{"g1", "g2"}) || !slices.Equal(list[0].Subjects, []string{"g1 g2"}) {
			t.Errorf("entries %+v, want the look with two subjects and the other with one", list)
		}
	})
}
