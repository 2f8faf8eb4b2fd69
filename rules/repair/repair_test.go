package repair

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"touchstone/internal/record"
	"touchstone/rules/schema"
)

const strict = `{"type":"object","properties":{
	"status":{"type":["string","null"],"enum":["active","closed","in liquidation",null]},
	"name":{"type":"string","maxLength":8},
	"phones":{"type":"array","maxItems":2,"items":{"type":"object","properties":{"value":{"$ref":"#/definitions/part"}}}}},
	"definitions":{"part":{"type":"string","maxLength":12}}}`

func limits(t *testing.T, field string) schema.Limits {
	t.Helper()
	s, err := schema.Compile("strict", []byte(strict))
	if err != nil {
		t.Fatal(err)
	}
	return s.Limits(field)
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		field string
		want  schema.Limits
	}{
		{"status", schema.Limits{Enum: []string{"active", "closed", "in liquidation"}}},
		{"name", schema.Limits{MaxLength: 8}},
		{"phones", schema.Limits{MaxItems: 2}},
		{"/phones/0/value", schema.Limits{MaxLength: 12}},
		{"unknown", schema.Limits{}},
		{"", schema.Limits{}},
	} {
		if got := limits(t, c.field); !slices.Equal(got.Enum, c.want.Enum) || got.MaxLength != c.want.MaxLength || got.MaxItems != c.want.MaxItems {
			t.Errorf("%q: %+v, want %+v", c.field, got, c.want)
		}
	}
}

// TestRemedies: name→value of each proposal, in order.
func TestRemedies(t *testing.T) {
	phones := record.ListValue(record.Point{Value: "+44\u200b 113", Kind: "work"}, record.Point{Value: "2"}, record.Point{Value: "2"})
	for _, c := range []struct {
		name   string
		reason record.Reason
		value  record.Value
		kind   record.Kind
		want   string
	}{
		{"hidden and control", record.Reason{Field: "name"}, record.TextValue("Ac\u200bme\u0007 Ltd"), record.Text, "clean→Acme Ltd empty→ empty✗"},
		{"wrong encoding", record.Reason{Field: "city"}, record.TextValue("ZÃ¼rich"), record.Text, "clean→Zürich empty→ empty✗"},
		{"white space", record.Reason{Field: "city"}, record.TextValue("  New   York "), record.Text, "clean→New   York clean→New York empty→ empty✗"},
		{"too long", record.Reason{Field: "name"}, record.TextValue("Acme Holdings"), record.Text, "shorten→Acme Hol empty→ empty✗"},
		{"allowed", record.Reason{Field: "status"}, record.TextValue("Activ"), record.Text, "choose:active→active choose:closed→closed choose:in liquidation→in liquidation empty→ empty✗"},
		{"number", record.Reason{Field: "employees"}, record.TextValue("约 1,200 人"), record.Number, "number→1200 empty→ empty✗"},
		{"no number", record.Reason{Field: "employees"}, record.TextValue("10-50"), record.Number, "empty→ empty✗"},
		{"date both ways", record.Reason{Field: "founded"}, record.TextValue("03/04/2001"), record.Date, "date_dmy→2001-04-03 date_mdy→2001-03-04 empty→ empty✗"},
		{"an entry", record.Reason{Field: "/phones/0/value"}, phones, record.List, "clean→+44 113|2|2 drop→2|2 empty→ empty✗"},
		{"entries twice", record.Reason{Field: "phones"}, phones, record.List, "unique→+44\u200b 113|2 first→+44\u200b 113|2 empty→ empty✗"},
		{"no such entry", record.Reason{Field: "/phones/9/value"}, phones, record.List, "empty→ empty✗"},
		{"the record", record.Reason{}, record.Value{}, record.Text, ""},
	} {
		var got []string
		for _, r := range Remedies(c.reason, c.value, true, c.kind, limits(t, c.reason.Field)) {
			var parts []string
			for _, p := range r.Now.Points {
				parts = append(parts, p.Value)
			}
			text := r.Name + "→" + r.Now.Text + strings.Join(parts, "|")
			if r.LeaveOut {
				text = r.Name + "✗"
			}
			got = append(got, text)
		}
		want := c.want
		if c.name == "entries twice" { // the same two entries by either way: proposed once
			want = "unique→+44\u200b 113|2 empty→ empty✗"
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", c.name, strings.Join(got, " "), want)
		}
	}
}

func TestReadNumber(t *testing.T) {
	for in, want := range map[string]string{
		"1200": "1200", "1,200": "1200", "1.200": "1200", "1 200": "1200", "1'200": "1200", "1,200.50": "1200.50", "1.200,5": "1200.5",
		"12.5": "12.5", "0.125": "0.125", "￥１２,０００": "12000", "-3": "-3", "500+": "500", "3.5万": "35000", "2亿元": "200000000", "007": "7",
		"1,234,567": "1234567", "": "", "none": "", "10 to 50": "", "1.2.3.4": "1234",
	} {
		if got := readNumber(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestReadDate(t *testing.T) {
	for in, want := range map[string]string{
		"2001-13-05": "ydm 2001-05-13", "31.12.1999": "dmy 1999-12-31", "12/25/2024": "mdy 2024-12-25", "1/2/2003": "dmy 2003-02-01 mdy 2003-01-02",
		"2024年5月1日": "ymd 2024-05-01 ydm 2024-01-05", "20240131": "ymd 2024-01-31", "31122024": "dmy 2024-12-31", "45292": "serial 2024-01-01",
		"30.02.2024": "", "99": "", "": "", "soon": "",
	} {
		var got []string
		for _, r := range readDate(in) {
			got = append(got, r.order+" "+r.day)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", in, strings.Join(got, " "), want)
		}
	}
}

// TestRemediesStandAnything: no text makes them panic, none proposes what is
// there already, and a date proposed is a date.
func TestRemediesStandAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		kind := rapid.SampledFrom([]record.Kind{record.Text, record.Number, record.Date, record.List}).Draw(t, "kind")
		v := record.TextValue(s)
		if kind == record.List {
			v = record.ListValue(record.Point{Value: s})
		}
		field := rapid.SampledFrom([]string{"x", "/x/0/value", "/x/1", "/x/-1/y", "//", "/~1/~0"}).Draw(t, "field")
		for _, r := range Remedies(record.Reason{Field: field, Value: s}, v, true, kind, schema.Limits{MaxLength: 3, MaxItems: 1, Enum: []string{"a"}}) {
			if !r.LeaveOut && r.Now.Equal(v) {
				t.Fatalf("%q: %s proposes what is there", s, r.Name)
			}
			if r.Now.Kind == record.Date && !isDate(r.Now.Text) || r.Now.Kind == record.Number && !isNumber(r.Now.Text) {
				t.Fatalf("%q: %s proposes %q", s, r.Name, r.Now.Text)
			}
		}
	})
}
