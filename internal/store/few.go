package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
)

// What is reached is looked for from the customers where these are few: else a list
// that reaches hardly anything would walk all rows for one page. Of more of them so
// many rows are looked at as a page can wait for, and the list goes on behind them.
const (
	fewReached  = 500    // customers
	fewRecords  = 2000   // source records of theirs, and of whole sources
	fewRows     = 20_000 // rows that speak of these
	reachLooked = 4000   // rows looked at for one page
	// reachCounted is how many are looked at for a count.
	reachCounted = 10_000
)

// few lists the golden records that are reached, by founder, where they are few.
func (r Reach) few(ctx context.Context, db *DB) (founders []int64, few bool, err error) {
	err = db.view(ctx, `SELECT founder FROM reach WHERE scope IN (`+r.list()+`) LIMIT $1`, []any{len(r)*fewReached + 1}, func(rows *sql.Rows) error {
		var f int64
		err := rows.Scan(&f)
		founders = append(founders, f)
		return err
	})
	if err != nil || len(founders) > len(r)*fewReached { // a scope's customers may be another's too
		return nil, false, err
	}
	slices.Sort(founders)
	founders = slices.Compact(founders)
	return founders, len(founders) <= fewReached, nil
}

// few lists the records that may be reached, by landing number, where they are few:
// those of customers, and those of whole sources.
func (w Within) few(ctx context.Context, db *DB) (recs []int64, few bool, err error) {
	founders, few, err := w.Reach.few(ctx, db)
	if err != nil || !few {
		return nil, false, err
	}
	scan := func(rows *sql.Rows) error {
		var rec int64
		err := rows.Scan(&rec)
		recs = append(recs, rec)
		return err
	}
	if err := viewIn(ctx, db, `SELECT rec FROM crosswalk WHERE golden IN $LIST LIMIT $X1`, founders, scan, fewRecords+1); err != nil {
		return nil, false, err
	}
	for _, k := range w.Whole {
		if k.Source == "" || len(recs) > fewRecords {
			return nil, false, nil
		}
		err := db.view(ctx, `SELECT rec FROM source_record WHERE source = $1 AND ($2 = '' OR entity = $2) LIMIT $3`, []any{k.Source, k.Entity, fewRecords + 1}, scan)
		if err != nil {
			return nil, false, err
		}
	}
	slices.Sort(recs)
	recs = slices.Compact(recs)
	return recs, len(recs) <= fewRecords, nil
}

// sift asks of keys in their order which are reached, until it has n of them. It
// gives those, and how many it has asked of.
func sift[K comparable](keys []K, n int, reached func([]K) (map[K]bool, error)) (kept []K, looked int, err error) {
	for size := max(2*n, 100); looked < len(keys) && len(kept) < n; size = min(2*size, 1000) {
		part := keys[looked:min(looked+size, len(keys))]
		in, err := reached(part)
		if err != nil {
			return nil, 0, err
		}
		for _, k := range part {
			looked++
			if !in[k] {
				continue
			}
			if kept = append(kept, k); len(kept) == n {
				break
			}
		}
	}
	return kept, looked, nil
}

// keysIn reads what a statement with one column finds for a list.
func keysIn[K, T any](ctx context.Context, db *DB, q string, values []T, extra ...any) (keys []K, err error) {
	err = viewIn(ctx, db, q, values, func(r *sql.Rows) error {
		var k K
		err := r.Scan(&k)
		keys = append(keys, k)
		return err
	}, extra...)
	return keys, err
}

// keysOf is keysIn for a statement without a list.
func keysOf[K any](ctx context.Context, db *DB, q string, args ...any) (keys []K, err error) {
	err = db.view(ctx, q, args, func(r *sql.Rows) error {
		var k K
		err := r.Scan(&k)
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// setOf is a list as a set.
func setOf[K comparable](list []K) map[K]bool {
	set := make(map[K]bool, len(list))
	for _, k := range list {
		set[k] = true
	}
	return set
}

// inTail is a condition for a statement with a list: its arguments are behind that.
func inTail(where string) string { return strings.ReplaceAll(where, "$", "$X") }

// fewer says whether fewer golden records than n are reached; one that several scopes
// reach counts for each.
func (r Reach) fewer(ctx context.Context, db *DB, n int) (fewer bool, err error) {
	reached := 0
	err = db.view(ctx, `SELECT count(*) FROM (SELECT 1 FROM reach WHERE scope IN (`+r.list()+`) LIMIT $1) x`, []any{n}, func(rows *sql.Rows) error { return rows.Scan(&reached) })
	if err != nil {
		return false, fmt.Errorf("how many are reached: %w", err)
	}
	return reached < n, nil
}

// page lists golden records that are reached, by founder behind one in order: at most
// so many of each scope, and up to where all scopes were read, math.MaxInt64 for to
// the end.
func (r Reach) page(ctx context.Context, db *DB, after int64, n int) (founders []int64, upto int64, err error) {
	upto = math.MaxInt64
	for _, scope := range r {
		keys, err := keysOf[int64](ctx, db, `SELECT founder FROM reach WHERE scope = $1 AND founder > $2 ORDER BY founder LIMIT $3`, scope, after, n)
		if err != nil {
			return nil, 0, err
		}
		if founders = append(founders, keys...); len(keys) == n {
			upto = min(upto, keys[n-1])
		}
	}
	founders = slices.DeleteFunc(founders, func(x int64) bool { return x > upto })
	slices.Sort(founders)
	return slices.Compact(founders), upto, nil
}

// goldenWithin is GoldenList by founder for who reaches f.Reach alone: it walks what
// is reached, and not all there are.
func (db *DB) goldenWithin(ctx context.Context, f GoldenFilter) (list []Golden, err error) {
	f.Limit = max(f.Limit, 1)
	part := max(f.Limit, 100)
	for len(list) < f.Limit {
		founders, upto, err := f.Reach.page(ctx, db, f.After, part)
		if err != nil {
			return nil, fmt.Errorf("list golden records: %w", err)
		}
		var found []Golden
		err = viewIn(ctx, db, goldenColumns+` FROM golden WHERE founder IN $LIST AND ($X1 = '' OR entity = $X1) AND (live > 0 OR $X2 = 1)`, founders, func(r *sql.Rows) error {
			g, err := scanGolden(r)
			found = append(found, g)
			return err
		}, f.Entity, boolInt(f.All))
		if err != nil {
			return nil, fmt.Errorf("list golden records: %w", err)
		}
		slices.SortFunc(found, func(x, y Golden) int { return cmp.Compare(x.Founder, y.Founder) })
		if list = append(list, found...); upto == math.MaxInt64 {
			break
		}
		f.After = upto
	}
	return list[:min(len(list), f.Limit)], nil
}
