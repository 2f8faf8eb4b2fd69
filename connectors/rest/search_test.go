package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/config"
)

func TestBodiesLeaveOutWhatIsEmpty(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"texts and numbers as written", `{limit: 200, all: true, none: null, "x y": "z"}`, `{"all":true,"limit":200,"none":null,"x y":"z"}`},
		{"a whole part keeps its type", `{n: "{{ n }}", list: "{{ list }}", no: "{{ no }}", zero: "{{ n - 7 }}"}`, `{"list":[1,"a"],"n":7,"no":false,"zero":0}`},
		{"a part among text is text", `{a: "v{{ n }}.{{ word }}"}`, `{"a":"v7.go"}`},
		{"empty members are left out", `{a: "{{ empty }}", b: "{{ missing }}", c: 1}`, `{"c":1}`},
		{"a text that is missing a part is left out", `{a: "x{{ missing }}", b: "{{ empty }}"}`, `{}`},
		{"what becomes empty is left out", `{a: {b: {c: "{{ empty }}"}}, d: 1}`, `{"d":1}`},
		{"an entry that lost a member is left out", `{f: [{p: a, v: "{{ empty }}"}, {p: b, v: "{{ word }}"}]}`, `{"f":[{"p":"b","v":"go"}]}`},
		{"a list that lost all is left out", `{g: [{f: [{p: a, v: "{{ empty }}"}]}], d: 1}`, `{"d":1}`},
		{"an empty object stays if written so", `{a: {}, b: []}`, `{"a":{},"b":[]}`},
		{"single entries of a list", `{a: ["{{ empty }}", "{{ word }}", x]}`, `{"a":["go","x"]}`},
	}
	vars := map[string]any{"n": int64(7), "word": "go", "empty": "", "missing": nil, "no": false, "list": []any{int64(1), "a"}}
	for _, tt := range tests {
		cfg, err := config.Parse("t.yaml", []byte("sources: {crm: {type: rest, entities: {company: {map: {name: 'record.n'}}}, body: "+tt.body+"}}"), config.Options{})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var o struct {
			Body config.Tree `yaml:"body"`
		}
		if err := cfg.Sources[0].Options.Decode(&o); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		c := &compiler{}
		b := c.tree(o.Body, vars)
		if len(c.problems) > 0 {
			t.Fatalf("%s: %v", tt.name, c.problems)
		}
		filled, err := b.object(vars)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got, err := encode(filled); err != nil || string(got) != tt.want {
			t.Errorf("%s: %s gives %s, %v, want %s", tt.name, tt.body, got, err, tt.want)
		}
	}
}

// search is a stream over a search that gives no more than 20 results.
const search = `
base_url: URL
streams:
  company:
    list:
      method: POST
      path: /search
      body:
        filters:
          - {p: changed, op: GTE, v: '{{ cursor }}'}
          - {p: changed, op: LTE, v: '{{ until }}'}
          - {p: id, op: GT, v: '{{ last }}'}
        limit: 5
      records: 'body.results'
    paginator: {type: cursor, token: 'body.next', inject: {body: page.after}, restart: {max_results: 20, order_by: 'record.id'}}
    incremental: {cursor: 'record.changed'}
    id: 'record.id'
`

// searcher is a system that finds objects by change date and id.
type searcher struct {
	mu            sync.Mutex
	objects       map[int]string // id → changed
	ignoreLast    bool
	sortByChanged bool
	silent        bool // at the cap it says nothing instead of refusing
	onPage        func(n int)
	pages         int
}

func (s *searcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Filters []struct{ P, Op, V string }
		Limit   int
		Page    struct{ After string }
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Method != http.MethodPost || q.Limit == 0 {
		reply(w, 400, `{}`)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages++
	if s.onPage != nil {
		s.onPage(s.pages)
	}
	type object struct {
		ID      int    `json:"id"`
		Changed string `json:"changed"`
	}
	found := []object{}
	for id, changed := range s.objects {
		fits := true
		for _, f := range q.Filters {
			switch {
			case f.P == "id" && !s.ignoreLast:
				last, err := strconv.Atoi(f.V)
				fits = fits && err == nil && id > last
			case f.P == "changed" && f.Op == "GTE":
				fits = fits && changed >= f.V
			case f.P == "changed":
				fits = fits && changed <= f.V
			}
		}
		if fits {
			found = append(found, object{id, changed})
		}
	}
	sort.Slice(found, func(i, j int) bool {
		if s.sortByChanged && found[i].Changed != found[j].Changed {
			return found[i].Changed < found[j].Changed
		}
		return found[i].ID < found[j].ID
	})
	from, _ := strconv.Atoi(q.Page.After)
	if from >= 20 {
		reply(w, 400, `{"message":"no more than 20 results"}`)
		return
	}
	to := min(from+q.Limit, len(found))
	out := map[string]any{"results": found[min(from, to):to]}
	if to < len(found) && (to < 20 || !s.silent) {
		out["next"] = strconv.Itoa(to)
	}
	b, _ := json.Marshal(out)
	reply(w, 200, string(b))
}

func many(n int, changed func(i int) string) map[int]string {
	out := map[int]string{}
	for i := 1; i <= n; i++ {
		out[i*10] = changed(i)
	}
	return out
}

func wantAll(t *testing.T, name string, ids []string, objects map[int]string) {
	t.Helper()
	got := map[string]bool{}
	for _, id := range ids {
		got[id] = true
	}
	for id := range objects {
		if !got[strconv.Itoa(id)] {
			t.Errorf("%s: object %d never came; %d of %d did", name, id, len(got), len(objects))
			return
		}
	}
}

func TestASearchWithACapIsReadToItsEnd(t *testing.T) {
	same := func(int) string { return "2026-01-05T08:00:00.000Z" }
	spread := func(i int) string { return fmt.Sprintf("2026-01-05T08:%02d:00.000Z", 59-i%60) }
	for _, tt := range []struct {
		name string
		s    *searcher
	}{
		{"one and the same time", &searcher{objects: many(53, same)}},
		{"times against the order of ids", &searcher{objects: many(53, spread)}},
		{"exactly the cap", &searcher{objects: many(20, same)}},
		{"twice the cap", &searcher{objects: many(40, same)}},
		{"a cap that is silent", &searcher{objects: many(53, spread), silent: true}},
		{"nothing", &searcher{objects: map[int]string{}}},
	} {
		s := serve(t, tt.s.ServeHTTP)
		c, _ := openFast(t, search, s.URL, nil)
		ids, cursor, _, err := pass(t, c, nil)
		if err != nil || len(ids) != len(tt.s.objects) {
			t.Errorf("%s: %d of %d came, %v", tt.name, len(ids), len(tt.s.objects), err)
		}
		wantAll(t, tt.name, ids, tt.s.objects)
		for i, q := range s.asked() {
			if strings.Contains(q.Body, `"after":"20"`) {
				t.Errorf("%s: request %d goes past the cap: %s", tt.name, i, q.Body)
			}
		}
		if len(tt.s.objects) == 0 {
			continue
		}
		tt.s.objects[7] = "2026-01-05T09:30:00.000Z" // a small id, changed later
		ids, _, _, err = pass(t, c, cursor)
		if err != nil || !strings.Contains(strings.Join(ids, ","), "7") {
			t.Errorf("%s: the second pass gave %v, %v, want 7 in it", tt.name, ids, err)
		}
	}
}

func TestChangesDuringASearchComeInTheNextPass(t *testing.T) {
	sys := &searcher{objects: many(53, func(int) string { return "2026-01-05T08:00:00.000Z" })}
	sys.onPage = func(n int) {
		if n == 6 { // behind our back: ids that the search has passed, and one that it has not
			sys.objects[10] = "2026-01-05T12:00:01.000Z"
			sys.objects[15] = "2026-01-05T12:00:02.000Z"
			sys.objects[520] = "2026-01-05T12:00:03.000Z"
		}
	}
	s := serve(t, sys.ServeHTTP)
	c, clock := openFast(t, search, s.URL, nil)
	first, cursor, _, err := pass(t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	clock.now = clock.now.Add(3600e9)
	second, _, _, err := pass(t, c, cursor)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, "both passes", append(first, second...), sys.objects)
	for _, id := range []string{"10", "15", "520"} {
		if !strings.Contains(","+strings.Join(second, ",")+",", ","+id+",") {
			t.Errorf("%s changed during the first pass and did not come in the second: %v", id, second)
		}
	}
}

func TestASearchThatIsNotAsDeclaredIsAnError(t *testing.T) {
	rising := func(i int) string { return fmt.Sprintf("2026-01-05T08:%02d:00.000Z", 59-i%60) }
	for _, tt := range []struct {
		name, want string
		s          *searcher
	}{
		{"ids are not filtered", "do not come sorted", &searcher{objects: many(53, rising), ignoreLast: true}},
		{"sorted by something else", "do not come sorted", &searcher{objects: many(53, rising), sortByChanged: true}},
	} {
		s := serve(t, tt.s.ServeHTTP)
		c, _ := openFast(t, search, s.URL, nil)
		if ids, _, _, err := pass(t, c, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d records, %v; want %q", tt.name, len(ids), err, tt.want)
		}
	}
}

func TestAForgottenTokenOfASortedSearchGoesOnBehind(t *testing.T) {
	sys := &searcher{objects: many(12, func(int) string { return "2026-01-05T08:00:00.000Z" })}
	refuse := false
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			refuse = false
			reply(w, 410, `{}`)
			return
		}
		sys.ServeHTTP(w, r)
	})
	c, _ := openFast(t, search, s.URL, nil)
	p, err := c.Pull(t.Context(), "company", nil)
	if err != nil {
		t.Fatal(err)
	}
	refuse = true
	ids, _, _, err := pass(t, c, p.Cursor)
	want := []string{"60", "70", "80", "90", "100", "110", "120"}
	if diff := cmp.Diff(want, ids); err != nil || diff != "" {
		t.Errorf("after the refusal %v (-want +got):\n%s", err, diff)
	}
}
