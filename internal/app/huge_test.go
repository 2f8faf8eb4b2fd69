package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// hugeWorld has companies whose names have n bytes, the last one 1.6 times as many,
// and an event as long.
func hugeWorld(t *testing.T, records, n int) *world {
	t.Helper()
	w := newWorld(t, "")
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		at, _ := strconv.Atoi(r.URL.Query().Get("page"))
		name := strings.Repeat(string(rune('a'+at%26)), n)
		if at+1 == records {
			name = strings.Repeat(string(rune('a'+at%26)), 16*n/10)
		}
		item := map[string]any{"id": fmt.Sprint("h", at), "updated_at": "2026-01-02T00:00:00Z", "name": name, "website": fmt.Sprintf("h%d.example", at), "phone": fmt.Sprintf("+44 113 4960%03d", at)}
		next := ""
		if at+1 < records {
			next = strconv.Itoa(at + 1)
		}
		if strings.HasSuffix(r.URL.Path, "/tickets") {
			next = ""
			item = map[string]any{"id": "t1", "updated_at": "2026-01-02T00:00:00Z", "company_id": "h0", "opened_at": "2026-01-02T10:00:00Z", "note": name}
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"items": []any{item}, "next": next})
	}))
	t.Cleanup(srv.Close)
	w.yaml = strings.ReplaceAll(`
sources:
  crm:
    type: rest
    base_url: "URL"
    requester: {max_body: 64MiB}
    streams:
      company:
        list: {path: /companies, records: 'body.items'}
        paginator: {type: cursor, token: 'body.next', inject: {query: page}}
        id: 'record.id'
        stamp: 'record.updated_at'
      tickets:
        list: {path: /tickets, records: 'body.items'}
        id: 'record.id'
        stamp: 'record.updated_at'
    entities:
      company:
        map: {name: 'record.name', website: 'record.website', phone: 'record.phone'}
    events:
      ticket:
        stream: tickets
        id: 'record.id'
        of: [{entity: company, id: 'record.company_id'}]
        at: 'record.opened_at'
        map: {subject: '"ticket"', payload: '{"note": record.note}'}
`, "URL", srv.URL)
	w.open()
	w.pass()
	return w
}

// TestHugeValues holds records of 10 and 16 million bytes against the pages: each
// stays small and says that there is more, and what is taken away is whole.
func TestHugeValues(t *testing.T) {
	t.Parallel()
	const size = 10_000_000
	w := hugeWorld(t, 4, size)
	rows, err := w.app.Store.Quarantines(t.Context(), store.QuarantineQuery{State: "open", Limit: 100})
	if err != nil || len(rows) != 4 || rows[0].Size < size || rows[0].Raw != nil {
		t.Fatalf("%d rows in quarantine, %v; want 4 with a size of %d and without their records", len(rows), err, size)
	}
	for _, row := range rows[:2] {
		if _, err := w.app.ReleaseRecord(t.Context(), row.ID, web.By{Who: "ann", Why: "it is so"}); err != nil {
			t.Fatal(err)
		}
	}
	w.pass()
	list, err := w.app.Store.GoldenList(t.Context(), store.GoldenFilter{Entity: "company", Limit: 100})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d golden records, %v; want 2", len(list), err)
	}
	w.decision(w.app.Merge(t.Context(), list[0].ID, list[1].ID, By{Who: "ann", Why: "same"}))
	groups, err := w.app.Store.FaultGroups(t.Context())
	if err != nil || len(groups) == 0 {
		t.Fatalf("%d faults, %v", len(groups), err)
	}
	g := "/customers/" + list[0].ID
	srv := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, Log: w.app.Log, ShowValues: true, LookUp: w.app}))
	defer srv.Close()
	tests := []struct {
		path       string
		least, end int // bytes of the answer
		want       string
	}{
		{"/", 0, 200_000, "more characters)"},
		{"/customers", 0, 100_000, "more characters)"},
		{g, 0, 200_000, "more characters)"},
		{g + "/fields/name", 0, 100_000, "more characters)"},
		{g + "/timeline", 0, 100_000, ""},
		{g + "/split", 0, 100_000, "more characters)"},
		{g + "/relations", 0, 100_000, ""},
		{g + "/record?ref=crm:h0", 0, 100_000, "more characters)"},
		{"/quarantine", 0, 50_000, ""},
		{"/quarantine.csv", 0, 50_000, "dddddddd"},
		{"/quarantine/" + rows[3].ID, 0, 50_000, "/quarantine/" + rows[3].ID + "/raw"},
		{"/faults/" + groups[0].Fault, 0, 50_000, ""},
		{"/customers.csv", 2 * size, 3 * size, "aaaaaaaa"},
		{g + "/fields/name/value", size, size, "aaaaaaaa"},
		{g + "/record/raw?ref=crm:h0&version=1", size, size + 1000, "aaaaaaaa"},
		{"/quarantine/" + rows[3].ID + "/raw", 16 * size / 10, 17 * size / 10, "dddddddd"},
	}
	for _, tt := range tests {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		resp, err := http.Get(srv.URL + tt.path)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		runtime.ReadMemStats(&after)
		if err != nil || resp.StatusCode != http.StatusOK || len(body) < tt.least || len(body) > tt.end || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s: %d with %d bytes, %v; want 200 with %d to %d, and %q in it", tt.path, resp.StatusCode, len(body), err, tt.least, tt.end, tt.want)
		}
		t.Logf("%s: %d bytes, %d MB allocated", tt.path, len(body), (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}
