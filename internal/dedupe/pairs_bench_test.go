package dedupe

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"touchstone/connectors/file"
)

// sixOf are the columns of the six comparisons: of a company its name, number,
// address with its city, phone, mail; of a person its names, birth date, address,
// phone, mail.
func sixOf(person bool) []string {
	if person {
		return []string{"first_name", "last_name", "dob", "street", "city", "phone", "email"}
	}
	return []string{"name", "registration_no", "street", "city", "phone", "email"}
}

// BenchmarkPairs weighs the pairs that share a key, as dedupe does: levels of each
// field, the pattern's number, its weight and what rarity adds. The features are
// there. TOUCHSTONE_PAIRS may name larger files of the same columns.
func BenchmarkPairs(b *testing.B) {
	files := []string{"../../matching/testdata/company_mixed_2k.csv", "../../matching/testdata/person_zh_2k.csv"}
	if more := os.Getenv("TOUCHSTONE_PAIRS"); more != "" {
		files = append(files, strings.Split(more, ":")...)
	}
	for _, path := range files {
		b.Run(filepath.Base(filepath.Dir(path))+"_"+filepath.Base(path), func(b *testing.B) { benchPairs(b, path) })
	}
}

func benchPairs(b *testing.B, path string) {
	e, batches, total := candidatesOf(b, path)
	g := &gatherer{}
	var levels [][]uint8 // by pattern, with what it weighs: found out once, as dedupe does
	var base []int32
	var numbers []uint32
	all := func() (sum int64) {
		for _, batch := range batches {
			g.pairs = batch
			g.compare(e)
			numbers = numbers[:0]
			for k := range batch {
				n := g.number(k)
				numbers = append(numbers, n)
				if int(n) == len(base) {
					levels = append(levels, g.levels[k].unpack(len(e.fields)))
					base = append(base, e.sum(levels[n]))
				}
			}
			for k, n := range numbers {
				if k+adjustedAhead < len(batch) {
					e.adjustSoon(int(batch[k+adjustedAhead].b))
				}
				sum += int64(base[n] + e.adjust(int(batch[k].a), int(batch[k].b), levels[n]))
			}
		}
		return sum
	}
	want := all()
	start := spent(b)
	b.ReportAllocs()
	rounds := 0
	for b.Loop() {
		if got := all(); got != want {
			b.Fatalf("the weights sum to %d, and to %d at first", got, want)
		}
		rounds++
	}
	cpu := spent(b) - start
	b.ReportMetric(float64(total*rounds)/cpu.Seconds()/1e6, "Mpairs/CPU-s")
	b.ReportMetric(float64(total), "pairs/op")
	b.ReportMetric(cpu.Seconds()*1e9/float64(total*rounds), "CPU-ns/pair")
}

// candidatesOf gives the pairs of a file that share a key, so many units' at a time.
func candidatesOf(b *testing.B, path string) (e *engine, batches [][]candidate, total int) {
	abs, err := filepath.Abs(path)
	if err != nil {
		b.Fatal(err)
	}
	client, err := file.Open(filepath.Dir(abs), file.Options{Path: abs})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = client.Close() }() // only read from
	t, err := Load(b.Context(), []Input{{Name: "rows", From: client}}, 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	o := Options{ctx: b.Context(), Workers: 1, Map: map[string]string{}}
	six := sixOf(t.Column("last_name") != nil)
	for _, c := range t.Columns {
		if !slices.Contains(six, c.Name) {
			o.Map[c.Name] = string(Ignore)
		}
	}
	reads, err := Recognise(t, o.Map, "")
	if err != nil {
		b.Fatal(err)
	}
	if e, err = newEngine(t, reads, EntityOf(reads), o); err != nil {
		b.Fatal(err)
	}
	x, err := e.index()
	if err != nil {
		b.Fatal(err)
	}
	g := &gatherer{}
	for from := 0; from < len(e.u.first); from += together {
		g.gather(e, x, from, min(from+together, len(e.u.first)))
		batches = append(batches, slices.Clone(g.pairs))
		total += len(g.pairs)
	}
	return e, batches, total
}

// spent is the CPU time that this process has taken.
func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
