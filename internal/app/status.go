package app

import (
	"context"
	"net/http"
	"time"

	"touchstone/internal/store"
)

// mostFailing is how many failing writes of a target status lists; the count is
// of all.
const mostFailing = 20

// Status is how an installation is doing, read from its store and, while a
// daemon runs on this machine, from the daemon.
type Status struct {
	At           time.Time      `json:"at"`
	Version      string         `json:"version"`
	Store        string         `json:"store"` // engine and version
	Daemon       *Running       `json:"daemon,omitempty"`
	Live         bool           `json:"live"`                // the daemon answered
	NotReady     []string       `json:"not_ready,omitempty"` // why the daemon does not do its work now
	Reload       *Reloaded      `json:"reload,omitempty"`    // what became of the last new configuration
	Holder       *store.Holder  `json:"holder,omitempty"`    // who holds the store, where that is not the daemon of this folder
	Sources      []SourceStatus `json:"sources"`
	Targets      []TargetStatus `json:"targets"`
	Unconfigured []Unconfigured `json:"unconfigured,omitempty"` // targets that have writes and no place in the configuration
	Queues       Queues         `json:"queues"`
	Golden       int            `json:"golden"`
	Records      int            `json:"records"`
	Free         int64          `json:"free_bytes"` // -1 when it is not known
	Alerts       []OpenAlert    `json:"alerts"`
	Unmapped     []string       `json:"unmapped,omitempty"`
}

// SourceStatus is one source.
type SourceStatus struct {
	Name        string    `json:"name"`
	Type        string    `json:"type"`
	State       string    `json:"state"` // new, running, ok, failing, interrupted
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastRun     time.Time `json:"last_run,omitzero"`
	Next        time.Time `json:"next,omitzero"`
	Pass        int       `json:"pass_records"` // of the last or running pass
	Records     int       `json:"records"`
	Backlog     int       `json:"backlog"` // records that wait to be derived or resolved
	Quarantined int       `json:"quarantined"`
	Failures    int       `json:"failures,omitempty"` // in a row
	Problem     string    `json:"problem,omitempty"`
}

// TargetStatus is one target.
type TargetStatus struct {
	Name         string             `json:"name"`
	System       string             `json:"system"`
	Entity       string             `json:"entity"`
	States       map[string]int     `json:"states"`
	Verified     int                `json:"verified"`
	LastDelivery time.Time          `json:"last_delivery,omitzero"`
	Next         time.Time          `json:"next,omitzero"` // when it is asked again, after a failure
	Held         string             `json:"held,omitempty"`
	Problem      string             `json:"problem,omitempty"`
	Failing      []store.FailingRow `json:"failing,omitempty"`
}

// Queues are what waits.
type Queues struct {
	Backlog    int `json:"backlog"`
	Review     int `json:"review"`
	Quarantine int `json:"quarantine"`
}

// OpenAlert is an incident that lasts.
type OpenAlert struct {
	Rule    string `json:"rule"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
	Began   string `json:"began"`
}

// NeedsPerson says that somebody should look.
func (s Status) NeedsPerson() bool {
	if len(s.Alerts) > 0 || len(s.Unconfigured) > 0 || len(s.Unmapped) > 0 {
		return true
	}
	for _, x := range s.Sources {
		if x.State == sourceFailing {
			return true
		}
	}
	for _, t := range s.Targets {
		if t.Held != "" || t.Problem != "" || len(t.Failing) > 0 {
			return true
		}
	}
	return false
}

// The states of a source.
const (
	sourceNew         = "new"
	sourceRunning     = "running"
	sourceOK          = "ok"
	sourceFailing     = "failing"
	sourceInterrupted = "interrupted"
)

// Status reads how the installation is doing. A daemon on this machine is asked
// for what only it knows.
func (a *App) Status(ctx context.Context) (Status, error) {
	return a.status(ctx, a.askDaemon)
}

func (a *App) status(ctx context.Context, ask func(context.Context, *Status) Live) (Status, error) {
	r := a.read(ctx)
	if r.err != nil {
		return Status{}, r.err
	}
	s := Status{
		At: r.at, Version: Version(), Golden: r.numbers.Golden, Records: r.numbers.Records, Free: r.free, Unconfigured: a.unconfiguredOf(r.numbers),
		Queues: Queues{r.numbers.Backlog, r.numbers.Review, r.numbers.Quarantined}, Sources: []SourceStatus{}, Targets: []TargetStatus{}, Alerts: []OpenAlert{},
	}
	var err error
	if s.Store, err = a.Store.Version(ctx); err != nil {
		return s, err
	}
	live := ask(ctx, &s)
	if s.Sources, err = a.sourceStatus(ctx, r, s.Daemon != nil, live); err != nil {
		return s, err
	}
	if s.Targets, err = a.targetStatus(ctx, r, live); err != nil {
		return s, err
	}
	open, err := a.Store.OpenAlerts(ctx)
	for _, x := range open {
		if x.Channel == channelLog && x.Ended == "" {
			s.Alerts = append(s.Alerts, OpenAlert{x.Rule, x.Subject, x.Text, x.Began})
		}
	}
	return s, err
}

// askDaemon fills in what the daemon of this folder says, or who else holds the
// store.
func (a *App) askDaemon(ctx context.Context, s *Status) (live Live) {
	if r, ok := FindRunning(a.opts.Dir); ok {
		if r.Control != "" && Ask(ctx, r, http.MethodGet, "/live", &live) == nil {
			s.take(live)
		}
		r.Token = ""
		s.Daemon = &r
		return live
	}
	if h, held, err := a.Store.LeaseHolder(ctx); err == nil && held && a.Store.Engine() == "postgres" {
		s.Holder = &h
	}
	return live
}

func (s *Status) take(live Live) {
	s.Live, s.NotReady, s.Reload, s.Unmapped = true, live.Ready, live.Reload, live.Unmapped
}

func (a *App) sourceStatus(ctx context.Context, r reading, running bool, live Live) ([]SourceStatus, error) {
	runs, err := a.Store.LastRuns(ctx)
	if err != nil {
		return nil, err
	}
	derive, resolve, err := a.Store.BacklogCounts(ctx)
	if err != nil {
		return nil, err
	}
	list := []SourceStatus{}
	for _, s := range a.order {
		name := s.source.Name
		x := SourceStatus{Name: name, Type: s.source.Type, State: sourceNew, LastSuccess: r.success[name]}
		for _, run := range runs {
			if run.Source == name {
				x.add(run, running)
			}
		}
		for _, n := range r.numbers.BySource {
			if n.Source == name {
				x.Records, x.Quarantined = x.Records+n.Records, x.Quarantined+n.Quarantined
			}
		}
		for _, in := range s.intakes {
			k := [2]string{s.uid, in.Deriver.Entity}
			x.Backlog += derive[k] + resolve[k]
		}
		if plan, err := s.source.Plan(s.uid); err == nil && !x.LastRun.IsZero() {
			x.Next = plan.Next(x.LastRun)
		}
		if p, ok := live.Sources[name]; ok {
			x.Next, x.Failures = p.Next, p.Failures
			if p.Problem != "" {
				x.Problem, x.State = p.Problem, sourceFailing
			}
			if p.Running {
				x.State = sourceRunning
			}
		}
		list = append(list, x)
	}
	return list, nil
}

// add puts one entity's last run to the source's.
func (x *SourceStatus) add(run store.Run, daemon bool) {
	if at := parse(run.Started); at.After(x.LastRun) {
		x.LastRun = at
	}
	x.Pass += run.Pulled
	switch {
	case run.State == "running" && daemon:
		x.State = sourceRunning
	case run.State == "failed" && x.State != sourceRunning:
		x.State, x.Problem = sourceFailing, run.Error
	case run.State == "running" || run.State == "interrupted":
		if x.State == sourceNew || x.State == sourceOK {
			x.State = sourceInterrupted
		}
	case x.State == sourceNew:
		x.State = sourceOK
	}
}

func (a *App) targetStatus(ctx context.Context, r reading, live Live) ([]TargetStatus, error) {
	list := []TargetStatus{}
	for _, t := range a.targets {
		name := t.config.Name
		x := TargetStatus{Name: name, System: t.config.System, Entity: t.config.Entity, States: map[string]int{}, Held: r.held[name]}
		for _, n := range r.numbers.ByTarget {
			if n.Target == name {
				x.States, x.Verified = n.States, n.Verified
			}
		}
		last, err := a.Store.LastDelivery(ctx, name)
		if err != nil {
			return nil, err
		}
		x.LastDelivery = parse(last)
		if x.Failing, err = a.Store.FailingRows(ctx, name, mostFailing); err != nil {
			return nil, err
		}
		if p, ok := live.Targets[name]; ok {
			x.Next, x.Problem = p.Next, p.Problem
		}
		list = append(list, x)
	}
	return list, nil
}
