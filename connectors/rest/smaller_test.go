package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// long is a system of 37 companies, three of them 500 kB long: pages of ten are
// too much for a client that takes 1 MiB. It knows cursors, links, page numbers
// and offsets, with the size of a page in the query or the body.
func long(t *testing.T, kind string, longest int) *system {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked := map[string]any{"limit": q.Get("limit"), "cursor": q.Get("cursor")}
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
				reply(w, 400, "{}")
				return
			}
		}
		limit, err := strconv.Atoi(fmt.Sprint(asked["limit"]))
		if err != nil || limit < 1 {
			limit = 100
		}
		at, _ := strconv.Atoi(fmt.Sprint(asked["cursor"]))
		if kind == "page" && at > 0 {
			at = (at - 1) * limit
		}
		items := []string{}
		for i := at; i < min(at+limit, 37); i++ {
			text := "short"
			if i >= 20 && i < 23 {
				text = strings.Repeat("x", longest)
			}
			items = append(items, fmt.Sprintf(`{"id":"%d","updated_at":"2026-01-02T00:00:00Z","name":%q}`, i, text))
		}
		next := ""
		if at+limit < 37 {
			next = strconv.Itoa(at + limit)
			if kind == "link" {
				next = "/companies?limit=" + strconv.Itoa(limit) + "&cursor=" + next
			}
		}
		reply(w, 200, fmt.Sprintf(`{"items":[%s],"next_cursor":%q}`, strings.Join(items, ","), next))
	})
}

func TestPageTooLongIsAskedForInParts(t *testing.T) {
	list := `list: {path: /companies, query: {limit: "100", updated_since: "{{ cursor }}"}, records: 'body.items', start: ""}`
	pager := `paginator: {type: cursor, token: 'body.next_cursor', inject: {query: cursor}}`
	get := `list: {path: /companies, query: {limit: "10"}, records: 'body.items', start: ""}`
	tests := []struct{ kind, list, pager string }{
		{"cursor", get, `paginator: {type: cursor, token: 'body.next_cursor', inject: {query: cursor}, size: {query: limit}}`},
		{"body", `list: {method: POST, path: /search, body: {limit: 10}, records: 'body.items', start: ""}`, `paginator: {type: cursor, token: 'body.next_cursor', inject: {body: cursor}, size: {body: limit}}`},
		{"link", get, `paginator: {type: link, token: 'body.next_cursor', size: {query: limit}}`},
		{"page", get, `paginator: {type: page, inject: {query: cursor}, size: {query: limit}}`},
		{"page of nine", `list: {path: /companies, query: {limit: "9"}, records: 'body.items', start: ""}`, `paginator: {type: page, inject: {query: cursor}, size: {query: limit}}`},
		{"offset", get, `paginator: {type: offset, inject: {query: cursor}, size: {query: limit}}`},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			sys := long(t, strings.Fields(tt.kind)[0], 500_000)
			block := edited(t, company, list, tt.list, pager, tt.pager, "cursor: 'record.updated_at', ", "")
			times := map[string]int{}
			var at []byte
			for n := 0; ; n++ {
				c := open(t, block, sys.URL) // begun anew each time: all that counts stands in the cursor
				page, err := c.Pull(t.Context(), "company", at)
				if err != nil || n > 60 {
					t.Fatalf("page %d: %v", n+1, err)
				}
				for _, r := range page.Records {
					times[r.ID]++
				}
				if at = page.Cursor; !page.More {
					break
				}
			}
			if len(times) != 37 {
				t.Errorf("%d of 37 records came: %v", len(times), times)
			}
			for id, n := range times {
				if n != 1 {
					t.Errorf("record %s came %d times", id, n)
				}
			}
			if n := len(sys.asked()); n > 40 {
				t.Errorf("%d requests, want at most 40", n)
			}
		})
	}
}

func TestPageTooLongSaysWhatToDo(t *testing.T) {
	patient := edited(t, company, "timeout: 1s", "timeout: 20s") // the bodies are of megabytes
	sized := edited(t, patient, "inject: {query: cursor}", "inject: {query: cursor}, size: {query: limit}")
	tests := []struct {
		what, block string
		longest     int
		want        string
	}{
		{"no page size is known", patient, 500_000, "pull company: page 1: the page is longer than 1MiB; raise requester.max_body of the source, or ask for fewer records a page (paginator.size lets that be done by itself); nothing behind it is read until then"},
		{"one record is too long", sized, 1 << 21, "one record alone is longer than 1MiB; raise requester.max_body of the source, nothing behind it is read until then"},
		{"the request says no size", strings.Replace(sized, `limit: "100"`, `most: "100"`, 1), 500_000, "the request says no page size that could be halved; raise requester.max_body of the source"},
	}
	for _, tt := range tests {
		sys := long(t, "cursor", tt.longest)
		c := open(t, tt.block, sys.URL)
		var at []byte
		var err error
		for err == nil {
			page, pulled := c.Pull(t.Context(), "company", at)
			if err = pulled; err == nil && !page.More {
				break
			}
			at = page.Cursor
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.what, err, tt.want)
		}
	}
}

func TestPageSizeIsChecked(t *testing.T) {
	for size, want := range map[string]string{
		`size: {query: a, body: b}`: "want query or body, not both",
		`size: {body: limit}`:       "body needs method: POST of the list",
	} {
		_, err := options(t, edited(t, company, "inject: {query: cursor}", "inject: {query: cursor}, "+size), "http://127.0.0.1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", size, err, want)
		}
	}
	_, err := options(t, edited(t, company, "paginator: {type: cursor, token: 'body.next_cursor', inject: {query: cursor}}", "paginator: {type: none, size: {query: limit}}"), "http://127.0.0.1")
	if want := "would never be asked for"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("type none: %v, want %q", err, want)
	}
}
