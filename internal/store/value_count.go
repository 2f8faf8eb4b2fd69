package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"touchstone/internal/seal"
)

// ValueCount is what was counted of the values of a field, and whether it is
// being counted anew.
type ValueCount struct {
	Entity, Field string
	Asked         string // since when a count is wanted; "" when none is
	Done, Whole   int    // records, of the count under way
	Problem       string // why the last one failed
	At            string // as of when Body is; "" before the first
	Took          time.Duration
	Maps          string // MapsMark of then
	Body          []byte // of whoever counted; kept sealed
}

// MapsMark names the decisions on values of an entity type that are in force:
// while it stays the same, so do they.
func (db *DB) MapsMark(ctx context.Context, entity string) (string, error) {
	return db.Setting(ctx, valuesMark(entity))
}

// LiveRecords is how many source records of an entity type there are that are
// not deleted.
func (db *DB) LiveRecords(ctx context.Context, entity string) (n int, err error) {
	kept, err := db.tallies(ctx, tallyRecords)
	for _, t := range kept {
		if t.b == entity {
			n += t.n - t.m
		}
	}
	return n, err
}

const valueCountQuery = `SELECT asked, done, whole, problem, at, took, maps, salt, sealed FROM value_count WHERE entity = $1 AND field = $2`

// ValueCount reads what was counted of a field; nothing of one that never was.
func (db *DB) ValueCount(ctx context.Context, entity, field string) (ValueCount, error) {
	c := ValueCount{Entity: entity, Field: field}
	err := db.view(ctx, valueCountQuery, []any{entity, field}, func(r *sql.Rows) error {
		var took int64
		var salt, sealed []byte
		if err := r.Scan(&c.Asked, &c.Done, &c.Whole, &c.Problem, &c.At, &took, &c.Maps, &salt, &sealed); err != nil {
			return err
		}
		c.Took = time.Duration(took) * time.Millisecond
		if c.At == "" {
			return nil
		}
		var err error
		c.Body, err = db.vault.Open(salt, sealed)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("counted values: %w", err)
	}
	return c, nil
}

// ValueCountsAsked lists the counts that are wanted, the one that waits longest
// first, without what was counted before.
func (db *DB) ValueCountsAsked(ctx context.Context) (list []ValueCount, err error) {
	err = db.view(ctx, `SELECT entity, field, asked, done, whole FROM value_count WHERE asked <> '' ORDER BY asked, entity, field`, nil, func(r *sql.Rows) error {
		var c ValueCount
		err := r.Scan(&c.Entity, &c.Field, &c.Asked, &c.Done, &c.Whole)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counts of values that are wanted: %w", err)
	}
	return list, nil
}

// AskValueCount has the values of a field counted anew; asked for again meanwhile,
// nothing changes.
func (db *DB) AskValueCount(ctx context.Context, entity, field string, whole int) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO value_count (entity, field, asked, done, whole, problem, at, took, maps, salt, sealed) VALUES ($1, $2, $3, 0, $4, '', '', 0, '', $5, $5)
			ON CONFLICT (entity, field) DO UPDATE SET asked = excluded.asked, done = 0, whole = excluded.whole, problem = '' WHERE value_count.asked = ''`,
			entity, field, tx.now, whole, []byte{})
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for a count of values: %w", err)
	}
	return nil
}

// NoteValueCount keeps how far a count is.
func (db *DB) NoteValueCount(ctx context.Context, entity, field string, done int) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE value_count SET done = $3 WHERE entity = $1 AND field = $2`, entity, field, done)
		return err
	})
	if err != nil {
		return fmt.Errorf("counting values: %w", err)
	}
	return nil
}

// EndValueCount keeps what was counted, or with Problem why it could not be: then
// what was counted before stays.
func (db *DB) EndValueCount(ctx context.Context, c ValueCount) error {
	salt := make([]byte, seal.SaltSize)
	db.env.Rand(salt)
	sealed, err := db.vault.Seal(salt, "value_count", c.Body)
	if err != nil {
		return fmt.Errorf("seal counted values: %w", err)
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		if c.Problem != "" {
			_, err := tx.exec(ctx, `UPDATE value_count SET asked = '', problem = $3 WHERE entity = $1 AND field = $2`, c.Entity, c.Field, c.Problem)
			return err
		}
		n, err := tx.exec(ctx, `UPDATE value_count SET asked = '', problem = '', at = $3, took = $4, maps = $5, salt = $6, sealed = $7 WHERE entity = $1 AND field = $2`,
			c.Entity, c.Field, c.At, c.Took.Milliseconds(), c.Maps, salt, sealed)
		if err == nil && n == 0 {
			err = errors.New("nobody asked for it")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep counted values: %w", err)
	}
	return nil
}
