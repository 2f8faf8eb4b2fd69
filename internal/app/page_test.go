package app

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/demo"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// openDemo takes the demo's customers through one pass.
func openDemo(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "")
	crm, desk, err := demo.Seeds()
	if err != nil {
		t.Fatal(err)
	}
	systems := demo.Systems{CRM: w.startSeeded(simulator.CRM(), crm).url, Desk: w.startSeeded(simulator.Desk(), desk).url}
	if err := demo.WriteFiles(w.dir); err != nil {
		t.Fatal(err)
	}
	w.yaml = string(demo.Config(filepath.ToSlash(w.dir), systems))
	w.open()
	w.clean()
	return w
}

// TestPagesReadTheDemo: what the pages list is what the store holds.
func TestPagesReadTheDemo(t *testing.T) {
	t.Parallel()
	w := openDemo(t)
	w.wantSearch()
	w.wantLists()
	w.wantPairs()
}

// wantSearch finds every golden record by its name, its mail, its telephone's
// end and a source record's id.
func (w *world) wantSearch() {
	w.Helper()
	ctx, asked := w.Context(), 0
	finds := func(text, id string) {
		w.Helper()
		asked++
		p, err := w.app.Customers(ctx, web.CustomerQuery{Text: text, Limit: 1000})
		if err != nil {
			w.Fatal(err)
		}
		if p.Direct != id && !slices.ContainsFunc(p.List, func(g web.Golden) bool { return g.ID == id }) {
			w.Errorf("%q does not find golden record %s among %d", text, id, p.Total)
		}
	}
	n := 0
	err := w.app.EachGolden(ctx, "", false, func(g store.Golden, members []store.Member) error {
		if n++; n%7 != 0 {
			return nil
		}
		var row web.Golden
		if err := w.app.showFields(sight{}, g, &row); err != nil {
			return err
		}
		finds(g.ID, g.ID)
		finds(members[0].Ref.ID, g.ID)
		finds(row.Name, g.ID)
		finds(strings.ToUpper(row.Name), g.ID)
		var fields record.Fields
		if err := fields.UnmarshalJSON(g.Fields); err != nil {
			return err
		}
		for _, p := range fields["emails"].Points {
			finds(p.Value, g.ID)
		}
		for _, p := range fields["phones"].Points {
			finds(p.Value, g.ID)
		}
		return nil
	})
	if err != nil || asked < 300 {
		w.Errorf("%d questions asked, want 300 or more: %v", asked, err)
	}
	for text, why := range map[string]string{"美躍": "traditional finds simplified", "ＡＣＭＥ": "full width"} {
		folded := map[string]string{"美躍": "美跃", "ＡＣＭＥ": "acme"}[text]
		a, err := w.app.Customers(ctx, web.CustomerQuery{Text: text, Limit: 1000})
		if err != nil {
			w.Fatal(err)
		}
		b, err := w.app.Customers(ctx, web.CustomerQuery{Text: folded, Limit: 1000})
		if err != nil {
			w.Fatal(err)
		}
		if a.Total != b.Total {
			w.Errorf("%s: %q finds %d, %q %d", why, text, a.Total, folded, b.Total)
		}
	}
	for _, text := range []string{"!!!", "nobody-is-called-so", "' OR 1=1 --", "%", "_"} {
		if p, err := w.app.Customers(ctx, web.CustomerQuery{Text: text, Limit: 10}); err != nil || len(p.List) > 0 {
			w.Errorf("%q finds %d golden records (%v), want none", text, len(p.List), err)
		}
	}
	several, err := w.app.Customers(ctx, web.CustomerQuery{Several: true, Source: "registry", Entity: "company", Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	for _, g := range several.List {
		if len(g.Sources) < 2 || !slices.Contains(g.Sources, "registry") || g.Entity != "company" {
			w.Errorf("the filter lets through %s, a %s of %v", g.ID, g.Entity, g.Sources)
		}
	}
	if several.Total < 10 {
		w.Errorf("%d companies of the registry are in more than one system, want 10 or more", several.Total)
	}
}

// wantLists compares sources, targets and quarantine with the counts.
func (w *world) wantLists() {
	w.Helper()
	ctx := w.Context()
	o, err := w.app.Overview(ctx)
	if err != nil {
		w.Fatal(err)
	}
	for _, row := range o.Sources {
		p, err := w.app.SourcePage(ctx, row.Name)
		if err != nil {
			w.Fatal(err)
		}
		pulled := 0
		for _, r := range p.Runs {
			pulled += r.Pulled
		}
		if pulled != row.Pulled || len(p.Entities) == 0 || p.Entities[0].Cursor.IsZero() {
			w.Errorf("source %s: runs of %d pulled, want %d; entities %+v", row.Name, pulled, row.Pulled, p.Entities)
		}
	}
	for _, row := range o.Targets {
		seen, after := map[string]bool{}, ""
		for {
			p, err := w.app.TargetPage(ctx, row.Name, store.Delivered, after)
			if err != nil {
				w.Fatal(err)
			}
			for _, r := range p.Rows {
				if seen[r.ID] || len(r.Fields) == 0 || r.Golden == "" {
					w.Errorf("target %s: row %+v comes twice, changes nothing or belongs to nobody", row.Name, r)
				}
				seen[r.ID] = true
			}
			if after = p.Next; after == "" {
				break
			}
		}
		if len(seen) != row.Delivered {
			w.Errorf("target %s lists %d delivered rows, want %d", row.Name, len(seen), row.Delivered)
		}
	}
	for rule, want := range map[string]int{"": len(w.quarantined("open")), "schema": -1, "required:name": -1} {
		ids, after := map[string]bool{}, ""
		for {
			p, err := w.app.QuarantinePage(ctx, web.QuarantineFilter{Rule: rule, After: after, Limit: 4})
			if err != nil {
				w.Fatal(err)
			}
			for _, q := range p.Rows {
				ids[q.ID] = true
				if full, err := w.app.QuarantineRecord(ctx, q.ID); err != nil || len(full.Lines) == 0 {
					w.Errorf("quarantined record %s cannot be shown: %v", q.ID, err)
				}
			}
			if after = p.Next; after == "" {
				break
			}
		}
		if want >= 0 && len(ids) != want || len(ids) == 0 {
			w.Errorf("rule %q: %d quarantined records, want %d", rule, len(ids), want)
		}
	}
	for _, err := range []error{
		second(w.app.SourcePage(ctx, "none")), second(w.app.TargetPage(ctx, "none", "", "")), second(w.app.QuarantineRecord(ctx, "none")),
		second(w.app.PairPage(ctx, "2-1")), second(w.app.PairPage(ctx, "999998-999999")), second(w.app.Customer(ctx, "none")), second(w.app.BridgePage(ctx, "", "x")),
	} {
		if !errors.Is(err, record.ErrNotFound) {
			w.Errorf("what is not there gives %v, want not found", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// wantPairs walks the pairs to review, and looks at golden records.
func (w *world) wantPairs() {
	w.Helper()
	ctx, total := w.Context(), 0
	n, err := w.app.Store.Numbers(ctx)
	if err != nil {
		w.Fatal(err)
	}
	for _, entity := range []string{"company", "person"} {
		p, err := w.app.OpenPairs(ctx, web.ReviewQuery{Entity: entity})
		if err != nil {
			w.Fatal(err)
		}
		for _, pair := range p.Items {
			total++
			full, err := w.app.PairPage(ctx, pair.ID)
			sum := 0.0
			for _, e := range full.Evidence {
				sum += e.Bits
			}
			if err != nil || sum-full.Bits > 0.001 || full.Bits-sum > 0.001 || len(full.Fields) == 0 || full.Why() == "merged" {
				w.Errorf("pair %s: evidence sums to %.3f, want %.3f (%v, %s)", pair.ID, sum, full.Bits, err, full.Why())
			}
		}
	}
	if total != n.Review {
		w.Errorf("%d pairs are listed, %d wait", total, n.Review)
	}
	several, err := w.app.Customers(ctx, web.CustomerQuery{Several: true, Limit: 20})
	if err != nil {
		w.Fatal(err)
	}
	for _, g := range several.List {
		c, err := w.app.Customer(ctx, g.ID)
		if err != nil || len(c.Members) != g.Members || len(c.Links) != g.Members-1 || len(c.Fields) == 0 || len(c.History) != c.Version {
			w.Errorf("golden record %s: %d members, %d links, %d fields, %d versions of %d (%v)", g.ID, len(c.Members), len(c.Links), len(c.Fields), len(c.History), c.Version, err)
		}
	}
	if err := w.app.Seen(ctx, "page:local", "read.customer", []string{"a", "b"}); err != nil {
		w.Error(err)
	}
}

// TestAnOlderStoreBecomesFindable: golden records of before the posting lists
// are filled in by the next run, and equal those made anew.
func TestAnOlderStoreBecomesFindable(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
		w.open()
		w.clean()
		w.close()
		w.execute(`DELETE FROM search`)
		w.execute(`DELETE FROM search_text`)
		w.execute(`INSERT INTO setting (name, value) VALUES ('search_fill', 'needed')`)
		w.open()
		w.clean()
		p, err := w.app.Customers(t.Context(), web.CustomerQuery{Text: "0113 496 0001", Limit: 10})
		if err != nil || p.Total != 1 {
			t.Errorf("after the filling %d are found (%v), want 1", p.Total, err)
		}
		w.verify()
	})
}
