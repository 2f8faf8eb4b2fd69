package golden

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"touchstone/internal/record"
)

func TestValuesCountBeforeOneIsChosen(t *testing.T) {
	p := Policy{Strategies: map[string][]Strategy{"f": {MostFrequent}}, Values: NewValues([]Mapping{{"d1", "f", [][2]string{{"B.", "B"}}}})}
	g := Build([]Member{text("s1", "A", 3), text("s2", "A", 2), text("s3", "B", 1), text("s4", "B.", 1), text("s5", "B", 1)}, nil, p)
	prov := g.Provenance["f"]
	if g.Fields.Text("f") != "B" || len(prov.Losers) != 2 {
		t.Errorf("%q with losers %+v, want B by three voices, and two of A", g.Fields.Text("f"), prov.Losers)
	}
	alone := Build([]Member{text("s4", "B.", 1)}, nil, p)
	if prov := alone.Provenance["f"]; alone.Fields.Text("f") != "B" || prov.Was != "B." || !slices.Equal(prov.Maps, []string{"d1"}) {
		t.Errorf("%q, %+v; want B, counted so by d1, B. there", alone.Fields.Text("f"), prov)
	}
}

func TestReplace(t *testing.T) {
	v := NewValues([]Mapping{
		{"d2", "city", [][2]string{{"b", "c"}}},
		{"d1", "city", [][2]string{{"a", "b"}}},
		{"d3", "list", [][2]string{{"x", "y"}}},
		{"d4", "list.part", [][2]string{{"x", "z"}}},
		{"d5", "round", [][2]string{{"a", "b"}, {"b", "a"}}}, // a store refuses it; here it only has to end
	})
	point := record.Point{Value: "x", Parts: map[string]string{"part": "x", "other": "x"}}
	tests := []struct {
		field string
		in    record.Value
		want  string
		by    []string
	}{
		{"city", record.TextValue("a"), `"c"`, []string{"d1", "d2"}},
		{"city", record.TextValue("b"), `"c"`, []string{"d2"}},
		{"city", record.TextValue("A"), `"A"`, nil},
		{"city", record.NumberValue("1"), `1`, nil},
		{"else", record.TextValue("a"), `"a"`, nil},
		{"list", record.ListValue(point, record.Point{Value: "q"}), `[{"other":"x","part":"z","value":"y"},{"value":"q"}]`, []string{"d3", "d4"}},
	}
	for _, tt := range tests {
		got, by := v.Replace(tt.field, tt.in)
		if string(got.AppendJSON(nil)) != tt.want || !slices.Equal(by, tt.by) {
			t.Errorf("%s %s becomes %s by %q, want %s by %q", tt.field, tt.in.AppendJSON(nil), got.AppendJSON(nil), by, tt.want, tt.by)
		}
	}
	if point.Value != "x" || point.Parts["part"] != "x" {
		t.Errorf("the value handed in was changed: %+v", point)
	}
	if got, _ := v.Replace("round", record.TextValue("a")); got.Text != "a" && got.Text != "b" {
		t.Errorf("a circle gives %q", got.Text)
	}
}

// TestOrderOfDecisionsDoesNotMatter: values are a function of the set.
func TestOrderOfDecisionsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []Mapping
		for i := range rapid.IntRange(0, 6).Draw(t, "decisions") {
			from := byte('a' + i)
			list = append(list, Mapping{string('0' + rune(i)), "f", [][2]string{{string(from), string(from + byte(rapid.IntRange(1, 3).Draw(t, "step")))}}})
		}
		one, two := NewValues(list), NewValues(rapid.Permutation(list).Draw(t, "order"))
		for c := 'a'; c <= 'k'; c++ {
			x, byX := one.Replace("f", record.TextValue(string(c)))
			y, byY := two.Replace("f", record.TextValue(string(c)))
			again, _ := one.Replace("f", x)
			if !x.Equal(y) || !slices.Equal(byX, byY) || !again.Equal(x) {
				t.Fatalf("%c becomes %s by %q and %s by %q, and then %s", c, x.Text, byX, y.Text, byY, again.Text)
			}
		}
	})
}
