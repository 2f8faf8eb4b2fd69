package golden

import (
	"slices"
	"strings"

	"touchstone/internal/record"
)

// Mapping says which values of a field stand for another one, by a person's
// decision.
type Mapping struct {
	Decision string
	Field    string // "industry", or "addresses.city" for a part of a list's entries
	Pairs    [][2]string
}

// Values are the mappings in force, ready to be asked. The zero value maps
// nothing. It is a function of the set of mappings: a value is followed to the
// one that stands for nothing else, whatever the order of the decisions.
type Values struct {
	fields map[string][]part // field → what is asked of it
}

type part struct {
	name string // of a list's entry; "" for its value, or a single value
	to   map[string]standsFor
}

type standsFor struct {
	text string
	by   []string // the decisions, sorted
}

// SplitField gives the field and the part that a mapping's field names.
func SplitField(field string) (name, part string) {
	name, part, _ = strings.Cut(field, ".")
	return name, part
}

// NewValues makes mappings ready. They may come in any order.
func NewValues(list []Mapping) Values {
	type step struct{ to, by string }
	steps := map[string]map[string]step{}
	for _, m := range list {
		if steps[m.Field] == nil {
			steps[m.Field] = map[string]step{}
		}
		for _, p := range m.Pairs {
			old, ok := steps[m.Field][p[0]]
			if s := (step{p[1], m.Decision}); !ok || s.to < old.to || s.to == old.to && s.by < old.by { // none twice in a store
				steps[m.Field][p[0]] = s
			}
		}
	}
	out := Values{fields: map[string][]part{}}
	names := make([]string, 0, len(steps))
	for field := range steps {
		names = append(names, field)
	}
	slices.Sort(names)
	for _, field := range names {
		name, sub := SplitField(field)
		p := part{name: sub, to: make(map[string]standsFor, len(steps[field]))}
		for from, s := range steps[field] {
			end := standsFor{s.to, []string{s.by}}
			for n := 0; n < len(steps[field]); n++ { // bounded: a store refuses circles
				next, ok := steps[field][end.text]
				if !ok {
					break
				}
				end.text = next.to
				end.by = append(end.by, next.by)
			}
			slices.Sort(end.by)
			end.by = slices.Compact(end.by)
			p.to[from] = end
		}
		out.fields[name] = append(out.fields[name], p)
	}
	return out
}

// Replace gives the value that counts in place of a field's value, and the
// decisions that say so; the value itself and none when nothing does. The value
// handed in is not changed.
func (v Values) Replace(field string, value record.Value) (record.Value, []string) {
	parts := v.fields[field]
	if len(parts) == 0 {
		return value, nil
	}
	var by []string
	switch value.Kind {
	case record.Text:
		for _, p := range parts {
			if s, ok := p.to[value.Text]; ok && p.name == "" {
				return record.TextValue(s.text), s.by
			}
		}
	case record.List:
		var points []record.Point
		for i, pt := range value.Points {
			next, decisions := replacePoint(pt, parts)
			if len(decisions) == 0 {
				continue
			}
			if points == nil {
				points = slices.Clone(value.Points)
			}
			points[i], by = next, append(by, decisions...)
		}
		if points != nil {
			slices.Sort(by)
			return record.ListValue(points...), slices.Compact(by)
		}
	}
	return value, nil
}

func replacePoint(pt record.Point, parts []part) (record.Point, []string) {
	var by []string
	cloned := false
	for _, p := range parts {
		if p.name == "" {
			if s, ok := p.to[pt.Value]; ok {
				pt.Value = s.text
				by = append(by, s.by...)
			}
			continue
		}
		s, ok := p.to[pt.Parts[p.name]]
		if !ok {
			continue
		}
		if !cloned {
			parts := make(map[string]string, len(pt.Parts))
			for k, v := range pt.Parts {
				parts[k] = v
			}
			pt.Parts, cloned = parts, true
		}
		pt.Parts[p.name] = s.text
		by = append(by, s.by...)
	}
	return pt, by
}

// Texts gives the values that a field's mapping would ask for: of a text itself,
// of a list each entry's value or part.
func Texts(value record.Value, part string) (out []string) {
	switch value.Kind {
	case record.Text:
		if part == "" {
			return []string{value.Text}
		}
	case record.List:
		for _, p := range value.Points {
			if part != "" {
				out = append(out, p.Parts[part])
			} else if p.Value != "" {
				out = append(out, p.Value)
			}
		}
	}
	return out
}
