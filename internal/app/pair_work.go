package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// PairWork is what people have done about a pair, and what an answer to it would
// be about.
func (a *App) PairWork(ctx context.Context, id, me string) (out web.PairWork, err error) {
	pair, err := parsePair(id)
	if err != nil {
		return out, err
	}
	var l looked
	var notes []store.PairNote
	var ruled []store.Decision
	err = a.Store.Look(ctx, func(tx *store.DecideTx) error {
		if l, err = a.look(ctx, tx, pair.A, pair.B); err != nil {
			return err
		}
		recs := l.s.Recs()
		if l.s.Founder != l.t.Founder {
			recs = append(recs, l.t.Recs()...)
		}
		if notes, err = tx.NotesBetween(ctx, recs); err != nil {
			return err
		}
		if ruled, err = tx.DecisionsOn(ctx, pair.A, pair.B); err != nil {
			return err
		}
		out.Two, err = a.twoNeeded(ctx, tx, l)
		return err
	})
	if err != nil {
		return out, err
	}
	out.Seen, out.Open = l.seen, l.open
	if d := l.standing(); d != nil {
		out.Decided = pairDecided(*d)
	}
	if l.proposed {
		out.Proposal = &web.PairProposal{Answer: l.proposal.Answer, Who: l.proposal.Who, Why: l.proposal.Why, At: parse(l.proposal.At), Mine: l.proposal.Who == me}
	}
	for _, n := range notes {
		if n.What == "note" {
			out.Notes = append(out.Notes, web.PairNote{ID: n.ID, Who: n.Who, At: parse(n.At), Text: n.Text, Erased: n.Erased})
			continue
		}
		out.History = append(out.History, web.PairEvent{At: parse(n.At), Who: n.Who, What: n.What, Text: n.Text})
	}
	for _, d := range ruled {
		out.History = append(out.History, web.PairEvent{At: parse(d.At), Who: d.Who, What: d.Kind, Text: d.Why})
		if d.Withdrawn != "" {
			out.History = append(out.History, web.PairEvent{At: parse(d.Withdrawn), Who: d.WithdrawnBy, What: store.Undone, Text: d.ID})
		}
	}
	slices.SortStableFunc(out.History, func(x, y web.PairEvent) int { return y.At.Compare(x.At) })
	q := l.queued
	if !l.open {
		q = store.QueuedPair{A: pair.A, B: pair.B, X: l.s.Founder, Y: l.t.Founder, Entity: l.s.Ref.Entity}
	}
	items, err := a.items(ctx, []store.QueuedPair{q})
	if err == nil {
		out.Item = items[0]
	}
	return out, err
}

// AssignPair gives a pair to an account; "" is nobody.
func (a *App) AssignPair(ctx context.Context, id, to string, by web.By) error {
	to = strings.TrimSpace(to)
	if err := short("to", to, 200); err != nil {
		return err
	}
	return a.work(ctx, id, by, "assign", strings.TrimSpace(to+" "+by.Why), func(w *store.QueueWork) { w.Assigned = to })
}

// DuePair sets until when a pair is to be decided; zero is the configured time
// from when it came to wait.
func (a *App) DuePair(ctx context.Context, id string, due time.Time, by web.By) error {
	if !due.IsZero() && due.Before(a.opts.Env.Clock.Now()) {
		return web.Refuse("due", "the time is over already")
	}
	pair, err := parsePair(id)
	if err != nil {
		return err
	}
	if due.IsZero() && a.Config.Review.Due > 0 {
		q, found, err := a.Store.QueuedByRecs(ctx, pair.A, pair.B)
		if err != nil {
			return err
		}
		if found {
			due = parse(q.Since).Add(time.Duration(a.Config.Review.Due))
		}
	}
	text := record.FormatTime(due)
	return a.work(ctx, id, by, "due", text, func(w *store.QueueWork) { w.Due = text })
}

// SkipPair puts a pair aside until a time; zero takes it back.
func (a *App) SkipPair(ctx context.Context, id string, until time.Time, by web.By) error {
	now := a.opts.Env.Clock.Now()
	if !until.IsZero() && (!until.After(now) || until.After(now.AddDate(1, 0, 0))) {
		return web.Refuse("until", "want a time within the next year")
	}
	text := record.FormatTime(until)
	return a.work(ctx, id, by, "skip", strings.TrimSpace(text+" "+by.Why), func(w *store.QueueWork) { w.Until = text })
}

// EscalatePair hands a pair on to whom the configuration names.
func (a *App) EscalatePair(ctx context.Context, id string, by web.By) error {
	to := a.Config.Review.Escalate
	if to == "" {
		return web.Refuse("", "nobody is named to hand pairs on to: review.escalate names an account")
	}
	return a.work(ctx, id, by, "escalate", strings.TrimSpace(to+" "+by.Why), func(w *store.QueueWork) { w.Assigned, w.Escalated = to, w.Escalated+1 })
}

// maxNote bounds a comment, in characters.
const maxNote = 4000

// NotePair keeps a comment on a pair.
func (a *App) NotePair(ctx context.Context, id, text string, by web.By) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return web.Refuse("text", "the comment is empty")
	}
	if err := short("text", text, maxNote); err != nil {
		return err
	}
	return a.onPair(ctx, id, by, func(tx *store.DecideTx, l looked) error {
		return tx.Note(ctx, l.s.Founder, l.t.Founder, store.PairNote{Who: by.Who, What: "note", Text: text})
	})
}

func short(field, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return web.Refuse(field, "is %d characters long, want at most %d", n, most)
	}
	return nil
}

// work changes what is to be done about a pair, and keeps who did it.
func (a *App) work(ctx context.Context, id string, by web.By, what, text string, change func(*store.QueueWork)) error {
	if err := short("why", by.Why, maxNote); err != nil {
		return err
	}
	return a.onPair(ctx, id, by, func(tx *store.DecideTx, l looked) error {
		if err := tx.Work(ctx, l.s.Founder, l.t.Founder, change); err != nil {
			return err
		}
		return tx.Note(ctx, l.s.Founder, l.t.Founder, store.PairNote{Who: by.Who, What: what, Text: text})
	})
}

// escalateOverdue hands on what is overdue, where the configuration names
// somebody.
func (a *App) escalateOverdue(ctx context.Context) error {
	to := a.Config.Review.Escalate
	if to == "" || a.rebuilding {
		return nil
	}
	n, err := a.Store.EscalateOverdue(ctx, to, "touchstone", exportPage)
	if n > 0 {
		a.Log.Warn("pairs to review are overdue and were handed on", "pairs", n)
	}
	return err
}

var errNobody = errors.New("nobody asks")
