package rest

import (
	"errors"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"touchstone/config"
)

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{"base_url: URL", "base_url: https://u:p@example.com/x?y=1", "base_url: want http(s)://host/path without user"},
		{"'body.items', start", "'body.itms +', start", "streams.company.list.records: unexpected token EOF"},
		{"'record.updated_at', lookback", "'recrd.updated_at', lookback", "streams.company.incremental.cursor: unknown name recrd"},
		{"{{ id }}', record", "{{ ident }}', record", "streams.company.read.path: unknown name ident"},
		{`"{{ cursor }}"`, `"{{ now() }}"`, "streams.company.list.query.updated_since: now() is not available"},
		{"path: /companies, external_key", "path: companies, external_key", "streams.company.create.path: want a path that starts with /"},
		{"method: POST, ", "", "streams.company.create: method is missing"},
		{"method: POST", "method: GET", "streams.company.create.method"},
		{"records: 'body.items', start", "start", "streams.company.list: records is missing"},
		{"token: 'body.next_cursor', ", "", "streams.company.paginator: type cursor needs token"},
		{", inject: {query: cursor}", "", "streams.company.paginator: type cursor needs inject"},
		{"type: cursor, token", "type: curser, token", "streams.company.paginator.type"},
		{"    incremental: {cursor: 'record.updated_at', lookback: 0s, inclusive: true}\n", "", "streams.company.list: uses {{ cursor }}"},
		{`start: ""`, `start: "", complete: true`, "streams.company.list: complete and incremental exclude each other"},
		{"    id: 'record.id'\n", "", "streams.company: id is missing"},
		{"    find_by_key: {path: /companies, query: {external_id: '{{ key }}'}, records: 'body.items'}\n", "", "streams.company.class: searchable needs find_by_key"},
		{"'record.deleted'", "'1 + 1'", "streams.company.deleted: expected bool, but got int"},
		{"id: 'body.error.existing_id'", "", "class exists needs id"},
		{"{status: 412, class: conflict}", "{class: conflict}", "needs status or when"},
		{"class: rejected", "class: rejcted", "error_handler[2].class"},
		{"precondition: etag", "precondtion: etag", `unknown key "precondtion"`},
		{`token: "${env:CRM_TOKEN}"`, "", "auth of type bearer needs token"},
		{"type: bearer", "type: basic", "auth of type basic needs username"},
		{"timeout: 1s", "timeout: 1h", "requester.timeout"},
	}
	for _, tt := range tests {
		block := strings.Replace(company, tt.old, tt.new, 1)
		if block == company {
			t.Errorf("%q is not in the block", tt.old)
		}
		_, err := options(t, block, "http://127.0.0.1:1")
		var ps config.Problems
		if !errors.As(err, &ps) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "test.yaml:") {
			t.Errorf("%s: %v, want a problem with %q", tt.new, err, tt.want)
		}
	}
}

var rewrite = flag.Bool("update", false, "rewrite README.md")

func TestReadmeIsTheReference(t *testing.T) {
	if *rewrite {
		if err := os.WriteFile("README.md", Reference(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("README.md")
	if diff := cmp.Diff(string(Reference()), string(got)); err != nil || diff != "" {
		t.Errorf("README.md is stale, run the test with -update: %v (-want +got):\n%s", err, diff)
	}
}

func TestSampleIsTaken(t *testing.T) {
	b, err := os.ReadFile("sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("sample.yaml", b, config.Options{NoSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	o, err := Decode(cfg.Sources[0].Options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open("crm", o, nil); err != nil {
		t.Fatal(err)
	}
}

func TestOtherCredentials(t *testing.T) {
	for auth, want := range map[string][2]string{
		`{type: basic, username: ann, password: "${env:X}"}`:   {"Authorization", "Basic YW5uOmNhbmFyeS1aazNoSjktdG9rZW4="},
		`{type: header, header: X-Api-Key, token: "${env:X}"}`: {"X-Api-Key", secret},
		`{type: none}`: {"Authorization", ""},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, list("null")) })
		c := open(t, strings.Replace(company, `{type: bearer, token: "${env:CRM_TOKEN}"}`, auth, 1)+"headers: {X-Version: '7'}\n", s.URL)
		if err := c.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", auth, err)
		}
		h := s.asked()[0].Header
		if h.Get(want[0]) != want[1] || h.Get("X-Version") != "7" {
			t.Errorf("%s sends %s %q, X-Version %q; want %q and 7", auth, want[0], h.Get(want[0]), h.Get("X-Version"), want[1])
		}
	}
}

// Whatever circle the page tokens run in, it is noticed within three times its
// length and lead (plus the page that shows it).
func TestEveryCircleIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lead, length := rapid.IntRange(0, 200).Draw(t, "lead"), rapid.IntRange(1, 200).Draw(t, "length")
		var l *loop
		again := false
		for n := 0; !again; n++ {
			i := n
			if i >= lead {
				i = lead + (n-lead)%length
			} else if n > 3*(lead+length)+1 {
				break
			}
			if n > 3*(lead+length)+1 {
				t.Fatalf("lead %d, length %d: not noticed after %d tokens", lead, length, n)
			}
			l, again = l.next(string(rune('a' + i)))
			if again && n < lead+length {
				t.Fatalf("lead %d, length %d: token %d is new but was taken for an old one", lead, length, n)
			}
		}
	})
}

func TestMarksAreOrdered(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"2026-01-05T08:00:00Z", "2026-01-05T16:00:00+08:00", 0},
		{"2026-01-05T08:00:00Z", "2026-01-05T08:00:00.000001Z", -1},
		{"2026-01-05T10:00:00+08:00", "2026-01-05T08:00:00Z", -1},
		{"9", "10", -1},
		{"9007199254740993", "9007199254740992", 1},
		{"a9", "a10", 1},
		{"2026-01-05", "2026-01-05T00:00:00Z", 0},
	} {
		if got := compareMarks(tt.a, tt.b); got != tt.want {
			t.Errorf("compareMarks(%s, %s) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := compareMarks(tt.b, tt.a); got != -tt.want {
			t.Errorf("compareMarks(%s, %s) = %d, want %d", tt.b, tt.a, got, -tt.want)
		}
	}
}

// TestStampsAreReadInTheirUnit: milliseconds of before September 2001 have twelve
// digits.
func TestStampsAreReadInTheirUnit(t *testing.T) {
	for text, want := range map[string]string{
		"1767225600": "2026-01-01", "1767225600123": "2026-01-01", "946684800000": "2000-01-01", "946684800": "2000-01-01", "99999999999": "5138-11-16", "100000000000": "1973-03-03",
		"100000000000000": "5138-11-16", "100000000000001": "", "0": "", "-5": "", "9223372036854775808": "", "2026-01-01T00:00:00Z": "2026-01-01", "客": "",
	} {
		at, ok := stampTime(text)
		got := ""
		if ok {
			got = at.Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("stampTime(%q) = %q, want %q", text, got, want)
		}
	}
}
