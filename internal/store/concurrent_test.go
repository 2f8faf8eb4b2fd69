package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// twoHandles opens one store twice, as two processes on one PostgreSQL do.
func twoHandles(t *testing.T, eng engine) (*storetest.Bench, []*store.DB) {
	t.Helper()
	dsn := eng.dsn(t)
	b := bench(t, dsn, 1)
	e, _ := storetest.Env(2)
	return b, []*store.DB{b.DB, open(t, dsn, e)}
}

// TestTwoClaimersNeverGetTheSameRow lets two handles claim at once until
// nothing is left: each row goes out once, and the rows of one object one
// after the other.
func TestTwoClaimersNeverGetTheSameRow(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			const objects, each = 60, 3
			b, handles := twoHandles(t, eng)
			var items []store.Item
			for i := range objects {
				items = append(items, storetest.Item(fmt.Sprint(i), storetest.Named(fmt.Sprint(i))))
			}
			b.Land(items...)
			var rows []store.Row
			for range each {
				for i := range objects {
					rec := b.Rec(fmt.Sprint(i))
					rows = append(rows, store.Row{
						Target: "out", System: storetest.Source, Entity: storetest.Entity, Op: "update", Founder: rec, Rec: rec,
						Fields: map[string]json.RawMessage{"name": []byte(`"x"`)},
					})
				}
			}
			b.Resolved() // a row waits while its object does
			b.Link(func(tx *store.LinkTx) error { return tx.AddRows(t.Context(), rows, nil) })

			var mu sync.Mutex
			taken, out, last := map[int64]int{}, map[int64]bool{}, map[int64]int64{}
			g, ctx := errgroup.WithContext(t.Context())
			for _, db := range handles {
				for range 3 {
					g.Go(func() error {
						return claimAll(ctx, db, func(r store.Row, begins bool) {
							mu.Lock()
							defer mu.Unlock()
							if !begins {
								out[r.Rec] = false
								return
							}
							taken[r.Seq]++
							if out[r.Rec] || r.Seq < last[r.Rec] {
								t.Errorf("row %d of record %d was claimed while another was out or after a later one", r.Seq, r.Rec)
							}
							out[r.Rec], last[r.Rec] = true, r.Seq
						}, func() bool {
							mu.Lock()
							defer mu.Unlock()
							return len(taken) == objects*each
						})
					})
				}
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			for seq, n := range taken {
				if n != 1 {
					t.Errorf("row %d was claimed %d times, want once", seq, n)
				}
			}
		})
	}
}

// claimAll claims and settles until all rows have been taken.
func claimAll(ctx context.Context, db *store.DB, saw func(r store.Row, begins bool), done func() bool) error {
	for !done() {
		time.Sleep(time.Millisecond) // SQLite's lock has no queue: whoever never rests starves the others
		rows, err := db.Claim(ctx, "out", 7)
		if err != nil {
			return err
		}
		for _, r := range rows {
			saw(r, true)
		}
		for _, r := range rows {
			saw(r, false) // before it is settled: after that another may have the next
			if err := db.Settle(ctx, r, store.Settlement{State: store.Delivered, Outcome: "applied"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestTwoLandersMakeOneRecord lands the same pages through two handles at
// once: one record each, every version kept once.
func TestTwoLandersMakeOneRecord(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			const n, pages = 20, 10
			b, handles := twoHandles(t, eng)
			var mu sync.Mutex
			var total store.Counts
			g, ctx := errgroup.WithContext(t.Context())
			for _, db := range handles {
				g.Go(func() error {
					for p := range pages {
						var items []store.Item
						for i := range n {
							items = append(items, storetest.Item(fmt.Sprint(p, "-", i), storetest.Named("x")))
						}
						c, err := db.Land(ctx, store.Landing{Source: storetest.Source, Entity: storetest.Entity, Items: items, Derive: storetest.Derive})
						if err != nil {
							return err
						}
						mu.Lock()
						total = total.Add(c)
						mu.Unlock()
					}
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			if want := (store.Counts{Pulled: 2 * n * pages, Stored: n * pages, Unchanged: n * pages}); total != want {
				t.Errorf("counts of both = %+v, want %+v", total, want)
			}
			numbers, err := b.DB.Numbers(t.Context())
			if err != nil || numbers.Records != n*pages {
				t.Errorf("records = %d, %v, want %d", numbers.Records, err, n*pages)
			}
		})
	}
}

// TestPartsOfTheDaemonDoNotBlockEachOther lands, publishes, links, claims,
// settles and releases at once, on the same records: no part ends in a
// deadlock.
func TestPartsOfTheDaemonDoNotBlockEachOther(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			const n, rounds = 12, 12
			b, handles := twoHandles(t, eng)
			d := &daemon{n: n, rounds: rounds}
			b.Land(d.page("r", storetest.Named)...)
			for i := range n {
				d.recs = append(d.recs, b.Rec(fmt.Sprint("r", i)))
			}
			g, ctx := errgroup.WithContext(t.Context())
			for i, part := range []func(context.Context, *store.DB) error{d.land, d.deliver, d.deliver, d.resolve, d.plan, d.release} {
				g.Go(func() error { return part(ctx, handles[i%2]) })
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			b.Resolved() // rows waited while their objects did
			if err := d.deliver(t.Context(), handles[1]); err != nil {
				t.Fatal(err)
			}
			if d.delivered.Load() == 0 {
				t.Error("nothing was delivered")
			}
		})
	}
}

// daemon is the parts of a running daemon, each a loop over one store.
type daemon struct {
	n, rounds int
	planned   atomic.Bool
	recs      []int64
	delivered atomic.Int64
}

func (d *daemon) page(prefix string, data func(string, ...[2]uint64) string) []store.Item {
	var items []store.Item
	for i := range d.n {
		items = append(items, storetest.Item(fmt.Sprint(prefix, i), data(fmt.Sprint(prefix, i), [2]uint64{uint64(i % 3), 0})))
	}
	return items
}

func (d *daemon) land(ctx context.Context, db *store.DB) error {
	for round := range d.rounds * 2 {
		items := d.page("r", func(name string, k ...[2]uint64) string { return storetest.Named(fmt.Sprint(name, round), k...) })
		for i, it := range d.page(fmt.Sprint("made-", round, "-"), storetest.Named) {
			it.Key = fmt.Sprint("key-", round/2, "-", d.recs[i])
			items = append(items, it)
		}
		items = append(items, storetest.Item(fmt.Sprint("bad", round%3), storetest.Bad(fmt.Sprint(round))))
		slices.Reverse(items)
		_, err := db.Land(ctx, store.Landing{Source: storetest.Source, Entity: storetest.Entity, Items: items, Derive: storetest.Derive})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *daemon) plan(ctx context.Context, db *store.DB) error {
	defer d.planned.Store(true)
	var waiting []int64
	for round := range d.rounds {
		var rows []store.Row
		for _, rec := range d.recs {
			r := store.Row{
				Target: "out", System: storetest.Source, Entity: storetest.Entity, Op: "update", Founder: rec, Rec: rec,
				Fields: map[string]json.RawMessage{"name": []byte(`"x"`)},
			}
			create := r
			create.Rec, create.Op, create.Key = 0, "create", fmt.Sprint("key-", round, "-", rec)
			rows = append(rows, r, create)
		}
		err := db.Link(ctx, func(tx *store.LinkTx) error { return tx.AddRows(ctx, rows, waiting) })
		if err != nil {
			return err
		}
		pending, err := db.Rows(ctx, "out", store.Pending, 0, d.n/2)
		if err != nil {
			return err
		}
		waiting = waiting[:0]
		for _, r := range pending {
			waiting = append(waiting, r.Seq)
		}
	}
	return nil
}

func (d *daemon) deliver(ctx context.Context, db *store.DB) error {
	for round := 0; ; round++ {
		planned := d.planned.Load()
		rows, err := db.Claim(ctx, "out", 5)
		if err != nil || planned && len(rows) == 0 {
			return err
		}
		for i, r := range rows {
			s := store.Settlement{State: store.Delivered, Outcome: "applied", Got: r.Fields, Verified: i%2 == 0}
			if i%3 == 0 {
				s = store.Settlement{State: store.Unknown, Outcome: "unknown", Replan: true}
			}
			if r.Rec == 0 {
				s.ExternalID = fmt.Sprint("made-", round, "-", i)
			}
			if err := db.Settle(ctx, r, s); err != nil {
				return err
			}
			d.delivered.Add(1)
		}
	}
}

func (d *daemon) resolve(ctx context.Context, db *store.DB) error {
	for range d.rounds {
		backlog, err := db.BacklogResolve(ctx, storetest.Entity, 0, 50)
		if err != nil {
			return err
		}
		var recs []int64
		for _, t := range backlog {
			recs = append(recs, t.Rec)
		}
		p, err := db.Publish(ctx, recs, storetest.KeysOf, store.Lists{Entity: storetest.Entity, Cap: 5})
		if err != nil {
			return err
		}
		err = db.Link(ctx, func(tx *store.LinkTx) error {
			closure, err := tx.Closure(ctx, p.Recs)
			if err != nil {
				return err
			}
			var placed []store.Placed
			for _, rec := range closure {
				placed = append(placed, store.Placed{Rec: rec, Comp: d.recs[0], Golden: d.recs[0]})
			}
			if err := tx.Place(ctx, placed); err != nil {
				return err
			}
			return tx.Done(ctx, p.Waiting)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *daemon) release(ctx context.Context, db *store.DB) error {
	for range d.rounds {
		open, err := db.Quarantines(ctx, store.QuarantineQuery{State: "open", Limit: 5})
		if err != nil {
			return err
		}
		for _, q := range open {
			// another version may have taken its place meanwhile
			if err := db.Release(ctx, q.ID, "ann", ""); err != nil && !strings.Contains(err.Error(), "only an open one") {
				return err
			}
		}
	}
	return nil
}
