package schema

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
)

func builtin(t testing.TB, entity string) *Schema {
	t.Helper()
	s, ok := Builtin(entity)
	if !ok {
		t.Fatalf("Builtin(%q): none", entity)
	}
	return s
}

func compile(t testing.TB, src string) *Schema {
	t.Helper()
	s, err := Compile("test", []byte(src))
	if err != nil {
		t.Fatalf("Compile(%s): %v", src, err)
	}
	return s
}

func TestBuiltinNeedsOneOf(t *testing.T) {
	company := []record.Reason{{Rule: "required", Field: "name", Text: "is missing, and so is legal_name", Remedy: "fill or map name or legal_name"}}
	person := []record.Reason{{
		Rule: "required", Field: "full_name", Text: "is missing, and so are given_name, family_name, emails and phones",
		Remedy: "fill or map full_name, given_name, family_name, emails or phones",
	}}
	tests := []struct {
		entity, doc string
		want        []record.Reason
	}{
		{"company", `{"name":"Acme"}`, nil},
		{"company", `{"legal_name":"甲有限公司"}`, nil},
		{"company", `{"name":null,"legal_name":"Acme Ltd"}`, nil},
		{"company", `{"name":"","legal_name":"Acme Ltd"}`, nil},
		{"company", `{}`, company},
		{"company", `{"name":" "}`, company},
		{"company", `{"name":"　","legal_name":""}`, company},
		{"company", `{"name":null}`, company},
		{"company", `{"country":"DE"}`, company},
		{"person", `{"given_name":"Ada"}`, nil},
		{"person", `{"family_name":"王"}`, nil},
		{"person", `{"emails":[{"value":"not an address"}]}`, nil},
		{"person", `{"phones":[{},{"kind":"work","value":"x"}]}`, nil},
		{"person", `{}`, person},
		{"person", `{"emails":[],"phones":[{"kind":"work"}]}`, person},
		{"person", `{"emails":[{"value":" "}],"title":"Dr"}`, person},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, builtin(t, tt.entity).Validate([]byte(tt.doc))); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.entity, tt.doc, diff)
		}
	}
}

func TestBuiltinFieldRules(t *testing.T) {
	long := strings.Repeat("长", 401)
	entries := "[" + strings.Repeat(`{"value":"1"},`, 100) + `{"value":"1"}]`
	date := "correct the date at the source, or name its format in the mapping"
	tests := []struct {
		entity, field string // JSON behind the name
		want          []record.Reason
	}{
		{"company", `"employees":0`, nil},
		{"company", `"employees":12.5,"revenue":1e6,"website":"x","status":null,"aliases":null,"founded":null`, nil},
		{"company", `"phones":[{"value":"no phone","kind":"x"}],"emails":[{"value":"no address"}],"ids":[{"scheme":"uscc","issuer":"CN","value":"9"}]`, nil},
		{"company", `"addresses":[{"line":"1 High St\nFloor 2","district":"d","city":"c","region":"r","postcode":"p","country":"GB","kind":"billing"}]`, nil},
		{"company", `"employees":-5`, []record.Reason{{Rule: "schema", Field: "employees", Value: "-5", Text: "is -5, must be 0 or more", Remedy: "correct the number at the source, or leave it empty"}}},
		{"company", `"revenue":-0.01`, []record.Reason{{Rule: "schema", Field: "revenue", Value: "-0.01", Text: "is -0.01, must be 0 or more", Remedy: "correct the number at the source, or leave it empty"}}},
		{"company", `"employees":"many"`, []record.Reason{{Rule: "schema", Field: "employees", Value: "many", Text: "is text, must be a number or empty", Remedy: atSource}}},
		{"company", `"industry":7`, []record.Reason{{Rule: "schema", Field: "industry", Value: "7", Text: "is a whole number, must be text or empty", Remedy: atSource}}},
		{"company", `"legal_name":"` + long + `"`, []record.Reason{{Rule: "schema", Field: "legal_name", Value: long[:360], Text: "has 401 characters, at most 400 are allowed", Remedy: "shorten it at the source, or map only the part that is needed"}}},
		{"company", `"website":"` + strings.Repeat("x", 2001) + `"`, []record.Reason{{Rule: "schema", Field: "website", Value: strings.Repeat("x", 120), Text: "has 2001 characters, at most 2000 are allowed", Remedy: "shorten it at the source, or map only the part that is needed"}}},
		{"company", `"phones":` + entries, []record.Reason{{Rule: "schema", Field: "phones", Value: entries[:120], Text: "has 101 entries, at most 100 are allowed", Remedy: "remove those that are no longer needed at the source"}}},
		{"company", `"country":"D\u0007E"`, []record.Reason{{Rule: "schema", Field: "country", Value: "D\aE", Text: "holds the control character U+0007 at position 2", Remedy: "remove it at the source, or clean the field in the mapping"}}},
		{"company", `"status":"a\u0000"`, []record.Reason{{Rule: "schema", Field: "status", Value: "a\x00", Text: "holds the control character U+0000 at position 2", Remedy: "remove it at the source, or clean the field in the mapping"}}},
		{"company", `"addresses":[{},{"line":"a\u007f"}]`, []record.Reason{{Rule: "schema", Field: "/addresses/1/line", Value: "a\x7f", Text: "holds the control character U+007F at position 2", Remedy: "remove it at the source, or clean the field in the mapping"}}},
		{"company", `"phone":"1"`, []record.Reason{{Rule: "schema", Field: "phone", Value: "1", Text: "is not a field that company has", Remedy: `did you mean "phones"? Otherwise leave it out of the mapping, or add it to the schema`}}},
		{"company", `"colour":"red"`, []record.Reason{{Rule: "schema", Field: "colour", Value: "red", Text: "is not a field that company has", Remedy: "leave it out of the mapping, or add it to the schema"}}},
		{"company", `"addresses":[{"post_code":"1"}]`, []record.Reason{{Rule: "schema", Field: "/addresses/0/post_code", Value: "1", Text: "is not a field that company has", Remedy: `did you mean "postcode"? Otherwise leave it out of the mapping, or add it to the schema`}}},
		{"company", `"founded":{"date":"2001-05-01"}`, nil},
		{"company", `"founded":{"date":"1000-01-01"}`, nil},
		{"company", `"founded":{"date":"2001-02-30"}`, []record.Reason{{Rule: "schema", Field: "founded", Value: "2001-02-30", Text: "is not a day of the calendar as YYYY-MM-DD", Remedy: date}}},
		{"company", `"founded":{"date":"1/2/2001"}`, []record.Reason{{Rule: "schema", Field: "founded", Value: "1/2/2001", Text: "is not a day of the calendar as YYYY-MM-DD", Remedy: date}}},
		{"company", `"founded":{"date":"0999-12-31"}`, []record.Reason{{Rule: "schema", Field: "founded", Value: "0999-12-31", Text: "is outside of the years 1000 to 2100", Remedy: "correct the date at the source, or leave it empty"}}},
		{"company", `"founded":{"date":"2101-01-01"}`, []record.Reason{{Rule: "schema", Field: "founded", Value: "2101-01-01", Text: "is outside of the years 1000 to 2100", Remedy: "correct the date at the source, or leave it empty"}}},
		{"company", `"founded":"2001-05-01"`, []record.Reason{{Rule: "schema", Field: "founded", Value: "2001-05-01", Text: "is no calendar date, must be one such as 2001-05-31, or empty", Remedy: "correct the date at the source, leave it empty, or name its format in the mapping"}}},
		{"company", `"founded":"last spring"`, []record.Reason{{Rule: "schema", Field: "founded", Value: "last spring", Text: "is no calendar date, must be one such as 2001-05-31, or empty", Remedy: "correct the date at the source, leave it empty, or name its format in the mapping"}}},
		{"person", `"birth_date":19900231`, []record.Reason{{Rule: "schema", Field: "birth_date", Value: "19900231", Text: "is no calendar date, must be one such as 2001-05-31, or empty", Remedy: "correct the date at the source, leave it empty, or name its format in the mapping"}}},
		{"person", `"birth_date":{"date":"1990-13-01"}`, []record.Reason{{Rule: "schema", Field: "birth_date", Value: "1990-13-01", Text: "is not a day of the calendar as YYYY-MM-DD", Remedy: date}}},
	}
	name := map[string]string{"company": `"name":"Acme"`, "person": `"full_name":"Ada"`}
	for _, tt := range tests {
		doc := "{" + name[tt.entity] + "," + tt.field + "}"
		if diff := cmp.Diff(tt.want, builtin(t, tt.entity).Validate([]byte(doc))); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.entity, cut(doc), diff)
		}
	}
}

func cut(s string) string { return s[:min(len(s), 200)] }

func TestAllReasonsAtOnceSorted(t *testing.T) {
	got := builtin(t, "company").Validate([]byte(`{"website":7,"employees":-1,"phones":[{"value":1,"kin":"x"}],"zz":1,"founded":{"date":"x"}}`))
	var where []string
	for _, r := range got {
		where = append(where, r.Rule+" "+r.Field)
	}
	want := []string{"schema /phones/0/kin", "schema /phones/0/value", "schema employees", "schema founded", "required name", "schema website", "schema zz"}
	if diff := cmp.Diff(want, where); diff != "" {
		t.Errorf("(-want +got):\n%s\n%+v", diff, got)
	}
}

func TestReasonsAreBounded(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(`{"name":"x"`)
	for i := range 500 {
		fmt.Fprintf(&doc, `,"u%03d":1`, i)
	}
	got := builtin(t, "company").Validate([]byte(doc.String() + "}"))
	if len(got) != 101 || got[0].Field != "u000" || got[100].Text != "has 400 more faults" {
		t.Errorf("%d reasons, first %+v, last %+v; want 100 and one that counts the other 400", len(got), got[0], got[len(got)-1])
	}
}

func TestBuiltinKnowsEveryFieldOfTheModel(t *testing.T) {
	for _, entity := range []string{record.Company, record.Person} {
		names := builtin(t, entity).names(nil)
		known := map[string]bool{}
		for _, n := range names {
			known[n] = true
		}
		for _, spec := range record.Specs(entity) {
			if !known[spec.Name] {
				t.Errorf("%s: the schema does not know the field %s", entity, spec.Name)
			}
			fields := record.Fields{"name": record.TextValue("x"), "full_name": record.TextValue("x")}
			delete(fields, map[string]string{record.Company: "full_name", record.Person: "name"}[entity])
			switch spec.Kind {
			case record.List:
				p := record.Point{Value: "v", Kind: "k", Parts: map[string]string{}}
				for _, part := range spec.Parts {
					p.Parts[part] = "p"
				}
				fields[spec.Name] = record.ListValue(p)
			case record.Number:
				fields[spec.Name] = record.NumberValue("1")
			case record.Date:
				fields[spec.Name] = record.DateValue("2001-05-01")
			default:
				fields[spec.Name] = record.TextValue("t")
			}
			if got := builtin(t, entity).Validate(fields.AppendJSON(nil)); got != nil {
				t.Errorf("%s %s: %+v", entity, fields.AppendJSON(nil), got)
			}
		}
		if len(names) != len(record.Specs(entity)) {
			t.Errorf("%s: the schema has %d fields, the model %d", entity, len(names), len(record.Specs(entity)))
		}
	}
	if _, ok := Builtin("product"); ok {
		t.Errorf("Builtin(product): there is one, want none")
	}
}

func TestGuardsBeforeValidation(t *testing.T) {
	digits := strings.Repeat("9", 401)
	tests := []struct {
		name, doc string
		want      record.Reason
	}{
		{"1e10000000", `{"name":"x","revenue":1e10000000}`, record.Reason{Rule: "unreadable", Field: "revenue", Value: "1e10000000", Text: "is a number of more than 400 digits", Remedy: "correct the number at the source, or give it as text"}},
		{"1e-10000000", `{"name":"x","revenue":1e-10000000}`, record.Reason{Rule: "unreadable", Field: "revenue", Value: "1e-10000000", Text: "is a number of more than 400 digits", Remedy: "correct the number at the source, or give it as text"}},
		{"an exponent that overflows", `{"name":"x","revenue":1e99999999999999999999}`, record.Reason{Rule: "unreadable", Field: "revenue", Value: "1e99999999999999999999", Text: "is a number of more than 400 digits", Remedy: "correct the number at the source, or give it as text"}},
		{"401 digits", `{"name":"x","revenue":` + digits + `}`, record.Reason{Rule: "unreadable", Field: "revenue", Value: digits[:120], Text: "is a number of more than 400 digits", Remedy: "correct the number at the source, or give it as text"}},
		{"10,000 deep", strings.Repeat(`{"a":[`, 5_000) + strings.Repeat(`]}`, 5_000), record.Reason{Rule: "unreadable", Field: "/a/0/a", Text: "is nested deeper than 64, at byte 192", Remedy: "correct the record at the source"}},
		{"a key twice", `{"name":"x","name":"y"}`, record.Reason{Rule: "unreadable", Field: "name", Text: "stands twice in one object", Remedy: "give the key once: which value counts is not said"}},
		{"a key twice, once escaped", `{"name":"x","n\u0061me":"y"}`, record.Reason{Rule: "unreadable", Field: "name", Text: "stands twice in one object", Remedy: "give the key once: which value counts is not said"}},
		{"nothing", ``, record.Reason{Rule: "unreadable", Text: "is not JSON: it ends where a value should stand, at byte 0", Remedy: "correct the record at the source"}},
		{"no JSON", `{"name":`, record.Reason{Rule: "unreadable", Field: "name", Text: "is not JSON: it ends where a value should stand, at byte 8", Remedy: "correct the record at the source"}},
		{"text behind", `{"name":"x"}}`, record.Reason{Rule: "unreadable", Text: "is not JSON: text behind the end, at byte 12", Remedy: "correct the record at the source"}},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", record.Reason{Rule: "unreadable", Text: "holds bytes that are not UTF-8", Remedy: "set the encoding of the source, or save its data as UTF-8"}},
		{"a list too long", `{"name":"x","phones":[` + strings.Repeat("1,", 10_001) + `1]}`, record.Reason{Rule: "unreadable", Field: "phones", Text: "has more than 10000 entries, at byte 20023", Remedy: "correct the record at the source"}},
		{"no object", `7`, record.Reason{Rule: "schema", Value: "7", Text: "is a whole number, must be an object", Remedy: atSource}},
	}
	for _, tt := range tests {
		got := builtin(t, "company").Validate([]byte(tt.doc))
		if len(got) == 0 {
			t.Errorf("%s: no reason, want %+v", tt.name, tt.want)
			continue
		}
		if diff := cmp.Diff(tt.want, got[0]); diff != "" {
			t.Errorf("%s, first of %d reasons (-want +got):\n%s", tt.name, len(got), diff)
		}
	}
	if got := builtin(t, "company").Validate([]byte(`{"name":"x","revenue":1e400}`)); got != nil {
		t.Errorf("1e400 is within the limit, got %+v", got)
	}
}

func TestCompileRefuses(t *testing.T) {
	deep := strings.Repeat(`{"not":`, 70) + "{}" + strings.Repeat("}", 70)
	work := `{"allOf":[{"$ref":"#/definitions/a0"}],"definitions":{`
	for i := range 20 {
		work += fmt.Sprintf(`"a%d":{"allOf":[{"$ref":"#/definitions/a%d"},{"$ref":"#/definitions/a%d"}]},`, i, i+1, i+1)
	}
	work += `"a20":{}}}`
	tests := []struct{ name, src, want string }{
		{"reference to itself", `{"$ref":"#"}`, "schema test: (root): refers to itself without going into the value: checking it would never end; refer to it from properties or items only"},
		{"reference to itself through allOf", `{"properties":{"a":{"allOf":[{"$ref":"#/definitions/x"}]}},"definitions":{"x":{"anyOf":[{"type":"string"},{"$ref":"#/properties/a"}]}}}`, "schema test: /definitions/x: refers to itself without"},
		{"reference to http", `{"properties":{"a":{"$ref":"http://example.com/x.json"}}}`, `schema test: /properties/a/$ref: refers to "http://example.com/x.json" outside of this file: nothing is fetched or opened; copy it under definitions and refer to it by "#/definitions/…"`},
		{"reference to a file", `{"$ref":"file:///etc/passwd"}`, `schema test: /$ref: refers to "file:///etc/passwd" outside`},
		{"relative reference", `{"$ref":"other.json#/a"}`, `schema test: /$ref: refers to "other.json#/a" outside`},
		{"reference by name", `{"$ref":"#phone"}`, `schema test: /$ref: refers to "#phone" outside`},
		{"reference to nothing", `{"$ref":"#/definitions/x"}`, `schema test: /$ref: refers to "#/definitions/x", where no schema stands; correct the reference`},
		{"reference into an enum", `{"properties":{"a":{"$ref":"#/enum/0"}},"enum":[{"$ref":"http://example.com"}]}`, `schema test: /properties/a/$ref: refers to "#/enum/0", where no schema stands`},
		{"keyword beside a reference", `{"properties":{"a":{"$ref":"#/definitions/x","maxLength":3}},"definitions":{"x":{}}}`, `schema test: /properties/a/$ref: stands beside "maxLength", which draft 7 then ignores; put both into allOf`},
		{"newer draft", `{"$schema":"https://json-schema.org/draft/2020-12/schema"}`, `schema test: /$schema: is "https://json-schema.org/draft/2020-12/schema", which is not supported; write the schema for draft 4, 6 or 7: "http://json-schema.org/draft-07/schema#"`},
		{"a $schema to fetch", `{"$schema":"http://127.0.0.1:1/draft-07/schema"}`, `schema test: /$schema: is "http://127.0.0.1:1/draft-07/schema", which is not supported`},
		{"newer keyword", `{"unevaluatedProperties":false}`, "schema test: /unevaluatedProperties: belongs to a draft after 7, which is not supported; write it in the words of draft 7"},
		{"keyword newer than $schema", `{"$schema":"http://json-schema.org/draft-04/schema#","const":1}`, "schema test: /const: belongs to draft 6, but $schema says draft 4"},
		{"misspelt keyword", `{"properties":{"a":{"maxLenght":3}}}`, `schema test: /properties/a/maxLenght: is no keyword of JSON Schema; did you mean "maxLength"?`},
		{"a name of its own within", `{"properties":{"a":{"$id":"http://example.com/a"}}}`, "schema test: /properties/a/$id: gives a part of the schema a name of its own"},
		{"wrong type", `{"type":"strin"}`, "schema test: /type: "},
		{"wrong limit", `{"maxLength":"3"}`, "schema test: /maxLength: is text, must be a whole number; "},
		{"no regular expression", `{"properties":{"a":{"pattern":"(?=x)"}}}`, "schema test: /properties/a/pattern: is not a regular expression as of RE2; use no look-ahead, look-behind and back references"},
		{"definitions are no object", `{"definitions":true}`, "schema test: /definitions: is not an object"},
		{"properties are no schema", `{"properties":{"a":7}}`, "schema test: /properties/a: is not a schema; want an object in { }"},
		{"huge number", `{"minimum":1e10000000}`, "schema test: /minimum: is a number of more than 400 digits; "},
		{"too deep", deep, "schema test: /not/not/not: is nested deeper than 64, at byte"},
		{"too much work", work, "schema test: (root): looks at one value more than 100000 times; use fewer alternatives within alternatives"},
		{"too large", `{"title":"` + strings.Repeat("x", 1<<20) + `"}`, "schema test: (root): has 1048588 bytes, at most 1048576 are read; "},
		{"no object", `[]`, "schema test: (root): is not an object; "},
		{"no JSON", `{`, "schema test: (root): is not JSON: want a key in quotes, at byte 1; "},
		{"a key twice", `{"type":"object","type":"array"}`, "schema test: /type: stands twice in one object; "},
	}
	for _, tt := range tests {
		_, err := Compile("test", []byte(tt.src))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: Compile(%s):\n got %v\nwant %s", tt.name, cut(tt.src), err, tt.want)
		}
	}
}

func TestNothingIsFetched(t *testing.T) {
	var mu sync.Mutex
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		_, _ = w.Write([]byte("{}"))
	}))
	defer srv.Close()
	for _, src := range []string{
		`{"$ref":"URL"}`, `{"$schema":"URL"}`, `{"$id":"URL","properties":{"a":{"$ref":"b.json"}}}`, `{"$id":"URL","properties":{"a":{"$ref":"#/definitions/x"}},"definitions":{"x":{}}}`,
		`{"default":{"$ref":"URL","id":"#"},"enum":[{"$ref":"URL"}],"properties":{"a":{"$ref":"#"}}}`, `{"x-y":{"$ref":"URL"},"not":{"$ref":"#/x-y"}}`,
		`{"id":"URL","properties":{"$ref":{"$ref":"URL"}}}`, `{"$schema":"http://json-schema.org/draft-04/schema","id":"URL","properties":{"a":{"$ref":"#"}}}`,
	} {
		if s, err := Compile("test", []byte(strings.ReplaceAll(src, "URL", srv.URL+"/x"))); err == nil {
			s.Validate([]byte(`{"a":{"a":{}}}`))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if calls != 0 {
		t.Errorf("%d requests reached the server, want 0", calls)
	}
}

func TestGoodSchemasCompile(t *testing.T) {
	tests := []struct {
		src, good, bad string
	}{
		{`{"$schema":"http://json-schema.org/draft-04/schema#","id":"x","minimum":3,"exclusiveMinimum":true}`, `4`, `3`},
		{`{"$schema":"http://json-schema.org/draft-06/schema","$id":"http://example.com/x","properties":{"a":{"$ref":"#/definitions/x"}},"definitions":{"x":{"const":1}}}`, `{"a":1.0}`, `{"a":2}`},
		{`{"$schema":"https://json-schema.org/draft-07/schema#","if":{"required":["a"]},"then":{"required":["b"]}}`, `{"c":1}`, `{"a":1}`},
		{`{"properties":{"kids":{"items":{"$ref":"#"}},"n":{"type":"integer"}},"additionalProperties":false}`, `{"kids":[{"n":1,"kids":[{}]}]}`, `{"kids":[{"kids":[{"n":"x"}]}]}`},
		{`{"$defs":{"a b":{"type":"string"}},"$ref":"#/$defs/a%20b"}`, `"x"`, `1`},
		{`{"definitions":{"$id":{"type":"string"},"enum":{"type":"number"}},"properties":{"id":{"$ref":"#/definitions/$id"},"$ref":{"$ref":"#/definitions/enum"}}}`, `{"id":"x","$ref":1}`, `{"$ref":"x"}`},
		{`{"dependencies":{"a":["b"],"c":{"required":["d"]}},"x-note":"kept","example":1}`, `{"a":1,"b":1}`, `{"a":1,"c":1}`},
		{`{"items":[{"type":"string"}],"additionalItems":false,"uniqueItems":true}`, `["a"]`, `["a",1]`},
		{`{"not":{"type":"string"},"multipleOf":0.01}`, `0.07`, `0.001`},
	}
	for _, tt := range tests {
		s := compile(t, tt.src)
		if got := s.Validate([]byte(tt.good)); got != nil {
			t.Errorf("%s: %s: got %+v, want it good", tt.src, tt.good, got)
		}
		got := s.Validate([]byte(tt.bad))
		if len(got) == 0 {
			t.Errorf("%s: %s: taken, want it refused", tt.src, tt.bad)
		}
		for _, r := range got {
			if r.Rule == "" || r.Text == "" || r.Remedy == "" {
				t.Errorf("%s: %s: reason without rule, text or remedy: %+v", tt.src, tt.bad, r)
			}
		}
	}
}

func TestSchemaThatDoublesByDepthRefusesDeepDocuments(t *testing.T) {
	s := compile(t, `{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`)
	if got := s.Validate([]byte(`[[[]]]`)); got != nil {
		t.Errorf("3 deep: %+v, want it good", got)
	}
	got := s.Validate([]byte(strings.Repeat("[", 64) + strings.Repeat("]", 64)))
	if len(got) != 1 || !strings.HasPrefix(got[0].Text, "is nested 64 deep, this schema can check ") {
		t.Errorf("64 deep: %+v, want one reason: it would take 2^64 steps", got)
	}
}

func TestValidateIsSafeForConcurrentUse(t *testing.T) {
	s := builtin(t, "company")
	doc := []byte(`{"website":7,"employees":-1,"founded":{"date":"x"},"country":"\u0001"}`)
	want := s.Validate(doc)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := s.Validate(doc); !cmp.Equal(want, got) {
					t.Errorf("got %+v, want %+v", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestDecodeReadsLikeEncodingJSON(t *testing.T) {
	for _, doc := range []string{`{"a":[1,-2.50e+3,true,false,null,"\u00e9\n\ud83d\ude00",{}],"京":""}`, ` [ ] `, `"\ud800"`, `-0`} {
		d := json.NewDecoder(strings.NewReader(doc))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json on %s: %v", doc, err)
		}
		got, _, reasons := decode([]byte(doc))
		if diff := cmp.Diff(want, got); diff != "" || reasons != nil {
			t.Errorf("decode(%s): reasons %+v (-encoding/json +ours):\n%s", doc, reasons, diff)
		}
	}
}

const benchCompany = `{"addresses":[{"city":"天津市","country":"CN","line":"和平区光明南路八八五号","postcode":"300005","region":"天津"}],"country":"CN","emails":[{"kind":"work","value":"info@example.com"}],"employees":120,"founded":{"date":"2001-05-01"},"ids":[{"issuer":"CN","scheme":"uscc","value":"91120101MA05XXXX1X"}],"industry":"企业管理咨询","legal_name":"天津慧春企业管理咨询有限公司","name":"天津慧春企业管理咨询有限公司","phones":[{"kind":"work","value":"+86 2235614496"},{"kind":"mobile","value":"+86 13800000000"}],"revenue":1200000.50,"status":"active","website":"https://example.com/"}`

func BenchmarkValidate(b *testing.B) {
	for _, bb := range []struct{ name, doc string }{
		{"good", benchCompany},
		{"three faults", strings.Replace(strings.Replace(strings.Replace(benchCompany, "120,", "-120,", 1), "2001-05-01", "2001-02-30", 1), `"status"`, `"state"`, 1)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := builtin(b, "company")
			b.ReportAllocs()
			for b.Loop() {
				s.Validate([]byte(bb.doc))
			}
		})
	}
	b.Run("decode only", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decode([]byte(benchCompany))
		}
	})
}
