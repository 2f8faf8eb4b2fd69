package app

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// hostile is an installation in which everything that comes from outside, or
// that a person types, is one of the payloads.
type hostile struct {
	*world
	payloads []string
	url      string
	routes   []web.Route
	crm      *simulated
	desk     *simulated
}

// payload gives one of the payloads, for any n.
func (h *hostile) payload(n int) string { return h.payloads[n%len(h.payloads)] }

// hostileWorld has records from a table and two systems, events, relations, open
// pairs, decisions, notes, views, accounts and tokens with payloads in every field,
// one record of ten million bytes in the table and one of two million in a system.
func hostileWorld(t *testing.T) *hostile {
	t.Helper()
	h := hostileWorldOf(t, hostilePayloads(), "")
	h.serve()
	return h
}

// hostileWorldOf is hostileWorld with other values, and with a configuration of
// its own before the sources; its pages are not served yet.
func hostileWorldOf(t *testing.T, payloads []string, before string) *hostile {
	t.Helper()
	h := &hostile{world: newWorld(t, ""), payloads: payloads}
	if len(h.payloads) < 200 {
		t.Fatalf("%d payloads, want 200", len(h.payloads))
	}
	h.write("list.csv", h.table())
	h.crm = h.startSeeded(linked("crm"), h.seed())
	h.desk = h.start(everything.profile("desk"), h.companies()...)
	crm, desk := h.crm, h.desk
	h.yaml = before + linkedTables + "sources:" + tableSource("list", "list.csv") + linkedSource("crm", crm.url) + everything.source("desk", desk.url) + "\n" +
		strings.Replace(survive, "  company:\n", "  company:\n    match: {link: 0.9999999999, review: 0.05}\n", 1) + "targets:" + contact("desk", "desk", "update_only")
	h.open()
	h.pass()
	h.decide()
	h.pass()
	for _, ref := range []string{"list/company/long", "desk/company/big"} {
		if g, err := h.app.Golden(t.Context(), ref); err == nil {
			t.Errorf("%s became %s, want it in quarantine", ref, g.ID)
		}
	}
	h.accounts()
	if _, err := h.app.Measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// serve shows the pages.
func (h *hostile) serve() {
	h.Helper()
	o := web.Options{Env: h.env, Log: h.app.Log, ShowValues: true, LookUp: h.app, People: h.app.People()}
	srv := httptest.NewServer(web.New(h.app, o))
	h.Cleanup(srv.Close)
	h.url, h.routes = srv.URL, web.Routes(h.app, o)
}

// endless is a value of n bytes and more.
func endless(n int) string { return "<x-sentinel onclick=x_sentinel()>" + strings.Repeat("x", n) }

// table is a file with each payload as a name, and each in one field more.
func (h *hostile) table() string {
	var text strings.Builder
	out := csv.NewWriter(&text)
	rows := [][]string{{"id", "name", "phone", "website", "employees"}, {"big", endless(10_000_000), "", "big.example", ""}, {"long", endless(900_000), "", "long.example", ""}}
	for i, p := range h.payloads {
		p = strings.ReplaceAll(p, "\x00", "")
		row := []string{fmt.Sprintf("h%03d", i), p, fmt.Sprintf("+44 113 49%05d", i), fmt.Sprintf("h%d.example", i), ""}
		switch i % 4 {
		case 1: // its id
			row[0] += p[:min(len(p), 200)]
		case 2:
			row[2] = p
		case 3: // into quarantine with it
			row[4] = p
		}
		rows = append(rows, row)
	}
	if err := out.WriteAll(rows); err != nil {
		h.Fatal(err)
	}
	return text.String()
}

// seed is what a system of companies, people and tickets holds.
func (h *hostile) seed() simulator.Seed {
	seed := simulator.Seed{}
	add := func(object string, fields map[string]any) {
		fields["updated_at"] = "2026-01-02T00:00:00Z"
		b, err := json.Marshal(fields)
		if err != nil {
			h.Fatal(err)
		}
		seed[object] = append(seed[object], b)
	}
	for i := range 48 {
		p := func(n int) string { return h.payload(5*i + 31*n) }
		parent := fmt.Sprintf("c%d", i/2)
		if i%5 == 4 { // of nobody who is known
			parent = p(4)
		}
		add("companies", map[string]any{"id": fmt.Sprintf("c%d", i), "name": p(0), "website": fmt.Sprintf("c%d.example", i), "city": p(1), "sector": p(2), "parent_id": parent})
		add("contacts", map[string]any{"id": fmt.Sprintf("p%d", i), "name": p(3), "email": fmt.Sprintf("p%d@example.com", i), "title": p(5), "company_id": parent})
		for n := range 3 {
			opened, currency := "2026-01-02T10:00:00Z", "EUR"
			if i%7 == 6 { // into quarantine with it
				opened, currency = p(6), p(7)
			}
			add("tickets", map[string]any{
				"id": fmt.Sprintf("t%d-%d %.40s", i, n, p(n)), "subject": p(8 + n), "status": p(9 + n), "requester_id": fmt.Sprintf("p%d", i/2), "company_id": parent,
				"opened_at": opened, "amount": "12.50", "currency": currency,
			})
		}
	}
	return seed
}

// companies are pairs that look alike, with payloads behind what is alike, and a
// company that is too long.
func (h *hostile) companies() (list []string) {
	for i := range 12 {
		crm, desk := doubtful(12)
		for n, text := range []string{crm[i], desk[i]} {
			var fields map[string]any
			if err := json.Unmarshal([]byte(text), &fields); err != nil {
				h.Fatal(err)
			}
			fields["city"], fields["email"] = h.payload(7*i+n), fmt.Sprintf("o%d.%d@example.com", i, n)
			b, err := json.Marshal(fields)
			if err != nil {
				h.Fatal(err)
			}
			list = append(list, string(b))
		}
	}
	b, err := json.Marshal(map[string]any{"id": "big", "updated_at": "2026-01-02T00:00:00Z", "name": endless(2_000_000), "website": "bigger.example"})
	if err != nil {
		h.Fatal(err)
	}
	return append(list, string(b))
}

// decide lets people say payloads.
func (h *hostile) decide() {
	h.Helper()
	ctx := h.Context()
	list, err := h.app.Store.GoldenList(ctx, store.GoldenFilter{Entity: "company", Limit: 400})
	if err != nil || len(list) < 150 {
		h.Fatalf("%d golden records, %v", len(list), err)
	}
	did := func(what string, err error) {
		h.Helper()
		if err != nil {
			h.Fatalf("%s: %v", what, err)
		}
	}
	for i := 0; i < 20; i += 2 { // reasons and names of who decides are data too
		h.decision(h.app.Merge(ctx, list[i].ID, list[i+1].ID, By{Who: h.payload(i), Why: h.payload(i + 1)}))
	}
	for i := range 12 {
		by := web.By{Who: h.payload(3 * i), Why: h.payload(3*i + 1)}
		_, err := h.app.PinField(ctx, web.PinForm{ID: list[20+i].ID, Field: "industry", Value: h.payload(11 * i)}, by)
		did("pin", err)
		_, err = h.app.Relate(ctx, Relate{From: fmt.Sprintf("crm/person/p%d", i), Kind: Partner, To: fmt.Sprintf("crm/company/c%d", i), Title: cutRunes(h.payload(13*i), 200)}, By{Who: by.Who, Why: by.Why})
		did("relate", err)
	}
	pairs := h.waiting()
	if len(pairs) < 12 {
		h.Fatalf("%d pairs wait, want 12", len(pairs))
	}
	for i, id := range pairs[:12] {
		by := web.By{Who: h.payload(17 * i), Why: cutRunes(h.payload(17*i+1), 4000)}
		did("note", h.app.NotePair(ctx, id, "x "+cutRunes(h.payload(19*i), 3900), by))
		did("assign", h.app.AssignPair(ctx, id, cutRunes(h.payload(23*i), 200), by))
		if i < 4 {
			_, err := h.app.AnswerPair(ctx, web.PairAnswer{ID: id, Answer: web.AnswerApart}, by)
			did("answer", err)
		}
	}
	h.passOn(list[40:46])
	h.tried(web.TrialAsked{Entity: record.Company, Link: 0.99, Review: 0.5})
	file := "source,id,golden\n" + strings.Repeat("desk,\"<x-sentinel>\",\"<img src=x onerror=x_sentinel()>\"\n\"<script>x_sentinel()</script>\",c1,G2\n", 3)
	_, err = h.app.ImportCrosswalk(ctx, strings.NewReader(file), "\"><img src=x onerror=x_sentinel()>.csv", By{Who: h.payload(2), Why: h.payload(3)})
	did("import a crosswalk", err)
}

// passOn hands the customers of an owner to another one; both are called what no
// person is.
func (h *hostile) passOn(list []store.Golden) {
	h.Helper()
	const from, to = "Ann <img src=x onerror=x_sentinel()>", "Dee <x-sentinel>"
	for _, g := range list {
		if _, err := h.app.PinField(h.Context(), web.PinForm{ID: g.ID, Field: "owner", Value: from}, web.By{Who: h.payload(5), Why: h.payload(6)}); err != nil {
			h.Fatalf("pin an owner: %v", err)
		}
	}
	h.clean()
	q := web.HandoverQuery{Entity: record.Company, From: from, To: to}
	p, err := h.app.PreviewHandover(h.Context(), q)
	if err != nil || p.Customers != len(list) {
		h.Fatalf("%d customers are passed on, %v; want %d", p.Customers, err, len(list))
	}
	if _, err := h.app.HandOver(h.Context(), q, p.Token, web.By{Who: h.payload(7), Why: cutRunes(h.payload(8), 400)}); err != nil {
		h.Fatalf("hand over: %v", err)
	}
}

func cutRunes(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

// hostileLogin is who reads the pages, an admin.
const hostileLogin = "reader"

// accounts makes people and tokens with payloads for names, and views of the
// reader's.
func (h *hostile) accounts() {
	h.Helper()
	people := h.app.People()
	add := func(login, name string) {
		h.Helper()
		if _, err := people.AddPerson(h.Context(), web.By{Who: h.payload(4)}, web.NewPerson{Login: login, Name: name, Role: auth.Admin, Password: annPassword}); err != nil {
			h.Fatalf("account: %v", err)
		}
	}
	add(hostileLogin, h.payloads[0])
	add("other", h.payloads[3])
	for i := range 24 {
		name := "x " + cutRunes(h.payload(5*i), 90)
		if _, err := people.AddToken(h.Context(), web.By{Who: h.payload(i)}, web.NewToken{Name: name, Login: hostileLogin}); err != nil {
			h.Fatalf("token: %v", err)
		}
	}
}

// client is a browser without script that is signed in, and has saved views.
func (h *hostile) client() *http.Client {
	h.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: h.env.HTTP}
	post := func(path string, form url.Values) {
		h.Helper()
		req, err := http.NewRequestWithContext(context.WithoutCancel(h.Context()), http.MethodPost, h.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			h.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := c.Do(req)
		if err != nil {
			h.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			h.Fatalf("POST %s: %d at %s", path, resp.StatusCode, resp.Request.URL)
		}
	}
	post("/login", url.Values{"login": {hostileLogin}, "password": {annPassword}})
	for i := range 6 {
		post("/customers/views", url.Values{"name": {cutRunes("v"+h.payload(9*i), 60)}, "query": {"q=" + url.QueryEscape(h.payload(9*i+1)) + "&entity=company"}})
		post("/review/views", url.Values{"name": {cutRunes("v"+h.payload(9*i), 60)}, "query": {"kind=veto&text=" + url.QueryEscape(h.payload(9*i+2))}})
	}
	return c
}
