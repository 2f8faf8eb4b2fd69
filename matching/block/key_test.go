package block

import (
	"hash/fnv"
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
	b := New("person")
	b.Add("email", "", "x")
	b.Add("email", "a@b.co", "")
	b.Add("name", "wang wei", "1978")
	b.Add("name", "wang wei", "beijing")
	b.Add("email", "a@b.co", "")
	b.Add("phone", "5550100", "")
	got := b.Keys(3)
	texts := map[string]int{}
	for i, k := range got {
		texts[k.Rule]++
		if i > 0 && (got[i-1].Coarse > k.Coarse || got[i-1].Coarse == k.Coarse && got[i-1].Fine >= k.Fine) {
			t.Errorf("keys %d and %d are out of order: %v", i-1, i, got)
		}
	}
	if diff := cmp.Diff(map[string]int{"email": 1, "name": 2}, texts); diff != "" {
		t.Errorf("keys by rule, three at most (-want +got):\n%s", diff)
	}
	if len(New("person").Keys(3)) != 0 {
		t.Error("no values, yet keys")
	}
}

func TestCandidate(t *testing.T) {
	one := func(texts ...string) []Key {
		b := New("person")
		for i := 0; i < len(texts); i += 2 {
			b.Add("rule", texts[i], texts[i+1])
		}
		return b.Keys(9)
	}
	coarse := func(text string) uint64 { return Hash("person", "rule", text) }
	fine := func(text, f string) uint64 { return Hash("person", "rule", text, f) }
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
