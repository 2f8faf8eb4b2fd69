package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

func TestFirstContactWritesOwnedFieldsOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, desk := two(t, dsn,
			[]string{
				acme("c1", "2", `,"phone":"+44 113 496 0001","industry":"tools"`),
				`{"id":"c2","updated_at":"2026-01-02T00:00:00Z","name":"Zenith Bakery","city":"York"}`,
			},
			[]string{acme("o1", "3", `,"name":"ACME TOOLS LIMITED"`)})
		w.open()
		w.clean()
		want := []string{"o1 phone: <nil> → +44 113 496 0001"}
		if got := desk.changes(); !slices.Equal(got, want) {
			t.Errorf("writes %q, want %q", got, want)
		}
		if n := desk.created(); n != 0 {
			t.Errorf("update_only created %d objects", n)
		}
		row := w.rows("desk", store.Delivered)
		if len(row) != 1 || string(row[0].Base["phone"]) != "null" || !row[0].Verified {
			t.Errorf("rows %+v, want one, verified, whose base is what stood there", row)
		}
		w.end()
	})
}

// upsertWorld has a desk that is given every company.
func upsertWorld(t *testing.T, dsn string, c class) (w *world, desk *simulated) {
	t.Helper()
	w = newWorld(t, dsn)
	crm := w.start(everything.profile("crm"), acme("c1", "2", `,"phone":"+44 113 496 0001"`))
	desk = w.start(c.profile("desk"))
	w.yaml = "sources:" + everything.source("crm", crm.url) + c.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "upsert")
	return w, desk
}

func TestUpsertCreatesOnceAndTheObjectJoinsByMustLink(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := upsertWorld(t, dsn, everything)
		w.open()
		w.clean()
		ids := slices.Collect(maps.Keys(desk.objects()))
		if desk.created() != 1 || len(ids) != 1 {
			t.Fatalf("created %d objects, there are %v, want one", desk.created(), ids)
		}
		// Made as unlike its founder as can be: matching would never join them.
		desk.edit(ids[0], map[string]any{"name": "Something else", "website": "else.example", "phone": "+86 10 6552 9988"})
		w.clean()
		if got, want := w.members("crm/company/c1"), "crm/company/c1 desk/company/"+ids[0]; got != want {
			t.Errorf("members %q, want %q by must-link", got, want)
		}
		w.end()
		if desk.created() != 1 {
			t.Errorf("created %d objects, want one", desk.created())
		}
	})
}

func TestLostCreateIsFoundAfterARestart(t *testing.T) {
	for _, kind := range []simulator.FaultKind{simulator.ApplyThenTimeout, simulator.ApplyThen500, simulator.CutBody} {
		for _, finder := range []class{everything, {unique: true}, {unique: true, etag: true}, {etag: true, search: true}, {search: true}} {
			if kind != simulator.ApplyThenTimeout && finder != everything {
				continue // to us these are one with a timeout
			}
			t.Run(fmt.Sprintf("%s/%+v", kind, finder), func(t *testing.T) {
				t.Parallel()
				w, desk := upsertWorld(t, "", finder)
				w.open()
				desk.faults(simulator.Fault{Kind: kind, Next: 1, On: "write"})
				w.pass()
				if got := w.states("desk"); got != "unknown 1" {
					t.Fatalf("rows after the lost answer: %s, want unknown 1", got)
				}
				w.restart("")
				w.later(15 * time.Minute)
				if desk.created() != 1 || len(desk.objects()) != 1 {
					t.Fatalf("created %d objects, there are %v, want one; rows %s\n%s", desk.created(), desk.objects(), w.states("desk"), w.log)
				}
				id := slices.Collect(maps.Keys(desk.objects()))[0]
				desk.edit(id, map[string]any{"name": "Something else", "website": "else.example"})
				w.later(5 * time.Minute)
				if got, want := w.members("crm/company/c1"), "crm/company/c1 desk/company/"+id; got != want {
					t.Errorf("members %q, want %q", got, want)
				}
				if got := w.states("desk"); !strings.Contains(got, "delivered 1") || strings.Contains(got, "unknown") {
					t.Errorf("rows: %s, want the create delivered and none unknown", got)
				}
				w.end()
			})
		}
	}
}

// TestARecordThatWeMadeSaysSo: an object that our own write made has no name of its
// own, and every list of records says why.
func TestARecordThatWeMadeSaysSo(t *testing.T) {
	t.Parallel()
	w, desk := upsertWorld(t, "", everything)
	w.open()
	w.clean()
	w.pass() // the object is read again
	if n := desk.created(); n != 1 {
		t.Fatalf("%d objects are created, want 1", n)
	}
	list, err := w.app.Store.GoldenList(t.Context(), store.GoldenFilter{Entity: "company", Limit: 9})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d customers, %v", len(list), err)
	}
	split, err := w.app.SplitPage(t.Context(), list[0].ID)
	if err != nil || len(split.Records) != 2 {
		t.Fatalf("%+v, %v", split, err)
	}
	page, err := w.app.Customer(t.Context(), list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := w.app.Cluster(t.Context(), list[0].ID, -1)
	if err != nil {
		t.Fatal(err)
	}
	preview, err := w.app.PreviewSplit(t.Context(), []string{split.Records[0].Ref}, list[0].ID, By{Who: "amy", Over: true})
	if err != nil || len(preview.Moves) == 0 {
		t.Fatalf("%+v, %v", preview, err)
	}
	for _, x := range preview.Moves {
		if x.Made != (x.Source == "desk") {
			t.Errorf("goes along: %s %q, made by us: %v", x.Record, x.Name, x.Made)
		}
	}
	for i, x := range split.Records {
		if ours := x.Source == "desk"; x.Made != ours || (x.Name == "") != ours || page.Members[i].Made != ours || cluster.Members[i].Made != (cluster.Members[i].Source == "desk") {
			t.Errorf("%s %q: made by us: %v, on the customer's page %v, in the cluster %v", x.Ref, x.Name, x.Made, page.Members[i].Made, cluster.Members[i].Made)
		}
	}
}
