package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"touchstone/internal/web/chart"
)

// Assessment is a report on the health of a file or a source, as one page that
// needs nothing beside itself. It carries shapes and masked examples.
type Assessment struct {
	Name     string // of the file or source
	Entity   string
	At       time.Time
	Rows     int
	Score    Score
	Columns  []AssessColumn
	Found    bool // duplicates were looked for
	Customer AssessCustomers
	Work     []AssessWork
	PerHour  float64 // what an hour costs; 0 for not said
	Currency string
	Fresh    bool // freshness is known
}

// AssessColumn is one column or field.
type AssessColumn struct {
	Name, Meaning, Check string
	FieldFigures
	Shapes []Count
}

// AssessCustomers is what was found of the same customer.
type AssessCustomers struct {
	Duplicates, Clusters, Twice, Doubtful int
	Examples                              []AssessExample
	Shared                                []AssessShared
}

// AssessExample is masked rows of one customer.
type AssessExample struct {
	Probability float64
	Names       []string
	Rows        [][]string
}

// AssessShared is a masked value that many customers have.
type AssessShared struct {
	Column, Masked string
	Customers      int
}

// AssessWork is a kind of work with how long one takes.
type AssessWork struct {
	Kind    string // duplicates, doubtful, invalid, dirty
	N       int
	Seconds int
}

// Hours is how long all of it takes.
func (w AssessWork) Hours() float64 { return float64(w.N) * float64(w.Seconds) / 3600 }

type assessView struct {
	Assessment
	Lang                   language
	Style                  template.CSS
	Policy                 string
	Title                  string
	Complete, Valid, Costs chart.Chart
	Hours                  float64
	Money                  string
}

// Languages lists the codes of the languages that pages and reports speak.
func Languages() []string {
	var codes []string
	for _, l := range languages() {
		codes = append(codes, l.Code)
	}
	return codes
}

// WriteAssessment writes the report in a language as one HTML file: its style is
// its own, it has no script, and it loads nothing.
func WriteAssessment(w io.Writer, a Assessment, code string) error {
	l, ok := byCode(code)
	if !ok {
		return fmt.Errorf("language %q: want one of %v", code, Languages())
	}
	css := joined("report.css", "text/css", "assets/css/*.css").content
	sum := sha256.Sum256(css)
	in := words{l}
	v := assessView{
		Assessment: a, Lang: l, Style: template.CSS(css), //nolint:gosec // our own stylesheet
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		Title:  fmt.Sprintf(in.T("assess.headline"), a.Name, points(a.Score.Score)),
	}
	var missing, invalid []chart.Item
	for _, c := range a.Columns {
		if n := c.Filled + c.Missing; n > 0 {
			missing = append(missing, chart.Item{Name: c.Name, Value: float64(c.Filled), Note: chart.Percent(float64(c.Filled) / float64(n))})
		}
		if c.Checked && c.Values > 0 {
			invalid = append(invalid, chart.Item{Name: c.Name, Value: float64(c.Invalid), Note: chart.Percent(float64(c.Invalid) / float64(c.Values)), Class: "c2"})
		}
	}
	slices.SortStableFunc(invalid, func(x, y chart.Item) int { return cmp.Compare(y.Value, x.Value) })
	v.Complete = chart.Bars(chart.Words{Title: in.T("assess.complete"), Columns: []string{in.T("col.field"), in.T("quality.is.filled"), in.T("col.share")}}, missing)
	v.Valid = chart.Bars(chart.Words{Title: in.T("assess.invalid"), Columns: []string{in.T("col.field"), in.T("quality.is.invalid"), in.T("col.share")}}, invalid)
	var work []chart.Item
	for _, x := range a.Work {
		v.Hours += x.Hours()
		work = append(work, chart.Item{Name: in.word("assess.work", x.Kind), Value: x.Hours(), Note: fmt.Sprintf(in.T("assess.each"), count(x.N), x.Seconds)})
	}
	if a.PerHour > 0 {
		v.Money = count(int(v.Hours*a.PerHour+0.5)) + "\u202f" + a.Currency
	}
	v.Costs = chart.Waterfall(chart.Words{Title: in.T("assess.hours"), Columns: []string{in.T("assess.kind"), in.T("assess.hours"), ""}, Total: in.T("col.total")}, work)
	var b bytes.Buffer
	if err := parsePages([]language{l})[l.Code]["assess.html"].ExecuteTemplate(&b, "report", v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
