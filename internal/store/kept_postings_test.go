package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// TestKeptPostingsAreTheStored lets two processes that keep posting lists in memory
// publish in turn, change the table in bulk and fail half way: what a publishing
// gives is what stands in the store, and memory is what the table holds.
func TestKeptPostingsAreTheStored(t *testing.T) {
	const records, limit, names = 14, 3, 2
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			two := []*storetest.Bench{bench(t, dsn, 1), bench(t, dsn, 2)}
			var ids []string
			for i := range records {
				ids = append(ids, fmt.Sprint(i))
				two[0].Land(storetest.Item(ids[i], storetest.Named("first", [2]uint64{uint64(i%3 + 1), 2})))
			}
			recs := two[0].Recs(ids...)
			line := store.Lists{Entity: storetest.Entity, Cap: limit, Names: names}
			refused := errors.New("refused")
			r := rand.New(rand.NewPCG(2, 11))
			kept := 0
			for n := range 150 {
				b := two[r.IntN(2)]
				some := map[int64]bool{}
				for range 1 + r.IntN(4) {
					i := r.IntN(records)
					var keys [][2]uint64
					for k := range uint64(3) {
						if r.IntN(2) == 0 {
							keys = append(keys, [2]uint64{k + 1, r.Uint64N(4) + 1})
						}
					}
					b.Land(storetest.Item(ids[i], storetest.Named(fmt.Sprint("name ", n), keys...)))
					some[recs[i]] = true
				}
				var wave []int64
				for _, rec := range recs {
					if some[rec] {
						wave = append(wave, rec)
					}
				}
				if r.IntN(3) == 0 {
					if _, err := b.DB.WarmPostings(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				what := []string{"publish", "publish", "publish", "fails", "in bulk"}[r.IntN(5)]
				switch what {
				case "fails":
					seen := 0
					_, err := b.DB.Publish(t.Context(), append(wave, recs...), func(features []byte) ([]store.Key, error) {
						if seen++; seen > len(wave) {
							return nil, refused
						}
						return storetest.KeysOf(features)
					}, line)
					if !errors.Is(err, refused) {
						t.Fatalf("step %d: publishing says %v, want %v", n, err, refused)
					}
				case "in bulk":
					b.Must(b.DB.BeginBulk(t.Context(), storetest.Entity))
					list, fresh, err := b.DB.NextResolvable(t.Context(), storetest.Entity, 0, records, func(list []*store.Resolvable) error {
						for _, x := range list {
							var err error
							if x.Keys, err = storetest.KeysOf(x.Features); err != nil {
								return err
							}
						}
						return nil
					})
					b.Must(err)
					var posted []store.Posting
					for i, x := range list {
						for _, k := range fresh[i] {
							posted = append(posted, store.Posting{Key: k, Rec: x.Rec})
						}
					}
					b.Must(b.DB.AddPostings(t.Context(), posted))
					b.Must(b.DB.EndPublish(t.Context(), line, nil))
				}
				p, err := b.DB.Publish(t.Context(), wave, storetest.KeysOf, line)
				b.Must(err)
				for _, rec := range p.Recs {
					stored, _, err := b.DB.Postings(t.Context(), p.Keys[rec], limit)
					b.Must(err)
					for _, k := range p.Keys[rec] {
						if diff := cmp.Diff(stored[k], p.Lists[k]); diff != "" {
							t.Fatalf("step %d, %s: publishing gives another list of %v than stands in the store (-store +given):\n%s", n, what, k, diff)
						}
					}
				}
				var rows int
				if err := raw(t, dsn).QueryRowContext(t.Context(), `SELECT count(*) FROM blocking_key`).Scan(&rows); err != nil {
					t.Fatal(err)
				}
				if in, whole := b.DB.KeptPostings(); whole {
					if kept++; in != rows {
						t.Fatalf("step %d, %s: %d postings are in memory, %d in the store", n, what, in, rows)
					}
				}
			}
			if kept < 50 {
				t.Errorf("posting lists were in memory after %d of 150 steps", kept)
			}
		})
	}
}

// TestKeptPostingsAreReadWhenItPays: who publishes much keeps the lists, and who may
// keep nothing, or too little, does not.
func TestKeptPostingsAreReadWhenItPays(t *testing.T) {
	for _, tt := range []struct {
		what string
		most int
		want bool
	}{{"as it is", store.DefaultKept, true}, {"nothing may be kept", 0, false}, {"there is no room", 2, false}} {
		b := bench(t, engines()[0].dsn(t), 1)
		b.DB.KeepFeatures(tt.most)
		var ids []string
		for i := range 40 {
			ids = append(ids, fmt.Sprint(i))
			b.Land(storetest.Item(ids[i], storetest.Named("n", [2]uint64{uint64(i), 1}, [2]uint64{uint64(i + 1), 2})))
		}
		for range 3 {
			_, err := b.DB.Publish(t.Context(), b.Recs(ids...), storetest.KeysOf, store.Lists{Entity: storetest.Entity, Cap: 9})
			b.Must(err)
		}
		if n, whole := b.DB.KeptPostings(); whole != tt.want || whole && n != 80 {
			t.Errorf("%s: %d postings are in memory: %v, want %v with 80", tt.what, n, whole, tt.want)
		}
	}
}
