package golden

import (
	"bytes"
	"encoding/json"
	"testing"

	"touchstone/internal/record"
)

func TestAuthoredReadsWhatItWrote(t *testing.T) {
	a := Authored{
		"name":    {Value: record.TextValue("宁波 \"Stone\" \\ \n\x00"), Since: "2026-01-02T03:04:05.000000Z", Version: 3},
		"revenue": {Value: record.NumberValue("12345678901234567890.10"), Version: 1},
		"founded": {Value: record.DateValue("2001-02-03"), Version: 1},
		"active":  {Value: record.BoolValue(true), Version: 1},
		"none":    {Value: record.Value{}, Version: 1},
		"empty":   {Value: record.TextValue(""), Version: 1},
		"phones":  {Value: record.ListValue(record.Point{Value: "1", Kind: "work"}, record.Point{Parts: map[string]string{"city": "Ningbo"}}), Version: 2},
		"中文":      {Value: record.TextValue("x"), Version: 1},
	}
	j := a.AppendJSON(nil)
	if !json.Valid(j) {
		t.Fatalf("not JSON: %s", j)
	}
	back, err := ParseAuthored(j)
	if err != nil {
		t.Fatal(err)
	}
	if len(back) != len(a) {
		t.Errorf("%d fields came back, want %d", len(back), len(a))
	}
	for name, f := range a {
		if g := back[name]; !g.Value.Equal(f.Value) || g.Since != f.Since || g.Version != f.Version {
			t.Errorf("%s came back as %+v, want %+v", name, g, f)
		}
	}
	if again := back.AppendJSON(nil); !bytes.Equal(again, j) {
		t.Errorf("written again:\n%s\n%s", again, j)
	}
	if f := a.Fields(); len(f) != len(a) || f.Text("name") != a["name"].Value.Text {
		t.Errorf("Fields() = %v", f)
	}
}

func TestAuthoredForm(t *testing.T) {
	a := Authored{"b": {Value: record.TextValue("x"), Since: "s", Version: 2}, "a": {Value: record.NumberValue("1.50")}}
	want := `{"a":{"n":0,"s":"","v":1.50},"b":{"n":2,"s":"s","v":"x"}}`
	if got := string(a.AppendJSON(nil)); got != want {
		t.Errorf("AppendJSON = %s, want %s", got, want)
	}
	if got := string(Authored(nil).AppendJSON(nil)); got != "{}" {
		t.Errorf("AppendJSON of nothing = %s, want {}", got)
	}
}

// FuzzAuthoredRoundTrip holds that whatever can be read is written the same
// way each time, and that field names of any kind stay JSON.
func FuzzAuthoredRoundTrip(f *testing.F) {
	f.Add([]byte(`{"name":{"n":1,"s":"2026","v":"x"}}`), "name", "Ada")
	f.Add([]byte(`{"p":{"n":1,"v":[{"value":"1","kind":"work"}]}}`), "a\x07b", "\xff")
	f.Add([]byte(`{"d":{"v":{"date":"2001-02-03"}},"x":{"v":null},"t":{"v":true},"n":{"v":-1.5e3}}`), "\x7f\u2028", "")
	f.Add([]byte(`{"":{"v":[{"`+"\xff"+`0":"","`+"\xfe"+`0":""}]}}`), "\xff", "")
	f.Fuzz(func(t *testing.T, b []byte, name, value string) {
		made := Authored{name: {Value: record.TextValue(value), Version: 1}}.AppendJSON(nil)
		if _, err := ParseAuthored(made); err != nil || !json.Valid(made) {
			t.Fatalf("field %q: %s is not read back: %v", name, made, err)
		}
		a, err := ParseAuthored(b)
		if err != nil {
			return
		}
		first := a.AppendJSON(nil)
		again, err := ParseAuthored(first)
		if err != nil {
			t.Fatalf("%s cannot be read: %v", first, err)
		}
		if second := again.AppendJSON(nil); !bytes.Equal(first, second) {
			t.Fatalf("written differently the second time:\n%s\n%s", first, second)
		}
	})
}

// FuzzBuild holds that no authored values make Build fail, and that the order
// of two members does not matter.
func FuzzBuild(f *testing.F) {
	f.Add([]byte(`{"name":{"n":1,"s":"2026","v":"x"}}`), []byte(`{"name":{"n":1,"s":"2026","v":["x"]}}`), "longest")
	f.Add([]byte(`{"p":{"n":1,"v":[{"value":"1"}]}}`), []byte(`{"p":{"n":1,"v":"x"}}`), "union")
	f.Add([]byte(`{"p":{"n":1,"v":1e999999999}}`), []byte(`{"p":{"n":1,"v":2}}`), "max")
	f.Fuzz(func(t *testing.T, x, y []byte, strategy string) {
		a, errA := ParseAuthored(x)
		b, errB := ParseAuthored(y)
		if errA != nil || errB != nil {
			return
		}
		p := Policy{Strategies: map[string][]Strategy{}}
		for name := range a {
			p.Strategies[name] = []Strategy{Strategy(strategy), MostRecent}
		}
		m := []Member{{Ref: record.Ref{Source: "s", Entity: "e", ID: "1"}, Live: true, Authored: a}, {Ref: record.Ref{Source: "s", Entity: "e", ID: "2"}, Live: true, Authored: b}}
		one, two := Build(m, nil, p), Build([]Member{m[1], m[0]}, nil, p)
		if o, w := one.Fields.AppendJSON(nil), two.Fields.AppendJSON(nil); !bytes.Equal(o, w) {
			t.Fatalf("another order, another record:\n%s\n%s", o, w)
		}
	})
}
