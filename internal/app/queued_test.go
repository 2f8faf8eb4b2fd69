package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"touchstone/internal/simulator"
)

// TestAJobThatIsStillQueuedIsNotSentAgain: the end of a job of creates was not
// seen. Their keys lead to nothing yet, which proves nothing: the job is still
// to be done.
func TestAJobThatIsStillQueuedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	const steps = 80 // requests that the job waits for
	w := newWorld(t, "")
	crm := w.startSeeded(linked("crm"), simulator.Seed{"contacts": seeded(`{"id":"p3","name":"Ada Lovelace","email":"ada@example.com"}`, `{"id":"p4","name":"Grace Hopper","email":"grace@example.com"}`)})
	desk := w.startSeeded(simulator.Zendesk(), nil)
	if err := desk.sys.SetSettings(simulator.Settings{JobSteps: steps}); err != nil {
		t.Fatal(err)
	}
	w.yaml = linkedTables + "sources:" + linkedSource("crm", crm.url) + strings.NewReplacer("URL", desk.url, "TOKEN", simulator.ZendeskToken).Replace(`
  desk:
    preset: zendesk
    base_url: URL/api/v2
    auth: {token: TOKEN}
    requester: {limits: null}
    streams: {person: {upsert: {batch: {job: {every: 1s, timeout: 3s}}}}}
targets:
  desk:
    entity: person
    policy: upsert
    owns: [phone]
    map: {name: golden.full_name, email: 'golden.emails[0].value'}
    brake: 100%
    approve: auto
`)
	w.open()
	jobs := func() (n int) {
		for _, a := range desk.applied("api") {
			if a.Object == "job_statuses" && a.Created {
				n++
			}
		}
		for _, a := range desk.applied("system") {
			if a.Object == "job_statuses" && a.Created {
				n++
			}
		}
		return n
	}
	for n := range 2 {
		w.pass()
		if got := w.states("desk"); got != "unknown 2" || jobs() != 1 {
			t.Fatalf("pass %d: rows %s after %d jobs, want unknown 2 after 1\n%s", n, got, jobs(), w.log)
		}
		w.sleep(30 * time.Second)
	}
	for range steps {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, desk.url+"/api/v2/users/1.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+simulator.ZendeskToken)
		res, err := w.env.HTTP.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	w.later(10 * time.Minute)
	log, err := desk.sys.Applied()
	if err != nil {
		t.Fatal(err)
	}
	if got := w.states("desk"); got != "delivered 2" || jobs() != 1 || len(simulator.Doubled(log)) > 0 {
		t.Errorf("rows %s after %d jobs, made twice %q; want delivered 2 after 1\n%s", got, jobs(), simulator.Doubled(log), w.log)
	}
	w.end()
}
