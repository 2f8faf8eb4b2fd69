package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"touchstone/internal/simulator"
	"touchstone/internal/store/pgtest"
)

// settings sets the knobs of a simulated system.
func (i installation) settings(t *testing.T, system string, s simulator.Settings) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, i.base+"/"+system+"/_admin/settings", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("settings of %s: %s", system, res.Status)
	}
}

// settled makes passes until no write waits, and gives the last summary.
func (i installation) settled(t *testing.T) demoSummary {
	t.Helper()
	for range 20 {
		if s := i.once(t); s.Waiting == 0 {
			return s
		}
		time.Sleep(300 * time.Millisecond)
	}
	t.Fatal("writes go on waiting")
	return demoSummary{}
}

// outcome is where an installation and its systems ended, in words that are the
// same in each installation: the systems number what we make in the order in
// which we make it, and after a kill that order may be another. So such an
// object is named after the golden record that it was made for.
type outcome struct {
	export           string            // the canonical export
	standing         map[string]string // system/object/id/field → what we wrote there last
	creates, updates int
	doubled          []string // writes that were made twice
}

func (i installation) outcome(t *testing.T) outcome {
	t.Helper()
	o := outcome{standing: map[string]string{}}
	logs := map[string][]simulator.Applied{}
	names := map[string]string{} // entity reference → "", then its name
	for _, system := range i.which.written() {
		log, err := simulator.ReadApplied(filepath.Join(i.state, system))
		if err != nil {
			t.Fatal(err)
		}
		logs[system] = log
		o.doubled = append(o.doubled, simulator.Doubled(log)...)
		for _, w := range log {
			if w.Actor == "api" && w.Created && w.Object != "job_statuses" {
				names[reference(system, w.Object, w.ID)] = ""
				o.creates++
			}
		}
	}
	o.export = i.named(t, names)
	for system, log := range logs {
		for _, w := range log {
			if w.Actor != "api" || w.Object == "job_statuses" {
				continue
			}
			if !w.Created {
				o.updates++
			}
			for path, c := range w.Fields {
				if path == "external_id" || path == "properties.touchstone_id" {
					continue // golden ids are another in each installation
				}
				value := fmt.Sprint(c.New)
				if path == "organization_id" || strings.HasSuffix(path, "associatedcompanyid") {
					value = cmp.Or(names[reference(system, "companies", value)], value)
				}
				if path == "associations.companies" {
					continue // the same, as the system keeps it
				}
				object := reference(system, w.Object, w.ID)
				o.standing[cmp.Or(names[object], object)+" "+path] = value
			}
		}
	}
	return o
}

// reference names an object as the export does.
func reference(system, object, id string) string {
	entity := "company"
	if object == "contacts" || object == "users" {
		entity = "person"
	}
	return system + "/" + entity + "/" + id
}

// named gives the canonical export with our own objects named, and fills names.
func (i installation) named(t *testing.T, names map[string]string) string {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(i.canonical(t)) {
		var g map[string]any
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			t.Fatal(err)
		}
		list = append(list, g)
		members, ok := g["members"].([]any)
		if !ok {
			t.Fatalf("a line of the export has no members: %s", line)
		}
		first := ""
		for _, m := range members {
			if _, made := names[m.(string)]; !made && (first == "" || m.(string) < first) {
				first = m.(string)
			}
		}
		for _, m := range members {
			if _, made := names[m.(string)]; made {
				system, _, _ := strings.Cut(m.(string), "/")
				names[m.(string)] = system + "'s of " + first
			}
		}
	}
	lines := make([]string, 0, len(list))
	for _, g := range list {
		b, err := json.Marshal(renamed(g, names))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// renamed puts names for references, and lists that hold some in order.
func renamed(v any, names map[string]string) any {
	switch v := v.(type) {
	case string:
		return cmp.Or(names[v], v)
	case map[string]any:
		for k, e := range v {
			v[k] = renamed(e, names)
		}
	case []any:
		refs := len(v) > 0
		for n, e := range v {
			v[n] = renamed(e, names)
			s, ok := v[n].(string)
			refs = refs && ok && strings.Contains(s, "/")
		}
		if refs {
			slices.SortFunc(v, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		}
	}
	return v
}

// TestTheDemoWithVendorsWritesOnceOnBothDatabases: events, references, creates
// in batches and jobs; a name that is taken is refused and told.
func TestTheDemoWithVendorsWritesOnceOnBothDatabases(t *testing.T) {
	var exports []string
	for _, engine := range []string{"sqlite", "postgres"} {
		store := ""
		if engine == "postgres" {
			store = pgtest.DSN(t)
		}
		i := newInstallation(t, demoVendors, store)
		s := i.once(t)
		if s.Golden < 700 || s.Merged < 700 || s.Quarantined == 0 || s.Pushed < 800 || s.Verified < 780 || s.Judged != s.Pushed || s.Waiting != 0 || s.Failed != 2 ||
			s.Events == nil || s.Events.Events != 58 || s.Events.Waiting != 0 {
			t.Errorf("%s: the first pass is %+v with events %+v", engine, s, s.Events)
		}
		o := i.outcome(t)
		if len(o.doubled) > 0 {
			t.Errorf("%s: the systems saw writes twice: %q", engine, o.doubled)
		}
		for _, want := range []string{"associatedcompanyid", "organization_id"} {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(o.standing)), func(k string) bool { return strings.HasSuffix(k, want) }) {
				t.Errorf("%s: nothing refers to a company by %s", engine, want)
			}
		}
		exports = append(exports, o.export) // which number a system gave to what was created is its own affair
		i.verify(t)
	}
	if exports[0] != exports[1] {
		t.Errorf("the canonical exports of SQLite and PostgreSQL differ:\n%s", firstDifference(exports[0], exports[1]))
	}
}

// TestTheDemoWithVendorsKilledAtAnyMomentEndsTheSame is the same for batches,
// jobs, references and events as TestKilledAtAnyMomentItEndsTheSame for plain
// writes.
func TestTheDemoWithVendorsKilledAtAnyMomentEndsTheSame(t *testing.T) {
	kills := killsWanted(t, 4)
	alone := newInstallation(t, demoVendors, "")
	alone.once(t)
	if s := alone.once(t); s.Stored != 0 || s.Planned != 0 || s.Quarantined != 0 || s.Events.Stored != 0 {
		t.Errorf("a second pass stored %d and %d events, quarantined %d and planned %d, want nothing", s.Stored, s.Events.Stored, s.Quarantined, s.Planned)
	}
	want := alone.outcome(t)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			fresh := func() installation {
				store := ""
				if engine == "postgres" {
					store = pgtest.DSN(t)
				}
				return newInstallation(t, demoVendors, store)
			}
			ends := func(i installation) {
				i.settled(t)
				got := i.outcome(t)
				if got.export != want.export {
					t.Errorf("the canonical export differs from the run that was left alone:\n%s", firstDifference(want.export, got.export))
				}
				if diff := gocmp.Diff(want.standing, got.standing); diff != "" || got.creates != want.creates || len(got.doubled) > 0 {
					t.Errorf("%d creates, want %d; made twice: %q; what stands in the systems (-left alone +killed):\n%s", got.creates, want.creates, got.doubled, diff)
				}
				t.Logf("%d creates and %d updates were applied, %d and %d in the run that was left alone", got.creates, got.updates, want.creates, want.updates)
			}
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 1))
			i := fresh()
			for killed, whole := 0, 0; killed < kills; {
				if i.killAfter(t, time.Duration(50+r.IntN(1500))*time.Millisecond) {
					killed++
					continue
				}
				if whole++; whole > 1 { // it had nothing left to do: begin with fresh systems
					ends(i)
					i, whole = fresh(), 0
				}
			}
			ends(i)
			i.verify(t)
		})
	}
}
