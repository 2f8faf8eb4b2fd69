package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"touchstone/config"
	"touchstone/internal/audit"
	"touchstone/internal/store"
)

// Daemon runs an installation and takes new configurations while it runs.
type Daemon struct {
	load    func() (*config.Config, error)
	current atomic.Pointer[App]
	reloads chan reloading
	last    atomic.Pointer[Reloaded]
	ready   atomic.Bool
	// Changed is told after another configuration was taken; nil for nobody.
	Changed func(*App)
	// Page is the address of the pages, told to commands beside the daemon.
	Page string
}

type reloading struct{ answer chan Reloaded }

// Reloaded says what became of a new configuration.
type Reloaded struct {
	At       time.Time       `json:"at"`
	Taken    bool            `json:"taken"`
	Changes  []string        `json:"changes,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Problems config.Problems `json:"problems,omitempty"` // why it was refused, with places in the file
	Error    string          `json:"error,omitempty"`    // why it was refused, where no place is at fault
}

// NewDaemon makes a daemon of an opened installation. Load reads the whole
// configuration anew and checks it; its error is config.Problems where the file
// is wrong.
func NewDaemon(a *App, load func() (*config.Config, error)) *Daemon {
	d := &Daemon{load: load, reloads: make(chan reloading)}
	d.current.Store(a)
	return d
}

// App is the installation under the configuration in force.
func (d *Daemon) App() *App { return d.current.Load() }

// Run works until ctx ends, or another process has taken the store.
func (d *Daemon) Run(ctx context.Context) error {
	first := d.App()
	first.life.metrics.watch(first.Store)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return first.Store.KeepLease(ctx) })
	g.Go(func() error { return d.watch(ctx) })
	g.Go(func() error { return d.measure(ctx) })
	g.Go(func() error { return d.control(ctx) })
	g.Go(func() error { return d.seal(ctx) })
	g.Go(func() error { return d.verify(ctx) })
	g.Go(func() error { d.remember(ctx); return nil })
	g.Go(func() error { return d.generations(ctx) })
	err := g.Wait()
	if last := d.App(); last != first {
		err = errors.Join(err, last.retire())
	}
	return err
}

// remember reads what records are found and compared by into memory, so that the
// first look-ups and batches are as quick as later ones.
func (d *Daemon) remember(ctx context.Context) {
	a := d.App()
	lists, err := a.Store.WarmPostings(ctx)
	n := 0
	if err == nil {
		n, err = a.Store.WarmFeatures(ctx)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.Log.Warn("what records are compared by is not in memory yet", "err", err)
	default:
		a.Log.Debug("what records are compared by is in memory", "records", n, "postings", lists)
	}
}

// generations runs one configuration after the other.
func (d *Daemon) generations(ctx context.Context) error {
	d.tellUnconfigured(ctx, d.App())
	for {
		a := d.App()
		run, stop := context.WithCancelCause(ctx)
		done := make(chan error, 1)
		go func() { done <- a.Run(run) }()
		d.ready.Store(true)
		next, err := d.serve(ctx, a, func() error { stop(nil); return <-done }, done)
		stop(nil)
		if err != nil || next == nil {
			return unlessAsked(ctx, err)
		}
		d.current.Store(next)
		if err := a.retire(); err != nil {
			a.Log.Warn("closing the connections of the old configuration", "err", err)
		}
		if d.Changed != nil {
			d.Changed(next)
		}
	}
}

// serve answers reloads while a configuration runs, and gives the one that
// takes its place; nil when the daemon is to end.
func (d *Daemon) serve(ctx context.Context, a *App, halt func() error, done <-chan error) (*App, error) {
	for {
		select {
		case err := <-done:
			if err == nil && ctx.Err() == nil {
				err = errors.New("the daemon's parts ended by themselves")
			}
			return nil, err
		case r := <-d.reloads:
			cfg, result := d.examine(ctx, a)
			if !result.Taken {
				d.finish(a, r, result)
				continue
			}
			if err := halt(); err != nil { // the old one ends its pages and writes first
				return nil, err
			}
			if ctx.Err() != nil {
				return nil, nil
			}
			next, err := a.next(ctx, cfg, false)
			if err != nil {
				result.Taken, result.Error = false, err.Error()
				d.finish(a, r, result)
				// What was written of the new rules is taken back by wiring the old ones again.
				next, err = a.next(ctx, a.Config, false)
				return next, err
			}
			d.tellUnconfigured(ctx, next)
			if err := next.Store.Note(ctx, audit.Entry{Who: "touchstone", What: "config.taken", Subjects: []string{"configuration"}}); err != nil {
				next.Log.Warn("the audit trail does not tell of the new configuration", "err", err)
			}
			d.finish(a, r, result)
			return next, nil
		}
	}
}

func (d *Daemon) finish(a *App, r reloading, result Reloaded) {
	d.last.Store(&result)
	a.life.metrics.reload(result.Taken)
	if result.Taken {
		a.Log.Info("the new configuration is in force", "changes", strings.Join(result.Changes, "; "))
	} else {
		a.Log.Error("the new configuration is refused; the old one goes on", "problems", len(result.Problems), "err", errors.Join(problemsOrNil(result.Problems), textOrNil(result.Error)))
	}
	for _, w := range result.Warnings {
		a.Log.Warn(w)
	}
	r.answer <- result
}

func problemsOrNil(p config.Problems) error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func textOrNil(s string) error {
	if s == "" {
		return nil
	}
	return errors.New(s)
}

// examine reads and checks the whole file without changing anything.
func (d *Daemon) examine(ctx context.Context, a *App) (*config.Config, Reloaded) {
	r := Reloaded{At: a.opts.Env.Clock.Now()}
	refuse := func(err error) (*config.Config, Reloaded) {
		if !errors.As(err, &r.Problems) {
			r.Error = err.Error()
		}
		return nil, r
	}
	cfg, err := d.load()
	if err != nil {
		return refuse(err)
	}
	if bad := Check(cfg); len(bad) > 0 {
		return refuse(bad)
	}
	if err := a.sameStore(cfg); err != nil {
		return refuse(err)
	}
	if _, err := a.next(ctx, cfg, true); err != nil {
		return refuse(err)
	}
	r.Taken, r.Changes = true, changes(a.Config, cfg)
	for _, w := range cfg.Warnings {
		r.Warnings = append(r.Warnings, fmt.Sprintf("line %d: %s: %s", w.Line, w.Path, w.Text))
	}
	r.Warnings = append(r.Warnings, renamed(a.Config, cfg)...)
	return cfg, r
}

// changes lists what is new, gone or still there, by name.
func changes(old, cfg *config.Config) (list []string) {
	compare := func(kind string, before, after []string) {
		for _, n := range after {
			if !slices.Contains(before, n) {
				list = append(list, kind+" "+n+" is new")
			}
		}
		for _, n := range before {
			if !slices.Contains(after, n) {
				list = append(list, kind+" "+n+" is no longer configured")
			}
		}
	}
	compare("source", sourceNames(old), sourceNames(cfg))
	compare("target", targetNames(old), targetNames(cfg))
	return list
}

func sourceNames(cfg *config.Config) (names []string) {
	for _, s := range cfg.Sources {
		names = append(names, s.Name)
	}
	return names
}

func targetNames(cfg *config.Config) (names []string) {
	for _, t := range cfg.Targets {
		names = append(names, t.Name)
	}
	return names
}

// renamed warns of a source that seems to have another name now: one is new,
// one is gone, and the new one does not say what it was.
func renamed(old, cfg *config.Config) (warnings []string) {
	for _, s := range cfg.Sources {
		if slices.Contains(sourceNames(old), s.Name) || slices.ContainsFunc(s.Was, func(w string) bool { return slices.Contains(sourceNames(old), w) }) {
			continue
		}
		for _, o := range old.Sources {
			if slices.Contains(sourceNames(cfg), o.Name) || slices.ContainsFunc(cfg.Sources, func(x config.Source) bool { return slices.Contains(x.Was, o.Name) }) || o.Type != s.Type {
				continue
			}
			warnings = append(warnings, fmt.Sprintf("source %s is new and source %s is no longer configured: its records give no values any more; did you mean was: [%s] at %s?", s.Name, o.Name, o.Name, s.Name))
		}
	}
	return warnings
}

// tellUnconfigured says once, at the start and after a reload, what the store
// holds for targets that the configuration no longer names.
func (d *Daemon) tellUnconfigured(ctx context.Context, a *App) {
	list, err := a.unconfigured(ctx)
	if err != nil {
		a.Log.Warn("targets that are no longer configured could not be counted", "err", err)
	}
	for _, t := range list {
		a.Log.Warn("writes wait for a target that is no longer configured; they are kept, and sent when it comes back", "target", t.Target, "rows", t.Waiting)
	}
}

// Unconfigured is a target that has writes in the store and no place in the
// configuration.
type Unconfigured struct {
	Target  string `json:"target"`
	Waiting int    `json:"waiting"`
}

func (a *App) unconfigured(ctx context.Context) (list []Unconfigured, err error) {
	n, err := a.Store.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	return a.unconfiguredOf(n), nil
}

func (a *App) unconfiguredOf(n store.Numbers) (list []Unconfigured) {
	names := targetNames(a.Config)
	for _, t := range n.ByTarget {
		waiting := t.States[store.Pending] + t.States[store.Inflight] + t.States[store.Unknown]
		if waiting > 0 && !slices.Contains(names, t.Target) {
			list = append(list, Unconfigured{t.Target, waiting})
		}
	}
	return list
}

// Reload reads the configuration anew: the whole of it is taken, or none.
func (d *Daemon) Reload(ctx context.Context) (Reloaded, error) {
	r := reloading{answer: make(chan Reloaded, 1)}
	select {
	case d.reloads <- r:
	case <-ctx.Done():
		return Reloaded{}, ctx.Err()
	}
	select {
	case result := <-r.answer:
		return result, nil
	case <-ctx.Done():
		return Reloaded{}, ctx.Err()
	}
}

// LastReload is what became of the last one; nil when there was none.
func (d *Daemon) LastReload() *Reloaded { return d.last.Load() }

// Ready lists why the daemon does not do its work now; empty when it does.
func (d *Daemon) Ready(ctx context.Context) (reasons []string) {
	a := d.App()
	if !d.ready.Load() {
		reasons = append(reasons, "the daemon is starting")
	}
	if a.stopping.Load() {
		reasons = append(reasons, "the daemon is stopping")
	}
	if err := a.Healthy(ctx); err != nil {
		reasons = append(reasons, "the store does not answer")
	}
	if sources, _ := a.life.parts(a.Config); len(sources) > 0 {
		failing := 0
		for _, p := range sources {
			if p.Failures > 0 {
				failing++
			}
		}
		if failing == len(a.Config.Sources) {
			reasons = append(reasons, "no source can be pulled")
		}
	}
	if a.life.lacksRoom() {
		reasons = append(reasons, "the disk or the store is full")
	}
	if a.life.stuck.Load() {
		reasons = append(reasons, "records cannot be resolved")
	}
	return reasons
}
