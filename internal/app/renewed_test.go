package app

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"touchstone/internal/simulator"
)

// TestATokenThatEndsUnderAWriteStopsNothing: the write goes out again in the
// same pass with the new token, and nobody is told. A system that takes no token
// at all is asked a few times only, and told.
func TestATokenThatEndsUnderAWriteStopsNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		refusals int64
		want     string // the rows after one pass
		writes   int64
		problems int
	}{
		{"one token ended", 1, "delivered 1", 2, 0},
		{"every token is refused", 1000, "pending 1", 6, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			crm := w.startSeeded(linked("crm"), simulator.Seed{"contacts": seeded(`{"id":"p3","name":"Ada Lovelace","email":"ada@example.com"}`)})
			hub := w.startSeeded(simulator.HubSpot(), nil)
			var writes atomic.Int64
			hub.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/batch/upsert") || writes.Add(1) > tt.refusals {
					return false
				}
				rw.WriteHeader(http.StatusUnauthorized)
				_, _ = rw.Write([]byte(`{"category":"EXPIRED_AUTHENTICATION","message":"expired"}`))
				return true
			}
			w.yaml = linkedTables + "sources:" + linkedSource("crm", crm.url) + strings.NewReplacer("URL", hub.url, "ID", simulator.HubSpotClientID,
				"SECRET", simulator.HubSpotClientSecret, "REFRESH", simulator.HubSpotRefreshToken).Replace(`
  hub:
    preset: hubspot
    base_url: URL
    auth: {type: oauth2, grant: refresh_token, token_url: URL/oauth/v1/token, client_id: ID, client_secret: SECRET, refresh_token: REFRESH}
    requester: {limits: null}
    streams:
      person:
        upsert:
          external_key: properties.touchstone_id
          batch: {path: /crm/v3/objects/contacts/batch/upsert, items: inputs, item: {id: '{{ key }}', idProperty: touchstone_id}, results: 'body.results', by: key, ref: 'result.properties.touchstone_id', id: 'result.id'}
        class: {unique_key: true}
targets:
  hub:
    entity: person
    policy: upsert
    owns: [properties.email]
    map: {properties.lastname: golden.full_name, properties.email: 'golden.emails[0].value'}
    brake: 100%
    approve: auto
`)
			w.open()
			s := w.pass()
			if got := w.states("hub"); got != tt.want || writes.Load() != tt.writes || len(s.Problems) != tt.problems {
				t.Errorf("rows %s after %d writes with problems %q; want %s after %d with %d\n%s", got, writes.Load(), s.Problems, tt.want, tt.writes, tt.problems, w.log)
			}
		})
	}
}
