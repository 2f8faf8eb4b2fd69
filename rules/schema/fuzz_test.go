package schema

import (
	"strings"
	"testing"

	"touchstone/internal/record"
)

// recovered says whether the reasons come from the second line of defence, a
// recovered panic: then a guard is missing.
func recovered(reasons []record.Reason) bool {
	return len(reasons) == 1 && reasons[0].Text == "cannot be checked"
}

func FuzzValidate(f *testing.F) {
	for _, s := range []string{
		benchCompany, `{}`, `{"name":1e10000000}`, `[[[]]]`, `{"founded":{"date":"2001-02-30"}}`, `{"name":"\ud800"}`, `{"ids":[{"scheme":null}]}`,
		`{"kids":[{"kids":[]}]}`, `{"name":-0,"name":1}`, "\x00", `{"emails":[{"value":"x"}],"phones":7}`,
	} {
		f.Add([]byte(s))
	}
	tree, err := Compile("tree", []byte(`{"properties":{"kids":{"items":{"$ref":"#"},"uniqueItems":true},"name":{"enum":["a",1,null]}},"patternProperties":{"^x":{"$ref":"#"}},"dependencies":{"name":{"maxProperties":3}},"propertyNames":{"maxLength":5}}`))
	if err != nil {
		f.Fatal(err)
	}
	company, person := builtin(f, "company"), builtin(f, "person")
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, s := range []*Schema{company, person, tree} {
			got := s.Validate(doc)
			if recovered(got) {
				t.Fatalf("schema %s: %q panics within gojsonschema", s.name, doc)
			}
			for _, r := range got {
				if r.Rule == "" || r.Text == "" || r.Remedy == "" || len([]rune(r.Value)) > 120 {
					t.Fatalf("schema %s: %q: bad reason %+v", s.name, doc, r)
				}
			}
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`{"$ref":"#"}`, `{"$ref":"http://example.com/x"}`, `{"definitions":{"a":{"$ref":"#/definitions/a"}}}`, `{"type":["string","null"],"enum":[1,"a"],"const":{}}`,
		`{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true,"dependencies":{"a":["b"]}}`, `{"dependencies":{"a":true}}`,
		`{"properties":{"a":{"pattern":"^[a-z]+$","format":"date"}},"required":["a"],"additionalProperties":{"not":{}}}`, `{"items":[true,{}],"additionalItems":{"multipleOf":0.1}}`,
		`{"if":{},"then":false,"else":{"contains":true}}`, `{"oneOf":[{"minItems":1},{"maxProperties":2}],"uniqueItems":true,"propertyNames":{"maxLength":3}}`,
	} {
		f.Add([]byte(s), []byte(`{"a":[1,"b",{"c":null}],"d":1.50}`))
	}
	f.Fuzz(func(t *testing.T, src, doc []byte) {
		s, err := Compile("fuzz", src)
		if err != nil {
			if strings.Contains(err.Error(), "cannot be compiled; check it") {
				t.Fatalf("compiling %q panics within gojsonschema", src)
			}
			return
		}
		if recovered(s.Validate(doc)) {
			t.Fatalf("schema %q with %q panics within gojsonschema", src, doc)
		}
	})
}
