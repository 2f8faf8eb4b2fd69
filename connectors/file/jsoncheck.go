package file

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

const maxDepth = 64

// checkObject says why a text is not one JSON object that we take: syntax,
// nesting deeper than 64, a key twice in one object. "" if it is one. Numbers
// stay text and may be of any size. encoding/json would accept a double key.
func checkObject(text []byte) string {
	if text[0] != '{' {
		return "is not a JSON object; want one object in { } on each line"
	}
	s := jsonScan{text: text}
	s.value(0)
	if s.blank(); s.problem == "" && s.pos < len(s.text) {
		s.fail("has text behind the object")
	}
	return s.problem
}

// jsonScan walks over a JSON text (RFC 8259) and stops at the first problem.
type jsonScan struct {
	text    []byte
	pos     int
	problem string
}

func (s *jsonScan) fail(what string) {
	if s.problem == "" {
		s.problem = fmt.Sprintf("%s, at byte %d of the line", what, min(s.pos, len(s.text)))
		s.pos = len(s.text)
	}
}

func (s *jsonScan) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *jsonScan) blank() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *jsonScan) value(depth int) {
	s.blank()
	switch ch := s.peek(); {
	case (ch == '{' || ch == '[') && depth == maxDepth:
		s.fail(fmt.Sprintf("is nested deeper than %d", maxDepth))
	case ch == '{':
		s.object(depth + 1)
	case ch == '[':
		s.array(depth + 1)
	case ch == '"':
		s.str()
	case ch == '-' || ch >= '0' && ch <= '9':
		s.number()
	default:
		s.literal()
	}
}

func (s *jsonScan) object(depth int) {
	s.pos++
	s.blank()
	if s.peek() == '}' {
		s.pos++
		return
	}
	seen := make(map[string]struct{}, 16)
	for {
		s.blank()
		if s.peek() != '"' {
			s.fail("is not JSON: want a key in quotes")
			return
		}
		from := s.pos
		s.str()
		if s.problem != "" {
			return
		}
		key := keyText(s.text[from:s.pos])
		if _, ok := seen[key]; ok {
			s.fail("has the same key twice in one object")
			return
		}
		seen[key] = struct{}{}
		s.blank()
		if s.peek() != ':' {
			s.fail("is not JSON: want a colon behind the key")
			return
		}
		s.pos++
		s.value(depth)
		if !s.another('}') {
			return
		}
	}
}

func (s *jsonScan) array(depth int) {
	s.pos++
	s.blank()
	if s.peek() == ']' {
		s.pos++
		return
	}
	for {
		s.value(depth)
		if !s.another(']') {
			return
		}
	}
}

// another goes behind a comma, or behind the end of the list.
func (s *jsonScan) another(end byte) bool {
	s.blank()
	switch s.peek() {
	case ',':
		s.pos++
		return true
	case end:
		s.pos++
		return false
	}
	s.fail("is not JSON: want a comma or the end of the list")
	return false
}

func (s *jsonScan) str() {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch ch := s.text[s.pos]; {
		case ch == '"':
			s.pos++
			return
		case ch < 0x20:
			s.fail("is not JSON: a control character in a text")
			return
		case ch == '\\':
			s.pos++
			if !s.escape() {
				s.fail("is not JSON: an unknown escape in a text")
				return
			}
		}
	}
	s.fail("is not JSON: a text that is never closed")
}

// escape stands on the character behind the backslash and stays on its last.
func (s *jsonScan) escape() bool {
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			s.pos++
			ch := s.peek() | 0x20
			if (ch < '0' || ch > '9' || s.peek() < '0') && (ch < 'a' || ch > 'f') {
				return false
			}
		}
		return true
	}
	return false
}

func (s *jsonScan) number() {
	if s.peek() == '-' {
		s.pos++
	}
	ok := true
	if s.peek() == '0' {
		s.pos++
	} else {
		ok = s.digits()
	}
	if ok && s.peek() == '.' {
		s.pos++
		ok = s.digits()
	}
	if ok && s.peek()|0x20 == 'e' {
		s.pos++
		if s.peek() == '+' || s.peek() == '-' {
			s.pos++
		}
		ok = s.digits()
	}
	if !ok {
		s.fail("is not JSON: a number that is not complete")
	}
}

func (s *jsonScan) digits() bool {
	from := s.pos
	for s.peek() >= '0' && s.peek() <= '9' {
		s.pos++
	}
	return s.pos > from
}

func (s *jsonScan) literal() {
	for _, word := range []string{"true", "false", "null"} {
		if len(s.text)-s.pos >= len(word) && string(s.text[s.pos:s.pos+len(word)]) == word {
			s.pos += len(word)
			return
		}
	}
	s.fail("is not JSON: want a value")
}

// keyText is a key without quotes and escapes, so that "a" and "\u0061" are
// the same key.
func keyText(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	for _, ch := range inner {
		if ch == '\\' || ch >= utf8.RuneSelf {
			var key string
			if err := json.Unmarshal(quoted, &key); err == nil {
				return key
			}
			break
		}
	}
	return string(inner)
}
