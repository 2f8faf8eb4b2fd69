package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// mostFine bounds how many fine lists of one coarse list a record is on: it has
// no more keys (matching.MaxKeys).
const mostFine = 24

// postingPart bounds the lists that one statement reads, and with them its
// answer.
const postingPart = 1024

// ask runs one reading statement.
type ask func(ctx context.Context, q string, args []any, scan rowScan) error

// postings reads whole lists, many in one statement and each in one row: what
// costs is the number of statements and of rows, not what stands in them.
type postings struct {
	d   *dialect
	ask ask
}

// reader gives the records on each list, sorted, each once, and more than limit
// where there are more. A list is a coarse one where its key has no finer part;
// those of one question are all coarse, or none is.
type reader interface {
	lists(ctx context.Context, lists []Key, limit int) (map[Key][]int64, error)
}

// lister answers all that a publishing asks of posting lists: storedLists of those
// in the store, keptPostings of those in memory.
type lister interface {
	reader
	// rows counts the rows of each list, up to stop. A record may have several.
	rows(ctx context.Context, lists []Key, stop int) ([]int, error)
	// lengths counts the records on lists, each once, up to stop.
	lengths(ctx context.Context, lists []Key, stop int) (map[Key]int, error)
	// holders adds the records on a list.
	holders(ctx context.Context, to []int64, list Key) ([]int64, error)
	// manyNames gives those of the values that more than names different names use.
	manyNames(ctx context.Context, values []int64, names int) (map[int64]bool, error)
	// apply follows a change that stands in the table already; false: it cannot, and
	// is not to be asked any more.
	apply(d *keyDelta) bool
}

// byRule reads the lists of keys by the rule of Publish: the coarse list where
// it has at most limit records, or else the fine one. Recs are sorted, each
// once; of a spilled key there are none. There is one answer for each key. Coarse
// lists that are known already are not read.
func byRule(ctx context.Context, p reader, keys []Key, limit int, known map[uint64][]int64) ([]Posted, error) {
	out := make([]Posted, len(keys))
	lists := make([]Key, 0, len(keys))
	for i, k := range keys {
		out[i].Key = k
		if _, is := known[k.Coarse]; !is {
			lists = append(lists, Key{Coarse: k.Coarse})
		}
	}
	coarse, err := p.lists(ctx, lists, limit)
	if err != nil {
		return nil, err
	}
	lists = lists[:0]
	for i := range out {
		o := &out[i]
		var is bool
		if o.Recs, is = known[o.Key.Coarse]; !is {
			o.Recs = coarse[Key{Coarse: o.Key.Coarse}]
		}
		if o.Long = len(o.Recs) > limit; o.Long && o.Key.Fine != 0 {
			lists = append(lists, o.Key)
		}
	}
	fine, err := p.lists(ctx, lists, limit)
	if err != nil {
		return nil, err
	}
	for i := range out {
		o := &out[i]
		if !o.Long {
			continue
		}
		o.Recs = fine[o.Key]
		if o.Key.Fine == 0 || len(o.Recs) > limit {
			o.Recs, o.Spilled = nil, true
		}
	}
	return out, nil
}

func (p postings) lists(ctx context.Context, lists []Key, limit int) (map[Key][]int64, error) {
	lists = slices.Clone(lists)
	slices.SortFunc(lists, Key.Compare)
	lists = slices.Compact(lists)
	found := make(map[Key][]int64, len(lists))
	var again []Key
	for part := range slices.Chunk(lists, postingPart) {
		err := p.each(ctx, part, limit+1, func(k Key, recs []int64) {
			rows := len(recs)
			slices.Sort(recs)
			if recs = slices.Compact(recs); rows > limit && len(recs) <= limit {
				again = append(again, k) // some stand there under several finer keys
				return
			}
			found[k] = recs
		})
		if err != nil {
			return nil, err
		}
	}
	for part := range slices.Chunk(again, postingPart/mostFine) {
		err := p.each(ctx, part, (limit+1)*mostFine, func(k Key, recs []int64) {
			slices.Sort(recs)
			found[k] = slices.Compact(recs)
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// each gives the records of the first rows of each list.
func (p postings) each(ctx context.Context, lists []Key, stop int, fn func(Key, []int64)) error {
	return p.run(ctx, lists, `SELECT k.n, `+p.d.joined(`SELECT b.rec FROM blocking_key b WHERE $WHERE LIMIT $LIMIT`)+` FROM $KEYS`, stop, func(r *sql.Rows) error {
		var n int
		var text string
		if err := r.Scan(&n, &text); err != nil {
			return err
		}
		recs, err := splitRecs(text)
		if err != nil {
			return err
		}
		fn(lists[n], recs)
		return nil
	})
}

func (p postings) rows(ctx context.Context, lists []Key, stop int) ([]int, error) {
	counts := make([]int, len(lists))
	from := 0
	for part := range slices.Chunk(lists, postingPart) {
		err := p.run(ctx, part, `SELECT k.n, (SELECT count(*) FROM (SELECT 1 FROM blocking_key b WHERE $WHERE LIMIT $LIMIT) AS l) FROM $KEYS`, stop, func(r *sql.Rows) error {
			var n, count int
			err := r.Scan(&n, &count)
			counts[from+n] = count
			return err
		})
		if err != nil {
			return nil, err
		}
		from += len(part)
	}
	return counts, nil
}

// run completes a statement over lists: k.n is the place of a list among them.
func (p postings) run(ctx context.Context, lists []Key, q string, stop int, scan rowScan) error {
	if len(lists) == 0 {
		return nil
	}
	where := `b.key = k.key`
	if lists[0].Fine != 0 {
		where += ` AND b.fine = k.fine`
	}
	var keys string
	var args []any
	if p.d.name == "postgres" {
		coarse, fine := make([]int64, len(lists)), make([]int64, len(lists))
		for i, k := range lists {
			coarse[i], fine[i] = int64(k.Coarse), int64(k.Fine)
		}
		keys, args = `(SELECT u.n - 1 AS n, u.key, u.fine FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS u(key, fine, n)) AS k`, []any{coarse, fine, stop}
		q = strings.Replace(q, "$LIMIT", "$3", 1)
	} else {
		keys = `(SELECT j.key AS n, j.value AS key FROM json_each($1) AS j) AS k`
		if lists[0].Fine != 0 {
			keys = `(SELECT j.key AS n, j.value ->> 0 AS key, j.value ->> 1 AS fine FROM json_each($1) AS j) AS k`
		}
		args = []any{jsonKeys(lists), stop}
		q = strings.Replace(q, "$LIMIT", "$2", 1)
	}
	return p.ask(ctx, strings.NewReplacer("$WHERE", where, "$KEYS", keys).Replace(q), args, scan)
}

// jsonKeys is a list of coarse keys, or of pairs, for json_each.
func jsonKeys(lists []Key) string {
	b := make([]byte, 0, 42*len(lists)+2)
	b = append(b, '[')
	for i, k := range lists {
		if i > 0 {
			b = append(b, ',')
		}
		if k.Fine == 0 {
			b = strconv.AppendInt(b, int64(k.Coarse), 10)
			continue
		}
		b = strconv.AppendInt(append(b, '['), int64(k.Coarse), 10)
		b = strconv.AppendInt(append(b, ','), int64(k.Fine), 10)
		b = append(b, ']')
	}
	return string(append(b, ']'))
}

// joined makes one text of the whole numbers that a query gives.
func (d *dialect) joined(q string) string {
	if d.name == "postgres" {
		return `array_to_string(ARRAY(` + q + `), ',')`
	}
	return `COALESCE((SELECT group_concat(rec) FROM (` + q + `)), '')`
}

// splitRecs reads what joined made.
func splitRecs(text string) ([]int64, error) {
	if text == "" {
		return nil, nil
	}
	recs := make([]int64, 0, strings.Count(text, ",")+1)
	for len(text) > 0 {
		one, rest, _ := strings.Cut(text, ",")
		rec, err := strconv.ParseInt(one, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("a posting list's record: %w", err)
		}
		recs, text = append(recs, rec), rest
	}
	return recs, nil
}
