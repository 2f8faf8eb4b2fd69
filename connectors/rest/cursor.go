package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// cursor is where a stream stands: in its list and, behind it, in the list of
// what was deleted.
type cursor struct {
	place
	Deleted   *place `json:"deleted,omitempty"`
	InDeleted bool   `json:"in_deleted,omitempty"` // the pass has come to the second list
}

// place is where a list stands. Between two passes only Mark is set, and Token
// where it is kept; within one, it holds all that the next page needs, so that a
// pass goes on after a restart where it stopped.
type place struct {
	Mark  string  `json:"mark,omitempty"`  // high-water mark: the greatest cursor value of the passes that ended
	High  string  `json:"high,omitempty"`  // the greatest seen in this pass; becomes Mark at its end
	Token *string `json:"token,omitempty"` // asks for the next page; nil for the first
	Pages int     `json:"pages,omitempty"` // pages taken in this pass
	Until string  `json:"until,omitempty"` // the end of this pass's window, as the request writes it
	Last  string  `json:"last,omitempty"`  // the greatest order_by so far
	After string  `json:"after,omitempty"` // the one that this search began behind: {{ last }}
	Count int     `json:"count,omitempty"` // results since the search began anew
	Size  int     `json:"size,omitempty"`  // of pages, once one was too long; 0: as configured
	Loop  *loop   `json:"loop,omitempty"`
}

// loop notices that page tokens repeat while remembering only one of them:
// Brent's algorithm (An improved Monte Carlo factorization algorithm, BIT 20,
// 1980). It finds every cycle within three times its length and lead.
type loop struct {
	Anchor string `json:"anchor"` // hash of a token seen earlier
	Steps  int    `json:"steps"`  // tokens since
	Span   int    `json:"span"`   // tokens until the anchor moves on
}

// next takes a token in and says whether it came before.
func (l *loop) next(token string) (*loop, bool) {
	sum := sha256.Sum256([]byte(token))
	hash := hex.EncodeToString(sum[:12])
	switch {
	case l == nil:
		return &loop{Anchor: hash, Span: 1}, false
	case l.Anchor == hash:
		return l, true
	case l.Steps+1 >= l.Span:
		return &loop{Anchor: hash, Span: 2 * l.Span}, false
	}
	return &loop{Anchor: l.Anchor, Steps: l.Steps + 1, Span: l.Span}, false
}

func readCursor(b []byte) (cursor, error) {
	var c cursor
	if len(b) == 0 {
		return c, nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, errors.New("the cursor is not one of this connector")
	}
	return c, nil
}

func (c cursor) bytes() ([]byte, error) { return json.Marshal(c) }

// markLayouts are the times a cursor value may be written as.
func markLayouts() []string {
	return []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", time.DateOnly}
}

func markTime(s string) (time.Time, string, bool) {
	for _, layout := range markLayouts() {
		if t, err := time.Parse(layout, s); err == nil {
			return t, layout, true
		}
	}
	return time.Time{}, "", false
}

// compareMarks orders two cursor values: as times when both are, as numbers
// when both are, else as texts.
func compareMarks(a, b string) int {
	if t, _, ok := markTime(a); ok {
		if u, _, ok := markTime(b); ok {
			return t.Compare(u)
		}
	}
	if x, ok := markNumber(a); ok {
		if y, ok := markNumber(b); ok {
			return x.Cmp(y)
		}
	}
	return strings.Compare(a, b)
}

func markNumber(s string) (*big.Int, bool) {
	if s == "" || len(s) > 100 {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

// back moves a mark back in time, and down to a whole step. A time is written
// again as it was, with as many digits after the second; a number is taken for
// seconds or, from millis on, for milliseconds since 1970.
func back(mark string, d, step time.Duration) (string, error) {
	if mark == "" {
		return mark, nil
	}
	if t, layout, ok := markTime(mark); ok {
		if d == 0 && t.Truncate(step).Equal(t) {
			return mark, nil
		}
		if _, fraction, ok := strings.Cut(mark, "."); ok && layout != time.DateOnly {
			digits := len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
			layout = strings.Replace(layout, ".999999999", "."+strings.Repeat("0", digits), 1)
		}
		return t.Add(-d).Truncate(step).In(t.Location()).Format(layout), nil
	}
	if d == 0 {
		return mark, nil
	}
	if n, ok := markNumber(mark); ok && n.IsInt64() {
		unit := time.Second
		if n.Int64() >= millis {
			unit = time.Millisecond
		}
		return fmt.Sprint(n.Int64() - int64((d+unit-1)/unit)), nil
	}
	return "", errors.New("incremental.lookback needs a cursor that is a time")
}

// written is a mark as requests write it.
func written(mark, format string) (string, error) {
	if format == "as_is" || mark == "" {
		return mark, nil
	}
	t, ok := stampTime(mark)
	if !ok {
		return "", fmt.Errorf("incremental.format %s needs a cursor that is a time", format)
	}
	switch format {
	case "unix":
		return strconv.FormatInt(t.Unix(), 10), nil
	case "unix_ms":
		return strconv.FormatInt(t.UnixMilli(), 10), nil
	case "date":
		return t.UTC().Format(time.DateOnly), nil
	}
	return t.UTC().Format(time.RFC3339), nil
}
