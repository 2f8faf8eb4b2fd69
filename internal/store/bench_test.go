package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// trivial is a derivation that costs nothing, so that the store is measured.
func trivial(h store.History) (store.Derived, error) {
	return store.Derived{Version: h.Current, Live: true, Authored: []byte(`{}`), Features: h.Versions[0].Raw[:32], Bad: map[int][]record.Reason{}}, nil
}

func page(round, n int, name string) []store.Item {
	items := make([]store.Item, n)
	for i := range items {
		items[i] = storetest.Item(fmt.Sprintf("%07d-%07d", round, i), fmt.Sprintf(
			`{"name":"%s %d Trading Company Limited","phone":"+44 20 7946 %04d","email":"office%d@example.com","city":"Ningbo","country":"CN","note":"a record of the usual size, with some text"}`, name, i, i%10000, i))
	}
	return items
}

// cpuSeconds is what this process has used so far.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

func benchDB(b *testing.B) *store.DB {
	b.Helper()
	db, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "store.db"), storetest.Vault(), env.Real())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db
}

// measure runs fn for rounds of 1,000 records and reports records per second
// of processor time.
func measure(b *testing.B, fn func(round int)) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	start := cpuSeconds(b)
	for i := range b.N {
		fn(i)
	}
	b.ReportMetric(float64(b.N)*1000/(cpuSeconds(b)-start), "records/cpu-s")
}

func land(b *testing.B, db *store.DB, items []store.Item) {
	b.Helper()
	c, err := db.Land(b.Context(), store.Landing{Source: storetest.Source, Entity: storetest.Entity, Items: items, Cursor: []byte("c"), Derive: trivial})
	if err != nil || c.Pulled != len(items) {
		b.Fatalf("land: %+v, %v", c, err)
	}
}

func BenchmarkLandNew(b *testing.B) {
	db := benchDB(b)
	measure(b, func(i int) { land(b, db, page(i, 1000, "new")) })
}

func BenchmarkLandUnchanged(b *testing.B) {
	db := benchDB(b)
	items := page(0, 1000, "same")
	land(b, db, items)
	measure(b, func(int) { land(b, db, items) })
}

// BenchmarkLandChanged gives 1,000 records their fourth version. A landing
// derives from the whole history, so the cost grows with its length.
func BenchmarkLandChanged(b *testing.B) {
	db := benchDB(b)
	var spent float64
	b.ReportAllocs()
	for i := range b.N {
		b.StopTimer()
		for _, name := range []string{"first", "second", "third"} {
			land(b, db, page(i, 1000, name))
		}
		items := page(i, 1000, "fourth")
		start := cpuSeconds(b)
		b.StartTimer()
		land(b, db, items)
		spent += cpuSeconds(b) - start
	}
	b.ReportMetric(float64(b.N)*1000/spent, "records/cpu-s")
}

func BenchmarkLandEtags(b *testing.B) {
	db := benchDB(b)
	items := page(0, 1000, "same")
	land(b, db, items)
	measure(b, func(i int) {
		for j := range items {
			items[j].Raw.Version = fmt.Sprint("e", i)
		}
		land(b, db, items)
	})
}

// BenchmarkPublish changes the keys of 1,000 records, eight each, and takes
// the records off the backlog.
func BenchmarkPublish(b *testing.B) {
	db := benchDB(b)
	land(b, db, page(0, 1000, "keys"))
	backlog, err := db.BacklogResolve(b.Context(), storetest.Entity, 0, 1000)
	if err != nil {
		b.Fatal(err)
	}
	recs, seqs := make([]int64, len(backlog)), map[int64]int64{}
	for i, t := range backlog {
		recs[i] = t.Rec
	}
	round := uint64(0)
	measure(b, func(int) {
		round++
		n := uint64(0)
		keysOf := func([]byte) ([]store.Key, error) {
			n++
			keys := make([]store.Key, 8)
			for k := range keys {
				keys[k] = store.Key{Coarse: (round*7919 + n*31 + uint64(k)*1e6) % 50000, Fine: n}
			}
			return keys, nil
		}
		if _, err := db.Publish(b.Context(), recs, keysOf, store.Lists{Cap: 50}); err != nil {
			b.Fatal(err)
		}
		for _, r := range recs {
			seqs[r] = 1 << 40
		}
		if err := db.Link(b.Context(), func(tx *store.LinkTx) error { return tx.Done(b.Context(), seqs) }); err != nil {
			b.Fatal(err)
		}
	})
}
