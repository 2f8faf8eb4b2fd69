package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Numbers are the counts of the whole store.
type Numbers struct {
	Records     int // source records
	Members     int // of golden records
	Golden      int // live golden records
	Review      int // pairs that wait for a person
	Quarantined int // open
	Backlog     int
	Stale       int // decisions in force that rest on something that has changed
	BySource    []SourceNumbers
	ByTarget    []TargetNumbers
}

// SourceNumbers are the counts of one source and entity.
type SourceNumbers struct {
	Source, Entity       string // name, entity type
	Records, Quarantined int
}

// TargetNumbers are the counts of one target's outbox rows by state.
type TargetNumbers struct {
	Target string
	States map[string]int
	// Verified counts the delivered rows whose read-back equals what was sent.
	Verified int
}

// Numbers gives the counts, all but that of stale decisions from what is kept. To review are pairs of golden records that a match joins and
// nobody has ruled on, or before an identifying field of one of them changed.
func (db *DB) Numbers(ctx context.Context) (n Numbers, err error) {
	kept, err := db.tallies(ctx, tallyRecords, tallyGolden, tallyQuarantine, tallyOutbox, tallyQueue, tallyBacklog)
	if err != nil {
		return n, err
	}
	names := map[string]string{}
	err = db.view(ctx, `SELECT uid, name FROM source`, nil, func(r *sql.Rows) error {
		var uid, name string
		err := r.Scan(&uid, &name)
		names[uid] = name
		return err
	})
	if err != nil {
		return n, fmt.Errorf("count sources: %w", err)
	}
	for _, t := range kept {
		n.add(t, names)
	}
	slices.SortFunc(n.BySource, func(x, y SourceNumbers) int {
		return cmp.Or(cmp.Compare(x.Source, y.Source), cmp.Compare(x.Entity, y.Entity))
	})
	err = db.view(ctx, `SELECT count(*) FROM (SELECT DISTINCT decision FROM ruling WHERE stale <> 0 AND withdrawn = '') AS d`, nil,
		func(r *sql.Rows) error { return r.Scan(&n.Stale) })
	if err != nil {
		return n, fmt.Errorf("count: %w", err)
	}
	return n, nil
}

// add puts a kept count where it belongs. Kept counts come sorted.
func (n *Numbers) add(t tallied, names map[string]string) {
	source := func() *SourceNumbers {
		name := cmp.Or(names[t.a], t.a)
		for i := range n.BySource {
			if n.BySource[i].Source == name && n.BySource[i].Entity == t.b {
				return &n.BySource[i]
			}
		}
		n.BySource = append(n.BySource, SourceNumbers{Source: name, Entity: t.b})
		return &n.BySource[len(n.BySource)-1]
	}
	switch t.what {
	case tallyRecords:
		n.Records += t.n
		source().Records += t.n
	case tallyGolden:
		n.Golden, n.Members = n.Golden+t.n, n.Members+t.m
	case tallyQuarantine:
		if t.c == "open" {
			n.Quarantined += t.n
			source().Quarantined += t.n
		}
	case tallyQueue:
		n.Review += t.n
	case tallyBacklog:
		n.Backlog += t.n
	case tallyOutbox:
		if len(n.ByTarget) == 0 || n.ByTarget[len(n.ByTarget)-1].Target != t.a {
			n.ByTarget = append(n.ByTarget, TargetNumbers{Target: t.a, States: map[string]int{}})
		}
		last := &n.ByTarget[len(n.ByTarget)-1]
		last.States[t.b] += t.n
		last.Verified += t.m
	}
}

// OutboxCounts counts rows made, delivered and verified since a time.
func (db *DB) OutboxCounts(ctx context.Context, since string) (planned, delivered, verified int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM outbox WHERE at >= $1`, []any{since}, func(r *sql.Rows) error { return r.Scan(&planned) })
	if err != nil {
		return 0, 0, 0, err
	}
	err = db.view(ctx, `SELECT count(*), COALESCE(sum(verified), 0) FROM outbox WHERE state = 'delivered' AND settled_at >= $1`, []any{since},
		func(r *sql.Rows) error { return r.Scan(&delivered, &verified) })
	return planned, delivered, verified, err
}

// Oldest tells since when the oldest entry of each queue waits; "" when the
// queue is empty.
type Oldest struct{ Quarantine, Unknown, Conflict, Dead string }

// stuckIndex is the condition of the index of writes that wait for a person:
// SQLite takes it only where the condition stands word by word.
const stuckIndex = `state IN ('unknown', 'conflict', 'dead', 'rejected')`

// Oldest reads the age of the queues.
func (db *DB) Oldest(ctx context.Context) (o Oldest, err error) {
	for _, q := range []struct {
		text string
		into *string
	}{
		{`SELECT COALESCE(min(at), '') FROM quarantine WHERE state = 'open'`, &o.Quarantine},
		{`SELECT COALESCE(min(at), '') FROM outbox WHERE ` + stuckIndex + ` AND state = 'unknown'`, &o.Unknown},
		{`SELECT COALESCE(min(at), '') FROM outbox WHERE ` + stuckIndex + ` AND state = 'conflict'`, &o.Conflict},
		{`SELECT COALESCE(min(x.at), '') FROM (SELECT min(at) AS at FROM outbox WHERE ` + stuckIndex + ` AND state = 'dead'
			UNION ALL SELECT min(at) FROM outbox WHERE ` + stuckIndex + ` AND state = 'rejected') AS x`, &o.Dead},
	} {
		if err := db.view(ctx, q.text, nil, func(r *sql.Rows) error { return r.Scan(q.into) }); err != nil {
			return o, fmt.Errorf("age of queues: %w", err)
		}
	}
	return o, nil
}

// RunSums adds up the counts of all runs by source uid.
func (db *DB) RunSums(ctx context.Context) (map[string]Counts, error) {
	sums := map[string]Counts{}
	err := db.view(ctx, `SELECT source, sum(pulled), sum(stored), sum(unchanged), sum(echo), sum(quarantined), sum(filtered)
		FROM (SELECT source, pulled, stored, unchanged, echo, quarantined, filtered FROM run
			UNION ALL SELECT source, pulled, stored, unchanged, echo, quarantined, filtered FROM run_past) AS r GROUP BY source`, nil, func(r *sql.Rows) error {
		var source string
		var c Counts
		err := r.Scan(&source, &c.Pulled, &c.Stored, &c.Unchanged, &c.Echo, &c.Quarantined, &c.Filtered)
		sums[source] = c
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum runs: %w", err)
	}
	return sums, nil
}

// StoredByDay sums what runs since a time have stored: source uid → day
// (2006-01-02, UTC) → records.
func (db *DB) StoredByDay(ctx context.Context, since string) (map[string]map[string]int, error) {
	out := map[string]map[string]int{}
	err := db.view(ctx, `SELECT source, substr(started, 1, 10), sum(stored) FROM run WHERE started >= $1 GROUP BY 1, 2`, []any{since}, func(r *sql.Rows) error {
		var source, day string
		var n int
		err := r.Scan(&source, &day, &n)
		if out[source] == nil {
			out[source] = map[string]int{}
		}
		out[source][day] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("stored by day: %w", err)
	}
	return out, nil
}

// LastDelivery is when a target was last written to; "" for never.
func (db *DB) LastDelivery(ctx context.Context, target string) (at string, err error) {
	err = db.view(ctx, `SELECT sent_at FROM outbox WHERE target = $1 AND sent_at <> '' ORDER BY sent_at DESC LIMIT 1`, []any{target}, func(r *sql.Rows) error { return r.Scan(&at) })
	return at, err
}
