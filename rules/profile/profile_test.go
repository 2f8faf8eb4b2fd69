package profile

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"touchstone/internal/record"
)

func TestShapesHideValues(t *testing.T) {
	tests := []struct{ in, want string }{
		{"+86 21 6888-0102", "+99 99 9999-9999"},
		{"上海美跃包装", "字"},
		{"Ada LOVELACE", "Aa A"},
		{"ada.l@example.com", "a.a@a.a"},
		{"91310101MA1FL4X17X", "99999999A9A9A99A"},
		{"", ""},
		{"a  b\t c", "a a a"},
		{"x\x00\u200b", "a\uFFFD"},
		{strings.Repeat("1", 50), strings.Repeat("9", 40) + "…"},
	}
	for _, tt := range tests {
		if got := Shape(tt.in); got != tt.want {
			t.Errorf("Shape(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestChecks(t *testing.T) {
	tests := []struct {
		check         Check
		value, scheme string
		want          bool
	}{
		{Email, "ada@example.com", "", true},
		{Email, "ada at example", "", false},
		{Phone, "+86 21 6888 0102", "", true},
		{Phone, "unknown", "", false},
		{Date, "1978-06-05", "", true},
		{Date, "0001-01-01", "", false},
		{Date, "soon", "", false},
		{Website, "www.example.com", "", true},
		{Website, "none", "", false},
		{Country, "China", "", true},
		{Country, "Atlantis", "", false},
		{Number, "1,200.5", "", true},
		{Number, "-3", "", true},
		{Number, "3-4", "", false},
		{Number, "many", "", false},
		{ID, "91350100M000100Y43", "uscc", true},
		{ID, "91350100M000100Y44", "uscc", false},
		{Any, "", "", true},
	}
	for _, tt := range tests {
		if got := tt.check.Passes(tt.value, tt.scheme); got != tt.want {
			t.Errorf("%s of %q (%s) passes: %v, want %v", tt.check, tt.value, tt.scheme, got, tt.want)
		}
	}
}

// TestCountsAddUp: filled and missing are the records, valid and invalid the
// values, lengths, shapes and names the values too.
func TestCountsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, records, values := NewCounter("emails", Email, true), 0, 0
		for range rapid.IntRange(0, 60).Draw(t, "records") {
			list := rapid.SliceOfN(rapid.SampledFrom([]string{"a@example.com", "b@example.com", "x", "上海", "1 2 3", "\x00"}), 0, 3).Draw(t, "values")
			c.Record(list, nil, records%2 == 0)
			records, values = records+1, values+len(list)
		}
		f := c.Field()
		sum := func(list []Count, other int) int {
			for _, x := range list {
				other += x.N
			}
			return other
		}
		if f.Filled+f.Missing != records || f.Valid+f.Invalid != values || f.Values != values || sum(f.Lengths, 0) != values || sum(f.Shapes, f.OtherShapes) != values || sum(f.Names, f.OtherNames) != values {
			t.Fatalf("%d records, %d values: %+v", records, values, f)
		}
		if f.Distinct > 6 || values > 0 && f.Distinct == 0 || f.Fresh > f.Filled {
			t.Fatalf("%+v", f)
		}
	})
}

func TestManyShapesKeepTheirBounds(t *testing.T) {
	c := NewCounter("x", Any, true)
	for i := range 10_000 {
		c.Record([]string{strings.Repeat("a-", i%39) + fmt.Sprint(i)}, nil, false)
	}
	f := c.Field()
	if len(f.Shapes) > shownShapes || len(f.Names) > shownShapes || len(c.names) > mostShapes || f.OtherNames != 10_000-shownShapes {
		t.Errorf("%d shapes and %d names shown, %d kept, %d others", len(f.Shapes), len(f.Names), len(c.names), f.OtherNames)
	}
}

func TestDistinctIsNearlyRight(t *testing.T) {
	for _, n := range []int{0, 1, 999, 1000, 1001, 20_000, 300_000} {
		var d distinct
		for i := range n {
			d.add(fmt.Sprint("value ", i))
			if i%3 == 0 {
				d.add(fmt.Sprint("value ", i))
			}
		}
		if got := d.count(); n <= exactly && got != n || math.Abs(float64(got-n)) > 0.04*float64(n) {
			t.Errorf("of %d different values %d are counted", n, got)
		}
	}
}

func TestTextsOfLists(t *testing.T) {
	v := record.ListValue(record.Point{Value: "91350100M000100Y43", Parts: map[string]string{"scheme": "uscc"}}, record.Point{Parts: map[string]string{"city": "上海", "line": "四川路 1"}}, record.Point{})
	values, schemes := Texts(v)
	if fmt.Sprint(values, schemes) != "[91350100M000100Y43 四川路 1, 上海] [uscc ]" {
		t.Errorf("texts %q, schemes %q", values, schemes)
	}
	if got := Parts(v, "city"); len(got) != 1 || got[0] != "上海" {
		t.Errorf("cities %q", got)
	}
	if values, _ := Texts(record.TextValue(" ")); values != nil {
		t.Errorf("a blank has texts: %q", values)
	}
}
