package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"touchstone/config"
	"touchstone/internal/expr"
	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// Mapper reads one source's records of one entity: who they are, and what they
// say in our fields. It is safe for concurrent use.
type Mapper struct {
	entity                      string
	id, stamp, version, deleted *expr.Program
	where                       []*expr.Program
	fields                      []fieldMap
	volatile                    []string // dotted paths
	relations                   []relationMap
	tables                      map[string]map[string]string
	text                        string // what the mapping says, for its hash
}

type fieldMap struct {
	spec  record.FieldSpec
	known bool // a field of ours: a custom one may hold anything
	value mapValue
}

// mapValue is a compiled config.MapValue.
type mapValue struct {
	program *expr.Program
	plain   string // the member of record a plain expression names, to tell null from missing
	parts   []namedValue
	items   []mapValue
}

type namedValue struct {
	name  string
	value mapValue
}

// NewMapper compiles a source entity's expressions. Every problem is found.
func NewMapper(src config.Source, e config.SourceEntity, around ...Around) (*Mapper, []config.Problem) {
	near := nearOf(around)
	c := &compiler{vars: near.vars("record"), tables: near.Tables}
	m := &Mapper{
		entity: e.Entity, tables: near.Tables,
		id: c.compile(e.ID, expr.Text), stamp: c.compile(e.Stamp, expr.Text),
		version: c.compile(e.Version, expr.Text), deleted: c.compile(e.Deleted, expr.Any),
	}
	for _, w := range []config.Expr{src.Where, e.Where} {
		if p := c.compile(w, expr.Any); p != nil {
			m.where = append(m.where, p)
		}
	}
	for _, f := range e.Map {
		spec, ok := record.Spec(e.Entity, f.Name)
		if !ok {
			spec = record.FieldSpec{Name: f.Name, Kind: record.Text}
		}
		m.fields = append(m.fields, fieldMap{spec: spec, known: ok, value: c.value(f.Value)})
	}
	m.volatile = dotted(e.Volatile)
	for _, r := range e.Relations {
		m.relations = append(m.relations, c.relation(r, near.uid(src, r.Source)))
	}
	m.text = c.text.String() + strings.Join(m.volatile, "\n")
	return m, c.problems
}

// compiler gathers the problems of many expressions.
type compiler struct {
	vars     map[string]any
	problems []config.Problem
	text     strings.Builder
	tables   map[string]map[string]string
}

func (c *compiler) compile(e config.Expr, want expr.Kind) *expr.Program {
	fmt.Fprintf(&c.text, "%d %s\n", want, e.Text)
	if e.IsZero() {
		return nil
	}
	p, err := expr.Compile(e.Text, c.vars, want)
	var ce *expr.CompileError
	switch {
	case errors.As(err, &ce):
		c.problems = append(c.problems, e.Problem(ce.Line, ce.Column, "%s", ce.Text))
	case err != nil:
		c.problems = append(c.problems, e.Problem(1, 1, "%s", err))
	}
	if p != nil {
		for _, name := range p.Tables() { // another table is another mapping
			fmt.Fprintf(&c.text, "table %s %s\n", name, tableHash(c.tables[name]))
		}
	}
	return p
}

func (c *compiler) value(v config.MapValue) mapValue {
	var out mapValue
	if !v.Expr.IsZero() {
		out.program = c.compile(v.Expr, expr.Any)
		if name, ok := strings.CutPrefix(v.Expr.Text, "record."); ok && isName(name) {
			out.plain = name
		}
	}
	for _, p := range v.Parts {
		fmt.Fprintf(&c.text, "part %s\n", p.Name)
		out.parts = append(out.parts, namedValue{p.Name, c.value(p.Value)})
	}
	for _, i := range v.Items {
		out.items = append(out.items, c.value(i))
	}
	return out
}

func isName(s string) bool {
	for _, r := range s {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r < 0x80 {
			return false
		}
	}
	return s != ""
}

// Hash is the hash of the record's content: its canonical JSON without what is
// volatile.
func (m *Mapper) Hash(obj map[string]any) []byte {
	for _, p := range m.volatile {
		if _, ok := getPath(obj, p); ok {
			obj = withPath(obj, p, nil, false)
		}
	}
	sum := sha256.Sum256(record.Canonical(make([]byte, 0, 512), obj))
	return sum[:16]
}

// Identity is what a mapper reads first.
type Identity struct {
	ID, Version   string
	Stamp         time.Time
	Deleted, Keep bool
}

// Identify says which record this is and whether the where clauses let it in.
// What the connector knew already stays unless the mapping says otherwise.
func (m *Mapper) Identify(obj map[string]any, raw record.Raw) (Identity, []record.Reason) {
	vars := lookupVars(m.tables, nil, "record", obj)
	out := Identity{ID: raw.ID, Version: raw.Version, Stamp: raw.Stamp, Deleted: raw.Deleted, Keep: true}
	var reasons []record.Reason
	text := func(p *expr.Program, key string, into *string) {
		if p == nil {
			return
		}
		v, err := p.Run(vars)
		if err != nil {
			reasons = append(reasons, mapReason(key, err))
		} else if s, ok := v.(string); ok && strings.TrimSpace(s) != "" {
			*into = strings.TrimSpace(s)
		}
	}
	text(m.id, "id", &out.ID)
	text(m.version, "version", &out.Version)
	if !writable(out.Stamp) {
		out.Stamp = time.Time{}
	}
	var stamp string
	text(m.stamp, "stamp", &stamp)
	if stamp != "" {
		t, err := parseStamp(stamp)
		if err != nil {
			reasons = append(reasons, record.Reason{Rule: "stamp", Field: "stamp", Value: cut(stamp), Text: "is no time we know", Remedy: "give the time of last change as 2006-01-02T15:04:05Z or in seconds since 1970"})
		}
		out.Stamp = t
	}
	if m.deleted != nil {
		v, err := m.deleted.Run(vars)
		if err != nil {
			reasons = append(reasons, mapReason("deleted", err))
		}
		out.Deleted = out.Deleted || truth(v)
	}
	for _, w := range m.where {
		v, err := w.Run(vars)
		if err != nil {
			reasons = append(reasons, mapReason("where", err))
		}
		out.Keep = out.Keep && truth(v)
	}
	return out, reasons
}

func truth(v any) bool {
	switch x := v.(type) {
	case bool:
		return x
	case string:
		return strings.EqualFold(x, "true") || x == "1"
	case json.Number:
		return x == "1"
	}
	return false
}

// stampLayouts are the forms a time of change comes in.
var stampLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05Z0700", "2006-01-02"}

// writable says whether a time is written with the four digits of a year that it
// is read with. 9999-12-31T23:59:59-05:00, which stands for "for ever" somewhere,
// is in the year 10000 in UTC.
func writable(t time.Time) bool { y := t.UTC().Year(); return y >= 0 && y <= 9999 }

// parseStamp reads a time of change, in UTC where no zone is given, cut to
// microseconds. Bare numbers are seconds since 1970, or milliseconds when they
// are too large for that.
func parseStamp(s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) >= 9 && len(s) <= 13 {
		if len(s) > 11 {
			return time.UnixMilli(n).UTC(), nil
		}
		return time.Unix(n, 0).UTC(), nil
	}
	for _, l := range stampLayouts {
		if t, err := time.Parse(l, s); err == nil && writable(t) {
			return t.UTC().Truncate(time.Microsecond), nil
		}
	}
	return time.Time{}, errors.New("unknown form of time")
}

// Map gives the record in our fields. A value that cannot be what its field is
// stays as text, so that the schema can say what is wrong with it.
func (m *Mapper) Map(obj map[string]any) (record.Fields, []record.Reason) { return m.mapped(obj, nil) }

// mapped is Map, and tells of what its tables do not know.
func (m *Mapper) mapped(obj map[string]any, misses *misses) (record.Fields, []record.Reason) {
	vars := lookupVars(m.tables, misses, "record", obj)
	out := make(record.Fields, len(m.fields))
	var reasons []record.Reason
	for _, f := range m.fields {
		v, has, err := f.value.run(vars, obj)
		if err != nil {
			reasons = append(reasons, mapReason(f.spec.Name, err))
			continue
		}
		if !has {
			continue
		}
		if what := composite(v); what != "" && f.known && f.spec.Kind != record.List {
			reasons = append(reasons, record.Reason{
				Rule: "map", Field: f.spec.Name, Value: cut(string(record.Canonical(nil, v))), Text: "is " + what + ", must be one value or empty",
				Remedy: "mend the value at the source, or map one part of it",
			})
			continue
		}
		spec := f.spec
		if !f.known {
			spec.Kind = kindOf(v)
		}
		value := toValue(spec, v)
		if old, ok := out[f.spec.Name]; ok { // phone and phones both mapped: only a list has two names
			if value.Kind != record.List {
				continue // what is null there takes nothing away
			}
			value.Points = append(slices.Clone(old.Points), value.Points...)
		}
		out[f.spec.Name] = value
	}
	return out, reasons
}

// run works a mapping out; has is false when the source says nothing.
func (v mapValue) run(vars, obj map[string]any) (any, bool, error) {
	switch {
	case v.program != nil:
		out, err := v.program.Run(vars)
		if err != nil {
			return nil, false, err
		}
		if out == nil {
			_, there := obj[v.plain]
			return nil, v.plain != "" && there, nil
		}
		return out, true, nil
	case v.parts != nil:
		part := map[string]any{}
		for _, p := range v.parts {
			x, has, err := p.value.run(vars, obj)
			if err != nil {
				return nil, false, err
			}
			if has && x != nil {
				part[p.name] = x
			}
		}
		return part, len(part) > 0, nil
	default:
		var list []any
		for _, i := range v.items {
			x, has, err := i.run(vars, obj)
			if err != nil {
				return nil, false, err
			}
			if has && x != nil {
				list = append(list, x)
			}
		}
		return list, true, nil
	}
}

// toValue turns what an expression gave into a value of the field's kind.
func toValue(spec record.FieldSpec, v any) record.Value {
	if v == nil {
		return record.Value{}
	}
	if s, ok := v.(string); ok && strings.TrimSpace(s) == "" && spec.Kind != record.Text && spec.Kind != record.List {
		return record.Value{} // tables write nothing where there is no number and no date
	}
	switch spec.Kind {
	case record.List:
		return record.ListValue(toPoints(v)...)
	case record.Number:
		if s, ok := scalar(v); ok && isNumber(s) {
			return record.NumberValue(s)
		}
	case record.Date:
		if s, ok := scalar(v); ok {
			if d, _ := standardise.Date(s); d != "" {
				return record.DateValue(d)
			}
		}
	case record.Bool:
		if b, ok := v.(bool); ok {
			return record.BoolValue(b)
		}
	}
	if s, ok := scalar(v); ok {
		return record.TextValue(s)
	}
	return record.TextValue(string(record.Canonical(nil, v)))
}

// kindOf is the kind of a value in a field that is not one of ours: what it is
// by itself.
func kindOf(v any) record.Kind {
	switch v.(type) {
	case json.Number, int64, float64:
		return record.Number
	case bool:
		return record.Bool
	case map[string]any, []any:
		return record.List
	}
	return record.Text
}

// composite says what a value is that is not one value; "" for one that is.
func composite(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return ""
}

// toPoints makes entries of a list: a text is one entry, an object one with
// parts, a list many. Blank ones are left out.
func toPoints(v any) []record.Point {
	switch x := v.(type) {
	case []any:
		var out []record.Point
		for _, e := range x {
			out = append(out, toPoints(e)...)
		}
		return out
	case map[string]any:
		p := record.Point{}
		filled := false
		for _, k := range sortedNames(x) {
			s, ok := scalar(x[k])
			if !ok || s == "" {
				continue
			}
			switch k {
			case "value":
				p.Value = s
			case "kind":
				p.Kind = s
				continue
			default:
				if p.Parts == nil {
					p.Parts = map[string]string{}
				}
				p.Parts[k] = s
				if k == "scheme" || k == "issuer" {
					continue // a scheme without a number says nothing
				}
			}
			filled = true
		}
		if !filled {
			return nil
		}
		return []record.Point{p}
	default:
		if s, ok := scalar(v); ok && s != "" {
			return []record.Point{{Value: s}}
		}
		return nil
	}
}

// scalar is the text of a single value, without white space around it.
func scalar(v any) (string, bool) {
	switch x := v.(type) {
	case nil:
		return "", true
	case string:
		return strings.TrimSpace(x), true
	case json.Number:
		return x.String(), true
	case bool:
		return strconv.FormatBool(x), true
	case int64:
		return strconv.FormatInt(x, 10), true
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), true
	}
	return "", false
}

// isNumber says whether s is a JSON number.
func isNumber(s string) bool {
	if s == "" || len(s) > 400 || strings.ContainsAny(s, " \t\r\n") || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return json.Valid([]byte(s))
}

// said is a reason as a sentence, for a record that could not be taken in.
func said(r record.Reason) error { return errors.New(strings.TrimSpace(r.Field + " " + r.Text)) }

func mapReason(field string, err error) record.Reason {
	return record.Reason{Rule: "map", Field: field, Text: err.Error(), Remedy: "mend the mapping in the configuration, or the value at the source"}
}

func cut(s string) string {
	const most = 120
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	return names
}

// RulesHash is the hash of all that decides how this source's records are
// derived: the mapping, and the hash of the schemas.
func (m *Mapper) RulesHash(schemas string) string {
	return hex.EncodeToString(sum([]byte(m.text + "\x00" + schemas))[:8])
}
