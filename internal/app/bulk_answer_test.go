package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// TestBulkIsPreviewedStoppedAndTakenBack: what is done is what was shown, a
// stop is between two pairs, and one undo takes all of it back.
func TestBulkIsPreviewedStoppedAndTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := queueWorld(t, dsn, 12, "review: {two_persons: {value: 900}}", "o1,c0,2026-01-05T00:00:00Z,2000,EUR", "o2,c1,2026-01-05T00:00:00Z,100,EUR")
		w.open()
		w.clean()
		before, rows := w.canonical(), w.queueRows()
		ctx, by := t.Context(), web.By{Who: "ann", Why: "same list"}
		if err := w.app.AssignPair(ctx, w.pairOf("crm/company/c3", "desk/company/d3"), "bob", by); err != nil {
			t.Fatal(err)
		}
		p, err := w.app.PreviewBulk(ctx, web.ReviewQuery{Me: "ann"}, web.AnswerSame)
		if err != nil || p.Pairs != 10 || p.Customers != 20 || p.Left != 10 || len(p.Examples) != 10 || p.Value != 101+9*2 || p.Token == "" {
			t.Errorf("preview %+v, %v; want 10 pairs of 20 customers", p, err)
		}
		if want := []web.Count{{Name: leftTwo, N: 1}, {Name: leftAssigned, N: 1}}; !slices.Equal(p.LeftOut, want) {
			t.Errorf("left out %v, want %v", p.LeftOut, want)
		}
		var no *web.Problem
		for what, err := range map[string]error{
			"another token":  second(w.app.StartBulk(ctx, web.ReviewQuery{}, web.AnswerSame, "x", by)),
			"another answer": second(w.app.StartBulk(ctx, web.ReviewQuery{}, web.AnswerApart, p.Token, by)),
			"no pair":        second(w.app.StartBulk(ctx, web.ReviewQuery{Text: "nobody"}, web.AnswerSame, p.Token, by)),
			"unsure":         second(w.app.PreviewBulk(ctx, web.ReviewQuery{}, web.AnswerUnsure)),
		} {
			if !errors.As(err, &no) {
				t.Errorf("%s: %v, want it refused", what, err)
			}
		}
		job, err := w.app.StartBulk(ctx, web.ReviewQuery{}, web.AnswerSame, p.Token, by)
		if err != nil || job.State != "running" || job.Pairs != 10 {
			t.Fatalf("job %+v, %v", job, err)
		}
		// Somebody decides one of them meanwhile, and the job is stopped.
		fifth := w.pairOf("crm/company/c5", "desk/company/d5")
		w.answer("bob", fifth, web.AnswerApart)
		w.wantRung("an answer", true)
		err = w.app.WorkBulk(ctx, job.ID, func(done int) {
			if done == 3 {
				if _, err := w.app.StopBulk(ctx, job.ID, by); err != nil {
					t.Error(err)
				}
			}
		})
		if job, e := w.app.BulkJob(ctx, job.ID); err != nil || e != nil || job.State != "stopped" || job.Decided+job.Skipped != 3 {
			t.Errorf("stopped after three: %+v, %v, %v", job, err, e)
		}
		w.wantRung("a bulk job", true)
		w.clean()
		w.verify()
		if _, err := w.app.ResumeBulk(ctx, job.ID, by); err != nil {
			t.Fatal(err)
		}
		// A kill between two pairs: whoever comes next goes on there.
		cut, cancel := context.WithCancel(ctx)
		err = w.app.WorkBulk(cut, job.ID, func(done int) {
			if done == 2 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cut off: %v", err)
		}
		w.restart("")
		if err := w.app.WorkBulk(ctx, job.ID, nil); err != nil {
			t.Fatal(err)
		}
		w.wantRung("the rest of a bulk job", true)
		job, err = w.app.BulkJob(ctx, job.ID)
		if err != nil || job.State != "done" || job.Decided != 9 || job.Skipped != 1 {
			t.Errorf("at its end %+v, %v; want 9 decided and bob's skipped", job, err)
		}
		w.clean()
		if got := len(w.queueRows()); got != 2 {
			t.Errorf("%d pairs wait, want the two left out", got)
		}
		w.verify()
		undone, err := w.app.UndoBulk(ctx, job.ID, by)
		if err != nil || undone.State != "undone" || undone.Undo == "" {
			t.Fatalf("undo: %+v, %v", undone, err)
		}
		w.wantRung("the undo of a bulk job", true)
		if _, err := w.app.UndoBulk(ctx, job.ID, by); !errors.As(err, &no) {
			t.Errorf("undo twice: %v, want it refused", err)
		}
		w.clean()
		if got := w.canonical(); got != before {
			t.Errorf("after the undo the golden records differ:\n%s\nbefore:\n%s", got, before)
		}
		if got := len(w.queueRows()); got != len(rows)-1 {
			t.Errorf("after the undo %d pairs wait, want all but bob's, %d", got, len(rows)-1)
		}
		// The undo is a decision like any other.
		w.decision(w.app.Undo(ctx, undone.Undo, ann))
		w.clean()
		if got := len(w.queueRows()); got != 2 {
			t.Errorf("after the undo's undo %d pairs wait, want 2", got)
		}
		w.verify()
	})
}

// TestBulkJoinsNoThird: of pairs that share a customer one is for a job.
func TestBulkJoinsNoThird(t *testing.T) {
	t.Parallel()
	w := queueWorld(t, "", 2, "review: {bulk: {most: 1}}")
	w.write("desk.csv", "id,name,city\n"+queueFirm("d0", 0, "Leeds")+"\n"+queueFirm("d9", 0, "Leeds")+"\n"+queueFirm("d1", 1, "Leeds")+"\n")
	w.open()
	w.clean()
	p, err := w.app.PreviewBulk(t.Context(), web.ReviewQuery{}, web.AnswerSame)
	if want := []web.Count{{Name: leftChain, N: 2}, {Name: leftMost, N: 1}}; err != nil || p.Pairs != 1 || fmt.Sprint(p.LeftOut) != fmt.Sprint(want) {
		t.Errorf("of %q are %d pairs for a job, left out %v, %v; want 1 and %v", w.pairs(web.ReviewQuery{}), p.Pairs, p.LeftOut, err, want)
	}
}

// TestBulkCountsBehindAFullJob: what the store counts of the pairs that a full job
// never looks at is what looking at each of them gives.
func TestBulkCountsBehindAFullJob(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := queueWorld(t, dsn, 9, "review: {bulk: {most: 2}, two_persons: {value: 900}}", "o1,c7,2026-01-05T00:00:00Z,100,EUR", "o2,c8,2026-01-05T00:00:00Z,2000,EUR", "o3,c1,2026-01-05T00:00:00Z,500,EUR")
		w.write("desk.csv", "id,name,city\n"+queueFirm("d0", 0, "Leeds")+"\n"+queueFirm("d00", 0, "Leeds")+"\n"+queueFirm("d7", 7, "Leeds")+"\n"+queueFirm("d77", 7, "Leeds")+"\n"+
			queueFirm("d1", 1, "Leeds")+"\n"+queueFirm("d11", 1, "Leeds")+"\n"+queueFirm("d3", 3, "Leeds")+"\n"+queueFirm("d4", 4, "Leeds")+"\n"+queueFirm("d5", 5, "Leeds")+"\n"+queueFirm("d8", 8, "Leeds")+"\n")
		w.open()
		w.clean()
		ctx := t.Context()
		for _, x := range []string{"3", "4"} {
			if err := w.app.AssignPair(ctx, w.pairOf("crm/company/c"+x, "desk/company/d"+x), map[string]string{"3": "bob", "4": "ann"}[x], web.By{Who: "ann"}); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range []web.ReviewQuery{{Me: "ann"}, {Me: "bob"}, {Me: "ann", Source: "crm", Other: "desk"}, {Me: "ann", From: 0.01}, {Me: "ann", Kind: web.KindBelow}, {Me: "ann", Text: "c7"}} {
			for _, answer := range []string{web.AnswerSame, web.AnswerApart} {
				p, err := w.app.PreviewBulk(ctx, q, answer)
				if err != nil {
					t.Fatal(err)
				}
				q.Limit = 1000
				f, err := w.app.queueFilter(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				left, taken, pairs := map[string]int{}, map[int64]bool{}, 0
				_, err = w.app.eachQueued(ctx, f, "", func(x store.QueuedPair) bool {
					why := w.app.leftOut(x, q, answer, taken)
					if why == "" && pairs == 2 {
						why = leftMost
					}
					if left[why]++; why == "" {
						pairs++
						taken[x.X], taken[x.Y] = true, true
					}
					return true
				})
				var want []web.Count
				for _, why := range []string{leftTwo, leftProposed, leftAssigned, leftVeto, leftStale, leftChain, leftMost} {
					if left[why] > 0 {
						want = append(want, web.Count{Name: why, N: left[why]})
					}
				}
				if err != nil || p.Pairs != pairs || !slices.Equal(p.LeftOut, want) {
					t.Errorf("%+v, %s: %d pairs, left out %v, %v; want %d and %v", q, answer, p.Pairs, p.LeftOut, err, pairs, want)
				}
			}
		}
	})
}
