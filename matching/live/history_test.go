package live

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/cluster"
	"touchstone/matching/live/livetest"
)

// told is what a set of histories has seen, so that a test that proves nothing
// says so.
type told struct {
	histories, looks, merged, spilled, shared, unshared, reloads int
	refused                                                      map[string]int
}

// history plays one script in one order.
type history struct {
	*testing.T
	cfg     Config
	r       *rand.Rand
	records map[record.Ref]*matching.Features
	ruled   map[Pair]Ruling
	res     *Resolver
	told    *told
}

func (h *history) ref(entity string, i int) record.Ref {
	return record.Ref{Source: "s", Entity: entity, ID: livetest.ID(i)}
}

// agree holds the incremental partition against one batch over what is there.
func (h *history) agree(when string) {
	h.Helper()
	h.told.looks++
	want := Batch(h.cfg, h.records, h.ruled)
	if diff := cmp.Diff(want, h.res.Partition()); diff != "" {
		h.Fatalf("history %d, %+v, %s: the incremental partition differs from the batch (-batch +incremental):\n%s", h.told.histories, h.cfg, when, diff)
	}
}

func (h *history) play(s livetest.Script) {
	h.records, h.ruled, h.res = map[record.Ref]*matching.Features{}, map[Pair]Ruling{}, New(h.cfg)
	kinds := map[string]Ruling{"must": Must, "cannot": Cannot, "": Withdrawn}
	for _, e := range s.Order(h.r, false) {
		if x := e.Ruling; x != nil {
			a, b := h.ref(s.Entity, x.A), h.ref(s.Entity, x.B)
			h.ruled[PairOf(a, b)] = kinds[x.Kind]
			h.res.Rule(kinds[x.Kind], a, b)
		} else if row, ref := s.Versions[e.Record][e.Version], h.ref(s.Entity, e.Record); row == nil {
			delete(h.records, ref)
			h.res.Delete(ref)
		} else {
			h.records[ref] = matching.Standardise(s.Entity, row.Fields())
			h.res.Upsert(ref, h.records[ref])
		}
		switch h.r.IntN(24) {
		case 0:
			h.agree("on the way")
		case 1: // everything at once, from what is there now, and on from there
			h.told.reloads++
			h.res = New(h.cfg)
			for ref, f := range h.records {
				h.res.Upsert(ref, f)
			}
			for p, kind := range h.ruled {
				h.res.Rule(kind, p.B, p.A)
			}
		}
	}
	h.agree("at the end")
	h.told.histories++
	h.count()
}

// count notes what the world had in it.
func (h *history) count() {
	h.told.merged += len(h.records) - len(h.res.Partition())
	for _, is := range h.res.shared {
		if is {
			h.told.shared++
		} else {
			h.told.unshared++
		}
	}
	for _, list := range h.res.postings {
		if len(list) > h.cfg.KeyCap {
			h.told.spilled++
		}
	}
	seen := map[*comp]bool{}
	for _, e := range h.res.entries {
		if !seen[e.comp] {
			seen[e.comp] = true
			for _, x := range cluster.Explain(h.res.input(e.comp)).Refused {
				h.told.refused[x.Why]++
			}
		}
	}
}

// TestTwoThousandHistories plays random histories of small worlds in which
// everything meets (matching/live/livetest), in random orders, with loads of
// everything at once in between: whenever somebody looks, the partition is that
// of one batch over what is there.
func TestTwoThousandHistories(t *testing.T) {
	seen := &told{refused: map[string]int{}}
	for seed := range uint64(1000) {
		entity := []string{record.Company, record.Person}[seed%2]
		model, _ := matching.StartModel(entity)
		r := rand.New(rand.NewPCG(seed, 21))
		s := livetest.New(r, entity, 5+r.IntN(11))
		h := &history{T: t, r: r, told: seen, cfg: Config{Model: model, Link: model.Threshold(0.95), KeyCap: 2 + r.IntN(6), Names: 1 + r.IntN(4)}}
		if seed%3 == 0 {
			h.cfg.KeyCap = 100 // nothing spills
		}
		for range 2 {
			h.play(s)
		}
	}
	t.Logf("%+v", *seen)
	if seen.histories < 2000 || seen.looks < 3500 || seen.reloads < 1000 || seen.merged < 3000 || seen.spilled < 3000 || seen.shared < 1000 || seen.unshared < 300 {
		t.Errorf("%+v: too few to show anything", *seen)
	}
	for _, why := range []string{cluster.ByVeto, cluster.ByMean, cluster.ByRuling} {
		if seen.refused[why] < 100 {
			t.Errorf("%d unions refused by %s: too few to show anything", seen.refused[why], why)
		}
	}
}
