package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xeipuuv/gojsonschema"
)

// Patterns of the built-in schemas that get words of their own.
const (
	patternText    = `^[^\x00-\x1f\x7f-\x9f]*$`
	patternLines   = `^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$`
	patternFilled  = `[^\s\p{Z}]`
	patternYear    = `^(1[0-9]{3}|20[0-9]{2}|2100)-`
	separator      = "\x00"
	atSource       = "correct it at the source, or leave it empty"
	numberAtSource = "correct the number at the source, or leave it empty"
)

// words gives text and remedy of the findings about one value.
func words(e gojsonschema.ResultError, value string) (text, remedy string) {
	d := e.Details()
	switch e.Type() {
	case "invalid_type":
		return fmt.Sprintf("is %s, must be %s", kinds(fmt.Sprint(d["given"])), kinds(fmt.Sprint(d["expected"]))), atSource
	case "number_gte":
		return fmt.Sprintf("is %s, must be %s or more", value, decimal(d["min"])), numberAtSource
	case "number_gt":
		return fmt.Sprintf("is %s, must be more than %s", value, decimal(d["min"])), numberAtSource
	case "number_lte":
		return fmt.Sprintf("is %s, must be %s or less", value, decimal(d["max"])), numberAtSource
	case "number_lt":
		return fmt.Sprintf("is %s, must be less than %s", value, decimal(d["max"])), numberAtSource
	case "multiple_of":
		return fmt.Sprintf("is %s, must be a multiple of %s", value, decimal(d["multiple"])), numberAtSource
	case "string_lte":
		return fmt.Sprintf("has %d characters, at most %v are allowed", length(e.Value()), d["max"]), "shorten it at the source, or map only the part that is needed"
	case "string_gte":
		return fmt.Sprintf("has %d characters, at least %v are wanted", length(e.Value()), d["min"]), atSource
	case "array_max_items":
		return fmt.Sprintf("has %d entries, at most %v are allowed", length(e.Value()), d["max"]), "remove those that are no longer needed at the source"
	case "array_min_items":
		return fmt.Sprintf("has %d entries, at least %v are wanted", length(e.Value()), d["min"]), "add what is missing at the source"
	case "enum":
		return fmt.Sprintf("is %s, must be one of %v", value, d["allowed"]), atSource
	case "const":
		return fmt.Sprintf("is %s, must be %v", value, d["allowed"]), atSource
	case "unique":
		return "has the same entry twice", "remove one of them at the source"
	case "pattern":
		return patternWords(patternIn(e), e.Value())
	case "format":
		return formatWords(fmt.Sprint(d["format"]), e.Value())
	case "missing_dependency":
		return fmt.Sprintf("needs %v beside it", d["dependency"]), "fill both, or neither"
	case "number_any_of", "number_one_of":
		return "fits none of the forms that the schema allows, or more than one where one is wanted", "compare it with the forms in the schema"
	case "number_not", "false":
		return "is not allowed here", "leave it empty, or out of the mapping"
	}
	return strings.TrimSuffix(lowerFirst(e.Description()), "."), atSource
}

func patternIn(e gojsonschema.ResultError) string {
	if re, ok := e.Details()["pattern"].(*regexp.Regexp); ok {
		return re.String()
	}
	return ""
}

func patternWords(pattern string, value any) (text, remedy string) {
	s, _ := value.(string)
	switch pattern {
	case patternText, patternLines:
		for i, r := range []rune(s) {
			if unicode.IsControl(r) && (pattern == patternText || !strings.ContainsRune("\t\n\r", r)) {
				return fmt.Sprintf("holds the control character U+%04X at position %d", r, i+1), "remove it at the source, or clean the field in the mapping"
			}
		}
	case patternFilled:
		return "is blank", "fill it at the source"
	case patternYear:
		return dateWords(s)
	}
	return "does not match the pattern " + pattern, atSource
}

func formatWords(format string, value any) (text, remedy string) {
	s, _ := value.(string)
	switch format {
	case "date":
		return dateWords(s)
	case "regex":
		return "is not a regular expression as of RE2", "use no look-ahead, look-behind and back references"
	}
	return "is not of the format " + format, atSource
}

func dateWords(s string) (text, remedy string) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "is not a day of the calendar as YYYY-MM-DD", "correct the date at the source, or name its format in the mapping"
	}
	return "is outside of the years 1000 to 2100", "correct the date at the source, or leave it empty"
}

// kinds names JSON types in plain words: "string/null" is "text or empty".
func kinds(types string) string {
	plain := map[string]string{
		"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
		"null": "empty", "array": "a list", "object": "an object",
	}
	var names []string
	for _, t := range strings.FieldsFunc(types, func(r rune) bool { return !unicode.IsLetter(r) }) {
		names = append(names, cmp.Or(plain[t], t))
	}
	return orList(names)
}

// orList is "a, b or c".
func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// areMissing is "is b", or "are b, c and d".
func areMissing(names []string) string {
	if len(names) == 1 {
		return "is " + names[0]
	}
	return "are " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// decimal writes a limit as a person would.
func decimal(v any) string {
	if f, ok := v.(*big.Float); ok {
		x, _ := f.Float64()
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func length(v any) int {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v)
	case []any:
		return len(v)
	}
	return 0
}

// valueText is a value as text, shortened.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return shorten(v)
	case json.Number:
		return shorten(v.String())
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return shorten(string(b))
}

// shorten cuts a text to 120 characters.
func shorten(s string) string {
	if len(s) <= maxValue {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > maxValue {
			return s[:i]
		}
	}
	return s
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
