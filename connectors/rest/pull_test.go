package rest

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
	"touchstone/connectors/connectortest"
)

const day = "2026-01-05T08:00:0"

func TestPullerKeepsItsPromises(t *testing.T) {
	s := serve(t, pages(map[string]string{
		"":   list("p2", `{"id":"1","n":9007199254740993,"z":"<b>","a":1.10,"updated_at":"`+day+`1Z"}`, item("2", day+"2Z")),
		"p2": list("p3"),
		"p3": list("null", item("3", day+"3Z")),
	}))
	want := []string{
		`{"a":1.10,"id":"1","n":9007199254740993,"updated_at":"2026-01-05T08:00:01Z","z":"<b>"}`,
		`{"etag":"v1","id":"2","name":"N2","updated_at":"2026-01-05T08:00:02Z"}`,
		`{"etag":"v1","id":"3","name":"N3","updated_at":"2026-01-05T08:00:03Z"}`,
	}
	connectortest.Puller(t, func(t *testing.T) connectors.Puller { return open(t, company, s.URL) }, "company", want)
}

func TestRecordsAreReadWhole(t *testing.T) {
	s := serve(t, pages(map[string]string{"": list("null",
		`{"id":7,"etag":"v9","updated_at":"2026-01-05T16:00:00+08:00","deleted":true}`,
		`{"name":"no id"}`,
		`{"id":"8","deleted":"yes"}`,
		`{"id":"9","updated_at":"yesterday"}`,
		`{"id":"9","updated_at":"yesterday"}`)}))
	c := open(t, company, s.URL)
	p, err := c.Pull(t.Context(), "company", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Records {
		got = append(got, fmt.Sprintf("%s|%s|%s|%s|%v|%s|%s", r.Place, r.ID, r.Version, r.Stamp.Format(time.RFC3339), r.Deleted, r.Problem, r.Data))
	}
	want := []string{
		`page 1, record 1|7|v9|2026-01-05T08:00:00Z|true||{"deleted":true,"etag":"v9","id":7,"updated_at":"2026-01-05T16:00:00+08:00"}`,
		`page 1, record 2|||0001-01-01T00:00:00Z|false|id: the record has none|{"unreadable":"{\"name\":\"no id\"}"}`,
		`page 1, record 3|8||0001-01-01T00:00:00Z|false|deleted: expression, line 1, column 1: gives a text, want true or false|{"unreadable":"{\"deleted\":\"yes\",\"id\":\"8\"}"}`,
		`page 1, record 4|9||0001-01-01T00:00:00Z|false||{"id":"9","updated_at":"yesterday"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if notes := c.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "stamp") {
		t.Errorf("notes %q, want one about the stamp", notes)
	}
}

func TestPagesThatNeverEndAreNoticed(t *testing.T) {
	endless := func(token func(n int) string) *system {
		var n atomic.Int32
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			i := int(n.Add(1))
			reply(w, 200, list(token(i), item(fmt.Sprint(i), day+"1Z")))
		})
	}
	tests := []struct {
		name, block, want string
		token             func(n int) string
		most              int
	}{
		{"the same token for ever", company, "the page token came before", func(int) string { return "same" }, 3},
		{"a circle of seven", company, "the page token came before", func(n int) string { return fmt.Sprint(n % 7) }, 30},
		{"a circle after a lead", company, "the page token came before", func(n int) string { return fmt.Sprint(min(n, 20+n%5)) }, 90},
		{"ever new tokens", company + "max_pages: 50\n", "the pass has had 50 pages (max_pages)", func(n int) string { return fmt.Sprint("t", n) }, 51},
	}
	for _, tt := range tests {
		s := endless(tt.token)
		ids, _, n, err := pass(t, open(t, tt.block, s.URL), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || n > tt.most || len(ids) == 0 {
			t.Errorf("%s: page %d: %v, want %q by page %d", tt.name, n, err, tt.want, tt.most)
		}
	}
}

func TestAnAPIThatDiesAtPageThreeGoesOnThere(t *testing.T) {
	var dead atomic.Bool
	dead.Store(true)
	all := map[string]string{"": list("p2", item("1", day+"1Z")), "p2": list("p3", item("2", day+"2Z")), "p3": list("null", item("3", day+"3Z"))}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "p3" && dead.Load() {
			reply(w, 500, `{"error":{"message":"boom"}}`)
			return
		}
		pages(all)(w, r)
	})
	ids, cursor, _, err := pass(t, open(t, company, s.URL), nil)
	if diff := cmp.Diff([]string{"1", "2"}, ids); err == nil || diff != "" || err.Error() != "pull company: page 3: status 500: boom" {
		t.Fatalf("first try gave %v, %v; want 1 and 2 and the third page's error", ids, err)
	}
	dead.Store(false)
	ids, _, _, err = pass(t, open(t, company, s.URL), cursor)
	if diff := cmp.Diff([]string{"3"}, ids); err != nil || diff != "" {
		t.Errorf("resumed at the last cursor: %v, %v; want 3", ids, err)
	}
}

func TestRateLimitsTellTheWait(t *testing.T) {
	tests := []struct {
		status int
		after  string
		want   time.Duration
	}{
		{429, "7", 7 * time.Second},
		{429, "Mon, 05 Jan 2026 08:00:30 GMT", 30 * time.Second},
		{429, "", 0},
		{429, "999999999999", 15 * time.Minute},
		{503, "60", time.Minute},
	}
	for _, tt := range tests {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Mon, 05 Jan 2026 08:00:00 GMT")
			if tt.after != "" {
				w.Header().Set("Retry-After", tt.after)
			}
			reply(w, tt.status, `{}`)
		})
		c := open(t, company, s.URL)
		_, err := c.Pull(t.Context(), "company", nil)
		var l *connectors.RateLimited
		if !errors.As(err, &l) || l.After != tt.want {
			t.Errorf("pull answered %d, Retry-After %q: %v, want a wait of %v", tt.status, tt.after, err, tt.want)
		}
		if tt.status != 429 {
			continue
		}
		for i, r := range push(t, c, create(), update()) {
			if r.Outcome != connectors.Retry || r.RetryAfter != tt.want {
				t.Errorf("push %d answered 429, Retry-After %q: %+v, want retry after %v", i, tt.after, r, tt.want)
			}
		}
		if n := s.count("POST") + s.count("PATCH"); n != 1 {
			t.Errorf("%d writes were sent into the rate limit, want 1", n)
		}
	}
}

func TestBadAnswersFailThePage(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
		is     error
	}{
		{"200 with an error body", func(w http.ResponseWriter, r *http.Request) {
			reply(w, 200, `{"error":{"message":"quota"},"items":[]}`)
		}, "status 200: quota", connectors.ErrRejected},
		{"401", func(w http.ResponseWriter, r *http.Request) { reply(w, 401, `{}`) }, "credentials rejected: status 401", connectors.ErrAuth},
		{"403", func(w http.ResponseWriter, r *http.Request) { reply(w, 403, `not json`) }, "credentials rejected: status 403", connectors.ErrAuth},
		{"records is an object", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, `{"items":{"id":1}}`) }, "records: body.items gives an object, want a list of objects", nil},
		{"records is missing", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, `{"data":[]}`) }, "records: body.items gives nothing, want a list of objects", nil},
		{"an entry is a text", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, `{"items":[{"id":1},"x"]}`) }, "records: entry 2 of body.items is a text, want an object", nil},
		{"a login page", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, `<html>`) }, "status 200, but the body is not one JSON value", nil},
		{"two values", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, `{"items":[]}{}`) }, "not one JSON value", nil},
		{"cut body", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			reply(w, 200, `{"items":[`)
		}, "the answer's body is cut short", nil},
		{"gzip bomb", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 8<<20))
			z.Close()
		}, "the answer's body has more than 1048576 bytes", nil},
		{"deep nesting", func(w http.ResponseWriter, r *http.Request) {
			reply(w, 200, `{"items":[{"id":1,"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`}]}`)
		}, "not one JSON value", nil},
	}
	for _, tt := range tests {
		s := serve(t, tt.answer)
		c := open(t, edited(t, company, "timeout: 1s", "timeout: 20s"), s.URL)
		p, err := c.Pull(t.Context(), "company", nil)
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) || len(p.Records) > 0 || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %d records, %v; want no records and %q", tt.name, len(p.Records), err, tt.want)
		}
		if err := c.Check(t.Context()); err == nil {
			t.Errorf("%s: Check found nothing wrong", tt.name)
		}
	}
}

func TestRedirectToAnotherHostLeaksNothing(t *testing.T) {
	thief := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, list("null")) })
	redirect := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+"/companies", http.StatusTemporaryRedirect)
	})
	next := serve(t, pages(map[string]string{"": list(thief.URL + "/companies?cursor=x")}))
	linked := strings.Replace(company, "{type: cursor, token: 'body.next_cursor', inject: {query: cursor}}", "{type: link, token: 'body.next_cursor'}", 1)
	for name, c := range map[string]*Client{"redirect": open(t, company, redirect.URL), "next link": open(t, linked, next.URL)} {
		_, _, _, err := pass(t, c, nil)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s to another host: %v, want an error without the secret", name, err)
		}
	}
	if r := push(t, open(t, company, redirect.URL), create())[0]; r.Outcome != connectors.Rejected {
		t.Errorf("a redirected write: %+v, want it rejected", r)
	}
	if n := len(thief.asked()); n != 0 {
		t.Errorf("the other host was asked %d times, want never: %v", n, thief.asked())
	}
}

func TestEqualTimestampsAtThePageEdgeAreNotLost(t *testing.T) {
	// The system answers from the time asked for, two to a page, and writes two
	// more records with the mark's own time after the first pass.
	var stamps atomic.Int32
	stamps.Store(3)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		since, offset := r.URL.Query().Get("updated_since"), 0
		_, _ = fmt.Sscan(r.URL.Query().Get("cursor"), &offset)
		var items []string
		for i := 1; i <= int(stamps.Load()); i++ {
			if stamp := day + fmt.Sprint(min(i, 2)) + ".000001Z"; stamp >= since {
				items = append(items, item(fmt.Sprint(i), stamp))
			}
		}
		items = items[min(offset, len(items)):]
		next := "null"
		if len(items) > 2 {
			items, next = items[:2], fmt.Sprint(offset+2)
		}
		reply(w, 200, list(next, items...))
	})
	c := open(t, company, s.URL)
	ids, cursor, _, err := pass(t, c, nil)
	if diff := cmp.Diff([]string{"1", "2", "3"}, ids); err != nil || diff != "" {
		t.Fatalf("first pass %v, %v", ids, err)
	}
	stamps.Store(5)
	ids, _, _, err = pass(t, c, cursor)
	if diff := cmp.Diff([]string{"2", "3", "4", "5"}, ids); err != nil || diff != "" {
		t.Errorf("second pass %v, %v; want those at the mark again and the two new ones", ids, err)
	}
	if got, want := s.asked()[2].URL, "/companies?limit=100&updated_since=2026-01-05T08%3A00%3A02.000001Z"; got != want {
		t.Errorf("the second pass asked %s, want %s", got, want)
	}
}

func TestAFilterThatDoesNothingIsNoticed(t *testing.T) {
	s := serve(t, pages(map[string]string{"": list("null", item("1", day+"1Z"), item("2", day+"5Z"), `{"id":"3","updated_at":null}`)}))
	c := open(t, company, s.URL)
	_, cursor, _, err := pass(t, c, nil)
	if err != nil || len(c.Notes()) != 0 {
		t.Fatalf("first pass: %v, notes %q", err, c.Notes())
	}
	for range 2 {
		ids, _, _, err := pass(t, c, cursor)
		if diff := cmp.Diff([]string{"2", "3"}, ids); err != nil || diff != "" {
			t.Errorf("second pass gave %v, %v; want the newest and the one without a time", ids, err)
		}
	}
	if notes := c.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "older than the cursor") {
		t.Errorf("notes %q, want one", notes)
	}
}

func TestLookbackAndExclusiveFiltersAskEarlier(t *testing.T) {
	tests := []struct{ incremental, stamp, want string }{
		{"lookback: 1m, inclusive: true", "2026-01-05T08:00:02.000001Z", "2026-01-05T07:59:02.000001Z"},
		{"inclusive: false", "2026-01-05T08:00:02+08:00", "2026-01-05T08:00:01+08:00"},
		{"lookback: 1d", "2026-01-05", "2026-01-04"},
		{"lookback: 1m", "1767600000", "1767599940"},
		{"lookback: 1m", "1767600000000", "1767599940000"},
		{"lookback: 0s", "anything", "anything"},
	}
	for _, tt := range tests {
		s := serve(t, pages(map[string]string{"": list("null", item("1", tt.stamp))}))
		c := open(t, strings.Replace(company, "lookback: 0s, inclusive: true", tt.incremental, 1), s.URL)
		_, cursor, _, err := pass(t, c, nil)
		if err == nil {
			_, _, _, err = pass(t, c, cursor)
		}
		if err != nil {
			t.Errorf("%s: %v", tt.incremental, err)
			continue
		}
		r, _ := http.NewRequest("GET", s.asked()[1].URL, nil)
		if got := r.URL.Query().Get("updated_since"); got != tt.want {
			t.Errorf("%s at %s: asked since %s, want %s", tt.incremental, tt.stamp, got, tt.want)
		}
	}
}

func TestOtherPaginators(t *testing.T) {
	paged := func(param string, size int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			n := 0
			_, _ = fmt.Sscan(r.URL.Query().Get(param), &n)
			if param == "page" {
				n = (n - 1) * size
			}
			var items []string
			for i := n; i < min(n+size, 5); i++ {
				items = append(items, item(fmt.Sprint(i), day+"1Z"))
			}
			reply(w, 200, list("null", items...))
		}
	}
	tests := []struct {
		paginator string
		answer    http.HandlerFunc
	}{
		{"{type: page, inject: {query: page}}", paged("page", 2)},
		{"{type: offset, inject: {query: offset}}", paged("offset", 2)},
		{"{type: link, token: 'before(after(header.link, \"<\"), \">\")'}", func(w http.ResponseWriter, r *http.Request) {
			n := 0
			_, _ = fmt.Sscan(r.URL.Query().Get("n"), &n)
			if n < 4 {
				w.Header().Set("Link", fmt.Sprintf(`</companies?n=%d>; rel="next"`, n+1))
			}
			reply(w, 200, list("null", item(fmt.Sprint(n), day+"1Z")))
		}},
	}
	for _, tt := range tests {
		s := serve(t, tt.answer)
		c := open(t, strings.Replace(company, "{type: cursor, token: 'body.next_cursor', inject: {query: cursor}}", tt.paginator, 1), s.URL)
		ids, _, _, err := pass(t, c, nil)
		if diff := cmp.Diff([]string{"0", "1", "2", "3", "4"}, ids); err != nil || diff != "" {
			t.Errorf("%s: %v, %v; want 0 to 4", tt.paginator, ids, err)
		}
	}
}

func TestForeignCursorsAndStreamsAreErrors(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"items":[]}`) })
	c := open(t, company, s.URL)
	for _, cursor := range []string{"x", "{", `{"other":1}`, `[]`} {
		if _, err := c.Pull(t.Context(), "company", []byte(cursor)); err == nil || !strings.Contains(err.Error(), "not one of this connector") {
			t.Errorf("cursor %q: %v, want it refused", cursor, err)
		}
	}
	if _, err := c.Pull(t.Context(), "person", nil); err == nil {
		t.Error("a stream that is not declared was read")
	}
	if n := len(s.asked()); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestARecordFromTheFutureDoesNotMoveTheCursor(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Mon, 05 Jan 2026 08:00:00 GMT")
		reply(w, 200, list("null", item("1", "2099-01-01T00:00:00Z"), item("2", day+"2Z")))
	})
	c := open(t, company, s.URL)
	ids, cursor, _, err := pass(t, c, nil)
	if diff := cmp.Diff([]string{"1", "2"}, ids); err != nil || diff != "" || string(cursor) != `{"mark":"`+day+`2Z"}` || len(c.Notes()) != 1 {
		t.Errorf("pass gave %v, cursor %s, notes %q, %v; want both records and the mark of the second", ids, cursor, c.Notes(), err)
	}
}

func BenchmarkPull(b *testing.B) {
	var items []string
	for i := range 100 {
		items = append(items, fmt.Sprintf(`{"id":"c%d","name":"Name %d","phone":"+44 20 7946 %04d","street":"1 High Street","city":"London","employees":%d,"updated_at":"2026-01-05T08:00:00Z","etag":"v1","deleted":false}`, i, i, i, i))
	}
	s := serve(b, pages(map[string]string{"": list("null", items...)}))
	c := open(b, company, s.URL)
	b.ReportAllocs()
	for b.Loop() {
		if p, err := c.Pull(b.Context(), "company", nil); err != nil || len(p.Records) != 100 {
			b.Fatal(len(p.Records), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/record")
}
