package live

import (
	"bytes"
	"encoding/csv"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/matching"
)

// companies reads generated companies grouped by truth, so that neighbours in
// the list are often the same customer. A third of them shares a few phones.
func companies(t testing.TB) [][]*matching.Features {
	t.Helper()
	truth := map[string]string{}
	for _, row := range rows(t, "../testdata/company_mixed_2k_truth.csv") {
		truth[row[0]] = row[1]
	}
	at := map[string]int{}
	var out [][]*matching.Features
	for n, r := range rows(t, "../testdata/company_mixed_2k.csv") {
		if n%3 == 0 { // behind a few switchboards
			r[5] = "+4420794600" + string([]byte{'0' + byte(n%4), '1'})
		}
		f := record.Fields{"name": record.TextValue(r[2]), "website": record.TextValue(r[6]), "country": record.TextValue(r[11])}
		f["ids"] = record.ListValue(record.Point{Value: r[3], Parts: map[string]string{"scheme": "reg"}})
		f["emails"] = record.ListValue(record.Point{Value: r[4]})
		f["phones"] = record.ListValue(record.Point{Value: r[5]})
		f["addresses"] = record.ListValue(record.Point{Parts: map[string]string{"line": r[7], "city": r[8], "region": r[9], "postcode": r[10]}})
		c := truth[r[0]]
		if _, ok := at[c]; !ok {
			at[c] = len(out)
			out = append(out, nil)
		}
		out[at[c]] = append(out[at[c]], matching.Standardise(record.Company, f))
	}
	return out
}

func rows(t testing.TB, path string) [][]string {
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

// scenario is what happens to each record, in its own order, and the rulings.
type scenario struct {
	versions map[int][]*matching.Features // per record; nil is a delete
	rulings  []ruling
	final    map[record.Ref]*matching.Features
	ruled    map[Pair]Ruling
}

type ruling struct {
	kind Ruling
	a, b int
}

func ref(i int) record.Ref {
	return record.Ref{Source: "s", Entity: record.Company, ID: string([]byte{byte('a' + i/26), byte('a' + i%26)})}
}

// newScenario draws records from a few clusters; a version may be any other
// record's features, so that updates move records between customers.
func newScenario(r *rand.Rand, clusters [][]*matching.Features, n int) scenario {
	var pool []*matching.Features
	for len(pool) < n {
		pool = append(pool, clusters[r.IntN(len(clusters))]...)
	}
	s := scenario{versions: map[int][]*matching.Features{}, final: map[record.Ref]*matching.Features{}, ruled: map[Pair]Ruling{}}
	for i := range n {
		v := []*matching.Features{pool[i]}
		for r.IntN(3) == 0 {
			v = append(v, pool[r.IntN(len(pool))])
		}
		if r.IntN(10) == 0 {
			v = append(v, nil)
			if r.IntN(3) == 0 {
				v = append(v, pool[r.IntN(len(pool))])
			}
		}
		s.versions[i] = v
		if last := v[len(v)-1]; last != nil {
			s.final[ref(i)] = last
		}
	}
	for range r.IntN(6) {
		a, b, kind := r.IntN(n), r.IntN(n), Ruling(1+r.IntN(2))
		if _, again := s.ruled[PairOf(ref(a), ref(b))]; a == b || again {
			continue
		}
		s.rulings = append(s.rulings, ruling{kind, a, b})
		s.ruled[PairOf(ref(a), ref(b))] = kind
	}
	return s
}

// play runs the scenario in a random order; each record keeps its own.
func (s scenario) play(r *rand.Rand, cfg Config) *Resolver {
	var order []int // a record's number once per version; rulings as −1−i
	for i := range len(s.versions) {
		for range s.versions[i] {
			order = append(order, i)
		}
	}
	for i := range s.rulings {
		order = append(order, -1-i)
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	next := map[int]int{}
	res := New(cfg)
	for _, i := range order {
		if i < 0 {
			x := s.rulings[-1-i]
			if r.IntN(4) == 0 { // decided otherwise at first
				res.Rule(3-x.kind, x.a2(), x.b2())
			}
			res.Rule(x.kind, x.b2(), x.a2())
			continue
		}
		if f := s.versions[i][next[i]]; f != nil {
			res.Upsert(ref(i), f)
		} else {
			res.Delete(ref(i))
		}
		next[i]++
		if r.IntN(20) == 0 { // a look in between must change nothing
			res.Partition()
		}
	}
	return res
}

func (x ruling) a2() record.Ref { return ref(x.a) }
func (x ruling) b2() record.Ref { return ref(x.b) }

// TestPartitionIsIndependentOfOrder plays 1,000 random orders, with updates,
// deletes and rulings, and a cap so small that lists spill: each ends with the
// partition of one batch over the final records.
func TestPartitionIsIndependentOfOrder(t *testing.T) {
	model, _ := matching.StartModel(record.Company)
	clusters := companies(t)
	merged, spilled, shared, unshared := 0, 0, 0, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := newScenario(r, clusters, 30+r.IntN(30))
		cfg := Config{Model: model, Link: model.Threshold(0.95), KeyCap: 2 + r.IntN(4), Names: 1 + r.IntN(4)}
		want := Batch(cfg, s.final, s.ruled)
		merged += len(s.final) - len(want)
		for order := range 25 {
			res := s.play(r, cfg)
			if diff := cmp.Diff(want, res.Partition()); diff != "" {
				t.Fatalf("seed %d, order %d: the incremental partition differs from the batch (-batch +incremental):\n%s", seed, order, diff)
			}
			for _, is := range res.shared {
				if !is {
					unshared++
				} else {
					shared++
				}
			}
			for _, list := range res.postings {
				if len(list) > cfg.KeyCap {
					spilled++
				}
			}
		}
	}
	if merged < 400 || spilled < 1000 || shared < 1000 || unshared < 100 {
		t.Errorf("merged %d records, spilled %d lists, %d values are shared and %d were for a while: too few to show anything", merged, spilled, shared, unshared)
	}
}

// TestBatchEqualsOneByOne holds at full size and with the usual cap.
func TestBatchEqualsOneByOne(t *testing.T) {
	model, _ := matching.StartModel(record.Company)
	cfg := Config{Model: model, Link: model.Threshold(0.95)}
	records := map[record.Ref]*matching.Features{}
	res := New(cfg)
	for _, c := range companies(t)[:300] {
		for _, f := range c {
			id := ref(len(records))
			records[id] = f
			res.Upsert(id, f)
		}
	}
	if diff := cmp.Diff(Batch(cfg, records, nil), res.Partition()); diff != "" {
		t.Errorf("(-batch +incremental):\n%s", diff)
	}
}

func TestRulingsDecide(t *testing.T) {
	model, _ := matching.StartModel(record.Company)
	name := func(s string) *matching.Features {
		return matching.Standardise(record.Company, record.Fields{"name": record.TextValue(s), "website": record.TextValue("acme.example")})
	}
	a, b, c := ref(0), ref(1), ref(2)
	for _, tt := range []struct {
		name string
		do   func(*Resolver)
		want [][]record.Ref
	}{
		{"alike by weight", func(*Resolver) {}, [][]record.Ref{{a, b}, {c}}},
		{"cannot parts", func(r *Resolver) { r.Rule(Cannot, b, a) }, [][]record.Ref{{a}, {b}, {c}}},
		{"must unites", func(r *Resolver) { r.Rule(Must, a, c) }, [][]record.Ref{{a, b, c}}},
		{"withdrawn", func(r *Resolver) { r.Rule(Must, a, c); r.Rule(Withdrawn, c, a) }, [][]record.Ref{{a, b}, {c}}},
		{"a must does not cross a cannot", func(r *Resolver) { r.Rule(Cannot, b, c); r.Rule(Must, a, b); r.Rule(Must, a, c) }, [][]record.Ref{{a, b}, {c}}},
		{"a deleted record leaves", func(r *Resolver) { r.Partition(); r.Delete(b) }, [][]record.Ref{{a}, {c}}},
	} {
		r := New(Config{Model: model, Link: model.Threshold(0.95)})
		r.Upsert(a, name("Acme Tools Ltd"))
		r.Upsert(b, name("ACME Tools Limited"))
		r.Upsert(c, name("Zenith Bakery"))
		tt.do(r)
		if diff := cmp.Diff(tt.want, r.Partition()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func BenchmarkUpsert(b *testing.B) {
	model, _ := matching.StartModel(record.Company)
	var all []*matching.Features
	for _, c := range companies(b) {
		all = append(all, c...)
	}
	for b.Loop() {
		r := New(Config{Model: model, Link: model.Threshold(0.95)})
		for i, f := range all {
			r.Upsert(record.Ref{Source: "s", Entity: record.Company, ID: string(rune(0x4e00 + i))}, f)
		}
		r.Partition()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/record")
}
