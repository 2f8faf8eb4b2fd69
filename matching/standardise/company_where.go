package standardise

import (
	"cmp"
	"iter"
	"strings"
	"sync"
)

// Countries as they stand at the end of a company's name or in brackets within
// it: the ISO 3166 code, and Hong Kong, Macau and Taiwan as Chinese names have
// them. Spelled as in English, by the country and by its neighbours.
const countryWords = `GB: uk; great britain; united kingdom
US: usa; america; united states; united states of america
DE: deutschland; germany; allemagne; alemania; germania
FR: france; frankreich; francia
IT: italia; italy; italien; italie; italiana
ES: espana; spain; spanien; espagne; espanola
PT: portugal
NL: nederland; netherlands; holland; niederlande
BE: belgium; belgie; belgique; belgien
LU: luxembourg; luxemburg
AT: austria; osterreich; oesterreich; autriche
CH: schweiz; suisse; svizzera; switzerland
SE: sweden; sverige; schweden
NO: norway; norge; norwegen
DK: denmark; danmark; danemark
FI: finland; suomi; finnland
IE: ireland; irland
PL: poland; polska; polen
CZ: czech republic; czechia; cesko; ceska republika; tschechien
SK: slovakia; slovensko; slowakei
HU: hungary; magyarorszag; ungarn
RO: romania; rumanien
BG: bulgaria; bulgarien
GR: greece; hellas; griechenland
HR: croatia; hrvatska
SI: slovenia; slovenija
RS: serbia; srbija
EE: estonia; eesti
LV: latvia; latvija
LT: lithuania; lietuva
UA: ukraine; ukraina
RU: russia; rossiya
TR: turkiye
AE: uae; united arab emirates
SA: saudi arabia
QA: qatar
KW: kuwait
EG: egypt
MA: morocco; maroc
TN: tunisia; tunisie
DZ: algeria; algerie
ZA: south africa
NG: nigeria
KE: kenya
GH: ghana
CN: china; prc
香港: hong kong; hongkong
澳门: macau; macao
台湾: taiwan
JP: japan
KR: korea; south korea
SG: singapore
MY: malaysia
TH: thailand
VN: vietnam; viet nam
ID: indonesia
PH: philippines
IN: india
PK: pakistan
BD: bangladesh
LK: sri lanka
AU: australia
NZ: new zealand
CA: canada
MX: mexico
BR: brasil; brazil; brasilien
AR: argentina
CL: chile
CO: colombia
PE: peru
UY: uruguay`

// bracketCountries are words of other meaning, or too short to stand without
// brackets.
const bracketCountries = `US: us; u s
GB: gb; u k
TR: turkey
IL: israel
GE: georgia
JO: jordan
NZ: nz
香港: hk
SG: sg
EU: europe; eu
EMEA: emea`

type placeTable struct {
	at      map[string]string // by words without spaces
	last    map[string]int    // most words of those that end in a word
	bracket map[string]string // those in brackets only
}

var countryPlaces = sync.OnceValue(func() *placeTable {
	t := &placeTable{at: map[string]string{}, last: map[string]int{}, bracket: map[string]string{}}
	for name, code := range placeNames(countryWords) {
		words := strings.Fields(name)
		t.at[squash(name)] = code
		last := words[len(words)-1]
		t.last[last] = max(t.last[last], len(words))
	}
	for name, code := range placeNames(bracketCountries) {
		t.bracket[squash(name)] = code
	}
	return t
})

// placeNames gives the names of a table, each with its code.
func placeNames(table string) iter.Seq2[string, string] {
	return func(yield func(name, code string) bool) {
		for line := range strings.Lines(table) {
			code, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
			for name := range strings.SplitSeq(names, "; ") {
				if !yield(name, code) {
					return
				}
			}
		}
	}
}

// cutPlace takes a country off the end of a name without its legal form: "Acme
// UK". Where it belongs to what stands before it, it stays: Air France, Bank of
// China, New Mexico.
func (n nameTokens) cutPlace(o *Org) nameTokens {
	k := len(n.toks)
	if k < 2 || o.Place != "" {
		return n
	}
	t := countryPlaces()
	for w := min(t.last[n.toks[k-1]], k-1); w > 0; w-- {
		name := n.toks[k-1]
		if w > 1 {
			name = strings.Join(n.toks[k-w:], "")
		}
		if p, ok := t.at[name]; ok {
			if standsAlone(n.toks[:k-w]) {
				o.Place = p
				n.toks = n.toks[:k-w]
			}
			return n
		}
	}
	return n
}

// standsAlone says whether words are a name without the country behind them.
func standsAlone(toks []string) bool {
	if ofWord(toks[len(toks)-1]) {
		return false
	}
	for _, t := range toks {
		if _, trade := tradeWords()[t]; !trade && !national(t) && len(t) > 1 {
			return true
		}
	}
	return false
}

// ofWord: what comes behind belongs to it.
func ofWord(t string) bool {
	switch t {
	case "of", "de", "du", "des", "d", "di", "do", "da", "dos", "del", "della", "von", "der", "den", "in", "for", "fur", "pour", "para", "per", "la", "le", "el", "the", "to", "from", "a", "and", "&", "et", "und", "y", "e",
		"air", "new", "north", "northern", "south", "southern", "east", "eastern", "west", "western", "central", "latin", "great", "greater", "royal", "fine", "bone", "made":
		return true
	}
	return false
}

// national are words that are a name only with a country behind them.
func national(t string) bool {
	switch t {
	case "air", "bank", "banque", "banco", "banca", "credit", "credito", "radio", "tele", "television", "tv", "telecom", "telekom", "post", "poste", "rail", "railways", "airlines", "airways", "oil", "gas", "petroleum", "steel", "coal", "tobacco",
		"visit", "invest", "business", "campus", "study", "team", "union", "unie", "club", "federation", "association", "council", "institute", "foundation", "society", "university", "national", "nationale", "general", "first", "all", "pan", "mobile", "life", "water", "sport", "sports", "tennis", "football", "golf", "cricket", "cycling", "athletics", "cinema", "film", "mission", "museum", "the", "la", "le", "les", "el", "il", "de", "of":
		return true
	}
	return false
}

// bracketCountry reads what stands in brackets within a name; rest is what stands
// behind: (M) and (S) are countries before the forms of Malaysia and Singapore.
func bracketCountry(in, rest string) string {
	name := squash(Fold(in))
	switch {
	case name == "m" && indexFold(rest, "bhd") >= 0:
		return "MY"
	case name == "s" && indexFold(rest, "pte") >= 0:
		return "SG"
	}
	t := countryPlaces()
	return cmp.Or(t.bracket[name], t.at[name])
}

// inChina says whether a place of a name is China, or lies within.
func inChina(p string) bool {
	if p == "CN" {
		return true
	}
	d := china()
	e := d.named[p]
	return (e.province || e.city) && RegionCountry(p) == "" && d.provinces[p] != "台湾"
}

// RegionCountry is the country code of a region of China that has laws and
// telephone numbers of its own; "" for other places.
func RegionCountry(place string) string {
	switch place {
	case "香港":
		return "HK"
	case "澳门":
		return "MO"
	case "台湾":
		return "TW"
	}
	return ""
}

// LawOf is the country by whose law the companies of a name's place are, where
// the place is a country or a region of its own law; "" for places within one.
func LawOf(place string) string {
	if len(place) == 2 || place == "EMEA" {
		return place
	}
	return RegionCountry(place)
}

// standsAsForm says whether what stands behind the words of a name is a legal
// form: they are a name without it, as "Per" and "Sa" of "Per Se" and "Sa Sa" are
// not. Forms of three letters and more are no other words.
func standsAsForm(rest, form []string, written string) bool {
	if len(form) > 1 || len(form[0]) > 2 {
		return true
	}
	for _, t := range rest {
		if len(t) > 4 || !smallWord(t) && t != form[0] {
			return true
		}
	}
	return writtenAsForm(written)
}

func smallWord(t string) bool {
	switch t {
	case "per", "pro", "such", "a", "an", "the", "le", "la", "les", "el", "il", "lo", "de", "du", "des", "of", "in", "on", "at", "as", "to", "for", "be", "by", "or", "so", "no", "non", "&", "and", "et", "und", "y":
		return true
	}
	return false
}

// writtenAsForm says whether the last word of a name is written as legal forms
// are: behind a comma, with points, or in capitals behind words that are not.
func writtenAsForm(s string) bool {
	s = strings.TrimSpace(s)
	i := strings.LastIndexByte(s, ' ')
	if i <= 0 {
		return false
	}
	head, last := strings.TrimSpace(s[:i]), s[i+1:]
	if strings.HasSuffix(head, ",") || strings.Count(last, ".") > 1 {
		return true
	}
	return last == strings.ToUpper(last) && head != strings.ToUpper(head)
}
