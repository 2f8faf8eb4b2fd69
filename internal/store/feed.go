package store

import (
	"context"
	"database/sql"
	"fmt"
)

// The kinds of changes in the feed.
const (
	FeedSaved  = "saved"  // published anew
	FeedMerged = "merged" // its founder belongs to another golden record now
	FeedGone   = "gone"   // no live member is left
)

// Fed is the latest change of one golden id.
type Fed struct {
	Seq    int64
	ID     string
	Entity string
	Kind   string
	At     string
}

// feed puts changes at the end of the feed. Its counter stays locked until the
// transaction ends: numbers are in commit order, so that no reader passes one
// that appears later. The landing lock comes first, as everywhere: who holds it
// and wants the counter must not meet who holds the counter and wants the lock.
func (tx *LinkTx) feed(ctx context.Context, list []Golden, kind func(Golden) string) error {
	if len(list) == 0 {
		return nil
	}
	if err := tx.lockFacts(ctx); err != nil {
		return err
	}
	last, err := tx.nextFed(ctx, len(list))
	if err != nil {
		return fmt.Errorf("take feed numbers: %w", err)
	}
	rows := make([][]any, len(list))
	for i, g := range list {
		rows[i] = []any{g.Founder, last - int64(len(list)-1-i), g.ID, g.Entity, kind(g), tx.now}
	}
	err = tx.insert(ctx, `INSERT INTO feed (founder, seq, id, entity, kind, at)`,
		`ON CONFLICT (founder) DO UPDATE SET seq = excluded.seq, kind = excluded.kind, at = excluded.at`, rows)
	if err != nil {
		return fmt.Errorf("change feed: %w", err)
	}
	return nil
}

// feedLooked is how many changes are looked at for who reaches some customers alone.
const feedLooked = 20_000

// Feed lists the latest change of each golden id that is reached, behind a number,
// in the order in which they were committed; of one entity type, or of all ("").
// Upto is the last that was looked at. Of a golden id whose founder has gone into
// another one the other one counts.
func (db *DB) Feed(ctx context.Context, entity string, reach Reach, after int64, limit int) (list []Fed, upto int64, err error) {
	look := limit
	if reach != nil {
		look = feedLooked
	}
	upto = after
	err = db.view(ctx, `SELECT seq, id, entity, kind, at, CASE WHEN 1 = 1`+behind(reach.of("f.founder"))+` THEN 1 ELSE 0 END FROM
		(SELECT * FROM feed WHERE seq > $1 AND ($2 = '' OR entity = $2) ORDER BY seq LIMIT $3) f ORDER BY seq`, []any{after, entity, look}, func(r *sql.Rows) error {
		var f Fed
		var in bool
		if err := r.Scan(&f.Seq, &f.ID, &f.Entity, &f.Kind, &f.At, &in); err != nil || len(list) == limit {
			return err
		}
		if upto = f.Seq; in {
			list = append(list, f)
		}
		return nil
	})
	if err != nil {
		return nil, after, fmt.Errorf("read the change feed: %w", err)
	}
	return list, upto, nil
}
