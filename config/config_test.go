package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "rewrite the expected messages and docs/config.md")

// world is what a test's file may look up.
func world() Options {
	files := map[string]string{"dir/token": "from-file\n", "dir/empty": "\n"}
	vars := map[string]string{"TOKEN": "canary-env", "EVERY": "90s", "EMPTY": "", "WORD": "canary-word"}
	return Options{
		Env: func(k string) (string, bool) { v, ok := vars[k]; return v, ok },
		ReadFile: func(p string) ([]byte, error) {
			if s, ok := files[filepath.ToSlash(p)]; ok {
				return []byte(s), nil
			}
			return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
		},
	}
}

const small = `sources:
  erp:
    type: file
    path: erp.csv
    entities:
      company:
        id: record.id
        map: {name: record.name}
`

func mustParse(t *testing.T, src string) *Config {
	t.Helper()
	cfg, err := Parse("dir/touchstone.yaml", []byte(src), world())
	if err != nil {
		t.Fatalf("parse:\n%v", err)
	}
	return cfg
}

// TestEveryMistakeIsFoundAtItsPlace: each file in testdata is named for its
// mistake and stands beside the messages it must give.
func TestEveryMistakeIsFoundAtItsPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("testdata holds %d files (%v), want 30 or more", len(files), err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f) //nolint:gosec // the test's own files
		if err != nil {
			t.Fatal(err)
		}
		opts := world()
		opts.ReadFile = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
		_, err = Parse(filepath.Base(f), src, opts)
		var ps Problems
		if !errors.As(err, &ps) || len(ps) == 0 {
			t.Errorf("%s: got error %v, want Problems", f, err)
			continue
		}
		got := ps.Error() + "\n"
		if strings.Contains(got, "canary") {
			t.Errorf("%s: a secret is shown:\n%s", f, got)
		}
		want := strings.TrimSuffix(f, ".yaml") + ".txt"
		if *update {
			if err := os.WriteFile(want, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(want) //nolint:gosec // the test's own files
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(b), got); diff != "" {
			t.Errorf("%s: messages differ (-want +got):\n%s", f, diff)
		}
	}
}

func TestDefaultsAndOrder(t *testing.T) {
	cfg := mustParse(t, small+`
  crm:
    type: rest
    every: ${env:EVERY}
    base_url: http://127.0.0.1:1
    entities:
      person: {map: {phones: [record.a, {value: record.b, kind: '"work"'}], address: {line: record.l, city: record.c}, title: record.t}}
      company: {map: {name: record.n}}
entities:
  site: {schema: site.json, source_rank: [crm]}
  company: {survive: {phone: [most_recent, longest], name: [source_rank]}}
targets:
  desk: {system: crm, entity: company, owns: [phone]}
`)
	type flat struct {
		Store, Listen, Dir       string
		Sources, Every           []string
		Person                   []string
		Entities, Schemas, Rank  []string
		Link, Review             []Percent
		Survive                  []string
		System, Policy, Approve  string
		Brake                    Percent
		Work, City               string
		OptionsZero, EntityEmpty bool
	}
	got := flat{Store: cfg.Store.Path, Listen: cfg.Server.Listen, Dir: cfg.Dir}
	for _, s := range cfg.Sources {
		got.Sources, got.Every = append(got.Sources, s.Name), append(got.Every, s.Every.String())
	}
	person := cfg.Sources[1].Entities[0]
	for _, m := range person.Map {
		got.Person = append(got.Person, m.Name)
	}
	got.Work, got.City = person.Map[0].Value.Items[1].Parts[1].Value.Expr.Text, person.Map[1].Value.Parts[1].Value.Expr.Text
	for _, e := range cfg.Entities {
		got.Entities, got.Schemas = append(got.Entities, e.Name), append(got.Schemas, e.Schema)
		got.Rank = append(got.Rank, strings.Join(e.SourceRank, " "))
		got.Link, got.Review = append(got.Link, e.Match.Link), append(got.Review, e.Match.Review)
		for _, s := range e.Survive {
			got.Survive = append(got.Survive, s.Field+" "+strings.Join(s.Strategies, " "))
		}
	}
	d := cfg.Targets[0]
	got.System, got.Policy, got.Approve, got.Brake = d.System, d.Policy, d.Approve, d.Brake
	got.OptionsZero, got.EntityEmpty = cfg.Sources[1].Options.IsZero(), person.Options.IsZero()
	want := flat{
		Store: "touchstone.db", Listen: "127.0.0.1:8480", Dir: "dir",
		Sources: []string{"erp", "crm"}, Every: []string{"5m", "1m30s"},
		Person:   []string{"phones", "address", "title"},
		Entities: []string{"site", "company", "person"}, Schemas: []string{"site.json", "company", "person"},
		Rank: []string{"crm erp", "erp crm", "erp crm"},
		Link: []Percent{0.95, 0.95, 0.95}, Review: []Percent{0.6, 0.6, 0.6},
		Survive: []string{"phones most_recent longest", "name source_rank"},
		System:  "crm", Policy: "update_only", Approve: "person", Brake: 0.05,
		Work: `"work"`, City: "record.c", EntityEmpty: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parsed configuration (-want +got):\n%s", diff)
	}
}

type restOptions struct {
	Base   string            `yaml:"base_url" required:"true" format:"url" doc:"the address"`
	Auth   authOptions       `yaml:"auth"`
	Page   int               `yaml:"page_size" default:"50" min:"1" max:"100"`
	Wait   Duration          `yaml:"timeout" default:"30s" min:"1s" max:"5m"`
	Body   Size              `yaml:"max_body" default:"16MiB"`
	Query  map[string]string `yaml:"query"`
	Header *bool             `yaml:"header"`
	Extra  any               `yaml:"extra"`
	At     Node
}

type authOptions struct {
	Type  string `yaml:"type" oneof:"bearer basic"`
	Token Secret `yaml:"token"`
}

func (a authOptions) Check(at Node) []Problem {
	if a.Type == "bearer" && a.Token.IsZero() {
		return []Problem{at.Key("token").Problem("is missing")}
	}
	return nil
}

func rest(lines string) string {
	return "sources:\n  crm:\n    type: rest\n    entities: {company: {map: {name: record.n}}}\n" + lines
}

func TestBlockIsDecodedByTheSameWalker(t *testing.T) {
	cfg := mustParse(t, rest(`    base_url: https://crm.example.com
    auth: {type: bearer, token: "${file:token}"}
    query: {limit: "100"}
    header: false
    max_body: 1MiB
    extra: {a: [1, x, true]}
`))
	var o restOptions
	if err := cfg.Sources[0].Options.Decode(&o); err != nil {
		t.Fatalf("decode:\n%v", err)
	}
	no := false
	want := restOptions{
		Base: "https://crm.example.com", Auth: authOptions{"bearer", NewSecret("from-file")}, Page: 50, Wait: Duration(30 * time.Second),
		Body: 1 << 20, Query: map[string]string{"limit": "100"}, Header: &no,
		Extra: map[string]any{"a": []any{1, "x", true}},
	}
	o.At = Node{}
	if diff := cmp.Diff(want, o, cmp.Comparer(func(a, b Node) bool { return a.IsZero() == b.IsZero() })); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}

	cfg = mustParse(t, rest(`    bse_url: https://crm.example.com
    evry: 5m
    auth: {type: bearer, tokn: canary-typed}
    page_size: 200
    timeout: 10m
    header: "no"
`))
	err := cfg.Sources[0].Options.Decode(&restOptions{})
	got := fmt.Sprint(err)
	want2 := `dir/touchstone.yaml:5:5: sources.crm.bse_url: unknown key "bse_url"; did you mean "base_url"?
    ` + `    bse_url: https://crm.example.com
        ^
dir/touchstone.yaml:6:5: sources.crm.evry: unknown key "evry"; did you mean "every"?
        evry: 5m
        ^
dir/touchstone.yaml:7:26: sources.crm.auth.tokn: unknown key "tokn"; did you mean "token"?
        auth: {type: bearer, tokn: <secret>}
                             ^
dir/touchstone.yaml:8:16: sources.crm.page_size: is 200, want a whole number, 1 to 100
        page_size: 200
                   ^
dir/touchstone.yaml:9:14: sources.crm.timeout: is "10m", want a length of time like 30s, 5m, 1h30m or 2d, 1s to 5m
        timeout: 10m
                 ^
dir/touchstone.yaml:10:13: sources.crm.header: is "no" in quotes, want true or false; remove the quotes
        header: "no"
                ^`
	if diff := cmp.Diff(want2, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	var zero Block
	if err := zero.Decode(&authOptions{}); err != nil {
		t.Errorf("zero block: %v, want no error", err)
	}
	if err := zero.Decode(&restOptions{}); err == nil || !strings.Contains(err.Error(), "base_url: is missing: the address") {
		t.Errorf("zero block with a required key: %v, want base_url: is missing", err)
	}
	if err := zero.Decode(restOptions{}); err == nil {
		t.Error("decode into a value gave no error, want one")
	}
}

func TestConnectorsPartIsCheckedWithTheRest(t *testing.T) {
	opts := world()
	opts.Connectors = map[string]func(Source) error{
		"rest": func(s Source) error {
			var own struct {
				Stream string `yaml:"stream"`
			}
			for _, e := range s.Entities {
				if err := e.Options.Decode(&own); err != nil {
					return err
				}
			}
			return s.Options.Decode(&restOptions{})
		},
		"file": func(Source) error { return errors.New("no such folder") },
	}
	_, err := Parse("f", []byte(small+`  crm:
    type: rest
    evry: 5m
    base_url: ftp://u:canary@example.com
    entities: {company: {stream: s, map: {name: record.n}}}
  desk: {type: rest, entities: {company: {strem: s, map: {name: record.n}}}}
colour: red
`), opts)
	var got []string
	for _, p := range err.(Problems) { //nolint:errorlint // Parse promises the type
		got = append(got, fmt.Sprintf("%d:%d %s: %s", p.Line, p.Column, p.Path, p.Text))
	}
	want := []string{
		`2:3 sources.erp: no such folder`,
		`11:5 sources.crm.evry: unknown key "evry"; did you mean "every"?`,
		`12:15 sources.crm.base_url: is "ftp://<secret>@example.com", want an address like https://api.example.com`,
		`14:43 sources.desk.entities.company.strem: unknown key "strem"; did you mean "stream"?`,
		`15:1 colour: unknown key "colour"; known here: store, server, log, alert, level, trace, audit, access, review, sources, entities, targets, tables`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	type holder struct {
		S      Secret
		hidden Secret
	}
	s := NewSecret("canary")
	h := holder{s, s}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "h", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "h", h)
	j, _ := json.Marshal(h)
	y, _ := yaml.Marshal(map[string]any{"s": s})
	all := fmt.Sprintf("%v %s %#v %q %d %x %+v | %v %+v %#v | %v %s %s %s", s, s, s, s, s, s, s, h, h, h, &h, j, y, log.String())
	if strings.Contains(all, "canary") || strings.Contains(all, "63616e") {
		t.Errorf("secret printed: %s", all)
	}
	if strings.Count(all, hidden) < 10 {
		t.Errorf("printed %d times as %s, want 10 or more: %s", strings.Count(all, hidden), hidden, all)
	}
	if s.Reveal() != "canary" || h.hidden.Reveal() != "canary" || s.IsZero() || !NewSecret("").IsZero() {
		t.Errorf("Reveal %q, IsZero %v", s.Reveal(), s.IsZero())
	}
}

func TestNoSecretsLeavesReferences(t *testing.T) {
	src := "store: {postgres: '${env:MISSING}'}\nserver: {listen: '${env:MISSING}'}\n" + strings.Replace(small, "type: file", "type: file\n    every: ${env:MISSING}", 1)
	opts := world()
	if _, err := Parse("f", []byte(src), opts); err == nil || strings.Count(err.Error(), "MISSING is not set") != 3 {
		t.Errorf("with secrets: %v, want three problems", err)
	}
	opts.NoSecrets = true
	cfg, err := Parse("f", []byte(src), opts)
	if err != nil {
		t.Fatalf("without secrets:\n%v", err)
	}
	if s := cfg.Store.Postgres; s.IsZero() || s.Reveal() != "" || cfg.Store.Path != "" || cfg.Sources[0].Every != defaultEvery {
		t.Errorf("store %+v, every %v; want a secret that is set and empty, the default", cfg.Store, cfg.Sources[0].Every)
	}
}

func TestSecretInTheFileIsAWarning(t *testing.T) {
	cfg := mustParse(t, "store: {postgres: 'postgres://u:canary@db.example.com/x'}\n"+rest("    auth: {type: bearer, token: canary, username: me}\n"))
	var got []string
	for _, w := range cfg.Warnings {
		got = append(got, w.String())
	}
	want := []string{
		"dir/touchstone.yaml:1:19: store.postgres: a secret stands in the file itself; better ${env:NAME} or ${file:PATH}\n    store: {postgres: <secret>}\n                      ^",
		"dir/touchstone.yaml:6:33: sources.crm.auth.token: a secret seems to stand in the file itself; better ${env:NAME} or ${file:PATH}\n        auth: {type: bearer, token: <secret>, username: <secret>}\n                                    ^",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestAliasesAndMergeKeys(t *testing.T) {
	cfg := mustParse(t, `sources:
  a: &file
    type: file
    path: a.csv
    every: 1m
    entities: &e {company: {id: record.id, map: {name: record.name}}}
  b: {<<: *file, every: 2m, path: b.csv}
  c: {type: file, path: c.csv, entities: *e}
`)
	var got []string
	for _, s := range cfg.Sources {
		var o struct {
			Path string `yaml:"path"`
		}
		if err := s.Options.Decode(&o); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s", s.Name, s.Every, o.Path, s.Entities[0].ID.Text))
	}
	if diff := cmp.Diff([]string{"a 1m a.csv record.id", "b 2m b.csv record.id", "c 5m c.csv record.id"}, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

func TestHugeAndHostileFiles(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	tests := []struct{ name, src, want string }{
		{"too large", "x: " + strings.Repeat("y", maxBytes), "larger than 1MiB"},
		{"alias bomb", bomb, "come to more than 500000"},
		{"alias to itself", "sources: &s {a: *s}\n", "alias contains itself"},
		{"deep flow", strings.Repeat("[", 60) + strings.Repeat("]", 60), "nested deeper than 32 levels"},
		{"very deep", strings.Repeat("[", 20_000), "not YAML"},
		{"empty", "", "the file is empty"},
		{"only comments", "# nothing\n", "the file is empty"},
		{"NUL", "sources: \x00\n", "f:1:10: control character U+0000"},
		{"not UTF-8", "sources:\n  \xc4\xe3: 1\n", "f:2:3: byte 0xc4 is not UTF-8"},
		{"a list", "- a\n", "is a list, want a mapping of keys"},
		{"many unknown keys", func() string {
			var b strings.Builder
			for i := range 20_000 {
				fmt.Fprintf(&b, "k%d: {a: 1}\n", i)
			}
			return b.String()
		}(), `unknown key "k19999"`},
	}
	for _, tt := range tests {
		start := time.Now()
		_, err := Parse("f", []byte(tt.src), Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.300v, want %q", tt.name, err, tt.want)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s took %v, want less than 20s even on a busy machine", tt.name, d)
		}
	}
}

func TestDurationsAndShares(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"5m", "5m"},
		{"1h30m", "1h30m"},
		{"2d", "2d"},
		{"90s", "1m30s"},
		{"1.5h", "1h30m"},
		{"250ms", "250ms"},
		{"0", "0s"},
		{"36h", "1d12h"},
		{"5", "error"},
		{"5 minutes", "error"},
		{"m", "error"},
		{"-5m", "error"},
		{"1e9d", "error"},
		{"999999999d", "error"},
		{"", "error"},
	} {
		d, err := ParseDuration(tt.in)
		got := d.String()
		if err != nil {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("ParseDuration(%q) = %s (%v), want %s", tt.in, got, err, tt.want)
		}
	}
	for _, tt := range []struct {
		in   string
		want Percent
		ok   bool
	}{{"5%", 0.05, true}, {"0.05", 0.05, true}, {"100%", 1, true}, {"0", 0, true}, {"12.5 %", 0.125, true}, {"5", 0, false}, {"-1%", 0, false}, {"101%", 0, false}, {"NaN", 0, false}, {"0x1p-2", 0, false}, {"%", 0, false}} {
		if got, err := ParsePercent(tt.in); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParsePercent(%q) = %v, %v, want %v, ok %v", tt.in, float64(got), err, float64(tt.want), tt.ok)
		}
	}
	for _, tt := range []struct {
		in   string
		want Size
		ok   bool
	}{{"16MiB", 16 << 20, true}, {"512", 512, true}, {"1KB", 1000, true}, {"2 GiB", 2 << 30, true}, {"-1", 0, false}, {"9999999999GiB", 0, false}, {"x", 0, false}} {
		if got, err := ParseSize(tt.in); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseSize(%q) = %d, %v, want %d, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestProblemInsideAnExpressionHasItsPlace(t *testing.T) {
	cfg := mustParse(t, strings.Replace(small, "id: record.id", "id: record.id\n        where: 'a == 晨 && b'\n        stamp: |\n          record.a ??\n            record.b", 1))
	e := cfg.Sources[0].Entities[0]
	for _, tt := range []struct {
		p    Problem
		want string
	}{
		{e.Where.Problem(1, 8, "x"), "8:24"},
		{e.ID.Problem(1, 8, "x"), "7:20"},
		{e.Stamp.Problem(2, 3, "x"), "11:13"},
		{Expr{}.Problem(1, 1, "x"), "0:0"},
	} {
		if got := fmt.Sprintf("%d:%d", tt.p.Line, tt.p.Column); got != tt.want {
			t.Errorf("place = %s, want %s\n%s", got, tt.want, tt.p)
		}
	}
	if shown := e.Where.Problem(1, 8, "x").Shown; shown != "        where: 'a == 晨 && b'\n                        ^" {
		t.Errorf("shown:\n%s", shown)
	}
}

func TestNearestNames(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"evry", "every"}, {"Every", "every"}, {"entites", "entities"}, {"targts", "targets"}, {"zzz", ""}, {"page-size", "page_size"}, {"", ""}, {"x", ""},
	} {
		if got := nearest(tt.in, []string{"every", "entities", "targets", "page_size"}); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestProblemsAsJSON(t *testing.T) {
	_, err := Parse("f.yaml", []byte("sorces: {}\n"), Options{})
	b, jerr := json.Marshal(err)
	want := `[{"file":"f.yaml","line":1,"column":1,"path":"sorces","text":"unknown key \"sorces\"; did you mean \"sources\"?","shown":"sorces: {}\n^"}]`
	if jerr != nil || string(b) != want {
		t.Errorf("got  %s (%v)\nwant %s", b, jerr, want)
	}
}

func BenchmarkParseSample(b *testing.B) {
	y, _ := Sample()
	for b.Loop() {
		if _, err := Parse("touchstone.yaml", y, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil { //nolint:gosec // the test's own files
			f.Add(b)
		}
	}
	y, _ := Sample()
	f.Add(y)
	f.Fuzz(func(t *testing.T, src []byte) {
		cfg, err := Parse("f.yaml", src, world())
		var ps Problems
		switch {
		case err == nil:
			again, perr := Parse("p.yaml", Print(cfg), Options{NoSecrets: true})
			if perr != nil {
				t.Errorf("printed configuration does not parse: %v\n%s", perr, Print(cfg))
			} else if first, second := Print(cfg), Print(again); !bytes.Equal(first, second) {
				t.Errorf("a printed configuration is printed otherwise:\n%s\n%s", first, second)
			}
			for _, s := range cfg.Sources {
				var o restOptions
				_ = s.Options.Decode(&o)
			}
		case !errors.As(err, &ps) || len(ps) == 0:
			t.Errorf("error is %T %v, want Problems", err, err)
		}
		for _, p := range ps {
			if p.Text == "" || p.File != "f.yaml" {
				t.Errorf("problem without text or file: %#v", p)
			}
		}
	})
}

// TestValuesOfUnknownKeys: what nobody can tell from a secret is cut, not called
// one; a misspelt secret never shows.
func TestValuesOfUnknownKeys(t *testing.T) {
	t.Parallel()
	head := "sources:\n  crm:\n    type: rest\n    entities: {company: {}}\nentities: {company: {}}\n"
	for _, c := range []struct{ yaml, want string }{
		{"server: {show_values: true}", "    server: {show_values: true}\n"},
		{"server: {show_values: everything}", "    server: {show_values: …}\n"},
		{"server: {show_values: [abc, def], listen: 127.0.0.1:80}", "    server: {show_values: […, …], listen: 127.0.0.1:80}\n"},
		{"server: {pasword: abc}", "    server: {pasword: <secret>}\n"},
		{"store: {psswd: abc}", "    store: {psswd: <secret>}\n"},
		{"log: {pasword: abc}", "    log: {pasword: <secret>}\n"},
		{"server: {api_tokn: 1234}", "    server: {api_tokn: <secret>}\n"},
	} {
		_, err := Parse("touchstone.yaml", []byte(head+c.yaml+"\n"), Options{})
		if got := fmt.Sprint(err); !strings.Contains(got, "unknown key") || !strings.Contains(got, c.want) {
			t.Errorf("%s is told as\n%s\nwant the line\n%s", c.yaml, got, c.want)
		}
	}
}
