package sqldb

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/record"
)

// value is a column's value as it is kept in a cursor: its class and its text,
// so that it is compared again as what it was.
type value struct {
	class byte // n null, t text, i whole number, r real, b bytes in hexadecimal
	text  string
}

func (v value) null() bool { return v.class == 'n' || v.class == 0 }

func (v value) encode() string { return string(v.class) + ":" + v.text }

func decodeValue(s string) (value, error) {
	if len(s) < 2 || s[1] != ':' || !strings.Contains("ntirb", s[:1]) {
		return value{}, errors.New("the cursor is not one of this connector")
	}
	return value{s[0], s[2:]}, nil
}

// row is one row of a stream.
type row struct {
	ids     []value
	changed value
	version string
	deleted bool
	data    []byte // a JSON object; nil for a row that is too long
	size    int
	problem string
}

// id joins the id columns' texts. Of several, % and / in them are escaped.
func (r row) id() string {
	if len(r.ids) == 1 {
		return r.ids[0].text
	}
	parts := make([]string, len(r.ids))
	for i, v := range r.ids {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(v.text, "%", "%25"), "/", "%2F")
	}
	return strings.Join(parts, "/")
}

// splitID is the way back; ok is false for an id that is none of the stream's.
func (s *stream) splitID(id string) (parts []string, ok bool) {
	if len(s.ID) == 1 {
		return []string{id}, id != ""
	}
	parts = strings.Split(id, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "%2F", "/"), "%25", "%")
	}
	return parts, len(parts) == len(s.ID)
}

// raw makes the record of a row.
func (s *stream) raw(r row, most int) record.Raw {
	id := r.id()
	out := record.Raw{Entity: s.Name, ID: id, Version: r.version, Deleted: r.deleted, Data: r.data, Place: s.place() + " " + id, Problem: r.problem}
	if t, ok := stampOf(r.changed); ok {
		out.Stamp = t
	}
	if r.data == nil {
		out.Problem = fmt.Sprintf("the row is longer than %d bytes; leave columns out by a query, or raise max_record", most)
		out.Data = unreadable(fmt.Sprintf("a row of %d bytes", r.size))
	} else if r.problem != "" {
		out.Data = unreadable("a row of " + s.place())
	}
	return out
}

// place names where rows come from, for messages.
func (s *stream) place() string {
	if s.Query != "" {
		return "query " + s.Name
	}
	return s.Table
}

func unreadable(text string) []byte {
	b, _ := json.Marshal(map[string]string{"unreadable": text}) // a text always encodes
	return b
}

// isDeleted reads a soft-delete column: a mark, a flag or a time.
func isDeleted(text string, null bool) bool {
	if null {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "0", "f", "false", "n", "no":
		return false
	}
	return true
}

// timeLayouts are the forms a time of change has as text.
func timeLayouts() []string {
	return []string{
		"2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly,
	}
}

func parseTime(s string) (time.Time, string, bool) {
	for _, layout := range timeLayouts() {
		if t, err := time.Parse(layout, s); err == nil {
			return t, layout, true
		}
	}
	return time.Time{}, "", false
}

// stampOf reads a time of change, in UTC where it names no zone. A number is
// taken for seconds or, from 1e12 on, for milliseconds since 1970; a small one
// is a counter and no time.
func stampOf(v value) (time.Time, bool) {
	if t, _, ok := parseTime(v.text); ok && v.class == 't' {
		return t.UTC().Truncate(time.Microsecond), true
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	switch {
	case err != nil || n < 1e9 || n > 1e14 || v.null():
		return time.Time{}, false
	case n >= 1e12:
		return time.UnixMilli(n).UTC(), true
	case n < 1e11:
		return time.Unix(n, 0).UTC(), true
	}
	return time.Time{}, false
}

// inFuture says that a value is a time more than a day past the database's
// clock: one row dated 2099 must not hide every change until then.
func inFuture(v value, now string) bool {
	t, _, ok := parseTime(v.text)
	clock, _, known := parseTime(now)
	return ok && known && v.class == 't' && t.After(clock.Add(24*time.Hour)) || v.text == "infinity"
}

// back moves a mark back in time and keeps its form.
func back(v value, d time.Duration) (value, error) {
	if d == 0 || v.null() {
		return v, nil
	}
	if t, layout, ok := parseTime(v.text); ok && v.class == 't' {
		if layout == time.DateOnly { // a day is the least that can be told
			d = (d + 24*time.Hour - 1).Truncate(24 * time.Hour)
		}
		return value{'t', formatLike(t.Add(-d), layout, v.text)}, nil
	}
	if n, ok := new(big.Int).SetString(v.text, 10); ok && n.IsInt64() {
		unit := time.Second
		if n.Int64() >= 1e12 {
			unit = time.Millisecond
		}
		return value{v.class, strconv.FormatInt(n.Int64()-int64((d+unit-1)/unit), 10)}, nil
	}
	return v, errors.New("lookback needs a changed column that is a time")
}

// formatLike writes as many digits after the second as the text has: SQLite
// compares texts.
func formatLike(t time.Time, layout, text string) string {
	digits := 0
	if _, fraction, ok := strings.Cut(text, "."); ok {
		digits = len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
	}
	fraction := ""
	if digits > 0 {
		fraction = "." + strings.Repeat("0", digits)
	}
	return t.Format(strings.Replace(layout, ".999999999", fraction, 1))
}
