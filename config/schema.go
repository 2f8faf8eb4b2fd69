package config

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Schema gives a JSON Schema (draft 7) of the file, for editors. It comes from
// the same tags as the walker's checks. A source takes keys beyond it: those of
// its connector.
func Schema() []byte {
	defs := map[string]any{
		"reference": map[string]any{
			"type": "string", "pattern": `^\$\{(env|file):[^{}]+\}$`,
			"description": "${env:NAME}: an environment variable. ${file:PATH}: the content of a file.",
		},
		"expression": map[string]any{"type": []string{"string", "number", "boolean"}, "description": "An expression."},
		"mapping": map[string]any{
			"description": "An expression, a mapping of parts, or a list of them.",
			"anyOf": []any{
				map[string]any{"$ref": "#/definitions/expression"},
				map[string]any{"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"$ref": "#/definitions/expression"}},
				map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"anyOf": []any{
					map[string]any{"$ref": "#/definitions/expression"},
					map[string]any{"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"$ref": "#/definitions/expression"}},
				}}},
			},
		},
	}
	top := structSchema(reflect.TypeFor[Config](), defs)
	top["$schema"] = "http://json-schema.org/draft-07/schema#"
	top["title"] = "Touchstone configuration"
	top["definitions"] = defs
	b, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		panic("config: schema: " + err.Error()) // maps and texts only
	}
	return append(b, '\n')
}

func structSchema(t reflect.Type, defs map[string]any) map[string]any {
	s := shapeOf(t)
	properties, required := map[string]any{}, []string{}
	for _, f := range s.fields {
		p := typeSchema(f.typ, f, defs)
		if f.doc != "" {
			p = map[string]any{"allOf": []any{p}, "description": f.doc}
			if f.hasDef {
				p["default"] = f.def
			}
		}
		properties[f.key] = p
		if f.required && f.unless == "" {
			required = append(required, f.key)
		}
	}
	kind := any("object")
	if len(required) == 0 {
		kind = []string{"object", "null"}
	}
	out := map[string]any{"type": kind, "properties": properties, "additionalProperties": s.rest != nil}
	if len(required) > 0 {
		out["required"] = required
	}
	for _, f := range s.fields {
		if f.required && f.unless != "" {
			out["anyOf"] = []any{map[string]any{"required": []string{f.key}}, map[string]any{"required": []string{f.unless}}}
		}
	}
	if t == reflect.TypeFor[Source]() { // a preset may give what is required
		needs := map[string]any{"required": required}
		if either, ok := out["anyOf"]; ok {
			needs["anyOf"] = either
		}
		delete(out, "required")
		out["anyOf"] = []any{needs, map[string]any{"required": []string{"preset"}}}
	}
	return out
}

func typeSchema(t reflect.Type, f field, defs map[string]any) map[string]any {
	ref := func(name string) map[string]any { return map[string]any{"$ref": "#/definitions/" + name} }
	orReference := func(m map[string]any) map[string]any { return map[string]any{"anyOf": []any{m, ref("reference")}} }
	switch t {
	case reflect.TypeFor[Secret]():
		return map[string]any{"type": []string{"string", "number"}}
	case reflect.TypeFor[Expr]():
		return ref("expression")
	case reflect.TypeFor[MapValue]():
		return ref("mapping")
	case reflect.TypeFor[TableValues]():
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "string"},
			map[string]any{"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"type": []string{"string", "number", "boolean"}}},
		}}
	case reflect.TypeFor[Duration](), reflect.TypeFor[time.Duration]():
		return orReference(map[string]any{"type": []string{"string", "integer"}, "pattern": `^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+)$`})
	case reflect.TypeFor[Percent]():
		return orReference(map[string]any{"anyOf": []any{
			map[string]any{"type": "number", "minimum": 0, "maximum": 1},
			map[string]any{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)? ?%$`},
		}})
	}
	switch t.Kind() {
	case reflect.Bool:
		return orReference(map[string]any{"type": "boolean"})
	case reflect.Slice:
		return listSchema(t, f, defs)
	case reflect.Struct:
		s := shapeOf(t)
		if s.value != nil {
			return typeSchema(s.value.typ, *s.value, defs)
		}
		name := strings.ToLower(t.Name())
		if _, ok := defs[name]; !ok {
			defs[name] = nil // a type may hold itself
			defs[name] = structSchema(t, defs)
		}
		return ref(name)
	}
	if len(f.oneof) > 0 {
		return orReference(map[string]any{"enum": f.oneof})
	}
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

func listSchema(t reflect.Type, f field, defs map[string]any) map[string]any {
	e := t.Elem()
	atLeast := f.required || f.min != ""
	if e.Kind() == reflect.Struct && !isSpecial(e) && shapeOf(e).name != nil {
		out := map[string]any{"type": "object", "additionalProperties": typeSchema(e, field{}, defs)}
		if atLeast {
			out["minProperties"] = 1
		} else {
			out["type"] = []string{"object", "null"}
		}
		return out
	}
	out := map[string]any{"type": "array", "items": typeSchema(e, field{oneof: f.oneof}, defs)}
	if atLeast {
		out["minItems"] = 1
	} else {
		out["type"] = []string{"array", "null"}
	}
	if f.orOne {
		return map[string]any{"anyOf": []any{typeSchema(e, field{}, defs), out}}
	}
	return out
}
