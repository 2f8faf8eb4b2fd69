package demo

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"gopkg.in/yaml.v3"

	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/matching/standardise"
)

func TestSeedsOpenInTheirSimulators(t *testing.T) {
	crm, desk, err := Seeds()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		p                   simulator.Profile
		seed                simulator.Seed
		companies, contacts int
	}{
		{simulator.CRM(), crm, 307 + 9, 256 + 5},
		{simulator.Desk(), desk, 175 + 3, 147 + 2},
	}
	for _, tt := range tests {
		s, err := simulator.Open(t.TempDir(), tt.p, tt.seed)
		if err != nil {
			t.Fatalf("%s: %v", tt.p.Name, err)
		}
		st := s.Stats()
		if st.Objects["companies"] != tt.companies || st.Objects["contacts"] != tt.contacts {
			t.Errorf("%s holds %v, want %d companies and %d contacts", tt.p.Name, st.Objects, tt.companies, tt.contacts)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: Close: %v", tt.p.Name, err)
		}
	}
}

// TestSeedsKnowTheirFields: every field of a good record is one that the system
// itself would take.
func TestSeedsKnowTheirFields(t *testing.T) {
	crm, desk, err := Seeds()
	if err != nil {
		t.Fatal(err)
	}
	bad := badIDs(t)
	for _, sys := range []struct {
		p    simulator.Profile
		seed simulator.Seed
	}{{simulator.CRM(), crm}, {simulator.Desk(), desk}} {
		for _, o := range sys.p.Objects {
			for _, raw := range sys.seed[o.Name] {
				var m map[string]any
				if err := json.Unmarshal(raw, &m); err != nil && !strings.Contains(string(raw), "1e10000000") {
					t.Fatalf("%s %s: %v", sys.p.Name, o.Name, err)
				}
				id, _ := m["id"].(string)
				if bad[sys.p.Name+" "+id] {
					continue
				}
				for path := range paths("", m) {
					if o.Fields[path] == "" && path != "id" && path != "updated_at" {
						t.Errorf("%s %s: unknown field %s", sys.p.Name, id, path)
					}
				}
			}
		}
	}
}

func paths(prefix string, m map[string]any) map[string]bool {
	out := map[string]bool{}
	for k, v := range m {
		if inner, ok := v.(map[string]any); ok {
			maps.Copy(out, paths(prefix+k+".", inner))
			continue
		}
		out[prefix+k] = true
	}
	return out
}

func badIDs(t *testing.T) map[string]bool {
	t.Helper()
	list, err := Bad()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, f := range list {
		out[f.Source+" "+f.ID] = true
	}
	return out
}

func TestTruthCoversEveryGoodRecord(t *testing.T) {
	links, err := Truth()
	if err != nil {
		t.Fatal(err)
	}
	bad := badIDs(t)
	customers, sources := map[string]int{}, map[string]int{}
	for _, l := range links {
		if bad[l.Source+" "+l.ID] {
			t.Errorf("%s %s is both good and bad", l.Source, l.ID)
		}
		customers[l.Customer]++
		sources[l.Source]++
	}
	want := map[string]int{"crm": 307 + 256, "desk": 175 + 147, "registry": 118, "register": 97}
	if !maps.Equal(sources, want) || len(customers) != 416+335 || len(bad) != 25 {
		t.Errorf("records %v of %d customers, %d bad; want %v of 751, 25 bad", sources, len(customers), len(bad), want)
	}
}

func TestNoAddressCouldBeReal(t *testing.T) {
	mail := regexp.MustCompile(`[\w.+-]+@([\w-]+(?:\.[\w-]+)*)`)
	url := regexp.MustCompile(`(?i)https?://(?:www\.)?([\w.-]+)|www\.([\w.-]+)`)
	safe := regexp.MustCompile(`(?i)(^|\.)example(\.com|\.cn|\.org)?$`)
	err := fs.WalkDir(files, "data", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range append(mail.FindAllSubmatch(b, -1), url.FindAllSubmatch(b, -1)...) {
			host := string(bytes.Join(m[1:], nil))
			if !safe.MatchString(host) {
				t.Errorf("%s: %s could be somebody's", name, m[0])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDataIsSmall(t *testing.T) {
	total := len(configuration)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		total += len(b)
		return err
	})
	if err != nil || total > 400_000 {
		t.Errorf("%d bytes embedded (%v), want 400,000 at most", total, err)
	}
}

func TestWriteFilesOnce(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "demo", "registry.csv")
	first, err := os.Stat(at)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(at) //nolint:gosec // the test's own folder
	if err != nil {
		t.Fatal(err)
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil || !strings.HasPrefix(string(text), "登记编号,企业名称,统一社会信用代码,") {
		t.Errorf("registry.csv starts %.40q in GB18030 (%v), want its Chinese header", text, err)
	}
	if bytes.HasPrefix(b, []byte("登记编号")) {
		t.Error("registry.csv is UTF-8, want GB18030")
	}
	if err := WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	if second, err := os.Stat(at); err != nil || !second.ModTime().Equal(first.ModTime()) {
		t.Errorf("the second WriteFiles touched an unchanged file (%v)", err)
	}
	if err := os.WriteFile(at, []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(at); err != nil || !bytes.Equal(again, b) { //nolint:gosec // the test's own folder
		t.Errorf("a spoilt file was not written anew (%v)", err)
	}
}

// mapping is the part of the configuration that names fields of ours or theirs.
type mapping struct {
	Sources map[string]struct {
		Type    string
		BaseURL string `yaml:"base_url"`
		Path    string
		Auth    struct{ Token string }
		Streams map[string]struct {
			List   struct{ Path string }
			Update struct{ Path string }
		}
		Entities map[string]struct {
			Map map[string]any
		}
	}
	Targets map[string]struct {
		System, Entity, Policy string
		Owns                   []string
		Map                    map[string]string
	}
}

func parsed(t *testing.T, dir string, s Systems) mapping {
	t.Helper()
	var m mapping
	if err := yaml.Unmarshal(Config(dir, s), &m); err != nil {
		t.Fatalf("demo configuration: %v", err)
	}
	return m
}

func TestConfigNamesRealFields(t *testing.T) {
	m := parsed(t, "", Systems{"http://127.0.0.1:1", "http://127.0.0.1:2"})
	for source, s := range m.Sources {
		for entity, e := range s.Entities {
			for field := range e.Map {
				if _, ok := record.Spec(entity, field); !ok {
					t.Errorf("source %s: %s has no field %q", source, entity, field)
				}
			}
		}
	}
	profiles := map[string]simulator.Profile{"crm": simulator.CRM(), "desk": simulator.Desk()}
	for name, target := range m.Targets {
		system := name
		if target.System != "" {
			system = target.System
		}
		object := map[string]int{record.Company: 0, record.Person: 1}[target.Entity]
		theirs := profiles[system].Objects[object].Fields
		for field := range target.Map {
			if theirs[field] == "" {
				t.Errorf("target %s: the system has no field %q", name, field)
			}
		}
		for _, field := range target.Owns {
			if target.Map[field] == "" {
				t.Errorf("target %s owns %q but does not map it", name, field)
			}
		}
	}
	if len(m.Sources) != 4 || len(m.Targets) != 3 {
		t.Errorf("%d sources, %d targets; want 4 and 3", len(m.Sources), len(m.Targets))
	}
}

func TestConfigCarriesPlaces(t *testing.T) {
	tests := []struct{ dir, want string }{
		{"", "demo/registry.csv"},
		{"/var/lib/x", "/var/lib/x/demo/registry.csv"},
		{`/odd "dir"`, `/odd "dir"/demo/registry.csv`},
	}
	for _, tt := range tests {
		m := parsed(t, tt.dir, Systems{"http://127.0.0.1:9001", "http://127.0.0.1:9002"})
		if got := m.Sources["registry"].Path; got != tt.want {
			t.Errorf("dir %q: registry reads %q, want %q", tt.dir, got, tt.want)
		}
		if m.Sources["crm"].BaseURL != "http://127.0.0.1:9001" || m.Sources["desk"].BaseURL != "http://127.0.0.1:9002" {
			t.Errorf("base URLs %q and %q, want those given", m.Sources["crm"].BaseURL, m.Sources["desk"].BaseURL)
		}
	}
}

// TestConfigFitsTheSimulators asks each list that the configuration names, with
// the token that it gives.
func TestConfigFitsTheSimulators(t *testing.T) {
	crm, desk, err := Seeds()
	if err != nil {
		t.Fatal(err)
	}
	base := map[string]string{}
	for _, sys := range []struct {
		p    simulator.Profile
		seed simulator.Seed
	}{{simulator.CRM(), crm}, {simulator.Desk(), desk}} {
		s, err := simulator.Open(t.TempDir(), sys.p, sys.seed)
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
		base[sys.p.Name] = srv.URL
	}
	m := parsed(t, "", Systems{base["crm"], base["desk"]})
	asked := 0
	for _, name := range slices.Sorted(maps.Keys(m.Sources)) {
		s := m.Sources[name]
		for entity, stream := range s.Streams {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.BaseURL+stream.List.Path+"?limit=2", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+s.Auth.Token)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var body struct{ Items []map[string]any }
			err = json.NewDecoder(resp.Body).Decode(&body)
			if resp.StatusCode != 200 || err != nil || len(body.Items) != 2 || resp.Body.Close() != nil {
				t.Errorf("%s %s: %d with %d items (%v), want 200 with 2", name, entity, resp.StatusCode, len(body.Items), err)
			}
			asked++
		}
	}
	if asked != 4 {
		t.Errorf("%d lists asked, want 4", asked)
	}
}

// TestCustomersHaveOwners: six people look after most customers of the CRM, and
// one customer has the same owner in each of its records.
func TestCustomersHaveOwners(t *testing.T) {
	crm, _, err := Seeds()
	if err != nil {
		t.Fatal(err)
	}
	links, err := Truth()
	if err != nil {
		t.Fatal(err)
	}
	customer := map[string]string{}
	for _, l := range links {
		if l.Source == "crm" {
			customer[l.ID] = l.Customer
		}
	}
	owners, of, none := map[string]int{}, map[string]string{}, 0
	for _, object := range []string{"companies", "contacts"} {
		for _, raw := range crm[object] {
			var r struct{ ID, Owner string }
			if err := json.Unmarshal(raw, &r); err != nil {
				continue // bad on purpose
			}
			c, good := customer[r.ID]
			if was, seen := of[c]; good && seen && was != r.Owner {
				t.Errorf("%s of %s is looked after by %q, its other record by %q", r.ID, c, r.Owner, was)
			}
			of[c] = r.Owner
			if r.Owner == "" {
				none++
			} else {
				owners[r.Owner]++
			}
		}
	}
	if len(owners) != 6 || owners["陈思远"] < 50 || owners["Grace Okafor"] < 50 || none > 100 {
		t.Errorf("owners %v and %d records of nobody, want six owners of most", owners, none)
	}
}

// TestAValueIsOdd: who decides in the demo sees what is noted beside a value.
func TestAValueIsOdd(t *testing.T) {
	_, desk, err := Seeds()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ object, id, tel string }{{"contacts", "u1030", "见名片"}} {
		got := ""
		for _, raw := range desk[want.object] {
			var m struct{ ID, Tel string }
			if json.Unmarshal(raw, &m) == nil && m.ID == want.id {
				got = m.Tel
			}
		}
		if number, _, _ := standardise.Phone(got, ""); got != want.tel || number != "" {
			t.Errorf("%s %s has the telephone %q, read as %q; want %q, which is none", want.object, want.id, got, number, want.tel)
		}
	}
}
