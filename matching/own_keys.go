package matching

import (
	"slices"
	"strings"
	"unicode/utf8"

	"touchstone/matching/block"
)

// The blocking keys of an entity type of one's own follow from the kinds of its
// fields. Those that tell most are added first: a record has only so many.

// ownNumbers makes the keys of ids and codes. A slip in either half of an id
// leaves the other; a code that many share is narrowed by what it is called.
func (k *keyMaker) ownNumbers(f *Features) {
	f.eachOwn(func(letter byte, name, values string) bool {
		id := letter == ownLetter(KindID)
		if !id && letter != ownLetter(KindCode) {
			return true
		}
		for values != "" {
			var v string
			v, values, _ = strings.Cut(values, "\x01")
			if id {
				k.b.Add(block.ID, k.text(v), name)
			} else {
				k.b.Add(block.ID, k.text(v), name, "|", k.narrow[0])
			}
			if len(v) >= 6 {
				k.b.Add(block.IDHead, k.text(v[:len(v)/2+1]), k.narrow[0])
				k.b.Add(block.IDTail, k.text(v[len(v)/2:]), k.narrow[0])
			}
		}
		return true
	})
}

// mostWords is how many words of a name are keys, each by itself and, where many
// have it, with each of the others.
const mostWords = 5

// ownNames makes the keys of names, and of texts where there is no name.
func (k *keyMaker) ownNames(f *Features) {
	named := false
	for _, kind := range [...]string{KindName, KindText} {
		f.eachOwn(func(letter byte, _, values string) bool {
			for letter == ownLetter(kind) && values != "" {
				var v string
				v, values, _ = strings.Cut(values, "\x01")
				k.ownName(v)
				named = true
			}
			return true
		})
		if named {
			return
		}
	}
}

func (k *keyMaker) ownName(v string) {
	var full [maxOwnBytes]byte
	bones := appendSkeleton(k.room[:0], appendSquashed(full[:0], v))
	k.b.Add(block.NameFull, bones)
	if n := len(bones); n >= 8 {
		head, tail := runeEnd(bones, 6), runeStart(bones, n-6)
		k.b.Add(block.NameHead, bones[:head], string(bones[tail:]))
		k.b.Add(block.NameTail, bones[tail:], string(bones[:head]))
	}
	words := keyWords(v)
	for i, w := range words {
		if i == len(words)-1 {
			k.b.Add(block.Name, k.text(w))
		}
		for _, o := range words[i+1:] {
			k.b.Add(block.Name, k.text(w), o)
		}
	}
}

// keyWords are the words of a name that are keys, sorted: the longest ones, and of
// a Chinese name, which has no words, each two characters side by side.
func keyWords(v string) []string {
	var words []string
	for _, w := range appendWords(nil, v) {
		if !wide(w) {
			if len(w) >= 3 {
				words = append(words, w)
			}
			continue
		}
		for i := range w {
			_, n := utf8.DecodeRuneInString(w[i:])
			if _, m := utf8.DecodeRuneInString(w[i+n:]); m > 0 {
				words = append(words, w[i:i+n+m])
			}
		}
	}
	slices.SortFunc(words, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	words = slices.Compact(words)
	words = words[:min(len(words), mostWords)]
	slices.Sort(words)
	return words
}

// runeEnd moves a cut forward to where a character begins, runeStart back.
func runeEnd(b []byte, i int) int {
	for i < len(b) && !utf8.RuneStart(b[i]) {
		i++
	}
	return i
}

func runeStart(b []byte, i int) int {
	for i > 0 && !utf8.RuneStart(b[i]) {
		i--
	}
	return i
}

// ownDates makes the keys of dates: with the beginning of the name, for many
// things have one date.
func (k *keyMaker) ownDates(f *Features) {
	if k.narrow[0] == "" {
		return
	}
	f.eachOwn(func(letter byte, name, values string) bool {
		for letter == ownLetter(KindDate) && values != "" {
			var v string
			v, values, _ = strings.Cut(values, "\x01")
			k.b.Add(block.Birth, k.narrowed(v), name)
		}
		return true
	})
}

// ownForced are the fields that a key of the rule makes agree, by bit.
func (m *Model) ownForced(rule block.Rule) (mask uint64) {
	kinds := []string{KindName}
	switch rule {
	case block.ID, block.IDHead, block.IDTail:
		kinds = []string{KindID, KindCode}
	case block.Phone:
		kinds = []string{KindPhone}
	case block.Email, block.Local, block.LocalHead, block.LocalTail, block.DomainName:
		kinds = []string{KindEmail}
	case block.Domain:
		kinds = []string{KindEmail, KindWeb}
	case block.Birth:
		kinds = []string{KindDate, KindName}
	case block.Alike:
		kinds = []string{KindName, KindText}
	case block.Address, block.Street, block.PostcodeHouse, block.PostcodeName:
		kinds = []string{KindAddress}
	}
	named := slices.ContainsFunc(m.fields, func(f field) bool { return f.kind == KindName })
	for i, f := range m.fields {
		if slices.Contains(kinds, f.kind) || !named && f.kind == KindText && slices.Contains(kinds, KindName) {
			mask |= 1 << i
		}
	}
	return mask
}
