package simulator

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const zdU = "/api/v2/users"

func zdMany(n int) Seed {
	var users, orgs []string
	for i := range n {
		at := time.Date(2025, 11, 1, 10, 0, i/7, 0, time.UTC).Format(time.RFC3339) // seven share a second
		users = append(users, fmt.Sprintf(`{"id":"260%d","updated_at":%q,"name":"U%d","email":"u%d@example.com"}`, firstID+i, at, i, i))
		orgs = append(orgs, fmt.Sprintf(`{"id":"360%d","updated_at":%q,"name":"O%d"}`, firstID+i, at, i))
	}
	return Seed{"users": raws(users...), "organizations": raws(orgs...)}
}

func TestZendeskExportsGiveEachRecord(t *testing.T) {
	g := openVendor(t, Zendesk(), zdMany(30))
	tests := []struct {
		name, kind, first, next string
		faults                  []Fault
		pages                   int
		doubled                 bool
	}{
		{"cursor", "users", "/api/v2/incremental/users/cursor.json?start_time=0&per_page=8", "after_url", nil, 4, false},
		{"cursor with an empty page", "users", "/api/v2/incremental/users/cursor?start_time=0&per_page=8", "after_url", []Fault{{Kind: EmptyPage, Next: 1}}, 5, false},
		{"time", "organizations", "/api/v2/incremental/organizations.json?start_time=0&per_page=8", "next_page", nil, 4, true},
		{"time, a page within one second", "organizations", "/api/v2/incremental/organizations.json?start_time=0&per_page=3", "next_page", nil, 6, true},
		{"pages of a list", "users", "/api/v2/users.json?page[size]=8", "links/next", nil, 4, false},
		{"numbered pages", "organizations", "/api/v2/organizations.json?per_page=8", "next_page", nil, 4, false},
	}
	for _, tt := range tests {
		g.faults(tt.faults...)
		seen, all, pages, next := map[string]bool{}, 0, 0, tt.first
		for next != "" && pages < 50 {
			r := g.must(200, "GET", next, "")
			pages++
			for i := range r.len(tt.kind) {
				seen[r.str(fmt.Sprintf("%s/%d/id", tt.kind, i))] = true
				all++
			}
			next = r.str(tt.next)
			if r.at("end_of_stream") == true {
				break
			}
		}
		if len(seen) != 30 || pages != tt.pages || (all > 30) != tt.doubled {
			t.Errorf("%s: %d records, %d different, on %d pages; want 30 different on %d pages, some twice: %v", tt.name, all, len(seen), pages, tt.pages, tt.doubled)
		}
	}
}

func TestZendeskExportGoesOnFromItsCursor(t *testing.T) {
	g := openVendor(t, Zendesk(), zdSeed())
	r := g.must(200, "GET", "/api/v2/incremental/users/cursor.json?start_time=0", "")
	cursor := "/api/v2/incremental/users/cursor.json?cursor=" + r.str("after_cursor")
	if r := g.must(200, "GET", cursor, ""); r.len("users") != 0 || r.at("end_of_stream") != true || !strings.HasSuffix(cursor, r.str("after_cursor")) {
		t.Errorf("nothing changed, and the export says %s", r.raw)
	}
	g.settings(Settings{LagMS: 60_000})
	g.must(200, "PUT", zdU+"/2601001.json", `{"user":{"phone":"+44 (20) 7946-0001"}}`)
	g.must(200, "DELETE", zdU+"/2601002.json", "")
	if r := g.must(200, "GET", cursor, ""); r.len("users") != 0 || r.at("end_of_stream") != true {
		t.Errorf("the last minute is in the export: %s", r.raw)
	}
	g.clock.add(time.Minute)
	r = g.must(200, "GET", cursor, "")
	if r.len("users") != 2 || r.str("users/0/phone") != "+442079460001" || r.at("users/1/active") != false {
		t.Errorf("a minute later the export says %s", r.raw)
	}
	recent := fmt.Sprint(g.clock.Now().Add(-59 * time.Second).Unix())
	if r := g.must(400, "GET", "/api/v2/incremental/users/cursor.json?start_time="+recent, ""); r.str("error") != "StartTimeTooRecent" {
		t.Errorf("a start_time of the last minute is answered %s", r.raw)
	}
	if r := g.must(200, "GET", "/api/v2/deleted_users.json", ""); r.str("deleted_users/0/id") != "2601002" {
		t.Errorf("deleted_users says %s", r.raw)
	}
}

func TestZendeskWrites(t *testing.T) {
	g := openVendor(t, Zendesk(), zdSeed())
	r := g.must(422, "POST", zdU, `{"user":{"name":"A","email":"ADA@example.com"}}`)
	if r.str("details/email/0/description") != "Email: ada@example.com is already being used by another user" || r.str("details/email/0/error") != "DuplicateValue" {
		t.Errorf("a taken address is answered %s", r.raw)
	}
	r = g.must(201, "POST", zdU+"/create_or_update.json", `{"user":{"name":"New","external_id":"g-7","email":" NEW@Example.com","nonsense":1,"tags":["Big Fish"],"user_fields":{"x":"1"}}}`)
	id := r.str("user/id")
	if r.str("user/email") != "new@example.com" || r.str("user/tags/0") != "big_fish" || !strings.HasSuffix(r.header.Get("Location"), "/zendesk/api/v2/users/"+id+".json") {
		t.Errorf("created %s with Location %q", r.raw, r.header.Get("Location"))
	}
	r = g.must(200, "POST", zdU+"/create_or_update", `{"user":{"external_id":"G-7","user_fields":{"y":"2"}}}`)
	if r.str("user/id") != id || r.str("user/external_id") != "G-7" || r.str("user/user_fields/x") != "1" || r.str("user/user_fields/y") != "2" {
		t.Errorf("an external id in another case is answered %s, want the same user with the new case", r.raw)
	}
	r = g.must(200, "GET", zdU+"/search.json?external_id=g-7", "")
	if r.str("count") != "1" || r.str("users/0/id") != id {
		t.Errorf("search by external_id says %s", r.raw)
	}
	r = g.must(200, "GET", zdU+"/show_many.json?ids="+id+",1,2601001", "")
	if r.len("users") != 2 {
		t.Errorf("show_many says %s", r.raw)
	}
	r = g.must(200, "PUT", zdU+"/"+id+"/merge.json", `{"user":{"id":2601001}}`)
	if r.str("user/id") != "2601001" {
		t.Errorf("merge is answered %s", r.raw)
	}
	if r := g.must(200, "GET", zdU+"/"+id+".json", ""); r.at("user/active") != false {
		t.Errorf("the loser is shown as %s", r.raw)
	}
	if r := g.must(200, "POST", "/api/v2/organizations/create_or_update.json", `{"organization":{"external_id":"g-1","name":"Analytical Engines"}}`); r.str("organization/id") != "3601001" {
		t.Errorf("upsert of an organization is answered %s", r.raw)
	}
	g.must(422, "PUT", "/api/v2/organizations/3601002.json", `{"organization":{"name":"analytical engines"}}`)
	r = g.must(201, "POST", "/api/v2/organizations/3601002/merge.json", `{"organization_merge":{"winner_id":"3601001"}}`)
	if r.str("organization_merge/status") != "complete" {
		t.Errorf("merge of organizations is answered %s", r.raw)
	}
	g.must(404, "GET", "/api/v2/organizations/3601002.json", "")
	g.must(200, "DELETE", zdU+"/2601002", "")
	r = g.must(200, "GET", "/api/v2/deleted_users.json?page[size]=1", "")
	if r.str("deleted_users/0/id") != "2601002" || r.at("meta/has_more") != true {
		t.Errorf("the first page of deleted users is %s", r.raw)
	}
	if r = g.must(200, "GET", r.str("links/next"), ""); r.str("deleted_users/0/id") != id || r.at("meta/has_more") != false || r.at("links/next") != nil {
		t.Errorf("the second page of deleted users is %s", r.raw)
	}
}

func TestZendeskSafeUpdateSeesAnEdit(t *testing.T) {
	g := openVendor(t, Zendesk(), zdSeed())
	path := "/api/v2/tickets/71001.json"
	stamp := g.must(200, "GET", path, "").str("ticket/updated_at")
	safe := `{"ticket":{"subject":"New","safe_update":true,"updated_stamp":"` + stamp + `"}}`
	if r := g.do("POST", "/_admin/edit", `{"object":"tickets","id":"71001","fields":{"priority":"high"}}`); r.status != 200 {
		t.Fatalf("edit: %d %s", r.status, r.raw)
	}
	if r := g.must(409, "PUT", path, safe); r.str("error") != "UpdateConflict" {
		t.Errorf("an update of an edited ticket is answered %s", r.raw)
	}
	stamp = g.must(200, "GET", path, "").str("ticket/updated_at")
	g.must(200, "PUT", path, `{"ticket":{"subject":"New","safe_update":"true","updated_stamp":"`+stamp+`"}}`)
	r := g.must(201, "POST", "/api/v2/tickets", `{"ticket":{"subject":"S","comment":{"body":"B"},"requester":{"name":"Nina","email":"nina@example.com"}}}`)
	if r.str("ticket/description") != "B" || r.str("ticket/requester_id") == "" {
		t.Errorf("a new ticket is %s", r.raw)
	}
}

// TestZendeskJobsAreDoneLater: queued, working, completed, one result an item;
// a job that waits is done after a restart too.
func TestZendeskJobsAreDoneLater(t *testing.T) {
	dir := t.TempDir()
	g := openVendorIn(t, dir, Zendesk(), zdSeed())
	r := g.must(200, "POST", zdU+"/create_or_update_many.json", `{"users":[{"name":"Ada L","email":"ada@example.com"},{"name":"","email":"x@example.com"},{"name":"N","external_id":"n-1"}]}`)
	if r.str("job_status/status") != "queued" || r.at("job_status/results") != nil {
		t.Errorf("a new job is %s", r.raw)
	}
	job := r.str("job_status/url")
	if r := g.must(200, "GET", job, ""); r.str("job_status/status") != "working" {
		t.Errorf("the first look shows %s", r.raw)
	}
	job = strings.TrimPrefix(job, g.srv.URL+"/zendesk")
	if err := g.sys.Close(); err != nil {
		t.Fatal(err)
	}
	g = openVendorIn(t, dir, Zendesk(), zdSeed())
	r = g.must(200, "GET", job, "")
	got := fmt.Sprint(r.str("job_status/status"), r.str("job_status/progress"), r.at("job_status/results/0/status"), r.at("job_status/results/0/id"),
		r.at("job_status/results/1/success"), r.at("job_status/results/1/details"), r.at("job_status/results/2/status"))
	if want := "completed3Updated2601001falseName: cannot be blankCreated"; got != want {
		t.Errorf("the job ended as %s, want %s: %s", got, want, r.raw)
	}
	r = g.must(200, "PUT", zdU+"/update_many.json?ids=2601001,1", `{"user":{"notes":"seen"}}`)
	g.settings(Settings{JobSteps: 1})
	g.must(200, "GET", zdU, "")
	r = g.must(200, "GET", "/api/v2/job_statuses/show_many.json?ids="+r.str("job_status/id"), "")
	if r.str("job_statuses/0/results/0/status") != "Updated" || r.str("job_statuses/0/results/1/error") != "RecordNotFound" {
		t.Errorf("update_many ended as %s", r.raw)
	}
	if twice := Doubled(g.applied()); len(twice) > 0 {
		t.Errorf("done twice: %v", twice)
	}
}

func TestZendeskCredentialsAndLimits(t *testing.T) {
	g := openVendor(t, Zendesk(), zdSeed())
	for _, tt := range []struct {
		auth string
		want int
	}{
		{"Basic YWdlbnRAdG91Y2hzdG9uZS5leGFtcGxlL3Rva2VuOnplbmRlc2stYXBpLXRva2Vu", 200}, // agent@touchstone.example/token:zendesk-api-token
		{"Basic YWdlbnRAdG91Y2hzdG9uZS5leGFtcGxlOnplbmRlc2stYXBpLXRva2Vu", 401},         // without /token
		{"Bearer wrong", 401},
		{"", 401},
		{"Bearer " + ZendeskToken, 200},
	} {
		g.auth = tt.auth
		if r := g.do("GET", zdU, ""); r.status != tt.want {
			t.Errorf("Authorization %q gives %d, want %d", tt.auth, r.status, tt.want)
		}
	}
	g.settings(Settings{Limits: []Limit{{Requests: 2, Seconds: 60, Only: "incremental"}, {Requests: 700, Seconds: 60}}})
	path := "/api/v2/incremental/users/cursor.json?start_time=0"
	g.must(200, "GET", path, "")
	g.clock.add(20 * time.Second)
	if r := g.must(200, "GET", path, ""); r.header.Get("X-Rate-Limit-Remaining") != "698" {
		t.Errorf("headers are %v", r.header)
	}
	if r := g.must(429, "GET", path, ""); r.header.Get("Retry-After") != "40" || r.str("error") != "APIRateLimitExceeded" {
		t.Errorf("the third export is answered %v %s", r.header, r.raw)
	}
	g.must(200, "GET", zdU, "")
}
