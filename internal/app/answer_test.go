package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/internal/web"
)

// answer gives an answer as somebody who has just looked at the pair.
func (w *world) answer(who, pair, answer string) web.PairOutcome {
	w.Helper()
	return w.answerSeen(who, pair, answer, w.work(pair, who).Seen)
}

func (w *world) answerSeen(who, pair, answer, seen string) web.PairOutcome {
	w.Helper()
	out, err := w.app.AnswerPair(w.Context(), web.PairAnswer{ID: pair, Answer: answer, Seen: seen}, web.By{Who: who, Why: "looked at both"})
	if err != nil {
		w.Fatalf("%s answers %s to %s: %v", who, answer, pair, err)
	}
	return out
}

// wantRung says whether the resolver was woken since it was asked last.
func (w *world) wantRung(what string, want bool) {
	w.Helper()
	rung := false
	select {
	case <-w.app.landed:
		rung = true
	default:
	}
	if rung != want {
		w.Errorf("%s wakes the resolver: %t, want %t", what, rung, want)
	}
}

func (w *world) work(pair, me string) web.PairWork {
	w.Helper()
	work, err := w.app.PairWork(w.Context(), pair, me)
	if err != nil {
		w.Fatalf("pair %s: %v", pair, err)
	}
	return work
}

// TestTwoStewardsDecideAPairOnce: the second is told who has, and a tab that
// shows what is no longer so is told that.
func TestTwoStewardsDecideAPairOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := queueWorld(t, dsn, 3, "")
		w.open()
		w.clean()
		pair := w.pairOf("crm/company/c0", "desk/company/d0")
		seen := w.work(pair, "bob").Seen

		if out := w.answer("ann", pair, web.AnswerSame); out.State != web.OutcomeDecided || out.Decision == "" {
			t.Fatalf("the first answer: %+v, want decided", out)
		}
		for _, answer := range []string{web.AnswerSame, web.AnswerApart, web.AnswerUnsure} {
			if out := w.answerSeen("bob", pair, answer, seen); out.State != web.OutcomeAlready || out.By == nil || out.By.Who != "ann" || out.By.Answer != web.AnswerSame {
				t.Errorf("bob's %s to what ann has decided: %+v, want already, by ann", answer, out)
			}
		}
		if got := len(w.pairs(web.ReviewQuery{})); got != 2 {
			t.Errorf("%d pairs wait before the resolver has come, want 2", got)
		}
		w.clean()
		if out := w.answerSeen("bob", pair, web.AnswerApart, seen); out.State != web.OutcomeAlready || out.By.Who != "ann" {
			t.Errorf("an answer to what is merged: %+v, want already", out)
		}
		// At once, in many tabs: one decision.
		other := w.pairOf("crm/company/c1", "desk/company/d1")
		seen = w.work(other, "bob").Seen
		var wg sync.WaitGroup
		states := make([]string, 8)
		for i := range states {
			wg.Go(func() {
				out, err := w.app.AnswerPair(t.Context(), web.PairAnswer{ID: other, Answer: web.AnswerApart, Seen: seen}, web.By{Who: fmt.Sprint("s", i)})
				if states[i] = out.State; err != nil {
					states[i] = err.Error()
				}
			})
		}
		wg.Wait()
		slices.Sort(states)
		want := append(slices.Repeat([]string{web.OutcomeAlready}, 7), web.OutcomeDecided)
		if !slices.Equal(states, want) {
			t.Errorf("eight at once: %q, want one decided", states)
		}
		// What somebody looked at has changed since.
		third := w.pairOf("crm/company/c2", "desk/company/d2")
		seen = w.work(third, "bob").Seen
		w.write("desk.csv", "id,name,city\n"+queueFirm("d2", 2, "Leeds")+" West\n")
		w.clean()
		if out := w.answerSeen("bob", third, web.AnswerSame, seen); out.State != web.OutcomeChanged {
			t.Errorf("an answer to what has changed since: %+v, want changed", out)
		}
		w.wantStates("merge in force", "split in force")
		w.verify()
	})
}

// TestSecondAccountDecides: where two are needed the first answer waits, the
// same account cannot give both, and another answer takes its place.
func TestSecondAccountDecides(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := queueWorld(t, dsn, 3, "review: {two_persons: {value: 500, confirmed: true}}", "o1,c0,2026-01-05T00:00:00Z,900,EUR", "o2,c2,2026-01-05T00:00:00Z,900,EUR")
		w.open()
		w.clean()
		pair := w.pairOf("crm/company/c0", "desk/company/d0")
		if got := w.work(pair, "ann").Two; got != "value" {
			t.Errorf("a pair of value 901 needs two for %q, want value", got)
		}
		// The list of bridges is no way around that.
		if done, err := w.app.DecideBridge(t.Context(), pair, "join", web.By{Who: "ann"}); err != nil || done != (web.Done{Key: web.DoneProposed}) {
			t.Fatalf("ann joins them as a bridge: %+v, %v; want it to wait for a second account", done, err)
		}
		w.wantStates()
		for range 2 {
			if out := w.answer("ann", pair, web.AnswerSame); out.State != web.OutcomeProposed {
				t.Fatalf("ann's answer: %+v, want proposed", out)
			}
		}
		w.wantStates()
		p := w.work(pair, "ann").Proposal
		if p == nil || !p.Mine || p.Answer != web.AnswerSame || w.work(pair, "bob").Proposal.Mine {
			t.Errorf("the proposal is %+v, want ann's own", p)
		}
		if got := w.pairs(web.ReviewQuery{Proposed: true, Me: "bob"}); len(got) != 1 {
			t.Errorf("for bob wait %q, want ann's", got)
		}
		if got := w.pairs(web.ReviewQuery{Proposed: true, Me: "ann"}); len(got) != 0 {
			t.Errorf("for ann wait %q, want nothing", got)
		}
		w.clean() // what waits stays, whatever is resolved
		// bob disagrees: now his answer waits, and ann may confirm it, or not.
		// How the two belong together does not wait with it: nobody else has said so.
		out, err := w.app.AnswerPair(t.Context(), web.PairAnswer{ID: pair, Answer: web.AnswerApart, Relation: web.RelateGroup}, web.By{Who: "bob"})
		if err != nil || out.State != web.OutcomeProposed {
			t.Fatalf("bob's other answer: %+v, %v, want proposed", out, err)
		}
		w.wantRung("what is only proposed", false)
		if out := w.answer("cy", pair, web.AnswerApart); out.State != web.OutcomeDecided || len(out.With) > 0 {
			t.Fatalf("cy's same answer: %+v, want decided, and nothing else", out)
		}
		w.wantRung("an answer", true)
		w.wantStates("split in force")
		if list, err := w.app.Decisions(t.Context(), "", 0, 10); err != nil || list[0].Who != "cy" || !strings.Contains(list[0].Why, "proposed by bob") {
			t.Errorf("decisions %+v, %v; want one of cy that names bob", list, err)
		}
		// A proposal is taken back by who made it alone.
		other := w.pairOf("crm/company/c2", "desk/company/d2")
		w.answer("ann", other, web.AnswerSame)
		var no *web.Problem
		if err := w.app.WithdrawProposal(t.Context(), other, web.By{Who: "bob"}); !errors.As(err, &no) {
			t.Errorf("bob takes ann's proposal back: %v, want refused", err)
		}
		if err := w.app.WithdrawProposal(t.Context(), other, web.By{Who: "ann"}); err != nil || w.work(other, "ann").Proposal != nil {
			t.Errorf("ann takes hers back: %v, %+v", err, w.work(other, "ann").Proposal)
		}
		// Confirmed on both sides needs two as well.
		third := w.pairOf("crm/company/c1", "desk/company/d1")
		if got := w.work(third, "ann").Two; got != "" {
			t.Errorf("a pair of value 2 needs two for %q", got)
		}
		for _, ref := range []string{"crm/company/c1", "desk/company/d1"} {
			w.decision(w.app.Pin(t.Context(), PinRequest{Golden: ref, Field: "industry", Value: "tools"}, ann))
		}
		if got := w.work(third, "ann").Two; got != "confirmed" {
			t.Errorf("a pair of two confirmed customers needs two for %q, want confirmed", got)
		}
		w.clean()
		w.verify()
	})
}

// TestWorkOnAPairIsKept: whom it was given to, until when, aside, notes.
func TestWorkOnAPairIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := queueWorld(t, dsn, 3, "review: {due: 5d, escalate: lead}")
		w.open()
		w.clean()
		ctx, by := t.Context(), web.By{Who: "ann", Why: "on holiday"}
		pair := w.pairOf("crm/company/c0", "desk/company/d0")
		due := w.pair("crm/company/c0", "desk/company/d0").Due
		if got := due.Sub(w.clock.Now()).Round(time.Hour); got != 120*time.Hour {
			t.Errorf("a new pair is due in %s, want 5 days", got)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(w.app.AssignPair(ctx, pair, "bob", by))
		must(w.app.NotePair(ctx, pair, "Ask Ms Lee <b>first</b>", by))
		until := w.clock.Now().Add(48 * time.Hour)
		must(w.app.SkipPair(ctx, pair, until, by))
		if got := w.pairs(web.ReviewQuery{}); len(got) != 2 {
			t.Errorf("%q are listed, want the pair put aside left out", got)
		}
		if got := w.pairs(web.ReviewQuery{Skipped: true}); len(got) != 1 {
			t.Errorf("%q are put aside, want 1", got)
		}
		w.clean()
		w.sleep(49 * time.Hour)
		if got := w.pairs(web.ReviewQuery{Assigned: "me", Me: "bob"}); len(got) != 1 {
			t.Errorf("after its time bob has %q, want the pair", got)
		}
		if got := w.pairs(web.ReviewQuery{Assigned: "nobody"}); len(got) != 2 {
			t.Errorf("nobody has %q, want 2", got)
		}
		work := w.work(pair, "bob")
		if len(work.Notes) != 1 || work.Notes[0].Text != "Ask Ms Lee <b>first</b>" || work.Notes[0].Who != "ann" {
			t.Errorf("notes %+v", work.Notes)
		}
		var done []string
		for _, e := range work.History {
			done = append(done, e.What+" "+e.Who)
		}
		if want := []string{"skip ann", "assign ann"}; !slices.Equal(done, want) {
			t.Errorf("history %q, want %q", done, want)
		}
		// What is overdue is handed on, once.
		w.sleep(4 * 24 * time.Hour)
		if got := w.pairs(web.ReviewQuery{Due: "overdue"}); len(got) != 3 {
			t.Errorf("overdue are %q, want all", got)
		}
		w.clean()
		w.clean()
		if got := w.pairs(web.ReviewQuery{Assigned: "lead"}); len(got) != 3 {
			t.Errorf("handed on are %q, want all", got)
		}
		if item := w.pair("crm/company/c0", "desk/company/d0"); item.Escalated != 1 || item.Assigned != "lead" {
			t.Errorf("the overdue pair %+v, want it handed on to lead once", item)
		}
		must(w.app.DuePair(ctx, pair, w.clock.Now().Add(time.Hour), by))
		if got := w.pairs(web.ReviewQuery{Due: "overdue"}); len(got) != 2 {
			t.Errorf("with a new time for one overdue are %q, want 2", got)
		}
		if n, err := w.app.Store.Audited(ctx, "pair.assign", pair); err != nil || n != 1 {
			t.Errorf("%d audit entries of the assignment, %v; want 1", n, err)
		}
		var no *web.Problem
		for what, err := range map[string]error{
			"an empty note":       w.app.NotePair(ctx, pair, " ", by),
			"a note too long":     w.app.NotePair(ctx, pair, strings.Repeat("x", maxNote+1), by),
			"a time that is over": w.app.SkipPair(ctx, pair, w.clock.Now().Add(-time.Hour), by),
			"due in the past":     w.app.DuePair(ctx, pair, w.clock.Now().Add(-time.Hour), by),
		} {
			if !errors.As(err, &no) {
				t.Errorf("%s: %v, want it refused", what, err)
			}
		}
		w.verify()
	})
}

// TestTodaysSetStaysAllDay: chosen once by the steward's own pace, nobody
// else's, and told with what it removes.
func TestTodaysSetStaysAllDay(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		var orders []string
		for i := range 20 {
			orders = append(orders, fmt.Sprintf("o%d,c%d,2026-01-05T00:00:00Z,%d,EUR", i, i, 10*(i+1)*(i+1)))
		}
		w := queueWorld(t, dsn, 20, "review: {minutes: 1}", orders...)
		w.open()
		w.clean()
		s, err := w.app.ReviewStats(t.Context(), "ann", "", 0)
		if err != nil || s.Open != 20 || s.Seconds != 6 || s.Measured != 0 || s.Decisions != 10 || s.Decided != 0 {
			t.Fatalf("stats %+v, %v; want 10 of 20 pairs at 6 seconds", s, err)
		}
		if s.Removes < 0.78 || s.Removes > 0.8 || len(s.Curve) == 0 || s.Curve[len(s.Curve)-1] != (web.CurvePoint{Decisions: 20, Share: 1}) {
			t.Errorf("ten pairs remove %.3f, the curve is %+v; want about 0.79, and all at its end", s.Removes, s.Curve)
		}
		mine := w.todays("ann")
		if len(mine) != 10 || mine[0] != "c19" || mine[9] != "c10" {
			t.Errorf("ann's set is %q, want the ten of the highest value", mine)
		}
		if got := w.todays("bob"); len(got) != 10 || got[0] != "c9" {
			t.Errorf("bob's set is %q, want the others", got)
		}
		// She decides, one every 3 seconds: the set stays, and says what is done.
		for i := range 6 {
			w.answer("ann", w.pairOf("crm/company/c"+fmt.Sprint(19-i), "desk/company/d"+fmt.Sprint(19-i)), web.AnswerApart)
			w.sleep(3 * time.Second)
		}
		w.clean()
		if got := w.todays("ann"); !slices.Equal(got, mine) {
			t.Errorf("ann's set has become %q, want %q", got, mine)
		}
		if s, err = w.app.ReviewStats(t.Context(), "ann", "", 0); err != nil || s.Decided != 6 || s.Decisions != 10 || s.Open != 14 {
			t.Errorf("after six decisions %+v, %v", s, err)
		}
		// Less time is the beginning of the same set, more adds to it.
		if s, err = w.app.ReviewStats(t.Context(), "bob", "", 2); err != nil || s.Decisions != 10 {
			t.Errorf("two minutes of bob's: %+v, %v; want the ten that nobody else has", s, err)
		}
		w.sleep(24 * time.Hour)
		if got := w.todays("ann"); len(got) != 10 || got[0] != "c13" {
			t.Errorf("the next day ann's set is %q, want it to begin with what is left", got)
		}
		w.verify()
	})
}

func (w *world) todays(who string) (ids []string) {
	w.Helper()
	p, err := w.app.OpenPairs(w.Context(), web.ReviewQuery{Today: true, Me: who})
	if err != nil {
		w.Fatal(err)
	}
	for _, x := range p.Items {
		ids = append(ids, x.A.ID)
	}
	return ids
}

// TestPaceIsTheMedianOfRecentDecisions: pauses are no decisions.
func TestPaceIsTheMedianOfRecentDecisions(t *testing.T) {
	t.Parallel()
	w := queueWorld(t, "", 14, "")
	w.open()
	w.clean()
	for i := range 14 {
		w.answer("ann", w.pairOf(fmt.Sprint("crm/company/c", i), fmt.Sprint("desk/company/d", i)), web.AnswerUnsure)
		w.sleep(4 * time.Second)
		if i == 6 {
			w.sleep(time.Hour)
		}
	}
	millis, measured, err := w.app.pace(t.Context(), "ann")
	if err != nil || measured != 12 || millis < 4000 || millis > 4200 {
		t.Errorf("pace %d ms of %d decisions, %v; want 4 s of 12", millis, measured, err)
	}
	if millis, measured, err = w.app.pace(t.Context(), "bob"); err != nil || measured != 0 || millis != 6000 {
		t.Errorf("of nobody's decisions %d ms of %d, %v; want 6 s of 0", millis, measured, err)
	}
}
