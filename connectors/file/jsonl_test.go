package file

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJSONLines(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	ok64 := strings.Repeat(`{"a":`, 64) + "1" + strings.Repeat("}", 64)
	tests := []struct {
		name, line, problem string
	}{
		{"an object", `{"a": 1, "b": [true, null, "x\u00e9"]}`, ""},
		{"numbers stay text", `{"a": 123456789012345678901234567890.10, "b": 1e10000000}`, ""},
		{"64 deep", ok64, ""},
		{"10,000 deep", deep, "is nested deeper than 64, at byte 320 of the line"},
		{"an array", `[1]`, "is not a JSON object; want one object in { } on each line"},
		{"a text", `"x"`, "is not a JSON object; want one object in { } on each line"},
		{"a key twice", `{"a":1,"a":2}`, "has the same key twice in one object, at byte 10 of the line"},
		{"a key twice, once escaped", `{"a":1,"\u0061":2}`, "has the same key twice in one object, at byte 15 of the line"},
		{"the same key in two objects", `{"a":{"a":1}}`, ""},
		{"cut off", `{"a":1`, "is not JSON: want a comma or the end of the list, at byte 6 of the line"},
		{"text behind", `{"a":1} x`, "has text behind the object, at byte 8 of the line"},
		{"a bare word", `{"a":NaN}`, "is not JSON: want a value, at byte 5 of the line"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "byte 6 of the file, 0xff, is not UTF-8: the text looks like windows-1252; save the file as UTF-8, or set encoding: windows-1252"},
	}
	for _, tt := range tests {
		got := readOne(t, "a.jsonl", tt.line+"\n\n {\"next\":1} \r\n", Options{})
		if len(got) != 2 || got[0].Problem != tt.problem || tt.problem == "" && got[0].Data != tt.line {
			t.Errorf("%s: got %+v, want problem %q", tt.name, got, tt.problem)
			continue
		}
		if want := (shown{`{"next":1}`, "a.jsonl line 3", ""}); got[1] != want {
			t.Errorf("%s: the next record is %+v, want %+v", tt.name, got[1], want)
		}
	}
}

func TestFormatGoesByNameThenByContent(t *testing.T) {
	tests := []struct{ name, text, option, want string }{
		{"a.ndjson", `{"a":1}`, "", `{"a":1}`},
		{"a.export", "\n {\"a\":1}", "", `{"a":1}`},
		{"a.export", "a\n1", "", `{"a":"1"}`},
		{"a.csv", `{"a":1}`, "jsonl", `{"a":1}`},
		{"a.jsonl", "a\n1", "csv", `{"a":"1"}`},
	}
	for _, tt := range tests {
		if got := readOne(t, tt.name, tt.text, Options{Format: tt.option}); len(got) != 1 || got[0].Data != tt.want {
			t.Errorf("%s with %q, format %q: got %+v, want %s", tt.name, tt.text, tt.option, got, tt.want)
		}
	}
}

func TestLongJSONLineIsCutAndReadingGoesOn(t *testing.T) {
	got := readOne(t, "a.jsonl", `{"a":"`+strings.Repeat("京", 1<<20)+"\"}\n{\"b\":1}\n", Options{})
	want := `{"unreadable":"{\"a\":\"` + strings.Repeat("京", 1994) + `"}`
	if len(got) != 2 || got[0].Problem == "" || got[1].Data != `{"b":1}` {
		t.Fatalf("got %d records, problem %q", len(got), got[0].Problem)
	}
	if diff := cmp.Diff(want, got[0].Data); diff != "" {
		t.Errorf("cut text (-want +got):\n%s", diff)
	}
}

// FuzzCheckObject: what we take, encoding/json takes; what we refuse as no
// JSON, encoding/json refuses.
func FuzzCheckObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,-0.5e+3,"\u00e9\n"]}`, `{"a":01}`, `{"a":"\x"}`, `{"a":1,}`, `{"\ud800":1}`, `{"a":tru}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" {
			return
		}
		problem := checkObject([]byte(s))
		valid := json.Valid([]byte(s))
		if problem == "" && !valid {
			t.Errorf("checkObject(%q) finds nothing, encoding/json refuses it", s)
		}
		if strings.HasPrefix(problem, "is not JSON:") && valid {
			t.Errorf("checkObject(%q) = %q, encoding/json takes it", s, problem)
		}
	})
}
