package dedupe

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// value is a distinct value of a column, prepared for comparison.
type value struct {
	fold  string
	runes []rune // of fold without spaces
	toks  []token
	norm  float64 // length of the vector of token weights
	num   float64
	date  [3]int
	ok    bool // there is something to compare
}

// token is a word (or two neighbouring Chinese characters) with its weight.
type token struct {
	id     uint32
	weight float32
}

// prepared holds a column's values by code, and its words.
type prepared struct {
	meaning Meaning
	values  []value
	words   [][]rune // by token id
	marks   []bool   // whether the word is a mark of a series
	spread  []int32  // how many units hold the word
	holders []int32  // how many units hold the value
	filled  int
	lone    *loneWords // of a name that stands alone; else nil
}

// prepare standardises each distinct value once. Word weights are those of
// inverse document frequency over the units.
func prepare(c *Column, m Meaning, u *units) *prepared {
	p := &prepared{meaning: m, values: make([]value, c.values()), holders: make([]int32, c.values())}
	for _, r := range u.first {
		p.holders[c.code(r)]++
	}
	for code := range p.values {
		if s := c.value(uint32(code)); p.holders[code] > 0 && !blank(s) {
			p.values[code] = read(s, m)
			if p.values[code].ok {
				p.filled += int(p.holders[code])
			}
		}
	}
	if m == Text || m == LongText || m == List {
		p.tokenise()
	}
	return p
}

func read(s string, m Meaning) value {
	v := value{}
	switch m {
	case Figure:
		v.num, v.ok = figure(s)
		v.fold = strings.TrimSpace(s)
		return v
	case Date, Birth:
		d, _ := standardise.Date(s)
		if v.ok = len(d) == 10; v.ok {
			v.fold = d
			for i, part := range [3]string{d[:4], d[5:7], d[8:]} {
				v.date[i], _ = strconv.Atoi(part) // standardised: digits only
			}
		}
		return v
	case Email:
		l, d, _ := standardise.Email(s)
		if l != "" {
			v.fold = l + "@" + d
		}
	case Website:
		v.fold, _ = standardise.Site(s)
	case Phone:
		v.fold, _, _ = standardise.Phone(s, "")
	case Code, Number, Postcode, House:
		v.fold = strings.ReplaceAll(standardise.Fold(s), " ", "")
	default:
		v.fold = standardise.Fold(s)
	}
	v.runes = []rune(strings.ReplaceAll(v.fold, " ", ""))
	v.ok = v.fold != ""
	return v
}

// figure reads a number with any of the usual signs around it.
func figure(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	s = strings.TrimLeft(s, "$€£¥￥ ")
	if strings.Contains(s, ",") && strings.Count(s, ".") <= 1 {
		s = strings.ReplaceAll(s, ",", "")
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

func (p *prepared) tokenise() {
	ids := map[string]uint32{}
	for code := range p.values {
		v := &p.values[code]
		if !v.ok {
			continue
		}
		seen := map[uint32]bool{}
		for _, w := range splitWords(v.fold) {
			id, ok := ids[w]
			if !ok {
				id = uint32(len(p.words))
				ids[w] = id
				p.words = append(p.words, []rune(w))
				p.marks = append(p.marks, seriesMark([]rune(w)))
				p.spread = append(p.spread, 0)
			}
			if !seen[id] && len(v.toks) < maxTokens {
				seen[id] = true
				p.spread[id] += p.holders[code]
				v.toks = append(v.toks, token{id: id})
			}
		}
	}
	for code := range p.values {
		v := &p.values[code]
		for i := range v.toks {
			t := &v.toks[i]
			t.weight = float32(math.Log(1 + float64(p.filled)/float64(p.spread[t.id])))
			if n := len(p.words[t.id]); n == 1 && p.words[t.id][0] < 0x2e80 {
				t.weight /= 2 // an initial
			}
			v.norm += float64(t.weight) * float64(t.weight)
		}
		v.norm = math.Sqrt(v.norm)
		slices.SortFunc(v.toks, func(a, b token) int {
			return cmp.Or(cmp.Compare(b.weight, a.weight), slices.Compare(p.words[a.id], p.words[b.id]))
		})
	}
}

// softTokens is up to how many words a text's words are also compared letter by
// letter.
const softTokens = 16

// maxTokens bounds how many words of a value take part.
const maxTokens = 48

// splitWords gives the words of a folded text; a run of Chinese gives each two
// neighbouring characters.
func splitWords(s string) []string {
	var out []string
	for w := range strings.FieldsSeq(s) {
		if !standardise.HasHan(w) {
			out = append(out, w)
			continue
		}
		rs := []rune(w)
		for i := 0; i < len(rs); {
			j := i
			for j < len(rs) && unicode.Is(unicode.Han, rs[j]) == unicode.Is(unicode.Han, rs[i]) {
				j++
			}
			run := rs[i:j]
			if !unicode.Is(unicode.Han, run[0]) || len(run) == 1 {
				out = append(out, string(run))
			} else {
				for k := range len(run) - 1 {
					out = append(out, string(run[k:k+2]))
				}
			}
			i = j
		}
	}
	return out
}

// likeness is the cosine of two values' word weights, where a word that is
// nearly the same counts for most of itself, 0 to 1.
func (p *prepared) likeness(x, y *value) float64 {
	if x.norm == 0 || y.norm == 0 {
		return 0
	}
	if p.lone != nil {
		return p.likenessAlone(x, y)
	}
	var usedY [maxTokens]bool
	var left [maxTokens]int
	sum, open := 0.0, 0
	for i := range x.toks {
		hit := false
		for j := range y.toks {
			if !usedY[j] && x.toks[i].id == y.toks[j].id {
				usedY[j], hit = true, true
				sum += float64(x.toks[i].weight) * float64(y.toks[j].weight)
				break
			}
		}
		if !hit {
			left[open] = i
			open++
		}
	}
	if len(x.toks) > softTokens || len(y.toks) > softTokens {
		open = 0 // long texts have enough words that are written alike
	}
	for _, i := range left[:open] {
		best, at := 0.0, -1
		a := p.words[x.toks[i].id]
		for j := range y.toks {
			if usedY[j] {
				continue
			}
			if s := wordLikeness(a, p.words[y.toks[j].id]); s > 0 {
				if s *= float64(min(x.toks[i].weight, y.toks[j].weight)) * float64(min(x.toks[i].weight, y.toks[j].weight)); s > best {
					best, at = s, j
				}
			}
		}
		if at >= 0 {
			usedY[at] = true
			sum += best
		}
	}
	return min(sum/(x.norm*y.norm), 1)
}

// wordLikeness says how far one word may be the other mistyped or cut short.
func wordLikeness(a, b []rune) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	switch {
	case len(a) == 0 || a[0] >= 0x2e80:
		return 0
	case len(a) == 1:
		if a[0] == b[0] && !unicode.IsDigit(a[0]) {
			return 0.5 // an initial
		}
		return 0
	case unicode.IsDigit(a[0]) || unicode.IsDigit(b[0]):
		return 0 // another number is another number
	case len(a) >= 3 && slices.Equal(a, b[:len(a)]):
		return 0.8
	case len(a) >= 8 && compare.OSA(a, b, 2) <= 2:
		return 0.8
	case len(a) >= 4 && compare.OSA(a, b, 1) <= 1:
		return 0.8
	}
	return 0
}
