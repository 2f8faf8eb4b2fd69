package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

func featuresOf(rec int64) []byte { return bytes.Repeat([]byte(fmt.Sprint(rec, " ")), 30) }

func putAll(k *keptFeatures, from, to int64) {
	var list []Feature
	for rec := from; rec < to; rec++ {
		list = append(list, Feature{Rec: rec, Seq: rec + 7, Live: rec%2 == 0, Features: featuresOf(rec)})
	}
	k.put(k.mark(), list)
}

// TestKeptFeaturesAreBounded fills memory many times over: it holds no more than it
// may, what it holds is right, and what is asked for all the time stays.
func TestKeptFeaturesAreBounded(t *testing.T) {
	const most, all, part, often = 3 << 20, 60_000, 500, 40
	k := newKeptFeatures(most)
	favourites := make([]int64, often)
	for i := range favourites {
		favourites[i] = int64(i + 1)
	}
	for from := int64(1); from < all; from += part {
		putAll(k, from, from+part)
		if found, missing := k.get(favourites, 0, all+7); len(missing) > 0 {
			t.Fatalf("at record %d: of %d records that are asked for each time %d are kept", from, often, len(found))
		}
		size := 0
		for _, r := range k.rooms {
			size += cap(r.bytes) + len(r.list)*keptCost
		}
		if size > most+2*roomSize {
			t.Fatalf("at record %d: %d bytes are held, want about %d at most", from, size, most)
		}
		if len(k.at)*keptCost > k.size {
			t.Fatalf("at record %d: %d records are known of %d bytes", from, len(k.at), k.size)
		}
	}
	kept := 0
	for rec := int64(1); rec < all; rec++ {
		found, _ := k.get([]int64{rec}, 0, all+7)
		for _, f := range found {
			kept++
			if want := (Feature{rec, rec + 7, rec%2 == 0, featuresOf(rec)}); f.Rec != want.Rec || f.Seq != want.Seq || f.Live != want.Live || !bytes.Equal(f.Features, want.Features) {
				t.Errorf("record %d is kept as %v", rec, f)
			}
		}
	}
	if kept < 5000 {
		t.Errorf("%d records are kept in %d bytes", kept, most)
	}
}

// TestKeptFeaturesRefuseWhatMayBeOld: a reader that began before a change was over
// leaves nothing of it in memory, however much has changed since.
func TestKeptFeaturesRefuseWhatMayBeOld(t *testing.T) {
	old := []Feature{{Rec: 1, Seq: 1}, {Rec: 2, Seq: 2}}
	has := func(k *keptFeatures, rec int64) bool {
		found, _ := k.get([]int64{rec}, 0, 1<<40)
		return len(found) == 1
	}
	for _, tt := range []struct {
		what       string
		meanwhile  func(k *keptFeatures)
		one, other bool // which of the two may be kept
	}{
		{"nothing", func(*keptFeatures) {}, true, true},
		{"a change that is not over", func(k *keptFeatures) { k.hold([]int64{1}) }, false, true},
		{"a change that is over", func(k *keptFeatures) { k.hold([]int64{1}); k.release([]int64{1}) }, false, true},
		{"two changes of which one is over", func(k *keptFeatures) { k.hold([]int64{1}); k.hold([]int64{1}); k.release([]int64{1}) }, false, true},
		{"more changes than are remembered", func(k *keptFeatures) {
			for rec := range int64(releasedRing + 1) {
				k.hold([]int64{rec + 10})
				k.release([]int64{rec + 10})
			}
		}, false, false},
		{"a change by another process", func(k *keptFeatures) { k.sees(5) }, false, false},
		{"a number that does not follow", func(k *keptFeatures) { k.begin(9) }, false, false},
	} {
		k := newKeptFeatures(DefaultKept)
		mark := k.mark()
		tt.meanwhile(k)
		k.put(mark, old)
		if has(k, 1) != tt.one || has(k, 2) != tt.other {
			t.Errorf("%s happens while two records are read: they are kept: %v, %v; want %v, %v", tt.what, has(k, 1), has(k, 2), tt.one, tt.other)
		}
	}
}

// BenchmarkKeptFeatures asks for 53 records of a million that are in memory, by no
// order: what a look-up or a record of a batch compares with.
func BenchmarkKeptFeatures(b *testing.B) {
	const all, some = 1_000_000, 53
	k := newKeptFeatures(DefaultKept + DefaultKept/4)
	features := make([]byte, 200)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for from := int64(0); from < all; from += warmPart {
		list := make([]Feature, warmPart)
		for i := range list {
			list[i] = Feature{Rec: from + int64(i), Seq: 1, Features: features}
		}
		k.put(k.mark(), list)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	r := rand.New(rand.NewPCG(3, 5))
	recs := make([]int64, some)
	found := 0
	for b.Loop() {
		for i := range recs {
			recs[i] = r.Int64N(all)
		}
		list, _ := k.get(recs, 0, 1)
		found += len(list)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
	b.ReportMetric(float64(found)/float64(b.N), "found")
}
