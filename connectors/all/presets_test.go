package all

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/connectors/presets"
	"touchstone/internal/env"
)

func deps() Deps { return Deps{Env: env.Real(), Log: slog.New(slog.DiscardHandler)} }

func parse(text string) (*config.Config, error) {
	return config.Parse("t.yaml", []byte(text), config.Options{Connectors: Checks(deps()), Env: func(string) (string, bool) { return "canary-Qk2", true }})
}

// given is what a user writes at least to use a preset.
func given(name string) string {
	text := fmt.Sprintf("sources:\n  crm:\n    preset: %s\n    auth: {token: \"${env:TOKEN}\"}\n", name)
	if name == "zendesk" {
		text += "    base_url: https://acme.example.com/api/v2\n"
	}
	return text
}

func TestEveryPresetOpensWithLittleMoreThanItsName(t *testing.T) {
	for _, name := range presets.Names() {
		cfg, err := parse(given(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c, err := Open(cfg.Sources[0], deps())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if closer, ok := c.(io.Closer); ok {
			t.Cleanup(func() { _ = closer.Close() })
		}
		if _, ok := c.(connectors.Pusher); !ok {
			t.Errorf("%s: %T cannot push", name, c)
		}
		printed := string(config.Print(cfg))
		again, err := config.Parse("printed.yaml", []byte(printed), config.Options{Connectors: Checks(deps()), NoSecrets: true})
		if err != nil || string(config.Print(again)) != strings.ReplaceAll(printed, " # of preset "+name+", laid open here", "") {
			t.Errorf("%s: what is printed does not parse to the same: %v\n%s", name, err, printed)
		}
		if strings.Contains(printed, "canary") || !strings.Contains(printed, "# of preset "+name) {
			t.Errorf("%s: the printed configuration shows the secret or not the preset:\n%s", name, printed)
		}
	}
}

func TestPresetsAreOverriddenKeyByKey(t *testing.T) {
	cfg, err := parse(given("hubspot") + `    every: 9m
    requester: {timeout: 5s}
    entities:
      company: {map: {phone: 'record.properties.mobilephone ?? record.properties.phone', employees: null}}
      person:
`)
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Sources[0]
	got := map[string]string{}
	for _, e := range s.Entities {
		for _, m := range e.Map {
			got[e.Entity+"."+m.Name] = m.Value.Expr.Text
		}
	}
	if len(s.Entities) != 1 || got["company.phone"] != "record.properties.mobilephone ?? record.properties.phone" ||
		got["company.name"] != "record.properties.name" || got["company.revenue"] == "" || s.Type != "rest" || s.Every.String() != "9m" {
		t.Errorf("the source is %s every %s with %v", s.Type, s.Every, got)
	}
	if _, there := got["company.employees"]; there {
		t.Error("a key without a value did not take the preset's out")
	}
}

func TestPresetsWorkThroughAliases(t *testing.T) {
	cfg, err := parse(`
x: &x {preset: hubspot, auth: {token: "${env:T}"}}
`)
	if err == nil || cfg != nil {
		t.Fatalf("a key that the file does not know: %v", err)
	}
	cfg, err = parse(`
sources:
  eu: &eu {preset: hubspot, auth: {token: "${env:T}"}}
  same: *eu
  us: {<<: *eu, base_url: "https://us.example.com", entities: {person: {map: {title: 'record.x'}}}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range cfg.Sources {
		if _, err := Open(s, deps()); err != nil || len(s.Entities) != 2 || s.Preset != "hubspot" {
			t.Errorf("%s: %v with %d entities of preset %q", s.Name, err, len(s.Entities), s.Preset)
		}
	}
	if us := cfg.Sources[2]; us.Entities[1].Map[len(us.Entities[1].Map)-1].Value.Expr.Text != "record.x" {
		t.Errorf("the merged source maps %+v", us.Entities[1].Map)
	}
}

func TestProblemsWithPresetsPointAtTheirPlace(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no such preset", "sources: {crm: {preset: hubspto}}\n", `t.yaml:1:25: sources.crm.preset: no preset "hubspto"; did you mean "hubspot"?`},
		{"a list for a name", "sources: {crm: {preset: [a]}}\n", "t.yaml:1:25: sources.crm.preset: is a list, want the name of a preset"},
		{"nothing for a name", "sources: {crm: {preset: , type: rest}}\n", "sources.crm.preset: is empty, want the name of a preset"},
		{"a key of the user's", given("hubspot") + "    streams: {company: {list: {recrods: 'body.x'}}}\n", `t.yaml:5:32: sources.crm.streams.company.list.recrods: unknown key "recrods"; did you mean "records"?`},
		{"an expression of the user's", given("hubspot") + "    streams: {company: {id: 'recrd.id'}}\n", "t.yaml:5:30: sources.crm.streams.company.id: unknown name recrd"},
		{"a field of the user's", given("hubspot") + "    entities: {company: {map: {phnoe: 'record.x'}}}\n", `company has no field "phnoe"; did you mean "phone"?`},
		{"what the preset cannot know", "sources: {desk: {preset: zendesk, auth: {token: x}}}\n", "t.yaml:1:17: sources.desk.base_url: is missing"},
		{"a preset's own line", given("hubspot") + "    streams: {company: {list: {start: \"\"}, incremental: null}}\n", "uses {{ cursor }}, but incremental.cursor does not say what it is"},
		{"a preset's line that no longer fits", given("hubspot") + "    streams: {company: {list: {method: GET}}}\n", "preset hubspot:"},
	}
	for _, tt := range tests {
		_, err := parse(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\n%v\nwant %q", tt.name, err, tt.want)
		}
	}
}
