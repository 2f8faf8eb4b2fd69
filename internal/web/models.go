package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"touchstone/internal/auth"
	"touchstone/internal/web/chart"
)

func (s *server) modelRoutes(m *routes) {
	m.handle("GET /models", auth.See, auth.WholeOnly, s.models)
	m.handle("GET /models/{entity}/thresholds", auth.See, auth.WholeOnly, s.modelThresholds)
	m.handle("GET /models/{entity}/{version}", auth.See, auth.WholeOnly, s.model)
	m.handle("POST /models/{entity}/try", auth.Approve, auth.WholeOnly, s.askTrial)
	m.handle("GET /trials/{id}", auth.See, auth.WholeOnly, s.trial)
	m.handle("POST /trials/{id}/take", auth.Approve, auth.WholeOnly, s.takeTrial)
	m.handle("POST /trials/{id}/refuse", auth.Approve, auth.WholeOnly, s.refuseTrial)
	m.handle("POST /trials/{id}/undo", auth.Approve, auth.WholeOnly, s.undoTrial)
}

type modelsView struct {
	page
	Entities []ModelEntity
	Trials   []TrialItem
	Headline string
}

// trialsListed is how many trials a page lists.
const trialsListed = 20

func (s *server) models(w http.ResponseWriter, r *http.Request) {
	list, ok := load(s, w, r, s.data.ModelPage)
	if !ok {
		return
	}
	trials, ok := load(s, w, r, func(ctx context.Context) ([]TrialItem, error) { return s.data.Trials(ctx, "", trialsListed) })
	if !ok {
		return
	}
	p := s.page(w, r, "plans")
	ready := 0
	for _, t := range trials {
		if t.State == "ready" {
			ready++
		}
	}
	s.render(w, r, http.StatusOK, "models.html", modelsView{page: p, Entities: list, Trials: trials, Headline: p.words.N("models.ready", ready)})
}

type modelView struct {
	page
	OneModel
	Chart   chart.Chart
	Problem Problem
	Why     string
}

func (s *server) model(w http.ResponseWriter, r *http.Request) {
	s.showModel(w, r, http.StatusOK, r.PathValue("version"), Problem{})
}

func (s *server) showModel(w http.ResponseWriter, r *http.Request, status int, version string, problem Problem) {
	data, ok := load(s, w, r, func(ctx context.Context) (OneModel, error) {
		return s.data.OneModel(ctx, r.PathValue("entity"), version, cutText(r.URL.Query().Get("beside"), 200))
	})
	if !ok {
		return
	}
	p := s.page(w, r, "plans")
	s.render(w, r, status, "model.html", modelView{page: p, OneModel: data, Chart: weightChart(p.words, data), Problem: problem, Why: r.PostForm.Get("why")})
}

// weightChart draws what each level weighs.
func weightChart(w words, m OneModel) chart.Chart {
	var items []chart.Item
	for _, f := range m.Fields {
		for _, l := range f.Levels {
			it := chart.Item{Name: w.word("field", f.Field) + " · " + w.word("level", l.Level), Value: l.Weight, Shown: bits(l.Weight)}
			if l.Weight < 0 {
				it.Class = "c6"
			}
			if m.Beside != "" && l.Other != l.Weight {
				it.Note = fmt.Sprintf(w.T("model.instead"), bits(l.Other))
			}
			items = append(items, it)
		}
	}
	return chart.Bars(chart.Words{Title: w.T("model.weights"), Columns: []string{w.T("model.level"), w.T("model.bits")}}, items)
}

type thresholdsView struct {
	page
	Scores
	Chart   chart.Chart
	Trials  []TrialItem
	Problem Problem
	Why     string
	Same    bool // what is tried is in force
}

// modelThresholds shows the pairs by weight, and what other thresholds would make
// of them; the exact plan is worked out when it is asked for.
func (s *server) modelThresholds(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.showThresholds(w, r, http.StatusOK, q.Get("link"), q.Get("review"), Problem{})
}

func (s *server) showThresholds(w http.ResponseWriter, r *http.Request, status int, link, review string, problem Problem) {
	entity := r.PathValue("entity")
	x, y, err := bothChances(link, review)
	read := func(ctx context.Context) (Scores, error) { return s.data.Scores(ctx, entity, x, y) }
	if err != nil || problem.Text != "" {
		if err != nil {
			problem = Problem{Field: "link", Text: wordsOf(r).T("thresholds.wrong")}
		}
		status = http.StatusUnprocessableEntity
		read = func(ctx context.Context) (Scores, error) { return s.data.Scores(ctx, entity, 0, 0) }
	}
	ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
	defer cancel()
	data, err := read(ctx)
	if told, mendable := s.refusal(r, err); mendable { // in the wrong order, say
		status, problem = http.StatusUnprocessableEntity, told
		data, err = s.data.Scores(ctx, entity, 0, 0)
	}
	if err != nil {
		s.answerError(w, r, err, nil)
		return
	}
	trials, ok := load(s, w, r, func(ctx context.Context) ([]TrialItem, error) { return s.data.Trials(ctx, entity, trialsListed) })
	if !ok {
		return
	}
	p := s.page(w, r, "plans")
	v := thresholdsView{page: p, Scores: data, Trials: trials, Problem: problem, Why: r.PostForm.Get("why"), Chart: scoreChart(p.words, data)}
	v.Same = data.Try == data.Link && data.TryReview == data.Review
	s.render(w, r, status, "thresholds.html", v)
}

// bothChances reads two probabilities as a form sends them; 0 for none.
func bothChances(link, review string) (x, y float64, err error) {
	if x, err = chance(link); err != nil {
		return 0, 0, err
	}
	y, err = chance(review)
	return x, y, err
}

// chance reads a probability: 0.95, or 95 %.
func chance(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	number, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return 0, fmt.Errorf("read a probability: %w", err)
	}
	if percent {
		f /= 100
	}
	if !(f > 0 && f < 1) {
		return 0, fmt.Errorf("%g is no probability between 0 and 1", f)
	}
	return f, nil
}

// scoreChart draws the pairs by weight: linked, shown to a person, and those
// whose side the thresholds that are tried would change.
func scoreChart(w words, d Scores) chart.Chart {
	bins := make([]chart.Item, len(d.Bins))
	for i, b := range d.Bins {
		// The middle of a bin says which side it is on.
		at := float64(b.At) + 0.5
		was, is := side(at, d.Link, d.Review), side(at, d.Try, d.TryReview)
		it := chart.Item{Name: bits(float64(b.At)), Value: float64(b.Pairs), Note: w.word("side", is)}
		switch {
		case was != is:
			it.Class, it.Note = "c2", w.word("side", was)+" → "+w.word("side", is)
		case is == sideLinked:
			it.Class = "c1"
		default:
			it.Class = "c6"
		}
		bins[i] = it
	}
	return chart.Distribution(chart.Words{Title: w.T("thresholds.chart"), Columns: []string{w.T("thresholds.bits"), w.T("thresholds.pairs")}, Total: w.T("col.total")}, bins)
}

// The sides of thresholds.
const (
	sideLinked = "linked"
	sideAsked  = "asked"
	sideApart  = "apart"
)

func side(bits, link, review float64) string {
	switch p := chanceOf(bits); {
	case p >= link:
		return sideLinked
	case p >= review:
		return sideAsked
	}
	return sideApart
}

// askTrial has a change worked out.
func (s *server) askTrial(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	f, entity := r.PostForm, r.PathValue("entity")
	t := TrialAsked{Entity: entity, Version: cutText(f.Get("version"), 200), Configured: f.Get("configured") != "", Train: f.Get("train") != ""}
	var id string
	do := func(ctx context.Context, by By) (Done, error) {
		var err error
		if t.Link, t.Review, err = bothChances(f.Get("link"), f.Get("review")); err != nil {
			return Done{}, &Problem{Field: "link", Text: wordsOf(r).T("thresholds.wrong")}
		}
		id, err = s.data.AskTrial(ctx, t, by)
		return Done{Key: "trial.asked"}, err
	}
	s.actTo(w, r, func() string { return "/trials/" + url.PathEscape(id) }, do, func(p Problem) {
		if t.Version != "" {
			s.showModel(w, r, http.StatusUnprocessableEntity, t.Version, p)
			return
		}
		s.showThresholds(w, r, http.StatusUnprocessableEntity, "", "", p)
	})
}

type trialView struct {
	page
	TrialPage
	Headline string
	Chart    chart.Chart
	Problem  Problem
	Form     planForm
	Listed   bool // records are shown to the reader
}

func (s *server) trial(w http.ResponseWriter, r *http.Request) {
	s.showTrial(w, r, http.StatusOK, planForm{}, Problem{})
}

func (s *server) showTrial(w http.ResponseWriter, r *http.Request, status int, form planForm, problem Problem) {
	id := r.PathValue("id")
	data, ok := load(s, w, r, func(ctx context.Context) (TrialPage, error) { return s.data.TrialPage(ctx, id) })
	if !ok {
		return
	}
	listed := s.values(r)
	if listed && len(data.Ways)+len(data.Pairs) > 0 && !s.seen(w, r, "read.trial", id) {
		return
	}
	if !listed {
		data.Ways, data.Pairs = nil, nil
	}
	p := s.page(w, r, "plans")
	s.render(w, r, status, "trial.html", trialView{
		page: p, TrialPage: data, Headline: trialSentence(p.words, data), Chart: sizeChart(p.words, data), Problem: problem, Form: form, Listed: listed,
	})
}

// trialSentence is what matters about a trial.
func trialSentence(w words, t TrialPage) string {
	switch t.State {
	case "waiting", "running":
		return w.T("trial.working")
	case "failed":
		return w.T("trial.failed")
	case "refused":
		return fmt.Sprintf(w.T("trial.refused"), t.Judge)
	case "undone":
		return fmt.Sprintf(w.T("trial.undone"), t.Judge)
	case "taken":
		if t.Switching {
			return w.T("trial.switching")
		}
		return w.T("trial.taken")
	}
	if t.Merges+t.Splits+t.Moves+t.Touched() == 0 {
		return w.T("trial.same")
	}
	return upperFirst(fmt.Sprintf(w.T("trial.effect"), w.N("trial.merges", t.Merges), w.N("trial.splits", t.Splits), w.N("trial.golden", t.Touched()), w.N("trial.writes", t.Creates+t.Updates)))
}

// upperFirst begins a sentence.
func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// sizeChart draws how many members golden records have, now and then.
func sizeChart(w words, t TrialPage) chart.Chart {
	var rows []chart.Item
	for _, x := range t.Sizes {
		if x.Now+x.Then == 0 {
			continue
		}
		rows = append(rows,
			chart.Item{Name: fmt.Sprintf(w.T("trial.size.now"), x.Size), Value: float64(x.Now), Class: "c1"},
			chart.Item{Name: fmt.Sprintf(w.T("trial.size.then"), x.Size), Value: float64(x.Then), Class: "c2"})
	}
	return chart.Bars(chart.Words{Title: w.T("trial.sizes"), Columns: []string{w.T("trial.size"), w.T("trial.records")}}, rows)
}

// judgeTrial does something with a trial and leads back to it.
func (s *server) judgeTrial(w http.ResponseWriter, r *http.Request, key string, do func(context.Context, string, By) error) {
	if !s.form(w, r) {
		return
	}
	id := r.PathValue("id")
	form := planForm{Why: cutText(r.PostForm.Get("why"), 500), Brake: r.PostForm.Get("brake") != ""}
	s.act(w, r, "/trials/"+url.PathEscape(id), func(ctx context.Context, by By) (Done, error) {
		return Done{Key: key}, do(ctx, id, by)
	}, func(p Problem) { s.showTrial(w, r, http.StatusUnprocessableEntity, form, p) })
}

func (s *server) takeTrial(w http.ResponseWriter, r *http.Request) {
	s.judgeTrial(w, r, "trial.done.taken", func(ctx context.Context, id string, by By) error {
		return s.data.TakeTrial(ctx, id, r.PostForm.Get("brake") != "", by)
	})
}

func (s *server) refuseTrial(w http.ResponseWriter, r *http.Request) {
	s.judgeTrial(w, r, "trial.done.refused", s.data.RefuseTrial)
}

func (s *server) undoTrial(w http.ResponseWriter, r *http.Request) {
	s.judgeTrial(w, r, "trial.done.undone", s.data.UndoTrial)
}

// chanceOf is the probability that a weight in bits stands for.
func chanceOf(bits float64) float64 { return 1 / (1 + math.Exp2(-bits)) }
