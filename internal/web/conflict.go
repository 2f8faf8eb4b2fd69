package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"touchstone/internal/auth"
)

// conflictsShown is how many rows one page of the inbox lists.
const conflictsShown = 20

func (s *server) conflictRoutes(m *routes) {
	m.handle("GET /conflicts", auth.SeeCustomers, auth.ByList, s.conflicts)
	m.handle("GET /conflicts.csv", auth.Export, auth.ByList, s.conflictsExport)
	m.handle("POST /conflicts", auth.Repair, auth.ByList, s.settleRows)
	m.handle("POST /conflicts/{row}", auth.Repair, auth.ByList, s.settleRow)
}

type conflictView struct {
	page
	ConflictPage
	Filter  ConflictFilter
	Inbox   string
	Total   int
	Bulk    string // ours or drop: what is to be done to all rows of the filter
	Trouble string
	At      string // the row whose settling was refused
	Typed   SettleForm
	Take    string // the form in which what was typed would be taken
	Self    string // the address of this list, for forms to come back to
}

func conflictFilter(q url.Values) ConflictFilter {
	return ConflictFilter{View: q.Get("view"), Target: q.Get("target"), Path: q.Get("field"), After: q.Get("after"), Limit: conflictsShown}
}

func (s *server) conflicts(w http.ResponseWriter, r *http.Request) {
	s.showConflicts(w, r, http.StatusOK, conflictView{Filter: conflictFilter(r.URL.Query()), Bulk: r.URL.Query().Get("all")})
}

func (s *server) showConflicts(w http.ResponseWriter, r *http.Request, status int, v conflictView) {
	data, ok := look(s, w, r, "read.conflicts", func(ctx context.Context) (ConflictPage, error) { return s.data.ConflictPage(ctx, v.Filter) }, conflictIDs)
	if !ok {
		return
	}
	v.page, v.ConflictPage, v.Inbox = s.page(w, r, "quarantine"), data, "conflicts"
	for _, c := range data.Views {
		if c.Name == data.Shown {
			v.Total = c.N
		}
	}
	if !slices.Contains([]string{"ours", "drop"}, v.Bulk) || v.Total == 0 {
		v.Bulk = ""
	}
	q := url.Values{"view": {data.Shown}}
	for name, value := range map[string]string{"target": v.Filter.Target, "field": v.Filter.Path} {
		if value != "" {
			q.Set(name, value)
		}
	}
	v.Self = "/conflicts?" + q.Encode()
	s.render(w, r, status, "conflicts.html", v)
}

func conflictIDs(p ConflictPage) (ids []string) {
	for _, row := range p.Rows {
		ids = append(ids, row.ID)
	}
	for _, f := range p.Flips {
		ids = append(ids, f.Golden)
	}
	return unique(ids)
}

func (s *server) settleRow(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	f := SettleForm{Row: r.PathValue("row"), How: r.PostForm.Get("how"), Path: r.PostForm.Get("path"), Value: r.PostForm.Get("value"), Seen: r.PostForm.Get("seen")}
	next := r.PostForm.Get("next")
	s.act(w, r, next, func(ctx context.Context, by By) (Done, error) { return s.data.SettleRow(ctx, f, by) }, func(p Problem) {
		v := conflictView{Trouble: p.Text, At: f.Row, Typed: f, Take: p.Take}
		if u, err := url.Parse(next); err == nil {
			v.Filter = conflictFilter(u.Query())
		}
		v.Filter.Limit = conflictsShown
		s.showConflicts(w, r, http.StatusUnprocessableEntity, v)
	})
}

func (s *server) settleRows(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	f := conflictFilter(r.PostForm)
	s.act(w, r, "/conflicts", func(ctx context.Context, by By) (Done, error) {
		return s.data.SettleRows(ctx, f, r.PostForm.Get("how") == "drop", by)
	}, nil)
}

func (s *server) conflictsExport(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.conflicts.export") {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportBound)
	defer cancel()
	f := conflictFilter(r.URL.Query())
	f.After, f.Limit = "", conflictPart
	out := s.parts(w, r, "read.conflicts.export", "conflicts.csv", "target", "object", "golden record", "state", "answer", "field", "when planned", "there now", "ours", "from", "at")
	var err error
	for n := 0; n < exportShown && err == nil; {
		var data ConflictPage
		if data, err = s.data.ConflictPage(ctx, f); err == nil {
			n += len(data.Rows)
			err = conflictRows(ctx, out, data)
		}
		if f.After, f.View = data.Next, data.Shown; f.After == "" {
			break
		}
	}
	out.end(ctx, err)
}

// conflictPart is how many rows are read at a time for an export.
const conflictPart = 100

// conflictRows adds what stands on one page to a table.
func conflictRows(ctx context.Context, out *parts, data ConflictPage) error {
	for _, c := range data.Rows {
		for _, x := range c.Sides {
			if err := out.add(ctx, conflictIDs(ConflictPage{Rows: []ConflictRow{c}}), c.Target, c.ExternalID, c.Golden, c.State, c.Problem, x.Path, x.Base, x.Theirs, x.Ours, x.From, c.At.UTC().Format(time.RFC3339)); err != nil {
				return err
			}
		}
	}
	for _, x := range data.Flips {
		for i, step := range x.Steps {
			if err := out.add(ctx, conflictIDs(ConflictPage{Flips: []FlipRow{x}}), x.Target, "", x.Golden, "flip "+strconv.Itoa(i+1), "", x.Path, step.Old, "", step.New, "", step.At.UTC().Format(time.RFC3339)); err != nil {
				return err
			}
		}
	}
	return nil
}
