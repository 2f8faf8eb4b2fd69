package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if rec.Code != http.StatusOK {
		t.Fatalf("metrics answered %d", rec.Code)
	}
	return rec.Body.String()
}

func TestMetricsFollowTheConventionsAndCount(t *testing.T) {
	t.Parallel()
	w, _, _ := acmes(t, "")
	r := w.run()
	r.untilDelivered("desk", 1)
	a := r.app
	a.life.metrics.reading(a.read(t.Context()))
	a.life.metrics.incidents([]incident{{rule: ruleDisk}})
	a.life.metrics.reload(true)
	r.until("the delivery is counted", func() bool {
		return strings.Contains(scrape(t, a.Metrics()), `touchstone_target_writes_total{outcome="delivered",target="desk"} 1`)
	})
	text := scrape(t, a.Metrics())
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "touchstone_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, want := range []string{
		`touchstone_source_records_total{outcome="stored",source="crm"} 1`,
		`touchstone_source_records_total{outcome="quarantined",source="crm"} 0`,
		`touchstone_source_last_success_timestamp_seconds{source="crm"} 1.`,
		`touchstone_source_pass_seconds_count{source="crm"}`,
		`touchstone_resolver_records_total{entity="company",stage="resolve"}`,
		`touchstone_outbox_rows{state="delivered",target="desk"} 1`,
		`touchstone_queue_entries{queue="quarantine"} 0`,
		`touchstone_http_requests_total{class="2xx",host="127.0.0.1"}`,
		`touchstone_golden_records 1`,
		`touchstone_alerts{rule="disk_low"} 1`,
		`touchstone_config_reloads_total{outcome="taken"} 1`,
		`touchstone_target_held{target="desk"} 0`,
		`touchstone_store_write_waits_total`,
		`touchstone_disk_free_bytes`,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	for _, secret := range []string{"Acme", "113 496", "acmetools", "token-of"} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}
}

// TestHostsInMetricsAreBounded asks more hosts than there is room for.
func TestHostsInMetricsAreBounded(t *testing.T) {
	t.Parallel()
	m := newMetrics(&clock{})
	for i := range 3 * maxHosts {
		m.requests.WithLabelValues(m.host(fmt.Sprintf("h%d.example.com", i)), "2xx").Inc()
	}
	text := scrape(t, m.handler())
	if n := strings.Count(text, "\ntouchstone_http_requests_total{"); n != maxHosts+1 {
		t.Errorf("%d hosts, want %d and other", n, maxHosts)
	}
	if !strings.Contains(text, fmt.Sprintf(`host="other"} %d`, 2*maxHosts)) {
		t.Error("the rest is not counted as other")
	}
}
