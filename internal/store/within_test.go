package store_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/store"
)

// fillWithin makes n customers of one record each, record i of source "s" and every
// third of "t", with a decision on each, a row in quarantine, writes, and a pair with
// the next but one; nothing of it has values. The scopes reach: 1 ten customers
// spread over all, 2 the first half, 3 every seventh, 4 the oldest tenth.
func fillWithin(t testing.TB, db *sql.DB, n int) {
	t.Helper()
	numbers := fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, n)
	blob := "x''"
	if db.Driver() != nil && strings.Contains(fmt.Sprintf("%T", db.Driver()), "stdlib") {
		blob = "''::bytea"
	}
	fill := func(table, columns, values, where string) {
		t.Helper()
		q := `INSERT INTO ` + table + ` (` + columns + `) ` + numbers + `SELECT ` + strings.ReplaceAll(values, "BLOB", blob) + ` FROM n ` + where
		if _, err := db.ExecContext(context.Background(), q); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	source := `CASE WHEN i % 3 = 0 THEN 't' ELSE 's' END`
	fill("source_record", "rec, source, entity, external_id, anchor, version, latest, hash, stamp, etag, deleted", `i, `+source+`, 'company', CAST(i AS TEXT), 'g' || i, 1, 1, BLOB, '', '', 0`, "")
	fill("source_version", "rec, version, seq, raw, hash, stamp, etag, seen_at, deleted, place, problem", `i, 1, i, BLOB, BLOB, '', '', '', 0, '', ''`, "")
	// Each fifth record of "t" belongs to no customer yet.
	loose := ` WHERE NOT (i % 15 = 0)`
	fill("crosswalk", "rec, comp, golden", "i, i, i", loose)
	fill("golden", "founder, id, entity, owner, fields, provenance, members, live, version, changed_at", `i, 'g' || i, 'company', CASE WHEN i % 3 = 0 THEN 'Ann' ELSE '' END, '{}', '{}', 1, 1, 1, ''`, loose)
	fill("decision", "seq, id, kind, mark, who, why, at, until", `i, 'd' || i, CASE WHEN i % 50 = 0 THEN 'undo' ELSE 'pin' END, '', CASE WHEN i % 2 = 0 THEN 'ann' ELSE 'bob' END, '', '', ''`, "")
	fill("ruling", "id, kind, a, b, field, value, who, why, at, decision", `'r' || i, 'pin', i, CASE WHEN i % 4 = 0 THEN i + 7 ELSE 0 END, '', '', '', '', '', 'd' || i`, " WHERE i % 50 <> 0")
	fill("decision_withdrawal", "decision, withdraws", `'d' || i, 'd' || (i - 7)`, " WHERE i % 50 = 0")
	fill("relation_refused", "decision, a, b, kind", `'d' || i, i, i, 'x'`, " WHERE i % 11 = 0")
	fill("quarantine", "id, rec, version, source, entity, external_id, reasons, state, at", `'q' || i, i, 1, `+source+`, 'company', CAST(i AS TEXT), BLOB, 'open', CAST(1000000 + i / 3 AS TEXT)`, "")
	fill("quarantine_fault", "fault, at, id, rec, source, entity, rule, field", `'f' || (i % 2), CAST(1000000 + i / 3 AS TEXT), 'q' || i, i, `+source+`, 'company', 'schema', ''`, "")
	fill("repair", "rec, version, field, decision, remedy, sealed", `i, 1, 'name', 'd' || i, '', BLOB`, " WHERE i % 13 = 0")
	fill("outbox", "seq, id, target, system, entity, op, founder, rec, external_id, key, sealed_by, fields, base, got, wanted, refusal, precondition, state, attempt, sent_seq, sent_at, not_before, zombie_until, verified, error, at, settled_at",
		`i, 'o' || i, 'desk', 's', 'company', 'update', i, CASE WHEN i % 3 = 0 THEN i + 1 ELSE 0 END, '', '', i, BLOB, BLOB, BLOB, BLOB, BLOB, '', CASE WHEN i % 2 = 0 THEN 'rejected' ELSE 'delivered' END, 0, 0, '', '', '', 0, '', '', ''`, "")
	fill("queue", "a, b, x, y, entity, kind, low, high, weight, far, chance, pairs, value, systems, damage, rank_damage, name, since, assigned, due, until, escalated, proposer",
		`i, i + 7, i, i + 7, 'company', 'below', 's', 't', 0, 0, 500000, 1, 0, 2, (i * 7919) % 1000, -((i * 7919) % 1000), '', '', '', '', '', 0, ''`, fmt.Sprintf(" WHERE i <= 100000 AND i + 7 <= %d", n))
	reach := func(scope, where string) {
		t.Helper()
		fill("reach", "scope, founder", scope+", i", loose+" AND "+where)
	}
	reach("1", fmt.Sprintf("i %% %d < 8 AND (i %% 7 = 0 OR i %% 4 = 0) AND i / %d %% 2 = 0", n/5, n/5))
	reach("2", fmt.Sprintf("i <= %d", n/2))
	reach("3", "i % 7 = 0")
	reach("4", fmt.Sprintf("i <= %d", n/10))
	if _, err := db.ExecContext(context.Background(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
}

// eachWithin calls what a list of keys is asked for, part by part, until it ends.
func eachWithin[K comparable](t *testing.T, what string, part func(after K) (keys []K, next K, err error)) (all []K) {
	t.Helper()
	var at, none K
	for rounds := 0; ; rounds++ {
		keys, next, err := part(at)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		all = append(all, keys...)
		if next == none {
			return all
		}
		if next == at || rounds > 2000 {
			t.Fatalf("%s: goes on at %v behind %v, round %d", what, next, at, rounds)
		}
		at = next
	}
}

// TestListsWithin: whoever reaches few customers, many, or a whole source is listed
// all that a look at every row would find, in the same order, and no more; each page
// goes on behind the one before, wherever it stopped looking.
func TestListsWithin(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			db := open(t, dsn, env.Real())
			fillWithin(t, raw(t, dsn), 8200)
			for name, w := range map[string]store.Within{
				"nobody": {Reach: store.Reach{}}, "few": {Reach: store.Reach{1}}, "spread": {Reach: store.Reach{3}}, "old": {Reach: store.Reach{4}},
				"few and a source": {Reach: store.Reach{1}, Whole: []store.SourceKind{{Source: "t", Entity: "company"}}},
				"two and a kind":   {Reach: store.Reach{1, 4}, Whole: []store.SourceKind{{Entity: "company"}}},
			} {
				t.Run(name, func(t *testing.T) { listsWithin(t, db, w); ownersWithin(t, db, w) })
			}
		})
	}
}

// ownersWithin holds the counts of owners against the customers of each, and these
// against all that are reached.
func ownersWithin(t *testing.T, db *store.DB, w store.Within) {
	ctx := t.Context()
	counted, more, err := db.OwnersWithin(ctx, "company", w.Reach, 9, math.MaxInt)
	if err != nil || more {
		t.Fatalf("owners: more %v, %v", more, err)
	}
	all, err := db.GoldenList(ctx, store.GoldenFilter{Entity: "company", Reach: w.Reach, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, owner := range []string{"", "Ann"} {
		owned, err := db.OwnedBy(ctx, "company", owner, "", w.Reach, 0, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(counted, func(c store.OwnerCount) bool { return c.Owner == owner })
		if at < 0 && len(owned) > 0 || at >= 0 && counted[at].Customers != len(owned) {
			t.Errorf("%q: counted %v, %d customers", owner, counted, len(owned))
		}
		sum += len(owned)
		for _, source := range []string{"", "t"} { // of many it is read page by page, from what is reached
			want, err := db.OwnedBy(ctx, "company", owner, source, w.Reach, 0, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			got := []store.Owned{}
			eachWithin(t, "customers of an owner", func(after int64) (keys []int64, next int64, err error) {
				list, err := db.OwnedBy(ctx, "company", owner, source, w.Reach, after, 300)
				if got = append(got, list...); len(list) == 300 {
					next = list[299].Founder
				}
				return nil, next, err
			})
			if !slices.Equal(got, want) {
				t.Errorf("%q, source %q: %d customers page by page, want %d", owner, source, len(got), len(want))
			}
		}
	}
	if sum != len(all) {
		t.Errorf("%d customers have an owner or none, want %d", sum, len(all))
	}
	if first, more, err := db.OwnersWithin(ctx, "company", w.Reach, 9, 100); err != nil || more != (len(all) > 100) || more && first[0].Customers >= len(all) {
		t.Errorf("of 100: %v, more %v, %v; want more of %d", first, more, err, len(all))
	}
}

func listsWithin(t *testing.T, db *store.DB, w store.Within) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	all := make([]string, 8200)
	for i := range all {
		all[i] = fmt.Sprint(i + 1)
	}
	with := func(letter string) (ids []string) {
		for _, x := range all {
			ids = append(ids, letter+x)
		}
		return ids
	}
	same := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d of them, want %d: %.300v, want %.300v", what, len(got), len(want), got, want)
		}
	}

	in, err := db.DecisionsReached(ctx, w, with("d"))
	must(err)
	for who, newest := range map[string]bool{"": true, "ann": false} {
		var want []string
		for i, id := range with("d") {
			if in[id] && (who == "" || i%2 == 1) {
				want = append(want, id)
			}
		}
		if newest {
			slices.Reverse(want)
		}
		var got []string
		eachWithin(t, "decisions", func(after int64) (seqs []int64, next int64, err error) {
			list, next, err := db.DecisionsWithin(ctx, store.DecisionFilter{Who: who, Newest: newest, After: after, Limit: 100, Within: w})
			for _, d := range list {
				got, seqs = append(got, d.ID), append(seqs, d.Seq)
			}
			return seqs, next, err
		})
		same(fmt.Sprintf("decisions, newest %v, of %q", newest, who), got, want)
	}

	in, err = db.QuarantinesReached(ctx, w, with("q"))
	must(err)
	waits := func(f store.QuarantineQuery) (got []string) {
		f.Within, f.Limit = w, 50
		return eachWithin(t, "quarantine", func(after string) (ids []string, next string, err error) {
			f.After = after
			list, next, err := db.QuarantinePart(ctx, f)
			for _, q := range list {
				ids = append(ids, q.ID)
			}
			return ids, next, err
		})
	}
	wanted := func(keep func(i int) bool) (want []string) {
		for i, id := range with("q") {
			if in[id] && keep(i+1) {
				want = append(want, id)
			}
		}
		slices.SortFunc(want, func(x, y string) int {
			at := func(id string) int {
				n, err := strconv.Atoi(id[1:])
				must(err)
				return n / 3
			}
			return cmp.Or(at(x)-at(y), strings.Compare(x, y))
		})
		return want
	}
	same("quarantine", waits(store.QuarantineQuery{State: "open"}), wanted(func(int) bool { return true }))
	same("quarantine of a source", waits(store.QuarantineQuery{State: "open", Source: "t"}), wanted(func(i int) bool { return i%3 == 0 }))
	same("quarantine with a fault", waits(store.QuarantineQuery{Faults: []string{"f1"}}), wanted(func(i int) bool { return i%2 == 1 }))
	same("quarantine with two faults", waits(store.QuarantineQuery{Faults: []string{"f1", "f0"}}), wanted(func(int) bool { return true }))
	for _, name := range []string{"$LIST", "$X1", "?", "it's", "a\x00b"} { // as a page's address may say
		same("quarantine with the fault "+name, waits(store.QuarantineQuery{Faults: []string{name}}), nil)
	}
	same("mended", waits(store.QuarantineQuery{State: "mended"}), nil)

	var mended []string
	for i := 13; i <= 8200; i += 13 {
		if id := fmt.Sprint("q", i); in[id] { // a repair is reached as its record's row is
			mended = append(mended, fmt.Sprint(i))
		}
	}
	var repairs []string
	eachWithin(t, "repairs", func(after int64) (recs []int64, next int64, err error) {
		list, err := db.Repairs(ctx, store.RepairFilter{Limit: 40, After: store.RepairMark{Rec: after, Version: 1, Field: "name"}, Within: w})
		for _, r := range list {
			repairs, recs = append(repairs, r.Ref.ID), append(recs, r.Rec)
		}
		if len(list) == 40 {
			next = recs[39]
		}
		return recs, next, err
	})
	same("repairs", repairs, mended)

	in, err = db.RowsReached(ctx, w.Reach, with("o"))
	must(err)
	var rejected, delivered []string
	for i, id := range with("o") {
		if in[id] && i%2 == 1 {
			rejected = append(rejected, id)
		} else if in[id] {
			delivered = append(delivered, id)
		}
	}
	slices.Reverse(delivered)
	counts, more, err := db.StuckCounts(ctx, "desk", w.Reach)
	must(err)
	if counts["rejected"] > len(rejected) || !more && counts["rejected"] != len(rejected) {
		t.Errorf("%d writes are counted, more %v, want %d", counts["rejected"], more, len(rejected))
	}
	for what, ask := range map[string]func(after int64) ([]store.Row, int64, error){
		"rejected writes": func(after int64) ([]store.Row, int64, error) {
			return db.RowsIn(ctx, []string{"desk", "none"}, "rejected", w.Reach, after, 40)
		},
		"delivered writes": func(after int64) ([]store.Row, int64, error) {
			return db.NewestDelivered(ctx, "desk", w.Reach, after, 40)
		},
	} {
		var got []string
		eachWithin(t, what, func(after int64) (seqs []int64, next int64, err error) {
			rows, next, err := ask(after)
			for _, r := range rows {
				got, seqs = append(got, r.ID), append(seqs, r.Seq)
			}
			return seqs, next, err
		})
		same(what, got, map[string][]string{"rejected writes": rejected, "delivered writes": delivered}[what])
	}

	founders := make([]int64, 8200)
	for i := range founders {
		founders[i] = int64(i + 1)
	}
	reached, err := db.Reached(ctx, w.Reach, founders)
	must(err)
	var theirs []string
	pairs := 0
	for _, f := range founders {
		if reached[f] {
			theirs = append(theirs, fmt.Sprint("g", f))
		}
		if reached[f] && reached[f+7] {
			pairs++
		}
	}
	var customers []string
	eachWithin(t, "customers", func(after int64) (keys []int64, next int64, err error) {
		list, err := db.GoldenList(ctx, store.GoldenFilter{Entity: "company", Reach: w.Reach, After: after, Limit: 70})
		for _, g := range list {
			customers, keys = append(customers, g.ID), append(keys, g.Founder)
		}
		if len(list) == 70 {
			next = keys[69]
		}
		return keys, next, err
	})
	same("customers", customers, theirs)
	n, more, err := db.QueueLength(ctx, w.Reach)
	if must(err); n != pairs || more {
		t.Errorf("%d pairs wait, more %v, want %d and all of them", n, more, pairs)
	}
	f, seen := store.QueueFilter{Entity: "company", Reach: w.Reach, Limit: 40, Now: "2024"}, 0
	for last := (store.QueuePlace{Number: -1 << 40}); ; {
		list, next, _, err := db.Queue(ctx, f)
		must(err)
		for _, p := range list {
			if at := f.Place(p); at.Compare(last) <= 0 {
				t.Errorf("%v is listed behind %v", at, last)
			} else {
				last = at
			}
			if !reached[p.X] || !reached[p.Y] {
				t.Errorf("the pair %d, %d is out of reach", p.X, p.Y)
			}
		}
		if seen += len(list); next == nil {
			break
		}
		f.After = *next
	}
	if seen != pairs {
		t.Errorf("%d pairs are listed, want %d", seen, pairs)
	}
}

// BenchmarkWithin asks for the lists of who reaches ten customers, half of them,
// some everywhere, and the oldest, in a store with a million rows of each kind:
// go test -v -run xxx -bench Within -benchtime 1x -timeout 1h ./internal/store
func BenchmarkWithin(b *testing.B) {
	for _, eng := range engines() {
		b.Run(eng.name, func(b *testing.B) {
			for range b.N {
				dsn := eng.dsn(b)
				db, behind := open(b, dsn, env.Real()), raw(b, dsn)
				fillWithin(b, behind, 1_000_000)
				b.Log(withinMillion(b, db))
			}
		})
	}
}

func withinMillion(b *testing.B, db *store.DB) string {
	ctx := context.Background()
	var report strings.Builder
	for _, scope := range []struct {
		name string
		w    store.Within
	}{
		{"ten customers", store.Within{Reach: store.Reach{1}}}, {"half", store.Within{Reach: store.Reach{2}}}, {"every seventh", store.Within{Reach: store.Reach{3}}}, {"the oldest tenth", store.Within{Reach: store.Reach{4}}},
	} {
		w := scope.w
		for _, ask := range []struct {
			name string
			do   func() (int, error)
		}{
			{"decisions, newest first", func() (int, error) {
				list, _, err := db.DecisionsWithin(ctx, store.DecisionFilter{Newest: true, Limit: 30, Within: w})
				return len(list), err
			}},
			{"quarantine", func() (int, error) {
				list, _, err := db.QuarantinePart(ctx, store.QuarantineQuery{State: "open", Limit: 50, Within: w})
				return len(list), err
			}},
			{"faults", func() (int, error) { list, err := db.FaultsWithin(ctx, w, 1000); return len(list), err }},
			{"one fault", func() (int, error) { g, _, err := db.FaultWithin(ctx, w, "f1"); return g.N, err }},
			{"stuck writes, counted", func() (int, error) {
				n, _, err := db.StuckCounts(ctx, "desk", w.Reach)
				return n["rejected"], err
			}},
			{"stuck writes", func() (int, error) {
				list, _, err := db.RowsIn(ctx, []string{"desk"}, "rejected", w.Reach, 0, 100)
				return len(list), err
			}},
			{"delivered writes", func() (int, error) {
				list, _, err := db.NewestDelivered(ctx, "desk", w.Reach, 0, 100)
				return len(list), err
			}},
			{"often written", func() (int, error) {
				list, err := db.OftenWritten(ctx, "desk", w.Reach, 5000, 200)
				return len(list), err
			}},
			{"repairs", func() (int, error) {
				list, err := db.Repairs(ctx, store.RepairFilter{Limit: 100, Within: w})
				return len(list), err
			}},
			{"pairs, counted", func() (int, error) { n, _, err := db.QueueLength(ctx, w.Reach); return n, err }},
			{"pairs", func() (int, error) {
				list, _, _, err := db.Queue(ctx, store.QueueFilter{Entity: "company", Reach: w.Reach, Limit: 20, Now: "2024"})
				return len(list), err
			}},
			{"customers", func() (int, error) {
				list, err := db.GoldenList(ctx, store.GoldenFilter{Reach: w.Reach, Limit: 100})
				return len(list), err
			}},
		} {
			var took []time.Duration
			n := 0
			for range 5 {
				from := time.Now()
				var err error
				if n, err = ask.do(); err != nil {
					b.Fatal(ask.name, err)
				}
				took = append(took, time.Since(from))
			}
			first := took[0]
			slices.Sort(took)
			fmt.Fprintf(&report, "%-18s %-26s first %7.1f ms, median %7.1f ms, %d\n", scope.name, ask.name, first.Seconds()*1000, took[2].Seconds()*1000, n)
		}
	}
	return report.String()
}
