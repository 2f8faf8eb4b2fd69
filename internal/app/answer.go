package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/say"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/rules/worth"
)

// looked is what stands between two records when somebody answers.
type looked struct {
	s, t     store.Subject
	seen     string
	ruled    []store.Decision // in force between the two golden records, oldest first
	proposal store.PairProposal
	proposed bool
	queued   store.QueuedPair
	open     bool
}

// look reads what an answer to a pair would be about.
func (a *App) look(ctx context.Context, tx *store.DecideTx, x, y int64) (l looked, err error) {
	if l.s, err = tx.SubjectByRec(ctx, x); err != nil {
		return l, err
	}
	if l.t, err = tx.SubjectByRec(ctx, y); err != nil {
		return l, err
	}
	if l.s.Ref.Entity != l.t.Ref.Entity {
		return l, web.Refuse("", "one record is a %s and the other a %s", wordOf("entity", l.s.Ref.Entity), wordOf("entity", l.t.Ref.Entity))
	}
	versions, err := tx.Versions(ctx, x, y)
	if err != nil {
		return l, err
	}
	if l.s.Founder == l.t.Founder {
		d, found, err := tx.Together(ctx, x, y)
		if err != nil {
			return l, err
		}
		if found {
			l.ruled = []store.Decision{d}
		}
	} else {
		if l.ruled, err = tx.RuledBetween(ctx, []string{"must", "cannot", store.Undecided}, l.s.Recs(), l.t.Recs()); err != nil {
			return l, err
		}
		if l.proposal, l.proposed, err = tx.OpenProposal(ctx, l.s.Founder, l.t.Founder); err != nil {
			return l, err
		}
		if l.queued, l.open, err = tx.Queued(ctx, l.s.Founder, l.t.Founder); err != nil {
			return l, err
		}
	}
	slices.SortFunc(l.ruled, func(p, q store.Decision) int { return cmp.Compare(p.Seq, q.Seq) })
	last := int64(0)
	for _, d := range l.ruled {
		last = d.Seq
	}
	l.seen = fmt.Sprintf("%d.%d-%d.%d.%d-%d.%d.%d-%d", x, y, versions[x], versions[y], l.s.Founder, l.t.Founder, len(l.s.Members), len(l.t.Members), last)
	return l, nil
}

// standing is the newest decision that is in force and not stale.
func (l looked) standing() *store.Decision {
	for _, d := range slices.Backward(l.ruled) {
		if !d.Stale {
			return &d
		}
	}
	return nil
}

// answerOf names a decision by the answer that made it.
func answerOf(kind string) string {
	switch kind {
	case store.Merged, store.Imported, "must":
		return web.AnswerSame
	case store.Split, "cannot":
		return web.AnswerApart
	}
	return kind
}

func pairDecided(d store.Decision) *web.PairDecided {
	return &web.PairDecided{ID: d.ID, Answer: answerOf(d.Kind), Who: d.Who, Why: d.Why, At: parse(d.At)}
}

// twoNeeded says why an answer needs a second account; "" when it does not.
func (a *App) twoNeeded(ctx context.Context, tx *store.DecideTx, l looked) (string, error) {
	rule := a.Config.Review.Two
	if rule.Value == 0 && rule.Systems == 0 && !rule.Confirmed || l.s.Founder == l.t.Founder {
		return "", nil
	}
	value, systems := l.queued.Value, l.queued.Systems
	if !l.open {
		ap := a.appraisal(l.s.Ref.Entity)
		if ap == nil {
			return "", nil
		}
		var err error
		if value, systems, err = tx.Valued(ctx, ap, l.s.Founder, l.t.Founder); err != nil {
			return "", err
		}
	}
	switch {
	case rule.Value > 0 && value >= int64(rule.Value*worth.Unit):
		return "value", nil
	case rule.Systems > 0 && systems > rule.Systems:
		return "systems", nil
	case !rule.Confirmed:
		return "", nil
	}
	for _, side := range []store.Subject{l.s, l.t} {
		is, err := tx.Confirmed(ctx, side.Recs())
		if err != nil || !is {
			return "", err
		}
	}
	return "confirmed", nil
}

// AnswerPair decides a pair, and pins the values that were picked with the answer,
// as they are read before the two are one, or states how the two belong together
// that are not one: both or neither. Nothing is decided twice: what somebody else
// has decided since the pair was looked at is told instead. Where two accounts are
// needed the first answer is kept and the second one, of another account, decides.
func (a *App) AnswerPair(ctx context.Context, q web.PairAnswer, by web.By) (out web.PairOutcome, err error) {
	if by.Who == "" {
		return out, errors.New("an answer needs somebody who gives it")
	}
	if err := short("why", by.Why, maxNote); err != nil {
		return out, err
	}
	err = a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		out, err = a.answerIn(ctx, tx, q, By{Who: by.Who, Why: by.Why, Over: q.Over}, true)
		return err
	})
	if err == nil && out.State == web.OutcomeDecided {
		a.landed.ring()
	}
	return out, err
}

// answerIn is AnswerPair in a transaction; without propose a pair that needs a
// second account is left alone. What was refused leaves nothing.
func (a *App) answerIn(ctx context.Context, tx *store.DecideTx, q web.PairAnswer, by By, propose bool) (out web.PairOutcome, err error) {
	pair, err := parsePair(q.ID)
	if err != nil {
		return out, err
	}
	kinds := map[string]string{web.AnswerSame: store.Merged, web.AnswerApart: store.Split, web.AnswerUnsure: store.Undecided}
	kind, known := kinds[q.Answer]
	if !known {
		return out, web.Refuse("answer", "there is no answer %q: want same, apart or unsure", q.Answer)
	}
	l, err := a.look(ctx, tx, pair.A, pair.B)
	if err != nil {
		return out, err
	}
	if out = l.meanwhile(q); out.State != "" {
		return out, nil
	}
	var picks []pickedPin
	if q.Answer == web.AnswerSame { // else they are of the customer that the two will not be
		if picks, err = a.readPicks(ctx, tx, l, q.Picks); err != nil {
			return out, err
		}
	}
	var relation *Relate
	if q.Answer == web.AnswerApart {
		if relation, err = a.readRelation(l, q.Relation); err != nil {
			return out, err
		}
	}
	two, err := a.twoNeeded(ctx, tx, l)
	if err != nil {
		return out, err
	}
	own, second := by, l.proposed && l.proposal.Who != by.Who && l.proposal.Answer == q.Answer
	switch {
	case two == "" || q.Answer == web.AnswerUnsure || second:
	case !propose:
		return became(web.OutcomeProposed, "a second account is needed: %s", two), nil
	default:
		return became(web.OutcomeProposed, "the answer waits for a second account"), a.propose(ctx, tx, l, q, by)
	}
	if second {
		by.Why = strings.TrimSpace(fmt.Sprintf("%s (proposed by %s: %s)", by.Why, l.proposal.Who, l.proposal.Why))
	}
	var d Decided
	var with []string
	err = tx.Apart(ctx, func() error {
		d, err = a.decideIn(ctx, tx, kind, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
			return answered(ctx, tx, n, l, q)
		})
		if err != nil {
			return err
		}
		if with, err = a.pinPicks(ctx, tx, l, picks, own); err != nil {
			return err
		}
		if relation != nil {
			r, err := a.relateIn(ctx, tx, *relation, own)
			if err != nil {
				return err
			}
			if !r.Existing {
				with = append(with, r.Decision)
			}
		}
		if !l.proposed {
			return nil
		}
		state := "overruled"
		if l.proposal.Answer == q.Answer {
			state = "confirmed"
		}
		return tx.EndProposal(ctx, l.proposal, state, d.Decision)
	})
	if out, err = outcome(d, err); out.State == web.OutcomeDecided {
		out.With = with
	}
	return out, err
}

// meanwhile says what has happened to a pair since somebody looked at it;
// nothing when it can be answered.
func (l looked) meanwhile(q web.PairAnswer) (out web.PairOutcome) {
	fresh := q.Seen == l.seen
	if d := l.standing(); d != nil && !fresh {
		return decidedBy(d, "it was decided meanwhile by %s", d.Who)
	}
	if l.s.Founder == l.t.Founder {
		return became(web.OutcomeChanged, "the two are one customer now")
	}
	if d := l.standing(); d != nil && answerOf(d.Kind) == q.Answer {
		return decidedBy(d, "it is decided so")
	}
	if q.Seen != "" && !fresh {
		return became(web.OutcomeChanged, "the records or their customers have changed since")
	}
	return out
}

// answered is what a decision is made of. What was said before and has become
// stale is said anew, or withdrawn.
func answered(ctx context.Context, tx *store.DecideTx, n *store.NewDecision, l looked, q web.PairAnswer) (*store.Decision, error) {
	for _, d := range l.ruled {
		if !d.Stale || answerOf(d.Kind) == q.Answer && q.Answer == web.AnswerSame {
			continue
		}
		if answerOf(d.Kind) == q.Answer || d.Kind == store.Undecided {
			said, err := tx.Said(ctx, d.ID)
			if err != nil {
				return nil, err
			}
			if n.Withdraws = append(n.Withdraws, d.ID); d.Kind != store.Undecided {
				n.Rulings = append(n.Rulings, said...)
			}
		}
	}
	switch q.Answer {
	case web.AnswerSame:
		return mergeOf(ctx, tx, n, l.s, l.t)
	case web.AnswerApart:
		apartOf(n, l.s, l.t)
		return nil, nil
	default:
		return nil, unsureOf(ctx, tx, n, l.s, l.t, q.Over)
	}
}

// propose keeps an answer for a second account. Another answer takes the place
// of the one that waits.
func (a *App) propose(ctx context.Context, tx *store.DecideTx, l looked, q web.PairAnswer, by By) error {
	if l.proposed {
		if l.proposal.Who == by.Who && l.proposal.Answer == q.Answer {
			return nil
		}
		if err := tx.EndProposal(ctx, l.proposal, "overruled", ""); err != nil {
			return err
		}
	}
	err := tx.Propose(ctx, store.PairProposal{A: l.s.Rec, B: l.t.Rec, X: l.s.Founder, Y: l.t.Founder, Answer: q.Answer, Who: by.Who, Why: by.Why})
	if err != nil {
		return err
	}
	return tx.Note(ctx, l.s.Founder, l.t.Founder, store.PairNote{Who: by.Who, What: "propose", Text: strings.TrimSpace(q.Answer + " " + by.Why)})
}

// outcome tells what a decision came to.
func outcome(d Decided, err error) (web.PairOutcome, error) {
	var against *store.Contradiction
	var impossible *store.Impossible
	switch {
	case errors.As(err, &against):
		out := became(web.OutcomeRefused, "%s", against.Told())
		for _, e := range against.Earlier {
			out.Earlier = append(out.Earlier, *pairDecided(e))
		}
		return out, nil
	case errors.As(err, &impossible):
		return became(web.OutcomeRefused, "%s", impossible.Told()), nil
	case err != nil:
		return web.PairOutcome{}, err
	}
	return web.PairOutcome{State: web.OutcomeDecided, Decision: d.Decision}, nil
}

// WithdrawProposal takes back what an account proposed.
func (a *App) WithdrawProposal(ctx context.Context, id string, by web.By) error {
	return a.onPair(ctx, id, by, func(tx *store.DecideTx, l looked) error {
		if !l.proposed || l.proposal.Who != by.Who {
			return web.Refuse("", "no answer of yours waits for a second account here")
		}
		if err := tx.EndProposal(ctx, l.proposal, "withdrawn", ""); err != nil {
			return err
		}
		return tx.Note(ctx, l.s.Founder, l.t.Founder, store.PairNote{Who: by.Who, What: "withdraw", Text: by.Why})
	})
}

// onPair does something about a pair of two golden records in one transaction.
func (a *App) onPair(ctx context.Context, id string, by web.By, do func(*store.DecideTx, looked) error) error {
	if by.Who == "" {
		return errors.New("work on a pair needs somebody who does it")
	}
	pair, err := parsePair(id)
	if err != nil {
		return err
	}
	err = a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		l, err := a.look(ctx, tx, pair.A, pair.B)
		if err != nil {
			return err
		}
		if l.s.Founder == l.t.Founder {
			return web.Refuse("", "the two are one customer now")
		}
		return do(tx, l)
	})
	if err != nil {
		return fmt.Errorf("pair %s: %w", id, err)
	}
	return nil
}

// became says what became of an answer.
func became(state, format string, args ...any) web.PairOutcome {
	said := say.New(format, args...)
	return web.PairOutcome{State: state, Text: said.String(), Said: said}
}

func decidedBy(d *store.Decision, format string, args ...any) web.PairOutcome {
	out := became(web.OutcomeAlready, format, args...)
	out.By = pairDecided(*d)
	return out
}
