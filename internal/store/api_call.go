package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// Call is a request that carried an idempotency key.
type Call struct {
	Same   bool // what is asked now is what was asked then
	Status int  // of the answer; 0 while it is under way
	Body   []byte
}

// BeginCall takes an idempotency key, a hash of who asks and of their key, for a
// request. A key that is taken gives what became of it; one older than life, or
// under way for longer than stuck, is free again.
func (db *DB) BeginCall(ctx context.Context, key string, request []byte, life, stuck time.Duration) (call Call, taken bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		now, err := record.ParseTime(tx.now)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `DELETE FROM api_call WHERE at < $1 OR (key = $2 AND status = 0 AND at < $3)`, record.FormatTime(now.Add(-life)), key, record.FormatTime(now.Add(-stuck)))
		if err != nil {
			return err
		}
		salt := make([]byte, seal.SaltSize)
		db.env.Rand(salt)
		n, err := tx.exec(ctx, `INSERT INTO api_call (key, request, at, status, body, salt) VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (key) DO NOTHING`,
			key, request, tx.now, []byte{}, salt)
		if err != nil || n == 1 {
			return err
		}
		taken = true
		var was, body []byte
		if _, err := tx.one(ctx, `SELECT request, status, body, salt FROM api_call WHERE key = $1`, []any{key}, &was, &call.Status, &body, &salt); err != nil {
			return err
		}
		call.Same = bytes.Equal(was, request)
		if call.Status != 0 {
			call.Body, err = db.vault.Open(salt, body)
		}
		return err
	})
	if err != nil {
		return Call{}, false, fmt.Errorf("take an idempotency key: %w", err)
	}
	return call, taken, nil
}

// EndCall keeps the answer to a request, sealed.
func (db *DB) EndCall(ctx context.Context, key string, status int, body []byte) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		var salt []byte
		found, err := tx.one(ctx, `SELECT salt FROM api_call WHERE key = $1`, []any{key}, &salt)
		if err != nil || !found {
			return err
		}
		sealed, err := db.vault.Seal(salt, "api_call", body)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `UPDATE api_call SET status = $2, body = $3 WHERE key = $1`, key, status, sealed)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	return nil
}

// DropCall frees a key whose request came to nothing.
func (db *DB) DropCall(ctx context.Context, key string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `DELETE FROM api_call WHERE key = $1 AND status = 0`, key)
		return err
	})
}
