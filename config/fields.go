package config

import (
	"reflect"
	"strings"
)

// The tags of a checked struct:
//
//	yaml:"every"    the key; "-" for a field that is not in the file
//	yaml:",key"     the name under which the struct stands in a mapping
//	yaml:",value"   the struct is its name and this value
//	yaml:",rest"    a Block with the keys that no other field takes
//	yaml:",inline"  an embedded struct whose keys stand among these
//	default:"5m"    what an absent key means, written as in the file
//	required:"true" the key must be there
//	unless:"b"      a required key that need not be there beside this one
//	oneof:"a b"     the values a text may have, or each entry of a list
//	min:"1" max:"9" bounds of a number, duration, size or percent; of a text or list, its length
//	format:"url"    url, path or name
//	orone:"true"    a list that may be written as its one entry
//	doc:"…"         one sentence for the reference and the schema
//	example:"…"     a value for the reference
//
// A field of type Node is given the place of the struct and needs no tag.
type field struct {
	index    []int
	typ      reflect.Type
	key      string
	doc      string
	def      string
	hasDef   bool
	required bool
	oneof    []string
	min, max string
	format   string
	example  string
	orOne    bool
	unless   string
}

// shape is what the walker knows of a struct type.
type shape struct {
	fields []field // in the order of the struct
	places [][]int // fields of type Node
	name   []int   // ",key"
	value  *field  // ",value"
	rest   []int   // ",rest"
}

func shapeOf(t reflect.Type) shape {
	var s shape
	s.add(t, nil)
	return s
}

func (s *shape) add(t reflect.Type, above []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int(nil), above...), i)
		key, option, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		switch {
		case sf.Anonymous && option == "inline" && sf.Type.Kind() == reflect.Struct:
			s.add(sf.Type, index)
			continue
		case !sf.IsExported():
			continue
		case sf.Type == reflect.TypeFor[Node]():
			s.places = append(s.places, index)
			continue
		case key == "-":
			continue
		}
		f := fieldOf(sf, index)
		switch option {
		case "key":
			s.name = index
		case "value":
			s.value = &f
		case "rest":
			s.rest = index
		default:
			f.key = key
			if key == "" {
				f.key = strings.ToLower(sf.Name)
			}
			s.fields = append(s.fields, f)
		}
	}
}

func fieldOf(sf reflect.StructField, index []int) field {
	f := field{
		index: index, typ: sf.Type,
		unless: sf.Tag.Get("unless"),
		doc:    sf.Tag.Get("doc"), required: sf.Tag.Get("required") == "true",
		oneof: strings.Fields(sf.Tag.Get("oneof")),
		min:   sf.Tag.Get("min"), max: sf.Tag.Get("max"),
		format: sf.Tag.Get("format"), example: sf.Tag.Get("example"), orOne: sf.Tag.Get("orone") == "true",
	}
	f.def, f.hasDef = sf.Tag.Lookup("default")
	return f
}

func (s shape) keys() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.key
	}
	return names
}

func (s shape) field(key string) (field, bool) {
	for _, f := range s.fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// holdsSecret says whether one of the struct's own keys is a Secret.
func (s shape) holdsSecret() bool {
	for _, f := range s.fields {
		t := f.typ
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Map || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t == reflect.TypeFor[Secret]() {
			return true
		}
	}
	return false
}
