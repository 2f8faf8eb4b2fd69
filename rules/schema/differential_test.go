package schema

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// TestAgreesWithAnotherValidator compares our verdicts with those of a second
// implementation on schemas and documents drawn at random.
func TestAgreesWithAnotherValidator(t *testing.T) {
	good, bad := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		src, err := json.Marshal(drawSchema(t, 3))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := Compile("drawn", src)
		if err != nil {
			t.Fatalf("Compile(%s): %v", src, err)
		}
		theirs := other(t, src)
		for range 5 {
			doc, err := json.Marshal(drawValue(t, 3))
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
			if err != nil {
				t.Fatal(err)
			}
			want := theirs.Validate(value)
			if got := ours.Validate(doc); (got == nil) != (want == nil) {
				t.Fatalf("schema %s\ndocument %s\n ours %+v\ntheirs %v", src, doc, got, want)
			}
			if want == nil {
				good++
			} else {
				bad++
			}
		}
	})
	if good == 0 || bad == 0 {
		t.Errorf("%d good and %d bad documents were drawn: nothing is compared", good, bad)
	}
}

func other(t *rapid.T, src []byte) *jsonschema.Schema {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("mem:///drawn.json", value); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///drawn.json")
	if err != nil {
		t.Fatalf("their compiler on %s: %v", src, err)
	}
	return s
}

// drawSchema draws an object schema with definitions that its parts refer to.
func drawSchema(t *rapid.T, depth int) map[string]any {
	s := drawPart(t, depth).(map[string]any)
	if _, ok := s["$ref"]; ok {
		s = map[string]any{}
	}
	s["definitions"] = map[string]any{"a": drawLeaf(t), "b": drawLeaf(t)}
	return s
}

func drawPart(t *rapid.T, depth int) any {
	if depth == 0 {
		return drawLeaf(t)
	}
	list := func(n int) []any {
		l := make([]any, n)
		for i := range l {
			l[i] = drawPart(t, depth-1)
		}
		return l
	}
	s := drawLeaf(t)
	for range rapid.IntRange(0, 2).Draw(t, "keywords") {
		switch rapid.IntRange(0, 9).Draw(t, "keyword") {
		case 0:
			s["properties"] = map[string]any{"a": drawPart(t, depth-1), "b": drawPart(t, depth-1)}
		case 1:
			s["items"] = drawPart(t, depth-1)
		case 2:
			s["items"], s["additionalItems"] = list(2), drawPart(t, depth-1)
		case 3:
			s[rapid.SampledFrom([]string{"allOf", "anyOf", "oneOf"}).Draw(t, "of")] = list(2)
		case 4:
			s["not"] = drawPart(t, depth-1)
		case 5:
			s["if"], s["then"], s["else"] = drawPart(t, depth-1), drawPart(t, depth-1), drawPart(t, depth-1)
		case 6:
			s["additionalProperties"] = drawPart(t, depth-1)
		case 7:
			s["patternProperties"] = map[string]any{"^[ab]$": drawPart(t, depth-1)}
		case 8:
			s["contains"] = drawPart(t, depth-1)
		case 9:
			return map[string]any{"$ref": rapid.SampledFrom([]string{"#/definitions/a", "#/definitions/b"}).Draw(t, "ref")}
		}
	}
	return s
}

func drawLeaf(t *rapid.T) map[string]any {
	s := map[string]any{}
	n := rapid.IntRange(0, 3)
	switch rapid.IntRange(0, 12).Draw(t, "leaf") {
	case 0:
		s["type"] = rapid.SampledFrom([]any{"string", "number", "integer", "object", "array", "null", "boolean", []any{"string", "null"}}).Draw(t, "type")
	case 1:
		s["minimum"] = n.Draw(t, "n")
	case 2:
		s["exclusiveMaximum"] = n.Draw(t, "n")
	case 3:
		s["maxLength"] = n.Draw(t, "n")
	case 4:
		s["pattern"] = rapid.SampledFrom([]string{"^a", "b$", `[^\s\p{Z}]`}).Draw(t, "pattern")
	case 5:
		s["required"] = []any{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")}
	case 6:
		s["enum"] = []any{"a", 1, nil, []any{1}}
	case 7:
		s["const"] = rapid.SampledFrom([]any{"a", 2, map[string]any{}, []any{}}).Draw(t, "const")
	case 8:
		s["minItems"] = n.Draw(t, "n")
	case 9:
		s["uniqueItems"] = true
	case 10:
		s["maxProperties"] = n.Draw(t, "n")
	case 11:
		s["multipleOf"] = rapid.SampledFrom([]any{0.5, 2}).Draw(t, "of")
	}
	return s
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 7
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.SampledFrom([]float64{0, 1, 2, 3, 1.5, -1}).Draw(t, "number")
	case 3, 4:
		return rapid.SampledFrom([]string{"", "a", "ab", " ", "　", "abcd", "京"}).Draw(t, "text")
	case 5:
		l := make([]any, rapid.IntRange(0, 3).Draw(t, "entries"))
		for i := range l {
			l[i] = drawValue(t, depth-1)
		}
		return l
	}
	m := map[string]any{}
	for _, key := range []string{"a", "b", "c"} {
		if rapid.Bool().Draw(t, "has "+key) {
			m[key] = drawValue(t, depth-1)
		}
	}
	return m
}
