package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// vendorCase is one vendor with a write that makes an object, a read, and the
// place of the error's name in its answers.
type vendorCase struct {
	profile         Profile
	seed            Seed
	kind, key       string
	method, create  string
	body            string
	read            string
	tooMany, broken string // a member that such an answer must have
}

func vendorCases() []vendorCase {
	return []vendorCase{
		{HubSpot(), hsSeed(), "contacts", "g-5", "POST", "/crm/v3/objects/contacts/batch/upsert", `{"inputs":[{"idProperty":"touchstone_id","id":"g-5","properties":{"lastname":"X"}}]}`, "/crm/v3/objects/contacts", "policyName", "message"},
		{Zendesk(), zdSeed(), "users", "g-5", "POST", "/api/v2/users/create_or_update.json", `{"user":{"external_id":"g-5","name":"X"}}`, "/api/v2/users.json", "description", "error"},
	}
}

// TestVendorFaults: what each fault does to a write, as the client sees it and
// as the log has it.
func TestVendorFaults(t *testing.T) {
	tests := []struct {
		fault   Fault
		status  int // 0: no answer
		applied int
		member  func(vendorCase) string
	}{
		{Fault{Kind: TooMany, RetryAfter: "7"}, 429, 0, func(v vendorCase) string { return v.tooMany }},
		{Fault{Kind: Unavailable}, 503, 0, nil},
		{Fault{Kind: ErrorBody}, 200, 0, func(v vendorCase) string { return v.broken }},
		{Fault{Kind: ApplyThen500}, 500, 1, func(v vendorCase) string { return v.broken }},
		{Fault{Kind: ApplyThenTimeout}, 0, 1, nil},
		{Fault{Kind: CutBody}, -1, 1, nil},
		{Fault{Kind: Duplicate}, 200, 2, nil},
	}
	for _, v := range vendorCases() {
		for _, tt := range tests {
			g := openVendor(t, v.profile, v.seed)
			tt.fault.Next = 1
			g.faults(tt.fault)
			r := g.do(v.method, v.create, v.body)
			switch {
			case tt.status == 0 && r.err == nil, tt.status == -1 && r.err == nil && json.Valid([]byte(r.raw)):
				t.Errorf("%s under %s: answered %d %s, want the connection cut", v.profile.Name, tt.fault.Kind, r.status, r.raw)
			case tt.status > 0 && r.status != tt.status && (tt.status != 200 || r.status != 201):
				t.Errorf("%s under %s: status %d, want %d: %s", v.profile.Name, tt.fault.Kind, r.status, tt.status, r.raw)
			case tt.member != nil && r.at(tt.member(v)) == nil:
				t.Errorf("%s under %s: answer %s has no %s", v.profile.Name, tt.fault.Kind, r.raw, tt.member(v))
			case tt.fault.RetryAfter != "" && r.header.Get("Retry-After") != tt.fault.RetryAfter:
				t.Errorf("%s under %s: Retry-After %q, want %q", v.profile.Name, tt.fault.Kind, r.header.Get("Retry-After"), tt.fault.RetryAfter)
			}
			if n := len(g.applied()); n != tt.applied {
				t.Errorf("%s under %s: %d writes applied, want %d", v.profile.Name, tt.fault.Kind, n, tt.applied)
			}
			before := g.sys.Stats().Objects[v.kind]
			if tt.applied == 0 {
				before++
			}
			if r := g.do(v.method, v.create, v.body); r.status != 200 && r.status != 201 {
				t.Errorf("%s after %s: the same write is answered %d %s", v.profile.Name, tt.fault.Kind, r.status, r.raw)
			}
			if n := g.sys.Stats().Objects[v.kind]; n != before {
				t.Errorf("%s after %s and the same upsert again: %d objects, want %d", v.profile.Name, tt.fault.Kind, n, before)
			}
		}
	}
}

// TestVendorZombieLandsLate: a write whose sender gave up arrives after others.
func TestVendorZombieLandsLate(t *testing.T) {
	for _, v := range vendorCases() {
		g := openVendor(t, v.profile, v.seed)
		g.faults(Fault{Kind: Zombie, Next: 1, Writes: 1})
		if r := g.do(v.method, v.create, v.body); r.err == nil {
			t.Errorf("%s: a zombie was answered %d", v.profile.Name, r.status)
		}
		other := strings.ReplaceAll(v.body, "g-5", "g-6")
		if r := g.do(v.method, v.create, other); r.err != nil || r.status > 201 {
			t.Errorf("%s: %d %v %s", v.profile.Name, r.status, r.err, r.raw)
		}
		log := g.applied()
		if len(log) != 2 || log[0].ExternalID != "g-6" || log[1].ExternalID != "g-5" || log[1].Fault != string(Zombie) {
			t.Errorf("%s: the log is %+v, want g-6, then the zombie g-5", v.profile.Name, log)
		}
	}
}

// TestVendorStateIsItsLog: a system opened anew over its log is what it was.
func TestVendorStateIsItsLog(t *testing.T) {
	made, err := Synthetic(30, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vendorCases() {
		seed := made.HubSpot
		if v.profile.Name == "zendesk" {
			seed = made.Zendesk
		}
		dir := t.TempDir()
		g := openVendorIn(t, dir, v.profile, seed)
		for i := range 5 {
			if r := g.do(v.method, v.create, strings.ReplaceAll(v.body, "g-5", fmt.Sprintf("g-%d", i))); r.status > 201 {
				t.Fatalf("%s: %d %s", v.profile.Name, r.status, r.raw)
			}
		}
		switch v.profile.Name {
		case "hubspot":
			g.must(200, "POST", "/crm/v3/objects/companies/merge", `{"primaryObjectId":"701001","objectIdToMerge":"701002"}`)
			g.must(200, "PUT", "/crm/v4/objects/contacts/501001/associations/default/companies/701003", "")
			g.must(200, "PATCH", "/crm/v3/objects/contacts/501001", `{"properties":{"phone":""}}`)
		case "zendesk":
			g.must(200, "PUT", "/api/v2/users/2601001/merge", `{"user":{"id":2601002}}`)
			g.must(200, "POST", "/api/v2/users/create_many", `{"users":[{"name":"One"}]}`)
			g.must(200, "GET", "/api/v2/users", "")
		}
		g.do("POST", "/_admin/edit", `{"object":"`+v.kind+`","id":"`+firstOf(g, v.kind)+`","delete":true}`)
		want, err := g.sys.State()
		if err != nil {
			t.Fatal(err)
		}
		if err := g.sys.Close(); err != nil {
			t.Fatal(err)
		}
		again := openVendorIn(t, dir, v.profile, seed)
		got, err := again.sys.State()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: opened anew, the state is\n%s\nwant\n%s", v.profile.Name, got, want)
		}
	}
}

// firstOf gives the id of the first live object.
func firstOf(g *vendorRig, kind string) string {
	g.sys.mu.Lock()
	defer g.sys.mu.Unlock()
	for _, it := range g.sys.objects[kind].byIDs() {
		if !it.deleted {
			return it.id
		}
	}
	return ""
}

func TestAdminMergesAndCounts(t *testing.T) {
	g := openVendor(t, HubSpot(), hsSeed())
	g.must(200, "POST", "/_admin/merge", `{"object":"contacts","winner":"501001","loser":"501002"}`)
	g.must(404, "POST", "/_admin/merge", `{"object":"contacts","winner":"501001","loser":"501002"}`)
	g.must(200, "PATCH", "/crm/v3/objects/contacts/501001", `{"properties":{"lastname":"King"}}`)
	g.must(200, "PATCH", "/crm/v3/objects/contacts/501001", `{"properties":{"lastname":"King"}}`)
	r := g.must(200, "GET", "/_admin/counters", "")
	got := fmt.Sprint(r.str("objects/0/id"), " ", r.str("objects/0/updated"), " ", r.str("objects/0/unchanged"), " ", r.str("objects/0/human"), " ", r.len("doubled"))
	if want := "501001 1 1 1 1"; got != want {
		t.Errorf("counters are %s, want %s: %s", got, want, r.raw)
	}
	g.must(200, "PUT", "/_admin/settings", `{"lag_ms":1000,"limits":[{"name":"DAILY","requests":1,"seconds":10}]}`)
	g.must(200, "GET", hsC, "")
	g.must(429, "GET", hsC, "")
	for _, bad := range []string{`{"limits":[{"requests":0,"seconds":1}]}`, `{"lag_ms":-1}`} {
		g.must(422, "PUT", "/_admin/settings", bad)
	}
	g.must(400, "PUT", "/_admin/settings", `{"nonsense":1}`)
}

func TestSyntheticIsTheSameEachTime(t *testing.T) {
	a, err := Synthetic(60, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Synthetic(60, 1)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Synthetic(60, 2)
	if err != nil {
		t.Fatal(err)
	}
	if a.HubSpot.hash() != b.HubSpot.hash() || a.Zendesk.hash() != b.Zendesk.hash() || a.GLEIF.hash() != b.GLEIF.hash() {
		t.Error("the same numbers give other customers")
	}
	if a.HubSpot.hash() == other.HubSpot.hash() {
		t.Error("another salt gives the same customers")
	}
	in := map[string]map[string]bool{}
	for _, l := range a.Truth {
		if in[l.Customer] == nil {
			in[l.Customer] = map[string]bool{}
		}
		in[l.Customer][l.System] = true
	}
	shared := 0
	for _, systems := range in {
		if len(systems) > 1 {
			shared++
		}
	}
	if len(in) != 120 || shared < 80 {
		t.Errorf("%d customers, %d of them in several systems; want 120 and at least 80", len(in), shared)
	}
	for _, n := range []int{0, -1, MostCustomers + 1} {
		if _, err := Synthetic(n, 1); err == nil {
			t.Errorf("Synthetic(%d) makes customers, want an error", n)
		}
	}
}
