package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
	"touchstone/matching"
	"touchstone/matching/live"
	"touchstone/matching/live/livetest"
)

const historiesYAML = `
sources:
  firms:
    type: file
    path: none.csv
    entities:
      company:
        id: record.id
        deleted: record.deleted
        map: {name: record.name, phone: record.phone, email: record.email, website: record.website, ids: record.ids,
          address: {line: record.street, city: record.city, postcode: record.postcode, country: record.country}}
  people:
    type: file
    path: none.csv
    entities:
      person:
        id: record.id
        deleted: record.deleted
        map: {full_name: record.full_name, birth_date: record.birth_date, phone: record.phone, email: record.email,
          address: {line: record.street, city: record.city, postcode: record.postcode, country: record.country}}
`

// historyCount is how many histories go through each database; make full plays
// more.
func historyCount(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("TOUCHSTONE_HISTORIES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 2 {
			t.Fatalf("TOUCHSTONE_HISTORIES is %q, want a number from 2 on", s)
		}
		return n
	}
	return 40
}

// seenHistories is what they had in them, so that a test that proves nothing
// says so.
type seenHistories struct {
	sync.Mutex
	histories, looks, merged, bridges, shared, restarts, rulings int
}

// TestHistoriesThroughEachDatabase plays the random histories of
// matching/live/livetest through the whole intake and resolver on both
// databases, one of companies and one of persons side by side in each store,
// with rulings that are taken back, restarts, and turns in bulk and in small
// rounds mixed: whenever the store is looked at, its partition is that of one
// batch over what is there, and every record stands in one golden record.
func TestHistoriesThroughEachDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		seen := &seenHistories{}
		stores := historyCount(t) / 2
		const lanes = 2
		t.Run("histories", func(t *testing.T) {
			for lane := range lanes {
				t.Run(fmt.Sprint(lane), func(t *testing.T) {
					t.Parallel()
					for seed := lane; seed < stores; seed += lanes {
						t.Run(fmt.Sprint(seed), func(t *testing.T) {
							own := ""
							if dsn != "" {
								own = storetest.Postgres(t)
							}
							h := newHistories(t, own, rand.New(rand.NewPCG(uint64(seed), 23)), seen)
							h.play()
						})
					}
				})
			}
		})
		t.Logf("%+v", seen)
		if n := seen.histories; n < stores*2 || seen.merged < n/2 || seen.bridges < n/10 || seen.shared < n/10 || seen.restarts < n/10 || seen.rulings < n/2 {
			t.Errorf("%+v: too few to show anything", seen)
		}
	})
}

// histories are two that happen in one store.
type histories struct {
	*world
	r       *rand.Rand
	feeds   [2]*feed
	scripts [2]livetest.Script
	pages   [2][]record.Raw
	ruled   [2]map[[2]int]ruledHere
	seen    *seenHistories
}

// ruledHere is what holds of a pair: the last ruling, and its id in the store.
type ruledHere struct {
	kind live.Ruling
	id   string
}

func newHistories(t *testing.T, dsn string, r *rand.Rand, seen *seenHistories) *histories {
	t.Helper()
	h := &histories{world: newWorld(t, dsn), r: r, seen: seen}
	h.yaml = historiesYAML
	for i, entity := range []string{record.Company, record.Person} {
		h.feeds[i], h.scripts[i] = &feed{}, livetest.New(r, entity, 5+r.IntN(8))
		h.ruled[i] = map[[2]int]ruledHere{}
	}
	h.opts = Options{Cap: 2 + r.IntN(5), Names: 1 + r.IntN(3)}
	if r.IntN(3) == 0 {
		h.opts.Cap = 100 // nothing spills
	}
	h.begin()
	return h
}

// begin opens the installation as a process that starts; its rounds and its
// turns in bulk have other sizes each time.
func (h *histories) begin() {
	h.Helper()
	h.opts.Batch, h.opts.Bulk = 1+h.r.IntN(6), []int{0, 1, 4}[h.r.IntN(3)]
	h.open()
	for i := range h.feeds {
		h.app.order[i].intakes[0].Puller = h.feeds[i]
	}
}

func (h *histories) play() {
	h.Helper()
	orders := [2][]livetest.Event{h.scripts[0].Order(h.r, true), h.scripts[1].Order(h.r, true)}
	for len(orders[0])+len(orders[1]) > 0 {
		for i := range orders {
			n := min(1+h.r.IntN(10), len(orders[i]))
			for _, e := range orders[i][:n] {
				h.happen(i, e)
			}
			orders[i] = orders[i][n:]
		}
		h.pull()
		switch h.r.IntN(6) {
		case 0, 1:
			h.resolve()
		case 2:
			h.resolve()
			h.agree()
		case 3:
			h.close()
			h.begin()
			h.seen.add(func(s *seenHistories) { s.restarts++ })
		}
	}
	h.resolve()
	h.agree()
	h.count()
	if h.r.IntN(10) == 0 {
		h.verify()
		h.explained()
	}
	h.close()
}

func (h *histories) resolve() { script{}.resolve(h.world) }

// happen puts a version on the page that is read next; a ruling needs what came
// before it to have landed.
func (h *histories) happen(i int, e livetest.Event) {
	h.Helper()
	if e.Ruling != nil {
		h.pull()
		h.say(i, *e.Ruling)
		return
	}
	o := map[string]any{"id": livetest.ID(e.Record)}
	row := h.scripts[i].Versions[e.Record][e.Version]
	if row == nil { // a deletion says again what stood there
		row = h.scripts[i].Versions[e.Record][e.Version-1]
		o["deleted"] = true
	}
	for name, v := range row {
		o[name] = v
	}
	if row["number"] != "" {
		o["ids"] = []any{map[string]any{"scheme": "reg", "value": row["number"]}}
	}
	if row["street"] != "" {
		o["city"], o["postcode"], o["country"] = "Leeds", "LS1 4AP", "GB"
	}
	b, err := json.Marshal(o)
	if err != nil {
		h.Fatal(err)
	}
	h.pages[i] = append(h.pages[i], record.Raw{Entity: h.scripts[i].Entity, Data: b, Stamp: time.Date(2025, 1, 1, 0, e.Version, 0, 0, time.UTC)})
}

func (h *histories) pull() {
	h.Helper()
	for i := range h.pages {
		if len(h.pages[i]) > 0 {
			h.feeds[i].pages, h.pages[i] = append(h.feeds[i].pages, h.pages[i]), nil
		}
	}
	if err := h.app.PullAll(h.Context()); err != nil {
		h.Fatal(err)
	}
}

// say rules on a pair; what was said of it before is taken back.
func (h *histories) say(i int, x livetest.Ruling) {
	h.Helper()
	pair := [2]int{min(x.A, x.B), max(x.A, x.B)}
	if id := h.ruled[i][pair].id; id != "" {
		if err := h.app.Store.Withdraw(h.Context(), id, "steward"); err != nil {
			h.Fatal(err)
		}
	}
	now := ruledHere{kind: live.Withdrawn}
	if x.Kind != "" {
		now.kind = map[string]live.Ruling{"must": live.Must, "cannot": live.Cannot}[x.Kind]
		source := []string{"firms", "people"}[i] + "/" + h.scripts[i].Entity + "/"
		now.id = h.rule(x.Kind, source+livetest.ID(x.A), source+livetest.ID(x.B))
	}
	h.ruled[i][pair] = now
	h.seen.add(func(s *seenHistories) { s.rulings++ })
}

func (s *seenHistories) add(fn func(*seenHistories)) {
	s.Lock()
	defer s.Unlock()
	fn(s)
}

// agree holds the stored partition against one batch over the features that
// stand in the store.
func (h *histories) agree() {
	h.Helper()
	groups, features := h.partition()
	in := map[record.Ref]int{}
	for _, g := range groups {
		for _, ref := range g {
			in[ref]++
		}
	}
	for ref, n := range in {
		if n != 1 {
			h.Fatalf("%s stands in %d golden records", ref, n)
		}
	}
	for i, s := range h.scripts {
		own, ruled := map[record.Ref]*matching.Features{}, map[live.Pair]live.Ruling{}
		ref := func(n int) record.Ref {
			return record.Ref{Source: h.app.SourceUID([]string{"firms", "people"}[i]), Entity: s.Entity, ID: livetest.ID(n)}
		}
		for r, f := range features {
			if r.Entity == s.Entity {
				own[r] = f
			}
		}
		for pair, x := range h.ruled[i] {
			ruled[live.PairOf(ref(pair[0]), ref(pair[1]))] = x.kind
		}
		var stored [][]record.Ref
		for _, g := range groups {
			if g[0].Entity == s.Entity {
				stored = append(stored, g)
			}
		}
		e := h.app.entityNamed(s.Entity)
		want := live.Batch(live.Config{Model: e.model.Load(), Link: e.resolver.Link, KeyCap: h.opts.Cap, Names: h.opts.Names}, own, ruled)
		if diff := cmp.Diff(want, stored); diff != "" {
			h.Fatalf("%s, %+v: the store's partition differs from the batch (-batch +store):\n%s", s.Entity, h.opts, diff)
		}
		h.seen.add(func(s *seenHistories) { s.looks++ })
	}
}

// explained holds that what is told of a golden record is what it is.
func (h *histories) explained() {
	h.Helper()
	err := h.app.EachGolden(h.Context(), "", true, func(g store.Golden, members []store.Member) error {
		how, err := h.app.How(h.Context(), g.ID)
		if err != nil {
			return err
		}
		var want []string
		for _, m := range members {
			want = append(want, h.app.refName(m.Ref))
		}
		slices.Sort(want)
		slices.Sort(how.Members)
		if how.Waiting || len(how.Steps) != len(want)-1 || !slices.Equal(how.Members, want) {
			h.Errorf("golden record %s of %v is explained as %+v", g.ID, want, how)
		}
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
}

// count notes what the two worlds had in them.
func (h *histories) count() {
	h.Helper()
	groups, features := h.partition()
	if n := len(h.scripts[0].Versions) + len(h.scripts[1].Versions); len(features) != n {
		h.Errorf("%d records stand in golden records, %d have landed", len(features), n)
	}
	bridges, shared := 0, 0
	for _, s := range h.scripts {
		pairs, _, _, err := h.app.Store.Queue(h.Context(), store.QueueFilter{Entity: s.Entity, Limit: 1000})
		if err != nil {
			h.Fatal(err)
		}
		for _, p := range pairs {
			if p.Kind == "bridge" {
				bridges++
			}
		}
		uses, err := h.app.Store.SharedUses(h.Context(), s.Entity, 100)
		if err != nil {
			h.Fatal(err)
		}
		shared += len(uses)
	}
	h.seen.add(func(s *seenHistories) {
		s.histories += 2
		s.merged += len(features) - len(groups)
		s.bridges += bridges
		s.shared += shared
	})
}
