package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// tried asks for a trial, has it worked out, and gives its page.
func (w *world) tried(asked web.TrialAsked) web.TrialPage {
	w.Helper()
	id, err := w.app.AskTrial(w.Context(), asked, web.By{Who: "amy", Why: "to see"})
	if err != nil {
		w.Fatal(err)
	}
	if err := w.app.WorkTrial(w.Context(), id); err != nil {
		w.Fatal(err)
	}
	return w.trial(id)
}

func (w *world) trial(id string) web.TrialPage {
	w.Helper()
	p, err := w.app.TrialPage(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// TestThresholdsAreTriedTakenAndTakenBack: the trial says what then happens, the
// thresholds outlive a restart, a configuration that changes has the last word,
// and going back brings back what was, byte for byte.
func TestThresholdsAreTriedTakenAndTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		w := fed(t, dsn, 200)
		script{}.resolve(w)
		before := w.canonicalText()
		p := w.tried(web.TrialAsked{Entity: record.Company, Link: 0.9999, Review: 0.9})
		if p.State != store.TrialReady || p.Splits+p.Moves == 0 || p.Merges != 0 || len(p.Pairs) == 0 || p.Records == 0 || p.Kind != trialThresholds {
			t.Fatalf("trial %+v: want splits and no merges", p.TrialItem)
		}
		now, then := 0, 0
		for _, s := range p.Sizes {
			now, then = now+s.Now, then+s.Then
		}
		if now != p.Records || then != p.Records+p.New-p.Gone {
			t.Errorf("sizes add up to %d and %d, want %d and %d", now, then, p.Records, p.Records+p.New-p.Gone)
		}
		if got := w.canonicalText(); got != before {
			t.Fatal("a trial has changed golden records")
		}
		by := web.By{Who: "ann", Why: "too many merges"}
		var brake *web.Problem
		if err := w.app.TakeTrial(ctx, p.ID, false, by); p.Braked && (!errors.As(err, &brake) || brake.Field != "brake") {
			t.Errorf("past the brake without confirming: %v", err)
		}
		if err := w.app.TakeTrial(ctx, p.ID, true, by); err != nil {
			t.Fatal(err)
		}
		if got := w.trial(p.ID); got.State != store.TrialTaken || !got.Switching || got.Waiting == 0 || !got.CanUndo {
			t.Errorf("right after it was taken: %+v", got)
		}
		script{}.resolve(w)
		var golden, changed int
		if m, err := w.app.ModelPage(ctx); err != nil || !m[0].Own || m[0].Link != 0.9999 || m[0].OfLink != 0.95 || m[0].Switching || len(m[0].History) != 1 {
			t.Errorf("in force: %+v, %v", m[0], err)
		}
		golden, changed = strings.Count(w.canonicalText(), "\n"), strings.Count(before, "\n")
		if golden-changed != p.New-p.Gone {
			t.Errorf("%d golden records more, the trial said %d", golden-changed, p.New-p.Gone)
		}
		after := w.canonicalText()
		w.close()
		w.open()
		if n, err := w.app.Store.WaitingOf(ctx, record.Company); err != nil || n != 0 {
			t.Errorf("%d records wait after a restart, %v: want none", n, err)
		}
		if got := w.app.thresholds(record.Company); got.Link != 0.9999 {
			t.Errorf("after a restart links from %g", got.Link)
		}
		script{}.resolve(w)
		if got := w.canonicalText(); got != after {
			t.Error("a restart has changed golden records")
		}
		if err := w.app.UndoTrial(ctx, p.ID, by); err != nil {
			t.Fatal(err)
		}
		script{}.resolve(w)
		if got := w.canonicalText(); got != before {
			t.Error("taking it back has not brought back what was")
		}
		if err := w.app.UndoTrial(ctx, p.ID, by); err == nil {
			t.Error("it is taken back twice")
		}
		w.wantAudited(map[string]int{"trial.asked " + p.ID: 1, "trial.taken " + p.ID: 1, "trial.undone " + p.ID: 1})
	})
}

// TestAConfigurationIsTheNewerWord: thresholds that were approved hold until the
// configuration says others.
func TestAConfigurationIsTheNewerWord(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := fed(t, "", 60)
	script{}.resolve(w)
	p := w.tried(web.TrialAsked{Entity: record.Company, Link: 0.99, Review: 0.5})
	if err := w.app.TakeTrial(ctx, p.ID, true, web.By{Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	script{}.resolve(w)
	w.yaml = strings.Replace(w.yaml, "entities:\n  company:\n", "entities:\n  company:\n    match: {link: 0.97, review: 0.6}\n", 1)
	w.close()
	w.open()
	if got := w.app.thresholds(record.Company); got.Link != 0.97 || got.Review != 0.6 {
		t.Errorf("thresholds %+v, want those of the new configuration", got)
	}
}

// TestTrialsAreRefusedAndOvertaken: what is in force already, what is no
// threshold, what was refused and what was overtaken is told so.
func TestTrialsAreRefusedAndOvertaken(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := fed(t, "", 60)
	script{}.resolve(w)
	w.otherModel()
	by := web.By{Who: "amy"}
	tests := []struct {
		asked web.TrialAsked
		want  string
	}{
		{web.TrialAsked{Entity: record.Company}, "in force already"},
		{web.TrialAsked{Entity: record.Company, Link: 0.4, Review: 0.5}, "review (0.5) is above link (0.4)"},
		{web.TrialAsked{Entity: record.Company, Link: 1.5}, "probabilities between 0 and 1"},
		{web.TrialAsked{Entity: record.Company, Version: "none"}, "not found"},
		{web.TrialAsked{Entity: "ship", Link: 0.9}, "not configured"},
	}
	for _, tt := range tests {
		if _, err := w.app.AskTrial(ctx, tt.asked, by); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("asking for %+v: %v, want %q", tt.asked, err, tt.want)
		}
	}
	id, err := w.app.AskTrial(ctx, web.TrialAsked{Entity: record.Company, Version: "other"}, by)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.app.AskTrial(ctx, web.TrialAsked{Entity: record.Company, Version: "other"}, by); err != nil || again != id {
		t.Errorf("pressed twice: %s, %v; want %s", again, err, id)
	}
	if err := w.app.TakeTrial(ctx, id, true, by); err == nil {
		t.Error("a trial that was not worked out is taken")
	}
	if err := w.app.RefuseTrial(ctx, id, by); err != nil {
		t.Fatal(err)
	}
	if err := w.app.WorkTrial(ctx, id); err != nil {
		t.Fatal(err)
	}
	if p := w.trial(id); p.State != store.TrialRefused || p.Records != 0 {
		t.Errorf("a refused trial was worked out: %+v", p.TrialItem)
	}
	a, b := w.tried(web.TrialAsked{Entity: record.Company, Version: "other"}), w.tried(web.TrialAsked{Entity: record.Company, Link: 0.99})
	if a.Kind != trialModel || a.From != "start-4" || a.Touched() == 0 {
		t.Errorf("trial of a model: %+v", a.TrialItem)
	}
	if err := w.app.TakeTrial(ctx, a.ID, true, by); err != nil {
		t.Fatal(err)
	}
	if p := w.trial(b.ID); !p.Stale {
		t.Error("an overtaken trial does not say so")
	}
	if err := w.app.TakeTrial(ctx, b.ID, true, by); err == nil || !strings.Contains(err.Error(), "try it again") {
		t.Errorf("an overtaken trial is taken: %v", err)
	}
	script{}.resolve(w)
	if m, err := w.app.OneModel(ctx, record.Company, "start-4", ""); err != nil || m.Beside != "other" || len(m.Fields) == 0 {
		t.Errorf("a model beside the one in force: %+v, %v", m, err)
	}
	left, err := filepath.Glob(filepath.Join(w.app.opts.Dir, planPrefix+"*"))
	if err != nil || len(left) > 0 {
		t.Errorf("trials leave %q, %v", left, err)
	}
}

// TestScoresAddUp: the pairs of the chart are those that are counted.
func TestScoresAddUp(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := fed(t, dsn, 120)
		script{}.resolve(w)
		s, err := w.app.Scores(t.Context(), record.Company, 0.99, 0.7)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, b := range s.Bins {
			sum += b.Pairs
		}
		if sum == 0 || sum != s.Linked+s.Shown || s.TryLinked > s.Linked || s.TryLinked+s.TryShown > sum || s.Unknown {
			t.Errorf("%d pairs in bins, scores %+v", sum, s)
		}
		if low, err := w.app.Scores(t.Context(), record.Company, 0.9, 0.1); err != nil || !low.Unknown || low.TryLinked < s.Linked {
			t.Errorf("lower thresholds: %+v, %v", low, err)
		}
	})
}

// TestPlansHoldNoValues: what is kept of a trial are numbers and names of fields.
func TestPlansHoldNoValues(t *testing.T) {
	t.Parallel()
	w := fed(t, "", 60)
	script{}.resolve(w)
	p := w.tried(web.TrialAsked{Entity: record.Company, Link: 0.9999, Review: 0.9})
	stored, err := w.app.Store.Trial(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range pool(t)[:60] {
		b, err := json.Marshal(c["name"])
		if err != nil {
			t.Fatal(err)
		}
		if name := strings.Trim(string(b), `"`); len(name) > 3 && strings.Contains(stored.Plan, name) {
			t.Errorf("the plan holds %q", name)
		}
	}
	if _, err := os.Stat(w.app.opts.Dir); err != nil {
		t.Fatal(err)
	}
}

// TestAChangedConfigurationIsForetold: rules that would change more than the
// brake allows wait, golden records stay as they are, a person's word lets them
// take effect as foretold; changing the configuration back changes nothing.
func TestAChangedConfigurationIsForetold(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		w := newWorld(t, dsn)
		w.yaml = feedYAML
		w.open()
		f := &feed{}
		w.app.order[0].intakes[0].Puller = f
		var page []record.Raw
		for i := range 150 {
			page = append(page, record.Raw{Entity: record.Company, Data: fmt.Appendf(nil, `{"id":"r%d","name":"Firm %s Ltd","phone":"+44 20 7946 %04d","website":"firm%d.example","deleted":false}`, i, strings.Repeat(string(rune('A'+i%26)), 3+i/26), i, i)})
		}
		f.pages = append(f.pages, page)
		if err := w.app.PullAll(ctx); err != nil {
			t.Fatal(err)
		}
		script{}.resolve(w)
		before, yaml := w.canonicalText(), w.yaml
		change := func(old, now string) {
			w.yaml = strings.Replace(yaml, old, now, 1)
			w.close()
			w.open()
			script{}.resolve(w)
		}
		held := func() (id string) {
			t.Helper()
			id, on, err := w.app.Store.RulesTrial(ctx, record.Company)
			if err != nil || on != (id != "") {
				t.Fatalf("held by %q: %v, %v", id, on, err)
			}
			return id
		}
		change("website: record.website", "website: record.nothing")
		id := held()
		if id == "" || w.canonicalText() != before {
			t.Fatalf("a mapping that takes every website away took effect unasked (held by %q)", id)
		}
		p := w.trial(id)
		if p.State != store.TrialReady || p.Kind != trialRules || p.Records != 150 || p.Changed+p.Gone+p.New < leastHeld || !p.Braked || len(p.Fields) == 0 || p.Fields[0] != (web.Count{Name: "website", N: 150}) {
			t.Fatalf("trial %+v, fields %+v: want 150 websites gone", p.TrialItem, p.Fields)
		}
		if list, err := w.app.heldRules(ctx); err != nil || len(list) != 1 || !strings.Contains(list[0], "touchstone trial show "+id) {
			t.Errorf("who is told: %q, %v", list, err)
		}
		change("", "") // back to what it was
		if id := held(); id != "" || w.canonicalText() != before {
			t.Errorf("the configuration as it was is held by %q", id)
		}
		change("website: record.website", "website: record.nothing")
		if err := w.app.TakeTrial(ctx, id, true, web.By{Who: "ann"}); err == nil {
			t.Error("a trial of rules that were changed again is taken")
		}
		id = held()
		if err := w.app.TakeTrial(ctx, id, true, web.By{Who: "ann", Why: "meant"}); err != nil {
			t.Fatal(err)
		}
		script{}.resolve(w)
		if held() != "" || strings.Contains(w.canonicalText(), "firm7.example") {
			t.Error("approved rules have not taken effect")
		}
		if err := w.app.UndoTrial(ctx, id, web.By{Who: "ann"}); err == nil || w.trial(id).State != store.TrialTaken {
			t.Errorf("rules in force are called taken back: %v", err)
		}
		after := w.canonicalText()
		yaml = w.yaml
		change("survive: {name: [most_frequent, longest]", "survive: {name: [longest]")
		if id := held(); id != "" || w.canonicalText() != after {
			t.Errorf("rules that change nothing are held by %q", id)
		}
	})
}

// TestAModelIsFittedAndTried: asked for on the page, it is fitted from the records
// and the decisions, tried, and comes into force by approval alone; refused while
// it waits it is not fitted, and fitted once it is the same after a crash.
func TestAModelIsFittedAndTried(t *testing.T) {
	ctx := t.Context()
	w := fed(t, "", 2000)
	script{}.resolve(w)
	before := w.app.entityNamed(record.Company).model.Load().Version
	by := web.By{Who: "amy", Why: "to learn"}
	ask := func() string {
		t.Helper()
		id, err := w.app.AskTrial(ctx, web.TrialAsked{Entity: record.Company, Train: true}, by)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	unwanted := ask()
	if again := ask(); again != unwanted {
		t.Errorf("pressed twice it is asked for twice: %s and %s", unwanted, again)
	}
	if err := w.app.RefuseTrial(ctx, unwanted, by); err != nil {
		t.Fatal(err)
	}
	if err := w.app.WorkTrial(ctx, unwanted); err != nil {
		t.Fatal(err)
	}
	models := func() int {
		t.Helper()
		list, err := w.app.Store.Models(ctx, record.Company)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	had := models()
	p := w.tried(web.TrialAsked{Entity: record.Company, Train: true})
	if p.State != store.TrialReady || p.Kind != trialModel || p.Version == "" || p.Version == before || p.From != before || p.Records == 0 {
		t.Fatalf("trial %+v, problem %q: want a new model that is ready", p.TrialItem, p.Problem)
	}
	if n := models(); n != had+1 {
		t.Errorf("%d models, want one more than %d", n, had)
	}
	if now := w.app.entityNamed(record.Company).model.Load().Version; now != before {
		t.Errorf("model %s is in force without approval", now)
	}
	if again := w.tried(web.TrialAsked{Entity: record.Company, Train: true}); again.Version != p.Version || models() != had+1 {
		t.Errorf("the same records gave model %s and then %s", p.Version, again.Version)
	}
	if err := w.app.TakeTrial(ctx, p.ID, true, by); err != nil {
		t.Fatal(err)
	}
	script{}.resolve(w)
	if now := w.app.entityNamed(record.Company).model.Load().Version; now != p.Version {
		t.Errorf("approved, and model %s is in force instead of %s", now, p.Version)
	}
	if same := w.tried(web.TrialAsked{Entity: record.Company, Train: true}); same.State != store.TrialFailed || !strings.Contains(same.Problem, "in force") {
		t.Errorf("fitting what is in force: %+v", same.TrialItem)
	}
	w.wantAudited(map[string]int{"model.fitted " + record.Company + "/" + p.Version: 1})
	if _, err := w.app.AskTrial(ctx, web.TrialAsked{Entity: record.Company, Train: true, Version: before}, by); err == nil || !strings.Contains(err.Error(), "not both") {
		t.Errorf("a version and a fit at once: %v", err)
	}
}

// TestTooFewRecordsFitNoModel: the trial says so.
func TestTooFewRecordsFitNoModel(t *testing.T) {
	w := fed(t, "", 3)
	script{}.resolve(w)
	if p := w.tried(web.TrialAsked{Entity: record.Company, Train: true}); p.State != store.TrialFailed || p.Problem == "" || p.Version != "" {
		t.Errorf("trial %+v, want it to fail with the reason", p.TrialItem)
	}
}
