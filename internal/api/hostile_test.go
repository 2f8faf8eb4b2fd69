package api_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/internal/api"
)

// raw sends bytes to the daemon and gives the first line of what it says.
func (c *client) raw(text string) string {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.server.Listener.Addr().String())
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		c.t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := conn.Read(b)
	if err != nil {
		c.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b[:n]), "\r\n")
	return line
}

func TestClumsyRequestsAreToldWhatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(bytes.Repeat([]byte(" "), 20<<20)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		tests := []struct {
			method, path, body string
			header             []string
			status             int
			want               string // in the answer
		}{
			{"GET", "/customers?limit=1&limit=2", "", nil, 422, "query.limit"},
			{"GET", "/customers?limit=", "", nil, 422, "is empty; leave it out"},
			{"GET", "/customers?several=", "", nil, 422, "is empty; leave it out"},
			{"GET", "/decisions?state=", "", nil, 422, "is empty; leave it out"},
			{"GET", "/customers?q=", "", nil, 200, "items"},
			{"GET", "/customers?limit=1;q=2", "", nil, 422, "not well escaped"},
			{"GET", "/changes?after=&after=x", "", nil, 422, "stands more than once"},
			{"GET", "/quarantine?after=q999", "", nil, 422, "begin at its beginning"},
			{"GET", "/reviews?after=q999", "", nil, 422, "begin at its beginning"},
			{"GET", "/customers?after=q999", "", nil, 404, "nothing of this name"},
			{"GET", "/conflicts?after=q999", "", nil, 404, "nothing of this name"},
			{"GET", "/customers/%00", "", nil, 404, "nothing of this name"},
			{"GET", "/customers/%ff%fe", "", nil, 404, "nothing of this name"},
			{"POST", "/decisions/merge", `{"a": "x", "b": "y", "why": null}`, nil, 422, "null stands where a value is wanted"},
			{"POST", "/decisions/merge", `{"a": "x", "a": "z", "b": "y"}`, nil, 400, "a key stands twice"},
			{"POST", "/decisions/merge", "{\"a\": \"\xff\", \"b\": \"y\"}", nil, 400, "not UTF-8"},
			{"POST", "/decisions/merge", `{"a": "x", "b": "y"} {}`, nil, 400, "after top-level value"},
			{"POST", "/decisions/merge", packed.String(), []string{"Content-Encoding", "gzip"}, 415, "without Content-Encoding"},
			{"POST", "/decisions/merge", `a=x&b=y`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unknown content type"},
			{"POST", "/match", `{"entity": "company", "fields": ` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}`, nil, 400, "nested too deep"},
			{"POST", "/match", `{"entity": "company", "fields": {"name": "Alpha Widgets", "phones": null}}`, nil, 200, "candidates"},
			{"POST", "/decisions/merge", strings.Repeat(" ", 2<<20), []string{"Idempotency-Key", "a-key-of-some-length"}, 413, "larger than 1 MiB"},
			{"POST", "/decisions/merge", `{}`, []string{"Idempotency-Key", strings.Repeat("k", 201)}, 400, "8 to 200 visible"},
			{"DELETE", "/customers", "", nil, 405, "ask with GET"},
		}
		for _, tt := range tests {
			r := c.do(tt.method, api.Path+tt.path, tt.body, tt.header...)
			if r.status != tt.status || !strings.Contains(r.text, tt.want) {
				t.Errorf("%s %s %.60q: %d %.300s; want %d with %q", tt.method, tt.path, tt.body, r.status, r.text, tt.status, tt.want)
			}
		}
		if r := c.do("OPTIONS", api.Path+"/decisions/pin", ""); r.status != 405 || r.header.Get("Allow") != "POST" {
			t.Errorf("OPTIONS of what is only posted: %d, Allow %q; want 405, POST", r.status, r.header.Get("Allow"))
		}
		head := "POST " + api.Path + "/decisions/merge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
		for _, key := range []string{"", "Idempotency-Key: another-key-of-length\r\n"} {
			if line := c.raw(head + key + "\r\nzz\r\n"); line != "HTTP/1.1 400 Bad Request" {
				t.Errorf("a broken body with %q: %s, want 400", key, line)
			}
		}
	})
}

// TestOneOfTwentyMerges lets twenty requests with one key, and twenty without, ask
// for the same at once: one decision each, and no answer is an error of ours.
func TestOneOfTwentyMerges(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		ids := c.customers()
		body := fmt.Sprintf(`{"a": %q, "b": %q, "why": "race"}`, ids["Alpha Widgets Ltd"], ids["Gamma Foods Inc"])
		var mu sync.Mutex
		decisions, statuses := map[string]int{}, map[int]int{}
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				r := c.do("POST", api.Path+"/decisions/merge", body, "Idempotency-Key", "one-key-for-all-of-them")
				mu.Lock()
				defer mu.Unlock()
				statuses[r.status]++
				if id, ok := r.body["decision"].(string); ok && r.status == http.StatusOK {
					decisions[id]++
				}
			})
		}
		wait.Wait()
		if len(decisions) != 1 || statuses[200]+statuses[409] != 20 {
			t.Errorf("statuses %v, decisions %v; want one decision, and 200 or 409", statuses, decisions)
		}
	})
}
