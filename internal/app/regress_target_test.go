package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/store"
)

// TestRowsOutliveWeeksOfRefusedCredentials: a target that lets nobody in is no
// fault of its rows, however long and often they are tried.
func TestRowsOutliveWeeksOfRefusedCredentials(t *testing.T) {
	const secret = "wrong-secret-789"
	wrote := []string{"o1 phone: <nil> → +44 113 496 0001"}
	for _, c := range []class{everything, {etag: true}, {}} {
		check := func(t *testing.T, w *world, desk *simulated) {
			t.Helper()
			for i := range 60 { // 15 days
				w.sleep(6 * time.Hour)
				s := w.pass()
				named := slices.ContainsFunc(s.Problems, func(p string) bool {
					return strings.HasPrefix(p, "target desk: ") && strings.Contains(p, "credentials rejected")
				})
				if !named {
					t.Fatalf("pass %d: problems %q, want one of target desk: credentials rejected", i+1, s.Problems)
				}
				if text := strings.Join(s.Problems, " "); strings.Contains(text, secret) || strings.Contains(text, "token-of-") {
					t.Fatalf("pass %d: a token stands in the problems %q", i+1, s.Problems)
				}
				if got := w.states("desk"); got != "pending 1" {
					t.Fatalf("pass %d: rows %s, want pending 1", i+1, got)
				}
			}
			if strings.Contains(w.log.String(), secret) || strings.Contains(w.log.String(), "token-of-") {
				t.Error("a token stands in the log")
			}
			if n := len(desk.applied("api")); n != 0 {
				t.Errorf("%d writes while nobody was let in", n)
			}
		}
		mended := func(t *testing.T, w *world, desk *simulated) {
			t.Helper()
			w.sleep(time.Hour)
			w.clean()
			if got := w.states("desk"); got != "delivered 1" {
				t.Errorf("rows once we are let in: %s, want delivered 1", got)
			}
			if got := desk.changes(); !slices.Equal(got, wrote) || desk.served("PATCH") == 0 {
				t.Errorf("writes once we are let in: %q, want exactly %q", got, wrote)
			}
			w.end()
			if n := len(desk.applied("api")); n != 1 {
				t.Errorf("written %d times, want once", n)
			}
		}
		t.Run(fmt.Sprintf("wrong token/%+v", c), func(t *testing.T) {
			t.Parallel()
			w, _, desk := updateWorld(t, c)
			w.open()
			w.plan()
			right := w.yaml
			w.restart(strings.Replace(w.yaml, "token-of-desk", secret, 1))
			check(t, w, desk)
			w.restart(right)
			mended(t, w, desk)
		})
		t.Run(fmt.Sprintf("may read and not write/%+v", c), func(t *testing.T) {
			t.Parallel()
			w, _, desk := updateWorld(t, c)
			shut := true
			desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if shut && r.Method == http.MethodPatch {
					rw.WriteHeader(http.StatusUnauthorized)
					_, _ = rw.Write([]byte(`{"error":{"code":"unauthorized","message":"no"}}`))
				}
				return shut && r.Method == http.MethodPatch
			}
			w.open()
			check(t, w, desk)
			shut = false
			mended(t, w, desk)
		})
	}
}

// TestConflictWithoutAChangeThereEndsTheRow: the target answers 409 though
// nothing has changed there. Planning the same again would never end.
func TestConflictWithoutAChangeThereEndsTheRow(t *testing.T) {
	for _, c := range []class{everything, {etag: true}, {search: true}, {}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			t.Parallel()
			w, crm, desk := updateWorld(t, c)
			sent, locked := 0, true
			desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPatch {
					return false
				}
				sent++
				if locked {
					rw.WriteHeader(http.StatusConflict)
					_, _ = rw.Write([]byte(`{"error":{"code":"locked","message":"the account is under review"}}`))
				}
				return locked
			}
			w.open()
			w.pass()
			want := store.Conflicted + " 1"
			if got := w.states("desk"); got != want || sent != 1 {
				t.Errorf("rows after one pass: %s, sent %d times; want %s, sent once", got, sent, want)
			}
			for i := range 12 {
				w.sleep(time.Hour)
				if s := w.pass(); s.Planned != 0 || s.Pushed != 0 {
					t.Errorf("pass %d after the refusal planned %d, pushed %d; want nothing: nothing is new", i+1, s.Planned, s.Pushed)
				}
			}
			if got := w.states("desk"); got != want || sent != 1 {
				t.Errorf("rows after twelve more passes: %s, sent %d times; want %s, sent once", got, sent, want)
			}
			// Something new is tried again.
			locked = false
			crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
			w.clean()
			desk.want("o1", "phone", "+44 113 496 0002")
			w.end()
		})
	}
}

// TestObjectThatCannotBeReadHoldsUpNoOther: without etags every object is read
// before it is written; one answers 500 to that.
func TestObjectThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	for _, broken := range []string{"o1", "o2", "o3"} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			crm := w.start(everything.profile("crm"), six()[:3]...)
			c := class{search: true}
			var held []string
			for i, name := range []string{"Acme Tools", "Zenith Bakery", "Harbour Freight"} {
				held = append(held, fmt.Sprintf(`{"id":"o%d","updated_at":"2026-01-01T00:00:00Z","name":"%s Ltd","website":"site%d.example"}`, i+1, name, i))
			}
			desk := w.start(c.profile("desk"), held...)
			w.yaml = "sources:" + everything.source("crm", crm.url) + c.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
			ill := true
			desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if ill && r.Method == http.MethodGet && r.URL.Path == "/companies/"+broken {
					rw.WriteHeader(http.StatusInternalServerError)
					_, _ = rw.Write([]byte(`{"error":{"code":"internal","message":"oops"}}`))
					return true
				}
				return false
			}
			w.open()
			phones := func(step string) {
				t.Helper()
				for i, id := range []string{"o1", "o2", "o3"} {
					var want any = fmt.Sprintf("+44 20 7946 00%02d", i+11)
					if id == broken && ill {
						want = nil
					}
					if got := desk.objects()[id]["phone"]; got != want {
						t.Errorf("%s: phone of %s = %v, want %v (%s cannot be read: %v)", step, id, got, want, broken, ill)
					}
				}
			}
			w.pass()
			if got, want := w.states("desk"), "pending 1, delivered 2"; got != want {
				t.Errorf("rows: %s, want %s", got, want)
			}
			phones("first pass")
			w.later(2 * time.Hour)
			if got, want := w.states("desk"), "pending 1, delivered 2"; got != want {
				t.Errorf("rows two hours later: %s, want %s", got, want)
			}
			ill = false
			w.later(30 * time.Minute)
			phones("mended")
			if n := len(desk.applied("api")); n != 3 {
				t.Errorf("%d writes, want one for each of the 3 objects", n)
			}
			w.end()
		})
	}
}

// TestMappingThatFailsIsItsTargetsProblemOnly: one target's mapping cannot be
// worked out; the pass goes on, the other target gets everything.
func TestMappingThatFailsIsItsTargetsProblemOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn,
			[]string{six()[0], six()[1]},
			[]string{
				`{"id":"o1","updated_at":"2026-01-01T00:00:00Z","name":"Acme Tools Ltd","website":"site0.example"}`,
				`{"id":"o2","updated_at":"2026-01-01T00:00:00Z","name":"Zenith Bakery Ltd","website":"site1.example"}`,
			})
		bad := `
  crm:
    system: crm
    entity: company
    policy: update_only
    owns: [industry]
    map: {industry: 'golden.name * 2'}
    brake: 100%
    approve: auto`
		w.yaml = strings.Replace(w.yaml, "targets:", "targets:"+bad, 1)
		w.open()
		s := w.pass() // fails the test when Pass gives an error
		if len(s.Problems) != 1 || !strings.HasPrefix(s.Problems[0], "target crm: golden record ") || !strings.Contains(s.Problems[0], "industry") {
			t.Errorf("problems %q, want one of target crm that names the field industry", s.Problems)
		}
		if text := strings.Join(s.Problems, " ") + w.log.String(); strings.Contains(text, "Acme") || strings.Contains(text, "Zenith") {
			t.Errorf("a customer's data stands in the problems or the log: %s", text)
		}
		if s.Golden != 2 || s.Pushed != 2 {
			t.Errorf("golden records %d, pushed %d; want 2 and the desk's 2", s.Golden, s.Pushed)
		}
		desk.want("o1", "phone", "+44 20 7946 0011")
		desk.want("o2", "phone", "+44 20 7946 0012")
		if n := len(crm.applied("api")); n != 0 {
			t.Errorf("%d writes by the target that cannot be mapped, want none", n)
		}
		w.end()
		// Mended, it is planned and written.
		w.restart(strings.Replace(w.yaml, "golden.name * 2", "golden.name", 1))
		w.clean()
		crm.want("c1", "industry", "Acme Tools Ltd")
		crm.want("c2", "industry", "Zenith Bakery Ltd")
		w.end()
	})
}
