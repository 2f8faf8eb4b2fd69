package app

import (
	"context"
	"slices"
	"time"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

const (
	// usualSeconds is how long a decision takes of whom nothing is measured.
	usualSeconds = 6
	// leastGaps are the fewest pauses between decisions that are measured, and
	// recentDecisions how many are looked at.
	leastGaps       = 10
	recentDecisions = 200
	// longGap is no decision but a break.
	longGap = 2 * time.Minute
	// mostOfDay bounds the pairs of a day.
	mostOfDay = 5000
)

// pace is how long a decision of an account takes: the median pause between its
// recent ones, breaks left out, in 1/1000 s. With too few it is the usual time,
// and measured is 0.
func (a *App) pace(ctx context.Context, who string) (millis, measured int, err error) {
	times, err := a.Store.DecisionTimes(ctx, who, recentDecisions)
	if err != nil {
		return 0, 0, err
	}
	var gaps []time.Duration
	for i := 1; i < len(times); i++ {
		if gap := parse(times[i-1]).Sub(parse(times[i])); gap > 0 && gap <= longGap {
			gaps = append(gaps, gap)
		}
	}
	if len(gaps) < leastGaps {
		return usualSeconds * 1000, 0, nil
	}
	slices.Sort(gaps)
	return max(int(gaps[len(gaps)/2]/time.Millisecond), 200), len(gaps), nil
}

// daySet is what was chosen for an account today.
type daySet struct {
	store.ReviewDay
	pairs []store.DayPair
	fit   int // pairs of it that fit into the time asked for
}

// today is an account's set of today, chosen at its first question; minutes 0
// is the configured time.
func (a *App) today(ctx context.Context, who, entity string, minutes int) (s daySet, err error) {
	if who == "" {
		return s, errNobody
	}
	d := store.ReviewDay{Who: who, Entity: entity, Day: a.opts.Env.Clock.Now().UTC().Format(time.DateOnly), Minutes: a.Config.Review.Minutes}
	if minutes > 0 {
		d.Minutes = minutes
	}
	if d.Seconds, d.Measured, err = a.pace(ctx, who); err != nil {
		return s, err
	}
	asked := d.Minutes
	// The pace that the set was chosen by holds all day, whatever is measured since.
	if known, err := a.Store.ReviewDayOf(ctx, d); err == nil && known.Seconds > 0 {
		d.Seconds = known.Seconds
	} else if err != nil {
		return s, err
	}
	want := min(asked*60_000/max(d.Seconds, 1), mostOfDay)
	if s.ReviewDay, s.pairs, err = a.Store.ChooseDay(ctx, d, a.queueEntities(entity), want); err != nil {
		return s, err
	}
	s.fit = min(want, len(s.pairs))
	s.Minutes = asked
	return s, nil
}

// todayItems shows a set; what was decided meanwhile says so.
func (a *App) todayItems(ctx context.Context, s daySet) ([]web.QueueItem, error) {
	pairs := s.pairs[:min(s.fit, mostPairsListed)]
	var done []int64
	for _, p := range pairs {
		if !p.Open {
			done = append(done, p.A, p.B)
		}
	}
	members, err := a.Store.MembersByRec(ctx, done)
	if err != nil {
		return nil, err
	}
	list := make([]store.QueuedPair, len(pairs))
	for i, p := range pairs {
		if list[i] = p.Queued; !p.Open {
			x, y := members[p.A], members[p.B]
			list[i] = store.QueuedPair{A: p.A, B: p.B, X: x.Golden, Y: y.Golden, Entity: x.Ref.Entity}
		}
	}
	items, err := a.items(ctx, list)
	for i := range items {
		items[i].Done = !s.pairs[i].Open
	}
	return items, err
}

// ReviewStats counts what waits, and says what a number of minutes remove of
// the expected damage; minutes 0 is the configured time.
func (a *App) ReviewStats(ctx context.Context, me, entity string, minutes int) (out web.ReviewStats, err error) {
	out.Currency = a.Config.Review.Currency
	if minutes < 0 || minutes > 24*60 {
		return out, web.Refuse("minutes", "want 1 to 1440 minutes")
	}
	if entity != "" && len(a.queueEntities(entity)) == 0 {
		return out, web.Refuse("entity", "there is no such entity type")
	}
	see, err := a.sight(ctx)
	if err != nil {
		return out, err
	}
	if see.reach != nil { // the rest is counted of all pairs
		out.Open, out.AtLeast, err = a.Store.QueueLength(ctx, see.reach)
		return out, err
	}
	counts, err := a.Store.QueueCounts(ctx)
	if err != nil {
		return out, err
	}
	total := int64(0)
	add := func(list *[]web.Count, name string, n int) {
		for i := range *list {
			if (*list)[i].Name == name {
				(*list)[i].N += n
				return
			}
		}
		*list = append(*list, web.Count{Name: name, N: n})
	}
	for _, c := range counts {
		add(&out.ByEntity, c.Entity, c.Pairs)
		if entity == "" || c.Entity == entity {
			out.Open, total = out.Open+c.Pairs, total+c.Damage
			add(&out.ByKind, c.Kind, c.Pairs)
		}
	}
	out.Damage = units(total)
	totals, err := a.Store.QueueTotals(ctx, me)
	if err != nil {
		return out, err
	}
	out.Mine, out.Overdue, out.Second, out.Skipped = totals.Mine, totals.Overdue, totals.Second, totals.Skipped
	if me == "" {
		return out, nil
	}
	s, err := a.today(ctx, me, entity, minutes)
	if err != nil {
		return out, err
	}
	out.Seconds, out.Measured, out.Minutes, out.Decisions = float64(s.Seconds)/1000, s.Measured, s.Minutes, s.fit
	for _, p := range s.pairs[:s.fit] {
		if !p.Open {
			out.Decided++
		}
	}
	if s.Total > 0 {
		out.Removes = float64(s.fitDamage()) / float64(s.Total)
		for _, c := range s.Curve {
			out.Curve = append(out.Curve, web.CurvePoint{Decisions: c.Decisions, Share: float64(c.Damage) / float64(s.Total)})
		}
	}
	return out, nil
}

// fitDamage is what the pairs that fit were expected to take off when they were
// chosen.
func (s daySet) fitDamage() (sum int64) {
	for _, p := range s.pairs[:s.fit] {
		sum += p.Damage
	}
	return min(sum, s.Total)
}
