package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ReachScope is a part of the customers, as the configuration in force says it.
type ReachScope struct {
	Hash string // of what it says: another hash is another scope
	// Holds says whether a golden record is in it; sources are the uids of its
	// members' sources, sorted. It is asked again only when the golden record
	// changes.
	Holds func(entity string, fields []byte, sources []string) bool
}

// Reach is the scopes that somebody reaches, by their numbers: nil for all
// customers, and none of them for no customer.
type Reach []int64

// within is the condition that the golden record with this founder is reached;
// "" for all.
func (r Reach) within(founder string) string {
	if r == nil {
		return ""
	}
	if len(r) == 0 {
		return "1 = 0"
	}
	return "EXISTS (SELECT 1 FROM reach WHERE reach.founder = " + founder + " AND reach.scope IN (" + r.list() + "))"
}

// list is the numbers as a list in SQL; 0 is no scope's.
func (r Reach) list() string {
	ids := []string{"0"}
	for _, id := range r {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return strings.Join(ids, ", ")
}

// and is within behind other conditions.
func (r Reach) and(founder string) string { return behind(r.within(founder)) }

// behind puts a condition behind others; "" is none.
func behind(where string) string {
	if where == "" {
		return ""
	}
	return " AND " + where
}

// States of a scope.
const (
	scopeFilling = "filling"
	scopeWhole   = "whole"
	scopeLeaving = "leaving"
)

// SetReach says which scopes are kept from now on. Call it before anything is
// published; FillReach makes them whole.
func (db *DB) SetReach(ctx context.Context, scopes []ReachScope) error {
	db.reach = nil
	err := db.inTx(ctx, func(tx *Tx) error {
		known := map[string]int64{}
		state := map[string]string{}
		last := int64(0)
		err := tx.query(ctx, `SELECT id, hash, state FROM reach_scope ORDER BY id`, nil, func(r *sql.Rows) error {
			var id int64
			var hash, s string
			err := r.Scan(&id, &hash, &s)
			known[hash], state[hash], last = id, s, id
			return err
		})
		if err != nil {
			return err
		}
		ids := make([]int64, len(scopes))
		for i, s := range scopes {
			id, ok := known[s.Hash]
			if !ok {
				last++
				id = last
				if _, err := tx.exec(ctx, `INSERT INTO reach_scope (id, hash, state, upto) VALUES ($1, $2, $3, 0)`, id, s.Hash, scopeFilling); err != nil {
					return err
				}
			} else if state[s.Hash] == scopeLeaving {
				// What is left of it was not kept up: it is filled from the beginning.
				if _, err := tx.exec(ctx, `UPDATE reach_scope SET state = $2, upto = 0 WHERE id = $1`, id, scopeFilling); err != nil {
					return err
				}
			}
			ids[i] = id
			delete(known, s.Hash)
		}
		for _, id := range known {
			if _, err := tx.exec(ctx, `UPDATE reach_scope SET state = $2 WHERE id = $1`, id, scopeLeaving); err != nil {
				return err
			}
		}
		db.reach = make([]keptScope, len(scopes))
		for i, s := range scopes {
			db.reach[i] = keptScope{ids[i], s}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("scopes: %w", err)
	}
	return nil
}

// keptScope is a scope with its number.
type keptScope struct {
	id int64
	ReachScope
}

// saveReach keeps which scopes reach golden records, with what is published of
// them. Where there are no scopes it asks the database nothing.
func (tx *LinkTx) saveReach(ctx context.Context, changes []GoldenChange) error {
	if len(tx.db.reach) == 0 || len(changes) == 0 {
		return nil
	}
	var founders []int64
	var rows [][]any
	for _, c := range changes {
		if !tx.Untouched {
			founders = append(founders, c.Founder)
		}
		if c.Entity == "" {
			continue // gone
		}
		for _, s := range tx.db.reach {
			if s.Holds(c.Entity, c.Fields, c.Search.Sources) {
				rows = append(rows, []any{s.id, c.Founder})
			}
		}
	}
	if err := execIn(ctx, tx.Tx, `DELETE FROM reach WHERE founder IN $LIST`, founders); err != nil {
		return fmt.Errorf("scopes: %w", err)
	}
	if err := tx.insert(ctx, `INSERT INTO reach (scope, founder)`, `ON CONFLICT (scope, founder) DO NOTHING`, rows); err != nil {
		return fmt.Errorf("scopes: %w", err)
	}
	return nil
}

// fillReach and dropReach are how many rows one transaction fills, or takes away.
const (
	fillReach = 500
	dropReach = 5000
)

// FillReach makes the scopes whole that are not yet, and takes away what is left
// of those that are gone. It goes on where it was interrupted. Nothing else may
// publish meanwhile.
func (db *DB) FillReach(ctx context.Context) error {
	var upto []int64 // of those that are filling
	leaving := []int64{}
	err := db.view(ctx, `SELECT id, state, upto FROM reach_scope WHERE state <> $1 ORDER BY id`, []any{scopeWhole}, func(r *sql.Rows) error {
		var id, at int64
		var state string
		err := r.Scan(&id, &state, &at)
		if state == scopeLeaving {
			leaving = append(leaving, id)
		} else {
			upto = append(upto, at)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("fill scopes: %w", err)
	}
	if len(upto) > 0 {
		if err := db.fillScopes(ctx, slices.Min(upto)); err != nil {
			return fmt.Errorf("fill scopes: %w", err)
		}
	}
	for _, id := range leaving {
		if err := db.dropScope(ctx, id); err != nil {
			return fmt.Errorf("drop scope: %w", err)
		}
	}
	return nil
}

func (db *DB) fillScopes(ctx context.Context, after int64) error {
	for {
		list, err := db.GoldenList(ctx, GoldenFilter{After: after, Limit: fillReach, All: true})
		if err != nil {
			return err
		}
		founders := make([]int64, len(list))
		for i, g := range list {
			founders[i] = g.Founder
		}
		members, err := db.MembersOf(ctx, founders)
		if err != nil {
			return err
		}
		changes := make([]GoldenChange, len(list))
		for i, g := range list {
			changes[i].Golden = g
			for _, m := range members[g.Founder] {
				changes[i].Search.Sources = append(changes[i].Search.Sources, m.Ref.Source)
			}
			slices.Sort(changes[i].Search.Sources)
			after = g.Founder
		}
		err = db.Link(ctx, func(tx *LinkTx) error {
			if err := tx.saveReach(ctx, changes); err != nil {
				return err
			}
			if len(list) == fillReach {
				_, err := tx.exec(ctx, `UPDATE reach_scope SET upto = $2 WHERE state = $1 AND upto < $2`, scopeFilling, after)
				return err
			}
			_, err := tx.exec(ctx, `UPDATE reach_scope SET state = $2 WHERE state = $1`, scopeFilling, scopeWhole)
			return err
		})
		if err != nil || len(list) < fillReach {
			return err
		}
	}
}

func (db *DB) dropScope(ctx context.Context, id int64) error {
	for {
		n := int64(0)
		err := db.inTx(ctx, func(tx *Tx) (err error) {
			n, err = tx.exec(ctx, `DELETE FROM reach WHERE scope = $1 AND founder IN (SELECT founder FROM reach WHERE scope = $1 ORDER BY founder LIMIT $2)`, id, dropReach)
			if err == nil && n < dropReach {
				_, err = tx.exec(ctx, `DELETE FROM reach_scope WHERE id = $1 AND state = $2`, id, scopeLeaving)
			}
			return err
		})
		if err != nil || n < dropReach {
			return err
		}
	}
}

// ReachOf finds the numbers of the scopes with these hashes that are whole; the
// others reach nobody yet.
func (db *DB) ReachOf(ctx context.Context, hashes []string) (Reach, error) {
	out := Reach{}
	err := viewIn(ctx, db, `SELECT id FROM reach_scope WHERE state = $X1 AND hash IN $LIST`, hashes, func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		out = append(out, id)
		return err
	}, scopeWhole)
	if err != nil {
		return nil, fmt.Errorf("scopes: %w", err)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Reached says which of these golden records, by founder, are reached.
func (db *DB) Reached(ctx context.Context, r Reach, founders []int64) (map[int64]bool, error) {
	out := make(map[int64]bool, len(founders))
	if r == nil {
		for _, f := range founders {
			out[f] = true
		}
		return out, nil
	}
	if len(r) == 0 {
		return out, nil
	}
	err := viewIn(ctx, db, `SELECT founder FROM golden WHERE founder IN $LIST`+r.and("golden.founder"), founders, func(rows *sql.Rows) error {
		var f int64
		err := rows.Scan(&f)
		out[f] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("who is in reach: %w", err)
	}
	return out, nil
}
