package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// Kept is the part of the store where connectors keep small secrets.
type Kept struct{ db *DB }

// Kept gives that part.
func (db *DB) Kept() Kept { return Kept{db} }

// Load reads a small secret that was kept under a name; nil if none ever was.
func (k Kept) Load(ctx context.Context, name string) ([]byte, error) {
	var sealed, salt []byte
	err := k.db.view(ctx, `SELECT value, salt FROM kept WHERE name = $1`, []any{name}, func(r *sql.Rows) error { return r.Scan(&sealed, &salt) })
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	if len(sealed) == 0 {
		return nil, nil
	}
	value, err := k.db.vault.Open(salt, sealed)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return value, nil
}

// Save keeps a small secret under a name, sealed, in place of what was there.
func (k Kept) Save(ctx context.Context, name string, value []byte) error {
	salt := make([]byte, seal.SaltSize)
	k.db.env.Rand(salt)
	sealed, err := k.db.vault.Seal(salt, "kept", value)
	if err != nil {
		return fmt.Errorf("save %s: %w", name, err)
	}
	err = k.db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO kept (name, value, salt, at, claimed_by, claimed_until) VALUES ($1, $2, $3, $4, '', '')
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, salt = excluded.salt, at = excluded.at`, name, sealed, salt, tx.now)
		if err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{self, "secret.kept", name, nil, nil}})
	})
	if err != nil {
		return fmt.Errorf("save %s: %w", name, err)
	}
	return nil
}

// Claim lets one caller at a time, in whatever process, work on a name: ok is
// false while another one has it. A claim ends by release, or after life.
func (k Kept) Claim(ctx context.Context, name string, life time.Duration) (release func(context.Context) error, ok bool, err error) {
	who := k.db.env.ID()
	err = k.db.inTx(ctx, func(tx *Tx) error {
		now, err := record.ParseTime(tx.now)
		if err != nil {
			return err
		}
		n, err := tx.exec(ctx, `INSERT INTO kept (name, value, salt, at, claimed_by, claimed_until) VALUES ($1, $2, $2, $3, $4, $5)
			ON CONFLICT (name) DO UPDATE SET claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
			WHERE kept.claimed_until <= $3`, name, []byte{}, tx.now, who, formatTime(now.Add(life)))
		ok = n > 0
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("claim %s: %w", name, err)
	}
	release = func(ctx context.Context) error {
		err := k.db.inTx(ctx, func(tx *Tx) error {
			_, err := tx.exec(ctx, `UPDATE kept SET claimed_by = '', claimed_until = '' WHERE name = $1 AND claimed_by = $2`, name, who)
			return err
		})
		if err != nil {
			return fmt.Errorf("release %s: %w", name, err)
		}
		return nil
	}
	return release, ok, nil
}
