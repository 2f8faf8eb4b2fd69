// Package text finds what does not belong in a text: noise of a scraped page,
// hidden characters, a wrong encoding. It is pure and changes nothing: a finding
// says where, what, and what could stand there instead; a person decides.
package text

import (
	"cmp"
	"slices"
	"strings"
)

// Kind names what was found.
type Kind string

// The kinds.
const (
	Hex      Kind = "hex"      // bytes written out as hexadecimal digits inside a sentence
	Stray    Kind = "stray"    // one character of a site's mark, dropped into a sentence
	Hidden   Kind = "hidden"   // characters that show nothing
	Control  Kind = "control"  // control characters
	Mojibake Kind = "mojibake" // text that was read in another encoding than it was written in
	Advert   Kind = "advert"   // the same advert at the end of many texts
)

// Finding is one place of a text.
type Finding struct {
	Kind Kind `json:"kind"`
	From int  `json:"from"` // bytes of the text: from From, before To
	To   int  `json:"to"`
	// What says what is there, in a few words. It may quote the text.
	What string `json:"what"`
	// Put is what could stand there instead, "" for nothing; with Lost it is what
	// stands there, because nobody can tell.
	Put  string `json:"put"`
	Lost bool   `json:"lost,omitempty"`
}

// Detect gives the findings of one text in the order of the text, none of them
// overlapping. The time is linear in the text's length.
func Detect(text string) []Finding { return DetectAll([]string{text})[0] }

// DetectAll is Detect for texts that belong together, such as the values of one
// record or one field of many: the characters of a mark may be spread over them,
// and an advert is told by standing under many.
func DetectAll(texts []string) [][]Finding {
	out := make([][]Finding, len(texts))
	for i, t := range texts {
		plain := isPlain(t)
		out[i] = hexRuns(t)
		if !plain {
			out[i] = append(out[i], mojibake(t)...)
			out[i] = append(out[i], hidden(t)...)
		}
	}
	strays(texts, out)
	adverts(texts, out)
	for i := range out {
		out[i] = apart(out[i])
	}
	return out
}

// isPlain says whether a text is printable ASCII with ordinary white space.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c >= 0x7f {
			return false
		}
	}
	return true
}

// apart orders findings and leaves out one that begins inside another.
func apart(list []Finding) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int { return cmp.Or(a.From-b.From, b.To-a.To) })
	end := 0
	return slices.DeleteFunc(list, func(f Finding) bool {
		inside := f.From < end
		end = max(end, f.To)
		return inside
	})
}

// Clean is the text with every proposal taken. Findings are those of Detect.
func Clean(text string, findings []Finding) string {
	var b strings.Builder
	at := 0
	for _, f := range findings {
		if f.From < at || f.To > len(text) || f.To < f.From {
			continue
		}
		b.WriteString(text[at:f.From])
		b.WriteString(f.Put)
		at = f.To
	}
	b.WriteString(text[at:])
	return b.String()
}

// Place gives the line and the column of a byte, both from 1, the column in
// characters.
func Place(text string, at int) (line, column int) {
	at = min(max(at, 0), len(text))
	before := text[:at]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
}
