package expr

import (
	"strings"
	"time"

	"golang.org/x/text/width"
)

// dateLayouts are the ways to write a day that can be read only one way. What
// follows the day (a time, a zone) is left off first.
func dateLayouts() []string {
	return []string{
		"2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日",
		"2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "2-Jan-2006", "Jan 2 2006", "January 2 2006",
	}
}

// date gives YYYY-MM-DD. Day and month in figures with the year last are taken
// only when one of them can be no month, or both are the same.
func date(args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	s, err := toText(args[0])
	if err != nil {
		return nil, err
	}
	s = strings.TrimSpace(width.Narrow.String(s))
	if s == "" {
		return nil, nil
	}
	if len(s) > 64 {
		return nil, opErrorf("the text is not a date")
	}
	day := withoutTime(s)
	for _, layout := range dateLayouts() {
		if t, err := time.Parse(layout, day); err == nil {
			return written(t)
		}
	}
	for _, sep := range []string{"/", ".", "-"} {
		dayFirst, err1 := time.Parse("2"+sep+"1"+sep+"2006", day)
		monthFirst, err2 := time.Parse("1"+sep+"2"+sep+"2006", day)
		switch {
		case err1 == nil && err2 == nil && !dayFirst.Equal(monthFirst):
			return nil, opErrorf("the date can be read as two different days")
		case err1 == nil:
			return written(dayFirst)
		case err2 == nil:
			return written(monthFirst)
		}
	}
	return nil, opErrorf("the text is not a date")
}

// withoutTime cuts a time of day off: "2024-02-29T10:00:00Z", "… 10:00".
func withoutTime(s string) string {
	if len(s) > 10 && s[4] == '-' && s[10] == 'T' {
		return s[:10]
	}
	if i := strings.LastIndexByte(s, ' '); i > 0 && strings.Contains(s[i:], ":") {
		return strings.TrimSpace(s[:i])
	}
	return s
}

func written(t time.Time) (any, error) {
	if y := t.Year(); y < 1000 || y > 2999 {
		return nil, opErrorf("the year of the date is not between 1000 and 2999")
	}
	return t.Format(time.DateOnly), nil
}
