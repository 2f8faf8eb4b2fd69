package matching

import (
	"cmp"
	"strings"
	"sync"
	"unicode/utf8"

	"touchstone/internal/record"
	"touchstone/matching/block"
	"touchstone/matching/compare"
)

// Key is one blocking key; see block.Key for the rule that makes a pair a
// candidate.
type Key = block.Key

// KeyCap is the longest posting list that is scanned.
const KeyCap = 100

// MaxKeys bounds the keys of one record. Of an entity type of one's own those of
// what is written alike come on top.
const (
	MaxKeys    = 24
	MaxOwnKeys = MaxKeys + alikeBands + alikeTextBands
)

// Keys lists the blocking keys that an entity type starts with, sorted, without
// repeats, at most MaxKeys, or MaxOwnKeys. Model.Keys are those of a model.
func (f *Features) Keys() []Key { return f.namedKeys(MaxKeys, 0) }

func (f *Features) namedKeys(limit int, only block.RuleSet) []Key {
	k := keyMaker{b: block.BuildNamed(f.seeds(), limit), only: only}
	k.all(f)
	return k.b.Keys()
}

// KeyHash is a key without its text.
type KeyHash = block.KeyHash

// AppendKeys appends what Keys gives, in the same order, without the texts.
func (f *Features) AppendKeys(dst []KeyHash) []KeyHash { return f.appendKeys(dst, 0) }

func (f *Features) appendKeys(dst []KeyHash, only block.RuleSet) []KeyHash {
	k := keyMaker{b: block.Build(dst, f.seeds(), MaxKeys), only: only}
	k.all(f)
	return k.b.Hashes()
}

var (
	companySeeds = sync.OnceValue(func() *block.Seeds { return block.SeedsOf(record.Company) })
	personSeeds  = sync.OnceValue(func() *block.Seeds { return block.SeedsOf(record.Person) })
)

func (f *Features) seeds() *block.Seeds {
	switch f.kind() {
	case kindCompany:
		return companySeeds()
	case kindPerson:
		return personSeeds()
	}
	return block.SeedsOf(f.Entity())
}

// keyMaker makes the keys of one record. Texts are put together in its room.
type keyMaker struct {
	b       block.Builder
	only    block.RuleSet // chosen by a model; empty: those to start with
	room    [160]byte
	short   [32]byte
	company bool
	person  bool
	// narrow is what most often tells the holders of a shared value apart.
	narrow [2]string
}

func (k *keyMaker) all(f *Features) {
	k.b.Only(k.only)
	k.company, k.person = f.kind() == kindCompany, f.kind() == kindPerson
	for i := range k.wanted(f.count(ids), idRules, 3) {
		x := f.id(i)
		v := x.value()
		k.b.Add(block.ID, k.text(v), x.scheme())
		if len(v) >= 6 { // a typo in either half leaves the other
			k.b.Add(block.IDHead, k.text(v[:len(v)/2+1]))
			k.b.Add(block.IDTail, k.text(v[len(v)/2:]))
		}
	}
	k.narrow = f.narrow()
	own := !k.company && !k.person
	if own {
		k.ownNumbers(f)
	}
	for i := range k.wanted(f.count(phones), 1<<block.Phone, 1) {
		k.b.AddValue(block.Phone, k.text(phoneKey(f.phone(i))), k.narrow[:]...)
	}
	for i := range k.wanted(f.count(emails), emailRules, 5) {
		k.email(f, f.email(i))
	}
	for i := range k.wanted(f.count(webs), 1<<block.Domain, 1) {
		k.domain(f.web(i))
	}
	switch {
	case k.company:
		k.names(f)
	case k.person:
		k.humans(f)
	default:
		k.ownNames(f)
	}
	for i := range k.wanted(f.count(places), placeRules, 4) {
		k.place(f.place(i))
	}
	if own {
		k.ownDates(f)
	}
	if own && k.only == 0 || k.only.Has(block.Alike) {
		k.b.More(MaxOwnKeys - MaxKeys)
		k.alikes(f)
	}
}

func (k *keyMaker) text(s string) []byte { return append(k.room[:0], s...) }

func (k *keyMaker) two(a, between, b string) []byte {
	return append(append(append(k.room[:0], a...), between...), b...)
}

// narrowed puts the short name behind a text.
func (k *keyMaker) narrowed(s string) []byte {
	return append(k.two(s, " ", k.narrow[0]), k.narrow[1]...)
}

func phoneKey(number string) string {
	t := phoneTail(number)
	return t[max(0, len(t)-8):]
}

// mostKeys is at least the number of keys that Keys adds before it cuts.
func (f *Features) mostKeys() int {
	n := 3*f.count(ids) + f.count(phones) + 6*f.count(emails) + f.count(webs) + 4*f.count(places)
	switch f.kind() {
	case kindCompany:
		for i := range f.count(orgs) {
			n += 4
			for rest := f.org(i).readings(); rest != ""; n++ {
				_, rest = cutWord(rest)
			}
		}
	case kindPerson:
		n += 1 + f.count(humans)*(3+5+4+f.count(places))
	default:
		n += MaxOwnKeys + 1 // there may be any number
	}
	return n
}

// cutWord takes the first word off words parted by single spaces.
func cutWord(s string) (word, rest string) {
	for i := range len(s) {
		if s[i] == ' ' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// narrow is a short form of the name, the same for both orders of a person's, in
// two parts.
func (f *Features) narrow() (parts [2]string) {
	if f.kind() == kindOther {
		parts[0] = f.ownNarrow()
	} else if f.kind() == kindCompany && f.count(orgs) > 0 {
		parts[0] = compare.Prefix(f.org(0).roman(), 4)
	} else if f.count(humans) > 0 {
		h := f.human(0)
		x, y := compare.Prefix(h.givenRoman(), 1), compare.Prefix(h.familyRoman(), 1)
		parts = [2]string{min(x, y), max(x, y)}
	}
	return parts
}

func (k *keyMaker) email(f *Features, e email) {
	k.b.AddValue(block.Email, k.text(e.whole()), k.narrow[:]...)
	if e.role() && !e.free() || k.company {
		if !e.free() {
			k.domain(e.domain())
		}
		return
	}
	local := e.local()
	k.b.Add(block.Local, k.text(local), k.narrow[:]...)
	if !e.free() && f.count(humans) > 0 {
		k.b.Add(block.DomainName, k.narrowed(e.domain()))
	}
	if n := len(local); n >= 8 {
		k.b.Add(block.LocalHead, k.text(local[:n/2]), k.narrow[:]...)
		k.b.Add(block.LocalTail, k.text(local[n-n/2:]), k.narrow[:]...)
	}
}

// domain counts the names on a company's domain. That many persons are on one
// says nothing.
func (k *keyMaker) domain(domain string) {
	if k.company {
		k.b.AddValue(block.Domain, k.text(domain), k.narrow[:]...)
	} else {
		k.b.Add(block.Domain, k.text(domain), k.narrow[:]...)
	}
}

// names makes the keys of a company's names.
func (k *keyMaker) names(f *Features) {
	var room [96]byte
	for i := range f.count(orgs) {
		o := f.org(i)
		fine := f.where(o.place())
		trade := o.text(orgSecond) // without spaces, but for a Chinese one
		if o.han() && strings.IndexByte(trade, ' ') >= 0 {
			trade = string(appendSquashed(nil, trade))
		}
		k.b.Add(block.Name, k.text(o.roman()), trade, "|", fine)
		for r, rest := cutWord(o.readings()); r != ""; r, rest = cutWord(rest) { // 长行 is Changhang to one, Zhangxing to another
			k.b.Add(block.Name, k.text(r), trade, "|", fine)
		}
		if !k.b.Wants(fullRules, 3) {
			continue
		}
		full := append(append(room[:0], o.roman()...), trade...)
		bones := appendSkeleton(k.room[:0], full)
		k.b.Add(block.NameFull, bones, fine)
		if n := len(bones); n >= 8 {
			k.b.Add(block.NameHead, bones[:6], fine)
			k.b.Add(block.NameTail, bones[n-6:], fine)
		}
	}
}

// where is a coarse place for a fine key: the name's own place, or the city.
func (f *Features) where(named string) string {
	if named != "" {
		return named
	}
	if f.count(places) > 0 {
		return f.place(0).city()
	}
	return ""
}

// humans makes the keys of a person's names and birth date.
func (k *keyMaker) humans(f *Features) {
	born := f.single(slotBirth)
	year := compare.Prefix(born, 4)
	for i := range f.count(humans) {
		h := f.human(i)
		given, family := h.givenRoman(), h.familyRoman()
		if given != "" && family != "" {
			k.bothNames(f, h, min(given, family), max(given, family), born)
		}
		if len(born) == 10 && k.b.Wants(birthNameRules, 4) {
			for _, n := range [...]string{given, family} {
				if n != "" {
					k.b.Add(block.BirthMonthName, k.two(born[:7], " ", compare.Prefix(n, 3)), born)
					k.b.Add(block.YearDayName, append(append(append(append(k.room[:0], year...), born[8:]...), ' '), compare.Prefix(n, 3)...), born)
				}
			}
		}
		for j := range k.wanted(f.count(places), 1<<block.FamilyPostcode, 1) {
			if post := f.place(j).postcode(); post != "" && family != "" {
				k.b.Add(block.FamilyPostcode, k.two(compare.Prefix(family, 4), " ", post), given)
			}
		}
	}
	k.b.Add(block.Birth, k.text(born), k.narrow[:]...)
}

// bothNames makes the keys of a given and a family name together, in the one
// order that keys have.
func (k *keyMaker) bothNames(f *Features, h human, first, second, born string) {
	year, where := compare.Prefix(born, 4), f.where("")
	k.b.Add(block.Name, k.two(first, " ", second), cmp.Or(year, where))
	k.initials(first, second, born)
	k.skeleton(first, second, where)
	if h.givenReadings() == "" && h.readings() == "" || !k.b.Wants(1<<block.Name, mostOtherNames) {
		return
	}
	n := 0 // and a Chinese name by its further readings
	for g, rest := cutWord(h.givenReadings()); g != ""; g, rest = cutWord(rest) {
		n += k.otherName(g, h.familyRoman(), n, cmp.Or(year, where))
	}
	for r, rest := cutWord(h.readings()); r != ""; r, rest = cutWord(rest) {
		n += k.otherName(h.givenRoman(), r, n, cmp.Or(year, where))
	}
}

// initials makes the key of both first letters and the year of birth.
func (k *keyMaker) initials(first, second, born string) {
	if !k.b.Wants(1<<block.InitialsBirthYear, 1) {
		return
	}
	year := compare.Prefix(born, 4)
	text := append(append(append(append(k.room[:0], compare.Prefix(first, 1)...), compare.Prefix(second, 1)...), ' '), year...)
	if len(born) == 10 {
		k.b.Add(block.InitialsBirthYear, text, year, born[8:])
	} else {
		k.b.Add(block.InitialsBirthYear, text)
	}
}

// skeleton makes the key of both names' first consonants.
func (k *keyMaker) skeleton(first, second, where string) {
	if k.b.Wants(1<<block.Skeleton, 1) {
		bones := append(appendSkeleton(k.room[:0], compare.Prefix(first, 4)), ' ')
		k.b.Add(block.Skeleton, append(bones, appendSkeleton(k.short[:0], compare.Prefix(second, 4))...), where)
	}
}

const mostOtherNames = 5

// otherName adds one more name where there are not enough, and says how many.
func (k *keyMaker) otherName(given, family string, n int, fine string) int {
	if given == "" || family == "" || n >= mostOtherNames {
		return 0
	}
	k.b.Add(block.Name, k.two(min(given, family), " ", max(given, family)), fine)
	return 1
}

func (k *keyMaker) place(p place) {
	if k.b.Wants(1<<block.Address, 1) {
		k.b.AddValue(block.Address, p.appendKey(k.room[:0]), k.narrow[:]...)
	}
	post := p.postcode()
	if house := p.house(); house != "" {
		street := append(appendRunes(k.room[:0], p.street(), 5), ' ')
		k.b.Add(block.Street, append(street, house...), p.city())
		if post != "" {
			k.b.Add(block.PostcodeHouse, k.two(post, " ", house), k.narrow[:]...)
		}
	}
	if post != "" {
		k.b.Add(block.PostcodeName, k.narrowed(post))
	}
}

// appendKey appends the text by which an address is counted: street, number and
// units in their town. An address without a street and a number is not one
// place, and has none.
func (p place) appendKey(b []byte) []byte {
	street, house := p.street(), p.house()
	if street == "" || house == "" {
		return b
	}
	b = append(append(appendSquashed(b, street), ' '), house...)
	b = append(append(append(b, ' '), p.units()...), '|')
	return append(b, cmp.Or(p.city(), p.postcode())...)
}

// appendRunes appends the first n runes that are no spaces.
func appendRunes(b []byte, s string, n int) []byte {
	for _, r := range s {
		if r == ' ' {
			continue
		}
		if n == 0 {
			break
		}
		b = utf8.AppendRune(b, r)
		n--
	}
	return b
}

// appendSkeleton drops what typing varies: doubled letters, the e of ae, oe and
// ue, and vowels after the first letter. Text that is not ASCII passes, and what
// would be shorter than three letters.
func appendSkeleton[T string | []byte](b []byte, s T) []byte {
	from := len(b)
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 {
			return append(b[:from], s...)
		}
		if i > 0 && (c == s[i-1] || c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u') {
			continue
		}
		b = append(b, c)
	}
	if len(b)-from < 3 {
		return append(b[:from], s...)
	}
	return b
}
