package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"touchstone/internal/record"
)

// explain turns the findings of gojsonschema into reasons: sorted, each once.
func (s *Schema) explain(found []gojsonschema.ResultError) []record.Reason {
	var reasons []record.Reason
	needsOne := slices.ContainsFunc(found, func(e gojsonschema.ResultError) bool { return s.isNeed(e) })
	if needsOne {
		reasons = append(reasons, record.Reason{
			Rule: ruleRequired, Field: s.anyOf[0],
			Text: "is missing, and so " + areMissing(s.anyOf[1:]), Remedy: "fill or map " + orList(s.anyOf),
		})
	}
	for _, e := range found {
		if needsOne && (s.isNeed(e) || s.isNeedDetail(e)) {
			continue
		}
		if wrapper := e.Type(); len(found) > 1 && (wrapper == "number_all_of" || wrapper == "condition_then" || wrapper == "condition_else") {
			continue // what is wrong stands beside it
		}
		reasons = append(reasons, s.reason(e))
	}
	slices.SortStableFunc(reasons, compareReasons)
	return slices.CompactFunc(reasons, func(a, b record.Reason) bool { return a.Field == b.Field && a.Text == b.Text })
}

func compareReasons(a, b record.Reason) int {
	return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Text, b.Text))
}

// oneOfFields recognises a root anyOf that says which fields must not all be
// missing: its branches hold nothing but required and properties.
func oneOfFields(doc map[string]any) []string {
	branches, _ := doc["anyOf"].([]any)
	var fields []string
	for _, b := range branches {
		m, _ := b.(map[string]any)
		required, _ := m["required"].([]any)
		for key := range m {
			if key != "required" && key != "properties" {
				return nil
			}
		}
		if len(required) != 1 {
			return nil
		}
		name, ok := required[0].(string)
		if !ok {
			return nil
		}
		fields = append(fields, name)
	}
	if len(fields) < 2 {
		return nil
	}
	return fields
}

// isNeed says whether the finding is that none of the anyOf fields is there.
func (s *Schema) isNeed(e gojsonschema.ResultError) bool {
	return len(s.anyOf) > 0 && e.Type() == "number_any_of" && len(path(e)) == 0
}

// isNeedDetail says whether the finding only tells why one of the anyOf fields
// does not count as there.
func (s *Schema) isNeedDetail(e gojsonschema.ResultError) bool {
	at := path(e)
	if e.Type() == "required" && len(at) == 0 {
		return slices.Contains(s.anyOf, fmt.Sprint(e.Details()["property"]))
	}
	if len(at) == 0 || !slices.Contains(s.anyOf, at[0]) {
		return false
	}
	switch e.Type() {
	case "required", "array_min_items", "contains":
		return true
	case "pattern":
		return patternIn(e) == patternFilled
	case "invalid_type":
		return e.Details()["given"] == gojsonschema.TYPE_NULL
	}
	return false
}

// path is where in the document a finding is.
func path(e gojsonschema.ResultError) []string {
	return strings.Split(e.Context().String(separator), separator)[1:]
}

// reason says one finding in plain words.
func (s *Schema) reason(e gojsonschema.ResultError) record.Reason {
	at := path(e)
	r := record.Reason{Rule: ruleSchema, Value: valueText(e.Value()), Remedy: atSource}
	name, _ := e.Details()["property"].(string)
	switch e.Type() {
	case "required":
		r.Rule, r.Field, r.Value = ruleRequired, fieldName(append(at, name)), ""
		r.Text, r.Remedy = "is missing", "fill it at the source, or map it from another field"
		return r
	case "additional_property_not_allowed":
		r.Field, r.Text = fieldName(append(at, name)), "is not a field that "+cmp.Or(s.name, "the schema")+" has"
		r.Remedy = "leave it out of the mapping, or add it to the schema"
		if near := nearest(name, s.names(at)); near != "" {
			r.Remedy = fmt.Sprintf("did you mean %q? Otherwise %s", near, r.Remedy)
		}
		return r
	}
	r.Field = fieldName(at)
	r.Text, r.Remedy = words(e, r.Value)
	if e.Type() == "invalid_type" && slices.Equal(s.names(at), []string{"date"}) {
		// What the mapping could not read as a date stays as it was.
		r.Text = "is no calendar date, must be one such as 2001-05-31, or empty"
		r.Remedy = "correct the date at the source, leave it empty, or name its format in the mapping"
	}
	return r
}

// fieldName is the field's name at the top of the record, a JSON pointer below
// it, and "" for the record itself. The date within a date value is the field.
func fieldName(steps []string) string {
	if len(steps) == 2 && steps[1] == "date" {
		steps = steps[:1]
	}
	if len(steps) == 1 && !strings.ContainsAny(steps[0], "/~") {
		return steps[0]
	}
	var b strings.Builder
	for _, s := range steps {
		b.WriteString("/" + escapePointer(s))
	}
	return b.String()
}

// pointerOf is the JSON pointer of a field name.
func pointerOf(field string) string {
	if field == "" || strings.HasPrefix(field, "/") {
		return field
	}
	return "/" + field
}

// escapePointer is RFC 6901, section 3.
func escapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

func unescapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// Steps are the names and numbers on the way to a field as reasons name it:
// "status", "/phones/0/value".
func Steps(field string) []string {
	steps := strings.Split(pointerOf(field), "/")[1:]
	for i, s := range steps {
		steps[i] = unescapePointer(s)
	}
	return steps
}

// names lists the properties that the schema knows at a place of the document.
func (s *Schema) names(at []string) []string {
	properties, _ := s.place(at)["properties"].(map[string]any)
	return slices.Sorted(maps.Keys(properties))
}

// place is what the schema says of a place of the document, as far as it can be
// found by properties, items and references.
func (s *Schema) place(at []string) map[string]any {
	node := s.follow(s.doc)
	for _, step := range at {
		properties, _ := node["properties"].(map[string]any)
		next, ok := properties[step].(map[string]any)
		if !ok {
			next, _ = node["items"].(map[string]any)
		}
		node = s.follow(next)
	}
	return node
}

// follow goes along references, which cannot be circular.
func (s *Schema) follow(node map[string]any) map[string]any {
	for {
		ref, ok := node["$ref"].(string)
		if !ok {
			return node
		}
		node = s.doc
		for _, step := range strings.Split(ref, "/")[1:] {
			node, _ = node[unescapePointer(step)].(map[string]any)
		}
	}
}
