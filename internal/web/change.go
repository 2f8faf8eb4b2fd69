package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"touchstone/internal/auth"
)

// changeRoutes are merges, splits and the history of decisions.
func (s *server) changeRoutes(m *routes) {
	m.handle("GET /customers/{id}/split", auth.Decide, auth.ByCustomer, s.splitForm)
	m.handle("POST /customers/{id}/split", auth.Decide, auth.ByCustomer, s.split)
	m.handle("GET /customers/merge", auth.Decide, auth.ByList, s.mergeForm)
	m.handle("POST /customers/merge", auth.Decide, auth.ByList, s.merge)
	m.handle("GET /decisions", auth.SeeCustomers, auth.ByList, s.decisions)
	m.handle("GET /decisions/{id}", auth.SeeCustomers, auth.ByList, s.decision)
	m.handle("POST /decisions/{id}/undo", auth.Decide, auth.ByList, s.undo)
}

// foresee asks for a preview, and notes whose data is shown.
func (s *server) foresee(w http.ResponseWriter, r *http.Request, c CustomerChange) (p ChangePreview, ok bool) {
	p, ok = load(s, w, r, func(ctx context.Context) (ChangePreview, error) { return s.data.ChangePreview(ctx, c) })
	if !ok {
		return p, false
	}
	ids := make([]string, len(p.Customers))
	for i, x := range p.Customers {
		ids[i] = x.ID
	}
	return p, s.seen(w, r, "read.customer", ids...)
}

// shownPreview is a preview as the templates show it.
type shownPreview struct {
	ChangePreview
	words words
	// Again leads to the same preview with what stands against it withdrawn.
	Again string
}

// Sentence says in one line what would happen.
func (p shownPreview) Sentence() string {
	if p.Quiet() {
		return p.words.word("change.quiet", p.Act)
	}
	count := map[string]int{}
	for _, c := range p.Customers {
		count[c.State]++
	}
	var parts []string
	add := func(key string, n int) {
		if n > 0 {
			parts = append(parts, p.words.N(key, n))
		}
	}
	add("change.said.changed", count["changed"])
	add("change.said.new", count["new"])
	add("change.said.gone", count["gone"])
	add("change.said.moves", len(p.Moves)+p.MoreMoves)
	writes := 0
	for _, t := range p.Targets {
		writes += t.Creates + t.Updates
	}
	parts = append(parts, p.words.N("change.said.writes", writes))
	return strings.Join(parts, p.words.And) + p.words.Stop
}

// Told are the notes as texts.
func (p shownPreview) Told() (out []toldNote) {
	for _, n := range p.Notes {
		text := p.words.word("change.note", n.Key)
		for _, arg := range n.Args {
			text = strings.Replace(text, "%s", arg, 1)
		}
		out = append(out, toldNote{text, n.Bad})
	}
	return out
}

type toldNote struct {
	Text string
	Bad  bool
}

// Balanced says whether every line of the balance is.
func (p shownPreview) Balanced() bool {
	return !slices.ContainsFunc(p.Balance, func(l BalanceLine) bool { return !l.Balanced })
}

// Doable says whether the change can be made as it is asked for.
func (p shownPreview) Doable() bool { return p.Refused == "" && !p.Existing }

type splitView struct {
	page
	Split   SplitPage
	Chosen  map[string]bool
	Preview *shownPreview
	Over    bool
	Why     string
	Problem Problem
}

const mostChosen = 500

func (s *server) splitForm(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.showSplit(w, r, http.StatusOK, q["r"], q.Get("over") != "", "", Problem{})
}

func (s *server) showSplit(w http.ResponseWriter, r *http.Request, status int, chosen []string, over bool, why string, problem Problem) {
	if !s.seen(w, r, "read.customer") {
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (SplitPage, error) { return s.data.SplitPage(ctx, r.PathValue("id")) })
	if !ok || !s.seen(w, r, "read.customer", data.ID) {
		return
	}
	v := splitView{Split: data, Chosen: map[string]bool{}, Over: over, Why: why, Problem: problem}
	chosen = chosen[:min(len(chosen), mostChosen)]
	for _, ref := range chosen {
		v.Chosen[ref] = true
	}
	if len(chosen) > 0 {
		p, ok := s.foresee(w, r, CustomerChange{Act: "split", Records: chosen, From: data.ID, Over: over})
		if !ok {
			return
		}
		v.Preview = &shownPreview{ChangePreview: p, Again: withOver(url.Values{"r": chosen})}
	}
	v.page = s.page(w, r, "customers")
	if v.Preview != nil {
		v.Preview.words = v.words
	}
	s.render(w, r, status, "split.html", v)
}

// withOver is the same question with what stands against it withdrawn.
func withOver(q url.Values) string {
	q.Set("over", "1")
	return "?" + q.Encode()
}

func (s *server) split(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	id, f := r.PathValue("id"), r.PostForm
	c := CustomerChange{Act: "split", Records: f["r"], From: id, Over: f.Get("over") != ""}
	again := func(p Problem) {
		s.showSplit(w, r, http.StatusUnprocessableEntity, c.Records, c.Over, f.Get("why"), p)
	}
	s.act(w, r, "/customers/"+url.PathEscape(id), func(ctx context.Context, by By) (Done, error) {
		switch {
		case len(c.Records) == 0:
			return Done{}, &Problem{Field: "r", Text: wordsOf(r).T("change.none")}
		case by.Why == "":
			return Done{}, &Problem{Field: "why", Text: wordsOf(r).T("change.why.missing")}
		}
		return s.changed(ctx, c, by, "done.split")
	}, again)
}

// changed makes a change and says what was done.
func (s *server) changed(ctx context.Context, c CustomerChange, by By, key string) (Done, error) {
	id, existing, err := s.data.ChangeCustomers(ctx, c, by)
	if err != nil {
		return Done{}, err
	}
	if existing {
		return Done{Key: "done.existing"}, nil
	}
	return Done{Key: key, Undo: id}, nil
}

type mergeView struct {
	page
	A, B    string
	Preview *shownPreview
	Over    bool
	Why     string
	Problem Problem
}

func (s *server) mergeForm(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.showMerge(w, r, http.StatusOK, mergeView{A: q.Get("a"), B: q.Get("b"), Over: q.Get("over") != ""})
}

func (s *server) showMerge(w http.ResponseWriter, r *http.Request, status int, v mergeView) {
	v.A, v.B = cutText(strings.TrimSpace(v.A), maxReference), cutText(strings.TrimSpace(v.B), maxReference)
	if !s.seen(w, r, "read.customer") {
		return
	}
	if v.A != "" && v.B != "" {
		p, ok := s.foresee(w, r, CustomerChange{Act: "merge", A: v.A, B: v.B, Over: v.Over})
		if !ok {
			return
		}
		v.Preview = &shownPreview{ChangePreview: p, Again: withOver(url.Values{"a": {v.A}, "b": {v.B}})}
	}
	v.page = s.page(w, r, "customers")
	if v.Preview != nil {
		v.Preview.words = v.words
	}
	s.render(w, r, status, "merge.html", v)
}

// maxReference bounds a reference that was typed, in characters.
const maxReference = 300

func (s *server) merge(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	f := r.PostForm
	c := CustomerChange{Act: "merge", A: strings.TrimSpace(f.Get("a")), B: strings.TrimSpace(f.Get("b")), Over: f.Get("over") != ""}
	again := func(p Problem) {
		s.showMerge(w, r, http.StatusUnprocessableEntity, mergeView{A: c.A, B: c.B, Over: c.Over, Why: f.Get("why"), Problem: p})
	}
	s.act(w, r, "/customers/"+url.PathEscape(c.A), func(ctx context.Context, by By) (Done, error) {
		switch {
		case c.A == "" || c.B == "":
			return Done{}, &Problem{Field: "b", Text: wordsOf(r).T("change.two")}
		case by.Why == "":
			return Done{}, &Problem{Field: "why", Text: wordsOf(r).T("change.why.missing")}
		}
		return s.changed(ctx, c, by, "done.merge")
	}, again)
}

type decisionsView struct {
	page
	DecisionsPage
	Q             DecisionQuery
	States, Kinds []string
}

func (s *server) decisions(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	q := DecisionQuery{
		State: known(v.Get("state"), decisionStates()), Kind: known(v.Get("kind"), decisionKinds()), Who: cutText(v.Get("who"), 200),
		Customer: cutText(v.Get("customer"), maxReference), After: v.Get("after"), Limit: customersShown,
	}
	if !s.seen(w, r, "read.decisions") {
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (DecisionsPage, error) { return s.data.DecisionsPage(ctx, q) })
	if !ok || data.Customer != "" && !s.seen(w, r, "read.customer", data.Customer) {
		return
	}
	ids := make([]string, len(data.Rows))
	for i, d := range data.Rows {
		ids[i] = d.ID
	}
	if !s.seen(w, r, "read.decisions", ids...) {
		return
	}
	s.render(w, r, http.StatusOK, "decisions.html", decisionsView{s.page(w, r, "customers"), data, q, decisionStates(), decisionKinds()})
}

func decisionStates() []string { return []string{"in force", "stale", "pending", "withdrawn"} }

func decisionKinds() []string {
	return []string{"merge", "split", "pin", "unpin", "unsure", "map", "import", "undo", "expiry", "handover"}
}

// known is a choice of a list, or none.
func known(choice string, of []string) string {
	if slices.Contains(of, choice) {
		return choice
	}
	return ""
}

type decisionView struct {
	page
	Decision DecisionPage
	Preview  *shownPreview
	Problem  Problem
}

func (s *server) decision(w http.ResponseWriter, r *http.Request) {
	s.showDecision(w, r, http.StatusOK, Problem{})
}

func (s *server) showDecision(w http.ResponseWriter, r *http.Request, status int, problem Problem) {
	id := r.PathValue("id")
	if !s.seen(w, r, "read.decision", id) {
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (DecisionPage, error) { return s.data.DecisionPage(ctx, id) })
	if !ok {
		return
	}
	ids := make([]string, len(data.Customers))
	for i, g := range data.Customers {
		ids[i] = g.ID
	}
	if !s.seen(w, r, "read.customer", ids...) {
		return
	}
	v := decisionView{Decision: data, Problem: problem}
	if data.Undoable && auth.From(r.Context()).May(auth.Decide) {
		p, ok := s.foresee(w, r, CustomerChange{Act: "undo", Decision: id})
		if !ok {
			return
		}
		v.Preview = &shownPreview{ChangePreview: p}
	}
	v.page = s.page(w, r, "customers")
	if v.Preview != nil {
		v.Preview.words = v.words
	}
	s.render(w, r, status, "decision.html", v)
}

// undo takes a decision back: from its page, or from the line that says what
// was done a moment ago, which asks for no reason.
func (s *server) undo(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	id := r.PathValue("id")
	next := r.PostForm.Get("next") // where the reader was
	if next == "" {
		next = "/decisions/" + url.PathEscape(id)
	}
	s.act(w, r, next, func(ctx context.Context, by By) (Done, error) {
		return s.changed(ctx, CustomerChange{Act: "undo", Decision: id}, by, "done.undo")
	}, func(p Problem) { s.showDecision(w, r, http.StatusUnprocessableEntity, p) })
}
