package matching_test

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/matching"
)

var updatePatterns = flag.Bool("update-patterns", false, "rewrite testdata/patterns.txt")

// candidates are the pairs of a set that share a key, in the order of its rows.
func candidates(features []*matching.Features) (pairs [][2]int) {
	holders := map[uint64][]int{}
	var keys []matching.KeyHash
	for i, f := range features {
		keys = f.AppendKeys(keys[:0])
		for _, k := range keys {
			for _, j := range holders[k.Coarse] {
				if j != i {
					pairs = append(pairs, [2]int{j, i})
				}
			}
			holders[k.Coarse] = append(holders[k.Coarse], i)
		}
	}
	slices.SortFunc(pairs, func(x, y [2]int) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	return slices.Compact(pairs)
}

// TestPatternsAreThoseWritten holds the levels, weights and vetoes of candidate
// pairs to the file: one in so many of each set by its pair, all of them by a
// hash. Who means to change a level rewrites it with -update-patterns and reads
// the difference.
func TestPatternsAreThoseWritten(t *testing.T) {
	var got strings.Builder
	for _, name := range setNames {
		set := load(t, name)
		features, m := set.features(), model(t, set.entity)
		pairs := candidates(features)
		all := fnv.New64a()
		for i, p := range pairs {
			w := m.Weigh(features[p[0]], features[p[1]])
			veto, _ := m.Veto(features[p[0]], features[p[1]])
			line := fmt.Sprintf("%s %s %s %010x %d %s\n", name, set.refs[p[0]].ID, set.refs[p[1]].ID, w.Pattern, w.Total, veto)
			fmt.Fprint(all, line)
			if i%(len(pairs)/40) == 0 {
				got.WriteString(line)
			}
		}
		fmt.Fprintf(&got, "%s: %d pairs, %016x\n", name, len(pairs), all.Sum64())
	}
	file := filepath.Join("testdata", "patterns.txt")
	if *updatePatterns {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("set, records, pattern, weight, veto (-written +now):\n%s", diff)
	}
}

// TestPairsThatOnceDependedOnTheirOrder: a postcode on one side only, and a word
// said twice.
func TestPairsThatOnceDependedOnTheirOrder(t *testing.T) {
	company := func(name, line, postcode string) *matching.Features {
		return matching.StandardiseValues(record.Company, &matching.Values{Name: name, Addresses: []matching.AddressValue{{Line: line, Postcode: postcode, Country: "GB"}}})
	}
	for _, tt := range [][2]*matching.Features{
		{company("Acme", "12 Oakwood Street", ""), company("Acme", "12 Oakwod Street", "SW1A 1AA")},
		{company("Walla Walla", "", ""), company("Walla Foxglove", "", "")},
	} {
		checkPair(t, model(t, record.Company), tt[0], tt[1])
	}
}

func TestBulkFormsAreTheRecords(t *testing.T) {
	for _, name := range setNames {
		set := load(t, name)
		var s matching.Standardiser
		var arena []byte
		var ends []int
		for _, f := range set.fields {
			v := matching.FromRecord(f)
			arena = s.Append(arena, set.entity, &v)
			ends = append(ends, len(arena))
		}
		from, others := 0, arena
		for i, f := range set.features() {
			b := arena[from:ends[i]]
			from = ends[i]
			if want := f.AppendBinary(nil); string(b) != string(want) {
				t.Fatalf("%v: Append gives %q, Standardise %q", set.refs[i], b, want)
			}
			x, err := matching.View(b)
			if err != nil {
				t.Fatalf("%v: %v", set.refs[i], err)
			}
			var y matching.Features
			if y, others = matching.FirstTrusted(others); string(y.AppendBinary(nil)) != string(b) {
				t.Fatalf("%v: FirstTrusted gives %q, want %q", set.refs[i], y.AppendBinary(nil), b)
			}
			keys := f.Keys()
			for _, got := range [][]matching.KeyHash{x.AppendKeys(nil), y.AppendKeys(nil)} {
				if len(got) != len(keys) {
					t.Fatalf("%v: AppendKeys gives %d keys, Keys %d", set.refs[i], len(got), len(keys))
				}
				for j, k := range keys {
					if got[j].Coarse != k.Coarse || got[j].Fine != k.Fine || got[j].Rule.String() != k.Rule {
						t.Fatalf("%v: key %d is %v, with its text %v", set.refs[i], j, got[j], k)
					}
				}
			}
		}
		if each := len(arena) / len(ends); each > 300 {
			t.Errorf("%s: %d bytes a record, want at most 300", name, each)
		}
	}
}

func TestBulkWorkDoesNotAllocate(t *testing.T) {
	for _, name := range setNames {
		set := load(t, name)
		features, m := set.features(), model(t, set.entity)
		pairs := candidates(features)
		packed := make([][]byte, len(features))
		for i, f := range features {
			packed[i] = f.AppendBinary(nil)
		}
		keys := make([]matching.KeyHash, 0, matching.MaxKeys)
		if n := testing.AllocsPerRun(1, func() {
			for i := 0; i < len(pairs); i += 7 {
				p := pairs[i]
				a, err := matching.View(packed[p[0]])
				if err != nil {
					t.Fatal(err)
				}
				b := matching.ViewTrusted(packed[p[1]])
				keys = a.AppendKeys(keys[:0])
				m.Weigh(&a, &b)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for the views, keys and weights of %d pairs", name, n, len(pairs)/7)
		}
	}
}

// TestRecordTooLargeForItsForm: what 16 bit do not reach is left out, the same
// values whatever their order.
func TestRecordTooLargeForItsForm(t *testing.T) {
	var v matching.Values
	for i := range 60 {
		long := strings.Repeat("长行重庆乐兴", 40) + string(rune('一'+i)) + "有限公司"
		v.Aliases = append(v.Aliases, long, strings.Repeat("Łódź café ", 25)+long)
		v.Emails = append(v.Emails, fmt.Sprintf("%s%d@long.example", strings.Repeat("a", 200), i))
		v.Phones = append(v.Phones, fmt.Sprintf("+44 20 7946 0%03d", i))
		v.IDs = append(v.IDs, matching.IDValue{Scheme: strings.Repeat("重", 250), Issuer: strings.Repeat("庆", 250), Value: fmt.Sprint(strings.Repeat("X", 200), i)})
		v.Addresses = append(v.Addresses, matching.AddressValue{Line: long, District: long, City: long, Region: long, Postcode: long, Country: long})
	}
	f := matching.StandardiseValues(record.Company, &v)
	b := f.AppendBinary(nil)
	if len(b) > 1<<16 || len(b) < 1<<10 {
		t.Errorf("%d bytes, want some, and at most what 16 bit reach", len(b))
	}
	checkRecord(t, model(t, record.Company), f)
	slices.Reverse(v.Aliases)
	slices.Reverse(v.Emails)
	slices.Reverse(v.Phones)
	slices.Reverse(v.IDs)
	slices.Reverse(v.Addresses)
	if again := matching.StandardiseValues(record.Company, &v).AppendBinary(nil); string(again) != string(b) {
		t.Error("another order of the values gives another form")
	}
}
