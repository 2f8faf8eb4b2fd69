package pipeline

import (
	"context"
	"slices"

	"touchstone/internal/store"
)

// scales are what a change of who customers are is weighed on: what they held
// before it.
type scales struct {
	founders, touched []int64
	decisions         []string
	moved             int
	before            store.Held
}

// weighUp counts what the golden records hold that lose or gain records in this
// transaction, and those that a decision touches; nil where there are none: a
// record that only arrives takes nothing from anybody. All are the records of
// the components.
func (l *link) weighUp(ctx context.Context, all []int64) (*scales, error) {
	if l.tx.Untouched {
		return nil, nil
	}
	s := &scales{}
	founders := map[int64]bool{}
	for _, p := range l.placed {
		if p.Was != 0 && p.Was != p.Golden {
			founders[p.Was], founders[p.Golden] = true, true
			s.moved++
		}
	}
	var err error
	if s.decisions, s.touched, err = l.tx.DueBalances(ctx, all); err != nil {
		return nil, err
	}
	for _, rec := range s.touched {
		if i, here := l.at[rec]; here && l.members[i].Golden != 0 {
			founders[l.members[i].Golden] = true
		}
	}
	if len(founders) == 0 {
		return nil, nil
	}
	for f := range founders {
		s.founders = append(s.founders, f)
	}
	slices.Sort(s.founders)
	var arriving []int64
	for _, p := range l.placed {
		if p.Was == 0 && founders[p.Golden] {
			arriving = append(arriving, p.Rec)
		}
	}
	if err := l.tx.LockFacts(ctx); err != nil { // what lands meanwhile is neither before nor after
		return nil, err
	}
	s.before, err = l.tx.Held(ctx, s.founders, arriving)
	return s, err
}

// balanced counts again what is held after the change, and keeps the balance
// with the decisions it came from. What does not balance is a
// *store.Imbalance, and the transaction ends with it.
func (l *link) balanced(ctx context.Context, s *scales) error {
	if s == nil {
		return nil
	}
	after, err := l.tx.Held(ctx, s.founders, nil)
	if err != nil {
		return err
	}
	sheet := store.Sheet{Entity: l.r.Entity, Decisions: s.decisions, Moved: s.moved, Sealer: s.founders[0], Lines: store.SheetOf(s.before, after)}
	if l.effect != nil {
		l.effect.Sheets = append(l.effect.Sheets, sheet)
	}
	if len(sheet.Wrong()) > 0 {
		return &store.Imbalance{Sheet: sheet}
	}
	return l.tx.SaveBalance(ctx, sheet, s.touched)
}
