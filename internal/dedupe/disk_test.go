package dedupe_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/dedupe"
)

func closed(t *testing.T, tab *dedupe.Table) {
	t.Helper()
	if err := tab.Close(); err != nil {
		t.Errorf("close the table: %v", err)
	}
}

// TestShortMemoryGivesTheSame: what goes to a temporary file changes nothing of
// the answer, whatever the number of workers, and leaves nothing behind.
func TestShortMemoryGivesTheSame(t *testing.T) {
	for _, kind := range []string{"person", "company"} {
		path := writeRows(t, filepath.Join(t.TempDir(), kind+".csv"), madeUp(kind, 9000))
		var want [3]string
		for _, tt := range []struct {
			memory  int64
			workers int
			disk    bool
		}{{0, 2, false}, {69 << 20, 3, true}} {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			tab, err := dedupe.Load(t.Context(), inputs(t, path), tt.memory, nil)
			if err != nil {
				t.Fatalf("%s in %d: %v", kind, tt.memory, err)
			}
			if got := dedupe.OnDisk(tab) > 0; got != tt.disk {
				t.Errorf("%s in %d: on disk %v, want %v (reckoned %d)", kind, tt.memory, got, tt.disk, tab.Bytes)
			}
			if named, err := os.ReadDir(temp); err != nil || len(named) > 0 {
				t.Errorf("%s in %d: %v in the folder for temporary files while it is used, %v; want none that a killed process leaves behind", kind, tt.memory, named, err)
			}
			read := dedupe.OnDisk(tab)
			r, err := dedupe.Run(t.Context(), tab, dedupe.Options{ID: "id", Workers: tt.workers, Memory: tt.memory, Pairs: true})
			if err != nil {
				t.Fatalf("%s in %d: %v", kind, tt.memory, err)
			}
			if tt.disk && dedupe.OnDisk(tab) < read+1<<20 {
				t.Errorf("%s in %d: %d bytes on disk after reading, %d in the end; want the features and keys there too", kind, tt.memory, read, dedupe.OnDisk(tab))
			}
			var got [3]string
			for k, write := range []func(io.Writer) error{
				func(w io.Writer) error { return r.WriteClusters(w, tab, "id") },
				func(w io.Writer) error { return r.WritePairs(w, tab, "id") },
				func(w io.Writer) error { return r.WriteGolden(w, tab, dedupe.MostComplete) },
			} {
				var b bytes.Buffer
				if err := write(&b); err != nil {
					t.Fatalf("%s in %d: %v", kind, tt.memory, err)
				}
				got[k] = b.String()
			}
			if r.Duplicates < 1000 {
				t.Fatalf("%s: %d duplicates, want those that were made up", kind, r.Duplicates)
			}
			if want[0] == "" {
				want = got
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s in %d with %d workers (-in memory +on disk):\n%.2000s", kind, tt.memory, tt.workers, d)
			}
			closed(t, tab)
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("%s in %d: %v left in the folder for temporary files, %v", kind, tt.memory, left, err)
			}
		}
	}
}

// TestLostDiskIsTold: a temporary file that can no longer be read is an error,
// and no answer.
func TestLostDiskIsTold(t *testing.T) {
	path := writeRows(t, filepath.Join(t.TempDir(), "rows.csv"), madeUp("person", 9000))
	for name, when := range map[string]func(tab *dedupe.Table) error{
		"before the run": func(tab *dedupe.Table) error {
			dedupe.LoseDisk(tab)
			_, err := dedupe.Run(t.Context(), tab, dedupe.Options{ID: "id", Workers: 2})
			return err
		},
		"before the answer is written": func(tab *dedupe.Table) error {
			r, err := dedupe.Run(t.Context(), tab, dedupe.Options{ID: "id", Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			dedupe.LoseDisk(tab)
			return r.WriteClusters(io.Discard, tab, "id")
		},
	} {
		tab, err := dedupe.Load(t.Context(), inputs(t, path), 69<<20, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := when(tab); err == nil {
			t.Errorf("lost %s: no error", name)
		}
		if tab.Close() == nil {
			t.Errorf("lost %s: Close tells nothing", name)
		}
	}
}

// TestFullDiskIsTold: what does not fit into the temporary file is an error that
// says how to go on, and no answer.
func TestFullDiskIsTold(t *testing.T) {
	path := writeRows(t, filepath.Join(t.TempDir(), "rows.csv"), madeUp("person", 9000))
	tab, err := dedupe.Load(t.Context(), inputs(t, path), 69<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := dedupe.FillDisk(tab); err != nil {
		t.Fatal(err)
	}
	_, err = dedupe.Run(t.Context(), tab, dedupe.Options{ID: "id", Workers: 2, Memory: 69 << 20})
	if err == nil || !strings.Contains(err.Error(), "write a temporary file") || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("a full disk: %v, want that a temporary file cannot be written and what TMPDIR is for", err)
	}
	if tab.Close() == nil {
		t.Error("a full disk: Close tells nothing")
	}
}

// madeUp gives rows of customers, one in four a copy with a slip. Words come from
// the row's number: no two runs differ.
func madeUp(kind string, n int) [][]string {
	syllables := []string{"an", "bel", "cor", "dan", "el", "fir", "gor", "han", "il", "jon", "kal", "lor", "mar", "nel", "os", "pra"}
	word := func(x int) string {
		s := ""
		for range 3 {
			x = (x*7919 + 12345) & 0x7fffffff
			s += syllables[x>>8%16]
		}
		return s
	}
	rows := [][]string{{"id", "first_name", "last_name", "email", "phone", "dob", "street", "city", "postcode", "country"}}
	if kind == "company" {
		rows = [][]string{{"id", "name", "registration_no", "email", "phone", "website", "street", "city", "postcode", "industry"}}
	}
	for i := range n {
		who, slip := i, ""
		if i%4 == 3 {
			who, slip = i-1-i%8, "x"
		}
		given, family, city := word(who), word(who/3+90_000), word(who%40)
		mail := fmt.Sprintf("%s.%s%d@example.com", given, family, who)
		phone := fmt.Sprintf("+1 415 555 %04d", who%10_000)
		street, code := fmt.Sprintf("%d %s street%s", 1+who%300, word(who%500), slip), fmt.Sprintf("%05d", 10_000+who%900)
		id := fmt.Sprintf("r%06d", i)
		if kind == "company" {
			rows = append(rows, []string{id, given + " " + family + slip + " gmbh", fmt.Sprintf("HRB %d", 20_000+who), mail, phone, "www." + given + family + ".example", street, city, code, word(who % 12)})
			continue
		}
		rows = append(rows, []string{id, given + slip, family, mail, phone, fmt.Sprintf("19%02d-%02d-%02d", who%80, 1+who%12, 1+who%28), street, city, code, "US"})
	}
	return rows
}
