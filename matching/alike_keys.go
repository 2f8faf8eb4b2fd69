package matching

import (
	"strings"

	"touchstone/matching/block"
	"touchstone/matching/compare"
)

// Keys of texts that are alike: of a text's grams those that come first in
// several orders (block.Firsts). Each band is one such gram, and where too many
// records have it the next one too. A slip changes at most three grams of three
// letters; two texts that have half of theirs in common meet in one of six bands
// with a probability of 98 %, by single grams, and of 82 % by two.
const (
	alikeBands     = 6 // of a name
	alikeTextBands = 4 // of a description beside a name
	mostAlikeBands = 6
	alikeRows      = 2
	alikeGram      = 3
	alikeHanGram   = 2 // two Chinese characters say as much as three letters
	leastAlike     = 6 // runes; half as many of a Chinese text
)

// alike makes the keys of a folded text.
func (k *keyMaker) alike(text string, bands int) {
	var runes [maxOwnBytes]rune
	var room [maxOwnBytes]compare.Gram
	list := runes[:0]
	for _, r := range text {
		if r != ' ' && len(list) < len(runes) {
			list = append(list, r)
		}
	}
	q, least := alikeGram, leastAlike
	if wide(text) {
		q, least = alikeHanGram, leastAlike/2
	}
	if len(list) < least {
		return
	}
	var firsts [mostAlikeBands * alikeRows]compare.Gram
	block.Firsts(compare.AppendGrams(room[:0], list, q), firsts[:bands*alikeRows])
	for b := range bands {
		one, two := firsts[b*alikeRows], firsts[b*alikeRows+1]
		band := append(k.room[:0], 'a'+byte(b), ' ')
		k.b.Add(block.Alike, one.Append(band), string(two.Append(k.short[:0])))
	}
}

// alikes makes the keys of what a record is called. Companies and persons have
// them where a model has chosen so.
func (k *keyMaker) alikes(f *Features) {
	switch {
	case k.company:
		for i := range min(f.count(orgs), 1) {
			k.alike(f.org(i).whole(), alikeBands)
		}
	case k.person:
		for i := range min(f.count(humans), 1) {
			h := f.human(i)
			given, family := h.givenRoman(), h.familyRoman()
			k.alike(min(given, family)+" "+max(given, family), alikeBands)
		}
	default:
		k.ownAlike(f)
	}
}

// ownAlike makes the keys of what is written like the names, or like the
// descriptions where there is no name, and fewer of descriptions beside one.
func (k *keyMaker) ownAlike(f *Features) {
	bands := alikeBands
	for _, kind := range [...]string{KindName, KindText} {
		found := false
		f.eachOwn(func(letter byte, _, values string) bool {
			if letter == ownLetter(kind) {
				v, _, _ := strings.Cut(values, "\x01")
				k.alike(v, bands)
				found = true
			}
			return !found // the most telling one
		})
		if found {
			bands = alikeTextBands
		}
	}
}
