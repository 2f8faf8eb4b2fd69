package dedupe

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"touchstone/matching/compare"
	"touchstone/matching/fit"
)

// evidence is one field that pairs are compared by.
type evidence struct {
	fit.Field
	start   []int32 // weights before anything is learnt, 1/1000 bit
	meaning Meaning
	column  *Column   // whose values it compares; nil for the fields of a model
	values  *prepared // of the column
	rare    *rarity   // the frequencies by which an exact agreement is adjusted; nil for none
	exact   uint8     // the levels 1…exact agree on the value itself
}

// textLevels are those of names and texts of several words.
func textLevels() []string {
	return []string{"missing", "same", "same words", "nearly same", "9/10 alike", "3/4 alike", "6/10 alike", "2/5 alike", "1/5 alike", "different"}
}

// Start weights of the kinds, by judgement: they serve until there is data, and
// then count as little data does.
func kindEvidence(name string, m Meaning) evidence {
	f := func(start []int32, exact uint8, levels ...string) evidence {
		return evidence{Field: fit.Field{Name: name, Levels: append([]string{"missing"}, levels...)}, start: append([]int32{0}, start...), exact: exact}
	}
	switch m {
	case Phone:
		return f([]int32{9000, 5000, 1500, phoneElsewhereWeight, -3000}, 1, "same", "one slip", "contained", "same, another place", "different")
	case Code, Number, Postcode, House:
		return f([]int32{9000, 5000, 1500, -3000}, 1, "same", "one slip", "contained", "different")
	case Email, Website:
		return f([]int32{11000, 6000, 2000, -2000}, 1, "same", "one slip", "same domain or start", "different")
	case Figure:
		return f([]int32{4000, 1500, 500, -3000}, 1, "same", "one off or 1 %", "5 %", "different")
	case Date, Birth:
		return f([]int32{9000, 6000, 2000, 500, -5000}, 1, "same", "a slip", "close", "same year", "different")
	case Category, Country, Region:
		return f([]int32{1500, -2000}, 1, "same", "different")
	}
	return evidence{Field: fit.Field{Name: name, Levels: textLevels()}, start: []int32{0, 9000, 8500, 8000, 7500, 6000, 4000, 1500, -500, -4500}, exact: 1}
}

// level compares two units by a column.
func (e *evidence) level(a, b int32) uint8 {
	ca, cb := e.column.code(a), e.column.code(b)
	x, y := &e.values.values[ca], &e.values.values[cb]
	if !x.ok || !y.ok {
		return 0
	}
	if ca == cb || x.fold == y.fold {
		return 1
	}
	switch e.values.meaning {
	case Phone:
		if l := codeLevel(x, y); l < phoneElsewhere {
			return l
		}
		return phoneElsewhere + 1
	case Code, Number, Postcode, House:
		return codeLevel(x, y)
	case Email, Website:
		return webLevel(x, y)
	case Figure:
		return figureLevel(x.num, y.num)
	case Date, Birth:
		return dateLevel(x, y)
	case Category, Country, Region:
		return 2
	}
	return e.values.textLevel(x, y)
}

func codeLevel(x, y *value) uint8 {
	n := min(len(x.runes), len(y.runes))
	switch {
	case n >= 4 && compare.OSA(x.runes, y.runes, 1) <= 1:
		return 2
	case n >= 4 && (strings.HasPrefix(x.fold, y.fold) || strings.HasPrefix(y.fold, x.fold) || strings.HasSuffix(x.fold, y.fold) || strings.HasSuffix(y.fold, x.fold)):
		return 3
	}
	return 4
}

func webLevel(x, y *value) uint8 {
	if compare.OSA(x.runes, y.runes, 2) <= 2 {
		return 2
	}
	lx, dx, _ := strings.Cut(x.fold, "@")
	ly, dy, _ := strings.Cut(y.fold, "@")
	if lx == ly || dx != "" && dx == dy {
		return 3
	}
	return 4
}

func figureLevel(x, y float64) uint8 {
	d, scale := math.Abs(x-y), max(math.Abs(x), math.Abs(y))
	whole := x == math.Trunc(x) && y == math.Trunc(y)
	switch {
	case d == 0:
		return 1
	case whole && d <= 1, !whole && d <= 0.01*scale:
		return 2
	case whole && scale < 10_000 && scale > 1000 && d <= 2, (!whole || scale >= 10_000) && d <= 0.05*scale:
		return 3
	}
	return 4
}

func dateLevel(x, y *value) uint8 {
	equal := 0
	for i := range x.date {
		if x.date[i] == y.date[i] {
			equal++
		}
	}
	switch {
	case x.date[0] == y.date[0] && x.date[1] == y.date[2] && x.date[2] == y.date[1], compare.OSA([]rune(x.fold), []rune(y.fold), 1) <= 1:
		return 2
	case equal == 2:
		return 3
	case x.date[0] == y.date[0]:
		return 4
	}
	return 5
}

func (p *prepared) textLevel(x, y *value) uint8 {
	n := min(len(x.runes), len(y.runes))
	if slices.Equal(x.runes, y.runes) || sameWords(x, y) {
		return 2
	}
	limit := 0
	switch {
	case n >= 12:
		limit = 2
	case n >= 4, n >= 3 && x.runes[0] >= 0x2e80:
		limit = 1
	}
	number, mark := otherNumber(x, y), p.otherMark(x, y)
	if limit > 0 && !number && !mark && compare.OSA(x.runes, y.runes, limit) <= limit {
		return 3
	}
	alike := p.likeness(x, y)
	if (p.meaning == Text || p.meaning == LongText) && p.lone == nil && n >= lettersFrom && alike < 0.9 && !number {
		alike = max(alike, lettersAlike(x.fold, y.fold))
	}
	if mark {
		alike = min(alike, partly)
	}
	if max(len(x.toks), len(y.toks)) <= 2 && n >= 3 && x.runes[0] < 0x2e80 && y.runes[0] < 0x2e80 {
		if j := compare.JaroWinkler(x.runes, y.runes); j > 0.75 {
			alike = max(alike, (j-0.7)/0.3*0.8)
		}
	}
	for i, least := range [...]float64{0.9, 0.75, 0.6, 0.4, 0.2} {
		if alike >= least {
			return uint8(4 + i)
		}
	}
	return 9
}

// lettersFrom is from how many runes on texts are compared by their letters too,
// lettersLeast from which share of common neighbours on that says something.
const (
	lettersFrom  = 10
	lettersLeast = 0.6
)

// lettersAlike is how far two texts are alike by their neighbouring letters: where
// many words have a slip, few are the same and those that are not weigh most, for
// nobody else has them; most neighbours are the same still.
func lettersAlike(a, b string) float64 {
	x, n := compare.BagOf(a)
	y, m := compare.BagOf(b)
	switch j, reaches := compare.PairsJaccardFrom(a, b, x, y, n, m, lettersLeast); {
	case !reaches:
		return 0
	case j >= 0.85:
		return 0.9
	case j >= 0.75:
		return 0.75
	case j >= 0.65:
		return 0.6
	}
	return 0.4
}

// sameWords says whether both have the same words in some order.
func sameWords(x, y *value) bool {
	if len(x.toks) != len(y.toks) || len(x.toks) == 0 {
		return false
	}
	for i := range x.toks { // sorted alike
		if x.toks[i].id != y.toks[i].id {
			return false
		}
	}
	return true
}

// partly is the most that two of a series are alike: just below 3/4.
const partly = 0.74

// otherMark says whether each text has a mark of a series that the other has
// not: a number, a Roman one, or a point of the compass. Little Learners II and
// III are two, and so are House East and House West.
func (p *prepared) otherMark(x, y *value) bool {
	lacks := func(x, y *value) bool {
		for i := range x.toks {
			if p.marks[x.toks[i].id] && !slices.ContainsFunc(y.toks, func(t token) bool { return t.id == x.toks[i].id }) {
				return true
			}
		}
		return false
	}
	return lacks(x, y) && lacks(y, x)
}

func seriesMark(w []rune) bool {
	switch string(w) {
	case "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "east", "west", "north", "south":
		return true
	}
	for _, r := range w {
		if r < '0' || r > '9' {
			return false
		}
	}
	return len(w) > 0
}

// otherNumber says whether both texts hold numbers, and different ones: two
// parts of one series are no slips of one another.
func otherNumber(x, y *value) bool {
	v, w := fromDigit(x.runes), fromDigit(y.runes)
	if len(v) == 0 || len(w) == 0 {
		return false
	}
	for len(v) > 0 && len(w) > 0 && v[0] == w[0] {
		v, w = fromDigit(v[1:]), fromDigit(w[1:])
	}
	return len(v) > 0 || len(w) > 0
}

// fromDigit is what begins with the first digit; nothing where there is none.
func fromDigit(runes []rune) []rune {
	i := slices.IndexFunc(runes, unicode.IsDigit)
	if i < 0 {
		return nil
	}
	return runes[i:]
}
