package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTableCutShortAfterItsFirstPageIsReadWholeAtTheNextPass: a table of three
// pages, whose pass is cancelled once the first one is stored. The next pass
// begins at the beginning and gets past where the first one ended.
func TestTableCutShortAfterItsFirstPageIsReadWholeAtTheNextPass(t *testing.T) {
	for _, reopened := range []bool{false, true} {
		t.Run(fmt.Sprintf("reopened %v", reopened), func(t *testing.T) {
			t.Parallel()
			const rows = 2500
			var table strings.Builder
			table.WriteString("id,name,phone\n")
			for i := range rows {
				fmt.Fprintf(&table, "l%d,%s,\n", i+1, firm(i))
			}
			w := newWorld(t, "")
			w.write("list.csv", table.String())
			w.yaml = "sources:" + tableSource("list", "list.csv") + "\n" + survive
			w.open()

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first := 0
			_, err := w.app.Pass(ctx, func(stage, _ string, done int) {
				if stage == "pull" && first == 0 {
					first = done
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("the cancelled pass ended with %v, want context.Canceled", err)
			}
			if first == 0 || first >= rows {
				t.Fatalf("the pass was cancelled after %d of %d rows, want it in the middle: after one page", first, rows)
			}
			if n := w.counts()["source_record"]; n != first {
				t.Errorf("after the cancelled pass %d records are stored, want the %d of its first page", n, first)
			}

			if reopened {
				w.restart("")
			}
			s := w.clean()
			if s.Pulled != rows || s.Stored != rows-first || s.Unchanged != first {
				t.Errorf("the pass after it pulled %d, stored %d, unchanged %d; want %d, %d, %d: all rows again, from the beginning",
					s.Pulled, s.Stored, s.Unchanged, rows, rows-first, first)
			}
			if n := w.counts()["source_record"]; n != rows {
				t.Errorf("%d records are stored, want all %d", n, rows)
			}
			s = w.clean()
			if s.Pulled != rows || s.Unchanged != rows {
				t.Errorf("the third pass pulled %d, unchanged %d; want %d of both", s.Pulled, s.Unchanged, rows)
			}
			w.verify()
		})
	}
}

// firm is a name for each number below 8,000, made of three words.
func firm(i int) string {
	a := []string{"Amber", "Birch", "Copper", "Delta", "Ember", "Falcon", "Granite", "Harbour", "Indigo", "Juniper", "Kestrel", "Lantern", "Meadow", "Nimbus", "Orchid", "Pebble", "Quartz", "Raven", "Saffron", "Thistle"}
	b := []string{"Bakery", "Carpets", "Dyeing", "Engines", "Fabrics", "Glass", "Haulage", "Insurance", "Joinery", "Kitchens", "Lighting", "Motors", "Nursery", "Optics", "Printing", "Quarries", "Roofing", "Surveys", "Timber", "Upholstery"}
	c := []string{"Aberdeen", "Bristol", "Cardiff", "Derby", "Exeter", "Falmouth", "Glasgow", "Hereford", "Ipswich", "Jarrow", "Kendal", "Leeds", "Margate", "Norwich", "Oxford", "Preston", "Reading", "Stirling", "Truro", "Wigan"}
	return a[i%20] + " " + b[i/20%20] + " " + c[i/400%20]
}

// TestChangedConfigurationReachesWhatIsStored: nothing new comes from outside;
// only the configuration changes, and what is derived follows it each time.
func TestChangedConfigurationReachesWhatIsStored(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn,
			[]string{acme("c1", "2", `,"industry":"tools"`)},
			[]string{acme("o1", "1", `,"industry":"hardware"`)})
		w.write("list.csv", "id,name,website,employees\nl1,Acme Tools Ltd,acmetools.example,42\n")
		without := strings.Replace(w.yaml, "industry: [most_recent]", "industry: [source_rank]", 1)
		w.yaml = strings.Replace(without, "\nentities:", tableSource("list", "list.csv")+"\n\nentities:", 1)
		w.open()
		w.clean()
		all := "crm/company/c1 desk/company/o1 list/company/l1"
		if got := w.members("crm/company/c1"); got != all {
			t.Fatalf("members %q, want %q", got, all)
		}
		w.wantValue("crm/company/c1", "industry", "tools")
		w.wantValue("crm/company/c1", "employees", "42")
		w.verify()
		written := w.written()

		ranked := func(yaml string) string {
			return strings.Replace(yaml, "  company:\n    survive:", "  company:\n    source_rank: [desk, crm]\n    survive:", 1)
		}
		w.restart(ranked(w.yaml))
		w.clean()
		w.wantValue("crm/company/c1", "industry", "hardware")
		w.verify()

		added := func(yaml string) string {
			return yaml + `
  crm:
    system: crm
    entity: company
    policy: update_only
    owns: [industry]
    map: {industry: 'golden.industry'}
    brake: 100%
    approve: person`
		}
		w.restart(added(w.yaml))
		for range 2 {
			s := w.clean()
			if len(s.Held) != 1 || !strings.HasPrefix(s.Held[0], "crm: 1 writes wait: the first plan") {
				t.Errorf("held %q, want the new target's one write, waiting for a person", s.Held)
			}
		}
		if got := w.states("crm"); got != "pending 1" {
			t.Errorf("rows of the new target: %s, want pending 1", got)
		}
		crm.want("c1", "industry", "tools")
		w.verify()

		withList := w.yaml
		w.restart(added(ranked(without)))
		w.clean()
		w.wantValue("crm/company/c1", "employees", "")
		w.wantValue("crm/company/c1", "industry", "hardware")
		if got := w.states("crm"); got != "pending 1" {
			t.Errorf("rows of the target after a source was removed: %s, want pending 1", got)
		}
		w.verify()

		w.restart(withList)
		w.clean()
		w.wantValue("crm/company/c1", "employees", "42")
		w.verify()

		if n := w.written(); n != written {
			t.Errorf("the changes of the configuration wrote %d times, want nothing before a person has looked", n-written)
		}
		w.approve("crm")
		w.clean()
		if got, want := crm.changes(), []string{"c1 industry: tools → hardware"}; !slices.Equal(got, want) {
			t.Errorf("after the approval written to the crm: %q, want %q", got, want)
		}
		desk.want("o1", "industry", "hardware")
		w.end()
	})
}

// TestCreateWaitsWhileItsSystemsOwnRecordsAreNotResolved is the order of a
// daemon: a create is planned, then the system's own record of the same company
// is landed, then the target is delivered to before anybody has resolved.
func TestCreateWaitsWhileItsSystemsOwnRecordsAreNotResolved(t *testing.T) {
	for _, policy := range []string{"upsert", "create_only"} {
		t.Run(policy, func(t *testing.T) {
			onBoth(t, func(t *testing.T, dsn string) {
				w, crm, desk := two(t, dsn, nil, nil)
				w.yaml = strings.Replace(w.yaml, "policy: update_only", "policy: "+policy, 1)
				w.open()
				w.clean() // every source has been pulled to its end once
				quiet := func(string, string, int) {}
				pull := func(system string) {
					t.Helper()
					c, err := w.app.pull(t.Context(), w.app.systems[system], quiet)
					if err != nil || c.Stored != 3 {
						t.Fatalf("pull of %s stored %d, %v; want 3 and no error", system, c.Stored, err)
					}
				}
				for i := range 3 {
					crm.edit("", map[string]any{"name": firm(401*i) + " Ltd", "website": fmt.Sprintf("site%d.example", i), "phone": fmt.Sprintf("+44 20 7946 001%d", i)})
				}
				pull("crm")
				if err := w.app.Resolve(t.Context(), quiet); err != nil {
					t.Fatal(err)
				}
				if got := w.states("desk"); got != "pending 3" {
					t.Fatalf("rows before the desk's own records are known: %s, want pending 3 (creates)", got)
				}
				for i := range 3 {
					desk.edit("", map[string]any{"name": firm(401*i) + " Ltd", "website": fmt.Sprintf("site%d.example", i), "phone": fmt.Sprintf("+44 20 7946 001%d", i)})
				}
				pull("desk")
				r, err := w.app.deliver(t.Context(), w.app.targets[0])
				if err != nil || r.Sent != 0 {
					t.Errorf("delivered before resolving: sent %d, %v; want nothing sent and no error", r.Sent, err)
				}
				w.clean()
				w.later(time.Hour)
				if n := desk.created(); n != 0 || len(desk.objects()) != 3 {
					t.Errorf("created %d, the desk holds %d companies; want 0 and its own 3: they are the same companies", n, len(desk.objects()))
				}
				if got := w.states("desk"); got != "superseded 3" {
					t.Errorf("rows: %s, want superseded 3", got)
				}
				w.end()
			})
		})
	}
}
