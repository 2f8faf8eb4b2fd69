package app

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/store"
)

// decision is a decision made for a test, its error checked.
func (w *world) decision(d Decided, err error) string {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return d.Decision
}

var ann = By{Who: "ann", Why: "looked at both"}

// apart are two firms of the desk that nothing ties together, and one of the
// CRM that is the first of them.
func apart(t *testing.T, dsn string) (w *world, desk *simulated) {
	t.Helper()
	w = apartUnopened(t, dsn)
	w.open()
	w.clean()
	return w, w.systems["desk"]
}

func apartUnopened(t *testing.T, dsn string) *world {
	t.Helper()
	w, _, _ := two(t, dsn,
		[]string{acme("c1", "2", `,"phone":"+44 113 496 0001","email":"info@acmetools.example"`)},
		[]string{
			acme("o1", "1", `,"phone":"+44 113 496 0777"`),
			`{"id":"o2","updated_at":"2026-01-01T00:00:00Z","name":"Zenith Bakery","city":"York","country":"GB","phone":"+44 1904 496 002","website":"zenith.example"}`,
		})
	return w
}

// TestMergeThenSplitRestoresBothObjects: a person unites two firms that nothing
// ties together, what follows is pushed, then they are parted again.
func TestMergeThenSplitRestoresBothObjects(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := apart(t, dsn)
		before := w.canonical()
		zenith, founder := w.golden("desk/company/o2").ID, w.golden("crm/company/c1").ID
		desk.want("o2", "phone", "+44 1904 496 002")

		merge := w.decision(w.app.Merge(t.Context(), "desk:o2", "crm/company/c1", ann))
		w.clean()
		if got, want := w.members("desk/company/o2"), "crm/company/c1 desk/company/o1 desk/company/o2"; got != want {
			t.Fatalf("members after the merge %q, want %q", got, want)
		}
		desk.want("o2", "phone", "+44 113 496 0001")
		desk.want("o2", "email", "info@acmetools.example")
		if g := w.golden(zenith); !g.Moved || g.ID != founder {
			t.Errorf("the merged id answers %s, moved %v; want %s, moved", g.ID, g.Moved, founder)
		}
		w.end()
		again, err := w.app.Merge(t.Context(), "crm/company/c1", zenith, ann)
		if err != nil || !again.Existing || again.Decision != merge {
			t.Errorf("the same merge again: %+v, %v; want the one that stands, %s", again, err, merge)
		}

		var no *store.Contradiction
		_, err = w.app.Split(t.Context(), []string{"desk/company/o2"}, founder, ann)
		if !errors.As(err, &no) || len(no.Earlier) != 1 || no.Earlier[0].ID != merge {
			t.Fatalf("a split against the merge: %v, want it refused with the name of %s", err, merge)
		}
		split, err := w.app.Split(t.Context(), []string{"desk/company/o2"}, founder, By{Who: "bob", Over: true})
		if err != nil || !slices.Equal(split.Withdrew, []string{merge}) {
			t.Fatalf("split over the merge: %+v, %v; want %s withdrawn", split, err, merge)
		}
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		desk.want("o2", "phone", "+44 1904 496 002")
		desk.want("o2", "email", nil)
		desk.want("o2", "website", "zenith.example")
		if got := w.golden("desk/company/o2").ID; got != zenith {
			t.Errorf("after the split o2 has the id %s, want its own %s back", got, zenith)
		}
		if got := w.canonical(); got != before {
			t.Errorf("after merge and split the canonical export differs:\n%s\nbefore:\n%s", got, before)
		}
		w.end()

		// The undo of the split brings the merge back; its undo parts them again.
		undo := w.decision(w.app.Undo(t.Context(), split.Decision, ann))
		w.clean()
		if got := w.members("desk/company/o2"); !strings.Contains(got, "crm/company/c1") {
			t.Errorf("members after the undo %q, want them united", got)
		}
		desk.want("o2", "phone", "+44 113 496 0001")
		w.end()
		w.decision(w.app.Undo(t.Context(), undo, ann))
		w.clean()
		desk.want("o2", "phone", "+44 1904 496 002")
		w.end()
		w.wantStates("merge withdrawn", "split in force", "undo undone", "undo in force")
	})
}

// canonical is the canonical export.
func (w *world) canonical() string {
	w.Helper()
	var b strings.Builder
	if err := w.app.ExportCanonical(w.Context(), &b); err != nil {
		w.Fatal(err)
	}
	return b.String()
}

func (w *world) wantStates(want ...string) {
	w.Helper()
	list, err := w.app.Decisions(w.Context(), "", 0, 100)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, d := range list {
		got = append(got, d.Kind+" "+d.State)
	}
	if !slices.Equal(got, want) {
		w.Errorf("decisions %q, want %q", got, want)
	}
}

// TestPinWinsUntilItExpires: by a clock fact, so that a rebuild needs no clock.
func TestPinWinsUntilItExpires(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := apart(t, dsn)
		before := w.canonical()
		until := w.clock.Now().Add(48 * time.Hour)
		pin := w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "crm/company/c1", Field: "phone", Value: "+44 113 496 0999", Until: until}, ann))
		w.clean()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0999")
		desk.want("o1", "phone", "+44 113 496 0999")
		w.systems["crm"].edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0999") // a pin survives what the source says
		var no *store.Contradiction
		if _, err := w.app.Pin(t.Context(), PinRequest{Golden: "crm/company/c1", Field: "phones", Value: "+44 113 496 0111"}, ann); !errors.As(err, &no) || no.Earlier[0].ID != pin {
			t.Errorf("another pin on the field: %v, want it refused with the name of %s", err, pin)
		}
		w.end()
		w.sleep(49 * time.Hour)
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0002")
		w.end()
		w.systems["crm"].edit("c1", map[string]any{"phone": "+44 113 496 0001"})
		w.clean()
		if got := w.canonical(); got != before {
			t.Errorf("after the pin's end the canonical export differs:\n%s\nbefore:\n%s", got, before)
		}
		w.wantStates("pin expired", "expiry in force")
		if _, err := w.app.Undo(t.Context(), pin, ann); err == nil {
			t.Error("an expired pin was undone")
		}
		// unpin, and its undo.
		w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "crm/company/c1", Field: "industry", Value: "tools"}, ann))
		unpin := w.decision(w.app.Unpin(t.Context(), "crm/company/c1", "industry", ann))
		w.clean()
		w.wantValue("crm/company/c1", "industry", "")
		w.decision(w.app.Undo(t.Context(), unpin, ann))
		w.clean()
		w.wantValue("crm/company/c1", "industry", "tools")
		w.end()
	})
}
