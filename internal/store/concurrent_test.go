package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

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
