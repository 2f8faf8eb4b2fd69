package chart

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite testdata")

// dump writes a chart as lines that a person can check.
func dump(c Chart) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %s\n", c.Kind, c.Title, c.Box())
	for _, m := range c.Marks {
		fmt.Fprintf(&b, "%s .%s %s,%s", m.Shape, strings.ReplaceAll(m.Class, " ", "."), number(m.X), number(m.Y))
		if m.W != 0 || m.H != 0 {
			fmt.Fprintf(&b, " %s×%s", number(m.W), number(m.H))
		}
		for _, s := range []string{m.D, m.Text, m.Anchor, m.Href, m.Tip} {
			if s != "" {
				fmt.Fprintf(&b, " %q", s)
			}
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%q\n", c.Head)
	rows := c.Rows
	if c.Foot != nil {
		rows = append(rows[:len(rows):len(rows)], *c.Foot)
	}
	for _, r := range rows {
		fmt.Fprintf(&b, "%q %s", r.Name, r.Href)
		for _, x := range r.Cells {
			fmt.Fprintf(&b, " | %s %s", x.Text, x.Href)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func examples() map[string]Chart {
	w := Words{Title: "Most records come from the CRM", Columns: []string{"Source", "Records"}, Total: "Total"}
	items := []Item{{Name: "crm", Value: 1316, Href: "/sources/crm"}, {Name: "上海分公司的客户服务台系统", Value: 204.5, Note: "12 %"}, {Name: "none", Value: 0}, {Name: "back", Value: -100}}
	parts := []Part{{Name: "crm", Href: "/sources/crm", Values: []float64{60, 30, 10}, Hrefs: []string{"/a", "/b", ""}}, {Name: "desk", Values: []float64{5, math.NaN(), -4}}}
	steps := []Item{{Name: "name", Value: 7.2}, {Name: "phones", Value: 5.1}, {Name: "prior", Value: -13}}
	days := []string{"1 Mar", "2 Mar", "3 Mar", "4 Mar"}
	return map[string]Chart{
		"bars":      Bars(w, items),
		"stacked":   Stacked(w, []string{"stored", "unchanged", "echo"}, parts),
		"waterfall": Waterfall(w, steps),
		"funnel":    Funnel(w, []Item{{Name: "pulled", Value: 1000, Href: "/p"}, {Name: "stored", Value: 700}, {Name: "golden", Value: 350}}),
		"lines":     Lines(Words{Title: "crm falls", Columns: []string{"Day"}}, days, []Series{{Name: "crm", Values: []float64{90, 85, math.NaN(), 60}, Hrefs: []string{"/1"}}, {Name: "desk", Values: []float64{90, 91, 92, 62}}}, false),
		"scatter":   Scatter(Words{Title: "Large and late", Columns: []string{"Source"}}, "records", "days", []string{"rest", "file"}, []Spot{{"crm", 1000, 2, "/crm", 0}, {"desk", 400, 9, "", 1}, {"gone", math.NaN(), 1, "", 0}}),
		"histogram": Distribution(w, []Item{{Name: "0–9", Value: 4}, {Name: "10–19", Value: 12, Href: "/d"}, {Name: "20–29", Value: 7}}),
		"heat":      Grid(Words{Title: "desk lacks ids", Columns: []string{"Source"}}, []string{"name", "phones", "ids"}, []Heat{{"crm", "/crm", []Share{{1, "/n", "9 of 9"}, {0.9996, "", ""}, {0.5, "/i", ""}}}, {"desk", "", []Share{{0, "", ""}, {0.001, "", ""}}}}),
		"provinces": TileMap(w, func(p Province) string { return p.Short }, map[string]Item{"31": {Value: 40, Href: "/sh"}, "44": {Value: 10}}, []Item{{Name: "abroad", Value: 3}}),
		"empty":     Bars(Words{Title: "Nothing yet", Columns: []string{"a", "b"}}, nil),
	}
}

func TestGeometryStaysAsItIs(t *testing.T) {
	for name, c := range examples() {
		path := filepath.Join("testdata", name+".golden")
		got := dump(c)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got; go test -update rewrites it):\n%s", name, d)
		}
	}
}

// drawn sums the figures that marks of a class stand for.
func drawn(c Chart) (sum float64) {
	for _, m := range c.Marks {
		if strings.HasPrefix(m.Class, "mark") {
			sum += m.Value
		}
	}
	return sum
}

// TestWhatIsDrawnIsWhatWasGiven: the marks and the foot of the table add up to the
// figures, lengths are in proportion, and nothing leaves the box.
func TestWhatIsDrawnIsWhatWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(-1000, 1_000_000), 1, 12).Draw(t, "values")
		items, sum, positive := make([]Item, len(values)), 0.0, 0.0
		for i, v := range values {
			items[i] = Item{Name: rapid.StringN(0, 40, -1).Draw(t, "name"), Value: float64(v)}
			sum, positive = sum+float64(v), positive+max(0, float64(v))
		}
		w := Words{Title: "t", Columns: []string{"a", "b"}, Total: "sum"}
		bars := Bars(w, items)
		if got := drawn(bars); got != sum {
			t.Fatalf("bars draw %v, given %v", got, sum)
		}
		if got := bars.Foot.Cells[0].Text; got != Count(sum) {
			t.Fatalf("the table's sum is %s, want %s", got, Count(sum))
		}
		if got := drawn(Waterfall(w, items)); got != 2*sum { // the steps, and their sum
			t.Fatalf("the waterfall draws %v, want %v", got, 2*sum)
		}
		if got := drawn(Distribution(w, items)); got != positive {
			t.Fatalf("the distribution draws %v, want %v", got, positive)
		}
		stack := Stacked(w, []string{"x"}, []Part{{Values: []float64{max(0, float64(values[0]))}}})
		if got := drawn(stack); got != max(0, float64(values[0])) {
			t.Fatalf("the stack draws %v, want %d", got, values[0])
		}
		for _, c := range []Chart{bars, Waterfall(w, items), Distribution(w, items), Funnel(w, items), stack} {
			for _, m := range c.Marks {
				x, y := max(m.X, m.X2()), max(m.Y, m.Y2())
				if min(m.X, m.X2()) < -0.1 || min(m.Y, m.Y2()) < -0.1 || x > c.Wide+0.1 || y > c.High+0.1 || m.W < 0 || m.H < 0 && m.Shape == Rect {
					t.Fatalf("%s: %+v leaves the box %s", c.Kind, m, c.Box())
				}
			}
		}
		wide := map[float64]float64{}
		for _, m := range bars.Marks {
			if strings.HasPrefix(m.Class, "mark") && m.W > 1 {
				wide[m.Value] = m.W / math.Abs(m.Value)
			}
		}
		one := 0.0
		for v, r := range wide {
			if one == 0 {
				one = r
			}
			if math.Abs(r-one) > 1e-9*one {
				t.Fatalf("the bar of %v is %v a unit, others %v", v, r, one)
			}
		}
	})
}

func TestFiguresThatAreNoneDoNoHarm(t *testing.T) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, math.SmallestNonzeroFloat64, 0}
	items := make([]Item, len(odd))
	for i, v := range odd {
		items[i] = Item{Name: "x\xff\u202e", Value: v}
	}
	w := Words{Title: "t", Columns: []string{"a", "b"}, Total: "sum"}
	for _, c := range []Chart{
		Bars(w, items), Waterfall(w, items), Funnel(w, items), Distribution(w, items), Bars(w, nil), Funnel(w, nil), Waterfall(w, nil), Distribution(w, nil),
		Stacked(w, []string{"a", "b"}, []Part{{Values: odd}}), Lines(w, []string{"1"}, []Series{{Name: "s", Values: odd}}, true), Lines(w, nil, nil, false),
		Grid(w, []string{"a"}, []Heat{{Cells: []Share{{Value: math.NaN()}}}}), Grid(w, nil, nil), Scatter(w, "x", "y", nil, nil), TileMap(w, func(p Province) string { return p.Letters }, nil, nil),
	} {
		for _, m := range c.Marks {
			for _, f := range []float64{m.X, m.Y, m.W, m.H} {
				if !finite(f) {
					t.Errorf("%s: a mark stands at %v: %+v", c.Kind, f, m)
				}
			}
		}
	}
}

func TestTicksAreRound(t *testing.T) {
	tests := []struct {
		low, high float64
		n         int
		want      []float64
	}{
		{0, 10, 5, []float64{0, 2, 4, 6, 8, 10}},
		{0, 1316, 4, []float64{0, 500, 1000, 1500}},
		{-3, 7, 4, []float64{-5, 0, 5, 10}},
		{0, 0, 4, []float64{0, 0.5, 1}},
		{0, 0.07, 4, []float64{0, 0.02, 0.04, 0.06, 0.08}},
	}
	for _, tt := range tests {
		got := Ticks(tt.low, tt.high, tt.n)
		if len(got) != len(tt.want) {
			t.Errorf("Ticks(%v, %v, %d) = %v, want %v", tt.low, tt.high, tt.n, got, tt.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 1e-9 {
				t.Errorf("Ticks(%v, %v, %d) = %v, want %v", tt.low, tt.high, tt.n, got, tt.want)
				break
			}
		}
	}
}

func TestTextsFit(t *testing.T) {
	tests := []struct {
		text string
		most float64
		want string
	}{
		{"crm", 100, "crm"},
		{"上海美跃包装材料有限公司", 60, "上海美跃…"},
		{"a long name of a source", 60, "a long…"},
		{"上海", 5, "…"},
		{" two\n lines ", 200, "two lines"},
	}
	for _, tt := range tests {
		if got := Fit(tt.text, 12, tt.most); got != tt.want {
			t.Errorf("Fit(%q, 12, %v) = %q, want %q", tt.text, tt.most, got, tt.want)
		}
	}
	for f, want := range map[float64]string{0: "0\u202f%", 1: "100\u202f%", 0.9999: "> 99.9\u202f%", 0.0001: "< 0.1\u202f%", 0.5: "50\u202f%", 0.125: "12.5\u202f%"} {
		if got := Percent(f); got != want {
			t.Errorf("Percent(%v) = %q, want %q", f, got, want)
		}
	}
}

func TestEveryProvinceHasATileOfItsOwn(t *testing.T) {
	at, codes := map[[2]int]string{}, map[string]bool{}
	for _, p := range Provinces() {
		if other := at[[2]int{p.col, p.row}]; other != "" {
			t.Errorf("%s stands on %s", p.Short, other)
		}
		if p.col < 2 || p.col > 9 || p.row < 0 || p.row > 9 || codes[p.Code] {
			t.Errorf("%+v is off the map or twice there", p)
		}
		at[[2]int{p.col, p.row}], codes[p.Code] = p.Short, true
	}
	if len(codes) != 34 {
		t.Errorf("%d provinces, want 34", len(codes))
	}
}

// TestManyColumnsKeepTheirSize: a grid of a month is wider than the other charts, and
// says so, for its texts would be too small in their width.
func TestManyColumnsKeepTheirSize(t *testing.T) {
	for _, tt := range []struct {
		columns int
		broad   bool
	}{{5, false}, {30, true}} {
		columns := make([]string, tt.columns)
		c := Grid(Words{Columns: []string{""}}, columns, []Heat{{Name: "crm", Cells: make([]Share, tt.columns)}})
		if c.Broad() != tt.broad {
			t.Errorf("a grid of %d columns is %.0f wide and broad %v, want %v", tt.columns, c.Wide, c.Broad(), tt.broad)
		}
	}
	const window = 1198 // what a window of 1280 has for it
	if c := Grid(Words{Columns: []string{""}}, make([]string, 30), []Heat{{Name: strings.Repeat("long name ", 9), Cells: make([]Share, 30)}}); c.Wide > window {
		t.Errorf("a month is %.0f wide, want at most %d", c.Wide, window)
	}
}
