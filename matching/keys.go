package matching

import (
	"strings"

	"touchstone/internal/record"
	"touchstone/matching/block"
)

// Key is one blocking key; see block.Key for the rule that makes a pair a
// candidate.
type Key = block.Key

// KeyCap is the longest posting list that is scanned.
const KeyCap = 100

// MaxKeys bounds the keys of one record.
const MaxKeys = 24

// Keys lists the blocking keys, sorted, without repeats, at most MaxKeys.
func (f *Features) Keys() []Key { return f.keys().Keys(MaxKeys) }

// keys collects them.
func (f *Features) keys() *block.Builder {
	b := block.New(f.entity)
	for _, id := range f.ids {
		b.Add("id", id.Value, id.Scheme)
		if len(id.Value) >= 6 { // a typo in either half leaves the other
			b.Add("id-head", id.Value[:len(id.Value)/2+1], "")
			b.Add("id-tail", id.Value[len(id.Value)/2:], "")
		}
	}
	narrow := f.narrow()
	for _, p := range f.phones {
		b.AddValue("phone", lastDigits(p.tail, 8), narrow)
	}
	for i := range f.emails {
		f.emailKeys(b, &f.emails[i], narrow)
	}
	for _, w := range f.webs {
		f.domainKey(b, w, narrow)
	}
	switch f.entity {
	case record.Company:
		f.companyKeys(b)
	case record.Person:
		f.personKeys(b)
	}
	for i := range f.places {
		f.placeKeys(b, &f.places[i], narrow)
	}
	return b
}

// mostKeys is at least the number of keys that Keys adds before it cuts.
func (f *Features) mostKeys() int {
	n := 3*len(f.ids) + len(f.phones) + 6*len(f.emails) + len(f.webs) + 4*len(f.places)
	switch f.entity {
	case record.Company:
		for i := range f.orgs {
			n += 4 + len(f.orgs[i].Readings)
		}
	case record.Person:
		n += 1 + len(f.humans)*(3+5+4+len(f.places))
	}
	return n
}

// SharedKey lists the keys of a that b has too, for explanation.
func SharedKey(a, b *Features) []Key { return block.Shared(a.Keys(), b.Keys()) }

// narrow is what most often tells the holders of a shared value apart: a short
// form of the name, the same for both orders of a person's.
func (f *Features) narrow() string {
	if len(f.orgs) > 0 && f.entity == record.Company {
		return prefix(f.orgs[0].Roman, 4)
	}
	if len(f.humans) > 0 {
		a, b := prefix(f.humans[0].GivenRoman, 1), prefix(f.humans[0].FamilyRoman, 1)
		return min(a, b) + max(a, b)
	}
	return ""
}

func (f *Features) emailKeys(b *block.Builder, e *email, narrow string) {
	b.AddValue("email", e.local+"@"+e.domain, narrow)
	if e.role && !e.free || f.entity == record.Company {
		if !e.free {
			f.domainKey(b, e.domain, narrow)
		}
		return
	}
	b.Add("local", e.local, narrow)
	if !e.free && len(f.humans) > 0 {
		b.Add("domain-name", e.domain+" "+narrow, "")
	}
	if n := len(e.local); n >= 8 {
		b.Add("local-head", e.local[:n/2], narrow)
		b.Add("local-tail", e.local[n-n/2:], narrow)
	}
}

// domainKey counts the names on a company's domain. That many persons are on one
// says nothing.
func (f *Features) domainKey(b *block.Builder, domain, narrow string) {
	if f.entity == record.Company {
		b.AddValue("domain", domain, narrow)
	} else {
		b.Add("domain", domain, narrow)
	}
}

func (f *Features) companyKeys(b *block.Builder) {
	for i := range f.orgs {
		o := &f.orgs[i]
		fine := f.where(o.Place)
		trade := strings.ReplaceAll(o.Trade, " ", "")
		b.Add("name", o.Roman, trade+"|"+fine)
		for _, r := range o.Readings { // 长行 is Changhang to one, Zhangxing to another
			b.Add("name", r, trade+"|"+fine)
		}
		full := skeleton(string(o.full))
		b.Add("name-full", full, fine)
		if n := len(full); n >= 8 {
			b.Add("name-head", full[:6], fine)
			b.Add("name-tail", full[n-6:], fine)
		}
	}
}

// where is a coarse place for a fine key: the name's own place, or the city.
func (f *Features) where(named string) string {
	if named != "" {
		return named
	}
	if len(f.places) > 0 {
		return f.places[0].City
	}
	return ""
}

func (f *Features) personKeys(b *block.Builder) {
	ym, md := "", ""
	if d := f.birth.text; len(d) == 10 {
		ym, md = d[:7], d[:4]+d[8:]
	}
	for i := range f.humans {
		h := &f.humans[i]
		first, second := min(h.GivenRoman, h.FamilyRoman), max(h.GivenRoman, h.FamilyRoman)
		both := first != "" && second != ""
		if both {
			b.Add("name", first+" "+second, cmpOr(prefix(f.birth.text, 4), f.where("")))
			b.Add("initials-birth-year", prefix(first, 1)+prefix(second, 1)+" "+prefix(f.birth.text, 4), md)
			b.Add("skeleton", skeleton(prefix(first, 4))+" "+skeleton(prefix(second, 4)), f.where(""))
			for _, name := range h.otherNames() {
				b.Add("name", name, cmpOr(prefix(f.birth.text, 4), f.where("")))
			}
		}
		if ym != "" {
			for _, n := range [...]string{h.GivenRoman, h.FamilyRoman} {
				if n != "" {
					b.Add("birth-month-name", ym+" "+prefix(n, 3), f.birth.text)
					b.Add("year-day-name", md+" "+prefix(n, 3), f.birth.text)
				}
			}
		}
		for _, p := range f.places {
			if p.Postcode != "" && h.FamilyRoman != "" {
				b.Add("family-postcode", prefix(h.FamilyRoman, 4)+" "+p.Postcode, h.GivenRoman)
			}
		}
	}
	if f.birth.text != "" {
		b.Add("birth", f.birth.text, f.narrow())
	}
}

// otherNames are a Chinese name by its further readings, each in the one order
// that keys have.
func (h *human) otherNames() []string {
	var out []string
	add := func(given, family string) {
		if given != "" && family != "" && len(out) < 5 {
			out = append(out, min(given, family)+" "+max(given, family))
		}
	}
	for _, g := range h.GivenReadings {
		add(g, h.FamilyRoman)
	}
	for _, f := range h.Readings {
		add(h.GivenRoman, f)
	}
	return out
}

func (f *Features) placeKeys(b *block.Builder, p *place, narrow string) {
	b.AddValue("address", p.key(), narrow)
	if p.House != "" {
		street := prefix(squashed(p.Street), 5)
		b.Add("street", street+" "+p.House, p.City)
		if p.Postcode != "" {
			b.Add("postcode-house", p.Postcode+" "+p.House, narrow)
		}
	}
	if p.Postcode != "" {
		b.Add("postcode-name", p.Postcode+" "+narrow, "")
	}
}

func squashed(s string) string { return strings.ReplaceAll(s, " ", "") }

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func lastDigits(s string, n int) string { return s[max(0, len(s)-n):] }

// prefix is the first n runes.
func prefix(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// skeleton drops what typing varies: doubled letters, the e of ae, oe and ue,
// and vowels after the first letter. Text that is not ASCII passes.
func skeleton(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 {
			return s
		}
		if i > 0 && (c == s[i-1] || c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u') {
			continue
		}
		b = append(b, c)
	}
	if len(b) < 3 {
		return s
	}
	return string(b)
}
