package app

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// TestWhoEntersACustomerIsToldFirst: the page of the look-up, as a link of a CRM
// fills it in.
func TestWhoEntersACustomerIsToldFirst(t *testing.T) {
	w, srv := office(t, "")
	for _, tt := range []struct {
		name, lang string
		q          url.Values
		status     int
		want, none string
	}{
		{"nothing asked", "en", url.Values{}, 200, `name="website"`, `id="found"`},
		{"a customer that is there", "en", url.Values{"name": {"Redwood Analytics"}, "phone": {"020 7946 0001"}}, 200, `<a href="/customers/`, "Nobody like that"},
		{"in Chinese", "zh-Hant", url.Values{"name": {"Redwood Analytics"}, "phone": {"020 7946 0001"}}, 200, "1 個相似的客戶", "Nobody"},
		{"one that is not", "en", url.Values{"name": {"Zyxw Qwrtp <b>"}}, 200, "Nobody like that is there", "<b>"},
		{"a person", "en", url.Values{"entity": {"person"}}, 200, `name="birth_date"`, `name="website"`},
		{"what is too long", "zh-Hans", url.Values{"name": {strings.Repeat("x", 5000)}}, 422, `role="alert"`, `id="found"`},
		{"a kind that there is none of", "en", url.Values{"entity": {"planet"}, "name": {"x"}}, 200, `value="company"`, "planet"},
	} {
		tt.q.Set("lang", tt.lang)
		got := w.ask(srv, http.MethodGet, "/lookup?"+tt.q.Encode(), "", "")
		status, text := got.status, got.body
		if _, main, ok := strings.Cut(text, "<main"); ok {
			text = main
		}
		if status != tt.status || !strings.Contains(text, tt.want) || strings.Contains(text, tt.none) {
			t.Errorf("%s: %d; want %d with %q and without %q\n%s", tt.name, status, tt.status, tt.want, tt.none, text)
		}
	}
	list, err := w.app.Store.AuditList(t.Context(), store.AuditFilter{What: []string{"read.match"}}, 10)
	if err != nil || len(list) != 2 {
		t.Errorf("%d look-ups that showed somebody are kept, want 2 (%v)", len(list), err)
	}
	hidden := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, LookUp: w.app}))
	defer hidden.Close()
	if got := w.ask(hidden, http.MethodGet, "/lookup?name=Redwood", "", ""); strings.Contains(got.body, "Redwood Analytics") || got.status != http.StatusForbidden {
		t.Errorf("where values are off it answers %d", got.status)
	}
}

// TestTheLookUpGuessesNoMaskedValue: who may not see a value learns nothing by
// asking for it as a name, by whose words golden records are found too.
func TestTheLookUpGuessesNoMaskedValue(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.write("crm.csv", reconcileCRM)
		w.write("desk.csv", reconcileDesk)
		w.yaml = "access: {masks: {names: {fields: {name: hide}}, phones: {fields: {phones: hide}}, size: {fields: {employees: hide}}}}\n" + reconcileYAML
		w.open()
		w.clean()
		for _, tt := range []struct {
			mask, name string
			found      bool
		}{
			{"", "Blue Heron", true},
			{"", "+1 212 555 0188", true},
			{"size", "+1 212 555 0188", true},
			{"phones", "Blue Heron", true},
			{"phones", "+1 212 555 0188", false},
			{"names", "Blue Heron", false},
			{"names", "+1 212 555 0188", false},
		} {
			actor := auth.Actor{ID: "lin", Role: auth.Viewer}
			if tt.mask != "" {
				actor.Masks = []string{tt.mask}
			}
			a, err := w.app.LookUp(auth.With(t.Context(), actor), lookup.Query{Entity: "company", Fields: record.Fields{"name": record.TextValue(tt.name)}, Name: tt.name})
			if err != nil {
				t.Fatal(err)
			}
			if found := len(a.Candidates) > 0; found != tt.found {
				t.Errorf("with mask %q the name %q finds %d customers, want some: %v", tt.mask, tt.name, len(a.Candidates), tt.found)
			}
		}
	})
}
