package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"touchstone/internal/auth"
	"touchstone/internal/web/chart"
)

func (s *server) planRoutes(m *routes) {
	m.handle("GET /plans", auth.See, auth.Counts, s.plans)
	m.handle("GET /plans/{target}", auth.See, auth.Counts, s.plan)
	m.handle("POST /plans/{target}/approve", auth.Approve, auth.WholeOnly, s.approvePlan)
	m.handle("POST /plans/{target}/refuse", auth.Approve, auth.WholeOnly, s.refusePlan)
	m.handle("POST /plans/{target}/stop", auth.Approve, auth.WholeOnly, s.stopTarget)
	m.handle("POST /plans/{target}/go", auth.Approve, auth.WholeOnly, s.goOnTarget)
	m.handle("POST /plans/{target}/rows/{row}/unrefuse", auth.Approve, auth.WholeOnly, s.unrefuse)
}

type plansView struct {
	page
	Plans    []PlanSummary
	Headline string
	Chart    chart.Chart
}

func (s *server) plans(w http.ResponseWriter, r *http.Request) {
	list, ok := load(s, w, r, s.data.Plans)
	if !ok {
		return
	}
	p := s.page(w, r, "plans")
	waits := 0
	var parts []chart.Part
	for _, x := range list {
		if x.Held != "" {
			waits++
		}
		parts = append(parts, chart.Part{
			Name: x.Target, Href: "/plans/" + url.PathEscape(x.Target), Values: []float64{float64(x.Delivered), float64(x.Failed), float64(x.Waiting)},
			Hrefs: []string{targetHref(x.Target, "delivered"), targetHref(x.Target, "rejected"), "/plans/" + url.PathEscape(x.Target)},
		})
	}
	v := plansView{page: p, Plans: list, Headline: p.words.N("plans.wait", waits)}
	v.Chart = chart.Stacked(chart.Words{Title: p.words.T("plans.chart"), Columns: []string{p.words.T("plan.target")}, Total: p.words.T("col.total")},
		[]string{p.words.T("col.delivered"), p.words.T("col.failed"), p.words.T("plan.waiting")}, parts)
	s.render(w, r, http.StatusOK, "plans.html", v)
}

func targetHref(target, state string) string {
	return "/targets/" + url.PathEscape(target) + "?state=" + state
}

type planView struct {
	page
	PlanPage
	Q        PlanQuery
	Form     planForm
	Problem  Problem
	Headline string
	Chart    chart.Chart
}

// planForm is what was typed into the form of a decision.
type planForm struct {
	Why   string
	Brake bool
}

// planRows is how many rows of a plan one page lists.
const planRows = 30

func (s *server) plan(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	s.showPlan(w, r, http.StatusOK, PlanQuery{
		Target: r.PathValue("target"), Op: v.Get("op"), Field: v.Get("field"), After: v.Get("after"), Refused: v.Get("show") == "refused", Limit: planRows,
	}, planForm{}, Problem{})
}

func (s *server) showPlan(w http.ResponseWriter, r *http.Request, status int, q PlanQuery, form planForm, problem Problem) {
	data, ok := load(s, w, r, func(ctx context.Context) (PlanPage, error) { return s.data.PlanPage(ctx, q) })
	if !ok || !s.writesSeen(w, r, data.Rows) {
		return
	}
	p := s.page(w, r, "plans")
	v := planView{page: p, PlanPage: data, Q: q, Form: form, Problem: problem}
	v.Headline = planSentence(p.words, data)
	v.Chart = planChart(p.words, data)
	s.render(w, r, status, "plan.html", v)
}

// planSentence is what matters about a plan.
func planSentence(w words, p PlanPage) string {
	switch {
	case p.Stopped:
		return fmt.Sprintf(w.T("plan.stopped"), p.StoppedBy)
	case p.Waiting == 0:
		return w.T("plan.nothing")
	case p.First:
		return w.N("plan.first", p.Waiting)
	case p.Braked:
		return w.N("plan.braked", p.Behind)
	case p.HeldBack > 0:
		return w.N("plan.held", p.HeldBack)
	}
	return w.N("plan.going", p.Waiting)
}

// planChart draws how many writes go through each field: creates and updates.
func planChart(w words, p PlanPage) chart.Chart {
	var parts []chart.Part
	for _, f := range p.Fields[:min(len(p.Fields), 24)] {
		at := func(op string) string {
			return "/plans/" + url.PathEscape(p.Target) + "?" + url.Values{"field": {f.Field}, "op": {op}}.Encode() + "#rows"
		}
		parts = append(parts, chart.Part{
			Name: f.Field, Href: "/plans/" + url.PathEscape(p.Target) + "?" + url.Values{"field": {f.Field}}.Encode() + "#rows",
			Values: []float64{float64(f.Updates), float64(f.Creates)}, Hrefs: []string{at("update"), at("create")},
		})
	}
	title := w.T("plan.fields")
	if len(p.Fields) > 0 {
		title = fmt.Sprintf(w.T("plan.most"), p.Fields[0].Field, count(p.Fields[0].Creates+p.Fields[0].Updates))
	}
	return chart.Stacked(chart.Words{Title: title, Columns: []string{w.T("col.field")}}, []string{w.word("op", "update"), w.word("op", "create")}, parts)
}

// decision reads the form of a decision on a part of a plan.
func decision(r *http.Request) (d PlanDecision, form planForm) {
	f := r.PostForm
	upto, err := strconv.ParseInt(f.Get("upto"), 10, 64)
	if err != nil || upto < 0 {
		upto = 0
	}
	form = planForm{Why: cutText(f.Get("why"), 500), Brake: f.Get("brake") != ""}
	return PlanDecision{Target: r.PathValue("target"), Op: f.Get("op"), Field: f.Get("field"), Upto: upto, Brake: form.Brake}, form
}

// decidePlan does something with a part of a plan and leads back to the plan; a
// problem is shown in the form as it was.
func (s *server) decidePlan(w http.ResponseWriter, r *http.Request, do func(context.Context, PlanDecision, By) (Done, error)) {
	if !s.form(w, r) {
		return
	}
	d, form := decision(r)
	next := "/plans/" + url.PathEscape(d.Target)
	s.act(w, r, next, func(ctx context.Context, by By) (Done, error) { return do(ctx, d, by) }, func(p Problem) {
		s.showPlan(w, r, http.StatusUnprocessableEntity, PlanQuery{Target: d.Target, Op: d.Op, Field: d.Field, Limit: planRows}, form, p)
	})
}

func (s *server) approvePlan(w http.ResponseWriter, r *http.Request) {
	s.decidePlan(w, r, func(ctx context.Context, d PlanDecision, by By) (Done, error) {
		return Done{Key: "plan.done.approved"}, s.data.ApprovePlan(ctx, d, by)
	})
}

func (s *server) refusePlan(w http.ResponseWriter, r *http.Request) {
	s.decidePlan(w, r, func(ctx context.Context, d PlanDecision, by By) (Done, error) {
		more, err := s.data.RefusePlan(ctx, d, by)
		return Done{Key: map[bool]string{false: "plan.done.refused", true: "plan.done.more"}[more]}, err
	})
}

func (s *server) stopTarget(w http.ResponseWriter, r *http.Request) {
	s.decidePlan(w, r, func(ctx context.Context, d PlanDecision, by By) (Done, error) {
		return Done{Key: "plan.done.stopped"}, s.data.StopTarget(ctx, d.Target, by)
	})
}

func (s *server) goOnTarget(w http.ResponseWriter, r *http.Request) {
	s.decidePlan(w, r, func(ctx context.Context, d PlanDecision, by By) (Done, error) {
		return Done{Key: "plan.done.going"}, s.data.GoOnTarget(ctx, d.Target, by)
	})
}

func (s *server) unrefuse(w http.ResponseWriter, r *http.Request) {
	next := "/plans/" + url.PathEscape(r.PathValue("target")) + "?show=refused"
	s.act(w, r, next, func(ctx context.Context, by By) (Done, error) {
		return Done{Key: "plan.done.unrefused"}, s.data.Unrefuse(ctx, r.PathValue("row"), by)
	}, nil)
}
