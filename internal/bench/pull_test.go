package bench

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"touchstone/internal/simulator"
)

// BenchmarkVendorPull takes companies from a HubSpot-like server over its search,
// pages of 100, to landed, validated and standardised on SQLite. The server runs
// in the same process, and its time counts.
func BenchmarkVendorPull(b *testing.B) {
	const n = 10_000
	customers, err := simulator.Synthetic(n, 3)
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		dir := b.TempDir()
		sys, err := simulator.Open(filepath.Join(dir, "hubspot"), simulator.HubSpot(), customers.HubSpot)
		if err != nil {
			b.Fatal(err)
		}
		srv := httptest.NewServer(sys.Handler())
		if err := sys.SetSettings(simulator.Settings{}); err != nil {
			b.Fatal(err)
		}
		yaml := fmt.Sprintf(`
sources:
  crm:
    preset: hubspot
    base_url: %s
    auth: {token: %s}
    requester: {limits: [{requests: 100000, per: 1s}]}
    streams: {company: {list: {body: {limit: 100}}}}
    entities: {person: }
`, srv.URL, simulator.HubSpotToken)
		a := openWith(b, dir, yaml, "")
		b.ResetTimer()
		before, _ := usage(b)
		if err := a.PullAll(context.Background()); err != nil {
			b.Fatal(err)
		}
		after, _ := usage(b)
		b.StopTimer()
		numbers, err := a.Store.Numbers(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if numbers.Records != n {
			b.Fatalf("%d records, want %d", numbers.Records, n)
		}
		b.ReportMetric(n/(after-before), "records/CPU-s")
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
		srv.Close()
		if err := sys.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
