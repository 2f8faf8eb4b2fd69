package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// atNow reads features as a scan does: behind a publishing.
func atNow(b *storetest.Bench, recs []int64) map[int64]store.Feature {
	b.Helper()
	p, err := b.DB.Publish(b.Context(), nil, storetest.KeysOf, store.Lists{Entity: storetest.Entity, Cap: 9})
	b.Must(err)
	list, err := b.DB.FeaturesAt(b.Context(), p.Counter, recs)
	b.Must(err)
	return byRec(list)
}

func byRec(list []store.Feature) map[int64]store.Feature {
	out := map[int64]store.Feature{}
	for _, f := range list {
		out[f.Rec] = f
	}
	return out
}

// TestKeptFeaturesAreTheStored lets two processes change the features of a few
// records, undo changes and void records: whoever reads through memory sees what
// the store holds.
func TestKeptFeaturesAreTheStored(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			two := []*storetest.Bench{bench(t, dsn, 1), bench(t, dsn, 2)}
			two[1].DB.KeepFeatures(1 << 10) // has to give up most
			const records = 12
			var ids []string
			for i := range records {
				ids = append(ids, fmt.Sprint(i))
				two[0].Land(storetest.Item(ids[i], storetest.Named("first", [2]uint64{uint64(i), 2})))
			}
			recs := two[0].Recs(ids...)
			refused := errors.New("refused")
			r := rand.New(rand.NewPCG(1, 9))
			for n := range 300 {
				b := two[r.IntN(2)]
				item := storetest.Item(ids[r.IntN(records)], storetest.Named(fmt.Sprint("name ", n), [2]uint64{uint64(n), 1}))
				what := []string{"change", "change", "rolled back", "void", "drop", "read"}[r.IntN(6)]
				switch what {
				case "change":
					b.Land(item)
				case "void":
					b.Must(b.DB.Rederive(b.Context(), []int64{recs[r.IntN(records)]}, func(store.History) (store.Derived, error) { return store.Derived{}, nil }))
				case "drop", "rolled back":
					err := b.DB.Link(b.Context(), func(tx *store.LinkTx) error {
						backlog, err := tx.BacklogBehind(b.Context(), storetest.Entity, 0)
						seqs := map[int64]int64{}
						for _, w := range backlog {
							seqs[w.Rec] = w.Seq
						}
						if err = errors.Join(err, tx.Done(b.Context(), seqs)); err == nil && what == "rolled back" {
							err = refused
						}
						return err
					})
					if what == "drop" && err != nil || what == "rolled back" && !errors.Is(err, refused) {
						t.Fatalf("step %d, %s: %v", n, what, err)
					}
				}
				for i, b := range two {
					want, err := b.DB.Features(b.Context(), recs)
					b.Must(err)
					stamps := map[int64]int64{}
					for _, f := range want {
						stamps[f.Rec] = f.Seq
					}
					many := slices.Repeat(recs, 6) // so many are looked for in memory
					err = b.DB.Link(b.Context(), func(tx *store.LinkTx) error {
						seqs, err := tx.Seqs(b.Context(), many)
						if diff := cmp.Diff(stamps, seqs); diff != "" {
							t.Errorf("step %d, %s: stamps as process %d sees them: %s", n, what, i, diff)
						}
						return errors.Join(err, refused)
					})
					if !errors.Is(err, refused) {
						t.Fatalf("step %d, %s: %v", n, what, err)
					}
					if diff := cmp.Diff(byRec(want), atNow(b, recs)); diff != "" {
						t.Fatalf("step %d, %s: process %d reads other features than the store holds (-store +read):\n%s", n, what, i, diff)
					}
				}
			}
		})
	}
}

// TestKeptFeaturesNeverGoBack reads while others write: what is read is never
// older than what the store held when the reading began.
func TestKeptFeaturesNeverGoBack(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			b := bench(t, eng.dsn(t), 1)
			ids := []string{"1", "2", "3", "4"}
			for _, id := range ids {
				b.Land(storetest.Item(id, storetest.Named("first", [2]uint64{1, 1})))
			}
			recs := b.Recs(ids...)
			var g sync.WaitGroup
			g.Go(func() {
				for n := range 60 {
					id := ids[n%len(ids)]
					b.Land(storetest.Item(id, storetest.Named(fmt.Sprint("name ", n), [2]uint64{uint64(n), 3})))
				}
			})
			for range 2 {
				g.Go(func() {
					for n := range 60 {
						before, err := b.DB.Features(b.Context(), recs)
						if err != nil {
							t.Error(err)
							return
						}
						p, err := b.DB.Publish(b.Context(), nil, storetest.KeysOf, store.Lists{Entity: storetest.Entity, Cap: 9})
						if err != nil {
							t.Error(err)
							return
						}
						list, err := b.DB.FeaturesAt(b.Context(), p.Counter, recs)
						if err != nil {
							t.Error(err)
							return
						}
						for rec, f := range byRec(before) {
							if got := byRec(list)[rec]; got.Seq < f.Seq {
								t.Errorf("reading %d: record %d has the stamp %d, and had %d before", n, rec, got.Seq, f.Seq)
							}
						}
					}
				})
			}
			g.Wait()
			want, err := b.DB.Features(b.Context(), recs)
			b.Must(err)
			if diff := cmp.Diff(byRec(want), atNow(b, recs)); diff != "" {
				t.Errorf("at last other features than the store holds (-store +read):\n%s", diff)
			}
		})
	}
}

// TestLookUpSeesOneStateOfFeatures: what changes while a look-up reads, and is in
// memory already, is not what it is weighed against.
func TestLookUpSeesOneStateOfFeatures(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			b := bench(t, eng.dsn(t), 1)
			b.Land(storetest.Item("1", storetest.Named("old", [2]uint64{1, 1})), storetest.Item("2", storetest.Named("same")))
			recs := b.Recs("1", "2")
			old := atNow(b, recs)
			b.Must(b.DB.Snapshot(t.Context(), func(tx *store.LookTx) error {
				if _, err := tx.Standing(t.Context(), storetest.Entity, nil); err != nil {
					return err
				}
				b.Land(storetest.Item("1", storetest.Named("new", [2]uint64{2, 2})))
				fresh := atNow(b, recs)
				if string(fresh[recs[0]].Features) == string(old[recs[0]].Features) {
					t.Error("a scan behind the change reads the old features")
				}
				near, err := tx.Near(t.Context(), recs)
				if err != nil {
					return err
				}
				for _, n := range near {
					if string(n.Features) != string(old[n.Rec].Features) {
						t.Errorf("the look-up reads features of record %d that came after it began: %q, want %q", n.Rec, n.Features, old[n.Rec].Features)
					}
				}
				return nil
			}))
			if got, want := string(atNow(b, recs)[recs[0]].Features), string(old[recs[0]].Features); got == want {
				t.Error("the look-up has left the old features in memory")
			}
		})
	}
}

// TestWarmFeaturesAreInMemory: what was read at the start is not read again, until
// it changes.
func TestWarmFeaturesAreInMemory(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			b := bench(t, dsn, 1)
			b.Land(storetest.Item("1", storetest.Named("one", [2]uint64{1, 1})), storetest.Item("2", storetest.Named("two", [2]uint64{2, 1})))
			recs := b.Recs("1", "2")
			want, err := b.DB.Features(t.Context(), recs)
			b.Must(err)
			again := bench(t, dsn, 2)
			n, err := again.DB.WarmFeatures(t.Context())
			again.Must(err)
			if n != 2 {
				t.Errorf("%d records are read into memory, want 2", n)
			}
			if _, err := raw(t, dsn).ExecContext(t.Context(), `UPDATE feature SET live = 0`); err != nil { // behind everybody's back
				t.Fatal(err)
			}
			if diff := cmp.Diff(byRec(want), atNow(again, recs)); diff != "" {
				t.Errorf("features were read again (-kept +read):\n%s", diff)
			}
			again.Land(storetest.Item("1", storetest.Named("one more", [2]uint64{3, 1})))
			if got := atNow(again, recs)[recs[0]]; string(got.Features) == string(byRec(want)[recs[0]].Features) || !got.Live {
				t.Errorf("features that changed are read as %q", got.Features)
			}
		})
	}
}
