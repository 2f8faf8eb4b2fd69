package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
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

// FuzzBuild holds what is true of every golden record, however odd the authored
// values: the order of three members does not matter; a field stands where some
// member has a value, and only there; the value and its losers are what members
// have, each once; min and max leave nothing beyond; a union names each entry once.
func FuzzBuild(f *testing.F) {
	for i, seed := range [][3]string{
		{`{"name":{"n":1,"s":"2026","v":"x"}}`, `{"name":{"n":1,"s":"2026","v":["x"]}}`, `{}`},
		{`{"p":{"n":1,"v":[{"value":"1"}]}}`, `{"p":{"n":1,"v":"x"}}`, `{"p":{"v":[{"value":"1"},{"value":"1"},{"line":"上海路402号"}]}}`},
		{`{"p":{"n":1,"v":1e999999999}}`, `{"p":{"n":1,"v":2}}`, `{"p":{"v":-0.0}}`},
		{`{"p":{"v":10}}`, `{"p":{"v":9}}`, `{"p":{"v":5e1}}`},
		{`{"p":{"v":"10"}}`, `{"p":{"v":9}}`, `{"p":{"v":"1 0"}}`},
		{`{"a":{"v":"ÿ"},"b":{"v":null}}`, `{"a":{"v":"\u0000"},"b":{"v":""}}`, `{"a":{"v":"þ"},"b":{"v":"　"}}`},
		{`{"d":{"v":{"date":"2001-02-03"}}}`, `{"d":{"v":true}}`, `{"d":{"v":["a"]}}`},
	} {
		for way := range 8 {
			f.Add([]byte(seed[0]), []byte(seed[1]), []byte(seed[2]), uint8(8*i+way), uint8(way+1))
		}
	}
	f.Fuzz(func(t *testing.T, x, y, z []byte, first, second uint8) {
		ways := []Strategy{SourceRank, MostRecent, MostFrequent, Longest, MostComplete, Min, Max, Union}
		p := Policy{Strategies: map[string][]Strategy{}, Rank: map[string]int{"s2": 0}}
		var m []Member
		for i, b := range [][]byte{x, y, z} {
			a, err := ParseAuthored(b)
			if err != nil {
				return
			}
			for name := range a {
				p.Strategies[name] = []Strategy{ways[int(first)%len(ways)], ways[int(second)%len(ways)]}
			}
			m = append(m, Member{Ref: record.Ref{Source: fmt.Sprint("s", i%3), Entity: "e", ID: fmt.Sprint(i)}, Live: true, Authored: a})
		}
		want := Build(m, nil, p)
		for _, order := range [][3]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			other := Build([]Member{m[order[0]], m[order[1]], m[order[2]]}, nil, p)
			if !sameRecord(want, other) {
				t.Fatalf("another order, another record:\n%+v\n%+v", want, other)
			}
		}
		for name := range p.Strategies {
			checkField(t, m, want, name, p.Strategies[name][0])
		}
		if len(want.Fields) > len(p.Strategies) {
			t.Fatalf("fields %v of nobody", want.Fields)
		}
	})
}

func sameRecord(a, b Record) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func checkField(t *testing.T, members []Member, r Record, name string, s Strategy) {
	t.Helper()
	has := map[string]record.Value{}
	for _, m := range members {
		if v := m.Authored[name].Value; !v.Blank() {
			has[string(v.AppendJSON(nil))] = v
		}
	}
	value, ok := r.Fields[name]
	if prov, told := r.Provenance[name]; ok != (len(has) > 0) || told != ok {
		t.Fatalf("%q is %v of %v, %+v", name, value, has, prov)
	}
	if !ok {
		return
	}
	seen := map[string]bool{}
	if s == Union {
		if len(value.Points) == 0 {
			t.Fatalf("%q: nothing left of %v", name, has)
		}
		for _, pt := range value.Points {
			key := string(pt.AppendJSON(nil))
			if seen[key] {
				t.Fatalf("%q names %s twice", name, key)
			}
			seen[key] = true
		}
		return
	}
	won := r.Provenance[name]
	for _, v := range append([]record.Value{value}, lost(won)...) {
		key := string(v.AppendJSON(nil))
		if _, known := has[key]; !known {
			t.Fatalf("%q: nobody says %s", name, key)
		}
		if seen[key] && v.Equal(value) {
			t.Fatalf("%q: the winner %s lost too", name, key)
		}
		seen[key] = true
		if s == Min && less(v, value) || s == Max && less(value, v) {
			t.Fatalf("%q: %s by %s, and there is %s", name, value.AppendJSON(nil), s, key)
		}
	}
	if len(seen) != len(has) {
		t.Fatalf("%q: %d values of %d are told of", name, len(seen), len(has))
	}
}

func lost(p Provenance) (out []record.Value) {
	for _, l := range p.Losers {
		out = append(out, l.Value)
	}
	return out
}

// FuzzLess compares with math/big, where that is not too large to try.
func FuzzLess(f *testing.F) {
	for _, s := range [][2]string{{"10", "9"}, {"5e1", "10"}, {"-0", "0.000"}, {"1e-999999999", "0"}, {"007", "7"}, {"-1.50", "-1.5e0"}, {"1.", ".5"}, {"客", "\xff"}, {"0e99", "1"}, {"1e+2", "99.9"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := record.NumberValue(a), record.TextValue(b)
		if less(x, y) && less(y, x) || less(x, x) {
			t.Fatalf("%q and %q: no order", a, b)
		}
		if len(a) > 20 || len(b) > 20 || !json.Valid([]byte(a)) || !json.Valid([]byte(b)) {
			return
		}
		if far := regexp.MustCompile(`[eE][-+]?\d{4}`); far.MatchString(a) || far.MatchString(b) {
			return
		}
		p, okA := new(big.Rat).SetString(a)
		q, okB := new(big.Rat).SetString(b)
		if !okA || !okB {
			return // another JSON value
		}
		if got, want := less(x, y), p.Cmp(q) < 0; got != want {
			t.Fatalf("%q < %q: %v, want %v", a, b, got, want)
		}
	})
}
