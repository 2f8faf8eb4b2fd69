package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"touchstone/config"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/matching/eval"
)

// ModelPlan is what putting a match model, or other thresholds, in force would
// change.
type ModelPlan struct {
	Entity     string       `json:"entity"`
	Version    string       `json:"version"`
	From       string       `json:"from"` // the model in force
	Link       float64      `json:"link"`
	Review     float64      `json:"review"`
	FromLink   float64      `json:"from_link"`
	FromReview float64      `json:"from_review"`
	Merges     int          `json:"merges"`  // golden records that would become part of another
	Splits     int          `json:"splits"`  // golden records that would come out of another
	Moves      int          `json:"moves"`   // records that would go from one golden record to another
	Records    int          `json:"records"` // golden records that there are
	Golden     GoldenPlan   `json:"golden"`
	Sizes      []SizePlan   `json:"sizes"`
	Fields     []FieldPlan  `json:"fields"` // of golden records, the most changed first
	Writes     []WritesPlan `json:"writes"`
	Changes    []Regrouping `json:"changes"` // the first ones
	Pairs      []NearPair   `json:"pairs"`   // nearest to the link threshold, on both sides of it
	// LabelsFrom and Labels say how the two do on the pairs that people decided.
	LabelsFrom *eval.OnLabels `json:"labels_from,omitempty"`
	Labels     *eval.OnLabels `json:"labels,omitempty"`
}

// GoldenPlan counts golden records.
type GoldenPlan struct {
	New     int `json:"new"`
	Changed int `json:"changed"` // other values, or other members
	Gone    int `json:"gone"`
}

// Touched counts the golden records that are not what they were.
func (g GoldenPlan) Touched() int { return g.New + g.Changed + g.Gone }

// SizePlan counts the golden records of so many members, now and then.
type SizePlan struct {
	Size string `json:"size"` // 1, 2, 3–5, 6–10, 11+
	Now  int    `json:"now"`
	Then int    `json:"then"`
}

// FieldPlan counts the golden records whose value of a field would be another.
type FieldPlan struct {
	Field   string `json:"field"`
	Changed int    `json:"changed"`
}

// WritesPlan counts what one system would be sent that it would not be sent now.
type WritesPlan struct {
	Target  string      `json:"target"`
	System  string      `json:"system"`
	Creates int         `json:"creates"`
	Updates int         `json:"updates"`
	Fields  []FieldPlan `json:"fields,omitempty"` // that are written
}

// Regrouping is one record that would go to another golden record.
type Regrouping struct {
	What   string `json:"what"` // merge | split | move
	Record string `json:"record"`
	From   string `json:"from"` // founder of the golden record it is in
	To     string `json:"to"`   // founder of the one it would be in
}

// NearPair is a pair of source records near the threshold, with its weight in
// bits.
type NearPair struct {
	Pair   string  `json:"pair"` // id of the pair
	A      string  `json:"a"`
	B      string  `json:"b"`
	Weight float64 `json:"weight_bits"`
	Was    float64 `json:"was_bits,omitempty"` // what it weighs now
	Known  bool    `json:"known"`              // it is kept now: its weight reaches the review threshold
	Linked bool    `json:"linked"`             // by the change
}

// change is what would be in force.
type change struct {
	Version string  `json:"version"`
	Link    float64 `json:"link"`
	Review  float64 `json:"review"`
	// Train has a model fitted first, from the records and what people decided;
	// Version is "" until then.
	Train bool `json:"train,omitempty"`
}

// forecast is a plan as it is kept: records are numbers.
type forecast struct {
	Entity   string         `json:"entity"`
	From     change         `json:"from"`
	To       change         `json:"to"`
	Merges   int            `json:"merges"`
	Splits   int            `json:"splits"`
	Moves    int            `json:"moves"`
	Records  int            `json:"records"`
	Golden   GoldenPlan     `json:"golden"`
	Sizes    []SizePlan     `json:"sizes"`
	Fields   []FieldPlan    `json:"fields"`
	Writes   []WritesPlan   `json:"writes"`
	Ways     []way          `json:"ways"`
	Pairs    []nearPair     `json:"pairs"`
	LabelsOf *eval.OnLabels `json:"labels_of,omitempty"`
	Labels   *eval.OnLabels `json:"labels,omitempty"`
}

// way is where a record would go; golden records go by their founders.
type way struct {
	What string `json:"what"`
	Rec  int64  `json:"rec"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

type nearPair struct {
	A      int64  `json:"a"`
	B      int64  `json:"b"`
	Weight int32  `json:"weight"`
	Was    *int32 `json:"was,omitempty"`
	Linked bool   `json:"linked"`
}

// mostChanges is how many regroupings a plan shows, nearPairs how many pairs on
// each side of the threshold.
const (
	mostChanges = 50
	nearPairs   = 8
)

// PlanModel computes what another match model would make of the records, beside
// the store, and compares. Nothing in the store changes and nothing is sent.
// Records that still wait would count as changes: resolve first.
func (a *App) PlanModel(ctx context.Context, name string, progress Progress) (ModelPlan, error) {
	m, err := a.Model(ctx, name)
	if err != nil {
		return ModelPlan{}, err
	}
	t := a.thresholds(m.Entity)
	return a.planChange(ctx, m.Entity, change{Version: m.Version, Link: float64(t.Link), Review: float64(t.Review)}, progress)
}

// PlanThresholds is PlanModel of other thresholds, as probabilities, with the
// model in force.
func (a *App) PlanThresholds(ctx context.Context, entity string, link, review float64, progress Progress) (ModelPlan, error) {
	e, err := a.resolvable(entity)
	if err != nil {
		return ModelPlan{}, err
	}
	if err := orderly(link, review); err != nil {
		return ModelPlan{}, err
	}
	return a.planChange(ctx, entity, change{Version: e.model.Load().Version, Link: link, Review: review}, progress)
}

func (a *App) planChange(ctx context.Context, entity string, to change, progress Progress) (ModelPlan, error) {
	f, err := a.foretell(ctx, entity, to, false, progress)
	if err != nil {
		return ModelPlan{}, fmt.Errorf("plan match model: %w", err)
	}
	return a.shownPlan(ctx, f)
}

// resolvable finds an entity type that is configured and has a model.
func (a *App) resolvable(entity string) (*entity, error) {
	e := a.entityNamed(entity)
	if e == nil || e.resolver == nil {
		return nil, fmt.Errorf("entity type %q is not configured: %w", entity, record.ErrNotFound)
	}
	return e, nil
}

// orderly refuses thresholds that are none.
func orderly(link, review float64) error {
	switch {
	case !(link > 0 && link < 1) || !(review > 0 && review < 1): // NaN too
		return unclear("thresholds are probabilities between 0 and 1, such as 0.95")
	case review > link:
		return unclear("review (%g) is above link (%g); want at most that", review, link)
	}
	return nil
}

// foretell computes what a change would make of the records, in a store of its
// own; with rules they are derived anew by the configuration in force.
func (a *App) foretell(ctx context.Context, entity string, to change, rules bool, progress Progress) (f forecast, err error) {
	if progress == nil {
		progress = func(string, string, int) {}
	}
	e, err := a.resolvable(entity)
	if err != nil {
		return f, err
	}
	m, err := a.Model(ctx, entity+"/"+to.Version)
	if err != nil {
		return f, err
	}
	candidate, err := matching.DecodeModel(m.Model)
	if err != nil {
		return f, err
	}
	was := e.thresholds()
	f = forecast{Entity: entity, From: change{Version: e.model.Load().Version, Link: float64(was.Link), Review: float64(was.Review)}, To: to, Writes: []WritesPlan{}, Ways: []way{}, Pairs: []nearPair{}}
	scratch, done, err := a.scratch(ctx, planPrefix)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, done()) }()
	copied := a.Store.CopyForModel
	if rules {
		copied = a.Store.CopyForRules
	}
	if err := copied(ctx, scratch); err != nil {
		return f, err
	}
	generation, err := scratch.Generation(ctx, entity)
	if err != nil {
		return f, err
	}
	twin := a.twin(scratch)
	for _, other := range a.entities { // the others refer to these golden records
		if other.resolver != nil {
			twin.entityNamed(other.name).resolver.Differ = other.quiet()
		}
	}
	twin.use(twin.entityNamed(entity), candidate, generation, config.Match{Link: config.Percent(to.Link), Review: config.Percent(to.Review)})
	if err := twin.Resolve(ctx, progress); err != nil {
		return f, err
	}
	progress("compare", entity, 0)
	for _, step := range []func(context.Context, *store.DB, *forecast) error{a.planGroups, a.planGolden, a.planSizes, a.planWrites} {
		if err := step(ctx, scratch, &f); err != nil {
			return f, err
		}
	}
	if err := a.planPairs(ctx, scratch, &f, candidate.Threshold(to.Link)); err != nil {
		return f, err
	}
	return f, a.planLabels(ctx, e, candidate, &f)
}

// shownPlan names the records of a plan.
func (a *App) shownPlan(ctx context.Context, f forecast) (p ModelPlan, err error) {
	p = ModelPlan{
		Entity: f.Entity, Version: f.To.Version, From: f.From.Version, Link: f.To.Link, Review: f.To.Review, FromLink: f.From.Link, FromReview: f.From.Review,
		Merges: f.Merges, Splits: f.Splits, Moves: f.Moves, Records: f.Records, Golden: f.Golden, Sizes: f.Sizes, Fields: f.Fields, Writes: f.Writes,
		LabelsFrom: f.LabelsOf, Labels: f.Labels, Changes: []Regrouping{}, Pairs: []NearPair{},
	}
	var recs []int64
	for _, w := range f.Ways {
		recs = append(recs, w.Rec, w.From, w.To)
	}
	for _, x := range f.Pairs {
		recs = append(recs, x.A, x.B)
	}
	refs, err := a.Store.Refs(ctx, recs)
	if err != nil {
		return p, err
	}
	for _, w := range f.Ways {
		p.Changes = append(p.Changes, Regrouping{w.What, a.refName(refs[w.Rec]), a.refName(refs[w.From]), a.refName(refs[w.To])})
	}
	for _, x := range f.Pairs {
		n := NearPair{Pair: pairID(store.OpenPair{A: x.A, B: x.B}), A: a.refName(refs[x.A]), B: a.refName(refs[x.B]), Weight: bits(x.Weight), Linked: x.Linked}
		if x.Was != nil {
			n.Was, n.Known = bits(*x.Was), true
		}
		p.Pairs = append(p.Pairs, n)
	}
	return p, nil
}

// readPlan reads a plan as it is kept.
func readPlan(text string) (f forecast, err error) {
	if text == "" {
		return f, nil
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return f, fmt.Errorf("read a plan: %w", err)
	}
	return f, nil
}

// sweepPlans removes what plans that were killed have left: copies of facts.
func sweepPlans(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, planPrefix+"*"))
	for _, old := range left {
		err = errors.Join(err, os.RemoveAll(old))
	}
	if err != nil {
		return fmt.Errorf("remove the plan of a match model: %w", err)
	}
	return nil
}

const planPrefix = "model-plan-"
