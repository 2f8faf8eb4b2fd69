package rest

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
	"touchstone/connectors/connectortest"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
)

// crm starts a simulated CRM with n companies, two to a page.
func crm(t *testing.T, n int) string {
	t.Helper()
	seed := simulator.Seed{"companies": {}}
	for i := 1; i <= n; i++ {
		seed["companies"] = append(seed["companies"], json.RawMessage(fmt.Sprintf(`{"id":"c%d","name":"N%d","updated_at":"2026-01-0%dT00:00:00Z"}`, i, i, 1+i%2)))
	}
	p := simulator.CRM()
	p.Token, p.PageSize = secret, 2
	sys, err := simulator.Open(t.TempDir(), p, seed)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(sys.Handler())
	t.Cleanup(func() {
		s.Close()
		if err := sys.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL
}

func TestSimulatedCRMIsPulledWhole(t *testing.T) {
	url := crm(t, 5)
	var want []string
	for c, cursor := open(t, company, url), []byte(nil); ; {
		p, err := c.Pull(t.Context(), "company", cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			want = append(want, string(r.Data))
		}
		if cursor = p.Cursor; !p.More {
			break
		}
	}
	if len(want) != 5 {
		t.Fatalf("a pass gave %d records, want 5: %v", len(want), want)
	}
	connectortest.Puller(t, func(t *testing.T) connectors.Puller { return open(t, company, url) }, "company", want)
}

func TestSimulatedCRMTakesWritesOnce(t *testing.T) {
	c := open(t, company, crm(t, 3))
	_, cursor, _, err := pass(t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	change := func(op record.Op, id, key, idem, version, phone string) record.Change {
		return record.Change{Row: "r", Entity: "company", Op: op, ExternalID: id, Key: key, Idempotency: idem, Precondition: version, Fields: map[string]any{"name": "New Ltd", "phone": phone}}
	}
	steps := []struct {
		name    string
		c       record.Change
		want    connectors.Outcome
		id      string
		version string
	}{
		{"create", change(record.Create, "", "g-1", "i-1", "", "1"), connectors.Applied, "c1001", "v1"},
		{"the same create again", change(record.Create, "", "g-1", "i-1", "", "1"), connectors.Applied, "c1001", "v1"},
		{"another create with its key", change(record.Create, "", "g-1", "i-2", "", "1"), connectors.Exists, "c1001", ""},
		{"update of the version read", change(record.Update, "c1001", "g-1", "i-3", "v1", "2"), connectors.Applied, "c1001", "v2"},
		{"update of an older version", change(record.Update, "c1001", "g-1", "i-4", "v1", "3"), connectors.Conflict, "", "v2"},
		{"upsert", change(record.Upsert, "", "g-1", "i-5", "", "4"), connectors.Applied, "c1001", "v3"},
		{"update of nothing", change(record.Update, "c9", "", "i-6", "", "5"), connectors.Rejected, "", ""},
	}
	for _, st := range steps {
		r := push(t, c, st.c)[0]
		if r.Outcome != st.want || r.ExternalID != st.id || r.Version != st.version && r.Outcome == connectors.Applied {
			t.Errorf("%s: %+v, want %s %s %s", st.name, r, st.want, st.id, st.version)
		}
	}
	read, err := c.Read(t.Context(), "company", []string{"c1001", "c9"})
	found, err2 := c.FindByKey(t.Context(), "company", "g-1")
	if err != nil || err2 != nil || len(read) != 1 || len(found) != 1 || read[0].Version != "v3" || found[0].Version != "v3" {
		t.Fatalf("Read %+v, %v; FindByKey %+v, %v; want one object of version v3 in both", read, err, found, err2)
	}
	ids, _, _, err := pass(t, c, cursor)
	if diff := cmp.Diff([]string{"c1", "c3", "c1001"}, ids); err != nil || diff != "" {
		t.Errorf("the second pass gave %v, %v (-want +got):\n%s", ids, err, diff)
	}
}
