package expr

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestLookup(t *testing.T) {
	tables := map[string]map[string]string{"industry": {"软件": "software", "retail & co": "retail"}}
	for _, tt := range []struct {
		text string
		want any
		miss string
	}{
		{`lookup("industry", record.a)`, "software", ""},
		{`lookup("industry", "  RETAIL & Co ")`, "retail", ""},
		{`lookup("industry", record.b)`, nil, "industry Mining"},
		{`lookup("industry", record.b, "other")`, "other", "industry Mining"},
		{`lookup("industry", record.gone, "other")`, "other", ""},
		{`lookup("industry", record.gone)`, nil, ""},
		{`lookup("industry", "  ", "other")`, "other", ""},
		{`lookup("industry", record.n, upper("x"))`, "X", "industry 7"},
		{`upper(lookup("industry", record.a) ?? "")`, "SOFTWARE", ""},
		{`map(["软件", "x"], lookup("industry", #, "?"))`, "[software ?]", "industry x"},
	} {
		p, err := Compile(tt.text, map[string]any{"record": map[string]any{}, LookupsVar: &Lookups{Tables: tables}}, Any)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		miss := ""
		l := &Lookups{Tables: tables, Miss: func(table, value string) { miss += table + " " + value }}
		got, err := p.Run(map[string]any{"record": map[string]any{"a": " 软件", "b": " Mining ", "n": 7}, LookupsVar: l})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) || miss != tt.miss {
			t.Errorf("%s = %v, %v, missed %q; want %v, missed %q", tt.text, got, err, miss, tt.want, tt.miss)
		}
		if !slices.Equal(p.Tables(), []string{"industry"}) {
			t.Errorf("%s asks the tables %q, want industry", tt.text, p.Tables())
		}
	}
}

func TestLookupMistakesNameTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		column     int
	}{
		{`lookup("owners", record.a)`, `there is no table "owners" below tables:`, 8},
		{`lookup(record.a, record.a)`, "the table of lookup must be written out in quotes", 15},
		{`lookup("industry")`, "lookup(table, value, default) takes 2 to 3 arguments, has 1", 1},
		{`__lookups`, "unknown name __lookups", 1},
		{`__lookup("industry", "x")`, "unknown name __lookup", 1},
	} {
		_, err := Compile(tt.text, map[string]any{"record": map[string]any{}, LookupsVar: &Lookups{Tables: map[string]map[string]string{"industry": {}}}}, Any)
		var ce *CompileError
		if !errors.As(err, &ce) || ce.Text != tt.want || ce.Column != tt.column {
			t.Errorf("%s: %v, want column %d: %s", tt.text, err, tt.column, tt.want)
		}
	}
}
