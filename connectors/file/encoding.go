package file

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

const (
	encUTF8    = "utf-8"
	encUTF16LE = "utf-16le"
	encUTF16BE = "utf-16be"
	encGB18030 = "gb18030"
	encBig5    = "big5"
	enc1252    = "windows-1252"
)

// encoded says how a file's bytes become text.
type encoded struct {
	name string
	bom  int // bytes of the byte order mark at its beginning
}

func encodings() []string {
	return []string{encUTF8, encUTF16LE, encUTF16BE, encGB18030, encBig5, enc1252}
}

// encodingName takes the names in use to ours; GB2312 and GBK are parts of
// GB18030.
func encodingName(s string) string {
	switch s = strings.ToLower(strings.TrimSpace(s)); s {
	case "utf8", "utf-8-sig":
		return encUTF8
	case "utf16le", "utf-16-le":
		return encUTF16LE
	case "utf16be", "utf-16-be":
		return encUTF16BE
	case "gbk", "gb2312", "cp936":
		return encGB18030
	case "cp1252", "latin1", "iso-8859-1":
		return enc1252
	}
	return s
}

func decoder(name string) (encoding.Encoding, bool) {
	switch name {
	case encUTF8:
		return encoding.Nop, true
	case encUTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), true
	case encUTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), true
	case encGB18030:
		return simplifiedchinese.GB18030, true
	case encBig5:
		return traditionalchinese.Big5, true
	case enc1252:
		return charmap.Windows1252, true
	}
	return nil, false
}

// sniff finds the encoding from a file's first bytes, unless it is named. A
// byte order mark that fits is cut off in any case.
func sniff(head []byte, named string) encoded {
	marks := []struct{ name, mark string }{{encUTF8, "\xef\xbb\xbf"}, {encUTF16LE, "\xff\xfe"}, {encUTF16BE, "\xfe\xff"}, {encGB18030, "\x84\x31\x95\x33"}}
	for _, m := range marks {
		if (named == "" || named == m.name) && bytes.HasPrefix(head, []byte(m.mark)) {
			return encoded{m.name, len(m.mark)}
		}
	}
	if named != "" {
		return encoded{named, 0}
	}
	if name, ok := looksUTF16(head); ok {
		return encoded{name, 0}
	}
	if looksGB(head) {
		return encoded{encGB18030, 0}
	}
	return encoded{encUTF8, 0}
}

// looksUTF16 goes by the zero bytes of ASCII characters, which any table has
// at least as delimiters: one byte of the pair is zero in at least every
// twentieth pair, the other hardly ever.
func looksUTF16(head []byte) (string, bool) {
	var zero [2]int
	for i, b := range head {
		if b == 0 {
			zero[i&1]++
		}
	}
	pairs := len(head) / 2
	switch {
	case pairs == 0 || 3*(zero[0]+zero[1]) < len(head) && utf8.Valid(head):
		// UTF-8, perhaps with a stray NUL; UTF-16 is zeros for every second
		// byte of ASCII, and other characters of it are hardly ever UTF-8.
	case zero[1] > 0 && zero[1]*20 >= pairs && zero[0]*10 <= zero[1]:
		return encUTF16LE, true
	case zero[0] > 0 && zero[0]*20 >= pairs && zero[1]*10 <= zero[0]:
		return encUTF16BE, true
	}
	return "", false
}

// looksGB says whether bytes that are not UTF-8 are GB18030. Most such text is
// in the plane of GB2312, both of whose bytes are 0xA1 or more (GB 2312-1980
// in its EUC form), while in Western encodings such bytes stand alone. Text
// with more good UTF-8 sequences than bad bytes is UTF-8 with errors in it.
func looksGB(b []byte) bool {
	var good, bad, pairs, others int
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		if r, n := utf8.DecodeRune(b[i:]); r != utf8.RuneError || n > 1 {
			good++
			i += n
			continue
		}
		if !utf8.FullRune(b[i:]) { // cut off by the end of the sample
			break
		}
		bad++
		i++
	}
	if bad == 0 || good > bad {
		return false
	}
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] < utf8.RuneSelf:
		case i+1 < len(b) && b[i] >= 0xa1 && b[i] <= 0xf7 && b[i+1] >= 0xa1 && b[i+1] != 0xff:
			pairs++
			i++
		case i+1 < len(b):
			others++
			i++
		}
	}
	return pairs > 0 && pairs >= 4*others
}

// likely names the encoding that bytes which are not UTF-8 may have.
func likely(b []byte) string {
	if looksGB(b) {
		return encGB18030
	}
	high, runs := 0, 0
	for i, ch := range b {
		if ch >= utf8.RuneSelf {
			high++
			if i+1 < len(b) && b[i+1] >= utf8.RuneSelf {
				runs++
			}
		}
	}
	if runs*3 >= high { // Chinese of another kind: Western accents stand alone
		return encBig5
	}
	return enc1252
}
