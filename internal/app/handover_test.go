package app

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// owned is a world whose CRM says who looks after whom, and whose desk is told.
func owned(t *testing.T, dsn string) (*world, *simulated) {
	t.Helper()
	w, _, desk := two(t, dsn,
		[]string{
			acme("c1", "2", `,"phone":"+44 113 496 0001","owner":"Ann"`),
			`{"id":"c2","name":"Birch Bakery Ltd","phone":"+44 20 7946 0002","website":"birch.example","owner":"Ann","updated_at":"2026-01-02T00:00:00Z"}`,
			`{"id":"c3","name":"Cedar Cars Ltd","phone":"+44 20 7946 0003","website":"cedar.example","owner":"Cy","updated_at":"2026-01-02T00:00:00Z"}`,
		},
		[]string{acme("o1", "1", `,"phone":"0113 999"`), `{"id":"o2","name":"Birch Bakery Ltd","website":"birch.example","updated_at":"2026-01-01T00:00:00Z"}`})
	w.yaml = strings.NewReplacer("website: 'record.website'", "website: 'record.website'\n          owner: 'record.owner'", "owns: [phone", "owns: [industry, phone",
		"website: 'golden.website'}", "website: 'golden.website', industry: golden.owner}", "name: [source_rank]}", "name: [source_rank], owner: [source_rank]}").Replace(w.yaml)
	w.open()
	w.clean()
	return w, desk
}

// TestCustomersArePassedOnAndBack: one decision passes all of one owner's
// customers on, the desk is written, the certificate says so, a person's later
// word on one of them stands, and one undo brings all of it back.
func TestCustomersArePassedOnAndBack(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		w, desk := owned(t, dsn)
		by := web.By{Who: "amy", Why: "Ann has left"}
		o, err := w.app.Owners(ctx, "company")
		if err != nil || len(o.Owners) != 2 || o.Owners[0] != (web.Count{Name: "Ann", N: 2}) {
			t.Fatalf("owners %+v, %v", o, err)
		}
		q := web.HandoverQuery{Entity: "company", From: "Ann", To: "Bob"}
		p, err := w.app.PreviewHandover(ctx, q)
		if err != nil || p.Customers != 2 || len(p.Writes) != 1 || p.Writes[0] != (web.Count{Name: "desk", N: 2}) || len(p.Unwritten) != 0 {
			t.Fatalf("preview %+v, %v", p, err)
		}
		var problem *web.Problem
		if _, err := w.app.HandOver(ctx, q, p.Token, web.By{Who: "amy"}); !errors.As(err, &problem) || problem.Field != "why" {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := w.app.HandOver(ctx, q, "another", by); !errors.As(err, &problem) || problem.Field != "token" {
			t.Errorf("another list than was shown: %v", err)
		}
		id, err := w.app.HandOver(ctx, q, p.Token, by)
		if err != nil {
			t.Fatal(err)
		}
		w.pass()
		desk.want("o1", "industry", "Bob")
		desk.want("o2", "industry", "Bob")
		cert, err := w.app.HandoverPage(ctx, id, "", 1)
		if err != nil || cert.Customers != 2 || cert.Next == "" || len(cert.Parts) != 1 {
			t.Fatalf("certificate %+v, %v", cert, err)
		}
		n := 0
		err = w.app.EachHandedOver(ctx, id, func(_ web.HandoverPage, x web.HandoverPart) error {
			n++
			if x.Before != "Ann" || x.Now != "Bob" || len(x.Writes) != 1 || x.Writes[0] != (web.HandoverWrite{Target: "desk", State: store.Delivered}) {
				t.Errorf("customer %d of the certificate: %+v", n, x)
			}
			return nil
		})
		if err != nil || n != 2 {
			t.Errorf("%d customers on the certificate, %v", n, err)
		}
		pin := PinRequest{Golden: cert.Parts[0].Golden, Field: "owner", Value: "Dee"}
		if _, err := w.app.Pin(ctx, pin, By{Who: "ann", Over: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.app.Unpin(ctx, cert.Parts[0].Golden, "owner", By{Who: "ann"}); err == nil || !strings.Contains(err.Error(), "handed over with others") {
			t.Errorf("taking one customer's pin away: %v", err)
		}
		w.pass()
		if h, err := w.app.Store.Handover(ctx, id); err != nil || h.Withdrawn != "" {
			t.Errorf("a later word on one customer took back all: %+v, %v", h, err)
		}
		left, err := w.app.PreviewHandover(ctx, web.HandoverQuery{Entity: "company", From: "Bob", To: "Eve"})
		if err != nil || left.Customers != 1 {
			t.Errorf("Bob has %d customers, %v; want 1", left.Customers, err)
		}
		w.end()
		if _, err := w.app.Undo(ctx, id, By{Who: "amy"}); err != nil {
			t.Fatal(err)
		}
		w.pass()
		if o, err := w.app.Owners(ctx, "company"); err != nil || len(o.Owners) != 3 || o.Owners[0].N != 1 {
			t.Errorf("owners after the undo %+v, %v: want Ann, Cy and Dee with one each", o.Owners, err)
		}
		w.wantAudited(map[string]int{"decision.handover " + id: 0})
		if list, err := w.app.Handovers(ctx, 5); err != nil || len(list) != 1 || !list[0].Undone {
			t.Errorf("hand-overs %+v, %v", list, err)
		}
		w.end()
		// The pin of each customer is read, and shown as long as that one's record is there.
		w.close()
		w.execute(`UPDATE source_record SET salt = NULL WHERE external_id = 'c2'`)
		w.open()
		shown, err := w.app.Decisions(ctx, "", 0, 1)
		if err != nil || len(shown) != 1 || shown[0].ID != id || shown[0].Field != "owner" || shown[0].Value != "Bob" || len(shown[0].Records) != 2 || shown[0].More != 0 {
			t.Errorf("the hand-over among the decisions: %+v, %v", shown, err)
		}
		for name, want := range map[string]string{"crm/company/c1": "", "crm/company/c2": "erased"} {
			f, err := w.app.CustomerField(ctx, name, "owner")
			if i := slices.IndexFunc(f.History, func(v web.FieldVersion) bool { return v.PinID == id }); err != nil || i < 0 || f.History[i].State != want {
				t.Errorf("%s: history of its owner %+v, %v; want the hand-over with state %q", name, f.History, err, want)
			}
		}
	})
}

// TestACertificateNamesCustomersAsTheyMayBeSeen: its names and owners are masked
// for whom they are masked.
func TestACertificateNamesCustomersAsTheyMayBeSeen(t *testing.T) {
	w, _ := owned(t, "")
	w.yaml = "access: {masks: {brief: {fields: {name: partial}}, anonymous: {fields: {name: hide, company.owner: hide}}}}\n" + w.yaml
	w.close()
	w.open()
	ctx := t.Context()
	q := web.HandoverQuery{Entity: "company", From: "Cy", To: "Bob"}
	id, err := w.app.HandOver(ctx, q, "", web.By{Who: "amy", Why: "Cy has left"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		mask, name, before string
	}{{"", "Cedar Cars Ltd", "Cy"}, {"brief", "C•••", "Cy"}, {"anonymous", "", ""}} {
		actor := auth.Actor{ID: "lin", Role: auth.Viewer}
		if tt.mask != "" {
			actor.Masks = []string{tt.mask}
		}
		p, err := w.app.HandoverPage(auth.With(ctx, actor), id, "", 10)
		if err != nil || len(p.Parts) != 1 || p.Parts[0].Name != tt.name || p.Parts[0].Before != tt.before {
			t.Errorf("for mask %q the certificate says %+v (%v), want %q before with %q", tt.mask, p.Parts, err, tt.name, tt.before)
		}
	}
}

func TestHandoversRefuseWhatTheyCannotDo(t *testing.T) {
	t.Parallel()
	w, _ := owned(t, "")
	by := web.By{Who: "amy", Why: "x"}
	tests := []struct {
		q    web.HandoverQuery
		want string
	}{
		{web.HandoverQuery{Entity: "company", From: "Ann"}, "say who"},
		{web.HandoverQuery{Entity: "company", From: "Ann", To: " Ann "}, "already"},
		{web.HandoverQuery{Entity: "ship", From: "Ann", To: "Bob"}, "no field owner"},
		{web.HandoverQuery{Entity: "company", From: "Ann", To: "Bob", Source: "none"}, `no source "none"`},
		{web.HandoverQuery{Entity: "company", From: "Zoe", To: "Bob"}, "no customer"},
		{web.HandoverQuery{Entity: "company", From: "Ann", To: strings.Repeat("x", 201)}, "longer than"},
	}
	for _, tt := range tests {
		if _, err := w.app.HandOver(t.Context(), tt.q, "", by); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.q, err, tt.want)
		}
	}
	if p, err := w.app.PreviewHandover(t.Context(), web.HandoverQuery{Entity: "company", From: "Ann", To: "Bob", Source: "desk"}); err != nil || p.Customers != 2 {
		t.Errorf("with a record in the desk: %d, %v; want 2", p.Customers, err)
	}
	if p, err := w.app.PreviewHandover(t.Context(), web.HandoverQuery{Entity: "company", From: "Cy", To: "Bob", Source: "desk"}); err != nil || p.Customers != 0 {
		t.Errorf("with a record in the desk: %d, %v; want none", p.Customers, err)
	}
}

// TestOwnersOfAReachAreItsOwn: who reaches some customers alone is told who looks
// after those, at once where they are few, and of many as they were counted beside.
func TestOwnersOfAReachAreItsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := owned(t, dsn)
		w.close()
		w.yaml += "\naccess:\n  scopes:\n    bakers: {sources: [crm], where: 'name != \"Acme Tools Ltd\"'}\n"
		w.open()
		w.clean()
		ctx := narrowCtx(t.Context(), []string{"bakers"}, nil)
		check := func(when string, beside bool, want ...web.Count) {
			t.Helper()
			o, err := w.app.Owners(ctx, "company")
			if err != nil || !slices.Equal(o.Owners, want) || o.Part || o.At.IsZero() == beside {
				t.Errorf("%s: %+v, %v; want %v, counted beside: %v", when, o, err, want, beside)
			}
		}
		check("few", false, web.Count{Name: "Ann", N: 1}, web.Count{Name: "Cy", N: 1})
		see, err := w.app.sight(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if list, more, err := w.app.Store.OwnersWithin(ctx, "company", see.reach, 9, 1); err != nil || !more || len(list) != 1 || list[0].Customers != 1 {
			t.Errorf("the first one in reach: %v, %v, %v", list, more, err)
		}
		w.app.life.owners.get("company", see.reach, w.app.opts.Env.Clock.Now(), true)
		if err := w.app.workOwners(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("many", true, web.Count{Name: "Ann", N: 1}, web.Count{Name: "Cy", N: 1})
		if _, err := w.app.HandOver(ctx, web.HandoverQuery{Entity: "company", From: "Ann", To: "Cy"}, "", web.By{Who: "lin", Why: "Ann has left"}); err != nil {
			t.Fatal(err)
		}
		w.clean()
		check("after a hand-over", false, web.Count{Name: "Cy", N: 2})
		if whole, err := w.app.Owners(t.Context(), "company"); err != nil || len(whole.Owners) != 2 || !whole.At.IsZero() {
			t.Errorf("of all: %+v, %v", whole, err)
		}
	})
}

// TestAValueIsMappedOnThePage: the preview counts what then changes, and the list
// names who decided.
func TestAValueIsMappedOnThePage(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w, _ := owned(t, "")
	q := web.ValueQuery{Entity: "company", Field: "owner", From: "Cy", To: "Cyrus"}
	p, err := w.app.PreviewValue(ctx, q)
	if err != nil || p.Records != 1 {
		t.Fatalf("preview %+v, %v", p, err)
	}
	id, err := w.app.MapValue(ctx, q, web.By{Who: "amy", Why: "one man"})
	if err != nil {
		t.Fatal(err)
	}
	w.pass()
	page, err := w.app.ValueMaps(ctx, q)
	if err != nil || len(page.Maps) != 1 || page.Maps[0].Decision != id || page.Maps[0].Who != "amy" || page.Maps[0].To != "Cyrus" || page.Records != 3 {
		t.Fatalf("page %+v, %v", page, err)
	}
	want := []web.ValueHeld{{Value: "Ann", Count: 2}, {Value: "Cyrus", Count: 1, Target: true}}
	if len(page.Values) != 2 || page.Values[0] != want[0] || page.Values[1] != want[1] {
		t.Errorf("values %+v, want %+v", page.Values, want)
	}
	if o, err := w.app.Owners(ctx, "company"); err != nil || o.Owners[1].Name != "Cyrus" {
		t.Errorf("owners %+v, %v", o.Owners, err)
	}
	for _, bad := range []web.ValueQuery{{Entity: "company", Field: "owner", From: "Cy", To: "Cy"}, {Entity: "company", Field: "revenue", From: "1", To: "2"}, {Entity: "ship", Field: "owner"}} {
		if _, err := w.app.PreviewValue(ctx, bad); err == nil {
			t.Errorf("%+v is previewed", bad)
		}
	}
}
