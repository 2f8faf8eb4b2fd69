package standardise

import (
	"strings"
	"sync"
	"unicode"
)

// latinLine reads a street line in Latin (or Greek, or Cyrillic) letters: the
// number may stand before the street or after it.
func (a *Address) latinLine(line string) {
	var buf, streetBuf [24]string
	var numBuf, unitBuf [8]string
	toks := appendFields(buf[:0], Fold(line))
	street, nums, units := streetBuf[:0], numBuf[:0], unitBuf[:0]
	saint := false
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		next := ""
		if i+1 < len(toks) {
			next = toks[i+1]
		}
		switch {
		case boxWords(toks[i:]) > 0:
			i += boxWords(toks[i:]) - 1
			street = append(street, "po", "box")
		case floorWord(next) && hasDigit(t) && (ordinal(t) || i+2 >= len(toks) || !hasDigit(toks[i+2])): // "5th floor", not "7, floor 5"
			units = append(units, leadingNumber(t))
			i++
		case t == "#" || unitWord(t):
			if hasDigit(next) || len(next) == 1 {
				units = append(units, next)
				i++
			}
		case hasDigit(t) && !ordinal(t):
			if i+2 == len(toks) && len(next) == 1 && next[0] >= 'a' && next[0] <= 'h' && isDigit(t[len(t)-1]) { // "26 a"
				t += next
				i++
			}
			nums = append(nums, t)
		default:
			street = append(street, streetWord(t))
			saint = saint || t == "st" && len(street) == 1
		}
	}
	if len(street) > 1 && saint { // "St James St"; "Straße des 17. Juni" has none
		street[0] = "saint"
	}
	a.Street = joinedWords(street)
	a.setNumbers(append(nums, units...))
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
		if s[i] >= 0x80 {
			return strings.ContainsFunc(s, unicode.IsDigit)
		}
	}
	return false
}

// leadingNumber takes the ending off "5th".
func leadingNumber(s string) string {
	if n := leadingDigits(s); n > 0 {
		return s[:n]
	}
	return s
}

// boxWords is how many words say that a post office box follows.
func boxWords(toks []string) int {
	switch {
	case len(toks) > 2 && toks[0] == "p" && toks[1] == "o" && toks[2] == "box":
		return 3
	case len(toks) > 1 && toks[0] == "po" && toks[1] == "box":
		return 2
	case len(toks) > 1 && hasDigit(toks[1]):
		switch toks[0] {
		case "pobox", "postfach", "postbus", "apartado", "casilla", "postboks":
			return 1
		}
	}
	return 0
}

// ordinal: "2nd Place" is a name, not a number.
func ordinal(s string) bool {
	if len(s) <= 2 {
		return false
	}
	switch s[len(s)-2:] {
	case "st", "nd", "rd", "th":
		return true
	}
	return false
}

func floorWord(s string) bool {
	switch s {
	case "floor", "fl", "etage", "stock", "og", "piso", "planta", "piano", "этаж":
		return true
	}
	return false
}

func unitWord(s string) bool {
	switch s {
	case "apt", "apartment", "suite", "ste", "unit", "flat", "fl", "floor", "room", "rm", "no", "nr", "building", "bldg", "po", "box", "level", "lvl",
		"appt", "appartement", "etage", "wohnung", "whg", "zimmer", "piso", "planta", "oficina", "bureau", "interno", "scala",
		"д", "дом", "кв", "квартира", "оф", "офис", "корп", "корпус", "стр", "строение", "этаж":
		return true
	}
	return false
}

var streetWords = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, line := range []string{
		"st: street str strasse straat", "ave: avenue av avenida avda avd", "rd: road", "dr: drive drv", "ln: lane", "blvd: boulevard bd boul bulevar", "ct: court crt", "pl: place plaza platz", "pkwy: parkway", "gdns: gardens garden",
		"ter: terrace terr tce", "sq: square", "cres: crescent cr", "hwy: highway", "cl: close", "cir: circle circuit cct", "n: north", "s: south", "e: east", "w: west", "saint: ste", "r: rue",
		"ne: northeast", "nw: northwest", "se: southeast", "sw: southwest", "trl: trail", "expy: expressway", "fwy: freeway", "aly: alley", "hts: heights", "mt: mount", "ft: fort", "way: wy",
		"imp: impasse", "ch: chemin", "fbg: faubourg", "rte: route", "ctra: carretera", "cno: camino", "pso: paseo", "pza: piazza praca", "cso: corso", "vle: viale",
		"ul: ulica", "al: aleja", "ул: улица", "пр: проспект просп пркт", "пер: переулок", "пл: площадь", "ш: шоссе", "бул: бульвар", "наб: набережная",
	} {
		one, forms, _ := strings.Cut(line, ": ")
		for f := range strings.FieldsSeq(forms) {
			m[Fold(f)] = Fold(one)
		}
	}
	return m
})

// streetWord gives the standard word; of German and Dutch compounds the end:
// bergstraße, bergstr → bergst.
func streetWord(t string) string {
	if w, ok := streetWords()[t]; ok {
		return w
	}
	if len(t) < 6 {
		return t
	}
	switch t[len(t)-1] {
	case 'e', 'r', 't':
		for _, end := range [...]string{"strasse", "straat", "str"} {
			if head, ok := strings.CutSuffix(t, end); ok && len(head) >= 3 {
				return head + "st"
			}
		}
	}
	return t
}
