package app

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/store"
	"touchstone/matching/values"
)

// industries are two firms whose trades are spelt in several ways, and a desk
// that is given the golden ones.
func industries(t *testing.T, dsn string) (w *world, crm, desk *simulated) {
	t.Helper()
	zenith := `{"id":%q,"updated_at":"2026-01-0%sT00:00:00Z","name":"Zenith Bakery","city":"York","country":"GB","website":"zenith.example"%s}`
	w, crm, desk = two(t, dsn,
		[]string{acme("c1", "2", `,"industry":"MANUFACTURING."`), fmt.Sprintf(zenith, "c2", "2", `,"industry":"manufacturing"`)},
		[]string{acme("o1", "1", `,"industry":"Tools"`), fmt.Sprintf(zenith, "o2", "1", "")})
	w.yaml = strings.NewReplacer("owns: [phone, email, website]", "owns: [industry]", "website: 'golden.website'}", "industry: 'golden.industry'}").Replace(w.yaml)
	return w, crm, desk
}

func (w *world) industryClusters() (out []string) {
	w.Helper()
	found, err := w.app.Values(w.Context(), ValuesRequest{Entity: "company", Field: "industry"})
	if err != nil {
		w.Fatal(err)
	}
	for _, c := range found.Clusters {
		for _, v := range c.Values {
			out = append(out, fmt.Sprint(c.N, " ", v.Value, " ", v.Count, " ", v.Sources))
		}
	}
	return out
}

// TestValuesCountAsAnotherOne: a cluster is found, one decision makes one value
// of it, the plan shows what follows, the target gets it, what lands later too;
// the undo gives the target back what it had.
func TestValuesCountAsAnotherOne(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := industries(t, dsn)
		w.open()
		w.clean()
		desk.want("o1", "industry", "MANUFACTURING.")
		desk.want("o2", "industry", "manufacturing")
		want := []string{"1 MANUFACTURING. 1 map[crm:1]", "1 manufacturing 1 map[crm:1]"}
		if diff := cmp.Diff(want, w.industryClusters()); diff != "" {
			t.Fatalf("clusters (-want +got):\n%s", diff)
		}
		beforeAt := w.clock.Now()

		found, err := w.app.Values(t.Context(), ValuesRequest{Entity: "company", Field: "industry"})
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := found.ClusterPairs("1", "Manufacturing")
		if err != nil {
			t.Fatal(err)
		}
		request := MapRequest{Entity: "company", Field: "industry", Pairs: pairs}
		made, err := w.app.MapValues(t.Context(), request, ann)
		if err != nil || made.Values != 2 || made.Records != 2 || made.Existing {
			t.Fatalf("decided %+v, %v; want 2 values on 2 records", made, err)
		}
		if again, err := w.app.MapValues(t.Context(), request, ann); err != nil || !again.Existing || again.Decision != made.Decision {
			t.Errorf("the same again: %+v, %v; want %s as it stands", again, err, made.Decision)
		}
		w.plan()
		plan := []string{`update o1 industry: "MANUFACTURING." → "Manufacturing"`, `update o2 industry: "manufacturing" → "Manufacturing"`}
		if _, lines := w.shown("desk"); !slices.Equal(lines, plan) {
			t.Errorf("the plan is %q, want %q", lines, plan)
		}
		w.clean()
		desk.want("o1", "industry", "Manufacturing")
		desk.want("o2", "industry", "Manufacturing")
		g := w.golden("crm/company/c1")
		if p := g.Provenance["industry"]; !slices.Equal(p.Maps, []string{made.Decision}) || p.Was != "MANUFACTURING." {
			t.Errorf("provenance %+v, want the decision and what the source says", p)
		}
		if own := g.Members[0].Fields.Text("industry"); own != "MANUFACTURING." {
			t.Errorf("the source record says %q: what it said must stay", own)
		}
		if then := w.industryAt(g.ID); then != "Manufacturing" {
			t.Errorf("in history it is %q, want Manufacturing", then)
		}
		if clusters := w.industryClusters(); len(clusters) > 0 {
			t.Errorf("clusters %q after the decision, want none: the values count as one now", clusters)
		}
		w.end()

		crm.edit("", map[string]any{"name": "Cobalt Marine", "city": "Hull", "industry": "manufacturing"})
		w.clean()
		late := ""
		for ref := range crm.objects() {
			if ref != "c1" && ref != "c2" {
				late = "crm/company/" + ref
			}
		}
		w.wantValue(late, "industry", "Manufacturing")
		list, err := w.app.Decisions(t.Context(), "", 0, 10)
		if err != nil || len(list) != 1 || list[0].Field != "company.industry" || list[0].Value != "Manufacturing" || !slices.Equal(list[0].From, []string{"MANUFACTURING.", "manufacturing"}) {
			t.Errorf("decisions list: %+v, %v", list, err)
		}

		undo := w.decision(w.app.Undo(t.Context(), made.Decision, ann))
		w.clean()
		desk.want("o1", "industry", "MANUFACTURING.")
		desk.want("o2", "industry", "manufacturing")
		w.wantValue(late, "industry", "manufacturing")
		w.end()
		w.decision(w.app.Undo(t.Context(), undo, ann))
		w.clean()
		desk.want("o2", "industry", "Manufacturing")
		w.wantStates("map in force", "undo undone", "undo in force")
		if was, err := w.app.GoldenAt(t.Context(), g.ID, beforeAt); err != nil || !slices.ContainsFunc(was.Fields, func(f AsOfField) bool { return f.Field == "industry" && f.Text == "MANUFACTURING." && f.State == "" }) {
			t.Errorf("before the decision: %+v, %v; want MANUFACTURING.", was.Fields, err)
		}
		w.end()
	})
}

func (w *world) industryAt(id string) string {
	w.Helper()
	s, err := w.app.GoldenAt(w.Context(), id, w.clock.Now())
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range s.Fields {
		if f.Field == "industry" {
			return f.Text + f.State
		}
	}
	return ""
}

// TestDecisionsOnValuesStandBesideEachOther: one may go on from another, in any
// order; one that says otherwise, or leads back, is refused or takes its place.
func TestDecisionsOnValuesStandBesideEachOther(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := industries(t, dsn)
		w.open()
		w.clean()
		says := func(from, to string, by By) (MappedValues, error) {
			return w.app.MapValues(t.Context(), MapRequest{Entity: "company", Field: "industry", Pairs: [][2]string{{from, to}}}, by)
		}
		must := func(from, to string, by By) string {
			d, err := says(from, to, by)
			return w.decision(d.Decided, err)
		}
		industry := "Industry"
		second := must("Manufacturing", industry, ann) // decided before what leads to it
		first := must("manufacturing", "Manufacturing", ann)
		w.clean()
		w.wantValue("crm/company/c2", "industry", industry)
		if got := w.golden("crm/company/c2").Provenance["industry"].Maps; len(got) != 2 || !slices.Contains(got, first) || !slices.Contains(got, second) {
			t.Errorf("counted so by %q, want %s and %s", got, first, second)
		}
		var no *store.Contradiction
		for _, x := range []struct{ from, to, against string }{{"manufacturing", "Baking", first}, {industry, "manufacturing", first}} {
			if _, err := says(x.from, x.to, ann); !errors.As(err, &no) || len(no.Earlier) != 1 || no.Earlier[0].ID != x.against {
				t.Errorf("%s as %s: %v, want it refused with the name of %s", x.from, x.to, err, x.against)
			}
		}
		over := must("manufacturing", "Baking", By{Who: "bob", Over: true})
		w.clean()
		w.wantValue("crm/company/c2", "industry", "Baking")
		w.wantStates("map in force", "map withdrawn", "map in force")
		w.decision(w.app.Undo(t.Context(), over, ann)) // brings back what it withdrew
		w.clean()
		w.wantValue("crm/company/c2", "industry", industry)
		w.decision(w.app.Undo(t.Context(), second, ann))
		w.clean()
		w.wantValue("crm/company/c2", "industry", "Manufacturing")
		w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "crm/company/c2", Field: "industry", Value: "manufacturing"}, ann))
		w.clean()
		w.wantValue("crm/company/c2", "industry", "manufacturing") // a pin is a word on this very record
		w.end()

		var file bytes.Buffer
		if _, err := w.app.ExportRulings(t.Context(), &file); err != nil {
			t.Fatal(err)
		}
		x := newWorld(t, "")
		x.yaml, x.clock.now = w.yaml, w.clock.Now()
		x.open()
		rep, err := x.app.ImportRulings(t.Context(), bytes.NewReader(file.Bytes()))
		if err != nil || len(rep.Refused) > 0 || rep.Imported != 6 {
			t.Fatalf("imported elsewhere: %+v, %v; want 6 decisions", rep, err)
		}
		x.plan()
		x.wantValue("crm/company/c2", "industry", "manufacturing")
		if diff := cmp.Diff(w.decisionLines(), x.decisionLines()); diff != "" {
			t.Errorf("the decisions there (-here +there):\n%s", diff)
		}
		x.verify()
	})
}

// TestPartsOfListsCountAsAnotherOne: of an address its city.
func TestPartsOfListsCountAsAnotherOne(t *testing.T) {
	w, _, _ := industries(t, "")
	w.open()
	w.clean()
	d, err := w.app.MapValues(t.Context(), MapRequest{Entity: "company", Field: "addresses.city", Pairs: [][2]string{{"York", "Yorke"}, {"Leeds", "Leeds"}}}, ann)
	if err != nil || d.Values != 1 || d.Records != 2 {
		t.Fatalf("%+v, %v; want 1 value on 2 records", d, err)
	}
	w.clean()
	g := w.golden("crm/company/c2")
	if got := g.Fields["addresses"].Points[0].Parts["city"]; got != "Yorke" {
		t.Errorf("the golden city is %q, want Yorke", got)
	}
	at, err := w.app.GoldenAt(t.Context(), g.ID, w.clock.Now())
	if err != nil || !slices.ContainsFunc(at.Fields, func(f AsOfField) bool {
		return f.Field == "addresses" && f.State == "" && strings.Contains(f.Text, "Yorke")
	}) {
		t.Errorf("in history the address is %+v, %v; want it in Yorke", at.Fields, err)
	}
	w.end()
}

func TestValuesRefusesWhatItCannotDo(t *testing.T) {
	w, _, _ := industries(t, "")
	w.open()
	w.clean()
	var no *Unclear
	for _, r := range []ValuesRequest{
		{Entity: "firm", Field: "industry"},
		{Entity: "company", Field: "trade"},
		{Entity: "company", Field: "employees"},
		{Entity: "company", Field: "addresses.planet"},
		{Entity: "company", Field: "industry", Source: "erp"},
		{Entity: "company", Field: "industry", Options: values.Options{Method: "magic"}},
	} {
		if _, err := w.app.Values(t.Context(), r); !errors.As(err, &no) {
			t.Errorf("%+v: %v, want it refused", r, err)
		}
	}
	for _, pairs := range [][][2]string{nil, {{"a", "a"}}, {{"a", " "}}, {{"a", "b"}, {"a", "c"}}, {{strings.Repeat("a", 5000), "b"}}} {
		if _, err := w.app.MapValues(t.Context(), MapRequest{Entity: "company", Field: "industry", Pairs: pairs}, ann); !errors.As(err, &no) {
			t.Errorf("%.40q: %v, want it refused", fmt.Sprint(pairs), err)
		}
	}
	var impossible *store.Impossible
	if _, err := w.app.MapValues(t.Context(), MapRequest{Entity: "company", Field: "industry", Pairs: [][2]string{{"a", "b"}, {"b", "a"}}}, ann); !errors.As(err, &impossible) {
		t.Errorf("a circle: %v, want it refused", err)
	}
	golden, err := w.app.Values(t.Context(), ValuesRequest{Entity: "company", Field: "industry", Golden: true})
	if err != nil || golden.Records != 2 || len(golden.Clusters) != 1 || golden.Clusters[0].Proposed != "MANUFACTURING." {
		t.Errorf("of the golden records: %+v, %v; want one cluster of 2 records", golden, err)
	}
	one, err := w.app.Values(t.Context(), ValuesRequest{Entity: "company", Field: "industry", Source: "desk"})
	if err != nil || one.Records != 1 || one.Distinct != 1 {
		t.Errorf("of the desk: %+v, %v; want 1 value of 1 record", one, err)
	}
}

// TestDirtyTextIsNoted: it is mapped, matched and pushed like any other, and its
// places are told.
func TestDirtyTextIsNoted(t *testing.T) {
	w, _, _ := two(t, "", []string{acme("c1", "2", `,"industry":"FranÃ§ois \u200bTools"`)}, []string{acme("o1", "1", "")})
	w.open()
	w.clean()
	want := []string{`industry "Ã§" → "ç"`, `industry "` + "\u200b" + `" → ""`}
	var got []string
	for _, m := range w.golden("crm/company/c1").Members {
		for _, n := range m.Notes {
			got = append(got, fmt.Sprintf(`%s "%s" → "%s"`, n.Field, n.Is, n.Put))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	found, err := w.app.DirtyText(t.Context(), "company", "", 10)
	if err != nil || found.Records != 2 || found.Dirty != 1 || len(found.Notes) != 2 || found.Notes[0].Ref != "crm/company/c1" {
		t.Errorf("dirty text: %+v, %v; want two notes on crm/company/c1", found, err)
	}
	if n := len(w.quarantined("open")); n != 0 {
		t.Errorf("%d records in quarantine, want none", n)
	}
}
