package app

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
	"touchstone/matching"
	"touchstone/matching/live"
)

// script is what happens to the records of a scenario: the versions of each in
// their own order, and what a person rules.
type script struct {
	versions [][]record.Raw
	rulings  []store.Ruling // A and B are record numbers
}

// pool reads generated companies, neighbours being often the same customer.
func pool(t *testing.T) []map[string]any {
	t.Helper()
	truth := map[string]string{}
	for _, r := range csvRows(t, "../../matching/testdata/company_mixed_2k_truth.csv") {
		truth[r[0]] = r[1]
	}
	place := map[string]int{}
	var byCustomer [][]map[string]any
	for n, r := range csvRows(t, "../../matching/testdata/company_mixed_2k.csv") {
		c := truth[r[0]]
		if n%3 == 0 { // behind one of two switchboards
			r[5] = fmt.Sprintf("+4420794600%d1", n%2)
		}
		if _, ok := place[c]; !ok {
			place[c] = len(byCustomer)
			byCustomer = append(byCustomer, nil)
		}
		o := map[string]any{"name": r[2], "email": r[4], "phone": r[5], "website": r[6], "street": r[7], "city": r[8], "postcode": r[10], "country": r[11]}
		if r[3] != "" { // under two schemes: one coarse key with two fine ones
			o["ids"] = []any{map[string]any{"scheme": "local", "value": r[3]}, map[string]any{"scheme": "tax", "value": r[3]}}
		}
		byCustomer[place[c]] = append(byCustomer[place[c]], o)
	}
	var out []map[string]any
	for _, c := range byCustomer {
		if len(c) > 2 {
			out = append(out, c...)
		}
	}
	return out
}

func csvRows(t *testing.T, path string) [][]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

// newScript draws n records near one another in the pool; an update may make
// one into any other, a deletion may be taken back.
func newScript(t *testing.T, r *rand.Rand, pool []map[string]any, n int) script {
	t.Helper()
	var s script
	from := r.IntN(len(pool) - n)
	stamp := 0
	version := func(i int, deleted bool) record.Raw {
		stamp++
		o := map[string]any{"id": fmt.Sprintf("r%03d", i), "deleted": deleted}
		for k, v := range pool[from+r.IntN(n)] {
			o[k] = v
		}
		if len(s.versions[i]) == 0 {
			for k, v := range pool[from+i] {
				o[k] = v
			}
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return record.Raw{Entity: record.Company, Data: b, Stamp: time.Date(2025, 1, 1, 0, stamp, 0, 0, time.UTC)}
	}
	for i := range n {
		s.versions = append(s.versions, nil)
		s.versions[i] = append(s.versions[i], version(i, false))
		for r.IntN(3) == 0 {
			s.versions[i] = append(s.versions[i], version(i, false))
		}
		if r.IntN(6) == 0 {
			s.versions[i] = append(s.versions[i], version(i, true))
			if r.IntN(3) == 0 {
				s.versions[i] = append(s.versions[i], version(i, false))
			}
		}
	}
	seen := map[[2]int64]bool{}
	for range r.IntN(5) {
		a, b := int64(r.IntN(n)), int64(r.IntN(n))
		if a != b && !seen[[2]int64{min(a, b), max(a, b)}] {
			seen[[2]int64{min(a, b), max(a, b)}] = true
			s.rulings = append(s.rulings, store.Ruling{Kind: []string{"must", "cannot"}[r.IntN(2)], A: a, B: b, Who: "steward"})
		}
	}
	return s
}

// feed is a source of which the test says what comes next.
type feed struct{ pages [][]record.Raw }

var _ connectors.Puller = (*feed)(nil)

func (f *feed) Pull(_ context.Context, _ string, cursor []byte) (connectors.Page, error) {
	n := 0
	if len(cursor) > 0 {
		if _, err := fmt.Sscan(string(cursor), &n); err != nil {
			return connectors.Page{}, err
		}
	}
	if n >= len(f.pages) {
		return connectors.Page{Cursor: cursor}, nil
	}
	return connectors.Page{Records: f.pages[n], Cursor: fmt.Append(nil, n+1)}, nil
}

const feedYAML = `
sources:
  feed:
    type: file
    path: none.csv
    entities:
      company:
        id: record.id
        deleted: record.deleted
        map:
          name: record.name
          phone: record.phone
          email: record.email
          website: record.website
          address: {line: record.street, city: record.city, postcode: record.postcode, country: record.country}
          ids: record.ids
entities:
  company:
    survive: {name: [most_frequent, longest], phones: [union], website: [most_recent]}
`

// play lets the script happen in a random order, in pages and batches of random
// size; each record keeps its own order.
func (s script) play(t *testing.T, r *rand.Rand, limits store.Lists, dsn string) *world {
	t.Helper()
	w := newWorld(t, dsn)
	w.yaml = feedYAML
	w.opts = Options{Cap: limits.Cap, Names: limits.Names, Batch: 2 + r.IntN(8), Bulk: []int{0, 1, 6}[r.IntN(3)]} // so that some turns are bulk turns
	w.open()
	f := &feed{}
	w.app.order[0].intakes[0].Puller = f
	var order []int
	for i, v := range s.versions {
		for range v {
			order = append(order, i)
		}
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	next := make([]int, len(s.versions))
	for len(order) > 0 {
		size := min(2+r.IntN(12), len(order))
		var page []record.Raw
		for _, i := range order[:size] {
			page = append(page, s.versions[i][next[i]])
			next[i]++
		}
		order = order[size:]
		f.pages = append(f.pages, page)
		if err := w.app.PullAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r.IntN(2) == 0 {
			s.resolve(w)
		}
	}
	for _, x := range s.rulings {
		w.rule(x.Kind, fmt.Sprintf("feed/company/r%03d", x.A), fmt.Sprintf("feed/company/r%03d", x.B))
		if r.IntN(2) == 0 {
			s.resolve(w)
		}
	}
	s.resolve(w)
	return w
}

func (script) resolve(w *world) {
	w.Helper()
	if err := w.app.Resolve(w.Context(), func(string, string, int) {}); err != nil {
		w.Fatal(err)
	}
}

// partition is what the store holds: the members of every golden record.
func (w *world) partition() (groups [][]record.Ref, features map[record.Ref]*matching.Features) {
	w.Helper()
	features = map[record.Ref]*matching.Features{}
	err := w.app.EachGolden(w.Context(), "", true, func(_ store.Golden, members []store.Member) error {
		var group []record.Ref
		for _, m := range members {
			f, err := matching.DecodeFeatures(m.Features)
			if err != nil {
				return err
			}
			features[m.Ref] = f
			group = append(group, m.Ref)
		}
		slices.SortFunc(group, record.Ref.Compare)
		groups = append(groups, group)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	slices.SortFunc(groups, func(a, b []record.Ref) int { return a[0].Compare(b[0]) })
	return groups, features
}

// TestOrderOfArrivalDoesNotMatter plays a hundred random orders through the
// store, with updates, deletions and rulings, small batches and lists so short
// that they spill: every order ends with the partition of one batch over the
// final records, and with the same canonical export.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	companies := pool(t)
	const scripts, orders = 10, 10
	for n := range scripts {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(n), 11))
			s := newScript(t, r, companies, 18)
			limits := store.Lists{Cap: 2 + r.IntN(4), Names: 1 + r.IntN(3)}
			if n%2 == 1 { // nothing spills: only what is shared is looked at again
				limits.Cap = 100
			}
			var first string
			for order := range orders {
				dsn := ""
				if n == 0 && order%5 == 1 { // the other engine agrees
					dsn = storetest.Postgres(t)
				}
				w := s.play(t, r, limits, dsn)
				groups, features := w.partition()
				if diff := cmp.Diff(s.batch(w, features, limits), groups); diff != "" {
					t.Fatalf("order %d, %+v: the store's partition differs from the batch (-batch +store):\n%s", order, limits, diff)
				}
				var b bytes.Buffer
				if err := w.app.ExportCanonical(t.Context(), &b); err != nil {
					t.Fatal(err)
				}
				if order == 0 {
					first = b.String()
					w.verify()
				}
				if diff := cmp.Diff(first, b.String()); diff != "" {
					t.Fatalf("order %d: the canonical export differs from that of order 0 (-first +this):\n%s", order, diff)
				}
				w.close()
			}
		})
	}
}

// batch parts the final records at once.
func (s script) batch(w *world, features map[record.Ref]*matching.Features, limits store.Lists) [][]record.Ref {
	r := w.app.entities[0].resolver
	ruled := map[live.Pair]live.Ruling{}
	ref := func(i int64) record.Ref {
		return record.Ref{Source: w.app.SourceUID("feed"), Entity: record.Company, ID: fmt.Sprintf("r%03d", i)}
	}
	for _, x := range s.rulings {
		kind := live.Must
		if x.Kind == "cannot" {
			kind = live.Cannot
		}
		ruled[live.PairOf(ref(x.A), ref(x.B))] = kind
	}
	return live.Batch(live.Config{Model: r.Model, Link: r.Link, KeyCap: limits.Cap, Names: limits.Names}, features, ruled)
}
