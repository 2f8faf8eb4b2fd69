package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/connectors/all"
	"touchstone/internal/env"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
)

// vendor answers with recorded replies and keeps a log of what it was asked.
type vendor struct {
	*httptest.Server
	mu  sync.Mutex
	log []string
}

// playback serves recorded replies: METHOD path?query (or its beginning) →
// status and file. An empty file is a reply without content worth the name.
func playback(t *testing.T, replies map[string]string) *vendor {
	t.Helper()
	v := &vendor{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked := r.Method + " " + r.URL.RequestURI()
		v.mu.Lock()
		v.log = append(v.log, asked+" "+string(body))
		v.mu.Unlock()
		best := ""
		for k := range replies {
			if strings.HasPrefix(asked+" "+string(body), k) && len(k) > len(best) {
				best = k
			}
		}
		status, name := 404, ""
		if best != "" {
			if _, err := fmt.Sscan(replies[best], &status, &name); err != nil {
				t.Errorf("reply %q: %v", replies[best], err)
			}
		}
		text := `{"results":[],"users":[],"deleted_users":[],"organizations":[],"end_of_stream":true}`
		if name != "" && name != "-" {
			b, err := os.ReadFile(filepath.Join("testdata", "presets", name+".json"))
			if err != nil {
				t.Error(err)
			}
			text = strings.ReplaceAll(string(b), "https://acme.example.com", v.URL)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(v.Close)
	return v
}

// presetSource opens a source of a preset that speaks to a recorded vendor.
func presetSource(t *testing.T, preset, baseURL, more, token string) (config.Source, connectors.Puller) {
	t.Helper()
	text := fmt.Sprintf("sources:\n  s:\n    preset: %s\n    base_url: %s\n    auth: {token: \"${env:T}\"}\n%s", preset, baseURL, more)
	world := env.Real()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(tr.CloseIdleConnections)
	world.HTTP = tr
	deps := all.Deps{Env: world, Log: slog.New(slog.DiscardHandler)}
	cfg, err := config.Parse("t.yaml", []byte(text), config.Options{Connectors: all.Checks(deps), Env: func(string) (string, bool) { return token, true }})
	if err != nil {
		t.Fatal(err)
	}
	c, err := all.Open(cfg.Sources[0], deps)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Sources[0], c
}

// mapped pulls a whole pass and gives what the mapping makes of each record.
func mapped(t *testing.T, src config.Source, c connectors.Puller, entity string) (out []string) {
	t.Helper()
	var m *pipeline.Mapper
	for _, e := range src.Entities {
		if e.Entity == entity {
			var problems []config.Problem
			if m, problems = pipeline.NewMapper(src, e); len(problems) > 0 {
				t.Fatal(problems)
			}
		}
	}
	var cursor []byte
	for n := 0; n < 20; n++ {
		p, err := c.Pull(t.Context(), entity, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			obj, err := record.DecodeObject(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			id, bad := m.Identify(obj, r)
			fields, more := m.Map(obj)
			if len(bad)+len(more) > 0 || r.Problem != "" {
				t.Errorf("%s: %v %v %s", r.ID, bad, more, r.Problem)
			}
			for name, v := range fields {
				if v.Blank() {
					delete(fields, name)
				}
			}
			out = append(out, fmt.Sprintf("%s %s deleted=%v keep=%v %s", id.ID, id.Stamp.Format("2006-01-02T15:04:05Z"), id.Deleted, id.Keep, fields.AppendJSON(nil)))
		}
		if cursor = p.Cursor; !p.More {
			return out
		}
	}
	t.Fatal("the pass did not end")
	return nil
}

func TestRecordedRepliesGoThroughThePresets(t *testing.T) {
	tests := []struct {
		name, preset, base, entity, more string
		replies                          map[string]string
		want                             []string
	}{
		{
			"HubSpot contacts", "hubspot", "", "person", "",
			map[string]string{
				"POST /crm/v3/objects/contacts/search":                       "200 hubspot-search-contacts-1-first-page",
				`POST /crm/v3/objects/contacts/search {"after":"54","filter`: "200 hubspot-search-contacts-2-second-page",
				"GET /crm/v3/objects/contacts?archived=true":                 "200 -",
			},
			[]string{
				`501 2025-01-27T19:53:15Z deleted=false keep=true {"emails":[{"value":"johnnie77@example.com"}],"family_name":"Heller","given_name":"Johnnie"}`,
				`103107104018 2025-03-01T19:26:12Z deleted=false keep=true {"emails":[{"value":"kaseyweissnat@example.com"}],"family_name":"Conroy","given_name":"Johnnie","phones":[{"kind":"work","value":"9199767082"}]}`,
			},
		},
		{
			"Zendesk users", "zendesk", "/api/v2", "person", "",
			map[string]string{
				"GET /api/v2/incremental/users/cursor.json?":  "200 zendesk-users-1-first-page",
				"GET /api/v2/incremental/users/cursor?cursor": "200 zendesk-users-2-last-page",
				"GET /api/v2/deleted_users.json":              "200 -",
			},
			[]string{
				`26363597354387 2024-02-15T16:23:08Z deleted=false keep=true {"emails":[{"value":"customer@example.com"}],"full_name":"The Customer"}`,
				`22883624375167 2025-02-21T22:53:40Z deleted=false keep=false {"emails":[{"value":"admin@example.com"}],"full_name":"TEST USER"}`,
			},
		},
		{
			"Zendesk organizations", "zendesk", "/api/v2", "company", "",
			map[string]string{
				"GET /api/v2/incremental/organizations.json": "200 zendesk-organizations",
			},
			[]string{`26363643450387 2024-02-15T16:23:04Z deleted=false keep=true {"name":"Ampersand"}`},
		},
		{
			"GLEIF records", "gleif", "/api/v1", "company", "    streams: {company: {list: {query: {\"filter[entity.legalAddress.country]\": GB}}}}\n",
			map[string]string{
				"GET /api/v1/lei-records?filter%5Bentity.legalAddress.country%5D=GB&page%5Bnumber%5D=1&page%5Bsize%5D=200": "200 gleif-lei-records",
			},
			[]string{
				`254900MSZM6DMP853B11 2025-03-07T07:09:19Z deleted=false keep=true {"addresses":[{"city":"Markham","country":"CA","kind":"legal","line":"445 Apple Creek Blvd., Suite 220","postcode":"L3R 9X7","region":"CA-ON"},{"city":"Markham","country":"CA","kind":"headquarters","line":"445 Apple Creek Blvd., Suite 220","postcode":"L3R 9X7","region":"CA-ON"}],"country":"CA","founded":{"date":"2008-03-28"},"ids":[{"scheme":"lei","value":"254900MSZM6DMP853B11"},{"issuer":"RA000079","scheme":"registry","value":"2167978"}],"legal_name":"ROCA NETWORKS INC.","name":"ROCA NETWORKS INC.","status":"active"}`,
				`21380068P1DRHMJ8KU70 2025-05-06T15:51:56Z deleted=false keep=true {"addresses":[{"city":"LONDON","country":"GB","kind":"legal","line":"SHELL CENTRE","postcode":"SE1 7NA","region":"GB-LND"},{"city":"LONDON","country":"GB","kind":"headquarters","line":"SHELL CENTRE","postcode":"SE1 7NA","region":"GB-LND"}],"aliases":[{"value":"ROYAL DUTCH SHELL PLC"}],"country":"GB","founded":{"date":"2002-02-05"},"ids":[{"scheme":"lei","value":"21380068P1DRHMJ8KU70"},{"issuer":"RA000585","scheme":"registry","value":"04366849"}],"legal_name":"SHELL PLC","name":"SHELL PLC","status":"active"}`,
				`529900GRZ2BQY5ZM9N49 2024-08-28T10:36:27Z deleted=false keep=true {"addresses":[{"city":"Herzogenaurach","country":"DE","kind":"legal","line":"PUMA Way 1","postcode":"91074","region":"DE-BY"},{"city":"Herzogenaurach","country":"DE","kind":"headquarters","line":"PUMA Way 1","postcode":"91074","region":"DE-BY"}],"country":"DE","founded":{"date":"2011-07-24"},"ids":[{"scheme":"lei","value":"529900GRZ2BQY5ZM9N49"},{"issuer":"RA000247","scheme":"registry","value":"HRB 13085"}],"legal_name":"PUMA SE","name":"PUMA SE","status":"active"}`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := playback(t, tt.replies)
			src, c := presetSource(t, tt.preset, v.URL+tt.base, tt.more, "t")
			if diff := cmp.Diff(tt.want, mapped(t, src, c, tt.entity)); diff != "" {
				t.Errorf("records (-want +got):\n%s\nasked:\n%s", diff, strings.Join(v.log, "\n"))
			}
		})
	}
}

func TestRecordedRefusalsOfHubSpotBlameTheRightChange(t *testing.T) {
	change := func(op record.Op, id string) record.Change {
		return record.Change{Row: "r" + id, Entity: "person", Op: op, ExternalID: id, Key: "k", Fields: map[string]any{"properties.firstname": "Siena", "properties.n": nil}}
	}
	two := []record.Change{change(record.Update, "171591000199"), change(record.Update, "unknownIdentifier888")}
	tests := []struct {
		name     string
		replies  map[string]string
		changes  []record.Change
		want     []string
		requests int
	}{
		{
			"a batch that was taken in part",
			map[string]string{"POST /crm/v3/objects/contacts/batch/update": "207 hubspot-batch-update-contacts-err-partial-success"},
			two,
			[]string{"applied 171591000199", "rejected unknownIdentifier888"},
			1,
		},
		{
			"a batch that was refused whole", map[string]string{
				"POST /crm/v3/objects/contacts/batch/update": "400 hubspot-batch-update-contacts-err-many-invalid-properties",
			}, two, []string{"rejected ", "rejected "}, 3,
		},
		{
			"a contact that is there",
			map[string]string{"POST /crm/v3/objects/contacts": "409 hubspot-batch-create-contacts-err-conflict"},
			[]record.Change{change(record.Create, "")},
			[]string{"conflict "},
			1,
		},
	}
	for _, tt := range tests {
		v := playback(t, tt.replies)
		_, c := presetSource(t, "hubspot", v.URL, "", "t")
		pusher, ok := c.(connectors.Pusher)
		if !ok {
			t.Fatalf("%T cannot push", c)
		}
		results, err := pusher.Push(context.Background(), tt.changes)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			got = append(got, fmt.Sprintf("%s %s", r.Outcome, r.ExternalID))
			if r.Outcome == connectors.Rejected && !errors.Is(r.Err, connectors.ErrRejected) {
				t.Errorf("%s: %v", tt.name, r.Err)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || len(v.log) != tt.requests {
			t.Errorf("%s: %d requests, want %d (-want +got):\n%s\n%v", tt.name, len(v.log), tt.requests, diff, results)
		}
	}
}
