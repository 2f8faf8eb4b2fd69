package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// hidden finds characters that show nothing, and control characters. Where a
// script needs them they are left alone: joiners in Persian and the scripts of
// India, direction marks beside Hebrew and Arabic, joiners and tags in emoji.
func hidden(s string) (out []Finding) {
	rtl := strings.ContainsFunc(s, isRTL)
	last := utf8.RuneError
	flag := false // in the tags of a flag
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			size = 1
			if strings.HasPrefix(s[i:], "\uFFFD") {
				size = len("\uFFFD")
			}
		}
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		f := Finding{From: i, To: i + size}
		switch {
		case r == utf8.RuneError && size == 1:
			f.Kind, f.What, f.Lost = Mojibake, "a byte that is no UTF-8", true
		case r == utf8.RuneError:
			f.Kind, f.What, f.Lost = Mojibake, "a character that was lost in a wrong encoding", true
		case isControl(r):
			f.Kind, f.What = Control, fmt.Sprintf("control character U+%04X", r)
			if sign := c1(r); sign != "" {
				f.What += ", in Windows-1252 the sign " + sign
			}
		case isHidden(r) && !wanted(r, last, next, rtl, flag):
			f.Kind, f.What = Hidden, fmt.Sprintf("U+%04X, which shows nothing", r)
		}
		flag = r == 0x1f3f4 || flag && r >= 0xe0020 && r <= 0xe007f
		last = r
		if f.Kind == "" {
			continue
		}
		if n := len(out) - 1; n >= 0 && out[n].To == i && out[n].Kind == f.Kind && out[n].Lost == f.Lost {
			out[n].To = f.To
			if !strings.HasSuffix(out[n].What, " and others behind it") {
				out[n].What += " and others behind it"
			}
			continue
		}
		out = append(out, f)
	}
	for i, f := range out { // once for a run: it may be the whole text
		switch f.Kind {
		case Mojibake:
			out[i].Put = s[f.From:f.To]
		case Control:
			out[i].Put = signs(s[f.From:f.To])
		}
	}
	return out
}

// signs are the characters that Windows-1252 has for the C1 ones of a run.
func signs(run string) string {
	var b strings.Builder
	for _, r := range run {
		b.WriteString(c1(r))
	}
	return b.String()
}

func isControl(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r <= 0x9f
}

// c1 gives what Windows-1252 has at the place of a C1 control character.
func c1(r rune) string {
	if r < 0x80 {
		return ""
	}
	if w := charmap.Windows1252.DecodeByte(byte(r)); w != utf8.RuneError && w != r {
		return string(w)
	}
	return ""
}

func isHidden(r rune) bool {
	switch r {
	case 0xad, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180e, 0x3164, 0xfeff, 0xffa0:
		return true
	}
	return r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x2064 ||
		r >= 0x2066 && r <= 0x206f || r >= 0xfff9 && r <= 0xfffb || r >= 0xe0000 && r <= 0xe007f
}

// wanted says whether a hidden character does its work where it stands.
func wanted(r, last, next rune, rtl, flag bool) bool {
	switch {
	case r == 0x200c || r == 0x200d:
		if joins(last) || joins(next) {
			return true
		}
		return r == 0x200d && pictures(last) && pictures(next)
	case r == 0x200e || r == 0x200f || r == 0x61c || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
		return rtl
	case r == 0x115f || r == 0x1160:
		return unicode.Is(unicode.Hangul, next) || unicode.Is(unicode.Hangul, last)
	case r == 0x17b4 || r == 0x17b5:
		return unicode.Is(unicode.Khmer, last)
	case r == 0x180e:
		return unicode.Is(unicode.Mongolian, last)
	case r >= 0xe0020 && r <= 0xe007f:
		return flag
	}
	return false
}

func isRTL(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfefc
}

// joins says whether a script shapes its letters with joiners.
func joins(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati,
		unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Nko)
}

// pictures says whether a character is an emoji or belongs to one.
func pictures(r rune) bool {
	return unicode.Is(unicode.So, r) || r == 0xfe0f || r >= 0x1f3fb && r <= 0x1f3ff || r >= 0x1f000 && r <= 0x1faff
}
