package app

import (
	"context"
	"slices"
	"time"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Kinds of service levels, in the order they are shown.
const (
	levelDaemon = "daemon"
	levelSource = "source"
	levelTarget = "target"
)

const (
	levelEvery = time.Minute // how often what was looked at is kept
	levelKept  = 400 * 24 * time.Hour
	levelDays  = 30 // the days that a goal is held against
	// A longer time that nobody looked at is cut to so much: the days before it are
	// forgotten soon.
	levelMost = 31 * 24 * time.Hour
)

// levelLife is what the watcher knows of the levels it keeps.
type levelLife struct {
	first time.Time // when it first looked
	until time.Time // what was kept last
}

// keepLevels adds the time since it was last asked to the service levels.
func (a *App) keepLevels(ctx context.Context, r reading) error {
	l := &a.life.levels
	if l.first.IsZero() {
		until, err := a.Store.LevelsUntil(ctx)
		if err != nil {
			return err
		}
		l.first, l.until = r.at, until
	}
	if l.until.IsZero() {
		l.until = r.at
		return a.Store.AddLevels(context.WithoutCancel(ctx), nil, r.at, r.at, "")
	}
	if r.at.Sub(l.until) < levelEvery {
		return nil
	}
	marked := l.until
	from := marked
	if r.at.Sub(from) > levelMost {
		from = r.at.Add(-levelMost)
	}
	list := a.levelsBetween(r, from, l.first)
	if err := a.Store.AddLevels(context.WithoutCancel(ctx), list, marked, r.at, r.at.Add(-levelKept).UTC().Format(time.DateOnly)); err != nil {
		return err
	}
	l.until = r.at
	return nil
}

// levelsBetween says of each day from a moment until a reading how long each part
// was as it should be, as the reading shows it. The daemon worked since first.
func (a *App) levelsBetween(r reading, from, first time.Time) (list []store.LevelDay) {
	for from.Before(r.at) {
		day := from.UTC().Truncate(24 * time.Hour)
		to := day.Add(24 * time.Hour)
		if to.After(r.at) {
			to = r.at
		}
		add := func(kind, name string, good time.Duration) {
			list = append(list, store.LevelDay{Day: day.Format(time.DateOnly), Kind: kind, Name: name, Good: good, Whole: to.Sub(from)})
		}
		add(levelDaemon, "", sharedTime(from, to, first, to))
		for _, s := range a.order {
			if until, ok := a.freshUntil(s, r); ok {
				add(levelSource, s.uid, sharedTime(from, to, from, until))
			}
		}
		for _, t := range a.targets {
			name := t.config.Name
			if r.held[name] != "" {
				continue // it waits for a person
			}
			good := to.Sub(from)
			if since, waits := r.pending[name]; waits {
				good = sharedTime(from, to, from, since.Add(time.Duration(a.Config.Level.Delivered)))
			}
			add(levelTarget, name, good)
		}
		from = to
	}
	return list
}

// sharedTime is how long two spans share.
func sharedTime(from, to, start, end time.Time) time.Duration {
	if start.After(from) {
		from = start
	}
	if end.Before(to) {
		to = end
	}
	return max(0, to.Sub(from))
}

// freshUntil is the moment from which a source's data are no longer fresh; false
// for a source that was never tried.
func (a *App) freshUntil(s *system, r reading) (time.Time, bool) {
	good, first := r.success[s.source.Name], r.first[s.source.Name]
	if good.IsZero() {
		return first, !first.IsZero()
	}
	plan, err := s.source.Plan(s.uid)
	if err != nil {
		return time.Time{}, false
	}
	return plan.Next(good).Add(time.Duration(a.Config.Level.Fresh)), true
}

// Levels gives the service levels of the last 30 days: the daemon, then sources
// and targets in the order of the file.
func (a *App) Levels(ctx context.Context) (out web.Levels, err error) {
	now := a.opts.Env.Clock.Now().UTC()
	c := a.Config.Level
	out = web.Levels{Goal: float64(c.Goal), Fresh: time.Duration(c.Fresh), Delivered: time.Duration(c.Delivered)}
	for i := range levelDays {
		out.Days = append(out.Days, now.AddDate(0, 0, i+1-levelDays).Format(time.DateOnly))
	}
	list, err := a.Store.LevelsSince(ctx, out.Days[0])
	if err != nil {
		return out, err
	}
	kept := make(map[[2]string][]store.LevelDay, 1+len(a.order)+len(a.targets))
	for _, l := range list {
		key := [2]string{l.Kind, l.Name}
		kept[key] = append(kept[key], l)
	}
	line := func(kind, name, shown string) {
		l := web.LevelLine{Kind: kind, Name: shown, Days: make([]web.Level, levelDays)}
		for _, k := range kept[[2]string{kind, name}] {
			if i := slices.Index(out.Days, k.Day); i >= 0 {
				l.Days[i] = web.Level{Good: k.Good, Whole: k.Whole}
			}
		}
		for i, d := range l.Days {
			l.All.Add(d)
			if i >= levelDays-7 {
				l.Week.Add(d)
			}
		}
		l.Left = time.Duration((1-float64(c.Goal))*float64(levelDays*24*time.Hour)) - (l.All.Whole - l.All.Good)
		out.Lines = append(out.Lines, l)
	}
	line(levelDaemon, "", "")
	for _, s := range a.order {
		line(levelSource, s.uid, s.source.Name)
	}
	for _, t := range a.targets {
		line(levelTarget, t.config.Name, t.config.Name)
	}
	return out, nil
}
