package bench

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

// BenchmarkLookUp asks a store of TOUCHSTONE_BENCH_RECORDS made-up companies
// (100,000 without it), on SQLite and PostgreSQL or the one that
// TOUCHSTONE_BENCH_STORE names, for 2,000 of them written otherwise and 2,000
// strangers, and tells how long an answer takes:
// go test -v -run xxx -bench LookUp -benchtime 1x -timeout 1h ./internal/bench
func BenchmarkLookUp(b *testing.B) {
	n := recordsWanted(100_000)
	eachEngine(b, func(b *testing.B, engine string) {
		for range b.N {
			lookUpAmong(b, openWorld(b, engine, n), n)
		}
	})
}

func lookUpAmong(b *testing.B, a *world, n int) {
	dir := a.dir
	ctx := context.Background()
	known := questions(b, filepath.Join(dir, "companies.csv"), max(n/2000, 1))
	if err := WriteCompanies(filepath.Join(dir, "strangers.csv"), 2000, 0, 77); err != nil {
		b.Fatal(err)
	}
	strangers := questions(b, filepath.Join(dir, "strangers.csv"), 1)
	for _, q := range known[:100] { // connections, statements and pages become warm
		if _, err := a.LookUp(ctx, q); err != nil {
			b.Fatal(err)
		}
	}
	runtime.LockOSThread() // a look-up is one goroutine: its time is the thread's
	defer runtime.UnlockOSThread()
	b.ResetTimer()
	before, _ := usage(b)
	for i, list := range [][]lookup.Query{known, strangers} {
		name := []string{"known", "strangers"}[i]
		took, spent, compared, found := make([]time.Duration, 0, len(list)), make([]time.Duration, 0, len(list)), 0, 0
		for _, q := range list {
			from, cpu := time.Now(), threadTime(b)
			answer, err := a.LookUp(ctx, q)
			if err != nil {
				b.Fatal(err)
			}
			took, spent = append(took, time.Since(from)), append(spent, threadTime(b)-cpu)
			compared += answer.Compared
			if len(answer.Candidates) > 0 && answer.Candidates[0].Verdict == lookup.Same {
				found++
			}
		}
		slices.Sort(took)
		slices.Sort(spent)
		ms := func(of []time.Duration, share float64) float64 {
			return of[int(share*float64(len(of)-1))].Seconds() * 1000
		}
		b.Logf("%s: %d asked, %d there, %.0f compared each; ms on the clock: median %.2f, p90 %.2f, p99 %.2f, worst %.2f; of our CPU: median %.2f, p99 %.2f, worst %.2f",
			name, len(list), found, float64(compared)/float64(len(list)), ms(took, 0.5), ms(took, 0.9), ms(took, 0.99), ms(took, 1), ms(spent, 0.5), ms(spent, 0.99), ms(spent, 1))
		b.ReportMetric(ms(took, 0.99), "p99-ms-"+name)
		b.ReportMetric(ms(spent, 0.99), "p99-CPU-ms-"+name)
	}
	after, _ := usage(b)
	b.ReportMetric((after-before)/float64(len(known)+len(strangers))*1000, "CPU-ms/look-up")
}

// threadTime is the CPU time of this thread so far: on a machine with other work
// the clock tells more of that than of us.
func threadTime(b *testing.B) time.Duration {
	const thisThread = 1 // RUSAGE_THREAD of getrusage(2)
	var u syscall.Rusage
	if err := syscall.Getrusage(thisThread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// questions asks for every so many companies of a file, as somebody types them
// who has half the fields and another spelling.
func questions(b *testing.B, path string, every int) (list []lookup.Query) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	rows := csv.NewReader(f)
	head, err := rows.Read()
	if err != nil {
		b.Fatal(err)
	}
	at := func(row []string, name string) string { return row[slices.Index(head, name)] }
	for i := 0; ; i++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			b.Fatal(err)
		}
		if i%every != 0 {
			continue
		}
		q := lookup.Query{Entity: record.Company, Fields: record.Fields{
			"name":      record.TextValue(strings.ToUpper(at(row, "name"))),
			"addresses": record.ListValue(record.Point{Parts: map[string]string{"line": at(row, "street"), "city": at(row, "city"), "postcode": at(row, "postcode"), "country": at(row, "country")}}),
		}}
		if i%2 == 0 {
			q.Fields["phones"] = record.ListValue(record.Point{Value: at(row, "phone")})
		}
		if i%3 == 0 {
			q.Fields["emails"] = record.ListValue(record.Point{Value: at(row, "email")})
		}
		list = append(list, q)
	}
}
