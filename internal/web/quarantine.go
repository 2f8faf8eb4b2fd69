package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"touchstone/internal/auth"
)

// quarantineShown is how many quarantined records one page lists, and
// exportShown how many one export holds.
const (
	quarantineShown = 30
	exportShown     = 10000
)

func (s *server) quarantineRoutes(m *routes) {
	m.handle("GET /quarantine", auth.See, auth.ByList, s.quarantine)
	m.handle("GET /quarantine.csv", auth.Export, auth.ByList, s.quarantineExport)
	m.handle("POST /quarantine/views", auth.See, auth.ByList, s.saveView(quarantineViews(), s.showQuarantine))
	m.handle("POST /quarantine/views/{id}/drop", auth.See, auth.NoValues, s.dropView(quarantineViews()))
	m.handle("GET /quarantine/fixes", auth.SeeCustomers, auth.ByList, s.fixes)
	m.handle("GET /quarantine/fixes.csv", auth.Export, auth.ByList, s.fixesExport)
	m.handle("GET /faults/{fault}", auth.SeeCustomers, auth.ByList, s.fault)
	m.handle("POST /faults/{fault}", auth.Repair, auth.ByList, s.mendAll)
	m.handle("GET /quarantine/{id}", auth.SeeCustomers, auth.ByList, s.quarantined)
	m.handle("GET /quarantine/{id}/raw", auth.SeeCustomers, auth.ByList, s.quarantinedRaw)
	m.handle("POST /quarantine/{id}/mend", auth.Repair, auth.ByList, s.mend)
	m.handle("POST /quarantine/{id}/release", auth.Repair, auth.ByList, s.release)
	m.handle("POST /acts/{id}/undo", auth.Repair, auth.ByList, s.undoAct)
}

type quarantineView struct {
	page
	QuarantinePage
	Filter QuarantineFilter
	Total  int // of this state and source
	Ages   []string
	Inbox  string
	Saved  viewsPart
}

func quarantineFilter(r *http.Request) QuarantineFilter {
	q := r.URL.Query()
	return QuarantineFilter{
		State: q.Get("state"), Source: q.Get("source"), Rule: q.Get("rule"), Fault: q.Get("fault"), Age: q.Get("age"), After: q.Get("after"), Limit: quarantineShown,
	}
}

func (s *server) quarantine(w http.ResponseWriter, r *http.Request) {
	s.showQuarantine(w, r, http.StatusOK, viewForm{})
}

func (s *server) showQuarantine(w http.ResponseWriter, r *http.Request, status int, form viewForm) {
	f := quarantineFilter(r)
	data, ok := load(s, w, r, func(ctx context.Context) (QuarantinePage, error) { return s.data.QuarantinePage(ctx, f) })
	if !ok {
		return
	}
	saved, ok := load(s, w, r, func(ctx context.Context) (viewsPart, error) {
		return s.viewsPart(ctx, quarantineViews(), r.URL.Query(), form)
	})
	if !ok {
		return
	}
	var ids []string
	values := s.shows(r)
	for i := range data.Rows {
		ids = append(ids, data.Rows[i].ID)
		if !values {
			maskReasons(data.Rows[i].Reasons)
		}
	}
	for i := range data.Faults {
		ids = append(ids, data.Faults[i].Sample)
		if !values {
			data.Faults[i].Value = ""
		}
	}
	if values && !s.seen(w, r, "read.quarantine", ids...) {
		return
	}
	if f.State == "" {
		f.State = "open"
	}
	v := quarantineView{page: s.page(w, r, "quarantine"), QuarantinePage: data, Filter: f, Ages: QuarantineAges, Inbox: "quarantine", Saved: saved}
	for _, c := range data.Sources {
		if f.Source == "" || f.Source == c.Name {
			v.Total += c.N
		}
	}
	s.render(w, r, status, "quarantine.html", v)
}

func maskReasons(reasons []Reason) {
	for i := range reasons {
		reasons[i].Value = ""
	}
}

type recordView struct {
	page
	QuarantineRecord
	Typed, Value, Trouble string // the field whose typed value was refused, what it was, and why
}

func (s *server) quarantined(w http.ResponseWriter, r *http.Request) {
	s.showRecord(w, r, http.StatusOK, recordView{})
}

// showRecord shows one record; the view carries what was refused.
func (s *server) showRecord(w http.ResponseWriter, r *http.Request, status int, v recordView) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (QuarantineRecord, error) {
		return s.data.QuarantineRecord(ctx, r.PathValue("id"))
	})
	if ok && s.seen(w, r, "read.quarantine", data.ID) {
		v.page, v.QuarantineRecord = s.page(w, r, "quarantine"), data
		s.render(w, r, status, "record.html", v)
	}
}

// quarantinedRaw is the whole record as it came, for a file.
func (s *server) quarantinedRaw(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	data, ok := whole(s, w, r, func(ctx context.Context) (QuarantineRecord, error) {
		return s.data.QuarantineRecord(ctx, r.PathValue("id"))
	})
	if ok && s.seen(w, r, "read.quarantine", data.ID) {
		s.file(w, "application/json", "record.json")
		s.send(w, r, data.Raw)
	}
}

func (s *server) mend(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	f := RepairForm{Row: r.PathValue("id"), Field: r.PostForm.Get("field"), Remedy: cmp.Or(r.PostForm.Get("remedy"), "typed"), Value: r.PostForm.Get("value")}
	s.act(w, r, recordAddress(f.Row), func(ctx context.Context, by By) (Done, error) { return s.data.MendField(ctx, f, by) },
		func(p Problem) {
			s.showRecord(w, r, http.StatusUnprocessableEntity, recordView{Typed: f.Field, Value: f.Value, Trouble: p.Text})
		})
}

func recordAddress(id string) string { return "/quarantine/" + url.PathEscape(id) }

func (s *server) release(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.act(w, r, recordAddress(id), func(ctx context.Context, by By) (Done, error) { return s.data.ReleaseRecord(ctx, id, by) },
		func(p Problem) {
			s.showRecord(w, r, http.StatusUnprocessableEntity, recordView{Typed: "why", Trouble: p.Text})
		})
}

// undoAct takes back what the last action did, and leads to where that was offered.
func (s *server) undoAct(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	s.act(w, r, r.PostForm.Get("next"), func(ctx context.Context, by By) (Done, error) {
		return s.data.UndoAct(ctx, r.PathValue("id"), by)
	}, nil)
}

type faultView struct {
	page
	FaultPage
	// Of a bulk repair under way.
	Decision, After string
	Repaired, Left  int
}

func (s *server) fault(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	q := r.URL.Query()
	data, ok := load(s, w, r, func(ctx context.Context) (FaultPage, error) {
		return s.data.FaultPage(ctx, r.PathValue("fault"), q.Get("remedy"))
	})
	if !ok {
		return
	}
	ids := make([]string, len(data.Rows))
	for i, row := range data.Rows {
		ids[i] = row.ID
	}
	if !s.seen(w, r, "read.quarantine", ids...) {
		return
	}
	v := faultView{page: s.page(w, r, "quarantine"), FaultPage: data, Decision: q.Get("decision"), After: q.Get("behind")}
	v.Repaired, _ = strconv.Atoi(q.Get("repaired")) // a count that is no number is shown as none
	v.Left, _ = strconv.Atoi(q.Get("left"))
	s.render(w, r, http.StatusOK, "fault.html", v)
}

// mendAll does a part of a bulk repair. While records are left it leads back to
// the fault, which goes on with the next part until somebody stops it.
func (s *server) mendAll(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	b := BulkForm{Fault: r.PathValue("fault"), Remedy: r.PostForm.Get("remedy"), Decision: r.PostForm.Get("decision"), After: r.PostForm.Get("behind")}
	repaired, _ := strconv.Atoi(r.PostForm.Get("repaired"))
	left, _ := strconv.Atoi(r.PostForm.Get("left"))
	next := "/quarantine"
	s.actTo(w, r, func() string { return next }, func(ctx context.Context, by By) (Done, error) {
		step, err := s.data.MendAll(ctx, b, by)
		if err != nil {
			return Done{}, err
		}
		repaired, left = repaired+step.Repaired, left+step.Left
		if step.After != "" {
			next = "/faults/" + url.PathEscape(b.Fault) + "?" + url.Values{
				"remedy": {b.Remedy}, "decision": {step.Decision}, "behind": {step.After}, "repaired": {strconv.Itoa(repaired)}, "left": {strconv.Itoa(left)},
			}.Encode()
		}
		switch {
		case step.After == "" && repaired == 0:
			return Done{Key: "done.mended.none"}, nil
		case step.After == "" && left > 0:
			return ActDone("done.mended.some", step.Decision), nil
		}
		return ActDone("done.mended.all", step.Decision), nil
	}, nil)
}

type fixesView struct {
	page
	Source    string
	Overtaken bool
	Repairs   []RepairOf
	More      bool
}

func (s *server) fixes(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	v := fixesView{Source: r.URL.Query().Get("source"), Overtaken: r.URL.Query().Get("overtaken") != ""}
	list, ok := load(s, w, r, func(ctx context.Context) (list []RepairOf, err error) {
		err = s.data.Fixes(ctx, v.Source, v.Overtaken, func(x RepairOf) error {
			if len(list) == 10*quarantineShown {
				v.More = true
				return errEnough
			}
			list = append(list, x)
			return nil
		})
		return list, enough(err)
	})
	if !ok {
		return
	}
	ids := make([]string, 0, len(list))
	for _, x := range list {
		ids = append(ids, x.Decision)
	}
	if !s.seen(w, r, "read.repairs", unique(ids)...) {
		return
	}
	v.page, v.Repairs = s.page(w, r, "quarantine"), list
	s.render(w, r, http.StatusOK, "fixes.html", v)
}

// fixesExport is what was mended here, for the owner of the system. Of each part
// it is kept who took it, before it leaves.
func (s *server) fixesExport(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportBound)
	defer cancel()
	out := s.parts(w, r, "read.repairs.export", "fixes.csv", "source", "entity", "record", "place", "field", "was", "now", "remedy", "written back by", "at", "who", "why")
	n := 0
	err := s.data.Fixes(ctx, r.URL.Query().Get("source"), r.URL.Query().Get("overtaken") != "", func(x RepairOf) error {
		if n++; n > exportShown {
			return errEnough
		}
		back := ""
		for _, t := range x.Back {
			back += t + " "
		}
		return out.add(ctx, []string{x.Decision}, x.Source, x.Entity, x.Record, x.Place, x.Field, x.Was, x.Now, x.Remedy, back, x.At.UTC().Format(time.RFC3339), x.Who, x.Why)
	})
	out.end(ctx, enough(err))
}

// quarantineExport is the filtered list as a table for a spreadsheet, one row a
// reason.
func (s *server) quarantineExport(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.quarantine") {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportBound)
	defer cancel()
	f := quarantineFilter(r)
	f.After, f.Limit = "", exportPart
	out := s.parts(w, r, "read.quarantine.export", "quarantine.csv", "id", "source", "entity", "record", "place", "state", "since", "rule", "field", "value", "what is wrong", "how to mend it")
	var err error
	for n := 0; n < exportShown; {
		var p QuarantinePage
		if p, err = s.data.QuarantinePage(ctx, f); err != nil {
			break
		}
		for _, q := range p.Rows {
			if n++; n > exportShown {
				break
			}
			for _, reason := range q.Reasons {
				if err = out.add(ctx, []string{q.ID}, q.ID, q.Source, q.Entity, q.Record, q.Place, q.State, q.At.UTC().Format(time.RFC3339), reason.Rule, reason.Field, reason.Value, reason.Text, reason.Remedy); err != nil {
					break
				}
			}
		}
		if f.After = p.Next; err != nil || p.Next == "" {
			break
		}
	}
	out.end(ctx, err)
}
