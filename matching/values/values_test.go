package values

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"touchstone/matching/compare"
)

// TestKeysAsOpenRefineDocumentsThem holds the examples of its page "Clustering
// methods in-depth", and what we fold beyond it.
func TestKeysAsOpenRefineDocumentsThem(t *testing.T) {
	two := func(s string) string { return NGramKey(s, 2) }
	one := func(s string) string { return NGramKey(s, 1) }
	tests := []struct {
		name string
		key  func(string) string
		in   string
		want string
	}{
		{"fingerprint", FingerprintKey, "Tom Cruise", "cruise tom"},
		{"fingerprint", FingerprintKey, "Cruise, Tom", "cruise tom"},
		{"fingerprint", FingerprintKey, "gödel", "godel"},
		{"fingerprint", FingerprintKey, "godél", "godel"},
		{"fingerprint", FingerprintKey, " New York ", "new york"},
		{"2-gram", two, "Paris", "arispari"},
		{"1-gram", one, "Paris", "aiprs"},
		{"1-gram", one, "Krzysztof", "fkorstyz"},
		{"1-gram", one, "Kryzysztof", "fkorstyz"},
		{"1-gram", one, "Krzystof", "fkorstyz"},
		{"Cologne", Cologne, "Guten Morgen", "426746"},

		{"fingerprint", FingerprintKey, "A.B.C. Ltd, A.B.C.", "abc ltd"},
		{"fingerprint", FingerprintKey, "Ｔｏｍ　Cruise！", "cruise tom"},
		{"fingerprint", FingerprintKey, "上海電器（集團）", "上海电器集团"},
		{"fingerprint", FingerprintKey, "Zero\u200bwidth", "zerowidth"},
		{"fingerprint", FingerprintKey, " -- … ", ""},
		{"2-gram", two, "x", "x"},
		{"2-gram", two, "Gödel", "deelgood"},
		{"Cologne", Cologne, "Müller-Lüdenscheidt", "65752682"}, // Postel's own example
		{"Cologne", Cologne, "Breschnew", "17863"},
		{"Cologne", Cologne, "Wikipedia", "3412"},
		{"Cologne", Cologne, "Hallo", "05"},
		{"phonetic", PhoneticKey, "张伟", "zhangwei"},
		{"phonetic", PhoneticKey, "張偉 GmbH 12", "461 =12 zhangwei"},
	}
	for _, tt := range tests {
		if got := tt.key(tt.in); got != tt.want {
			t.Errorf("%s key of %q = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
	a, b := "Reuben Gevorkiantz", "Ruben Gevorkyants"
	if PhoneticKey(a) != PhoneticKey(b) || FingerprintKey(a) == FingerprintKey(b) || one(a) == one(b) {
		t.Errorf("%q and %q: only the phonetic keys are equal as documented; got %q and %q", a, b, PhoneticKey(a), PhoneticKey(b))
	}
}

func texts(r Result) (out [][]string) {
	for _, c := range r.Clusters {
		var list []string
		for _, v := range c.Values {
			list = append(list, v.Text)
		}
		out = append(out, list)
	}
	return out
}

func TestClusters(t *testing.T) {
	list := []Value{
		{"Manufacturing", 40},
		{"manufacturing", 3},
		{"MANUFACTURING.", 3},
		{"Manufactoring", 1},
		{"Manufacturng", 2},
		{"製造業", 4},
		{"制造业", 9},
		{"制造 业", 1},
		{"Retail", 5},
		{"Retial", 1},
		{"UK", 7},
		{"UA", 2},
		{" ", 90},
	}
	tests := []struct {
		o    Options
		want [][]string
	}{
		{Options{}, [][]string{{"Manufacturing", "MANUFACTURING.", "manufacturing"}, {"制造业", "製造業"}}},
		{Options{Method: NGram}, [][]string{{"Manufacturing", "MANUFACTURING.", "manufacturing"}, {"制造业", "製造業", "制造 业"}}},
		{Options{Method: NGram, N: 1}, [][]string{{"Manufacturing", "MANUFACTURING.", "manufacturing"}, {"制造业", "製造業", "制造 业"}, {"Retail", "Retial"}}},
		{Options{Method: Phonetic}, [][]string{{"Manufacturing", "MANUFACTURING.", "manufacturing", "Manufacturng", "Manufactoring"}, {"制造业", "製造業"}, {"Retail", "Retial"}}},
		{Options{Method: Nearest}, [][]string{{"Manufacturing", "MANUFACTURING.", "manufacturing", "Manufacturng", "Manufactoring"}, {"制造业", "製造業", "制造 业"}, {"Retail", "Retial"}}},
		{Options{Method: Nearest, Radius: 1}, [][]string{{"Manufacturing", "MANUFACTURING.", "manufacturing", "Manufacturng", "Manufactoring"}, {"制造业", "製造業", "制造 业"}}},
		{Options{Method: Nearest, Distance: JaroWinkler}, [][]string{{"Manufacturing", "MANUFACTURING.", "manufacturing", "Manufacturng", "Manufactoring"}, {"制造业", "製造業", "制造 业"}, {"Retail", "Retial"}}},
	}
	for _, tt := range tests {
		got, err := Find(list, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, texts(got)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.o, diff)
		}
		if c := got.Clusters[0]; c.Proposed != "Manufacturing" || c.Count < 46 || got.Distinct != len(list)-1 {
			t.Errorf("%+v: proposed %q for %d records of %d values, want Manufacturing, at least 46, 12", tt.o, c.Proposed, c.Count, got.Distinct)
		}
	}
}

func TestOptionsAreRefused(t *testing.T) {
	for _, o := range []Options{{Method: "soundex"}, {N: -1}, {N: 17}, {Method: Nearest, Distance: "cosine"}, {Method: Nearest, Radius: -1}, {Method: Nearest, Radius: 11}, {Method: Nearest, Distance: JaroWinkler, Radius: 0.5}} {
		if _, err := Find(nil, o); err == nil {
			t.Errorf("options %+v are accepted", o)
		}
	}
}

// TestOrderDoesNotMatter: the same set of values gives the same clusters.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("abAB cä制製造业,")), 0, 9, -1)
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Value {
			return Value{word.Draw(t, "text"), rapid.IntRange(1, 4).Draw(t, "count")}
		}), 0, 40).Draw(t, "list")
		o := Options{Method: Method(rapid.SampledFrom(Methods()).Draw(t, "method")), N: rapid.IntRange(0, 3).Draw(t, "n"), Block: rapid.SampledFrom([]int{0, 2}).Draw(t, "block"), Most: rapid.SampledFrom([]int{0, 5}).Draw(t, "most")}
		shuffled := rapid.Permutation(list).Draw(t, "shuffled")
		a, err := Find(list, o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Find(shuffled, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("%+v: another order, other clusters:\n%s", o, diff)
		}
	})
}

// TestNearestFindsWhatSharesAGram: the rarest grams of each value are enough to
// find every pair within the radius that shares any gram.
func TestNearestFindsWhatSharesAGram(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	seen := map[string]bool{}
	var list []Value
	for len(list) < 300 {
		w := make([]byte, 6+r.IntN(6))
		for i := range w {
			w[i] = "abcd"[r.IntN(4)]
		}
		if !seen[string(w)] {
			seen[string(w)] = true
			list = append(list, Value{string(w), 1})
		}
	}
	slices.SortFunc(list, func(a, b Value) int { return strings.Compare(a.Text, b.Text) })
	o, err := Options{Method: Nearest, N: 2, Radius: 1, Block: 1000}.filled()
	if err != nil {
		t.Fatal(err)
	}
	n := newNear(list, o)
	n.groups()
	for i := range list {
		for j := range i {
			a, b := list[i].Text, list[j].Text
			if compare.Levenshtein([]rune(a), []rune(b), 1) <= 1 && n.root(uint32(i)) != n.root(uint32(j)) {
				t.Errorf("%s and %s are one edit apart and in two groups", a, b)
			}
		}
	}
}

// TestManyValuesAreBounded: one gram that all share is not compared each with
// each, and that is told; the rarest values are left out of too many.
func TestManyValuesAreBounded(t *testing.T) {
	const many = 20_000
	list := make([]Value, many)
	for i := range list {
		list[i] = Value{fmt.Sprintf("limited %05d", i), 1 + i%3}
	}
	list[many-1].Text = "limited"
	got, err := Find(list, Options{Method: Nearest, N: 7, Most: many - 100})
	if err != nil {
		t.Fatal(err)
	}
	if got.Distinct != many-100 || got.LeftOut != 100 || got.Spilled == 0 || got.Compared > 100*many {
		t.Errorf("%d values, %d left out, %d lists spilled, %d pairs; want %d, 100, some and at most %d", got.Distinct, got.LeftOut, got.Spilled, got.Compared, many-100, 100*many)
	}
	if long, err := Find([]Value{{strings.Repeat("宽 ", 1<<16), 1}, {strings.Repeat("宽 ", 1<<17), 2}}, Options{Method: Nearest}); err != nil || len(long.Clusters) != 1 {
		t.Errorf("two very long values: %d clusters, %v; want one, compared by their beginning", len(long.Clusters), err)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("Tom Cruise\nCruise, Tom\n制造业", 0)
	f.Add("\xff\u200b\n\x00\nＡ", 3)
	f.Add("a\na\nA\n\xff\n\xfe\n\u200b", 1)
	f.Add("有限公司\n公司有限\n\n9007199254740993\n9007199254740992", 2)
	f.Fuzz(func(t *testing.T, text string, method int) {
		var list []Value
		for line := range strings.SplitSeq(text, "\n") {
			list = append(list, Value{line, 1})
		}
		o := Options{Method: Method(Methods()[uint(method)%4])}
		got, err := Find(list, o)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(list)
		if back, err := Find(list, o); err != nil || fmt.Sprint(back.Clusters) != fmt.Sprint(got.Clusters) {
			t.Fatalf("the other way round: %v, %v\nwant %v", back.Clusters, err, got.Clusters)
		}
		in := map[string]bool{}
		for _, c := range got.Clusters {
			if len(c.Values) < 2 {
				t.Fatalf("a cluster of one value: %+v", c)
			}
			for _, v := range c.Values {
				if in[v.Text] {
					t.Fatalf("%q is in two clusters", v.Text)
				}
				in[v.Text] = true
			}
		}
	})
}

// BenchmarkNearest clusters 100,000 company names.
func BenchmarkNearest(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("stone mill river north trade logistics systems group global office paper steel data cloud foods motor marine solar")
	list := make([]Value, 100_000)
	for i := range list {
		list[i] = Value{fmt.Sprintf("%s %s %c%c%c%c Ltd", words[r.IntN(len(words))], words[r.IntN(len(words))], 'a'+r.IntN(26), 'a'+r.IntN(26), 'a'+r.IntN(26), 'a'+r.IntN(26)), 1}
	}
	for b.Loop() {
		if _, err := Find(list, Options{Method: Nearest}); err != nil {
			b.Fatal(err)
		}
	}
}
