package app

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/store/storetest"
	"touchstone/internal/web"
)

// TestRefusedRequestsAreKeptOnce lets somebody ask a hundred times for what they
// may not: two rows tell of it, and accounts, sessions and tokens have a subject
// each that the trail finds them by.
func TestRefusedRequestsAreKeptOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			dsn := ""
			if engine == "postgres" {
				dsn = storetest.Postgres(t)
			}
			h := openHouse(t, dsn, nil)
			h.add("ann", annPassword, auth.Admin)
			h.add("vic", annPassword, auth.Viewer)
			b := h.browser()
			h.want("a wrong password", b.post("/login", url.Values{"login": {"vic"}, "password": {"not this one at all"}}), 401)
			h.want("sign in", b.post("/login", url.Values{"login": {"vic"}, "password": {annPassword}}), 303)
			for range 100 {
				h.want("accounts for a viewer", b.get("/accounts"), 403)
			}
			h.want("an export for a viewer", b.get("/customers.csv"), 403)
			if err := h.clock.Sleep(t.Context(), 2*time.Minute); err != nil {
				t.Fatal(err)
			}
			h.want("a page", b.get("/"), 200)
			if _, err := h.app.People().AddToken(t.Context(), web.By{Who: "ann"}, web.NewToken{Name: "x", Login: "vic"}); err != nil {
				t.Fatal(err)
			}
			if err := h.app.People().ChangePerson(t.Context(), web.By{Who: "ann"}, "vic", web.PersonChange{Role: auth.Steward}); err != nil {
				t.Fatal(err)
			}
			rows, err := h.app.ListAudit(t.Context(), AuditQuery{}, 100)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range rows {
				r := rows[len(rows)-1-i]
				kind, _, _ := strings.Cut(r.What, ".")
				if kind != "request" && kind != "session" && kind != "account" && kind != "token" {
					continue
				}
				for n, s := range r.Subjects {
					if len(s) > 9 && !strings.Contains(s, " ") { // an id made up
						r.Subjects[n] = "made-up"
					}
				}
				got = append(got, fmt.Sprintf("%s %s %q %s %q", r.Who, r.What, r.Subjects, r.Outcome, r.Detail))
			}
			want := []string{
				`test account.add ["ann"] done "admin"`,
				`test account.add ["vic"] done "viewer"`,
				`page:anybody session.refused ["vic"] refused "password from 192.0.2.1"`,
				`vic session.begin ["made-up" "vic"] done ""`,
				`vic request.refused ["GET /accounts"] refused "needs accounts"`,
				`vic request.refused ["GET /customers.csv"] refused "needs export"`,
				`vic request.refused ["GET /accounts"] refused "needs accounts, 99 more within a minute of the first"`,
				`ann token.add ["made-up" "vic"] done "of an account"`,
				`ann account.role ["vic"] done "viewer → steward"`,
			}
			if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
				t.Errorf("the trail tells:\n%s\nwant:\n%s", a, b)
			}
			found, err := h.app.ListAudit(t.Context(), AuditQuery{Subject: "vic", What: "session"}, 10)
			if err != nil || len(found) != 2 {
				t.Errorf("%d rows of sessions about vic, %v; want the refused one and the begun one", len(found), err)
			}
		})
	}
}
