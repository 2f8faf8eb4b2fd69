package app

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// TestEditBetweenPlanAndPush: somebody changes the object after the write was
// planned and before it is sent; with etags the system says so, without them
// the object is read before the write.
func TestEditBetweenPlanAndPush(t *testing.T) {
	for _, c := range []class{everything, {etag: true}, {search: true}, {}} {
		t.Run(fmt.Sprintf("same field/%+v", c), func(t *testing.T) {
			t.Parallel()
			w, _, desk := updateWorld(t, c)
			w.open()
			w.plan()
			desk.edit("o1", map[string]any{"phone": "+44 113 496 0003"})
			w.clean()
			w.later(10 * time.Minute)
			desk.want("o1", "phone", "+44 113 496 0003")
			w.wantValue("crm/company/c1", "phones", "+44 113 496 0003")
			if got := desk.changes(); len(got) > 0 {
				t.Errorf("our writes changed %q, want nothing: the person's value is newer", got)
			}
			if got := w.states("desk"); got != "superseded 1" {
				t.Errorf("rows: %s, want superseded 1", got)
			}
			w.end()
		})
		t.Run(fmt.Sprintf("another field/%+v", c), func(t *testing.T) {
			t.Parallel()
			w, _, desk := updateWorld(t, c)
			w.open()
			w.plan()
			desk.edit("o1", map[string]any{"industry": "tools"})
			w.clean()
			w.later(10 * time.Minute)
			desk.want("o1", "phone", "+44 113 496 0001")
			desk.want("o1", "industry", "tools")
			w.wantValue("crm/company/c1", "industry", "tools")
			if got, want := desk.changes(), []string{"o1 phone: <nil> → +44 113 496 0001"}; !slices.Equal(got, want) {
				t.Errorf("our writes changed %q, want %q", got, want)
			}
			w.end()
		})
	}
}

// TestEditThatLosesIsOverwrittenAndKept: survivorship decides also when the person's edit of an
// owned field is not what wins: it stays known as a loser.
func TestEditThatLosesIsOverwrittenAndKept(t *testing.T) {
	t.Parallel()
	w, _, desk := updateWorld(t, everything)
	w.yaml = strings.Replace(w.yaml, "phones: [most_recent]", "phones: [source_rank]", 1)
	w.open()
	w.plan()
	desk.edit("o1", map[string]any{"phone": "+44 113 496 0003"})
	w.clean()
	desk.want("o1", "phone", "+44 113 496 0001")
	p := w.golden("crm/company/c1").Provenance["phones"]
	if len(p.Losers) != 1 || firstValue(p.Losers[0].Value) != "+44 113 496 0003" || p.Losers[0].From != "desk/company/o1" {
		t.Errorf("losers %+v, want the person's phone", p.Losers)
	}
	w.end()
}

func TestTargetThatNormalisesIsWrittenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		crm := w.start(everything.profile("crm"), acme("c1", "2", `,"phone":"+44 113 496 0001"`))
		p := everything.profile("desk")
		p.Normalise = true
		desk := w.start(p, acme("o1", "1", ""))
		w.yaml = "sources:" + everything.source("crm", crm.url) + everything.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
		w.open()
		s := w.clean()
		if s.Pushed != 1 || s.Verified != 0 {
			t.Errorf("pushed %d, verified %d, want 1 and 0: what stands there is not what was sent", s.Pushed, s.Verified)
		}
		desk.want("o1", "phone", "00441134960001")
		w.later(time.Hour)
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0001")
		if n := len(desk.applied("api")); n != 1 {
			t.Errorf("written %d times, want once", n)
		}
		if got := features(t, w, "desk/company/o1", "phones"); got != nil {
			t.Errorf("the desk claims %s for its own, want none: it is what it made of ours", got)
		}
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		w.clean()
		desk.want("o1", "phone", "00441134960002")
		w.end()
	})
}

// TestOwnFormOfAWriteWhoseAnswerWasLost: the target makes nothing of a phone that is no
// number, and the process stops before the answer comes. Where another field of the same
// write stands there the write has arrived, and is not sent again; where nothing tells,
// it is. What a person put there meanwhile counts either way.
func TestOwnFormOfAWriteWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	const mail, edit = "info@acmetools.example", "00441134960003"
	for _, c := range []class{everything, {}} {
		for _, stood := range []string{"", "+44 113 496 0009"} {
			for _, tt := range []struct {
				also, then string
				writes     int
			}{{mail, "", 1}, {mail, edit, 1}, {"", "", 2}, {"", edit, 1}} {
				t.Run(fmt.Sprintf("%+v/stood %q/with %q/then %q", c, stood, tt.also, tt.then), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, "")
					crm := w.start(everything.profile("crm"), acme("c1", "2", fmt.Sprintf(`,"phone":"see letterhead","email":%q`, tt.also)))
					p := c.profile("desk")
					p.Normalise = true
					desk := w.start(p, acme("o1", "1", fmt.Sprintf(`,"phone":%q`, stood)))
					w.yaml = "sources:" + everything.source("crm", crm.url) + c.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
					w.open()
					desk.faults(simulator.Fault{Kind: simulator.ApplyThenTimeout, Next: 1, On: "write", Writes: 1000})
					w.pass()
					desk.want("o1", "phone", "")
					if tt.then != "" {
						desk.edit("o1", map[string]any{"phone": tt.then})
					}
					w.restart("")
					w.later(30 * time.Minute)
					desk.want("o1", "phone", tt.then)
					w.wantValue("crm/company/c1", "phones", cmp.Or(tt.then, "see letterhead"))
					if c.idempotency && stood == "" {
						tt.writes = 1 // the same request again is known by its key
					}
					if n := len(desk.applied("api")); n != tt.writes {
						t.Errorf("written %d times, want %d: %q, %s", n, tt.writes, desk.changes(), w.states("desk"))
					}
					w.end()
				})
			}
		}
	}
}

// TestTargetThatIgnoresWrites: it answers 200 and writes nothing.
func TestTargetThatIgnoresWrites(t *testing.T) {
	t.Run("200 with the object as it was", func(t *testing.T) {
		t.Parallel()
		w, _, desk := updateWorld(t, everything)
		sent := 0
		desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPatch {
				sent++
				_, _ = rw.Write([]byte(`{"id":"o1","name":"Acme Tools Ltd","etag":"v1"}`))
				return true
			}
			return false
		}
		w.open()
		s := w.clean()
		if s.Verified != 0 {
			t.Errorf("verified %d, want 0", s.Verified)
		}
		w.later(time.Hour)
		if sent != 1 {
			t.Errorf("sent %d times, want once", sent)
		}
		for _, r := range w.rows("desk", store.Delivered) {
			if r.Verified {
				t.Errorf("row %s is called verified", r.ID)
			}
		}
		w.end()
	})
	t.Run("200 with an error body", func(t *testing.T) {
		t.Parallel()
		w, _, desk := updateWorld(t, everything)
		w.open()
		desk.faults(simulator.Fault{Kind: simulator.ErrorBody, Every: 1, On: "write"})
		w.pass()
		w.later(4 * time.Hour)
		if got := w.states("desk"); strings.Contains(got, "delivered") {
			t.Errorf("rows: %s, want none delivered", got)
		}
		if n := desk.served("PATCH"); n < 1 || n > maxSends {
			t.Errorf("sent %d times in four hours, want 1 to %d", n, maxSends)
		}
		desk.want("o1", "phone", nil)
		w.end()
	})
}

// maxSends is how often one row may be sent before it is given up.
const maxSends = 13

func TestRejectedRowIsNotRetriedAndOthersGoOn(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		crm := w.start(everything.profile("crm"),
			acme("c1", "2", `,"phone":"+44 113 496 0001"`),
			`{"id":"c2","updated_at":"2026-01-02T00:00:00Z","name":"Zenith Bakery","website":"zenith.example","city":"York","country":"GB","phone":"+44 1904 555 010","industry":"food"}`)
		desk := w.start(everything.profile("desk"), acme("o1", "1", ""),
			`{"id":"o2","updated_at":"2026-01-01T00:00:00Z","name":"Zenith Bakery","website":"zenith.example","city":"York","country":"GB"}`)
		w.yaml = "sources:" + everything.source("crm", crm.url) + everything.source("desk", desk.url) + "\n" + survive + `targets:
  desk:
    entity: company
    owns: [phone, employees]
    map: {phone: 'golden.phones[0].value', employees: 'golden.industry'}
    brake: 100%
    approve: auto`
		w.open()
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		desk.want("o2", "phone", nil)
		if got := w.states("desk"); got != "delivered 1, rejected 1" {
			t.Errorf("rows: %s, want delivered 1, rejected 1", got)
		}
		sent := desk.served("PATCH")
		w.later(2 * time.Hour)
		if n := desk.served("PATCH") - sent; n != 0 {
			t.Errorf("the rejected write was sent %d more times with nothing changed", n)
		}
		crm.edit("c2", map[string]any{"industry": nil})
		w.clean()
		desk.want("o2", "phone", "+44 1904 555 010")
		w.end()
	})
}

func TestRetryAtTheRightTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		kind  simulator.FaultKind
		after string
		early time.Duration // nothing is sent before
		late  time.Duration // by then it is written
	}{
		{"429 with seconds", simulator.TooMany, "120", 118 * time.Second, 125 * time.Second},
		{"429 with a date", simulator.TooMany, "date:120", 117 * time.Second, 125 * time.Second},
		{"429 with nothing", simulator.TooMany, "", time.Second, 10 * time.Second},
		{"503 with seconds", simulator.Unavailable, "120", 118 * time.Second, 125 * time.Second},
		{"503 with nothing", simulator.Unavailable, "", time.Second, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			crm := w.start(everything.profile("crm"), acme("c1", "2", `,"phone":"+44 113 496 0001"`))
			p := everything.profile("desk")
			p.Clock = env.Real().Clock // a date in Retry-After goes with the answer's own Date
			desk := w.start(p, acme("o1", "1", ""))
			w.yaml = "sources:" + everything.source("crm", crm.url) + everything.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
			w.open()
			desk.faults(simulator.Fault{Kind: tt.kind, Next: 1, On: "write", RetryAfter: tt.after})
			w.pass()
			w.sleep(tt.early)
			w.pass()
			if n := desk.served("PATCH"); n != 1 {
				t.Errorf("%s after the answer it has been sent %d times, want once", tt.early, n)
			}
			w.sleep(tt.late - tt.early)
			w.pass()
			if n := desk.served("PATCH"); n != 2 {
				t.Errorf("%s after the answer it has been sent %d times, want twice", tt.late, n)
			}
			if got, want := desk.changes(), []string{"o1 phone: <nil> → +44 113 496 0001"}; !slices.Equal(got, want) {
				t.Errorf("writes %q, want %q", got, want)
			}
			w.end()
		})
	}
}
