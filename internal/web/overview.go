package web

import (
	"context"
	"math"
	"net/http"
	"time"

	"touchstone/internal/auth"
)

// Overview is what the first page shows. It carries customers' data only in
// Golden, and of that only what the reader may see is rendered.
type Overview struct {
	Sources []SourceRow // in the order of the configuration
	Targets []TargetRow // in the order of the configuration
	Queues  []Queue     // what waits for a person or for a system
	Members int         // source records that are part of a golden record
	Golden  int         // live golden records; merged is Members − Golden
	Last    []Golden    // the golden records that changed last, newest first
	Alerts  []AlertRow
	Setup   []SetupStep // what is left to do at first; nil when all is done
	At      time.Time   // when it was counted; zero for now
}

// State says how a source or target is.
type State string

// The states.
const (
	StateNew     State = "new"     // not run yet
	StateRunning State = "running" // at work now
	StateOK      State = "ok"
	StateQuiet   State = "quiet"   // gave nothing for longer than usual
	StateWaiting State = "waiting" // waits for a person: a plan to approve, a brake to release
	StateFailing State = "failing" // tries again by itself
	StateStopped State = "stopped" // needs a person
)

// SourceRow is one source. Its counts are those since it was first pulled:
// Pulled = Stored + Unchanged + Echo + Quarantined + Filtered, and the page says
// so when they do not add up.
type SourceRow struct {
	Name    string
	Type    string // rest, file …
	State   State
	Problem string // why it is failing or stopped: a sentence without customers' data
	LastRun time.Time

	Pulled, Stored, Unchanged, Echo, Quarantined, Filtered int

	Week []int // records stored a day, oldest first; at least two for a sparkline
}

// Missing is how many pulled records the other counts do not explain; 0 when
// everything is accounted for.
func (r SourceRow) Missing() int {
	return r.Pulled - r.Stored - r.Unchanged - r.Echo - r.Quarantined - r.Filtered
}

// TargetRow is one target: Planned = Delivered + Open + Replaced + Failed.
type TargetRow struct {
	Name    string
	System  string
	Entity  string
	State   State
	Problem string
	LastRun time.Time

	Planned   int // outbox rows made
	Delivered int
	Verified  int // of those: read back and found equal
	Open      int // pending, inflight or unknown
	Replaced  int // superseded: a newer row took its place
	Failed    int // rejected, conflict, dead
}

// Missing is how many planned rows the other counts do not explain.
func (r TargetRow) Missing() int { return r.Planned - r.Delivered - r.Open - r.Replaced - r.Failed }

// Queue is a list of work that waits.
type Queue struct {
	Kind   string // review, quarantine, plan, unknown, conflict, dead
	Count  int
	Oldest time.Time // when the oldest entry came; zero if the queue is empty
	Href   string    // where it is worked off; "" shows the number without a link
}

// The kinds of queues that the page has words for.
const (
	QueueReview     = "review"
	QueueQuarantine = "quarantine"
	QueuePlan       = "plan"
	QueueUnknown    = "unknown"
	QueueConflict   = "conflict"
	QueueDead       = "dead"
)

// Golden is one golden record as the list shows it.
type Golden struct {
	ID      string
	Entity  string
	Name    string // shown only to who may see customers
	Members int    // source records behind it
	Sources []string
	Changed time.Time
	Fields  []Field // shown only to who may see customers
}

// Field is one value with where it came from.
type Field struct {
	Name   string
	Value  string
	Source string // "crm c1001"
}

// overviewBound ends a reading that takes too long: better an honest error than
// a page that hangs.
const overviewBound = 5 * time.Second

// overviewPage is what the template sees.
type overviewPage struct {
	page
	Overview
	Headline   []string // the sentence that matters, in parts
	Calm       bool     // nothing needs a person
	Total      SourceRow
	Missing    int
	ShowValues bool
	Flow       []flowStep
	Health     Health
	Score      Score
	Trend      []int
	Today      []duty
}

// duty is something that a person should do today.
type duty struct {
	Kind string
	N    int
	Href string
}

// today lists what needs a person, what is the reader's own work first.
func today(o Overview, role auth.Role) (list []duty) {
	add := func(kind string, n int, href string) {
		if n > 0 {
			list = append(list, duty{kind, n, href})
		}
	}
	waiting, alerts, bad, plans := map[string]int{}, 0, 0, 0
	for _, q := range o.Queues {
		waiting[q.Kind] += q.Count
	}
	for _, a := range o.Alerts {
		if a.Who == "" {
			alerts++
		}
	}
	for _, r := range o.Sources {
		if r.State.attention() {
			bad++
		}
	}
	for _, r := range o.Targets {
		if r.State == StateWaiting {
			plans++
		} else if r.State.attention() {
			bad++
		}
	}
	people := func() {
		add("review", waiting[QueueReview], "/review")
		add("quarantine", waiting[QueueQuarantine], "/quarantine")
		add("conflict", waiting[QueueConflict], "#queues")
	}
	systems := func() {
		add("alerts", alerts, "#alerts")
		add("systems", bad, "#sources")
		add("plans", plans, "/plans")
		add("dead", waiting[QueueDead]+waiting[QueueUnknown], "#queues")
	}
	if role == auth.Admin {
		systems()
		people()
	} else {
		people()
		systems()
	}
	return list
}

func (s *server) overview(w http.ResponseWriter, r *http.Request) {
	if auth.From(r.Context()).Scoped() { // what it counts is counted of all
		http.Redirect(w, r, "/customers", http.StatusSeeOther)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
	defer cancel()
	data, err := s.data.Overview(ctx)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, "overview")
	v := overviewPage{page: p, Overview: data, ShowValues: s.values(r)}
	if v.Health, err = s.data.Health(ctx, trendDays); err != nil {
		s.fail(w, r, err)
		return
	}
	for _, d := range v.Health.Days {
		v.Score = d.Score
		v.Trend = append(v.Trend, int(math.Round(10*d.Score.Score)))
	}
	shorten(r, &v)
	data = v.Overview
	v.Today = today(data, p.Actor.Role)
	v.Total, v.Missing = totals(data)
	v.Headline, v.Calm = headline(p.words, data, v.Missing)
	v.Flow = flow(data, v.Total)
	if v.ShowValues {
		var ids []string
		for _, g := range data.Last {
			ids = append(ids, g.ID)
		}
		if !s.seen(w, r, "read.overview", ids...) {
			return
		}
	} else {
		v.Last = withoutValues(data.Last)
	}
	s.render(w, r, http.StatusOK, "overview.html", v)
}

// totals adds up the sources, and the records that nothing accounts for
// anywhere. A surplus in one row does not cover a gap in another.
func totals(o Overview) (sum SourceRow, missing int) {
	for _, r := range o.Sources {
		sum.Pulled += r.Pulled
		sum.Stored += r.Stored
		sum.Unchanged += r.Unchanged
		sum.Echo += r.Echo
		sum.Quarantined += r.Quarantined
		sum.Filtered += r.Filtered
		missing += abs(r.Missing())
	}
	for _, r := range o.Targets {
		missing += abs(r.Missing())
	}
	return sum, missing
}

func abs(n int) int { return max(n, -n) }

// headline is the one sentence that matters.
func headline(w words, o Overview, missing int) (parts []string, calm bool) {
	if len(o.Sources) == 0 {
		return []string{w.T("headline.empty")}, true
	}
	bad, waiting := 0, map[string]int{}
	for _, r := range o.Sources {
		if r.State.attention() {
			bad++
		}
	}
	for _, r := range o.Targets {
		if r.State.attention() {
			bad++
		}
	}
	for _, q := range o.Queues {
		waiting[q.Kind] += q.Count
	}
	if bad == 0 {
		parts = append(parts, w.N("headline.well", len(o.Sources)+len(o.Targets)))
	} else {
		parts = append(parts, w.N("headline.attention", bad))
	}
	review, quarantine := waiting[QueueReview], waiting[QueueQuarantine]
	parts = append(parts, w.N("headline.review", review), w.N("headline.quarantine", quarantine), w.N("headline.missing", missing))
	return parts, bad+review+quarantine+missing == 0
}

// attention says whether a person should look.
func (s State) attention() bool {
	return s == StateQuiet || s == StateWaiting || s == StateFailing || s == StateStopped
}

// withoutValues keeps what is no customer's data, so that a template cannot
// show by mistake what it never got.
func withoutValues(list []Golden) []Golden {
	out := make([]Golden, 0, len(list))
	for _, g := range list {
		out = append(out, Golden{ID: g.ID, Entity: g.Entity, Members: g.Members, Sources: g.Sources, Changed: g.Changed})
	}
	return out
}
