package bench

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"touchstone/config"
	"touchstone/internal/app"
	"touchstone/internal/env"
	"touchstone/internal/store"
)

const configuration = `
sources:
  erp:
    type: file
    path: companies.csv
    entities:
      company:
        id: record.id
        map:
          name: record.name
          ids: [{scheme: '(record.registration_no ?? "") == "" ? nil : "uscc"', value: record.registration_no}]
          email: record.email
          phone: record.phone
          website: record.website
          address: {line: record.street, city: record.city, region: record.region, postcode: record.postcode, country: record.country}
          country: record.country
          industry: record.industry
          employees: record.employees
  crm:
    type: rest
    base_url: http://127.0.0.1:1
    streams:
      company:
        list: {path: /companies, records: 'body.items'}
        id: 'record.id'
        read: {path: '/companies/{{ id }}', record: 'body'}
        create: {method: POST, path: /companies, external_key: external_id, record: 'body'}
        update: {method: PATCH, path: '/companies/{{ id }}', record: 'body'}
    entities:
      company: {map: {name: 'record.name', phone: 'record.phone', website: 'record.website'}}
targets:
  crm:
    entity: company
    policy: create_only
    map: {name: 'golden.name', phone: 'golden.phones[0].value', website: 'golden.website', city: 'golden.addresses[0].city'}
`

// usage is the CPU time of this process so far, in seconds, and its peak
// memory in MB.
func usage(t testing.TB) (cpu, rss float64) {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	seconds := func(v syscall.Timeval) float64 { return float64(v.Sec) + float64(v.Usec)/1e6 }
	return seconds(u.Utime) + seconds(u.Stime), float64(u.Maxrss) / 1024
}

func open(t testing.TB, dir string) *app.App { return openWith(t, dir, configuration, "") }

// openWith opens an installation in dir; store is "" for SQLite.
func openWith(t testing.TB, dir, yaml, store string) *app.App {
	t.Helper()
	path := filepath.Join(dir, "touchstone.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(context.Background(), cfg, app.Options{Dir: filepath.Join(dir, "data"), Store: store, Env: env.Real()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// openDB opens the database of an installation in dir beside it; store is "" for
// SQLite, and options what its driver is to be told.
func openDB(t testing.TB, dir, store, options string) *sql.DB {
	t.Helper()
	driver, at := "pgx", store
	if store == "" {
		driver, at = "sqlite3", "file:"+filepath.Join(dir, "data", "touchstone.db")+options
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// BenchmarkPath takes companies from a CSV file to golden records and planned
// writes on SQLite, and tells the CPU time of each step. It runs once for each
// size: go test -bench Path -benchtime 1x ./internal/bench
func BenchmarkPath(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				path(b, n)
			}
		})
	}
}

// BenchmarkMillion is BenchmarkPath for a million companies, some minutes long:
// go test -bench Million -benchtime 1x -timeout 1h ./internal/bench
func BenchmarkMillion(b *testing.B) {
	for range b.N {
		path(b, 1_000_000)
	}
}

func path(b *testing.B, n int) {
	dir := b.TempDir()
	if err := WriteCompanies(filepath.Join(dir, "companies.csv"), n, 0.3, 32); err != nil {
		b.Fatal(err)
	}
	a := open(b, dir)
	defer func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
	}()
	ctx := context.Background()
	step := func(name string, fn func() error) {
		before, _ := usage(b)
		began := time.Now()
		if err := fn(); err != nil && !strings.Contains(err.Error(), "source crm") {
			b.Fatal(err)
		}
		after, rss := usage(b)
		b.ReportMetric((after-before)/float64(n)*1e6, name+"-µs/record")
		b.Logf("%s: %.1f s, peak %.0f MB", name, time.Since(began).Seconds(), rss)
	}
	b.ResetTimer()
	step("intake", func() error { return a.PullAll(ctx) })
	step("resolve", func() error { return a.Resolve(ctx, func(string, string, int) {}) })
	step("second-pass", func() error { return a.PullAll(ctx) })
	b.StopTimer()
	_, rss := usage(b)
	b.ReportMetric(rss, "peak-MB")
	plan, err := a.Plan(ctx, "crm", store.Pending, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(plan[0].Creates)/float64(n), "rows/record")
}

// BenchmarkIntake is CSV to landed, validated and standardised.
func BenchmarkIntake(b *testing.B) {
	const n = 30_000
	for range b.N {
		dir := b.TempDir()
		if err := WriteCompanies(filepath.Join(dir, "companies.csv"), n, 0.3, 32); err != nil {
			b.Fatal(err)
		}
		a := open(b, dir)
		b.ResetTimer()
		before, _ := usage(b)
		if err := a.PullAll(context.Background()); err != nil && !strings.Contains(err.Error(), "source crm") {
			b.Fatal(err)
		}
		after, _ := usage(b)
		b.StopTimer()
		b.ReportMetric(n/(after-before), "records/CPU-s")
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
