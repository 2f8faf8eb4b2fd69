package rest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// feed is a stream over an export that says itself where it ends.
const feed = `
base_url: URL
streams:
  company:
    list: {path: /export, query: {start_time: '{{ cursor }}'}, records: 'body.items', start: "1"}
    paginator: {type: link, token: 'body.after_url', stop_when: 'body.end', keep_token: true}
    incremental: {cursor: 'record.updated_at', format: unix, lookback: 60s}
    id: 'record.id'
`

func TestAFeedGoesOnWhereItEnded(t *testing.T) {
	known := true
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		at := r.URL.Query().Get("at")
		if at != "" && !known {
			reply(w, 400, `{}`)
			return
		}
		page := func(next string, end bool, items ...string) {
			reply(w, 200, fmt.Sprintf(`{"items":[%s],"after_url":"/export?at=%s","end":%v}`, strings.Join(items, ","), next, end))
		}
		switch at {
		case "":
			page("a", false, item("1", "2026-01-05T08:00:05Z"))
		case "a":
			page("b", false) // empty, and not the end
		case "b":
			page("c", true, item("2", "2026-01-05T08:00:10Z"))
		default: // changed by the system itself: no new time, and still a change
			page("c", true, item("3", "2020-01-01T00:00:00Z"))
		}
	})
	c := open(t, feed, s.URL)
	var got [][]string
	var cursor []byte
	for range 2 {
		ids, at, _, err := pass(t, c, cursor)
		if err != nil {
			t.Fatal(err)
		}
		got, cursor = append(got, ids), at
	}
	known = false
	ids, _, _, err := pass(t, open(t, feed, s.URL), cursor)
	if err == nil {
		t.Error("a feed that knows none of its tokens gave no error")
	}
	if diff := cmp.Diff([][]string{{"1", "2"}, {"3"}, {"1"}}, append(got, ids)); diff != "" {
		t.Errorf("passes (-want +got):\n%s", diff)
	}
	var urls []string
	for _, q := range s.asked() {
		urls = append(urls, q.URL)
	}
	want := []string{
		"/export?start_time=1", "/export?at=a", "/export?at=b", // the first pass
		"/export?at=c",                                                  // the second goes on
		"/export?at=c", "/export?start_time=1767599950", "/export?at=a", // forgotten: from the mark less a minute; then again
	}
	if diff := cmp.Diff(want, urls); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestWhenToStopIsSaid(t *testing.T) {
	for _, paging := range []string{"{type: page, inject: {query: page}, stop_when: 'body.end'}", "{type: offset, inject: {query: page}, stop_when: 'body.end'}"} {
		block := edited(t, company, "{type: cursor, token: 'body.next_cursor', inject: {query: cursor}}", paging)
		n := 0
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			n++
			items := item(fmt.Sprint(n), day+"1Z")
			if n == 2 && strings.Contains(paging, "type: page") {
				items = ""
			}
			reply(w, 200, fmt.Sprintf(`{"items":[%s],"end":%v}`, items, n == 4))
		})
		if ids, _, pages, err := pass(t, open(t, block, s.URL), nil); err != nil || pages != 4 {
			t.Errorf("%s: %v in %d pages, %v; want four pages", paging, ids, pages, err)
		}
	}
}

func TestCursorsAreWrittenAsTheSystemWantsThem(t *testing.T) {
	tests := []struct{ mark, incremental, want string }{
		{"2026-01-05T08:00:05.250Z", "", "2026-01-05T08:00:05.250Z"},
		{"2026-01-05T08:00:05.250Z", "granularity: 1s", "2026-01-05T08:00:05.000Z"},
		{"2026-01-05T16:00:05+08:00", "granularity: 1m", "2026-01-05T16:00:00+08:00"},
		{"2026-01-05T08:00:05Z", "format: unix", "1767600005"},
		{"2026-01-05T08:00:05.250Z", "format: unix_ms, lookback: 1s", "1767600004250"},
		{"2026-01-05T16:00:05+08:00", "format: rfc3339", "2026-01-05T08:00:05Z"},
		{"2026-01-05T03:00:00+08:00", "format: date, granularity: 1d", "2026-01-04"},
		{"2026-01-05T08:00:05Z", "inclusive: false", "2026-01-05T08:00:04Z"},
		{"2026-01-05T08:00:05Z", "inclusive: false, granularity: 1m", "2026-01-05T07:59:00Z"},
		{"1767600005", "format: rfc3339", "2026-01-05T08:00:05Z"},
		{"4711", "", "4711"},
	}
	for _, tt := range tests {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, `{"items":[]}`) })
		c := open(t, edited(t, company, "lookback: 0s, inclusive: true", strings.TrimPrefix(tt.incremental, ", ")), s.URL)
		at, err := cursor{place: place{Mark: tt.mark}}.bytes()
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Pull(t.Context(), "company", at)
		if err != nil || !strings.Contains(s.asked()[0].URL, "updated_since="+strings.NewReplacer(":", "%3A", "+", "%2B").Replace(tt.want)) {
			t.Errorf("mark %s with {%s} asks for %s, %v; want %s", tt.mark, tt.incremental, s.asked()[0].URL, err, tt.want)
		}
	}
	c := open(t, edited(t, company, "lookback: 0s, inclusive: true", "format: unix"), "http://127.0.0.1:1")
	at, _ := cursor{place: place{Mark: "seven"}}.bytes()
	if _, err := c.Pull(t.Context(), "company", at); err == nil || !strings.Contains(err.Error(), "format unix needs a cursor that is a time") {
		t.Errorf("a mark that is no time: %v", err)
	}
}

func TestRecordsThatWereNeverChangedComeByTheirBirth(t *testing.T) {
	block := edited(t, company, "{cursor: 'record.updated_at',", "{cursor: 'record.updated_at ?? record.created_at',")
	s := serve(t, pages(map[string]string{"": list("null", `{"id":"1","updated_at":null,"created_at":"2026-01-05T08:00:09Z"}`, item("2", day+"1Z"))}))
	_, at, _, err := pass(t, open(t, block, s.URL), nil)
	if cur, _ := readCursor(at); err != nil || cur.Mark != "2026-01-05T08:00:09Z" {
		t.Errorf("mark %q, %v; want the birth of the record that was never changed", cur.Mark, err)
	}
}

// gone is a stream whose deleted objects stand in a list of their own.
const gone = `
base_url: URL
streams:
  company:
    list: {path: /companies, query: {since: '{{ cursor }}'}, records: 'body.items'}
    paginator: {type: cursor, token: 'body.next_cursor', inject: {query: cursor}}
    incremental: {cursor: 'record.updated_at'}
    id: 'record.id'
    stamp: 'record.updated_at'
    merged: 'split(record.merged, ";")'
    deleted_list:
      path: /deleted
      query: {since: '{{ cursor }}'}
      records: 'body.gone'
      paginator: {type: cursor, token: 'body.next', inject: {query: page}}
      id: 'record.object'
      stamp: 'record.at'
      cursor: 'record.at'
`

func TestDeletedObjectsComeFromTheirOwnList(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); {
		case r.URL.Path == "/companies":
			reply(w, 200, list("null", `{"id":"1","updated_at":"`+day+`1Z","merged":"8; 9;1;"}`, `{"id":"2","updated_at":"`+day+`2Z","merged":null}`, `{"id":"3","updated_at":"`+day+`3Z","merged":{}}`))
		case q.Get("page") == "":
			reply(w, 200, `{"gone":[{"object":4,"at":"`+day+`5Z"}],"next":"p2"}`)
		default:
			reply(w, 200, `{"gone":[{"object":5,"at":"`+day+`6Z"},{"at":"`+day+`6Z"}],"next":null}`)
		}
	})
	var got []string
	var cursor []byte
	for n := 1; ; n++ {
		// Every page by a client of its own: nothing but the cursor carries on.
		p, err := open(t, gone, s.URL).Pull(t.Context(), "company", cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			got = append(got, fmt.Sprintf("%d %s deleted=%v %s %s %s", n, r.ID, r.Deleted, r.Stamp.Format("05"), r.Data, r.Problem))
		}
		if cursor = p.Cursor; !p.More {
			break
		}
	}
	want := []string{
		`1 1 deleted=false 01 {"id":"1","merged":"8; 9;1;","updated_at":"` + day + `1Z"} `,
		`1 8 deleted=true 00 {"merged_into":"1"} `,
		`1 9 deleted=true 00 {"merged_into":"1"} `,
		`1 2 deleted=false 02 {"id":"2","merged":null,"updated_at":"` + day + `2Z"} `,
		`1 3 deleted=false 03 {"id":"3","merged":{},"updated_at":"` + day + `3Z"} `,
		`2 4 deleted=true 05 {"at":"` + day + `5Z","object":4} `,
		`3 5 deleted=true 06 {"at":"` + day + `6Z","object":5} `,
		`3  deleted=false 00 {"unreadable":"{\"at\":\"` + day + `6Z\"}"} id: the record has none`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records by page (-want +got):\n%s", diff)
	}
	if _, _, _, err := pass(t, open(t, gone, s.URL), cursor); err != nil {
		t.Fatal(err)
	}
	asked := s.asked()
	if a, b := asked[len(asked)-3].URL, asked[len(asked)-2].URL; a != "/companies?since=2026-01-05T08%3A00%3A03Z" || b != "/deleted?since=2026-01-05T08%3A00%3A06Z" {
		t.Errorf("the second pass asks %s and %s, want each from its own mark", a, b)
	}
}

func TestAListOfDeletedThatFailsKeepsItsPlace(t *testing.T) {
	broken := true
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/companies":
			reply(w, 200, list("null", item("1", day+"1Z")))
		case broken:
			reply(w, 500, `{}`)
		default:
			reply(w, 200, `{"gone":[{"object":"4","at":"x"}]}`)
		}
	})
	c := open(t, gone, s.URL)
	ids, cursor, _, err := pass(t, c, nil)
	if err == nil || !strings.Contains(err.Error(), "deleted_list, page 1: status 500") || len(ids) != 1 {
		t.Errorf("%v, %v; want the list and then the error of deleted_list", ids, err)
	}
	broken = false
	ids, _, _, err = pass(t, c, cursor)
	if diff := cmp.Diff([]string{"4"}, ids); err != nil || diff != "" {
		t.Errorf("goes on with %v, %v (-want +got):\n%s", ids, err, diff)
	}
}
