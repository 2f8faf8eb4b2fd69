package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"touchstone/internal/record"
)

type rowScan = func(*sql.Rows) error

func (tx *Tx) setting(ctx context.Context, name string) (value string, err error) {
	_, err = tx.one(ctx, `SELECT value FROM setting WHERE name = $1`, []any{name}, &value)
	return value, err
}

func (tx *Tx) setSetting(ctx context.Context, name, value string) error {
	_, err := tx.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// Setting reads one named value of progress; "" when it was never set. It waits
// for no writer.
func (db *DB) Setting(ctx context.Context, name string) (value string, err error) {
	err = db.view(ctx, `SELECT value FROM setting WHERE name = $1`, []any{name}, func(r *sql.Rows) error { return r.Scan(&value) })
	return value, err
}

// SetSetting keeps one named value of progress.
func (db *DB) SetSetting(ctx context.Context, name, value string) error {
	return db.inTx(ctx, func(tx *Tx) error { return tx.setSetting(ctx, name, value) })
}

// SourceUID gives the uid of the source with one of these earlier names, or
// with this name, and remembers the new name. A new source is given a uid. An
// earlier name goes first: a source that was renamed without saying so got a
// uid of its own, and saying so afterwards has to find the records again.
func (db *DB) SourceUID(ctx context.Context, name string, was []string) (uid string, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		for _, n := range append(slices.Clone(was), name) {
			found, err := tx.one(ctx, `SELECT uid FROM source WHERE name = $1`, []any{n}, &uid)
			if err != nil {
				return err
			}
			if found {
				if _, err := tx.exec(ctx, `UPDATE source SET name = $1 || ' (before ' || $2 || ')' WHERE name = $1 AND uid <> $3`, name, tx.now, uid); err != nil {
					return err
				}
				renamed, err := tx.exec(ctx, `UPDATE source SET name = $1 WHERE uid = $2 AND name <> $1`, name, uid)
				if err != nil || renamed == 0 {
					return err
				}
				return tx.audit(ctx, []auditEntry{{self, "source.renamed", uid, nil, nil}})
			}
		}
		uid = name
		if taken, err := tx.one(ctx, `SELECT uid FROM source WHERE uid = $1`, []any{uid}, new(string)); err != nil {
			return err
		} else if taken {
			uid = name + "-" + db.env.ID()
		}
		if _, err := tx.exec(ctx, `INSERT INTO source (uid, name) VALUES ($1, $2)`, uid, name); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{self, "source.new", uid, nil, nil}})
	})
	if err != nil {
		return "", fmt.Errorf("source %s: %w", name, err)
	}
	return uid, nil
}

// Sources maps each source's uid to its name.
func (db *DB) Sources(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	err := db.view(ctx, `SELECT uid, name FROM source`, nil, func(r *sql.Rows) error {
		var uid, name string
		err := r.Scan(&uid, &name)
		names[uid] = name
		return err
	})
	return names, err
}

// Cursor reads where pulling stopped; nil at first.
func (db *DB) Cursor(ctx context.Context, source, entity string) (cursor []byte, err error) {
	err = db.view(ctx, `SELECT value FROM cursor WHERE source = $1 AND entity = $2`, []any{source, entity},
		func(r *sql.Rows) error { return r.Scan(&cursor) })
	return cursor, err
}

func (tx *Tx) setCursor(ctx context.Context, source, entity string, value []byte) error {
	_, err := tx.exec(ctx, `INSERT INTO cursor (source, entity, value, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (source, entity) DO UPDATE SET value = excluded.value, at = excluded.at`, source, entity, value, tx.now)
	return err
}

// notFound makes the usual error.
func notFound(what, id string) error { return fmt.Errorf("%s %s: %w", what, id, record.ErrNotFound) }

// keyed makes a hash of personal bytes one that nobody can try guesses against
// who has the database and not the installation key. Nothing stays nothing.
func (tx *Tx) keyed(what string, hash []byte) []byte {
	if len(hash) == 0 {
		return nil
	}
	return tx.db.vault.MAC(what, string(hash))[:16]
}

// Keyed is a hash of personal bytes that nobody can try guesses against who has
// the database and not the installation key.
func (db *DB) Keyed(what string, value []byte) []byte {
	return (&Tx{db: db}).keyed(what, value)
}
