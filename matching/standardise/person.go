package standardise

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Human is a person's name in its parts, all folded. Given and Family may each
// be empty. Roman forms are without spaces, Chinese by its usual reading;
// Readings are further readings of a family name, GivenReadings of the
// given one.
type Human struct {
	Given, Middle, Family   string
	GivenRoman, FamilyRoman string
	Readings                []string
	GivenReadings           []string
	Suffix                  string // "jr", "sr", "ii" …
	Han                     bool
}

// Name takes a person's name from its parts, or from the full name where the
// parts are missing or one of them holds everything.
func Name(given, family, full string) Human {
	g, f := person(given), person(family)
	switch {
	case g == "" && f == "":
		return fullName(full)
	case f == "" && (strings.IndexByte(g, ' ') >= 0 || startsWithSurname(g)):
		return fullName(given)
	case g == "" && startsWithSurname(f) && !surnames()[f]: // 张伟, but 欧阳 is a family name alone
		return fullName(family)
	case g == "" && strings.IndexByte(f, ' ') >= 0:
		return fullName(family)
	}
	return made(g, f)
}

// person folds and drops titles, before and behind, and a name at birth.
func person(s string) string {
	s = Fold(s)
	switch {
	case HasHan(s):
		return withoutHanTitle(squash(s))
	case strings.IndexByte(s, ' ') < 0:
		return s
	}
	return withoutDegrees(cutBirthName(withoutTitles(s)))
}

func startsWithSurname(s string) bool {
	if s == "" || s[0] < 0x80 || !HasHan(s) {
		return false
	}
	return surnameLen(s) > 0
}

// surnameLen is the length in bytes of the family name that a Chinese name of
// two characters or more begins with, 0 when none is known.
func surnameLen(s string) int {
	_, first := utf8.DecodeRuneInString(s)
	_, second := utf8.DecodeRuneInString(s[first:])
	switch {
	case second == 0:
		return 0
	case len(s) > first+second && surnames()[s[:first+second]]:
		return first + second
	case surnames()[s[:first]]:
		return first
	}
	return 0
}

func fullName(s string) Human {
	if last, first, ok := strings.Cut(s, ","); ok && !HasHan(s) {
		if p := person(first); suffixClass(p) == "" && !degree(p) && p != "" {
			return made(p, person(last))
		}
	}
	written := s
	s = person(s)
	if HasHan(s) {
		latin, han := scriptsOf(s)
		switch {
		case latin == "":
		case startsWithSurname(han): // 李雷 Li Lei: the same name twice, or a further one
			s = han
		case surnames()[han]: // David 王
			return made(latin, han)
		}
		_, one := utf8.DecodeRuneInString(s)
		if len(s) == one {
			return made("", s)
		}
		n := surnameLen(s)
		if n == 0 {
			n = one
		}
		return made(s[n:], s[:n])
	}
	var buf [12]string
	toks := appendFields(buf[:0], s)
	suffix := ""
	if n := len(toks); n > 2 {
		if suffix = suffixClass(toks[n-1]); suffix != "" {
			toks = toks[:n-1]
		}
	}
	switch len(toks) {
	case 0:
		return Human{}
	case 1:
		if familyTitle(written) { // "Mr Smith"
			return made("", toks[0])
		}
		return made(toks[0], "")
	case 3:
		if patronymic(toks[2]) && !patronymic(toks[1]) { // Иванов Иван Иванович
			return made(toks[1]+" "+toks[2], toks[0])
		}
	}
	if suffix == "" {
		if given, family, ok := latinChinese(toks); ok {
			return made(given, family)
		}
	}
	start := len(toks) - 1
	for start > 1 && particle(toks[start-1]) {
		start--
	}
	h := made(joinedWords(toks[:start]), joinedWords(toks[start:]))
	if suffix != "" {
		h.Suffix = suffix
	}
	return h
}

// made makes the parts of two folded names.
func made(given, family string) Human {
	if (given != "" && given[0] >= 0x80 || family != "" && family[0] >= 0x80 || len(given) > 3 || len(family) > 3) && (HasHan(given) || HasHan(family)) {
		return madeHan(given, family)
	}
	h := Human{}
	if i := strings.LastIndexByte(family, ' '); i > 0 {
		if c := suffixClass(family[i+1:]); c != "" {
			h.Suffix, family = c, family[:i]
		}
	}
	if i := strings.LastIndexByte(given, ' '); i > 0 {
		if c := suffixClass(given[i+1:]); c != "" && h.Suffix == "" {
			h.Suffix, given = c, given[:i]
		}
	}
	if family != "" && given != "" && maybeChinese(family) {
		given, h.GivenReadings = chineseGiven(given, family)
	}
	h.Given, h.Middle, _ = strings.Cut(given, " ")
	h.Family = lyuWritten(family)
	h.GivenRoman, h.FamilyRoman = h.Given, squash(h.Family)
	if h.FamilyRoman != "" && h.FamilyRoman[0] >= 0x80 || h.GivenRoman != "" && h.GivenRoman[0] >= 0x80 {
		h.GivenRoman, h.FamilyRoman = latinized(h.GivenRoman), latinized(h.FamilyRoman)
	}
	return h
}

func madeHan(given, family string) Human {
	h := Human{Han: true}
	if hanTitle(given) {
		given = ""
	}
	h.Given, h.Family = given, family
	h.GivenRoman = Roman(given)
	h.GivenReadings = Readings(given)
	h.FamilyRoman, h.Readings = familyReadings(family)
	return h
}

// familyReadings gives the reading of a Chinese family name and its further
// ones.
func familyReadings(family string) (roman string, further []string) {
	if r, ok := surnameRomans()[family]; ok {
		return r.roman, slices.Clip(r.further)
	}
	return readFamily(family)
}

// maxFurther bounds the further readings of a family name.
const maxFurther = 3

func readFamily(family string) (roman string, further []string) {
	roman = Roman(family)
	if r, ok := surnameReading(family); ok {
		if r != roman {
			further = append(further, roman)
		}
		roman = r
	}
	add := func(list []string, most int) {
		for _, p := range list {
			if p != roman && !slices.Contains(further, p) && len(further) < most {
				further = append(further, p)
			}
		}
	}
	r, n := utf8.DecodeRuneInString(family)
	single := n == len(family) && n > 0
	if single {
		add(otherReadings()[r], maxFurther)
	}
	if u := strings.Replace(roman, "v", "u", 1); u != roman { // 吕 is Lü, Lv and Lu
		add([]string{u}, maxFurther)
	}
	add(southernReadings()[family], maxFurther)
	if single && len(further) == 0 {
		add(Pinyin(r), maxFurther)
	}
	return roman, further
}

// maybeChinese is quick: most family names of the world begin as no Chinese one.
func maybeChinese(family string) bool {
	if len(family) < 2 || len(family) > 14 {
		return false
	}
	a, b := family[0]-'a', family[1]-'a'
	return a < 26 && b < 26 && surnameHeads()[a]>>b&1 != 0
}

var surnameHeads = sync.OnceValue(func() *[26]uint32 {
	var heads [26]uint32
	heads['l'-'a'] |= 1 << ('y' - 'a') // Lyu
	heads['n'-'a'] |= 1 << ('y' - 'a')
	for s := range romanSurnames() {
		if len(s) > 1 {
			heads[s[0]-'a'] |= 1 << (s[1] - 'a')
		}
	}
	return &heads
})

// chineseGiven joins the syllables of a Chinese given name in Latin letters, and
// reads one that is not spelt in pinyin: "Xiao Ming" of a Wang, "Tai Man" of a
// Chan. Another name behind them stays.
func chineseGiven(given, family string) (name string, readings []string) {
	rank, known := romanSurnames()[lyuWritten(squash(family))]
	if !known {
		return given, nil
	}
	first, rest, _ := strings.Cut(given, " ")
	second, behind, _ := strings.Cut(rest, " ")
	switch {
	case second == "":
		if rank.pinyin > 0 && isPinyin(first, 2) {
			return given, nil
		}
		return given, speltReadings(first)
	case behind == "" && rank.pinyin > 0 && isPinyin(first, 1) && isPinyin(second, 1):
		return first + second, nil
	case spelt(first + second):
		first += second
		rest = behind
	}
	if rank.pinyin == 0 || !isPinyin(first, 2) {
		readings = speltReadings(first)
	}
	if rest == "" {
		return first, readings
	}
	return first + " " + rest, readings
}
