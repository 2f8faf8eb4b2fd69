package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// errRehearsed rolls a rehearsal back.
var errRehearsed = errors.New("only rehearsed")

// Rehearse runs fn in a writing transaction that is never committed: what fn
// decides, links and plans is what would happen, and nothing of it stays. It
// holds the store's writer for as long as fn takes.
//
// It takes the landing lock before those of components, the other way round
// than linking does, so that nothing moves under it. Linking must not be the one
// that loses then: a rehearsal waits for a component only briefly, and begins
// anew.
func (db *DB) Rehearse(ctx context.Context, fn func(*DecideTx, *LinkTx) error) error {
	for try := range rehearsals {
		err := db.rehearse(ctx, fn)
		if !db.d.busy(err) || try == rehearsals-1 {
			return err
		}
		if err := db.env.Clock.Sleep(ctx, rehearsalPause<<try); err != nil {
			return err
		}
	}
	return nil
}

// bounds of a rehearsal that others stand in the way of.
const (
	rehearsals     = 5
	rehearsalPause = 50 * time.Millisecond // doubles
)

func (db *DB) rehearse(ctx context.Context, fn func(*DecideTx, *LinkTx) error) error {
	now, whole := db.env.Clock.Now(), false
	err := db.InTxAt(ctx, now, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		if db.d.brief != "" {
			if _, err := tx.exec(ctx, db.d.brief); err != nil {
				return err
			}
		}
		tx.events = eventCache{}
		if err := fn(&DecideTx{Tx: tx}, &LinkTx{Tx: tx, Now: now}); err != nil {
			return err
		}
		whole = true
		return errRehearsed
	})
	if whole && errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// Mark takes a fact number: what is put on a list later has a greater one.
func (tx *DecideTx) Mark(ctx context.Context) (int64, error) { return tx.nextSeq(ctx, 1) }

// BacklogBehind lists the records of an entity type that were put on the backlog
// behind a fact number, lowest landing number first.
func (tx *LinkTx) BacklogBehind(ctx context.Context, entity string, seq int64) ([]Backlog, error) {
	// Few are behind it among many that wait: no other condition or order is to
	// tempt a planner.
	list, err := readBacklog(ctx, tx.query, `WHERE seq > $1`, seq)
	list = slices.DeleteFunc(list, func(t Backlog) bool { return t.Entity != entity })
	slices.SortFunc(list, func(x, y Backlog) int { return cmp.Compare(x.Rec, y.Rec) })
	return list, err
}

// Stamps gives the stamps with which records wait to be linked.
func (tx *LinkTx) Stamps(ctx context.Context, recs []int64) (map[int64]int64, error) {
	return tx.backlogSeqs(ctx, recs)
}

// Waiting counts those of the records that wait for work since before a fact
// number.
func (tx *LinkTx) Waiting(ctx context.Context, recs []int64, seq int64) (n int, err error) {
	err = eachIn(ctx, tx.Tx, `SELECT count(*) FROM backlog WHERE seq <= $X1 AND rec IN $LIST`, recs, func(r *sql.Rows) error {
		var k int
		err := r.Scan(&k)
		n += k
		return err
	}, seq)
	if err != nil {
		return 0, fmt.Errorf("backlog: %w", err)
	}
	return n, nil
}

// PendingBehind lists the writes planned behind a fact number that wait, in the
// order in which they were planned.
func (tx *LinkTx) PendingBehind(ctx context.Context, seq int64) (list []Row, err error) {
	err = tx.query(ctx, rowColumns+` WHERE o.seq > $1 AND o.state = 'pending' ORDER BY o.seq`, []any{seq}, func(r *sql.Rows) error {
		o, err := tx.db.scanRow(r)
		list = append(list, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("outbox rows: %w", err)
	}
	return list, nil
}

// RowsBySeq loads outbox rows by their fact numbers.
func (tx *LinkTx) RowsBySeq(ctx context.Context, seqs []int64) (list []Row, err error) {
	err = eachIn(ctx, tx.Tx, rowColumns+` WHERE o.seq IN $LIST ORDER BY o.seq`, seqs, func(r *sql.Rows) error {
		o, err := tx.db.scanRow(r)
		list = append(list, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("outbox rows: %w", err)
	}
	return list, nil
}

// SharedNow reads the values of an entity type that more names use, as the
// transaction sees them.
func (tx *LinkTx) SharedNow(ctx context.Context, entity string) (*Shared, error) {
	return sharedAt(ctx, "", nil, entity, tx.query)
}

// Chains numbers records by the chain of must-links in force that they hang in:
// two with the same number are one customer by decision.
func (tx *DecideTx) Chains(ctx context.Context, recs []int64) (map[int64]int, error) {
	near, all, err := tx.mustChains(ctx, recs)
	if err != nil {
		return nil, err
	}
	return chains(near, all), nil
}

// MergesOn lists the merges in force behind a fact number that name one of the
// records, oldest first.
func (tx *DecideTx) MergesOn(ctx context.Context, recs []int64, behind int64) (list []Decision, err error) {
	found := map[string]bool{}
	for _, end := range []string{"a", "b"} {
		err := eachIn(ctx, tx.Tx, `SELECT DISTINCT d.id FROM ruling r JOIN decision d ON d.id = r.decision
			WHERE r.kind = 'must' AND r.withdrawn = '' AND d.seq > $X1 AND d.kind IN ('merge', 'import') AND r.`+end+` IN $LIST`, recs, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			found[id] = true
			return err
		}, behind)
		if err != nil {
			return nil, fmt.Errorf("later merges: %w", err)
		}
	}
	for _, id := range sortedKeys(found) {
		d, err := tx.Decision(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(x, y Decision) int { return cmp.Compare(x.Seq, y.Seq) })
	return list, nil
}

// Follows are what goes with each of some records: the events it has, those of
// them that are consents, relations that lead from it or to it, and pins. Made says
// that it is an object that our own push made.
type Follows struct {
	Events, Consents, Relations, Pins int
	Made                              bool
}

// madeOf are those of some records that are objects which our own pushes made: that
// stays so where they were split off since. The records are the way to them: without a
// decision are nearly all rulings, and SQLite would go by its index.
const madeOf = ` FROM ruling WHERE kind = 'must' AND decision || '' = '' AND who = 'touchstone' AND substr(id, 1, 7) = 'create-' AND b IN $LIST`

// Follows counts what goes with each of the records.
func (tx *Tx) Follows(ctx context.Context, recs []int64) (map[int64]Follows, error) {
	out := map[int64]Follows{}
	count := func(q string, add func(f *Follows, kind string, n int)) error {
		return eachIn(ctx, tx, q, recs, func(r *sql.Rows) error {
			var rec int64
			var kind string
			var n int
			if err := r.Scan(&rec, &kind, &n); err != nil {
				return err
			}
			f := out[rec]
			add(&f, kind, n)
			out[rec] = f
			return nil
		})
	}
	relation := func(f *Follows, _ string, n int) { f.Relations += n }
	event := func(f *Follows, kind string, n int) {
		f.Events += n
		if consentType(kind) {
			f.Consents += n
		}
	}
	events := func() error {
		if tx.events == nil {
			return count(`SELECT o.rec, t.type, count(*) FROM event_of o JOIN event_state t ON t.ev = o.ev WHERE o.rec IN $LIST GROUP BY o.rec, t.type`, event)
		}
		return tx.eachEvent(ctx, recs, func(e *tiedEvent) {
			f := out[e.rec]
			event(&f, e.kind, 1)
			out[e.rec] = f
		})
	}
	err := errors.Join(
		events(),
		count(`SELECT rec, '', count(*) FROM relation WHERE rec IN $LIST GROUP BY rec`, relation),
		count(`SELECT z.rec, '', count(*) FROM source_record z JOIN relation x ON x.source = z.source AND x.entity = z.entity AND x.external_id = z.external_id
			WHERE z.rec IN $LIST GROUP BY z.rec`, relation),
		count(`SELECT x.a, '', count(*) FROM said_relation x JOIN decision d ON d.id = x.decision WHERE d.withdrawn = '' AND x.a IN $LIST GROUP BY x.a`, relation),
		count(`SELECT x.b, '', count(*) FROM said_relation x JOIN decision d ON d.id = x.decision WHERE d.withdrawn = '' AND x.b IN $LIST GROUP BY x.b`, relation),
		count(`SELECT a, '', count(*) FROM ruling WHERE kind = 'pin' AND withdrawn = '' AND a IN $LIST GROUP BY a`, func(f *Follows, _ string, n int) { f.Pins += n }),
		count(`SELECT b, '', count(*)`+madeOf+` GROUP BY b`, func(f *Follows, _ string, _ int) { f.Made = true }),
	)
	if err != nil {
		return nil, fmt.Errorf("what goes with records: %w", err)
	}
	return out, nil
}

// MadeByUs says which records are objects that our own pushes made.
func (db *DB) MadeByUs(ctx context.Context, recs []int64) (map[int64]bool, error) {
	keys, err := keysIn[int64](ctx, db, `SELECT b`+madeOf, recs)
	if err != nil {
		return nil, fmt.Errorf("objects that we made: %w", err)
	}
	return setOf(keys), nil
}

// Sums adds up the amounts of the events of some records, each event once, by
// currency in order.
func (tx *LinkTx) Sums(ctx context.Context, recs []int64) (events, consents int, list []EventSum, err error) {
	seen, sums := map[int64]bool{}, map[string]*EventSum{}
	totals := map[string]*big.Rat{}
	err = tx.eachEvent(ctx, recs, func(e *tiedEvent) {
		if seen[e.ev] {
			return
		}
		seen[e.ev] = true
		events++
		if consentType(e.kind) {
			consents++
		}
		if e.sum != nil {
			if sums[e.currency] == nil {
				sums[e.currency], totals[e.currency] = &EventSum{Currency: e.currency}, new(big.Rat)
			}
			sums[e.currency].Events++
			totals[e.currency].Add(totals[e.currency], e.sum)
		}
	})
	if err != nil {
		return 0, 0, nil, fmt.Errorf("sums of events: %w", err)
	}
	for _, c := range sortedKeys(sums) {
		sums[c].Sum = exact(totals[c])
		list = append(list, *sums[c])
	}
	return events, consents, list, nil
}

// EventSum is the sum of the events in one currency.
type EventSum struct {
	Currency, Sum string
	Events        int
}

// Made gives the objects in targets that our own pushes made for some records,
// as far as that fact is in force.
func (tx *DecideTx) Made(ctx context.Context, recs []int64) ([]int64, error) {
	return tx.facts(ctx, recs, `SELECT o.rec FROM outbox o JOIN ruling r ON r.id = 'create-' || CAST(o.seq AS TEXT)
		WHERE r.withdrawn = '' AND o.rec > 0 AND o.founder IN $LIST`)
}

// Tied gives the records that facts of our own pushes tie to some records: the
// objects that were made for them in targets, and the records that objects were
// made for.
func (tx *DecideTx) Tied(ctx context.Context, recs []int64) ([]int64, error) {
	return tx.facts(ctx, recs, `SELECT b FROM ruling WHERE kind = 'must' AND decision || '' = '' AND who = 'touchstone' AND withdrawn = '' AND a IN $LIST`,
		`SELECT a FROM ruling WHERE kind = 'must' AND decision || '' = '' AND who = 'touchstone' AND withdrawn = '' AND b IN $LIST`)
}

// facts gathers the records that these queries find and that are not among recs.
func (tx *DecideTx) facts(ctx context.Context, recs []int64, queries ...string) (found []int64, err error) {
	for _, q := range queries {
		err := eachIn(ctx, tx.Tx, q, recs, func(r *sql.Rows) error {
			var rec int64
			err := r.Scan(&rec)
			if !slices.Contains(recs, rec) {
				found = append(found, rec)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("objects made for records: %w", err)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
