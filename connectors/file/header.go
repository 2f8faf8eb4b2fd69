package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// newCSV finds the dialect from the sample in the window and goes behind the
// header, if there is one.
func newCSV(ctx context.Context, in *input, opts Options) (*csvScanner, error) {
	c := &csvScanner{in: in, max: opts.MaxRecord, line: 1, delim: []byte(opts.Delimiter)}
	if len(c.delim) == 0 {
		c.delim = findDelimiter(in.window(), in.eol)
	}
	used, lines, problem, err := c.record(ctx)
	if errors.Is(err, io.EOF) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if problem != "" {
		return nil, fmt.Errorf("first row: %s", problem)
	}
	if problem := in.damage(in.buf[in.lo : in.lo+used]); problem != "" {
		return nil, fmt.Errorf("first row: %s", problem)
	}
	row := c.row()
	if opts.Header == nil && looksLikeData(row) || opts.Header != nil && !*opts.Header {
		names := make([]string, len(row))
		for i := range names {
			names[i] = "c" + strconv.Itoa(i+1)
		}
		c.setNames(names)
		return c, nil
	}
	names, err := headerNames(row)
	if err != nil {
		return nil, err
	}
	if err := c.wrongDelimiter(names, opts); err != nil {
		return nil, err
	}
	c.setNames(names)
	return c, c.advance(ctx, used, lines)
}

// wrongDelimiter refuses a delimiter of the options by which the whole header is
// one column, and another one would part it: else no record would have an id.
func (c *csvScanner) wrongDelimiter(names []string, opts Options) error {
	if opts.Delimiter == "" || len(names) != 1 || c.fields[0].lo > 0 { // in quotes it is one name
		return nil
	}
	for _, d := range delimiters() {
		if strings.Contains(names[0], d) {
			return fmt.Errorf("header: by delimiter %q it is one column, %q; set delimiter: %q, or leave the key out to have it found", opts.Delimiter, names[0], d)
		}
	}
	return nil
}

func (c *csvScanner) row() []string {
	row := make([]string, len(c.fields))
	for i, f := range c.fields {
		text := string(c.in.buf[c.in.lo+f.lo : c.in.lo+f.hi])
		if f.doubled {
			text = strings.ReplaceAll(text, `""`, `"`)
		}
		row[i] = strings.TrimSpace(text)
	}
	return row
}

// headerNames checks a header row. A column without a name is called by its
// number; empty ones at the end come from a delimiter too much.
func headerNames(row []string) ([]string, error) {
	for len(row) > 1 && row[len(row)-1] == "" {
		row = row[:len(row)-1]
	}
	at := map[string]int{}
	for i, name := range row {
		if name == "" {
			name = "c" + strconv.Itoa(i+1)
			row[i] = name
		}
		if first, ok := at[name]; ok {
			return nil, fmt.Errorf("header: columns %d and %d are both named %q; rename one of them", first+1, i+1, name)
		}
		at[name] = i
	}
	return row, nil
}

// looksLikeData says whether a first row is a record rather than a header: its
// first field is a number, or some field is an e-mail address or holds six or
// more digits. What is neither is taken as a header.
func looksLikeData(row []string) bool {
	if _, err := strconv.ParseFloat(row[0], 64); err == nil {
		return true
	}
	for _, field := range row {
		digits := 0
		for _, r := range field {
			if unicode.IsDigit(r) {
				digits++
			}
		}
		if digits >= 6 || strings.Contains(field, "@") {
			return true
		}
	}
	return false
}

// delimiters are those that files use, the commonest first.
func delimiters() []string { return []string{",", ";", "\t", "|", "，"} }

// findDelimiter takes the candidate that parts most of the first lines into as
// many fields as the first line; among equals the one that parts them finest,
// then the one named first.
func findDelimiter(sample []byte, eol byte) []byte {
	best, bestScore := ",", 0
	for _, d := range delimiters() {
		counts := countOutsideQuotes(sample, []byte(d), eol, 20)
		if len(counts) == 0 || counts[0] == 0 {
			continue
		}
		same := 0
		for _, n := range counts {
			if n == counts[0] {
				same++
			}
		}
		if score := same*1000 + min(counts[0], 999); score > bestScore {
			best, bestScore = d, score
		}
	}
	return []byte(best)
}

// countOutsideQuotes counts the delimiters of each of the first lines.
func countOutsideQuotes(sample, delim []byte, eol byte, lines int) []int {
	var counts []int
	n, inside, filled := 0, false, false
	for i := 0; i < len(sample) && len(counts) < lines; i++ {
		switch {
		case sample[i] == '"':
			inside, filled = !inside, true
		case inside:
		case sample[i] == eol:
			if filled {
				counts = append(counts, n)
			}
			n, filled = 0, false
		case bytes.HasPrefix(sample[i:], delim):
			n, filled = n+1, true
		case sample[i] != '\r':
			filled = true
		}
	}
	if filled && len(counts) == 0 {
		counts = append(counts, n)
	}
	return counts
}
