package standardise

import (
	"slices"
	"strings"
)

// Human is a person's name in its parts, all folded. Given and Family may each
// be empty. Roman forms are without spaces, Chinese by its usual reading;
// Readings are further readings of a Chinese family name, GivenReadings of the
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
	case f == "" && (strings.Contains(g, " ") || startsWithSurname(g)):
		return fullName(given)
	case g == "" && strings.Contains(f, " "):
		return fullName(family)
	}
	return made(g, f)
}

// person folds and drops titles.
func person(s string) string {
	s = Fold(s)
	if HasHan(s) {
		return squash(s)
	}
	for {
		head, rest, ok := strings.Cut(s, " ")
		if !ok || !latinTitle(head) {
			return s
		}
		s = rest
	}
}

func latinTitle(s string) bool {
	switch s {
	case "mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "mme", "mlle":
		return true
	}
	return false
}

func startsWithSurname(s string) bool {
	rs := []rune(s)
	return len(rs) >= 2 && HasHan(s) && (surnames()[string(rs[:1])] || len(rs) > 2 && surnames()[string(rs[:2])])
}

func fullName(s string) Human {
	if last, first, ok := strings.Cut(s, ","); ok && !HasHan(s) {
		if suffixClass(Fold(first)) == "" {
			return made(person(first), person(last))
		}
	}
	s = person(s)
	if HasHan(s) {
		rs := []rune(s)
		n := 1
		if len(rs) >= 3 && surnames()[string(rs[:2])] {
			n = 2
		}
		if len(rs) < 2 {
			return made("", s)
		}
		return made(string(rs[n:]), string(rs[:n]))
	}
	toks := strings.Fields(s)
	suffix := ""
	if n := len(toks); n > 2 {
		if suffix = suffixClass(toks[n-1]); suffix != "" {
			toks = toks[:n-1]
		}
	}
	if len(toks) == 0 {
		return Human{}
	}
	if len(toks) == 1 {
		return made(toks[0], "")
	}
	if given, family, ok := latinPinyin(slices.Clone(toks)); ok && suffix == "" {
		return made(given, family)
	}
	start := len(toks) - 1
	for start > 1 && particle(toks[start-1]) {
		start--
	}
	h := made(strings.Join(toks[:start], " "), strings.Join(toks[start:], " "))
	if suffix != "" {
		h.Suffix = suffix
	}
	return h
}

func particle(s string) bool {
	switch s {
	case "van", "von", "de", "der", "den", "di", "da", "del", "la", "le", "dos", "du", "bin", "al", "el", "ter", "zu", "st":
		return true
	}
	return false
}

func suffixClass(s string) string {
	switch s {
	case "jr", "junior", "jnr":
		return "jr"
	case "sr", "senior", "snr":
		return "sr"
	case "ii", "2nd":
		return "ii"
	case "iii", "3rd":
		return "iii"
	case "iv", "4th":
		return "iv"
	}
	return ""
}

func made(given, family string) Human {
	h := Human{Han: HasHan(given) || HasHan(family)}
	if h.Han {
		if hanTitle(given) {
			given = ""
		}
		h.Given, h.Family = given, family
		h.GivenRoman, h.FamilyRoman = Roman(given), Roman(family)
		h.GivenReadings = Readings(given)
		if r, ok := surnameReading(family); ok {
			if r != h.FamilyRoman {
				h.Readings = append(h.Readings, h.FamilyRoman)
			}
			h.FamilyRoman = r
		}
		if rs := []rune(family); len(rs) == 1 {
			for _, p := range Pinyin(rs[0]) {
				if p != h.FamilyRoman && !contains(h.Readings, p) && len(h.Readings) < 3 {
					h.Readings = append(h.Readings, p)
				}
			}
			if u := strings.Replace(h.FamilyRoman, "v", "u", 1); u != h.FamilyRoman && !contains(h.Readings, u) { // 吕 is Lü, Lv and Lu
				h.Readings = append(h.Readings, u)
			}
		}
		return h
	}
	if i := strings.LastIndexByte(family, ' '); i > 0 {
		if c := suffixClass(family[i+1:]); c != "" {
			h.Suffix, family = c, family[:i]
		}
	}
	if i := strings.LastIndexByte(given, ' '); i > 0 && h.Suffix == "" {
		if c := suffixClass(given[i+1:]); c != "" {
			h.Suffix, given = c, given[:i]
		}
	}
	if toks := strings.Fields(given); len(toks) == 2 && family != "" { // "Xiao Ming" of a Wang is one name
		if _, known := romanSurnames()[lyuWritten(squash(family))]; known && isPinyin(toks[0], 1) && isPinyin(toks[1], 1) {
			given = toks[0] + toks[1]
		}
	}
	h.Given, h.Middle, _ = strings.Cut(given, " ")
	h.Family = lyuWritten(family)
	h.GivenRoman, h.FamilyRoman = h.Given, squash(h.Family)
	return h
}
