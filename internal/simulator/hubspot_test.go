package simulator

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

const hsC = "/crm/v3/objects/contacts"

// hsMany seeds n contacts that all have one stamp, as a bulk edit leaves them.
func hsMany(n int) Seed {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"id":"50%d","updated_at":"2025-11-01T10:00:00Z","properties":{"email":"p%d@example.com","lastname":"P%d"}}`, firstID+i, i, i))
	}
	return Seed{"contacts": raws(list...)}
}

func TestHubSpotListGivesEachContactOnce(t *testing.T) {
	g := openVendor(t, HubSpot(), hsMany(25))
	g.must(204, "DELETE", hsC+"/501003", "")
	g.faults(Fault{Kind: EmptyPage, Next: 1})
	var ids []string
	next := hsC + "?limit=10&properties=email,phone"
	for next != "" && len(ids) < 100 {
		r := g.must(200, "GET", next, "")
		for i := range r.len("results") {
			ids = append(ids, r.str(fmt.Sprintf("results/%d/id", i)))
			if _, there := r.at(fmt.Sprintf("results/%d/properties", i)).(map[string]any)["phone"]; !there {
				t.Fatalf("a property that was asked for and is empty is missing, want null: %s", r.raw)
			}
		}
		next = r.str("paging/next/link")
	}
	if len(ids) != 24 || ids[0] != "501001" || ids[2] != "501004" {
		t.Errorf("listed %d contacts: %v, want 24 without 501003", len(ids), ids)
	}
	r := g.must(200, "GET", hsC+"?archived=true", "")
	if r.len("results") != 1 || r.str("results/0/id") != "501003" || r.str("results/0/archivedAt") == "" {
		t.Errorf("archived=true gives %s, want 501003 alone", r.raw)
	}
}

func TestHubSpotSearch(t *testing.T) {
	g := openVendor(t, HubSpot(), hsMany(30))
	g.must(200, "PATCH", hsC+"/501010", `{"properties":{"phone":"1"}}`) // 2026-01-05T08:00:00.001Z
	tests := []struct {
		name, body, want string // want: total and ids of the first results
	}{
		{"changed since, inclusive, ISO", `{"filterGroups":[{"filters":[{"propertyName":"lastmodifieddate","operator":"GTE","value":"2026-01-05T08:00:00.001Z"}]}]}`, "1 [501010]"},
		{"changed since, ms", `{"filterGroups":[{"filters":[{"propertyName":"lastmodifieddate","operator":"GT","value":"1767600000001"}]}]}`, "0 []"},
		{"keyset of one stamp", `{"filterGroups":[{"filters":[{"propertyName":"hs_object_id","operator":"GT","value":"501028"}]}],"sorts":[{"propertyName":"hs_object_id","direction":"ASCENDING"}]}`, "2 [501029 501030]"},
		{"descending", `{"limit":2,"sorts":[{"propertyName":"hs_object_id","direction":"DESCENDING"}]}`, "30 [501030 501029]"},
		{"without case", `{"filterGroups":[{"filters":[{"propertyName":"email","operator":"EQ","value":"P3@Example.com"}]}]}`, "1 [501004]"},
		{"groups are or, filters are and", `{"filterGroups":[{"filters":[{"propertyName":"email","operator":"EQ","value":"p3@example.com"},{"propertyName":"lastname","operator":"EQ","value":"nobody"}]},{"filters":[{"propertyName":"lastname","operator":"IN","values":["P1","P2"]}]}]}`, "2 [501002 501003]"},
		{"between", `{"filterGroups":[{"filters":[{"propertyName":"hs_object_id","operator":"BETWEEN","value":"501002","highValue":"501003"}]}]}`, "2 [501002 501003]"},
		{"has property", `{"filterGroups":[{"filters":[{"propertyName":"phone","operator":"HAS_PROPERTY"}]}]}`, "1 [501010]"},
		{"token", `{"filterGroups":[{"filters":[{"propertyName":"email","operator":"CONTAINS_TOKEN","value":"p29*"}]}]}`, "1 [501030]"},
		{"query", `{"query":"P17"}`, "1 [501018]"},
	}
	for _, tt := range tests {
		r := g.must(200, "POST", hsC+"/search", tt.body)
		ids := []string{}
		for i := range r.len("results") {
			ids = append(ids, r.str(fmt.Sprintf("results/%d/id", i)))
		}
		if got := fmt.Sprint(r.str("total"), " ", ids); got != tt.want {
			t.Errorf("%s: search %s found %s, want %s", tt.name, tt.body, got, tt.want)
		}
	}
	for _, bad := range []string{`{"limit":201}`, `{"filterGroups":[{"filters":[{"propertyName":"email","operator":"LIKE","value":"x"}]}]}`, `{"filterGroups":[{"filters":[{"propertyName":"no","operator":"EQ","value":"x"}]}]}`, `{"after":"x"}`} {
		if r := g.must(400, "POST", hsC+"/search", bad); r.str("category") != "VALIDATION_ERROR" {
			t.Errorf("search %s is refused by %s, want VALIDATION_ERROR", bad, r.raw)
		}
	}
}

func TestHubSpotSearchStopsAtItsCap(t *testing.T) {
	g := openVendor(t, HubSpot(), hsMany(30))
	g.settings(Settings{ResultCap: 20})
	seen, after := 0, "0"
	for {
		r := g.must(200, "POST", hsC+"/search", `{"limit":8,"after":"`+after+`"}`)
		seen += r.len("results")
		after = r.str("paging/next/after")
		if after == "20" {
			break
		}
	}
	if seen != 20 {
		t.Errorf("paged through %d results, want 20", seen)
	}
	g.must(400, "POST", hsC+"/search", `{"limit":8,"after":"20"}`)
}

func TestHubSpotSearchLagsBehindWrites(t *testing.T) {
	g := openVendor(t, HubSpot(), hsSeed())
	g.settings(Settings{LagMS: 5000})
	g.must(201, "POST", hsC, `{"properties":{"email":"new@example.com"}}`)
	g.must(200, "PATCH", hsC+"/501001", `{"properties":{"lastname":"King"}}`)
	byName := `{"filterGroups":[{"filters":[{"propertyName":"lastname","operator":"EQ","value":"%s"}]}]}`
	look := func(want string) {
		t.Helper()
		total := g.must(200, "POST", hsC+"/search", `{}`).str("total")
		old := g.must(200, "POST", hsC+"/search", fmt.Sprintf(byName, "Lovelace")).str("total")
		now := g.must(200, "POST", hsC+"/search", fmt.Sprintf(byName, "King")).str("total")
		if got := total + " " + old + " " + now; got != want {
			t.Errorf("all, old name, new name found %s times, want %s", got, want)
		}
	}
	look("2 1 0")
	if r := g.must(200, "GET", hsC+"/501001", ""); r.str("properties/lastname") != "King" {
		t.Errorf("reading lags too: %s", r.raw)
	}
	g.clock.add(5 * time.Second)
	look("3 0 1")
}

func TestHubSpotWrites(t *testing.T) {
	g := openVendor(t, HubSpot(), hsSeed())
	r := g.must(409, "POST", hsC, `{"properties":{"email":"ADA@example.com "}}`)
	if r.str("category") != "CONFLICT" || r.str("message") != "Contact already exists. Existing ID: 501001" {
		t.Errorf("a taken address is answered %s", r.raw)
	}
	r = g.must(400, "PATCH", hsC+"/501001", `{"properties":{"nope":"x","email":"bad","createdate":"x"}}`)
	codes := []string{r.str("errors/0/code"), r.str("errors/1/code"), r.str("errors/2/code")}
	if want := "[READ_ONLY_VALUE INVALID_EMAIL PROPERTY_DOESNT_EXIST]"; fmt.Sprint(codes) != want {
		t.Errorf("bad properties are told as %v, want %s", codes, want)
	}
	r = g.must(201, "POST", hsC, `{"properties":{"email":"New@Example.com","touchstone_id":"g-9"},"associations":[{"to":{"id":"701001"}}]}`)
	id := r.str("id")
	if r.str("properties/email") != "new@example.com" || r.str("properties/hs_object_id") != id || r.str("createdAt") != "2026-01-05T08:00:00.001Z" {
		t.Errorf("created %s", r.raw)
	}
	r = g.must(200, "GET", hsC+"/g-9?idProperty=touchstone_id&associations=companies", "")
	if r.str("id") != id || r.str("associations/companies/results/0/id") != "701001" || r.str("associations/companies/results/1/type") != "contact_to_company_unlabeled" {
		t.Errorf("read by touchstone_id: %s", r.raw)
	}
	if r := g.must(400, "POST", hsC, `{"properties":{"touchstone_id":"g-9"}}`); r.str("errors/0/code") != "CONFLICTING_UNIQUE_VALUE" {
		t.Errorf("a taken touchstone_id is answered %s", r.raw)
	}
	g.must(404, "PATCH", hsC+"/999", `{"properties":{}}`)
	g.must(204, "DELETE", hsC+"/"+id, "")
	g.must(404, "GET", hsC+"/"+id, "")
	g.must(204, "DELETE", hsC+"/"+id, "")
	if got, want := fmt.Sprint(Counters(g.applied())), "[{contacts "+id+" g-9 1 0 0 1 0}]"; got != want {
		t.Errorf("counters are %s, want %s", got, want)
	}
}

func TestHubSpotBatches(t *testing.T) {
	g := openVendor(t, HubSpot(), hsSeed())
	r := g.must(207, "POST", hsC+"/batch/create", `{"inputs":[{"objectWriteTraceId":"a","properties":{"email":"ada@example.com"}},{"objectWriteTraceId":"b","properties":{"email":"n@example.com"}},{"objectWriteTraceId":"c","properties":{"email":"n@example.com"}}]}`)
	if r.len("results") != 1 || r.str("results/0/objectWriteTraceId") != "b" || r.str("numErrors") != "2" || r.str("errors/0/context/existingId/0") != "501001" || r.str("errors/1/context/objectWriteTraceId/0") != "c" {
		t.Errorf("a partly taken batch is answered %s", r.raw)
	}
	before := len(g.applied())
	g.must(409, "POST", hsC+"/batch/create", `{"inputs":[{"properties":{"email":"m@example.com"}},{"properties":{"email":"ada@example.com"}}]}`)
	g.must(400, "POST", hsC+"/batch/update", `{"inputs":[{"id":"501001","properties":{"lastname":"X"}},{"id":"501002","properties":{"nope":"X"}}]}`)
	if n := len(g.applied()); n != before {
		t.Errorf("refused batches applied %d writes", n-before)
	}
	r = g.must(200, "POST", hsC+"/batch/upsert", `{"inputs":[{"idProperty":"touchstone_id","id":"g-1","properties":{"lastname":"One"}},{"idProperty":"email","id":"ada@example.com","properties":{"lastname":"King"}}]}`)
	if r.at("results/0/new") != true || r.at("results/1/new") != false || r.str("results/1/id") != "501001" || r.str("results/0/properties/touchstone_id") != "g-1" {
		t.Errorf("upsert is answered %s", r.raw)
	}
	r = g.must(207, "POST", hsC+"/batch/read", `{"properties":["lastname"],"inputs":[{"id":"501001"},{"id":"999"}]}`)
	if r.str("results/0/properties/lastname") != "King" || r.str("errors/0/context/ids/0") != "999" {
		t.Errorf("batch read is answered %s", r.raw)
	}
	g.must(204, "POST", hsC+"/batch/archive", `{"inputs":[{"id":"501001"},{"id":"501002"}]}`)
	inputs := strings.Repeat(`{"id":"1"},`, 100) + `{"id":"2"}`
	g.must(400, "POST", hsC+"/batch/read", `{"inputs":[`+inputs+`]}`)
}

func TestHubSpotMergeLeadsToTheWinner(t *testing.T) {
	g := openVendor(t, HubSpot(), hsSeed())
	g.must(200, "POST", hsC+"/merge", `{"primaryObjectId":"501002","objectIdToMerge":"501001"}`)
	r := g.must(200, "GET", hsC+"/501001?properties=lastname,firstname,hs_merged_object_ids&associations=companies,tickets", "")
	if r.str("id") != "501002" || r.str("properties/lastname") != "李" || r.str("properties/firstname") != "Ada" || r.str("properties/hs_merged_object_ids") != "501001" || r.str("associations/companies/results/0/id") != "701001" {
		t.Errorf("the loser's id gives %s, want the winner with what it lacked", r.raw)
	}
	r = g.must(200, "GET", "/crm/v3/objects/tickets/901001?associations=contacts", "")
	if r.str("associations/contacts/results/0/id") != "501002" {
		t.Errorf("the ticket still points at %s", r.raw)
	}
	if r := g.must(200, "GET", hsC+"?archived=true", ""); r.len("results") != 0 {
		t.Errorf("a merged contact is listed as archived: %s", r.raw)
	}
}

func TestHubSpotLimitsNameTheirPolicy(t *testing.T) {
	g := openVendor(t, HubSpot(), hsSeed())
	g.settings(Settings{Limits: []Limit{{Name: "TEN_SECONDLY_ROLLING", Requests: 4, Seconds: 10}, {Name: "SECONDLY", Requests: 2, Seconds: 1, Only: "search"}, {Name: "DAILY", Requests: 6, Seconds: 86400}}})
	r := g.must(200, "GET", hsC, "")
	if r.header.Get("X-HubSpot-RateLimit-Remaining") != "3" || r.header.Get("X-HubSpot-RateLimit-Daily-Remaining") != "5" {
		t.Errorf("headers are %v", r.header)
	}
	search := func(want int, policy string) {
		t.Helper()
		if r := g.must(want, "POST", hsC+"/search", "{}"); r.str("policyName") != policy {
			t.Errorf("policy is %q, want %q", r.str("policyName"), policy)
		}
	}
	search(200, "")
	search(200, "")
	search(429, "SECONDLY")
	g.clock.add(time.Second)
	search(200, "")
	search(429, "TEN_SECONDLY_ROLLING")
	g.clock.add(10 * time.Second)
	search(200, "")
	search(200, "")
	g.clock.add(time.Second)
	search(429, "DAILY")
}

func TestHubSpotTokensExpireAndRotate(t *testing.T) {
	dir := t.TempDir()
	g := openVendorIn(t, dir, HubSpot(), hsSeed())
	g.settings(Settings{RotateRefresh: true, TokenSeconds: 60})
	refresh := func(g *vendorRig, token string) reply {
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {HubSpotClientID}, "client_secret": {HubSpotClientSecret}, "refresh_token": {token}}
		return g.do("POST", "/oauth/v1/token", form.Encode())
	}
	r := refresh(g, HubSpotRefreshToken)
	if r.status != 200 || r.str("expires_in") != "60" || r.str("refresh_token") == HubSpotRefreshToken {
		t.Fatalf("refresh is answered %d %s", r.status, r.raw)
	}
	if again := refresh(g, HubSpotRefreshToken); again.status != 400 || again.str("status") != "BAD_REFRESH_TOKEN" {
		t.Errorf("the old refresh token is answered %d %s", again.status, again.raw)
	}
	g.auth = "Bearer " + r.str("access_token")
	g.must(200, "GET", hsC, "")
	g.clock.add(61 * time.Second)
	if r := g.must(401, "GET", hsC, ""); r.str("category") != "EXPIRED_AUTHENTICATION" {
		t.Errorf("an expired token is answered %s", r.raw)
	}
	g.auth = "Bearer " + strings.Replace(r.str("access_token"), "hs-1-", "hs-2-", 1)
	if r := g.must(401, "GET", hsC, ""); r.str("category") != "INVALID_AUTHENTICATION" {
		t.Errorf("a forged token is answered %s", r.raw)
	}
	if err := g.sys.Close(); err != nil {
		t.Fatal(err)
	}
	g2 := openVendorIn(t, dir, HubSpot(), hsSeed())
	if r := refresh(g2, r.str("refresh_token")); r.status != 200 {
		t.Errorf("after a restart the new refresh token is answered %d %s", r.status, r.raw)
	}
}

func TestHubSpotPrimaryCompanyIsAnAssociation(t *testing.T) {
	seed := hsMany(2)
	seed["companies"] = raws(`{"id":"701001","updated_at":"2025-11-01T10:00:00Z","properties":{"name":"Acme"}}`, `{"id":"701002","updated_at":"2025-11-01T10:00:00Z","properties":{"name":"Beta"}}`)
	g := openVendor(t, HubSpot(), seed)
	primary := func(id, want string) {
		t.Helper()
		r := g.must(200, "GET", hsC+"/"+id+"?properties=associatedcompanyid&associations=companies", "")
		if got := r.str("properties/associatedcompanyid"); got != want || want != "" && r.str("associations/companies/results/0/id") != want {
			t.Errorf("contact %s: %s, want primary company %q", id, r.raw, want)
		}
	}
	for _, id := range []string{"701001", "701002", "701002"} { // the last changes nothing
		g.must(200, "PATCH", hsC+"/501001", `{"properties":{"associatedcompanyid":"`+id+`"}}`)
		primary("501001", id)
	}
	g.must(200, "PUT", "/crm/v4/objects/contacts/501002/associations/default/companies/701001", "")
	primary("501002", "701001")
	for _, tt := range []struct{ company, want string }{{"701001", "501002"}, {"701002", "501001"}} {
		r := g.must(200, "GET", "/crm/v3/objects/companies/"+tt.company+"?associations=contacts", "")
		if got := r.str("associations/contacts/results/" + map[string]string{"701001": "2", "701002": "0"}[tt.company] + "/id"); got != tt.want {
			t.Errorf("company %s: %s, want contact %s", tt.company, r.raw, tt.want)
		}
	}
	g.must(200, "PATCH", hsC+"/501002", `{"properties":{"associatedcompanyid":""}}`)
	primary("501002", "")
}
