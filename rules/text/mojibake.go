package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// mojibake finds text that was written in one encoding and read in another:
// UTF-8 read as Windows-1252 ("FranÃ§ois") or as GBK ("浣犲ソ"), and GBK read as
// Windows-1252 ("ÄãºÃ").
func mojibake(s string) (out []Finding) {
	for from := 0; from < len(s); {
		if s[from] < 0x80 {
			from++
			continue
		}
		to := from
		for to < len(s) && s[to] >= 0x80 {
			to++
		}
		out = append(out, inRun(s, from, to)...)
		from = to
	}
	return out
}

// inRun looks at one run without ASCII.
func inRun(s string, from, to int) (out []Finding) {
	run := s[from:to]
	if put, ok := asGBK(run); ok {
		return []Finding{{Kind: Mojibake, From: from, To: to, What: fmt.Sprintf("UTF-8 that was read as GBK: %s", put), Put: put}}
	}
	if put, ok := fromGBK(run); ok {
		return []Finding{{Kind: Mojibake, From: from, To: to, What: fmt.Sprintf("GBK that was read as Windows-1252: %s", put), Put: put}}
	}
	const lost = "锟斤拷" // U+FFFD twice, read as GBK
	for at := 0; ; {
		i := strings.Index(run[at:], lost)
		if i < 0 {
			break
		}
		at += i
		out = append(out, Finding{Kind: Mojibake, From: from + at, To: from + at + len(lost), What: "a text that was lost in a wrong encoding", Put: lost, Lost: true})
		at += len(lost)
	}
	return append(out, as1252(s, from, to)...)
}

// byte1252 gives the byte that Windows-1252, or Latin-1 where that has none, has
// for a character.
func byte1252(r rune) (byte, bool) {
	if b, ok := charmap.Windows1252.EncodeRune(r); ok {
		return b, b >= 0x80
	}
	return byte(r), r >= 0x80 && r <= 0x9f
}

// as1252 finds UTF-8 that was read as Windows-1252.
func as1252(s string, from, to int) (out []Finding) {
	for i := from; i < to; {
		var put strings.Builder
		sequences, sure := 0, false
		at := i
		for at < to {
			r, size, strong := sequence(s, at, to)
			if size == 0 {
				break
			}
			put.WriteRune(r)
			sequences++
			sure = sure || strong
			at += size
		}
		switch {
		case sequences == 0:
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
		case sure || sequences >= 3:
			out = append(out, Finding{Kind: Mojibake, From: i, To: at, What: fmt.Sprintf("UTF-8 that was read as Windows-1252: %s", put.String()), Put: put.String()})
			i = at
		default:
			i = at
		}
	}
	return out
}

// sequence reads one UTF-8 sequence out of characters that stand for its bytes;
// size 0 when there is none. Strong says that no language writes these
// characters next to each other; two typographic signs behind an accented
// letter could be the end of a quotation.
func sequence(s string, at, to int) (r rune, size int, strong bool) {
	var b [4]byte
	var n, want int
	signs := 0
	for i := at; i < to && (want == 0 || n < want); {
		c, w := utf8.DecodeRuneInString(s[i:to])
		x, ok := byte1252(c)
		switch {
		case !ok:
			return 0, 0, false
		case n == 0 && x >= 0xc2 && x <= 0xdf:
			want = 2
		case n == 0 && x >= 0xe0 && x <= 0xef:
			want = 3
		case n == 0 && x >= 0xf0 && x <= 0xf4:
			want = 4
		case n == 0 || x > 0xbf:
			return 0, 0, false
		case isSign(c):
			signs++
		}
		b[n] = x
		n++
		i += w
		size += w
	}
	if n != want || want == 0 {
		return 0, 0, false
	}
	r, got := utf8.DecodeRune(b[:n])
	if got != n || !unicode.IsPrint(r) && r != 0xa0 && !unicode.Is(unicode.Cf, r) {
		return 0, 0, false
	}
	switch {
	case n == 2 && b[0] == 0xc2: // the sign itself, with an Â before it
		strong = signs == 0
	case n == 2 && b[0] <= 0xc5: // letters of Latin-1 and the first Latin extension
		strong = signs == 0 || lowerNear(s, at, at+size)
	case n == 2:
		strong = false
	case n == 3 && b[0] == 0xe2:
		strong = b[1] == 0x80 || b[1] == 0x82 || b[1] == 0x84
	case n == 3:
		strong = signs < 2 && (unicode.Is(unicode.Han, r) || unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0xff00 || r >= 0x3000 && r <= 0x303f)
	default:
		strong = b[0] == 0xf0 && b[1] == 0x9f
	}
	return r, size, strong
}

// isSign says whether a sign follows letters in ordinary writing.
func isSign(r rune) bool {
	return strings.ContainsRune("…‘’“”„‚‹›–—™•«»\u00a0©®°†‡", r)
}

// lowerNear says whether small ASCII letters are the neighbours: one before, or
// one behind the beginning of a word.
func lowerNear(s string, from, to int) bool {
	lower := func(c byte) bool { return c >= 'a' && c <= 'z' }
	if from > 0 && (s[from-1] >= 'A' && s[from-1] <= 'Z' || s[from-1] >= 0x80) {
		return false
	}
	return from > 0 && lower(s[from-1]) || to < len(s) && lower(s[to])
}

// asGBK reads a run as UTF-8 that was taken for GBK. Every character must fit,
// the result must be Chinese, and what stands there must hold a character that
// is in GBK and not in the common set GB 2312, or be long: so no Chinese text is
// taken for it by chance.
func asGBK(run string) (string, bool) {
	body := strings.TrimRight(run, "\uFFFD")
	b, ok := gbkBytes(body)
	if !ok || len(b) < 6 {
		return "", false
	}
	rare, chars := false, 0
	for i := 0; i+1 < len(b); i += 2 {
		rare = rare || b[i] < 0xa1 || b[i+1] < 0xa1
		chars++
	}
	whole := len(b) // a character may be cut at the end
	for cut := 0; cut < 3 && !utf8.Valid(b[:whole]); cut++ {
		whole--
	}
	if !utf8.Valid(b[:whole]) || !rare && chars < 6 {
		return "", false
	}
	han := 0
	for _, r := range string(b[:whole]) {
		switch {
		case unicode.Is(unicode.Han, r):
			han++
		case r >= 0x3000 && r <= 0x30ff, r >= 0xff00 && r <= 0xffef, r >= 0x2010 && r <= 0x2026:
		default:
			return "", false
		}
	}
	if whole < len(b) || len(body) < len(run) {
		return string(b[:whole]) + "\uFFFD", han >= 2
	}
	return string(b), han >= 2
}

// gbkBytes are the bytes of a text in GBK, two for each character.
func gbkBytes(s string) ([]byte, bool) {
	for _, r := range s { // cheap, and most runs end here: these are no part of GBK
		if r < 0x2010 && (r < 0x391 || r > 0x451) && !strings.ContainsRune("¤§¨°±·×àáèéêìíòó÷ùúüāēěīńňōūǎǐǒǔǖǘǚǜɑɡˇˉˊˋ˙", r) {
			return nil, false
		}
	}
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(s))
	return b, err == nil && len(b)%2 == 0
}

// fromGBK reads a run as GBK that was taken for Windows-1252: pairs of which each
// is a common Chinese character, with a sign among them that no word has.
func fromGBK(run string) (string, bool) {
	var b []byte
	sign := false
	for _, r := range run {
		if r < 0xa1 || r > 0xff {
			return "", false
		}
		sign = sign || !unicode.IsLetter(r) || r == 'º' || r == 'ª' || r == 'µ'
		b = append(b, byte(r))
	}
	if len(b) < 4 || len(b)%2 != 0 || !sign {
		return "", false
	}
	for i := 0; i < len(b); i += 2 {
		if b[i] < 0xb0 || b[i] > 0xd7 || b[i+1] == 0xff {
			return "", false
		}
	}
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(b)
	return string(text), err == nil && !strings.ContainsRune(string(text), utf8.RuneError)
}
