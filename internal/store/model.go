package store

import (
	"context"
	"database/sql"
	"fmt"
)

// ActiveModel reads the active match model of an entity type; "" when there is
// none yet.
func (db *DB) ActiveModel(ctx context.Context, entity string) (body string, err error) {
	err = db.view(ctx, `SELECT body FROM model WHERE entity = $1 AND active = 1`, []any{entity}, func(r *sql.Rows) error { return r.Scan(&body) })
	if err != nil {
		return "", fmt.Errorf("read match model of %s: %w", entity, err)
	}
	return body, nil
}

// SaveModel keeps a version of a match model, which never changes afterwards.
func (db *DB) SaveModel(ctx context.Context, entity, version, body string, active bool) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		if active {
			if _, err := tx.exec(ctx, `UPDATE model SET active = 0 WHERE entity = $1`, entity); err != nil {
				return err
			}
		}
		_, err := tx.exec(ctx, `INSERT INTO model (entity, version, body, active, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (entity, version) DO UPDATE SET active = excluded.active`, entity, version, body, active, tx.now)
		return err
	})
	if err != nil {
		return fmt.Errorf("save match model of %s: %w", entity, err)
	}
	return nil
}
