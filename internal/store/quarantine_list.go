package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// QuarantineQuery chooses quarantined rows, oldest first.
type QuarantineQuery struct {
	State  string
	Source string   // uid; "" for all
	Faults []string // only open rows with one of these; nil for all
	Before string   // only rows that are there since before this time; "" for all
	After  string   // id of the row to go on behind
	Limit  int
	Within Within
}

// Quarantines lists quarantined rows, without their raw records.
func (db *DB) Quarantines(ctx context.Context, f QuarantineQuery) (list []Quarantined, err error) {
	list, _, err = db.QuarantinePart(ctx, f)
	return list, err
}

// QuarantinePart lists quarantined rows, without their raw records. Next is the id to
// go on behind, "" at the end: of who reaches some rows alone a list may be short, or
// empty, and not the end of it.
func (db *DB) QuarantinePart(ctx context.Context, f QuarantineQuery) (list []Quarantined, next string, err error) {
	ids, next, err := db.quarantineIDs(ctx, f)
	if err != nil {
		return nil, "", fmt.Errorf("list quarantine: %w", err)
	}
	list, err = db.QuarantinesOf(ctx, ids)
	return list, next, err
}

// QuarantinesWhole lists quarantined rows with their raw records: fewer than
// f.Limit where these have more than so many bytes together, one at the least. Next
// is the id to go on behind, "" at the end.
func (db *DB) QuarantinesWhole(ctx context.Context, f QuarantineQuery, bytes int) (list []Quarantined, next string, err error) {
	if list, next, err = db.QuarantinePart(ctx, f); err != nil {
		return nil, "", err
	}
	n, size := 0, 0
	for n < len(list) && (n == 0 || size+list[n].Size <= bytes) {
		size += list[n].Size
		n++
	}
	if n < len(list) {
		list, next = list[:n], list[n-1].ID
	}
	return list, next, db.withRaw(ctx, list)
}

// fewFaulty is how many rows are looked at, for one page, of each of many faults at
// the least.
const fewFaulty = 200

// quarantineKey is a row's place in the list.
type quarantineKey struct{ at, id string }

func (k quarantineKey) compare(l quarantineKey) int {
	return cmp.Or(strings.Compare(k.at, l.at), strings.Compare(k.id, l.id))
}

func (db *DB) quarantineIDs(ctx context.Context, f QuarantineQuery) (ids []string, next string, err error) {
	f.Limit = max(f.Limit, 1)
	if f.Faults != nil && len(f.Faults) == 0 || f.Within.Reach != nil && len(f.Within.Reach) == 0 {
		return nil, "", nil
	}
	if f.Within.Reach == nil {
		keys, _, err := db.quarantineKeys(ctx, f, f.Limit+1)
		for _, k := range keys[:min(len(keys), f.Limit)] {
			ids = append(ids, k.id)
		}
		if len(keys) > f.Limit {
			next = ids[f.Limit-1]
		}
		return ids, next, err
	}
	keys, more, err := db.quarantineKeysWithin(ctx, f)
	if err != nil {
		return nil, "", err
	}
	kept, looked, err := sift(keys, f.Limit, func(part []quarantineKey) (map[quarantineKey]bool, error) {
		ids := make([]string, len(part))
		for i, k := range part {
			ids[i] = k.id
		}
		reached, err := db.QuarantinesReached(ctx, f.Within, ids)
		in := make(map[quarantineKey]bool, len(reached))
		for _, k := range part {
			in[k] = reached[k.id]
		}
		return in, err
	})
	if err != nil {
		return nil, "", err
	}
	for _, k := range kept {
		ids = append(ids, k.id)
	}
	if looked < len(keys) || more {
		next = keys[looked-1].id
	}
	return ids, next, nil
}

// QuarantineLength counts the open rows that are reached; more says that there are so
// many that not all were looked at.
func (db *DB) QuarantineLength(ctx context.Context, w Within) (n int, more bool, err error) {
	ids, next, err := db.quarantineIDs(ctx, QuarantineQuery{State: "open", Within: w, Limit: reachLooked})
	if err != nil {
		return 0, false, fmt.Errorf("count the quarantine: %w", err)
	}
	return len(ids), next != "", nil
}

// quarantineKeysWithin are the rows behind the filter's place that may be reached, in
// their order; more says that there are others behind them.
func (db *DB) quarantineKeysWithin(ctx context.Context, f QuarantineQuery) (keys []quarantineKey, more bool, err error) {
	recs, few, err := f.Within.few(ctx, db)
	if err != nil || !few {
		if err == nil {
			keys, more, err = db.quarantineKeys(ctx, f, max(reachLooked/max(len(f.Faults), 1), fewFaulty))
		}
		return keys, more, err
	}
	var args []any
	table := "quarantine_fault"
	var where string
	if f.Faults == nil {
		table, where, args = "quarantine", " AND q.state = $1", append(args, f.State)
	} else {
		where = f.faulted(&args)
	}
	where += f.rest(&args)
	err = viewIn(ctx, db, `SELECT q.at, q.id FROM `+table+` q WHERE q.rec IN $LIST`+inTail(where), recs, func(r *sql.Rows) error {
		var k quarantineKey
		err := r.Scan(&k.at, &k.id)
		keys = append(keys, k)
		return err
	}, args...)
	slices.SortFunc(keys, quarantineKey.compare)
	return slices.Compact(keys), false, err
}

// faulted is the condition that a row has one of the filter's faults.
func (f QuarantineQuery) faulted(args *[]any) string {
	each := make([]string, len(f.Faults))
	for i, x := range f.Faults {
		each[i] = argOf(args, x)
	}
	return " AND q.fault IN (" + strings.Join(each, ", ") + ")"
}

// argOf adds an argument, and gives its place in the text.
func argOf(args *[]any, v any) string {
	*args = append(*args, v)
	return "$" + strconv.Itoa(len(*args))
}

// rest adds what the filter asks for besides states and faults, and its arguments.
func (f QuarantineQuery) rest(args *[]any) (where string) {
	if f.Source != "" {
		where += ` AND q.source = ` + argOf(args, f.Source)
	}
	if f.Before != "" {
		where += ` AND q.at < ` + argOf(args, f.Before)
	}
	if f.After != "" {
		where += ` AND (q.at, q.id) > (SELECT z.at, z.id FROM quarantine z WHERE z.id = ` + argOf(args, f.After) + `)`
	}
	return where
}

// quarantineKeys are the first n rows behind the filter's place, whoever reaches them;
// more says that there are as many.
func (db *DB) quarantineKeys(ctx context.Context, f QuarantineQuery, n int) (keys []quarantineKey, more bool, err error) {
	var args []any
	rest := f.rest(&args)
	order := ` ORDER BY q.at, q.id LIMIT ` + argOf(&args, n)
	var q string
	if f.Faults == nil {
		q = `SELECT q.at, q.id FROM quarantine q WHERE q.state = ` + argOf(&args, f.State) + rest + order
	} else {
		// Of each fault the first rows of its own index; a row may have several.
		each := make([]string, len(f.Faults))
		for i, x := range f.Faults {
			each[i] = `SELECT * FROM (SELECT q.at, q.id FROM quarantine_fault q WHERE q.fault = ` + argOf(&args, x) + rest + order + `) AS f` + strconv.Itoa(i)
		}
		q = `SELECT q.at, q.id FROM (` + strings.Join(each, ` UNION `) + `) AS q` + order
	}
	err = db.view(ctx, q, args, func(r *sql.Rows) error {
		var k quarantineKey
		err := r.Scan(&k.at, &k.id)
		keys = append(keys, k)
		return err
	})
	return keys, len(keys) == n, err
}
