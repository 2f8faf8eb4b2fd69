// Package repair makes of a fault what could be put in its place: concrete
// repairs of a value, the ones that keep most first. It is pure and decides
// nothing: who calls it judges each proposal by the schema, and a person chooses.
package repair

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"touchstone/internal/record"
	"touchstone/matching/compare"
	"touchstone/rules/schema"
	"touchstone/rules/text"
)

// The remedies. Their names are kept with what was repaired by them.
const (
	Clean   = "clean"   // without characters that show nothing or cannot be; wrong encodings set right
	Trim    = "trim"    // without white space around it and doubled within
	Number  = "number"  // the number that the text says
	Date    = "date_"   // and the order its parts were read in: date_ymd, date_dmy, date_mdy, date_ydm, date_serial
	Choose  = "choose:" // and one of the values that are allowed
	Unique  = "unique"  // each entry once
	Shorten = "shorten" // cut to the length that is allowed
	First   = "first"   // as many entries as are allowed
	Drop    = "drop"    // without the entry that is wrong
	Empty   = "empty"   // nothing
	Typed   = "typed"   // what a person typed
)

// Remedy is one way to mend a field.
type Remedy struct {
	Name  string
	Field string       // of ours, at the top of the record
	Now   record.Value // what the field holds then
	// LeaveOut says that the field is left out altogether.
	LeaveOut bool
}

// Lossy says whether a remedy gives something up that a person may want.
func (r Remedy) Lossy() bool {
	return slices.Contains([]string{Shorten, First, Drop, Empty}, r.Name)
}

// Place is where in a record a reason points to: the field, the number of its
// entry, -1 for none, and the part of the entry.
func Place(field string) (name string, entry int, part string) {
	if !strings.HasPrefix(field, "/") {
		return field, -1, ""
	}
	steps := schema.Steps(field)
	name, entry = steps[0], -1
	if len(steps) > 1 {
		if n, err := strconv.Atoi(steps[1]); err == nil {
			entry = n
		}
	}
	if len(steps) > 2 {
		part = steps[2]
	}
	return name, entry, part
}

// Pointed is the text that a reason points to; ok is false where it points to
// something else than one value.
func Pointed(v record.Value, entry int, part string) (s string, ok bool) {
	switch {
	case v.Kind != record.List && entry < 0:
		return v.Text, v.Kind != record.Null
	case v.Kind != record.List || entry < 0 || entry >= len(v.Points) || part == "":
		return "", false
	case part == "value":
		return v.Points[entry].Value, true
	case part == "kind":
		return v.Points[entry].Kind, true
	}
	s, ok = v.Points[entry].Parts[part]
	return s, ok
}

// Put is the value with another text at that place, and everything else as it
// was. An empty text takes the part away, and an entry with no part left.
func Put(v record.Value, kind record.Kind, entry int, part, s string) record.Value {
	if v.Kind != record.List || entry < 0 || entry >= len(v.Points) || part == "" {
		return typed(kind, s)
	}
	points := slices.Clone(v.Points)
	p := points[entry]
	switch part {
	case "value":
		p.Value = s
	case "kind":
		p.Kind = s
	default:
		parts := map[string]string{}
		for k, x := range p.Parts {
			if k != part {
				parts[k] = x
			}
		}
		if s != "" {
			parts[part] = s
		}
		p.Parts = parts
	}
	if points[entry] = p; p.Value == "" && len(p.Parts) == 0 {
		points = slices.Delete(points, entry, entry+1)
	}
	return record.ListValue(points...)
}

func typed(kind record.Kind, s string) record.Value {
	switch {
	case s == "":
		return record.Value{}
	case kind == record.Number && isNumber(s):
		return record.NumberValue(s)
	case kind == record.Date && isDate(s):
		return record.DateValue(s)
	case kind == record.Bool && (s == "true" || s == "false"):
		return record.BoolValue(s == "true")
	case kind == record.List:
		return record.ListValue(record.Point{Value: s})
	}
	return record.TextValue(s)
}

// Remedies lists what could mend a reason: v is what the field holds as mapped,
// has says whether it holds anything, kind is what it should be. Proposals that
// change nothing are left out; whether one is enough only the schema can tell.
func Remedies(r record.Reason, v record.Value, has bool, kind record.Kind, limits schema.Limits) []Remedy {
	name, entry, part := Place(r.Field)
	if name == "" {
		return nil
	}
	var out []Remedy
	add := func(remedy string, now record.Value) {
		if !now.Equal(v) && !slices.ContainsFunc(out, func(x Remedy) bool { return x.Now.Equal(now) }) {
			out = append(out, Remedy{Name: remedy, Field: name, Now: now})
		}
	}
	if s, ok := Pointed(v, entry, part); has && ok {
		put := func(remedy, now string) {
			if now != "" && now != s {
				add(remedy, Put(v, kind, entry, part, now))
			}
		}
		ofText(s, kind, limits, put)
	}
	if v.Kind == record.List && entry < 0 {
		add(Unique, record.ListValue(once(v.Points)...))
		if limits.MaxItems > 0 && len(v.Points) > limits.MaxItems {
			add(First, record.ListValue(v.Points[:limits.MaxItems]...))
		}
	}
	if v.Kind == record.List && entry >= 0 && entry < len(v.Points) {
		add(Drop, record.ListValue(slices.Delete(slices.Clone(v.Points), entry, entry+1)...))
	}
	if has && v.Kind != record.Null || !has && r.Rule == "map" {
		add(Empty, record.Value{})
		out = append(out, Remedy{Name: Empty, Field: name, LeaveOut: true})
	}
	return out
}

// ofText lists what could stand in the place of one text.
func ofText(s string, kind record.Kind, limits schema.Limits, put func(remedy, now string)) {
	clean := text.Clean(s, solid(text.Detect(s)))
	put(Clean, strings.TrimSpace(clean))
	clean = strings.Join(strings.Fields(strings.Map(shown, clean)), " ")
	put(Clean, clean)
	put(Trim, strings.Join(strings.Fields(s), " "))
	switch kind {
	case record.Number:
		put(Number, readNumber(clean))
	case record.Date:
		for _, d := range readDate(clean) {
			put(Date+d.order, d.day)
		}
	}
	for _, allowed := range nearestFirst(clean, limits.Enum) {
		put(Choose+allowed, allowed)
	}
	if limits.MaxLength > 0 && utf8.RuneCountInString(clean) > limits.MaxLength {
		put(Shorten, strings.TrimSpace(string([]rune(clean)[:limits.MaxLength])))
	}
}

// solid leaves out the findings that nobody can tell the right text of.
func solid(list []text.Finding) []text.Finding {
	return slices.DeleteFunc(list, func(f text.Finding) bool { return f.Lost })
}

// shown drops control characters; a line's end becomes a space.
func shown(r rune) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\t':
		return ' '
	case unicode.IsControl(r):
		return -1
	}
	return r
}

func once(points []record.Point) (out []record.Point) {
	for _, p := range points {
		if !slices.ContainsFunc(out, p.Equal) {
			out = append(out, p)
		}
	}
	return out
}

// mostChoices bounds the allowed values that are offered.
const mostChoices = 8

// nearestFirst orders what is allowed by how like it is to s, capitals and white
// space aside, at most mostChoices.
func nearestFirst(s string, allowed []string) []string {
	s = strings.ToLower(strings.TrimSpace(s))
	slips := make(map[string]int, len(allowed))
	for _, a := range allowed {
		slips[a] = compare.LevenshteinString(s, strings.ToLower(a), compare.Max)
	}
	list := slices.Clone(allowed)
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(slips[a], slips[b]) })
	return list[:min(len(list), mostChoices)]
}
