package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// customer is a golden record as it counts for the queue.
type customer struct {
	name    string
	value   int64
	sources []string
}

// systemsOf counts the systems that hold either customer.
func systemsOf(x, y *customer) int {
	all := slices.Concat(x.sources, y.sources)
	slices.Sort(all)
	return len(slices.Compact(all))
}

// appraise fills in what the pairs are worth.
func (tx *Tx) appraise(ctx context.Context, ap *Appraisal, pairs map[founderPair]*QueuedPair) error {
	var founders, recs []int64
	for k, p := range pairs {
		founders, recs = append(founders, k[0], k[1]), append(recs, p.A, p.B)
	}
	slices.Sort(founders)
	known, err := tx.valued(ctx, ap, slices.Compact(founders))
	if err != nil {
		return err
	}
	slices.Sort(recs)
	source := map[int64]string{}
	err = eachIn(ctx, tx, `SELECT rec, source FROM source_record WHERE rec IN $LIST`, slices.Compact(recs), func(r *sql.Rows) error {
		var rec int64
		var uid string
		err := r.Scan(&rec, &uid)
		source[rec] = uid
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range pairs {
		x, y := known[p.X], known[p.Y]
		p.Low, p.High = min(source[p.A], source[p.B]), max(source[p.A], source[p.B])
		p.Systems = systemsOf(x, y)
		p.Chance = ap.Chance(p.Weight, p.Kind == "veto" || p.Kind == "bridge" || p.Kind == "group" || p.Kind == "stale")
		p.Value, p.Damage = ap.Worth(p.Chance, x.value, y.value, p.Systems)
		if p.Name = min(x.name, y.name); p.Name == "" {
			p.Name = max(x.name, y.name)
		}
	}
	return nil
}

// valued reads golden records as they count for the queue.
func (tx *Tx) valued(ctx context.Context, ap *Appraisal, founders []int64) (map[int64]*customer, error) {
	out := make(map[int64]*customer, len(founders))
	for _, f := range founders {
		out[f] = &customer{}
	}
	err := eachIn(ctx, tx, `SELECT founder, name FROM search_text WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
		var f int64
		var name string
		err := r.Scan(&f, &name)
		out[f].name = cutBytes(name, maxQueueName)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = eachIn(ctx, tx, `SELECT DISTINCT c.golden, s.source FROM crosswalk c JOIN source_record s ON s.rec = c.rec WHERE c.golden IN $LIST`, founders, func(r *sql.Rows) error {
		var f int64
		var uid string
		err := r.Scan(&f, &uid)
		out[f].sources = append(out[f].sources, uid)
		return err
	})
	if err != nil {
		return nil, err
	}
	if ap.Field != nil {
		err := eachIn(ctx, tx, `SELECT founder, fields FROM golden WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
			var f int64
			var fields string
			err := r.Scan(&f, &fields)
			out[f].value = ap.Field([]byte(fields))
			return err
		})
		return out, err
	}
	return out, tx.eventSums(ctx, ap, founders, out)
}

// eventSums adds up what was earned with golden records in the year before the
// queue's day.
func (tx *Tx) eventSums(ctx context.Context, ap *Appraisal, founders []int64, out map[int64]*customer) error {
	if any, err := tx.one(ctx, `SELECT 1 FROM event_state LIMIT 1`, nil, new(int)); err != nil || !any {
		return err
	}
	from, err := tx.queueFrom(ctx)
	if err != nil {
		return err
	}
	// An event of two records of one customer is one event.
	return eachIn(ctx, tx, `SELECT c.golden, s.ev, s.amount, s.currency FROM crosswalk c JOIN event_of o ON o.rec = c.rec AND o.at > $X1 JOIN event_state s ON s.ev = o.ev
		WHERE s.amount <> '' AND c.golden IN $LIST GROUP BY c.golden, s.ev, s.amount, s.currency`, founders, func(r *sql.Rows) error {
		var f, ev int64
		var amount, currency string
		err := r.Scan(&f, &ev, &amount, &currency)
		out[f].value += ap.Amount(amount, currency)
		return err
	}, from)
}

// queueDay is the setting that holds the day up to which the queue values
// events: a fact of the clock, so that a rebuild needs none.
const queueDay = "queue_day"

// valueDays is how far back events count.
const valueDays = 365

// queueFrom is the time from which events count.
func (tx *Tx) queueFrom(ctx context.Context) (string, error) {
	day, err := tx.setting(ctx, queueDay)
	if err != nil {
		return "", err
	}
	if day == "" {
		day = tx.now[:len(time.DateOnly)]
		if err := tx.setSetting(ctx, queueDay, day); err != nil {
			return "", err
		}
	}
	return yearBefore(day)
}

func yearBefore(day string) (string, error) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", fmt.Errorf("day of the queue: %w", err)
	}
	return formatTime(t.AddDate(0, 0, -valueDays)), nil
}
