package matching

import (
	"errors"
	"fmt"
	"unsafe"
)

// FeaturesVersion names the form of features and keys that Standardise makes. A
// change of what it gives must change this: stored ones are then made again.
const FeaturesVersion = "features-7"

// featuresVersion is the first byte of the binary form. Bytes of another
// version are refused: features are derived and made again.
const featuresVersion = 7

// The binary form, which is also how features lie in memory: a head of atTable
// bytes; offsets of the texts from the start of the form, 16 bit, little endian,
// one more than there are texts; a byte of flags for each org, human, id and
// email; the texts. Texts of one value stand side by side in the order below.
const (
	atKind   = 1  // entity type
	atCounts = 2  // values of each section
	atFirst  = 9  // the first text of each section
	atSlots  = 16 // texts in all
	atTable  = 17

	maxForm = 1<<16 - 1
)

const (
	kindOther = iota
	kindCompany
	kindPerson
)

// section is a list of values.
type section int

const (
	orgs section = iota
	humans
	ids
	phones
	emails
	webs
	places
	sections
)

// Texts that a record has once.
const (
	slotCountry = iota
	slotEntity  // "" for companies and persons
	slotBirth
	slotLists // where those of the lists begin
)

// The texts of a value, by section.
const (
	orgFirst  = iota // Chinese: brand, trade, roman. Otherwise: roman, trade
	orgSecond        // without spaces, and brand and trade where they have any
	orgThird
	orgFourth
	orgForm
	orgPlace
	orgBranch
	orgReadings
	orgBags // of the first text and of the first two; none of a Chinese name
	orgWidth
)

const (
	humanGiven = iota
	humanMiddle
	humanFamily
	humanSuffix
	humanGivenRoman // "" where it is the name as written
	humanFamilyRoman
	humanReadings
	humanGivenReadings
	humanBags // of the given and the family name
	humanWidth
)

const (
	placeStreetText = iota
	placeHouse
	placeUnits
	placeDistrictText
	placeCityText
	_ // the region: shown, and part of no comparison
	placePostcodeText
	placeCountry
	placeWidth
)

const (
	idWidth    = 2
	phoneWidth = 1
	emailWidth = 3 // local part, @ and domain, the bag of both
	webWidth   = 1
)

const (
	flagHan        = 1 // of orgs and humans
	roleShift      = 1 // of orgs: the role in its group begins at this bit
	flagGivenSame  = 2
	flagFamilySame = 4
	flagNickname   = 8 // the given name stands for others, or others for it
	flagChecked    = 1 // of ids
	flagWrong      = 2
	flagFree       = 1 // of emails
	flagRole       = 2
)

// bagSize is a bag, little endian, and how many runes it is of. A text of
// manyRunes or more is counted again.
const (
	bagSize   = 9
	manyRunes = 255
)

// maxValues bounds how many values of one field take part, so that no record
// makes a comparison slow. The lists are sorted: the same ones stay.
const maxValues = 8

func widths() [sections]int {
	return [sections]int{orgWidth, humanWidth, idWidth, phoneWidth, emailWidth, webWidth, placeWidth}
}

var errFeatures = errors.New("features: not a valid binary form")

// DecodeFeatures reads what AppendBinary wrote, and refuses anything else. The
// features keep the bytes, which must not change afterwards.
func DecodeFeatures(b []byte) (*Features, error) {
	f, err := View(b)
	if err != nil {
		return nil, err
	}
	return &f, nil
}

// View is DecodeFeatures as a value: nothing is allocated.
func View(b []byte) (Features, error) {
	if len(b) == 0 || b[0] != featuresVersion {
		return Features{}, fmt.Errorf("%w: unknown version", errFeatures)
	}
	f := ViewTrusted(b)
	if !f.valid() {
		return Features{}, errFeatures
	}
	return f, nil
}

// ViewTrusted is View without its checks, for bytes that this process made with
// a Standardiser or AppendBinary: of any others the features panic when read.
func ViewTrusted(b []byte) Features {
	return Features{form: unsafe.String(unsafe.SliceData(b), len(b))} //nolint:gosec // the caller keeps the bytes as they are
}

// FirstTrusted is ViewTrusted of the first of several forms that stand one behind
// the other, and gives the others.
func FirstTrusted(b []byte) (first Features, others []byte) {
	end := atTable + 2*int(b[atSlots]) // where the last offset stands: the form's length
	n := int(b[end]) | int(b[end+1])<<8
	return ViewTrusted(b[:n]), b[n:]
}

// valid says whether every text lies within the form and is what readers take
// for granted.
func (f *Features) valid() bool {
	s := f.form
	if len(s) < atTable || s[atKind] > kindPerson {
		return false
	}
	next, flagged := slotLists, 0
	for i, w := range widths() {
		n := int(s[atCounts+i])
		if n > maxValues || int(s[atFirst+i]) != next {
			return false
		}
		next += n * w
		switch section(i) {
		case orgs, humans, ids, emails:
			flagged += n
		}
	}
	texts := atTable + 2*(next+1) + flagged
	if int(s[atSlots]) != next || len(s) < texts || len(s) > maxForm {
		return false
	}
	last := texts
	for i := atTable; i <= atTable+2*next; i += 2 {
		o := offsetAt(s, i)
		if o < last || i == atTable && o != texts {
			return false
		}
		last = o
	}
	return last == len(s) && f.readable()
}

// readable: a telephone number has a digit, a domain its @, a birth date its
// form, and bags are there.
func (f *Features) readable() bool {
	for i := range f.count(orgs) {
		if o := f.org(i); !o.han() && len(o.text(orgBags)) != 2*bagSize {
			return false
		}
	}
	for i := range f.count(humans) {
		if len(f.human(i).text(humanBags)) != 2*bagSize {
			return false
		}
	}
	for i := range f.count(phones) {
		if f.phone(i) == "" {
			return false
		}
	}
	for i := range f.count(emails) {
		e := f.email(i)
		if d := e.text(1); d == "" || d[0] != '@' || len(e.text(2)) != bagSize {
			return false
		}
	}
	d := f.single(slotBirth)
	if d == "" {
		return true
	}
	for i := range len(d) {
		if digit := d[i] >= '0' && d[i] <= '9'; digit == (i == 4 || i == 7) || !digit && d[i] != '-' {
			return false
		}
	}
	return len(d) == 10
}
