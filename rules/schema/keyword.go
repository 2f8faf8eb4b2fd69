package schema

// holds says what a keyword's value is made of.
type holds uint8

const (
	plain      holds = iota + 1 // no schema
	annotation                  // nothing that is checked
	one                         // a schema for a part of the value
	same                        // a schema for the value itself
	sameList                    // a list of those
	items                       // a schema or a list of schemas
	parts                       // a map of schemas for parts, each for another part
	patterns                    // a map of schemas for parts, several for one part
	library                     // a map of schemas that are only referred to
	dependent                   // a map of lists of names, or of schemas for the value itself
)

// keyword is one word of the language: what it holds and the draft it came with.
type keyword struct {
	holds holds
	since int
}

// keywords are those of JSON Schema drafts 4 to 7 (validation and core
// specifications), with $defs, the later name of definitions, and OpenAPI's
// example.
func keywords() map[string]keyword {
	return map[string]keyword{
		"type": {plain, 4}, "enum": {plain, 4}, "multipleOf": {plain, 4}, "maximum": {plain, 4}, "exclusiveMaximum": {plain, 4},
		"minimum": {plain, 4}, "exclusiveMinimum": {plain, 4}, "maxLength": {plain, 4}, "minLength": {plain, 4}, "pattern": {plain, 4},
		"maxItems": {plain, 4}, "minItems": {plain, 4}, "uniqueItems": {plain, 4}, "maxProperties": {plain, 4}, "minProperties": {plain, 4},
		"required": {plain, 4}, "format": {plain, 4}, "const": {plain, 6},
		"$schema": {annotation, 4}, "$id": {annotation, 4}, "id": {annotation, 4}, "title": {annotation, 4}, "description": {annotation, 4},
		"default": {annotation, 4}, "examples": {annotation, 4}, "example": {annotation, 4}, "$comment": {annotation, 4}, "readOnly": {annotation, 4},
		"writeOnly": {annotation, 4}, "contentMediaType": {annotation, 4}, "contentEncoding": {annotation, 4},
		"additionalItems": {one, 4}, "additionalProperties": {one, 4}, "contains": {one, 6}, "propertyNames": {one, 6}, "items": {items, 4},
		"properties": {parts, 4}, "patternProperties": {patterns, 4}, "definitions": {library, 4}, "$defs": {library, 4}, "dependencies": {dependent, 4},
		"not": {same, 4}, "if": {same, 7}, "then": {same, 7}, "else": {same, 7}, "allOf": {sameList, 4}, "anyOf": {sameList, 4}, "oneOf": {sameList, 4},
	}
}

// newer are keywords of drafts that we do not speak: to ignore them would be
// to check less than the author thinks.
func newer() []string {
	return []string{
		"$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef", "$vocabulary", "dependentRequired",
		"dependentSchemas", "maxContains", "minContains", "prefixItems", "unevaluatedItems", "unevaluatedProperties",
	}
}
