package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/rules/profile"
)

// profiled is what was counted of a source and entity in one pass.
type profiled struct {
	Records     int             `json:"records"`
	Quarantined int             `json:"quarantined"`
	Doubles     int             `json:"doubles"` // records that share a golden record with an earlier one of the source
	Live        int             `json:"live"`    // records that are part of a golden record
	Fresh       int             `json:"fresh"`   // records of which something changed within a year
	Fields      []profile.Field `json:"fields"`
	Goals       []goalCount     `json:"goals"`
	Seen        []seenPath      `json:"seen"` // the source's own fields, in a sample
	Sample      int             `json:"sample"`

	source, entity string
	at             time.Time
}

// goalCount is how many records have all that a goal takes, and what share of its
// fields records have on average.
type goalCount struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
	All    int      `json:"all"`
	Filled int      `json:"filled"` // fields, over all records
}

// goal is what records are needed for: for each need, the fields of which one is
// enough.
type goal struct {
	name  string
	needs [][]string
}

// goals are those of the configuration, or the built-in ones.
func (a *App) goals(entity string) (list []goal) {
	for _, e := range a.Config.Entities {
		if e.Name != entity {
			continue
		}
		for _, g := range e.Goals {
			x := goal{name: g.Name}
			for _, f := range g.Fields {
				if spec, ok := record.Spec(entity, f); ok {
					f = spec.Name
				}
				x.needs = append(x.needs, []string{f})
			}
			list = append(list, x)
		}
	}
	if len(list) > 0 {
		return list
	}
	switch entity {
	case record.Company:
		return []goal{{"identify", [][]string{{"name", "legal_name"}, {"ids"}, {"country", "addresses"}}}, {"reach", [][]string{{"phones"}, {"emails"}, {"addresses"}}}}
	case record.Person:
		return []goal{{"identify", [][]string{{"full_name", "family_name"}, {"birth_date", "ids", "employer"}}}, {"reach", [][]string{{"phones"}, {"emails"}, {"addresses"}}}}
	}
	return nil
}

// profiledFields are the fields of an entity type that are counted: ours in the order
// people read them, with the parts of addresses that hold names of kinds.
func profiledFields(entity string) (names []string) {
	for _, s := range record.Specs(entity) {
		names = append(names, s.Name)
		if s.Name == "addresses" {
			names = append(names, "addresses.country", "addresses.region", "addresses.city")
		}
	}
	return names
}

// fieldTexts gives the texts of a field, or of a part of it, and the schemes of
// identifiers.
func fieldTexts(f record.Fields, name string) (values, schemes []string) {
	if field, part, ok := strings.Cut(name, "."); ok {
		return profile.Parts(f[field], part), nil
	}
	return profile.Texts(f[name])
}

// profiler counts the records of one source and entity.
type profiler struct {
	out      profiled
	names    []string
	ours     int // of the names
	counters map[string]*profile.Counter
	goals    []goal
	since    string // what changed from here on is fresh
}

func (a *App) newProfiler(entity string, now time.Time) *profiler {
	p := &profiler{names: profiledFields(entity), counters: map[string]*profile.Counter{}, goals: a.goals(entity), since: store.TimeText(now.Add(-profile.Year))}
	p.ours = len(p.names)
	for _, n := range p.names {
		p.counters[n] = profile.NewCounter(n, profile.CheckOf(n), profile.Coded(n))
	}
	for _, g := range p.goals {
		c := goalCount{Name: g.name}
		for _, need := range g.needs {
			c.Fields = append(c.Fields, strings.Join(need, "|"))
		}
		p.out.Goals = append(p.out.Goals, c)
	}
	return p
}

func (p *profiler) add(authored golden.Authored) {
	fields := authored.Fields()
	for name := range authored { // a field of the user's own
		if p.counters[name] == nil {
			c := profile.NewCounter(name, profile.Any, false)
			for range p.out.Records {
				c.Record(nil, nil, false)
			}
			p.counters[name], p.names = c, append(p.names, name)
		}
	}
	p.out.Records++
	fresh := false
	for _, name := range p.names {
		field, _, _ := strings.Cut(name, ".")
		new := authored[field].Since >= p.since && !authored[field].Value.Blank()
		fresh = fresh || new
		values, schemes := fieldTexts(fields, name)
		p.counters[name].Record(values, schemes, new)
	}
	if fresh {
		p.out.Fresh++
	}
	for i, g := range p.goals {
		have := 0
		for _, need := range g.needs {
			if slices.ContainsFunc(need, func(f string) bool { return !fields[f].Blank() }) {
				have++
			}
		}
		p.out.Goals[i].Filled += have
		if have == len(g.needs) {
			p.out.Goals[i].All++
		}
	}
}

// done gives what was counted. The user's own fields stand behind ours, by name.
func (p *profiler) done() profiled {
	sort.Strings(p.names[p.ours:])
	for _, n := range p.names {
		p.out.Fields = append(p.out.Fields, p.counters[n].Field())
	}
	return p.out
}

// profilePage is how many records are read at once while they are counted.
const profilePage = 1000

// Measure counts anew what has changed of every source, keeps the profiles, and
// the health of the data of today. It reads page by page and holds no more than
// one page and the counters. It says how many profiles it made.
func (a *App) Measure(ctx context.Context) (made int, err error) {
	kept, err := a.profiles(ctx)
	if err != nil {
		return 0, err
	}
	now := a.opts.Env.Clock.Now()
	var list []profiled
	for _, s := range a.order {
		for _, in := range s.intakes {
			entity := in.Deriver.Entity
			mark, err := a.Store.ProfileMark(ctx, s.uid, entity)
			if err != nil {
				return made, err
			}
			mark = fmt.Sprint(mark, "/", now.UTC().Format(time.DateOnly), "/", a.goals(entity)) // the day that its health counts for
			i := slices.IndexFunc(kept, func(p keptProfile) bool { return p.source == s.uid && p.entity == entity })
			if i >= 0 && kept[i].mark == mark {
				list = append(list, kept[i].profiled)
				continue
			}
			var before []seenPath
			if i >= 0 {
				before = kept[i].Seen
			}
			p, err := a.profile(ctx, s, entity, now, before)
			if err != nil {
				return made, fmt.Errorf("profile of %s %s: %w", s.source.Name, entity, err)
			}
			body, err := json.Marshal(p)
			if err != nil {
				return made, err
			}
			if err := a.Store.SaveProfile(ctx, store.Profile{Source: s.uid, Entity: entity, At: store.TimeText(now), Mark: mark, Body: string(body)}); err != nil {
				return made, err
			}
			p.source, p.entity, p.at = s.uid, entity, now
			list = append(list, p)
			made++
		}
	}
	if made == 0 {
		return 0, nil
	}
	return made, a.saveHealth(ctx, list, now)
}

// profile counts one source and entity.
func (a *App) profile(ctx context.Context, s *system, entity string, now time.Time, before []seenPath) (profiled, error) {
	p := a.newProfiler(entity, now)
	for after := int64(0); ; {
		page, err := a.Store.HoldingsPage(ctx, s.uid, entity, after, profilePage)
		if err != nil {
			return p.out, err
		}
		for _, h := range page {
			after = h.Rec
			authored, err := golden.ParseAuthored(h.Authored)
			if err != nil {
				return p.out, fmt.Errorf("record %d: %w", h.Rec, err)
			}
			p.add(authored)
		}
		if len(page) < profilePage {
			break
		}
	}
	out := p.done()
	var err error
	if out.Quarantined, err = a.Store.QuarantineOpen(ctx, s.uid, entity); err != nil {
		return out, err
	}
	if out.Live, out.Doubles, err = a.Store.Doubles(ctx, s.uid, entity); err != nil {
		return out, err
	}
	out.Seen, out.Sample, err = a.seenFields(ctx, s, entity, before, store.TimeText(now))
	return out, err
}

// keptProfile is a profile as it stands in the store.
type keptProfile struct {
	profiled
	mark string
}

// profiles reads the profiles there are of configured sources.
func (a *App) profiles(ctx context.Context) (list []keptProfile, err error) {
	rows, err := a.Store.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		p := keptProfile{mark: r.Mark}
		if err := json.Unmarshal([]byte(r.Body), &p.profiled); err != nil {
			return nil, fmt.Errorf("profile of %s: %w", r.Source, err)
		}
		p.source, p.entity, p.at = r.Source, r.Entity, parse(r.At)
		if a.configured(r.Source, r.Entity) {
			list = append(list, p)
		}
	}
	return list, nil
}

func (a *App) configured(uid, entity string) bool {
	for _, s := range a.order {
		for _, in := range s.intakes {
			if s.uid == uid && in.Deriver.Entity == entity {
				return true
			}
		}
	}
	return false
}

// measureEvery is how often the daemon looks whether figures have moved; where a
// look or a count takes long, it looks less often.
const measureEvery = 20 * time.Second

// measure keeps profiles and the health of the data up to date.
func (d *Daemon) measure(ctx context.Context) error {
	clock, failing := d.App().opts.Env.Clock, false
	for {
		a := d.App()
		started := clock.Now()
		made, err := a.Measure(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case err != nil && !failing:
			a.Log.Error("the data could not be measured; its figures stand still", "err", err)
		case err == nil && made > 0:
			a.Log.Debug("data measured", "profiles", made)
		}
		failing = err != nil
		if err := clock.Sleep(ctx, min(max(measureEvery, 50*clock.Now().Sub(started)), time.Hour)); err != nil {
			return nil
		}
	}
}
