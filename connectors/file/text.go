package file

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendText appends b as the inside of a JSON string. With doubled, "" in b
// stands for one quote. b is valid UTF-8.
func appendText(out, b []byte, doubled bool) []byte {
	from := 0
	for i := 0; i < len(b); i++ {
		ch := b[i]
		if ch >= 0x20 && ch != '"' && ch != '\\' {
			continue
		}
		out = append(out, b[from:i]...)
		switch ch {
		case '"':
			out = append(out, '\\', '"')
			if doubled && i+1 < len(b) && b[i+1] == '"' {
				i++
			}
		case '\\':
			out = append(out, '\\', '\\')
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[ch>>4], hexDigits[ch&15])
		}
		from = i + 1
	}
	return append(out, b[from:]...)
}

// appendUnreadable appends the object that stands for a record which could not
// be read: its text, cut, with U+FFFD for what is no character.
func appendUnreadable(out, text []byte) []byte {
	text = text[:min(len(text), unreadableRunes*utf8.UTFMax)]
	runes := bytes.Runes(bytes.ReplaceAll(text, []byte{0}, []byte("\ufffd")))
	runes = runes[:min(len(runes), unreadableRunes)]
	out = append(out, `{"unreadable":"`...)
	out = appendText(out, []byte(string(runes)), false)
	return append(out, `"}`...)
}

// damage says what is wrong with the bytes of a record whose text begins at
// the window's lo; "" if nothing is.
func (in *input) damage(text []byte) string {
	if in.enc.name == encUTF8 {
		if !utf8.Valid(text) {
			return in.notUTF8(text)
		}
	} else if bytes.Contains(text, []byte("\ufffd")) {
		return fmt.Sprintf("holds bytes that are not %s; save the file as UTF-8, or name its encoding by the key encoding", in.enc.name)
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return fmt.Sprintf("holds a NUL byte at offset %d of the text; remove it where the file is made", in.offset()+int64(i))
	}
	return ""
}

func (in *input) notUTF8(text []byte) string {
	i := 0
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		i += n
	}
	guess := likely(text)
	return fmt.Sprintf("byte %d of the file, 0x%02x, is not UTF-8: the text looks like %s; save the file as UTF-8, or set encoding: %s",
		int64(in.enc.bom)+in.offset()+int64(i), text[i], guess, guess)
}
