package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
)

// vendorSystem starts a simulated vendor with n objects.
func vendorSystem(t *testing.T, p simulator.Profile, kind string, n int, object string, st simulator.Settings) (*simulator.System, string) {
	t.Helper()
	seed := simulator.Seed{kind: {}}
	for i := 1; i <= n; i++ {
		seed[kind] = append(seed[kind], json.RawMessage(strings.ReplaceAll(object, "N", fmt.Sprint(1000+i))))
	}
	sys, err := simulator.Open(t.TempDir(), p, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.SetSettings(st); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sys.Handler())
	t.Cleanup(func() {
		srv.Close()
		if err := sys.Close(); err != nil {
			t.Error(err)
		}
	})
	return sys, srv.URL
}

// wholePass pulls until the pass ends: id → deleted.
func wholePass(t *testing.T, c connectors.Puller, stream string, cursor []byte) (map[string]bool, []byte) {
	t.Helper()
	got := map[string]bool{}
	for range 200 {
		p, err := c.Pull(t.Context(), stream, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			if r.Problem != "" {
				t.Errorf("%s: %s", r.Place, r.Problem)
			}
			got[r.ID] = r.Deleted
		}
		if cursor = p.Cursor; !p.More {
			return got, cursor
		}
	}
	t.Fatal("the pass did not end")
	return nil, nil
}

func pushed(t *testing.T, c connectors.Puller, changes ...record.Change) (out []string) {
	t.Helper()
	p, ok := c.(connectors.Pusher)
	if !ok {
		t.Fatalf("%T cannot push", c)
	}
	results, err := p.Push(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		out = append(out, fmt.Sprintf("%s %s", r.Outcome, r.ExternalID))
		if r.Outcome == connectors.Unknown {
			t.Log(r.Err)
		}
	}
	return out
}

func TestTheHubSpotPresetSpeaksToItsSimulator(t *testing.T) {
	const n = 53
	_, url := vendorSystem(t, simulator.HubSpot(), "contacts", n,
		`{"id":"50N","updated_at":"2025-11-01T10:00:00Z","properties":{"email":"pN@example.com","lastname":"PN"}}`, simulator.Settings{ResultCap: 20})
	_, c := presetSource(t, "hubspot", url, "    requester: {limits: null}\n    streams: {person: {list: {body: {limit: 5}}, paginator: {restart: {max_results: 20}}}}\n", simulator.HubSpotToken)
	got, cursor := wholePass(t, c, "person", nil)
	if len(got) != n {
		t.Errorf("%d of %d contacts with one stamp came past the cap", len(got), n)
	}
	set := func(op record.Op, id, name, value string) record.Change {
		return record.Change{Row: "r", Entity: "person", Op: op, ExternalID: id, Fields: map[string]any{"properties." + name: value}}
	}
	results := pushed(t, c, set(record.Update, "501001", "phone", "1"), set(record.Update, "509999", "phone", "2"), set(record.Update, "501002", "phone", "3"), set(record.Create, "", "email", "p1003@example.com"))
	if diff := cmp.Diff([]string{"applied 501001", "rejected 509999", "applied 501002", "exists 501003"}, results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	got, _ = wholePass(t, c, "person", cursor)
	if d, there := got["501001"]; !there || d {
		t.Errorf("the second pass gave %v, want what was written in it", got)
	}
}

func TestTheZendeskPresetSpeaksToItsSimulator(t *testing.T) {
	_, url := vendorSystem(t, simulator.Zendesk(), "users", 7,
		`{"id":"260N","updated_at":"2025-11-01T10:00:00Z","name":"P N","email":"pN@example.com","role":"end-user"}`, simulator.Settings{PageMax: 3, JobSteps: 1})
	_, c := presetSource(t, "zendesk", url+"/api/v2",
		"    requester: {limits: null}\n    streams: {person: {update: {batch: {job: {every: 10ms}}}, upsert: {batch: {job: {every: 10ms}}}}}\n", simulator.ZendeskToken)
	got, cursor := wholePass(t, c, "person", nil)
	if len(got) != 7 {
		t.Errorf("%d of 7 users came: %v", len(got), got)
	}
	set := func(op record.Op, id, key, value string) record.Change {
		return record.Change{Row: "r", Entity: "person", Op: op, ExternalID: id, Key: key, Fields: map[string]any{"phone": value, "name": "New " + value}}
	}
	results := pushed(t, c, set(record.Update, "2601001", "", "1"), set(record.Update, "2601002", "", "2"), set(record.Upsert, "", "g1", "3"), set(record.Upsert, "", "g2", "4"))
	for i, r := range results {
		if !strings.HasPrefix(r, "applied 260") {
			t.Errorf("change %d: %s, want applied with its id", i, r)
		}
	}
	got, _ = wholePass(t, c, "person", cursor)
	if _, there := got["2601001"]; !there || len(got) < 4 {
		t.Errorf("the feed went on with %v, want the four that were written", got)
	}
}

func TestARefusalByZendeskSaysWhatIsWrong(t *testing.T) {
	_, url := vendorSystem(t, simulator.Zendesk(), "organizations", 1, `{"id":"360N","updated_at":"2025-11-01T10:00:00Z","name":"Acme"}`, simulator.Settings{JobSteps: 1})
	_, c := presetSource(t, "zendesk", url+"/api/v2", "    requester: {limits: null}\n    streams: {person: {upsert: {batch: {job: {every: 10ms}}}}}\n", simulator.ZendeskToken)
	p, ok := c.(connectors.Pusher)
	if !ok {
		t.Fatalf("%T cannot push", c)
	}
	upsert := func(entity, key, name string) record.Change {
		return record.Change{Row: key, Entity: entity, Op: record.Upsert, Key: key, Fields: map[string]any{"name": name}}
	}
	results, err := p.Push(t.Context(), []record.Change{upsert("company", "g1", "Acme"), upsert("person", "g2", ""), upsert("person", "g3", "Ada")})
	if err != nil || len(results) != 3 || results[2].Outcome != connectors.Applied {
		t.Fatalf("%+v, %v", results, err)
	}
	for i, want := range []string{"Name: … has already been taken", "UserCreateError: Name: cannot be blank"} {
		if r := results[i]; r.Outcome != connectors.Rejected || !strings.Contains(r.Err.Error(), want) || strings.Contains(r.Err.Error(), "Acme") {
			t.Errorf("change %d: %s: %v; want it rejected with %q and no value of ours", i, r.Outcome, r.Err, want)
		}
	}
}

func TestTheGLEIFPresetSpeaksToItsSimulator(t *testing.T) {
	seed := simulator.Seed{"lei-records": {}}
	for i := 1; i <= 7; i++ {
		seed["lei-records"] = append(seed["lei-records"], json.RawMessage(fmt.Sprintf(`{"id":%q,"updated_at":"2025-11-01T10:00:00Z","name":"Company %d","country":"GB","status":"ACTIVE"}`, simulator.LEI(i), i)))
	}
	sys, err := simulator.Open(t.TempDir(), simulator.GLEIF(), seed)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sys.Handler())
	t.Cleanup(func() { srv.Close(); _ = sys.Close() })
	src, c := presetSource(t, "gleif", srv.URL+"/api/v1", "    streams: {company: {list: {query: {\"page[size]\": \"3\"}}}}\n", "x")
	got := mapped(t, src, c, "company")
	if len(got) != 7 || !strings.Contains(got[0], `"name":"Company `) {
		t.Errorf("%d of 7 records came: %v", len(got), got)
	}
}
