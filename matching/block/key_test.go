package block

import (
	stdcmp "cmp"
	"hash/fnv"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Stored keys hold these values: they must never change.
func TestHashIsStableForever(t *testing.T) {
	for _, tt := range []struct {
		parts []string
		want  uint64
	}{
		{[]string{"company", "phone", "88601816"}, 0x9baaee569620bbd4},
		{[]string{"person", "name", "wang wei", "1978"}, 0x4fb465149280517a},
		{nil, 0xcbf29ce484222325},
	} {
		plain := fnv.New64a()
		for _, p := range tt.parts {
			plain.Write(append([]byte(p), 0))
		}
		if got := Hash(tt.parts...); got != tt.want || got != plain.Sum64() {
			t.Errorf("Hash(%q) = %#x, want %#x; hash/fnv says %#x", tt.parts, got, tt.want, plain.Sum64())
		}
	}
	if Hash("ab", "c") == Hash("a", "bc") {
		t.Error("the border between parts does not count")
	}
}

func TestBuilder(t *testing.T) {
	b := BuildNamed(SeedsOf("person"), 3)
	b.Add(Email, nil, "x")
	b.Add(Email, []byte("a@b.co"), "")
	b.Add(Name, []byte("wang wei"), "19", "78")
	b.Add(Name, []byte("wang wei"), "beijing")
	b.Add(Email, []byte("a@b.co"))
	b.Add(Phone, []byte("5550100"))
	got := b.Keys()
	want := []Key{
		{Hash("person", "email", "a@b.co") &^ 1, 0, "email", "a@b.co"},
		{Hash("person", "name", "wang wei") &^ 1, Hash("person", "name", "wang wei", "1978"), "name", "wang wei"},
		{Hash("person", "name", "wang wei") &^ 1, Hash("person", "name", "wang wei", "beijing"), "name", "wang wei"},
	}
	slices.SortFunc(want, func(x, y Key) int {
		return stdcmp.Or(stdcmp.Compare(x.Coarse, y.Coarse), stdcmp.Compare(x.Fine, y.Fine))
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("three keys at most (-want +got):\n%s", diff)
	}
	none := BuildNamed(SeedsOf("person"), 3)
	if n := len(none.Keys()); n != 0 {
		t.Errorf("no values, yet %d keys", n)
	}
}

// TestHashesAreThoseOfTheKeys: with texts or without, and what stood before in
// the list stays.
func TestHashesAreThoseOfTheKeys(t *testing.T) {
	seeds := SeedsOf("company")
	before := KeyHash{Coarse: 7, Fine: 7, Rule: Rules}
	plain, named := Build([]KeyHash{before}, seeds, 24), BuildNamed(seeds, 24)
	for _, b := range []*Builder{&plain, &named} {
		b.AddValue(Phone, []byte("88601816"), "acme")
		b.AddValue(Phone, []byte("88601816"))
		b.Add(ID, []byte("12594102"), "reg")
	}
	got := plain.Hashes()
	if got[0] != before || len(got) != 4 {
		t.Fatalf("%v, want what stood before and three keys", got)
	}
	for i, k := range named.Keys() {
		if h := got[i+1]; h.Coarse != k.Coarse || h.Fine != k.Fine || h.Rule.String() != k.Rule {
			t.Errorf("key %d is %v without its text, %v with it", i, h, k)
		}
		if value := k.Rule == "phone"; Counted(k.Coarse) != value || value && k.Coarse != seeds.Value(Phone, "8860", "1816") {
			t.Errorf("key %v: counted %v, the value's hash %#x", k, Counted(k.Coarse), seeds.Value(Phone, "8860", "1816"))
		}
	}
	if allocs := testing.AllocsPerRun(100, func() {
		b := Build(got[:1], seeds, 24)
		b.AddValue(Phone, []byte("88601816"), "acme")
	}); allocs != 0 {
		t.Errorf("%v allocations for a key without its text", allocs)
	}
}

// TestRulesHaveNamesOfTheirOwn: two rules of one name would share their hashes.
func TestRulesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]Rule{}
	for r := range Rules {
		if other, is := seen[r.String()]; is || r.String() == "" {
			t.Errorf("rule %d is called %q, as is rule %d", r, r, other)
		}
		seen[r.String()] = r
	}
}

func TestCandidate(t *testing.T) {
	one := func(texts ...string) []Key {
		b := BuildNamed(SeedsOf("person"), 9)
		for i := 0; i < len(texts); i += 2 {
			b.Add(Name, []byte(texts[i]), texts[i+1])
		}
		return b.Keys()
	}
	coarse := func(text string) uint64 { return Hash("person", "name", text) &^ 1 }
	fine := func(text, f string) uint64 { return Hash("person", "name", text, f) }
	for _, tt := range []struct {
		name  string
		a, b  []Key
		sizes map[uint64]int
		want  bool
	}{
		{"nothing shared", one("x", "1"), one("y", "1"), nil, false},
		{"a short list", one("x", "1"), one("x", "2"), map[uint64]int{coarse("x"): 3}, true},
		{"a long list", one("x", "1"), one("x", "2"), map[uint64]int{coarse("x"): 4}, false},
		{"a long list, the fine one short", one("x", "1"), one("x", "1"), map[uint64]int{coarse("x"): 4, fine("x", "1"): 3}, true},
		{"both long", one("x", "1"), one("x", "1"), map[uint64]int{coarse("x"): 4, fine("x", "1"): 4}, false},
		{"no fine key", one("x", ""), one("x", ""), map[uint64]int{coarse("x"): 4}, false},
		{"one of several fine keys", one("x", "1", "x", "2"), one("x", "3", "x", "2"), map[uint64]int{coarse("x"): 9, fine("x", "2"): 2}, true},
		{"another short list", one("x", "1", "y", ""), one("x", "2", "y", ""), map[uint64]int{coarse("x"): 9, coarse("y"): 2}, true},
	} {
		size := func(h uint64) int { return tt.sizes[h] }
		if got := Candidate(tt.a, tt.b, size, 3); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if got := Candidate(tt.b, tt.a, size, 3); got != tt.want {
			t.Errorf("%s, the other way: %v, want %v", tt.name, got, tt.want)
		}
		if got := len(Shared(tt.a, tt.b)) > 0; got != (tt.name != "nothing shared") {
			t.Errorf("%s: Shared finds a key %v", tt.name, got)
		}
	}
}

// Stored keys hold what comes first: the orders must never change.
func TestFirstsAreStableForever(t *testing.T) {
	set := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	out := make([]uint64, 6)
	Firsts(set, out)
	if diff := cmp.Diff([]uint64{8, 7, 9, 4, 2, 8}, out); diff != "" {
		t.Errorf("the first of each order (-want +got):\n%s", diff)
	}
	slices.Reverse(set)
	again := make([]uint64, 6)
	if Firsts(set, again); !slices.Equal(again, out) {
		t.Errorf("%v of the set turned round, %v before", again, out)
	}
	if Firsts(nil, again); !slices.Equal(again, out) {
		t.Errorf("an empty set gives %v, want what stood there", again)
	}
}

// TestFirstsMeetAsOftenAsSetsAreAlike: that is what MinHash is.
func TestFirstsMeetAsOftenAsSetsAreAlike(t *testing.T) {
	const orders = 4000
	for _, both := range []int{0, 10, 20, 30, 40} {
		a, b := make([]uint64, 40), make([]uint64, 40)
		for i := range a {
			a[i], b[i] = uint64(i), uint64(i)
			if i >= both {
				b[i] += 1000
			}
		}
		x, y := make([]uint64, orders), make([]uint64, orders)
		Firsts(a, x)
		Firsts(b, y)
		met := 0
		for k := range x {
			if x[k] == y[k] {
				met++
			}
		}
		want := float64(both) / float64(80-both)
		if got := float64(met) / orders; got < want-0.03 || got > want+0.03 {
			t.Errorf("%d of 40 members in common: %.3f of the orders begin alike, want %.3f", both, got, want)
		}
	}
}
