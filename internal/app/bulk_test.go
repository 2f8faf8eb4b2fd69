package app

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// TestBulkTurnCutShort stops a bulk turn while it publishes and while it links,
// and lets records change in between: what comes after ends as one batch does,
// and a rebuild finds no difference.
func TestBulkTurnCutShort(t *testing.T) {
	companies := pool(t)
	cuts := map[string]func(*world){
		"while it publishes": func(w *world) {
			ctx := w.Context()
			if err := w.app.Store.BeginBulk(ctx, record.Company); err != nil {
				w.Fatal(err)
			}
			keys := func(list []*store.Resolvable) error { // as many as a page may have had when the process died
				for _, x := range list {
					x.Keys = []store.Key{{Coarse: uint64(x.Rec % 3), Fine: 1}}
				}
				return nil
			}
			list, _, err := w.app.Store.NextResolvable(ctx, record.Company, 0, 7, keys)
			if err != nil || len(list) != 7 {
				w.Fatalf("%d records: %v", len(list), err)
			}
			err = w.app.Store.AddPostings(ctx, []store.Posting{{Key: store.Key{Coarse: 99, Fine: 1}, Rec: list[0].Rec}})
			if err != nil {
				w.Fatal(err)
			}
		},
		"while it links": func(w *world) {
			ctx, cancel := context.WithCancel(w.Context())
			defer cancel()
			batches := 0
			err := w.app.Resolve(ctx, func(string, string, int) {
				if batches++; batches == 2 {
					cancel()
				}
			})
			if err == nil || batches < 2 {
				w.Fatalf("after %d batches: %v, want it cut short", batches, err)
			}
		},
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 7))
			s := newScript(t, r, companies, 40)
			w := newWorld(t, "")
			w.yaml = feedYAML
			w.opts = Options{Cap: 4, Names: 2, Batch: 3, Bulk: 1}
			w.open()
			f := &feed{}
			w.app.order[0].intakes[0].Puller = f
			last := 0
			for _, versions := range s.versions {
				last = max(last, len(versions))
			}
			for round := range last {
				var page []record.Raw
				for _, versions := range s.versions {
					if round < len(versions) {
						page = append(page, versions[round])
					}
				}
				f.pages = append(f.pages, page)
				if err := w.app.PullAll(t.Context()); err != nil {
					t.Fatal(err)
				}
				if round == 0 {
					cut(w)
				}
			}
			s.rulings = nil
			s.resolve(w)
			groups, features := w.partition()
			if diff := cmp.Diff(s.batch(w, features, store.Lists{Cap: 4, Names: 2}), groups); diff != "" {
				t.Errorf("the partition differs from the batch (-batch +store):\n%s", diff)
			}
			w.verify()
			w.close()
		})
	}
}
