package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"touchstone/internal/auth"
)

const (
	// skipFor is how long a skipped pair stays away.
	skipFor = 24 * time.Hour
	// mostPicks bounds the values picked with one answer.
	mostPicks = 50
)

// The answers beside those of the queue.
const (
	saySkip   = "skip"
	sayRelate = "relate"
)

// answered is what the script is told about an answer.
type answered struct {
	State string   `json:"state"` // decided, proposed; else why not
	Text  string   `json:"text"`
	Undo  []string `json:"undo"`
	// How the queue and the day stand now: the page that is shown was made before.
	Open    string `json:"open,omitempty"`
	Done    string `json:"done,omitempty"`
	Decided int    `json:"decided,omitempty"`
}

// asScript says whether our script asks, which has its own page already.
func asScript(r *http.Request) bool { return r.Header.Get("Accept") == "application/json" }

func (s *server) tellScript(w http.ResponseWriter, status int, a answered) {
	if a.Undo == nil {
		a.Undo = []string{}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(a); err != nil {
		s.opts.Log.Debug("answer not sent", "err", err)
	}
}

// say takes an answer to a pair.
func (s *server) say(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	id := r.PathValue("id")
	in := wordsOf(r)
	form, problem := readDeskForm(r.PostForm, in)
	if problem != nil {
		s.sayAgain(w, r, form, *problem, "problem")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), actBound)
	defer cancel()
	t, out, err := s.decide(ctx, id, r.PostForm.Get("seen"), form, By{Who: auth.From(ctx).ID, Why: form.Why})
	switch {
	case err != nil:
		s.answerError(w, r, err, func(p Problem) { s.sayAgain(w, r, form, p, "problem") })
	case out.State != OutcomeDecided && out.State != OutcomeProposed:
		form.Outcome = &out
		s.sayAgain(w, r, form, Problem{Text: in.outcome(out)}, out.State)
	case asScript(r):
		a := answered{State: out.State, Text: in.word("told", t.Said), Undo: t.Undo}
		if stats, err := s.data.ReviewStats(ctx, auth.From(ctx).ID, postedFilters(r).Entity, 0); err == nil { // what was said is kept, whatever is counted
			a.Open = in.N("desk.open", stats.Open)
			if stats.Decisions > 0 {
				a.Done, a.Decided = fmt.Sprintf(in.T("desk.done"), count(stats.Decided), count(stats.Decisions)), stats.Decided
			}
		}
		s.tellScript(w, http.StatusOK, a)
	default:
		s.keepTold(w, r, t)
		http.Redirect(w, r, addressOf("/review", filtersOf(postedFilters(r)).Encode()), http.StatusSeeOther)
	}
}

// postedFilters are those of the page that a form stood on.
func postedFilters(r *http.Request) ReviewQuery {
	v, err := url.ParseQuery(r.PostForm.Get("filters"))
	if err != nil {
		v = nil
	}
	return reviewQuery(v, auth.From(r.Context()).ID)
}

// decide does what was said.
func (s *server) decide(ctx context.Context, id, seen string, f deskForm, by By) (t told, out PairOutcome, err error) {
	t = told{Said: f.Said, Pair: id}
	answer := PairAnswer{ID: id, Answer: f.Said, Seen: seen, Over: f.Over, Picks: f.Picks}
	switch f.Said {
	case saySkip:
		return t, PairOutcome{State: OutcomeDecided}, s.data.SkipPair(ctx, id, s.opts.Env.Clock.Now().Add(skipFor), by)
	case sayRelate: // they are two customers, and belong together
		answer.Answer, answer.Relation = AnswerApart, f.Relation
	}
	out, err = s.data.AnswerPair(ctx, answer, by)
	if err != nil || out.State != OutcomeDecided {
		if out.State == OutcomeProposed {
			if t.Said = "proposed"; f.Said == sayRelate { // the parting alone is kept
				t.Said = "parting"
			}
		}
		return t, out, err
	}
	if out.Decision != "" {
		t.Undo = []string{out.Decision}
	}
	if t.Undo = append(t.Undo, out.With...); len(f.Picks) > 0 {
		t.Said = "pinned"
	}
	return t, out, nil
}

// sayAgain shows the pair again, with what was typed and why it was not taken.
func (s *server) sayAgain(w http.ResponseWriter, r *http.Request, f deskForm, why Problem, state string) {
	if asScript(r) {
		s.tellScript(w, http.StatusUnprocessableEntity, answered{State: state, Text: why.Text})
		return
	}
	f.Problem = why
	s.showPair(w, r, http.StatusUnprocessableEntity, postedFilters(r), f)
}

// readDeskForm reads an answer. The form comes back with the problem.
func readDeskForm(v url.Values, in words) (f deskForm, problem *Problem) {
	f = deskForm{Why: strings.TrimSpace(v.Get("why")), Until: v.Get("until"), Over: v.Get("over") != ""}
	f.Said, f.Relation, _ = strings.Cut(v.Get("say"), ":")
	var until time.Time
	if f.Until != "" {
		var err error
		if until, err = time.Parse(time.DateOnly, f.Until); err != nil {
			return f, &Problem{Field: "until", Text: in.T("desk.until.bad")}
		}
	}
	typed := false
	for _, key := range sortedFields(v) {
		field, value := strings.TrimPrefix(key, "pick."), v.Get(key)
		switch value {
		case "a", "b":
			f.Picks = append(f.Picks, Pick{Field: field, Side: value, Until: until})
		case "typed":
			text := strings.TrimSpace(v.Get("value." + field))
			f.Picks = append(f.Picks, Pick{Field: field, Value: text, Seen: v.Get("seen." + field), Until: until})
			typed = true
			if text == "" {
				problem = &Problem{Field: "value." + field, Text: in.T("desk.typed.empty")}
			}
		}
	}
	switch {
	case problem != nil:
	case !slices.Contains([]string{AnswerSame, AnswerApart, AnswerUnsure, saySkip, sayRelate}, f.Said):
		problem = &Problem{Field: "", Text: in.T("desk.say.none")}
	case f.Said == sayRelate && f.Relation == "":
		problem = &Problem{Field: "", Text: in.T("desk.relate.none")}
	case f.Said == AnswerSame && typed && f.Why == "":
		problem = &Problem{Field: "why", Text: in.T("desk.why.needed")}
	case len(f.Picks) > mostPicks:
		problem = &Problem{Field: "", Text: in.T("form.text")}
	}
	if f.Said != AnswerSame && problem == nil {
		f.Picks = nil // they are of the customer that the two will not be
	}
	return f, problem
}

func sortedFields(v url.Values) (keys []string) {
	for key := range v {
		if strings.HasPrefix(key, "pick.") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// outcome words why an answer was not taken.
func (w words) outcome(out PairOutcome) string {
	text := w.word("outcome", out.State)
	if out.State == OutcomeRefused && len(out.Earlier) == 0 && out.Said.English != "" {
		text = out.Said.In(w) // whatever is taken back
	}
	if out.By != nil {
		text += " " + w.said(*out.By)
	}
	for _, e := range out.Earlier {
		text += " " + w.said(e)
	}
	return text
}

// said words a decision: who, when, what.
func (w words) said(d PairDecided) string {
	return strings.TrimSpace(strings.NewReplacer("{who}", d.Who, "{when}", exact(d.At), "{what}", w.word("answer", d.Answer), "{why}", d.Why).Replace(w.T("desk.said")))
}

// unsay takes the last answer back and leads to its pair.
func (s *server) unsay(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	pair, ids := r.PostForm.Get("pair"), r.PostForm["undo"]
	by := By{Who: auth.From(r.Context()).ID, Why: strings.TrimSpace(r.PostForm.Get("why"))}
	ctx, cancel := context.WithTimeout(r.Context(), actBound)
	defer cancel()
	var err error
	if len(ids) == 0 {
		err = s.data.SkipPair(ctx, pair, time.Time{}, by)
	} else {
		err = s.data.UndoDecisions(ctx, ids[:min(len(ids), mostPicks+1)], by)
	}
	next := addressOf("/review/"+url.PathEscape(pair), filtersOf(postedFilters(r)).Encode())
	switch {
	case err != nil && asScript(r):
		s.answerError(w, r, err, func(p Problem) {
			s.tellScript(w, http.StatusUnprocessableEntity, answered{State: "problem", Text: p.Text})
		})
	case err != nil:
		s.answerError(w, r, err, nil)
	case asScript(r):
		s.tellScript(w, http.StatusOK, answered{State: OutcomeDecided, Text: wordsOf(r).T("told.undo")})
	default:
		s.keepTold(w, r, told{Said: "undo", Pair: pair})
		http.Redirect(w, r, ourPath(next), http.StatusSeeOther) //nolint:gosec // ourPath keeps only addresses of ours
	}
}
