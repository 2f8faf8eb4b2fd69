package app

import (
	"time"
)

// ParseDate reads a time as people write it: a day (2006-01-02), which means
// its end in UTC, or a moment in RFC 3339.
func ParseDate(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Microsecond), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, unclear("%q is no date: write 2026-01-31 for the end of a day (UTC), or 2026-01-31T15:04:05Z", text)
}
