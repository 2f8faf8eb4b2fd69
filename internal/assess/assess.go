// Package assess looks a table over before anything is set up: how complete and
// valid it is, which rows are the same customer, what cannot be right, and what
// work that is. It keeps shapes and masked examples, no values.
package assess

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"touchstone/internal/dedupe"
	"touchstone/rules/profile"
)

// Report is what was found in a table.
type Report struct {
	Entity     string
	Rows       int
	Columns    []Column
	Duplicates int // rows beyond the first of each customer
	Clusters   int
	Doubtful   int // pairs that a person should judge
	Twice      int // customers that stand there more than once
	Examples   []Example
	Shared     []Shared

	Score, Completeness, Validity, Uniqueness float64 // 0 to 100; shares
}

// Column is one column of the table.
type Column struct {
	profile.Field
	Meaning string
}

// Example is rows taken for one customer, masked: a name and a value a column.
type Example struct {
	Probability float64
	Names       []string   // columns
	Rows        [][]string // masked
}

// Shared is a value that many different customers have, masked.
type Shared struct {
	Column, Masked string
	Customers      int
}

const (
	mostExamples = 10
	mostShared   = 10
	mostOfOne    = 4 // rows of an example
	exampleWide  = 6 // columns of an example
	manyShare    = 5 // customers from which on a shared value is told
)

// Weights of the score; a file does not tell how fresh it is.
const (
	weighComplete = 4.0 / 9
	weighValid    = 3.0 / 9
	weighUnique   = 2.0 / 9
)

// Table assesses a loaded table. It holds what dedupe holds, and the counters.
func Table(ctx context.Context, t *dedupe.Table, o dedupe.Options) (Report, error) {
	found, err := dedupe.Run(ctx, t, o)
	if err != nil {
		return Report{}, err
	}
	r := Report{Entity: found.Entity, Rows: t.Rows(), Duplicates: found.Duplicates, Clusters: found.Clusters, Doubtful: len(found.Review)}
	var filled, values, valid int
	for _, read := range found.Reads {
		if read.Meaning == dedupe.Ignore || read.Meaning == dedupe.Empty {
			continue
		}
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
		c := count(t.Column(read.Column), read, t.Rows())
		r.Columns = append(r.Columns, c)
		filled += c.Filled
		if c.Check != profile.Any {
			values, valid = values+c.Values, valid+c.Valid
		}
	}
	r.Completeness, r.Validity, r.Uniqueness = 1, 1, 1
	if len(r.Columns) > 0 && r.Rows > 0 {
		r.Completeness = float64(filled) / float64(len(r.Columns)*r.Rows)
		r.Uniqueness = 1 - float64(r.Duplicates)/float64(r.Rows)
	}
	if values > 0 {
		r.Validity = float64(valid) / float64(values)
	}
	r.Score = 100 * (weighComplete*r.Completeness + weighValid*r.Validity + weighUnique*r.Uniqueness)
	r.examples(t, found)
	r.shared(t, found)
	return r, nil
}

// checkOf is what the values of a column have to be.
func checkOf(m dedupe.Meaning) profile.Check {
	switch m {
	case dedupe.Email:
		return profile.Email
	case dedupe.Phone:
		return profile.Phone
	case dedupe.Birth, dedupe.Date:
		return profile.Date
	case dedupe.Website:
		return profile.Website
	case dedupe.Country:
		return profile.Country
	case dedupe.Number:
		return profile.ID
	case dedupe.Figure:
		return profile.Number
	}
	return profile.Any
}

func count(c *dedupe.Column, read dedupe.Read, rows int) Column {
	counter := profile.NewCounter(read.Column, checkOf(read.Meaning), false)
	for row := range rows {
		if v := strings.TrimSpace(c.Text(row)); v != "" {
			counter.Record([]string{v}, nil, false)
		} else {
			counter.Record(nil, nil, false)
		}
	}
	return Column{counter.Field(), string(read.Meaning)}
}

// examples shows the rows of the surest customers that stand there twice or more,
// and of the most doubtful, in the order of their numbers.
func (r *Report) examples(t *dedupe.Table, found *dedupe.Result) {
	size := make([]int, found.Clusters)
	for _, p := range found.Rows {
		size[p.Cluster]++
	}
	least := make([]float64, found.Clusters)
	for i := range least {
		least[i] = 1
	}
	for _, p := range found.Rows {
		least[p.Cluster] = min(least[p.Cluster], p.Probability)
	}
	var twice []int
	for c, n := range size {
		if n > 1 {
			twice = append(twice, c)
		}
	}
	r.Twice = len(twice)
	slices.SortStableFunc(twice, func(a, b int) int { return cmp.Compare(least[a], least[b]) })
	if len(twice) > mostExamples { // half the most doubtful, half the surest
		twice = append(twice[:mostExamples/2:mostExamples/2], twice[len(twice)-mostExamples/2:]...)
	}
	at := map[int]int{}
	for i, c := range twice {
		at[c] = i
		r.Examples = append(r.Examples, Example{Probability: least[c]})
	}
	var columns []*dedupe.Column
	for _, read := range found.Reads {
		switch read.Meaning {
		case dedupe.Ignore, dedupe.Empty, dedupe.RowID, dedupe.Source:
			continue
		}
		if len(columns) < exampleWide {
			columns = append(columns, t.Column(read.Column))
		}
	}
	for row, p := range found.Rows {
		i, ok := at[p.Cluster]
		if !ok || len(r.Examples[i].Rows) >= mostOfOne {
			continue
		}
		var line []string
		for _, c := range columns {
			line = append(line, Mask(c.Text(row)))
		}
		r.Examples[i].Rows = append(r.Examples[i].Rows, line)
	}
	for i := range r.Examples {
		for _, c := range columns {
			r.Examples[i].Names = append(r.Examples[i].Names, c.Name)
		}
	}
}

// shared finds telephones, mail addresses and numbers that many customers have.
func (r *Report) shared(t *dedupe.Table, found *dedupe.Result) {
	for _, read := range found.Reads {
		if read.Meaning != dedupe.Phone && read.Meaning != dedupe.Email && read.Meaning != dedupe.Number {
			continue
		}
		c := t.Column(read.Column)
		value := func(row int) string { return strings.ToLower(strings.TrimSpace(c.Text(row))) }
		rows := map[string]int{}
		for row := range found.Rows {
			rows[value(row)]++
		}
		customers := map[string]map[int]bool{} // of values that stand in rows enough
		for row, p := range found.Rows {
			v := value(row)
			if v == "" || rows[v] < manyShare {
				continue
			}
			if customers[v] == nil {
				customers[v] = map[int]bool{}
			}
			customers[v][p.Cluster] = true
		}
		for v, of := range customers {
			if len(of) >= manyShare {
				r.Shared = append(r.Shared, Shared{read.Column, Mask(v), len(of)})
			}
		}
	}
	slices.SortFunc(r.Shared, func(a, b Shared) int {
		return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Masked, b.Masked))
	})
	r.Shared = r.Shared[:min(len(r.Shared), mostShared)]
}

// mostMasked is the longest masked text, in characters.
const mostMasked = 40

// Mask hides a value: of each word the first letter stays, of digits the last
// two, and signs as they are.
func Mask(s string) string {
	runes := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " "))
	digits := 0
	for _, r := range runes {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	var b strings.Builder
	word, seen := false, 0
	for i, r := range runes {
		if i >= mostMasked {
			b.WriteRune('…')
			break
		}
		switch {
		case unicode.IsDigit(r):
			seen++
			if digits > 4 && seen > digits-2 {
				b.WriteRune(r)
			} else {
				b.WriteRune('•')
			}
			word = true
		case unicode.IsLetter(r) || unicode.IsMark(r):
			if word {
				b.WriteRune('•')
			} else {
				b.WriteRune(r)
			}
			word = true
		case unicode.IsPrint(r):
			b.WriteRune(r)
			word = false
		default:
			b.WriteRune('\uFFFD')
		}
	}
	return b.String()
}

// Seconds that a person takes for one of each, as a rule of thumb that the report
// states: to merge two records in another system by hand, to judge a pair, to
// correct a value, to clean a text.
const (
	SecondsDuplicate = 180
	SecondsDoubtful  = 30
	SecondsInvalid   = 90
	SecondsDirty     = 20
)
