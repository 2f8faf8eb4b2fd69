package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const eventConfiguration = `
sources:
  shop:
    type: file
    path: persons.csv
    entities: {person: {id: record.id, map: {full_name: record.name, email: record.email}}}
  orders:
    type: file
    path: orders.csv
    events:
      order:
        id: record.id
        of: {entity: person, source: shop, id: record.who}
        at: record.at
        map: {amount: record.amount, currency: record.currency, status: record.status, channel: record.channel, subject: record.subject, product: record.product}
`

// BenchmarkEvents takes orders from a CSV file to events of records that are
// there, and pulls them again unchanged.
func BenchmarkEvents(b *testing.B) {
	const persons, events = 2000, 60_000
	for range b.N {
		dir := b.TempDir()
		lines(b, filepath.Join(dir, "persons.csv"), "id,name,email", persons, func(i int) string {
			return fmt.Sprintf("%d,Person Number %d,person%d@example.com", i, i, i)
		})
		lines(b, filepath.Join(dir, "orders.csv"), "id,who,at,amount,currency,status,channel,subject,product", events, func(i int) string {
			return fmt.Sprintf("o%d,%d,2026-01-%02dT10:00:00Z,%d.50,CNY,paid,web,Order of chair number %d,chair-%d", i, i%persons, 1+i%28, i%1000, i, i%50)
		})
		a := openWith(b, dir, eventConfiguration, "")
		b.ResetTimer()
		for _, name := range []string{"first", "again"} {
			before, _ := usage(b)
			if err := a.PullAll(context.Background()); err != nil {
				b.Fatal(err)
			}
			after, _ := usage(b)
			b.ReportMetric(events/(after-before), name+"-events/CPU-s")
		}
		b.StopTimer()
		_, rss := usage(b)
		b.ReportMetric(rss, "peak-MB")
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// lines writes a CSV file.
func lines(b *testing.B, path, header string, n int, line func(int) string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, header)
	for i := range n {
		fmt.Fprintln(w, line(i))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}
