package store

import (
	"context"
	"database/sql"
	"fmt"
)

// owned is the condition that a golden record is among those that are reached: they
// are looked for from there.
func (r Reach) owned() string {
	return " AND g.founder IN (SELECT reach.founder FROM reach WHERE reach.scope IN (" + r.list() + "))"
}

// OwnersReached is Owners of the customers that are reached.
func (db *DB) OwnersReached(ctx context.Context, r Reach, entity string, n int) (list []OwnerCount, err error) {
	err = db.view(ctx, `SELECT g.owner, count(*) FROM golden g WHERE g.entity = $1 AND g.live > 0`+r.owned()+` GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $2`, []any{entity, n}, func(rows *sql.Rows) error {
		var c OwnerCount
		err := rows.Scan(&c.Owner, &c.Customers)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("owners of %s: %w", entity, err)
	}
	return list, nil
}

// OwnedReached is OwnedBy of the customers that are reached, from the first.
func (db *DB) OwnedReached(ctx context.Context, r Reach, entity, owner, source string, n int) (list []Owned, err error) {
	err = db.view(ctx, `SELECT g.founder, g.id`+ownedQuery+r.owned()+` ORDER BY g.founder LIMIT $5`, []any{entity, 0, source, owner, n}, func(rows *sql.Rows) error {
		var o Owned
		err := rows.Scan(&o.Founder, &o.ID)
		list = append(list, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("customers of an owner: %w", err)
	}
	return list, nil
}

// HandoversReached is Handovers of customers that are all reached.
func (db *DB) HandoversReached(ctx context.Context, w Within, n int) ([]Handover, error) {
	if w.Reach == nil {
		return db.Handovers(ctx, n)
	}
	return db.handovers(ctx, ` WHERE `+w.decision("h.decision")+` ORDER BY d.seq DESC LIMIT $1`, n)
}
