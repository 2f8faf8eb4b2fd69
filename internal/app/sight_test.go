package app

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"touchstone/config"
	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc"
	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/internal/web"
)

// scoped is an installation of two systems, opened with one access part after
// another.
type scoped struct {
	*testing.T
	dir, dsn string
	app      *App
}

const scopedSources = `
sources:
  crm:
    type: file
    path: crm.csv
    entities:
      company: {id: record.id, map: {name: record.name, address: {city: record.city, country: record.country}}}
  desk:
    type: file
    path: desk.csv
    entities:
      company: {id: record.id, map: {name: record.name, address: {city: record.city, country: record.country}}}
`

func (s *scoped) open(access string) {
	s.Helper()
	s.close()
	cfg, err := config.Parse(filepath.Join(s.dir, "touchstone.yaml"), []byte(access+scopedSources), config.Options{})
	if err != nil {
		s.Fatal(err)
	}
	if s.app, err = Open(s.Context(), cfg, Options{Dir: filepath.Join(s.dir, "data"), Store: s.dsn, Env: env.Real()}); err != nil {
		s.Fatal(err)
	}
}

func (s *scoped) close() {
	s.Helper()
	if s.app == nil {
		return
	}
	if err := s.app.Close(); err != nil {
		s.Fatal(err)
	}
	s.app = nil
}

func (s *scoped) file(name, text string) {
	s.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s *scoped) pass() {
	s.Helper()
	if _, err := s.app.Pass(context.Background(), nil); err != nil {
		s.Fatal(err)
	}
}

// sees fails unless who has these scopes and masks sees exactly these customers.
func (s *scoped) sees(when string, scopes, masks []string, want ...string) {
	s.Helper()
	ctx := auth.With(s.Context(), auth.Actor{ID: "lin", Role: auth.Viewer, Scopes: scopes, Masks: masks})
	p, err := s.app.Customers(ctx, web.CustomerQuery{Limit: 50})
	if err != nil {
		s.Fatal(err)
	}
	got := []string{}
	for _, g := range p.List {
		got = append(got, g.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("%s: %v sees %q, want %q", when, scopes, got, want)
	}
}

const alphaBeta = "id,name,city,country\n1,Alpha Widgets Ltd,上海,CN\n2,Beta Tools GmbH,Berlin,DE\n"

// TestAScopeReachesNobodyUntilItIsWhole changes scopes between one opening and the
// next, and what is published under them.
func TestAScopeReachesNobodyUntilItIsWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := &scoped{T: t, dir: t.TempDir(), dsn: dsn}
		defer s.close()
		s.file("crm.csv", alphaBeta)
		s.file("desk.csv", "id,name,city,country\n9,Gamma Foods Inc,上海,CN\n")
		team := []string{"team"}
		const alpha, beta, gamma = "Alpha Widgets Ltd", "Beta Tools GmbH", "Gamma Foods Inc"

		s.open("access: {scopes: {team: {where: 'country == \"CN\" && city in [\"上海\"]'}, crm: {sources: [crm]}}}\n")
		s.pass()
		s.sees("published under it", team, nil, alpha, gamma)
		s.sees("by source", []string{"crm"}, nil, alpha, beta)
		s.sees("both add up", []string{"crm", "team"}, nil, alpha, beta, gamma)
		s.sees("without a scope", nil, nil, alpha, beta, gamma)
		s.sees("none of the scopes", []string{}, nil)
		s.sees("a name that is gone", []string{"team", "gone"}, nil)
		s.sees("a mask that is gone", nil, []string{"gone"})

		s.file("crm.csv", "id,name,city,country\n1,Alpha Widgets Ltd,Berlin,DE\n2,Beta Tools GmbH,上海,CN\n")
		s.pass()
		s.sees("after they moved", team, nil, beta, gamma)

		s.open("access: {scopes: {team: {where: 'city == \"Berlin\"'}}}\n")
		s.sees("another definition, not filled", team, nil)
		s.pass()
		s.sees("another definition", team, nil, alpha)

		// A time without the scope: what was published then counts when it is back.
		s.open("")
		s.file("crm.csv", alphaBeta)
		s.pass()
		s.open("access: {scopes: {team: {where: 'city == \"Berlin\"'}}}\n")
		s.sees("back, not filled", team, nil)
		s.pass()
		s.sees("back", team, nil, beta)
		unknown := s.app.accessHealth(t.Context())
		if unknown.State != FindingOK {
			t.Errorf("doctor: %+v, want ok", unknown)
		}
	})
}

// TestGroupsAndTokensNarrow signs a person in by groups, and gives tokens.
func TestGroupsAndTokensNarrow(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := &scoped{T: t, dir: t.TempDir(), dsn: dsn}
		defer s.close()
		s.file("crm.csv", alphaBeta)
		s.file("desk.csv", "id,name,city,country\n")
		const access = "access: {scopes: {a: {sources: [crm]}, b: {sources: [desk]}}, masks: {m: {fields: {name: partial}}}}\n"
		const groups = "server: {oidc: {issuer: 'https://id.example.com', client_id: x, roles: [{group: all, role: viewer}], reach: [{group: ga, scopes: [a]}, {group: gb, scopes: [b], masks: [m]}, {group: '*', scopes: [a], masks: [m]}]}}\n"
		s.open(access + groups)
		people := s.app.People()
		as := func(in ...string) web.Person {
			t.Helper()
			who := oidc.Person{Issuer: "i", Subject: "s", Login: "lin", Role: auth.Viewer, Groups: in}
			if _, err := people.SignInFrom(t.Context(), web.Caller{Address: "192.0.2.1"}, who); err != nil {
				t.Fatal(err)
			}
			p, err := people.Person(t.Context(), "lin")
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		for _, tt := range []struct{ groups, reach, masks []string }{
			{[]string{"ga"}, []string{"a"}, nil},
			{[]string{"gb", "ga"}, []string{"a", "b"}, []string{"m"}},
			{[]string{"other"}, []string{"a"}, []string{"m"}}, // what the others see
			{[]string{"gb"}, []string{"b"}, []string{"m"}},
		} {
			if p := as(tt.groups...); !slices.Equal(p.Reach, tt.reach) || !slices.Equal(p.Masks, tt.masks) {
				t.Errorf("groups %v: reach %v, masks %v, want %v and %v", tt.groups, p.Reach, p.Masks, tt.reach, tt.masks)
			}
		}

		by := web.By{Who: "ann"}
		if _, err := people.AddToken(t.Context(), by, web.NewToken{Name: "wide", Login: "lin", Reach: []string{"a"}}); err == nil {
			t.Error("a token that reaches more than its account was made")
		}
		if _, err := people.AddToken(t.Context(), by, web.NewToken{Name: "odd", Role: auth.Machine, Reach: []string{"nowhere"}}); err == nil {
			t.Error("a token of a scope that is not there was made")
		}
		token, err := people.AddToken(t.Context(), by, web.NewToken{Name: "own", Login: "lin"})
		if err != nil {
			t.Fatal(err)
		}
		bearer := func() auth.Actor {
			t.Helper()
			actor, found, err := people.Bearer(t.Context(), token)
			if err != nil || !found {
				t.Fatalf("token: found %v, %v", found, err)
			}
			return actor
		}
		if a := bearer(); !slices.Equal(a.Scopes, []string{"b"}) || !slices.Equal(a.Masks, []string{"m"}) {
			t.Errorf("the token sees %v less %v, want what its account sees", a.Scopes, a.Masks)
		}
		none := []string{}
		if err := people.ChangePerson(t.Context(), by, "lin", web.PersonChange{Reach: &none, Masks: &none}); err != nil {
			t.Fatal(err)
		}
		if a := bearer(); a.Narrowed() {
			t.Errorf("the token sees %v less %v, want everything, as its account does now", a.Scopes, a.Masks)
		}
		as("ga")
		s.open("access: {scopes: {b: {sources: [desk]}}}\n")
		if f := s.app.accessHealth(t.Context()); f.State != FindingBad {
			t.Errorf("doctor: %+v, want bad: an account names a scope that is gone", f)
		}
	})
}

// TestWhatAMaskLeaves masks one value after another.
func TestWhatAMaskLeaves(t *testing.T) {
	see := sight{masks: []config.MaskField{
		{Field: "phones", How: config.MaskPartial},
		{Field: "emails", How: config.MaskPartial},
		{Field: "name", How: config.MaskPartial},
		{Field: "founded", How: config.MaskPartial},
		{Field: "addresses", How: config.MaskPartial},
		{Field: "revenue", How: config.MaskPartial},
		{Field: "id", How: config.MaskHide},
		{Field: "person.title", How: config.MaskHide},
	}}
	list := func(v string) record.Value { return record.ListValue(record.Point{Value: v, Kind: "work"}) }
	for _, tt := range []struct {
		entity, field string
		v             record.Value
		want          string
		there         bool
	}{
		{record.Company, "phones", list("+862168880102"), "•••0102", true},
		{record.Company, "phones", list("5551"), "•••", true}, // four of four would be all
		{record.Company, "emails", list("li.wei@example.com"), "•••@example.com", true},
		{record.Company, "emails", list("no address"), "•••", true},
		{record.Company, "name", record.TextValue("上海美跃"), "上•••", true},
		{record.Company, "name", record.TextValue("李"), "•••", true},
		{record.Company, "name", record.TextValue(""), "", true},
		{record.Company, "founded", record.DateValue("1998-05-04"), "1998", true},
		{record.Company, "revenue", record.NumberValue("1234567"), "", false},
		{record.Company, "ids", list("91310101MA7X"), "", false},
		{record.Company, "addresses", record.ListValue(record.Point{Parts: map[string]string{"line": "402 号", "city": "上海", "region": "SH", "country": "CN"}}), "SH, CN", true},
		{record.Person, "title", record.TextValue("CFO"), "", false},
		{record.Company, "website", record.TextValue("meiyue.example.com"), "meiyue.example.com", true},
	} {
		v, ok := see.value(tt.entity, tt.field, tt.v)
		if got := ShowValue(v); ok != tt.there || ok && got != tt.want {
			t.Errorf("%s.%s %q: %q (there: %v), want %q (%v)", tt.entity, tt.field, ShowValue(tt.v), got, ok, tt.want, tt.there)
		}
	}
}

// TestMasksHoldForFieldsOfOnesOwn: a masked field of an entity type of one's own
// is neither shown as evidence nor read by searching for its value.
func TestMasksHoldForFieldsOfOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	cars(t, w.dir, 3)
	w.yaml = "access: {masks: {dark: {fields: {vehicle.vin: hide}}, odd: {fields: {branch: hide}}}}\n" + fleet
	w.open()
	w.clean()
	vin := w.authoredOf(w.everybody()[0]).Text("vin")
	found := func(mask, text, entity string) int {
		t.Helper()
		ctx := auth.With(t.Context(), auth.Actor{ID: "lin", Role: auth.Viewer, Masks: []string{mask}})
		p, err := w.app.Customers(ctx, web.CustomerQuery{Text: text, Entity: entity, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		return len(p.List)
	}
	for _, tt := range []struct {
		mask, entity string
		found        bool
	}{{"odd", "", true}, {"odd", "vehicle", true}, {"dark", "", false}, {"dark", "vehicle", false}} {
		if n := found(tt.mask, vin, tt.entity); (n > 0) != tt.found {
			t.Errorf("with mask %s in %q a number finds %d vehicles, want some: %v", tt.mask, tt.entity, n, tt.found)
		}
	}
	see := sight{masks: w.app.Config.Access.Masks[1].Fields}
	said := web.Evidence{Field: "branch", Level: "same", A: "North", B: "North"}
	if e := see.evidence("vehicle", said); e.A != "" || e.B != "" || e.Level != "same" {
		t.Errorf("evidence of a masked field: %+v, want its level alone", e)
	}
	if e := see.evidence(record.Company, said); e != said {
		t.Errorf("evidence of a company's name: %+v, want it whole", e)
	}
}
