package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/web/chart"
)

func (s *server) runRoutes(m *routes) {
	m.handle("GET /runs", auth.See, auth.NoValues, s.runs)
	m.handle("GET /runs/{id}", auth.See, auth.NoValues, s.run)
	m.handle("POST /sources/{name}/run", auth.Operate, auth.Counts, s.runNow)
	m.handle("POST /sources/{name}/stop", auth.Operate, auth.Counts, s.stopRun)
}

type runsView struct {
	page
	RunList
	F        RunFilter
	States   []string
	Headline string
	Chart    chart.Chart
}

// runsShown is how many runs one page lists.
const runsShown = 50

func (s *server) runs(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := RunFilter{Source: q.Get("source"), State: q.Get("state"), After: q.Get("after"), Limit: runsShown}
	data, ok := load(s, w, r, func(ctx context.Context) (RunList, error) { return s.data.Runs(ctx, f) })
	if !ok {
		return
	}
	p := s.page(w, r, "runs")
	v := runsView{page: p, RunList: data, F: f, States: []string{"running", "done", "failed", "interrupted"}}
	running, failed := 0, 0
	var parts []chart.Part
	for _, x := range data.Rows {
		if x.State == "running" {
			running++
		}
		if x.State == "failed" {
			failed++
		}
		if len(parts) < 20 {
			parts = append(parts, chart.Part{
				Name: x.Source + " " + x.Started.UTC().Format("01-02 15:04"), Href: "/runs/" + x.ID,
				Values: []float64{float64(x.Stored), float64(x.Quarantined), float64(x.Unchanged), float64(x.Echo), float64(x.Filtered)},
			})
		}
	}
	v.Headline = p.words.N("runs.running", running) + p.Lang.And + p.words.N("runs.failed", failed)
	v.Chart = chart.Stacked(chart.Words{Title: p.words.T("runs.chart"), Columns: []string{p.words.T("runs.run")}, Total: p.words.T("col.total")},
		[]string{p.words.T("col.stored"), p.words.T("col.quarantined"), p.words.T("col.unchanged"), p.words.T("col.echo"), p.words.T("col.filtered")}, parts)
	s.render(w, r, http.StatusOK, "runs.html", v)
}

type runView struct {
	page
	RunPage
}

func (s *server) run(w http.ResponseWriter, r *http.Request) {
	data, ok := load(s, w, r, func(ctx context.Context) (RunPage, error) { return s.data.RunPage(ctx, r.PathValue("id")) })
	if ok {
		s.render(w, r, http.StatusOK, "run.html", runView{s.page(w, r, "runs"), data})
	}
}

func (s *server) runNow(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.act(w, r, "/runs?source="+url.QueryEscape(name), func(ctx context.Context, by By) (Done, error) {
		return Done{Key: "runs.done.asked"}, s.data.RunNow(ctx, name, by)
	}, nil)
}

func (s *server) stopRun(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.act(w, r, "/runs?source="+url.QueryEscape(name), func(ctx context.Context, by By) (Done, error) {
		return Done{Key: "runs.done.stopping"}, s.data.StopRun(ctx, name, by)
	}, nil)
}

// took is a span of time as people read it: to the second, or below ten of them
// to a tenth.
func (w words) took(d time.Duration) string {
	switch {
	case d <= 0:
		return "—"
	case d < time.Second:
		return w.span(d.Round(time.Millisecond))
	case d < 10*time.Second:
		return w.span(d.Round(100 * time.Millisecond))
	}
	return w.span(d.Round(time.Second))
}

// span is a length of time with the units of a language: "1 h 30 min", "1 小时 30 分钟".
func (w words) span(d time.Duration) string {
	if d > 0 && d < time.Second {
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64) + w.T("unit.ms")
	}
	var parts []string
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"unit.h", time.Hour}, {"unit.m", time.Minute}} {
		if n := d / u.of; n > 0 {
			parts = append(parts, strconv.Itoa(int(n))+w.T(u.name))
			d -= n * u.of
		}
	}
	if d > 0 || len(parts) == 0 {
		parts = append(parts, strconv.FormatFloat(d.Seconds(), 'f', -1, 64)+w.T("unit.s"))
	}
	return strings.Join(parts, " ")
}
