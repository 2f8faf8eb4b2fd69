package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
)

// StuckCounts counts a target's stuck rows that are reached, by state; more says that
// there are so many that not all were looked at.
func (db *DB) StuckCounts(ctx context.Context, target string, reach Reach) (counts map[string]int, more bool, err error) {
	kept, err := db.tallies(ctx, tallyOutbox)
	if err != nil {
		return nil, false, err
	}
	counts = map[string]int{}
	for _, t := range kept {
		if t.a == target && slices.Contains(StuckStates(), t.b) {
			counts[t.b] += t.n
		}
	}
	if reach == nil {
		return counts, false, nil
	}
	for _, state := range StuckStates() {
		if counts[state] == 0 {
			continue
		}
		keys, end, err := db.writeKeys(ctx, reach, rowsAt{target: target, state: state, look: reachLooked})
		if err != nil {
			return nil, false, err
		}
		in, _, err := sift(keys, len(keys), db.writesOf(ctx, reach, ""))
		if err != nil {
			return nil, false, err
		}
		counts[state], more = len(in), more || end != 0
	}
	return counts, more, nil
}

// rowsAt is a target's rows in a state behind a place, look of them at most.
type rowsAt struct {
	target, state string
	after         int64
	newest        bool // newest first: behind after then is before it, and 0 is the newest
	look          int
}

// walk is the way of the rows: the condition of their place and the order.
func (a rowsAt) walk() (behind, order string, after int64) {
	if !a.newest {
		return "o.seq >", "o.seq", a.after
	}
	after = a.after
	if after == 0 {
		after = math.MaxInt64
	}
	return "o.seq <", "o.seq DESC", after
}

// writeKeys are the numbers of rows that may be reached, in their order. End is the
// last that was looked at, 0 for all.
func (db *DB) writeKeys(ctx context.Context, reach Reach, at rowsAt) (keys []int64, end int64, err error) {
	behind, order, after := at.walk()
	recs, few, err := Within{Reach: reach}.few(ctx, db)
	if err != nil {
		return nil, 0, fmt.Errorf("outbox rows: %w", err)
	}
	if few {
		keys, err = keysIn[int64](ctx, db, `SELECT o.seq FROM outbox o WHERE o.founder IN $LIST AND o.target || '' = $X1 AND o.state || '' = $X2 AND `+behind+` $X3 LIMIT $X4`, recs, at.target, at.state, after, fewRows+1)
		if err != nil || len(keys) <= fewRows {
			slices.Sort(keys)
			if at.newest {
				slices.Reverse(keys)
			}
			return keys, 0, err
		}
	}
	keys, err = keysOf[int64](ctx, db, `SELECT o.seq FROM outbox o WHERE o.target = $1 AND o.state = $2 AND `+behind+` $3 ORDER BY `+order+` LIMIT $4`, at.target, at.state, after, at.look)
	if err == nil && len(keys) == at.look {
		end = keys[len(keys)-1]
	}
	return keys, end, err
}

// writesOf says of rows, by number, which are reached and meet a condition.
func (db *DB) writesOf(ctx context.Context, reach Reach, where string) func([]int64) (map[int64]bool, error) {
	return func(part []int64) (map[int64]bool, error) {
		in, err := keysIn[int64](ctx, db, `SELECT o.seq FROM outbox o WHERE o.seq IN $LIST`+where+reach.write("o"), part)
		if err != nil {
			return nil, fmt.Errorf("outbox rows: %w", err)
		}
		return setOf(in), nil
	}
}

// rowsOf lists at most n rows that are reached and meet a condition. End is where the
// list goes on, 0 at the end.
func (db *DB) rowsOf(ctx context.Context, reach Reach, at rowsAt, where string, n int) (list []Row, end int64, err error) {
	if reach == nil {
		behind, order, after := at.walk()
		list, err = db.rows(ctx, `WHERE o.target = $1 AND o.state = $2 AND `+behind+` $3`+where+` ORDER BY `+order+` LIMIT $4`, at.target, at.state, after, n+1)
		if err == nil && len(list) > n {
			list, end = list[:n], list[n-1].Seq
		}
		return list, end, err
	}
	at.look = reachLooked
	keys, end, err := db.writeKeys(ctx, reach, at)
	if err != nil {
		return nil, 0, err
	}
	kept, looked, err := sift(keys, n, db.writesOf(ctx, reach, where))
	if err != nil {
		return nil, 0, err
	}
	if looked < len(keys) {
		end = keys[looked-1]
	}
	err = viewIn(ctx, db, rowColumns+` WHERE o.seq IN $LIST`, kept, func(r *sql.Rows) error {
		o, err := db.scanRow(r)
		list = append(list, o)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("outbox rows: %w", err)
	}
	slices.SortFunc(list, func(x, y Row) int {
		if at.newest {
			x, y = y, x
		}
		return cmp.Compare(x.Seq, y.Seq)
	})
	return list, end, nil
}

// RowsIn lists rows of some targets in a state that are reached, oldest first,
// behind the row with number after. Next is where to go on, 0 at the end: of who
// reaches some rows alone a list may be short, or empty, and not the end of it.
func (db *DB) RowsIn(ctx context.Context, targets []string, state string, reach Reach, after int64, n int) (list []Row, next int64, err error) {
	for _, t := range targets {
		rows, end, err := db.rowsOf(ctx, reach, rowsAt{target: t, state: state, after: after}, "", n)
		if err != nil {
			return nil, 0, err
		}
		if list = append(list, rows...); end != 0 && (next == 0 || end < next) {
			next = end
		}
	}
	slices.SortFunc(list, func(a, b Row) int { return cmp.Compare(a.Seq, b.Seq) })
	if next != 0 { // the list is whole up to there
		list = slices.DeleteFunc(list, func(r Row) bool { return r.Seq > next })
	}
	if len(list) > n {
		list, next = list[:n], list[n-1].Seq
	}
	return list, next, nil
}

// NewestDelivered lists updates of a target that were delivered and are reached,
// newest first, before the row with number before (0 for the newest). Next is where
// to go on, as of RowsIn.
func (db *DB) NewestDelivered(ctx context.Context, target string, reach Reach, before int64, n int) (list []Row, next int64, err error) {
	return db.rowsOf(ctx, reach, rowsAt{target: target, state: Delivered, after: before, newest: true}, ` AND o.op = 'update'`, n)
}

// OftenWritten lists objects of a target that were written three times or more
// among its last window rows, as far as these are reached, those written last first.
func (db *DB) OftenWritten(ctx context.Context, target string, reach Reach, window, n int) (recs []int64, err error) {
	if reach == nil {
		recs, err = keysOf[int64](ctx, db, `SELECT rec FROM (SELECT o.rec, o.seq FROM outbox o WHERE o.target = $1 AND o.state = 'delivered' AND o.op = 'update' ORDER BY o.seq DESC LIMIT $2) x
			GROUP BY rec HAVING count(*) >= 3 ORDER BY max(seq) DESC LIMIT $3`, target, window, n)
		if err != nil {
			return nil, fmt.Errorf("outbox rows: %w", err)
		}
		return recs, nil
	}
	keys, _, err := db.writeKeys(ctx, reach, rowsAt{target: target, state: Delivered, newest: true, look: window})
	if err != nil {
		return nil, err
	}
	times := map[int64]int{}
	err = viewIn(ctx, db, `SELECT o.seq, o.rec FROM outbox o WHERE o.seq IN $LIST AND o.op = 'update'`+reach.write("o")+` ORDER BY o.seq DESC`, keys[:min(len(keys), window)], func(r *sql.Rows) error {
		var seq, rec int64
		err := r.Scan(&seq, &rec)
		if times[rec]++; times[rec] == 1 {
			recs = append(recs, rec)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("outbox rows: %w", err)
	}
	recs = slices.DeleteFunc(recs, func(rec int64) bool { return times[rec] < 3 })
	return recs[:min(len(recs), n)], nil
}
