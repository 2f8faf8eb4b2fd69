package record

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestRefSurvivesItsText(t *testing.T) {
	for _, r := range []Ref{{"crm", "company", "1"}, {"a/b", "per%son", "x/y%2F/z"}, {"源", "company", "编号 7"}, {"crm", "company", "50%20 off % 2F"}} {
		got, err := ParseRef(r.String())
		if err != nil || got != r {
			t.Errorf("ParseRef(%q) = %v, %v, want %v", r.String(), got, err, r)
		}
		if got, err := ParseRef(r.Word()); err != nil || got != r || strings.Contains(r.Word(), " ") {
			t.Errorf("ParseRef(%q) = %v, %v, want %v", r.Word(), got, err, r)
		}
	}
	for _, bad := range []string{"", "a", "a/b", "a/b/", "a/b/c/d", "//"} {
		if _, err := ParseRef(bad); err == nil {
			t.Errorf("ParseRef(%q) gives no error", bad)
		}
	}
}

func sampleFields() Fields {
	return Fields{
		"name": TextValue("Zoë \"& Söhne\" <b>\u0000\n"), "null": {}, "empty": TextValue(""), "n": NumberValue("9007199254740993"),
		"on": DateValue("2001-05-31"), "yes": BoolValue(true), "no": BoolValue(false), "none": ListValue(),
		"list": ListValue(Point{Value: "v", Kind: "work"}, Point{Parts: map[string]string{"line": "上海路402号", "city": "上海"}}),
	}
}

func TestValuesSurviveTheirJSON(t *testing.T) {
	want := sampleFields()
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Fields
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields after a round trip (-want +got):\n%s", diff)
	}
	if again := got.AppendJSON(nil); !bytes.Equal(again, want.AppendJSON(nil)) {
		t.Errorf("the canonical form changed:\n%s\n%s", want.AppendJSON(nil), again)
	}
	if !json.Valid(want.AppendJSON(nil)) {
		t.Errorf("the canonical form is not JSON: %s", want.AppendJSON(nil))
	}
}

func TestMissingNullAndEmptyAreThree(t *testing.T) {
	f := Fields{"null": {}, "empty": TextValue("")}
	if got := string(f.AppendJSON(nil)); got != `{"empty":"","null":null}` {
		t.Errorf("AppendJSON = %s", got)
	}
	if f["null"].Equal(f["empty"]) {
		t.Error("null equals empty")
	}
	if _, ok := f["missing"]; ok {
		t.Error("a missing field is there")
	}
}

func TestSameJSON(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":"x"}`, `{ "b":"x", "a":1 }`, true},
		{`"A & B"`, `"A \u0026 B"`, true},
		{`1`, `1.0`, false}, // numbers keep their text
		{`null`, `""`, false},
		{`not json`, `not json`, true},
		{`not json`, `"x"`, false},
	} {
		if got := SameJSON([]byte(tt.a), []byte(tt.b)); got != tt.want {
			t.Errorf("SameJSON(%s, %s) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

// FuzzScanner reads what encoding/json reads as our form, to the same value,
// and never panics.
func FuzzScanner(f *testing.F) {
	f.Add(sampleFields().AppendJSON(nil))
	for _, s := range []string{"", "{", `{"a":`, `{"a":[{"b":1}]}`, `{"a":"\ud800"}`, `{"客":"\u0000\u2028","客":[{"kind":"","value":"\/"},{"":"\ud83d\ude00"}]}`, `{"a":{"date":""},"a":[]}`, `{"a":1e5,"b":-0}`, `{"a":tru}`, `{"a":[}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewScanner(b)
		out := Fields{}
		err := s.Object(func(name string) error {
			v, err := s.Value()
			out[name] = v
			return err
		})
		if err != nil || s.End() != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("%q was read and is not JSON", b)
		}
		if utf8.Valid(b) { // of bytes that are none, a run is one U+FFFD to us
			checkDecoded(t, b, out)
		}
		again := Fields{}
		if err := again.UnmarshalJSON(out.AppendJSON(nil)); err != nil {
			t.Fatalf("%q: what was written cannot be read: %v", b, err)
		}
		if !bytes.Equal(again.AppendJSON(nil), out.AppendJSON(nil)) {
			t.Fatalf("%q: the canonical form is not stable", b)
		}
	})
}

// checkDecoded compares with what encoding/json reads.
func checkDecoded(t *testing.T, b []byte, got Fields) {
	t.Helper()
	want, err := DecodeObject(b)
	if err != nil {
		t.Fatalf("%q was read, and not by encoding/json: %v", b, err)
	}
	if len(want) != len(got) {
		t.Fatalf("%q has %d fields, want %d", b, len(got), len(want))
	}
	for name, x := range want {
		if list, is := x.([]any); is {
			for _, e := range list { // an empty value or kind is none
				entry := e.(map[string]any)
				for _, part := range []string{"value", "kind"} {
					if entry[part] == "" {
						delete(entry, part)
					}
				}
			}
		}
		if v, ok := got[name]; !ok || !bytes.Equal(Canonical(nil, plain(v)), Canonical(nil, x)) {
			t.Fatalf("%q: %q is %+v, want %v", b, name, v, x)
		}
	}
}

// plain is a value as encoding/json would have it, entries with all they may have.
func plain(v Value) any {
	switch v.Kind {
	case Null:
		return nil
	case Bool:
		return v.Text == "true"
	case Number:
		return json.Number(v.Text)
	case Date:
		return map[string]any{"date": v.Text}
	case List:
		list := []any{}
		for _, p := range v.Points {
			entry := map[string]any{}
			for name, part := range p.Parts {
				entry[name] = part
			}
			if p.Value != "" {
				entry["value"] = p.Value
			}
			if p.Kind != "" {
				entry["kind"] = p.Kind
			}
			list = append(list, entry)
		}
		return list
	}
	return v.Text
}
