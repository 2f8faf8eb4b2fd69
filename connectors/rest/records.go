package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/record"
)

// recordsOf picks the list of records out of an answer.
func recordsOf(r request, selector string, a answer) ([]any, error) {
	v, err := r.pick.Run(a.vars())
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("records: %s gives %s, want a list of objects", selector, nameOf(v))
	}
	for i, e := range list {
		if _, ok := e.(map[string]any); !ok {
			return nil, fmt.Errorf("records: entry %d of %s is %s, want an object", i+1, selector, nameOf(e))
		}
	}
	return list, nil
}

func nameOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "true or false"
	}
	return "a number"
}

// latest is the latest time a cursor value may have: a day past the server's
// own clock, the zero time if it does not tell it.
func latest(a answer) time.Time {
	t, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t.Add(24 * time.Hour)
}

// records makes a page's records, and finds the greatest cursor value. Records
// older than what was asked for are left out, exact repetitions too. A value
// later than last does not raise the mark: one record dated 2099 would hide
// every change until then.
func (c *Client) records(s *stream, l *listing, list []any, at place, since string, last time.Time) ([]record.Raw, string, error) {
	high := at.High
	out := make([]record.Raw, 0, len(list))
	seen := make(map[string]bool, len(list))
	for i, e := range list {
		raw, err := c.listed(s, l, e, fmt.Sprintf("page %d, record %d", at.Pages+1, i+1))
		if err != nil {
			return nil, "", err
		}
		if key := string(raw.Data); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		mark, err := l.markOf(e)
		if err != nil {
			return nil, "", fmt.Errorf("record %d: incremental.cursor: %w", i+1, err)
		}
		// A record without a mark (never changed yet) is always kept, and so is
		// what a feed gives: its own order counts, not the look of a time.
		if mark != "" && at.Mark != "" && !l.pager.Keep && compareMarks(mark, since) < 0 {
			if l.cursorUsed {
				c.note("stream %s: the system gives records older than the cursor asked for; they are left out here", s.Name)
			}
			continue
		}
		out = append(out, raw)
		out = append(out, s.mergedInto(raw, e)...)
		if t, _, ok := markTime(mark); ok && !last.IsZero() && t.After(last) {
			c.note("stream %s: a record is dated in the future; it does not move the cursor", s.Name)
			continue
		}
		high = greater(high, mark)
	}
	return out, high, nil
}

// listed makes one record of a list.
func (c *Client) listed(s *stream, l *listing, rec any, place string) (record.Raw, error) {
	if !l.gone {
		return c.raw(s, rec, place)
	}
	as := *s
	as.id, as.stamp, as.version, as.deleted = l.id, l.stamp, program{}, program{}
	raw, err := c.raw(&as, rec, place)
	raw.Deleted = raw.Problem == ""
	return raw, err
}

// mergedInto gives a deletion for each object that was merged into a record. A
// record whose list of them cannot be read has none: it is itself good.
func (s *stream) mergedInto(into record.Raw, rec any) (out []record.Raw) {
	if !s.merged.given() || into.Problem != "" {
		return nil
	}
	v, err := s.merged.Run(map[string]any{"record": rec})
	if err != nil || v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, e := range list {
		id := strings.TrimSpace(textOf(e))
		if id == "" || id == into.ID {
			continue
		}
		data, err := encode(map[string]any{"merged_into": into.ID})
		if err != nil {
			continue // a text always encodes
		}
		out = append(out, record.Raw{Entity: into.Entity, ID: id, Deleted: true, Data: data, Place: into.Place})
	}
	return out
}

// textOf is a value as text: "" where it has none.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case fmt.Stringer: // a number with its own digits
		return v.String()
	case int64, int, float64:
		return fmt.Sprint(v)
	}
	return ""
}

func (l *listing) markOf(rec any) (string, error) {
	if !l.mark.given() {
		return "", nil
	}
	v, err := l.mark.Run(map[string]any{"record": rec})
	if err != nil {
		return "", err
	}
	mark, _ := v.(string)
	return mark, nil
}

func greater(a, b string) string {
	if a == "" || b != "" && compareMarks(b, a) > 0 {
		return b
	}
	return a
}

// raw makes one record. What is wrong with it alone becomes its Problem, so
// that one bad record does not hold up the rest.
func (c *Client) raw(s *stream, rec any, place string) (record.Raw, error) {
	data, err := encode(rec)
	if err != nil {
		return record.Raw{}, fmt.Errorf("%s: %w", place, err)
	}
	r := record.Raw{Entity: s.Name, Data: data, Place: place}
	vars := map[string]any{"record": rec}
	problem := func(what string, err error) { r.Problem = fmt.Sprintf("%s: %v", what, err) }
	text := func(p program, what string) string {
		if !p.given() {
			return ""
		}
		v, err := p.Run(vars)
		if err != nil {
			problem(what, err)
		}
		t, _ := v.(string)
		return t
	}
	r.ID = text(s.id, "id")
	r.Version = unquoteTag(text(s.version, "version"))
	if stamp := text(s.stamp, "stamp"); stamp != "" {
		var ok bool
		if r.Stamp, ok = stampTime(stamp); !ok {
			c.note("stream %s: a stamp is not a time that can be read; such records count as without one", s.Name)
		}
	}
	if s.deleted.given() {
		v, err := s.deleted.Run(vars)
		if err != nil {
			problem("deleted", err)
		}
		r.Deleted = v == true
	}
	if s.id.given() && strings.TrimSpace(r.ID) == "" && r.Problem == "" {
		problem("id", errors.New("the record has none"))
	}
	if r.Problem != "" {
		return unreadable(r), nil
	}
	return r, nil
}

func unreadable(r record.Raw) record.Raw {
	text := []rune(string(r.Data))
	if len(text) > 2000 {
		text = text[:2000]
	}
	data, _ := json.Marshal(map[string]string{"unreadable": string(text)}) // a text always encodes
	return record.Raw{Entity: r.Entity, ID: r.ID, Data: data, Place: r.Place, Problem: r.Problem}
}

// millis is from where on a number is milliseconds since 1970: 3 March 1973. As
// seconds it would be in the year 5138.
const millis = 1e11

// stampTime reads a time, or seconds or milliseconds since 1970.
func stampTime(s string) (time.Time, bool) {
	if t, _, ok := markTime(s); ok {
		return t.UTC(), true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0 || n > 1e14:
		return time.Time{}, false
	case n >= millis:
		return time.UnixMilli(n).UTC(), true
	}
	return time.Unix(n, 0).UTC(), true
}
