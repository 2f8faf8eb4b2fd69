package web

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// timelineShown is how many rows one page of a timeline lists.
const timelineShown = 100

type timelineView struct {
	page
	Timeline
	Q TimelineQuery
}

func timelineQuery(r *http.Request, limit int) TimelineQuery {
	v := r.URL.Query()
	return TimelineQuery{Kind: cutText(v.Get("kind"), 80), Source: v.Get("source"), Month: v.Get("month"), After: v.Get("after"), Limit: limit}
}

func (s *server) timeline(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.customer") {
		return
	}
	q := timelineQuery(r, timelineShown)
	data, ok := load(s, w, r, func(ctx context.Context) (Timeline, error) { return s.data.Timeline(ctx, r.PathValue("id"), q) })
	if ok && s.seen(w, r, "read.customer", data.ID) {
		s.render(w, r, http.StatusOK, "timeline.html", timelineView{s.page(w, r, "customers"), data, q})
	}
}

// timelineExport is the timeline as a table for a spreadsheet. Who took it is
// kept before the first row leaves.
func (s *server) timelineExport(w http.ResponseWriter, r *http.Request) {
	id, q := r.PathValue("id"), timelineQuery(r, 1)
	q.After, q.Month = "", ""
	data, ok := load(s, w, r, func(ctx context.Context) (Timeline, error) { return s.data.Timeline(ctx, id, q) })
	if !ok || !s.seen(w, r, "read.customer.export", data.ID) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportBound)
	defer cancel()
	write, end := s.sheet(w, "timeline.csv", "at", "what", "type", "source", "id", "subject", "channel", "status", "amount", "currency", "fields", "golden record", "who", "why", "decision")
	defer end()
	err := s.data.EachHappening(ctx, id, q, func(h TimelineRow) error {
		return write(h.At.UTC().Format(time.RFC3339), h.Kind, h.Type, h.Source, h.ID, h.Subject, h.Channel, h.Status, h.Amount, h.Currency,
			strings.Join(h.Fields, " "), h.Golden, h.Who, h.Why, h.Decision)
	})
	if err != nil {
		s.opts.Log.ErrorContext(ctx, "export ended early", "path", r.URL.Path, "err", err)
		_ = write("the list ends here: it could not be read to its end")
	}
}
