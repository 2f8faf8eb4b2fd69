package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"touchstone/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// desk is a second, small source, whose records change one at a time.
const desk = `
sources:
  desk:
    type: file
    path: desk.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, email: record.email, phone: record.phone, website: record.website, address: {line: record.street, city: record.city, postcode: record.postcode, country: record.country}}
`

// BenchmarkUpsert takes single records, each a company that the store knows in
// another spelling, into a store of TOUCHSTONE_BENCH_RECORDS companies (20,000
// without it), then as many in one batch, on SQLite and PostgreSQL. Resolving
// one record ends with its commit.
func BenchmarkUpsert(b *testing.B) {
	n := 20_000
	if v, err := strconv.Atoi(os.Getenv("TOUCHSTONE_BENCH_RECORDS")); err == nil {
		n = v
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		if only := os.Getenv("TOUCHSTONE_BENCH_STORE"); only != "" && only != engine {
			continue
		}
		b.Run(engine, func(b *testing.B) {
			dsn := ""
			if engine == "postgres" {
				dsn = pgtest.DSN(b)
			}
			for range b.N {
				upserts(b, n, dsn)
			}
		})
	}
}

func upserts(b *testing.B, n int, dsn string) {
	const singles, batch = 300, 10_000
	dir := b.TempDir()
	all := filepath.Join(dir, "companies.csv")
	if err := WriteCompanies(all, n, 0.3, 32); err != nil {
		b.Fatal(err)
	}
	later := copiesOf(b, all, singles+batch)
	deskFile := filepath.Join(dir, "desk.csv")
	write := func(rows []string) {
		text := "id,name,registration_no,email,phone,website,street,city,region,postcode,country,industry,employees\n" + strings.Join(rows, "\n") + "\n"
		if err := os.WriteFile(deskFile, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write(nil)
	erp, _, _ := strings.Cut(configuration, "  crm:\n")
	a := openWith(b, dir, strings.Replace(erp, "\nsources:", strings.TrimSuffix(desk, "\n"), 1), dsn)
	ctx := context.Background()
	defer func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
	}()
	pull := func() {
		_ = a.PullAll(ctx) // of the sources only desk can be read from here on
	}
	resolve := func() {
		if err := a.Resolve(ctx, func(string, string, int) {}); err != nil {
			b.Fatal(err)
		}
	}
	// Phases can be told apart in a profile: go tool pprof -tagfocus single.
	phase := func(name string, do func()) {
		pprof.Do(ctx, pprof.Labels("phase", name), func(context.Context) { do() })
	}
	pull()
	resolve()
	if err := os.Remove(all); err != nil { // so that it is not read again and again
		b.Fatal(err)
	}
	b.ResetTimer()
	var wall []float64
	cpu := 0.0
	for i := range singles {
		write(later[:i+1])
		pull()
		before, _ := usage(b)
		began := time.Now()
		phase("single", resolve)
		wall = append(wall, float64(time.Since(began).Microseconds())/1000)
		after, _ := usage(b)
		cpu += after - before
	}
	slices.SortFunc(wall, cmp.Compare[float64])
	b.ReportMetric(wall[len(wall)/2], "resolve-p50-ms")
	b.ReportMetric(wall[len(wall)*99/100], "resolve-p99-ms")
	b.ReportMetric(cpu/singles*1000, "resolve-CPU-ms")
	write(later)
	began := time.Now()
	start, _ := usage(b)
	phase("intake", pull)
	taken, _ := usage(b)
	phase("batch", resolve)
	done, _ := usage(b)
	b.ReportMetric(batch/time.Since(began).Seconds(), "batch-records/s")
	b.ReportMetric((taken-start)/batch*1e6, "intake-CPU-µs/record")
	b.ReportMetric((done-taken)/batch*1e6, "batch-CPU-µs/record")
	numbers, err := a.Store.Numbers(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if want := n + singles + batch; numbers.Records != want {
		b.Fatalf("%d records, want %d", numbers.Records, want)
	}
	_, rss := usage(b)
	b.ReportMetric(rss, "peak-MB")
}

// copiesOf gives rows of the file again, spread over it, in another spelling and
// with ids of their own.
func copiesOf(b *testing.B, path string, most int) (rows []string) {
	text, err := os.ReadFile(path) //nolint:gosec // written by the benchmark
	if err != nil {
		b.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	for i := range most {
		cells := strings.Split(lines[i*(len(lines)/most)], ",")
		cells[0] = fmt.Sprintf("d%07d", i)
		cells[1] = strings.ToUpper(cells[1])
		cells[4] = strings.ReplaceAll(cells[4], " ", "-")
		rows = append(rows, strings.Join(cells, ","))
	}
	return rows
}
