package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"touchstone/internal/app"
	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
)

// keepVariable names a folder where filled stores are kept: a million companies
// take minutes. PostgreSQL's are schemas of the server that pgtest.Variable names.
const keepVariable = "TOUCHSTONE_BENCH_KEEP"

// desk is a second, small source, whose records come and change a few at a time:
// its file holds changes only.
const desk = `  desk:
    type: file
    path: desk.csv
    deletes: {missing: keep}
    entities:
      company:
        id: record.id
        map: {name: record.name, email: record.email, phone: record.phone, website: record.website, address: {line: record.street, city: record.city, postcode: record.postcode, country: record.country}}
`

// world is a store of made-up companies, with a system to write to.
type world struct {
	*app.App
	dir string // companies.csv, desk.csv
	dsn string // of PostgreSQL
}

// memory is the store's part of the configuration, by TOUCHSTONE_BENCH_MEMORY.
func memory() string {
	if m := os.Getenv("TOUCHSTONE_BENCH_MEMORY"); m != "" {
		return "store: {memory: " + m + "}\n"
	}
	return ""
}

// recordsWanted is TOUCHSTONE_BENCH_RECORDS, or else n.
func recordsWanted(n int) int {
	if v, err := strconv.Atoi(os.Getenv("TOUCHSTONE_BENCH_RECORDS")); err == nil {
		return v
	}
	return n
}

// eachEngine runs fn with SQLite and PostgreSQL, or the one that
// TOUCHSTONE_BENCH_STORE names.
func eachEngine(b *testing.B, fn func(b *testing.B, engine string)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		if only := os.Getenv("TOUCHSTONE_BENCH_STORE"); only != "" && only != engine {
			continue
		}
		b.Run(engine, func(b *testing.B) { fn(b, engine) })
	}
}

// openWorld gives a store of n companies, filled now or kept from before.
func openWorld(b *testing.B, engine string, n int) *world {
	dir, dsn := worldAt(b, engine, n)
	crm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"items":[]}`) }))
	b.Cleanup(crm.Close)
	all, part := filepath.Join(dir, "companies.csv"), filepath.Join(dir, "filled")
	if _, err := os.Stat(all); errors.Is(err, fs.ErrNotExist) {
		if err := WriteCompanies(all, n, 0.3, 32); err != nil {
			b.Fatal(err)
		}
	}
	yaml := memory() + strings.Replace(strings.Replace(configuration, "http://127.0.0.1:1", crm.URL, 1), "targets:\n", desk+"targets:\n", 1)
	_, err := os.Stat(part)
	filled := err == nil
	if filled { // so that the first source is not read again and again
		yaml = strings.Replace(yaml, "path: companies.csv", "path: none.csv", 1)
	}
	w := &world{App: openWith(b, dir, yaml, dsn), dir: dir, dsn: dsn}
	b.Cleanup(func() {
		if err := w.Close(); err != nil {
			b.Error(err)
		}
	})
	w.write(b, "none.csv", nil)
	if filled {
		w.warm(b)
		return w
	}
	w.write(b, "desk.csv", nil)
	began := time.Now()
	before, _ := usage(b)
	w.pull(b)
	taken, landing := time.Now(), time.Since(began)
	w.resolve(b)
	after, rss := usage(b)
	b.Logf("%d companies taken in and resolved in %.0f and %.0f s, %.0f s of CPU, peak %.0f MB", n, landing.Seconds(), time.Since(taken).Seconds(), after-before, rss)
	if err := os.WriteFile(part, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	w.App = openWith(b, dir, strings.Replace(yaml, "path: companies.csv", "path: none.csv", 1), dsn)
	w.warm(b)
	return w
}

// warm does what the daemon does when it starts.
func (w *world) warm(b *testing.B) {
	began := time.Now()
	before, _ := usage(b)
	lists, err := w.Store.WarmPostings(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d postings read into memory in %.1f s", lists, time.Since(began).Seconds())
	n, err := w.Store.WarmFeatures(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	after, rss := usage(b)
	b.Logf("features of %d records read into memory in %.1f s, %.1f s of CPU, peak %.0f MB", n, time.Since(began).Seconds(), after-before, rss)
}

// worldAt says where a store of n companies is to be.
func worldAt(b *testing.B, engine string, n int) (dir, dsn string) {
	keep := os.Getenv(keepVariable)
	if dir = filepath.Join(keep, fmt.Sprint(engine, "-", n)); keep == "" {
		dir = b.TempDir()
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	server := os.Getenv(pgtest.Variable)
	switch {
	case engine == "sqlite":
		return dir, ""
	case keep == "" || server == "":
		return dir, pgtest.DSN(b)
	}
	schema := fmt.Sprint("bench_", n)
	conn, err := pgx.Connect(b.Context(), server)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Exec(b.Context(), "CREATE SCHEMA IF NOT EXISTS "+schema); err != nil {
		b.Fatal(err)
	}
	if err := conn.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		b.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return dir, u.String()
}

// head are the columns of both files.
const head = "id,name,registration_no,email,phone,website,street,city,region,postcode,country,industry,employees\n"

func (w *world) write(b *testing.B, file string, rows []string) {
	if err := os.WriteFile(filepath.Join(w.dir, file), []byte(head+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
}

func (w *world) pull(b *testing.B) {
	if err := w.PullAll(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func (w *world) resolve(b *testing.B) {
	if err := w.Resolve(store.Patient(context.Background()), func(string, string, int) {}); err != nil {
		b.Fatal(err)
	}
}

// records is how many source records the store holds.
func (w *world) records(b *testing.B) int {
	numbers, err := w.Store.Numbers(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return numbers.Records
}

// copies gives rows of the first source's file again, spread over it, in another
// spelling and with ids of their own. Those of another start are others.
func (w *world) copies(b *testing.B, start, n int) (rows []string) {
	text, err := os.ReadFile(filepath.Join(w.dir, "companies.csv"))
	if err != nil {
		b.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	for i := range n {
		// 7919 is prime: the places go round before one comes again.
		cells := strings.Split(lines[(start+i)*7919%len(lines)], ",")
		cells[0] = fmt.Sprintf("d%07d", start+i)
		cells[1] = strings.ToUpper(cells[1])
		cells[4] = strings.ReplaceAll(cells[4], " ", "-")
		rows = append(rows, strings.Join(cells, ","))
	}
	return rows
}
