package store

import (
	"context"
	"database/sql"
)

// storedLists are the posting lists in the store, as a transaction sees them.
type storedLists struct {
	postings
	tx *Tx
}

func (tx *Tx) storedLists() storedLists { return storedLists{postings{tx.db.d, tx.query}, tx} }

func (storedLists) apply(*keyDelta) bool { return true }

func (s storedLists) lengths(ctx context.Context, lists []Key, stop int) (map[Key]int, error) {
	where, columns := `b.key = k.column1`, `k.column1, 0`
	if lists[0].Fine != 0 {
		where, columns = where+` AND b.fine = k.column2`, `k.column1, k.column2`
	}
	rows := make([][]any, len(lists))
	for i, k := range lists {
		rows[i] = []any{int64(k.Coarse), int64(k.Fine)}
	}
	n := make(map[Key]int, len(lists))
	q := `SELECT ` + columns + `, (SELECT count(*) FROM (SELECT DISTINCT rec FROM (SELECT rec FROM blocking_key b WHERE ` + where + ` LIMIT $X2) AS r LIMIT $X1) AS l) FROM (VALUES $ROWS) AS k`
	err := s.tx.eachRowOf(ctx, q, rows, func(r *sql.Rows) error {
		var coarse, fine int64
		var count int
		err := r.Scan(&coarse, &fine, &count)
		n[Key{uint64(coarse), uint64(fine)}] = count
		return err
	}, stop, stop*mostFine)
	return n, err
}

func (s storedLists) holders(ctx context.Context, to []int64, list Key) ([]int64, error) {
	q, args := `SELECT rec FROM blocking_key WHERE key = $1`, []any{int64(list.Coarse)}
	if list.Fine != 0 {
		q, args = q+` AND fine = $2`, append(args, int64(list.Fine))
	}
	err := s.tx.query(ctx, q, args, func(r *sql.Rows) error {
		var rec int64
		err := r.Scan(&rec)
		to = append(to, rec)
		return err
	})
	return to, err
}

// manyNames leaps from name to name and stops one past the line, whatever the length of
// the list; a list with no more rows than names is not looked at.
func (s storedLists) manyNames(ctx context.Context, values []int64, names int) (map[int64]bool, error) {
	lists := make([][]any, len(values))
	for i, v := range values {
		lists[i] = []any{v}
	}
	is := map[int64]bool{}
	// A recursive text cannot repeat a row that stands twice among the values: it
	// would count it twice, so the first column is grouped with DISTINCT.
	err := s.tx.eachRowOf(ctx, `WITH RECURSIVE
		k AS (SELECT DISTINCT v.column1 AS key FROM (VALUES $ROWS) AS v WHERE EXISTS (SELECT 1 FROM blocking_key b WHERE b.key = v.column1 LIMIT 1 OFFSET $X1)),
		leap (key, fine, n) AS (
			SELECT k.key, (SELECT b.fine FROM blocking_key b WHERE b.key = k.key ORDER BY b.fine LIMIT 1), 1 FROM k
			UNION ALL
			SELECT leap.key, (SELECT b.fine FROM blocking_key b WHERE b.key = leap.key AND b.fine > leap.fine ORDER BY b.fine LIMIT 1), leap.n + 1
			FROM leap WHERE leap.fine IS NOT NULL AND leap.n <= $X1)
		SELECT key FROM leap WHERE fine IS NOT NULL AND n > $X1`, lists, intoSet(is), names)
	return is, err
}
