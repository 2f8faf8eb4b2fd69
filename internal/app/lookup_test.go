package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/demo"
	"touchstone/internal/golden"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
	"touchstone/matching"
)

// demoOn is openDemo on a given store, with more lines of configuration.
func demoOn(t *testing.T, dsn, more string) *world {
	t.Helper()
	w := newWorld(t, dsn)
	crm, desk, err := demo.Seeds()
	if err != nil {
		t.Fatal(err)
	}
	systems := demo.Systems{CRM: w.startSeeded(simulator.CRM(), crm).url, Desk: w.startSeeded(simulator.Desk(), desk).url}
	if err := demo.WriteFiles(w.dir); err != nil {
		t.Fatal(err)
	}
	w.yaml = string(demo.Config(filepath.ToSlash(w.dir), systems)) + more
	w.open()
	w.clean()
	return w
}

// TestLookUpWeighsAsTheResolverDoes: for the values of every seventh source
// record the answer is what weighing it against every record gives.
func TestLookUpWeighsAsTheResolverDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := demoOn(t, dsn, "")
		ctx := t.Context()
		before, err := w.app.Store.Numbers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		everybody := w.everybody()
		asked, same := 0, 0
		for i, m := range everybody {
			if i%7 != 0 {
				continue
			}
			authored, err := golden.ParseAuthored(m.Authored)
			if err != nil {
				t.Fatal(err)
			}
			fields := authored.Fields()
			if !slices.ContainsFunc(fields.Names(), func(name string) bool { return !fields[name].Blank() }) {
				continue // an object that we made holds nothing of its own
			}
			asked++
			q := lookup.Query{Entity: m.Ref.Entity, Fields: fields}
			a, err := w.app.LookUp(ctx, q)
			if err != nil {
				t.Fatalf("look up %s: %v", m.Ref, err)
			}
			want := w.weighAll(q, everybody)
			for k, c := range a.Candidates {
				if got := want[c.Golden]; got != c.Weight {
					t.Errorf("%s: candidate %s weighs %v, weighing every record gives %v", m.Ref, c.Golden, c.Weight, got)
				}
				if k > 0 && c.Verdict == a.Candidates[k-1].Verdict && c.Weight > a.Candidates[k-1].Weight {
					t.Errorf("%s: candidate %d weighs more than the one before it", m.Ref, k)
				}
			}
			best := 0.0
			for _, weight := range want {
				best = max(best, weight)
			}
			if len(a.Candidates) == 0 || best > a.Candidates[0].Weight && a.Candidates[0].Verdict == lookup.Same {
				t.Errorf("%s: the best of %d candidates is not the heaviest golden record (%v)", m.Ref, len(a.Candidates), best)
			} else if a.Candidates[0].Verdict == lookup.Same {
				same++
			}
		}
		if asked < 100 || same < asked*3/4 {
			t.Errorf("%d of %d records asked for are told to be there, want three quarters of 100 or more", same, asked)
		}
		after, err := w.app.Store.Numbers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("looking up changed the store (-before +after):\n%s", diff)
		}
	})
}

// everybody is every source record in force, in landing order.
func (w *world) everybody() (list []store.Member) {
	w.Helper()
	err := w.app.EachGolden(w.Context(), "", true, func(_ store.Golden, members []store.Member) error {
		list = append(list, members...)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	slices.SortFunc(list, func(a, b store.Member) int { return int(a.Rec - b.Rec) })
	return list
}

// weighAll gives the weight of each golden record's best member, in bits.
func (w *world) weighAll(q lookup.Query, everybody []store.Member) map[string]float64 {
	w.Helper()
	e := w.app.entityNamed(q.Entity)
	shared, err := w.app.Store.Shared(w.Context(), q.Entity, nil)
	if err != nil {
		w.Fatal(err)
	}
	anchors := map[int64]string{}
	for _, m := range everybody {
		anchors[m.Rec] = m.Anchor
	}
	asked := matching.Standardise(q.Entity, q.Fields).Share(shared.Has)
	out := map[string]float64{}
	for _, m := range everybody {
		if m.Ref.Entity != q.Entity {
			continue
		}
		f, err := matching.DecodeFeatures(m.Features)
		if err != nil {
			w.Fatal(err)
		}
		weight, id := bits(e.model.Load().Weigh(asked, f.Share(shared.Has)).Total), anchors[m.Golden]
		if old, known := out[id]; !known || weight > old {
			out[id] = weight
		}
	}
	return out
}

const lookupYAML = `
sources:
  crm:
    type: file
    path: crm.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, phone: record.phone, website: record.website, status: record.status, ids: [{scheme: '"uscc"', value: record.uscc}]}
  erp:
    type: file
    path: erp.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, phone: record.phone}
server:
  match_shows: [status]
`

// threeCompanies are two records of one company and one of another.
func threeCompanies(t *testing.T, dsn string) *world {
	t.Helper()
	w := newWorld(t, dsn)
	w.write("crm.csv", "id,name,phone,website,status,uscc\n"+
		"1,上海美跃包装材料有限公司,021-68880102,meiyue.example.cn,protected,913100001322012341\n"+
		"2,Redwood Analytics Ltd,+44 20 7946 0001,redwood.example.com,,\n")
	w.write("erp.csv", "id,name,phone\n7,上海美跃包装材料有限公司,+86 21 6888 0102\n")
	w.yaml = lookupYAML
	w.open()
	w.clean()
	return w
}

// TestLookUpShowsNoMoreThanItMay: the caller's own values, the name, and what the
// configuration lists.
func TestLookUpShowsNoMoreThanItMay(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := threeCompanies(t, dsn)
		fields := record.Fields{"name": record.TextValue("上海美躍包裝材料有限公司"), "phones": record.ListValue(record.Point{Value: "021 6888 0102"}), "website": record.TextValue("other.example.org")}
		a, err := w.app.LookUp(t.Context(), lookup.Query{Entity: "company", Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Candidates) != 1 {
			t.Fatalf("%d candidates, want 1: %+v", len(a.Candidates), a.Candidates)
		}
		c := a.Candidates[0]
		if c.Verdict != lookup.Same || c.Name != "上海美跃包装材料有限公司" || c.Records != nil ||
			!slices.Equal(c.Systems, []lookup.System{{Source: "crm", Records: 1}, {Source: "erp", Records: 1}}) ||
			!slices.Equal(c.Shows, []lookup.ShownOne{{Field: "status", Value: "protected"}}) {
			t.Errorf("candidate %+v, want the same customer in crm and erp, protected", c)
		}
		sum := 0.0
		for _, p := range c.Parts {
			sum += p.Weight
			if p.Found != "" {
				t.Errorf("part %s shows %q, which the caller may not see", p.Field, p.Found)
			}
			if p.Field == "phones" && (p.Given != "+862168880102" || p.Level != "same" || p.Zh.Field != "电话" || p.Zh.Level != "相同") {
				t.Errorf("part %+v, want the caller's phone in standard form, the same, in both languages", p)
			}
		}
		if diff := sum - c.Weight; diff > 0.0005 || diff < -0.0005 {
			t.Errorf("the parts sum to %v, the weight is %v", sum, c.Weight)
		}
		if !strings.HasPrefix(c.Words.En, "Most likely the same customer (") || !strings.HasPrefix(c.Words.Zh, "很可能是同一客户（") || !strings.Contains(c.Words.Zh, "电话相同") {
			t.Errorf("words %+v", c.Words)
		}
		all, err := w.app.LookUp(t.Context(), lookup.Query{Entity: "company", Fields: fields, All: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := all.Candidates[0].Records; !slices.Equal(got, []string{"crm/company/1", "erp/company/7"}) {
			t.Errorf("records %v, want both", got)
		}
	})
}

// TestHardEvidenceLeavesItToAPerson: the same name and phone, and another
// registration number.
func TestHardEvidenceLeavesItToAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := threeCompanies(t, dsn)
		fields, err := lookup.Own(nil).FromArgs("company", []string{"name=上海美跃包装材料有限公司", "phone=021-68880102", "website=meiyue.example.cn", "id.uscc=91310115MA1K4WXH52"})
		if err != nil {
			t.Fatal(err)
		}
		a, err := w.app.LookUp(t.Context(), lookup.Query{Entity: "company", Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Candidates) == 0 || a.Candidates[0].Verdict == lookup.Same || a.Candidates[0].Veto == nil || a.Candidates[0].Veto.En != "different uscc numbers" || a.Candidates[0].Veto.Zh != "uscc 号码不同" {
			t.Errorf("candidates %+v, want one that a person has to look at, with its veto", a.Candidates)
		}
	})
}

// TestLookUpWaitsForNoWriter: while the resolver holds its transaction the answer
// comes, from the state before it.
func TestLookUpWaitsForNoWriter(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := threeCompanies(t, dsn)
		q := lookup.Query{Entity: "company", Fields: record.Fields{"name": record.TextValue("Redwood Analytics")}}
		err := w.app.Store.Link(t.Context(), func(tx *store.LinkTx) error {
			if err := tx.LockFacts(t.Context()); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			a, err := w.app.LookUp(ctx, q)
			if err == nil && (len(a.Candidates) != 1 || a.Candidates[0].Name != "Redwood Analytics Ltd") {
				err = fmt.Errorf("candidates %+v", a.Candidates)
			}
			return err
		})
		if err != nil {
			t.Errorf("beside a writer: %v", err)
		}
	})
}

// TestLookUpFindsWhatIsNotResolvedYet: a record whose keys are published and that
// stands in no golden record is named by its reference.
func TestLookUpFindsWhatIsNotResolvedYet(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := threeCompanies(t, dsn)
		w.write("erp.csv", "id,name,phone\n7,上海美跃包装材料有限公司,+86 21 6888 0102\n8,Blue Heron Foods,+44 20 7946 0999\n")
		ctx := t.Context()
		if err := w.app.PullAll(ctx); err != nil {
			t.Fatal(err)
		}
		e := w.app.entityNamed("company")
		backlog, err := w.app.Store.BacklogResolve(ctx, "company", 0, 10)
		if err != nil || len(backlog) != 1 {
			t.Fatalf("%d records wait (%v), want 1", len(backlog), err)
		}
		keysOf := func(b []byte) (keys []store.Key, err error) {
			f, err := matching.DecodeFeatures(b)
			if err != nil {
				return nil, err
			}
			for _, k := range f.Keys() {
				keys = append(keys, store.Key{Coarse: k.Coarse, Fine: k.Fine})
			}
			return keys, nil
		}
		if _, err := w.app.Store.Publish(ctx, []int64{backlog[0].Rec}, keysOf, store.Lists{Entity: "company", Cap: e.resolver.Cap, Names: e.resolver.Names}); err != nil {
			t.Fatal(err)
		}
		a, err := w.app.LookUp(ctx, lookup.Query{Entity: "company", All: true, Fields: record.Fields{"name": record.TextValue("Blue Heron Foods"), "phones": record.ListValue(record.Point{Value: "+44 20 7946 0999"})}})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Candidates) != 1 || a.Candidates[0].Golden != "" || a.Candidates[0].Name != "Blue Heron Foods" || !slices.Equal(a.Candidates[0].Records, []string{"erp/company/8"}) {
			t.Errorf("candidates %+v, want the record that waits", a.Candidates)
		}
	})
}

// TestLookUpIsBounded: more records than are weighed share the keys; the ones
// with the rarest are, and the answer says so.
func TestLookUpIsBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		var rows strings.Builder
		rows.WriteString("id,name,phone,website,status,uscc\n")
		for i := range 90 { // on every list of its postcode and street, below the cap
			for k := range 6 {
				fmt.Fprintf(&rows, "%d-%d,Bluefin %c%c Trading,+44 20 7946 %04d,w%d-%d.example.com,,\n", i, k, 'a'+k, 'a'+i%26, i+100*k, i, k)
			}
		}
		w.write("crm.csv", rows.String())
		w.write("erp.csv", "id,name,phone\n")
		w.yaml = lookupYAML
		w.opts.Cap = 500
		w.open()
		w.clean()
		a, err := w.app.LookUp(t.Context(), lookup.Query{Entity: "company", Limit: 50, Fields: record.Fields{
			"name": record.TextValue("Bluefin aa Trading"), "phones": record.ListValue(record.Point{Value: "+44 20 7946 0000"}), "website": record.TextValue("w0-0.example.com"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Candidates) == 0 || a.Candidates[0].Verdict != lookup.Same || a.Compared > 200+64*50 {
			t.Errorf("%d candidates of %d compared, want the same customer first", len(a.Candidates), a.Compared)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.app.LookUp(ctx, lookup.Query{Entity: "company", Fields: record.Fields{"name": record.TextValue("x")}}); !errors.Is(err, context.Canceled) {
			t.Errorf("a look-up that was given up: %v, want context.Canceled", err)
		}
	})
}

// TestLookUpBesideTheResolver: questions are answered while records land and are
// resolved, and never from half a state: who was there is there.
func TestLookUpBesideTheResolver(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := threeCompanies(t, dsn)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		asked := make(chan error, 2)
		q := lookup.Query{Entity: "company", Fields: record.Fields{"name": record.TextValue("Redwood Analytics"), "phones": record.ListValue(record.Point{Value: "+44 20 7946 0001"})}}
		for range 2 {
			go func() {
				for n := 0; ; n++ {
					a, err := w.app.LookUp(ctx, q)
					switch {
					case ctx.Err() != nil && n > 0:
						asked <- nil
						return
					case err != nil:
						asked <- err
						return
					case len(a.Candidates) == 0 || a.Candidates[0].Name != "Redwood Analytics Ltd":
						asked <- fmt.Errorf("answer %d: %+v", n, a.Candidates)
						return
					}
				}
			}()
		}
		for i := range 3 {
			var rows strings.Builder
			rows.WriteString("id,name,phone\n7,上海美跃包装材料有限公司,+86 21 6888 0102\n")
			for k := range 60 {
				fmt.Fprintf(&rows, "n%d-%d,Heron %d Foods %d,+44 20 7946 %04d\n", i, k, k, i, 1000+60*i+k)
			}
			w.write("erp.csv", rows.String())
			w.pass()
		}
		stop()
		for range 2 {
			if err := <-asked; err != nil {
				t.Errorf("beside the resolver: %v", err)
			}
		}
	})
}
