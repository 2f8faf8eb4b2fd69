package app

import (
	"context"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
	"touchstone/matching/eval"
)

// mostTurnsShown is how many activations a page lists.
const mostTurnsShown = 20

// ModelPage lists the models of every entity type and what is in force.
func (a *App) ModelPage(ctx context.Context) (list []web.ModelEntity, err error) {
	for _, name := range a.EntityNames() {
		x, err := a.modelEntity(ctx, name)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

func (a *App) modelEntity(ctx context.Context, name string) (x web.ModelEntity, err error) {
	e, err := a.resolvable(name)
	if err != nil {
		return x, err
	}
	generation, err := a.Store.Generation(ctx, name)
	if err != nil {
		return x, err
	}
	match, err := a.matchOf(ctx, e, generation)
	if err != nil {
		return x, err
	}
	x = web.ModelEntity{
		Entity: name, Link: float64(match.Link), Review: float64(match.Review), OfLink: float64(e.asked.Link), OfReview: float64(e.asked.Review), Own: match.Link != e.asked.Link || match.Review != e.asked.Review,
	}
	if x.Switching, err = a.Store.Activating(ctx, name); err != nil {
		return x, err
	}
	if x.Switching {
		if x.Waiting, err = a.Store.WaitingOf(ctx, name); err != nil {
			return x, err
		}
	}
	stored, err := a.Store.Models(ctx, name)
	if err != nil {
		return x, err
	}
	for _, m := range stored {
		row, _, err := modelRow(m)
		if err != nil {
			return x, err
		}
		x.Models = append(x.Models, row)
	}
	turns, err := a.Store.Activations(ctx, name, mostTurnsShown)
	for _, t := range turns {
		x.History = append(x.History, web.ModelTurn{Generation: int(t.Generation), Version: t.Version, Link: t.Link, Review: t.Review, Who: t.Who, Why: t.Why, At: parse(t.At)})
	}
	return x, err
}

func modelRow(m store.Model) (row web.ModelRow, figures *matching.Figures, err error) {
	l, err := listed(m)
	if err != nil {
		return row, nil, err
	}
	row = web.ModelRow{Entity: m.Entity, Version: m.Version, Active: m.Active, At: parse(m.At), Who: m.Who}
	if f := l.Figures; f != nil {
		row.Fitted, row.Records, row.Pairs = true, f.Records, int(f.Pairs)
		if f.Labels != nil {
			row.Same, row.Different = f.Labels.Same, f.Labels.Different
		}
	}
	return row, l.Figures, nil
}

// OneModel reads one model beside another one: the one in force, unless another
// is named.
func (a *App) OneModel(ctx context.Context, entity, version, beside string) (out web.OneModel, err error) {
	stored, err := a.Store.Models(ctx, entity)
	if err != nil {
		return out, err
	}
	var own, other *matching.Model
	var figures *matching.Figures
	for _, m := range stored {
		if m.Version == version {
			if out.ModelRow, figures, err = modelRow(m); err != nil {
				return out, err
			}
			if own, err = matching.DecodeModel([]byte(m.Body)); err != nil {
				return out, err
			}
			continue
		}
		out.Others = append(out.Others, m.Version)
		if beside == m.Version || beside == "" && m.Active {
			out.Beside = m.Version
			if other, err = matching.DecodeModel([]byte(m.Body)); err != nil {
				return out, err
			}
		}
	}
	if own == nil || beside != "" && other == nil {
		return out, fmt.Errorf("match model %s/%s: %w", entity, version, record.ErrNotFound)
	}
	fillModel(&out, own, other)
	if figures != nil {
		fillFigures(&out, figures)
	}
	return out, nil
}

func fillModel(out *web.OneModel, own, other *matching.Model) {
	prior, fields := own.Weights()
	out.Prior = bits(prior)
	weights := map[[2]string]int32{}
	if other != nil {
		p, list := other.Weights()
		out.Prior2 = bits(p)
		for _, f := range list {
			for _, l := range f.Levels {
				weights[[2]string{f.Field, l.Level}] = l.Weight
			}
		}
	}
	for _, f := range fields {
		mf := web.ModelField{Field: f.Field}
		for _, l := range f.Levels {
			mf.Levels = append(mf.Levels, web.ModelLevel{Level: l.Level, Weight: bits(l.Weight), Other: bits(weights[[2]string{f.Field, l.Level}])})
		}
		out.Fields = append(out.Fields, mf)
	}
}

func fillFigures(out *web.OneModel, f *matching.Figures) {
	out.Figures = web.ModelFigures{From: f.From, Random: int(f.Random), Matches: f.Matches, Iterations: f.Iterations, Converged: f.Converged}
	if l := f.Labels; l != nil {
		out.Figures.Before, out.Figures.After, out.Figures.Note = l.Before, l.After, l.Note
		for _, r := range l.Thresholds {
			out.Figures.Reaches = append(out.Figures.Reaches, web.ModelReach{Wanted: r.Wanted, Weight: r.Threshold.Bits(), Found: r.Found})
		}
	}
	for _, ff := range f.Fields {
		for i := range out.Fields {
			if out.Fields[i].Field != ff.Field {
				continue
			}
			for _, lf := range ff.Levels {
				for k := range out.Fields[i].Levels {
					if l := &out.Fields[i].Levels[k]; l.Level == lf.Level {
						l.M, l.U, l.Kept = lf.M, lf.U, lf.Kept
					}
				}
			}
		}
	}
}

// Scores counts the pairs kept of an entity type by weight, and how many of them
// other thresholds would link or show to a person; 0 for the threshold in force.
func (a *App) Scores(ctx context.Context, entity string, link, review float64) (out web.Scores, err error) {
	if out.ModelEntity, err = a.modelEntity(ctx, entity); err != nil {
		return out, err
	}
	out.Try, out.TryReview = link, review
	if link == 0 {
		out.Try = out.Link
	}
	if review == 0 {
		out.TryReview = out.Review
	}
	if err := orderly(out.Try, out.TryReview); err != nil {
		return out, err
	}
	m := a.entityNamed(entity).model.Load()
	bins, err := a.Store.Scores(ctx, entity)
	if err != nil {
		return out, err
	}
	for _, b := range bins {
		out.Bins = append(out.Bins, web.ScoreBin{At: b.At, Pairs: b.Pairs})
	}
	counts, err := a.Store.PairsFrom(ctx, entity, m.Threshold(out.Review), m.Threshold(out.Link), m.Threshold(out.TryReview), m.Threshold(out.Try))
	if err != nil {
		return out, err
	}
	out.Shown, out.Linked = counts[0]-counts[1], counts[1]
	out.TryShown, out.TryLinked = counts[2]-counts[3], counts[3]
	out.Unknown = out.TryReview < out.Review
	return out, nil
}

// Trials lists what was tried, the newest first; of all entity types for "".
func (a *App) Trials(ctx context.Context, entity string, limit int) (list []web.TrialItem, err error) {
	stored, err := a.Store.Trials(ctx, entity, limit)
	if err != nil {
		return nil, err
	}
	for _, t := range stored {
		row, _, err := trialRow(t)
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, nil
}

func trialRow(t store.Trial) (row web.TrialItem, f forecast, err error) {
	to, err := askedOf(t)
	if err != nil {
		return row, f, err
	}
	if f, err = readPlan(t.Plan); err != nil {
		return row, f, err
	}
	row = web.TrialItem{
		ID: t.ID, Entity: t.Entity, Kind: t.Kind, State: t.State, Version: to.Version, Link: to.Link, Review: to.Review,
		From: f.From.Version, FromLink: f.From.Link, FromReview: f.From.Review, Stage: t.Stage, Done: t.Done, Whole: t.Whole, Who: t.Who, Why: t.Why,
		At: parse(t.At), Ended: parse(t.Ended), Judge: t.Judge, Judged: t.Judged, JudgedAt: parse(t.JudgedAt), Problem: t.Problem,
		Merges: f.Merges, Splits: f.Splits, Moves: f.Moves, New: f.Golden.New, Changed: f.Golden.Changed, Gone: f.Golden.Gone, Records: f.Records,
	}
	for _, w := range f.Writes {
		row.Creates, row.Updates = row.Creates+w.Creates, row.Updates+w.Updates
	}
	return row, f, nil
}

// TrialPage reads a trial with its plan.
func (a *App) TrialPage(ctx context.Context, id string) (p web.TrialPage, err error) {
	t, err := a.Store.Trial(ctx, id)
	if err != nil {
		return p, err
	}
	row, f, err := trialRow(t)
	if err != nil {
		return p, err
	}
	p.TrialItem = row
	if e := a.entityNamed(t.Entity); e != nil {
		p.Brake, p.Braked = e.brake, e.braked(f.Golden.Touched(), f.Records)
	}
	generation, err := a.Store.Generation(ctx, t.Entity)
	if err != nil {
		return p, err
	}
	p.Stale = t.State == store.TrialReady && generation != t.Basis
	if t.Kind == trialRules && t.State == store.TrialReady {
		now, _, err := a.Store.RulesTrial(ctx, t.Entity)
		if err != nil {
			return p, err
		}
		p.Stale = now != t.ID
	}
	p.CanUndo = t.State == store.TrialTaken && generation == t.Generation && t.Kind != trialRules
	if p.CanUndo || t.State == store.TrialUndone {
		if p.Switching, err = a.Store.Activating(ctx, t.Entity); err != nil {
			return p, err
		}
		if p.Waiting, err = a.Store.WaitingOf(ctx, t.Entity); err != nil {
			return p, err
		}
	}
	shown, err := a.shownPlan(ctx, f)
	if err != nil {
		return p, err
	}
	fillTrial(&p, shown)
	return p, nil
}

func fillTrial(p *web.TrialPage, m ModelPlan) {
	for _, s := range m.Sizes {
		p.Sizes = append(p.Sizes, web.TrialSize{Size: s.Size, Now: s.Now, Then: s.Then})
	}
	p.Fields = countsOf(m.Fields)
	for _, w := range m.Writes {
		p.Writes = append(p.Writes, web.TrialWrites{Target: w.Target, System: w.System, Creates: w.Creates, Updates: w.Updates, Fields: countsOf(w.Fields)})
	}
	for _, c := range m.Changes {
		p.Ways = append(p.Ways, web.TrialWay(c))
	}
	p.MoreWays = m.Merges + m.Splits + m.Moves - len(m.Changes)
	for _, x := range m.Pairs {
		p.Pairs = append(p.Pairs, web.TrialPair{Pair: x.Pair, A: x.A, B: x.B, Weight: x.Weight, Was: x.Was, Known: x.Known, Linked: x.Linked})
	}
	p.LabelsOf, p.Labels = labelsShown(m.LabelsFrom), labelsShown(m.Labels)
}

func countsOf(list []FieldPlan) (out []web.Count) {
	for _, f := range list {
		out = append(out, web.Count{Name: f.Field, N: f.Changed})
	}
	return out
}

func labelsShown(o *eval.OnLabels) (l web.TrialLabels) {
	if o == nil {
		return l
	}
	return web.TrialLabels{
		Same: o.Same, Different: o.Different, Linked: o.Linked, Loss: o.Loss,
		Precision: o.Precision.Value, PrecisionLow: o.Precision.Low, PrecisionHigh: o.Precision.High,
		Recall: o.Recall.Value, RecallLow: o.Recall.Low, RecallHigh: o.Recall.High,
	}
}

// liveTrials gives how far the trials at work are, and how many records wait
// where something else came into force.
func (a *App) liveTrials(ctx context.Context, c map[string]int) error {
	open, err := a.Store.TrialsIn(ctx, store.TrialRunning, store.TrialWaiting)
	if err != nil {
		return err
	}
	c["trials"] = len(open)
	for _, t := range open {
		c["trial."+t.ID] = t.Done
	}
	for _, name := range a.EntityNames() {
		on, err := a.Store.Activating(ctx, name)
		if err != nil {
			return err
		}
		if !on { // its absence says that every record is weighed
			continue
		}
		if c["switching."+name], err = a.Store.WaitingOf(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
