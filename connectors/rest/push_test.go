package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"touchstone/connectors"
	"touchstone/internal/record"
)

func TestWritesAreSentAsDeclared(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v8"`)
		reply(w, 200, `{"id":"c9"}`)
	})
	c := open(t, company, s.URL)
	upsert := create()
	upsert.Op, upsert.Key = record.Upsert, "g/1 ü"
	got := push(t, c, create(), update(), upsert)
	for i, want := range []connectors.Result{
		{Row: "r1", Outcome: connectors.Applied, ExternalID: "c9", Version: "v8"},
		{Row: "r2", Outcome: connectors.Applied, ExternalID: "c9", Version: "v8"},
		{Row: "r1", Outcome: connectors.Applied, ExternalID: "c9", Version: "v8"},
	} {
		if diff := cmp.Diff(want, got[i]); diff != "" {
			t.Errorf("result %d (-want +got):\n%s", i, diff)
		}
	}
	want := []seen{
		{Method: "POST", URL: "/companies", Body: `{"address":{"city":"上海","line":null},"employees":12,"external_id":"g-1","name":"Secret Customer Ltd"}`},
		{Method: "PATCH", URL: "/companies/c%201%2Fx", Body: `{"phone":"+4420"}`},
		{Method: "PUT", URL: "/companies/by-external-id/g%2F1%20%C3%BC", Body: `{"address":{"city":"上海","line":null},"employees":12,"name":"Secret Customer Ltd"}`},
	}
	asked := s.asked()
	if diff := cmp.Diff(want, asked, cmpopts.IgnoreFields(seen{}, "Header")); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for i, h := range []map[string]string{
		{"If-Match": "", "Idempotency-Key": "i-1"},
		{"If-Match": `"v7"`, "Idempotency-Key": "i-2"},
		{"If-Match": "", "Idempotency-Key": "i-1"},
	} {
		h["Authorization"], h["Content-Type"] = "Bearer "+secret, "application/json"
		for k, v := range h {
			if got := asked[i].Header.Get(k); got != v {
				t.Errorf("request %d has %s %q, want %q", i, k, got, v)
			}
		}
	}
}

func TestAnswersToWritesMeanWhatTheySay(t *testing.T) {
	hijack := func(w http.ResponseWriter, text string) {
		conn, rw, _ := w.(http.Hijacker).Hijack()
		_, _ = rw.WriteString(text)
		_ = rw.Flush()
		conn.Close()
	}
	tests := []struct {
		name   string
		status int
		body   string
		want   connectors.Outcome
		id     string
		is     error
		text   string
	}{
		{"created", 201, `{"id":"c1"}`, connectors.Applied, "c1", nil, ""},
		{"no content", 204, ``, connectors.Applied, "", nil, ""},
		{"200 with an error body", 200, `{"error":{"code":"quota","message":"daily quota used"}}`, connectors.Rejected, "", connectors.ErrRejected, "status 200: daily quota used"},
		{"409 with the existing id", 409, `{"error":{"code":"duplicate","existing_id":"c7"}}`, connectors.Exists, "c7", nil, "status 409"},
		{"409 with a number as id", 409, `{"error":{"code":"duplicate","existing_id":9007199254740993}}`, connectors.Exists, "9007199254740993", nil, "status 409"},
		{"duplicate without an id", 409, `{"error":{"code":"duplicate"}}`, connectors.Conflict, "", connectors.ErrConflict, "does not name the object"},
		{"another 409", 409, `{"error":{"code":"locked"}}`, connectors.Conflict, "", connectors.ErrConflict, "status 409"},
		{"412", 412, `{}`, connectors.Conflict, "", connectors.ErrConflict, "status 412"},
		{"422 that repeats the value", 422, `{"error":{"message":"name Secret Customer Ltd of 上海 is taken"}}`, connectors.Rejected, "", connectors.ErrRejected, "status 422: name … of … is taken"},
		{"400", 400, `oops`, connectors.Rejected, "", connectors.ErrRejected, "status 400"},
		{"404", 404, `{}`, connectors.Rejected, "", record.ErrNotFound, "status 404"},
		{"401", 401, `{}`, connectors.Retry, "", connectors.ErrAuth, "status 401"},
		{"429", 429, `{}`, connectors.Retry, "", nil, "rate limited"},
		{"302", 302, `{}`, connectors.Rejected, "", connectors.ErrRejected, "status 302"},
		{"303", 303, `{}`, connectors.Unknown, "", nil, "status 303"},
		{"500", 500, `{}`, connectors.Unknown, "", nil, "status 500"},
		{"503", 503, `{}`, connectors.Unknown, "", nil, "status 503"},
		{"200 that is not JSON", 200, `<html>`, connectors.Unknown, "", nil, "status 200"},
		{"cut body", -1, "HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{\"id\":", connectors.Unknown, "", nil, "cut short"},
		{"closed without an answer", -1, "", connectors.Unknown, "", nil, "closed before the answer"},
	}
	for _, tt := range tests {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if tt.status < 0 {
				hijack(w, tt.body)
				return
			}
			if tt.status == 302 || tt.status == 303 {
				w.Header().Set("Location", "/elsewhere")
			}
			reply(w, tt.status, tt.body)
		})
		r := push(t, open(t, company, s.URL), create())[0]
		if r.Outcome != tt.want || r.ExternalID != tt.id || tt.is != nil && !errors.Is(r.Err, tt.is) || !strings.Contains(fmt.Sprint(r.Err), tt.text) {
			t.Errorf("%s: %+v, want %s %s %v %q", tt.name, r, tt.want, tt.id, tt.is, tt.text)
		}
		if r.Err != nil && (strings.Contains(r.Err.Error(), "Customer") || strings.Contains(r.Err.Error(), "上海")) {
			t.Errorf("%s: the error holds a customer's value: %v", tt.name, r.Err)
		}
		if n := len(s.asked()); n != 1 {
			t.Errorf("%s: sent %d times, want once", tt.name, n)
		}
	}
}

func TestAWriteThatTimesOutIsUnknownAndSentOnce(t *testing.T) {
	var applied atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		applied.Add(1)
		<-r.Context().Done()
	})
	c := open(t, company, s.URL)
	start := time.Now()
	r := push(t, c, create())[0]
	if r.Outcome != connectors.Unknown || !errors.Is(r.Err, context.DeadlineExceeded) || applied.Load() != 1 || time.Since(start) > 5*time.Second {
		t.Errorf("%+v after %v, applied %d times; want unknown, once", r, time.Since(start), applied.Load())
	}
}

func TestNothingSentIsRetry(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r := push(t, open(t, company, "http://"+l.Addr().String()), create())[0]
	if r.Outcome != connectors.Retry || !strings.Contains(r.Err.Error(), "connection refused") {
		t.Errorf("push to a dead port: %+v, want retry, connection refused", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results, err := open(t, company, "http://127.0.0.1:1").Push(ctx, []record.Change{create(), update()})
	if err != nil || results[0].Outcome != connectors.Retry || results[1].Outcome != connectors.Retry || !errors.Is(results[1].Err, context.Canceled) {
		t.Errorf("push with a stopped context: %+v, %v; want retry for both", results, err)
	}
}

func TestRefusedCredentialsStopTheBatch(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 403, `{}`) })
	for i, r := range push(t, open(t, company, s.URL), create(), update(), create()) {
		if r.Outcome != connectors.Retry || !errors.Is(r.Err, connectors.ErrAuth) {
			t.Errorf("result %d: %+v, want retry with ErrAuth", i, r)
		}
	}
	if n := len(s.asked()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestChangesThatCannotBeSentAreRejected(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, `{}`) })
	c := open(t, company, s.URL)
	change := func(f func(*record.Change)) record.Change { ch := update(); f(&ch); return ch }
	for _, tt := range []struct {
		name string
		c    record.Change
	}{
		{"no id", change(func(c *record.Change) { c.ExternalID = "" })},
		{"an id that climbs", change(func(c *record.Change) { c.ExternalID = ".." })},
		{"another entity", change(func(c *record.Change) { c.Entity = "person" })},
		{"another operation", change(func(c *record.Change) { c.Op = "delete" })},
		{"a field within a value", change(func(c *record.Change) { c.Fields = map[string]any{"a": map[string]any{}, "a.b": 1} })},
		{"an empty field name", change(func(c *record.Change) { c.Fields = map[string]any{"a.": 1} })},
		{"a value that is not JSON", change(func(c *record.Change) { c.Fields = map[string]any{"a": func() {}} })},
	} {
		if r := push(t, c, tt.c)[0]; r.Outcome != connectors.Rejected || !errors.Is(r.Err, connectors.ErrRejected) {
			t.Errorf("%s: %+v, want rejected", tt.name, r)
		}
	}
	if n := len(s.asked()); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestReadAndFind(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("external_id") == "boom":
			reply(w, 500, `{"error":{"message":"about boom"}}`)
		case r.URL.Path == "/companies": // the filter does nothing
			reply(w, 200, list("null", `{"id":"1","external_id":"g-1"}`, `{"id":"2","external_id":"g-2"}`, `{"id":"3"}`))
		case r.URL.Path == "/companies/1":
			w.Header().Set("ETag", `"v3"`)
			reply(w, 200, `{"id":"1","big":9007199254740993}`)
		case r.URL.Path == "/companies/secret":
			reply(w, 403, `{}`)
		default:
			reply(w, 404, `{}`)
		}
	})
	c := open(t, company, s.URL)
	got, err := c.Read(t.Context(), "company", []string{"0", "1", "9"})
	want := []record.Raw{{Entity: "company", ID: "1", Version: "v3", Data: []byte(`{"big":9007199254740993,"id":"1"}`), Place: "read of 1"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Read: %v (-want +got):\n%s", err, diff)
	}
	if _, err := c.Read(t.Context(), "company", []string{"secret"}); !errors.Is(err, connectors.ErrAuth) {
		t.Errorf("Read of a forbidden object: %v, want ErrAuth and not absence", err)
	}
	found, err := c.FindByKey(t.Context(), "company", "g-1")
	var ids []string
	for _, r := range found {
		ids = append(ids, r.ID)
	}
	if diff := cmp.Diff([]string{"1", "3"}, ids); err != nil || diff != "" || len(c.Notes()) != 1 {
		t.Errorf("FindByKey: %v, %v, notes %q; want 1 and the one that shows no key", ids, err, c.Notes())
	}
	if _, err := c.FindByKey(t.Context(), "company", "boom"); err == nil || err.Error() != "find company by key: status 500: about …" {
		t.Errorf("FindByKey that fails: %v", err)
	}
	class := connectors.Class{IdempotencyKey: true, KeyLife: 24 * time.Hour, UniqueKey: true, Conditional: true, Searchable: true, MaxRequestLife: time.Minute}
	if diff := cmp.Diff(class, c.Class("company")); diff != "" || c.Class("other") != (connectors.Class{}) {
		t.Errorf("Class (-want +got):\n%s", diff)
	}
	if c.KeyField("company") != "external_id" || c.KeyField("other") != "" {
		t.Errorf("KeyField is %q and, of an unknown entity, %q; want external_id and nothing", c.KeyField("company"), c.KeyField("other"))
	}
}
