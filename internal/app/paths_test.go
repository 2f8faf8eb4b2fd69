package app

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
)

const pathsYAML = `
sources:
  feed:
    type: file
    path: none.csv
    entities:
      company:
        id: record.id
        map:
          name: record.name
          ids: [{scheme: '(record.registration_no ?? "") == "" ? nil : "reg"', value: record.registration_no}]
          email: record.email
          phone: record.phone
          website: record.website
          address: {line: record.street, city: record.city, region: record.region, postcode: record.postcode, country: record.country}
          country: record.country
  people:
    type: file
    path: none.csv
    entities:
      person:
        id: record.id
        map:
          given_name: record.first_name
          family_name: record.last_name
          birth_date: record.dob
          employer: record.company
          email: record.email
          phone: record.phone
          address: {line: record.street, city: record.city, region: record.region, postcode: record.postcode, country: record.country}
`

// bothPaths loads a table once in one bulk turn and once in random order, in
// random batches, each resolved by the rounds, and holds that the partitions are
// one.
func bothPaths(t *testing.T, entity, path string, most int) {
	t.Helper()
	all := rawRows(t, entity, path)
	bulk, cpu := loaded(t, entity, [][]record.Raw{all}, 1)
	t.Logf("%s, %d records: in bulk %.1f CPU-s, %d golden records", entity, len(all), cpu, len(bulk))
	r := rand.New(rand.NewPCG(uint64(len(all)), 29))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var pages [][]record.Raw
	for rest := all; len(rest) > 0; {
		n := min(1+r.IntN(most), len(rest))
		pages, rest = append(pages, rest[:n]), rest[n:]
	}
	rounds, cpu := loaded(t, entity, pages, 1<<30)
	t.Logf("%s, %d records: in %d batches of 1 to %d, %.1f CPU-s, %d golden records", entity, len(all), len(pages), most, cpu, len(rounds))
	if len(bulk) >= len(all)*95/100 {
		t.Errorf("%s: %d golden records of %d: too little is merged to show anything", entity, len(bulk), len(all))
	}
	if slices.EqualFunc(bulk, rounds, slices.Equal[[]string]) {
		return
	}
	in := map[string][]string{}
	for _, g := range rounds {
		for _, id := range g {
			in[id] = g
		}
	}
	told := 0
	for _, g := range bulk {
		if diff := cmp.Diff(g, in[g[0]]); diff != "" && told < 5 {
			told++
			t.Errorf("%s: the golden record of %s differs (-bulk +rounds):\n%s", entity, g[0], diff)
		}
	}
}

// loaded plays pages of one entity type, resolving after each, and gives the ids
// of each golden record's members with the CPU seconds that it took.
func loaded(t *testing.T, entity string, pages [][]record.Raw, bulk int) (groups [][]string, cpu float64) {
	t.Helper()
	w := newWorld(t, "")
	w.yaml, w.opts = pathsYAML, Options{Bulk: bulk}
	w.open()
	defer w.close()
	f, before := &feed{}, cpuSeconds(t)
	w.app.order[map[string]int{record.Company: 0, record.Person: 1}[entity]].intakes[0].Puller = f
	w.app.order[map[string]int{record.Company: 1, record.Person: 0}[entity]].intakes[0].Puller = &feed{}
	for _, page := range pages {
		f.pages = append(f.pages, page)
		if err := w.app.PullAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		script{}.resolve(w)
	}
	cpu = cpuSeconds(t) - before
	parts, _ := w.partition()
	for _, p := range parts {
		var ids []string
		for _, ref := range p {
			ids = append(ids, ref.ID)
		}
		groups = append(groups, ids)
	}
	return groups, cpu
}

func cpuSeconds(t *testing.T) float64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func rawRows(t *testing.T, entity, path string) (out []record.Raw) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := csv.NewReader(f)
	head, err := rows.Read()
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		o := map[string]string{}
		for i, name := range head {
			o[name] = row[i]
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, record.Raw{Entity: entity, Data: b})
	}
}

// TestBulkAndRoundsGiveOnePartition holds on 2,000 records of each kind; with
// TOUCHSTONE_PATHS, a folder with person/records.csv and company/records.csv, it
// does so on those too.
func TestBulkAndRoundsGiveOnePartition(t *testing.T) {
	t.Parallel()
	bothPaths(t, record.Company, "../../matching/testdata/company_mixed_2k.csv", 300)
	bothPaths(t, record.Person, "../../matching/testdata/person_zh_2k.csv", 300)
	if dir := os.Getenv("TOUCHSTONE_PATHS"); dir != "" {
		bothPaths(t, record.Company, filepath.Join(dir, "company", "records.csv"), 5000)
		bothPaths(t, record.Person, filepath.Join(dir, "person", "records.csv"), 5000)
	}
}
