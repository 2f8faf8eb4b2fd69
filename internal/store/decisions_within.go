package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// decisionKey is a decision's place in its list.
type decisionKey struct {
	seq int64
	id  string
}

// DecisionsWithin is Decisions for who reaches f.Within alone. Next is the fact
// number to go on behind, 0 at the end: a list may be short, or empty, and not the
// end of it.
func (db *DB) DecisionsWithin(ctx context.Context, f DecisionFilter) (list []Decision, next int64, err error) {
	f.Limit = max(f.Limit, 1)
	if f.Within.Reach == nil {
		f.Limit++
		if list, err = db.Decisions(ctx, f); err != nil || len(list) < f.Limit {
			return list, 0, err
		}
		list = list[:f.Limit-1]
		return list, list[len(list)-1].Seq, nil
	}
	if len(f.Within.Reach) == 0 {
		return nil, 0, nil
	}
	keys, more, err := db.decisionKeys(ctx, f)
	if err != nil {
		return nil, 0, fmt.Errorf("decisions in reach: %w", err)
	}
	kept, looked, err := sift(keys, f.Limit, func(part []decisionKey) (map[decisionKey]bool, error) { return db.decisionsOf(ctx, f, part) })
	if err != nil {
		return nil, 0, err
	}
	if looked < len(keys) || more {
		next = keys[looked-1].seq
	}
	ids := make([]string, len(kept))
	for i, k := range kept {
		ids[i] = k.id
	}
	byID, err := db.DecisionsByID(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range ids {
		list = append(list, byID[id])
	}
	return list, next, db.withWithdrawn(ctx, list)
}

// decisionKeys are the decisions behind the filter's place that may be reached, in
// its order; more says that there are others behind them.
func (db *DB) decisionKeys(ctx context.Context, f DecisionFilter) (keys []decisionKey, more bool, err error) {
	behind, order, after := f.walk()
	scan := func(r *sql.Rows) error {
		var k decisionKey
		err := r.Scan(&k.seq, &k.id)
		keys = append(keys, k)
		return err
	}
	recs, few, err := f.Within.few(ctx, db)
	if err != nil {
		return nil, false, err
	}
	if few {
		ids, err := db.decisionsAbout(ctx, recs, fewRows, "ruling a", "ruling b", "said_relation a", "said_relation b", "relation_refused a", "relation_refused b", "repair rec")
		if err != nil {
			return nil, false, err
		}
		if len(ids) <= fewRows {
			err = viewIn(ctx, db, `SELECT d.seq, d.id FROM decision d WHERE d.id IN $LIST AND `+inTail(behind), sortedKeys(ids), scan, after)
			slices.SortFunc(keys, func(x, y decisionKey) int {
				if f.Newest {
					x, y = y, x
				}
				return int(x.seq - y.seq)
			})
			return keys, false, err
		}
	}
	args := []any{after, reachLooked}
	if f.Who != "" {
		args, behind = append(args, f.Who), behind+" AND d.who = $3"
	}
	err = db.view(ctx, `SELECT d.seq, d.id FROM decision d WHERE `+behind+` ORDER BY `+order+` LIMIT $2`, args, scan)
	return keys, len(keys) == reachLooked, err
}

// decisionsOf are those of some decisions that the filter keeps and that are
// reached.
func (db *DB) decisionsOf(ctx context.Context, f DecisionFilter, part []decisionKey) (map[decisionKey]bool, error) {
	ids := make([]string, len(part))
	for i, k := range part {
		ids[i] = k.id
	}
	where, args := f.of(0)
	in := map[decisionKey]bool{}
	err := viewIn(ctx, db, `SELECT d.seq, d.id FROM decision d WHERE d.id IN $LIST`+inTail(where)+behind(f.Within.decision("d.id")), ids, func(r *sql.Rows) error {
		var k decisionKey
		err := r.Scan(&k.seq, &k.id)
		in[k] = true
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("decisions in reach: %w", err)
	}
	return in, nil
}
