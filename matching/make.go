package matching

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// Standardise makes the features of one record. It never fails: a value that
// cannot be read is left out and marked; a blank one is absent.
func Standardise(entity string, f record.Fields) *Features {
	v := FromRecord(f)
	return StandardiseValues(entity, &v)
}

// StandardiseValues is Standardise of values that are no record's fields.
func StandardiseValues(entity string, v *Values) *Features {
	var m maker
	var room [512]byte
	m.read(entity, v)
	return &Features{form: string(m.append(room[:0])), marks: m.marks}
}

// Standardiser makes the binary forms of many records, and keeps the room that
// one needs for the next. It is not for two goroutines at once.
type Standardiser struct{ m maker }

// Append appends the binary form of what StandardiseValues makes, for those who
// keep many: see ViewTrusted.
func (s *Standardiser) Append(dst []byte, entity string, v *Values) []byte {
	s.m.reset()
	s.m.read(entity, v)
	return s.m.append(dst)
}

// maker holds the standardised values of one record until they are written.
type maker struct {
	entity, country, birth string
	orgs                   []standardise.Org
	humans                 []standardise.Human
	ids                    []standardise.ID
	phones                 []string
	emails                 []mail
	webs                   []string
	places                 []standardise.Address
	marks                  []Mark
}

type mail struct{ local, domain string }

func (m *maker) reset() {
	m.entity, m.country, m.birth = "", "", ""
	m.orgs, m.humans, m.ids, m.phones = m.orgs[:0], m.humans[:0], m.ids[:0], m.phones[:0]
	m.emails, m.webs, m.places, m.marks = m.emails[:0], m.webs[:0], m.places[:0], m.marks[:0]
}

func (m *maker) read(entity string, v *Values) {
	m.entity = entity
	m.country = standardise.Country(v.Country)
	m.addPlaces(v.Addresses)
	switch entity {
	case record.Company:
		m.addOrg(v.Name)
		m.addOrg(v.LegalName)
		for _, a := range v.Aliases {
			m.addOrg(a)
		}
		m.addSite("website", 0, v.Website)
	case record.Person:
		m.addHuman(v.Given, v.Family, v.Full)
		m.addOrg(v.Employer)
		m.addBirth(v.Birth)
	default:
		return
	}
	m.addIDs(v.IDs)
	m.addPhones(v.Phones, m.phoneRegion(v))
	m.addEmails(v.Emails)
}

func (m *maker) mark(field string, i int, text string) {
	if text != "" {
		m.marks = append(m.marks, Mark{field, i, text})
	}
}

// phoneRegion is the country to read national numbers by: the record's own,
// its address's, or China where the name is in Chinese. Hong Kong, Macao and
// Taiwan have numbers of their own, whatever the record calls its country.
func (m *maker) phoneRegion(v *Values) string {
	if m.country == "" || m.country == "CN" {
		if c := m.ownNumbers(); c != "" {
			return c
		}
	}
	if m.country != "" {
		return m.country
	}
	for i := range m.places {
		if c := m.places[i].Country; c != "" {
			return c
		}
	}
	for _, n := range [...]string{v.Name, v.LegalName, v.Family, v.Given, v.Full} {
		if standardise.HasHan(n) {
			return "CN"
		}
	}
	return ""
}

// ownNumbers is the region with telephone numbers of its own that the record's
// only address lies in, or that its only name names.
func (m *maker) ownNumbers() string {
	switch {
	case len(m.places) == 1:
		return standardise.RegionCountry(m.places[0].Region)
	case len(m.places) == 0 && len(m.orgs) == 1:
		return standardise.RegionCountry(m.orgs[0].Place)
	}
	return ""
}

func (m *maker) addPlaces(list []AddressValue) {
	for i := range list {
		v := &list[i]
		a := standardise.Place(v.Line, v.District, v.City, v.Region, v.Postcode, v.Country)
		if !a.Blank() {
			m.places = append(m.places, a)
		}
	}
}

func (m *maker) addOrg(s string) {
	if s == "" {
		return
	}
	o, alias := standardise.Organisation(s)
	if o.Brand != "" {
		m.orgs = append(m.orgs, o)
	}
	if alias != "" {
		if o, _ := standardise.Organisation(alias); o.Brand != "" {
			m.orgs = append(m.orgs, o)
		}
	}
}

func (m *maker) addHuman(given, family, full string) {
	h := standardise.Name(given, family, full)
	if h.Given != "" || h.Family != "" {
		m.humans = append(m.humans, h)
	}
}

func (m *maker) addBirth(s string) {
	d, note := standardise.Date(s)
	m.mark("birth_date", 0, note)
	m.birth = d
}

// addSite keeps whose a web address says that it is.
func (m *maker) addSite(field string, i int, s string) {
	site, platform := standardise.Site(s)
	switch {
	case site != "":
		m.webs = append(m.webs, site)
	case platform != "":
		m.mark(field, i, "a platform that many share")
	case strings.TrimSpace(s) != "":
		m.mark(field, i, "not a web address")
	}
}

func (m *maker) addIDs(list []IDValue) {
	for i := range list {
		v := &list[i]
		id, note := standardise.Identifier(cmp.Or(v.Scheme, v.Kind), v.Value)
		m.mark("ids", i, note)
		if id.Value == "" {
			continue
		}
		if issuer := standardise.Fold(v.Issuer); issuer != "" {
			id.Scheme += "/" + issuer
		}
		m.ids = append(m.ids, id)
	}
}

func (m *maker) addPhones(list []string, region string) {
	for i, s := range list {
		if strings.TrimSpace(s) == "" {
			continue
		}
		n, _, note := standardise.Phone(s, region)
		m.mark("phones", i, note)
		if n != "" {
			m.phones = append(m.phones, n)
		}
	}
}

func (m *maker) addEmails(list []string) {
	for i, s := range list {
		if strings.TrimSpace(s) == "" {
			continue
		}
		l, d, note := standardise.Email(s)
		m.mark("emails", i, note)
		if l != "" {
			m.emails = append(m.emails, mail{l, d})
		}
	}
}

// settle sorts each list and drops repeats, so that equal features have one
// form.
func (m *maker) settle() {
	m.orgs = sorted(m.orgs, compareOrgs)
	m.humans = sorted(m.humans, compareHumans)
	m.ids = sorted(m.ids, func(a, b standardise.ID) int {
		return cmp.Or(strings.Compare(a.Scheme, b.Scheme), strings.Compare(a.Value, b.Value))
	})
	m.phones = sorted(m.phones, strings.Compare)
	m.emails = sorted(m.emails, func(a, b mail) int {
		return cmp.Or(strings.Compare(a.domain, b.domain), strings.Compare(a.local, b.local))
	})
	m.webs = sorted(m.webs, strings.Compare)
	m.places = sorted(m.places, comparePlaceTexts)
}

func sorted[T any](xs []T, compare func(a, b T) int) []T {
	if len(xs) < 2 {
		return xs
	}
	slices.SortFunc(xs, compare)
	return slices.CompactFunc(xs, func(a, b T) bool { return compare(a, b) == 0 })
}

func compareOrgs(a, b standardise.Org) int {
	return cmp.Or(
		strings.Compare(a.Brand, b.Brand), strings.Compare(a.Trade, b.Trade), strings.Compare(a.Form, b.Form), strings.Compare(a.Place, b.Place),
		strings.Compare(a.Branch, b.Branch), strings.Compare(a.Roman, b.Roman), slices.Compare(a.Readings, b.Readings), compareBools(a.Han, b.Han), strings.Compare(a.Role, b.Role))
}

func compareHumans(a, b standardise.Human) int {
	return cmp.Or(
		strings.Compare(a.Given, b.Given), strings.Compare(a.Middle, b.Middle), strings.Compare(a.Family, b.Family), strings.Compare(a.GivenRoman, b.GivenRoman),
		strings.Compare(a.FamilyRoman, b.FamilyRoman), slices.Compare(a.Readings, b.Readings), slices.Compare(a.GivenReadings, b.GivenReadings),
		strings.Compare(a.Suffix, b.Suffix), compareBools(a.Han, b.Han))
}

func comparePlaceTexts(a, b standardise.Address) int {
	return cmp.Or(
		strings.Compare(a.Street, b.Street), strings.Compare(a.House, b.House), strings.Compare(a.Units, b.Units), strings.Compare(a.District, b.District),
		strings.Compare(a.City, b.City), strings.Compare(a.Region, b.Region), strings.Compare(a.Postcode, b.Postcode), strings.Compare(a.Country, b.Country))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// append writes the form. One that its offsets do not reach keeps fewer values
// of each field.
func (m *maker) append(dst []byte) []byte {
	m.settle()
	for most := maxValues; ; most /= 2 {
		m.cut(most)
		w := writer{b: dst, from: len(dst)}
		w.write(m)
		if len(w.b)-w.from <= maxForm || most == 0 {
			return w.b
		}
	}
}

func (m *maker) cut(most int) {
	m.orgs = m.orgs[:min(len(m.orgs), most)]
	m.humans = m.humans[:min(len(m.humans), most)]
	m.ids = m.ids[:min(len(m.ids), most)]
	m.phones = m.phones[:min(len(m.phones), most)]
	m.emails = m.emails[:min(len(m.emails), most)]
	m.webs = m.webs[:min(len(m.webs), most)]
	m.places = m.places[:min(len(m.places), most)]
}

// writer writes one form.
type writer struct {
	b    []byte
	from int // where the form begins
	slot int // where the next text's offset stands
	flag int // where the next byte of flags stands
}

func (w *writer) write(m *maker) {
	counts := [sections]int{len(m.orgs), len(m.humans), len(m.ids), len(m.phones), len(m.emails), len(m.webs), len(m.places)}
	var head [atTable]byte
	head[0], head[atKind] = featuresVersion, kindOf(m.entity)
	next := slotLists
	for i, width := range widths() {
		head[atCounts+i], head[atFirst+i] = byte(counts[i]), byte(next)
		next += counts[i] * width
	}
	head[atSlots] = byte(next)
	w.b = append(w.b, head[:]...)
	w.slot = len(w.b)
	w.flag = w.slot + 2*(next+1)
	var zero [64]byte
	for n := 2*(next+1) + counts[orgs] + counts[humans] + counts[ids] + counts[emails]; n > 0; n -= len(zero) {
		w.b = append(w.b, zero[:min(n, len(zero))]...)
	}
	w.text(m.country)
	if head[atKind] == kindOther {
		w.text(m.entity)
	} else {
		w.text("")
	}
	w.text(m.birth)
	w.lists(m)
	w.offset()
}

func kindOf(entity string) byte {
	switch entity {
	case record.Company:
		return kindCompany
	case record.Person:
		return kindPerson
	}
	return kindOther
}

func (w *writer) lists(m *maker) {
	for i := range m.orgs {
		w.org(&m.orgs[i])
	}
	for i := range m.humans {
		w.human(&m.humans[i])
	}
	for i := range m.ids {
		id := &m.ids[i]
		w.flags(flagIf(id.Checked, flagChecked) | flagIf(id.Wrong && !id.Checked, flagWrong))
		w.text(id.Scheme)
		w.text(id.Value)
	}
	for _, p := range m.phones {
		w.text(p)
	}
	for _, e := range m.emails {
		w.flags(flagIf(standardise.SharedMail(e.domain), flagFree) | flagIf(standardise.RoleAddress(e.local), flagRole))
		w.text(e.local)
		from := len(w.b) - len(e.local)
		w.texts("@", e.domain)
		whole := string(w.b[from:])
		w.bags(whole)
	}
	for _, d := range m.webs {
		w.text(d)
	}
	for i := range m.places {
		p := &m.places[i]
		for _, s := range [placeWidth]string{p.Street, p.House, p.Units, p.District, p.City, p.Region, p.Postcode, p.Country} {
			w.text(s)
		}
	}
}

func (w *writer) org(o *standardise.Org) {
	w.flags(flagIf(o.Han, flagHan) | roleCode(o.Role)<<roleShift)
	from, whole := len(w.b), ""
	if o.Han {
		w.text(o.Brand)
		w.text(o.Trade)
		w.text(o.Roman)
		w.text("")
	} else {
		w.text(o.Roman)
		w.offset()
		w.b = appendSquashed(w.b, o.Trade)
		whole = string(w.b[from:])
		w.unless(o.Brand, o.Brand == o.Roman)
		w.unless(o.Trade, strings.IndexByte(o.Trade, ' ') < 0)
	}
	w.text(o.Form)
	w.text(o.Place)
	w.text(o.Branch)
	w.words(o.Readings)
	if o.Han {
		w.text("")
	} else {
		w.bags(o.Roman, whole)
	}
}

func (w *writer) human(h *standardise.Human) {
	given, family := h.Given == h.GivenRoman, h.Family == h.FamilyRoman
	w.flags(flagIf(h.Han, flagHan) | flagIf(given, flagGivenSame) | flagIf(family, flagFamilySame) | flagIf(standardise.Nickname(h.Given, h.Given), flagNickname))
	w.text(h.Given)
	w.text(h.Middle)
	w.text(h.Family)
	w.text(h.Suffix)
	w.unless(h.GivenRoman, given)
	w.unless(h.FamilyRoman, family)
	w.words(h.Readings)
	w.words(h.GivenReadings)
	w.bags(h.Given, h.Family)
}

func flagIf(is bool, flag byte) byte {
	if is {
		return flag
	}
	return 0
}

func (w *writer) flags(b byte) {
	w.b[w.flag] = b
	w.flag++
}

// offset says that a text begins where the form ends now.
func (w *writer) offset() {
	binary.LittleEndian.PutUint16(w.b[w.slot:], uint16(len(w.b)-w.from)) //nolint:gosec // what does not fit is written again, shorter
	w.slot += 2
}

func (w *writer) text(s string) {
	w.offset()
	w.b = append(w.b, s...)
}

func (w *writer) unless(s string, not bool) {
	if not {
		s = ""
	}
	w.text(s)
}

func (w *writer) texts(parts ...string) {
	w.offset()
	for _, s := range parts {
		w.b = append(w.b, s...)
	}
}

func (w *writer) words(list []string) {
	w.offset()
	for i, s := range list {
		if i > 0 {
			w.b = append(w.b, ' ')
		}
		w.b = append(w.b, s...)
	}
}

// bags writes the bags of texts.
func (w *writer) bags(of ...string) {
	w.offset()
	for _, s := range of {
		b, n := compare.BagOf(s)
		w.b = binary.LittleEndian.AppendUint64(w.b, uint64(b))
		w.b = append(w.b, byte(min(n, manyRunes)))
	}
}

// appendSquashed appends a text without its spaces.
func appendSquashed(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] != ' ' {
			b = append(b, s[i])
		}
	}
	return b
}
