package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

const sample = `{
	"id": 9007199254740993, "name": " Ada Ltd ", "zh": "上海试金石有限公司", "rate": 0.10, "n": 12, "s": "12", "zero": 0, "big": 1e10000000,
	"huge": 123456789012345678901234567890, "ok": true, "null": null, "empty": "", "客户名称": "甲",
	"phones": [{"kind": "home", "value": "1"}, {"kind": "work", "value": "2"}], "tags": ["a", "b"], "nums": [1, 2.0, 3]
}`

func TestExpressionsGive(t *testing.T) {
	tests := []struct {
		text string
		want any // nil: missing; error text starting with "!"
	}{
		{`record.id`, json.Number("9007199254740993")},
		{`record.huge`, json.Number("123456789012345678901234567890")},
		{`record.rate`, json.Number("0.10")},
		{`record.big`, json.Number("1e10000000")},
		{`record.big > 1`, "!the number is too large or too small to calculate with"},
		{`record.big * record.big`, "!the number is too large or too small to calculate with"},
		{`record.id + 1`, int64(9007199254740994)},
		{`record.id == 9007199254740993`, true},
		{`record.id == 9007199254740992`, false},
		{`record.huge + 1`, json.Number("123456789012345678901234567891")},
		{`record.huge > record.id`, true},
		{`0.1 + 0.2`, json.Number("0.3")},
		{`record.rate == 0.1`, true},
		{`record.n / 5`, json.Number("2.4")},
		{`record.n / 4`, int64(3)},
		{`1 / 0`, "!division by zero"},
		{`record.n / record.zero`, "!division by zero"},
		{`record.n % record.zero`, "!division by zero"},
		{`-record.n`, int64(-12)},
		{`2 ** 10`, int64(1024)},
		{`2 ** 5000`, "!the power is not a number that can be written"},
		{`record.n == record.s`, false},
		{`record.n > record.s`, "!cannot compare a number with a text: use number(…)"},
		{`record.n == number(record.s)`, true},
		{`record.missing`, nil},
		{`record.missing.deeper[3].still`, nil},
		{`record.missing > 3`, nil},
		{`record.missing + 1`, nil},
		{`not (record.missing > 3)`, nil},
		{`record.missing > 3 and record.ok`, nil},
		{`record.missing > 3 and not record.ok`, false},
		{`record.missing > 3 or record.ok`, true},
		{`record.ok or 1/0 > 1`, true},
		{`not record.ok and 1/0 > 1`, false},
		{`record.missing == nil`, true},
		{`record.null == nil`, true},
		{`record.empty == nil`, false},
		{`record.missing != "other"`, true},
		{`record.missing > 3 ? "a" : "b"`, "b"},
		{`record.missing ?? "x"`, "x"},
		{`record.empty ?? "x"`, ""},
		{`coalesce(record.missing, record.empty, record.name)`, " Ada Ltd "},
		{`record.name | trim() | upper()`, "ADA LTD"},
		{`record.zh[0:2]`, "上海"},
		{`record.zh[-4:]`, "有限公司"},
		{`record.zh[2]`, "试"},
		{`record.zh[5:2]`, ""},
		{`len(record.zh)`, int64(9)},
		{`record["客户名称"]`, "甲"},
		{`record.客户名称`, "甲"},
		{`record.name contains "Ada"`, true},
		{`record.missing contains "Ada"`, nil},
		{`record.tags contains "b"`, true},
		{`"b" in record.tags`, true},
		{`2 in record.nums`, true},
		{`record.zh matches "有限公司$"`, true},
		{`record.missing matches "x"`, nil},
		{`record.n matches "^1"`, true},
		{`first(filter(record.phones, .kind == "work")).value`, "2"},
		{`first(filter(record.missing, .kind == "work")).value`, nil},
		{`filter(record.phones, .nothere > 3)`, []any{}},
		{`record.phones[9].value`, nil},
		{`record.phones[-1]?.value`, "2"},
		{`record.phones.value`, "!a list has numbered entries only: use [0] or map(…)"},
		{`record.name.first`, "!a text has no members"},
		{`map(record.phones, .value)`, []any{"1", "2"}},
		{`join(map(record.phones, .value), "/")`, "1/2"},
		{`any(record.phones, .kind == "work")`, true},
		{`all(record.missing, .x == 1)`, true},
		{`count(record.phones, .kind == "work")`, int64(1)},
		{`find(record.phones, .kind == "fax").value`, nil},
		{`let x = trim(record.name); x + "!"`, "Ada Ltd!"},
		{`before("a@b", "@")`, "a"},
		{`before("ab", "@")`, "ab"},
		{`after("ab", "@")`, nil},
		{`upper(record.phones)`, "!needs a text, has a list"},
		{`record.ok ? 1/0 : 2`, "!division by zero"},
		{`date("03/04/2024")`, "!the date can be read as two different days"},
		{`date("13/04/2024")`, "2024-04-13"},
		{`date("4/4/2024")`, "2024-04-04"},
		{`date("2023-02-29")`, "!the text is not a date"},
		{`date("2024-02-29T23:59:59+08:00")`, "2024-02-29"},
		{`date("20240229")`, "2024-02-29"},
		{`date("29 Feb 2024 10:00")`, "2024-02-29"},
		{`date("")`, nil},
		{`number("１２３")`, json.Number("123")},
		{`number("-0012.50")`, json.Number("-12.50")},
		{`number("1,23")`, "!the text is not a number"},
		{`number("12 Ltd")`, "!the text is not a number"},
		{`count(split(record.long, "a"), # == "") > 0`, "!split makes more than 100000 parts"},
		{`any(split(record.short, "a"), any(split(record.short, "a"), # == "x"))`, "!the list has 2001 entries, at most 1000 can be gone through here"},
		{`replace(record.long, "a", record.short)`, "!makes a text of more than 1048576 bytes"},
	}
	vars := map[string]any{"record": object(t, sample)}
	vars["record"].(map[string]any)["long"] = strings.Repeat("a", 100_000)
	vars["record"].(map[string]any)["short"] = strings.Repeat("a", 2_000)
	for _, tt := range tests {
		p, err := Compile(tt.text, map[string]any{"record": map[string]any{}}, Any)
		if err != nil {
			t.Errorf("Compile(%s): %v", tt.text, err)
			continue
		}
		got, err := p.Run(vars)
		if text, ok := tt.want.(string); ok && strings.HasPrefix(text, "!") {
			var re *RunError
			if !errors.As(err, &re) || "!"+re.Text != text {
				t.Errorf("%s: error %v, want %q", tt.text, err, text[1:])
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s = %#v, %v; want %#v", tt.text, got, err, tt.want)
		}
	}
}

func TestCompileErrorsNameTheirPlace(t *testing.T) {
	tests := []struct {
		text         string
		want         Kind
		line, column int
		message      string
	}{
		{`record.name +`, Any, 1, 13, "unexpected token EOF"},
		{"trim(\n  recrd.name)", Any, 2, 3, "unknown name recrd"},
		{`golden.nmae`, Any, 1, 8, "unknown field nmae"},
		{`客户 + now()`, Any, 1, 1, "unknown name 客户"},
		{`now()`, Any, 1, 1, "now() is not available"},
		{`indexOf(record.a, "x")`, Any, 1, 1, "indexOf() is not available"},
		{`upper()`, Any, 1, 1, "upper(s) takes 1 argument, has 0"},
		{`record.id.String()`, Any, 1, 11, "only the functions of the reference can be called"},
		{`$env`, Any, 1, 1, "unknown name $env"},
		{`__get(record, "a")`, Any, 1, 1, "unknown name __get"},
		{`map(record.list, upper)`, Any, 1, 18, "upper is a function: call it, as in upper(…)"},
		{`record.a matches record.b`, Any, 1, 25, "must be written out in quotes"},
		{`record.a matches "("`, Any, 1, 10, "error parsing regexp"},
		{`1 + 2`, Bool, 1, 1, "expected bool, but got int"},
		{`"a" + 1`, Any, 1, 5, "invalid operation: + (mismatched types string and int)"},
		{`1..2000000`, Any, 1, 2, "the operator .. is not available"},
		{`all(record.a, all(#.b, all(#.c, # > 1)))`, Any, 1, 24, "all stands within 2 others"},
		{`count(record.a)`, Any, 1, 1, "count needs a predicate"},
		{`sum(record.a)`, Any, 1, 1, "unknown name sum"},
		{``, Any, 1, 1, "unexpected token EOF"},
		{strings.Repeat("(", 20_000), Any, 1, 1, "has 20000 characters"},
	}
	vars := map[string]any{"record": map[string]any{}, "golden": Fields{"name"}}
	for _, tt := range tests {
		_, err := Compile(tt.text, vars, tt.want)
		var ce *CompileError
		if !errors.As(err, &ce) || ce.Line != tt.line || ce.Column != tt.column || !strings.Contains(ce.Text, tt.message) {
			t.Errorf("Compile(%.40s): %v, want %d:%d %s", tt.text, err, tt.line, tt.column, tt.message)
		}
	}
}

func TestKindsAreKept(t *testing.T) {
	vars := map[string]any{"record": object(t, sample)}
	tests := []struct {
		text string
		kind Kind
		want string
	}{
		{`record.id`, Text, "9007199254740993 <nil>"},
		{`record.rate`, Text, "0.10 <nil>"},
		{`record.ok`, Text, "true <nil>"},
		{`record.missing`, Text, "<nil> <nil>"},
		{`record.phones`, Text, "<nil> expression, line 1, column 1: needs a text, has a list"},
		{`record.ok`, Bool, "true <nil>"},
		{`record.missing > 1`, Bool, "<nil> <nil>"},
		{`record.name`, Bool, "<nil> expression, line 1, column 1: gives a text, want true or false"},
	}
	for _, tt := range tests {
		p, err := Compile(tt.text, map[string]any{"record": nil}, tt.kind)
		if err != nil {
			t.Errorf("Compile(%s): %v", tt.text, err)
			continue
		}
		v, err := p.Run(vars)
		if got := fmt.Sprint(v, " ", err); got != tt.want && fmt.Sprintf("%v %v", v, err) != tt.want {
			t.Errorf("%s as kind %d = %s, want %s", tt.text, tt.kind, got, tt.want)
		}
	}
}

func TestRunErrorsHoldNoValues(t *testing.T) {
	const canary = "canary-customer-value"
	vars := map[string]any{"record": map[string]any{"a": canary, "l": []any{canary}, "m": map[string]any{canary: canary}}}
	for _, text := range []string{
		`record.a + 1`, `record.a.b`, `record.a > 1`, `record.a and true`, `number(record.a)`, `date(record.a)`,
		`record.l[record.a]`, `record.m[record.l]`, `filter(record.a, .x)`, `record.a ? 1 : 2`, `map(record.l, .x)`, `-record.a`, `record.a in record.a`,
		`{(record.l): 1}`, `record.a[record.l:2]`,
	} {
		p, err := Compile(text, map[string]any{"record": nil}, Any)
		if err != nil {
			t.Errorf("Compile(%s): %v", text, err)
			continue
		}
		if _, err = p.Run(vars); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: error %v, want one without the value", text, err)
		}
	}
}

func TestReferenceExamplesAreTrue(t *testing.T) {
	for _, f := range Functions() {
		p, err := Compile(f.Example, nil, Any)
		if err != nil {
			t.Errorf("%s: %v", f.Example, err)
			continue
		}
		v, err := p.Run(nil)
		got, _ := json.Marshal(v)
		if err != nil || string(got) != f.Gives {
			t.Errorf("%s = %s, %v; the reference says %s", f.Example, got, err, f.Gives)
		}
		if !strings.Contains(string(Reference()), "`"+f.Signature+"`") {
			t.Errorf("the reference lacks %s", f.Signature)
		}
	}
}

func TestFormsOfTemplates(t *testing.T) {
	vars := map[string]any{"id": "a/b c", "n": json.Number("7")}
	for text, want := range map[string]string{
		"/companies/{{ id }}/x": "/companies/{id}/x", "{{n}}{{  id}}": "{n}{id}", "no parts": "no parts", "a }} b": "a }} b", "": "",
	} {
		if tpl, err := Interpolate(text, vars); err != nil || tpl.Form() != want {
			t.Errorf("Interpolate(%q): %v, of the form %q; want %q", text, err, tpl.Form(), want)
		}
	}
}

func TestTemplates(t *testing.T) {
	vars := map[string]any{"id": "a/b c", "n": json.Number("7"), "m": map[string]any{}}
	tests := []struct{ text, want string }{
		{"/companies/{{ id }}/x", "/companies/<a/b c>/x"},
		{"no parts", "no parts"},
		{"", ""},
		{`{{ n }}{{ "}}" }}{{ {"a": {"b": 1}}.a.b }}`, "<7><}}><1>"},
		{`a }} b`, "a }} b"},
		{"{{ m.x }}", "!{{ m.x }} has no value"},
		{`{{ m.x ?? "" }}`, "<>"},
	}
	for _, tt := range tests {
		tpl, err := Interpolate(tt.text, vars)
		if err != nil {
			t.Errorf("Interpolate(%s): %v", tt.text, err)
			continue
		}
		got, err := tpl.RenderWith(vars, func(s string) string { return "<" + s + ">" })
		if err != nil {
			got = "!" + err.Error()
		}
		if got != tt.want {
			t.Errorf("%s renders %q, want %q", tt.text, got, tt.want)
		}
	}
	for text, want := range map[string]string{
		"ab {{ x":            "expression, line 1, column 4: {{ is never closed by }}",
		"é\n客 {{ nothere }}": "expression, line 2, column 6: unknown name nothere",
	} {
		if _, err := Interpolate(text, vars); err == nil || err.Error() != want {
			t.Errorf("Interpolate(%q): %v, want %s", text, err, want)
		}
	}
}

func TestProgramsRunConcurrently(t *testing.T) {
	p, err := Compile(`join(map(record.phones, .value), "/") + text(record.n)`, map[string]any{"record": nil}, Any)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]any{"record": object(t, sample)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if v, err := p.Run(vars); v != "1/212" || err != nil {
					t.Errorf("got %v, %v; want 1/212", v, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A text, whatever it is, compiles to a program or to a CompileError; a program,
// whatever the values, gives a value or a RunError.
func TestNothingPanics(t *testing.T) {
	atoms := []string{"record", ".a", "[0]", "[1:]", "(", ")", "{", "}", `"x"`, "1", "1.5", "nil", "==", "+", "-", "/", "and", "not ", "??", "?", ":", "|", "upper(", "len(", "filter(", "#", "in", "matches", "..", ",", "let x = ", ";", "date(", " ", "客"}
	values := []any{nil, "", "x", true, json.Number("1"), json.Number("1e999999999"), json.Number("x"), []any{json.Number("1"), nil}, map[string]any{"a": "b"}, []string{"q"}, 7.5}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(atoms), 0, 12).Draw(t, "text"), "")
		p, err := Compile(text, map[string]any{"record": nil}, Any)
		if err != nil {
			var ce *CompileError
			if !errors.As(err, &ce) {
				t.Fatalf("Compile(%s): %T %v, want a *CompileError", text, err, err)
			}
			return
		}
		v := rapid.SampledFrom(values).Draw(t, "value")
		if _, err := p.Run(map[string]any{"record": map[string]any{"a": v}}); err != nil {
			var re *RunError
			if !errors.As(err, &re) {
				t.Fatalf("%s: %T %v, want a *RunError", text, err, err)
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	vars := map[string]any{"record": object(b, sample)}
	for _, text := range []string{`record.name`, `record.name ?? record.zh`, `trim(record.name)`, `record.n > 3 and record.ok`, `first(filter(record.phones, .kind == "work")).value`} {
		p, err := Compile(text, map[string]any{"record": nil}, Any)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Run(vars); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzExpressions(f *testing.F) {
	for _, fn := range Functions() {
		f.Add(fn.Example)
	}
	f.Add(`first(filter(record.phones, .kind == "work")).value`)
	f.Add("{{ record.id }}/{{ {\"a\": 1}.a }}")
	vars := map[string]any{"record": map[string]any{"a": []any{json.Number("1e99"), nil, "客"}, "n": json.Number("7")}}
	f.Fuzz(func(t *testing.T, text string) {
		if tpl, err := Interpolate(text, vars); err == nil {
			_, _ = tpl.Render(vars) // must not panic
		}
		p, err := Compile(text, vars, Any)
		if err != nil {
			var ce *CompileError
			if !errors.As(err, &ce) || ce.Line < 1 || ce.Column < 1 {
				t.Fatalf("Compile(%q): %T %v, want a *CompileError with a place", text, err, err)
			}
			return
		}
		if v, err := p.Run(vars); err != nil && v != nil {
			t.Fatalf("%q gives both %v and %v", text, v, err)
		}
	})
}
