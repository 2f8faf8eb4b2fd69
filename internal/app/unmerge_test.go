package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
	"touchstone/internal/web"
)

const unmergeYAML = `
sources:
  feed:
    type: file
    path: none.csv
    entities:
      company:
        id: record.id
        deleted: record.deleted
        map: {name: record.name, phone: record.phone, website: record.website, industry: record.industry}
        relations: {parent: {to: company, id: record.parent, title: record.title, role: record.role, share: record.share}}
    events:
      order:
        id: record.id
        of: {entity: company, id: record.of}
        at: record.at
        map: {type: record.type, amount: record.amount, currency: record.currency, status: record.status}
`

// twins are two installations to which the same happens, but for merges, splits
// and their undos: these happen to the first alone. They share the key, so what
// is the same in both has the same ids.
type twins struct {
	*testing.T
	r      *rand.Rand
	worlds [2]*world
	feeds  [2]*feed
	stamp  int
	shown  map[string]bool // golden ids that were ever shown by the first
	seen   map[string]int
	page   http.Handler // decisions are made on the pages; nil: by the functions below them
}

const twinRecords = 10

func newTwins(t *testing.T, dsns [2]string, r *rand.Rand) *twins {
	t.Helper()
	w := &twins{T: t, r: r, shown: map[string]bool{}, seen: map[string]int{}}
	for i := range w.worlds {
		x := newWorld(t, dsns[i])
		x.yaml, x.opts = unmergeYAML, Options{Batch: 1 + r.IntN(20)}
		x.open()
		w.worlds[i], w.feeds[i] = x, &feed{}
		x.app.order[0].intakes[0].Puller = w.feeds[i]
		events := &feed{}
		x.app.order[0].events[0].Puller = events
		events.pages = [][]record.Raw{w.orders()}
	}
	for n := range twinRecords {
		w.pull(n, false)
	}
	w.resolve(0)
	w.resolve(1)
	return w
}

// orders are what happened to them: orders with amounts, and consents.
func (w *twins) orders() (page []record.Raw) {
	for i := range 2 * twinRecords {
		page = append(page, w.raw("order", map[string]any{
			"id": fmt.Sprint("e", i), "of": fmt.Sprint("r", i%twinRecords), "at": fmt.Sprintf("2026-01-%02dT00:00:00Z", 1+i),
			"type": []string{"order", "consent_mail"}[i/twinRecords], "status": "done", "amount": []string{fmt.Sprintf("%d.75", i), ""}[i/twinRecords], "currency": []string{"EUR", ""}[i/twinRecords],
		}))
	}
	return page
}

func (w *twins) raw(stream string, o map[string]any) record.Raw {
	w.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		w.Fatal(err)
	}
	return record.Raw{Entity: stream, Data: b, Stamp: time.Date(2025, 1, 1, 0, 0, w.stamp, 0, time.UTC)}
}

// pull brings a new version of a record to both: one of a few firms, spelt in
// one of a few ways, so that some belong together by evidence.
func (w *twins) pull(n int, deleted bool) {
	w.Helper()
	w.stamp++
	firm := w.r.IntN(5)
	o := map[string]any{
		"id": fmt.Sprint("r", n), "deleted": deleted, "name": []string{"Acme Tools Ltd", "Zenith Bakery", "Norde Werke GmbH", "Blue Harbour Shipping", "Orchid Press"}[firm] + []string{"", "", " Two"}[w.r.IntN(3)],
		"phone": fmt.Sprintf("+44 113 496 00%02d", firm*10+w.r.IntN(2)), "website": []string{fmt.Sprintf("firm%d.example", firm), ""}[w.r.IntN(2)], "industry": fmt.Sprint("trade ", w.r.IntN(3)),
	}
	if w.r.IntN(2) == 0 {
		o["parent"], o["title"], o["role"], o["share"] = fmt.Sprint("r", w.r.IntN(twinRecords)), "Owner", []string{"decider", "user"}[w.r.IntN(2)], "51"
	}
	for i := range w.worlds {
		w.feeds[i].pages = append(w.feeds[i].pages, []record.Raw{w.raw(record.Company, o)})
		if err := w.worlds[i].app.PullAll(w.Context()); err != nil {
			w.Fatal(err)
		}
	}
	w.seen["pulls"]++
}

func (w *twins) resolve(i int) {
	w.Helper()
	if err := w.worlds[i].app.Resolve(w.Context(), func(string, string, int) {}); err != nil {
		w.Fatal(err)
	}
}

func (w *twins) ref() string { return fmt.Sprint("feed:r", w.r.IntN(twinRecords)) }

// refused says whether a decision could not be made, and fails on anything else.
func (w *twins) refused(err error) bool {
	w.Helper()
	var unclear *Unclear
	var against *store.Contradiction
	var impossible *store.Impossible
	switch {
	case err == nil:
		return false
	case errors.As(err, &unclear), errors.As(err, &against), errors.As(err, &impossible):
		return true
	}
	w.Fatal(err)
	return true
}

// history plays a few steps and takes every merge and split back.
func (w *twins) history() {
	w.Helper()
	var made []string
	for range 2 + w.r.IntN(6) {
		by := By{Who: "ann", Over: w.r.IntN(2) == 0}
		var d Decided
		var err error
		switch w.r.IntN(10) {
		case 0, 1, 2, 3:
			d, err = w.decide(web.CustomerChange{Act: store.Merged, A: w.ref(), B: w.ref(), Over: by.Over})
		case 4, 5:
			one := w.ref()
			d, err = w.decide(web.CustomerChange{Act: store.Split, Records: []string{one}, From: one, Over: by.Over})
		case 6:
			if len(made) > 0 {
				d, err = w.decide(web.CustomerChange{Act: store.Undone, Decision: made[w.r.IntN(len(made))]})
			}
		case 7:
			w.pin()
		default:
			w.pull(w.r.IntN(twinRecords), w.r.IntN(6) == 0)
		}
		if !w.refused(err) && d.Decision != "" && !d.Existing {
			made = append(made, d.Decision)
			w.seen[d.Kind]++
		}
		if w.r.IntN(2) == 0 {
			w.resolve(0)
		}
	}
	w.resolve(0)
	w.shows()
	w.takeBack(made)
	w.resolve(0)
	w.resolve(1)
}

// decide makes a decision in the first, on a page or below it.
func (w *twins) decide(c web.CustomerChange) (d Decided, err error) {
	w.Helper()
	ours, by := w.worlds[0].app, By{Who: "ann", Over: c.Over}
	path, form := "", url.Values{"why": {"looked at both"}}
	if c.Over {
		form.Set("over", "1")
	}
	switch c.Act {
	case store.Merged:
		path, form["a"], form["b"] = "/customers/merge", []string{c.A}, []string{c.B}
		if w.page == nil {
			return ours.Merge(w.Context(), c.A, c.B, by)
		}
	case store.Split:
		path, form["r"] = "/customers/"+url.PathEscape(c.From)+"/split", c.Records
		if w.page == nil {
			return ours.Split(w.Context(), c.Records, c.From, by)
		}
	default:
		path = "/decisions/" + c.Decision + "/undo"
		if w.page == nil {
			return ours.Undo(w.Context(), c.Decision, by)
		}
	}
	r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "http://localhost"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	w.page.ServeHTTP(answer, r)
	switch answer.Code {
	case http.StatusUnprocessableEntity:
		return d, unclear("refused on the page")
	case http.StatusSeeOther:
	default:
		w.Fatalf("%s with %v answers %d:\n%s", path, form, answer.Code, answer.Body)
	}
	for _, c := range answer.Result().Cookies() {
		if text, err := url.QueryUnescape(c.Value); err == nil && c.Name == "touchstone_done" {
			key, undo, _ := strings.Cut(text, " ")
			d.Decision, d.Existing, d.Kind = undo, undo == "", map[string]string{"done.merge": store.Merged, "done.split": store.Split, "done.undo": store.Undone}[key]
		}
	}
	return d, nil
}

// pin pins a field in both, or in neither where the first has another pin on it.
func (w *twins) pin() {
	w.Helper()
	w.resolve(0)
	w.resolve(1)
	r := PinRequest{Golden: w.ref(), Field: "industry", Value: fmt.Sprint("pinned ", w.r.IntN(3))}
	first, err := w.worlds[0].app.Pin(w.Context(), r, ann)
	if w.refused(err) || first.Existing {
		return
	}
	if second, err := w.worlds[1].app.Pin(w.Context(), r, ann); w.refused(err) || second.Existing {
		if _, err := w.worlds[0].app.Undo(w.Context(), first.Decision, ann); err != nil {
			w.Fatal(err)
		}
		return
	}
	w.seen["pins"]++
}

// takeBack undoes what of these is in force, in any order that is not refused.
func (w *twins) takeBack(made []string) {
	w.Helper()
	ours := w.worlds[0].app
	for range 10*len(made) + 1 {
		w.r.Shuffle(len(made), func(i, j int) { made[i], made[j] = made[j], made[i] })
		left := 0
		for _, id := range made {
			var d store.Decision
			if err := ours.Store.Look(w.Context(), func(tx *store.DecideTx) (err error) {
				d, err = tx.Decision(w.Context(), id)
				return err
			}); err != nil {
				w.Fatal(err)
			}
			if d.Withdrawn != "" || d.Kind == store.Undone {
				continue
			}
			if _, err := w.decide(web.CustomerChange{Act: store.Undone, Decision: id}); w.refused(err) {
				left++
			}
			if w.r.IntN(3) == 0 {
				w.resolve(0)
			}
		}
		if left == 0 && !w.standing(made) {
			return
		}
	}
	w.Fatalf("some of %v cannot be taken back in any order", made)
}

// standing says whether one of these merges and splits is in force: undoing one
// may bring back another.
func (w *twins) standing(made []string) (still bool) {
	w.Helper()
	err := w.worlds[0].app.Store.Look(w.Context(), func(tx *store.DecideTx) error {
		for _, id := range made {
			d, err := tx.Decision(w.Context(), id)
			if err != nil {
				return err
			}
			still = still || d.Withdrawn == "" && d.Kind != store.Undone
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return still
}

// shows notes the golden ids that the first shows, and holds that every id it
// ever showed leads somewhere.
func (w *twins) shows() {
	w.Helper()
	ours := w.worlds[0].app
	if err := ours.EachGolden(w.Context(), "", true, func(g store.Golden, _ []store.Member) error {
		w.shown[g.ID] = true
		return nil
	}); err != nil {
		w.Fatal(err)
	}
	for id := range w.shown {
		if _, err := ours.Golden(w.Context(), id); err != nil {
			w.Errorf("golden id %s is dead: %v", id, err)
		}
	}
	w.seen["ids"] += len(w.shown)
}

// state is everything of customers, with ids and without times of ours.
func (w *twins) state(i int) []string {
	w.Helper()
	a := w.worlds[i].app
	out := strings.Split(w.worlds[i].canonical(), "\n")
	var founders []int64
	err := a.EachGolden(w.Context(), "", true, func(g store.Golden, members []store.Member) error {
		founders = append(founders, g.Founder)
		for _, m := range members {
			out = append(out, fmt.Sprintf("crosswalk %s %s", g.ID, m.Ref.ID))
		}
		leads, from, err := a.Store.EdgesOf(w.Context(), g.Founder, 100)
		if err != nil {
			return err
		}
		for _, e := range append(leads, from...) {
			out = append(out, fmt.Sprintf("relation %s %s %v %s %s", g.ID, e.From.ID, e.Relation, e.FromGolden, e.ToGolden))
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	totals, err := a.Store.EventTotals(w.Context(), founders)
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range founders {
		for _, t := range totals[f] {
			out = append(out, fmt.Sprintf("events %d %s %d %s%s", f, t.Type, t.Count, t.Amount, t.Currency))
		}
	}
	return out
}

// TestUnmergeTakesBackMerge plays random histories of merges, splits and undos
// among pulls, deletions and pins. When all merges and splits have been taken
// back, golden records, crosswalk, events, sums, consents and relations are
// what they are where nobody ever merged; every golden id ever shown still
// leads somewhere, and every change balanced.
func TestUnmergeTakesBackMerge(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		const each = 50 // histories of one pair of twins
		n := historyCount(t)
		if os.Getenv("TOUCHSTONE_HISTORIES") == "" {
			n = each
		}
		if dsn != "" {
			n /= 5
		}
		seen := map[string]int{}
		for seed := range max(1, n/each) {
			dsns := [2]string{}
			if dsn != "" {
				dsns = [2]string{storetest.Postgres(t), storetest.Postgres(t)}
			}
			w := newTwins(t, dsns, rand.New(rand.NewPCG(uint64(seed), 41)))
			for i := range min(n, each) {
				w.history()
				if i == each/2 && seed%4 == 1 {
					w.otherModels()
				}
				if diff := cmp.Diff(w.state(1), w.state(0)); diff != "" {
					t.Fatalf("seed %d, history %d: after all was taken back (-never merged +merged and unmerged):\n%s", seed, i, diff)
				}
				seen["histories"]++
			}
			refused, err := w.worlds[0].app.Store.Refusals(t.Context(), time.Time{})
			if err != nil || refused > 0 {
				t.Errorf("seed %d: %d changes did not balance, %v", seed, refused, err)
			}
			w.worlds[0].verify()
			for k, v := range w.seen {
				seen[k] += v
			}
			for _, x := range w.worlds {
				x.close()
			}
		}
		t.Logf("%v", seen)
		for _, what := range []string{"merge", "split", "undo", "pulls", "pins"} {
			if seen["histories"] >= each && seen[what] < seen["histories"]/10 {
				t.Errorf("%v: too little of %s to show anything", seen, what)
			}
		}
	})
}

// TestUnmergeOnThePages is the same with every decision posted to the pages.
func TestUnmergeOnThePages(t *testing.T) {
	t.Parallel()
	n := 40
	if os.Getenv("TOUCHSTONE_HISTORIES") != "" {
		n = 200
	}
	w := newTwins(t, [2]string{}, rand.New(rand.NewPCG(7, 43)))
	w.page = web.New(w.worlds[0].app, web.Options{Env: w.worlds[0].env, ShowValues: true})
	for i := range n {
		w.history()
		if diff := cmp.Diff(w.state(1), w.state(0)); diff != "" {
			t.Fatalf("history %d: after all was taken back (-never merged +merged and unmerged):\n%s", i, diff)
		}
	}
	if w.seen["merge"] < n/2 || w.seen["split"] < n/10 {
		t.Errorf("%v: too little to show anything", w.seen)
	}
}

// TestUnmergeRestoresTargets plays merges and splits that are delivered to a
// simulated system, and takes them back: each of its objects holds what it held,
// by its own state, and none was made or lost.
func TestUnmergeRestoresTargets(t *testing.T) {
	t.Parallel()
	n := 4
	if os.Getenv("TOUCHSTONE_HISTORIES") != "" {
		n = historyCount(t) / 50
	}
	w, _, desk := familyWorld(t, "")
	r := rand.New(rand.NewPCG(3, 47))
	standing := func() (out []string) {
		for _, kind := range []string{"companies", "contacts"} {
			for _, o := range desk.all(kind) {
				delete(o, "updated_at")
				delete(o, "etag")
				delete(o, "version")
				out = append(out, fmt.Sprint(kind, " ", o))
			}
		}
		slices.Sort(out)
		return out
	}
	before, wrote := standing(), len(desk.applied("api"))
	for i := range n {
		var made []string
		for range 1 + r.IntN(3) {
			kind := []string{"company/c", "person/p"}[r.IntN(2)]
			a, b := fmt.Sprint("crm/", kind, r.IntN(4)), fmt.Sprint("crm/", kind, r.IntN(4))
			d, err := w.app.Merge(t.Context(), a, b, ann)
			if err == nil && r.IntN(3) == 0 {
				w.clean()
				d, err = w.app.Split(t.Context(), []string{b}, a, By{Who: "bob", Over: true})
			}
			if err == nil && !d.Existing {
				made = append(made, d.Decision)
				if len(d.Withdrew) > 0 {
					made = append(made, d.Withdrew...)
				}
			}
			w.clean()
		}
		for range 2 * len(made) {
			for _, id := range made { // one that was withdrawn comes back when the other is undone, and then goes
				if _, err := w.app.Undo(t.Context(), id, ann); err != nil {
					continue
				}
			}
		}
		w.clean()
		w.clean()
		if diff := cmp.Diff(before, standing()); diff != "" {
			t.Fatalf("history %d: the desk's objects differ (-before +after):\n%s", i, diff)
		}
	}
	if now := len(desk.applied("api")); now-wrote < n {
		t.Errorf("%d writes in %d histories: too few to show anything", now-wrote, n)
	}
	w.end()
}

// otherModels puts another match model in force in both.
func (w *twins) otherModels() {
	w.Helper()
	for i, x := range w.worlds {
		x.otherModel()
		if _, err := x.app.ActivateModel(w.Context(), "other", "ann", ""); err != nil {
			w.Fatal(err)
		}
		w.resolve(i)
	}
	w.seen["models"]++
}
