package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/simulator"
)

// promised are the classes of the reliability page, by their letter there.
func promised() []struct {
	name string
	class
} {
	return []struct {
		name string
		class
	}{
		{"A idempotency key", class{idempotency: true}},
		{"B unique key", class{unique: true}},
		{"B unique key, found by it", class{unique: true, search: true}},
		{"C etag", class{etag: true}},
		{"D searchable", class{search: true}},
		{"E nothing", class{}},
		{"all", everything},
	}
}

var ambiguous = []simulator.FaultKind{
	simulator.ApplyThenTimeout, simulator.ApplyThen500, simulator.CutBody, simulator.Duplicate, simulator.Zombie,
}

// served counts the writes that reached the system.
func (s *simulated) served(method string) (n int) {
	for k, v := range s.sys.Stats().Served {
		if strings.HasPrefix(k, method+" ") {
			n += v
		}
	}
	return n
}

// TestAmbiguousCreates: what became of a create is unknown, for every fault and
// every class.
func TestAmbiguousCreates(t *testing.T) {
	t.Parallel()
	for _, c := range promised() {
		for _, policy := range []string{"create_only", "upsert"} {
			if policy == "upsert" && !c.unique {
				continue // an upsert by a key that is not unique is a mistake of the configuration
			}
			for _, kind := range ambiguous {
				t.Run(fmt.Sprintf("%s/%s/%s", c.name, policy, kind), func(t *testing.T) {
					t.Parallel()
					w, desk := upsertWorld(t, "", c.class)
					w.yaml = strings.Replace(w.yaml, "policy: upsert", "policy: "+policy, 1)
					w.open()
					desk.faults(simulator.Fault{Kind: kind, Next: 1, On: "write", Writes: 1000})
					w.pass()
					if kind == simulator.Zombie {
						if got := w.states("desk"); got != "unknown 1" {
							t.Errorf("rows while the request is on its way: %s, want unknown 1", got)
						}
					}
					desk.sys.Flush() // the zombie lands, within the longest life of a request
					w.later(30 * time.Minute)
					want := 1
					if kind == simulator.Duplicate && !c.idempotency && !c.unique {
						want = 2 // the network repeated the request; we did not
					}
					if n := len(desk.objects()); n != want {
						t.Errorf("%d objects, want %d; log %+v", n, want, desk.applied("api"))
					}
					if sent := desk.served("POST") + desk.served("PUT"); want == 2 && sent != 1 {
						t.Errorf("the create was sent %d times, want once", sent)
					}
					if got := w.states("desk"); got != "delivered 1" {
						t.Errorf("rows at the end: %s, want delivered 1\n%s", got, w.log)
					}
					for id := range desk.objects() {
						desk.want(id, "phone", "+44 113 496 0001")
					}
					w.end()
				})
			}
		}
	}
}

// TestZombieCreateNeverSilentlyDoubles: the request outlives everything the
// class can promise.
func TestZombieCreateNeverSilentlyDoubles(t *testing.T) {
	t.Parallel()
	for _, c := range promised() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, desk := upsertWorld(t, "", c.class)
			w.yaml = strings.Replace(w.yaml, "policy: upsert", "policy: create_only", 1)
			w.open()
			desk.faults(simulator.Fault{Kind: simulator.Zombie, Next: 1, On: "write", Writes: 1000})
			w.pass()
			w.later(30 * time.Minute)
			certain := c.idempotency || c.unique
			if got, want := w.states("desk"), map[bool]string{true: "delivered 1", false: "conflict 1"}[certain || c.search]; got != want {
				t.Errorf("rows: %s, want %s\n%s", got, want, w.log)
			}
			desk.sys.Flush()
			w.later(30 * time.Minute)
			want := 1
			if c.search && !certain {
				want = 2 // the request outlived the life that the configuration gave it
			}
			if n := len(desk.objects()); n != want {
				t.Errorf("%d objects, want %d", n, want)
			}
			if got := w.states("desk"); got != "delivered 1" {
				t.Errorf("rows after the request landed at last: %s, want delivered 1", got)
			}
			if want == 1 {
				id := slices.Collect(maps.Keys(desk.objects()))[0]
				if got, want := w.members("crm/company/c1"), "crm/company/c1 desk/company/"+id; got != want {
					t.Errorf("members %q, want %q", got, want)
				}
			}
			w.end()
		})
	}
}

// updateWorld has a desk whose one company lacks a phone.
func updateWorld(t *testing.T, c class) (w *world, crm, desk *simulated) {
	t.Helper()
	w = newWorld(t, "")
	crm = w.start(everything.profile("crm"), acme("c1", "2", `,"phone":"+44 113 496 0001"`))
	desk = w.start(c.profile("desk"), acme("o1", "1", ""))
	w.yaml = "sources:" + everything.source("crm", crm.url) + c.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
	return w, crm, desk
}

func TestAmbiguousUpdates(t *testing.T) {
	t.Parallel()
	for _, c := range promised() {
		for _, kind := range ambiguous {
			for _, then := range []string{"nothing", "a newer value", "a person's edit"} {
				switch {
				case then != "nothing" && kind != simulator.ApplyThenTimeout && kind != simulator.Zombie:
					continue // to us these are one with a timeout
				case then == "a person's edit" && kind == simulator.Zombie && !c.etag:
					continue // without a precondition it may land over what was edited meanwhile: the stated window
				}
				t.Run(fmt.Sprintf("%s/%s/then %s", c.name, kind, then), func(t *testing.T) {
					t.Parallel()
					w, crm, desk := updateWorld(t, c.class)
					w.open()
					desk.faults(simulator.Fault{Kind: kind, Next: 1, On: "write", Writes: 1000})
					w.pass()
					want := "+44 113 496 0001"
					switch then {
					case "a newer value":
						want = "+44 113 496 0002"
						crm.edit("c1", map[string]any{"phone": want})
					case "a person's edit":
						want = "+44 113 496 0003"
						desk.edit("o1", map[string]any{"phone": want})
					}
					w.pass()         // the answer is still not known
					desk.sys.Flush() // lands within the longest life of a request
					w.later(30 * time.Minute)
					desk.want("o1", "phone", want)
					w.wantValue("crm/company/c1", "phones", want)
					changes := 1
					if then == "a newer value" {
						changes = 2
					}
					if got := desk.changes(); len(got) > changes {
						t.Errorf("our writes changed %q, want at most %d", got, changes)
					}
					if got := w.states("desk"); strings.Contains(got, "unknown") || strings.Contains(got, "pending") || strings.Contains(got, "inflight") {
						t.Errorf("rows at the end: %s, want all settled", got)
					}
					w.end()
				})
			}
		}
	}
}

// TestEditAfterALostCreateIsKept: a person works on the new object before we
// know that it is there.
func TestEditAfterALostCreateIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range promised() {
		for _, policy := range []string{"create_only", "upsert"} {
			if policy == "upsert" && !c.unique {
				continue
			}
			t.Run(c.name+"/"+policy, func(t *testing.T) {
				t.Parallel()
				w, desk := upsertWorld(t, "", c.class)
				w.yaml = strings.Replace(w.yaml, "policy: upsert", "policy: "+policy, 1)
				w.open()
				desk.faults(simulator.Fault{Kind: simulator.ApplyThenTimeout, Next: 1, On: "write"})
				w.pass()
				ids := slices.Collect(maps.Keys(desk.objects()))
				if len(ids) != 1 {
					t.Fatalf("objects %v, want one", ids)
				}
				desk.edit(ids[0], map[string]any{"phone": "+44 113 496 0003", "name": "Acme Tools"})
				w.later(30 * time.Minute)
				desk.want(ids[0], "phone", "+44 113 496 0003")
				desk.want(ids[0], "name", "Acme Tools")
				w.wantValue("crm/company/c1", "phones", "+44 113 496 0003")
				if got, want := w.members("crm/company/c1"), "crm/company/c1 desk/company/"+ids[0]; got != want {
					t.Errorf("members %q, want %q", got, want)
				}
				if n := len(desk.objects()); n != 1 || desk.created() != 1 {
					t.Errorf("%d objects, %d created, want one", n, desk.created())
				}
				w.end()
			})
		}
	}
}
