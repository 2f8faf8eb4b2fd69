package pipeline

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"touchstone/config"
	"touchstone/internal/record"
)

func mapperOf(t *testing.T, stamp string, fields ...string) *Mapper {
	t.Helper()
	e := config.SourceEntity{Entity: record.Company, ID: config.Expr{Text: "record.id"}, Stamp: config.Expr{Text: stamp}}
	for _, f := range fields {
		name, text, _ := strings.Cut(f, ": ")
		e.Map = append(e.Map, config.Named{Name: name, Value: config.MapValue{Expr: config.Expr{Text: text}}})
	}
	m, problems := NewMapper(config.Source{Name: "crm"}, e)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return m
}

func objectOf(t *testing.T, text string) map[string]any {
	t.Helper()
	obj, err := record.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// TestEntryAndListAreMappedTogether: phone and phones are one field, and what is
// null in one takes nothing from the other. No field that is not a list has two names.
func TestEntryAndListAreMappedTogether(t *testing.T) {
	for _, s := range slices.Concat(record.Specs(record.Company), record.Specs(record.Person)) {
		if s.One != "" && s.Kind != record.List {
			t.Errorf("%s may be mapped as %s too, and only lists are put together", s.Name, s.One)
		}
	}
	m := mapperOf(t, "", "phone: record.main", "phones: record.others")
	for _, tt := range []struct{ object, want string }{
		{`{"main":"1","others":["2","3"]}`, `{"phones":[{"value":"1"},{"value":"2"},{"value":"3"}]}`},
		{`{"main":"1","others":null}`, `{"phones":[{"value":"1"}]}`},
		{`{"main":null,"others":["2"]}`, `{"phones":[{"value":"2"}]}`},
		{`{"main":"1"}`, `{"phones":[{"value":"1"}]}`},
		{`{"main":null,"others":null}`, `{"phones":null}`},
		{`{"main":null,"others":[]}`, `{"phones":[]}`},
		{`{}`, `{}`},
	} {
		got, reasons := m.Map(objectOf(t, tt.object))
		if text := string(got.AppendJSON(nil)); text != tt.want || len(reasons) > 0 {
			t.Errorf("%s is mapped to %s %v, want %s", tt.object, text, reasons, tt.want)
		}
	}
}

// TestStampIsReadAsItWasWritten: one that is not would hold up its whole source
// each time the record is read.
func TestStampIsReadAsItWasWritten(t *testing.T) {
	m := mapperOf(t, "record.at")
	for text, want := range map[string]string{
		"2026-01-02T03:04:05.1234567+08:00": "2026-01-01T19:04:05.123456Z", "2026-01-02": "2026-01-02T00:00:00.000000Z", "1767225600": "2026-01-01T00:00:00.000000Z",
		"1767225600123": "2026-01-01T00:00:00.123000Z", "9999-12-31T23:59:59Z": "9999-12-31T23:59:59.000000Z", "9999-12-31T23:59:59-05:00": "bad", "0000-01-01T00:00:00+08:00": "bad",
		"0000-01-01": "0000-01-01T00:00:00.000000Z", "0001-01-01T00:00:00Z": "", "0000-00-00 00:00:00": "bad", "infinity": "bad", "客": "bad", " ": "",
	} {
		id, reasons := m.Identify(map[string]any{"id": "1", "at": text}, record.Raw{})
		got := record.FormatTime(id.Stamp)
		if len(reasons) > 0 {
			got = "bad"
		}
		if _, err := record.ParseTime(record.FormatTime(id.Stamp)); got != want || err != nil {
			t.Errorf("stamp %q: %s %v, read again %v; want %s", text, got, reasons, err, want)
		}
	}
	given, reasons := mapperOf(t, "").Identify(map[string]any{"id": "1"}, record.Raw{Stamp: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if !given.Stamp.IsZero() || len(reasons) > 0 {
		t.Errorf("a connector's stamp in the year 10000: %v, %v; want none", given.Stamp, reasons)
	}
}

// TestWhatIsMappedIsReadAsItWasWritten for whatever a source gives.
func TestWhatIsMappedIsReadAsItWasWritten(t *testing.T) {
	var fields []string
	for _, s := range record.Specs(record.Company) {
		fields = append(fields, s.Name+": record.x")
	}
	m := mapperOf(t, "", append(fields, "phone: record.y", "own: record.x", "other: record.y")...)
	scalar := rapid.SampledFrom([]string{
		`null`, `true`, `""`, `" "`, `"　"`, `"007"`, `"1e400"`, `1e400`, `-0`, `-0.0e-0`, `12345678901234567890.10`, `"2001-02-30"`, `"2001-02-03"`, `"NaN"`, `"\u0000"`, `"\ud800"`, `"\u2028<&>"`,
		`"上海"`, `"-"`, `"1 "`, `"\"\\"`,
	})
	names := rapid.SampledFrom([]string{"value", "kind", "line", "scheme", "", "客", "\\u0000", "date"})
	var draw func(t *rapid.T, deep int) string
	draw = func(t *rapid.T, deep int) string {
		var parts []string
		switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
		case deep > 2 || kind < 2:
			return scalar.Draw(t, "scalar")
		case kind == 2:
			for range rapid.IntRange(0, 3).Draw(t, "entries") {
				parts = append(parts, draw(t, deep+1))
			}
			return "[" + strings.Join(parts, ",") + "]"
		}
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			parts = append(parts, `"`+names.Draw(t, "name")+`":`+draw(t, deep+1))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	rapid.Check(t, func(r *rapid.T) {
		text := `{"x":` + draw(r, 0) + `,"y":` + draw(r, 0) + `}`
		obj, err := record.DecodeObject([]byte(text))
		if err != nil {
			r.Fatalf("%s: %v", text, err)
		}
		got, _ := m.Map(obj)
		var again record.Fields
		if err := again.UnmarshalJSON(got.AppendJSON(nil)); err != nil {
			r.Fatalf("%s is mapped to %s, which cannot be read: %v", text, got.AppendJSON(nil), err)
		}
		for name, v := range got {
			if !v.Equal(again[name]) {
				r.Fatalf("%s: %s (-mapped +read):\n%s", text, name, cmp.Diff(v, again[name]))
			}
		}
	})
}
