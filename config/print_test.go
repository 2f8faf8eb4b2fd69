package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xeipuuv/gojsonschema"
	"gopkg.in/yaml.v3"
)

// places are left out when configurations are compared: a printed one has others.
func samePlaces() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b Node) bool { return true }),
		cmp.Comparer(func(a, b Block) bool { return a.IsZero() == b.IsZero() }),
	}
}

func TestPrintParsesToTheSame(t *testing.T) {
	y, _ := Sample()
	for _, src := range []string{string(y), small, `
store: {postgres: "${env:TOKEN}"}
sources:
  erp:
    type: rest
    was: [old, 旧]
    where: 'record.x == "a: b # c" && true'
    base_url: https://user:canary@crm.example.com
    auth: {type: bearer, token: "${env:TOKEN}"}
    headers: {Authorization: "Bearer canary12345"}
    query: &q {limit: "100", n: 100, on: "true"}
    more: {<<: *q, extra: [1, null, ~, "null"]}
    entities:
      person: {relations: {employer: {to: site, id: record.c}}, id: 12, deleted: "true", volatile: [/a], map: {phones: [record.a, {value: record.b}], address: {line: record.l}, title: "'是'"}}
      site: {map: {any: record.x}, stream: s}
      site2: {map: {any: 'lookup("t", record.x)'}, relations: {parent: {to: site, source: erp, id: record.p, share: record.s}}}
    events:
      order: {id: record.id, of: {entity: person, id: record.who}, at: record.at, map: {payload: {a: record.a}, x: [record.y]}}
      call: {stream: calls, id: record.id, of: [{entity: person, id: record.a}, {entity: site, id: record.b, source: erp}], at: record.at, volatile: [/x]}
tables: {t: {a: b, "1": 2, 软件: software}}
entities: {site2: {schema: site.json}, site: {schema: site.json, match: {link: 12.5%, review: 0}}, person: {survive: {phone: [union]}}}
targets:
  erp: {entity: person, policy: create_only, map: {a.b: golden.title}, references: {org: {relation: employer, value: number(id)}}, brake: 0%, approve: auto}
`} {
		first := mustParse(t, src)
		printed := string(Print(first))
		if strings.Contains(printed, "canary") {
			t.Errorf("a secret is printed:\n%s", printed)
		}
		second, err := Parse("dir/printed.yaml", []byte(printed), Options{NoSecrets: true})
		if err != nil {
			t.Errorf("printed configuration does not parse:\n%v\n%s", err, printed)
			continue
		}
		if again := string(Print(second)); again != printed {
			t.Errorf("printed twice differs:\n%s\n%s", printed, again)
		}
		first.Store.Postgres, second.Store.Postgres = Secret{}, Secret{}
		first.Warnings, second.Warnings = nil, nil
		if diff := cmp.Diff(first, second, samePlaces()); diff != "" {
			t.Errorf("printed and parsed again (-first +second):\n%s\n%s", diff, printed)
		}
	}
}

func TestPrintShowsDefaults(t *testing.T) {
	got := string(Print(mustParse(t, small)))
	want := `store:
  path: touchstone.db
  memory: 256MiB
server:
  listen: 127.0.0.1:8480
  oidc:
    name: single sign-on
    claim: groups
  session:
    idle: 8h
    absolute: 7d
log:
  format: text
  level: info
alert:
  stale: 1d
  waiting: 10000
  quarantine: 1000
  held: 1h
  disk: 1GiB
  repeat: 4h
level:
  fresh: 15m
  delivered: 15m
  goal: 0.99
trace:
  sample: 0.1
  propagate: false
review:
  value: events
  loss:
    apart: 0.05
    system: 10
  minutes: 40
  bulk:
    most: 2000
    pace: 20
sources:
  erp:
    type: file
    every: 5m
    deletes:
      missing: delete
      grace: 1d
      brake: 0.1
    entities:
      company:
        id: record.id
        map:
          name: record.name
    path: erp.csv
entities:
  company:
    schema: company
    match:
      link: 0.95
      review: 0.6
    source_rank:
      - erp
    brake: 0.1
  person:
    schema: person
    match:
      link: 0.95
      review: 0.6
    source_rank:
      - erp
    brake: 0.1
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestPrintHidesWhatADecodedBlockCallsSecret(t *testing.T) {
	cfg := mustParse(t, rest("    base_url: https://crm.example.com\n    auth: {type: bearer, token: canary}\n    pin: canary\n    page_token: body.next\n"))
	var o struct {
		restOptions `yaml:",inline"`
		Pin         Secret `yaml:"pin"`
		Page        Expr   `yaml:"page_token"`
	}
	if err := cfg.Sources[0].Options.Decode(&o); err != nil {
		t.Fatal(err)
	}
	got := string(Print(cfg))
	if strings.Contains(got, "canary") || !strings.Contains(got, "pin: <secret>") || !strings.Contains(got, "page_token: body.next") {
		t.Errorf("want pin and token hidden, page_token shown:\n%s", got)
	}
}

func TestSampleIsCleanAndFullyUsable(t *testing.T) {
	y, csv := Sample()
	cfg, err := Parse("touchstone.yaml", y, Options{})
	if err != nil || len(cfg.Warnings) > 0 {
		t.Fatalf("sample: %v, warnings %v", err, cfg)
	}
	checkColumns(t, "sample", cfg.Sources[0], strings.Split(strings.SplitN(string(csv), "\n", 2)[0], ","))

	// The commented part must be right too: without the # it parses.
	var live strings.Builder
	for l := range strings.Lines(string(y)) {
		if t, ok := strings.CutPrefix(l, "#"); ok && (strings.HasPrefix(t, "  ") || strings.HasPrefix(t, "entities:") || strings.HasPrefix(t, "targets:") || strings.HasPrefix(t, "trace:")) {
			l = t
		}
		live.WriteString(l)
	}
	cfg, err = Parse("touchstone.yaml", []byte(live.String()), Options{Env: func(string) (string, bool) { return "x", true }})
	if err != nil {
		t.Fatalf("sample without comment marks:\n%v", err)
	}
	if len(cfg.Sources) != 3 || len(cfg.Targets) != 1 || cfg.Trace.Endpoint == "" || len(cfg.Warnings) != 0 {
		t.Errorf("sample without comment marks has %d sources, %d targets, warnings %v; want 3, 1, none", len(cfg.Sources), len(cfg.Targets), cfg.Warnings)
	}
}

func TestSchemaAgreesWithTheWalker(t *testing.T) {
	schema, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(Schema()))
	if err != nil {
		t.Fatalf("schema: %v", err)
	}
	y, _ := Sample()
	files, err := os.ReadFile("../docs/examples/files.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, src string
		ok        bool
	}{
		{"sample", string(y), true},
		{"example", string(files), true},
		{"small", small, true},
		{"printed", string(Print(mustParse(t, small+"targets: {erp: {entity: company, owns: [name], brake: 5%}}\n"))), true},
		{"connector's own key", strings.Replace(small, "path:", "anything:", 1), true},
		{"misspelt key at the top", strings.Replace(small, "sources", "sorces", 1), false},
		{"misspelt key in store", small + "store: {pth: x}\n", false},
		{"misspelt key in a target", small + "targets: {erp: {entity: company, own: [name]}}\n", false},
		{"wrong type", strings.Replace(small, "id: record.id", "id: [record.id]", 1), false},
		{"unknown type", strings.Replace(small, "type: file", "type: ftp", 1), false},
		{"unknown strategy", small + "entities: {company: {survive: {name: [newest]}}}\n", false},
		{"bad duration", strings.Replace(small, "type: file", "type: file\n    every: 5 minutes", 1), false},
		{"bad share", small + "targets: {erp: {entity: company, owns: [name], brake: 500%x}}\n", false},
		{"no entities", "sources: {a: {type: file}}\n", false},
	} {
		var doc any
		if err := yaml.Unmarshal([]byte(tt.src), &doc); err != nil {
			t.Fatal(err)
		}
		res, err := schema.Validate(gojsonschema.NewGoLoader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if res.Valid() != tt.ok {
			t.Errorf("%s: schema says valid %v (%v), want %v", tt.name, res.Valid(), res.Errors(), tt.ok)
		}
		if _, err := Parse("f", []byte(tt.src), Options{}); (err == nil) != tt.ok {
			t.Errorf("%s: walker says %v, want valid %v", tt.name, err, tt.ok)
		}
	}
}

func TestReferenceIsFresh(t *testing.T) {
	const path = "../docs/config.md"
	if *update {
		if err := os.WriteFile(path, Reference(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(Reference()), string(got)); diff != "" {
		t.Errorf("%s is stale; go test ./config -update rewrites it (-want +got):\n%s", path, diff)
	}
	for _, word := range []string{"`every`", "`brake`", "most_frequent", "birth_date", "update_only"} {
		if !strings.Contains(string(got), word) {
			t.Errorf("%s does not mention %s", path, word)
		}
	}
}
