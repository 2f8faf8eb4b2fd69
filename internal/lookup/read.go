package lookup

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"touchstone/internal/record"
)

// Entities are the built-in kinds of customers that can be looked up.
func Entities() []string { return []string{record.Company, record.Person} }

// Own are the fields of the entity types of one's own, by entity type.
type Own map[string][]string

// Entities are those that can be looked up, the built-in ones first.
func (o Own) Entities() []string { return append(Entities(), slices.Sorted(maps.Keys(o))...) }

// spec finds a field; one of an entity type of one's own may hold several values.
func (o Own) spec(entity, name string) (record.FieldSpec, bool) {
	if slices.Contains(o[entity], name) {
		return record.FieldSpec{Name: name, Kind: record.List, Parts: record.AddressParts}, true
	}
	return record.Spec(entity, name)
}

// Read makes a question of decoded JSON (record.DecodeObject): entity, fields,
// limit. At is the path of the object, for messages. The error is a *Problem.
func (o Own) Read(at string, obj map[string]any) (q Query, err error) {
	path := func(name string) string { return join(at, name) }
	for _, name := range slices.Sorted(maps.Keys(obj)) {
		switch name {
		case "entity", "fields", "limit":
		default:
			return q, problem(path(name), "is not known here; want entity, fields and limit", "不是可用的键；应为 entity、fields、limit")
		}
	}
	if q.Entity, err = o.readEntity(path("entity"), obj["entity"]); err != nil {
		return q, err
	}
	if q.Limit, err = readLimit(path("limit"), obj["limit"]); err != nil {
		return q, err
	}
	fields, ok := obj["fields"].(map[string]any)
	if !ok {
		return q, problem(path("fields"), `is missing or no object; want {"name": "…", "phones": ["…"]}`, `缺失或不是对象；应为 {"name": "…", "phones": ["…"]}`)
	}
	q.Fields, err = o.readFields(path("fields"), q.Entity, fields)
	return q, err
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func (o Own) readEntity(at string, v any) (string, error) {
	name, ok := v.(string)
	if v != nil && (!ok || !slices.Contains(o.Entities(), name)) {
		return "", problem(at, "is no kind of customer that can be looked up; want %s", "不是可查询的客户类型；应为 %s", strings.Join(o.Entities(), ", "))
	}
	if name == "" {
		return record.Company, nil
	}
	return name, nil
}

func readLimit(at string, v any) (int, error) {
	if v == nil {
		return DefaultLimit, nil
	}
	n, ok := v.(json.Number)
	i, err := n.Int64()
	if !ok || err != nil || i < 1 || i > MaxLimit {
		return 0, problem(at, "is no whole number from 1 to %d", "不是 1 到 %d 的整数", MaxLimit)
	}
	return int(i), nil
}

func (o Own) readFields(at, entity string, obj map[string]any) (record.Fields, error) {
	f := record.Fields{}
	for _, name := range slices.Sorted(maps.Keys(obj)) {
		spec, ok := o.spec(entity, name)
		if !ok {
			return nil, o.unknown(join(at, name), entity)
		}
		v, err := readValue(join(at, name), spec, obj[name])
		if err != nil {
			return nil, err
		}
		if old := f[spec.Name]; v.Kind == record.List && old.Kind == record.List { // phone and phones
			v.Points = append(old.Points, v.Points...)
		}
		if !v.Blank() {
			f[spec.Name] = v
		}
	}
	return f, check(at, f)
}

// check refuses a question that asks nothing, and lists beyond all use.
func check(at string, f record.Fields) error {
	if len(f) == 0 {
		if at == "" {
			return problem("", "there is no value to look for", "没有可供查询的值")
		}
		return problem(at, "holds no value to look for", "没有可供查询的值")
	}
	for _, name := range f.Names() {
		if len(f[name].Points) > MaxEntries {
			return problem(join(at, name), "has more than %d entries", "超过 %d 项", MaxEntries)
		}
	}
	return nil
}

func (o Own) unknown(at, entity string) *Problem {
	names := slices.Clone(o[entity])
	for _, s := range record.Specs(entity) {
		names = append(names, s.Name)
	}
	list := strings.Join(names, ", ")
	return problem(at, "is no field of a %s; these are: %s", "不是 %s 的字段；可用字段：%s", entity, list)
}

func readValue(at string, spec record.FieldSpec, v any) (record.Value, error) {
	if spec.Kind != record.List {
		text, err := readText(at, v)
		if text == "" {
			return record.Value{}, err
		}
		return record.TextValue(text), err
	}
	entries, many := v.([]any)
	if !many {
		entries = []any{v}
	}
	list := record.ListValue()
	for i, e := range entries {
		place := at
		if many {
			place = fmt.Sprintf("%s[%d]", at, i)
		}
		p, err := readPoint(place, spec, e)
		if err != nil {
			return list, err
		}
		if p.Value != "" || len(p.Parts) > 0 {
			list.Points = append(list.Points, p)
		}
	}
	return list, nil
}

func readText(at string, v any) (string, error) {
	var text string
	switch v := v.(type) {
	case nil:
	case string:
		text = strings.TrimSpace(v)
	case json.Number:
		text = v.String()
	case bool:
		text = fmt.Sprint(v)
	default:
		return "", problem(at, "is no text", "不是文本")
	}
	if len(text) > MaxValue {
		return "", problem(at, "is longer than %d bytes", "超过 %d 字节", MaxValue)
	}
	return text, nil
}

func readPoint(at string, spec record.FieldSpec, v any) (p record.Point, err error) {
	obj, ok := v.(map[string]any)
	if !ok {
		p.Value, err = readText(at, v)
		return p, err
	}
	for _, name := range slices.Sorted(maps.Keys(obj)) {
		text, err := readText(join(at, name), obj[name])
		if err != nil {
			return p, err
		}
		switch {
		case name == "value":
			p.Value = text
		case name == "kind":
			p.Kind = text
		case !slices.Contains(spec.Parts, name):
			parts := strings.Join(append([]string{"value", "kind"}, spec.Parts...), ", ")
			return p, problem(join(at, name), "is no part of %s; these are: %s", "不是 %s 的组成部分；可用：%s", spec.Name, parts)
		case text != "":
			if p.Parts == nil {
				p.Parts = map[string]string{}
			}
			p.Parts[name] = text
		}
	}
	return p, nil
}

// Value is what stands under one path: name, phones, addresses.city, ids.uscc.
type Value struct {
	Path   string
	Values []string
}

// FromPaths makes fields of values under paths. Of a list, the first values of
// its parts make one entry, the second ones the next; each identifier is an
// entry of its own, its part being the scheme. The error is a *Problem.
func (o Own) FromPaths(entity string, values []Value) (record.Fields, error) {
	f := record.Fields{}
	for _, v := range values {
		name, part, _ := strings.Cut(v.Path, ".")
		spec, ok := o.spec(entity, name)
		if !ok {
			return nil, o.unknown(v.Path, entity)
		}
		if part != "" && spec.Name != "ids" && !slices.Contains(spec.Parts, part) {
			return nil, problem(v.Path, "is no part of %s; these are: %s", "不是 %s 的组成部分；可用：%s", spec.Name, strings.Join(spec.Parts, ", "))
		}
		n := 0
		for _, text := range v.Values {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			if len(text) > MaxValue {
				return nil, problem(v.Path, "is longer than %d bytes", "超过 %d 字节", MaxValue)
			}
			set(f, spec, part, n, text)
			n++
		}
	}
	return f, check("", f)
}

func set(f record.Fields, spec record.FieldSpec, part string, i int, text string) {
	if spec.Kind != record.List {
		f[spec.Name] = record.TextValue(text)
		return
	}
	list := f[spec.Name]
	list.Kind = record.List
	switch {
	case spec.Name == "ids" && part != "":
		list.Points = append(list.Points, record.Point{Value: text, Parts: map[string]string{"scheme": part}})
	case spec.Name == "ids":
		list.Points = append(list.Points, record.Point{Value: text})
	default:
		for i >= len(list.Points) {
			list.Points = append(list.Points, record.Point{})
		}
		if part == "" {
			list.Points[i].Value = text
			break
		}
		if list.Points[i].Parts == nil {
			list.Points[i].Parts = map[string]string{}
		}
		list.Points[i].Parts[part] = text
	}
	f[spec.Name] = list
}

// FromArgs reads FIELD=VALUE, as typed: name=ACME phone=… address.city=… id.uscc=….
func (o Own) FromArgs(entity string, args []string) (record.Fields, error) {
	var values []Value
	for _, a := range args {
		path, value, ok := strings.Cut(a, "=")
		if !ok || path == "" {
			return nil, fmt.Errorf("%q is no FIELD=VALUE", a)
		}
		i := slices.IndexFunc(values, func(v Value) bool { return v.Path == path })
		if i < 0 {
			i = len(values)
			values = append(values, Value{Path: path})
		}
		values[i].Values = append(values[i].Values, value)
	}
	return o.FromPaths(entity, values)
}

// maxDepth bounds how deep JSON may be nested.
const maxDepth = 8

// ErrDepth says that JSON is nested too deep.
var ErrDepth = errors.New("is nested too deep")

// Shallow refuses JSON that is nested deeper than any question is. It looks at
// brackets alone, so that nothing is built of it first.
func Shallow(raw []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("the JSON text %w: more than %d levels", ErrDepth, maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
