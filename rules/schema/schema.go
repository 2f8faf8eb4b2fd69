// Package schema validates records by JSON Schema, drafts 4, 6 and 7, and says
// in plain words what is wrong and how to mend it. It reads no file and no
// network, and stands any schema and any document.
package schema

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/xeipuuv/gojsonschema"

	"touchstone/internal/record"
)

const (
	maxSchema  = 1 << 20
	maxReasons = 100
	maxValue   = 120

	ruleSchema     = "schema"
	ruleRequired   = "required"
	ruleUnreadable = "unreadable"
)

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	name   string
	depth  int            // of documents
	doc    map[string]any // clean copy, to find the names that fit
	anyOf  []string       // fields of which the root wants one, if that is all its anyOf says
	schema *gojsonschema.Schema
}

// Compile reads a schema of draft 4, 6 or 7; without $schema it is draft 7. It
// refuses newer drafts, references that leave the document, references that go
// in a circle without going into the value, misspelt keywords, and schemas
// above 1 MiB or 64 levels. An error names the schema, the JSON pointer, what
// is wrong and how to mend it. Annotations and unknown keywords are ignored.
func Compile(name string, src []byte) (_ *Schema, err error) {
	defer func() {
		if p := recover(); p != nil { // a second line: the guards should leave nothing to panic at
			err = fault(name, "", "cannot be compiled", "check it against the metaschema of its draft")
		}
	}()
	if len(src) > maxSchema {
		return nil, fault(name, "", fmt.Sprintf("has %d bytes, at most %d are read", len(src), maxSchema), "split it by entity type")
	}
	value, _, reasons := decode(src)
	if len(reasons) > 0 {
		return nil, asError(name, reasons)
	}
	doc, ok := value.(map[string]any)
	if !ok {
		return nil, fault(name, "", "is not an object", `want a schema such as {"type": "object", "properties": { … }}`)
	}
	draft, err := draftOf(name, doc)
	if err != nil {
		return nil, err
	}
	g := &guard{name: name, draft: draft, keywords: keywords(), nodes: map[string]*node{}}
	clean, depth, err := g.clean(doc)
	if err != nil {
		return nil, err
	}
	s := &Schema{name: name, depth: depth, doc: clean, anyOf: oneOfFields(clean)}
	if err := s.checkForm(draft); err != nil {
		return nil, err
	}
	// gojsonschema writes into the document that it compiles.
	loader := newLoader(draft)
	if s.schema, err = loader.Compile(gojsonschema.NewRawLoader(deepCopy(clean))); err != nil {
		return nil, fault(name, "", "cannot be compiled: "+strings.TrimSpace(err.Error()), "")
	}
	return s, nil
}

// draftOf reads $schema. The address is compared, never fetched.
func draftOf(name string, doc map[string]any) (int, error) {
	v, ok := doc["$schema"]
	if !ok {
		return 7, nil
	}
	s, _ := v.(string)
	uri := strings.TrimSuffix(s, "#")
	uri = strings.TrimPrefix(strings.TrimPrefix(uri, "http://"), "https://")
	switch uri {
	case "json-schema.org/draft-04/schema":
		return 4, nil
	case "json-schema.org/draft-06/schema":
		return 6, nil
	case "json-schema.org/draft-07/schema":
		return 7, nil
	}
	return 0, fault(name, "/$schema", fmt.Sprintf("is %q, which is not supported", shorten(s)), `write the schema for draft 4, 6 or 7: "http://json-schema.org/draft-07/schema#"`)
}

// newLoader leaves out detection of the draft and validation of the schema,
// which would fetch what $schema names.
func newLoader(draft int) *gojsonschema.SchemaLoader {
	l := gojsonschema.NewSchemaLoader()
	l.AutoDetect, l.Validate, l.Draft = false, false, gojsonschema.Draft(draft)
	return l
}

// checkForm validates the schema by its draft's metaschema, which is built into
// gojsonschema.
func (s *Schema) checkForm(draft int) error {
	address := fmt.Sprintf("http://json-schema.org/draft-%02d/schema", draft)
	meta, err := newLoader(draft).Compile(gojsonschema.NewReferenceLoader(address))
	if err != nil {
		return fmt.Errorf("compile metaschema: %w", err)
	}
	result, err := meta.Validate(gojsonschema.NewRawLoader(s.doc))
	if err != nil {
		return fmt.Errorf("validate schema %s: %w", s.name, err)
	}
	if reasons := (&Schema{}).explain(result.Errors()); len(reasons) > 0 {
		return asError(s.name, reasons)
	}
	return nil
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = deepCopy(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = deepCopy(e)
		}
		return l
	}
	return v
}

// Validate gives every reason to refuse the document, at most 100, sorted by
// field and rule; none if it is good. doc is a JSON text. Values in reasons
// are customers' data: show them, do not log them.
func (s *Schema) Validate(doc []byte) (reasons []record.Reason) {
	defer func() {
		if p := recover(); p != nil { // a second line, as in Compile
			reasons = []record.Reason{{Rule: ruleUnreadable, Text: "cannot be checked", Remedy: "correct the record at the source"}}
		}
	}()
	value, depth, reasons := decode(doc)
	if len(reasons) > 0 {
		return first(reasons)
	}
	if depth > s.depth {
		return []record.Reason{{
			Rule: ruleUnreadable, Text: fmt.Sprintf("is nested %d deep, this schema can check %d", depth, s.depth),
			Remedy: "map the part that is needed, or simplify the schema",
		}}
	}
	result, err := s.schema.Validate(gojsonschema.NewRawLoader(value))
	if err != nil {
		return []record.Reason{{Rule: ruleUnreadable, Text: "cannot be checked", Remedy: "correct the record at the source"}}
	}
	if result.Valid() {
		return nil
	}
	return first(s.explain(result.Errors()))
}

// first bounds the list and says so.
func first(reasons []record.Reason) []record.Reason {
	slices.SortStableFunc(reasons, compareReasons)
	if n := len(reasons) - maxReasons; n > 0 {
		reasons = append(reasons[:maxReasons:maxReasons], record.Reason{
			Rule: ruleSchema, Text: fmt.Sprintf("has %d more faults", n), Remedy: "correct those named first",
		})
	}
	return reasons
}

//go:embed builtin/*.json
var builtinFiles embed.FS

// Event is the name of the built-in schema of events.
const Event = "event"

// builtins are compiled once; a fault in them is a fault in our own tables.
var builtins = sync.OnceValue(func() map[string]*Schema {
	all := map[string]*Schema{}
	for _, entity := range []string{record.Company, record.Person, Event} {
		src, err := builtinFiles.ReadFile("builtin/" + entity + ".json")
		s, compileErr := Compile(entity, src)
		if err := errors.Join(err, compileErr); err != nil {
			panic(err)
		}
		all[entity] = s
	}
	return all
})

// Builtin gives the schema of a built-in entity type.
func Builtin(entity string) (*Schema, bool) {
	s, ok := builtins()[entity]
	return s, ok
}

// BuiltinSource gives the text of a built-in schema, nil where there is none:
// a change of it means that records have to be validated again.
func BuiltinSource(entity string) []byte {
	src, err := builtinFiles.ReadFile("builtin/" + entity + ".json")
	if err != nil {
		return nil
	}
	return src
}
