package bench

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"touchstone/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// BenchmarkUpsert takes records of companies that the store knows in another
// spelling into a store of TOUCHSTONE_BENCH_RECORDS companies (20,000 without
// it): one at a time, then in batches of 1,000 and 10,000, new and then changed.
// What a record costs is its landing and its resolving; the pull around it, one
// run that finds one record, is told beside it. The clock is parted into commits
// (which wait for the disk) and the rest, which is ours.
func BenchmarkUpsert(b *testing.B) {
	n := recordsWanted(20_000)
	eachEngine(b, func(b *testing.B, engine string) {
		for range b.N {
			upserts(b, openWorld(b, engine, n), n)
		}
	})
}

func upserts(b *testing.B, w *world, n int) {
	const singles, small, large = 300, 1000, 10_000
	start := w.records(b) - n // what earlier runs put there
	later := w.copies(b, start, singles+small+large)
	changed := func(rows []string, how string) []string {
		out := make([]string, len(rows))
		for i, row := range rows {
			cells := strings.Split(row, ",")
			cells[4], cells[6] = strings.TrimSuffix(cells[4], "9")+how, cells[6]+" "+how
			out[i] = strings.Join(cells, ",")
		}
		return out
	}
	b.ResetTimer()
	single(b, w, "new", later[:singles])
	single(b, w, "changed", changed(later[:singles], "7"))
	batch(b, w, "1k-new", later[singles:singles+small])
	batch(b, w, "1k-changed", changed(later[singles:singles+small], "7"))
	batch(b, w, "10k-new", later[singles+small:])
	batch(b, w, "10k-changed", changed(later[singles+small:], "7"))
	b.StopTimer()
	if is, want := w.records(b), n+start+singles+small+large; is != want {
		b.Fatalf("%d records, want %d", is, want)
	}
	_, rss := usage(b)
	b.ReportMetric(rss, "peak-MB")
}

// phase labels what do does: go tool pprof -tagfocus single-new.
func phase(name string, do func()) {
	pprof.Do(context.Background(), pprof.Labels("phase", name), func(context.Context) { do() })
}

// split is the clock of one step, the commits in it, its CPU time, that of a
// PostgreSQL server and how long transactions were open, in ms, and what it wrote, in kB.
type split struct{ clock, commit, cpu, server, wrote, writing float64 }

// serverCPU is what those processes of a PostgreSQL server have used that serve this
// store, in ms; 0 where the system does not tell. On a busy machine it says more than
// the clock does.
func (w *world) serverCPU(b *testing.B) (ms float64) {
	if w.dsn == "" {
		return 0
	}
	conn, err := pgx.Connect(b.Context(), w.dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context()) //nolint:errcheck // it was asked what there was to ask
	rows, _ := conn.Query(b.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`)
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		b.Fatal(err)
	}
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			continue // another machine's, or gone
		}
		on, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseFloat(on, 64)
		ms += ns / 1e6
	}
	return ms
}

// written is how much this process has written so far, in kB; 0 where the system
// does not tell. A PostgreSQL server writes for itself.
func written() (kB float64) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if n, is := strings.CutPrefix(line, "wchar: "); is {
			bytes, _ := strconv.ParseFloat(strings.TrimSpace(n), 64)
			return bytes / 1000
		}
	}
	return 0
}

func (w *world) measure(b *testing.B, do func()) (s split) {
	_, commits := w.Store.Commits()
	server := w.serverCPU(b)
	cpu, _ := usage(b)
	before, writing := written(), w.Store.Writing()
	began := time.Now()
	do()
	s.clock = time.Since(began).Seconds() * 1000
	after, _ := usage(b)
	_, committed := w.Store.Commits()
	s.commit, s.cpu = (committed-commits).Seconds()*1000, (after-cpu)*1000
	s.server = w.serverCPU(b) - server
	s.wrote, s.writing = written()-before, (w.Store.Writing()-writing).Seconds()*1000
	return s
}

func single(b *testing.B, w *world, name string, rows []string) {
	var own, commit, whole, cpu, server []float64
	for _, row := range rows {
		w.write(b, "desk.csv", []string{row})
		pull := w.measure(b, func() { phase("pull-"+name, func() { w.pull(b) }) })
		s := w.measure(b, func() { phase("single-"+name, func() { w.resolve(b) }) })
		own, commit, cpu = append(own, s.clock-s.commit), append(commit, s.commit), append(cpu, s.cpu)
		server = append(server, s.server)
		whole = append(whole, pull.clock+s.clock)
	}
	b.Logf("one %s record, ms: own %s; commits %s; CPU %s, of the server %s; with its pull and all commits %s", name, spread(own), spread(commit), spread(cpu), spread(server), spread(whole))
	b.ReportMetric(at(own, 0.5), "own-p50-ms-"+name)
	b.ReportMetric(at(own, 0.99), "own-p99-ms-"+name)
}

func batch(b *testing.B, w *world, name string, rows []string) {
	w.write(b, "desk.csv", rows)
	in := w.measure(b, func() { phase("intake-"+name, func() { w.pull(b) }) })
	re := w.measure(b, func() { phase("resolve-"+name, func() { w.resolve(b) }) })
	n := float64(len(rows))
	b.Logf("%s: intake %.0f µs on the clock, %.0f of it commits, %.0f of CPU a record; resolving %.0f, %.0f, %.0f, of the server %.0f; %.0f records/s resolved, %.0f with intake; %.0f and %.0f per CPU-second; wrote %.0f and %.0f kB a record; %.0f µs of resolving in transactions",
		name, in.clock/n*1000, in.commit/n*1000, in.cpu/n*1000, re.clock/n*1000, re.commit/n*1000, re.cpu/n*1000, re.server/n*1000,
		n/re.clock*1000, n/(re.clock+in.clock)*1000, n/re.cpu*1000, n/(re.cpu+in.cpu)*1000, in.wrote/n, re.wrote/n, re.writing/n*1000)
	b.ReportMetric(n/re.clock*1000, "records/s-"+name)
	b.ReportMetric(re.cpu/n*1000, "CPU-µs-"+name)
	b.ReportMetric(in.cpu/n*1000, "intake-CPU-µs-"+name)
}

func at(list []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(share*float64(len(sorted)-1))]
}

func spread(list []float64) string {
	return fmt.Sprintf("%.2f, p99 %.2f", at(list, 0.5), at(list, 0.99))
}
