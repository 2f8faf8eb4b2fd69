package store

import (
	"context"
	"database/sql"
	"fmt"
)

// SavedView is a list that somebody keeps by name.
type SavedView struct{ ID, Name, Query string }

// mostViews bounds the lists that one person keeps of a page.
const mostViews = 50

// SavedViews lists what somebody keeps of a page, by name.
func (db *DB) SavedViews(ctx context.Context, page, who string) (list []SavedView, err error) {
	err = db.view(ctx, `SELECT id, name, query FROM saved_view WHERE page = $1 AND who = $2 ORDER BY name, id LIMIT $3`, []any{page, who, mostViews}, func(r *sql.Rows) error {
		var v SavedView
		err := r.Scan(&v.ID, &v.Name, &v.Query)
		list = append(list, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("saved views: %w", err)
	}
	return list, nil
}

// SaveView keeps a list by name; one of the same name is replaced.
func (db *DB) SaveView(ctx context.Context, page, who string, v SavedView) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `DELETE FROM saved_view WHERE page = $1 AND who = $2 AND name = $3`, page, who, v.Name); err != nil {
			return fmt.Errorf("saved view: %w", err)
		}
		var n int
		if _, err := tx.one(ctx, `SELECT count(*) FROM saved_view WHERE page = $1 AND who = $2`, []any{page, who}, &n); err != nil {
			return fmt.Errorf("saved view: %w", err)
		}
		if n >= mostViews {
			return impossible("%d views are kept already: take one away first", mostViews)
		}
		_, err := tx.exec(ctx, `INSERT INTO saved_view (id, who, page, name, query, at) VALUES ($1,$2,$3,$4,$5,$6)`, "v"+tx.db.env.ID(), who, page, v.Name, v.Query, tx.now)
		if err != nil {
			return fmt.Errorf("saved view: %w", err)
		}
		return nil
	})
}

// DropView forgets a list that somebody keeps.
func (db *DB) DropView(ctx context.Context, id, who string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `DELETE FROM saved_view WHERE id = $1 AND who = $2`, id, who); err != nil {
			return fmt.Errorf("saved view: %w", err)
		}
		return nil
	})
}
