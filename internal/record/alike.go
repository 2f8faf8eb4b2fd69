package record

import (
	"encoding/json"
	"strings"
	"unicode"
)

// Alike says whether a target may have made one value of the other: the same
// letters and digits, whatever their case and what stands between, and zeros
// before them; or a number without the letters it was sent with ("ext 12").
func Alike(sent, got json.RawMessage) bool {
	if SameJSON(sent, got) {
		return true
	}
	var a, b string
	if json.Unmarshal(sent, &a) != nil || json.Unmarshal(got, &b) != nil {
		return false
	}
	a, b = bare(a, unicode.IsLetter, unicode.IsDigit), bare(b, unicode.IsLetter, unicode.IsDigit)
	if digits := bare(a, unicode.IsDigit); len(digits) >= minNumber && digits == b {
		return true
	}
	return a != "" && a == b
}

// minNumber is the fewest digits that make a number known without the rest.
const minNumber = 6

// bare keeps what is one of some kinds, in small letters, without zeros before.
func bare(s string, kinds ...func(rune) bool) string {
	kept := strings.Map(func(r rune) rune {
		for _, is := range kinds {
			if is(r) {
				return unicode.ToLower(r)
			}
		}
		return -1
	}, s)
	return strings.TrimLeft(kept, "0")
}
