// Package app wires the parts together and runs them. Only app knows everybody;
// tests and other programs can embed it instead of starting a process.
package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/connectors/all"
	"touchstone/internal/env"
	"touchstone/internal/golden"
	"touchstone/internal/outbox"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/seal"
	"touchstone/internal/store"
	"touchstone/internal/trace"
	"touchstone/matching"
	"touchstone/rules/schema"
)

// Options say where an installation lives.
type Options struct {
	Dir   string // data folder; made when missing
	Store string // DSN that overrides the configuration's; "" for none
	Env   env.Env
	Log   *slog.Logger
	// Shared opens the installation beside a daemon that may be running on it:
	// it takes no lock, and changes nothing by being opened.
	Shared bool
	// Batch, Cap, Names and Bulk override the resolver's batch size, the model's
	// posting-list cap and line of shared values, and what is done in bulk; 0 for
	// the defaults. Tests use small ones.
	Batch, Cap, Names, Bulk int
}

// App is one installation, opened.
type App struct {
	Config    *config.Config
	Store     *store.DB
	Log       *slog.Logger
	tracer    *trace.Tracer // nil: nothing is traced
	opts      Options
	vault     *seal.Vault
	lock      *os.File
	systems   map[string]*system // by source name
	order     []*system          // in the order of the file
	entities  []*entity
	targets   []*target
	uidToName map[string]string
	scopes    map[string]string // name → hash of what it says

	unmapped   *failures
	eventTally *tally
	life       *life
	stopping   *atomic.Bool  // work is to end at the next safe place
	retired    *atomic.Bool  // its connectors are closed
	looking    chan struct{} // look-ups at once
	landed     signal        // wakes the resolver
	sealsAtEnd bool          // what is written is chained when it closes
	// rebuilding makes what is derived from facts alone: no clock fact lands.
	rebuilding bool
}

// system is one outside system: the source and the targets that write to it.
type system struct {
	source  config.Source
	uid     string
	puller  connectors.Puller
	intakes []*pipeline.Intake
	events  []*pipeline.EventIntake
	told    int             // of the connector's notes
	noted   map[string]bool // notes on streams that were told
	// busy is held while a page is pulled and landed and while a write is sent
	// and read back: so no stale page lands over what was just written.
	busy sync.Mutex
	ask  asked
}

type entity struct {
	name     string
	asked    config.Match                   // the thresholds of the configuration
	brake    float64                        // share of golden records that may change unasked
	model    atomic.Pointer[matching.Model] // in force; people look at it while the resolver works
	match    atomic.Pointer[config.Match]   // the thresholds in force, likewise
	since    atomic.Int64                   // the generation they belong to
	resolver *pipeline.Resolver
	derivers map[string]*pipeline.Deriver // by source uid
	look     *pipeline.LookUp
	shape    matching.Shape // of an entity type of one's own
}

type target struct {
	config    config.Target
	system    *system
	plan      *pipeline.Target
	deliverer *outbox.Deliverer
	ask       signal // a person let it go on
}

// defaults of the resolver.
const (
	// Larger batches write the same pages of an index less often; other writers
	// wait for one batch at most.
	defaultBatch = 5000
)

// Open opens the store and compiles the configuration. The error is
// config.Problems when the configuration is wrong.
func Open(ctx context.Context, cfg *config.Config, opts Options) (a *App, err error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	a = &App{Config: cfg, Log: trace.Logged(opts.Log), opts: opts, systems: map[string]*system{}, unmapped: &failures{}, eventTally: &tally{}, life: newLife(opts.Env), stopping: new(atomic.Bool), retired: new(atomic.Bool), looking: make(chan struct{}, mostLooking), landed: newSignal()}
	a.opts.Env.HTTP = a.life.metrics.transport(opts.Env.HTTP)
	if opts.Shared {
		if _, err := os.Stat(filepath.Join(opts.Dir, seal.KeyFile)); err != nil {
			return nil, noData(opts.Dir)
		}
	} else if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if !opts.Shared {
		if a.lock, err = lockDir(opts.Dir, a.me()); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
			a = nil
		}
	}()
	if !opts.Shared {
		if err := sweepPlans(opts.Dir); err != nil {
			return a, err
		}
	}
	if a.vault, err = seal.Open(opts.Dir, opts.Env.Rand); err != nil {
		return a, err
	}
	if a.Store, err = store.Open(ctx, a.dsn(), a.vault, opts.Env); err != nil {
		return a, err
	}
	if err := a.noteFile(); err != nil {
		return a, err
	}
	if err := a.Store.Whole(ctx); err != nil {
		return a, err
	}
	if !opts.Shared {
		if err := a.takeStore(ctx); err != nil {
			return a, err
		}
	}
	if err := a.wire(ctx); err != nil {
		return a, err
	}
	if err := a.startTracing(); err != nil {
		return a, err
	}
	a.sealsAtEnd = true
	return a, nil
}

// Close gives everything back.
func (a *App) Close() error {
	err := a.retire()
	a.life.stopTracing()
	a.sealLast()
	if a.Store != nil {
		err = errors.Join(err, a.Store.Close())
	}
	for _, f := range a.life.locks {
		err = errors.Join(err, f.Close())
	}
	if a.lock != nil {
		err = errors.Join(err, a.lock.Close())
	}
	return err
}

func (a *App) dsn() string {
	switch {
	case a.opts.Store != "":
		return a.opts.Store
	case !a.Config.Store.Postgres.IsZero():
		return a.Config.Store.Postgres.Reveal()
	case filepath.IsAbs(a.Config.Store.Path):
		return a.Config.Store.Path
	default:
		return filepath.Join(a.opts.Dir, a.Config.Store.Path)
	}
}

// wire compiles the configuration and connects the parts.
func (a *App) wire(ctx context.Context) error {
	if !a.opts.Shared {
		a.Store.KeepFeatures(int(a.Config.Store.Memory))
		if err := a.Store.SetMaxSize(ctx, int64(a.Config.Store.MaxSize)); err != nil {
			return err
		}
	}
	var problems config.Problems
	rank := map[string]int{}
	for i, src := range a.Config.Sources {
		uid, err := a.sourceUID(ctx, src)
		if err != nil {
			return err
		}
		s := &system{source: src, uid: uid, ask: asked{wake: newSignal()}}
		rank[uid] = i
		s.puller, err = all.Open(src, all.Deps{Env: a.opts.Env, Log: a.Log, Dir: a.Config.Dir, Keeper: a.Store.Kept()})
		if err := gather(&problems, err); err != nil {
			return err
		}
		a.systems[src.Name] = s
		a.order = append(a.order, s)
	}
	for _, e := range a.Config.Entities {
		ent, err := a.entity(ctx, e, rank, &problems)
		if err != nil {
			return err
		}
		a.entities = append(a.entities, ent)
	}
	if err := a.wireIntakes(ctx, &problems); err != nil {
		return err
	}
	if err := a.wireEvents(ctx, &problems); err != nil {
		return err
	}
	if err := a.wireTargets(&problems); err != nil {
		return err
	}
	if err := a.wireAccess(ctx, &problems); err != nil {
		return err
	}
	if len(problems) > 0 {
		return problems
	}
	a.referredFirst()
	if err := a.rulesChanged(ctx); err != nil {
		return err
	}
	var err error
	a.uidToName, err = a.Store.Sources(ctx)
	return err
}

// sourceUID gives a source's uid, for good; beside a daemon it only looks.
func (a *App) sourceUID(ctx context.Context, src config.Source) (string, error) {
	if !a.opts.Shared {
		return a.Store.SourceUID(ctx, src.Name, src.Was)
	}
	names, err := a.Store.Sources(ctx)
	if err != nil {
		return "", err
	}
	byName := make(map[string]string, len(names))
	for uid, name := range names {
		byName[name] = uid
	}
	for _, name := range append(slices.Clone(src.Was), src.Name) {
		if uid, ok := byName[name]; ok {
			return uid, nil
		}
	}
	return src.Name, nil
}

// gather keeps the problems of a configuration and passes on other errors.
func gather(into *config.Problems, err error) error {
	var p config.Problems
	if errors.As(err, &p) {
		*into = append(*into, p...)
		return nil
	}
	return err
}

func (a *App) entity(ctx context.Context, e config.Entity, rank map[string]int, problems *config.Problems) (*entity, error) {
	m, generation, err := a.model(ctx, e.Name)
	if err != nil {
		*problems = append(*problems, e.At.Problem("%s", err))
		return &entity{name: e.Name, derivers: map[string]*pipeline.Deriver{}}, nil
	}
	policy := golden.Policy{Entity: e.Name, Strategies: map[string][]golden.Strategy{}, Rank: a.rank(e, rank), Same: pipeline.SamePoint}
	for _, s := range e.Survive {
		spec, ok := record.Spec(e.Name, s.Field)
		name := s.Field
		if ok {
			name = spec.Name
		}
		for _, x := range s.Strategies {
			policy.Strategies[name] = append(policy.Strategies[name], golden.Strategy(x))
		}
	}
	r := &pipeline.Resolver{
		Store: a.Store, Log: a.Log, Entity: e.Name, Policy: policy,
		Batch: defaultBatch, Differ: &pipeline.Differ{Rank: policy.Rank},
	}
	if a.opts.Batch > 0 {
		r.Batch = a.opts.Batch
	}
	r.Bulk, r.Worth = a.opts.Bulk, a.worth()
	ent := &entity{name: e.Name, asked: e.Match, brake: float64(e.Brake), resolver: r, derivers: map[string]*pipeline.Deriver{}, shape: a.shapeOf(e.Name), look: &pipeline.LookUp{Store: a.Store, Entity: e.Name, Shape: a.shapeOf(e.Name)}}
	match, err := a.matchOf(ctx, ent, generation)
	if err != nil {
		return nil, err
	}
	a.use(ent, m, generation, match)
	r.Ended = a.ended(ent)
	return ent, nil
}

// rank puts the named sources first, the others behind them in file order.
func (a *App) rank(e config.Entity, order map[string]int) map[string]int {
	out := map[string]int{}
	for _, name := range e.SourceRank {
		if s := a.systems[name]; s != nil {
			out[s.uid] = len(out)
		}
	}
	for _, s := range a.order {
		if _, ok := out[s.uid]; !ok {
			out[s.uid] = len(out)
		}
	}
	return out
}

func (a *App) wireIntakes(ctx context.Context, problems *config.Problems) error {
	for _, s := range a.order {
		for _, se := range s.source.Entities {
			ent := a.entityNamed(se.Entity)
			mapper, bad := pipeline.NewMapper(s.source, se, a.around())
			*problems = append(*problems, bad...)
			schemas, hash, err := a.schemas(se)
			if err != nil {
				*problems = append(*problems, se.At.Problem("%s", err))
				continue
			}
			if ent == nil || len(bad) > 0 {
				continue
			}
			d := &pipeline.Deriver{Entity: se.Entity, Mapper: mapper, Schemas: schemas, Shape: ent.shape}
			ent.derivers[s.uid] = d
			in := &pipeline.Intake{Store: a.Store, Log: a.Log, Source: s.uid, Name: s.source.Name, Stream: se.Entity, Deriver: d, Puller: s.puller, Busy: &s.busy, Stopping: a.stoppingOf(s)}
			if del := s.source.Deletes; del.Missing != config.MissingKeep {
				in.Deletes = &pipeline.Deletes{Grace: time.Duration(del.Grace), Brake: float64(del.Brake)}
			}
			if k, ok := s.puller.(connectors.Keyed); ok {
				in.KeyField = k.KeyField(se.Entity)
			}
			s.intakes = append(s.intakes, in)
			if len(*problems) > 0 || a.opts.Shared {
				continue
			}
			changed, err := a.Store.RulesChanged(ctx, s.uid, se.Entity, mapper.RulesHash(hash+matching.FeaturesVersion+ent.shape.String()))
			if err != nil {
				return err
			}
			if changed {
				a.Log.Info("the mapping or schema changed: records are derived again", "source", s.source.Name, "entity", se.Entity)
			}
		}
	}
	return nil
}

// schemas compiles the entity's schema and the source's own, and gives a hash
// of their text.
func (a *App) schemas(se config.SourceEntity) ([]*schema.Schema, string, error) {
	name := se.Entity
	for _, e := range a.Config.Entities {
		if e.Name == se.Entity && e.Schema != "" {
			name = e.Schema
		}
	}
	return a.compileSchemas(name, se.Schema)
}

// compileSchemas compiles a schema and, when it is named, a second one, built
// in or from files, and gives a hash of their text.
func (a *App) compileSchemas(name, second string) ([]*schema.Schema, string, error) {
	var list []*schema.Schema
	h := sha256.New()
	add := func(name string) error {
		if s, ok := schema.Builtin(name); ok {
			list = append(list, s)
			h.Write(schema.BuiltinSource(name))
			return nil
		}
		src, err := os.ReadFile(filepath.Join(a.Config.Dir, name))
		if err != nil {
			return fmt.Errorf("read schema: %w", err)
		}
		h.Write(src)
		s, err := schema.Compile(name, src)
		if err != nil {
			return err
		}
		list = append(list, s)
		return nil
	}
	if err := add(name); err != nil {
		return nil, "", err
	}
	if second != "" {
		if err := add(second); err != nil {
			return nil, "", err
		}
	}
	return list, hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func (a *App) wireTargets(problems *config.Problems) error {
	for _, t := range a.Config.Targets {
		s := a.systems[t.System]
		ent := a.entityNamed(t.Entity)
		if s == nil || ent == nil || ent.resolver == nil {
			continue // config has said so
		}
		create, bad := writing(t, s.source, s.puller)
		pusher, ok := s.puller.(connectors.Pusher)
		if len(bad) > 0 || !ok {
			*problems = append(*problems, bad...)
			continue
		}
		var landing *pipeline.Intake
		for _, in := range s.intakes {
			if in.Deriver.Entity == t.Entity {
				landing = in
			}
		}
		if landing == nil {
			*problems = append(*problems, unread(t))
			continue
		}
		plan, bad := pipeline.NewTarget(t, s.uid, a.around())
		*problems = append(*problems, bad...)
		plan.Create = create
		for _, name := range plan.Refers() {
			if e := a.entityNamed(name); e != nil && e.resolver != nil {
				e.resolver.Referred = true
			}
		}
		plan.Failed = func(id string, err error) { a.notMapped(t.Name, id, err) }
		ent.resolver.Differ.Targets = append(ent.resolver.Differ.Targets, plan)
		a.targets = append(a.targets, &target{config: t, system: s, plan: plan, ask: newSignal(), deliverer: &outbox.Deliverer{
			Store: a.Store, Env: a.opts.Env, Vault: a.vault, Log: a.Log, Target: t.Name, System: s.uid, Entity: t.Entity, Stream: t.Entity, Refers: plan.Refers(),
			Rules: plan.Rules, Auto: t.Approve == config.ApproveAuto, Brake: float64(t.Brake), Pusher: pusher, Landing: landing, Stopping: a.stopping.Load,
		}})
	}
	return nil
}

func (a *App) entityNamed(name string) *entity {
	for _, e := range a.entities {
		if e.name == name {
			return e
		}
	}
	return nil
}

// thresholds are the probabilities in force for an entity type; zero for one that
// is not configured.
func (a *App) thresholds(entity string) config.Match {
	if e := a.entityNamed(entity); e != nil {
		return e.thresholds()
	}
	return config.Match{}
}

// SourceName gives the name of a source by its uid.
func (a *App) SourceName(uid string) string {
	if n, ok := a.uidToName[uid]; ok {
		return n
	}
	return uid
}

// SourceUID gives the uid of a source by its name; an unknown name comes back
// as it is.
func (a *App) SourceUID(name string) string {
	if s := a.systems[name]; s != nil {
		return s.uid
	}
	return name
}
