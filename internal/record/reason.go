package record

import (
	"strings"
	"unicode"
)

// Fault is a reason without what is one record's own, so that the same fault of
// many records has one name: the field with * for the numbers of entries
// ("/phones/*/value"), and the text without the value, quotations and numbers.
func (r Reason) Fault() (field, what string) {
	steps := strings.Split(r.Field, "/")
	for i, s := range steps {
		if i > 0 && s != "" && strings.Trim(s, "0123456789") == "" {
			steps[i] = "*"
		}
	}
	what = r.Text
	if rest, ok := strings.CutPrefix(what, "is "+r.Value); ok && r.Value != "" {
		what = "is …" + rest
	}
	return strings.Join(steps, "/"), common(what)
}

// common replaces quotations by … and runs of digits, also hexadecimal ones
// behind U+, by #.
func common(s string) string {
	var b strings.Builder
	quote, number := rune(0), false
	for i, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			continue
		case (r == '"' || r == '\'' && !letterBefore(s, i)) && strings.ContainsRune(s[i+1:], r):
			quote = r
			b.WriteRune('…')
			number = false
			continue
		}
		switch is := unicode.IsDigit(r) || number && strings.HasSuffix(b.String(), "U+#") && strings.ContainsRune("ABCDEF", r); {
		case is && number:
		case is, strings.HasSuffix(b.String(), "U+"):
			b.WriteRune('#')
			number = true
		default:
			b.WriteRune(r)
			number = false
		}
	}
	return b.String()
}

// letterBefore tells an apostrophe from a quotation mark.
func letterBefore(s string, i int) bool {
	return i > 0 && (s[i-1]|0x20 >= 'a' && s[i-1]|0x20 <= 'z')
}
