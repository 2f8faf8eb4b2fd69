package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
	"touchstone/internal/record"
)

const batches = `
base_url: URL
message: 'body.message'
streams:
  company:
    id: 'record.id'
    read: {path: '/companies/{{ id }}'}
    create: {method: POST, path: /companies, external_key: properties.ext, all_text: true}
    update:
      method: PATCH
      path: '/companies/{{ id }}'
      all_text: true
      batch:
        path: /companies/batch/update
        max: 4
        items: data.inputs
        item: {id: '{{ id }}', trace: '{{ place }}'}
        results: 'body.results'
        errors: 'body.errors'
        by: id
        ref: 'result.id ?? result.context.ids'
error_handler:
  - {when: 'body.category == "CONFLICT"', class: exists, id: 'after(body.message, "Existing ID: ")'}
  - {when: 'body.category == "OBJECT_NOT_FOUND"', class: gone}
`

func changes(ids ...string) []record.Change {
	out := make([]record.Change, len(ids))
	for i, id := range ids {
		out[i] = record.Change{Row: "r" + id, Entity: "company", Op: record.Update, ExternalID: id, Key: "g" + id, Fields: map[string]any{"properties.phone": "+44 " + id, "properties.n": json.Number("12"), "properties.on": true, "properties.gone": nil}}
	}
	return out
}

func outcomes(results []connectors.Result) []string {
	out := make([]string, len(results))
	for i, r := range results {
		out[i] = fmt.Sprintf("%s %s %s", r.Row, r.Outcome, r.ExternalID)
	}
	return out
}

// bulk takes batch updates: "bad" ids refuse the whole batch, "unknown" ones are
// told in the answer, "mute" ones are not told of.
func bulk(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Data struct {
			Inputs []struct{ ID string }
		}
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	var results, failed []string
	for _, i := range in.Data.Inputs {
		switch {
		case strings.HasPrefix(i.ID, "bad"):
			reply(w, 400, `{"status":"error","category":"VALIDATION_ERROR","message":"phone +44 `+i.ID+` is not valid"}`)
			return
		case strings.HasPrefix(i.ID, "unknown"):
			failed = append(failed, fmt.Sprintf(`{"status":"error","category":"OBJECT_NOT_FOUND","message":"no","context":{"ids":[%q]}}`, i.ID))
		case strings.HasPrefix(i.ID, "taken"):
			failed = append(failed, fmt.Sprintf(`{"category":"CONFLICT","message":"Contact already exists. Existing ID: 77","context":{"ids":[%q]}}`, i.ID))
		case strings.HasPrefix(i.ID, "odd"):
			failed = append(failed, fmt.Sprintf(`{"status":409,"message":"odd","context":{"ids":[%q]}}`, i.ID))
		case strings.HasPrefix(i.ID, "mute"):
		default:
			results = append([]string{fmt.Sprintf(`{"id":%q}`, i.ID)}, results...) // in no order of ours
		}
	}
	reply(w, 207, fmt.Sprintf(`{"results":[%s],"errors":[%s]}`, strings.Join(results, ","), strings.Join(failed, ",")))
}

func TestBatchesAnswerForEachChange(t *testing.T) {
	tests := []struct {
		name     string
		ids      []string
		want     []string
		requests int
	}{
		{"all well", []string{"1", "2", "3"}, []string{"r1 applied 1", "r2 applied 2", "r3 applied 3"}, 1},
		{"more than one batch takes", []string{"1", "2", "3", "4", "5", "6"}, []string{"r1 applied 1", "r2 applied 2", "r3 applied 3", "r4 applied 4", "r5 applied 5", "r6 applied 6"}, 2},
		{"some refused", []string{"1", "unknown2", "taken3", "odd4"}, []string{"r1 applied 1", "runknown2 rejected unknown2", "rtaken3 exists 77", "rodd4 conflict odd4"}, 1},
		{"one not told of", []string{"1", "mute2"}, []string{"r1 applied 1", "rmute2 unknown mute2"}, 1},
		{"one spoils the batch", []string{"1", "2", "bad3", "4"}, []string{"r1 applied 1", "r2 applied 2", "rbad3 rejected ", "r4 applied 4"}, 5},
		{"an object twice goes in two", []string{"1", "1"}, []string{"r1 applied 1", "r1 applied 1"}, 2},
	}
	for _, tt := range tests {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				reply(w, 200, `{"id":"`+strings.TrimPrefix(r.URL.Path, "/companies/")+`"}`)
				return
			}
			bulk(w, r)
		})
		c := open(t, batches, s.URL)
		got := push(t, c, changes(tt.ids...)...)
		if diff := cmp.Diff(tt.want, outcomes(got)); diff != "" || len(s.asked()) != tt.requests {
			t.Errorf("%s: %d requests, want %d (-want +got):\n%s", tt.name, len(s.asked()), tt.requests, diff)
		}
		for _, r := range got {
			if r.Err != nil && strings.Contains(r.Err.Error(), "+44") {
				t.Errorf("%s: an error shows a value: %v", tt.name, r.Err)
			}
		}
	}
}

func TestWhatABatchSends(t *testing.T) {
	s := serve(t, bulk)
	c := open(t, batches, s.URL)
	push(t, c, changes("1", "2")...)
	want := `{"data":{"inputs":[{"id":"1","properties":{"gone":"","n":"12","on":"true","phone":"+44 1"},"trace":0},{"id":"2","properties":{"gone":"","n":"12","on":"true","phone":"+44 2"},"trace":1}]}}`
	if got := s.asked()[0]; got.Body != want || got.Method != "POST" || got.URL != "/companies/batch/update" {
		t.Errorf("sent %s %s %s\nwant %s", got.Method, got.URL, got.Body, want)
	}
}

func TestAnswersThatSpeakForTheWholeBatch(t *testing.T) {
	for _, tt := range []struct {
		status  int
		want    connectors.Outcome
		reaches int // requests: the rest is held back, or goes on
	}{
		{500, connectors.Unknown, 2}, {504, connectors.Unknown, 2}, {429, connectors.Retry, 1}, {401, connectors.Retry, 1},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, tt.status, `{}`) })
		got := push(t, open(t, batches, s.URL), changes("1", "2", "3", "4", "5", "6")...)
		for _, r := range got {
			if r.Outcome != tt.want {
				t.Errorf("status %d: %+v, want %s", tt.status, r, tt.want)
			}
		}
		if n := len(s.asked()); n != tt.reaches {
			t.Errorf("status %d: %d requests, want %d", tt.status, n, tt.reaches)
		}
	}
}

const jobs = `
base_url: URL
streams:
  company:
    id: 'record.id'
    upsert:
      method: POST
      path: /users/create_or_update
      wrap: user
      external_key: external_id
      body: {user: {skip_verify_email: true}}
      record: 'body.user'
      batch:
        path: /users/create_or_update_many
        items: users
        results: 'body.job_status.results'
        success: 'result.error == nil'
        by: place
        ref: 'result.index'
        id: 'result.id'
        job: {id: 'body.job_status.id', path: '/jobs/{{ job }}', done: 'body.job_status.status == "completed"', failed: 'body.job_status.status == "failed"', every: 1s, timeout: 30s}
`

func upserts(keys ...string) []record.Change {
	out := make([]record.Change, len(keys))
	for i, k := range keys {
		out[i] = record.Change{Row: "r" + k, Entity: "company", Op: record.Upsert, Key: k, Fields: map[string]any{"name": "N" + k}}
	}
	return out
}

func TestJobsAreWaitedFor(t *testing.T) {
	done := `{"job_status":{"id":"j1","status":"completed","results":[{"index":1,"error":"UserCreateError","details":"Email: x"},{"index":0,"id":71,"status":"Created"}]}}`
	tests := []struct {
		name    string
		answers []string // of the job, the last for ever; "" is 503
		want    []string
	}{
		{"ends at the third look", []string{`{"job_status":{"id":"j1","status":"queued"}}`, `{"job_status":{"id":"j1","status":"working"}}`, done}, []string{"ra applied 71", "rb rejected "}},
		{"a look that fails is looked again", []string{"", "", done}, []string{"ra applied 71", "rb rejected "}},
		{"given up", []string{`{"job_status":{"id":"j1","status":"failed","results":[]}}`}, []string{"ra unknown ", "rb unknown "}},
		{"never ends", []string{`{"job_status":{"id":"j1","status":"working"}}`}, []string{"ra unknown ", "rb unknown "}},
		{"not there", []string{`{}`}, []string{"ra unknown ", "rb unknown "}},
		{"in order, without places", []string{`{"job_status":{"id":"j1","status":"completed","results":[{"id":1},{"id":2}]}}`}, []string{"ra applied 1", "rb applied 2"}},
		{"fewer than sent, without places", []string{`{"job_status":{"id":"j1","status":"completed","results":[{"id":1}]}}`}, []string{"ra unknown ", "rb unknown "}},
	}
	for _, tt := range tests {
		var mu sync.Mutex
		looks := 0
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				reply(w, 200, `{"job_status":{"id":"j1","status":"queued"}}`)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			a := tt.answers[min(looks, len(tt.answers)-1)]
			looks++
			if a == "" {
				reply(w, 500, `{}`)
				return
			}
			reply(w, 200, a)
		})
		c, _ := openFast(t, jobs, s.URL, nil)
		got := push(t, c, upserts("a", "b")...)
		if diff := cmp.Diff(tt.want, outcomes(got)); diff != "" || s.count("POST") != 1 || looks > 40 {
			t.Errorf("%s: sent %d times, looked %d times (-want +got):\n%s", tt.name, s.count("POST"), looks, diff)
		}
		if want := `{"users":[{"external_id":"a","name":"Na"},{"external_id":"b","name":"Nb"}]}`; s.asked()[0].Body != want {
			t.Errorf("%s: sent %s, want %s", tt.name, s.asked()[0].Body, want)
		}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 201, `{"user":{"id":9}}`) })
	got := push(t, open(t, jobs, s.URL), upserts("a")...)
	if want := `{"user":{"external_id":"a","name":"Na","skip_verify_email":true}}`; got[0].ExternalID != "9" || s.asked()[0].Body != want {
		t.Errorf("one alone: %+v, sent %s, want %s", got[0], s.asked()[0].Body, want)
	}
}

func TestBatchMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"        items: data.inputs\n", "", "needs items"},
		{"        item: {id: '{{ id }}', trace: '{{ place }}'}", "        item: [1]", "update.batch.item: want an object"},
		{"'{{ place }}'", "'{{ plaace }}'", "unknown name plaace"},
		{"by: id", "by: luck", "update.batch.by"},
		{"all_text: true}", "all_text: true, body: {a: '{{ key + }}'}}", "create.body.a"},
		{"        ref: 'result.id ?? result.context.ids'", "        ref: 'result.id'\n        job: {path: '/jobs/{{ job }}'}", "needs id, the job's id in the answer"},
		{"    id: 'record.id'\n", "    id: 'record.id'\n    idempotency: Key\n", "has no meaning for batches"},
	} {
		_, err := options(t, edited(t, batches, tt.old, tt.new), "http://127.0.0.1:1")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.new, err, tt.want)
		}
	}
}
