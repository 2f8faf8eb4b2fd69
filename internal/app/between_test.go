package app

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
)

// between shows the records between two golden records as "record: first
// second", the one it stands in marked with a star.
func (w *world) between() (out []string) {
	w.Helper()
	for after := int64(0); ; {
		list, next, err := w.app.Betweens(w.Context(), record.Company, after, 1)
		if err != nil {
			w.Fatal(err)
		}
		for _, b := range list {
			text := b.Record + ":"
			for _, s := range []BetweenSide{b.First, b.Second} {
				text += " " + s.Record
				if s.Golden == b.Golden {
					text += "*"
				}
			}
			if b.First.Golden == b.Second.Golden || b.First.Weight < b.Second.Weight || b.Golden != w.golden(b.Record).ID {
				w.Errorf("%+v does not stand between two", b)
			}
			out = append(out, text)
		}
		if after = next; next == 0 {
			return out
		}
	}
}

// TestRecordBetweenTwoIsListedUntilAPersonDecides: two firms of one name keep
// apart by their numbers, and a third record without one is as much like either.
func TestRecordBetweenTwoIsListedUntilAPersonDecides(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.yaml = historiesYAML
		w.open()
		f := &feed{pages: [][]record.Raw{nil}}
		w.app.order[0].intakes[0].Puller, w.app.order[1].intakes[0].Puller = f, &feed{}
		put := func(id, more string) {
			raw := record.Raw{Entity: record.Company, Data: fmt.Appendf(nil, `{"id":%q,"name":"Acme Tools Ltd","website":"acme.example"%s}`, id, more)}
			f.pages = [][]record.Raw{append(f.pages[0], raw)}
		}
		put("a", `,"ids":[{"scheme":"reg","value":"07946001"}],"phone":"+44 113 496 0001"`)
		put("b", `,"ids":[{"scheme":"reg","value":"51172233"}]`)
		put("c", `,"phone":"+44 113 496 0001"`)
		put("d", `,"ids":[{"scheme":"reg","value":"51172233"}]`)
		w.plan()
		expect := func(when string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, w.between()); diff != "" {
				t.Errorf("records between two golden records %s (-want +got):\n%s", when, diff)
			}
			groups, features := w.partition()
			in := map[record.Ref]int{}
			for _, g := range groups {
				for _, ref := range g {
					in[ref]++
				}
			}
			for ref := range features {
				if in[ref] != 1 {
					t.Errorf("%s: %s stands in %d golden records, want one", when, ref, in[ref])
				}
			}
		}
		expect("at first", "firms/company/c: firms/company/a* firms/company/b")
		page, err := w.app.BridgePage(t.Context(), record.Company, "")
		if err != nil || len(page.Between) != 1 {
			t.Fatalf("the page of bridges lists %+v, %v; want the one", page.Between, err)
		}
		first := page.Between[0]
		if first.Record.ID != "c" || !first.Sides[0].Here || first.Sides[1].Here || first.Sides[0].Bits < first.Sides[1].Bits || first.Sides[1].Golden != w.golden("firms/company/b").ID {
			t.Errorf("the page shows %+v, want c between a, where it stands, and b", first)
		}
		for _, s := range first.Sides {
			if pair, err := w.app.PairPage(t.Context(), s.Pair); err != nil || pair.Bits != s.Bits {
				t.Errorf("pair %s: %v bits, %v; want %v", s.Pair, pair.Bits, err, s.Bits)
			}
		}
		d := w.decision(w.app.Split(t.Context(), []string{"firms:c"}, "firms:a", ann))
		w.plan()
		expect("after a person took it from one")
		w.decision(w.app.Undo(t.Context(), d, ann))
		w.plan()
		expect("after that was taken back", "firms/company/c: firms/company/a* firms/company/b")
		w.verify()
	})
}
