// Package profile counts what the values of a field look like: how many there
// are, what shapes they have, which cannot be what they should be. It keeps
// shapes and figures; values only of fields that hold names of kinds, such as a
// country or an industry, never a customer's own.
package profile

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"touchstone/internal/record"
	"touchstone/matching/standardise"
	"touchstone/rules/text"
)

// Check is what a value has to be, to be usable.
type Check string

// The checks.
const (
	Any     Check = ""
	Email   Check = "email"
	Phone   Check = "phone"
	Date    Check = "date"
	Website Check = "website"
	Country Check = "country"
	ID      Check = "id"
	Number  Check = "number"
)

// CheckOf is the check of a field of a built-in entity type.
func CheckOf(field string) Check {
	switch field {
	case "emails":
		return Email
	case "phones":
		return Phone
	case "birth_date", "founded":
		return Date
	case "website":
		return Website
	case "country", "addresses.country":
		return Country
	case "ids":
		return ID
	case "employees", "revenue":
		return Number
	}
	return Any
}

// Coded says whether a field holds names of kinds, whose values may be shown and
// kept.
func Coded(field string) bool {
	switch field {
	case "country", "industry", "status", "addresses.country", "addresses.region", "addresses.city", "ids.scheme":
		return true
	}
	return false
}

// Passes says whether a value can be what it should be. Scheme is that of an
// identifier.
func (c Check) Passes(value, scheme string) bool {
	switch c {
	case Email:
		local, _, _ := standardise.Email(value)
		return local != ""
	case Phone:
		number, _, _ := standardise.Phone(value, "")
		return number != ""
	case Date:
		if d, _ := standardise.Date(value); d != "" {
			return d >= "1600"
		}
		return false
	case Website:
		return standardise.Domain(value) != ""
	case Country:
		return standardise.Country(value) != ""
	case ID:
		_, note := standardise.Identifier(scheme, value)
		return note == ""
	case Number:
		return numeric(value)
	}
	return true
}

func numeric(s string) bool {
	s = strings.TrimSpace(s)
	digits := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '.' || r == ',' || r == ' ' || r == 'e' || r == 'E' || (r == '-' || r == '+') && (i == 0 || s[i-1] == 'e' || s[i-1] == 'E'):
		default:
			return false
		}
	}
	return digits > 0
}

// Count is a shape or a name with how often it stands there.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Field is what was counted of one field. Filled + Missing = the records;
// Valid + Invalid = Values; the Shapes and OtherShapes add up to Values.
type Field struct {
	Name     string `json:"name"`
	Check    Check  `json:"check,omitempty"`
	Filled   int    `json:"filled"`
	Missing  int    `json:"missing"`
	Values   int    `json:"values"`
	Valid    int    `json:"valid"`
	Invalid  int    `json:"invalid"`
	Dirty    int    `json:"dirty"`    // values in which something does not belong
	Fresh    int    `json:"fresh"`    // records whose value changed within a year
	Distinct int    `json:"distinct"` // exact up to a thousand, else within 2 %
	Shortest int    `json:"shortest"` // in characters
	Longest  int    `json:"longest"`

	Lengths     []Count `json:"lengths"`
	Shapes      []Count `json:"shapes"` // the most frequent first
	OtherShapes int     `json:"other_shapes"`
	Names       []Count `json:"names,omitempty"` // of a coded field
	OtherNames  int     `json:"other_names,omitempty"`
}

// Completeness is the share of records that have a value; NaN without records.
func (f Field) Completeness() float64 { return share(f.Filled, f.Filled+f.Missing) }

// Validity is the share of values that can be what they should be; NaN without
// values.
func (f Field) Validity() float64 { return share(f.Valid, f.Values) }

// Freshness is the share of filled records whose value changed within a year.
func (f Field) Freshness() float64 { return share(f.Fresh, f.Filled) }

func share(n, of int) float64 {
	if of == 0 {
		return math.NaN()
	}
	return float64(n) / float64(of)
}

// Bounds of what one counter keeps.
const (
	mostShapes  = 2000
	shownShapes = 40
	mostRunes   = 40 // of a shape
)

// Counter counts the values of one field. It is not safe for concurrent use.
type Counter struct {
	f      Field
	coded  bool
	first  bool
	seen   distinct
	shapes map[string]int
	names  map[string]int
	length [bins]int
}

// NewCounter makes a counter of a field with its check.
func NewCounter(name string, check Check, coded bool) *Counter {
	return &Counter{f: Field{Name: name, Check: check}, coded: coded, first: true, shapes: map[string]int{}, names: map[string]int{}}
}

// Record counts one record: its values of this field, none for missing, and
// whether they changed within a year. Schemes are those of identifiers, or nil.
func (c *Counter) Record(values, schemes []string, fresh bool) {
	if len(values) == 0 {
		c.f.Missing++
		return
	}
	c.f.Filled++
	if fresh {
		c.f.Fresh++
	}
	for i, v := range values {
		scheme := ""
		if i < len(schemes) {
			scheme = schemes[i]
		}
		c.value(v, scheme)
	}
}

func (c *Counter) value(v, scheme string) {
	c.f.Values++
	if c.f.Check.Passes(v, scheme) {
		c.f.Valid++
	} else {
		c.f.Invalid++
	}
	if Dirty(v) {
		c.f.Dirty++
	}
	n := utf8.RuneCountInString(v)
	if c.first || n < c.f.Shortest {
		c.f.Shortest = n
	}
	c.first = false
	c.f.Longest = max(c.f.Longest, n)
	c.length[bin(n)]++
	c.seen.add(v)
	tally(c.shapes, Shape(v), &c.f.OtherShapes)
	if c.coded {
		tally(c.names, Name(v), &c.f.OtherNames)
	}
}

// tally counts by name as long as there is room for new ones: what has a place
// keeps it, so its count is exact.
func tally(m map[string]int, name string, other *int) {
	if _, ok := m[name]; !ok && len(m) >= mostShapes {
		*other++
		return
	}
	m[name]++
}

// Dirty says whether something stands in a value that does not belong there.
func Dirty(v string) bool { return len(text.Detect(v)) > 0 }

// Name is a value of a coded field as it is counted: cut where it is too long
// for a name.
func Name(s string) string {
	if utf8.RuneCountInString(s) <= 80 {
		return s
	}
	return string([]rune(s)[:80])
}

// Length is the bin in which a value's length is counted.
func Length(v string) string { return lengthNames()[bin(utf8.RuneCountInString(v))] }

// bins is how many names lengthNames has.
const bins = 9

func bin(n int) int { return min(bits.Len(uint(n)), bins-1) } //nolint:gosec // a length is not negative

// lengthNames are the bins of lengths: each begins at a power of two.
func lengthNames() [bins]string {
	return [...]string{"0", "1", "2–3", "4–7", "8–15", "16–31", "32–63", "64–127", "128+"}
}

// Field gives what was counted so far.
func (c *Counter) Field() Field {
	f := c.f
	f.Distinct = c.seen.count()
	for i, n := range c.length {
		if n > 0 {
			f.Lengths = append(f.Lengths, Count{lengthNames()[i], n})
		}
	}
	f.Shapes, f.OtherShapes = most(c.shapes, c.f.OtherShapes)
	if c.coded {
		f.Names, f.OtherNames = most(c.names, c.f.OtherNames)
	}
	return f
}

// most gives the most frequent ones; equal ones in the order of their names.
func most(m map[string]int, other int) ([]Count, int) {
	list := make([]Count, 0, len(m))
	for name, n := range m {
		list = append(list, Count{name, n})
	}
	slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	for _, x := range list[min(len(list), shownShapes):] {
		other += x.N
	}
	return list[:min(len(list), shownShapes)], other
}

// Shape is the form of a value without the value: A for a run of capitals, a for
// a run of other letters, 字 for a run of Chinese, 9 for each digit; the rest as
// it is, spaces as one.
func Shape(s string) string {
	var b strings.Builder
	last, n := rune(0), 0
	for _, r := range s {
		class := r
		switch {
		case unicode.Is(unicode.Han, r):
			class = '字'
		case unicode.IsDigit(r):
			class = '9'
		case unicode.IsUpper(r):
			class = 'A'
		case unicode.IsLetter(r) || unicode.IsMark(r):
			class = 'a'
		case unicode.IsSpace(r):
			class = ' '
		case !unicode.IsPrint(r):
			class = '\uFFFD'
		}
		if class == last && class != '9' {
			continue
		}
		if n++; n > mostRunes {
			b.WriteRune('…')
			break
		}
		b.WriteRune(class)
		last = class
	}
	return b.String()
}

// Texts gives a value's texts: itself, or those of a list's entries; and the
// schemes of identifiers beside them.
func Texts(v record.Value) (values, schemes []string) {
	if v.Blank() {
		return nil, nil
	}
	if v.Kind != record.List {
		return []string{v.Text}, nil
	}
	for _, p := range v.Points {
		s := p.Value
		if s == "" {
			s = joined(p)
		}
		if s != "" {
			values, schemes = append(values, s), append(schemes, p.Parts["scheme"])
		}
	}
	return values, schemes
}

// joined is an address in one line.
func joined(p record.Point) string {
	var parts []string
	for _, name := range record.AddressParts {
		if s := strings.TrimSpace(p.Parts[name]); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// Parts gives the texts of one named part of a list's entries.
func Parts(v record.Value, part string) (values []string) {
	for _, p := range v.Points {
		if s := strings.TrimSpace(p.Parts[part]); s != "" {
			values = append(values, s)
		}
	}
	return values
}

// Year is how long a value counts as fresh.
const Year = 365 * 24 * time.Hour
