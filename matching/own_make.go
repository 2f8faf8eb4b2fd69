package matching

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"touchstone/internal/record"
	"touchstone/matching/block"
	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// The single fields of an entity type of one's own stand behind its name, in
// the one text of the form that is the entity's: for each field in the order of
// the shape a zero byte, a letter for its kind, the name, and each value with a
// byte before it. Standardised values and names of fields hold no such bytes.
const (
	ownFieldMark = 0
	ownValueMark = 1
	maxOwnBytes  = 200 // of one value
)

// StandardiseAs is Standardise for any entity type; shape is that of one's own,
// nil for those that are built in.
func StandardiseAs(entity string, shape Shape, f record.Fields) *Features {
	if shape == nil || catalogue(entity) != nil {
		return Standardise(entity, f)
	}
	m := maker{entity: entity}
	m.own(shape, f)
	var room [512]byte
	return &Features{form: string(m.append(room[:0])), marks: m.marks}
}

// own reads the fields of an entity type of one's own.
func (m *maker) own(shape Shape, f record.Fields) {
	singles := map[string][]string{}
	var phones []string
	var phoneAt []Mark // which value of which field each is
	for _, s := range shape {
		values := points(f[s.Name])
		values = values[:min(len(values), maxValues)]
		for i, p := range values {
			switch s.Kind {
			case KindPhone:
				phones, phoneAt = append(phones, p.Value), append(phoneAt, Mark{Field: s.Name, Index: i})
			case KindEmail:
				from := len(m.marks)
				m.addEmails([]string{p.Value})
				m.renameMarks(from, []Mark{{Field: s.Name, Index: i}})
			case KindWeb:
				m.addSite(s.Name, i, p.Value)
			case KindAddress:
				m.addOwnPlace(p)
			default:
				v, note := ownValue(s.Kind, p.Value)
				m.mark(s.Name, i, note)
				if v != "" {
					singles[s.Name] = append(singles[s.Name], v)
				}
			}
		}
	}
	from := len(m.marks)
	m.addPhones(phones, m.placeCountry())
	m.renameMarks(from, phoneAt)
	var b strings.Builder
	b.WriteString(m.entity)
	for _, s := range shape {
		list := sorted(singles[s.Name], strings.Compare)
		if len(list) == 0 {
			continue
		}
		b.WriteByte(ownFieldMark)
		b.WriteByte(ownLetter(s.Kind))
		b.WriteString(clean(s.Name))
		for _, v := range list {
			b.WriteByte(ownValueMark)
			b.WriteString(v)
		}
	}
	m.entity = b.String()
}

// renameMarks gives marks the fields and places that their values come from.
func (m *maker) renameMarks(from int, at []Mark) {
	for i := range m.marks[from:] {
		k := &m.marks[from+i]
		k.Field, k.Index = at[k.Index].Field, at[k.Index].Index
	}
}

// ownLetter stands for a kind in the binary form.
func ownLetter(kind string) byte { return 'a' + byte(telling(kind)) } //nolint:gosec // there are few kinds

// placeCountry is that of the first address that says one.
func (m *maker) placeCountry() string {
	for i := range m.places {
		if c := m.places[i].Country; c != "" {
			return c
		}
	}
	return ""
}

func (m *maker) addOwnPlace(p record.Point) {
	m.addPlaces([]AddressValue{{
		Line: cmp.Or(p.Parts["line"], p.Value), District: p.Parts["district"], City: p.Parts["city"],
		Region: p.Parts["region"], Postcode: p.Parts["postcode"], Country: p.Parts["country"],
	}})
}

// ownValue brings a value of a single field to the form in which it is compared;
// "" with a note where it cannot be read.
func ownValue(kind, s string) (value, note string) {
	if strings.TrimSpace(s) == "" {
		return "", ""
	}
	switch kind {
	case KindID, KindCode:
		id, _ := standardise.Identifier("", s)
		return short(id.Value), ""
	case KindNumber:
		x, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(s), " ", ""), 64)
		if err != nil || x != x || x-x != 0 { // neither a number nor a finite one
			return "", "not a number"
		}
		return strconv.FormatFloat(x, 'g', -1, 64), ""
	case KindDate:
		return standardise.Date(s)
	}
	return short(standardise.Fold(s)), ""
}

// short cuts a text at a character's end.
func short(s string) string {
	if len(s) <= maxOwnBytes {
		return clean(s)
	}
	n := maxOwnBytes
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return clean(s[:n])
}

// clean leaves out the bytes that part fields and values.
func clean(s string) string {
	if strings.IndexByte(s, ownFieldMark) < 0 && strings.IndexByte(s, ownValueMark) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == ownFieldMark || r == ownValueMark {
			return -1
		}
		return r
	}, s)
}

// eachOwn gives the single fields with their values, parted by ownValueMark,
// until yield says that it has seen enough.
func (f *Features) eachOwn(yield func(letter byte, name, values string) bool) {
	_, rest, _ := strings.Cut(f.single(slotEntity), "\x00")
	for rest != "" {
		var one string
		one, rest, _ = strings.Cut(rest, "\x00")
		name, values, _ := strings.Cut(one, "\x01")
		if len(name) > 1 && !yield(name[0], name[1:], values) {
			return
		}
	}
}

// ownText gives the values of a single field; "" where it has none.
func (f *Features) ownText(name string) (text string) {
	f.eachOwn(func(_ byte, n, values string) bool {
		if n == name {
			text = values
		}
		return n != name
	})
	return text
}

// ownAt gives the i-th value of a single field.
func (f *Features) ownAt(name string, i int) string {
	rest := f.ownText(name)
	for range i {
		_, rest, _ = strings.Cut(rest, "\x01")
	}
	v, _, _ := strings.Cut(rest, "\x01")
	return v
}

// valueHash is that of a record's value in a counted field of the model; 0 when
// it has none.
func (m *Model) valueHash(f *Features, i, at int) uint64 {
	if !m.isOwn() {
		return f.valueHash(i, at)
	}
	if text := f.ownAt(m.fields[i].name, at); text != "" {
		return block.Hash(m.Entity, "value", m.fields[i].name, text)
	}
	return 0
}

// ownNarrow is a short form of what the thing is called: the beginning of the
// first name.
func (f *Features) ownNarrow() (start string) {
	f.eachOwn(func(letter byte, _, values string) bool {
		if letter != ownLetter(KindName) {
			return true
		}
		v, _, _ := strings.Cut(values, "\x01")
		start = compare.Prefix(v, 4)
		return false
	})
	return start
}
