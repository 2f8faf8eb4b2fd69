package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"touchstone/internal/store"
)

// shown is a plan as lines: op, object, field, old → new.
func (w *world) shown(target string) (held string, lines []string) {
	w.Helper()
	plans, err := w.app.Plan(w.Context(), target, store.Pending, 100)
	if err != nil || len(plans) != 1 {
		w.Fatalf("plan of %s: %+v, %v", target, plans, err)
	}
	for _, p := range plans[0].Writes {
		for _, f := range p.Fields {
			lines = append(lines, fmt.Sprintf("%s %s %s: %s → %s", p.Op, p.ExternalID, f.Path, f.Old, f.New))
		}
	}
	return plans[0].Held, lines
}

func (w *world) approve(target string) {
	w.Helper()
	if err := w.app.Approve(w.Context(), target, "admin", "looked at it"); err != nil {
		w.Fatal(err)
	}
}

func TestFirstPlanWaitsForAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn,
			[]string{acme("c1", "2", `,"phone":"+44 113 496 0001","email":"info@acmetools.example"`)},
			[]string{acme("o1", "1", `,"phone":"0113 999"`)})
		w.yaml = strings.Replace(w.yaml, "approve: auto", "approve: person", 1)
		w.open()
		for range 2 {
			s := w.clean()
			if len(s.Held) != 1 || !strings.HasPrefix(s.Held[0], "desk: 1 writes wait: the first plan") || s.Pushed != 0 {
				t.Errorf("held %q, pushed %d; want the first plan held and nothing pushed", s.Held, s.Pushed)
			}
		}
		want := []string{
			`update o1 email: null → "info@acmetools.example"`,
			`update o1 phone: "0113 999" → "+44 113 496 0001"`,
		}
		held, lines := w.shown("desk")
		if diff := cmp.Diff(want, lines); diff != "" || held == "" {
			t.Errorf("the plan is held for %q; (-want +shown):\n%s", held, diff)
		}
		if n := len(desk.applied("api")); n != 0 {
			t.Errorf("%d writes before the approval", n)
		}
		w.approve("desk")
		s := w.clean()
		if s.Pushed != 1 || s.Verified != 1 || len(s.Held) != 0 {
			t.Errorf("after the approval pushed %d, verified %d, held %q; want 1, 1, none", s.Pushed, s.Verified, s.Held)
		}
		wrote := []string{"o1 email: <nil> → info@acmetools.example", "o1 phone: 0113 999 → +44 113 496 0001"}
		if got := desk.changes(); !slices.Equal(got, wrote) {
			t.Errorf("written %q, want exactly the plan %q", got, wrote)
		}
		// Later changes under the same rules need nobody.
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0002")
		// Another mapping does.
		w.restart(strings.Replace(w.yaml, "website: 'golden.website'", "website: '\"https://\" + golden.website'", 1))
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0003"})
		s = w.clean()
		if len(s.Held) != 1 || s.Pushed != 0 {
			t.Errorf("after the mapping changed: held %q, pushed %d; want held and nothing pushed", s.Held, s.Pushed)
		}
		w.approve("desk")
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0003")
		desk.want("o1", "website", "https://acmetools.example")
		w.end()
	})
}

// TestPlanThatNoLongerHoldsIsPlannedAgain: between showing and approving the
// object changes.
func TestPlanThatNoLongerHoldsIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w, _, desk := two(t, "", []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
	w.yaml = strings.Replace(w.yaml, "approve: auto", "approve: person", 1)
	w.open()
	w.clean()
	desk.edit("o1", map[string]any{"phone": "+44 113 496 0009"})
	w.approve("desk")
	w.clean()
	desk.want("o1", "phone", "+44 113 496 0009")
	if got := desk.changes(); len(got) > 0 {
		t.Errorf("written %q, want nothing", got)
	}
	w.end()
}

func TestBrakeHoldsAPlanThatTouchesTooMuch(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		var rows, held []string
		for i := range 30 {
			rows = append(rows, fmt.Sprintf(`{"id":"c%d","updated_at":"2026-01-02T00:00:00Z","name":"Firm %c%c%c Ltd","website":"firm%d.example","phone":"+44 20 7946 1%03d"}`, i+1, 'A'+i%26, 'a'+i*7%26, 'a'+i*3%26, i, i))
			held = append(held, fmt.Sprintf(`{"id":"o%d","updated_at":"2026-01-01T00:00:00Z","name":"Firm %c%c%c Ltd","website":"firm%d.example","phone":"+44 20 7946 1%03d"}`, i+1, 'A'+i%26, 'a'+i*7%26, 'a'+i*3%26, i, i))
		}
		crm, desk := w.start(everything.profile("crm"), rows...), w.start(everything.profile("desk"), held...)
		w.yaml = "sources:" + everything.source("crm", crm.url) + everything.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
		w.yaml = strings.Replace(w.yaml, "brake: 100%", "brake: 10%", 1)
		w.open()
		w.clean()
		edit := func(n int, suffix string) {
			for i := range n {
				crm.edit(fmt.Sprintf("c%d", i+1), map[string]any{"phone": fmt.Sprintf("+44 20 7946 2%03d%s", i, suffix)})
			}
		}
		edit(3, "1") // 10 % of 30
		s := w.clean()
		if s.Pushed != 3 || len(s.Held) != 0 {
			t.Errorf("3 of 30: pushed %d, held %q; want 3 and none", s.Pushed, s.Held)
		}
		edit(4, "2")
		s = w.clean()
		if s.Pushed != 0 || len(s.Held) != 1 || !strings.Contains(s.Held[0], "more than 10% of the system's 30 records") {
			t.Errorf("4 of 30: pushed %d, held %q; want 0 and the brake", s.Pushed, s.Held)
		}
		if n := len(w.rows("desk", store.Pending)); n != 4 {
			t.Errorf("%d rows wait, want 4", n)
		}
		w.approve("desk")
		s = w.clean()
		if s.Pushed != 4 {
			t.Errorf("after the approval pushed %d, want 4", s.Pushed)
		}
		w.end()
	})
}

// TestOnlyOwnedFieldsAndKnownValuesAreWritten plays random edits on both sides:
// no write touches a field that is not owned, none writes a value that nobody
// ever set, and after the last edit all comes to rest.
func TestOnlyOwnedFieldsAndKnownValuesAreWritten(t *testing.T) {
	t.Parallel()
	w, crm, desk := two(t, "", nil, nil)
	w.yaml = strings.Replace(w.yaml, contact("desk", "desk", "update_only"), contact("desk", "desk", "update_only")+contact("crm", "crm", "update_only"), 1)
	w.yaml = strings.Replace(w.yaml, "owns: [phone, email, website]\n    map: {name: 'golden.name', phone: 'golden.phones[0].value', email: 'golden.emails[0].value', website: 'golden.website'}",
		"owns: [phone, website]\n    map: {name: 'golden.name', phone: 'golden.phones[0].value', email: 'golden.emails[0].value', website: 'golden.website'}", 1)
	w.open()
	w.clean()
	owned := map[string][]string{"desk": {"phone", "website"}, "crm": {"phone", "email", "website"}}
	firm := 0
	rapid.Check(t, func(r *rapid.T) {
		firm++
		name := fmt.Sprintf("%s %s Ltd", strings.Repeat(string(rune('a'+firm%26)), 3)+"orp", strings.Repeat(string(rune('a'+firm/26%26)), 3)+"ick")
		tax := fmt.Sprintf("R%07d", firm)
		values := map[string][]any{
			"phone":    {nil, fmt.Sprintf("+44 20 7946 %04d", firm), fmt.Sprintf("+44 113 496 %04d", firm), ""},
			"email":    {nil, fmt.Sprintf("a%d@firm%d.example", firm, firm), fmt.Sprintf("b%d@firm%d.example", firm, firm)},
			"website":  {nil, fmt.Sprintf("firm%d.example", firm), fmt.Sprintf("www.firm%d.example/x", firm)},
			"industry": {nil, "tools", "books"},
		}
		fields := []string{"email", "industry", "phone", "website"}
		known := map[string]bool{}
		ids := map[*simulated]string{}
		draw := func(s *simulated, into map[string]any, field string) {
			v := rapid.SampledFrom(values[field]).Draw(r, field)
			into[field] = v
			known[fmt.Sprintf("%s=%v", field, v)] = true
		}
		for _, s := range []*simulated{crm, desk} {
			o := map[string]any{"name": name, "registration_no": tax}
			for _, f := range fields {
				draw(s, o, f)
			}
			ids[s] = s.edit("", o)
		}
		from := map[*simulated]int{crm: len(crm.applied("api")), desk: len(desk.applied("api"))}
		for range rapid.IntRange(1, 5).Draw(r, "steps") {
			switch rapid.IntRange(0, 4).Draw(r, "step") {
			case 0:
				w.plan()
			case 1, 2:
				w.clean()
			default:
				s := rapid.SampledFrom([]*simulated{crm, desk}).Draw(r, "system")
				o := map[string]any{}
				draw(s, o, rapid.SampledFrom(fields).Draw(r, "field"))
				s.edit(ids[s], o)
			}
		}
		w.clean()
		for name, s := range map[string]*simulated{"crm": crm, "desk": desk} {
			for _, a := range s.applied("api")[from[s]:] {
				for field, c := range a.Fields {
					if !slices.Contains(owned[name], field) {
						r.Fatalf("%s %s: %s was written and is not ours: %v → %v", name, a.ID, field, c.Old, c.New)
					}
					if c.New != nil && !known[fmt.Sprintf("%s=%v", field, c.New)] {
						r.Fatalf("%s %s: %s was written as %v, which nobody ever set", name, a.ID, field, c.New)
					}
				}
			}
		}
		before := w.written()
		w.clean()
		if n := w.written() - before; n != 0 {
			r.Fatalf("%d writes without anything new", n)
		}
	})
	if n := len(crm.changes()) + len(desk.changes()); n < 50 {
		t.Errorf("only %d values were written: too few to show anything", n)
	}
	w.end()
}
