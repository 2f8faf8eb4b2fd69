package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"touchstone/internal/record"
)

const queueColumns = `SELECT q.a, q.b, q.x, q.y, q.entity, q.kind, q.low, q.high, q.weight, q.far, q.chance, q.pairs, q.value, q.systems, q.damage, q.name,
	q.since, q.assigned, q.due, q.until, q.escalated, q.proposer`

func scanQueued(r *sql.Rows) (p QueuedPair, err error) {
	err = r.Scan(&p.A, &p.B, &p.X, &p.Y, &p.Entity, &p.Kind, &p.Low, &p.High, &p.Weight, &p.Far, &p.Chance, &p.Pairs, &p.Value, &p.Systems, &p.Damage, &p.Name,
		&p.Since, &p.Assigned, &p.Due, &p.Until, &p.Escalated, &p.Proposer)
	return p, err
}

// queuedOf reads the queue's pairs of these golden records.
func (tx *Tx) queuedOf(ctx context.Context, founders []int64) (map[founderPair]QueuedPair, error) {
	out := map[founderPair]QueuedPair{}
	err := eachIn(ctx, tx, queueColumns+` FROM queue q WHERE q.x IN $LIST OR q.y IN $LIST`, founders, func(r *sql.Rows) error {
		p, err := scanQueued(r)
		out[pairOf(p.X, p.Y)] = p
		return err
	})
	return out, err
}

// writeQueue writes what changed. What people did about a pair stays with the
// two golden records.
func (tx *Tx) writeQueue(ctx context.Context, ap *Appraisal, old map[founderPair]QueuedPair, pairs map[founderPair]*QueuedPair) error {
	keys := sortedPairs(pairs)
	var fresh []founderPair
	for _, k := range keys {
		if was, known := old[k]; known {
			pairs[k].Since, pairs[k].QueueWork = was.Since, was.QueueWork
		} else {
			fresh = append(fresh, k)
		}
	}
	work, err := tx.workOf(ctx, fresh)
	if err != nil {
		return err
	}
	for _, k := range fresh {
		p := pairs[k]
		p.Since, p.QueueWork = tx.now, work[k]
		if p.Due == "" && ap.Due > 0 {
			at, err := record.ParseTime(tx.now)
			if err != nil {
				return err
			}
			p.Due = formatTime(at.Add(ap.Due))
		}
	}
	var gone, rows [][]any
	for _, k := range sortedPairs(old) {
		was := old[k]
		if p := pairs[k]; p == nil || p.A != was.A || p.B != was.B {
			gone = append(gone, []any{was.A, was.B})
		}
	}
	for _, k := range keys {
		p := pairs[k]
		if was, known := old[k]; known && was == *p {
			continue
		}
		rows = append(rows, []any{
			p.A, p.B, p.X, p.Y, p.Entity, p.Kind, p.Low, p.High, p.Weight, p.Far, p.Chance, p.Pairs, p.Value, p.Systems, p.Damage, -p.Damage, p.Name,
			p.Since, p.Assigned, p.Due, p.Until, p.Escalated, p.Proposer,
		})
	}
	if err := tx.eachRowOf(ctx, `DELETE FROM queue WHERE (a, b) IN (VALUES $ROWS)`, gone, nil); err != nil {
		return err
	}
	return tx.insert(ctx, `INSERT INTO queue (a, b, x, y, entity, kind, low, high, weight, far, chance, pairs, value, systems, damage, rank_damage, name,
			since, assigned, due, until, escalated, proposer)`,
		`ON CONFLICT (a, b) DO UPDATE SET x = excluded.x, y = excluded.y, entity = excluded.entity, kind = excluded.kind, low = excluded.low, high = excluded.high,
			weight = excluded.weight, far = excluded.far, chance = excluded.chance, pairs = excluded.pairs, value = excluded.value, systems = excluded.systems,
			damage = excluded.damage, rank_damage = excluded.rank_damage, name = excluded.name, since = excluded.since, assigned = excluded.assigned,
			due = excluded.due, until = excluded.until, escalated = excluded.escalated, proposer = excluded.proposer`, rows)
}

func sortedPairs[V any](m map[founderPair]V) []founderPair {
	return slices.SortedFunc(maps.Keys(m), func(p, q founderPair) int { return slices.Compare(p[:], q[:]) })
}

// workOf reads what people have done about pairs of golden records, and whose
// answer waits for a second one.
func (tx *Tx) workOf(ctx context.Context, pairs []founderPair) (map[founderPair]QueueWork, error) {
	out := map[founderPair]QueueWork{}
	if len(pairs) == 0 {
		return out, nil
	}
	wanted, xs := map[founderPair]bool{}, make([]int64, 0, len(pairs))
	for _, k := range pairs {
		wanted[k], xs = true, append(xs, k[0])
	}
	err := eachIn(ctx, tx, `SELECT x, y, assigned, due, until, escalated FROM pair_work WHERE x IN $LIST`, slices.Compact(xs), func(r *sql.Rows) error {
		var k founderPair
		var w QueueWork
		err := r.Scan(&k[0], &k[1], &w.Assigned, &w.Due, &w.Until, &w.Escalated)
		if wanted[k] {
			out[k] = w
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = eachIn(ctx, tx, `SELECT x, y, who FROM pair_proposal WHERE state = 'open' AND x IN $LIST`, slices.Compact(xs), func(r *sql.Rows) error {
		var k founderPair
		var who string
		err := r.Scan(&k[0], &k[1], &who)
		if wanted[k] {
			w := out[k]
			w.Proposer = who
			out[k] = w
		}
		return err
	})
	return out, err
}
