package demo

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/connectors/file"
	"touchstone/connectors/rest"
	"touchstone/internal/env"
	"touchstone/internal/expr"
	"touchstone/internal/httpx"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
)

// serve starts both simulators and gives the demo's configuration for them.
func serve(t *testing.T) *config.Config {
	t.Helper()
	crm, desk, err := Seeds()
	if err != nil {
		t.Fatal(err)
	}
	at := func(p simulator.Profile, seed simulator.Seed) string {
		s, err := simulator.Open(t.TempDir(), p, seed)
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(s.Handler())
		t.Cleanup(func() {
			srv.Close()
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		return srv.URL
	}
	cfg, err := config.Parse("touchstone.yaml", Config("", Systems{at(simulator.CRM(), crm), at(simulator.Desk(), desk)}), config.Options{})
	if err != nil {
		t.Fatalf("the demo's configuration: %v", err)
	}
	return cfg
}

// TestDemoIsPulledAndMapped pulls every stream of the demo with the real
// connectors and runs every mapping over every good record.
func TestDemoIsPulledAndMapped(t *testing.T) {
	bad, dir := badIDs(t), t.TempDir()
	if err := WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"crm company": 316, "crm person": 261, "desk company": 178, "desk person": 149,
		"registry company": 118 + 5, "register person": 97 + 1,
	}
	for _, src := range serve(t).Sources {
		client := connector(t, dir, src)
		for _, e := range src.Entities {
			records := pull(t, client, e.Entity)
			if name := src.Name + " " + e.Entity; len(records) != want[name] {
				t.Errorf("%s: %d records pulled, want %d", name, len(records), want[name])
			}
			good := records[:0]
			for _, r := range records {
				if r.ID == "" && r.Problem == "" { // a file's ids are the configuration's to find
					r.ID = run(t, e.ID.Text, r)
				}
				if r.Problem == "" && !bad[src.Name+" "+r.ID] {
					good = append(good, r)
				}
			}
			for _, named := range e.Map {
				for _, p := range programs(t, named.Value) {
					for _, r := range good {
						if _, err := p.Run(map[string]any{"record": decoded(t, r)}); err != nil {
							t.Errorf("%s %s %s: %v", src.Name, r.ID, named.Name, err)
						}
					}
				}
			}
		}
	}
}

// connector opens a source as the daemon does.
func connector(t *testing.T, dir string, src config.Source) connectors.Puller {
	t.Helper()
	if src.Type == "file" {
		var opts file.Options
		if err := src.Options.Decode(&opts); err != nil {
			t.Fatalf("%s: %v", src.Name, err)
		}
		client, err := file.Open(dir, opts)
		if err != nil {
			t.Fatalf("%s: %v", src.Name, err)
		}
		t.Cleanup(func() {
			if err := client.Close(); err != nil {
				t.Errorf("%s: Close: %v", src.Name, err)
			}
		})
		return client
	}
	opts, err := rest.Decode(src.Options)
	if err != nil {
		t.Fatalf("%s: %v", src.Name, err)
	}
	web, err := httpx.New(env.Real(), opts.HTTP())
	if err != nil {
		t.Fatalf("%s: %v", src.Name, err)
	}
	client, err := rest.Open(src.Name, opts, web)
	if err != nil {
		t.Fatalf("%s: %v", src.Name, err)
	}
	return client
}

// run gives an expression's text for one record.
func run(t *testing.T, text string, r record.Raw) string {
	t.Helper()
	p, err := expr.Compile(text, map[string]any{"record": nil}, expr.Text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	v, err := p.Run(map[string]any{"record": decoded(t, r)})
	if err != nil {
		t.Fatalf("%s: %v", r.Place, err)
	}
	s, _ := v.(string)
	return s
}

func pull(t *testing.T, client connectors.Puller, stream string) []record.Raw {
	t.Helper()
	var all []record.Raw
	var cursor []byte
	for range 50 {
		page, err := client.Pull(t.Context(), stream, cursor)
		if err != nil {
			t.Fatalf("pull %s: %v", stream, err)
		}
		all = append(all, page.Records...)
		if cursor = page.Cursor; !page.More {
			return all
		}
	}
	t.Fatalf("pull %s: no end after 50 pages", stream)
	return nil
}

func decoded(t *testing.T, r record.Raw) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(r.Data)))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%s: %v", r.ID, err)
	}
	return m
}

// programs compiles every expression of a mapping.
func programs(t *testing.T, v config.MapValue) []*expr.Program {
	t.Helper()
	var list []*expr.Program
	if !v.Expr.IsZero() {
		p, err := expr.Compile(v.Expr.Text, map[string]any{"record": nil}, expr.Any)
		if err != nil {
			t.Fatalf("%s: %v", v.Expr.Text, err)
		}
		list = append(list, p)
	}
	for _, part := range v.Parts {
		list = append(list, programs(t, part.Value)...)
	}
	for _, item := range v.Items {
		list = append(list, programs(t, item)...)
	}
	return list
}

// TestTargetMapsBearPoorRecords: a golden record with nothing in it must give
// no value, and no error.
func TestTargetMapsBearPoorRecords(t *testing.T) {
	rich := map[string]any{
		"name": "A", "website": "a.example", "country": "GB", "owner": "Grace Okafor",
		"phones": []any{map[string]any{"value": "+441"}}, "emails": []any{map[string]any{"value": "a@example.com"}},
		"addresses": []any{map[string]any{"line": "1", "city": "Bath", "region": "Avon", "postcode": "B1", "country": "GB"}},
	}
	poor := []map[string]any{{}, {"phones": []any{}, "emails": []any{}, "addresses": []any{}}, {"addresses": []any{map[string]any{}}}}
	for _, target := range serve(t).Targets {
		for _, named := range target.Map {
			p, err := expr.Compile(named.Value.Expr.Text, map[string]any{"golden": nil}, expr.Any)
			if err != nil {
				t.Errorf("target %s %s: %v", target.Name, named.Name, err)
				continue
			}
			if v, err := p.Run(map[string]any{"golden": rich}); err != nil || fmt.Sprint(v) == "<nil>" {
				t.Errorf("target %s %s of a full record = %v, %v; want a value", target.Name, named.Name, v, err)
			}
			for _, g := range poor {
				if v, err := p.Run(map[string]any{"golden": g}); err != nil || v != nil {
					t.Errorf("target %s %s of %v = %v, %v; want nothing", target.Name, named.Name, g, v, err)
				}
			}
		}
	}
}
