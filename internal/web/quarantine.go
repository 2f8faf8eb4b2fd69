package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"time"
)

// quarantineShown is how many quarantined records one page lists, and
// exportShown how many one export holds.
const (
	quarantineShown = 30
	exportShown     = 10000
)

type quarantineView struct {
	page
	QuarantinePage
	Filter QuarantineFilter
	Total  int // of this state and source
}

func quarantineFilter(r *http.Request) QuarantineFilter {
	q := r.URL.Query()
	return QuarantineFilter{State: q.Get("state"), Source: q.Get("source"), Rule: q.Get("rule"), After: q.Get("after"), Limit: quarantineShown}
}

func (s *server) quarantine(w http.ResponseWriter, r *http.Request) {
	f := quarantineFilter(r)
	data, ok := load(s, w, r, func(ctx context.Context) (QuarantinePage, error) { return s.data.QuarantinePage(ctx, f) })
	if !ok {
		return
	}
	var ids []string
	for i := range data.Rows {
		ids = append(ids, data.Rows[i].ID)
		if !s.opts.ShowValues {
			maskReasons(data.Rows[i].Reasons)
		}
	}
	if s.opts.ShowValues && !s.seen(w, r, "read.quarantine", ids...) {
		return
	}
	if f.State == "" {
		f.State = "open"
	}
	v := quarantineView{page: s.page(w, r, "quarantine"), QuarantinePage: data, Filter: f}
	for _, c := range data.Sources {
		if f.Source == "" || f.Source == c.Name {
			v.Total += c.N
		}
	}
	s.render(w, r, http.StatusOK, "quarantine.html", v)
}

func maskReasons(reasons []Reason) {
	for i := range reasons {
		reasons[i].Value = ""
	}
}

type recordView struct {
	page
	QuarantineRecord
}

func (s *server) quarantined(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (QuarantineRecord, error) {
		return s.data.QuarantineRecord(ctx, r.PathValue("id"))
	})
	if ok && s.seen(w, r, "read.quarantine", data.ID) {
		s.render(w, r, http.StatusOK, "record.html", recordView{s.page(w, r, "quarantine"), data})
	}
}

// quarantineExport is the filtered list as a table for a spreadsheet, one row a
// reason.
func (s *server) quarantineExport(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	f := quarantineFilter(r)
	f.After, f.Limit = "", exportShown
	data, ok := load(s, w, r, func(ctx context.Context) (QuarantinePage, error) { return s.data.QuarantinePage(ctx, f) })
	if !ok {
		return
	}
	ids := make([]string, 0, len(data.Rows))
	for _, q := range data.Rows {
		ids = append(ids, q.ID)
	}
	if !s.seen(w, r, "read.quarantine.export", ids...) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="quarantine.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "source", "entity", "record", "place", "state", "since", "rule", "field", "value", "what is wrong", "how to mend it"}) // Error tells at the end
	for _, q := range data.Rows {
		for _, reason := range q.Reasons {
			row := []string{q.ID, q.Source, q.Entity, q.Record, q.Place, q.State, q.At.UTC().Format(time.RFC3339), reason.Rule, reason.Field, reason.Value, reason.Text, reason.Remedy}
			for i, cell := range row {
				row[i] = plainCell(cell)
			}
			_ = out.Write(row)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		s.opts.Log.Debug("export not sent", "err", err)
	}
}

// plainCell keeps a spreadsheet from taking a text for a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
