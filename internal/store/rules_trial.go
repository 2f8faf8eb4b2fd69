package store

import (
	"context"
	"fmt"
)

// rulesMark holds an entity type back whose rules have changed: rulesNew until
// what that does is worked out, then the trial that a person decides on.
func rulesMark(entity string) string { return "changed/" + entity }

const rulesNew = "new"

// RulesTrial says whether an entity type is held back because its rules have
// changed, and by which trial: "" before there is one.
func (db *DB) RulesTrial(ctx context.Context, entity string) (trial string, held bool, err error) {
	mark, err := db.Setting(ctx, rulesMark(entity))
	if err != nil {
		return "", false, fmt.Errorf("rules of %s: %w", entity, err)
	}
	if mark == rulesNew {
		return "", true, nil
	}
	return mark, mark != "", nil
}

// HoldRules has an entity type wait for a trial, unless its rules have changed
// again meanwhile.
func (db *DB) HoldRules(ctx context.Context, entity, trial string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		mark, err := tx.setting(ctx, rulesMark(entity))
		if err != nil || mark != rulesNew {
			return err
		}
		return tx.setSetting(ctx, rulesMark(entity), trial)
	})
}

// LetRules lets an entity type whose rules have changed be resolved by them.
func (db *DB) LetRules(ctx context.Context, entity string) error {
	return db.SetSetting(ctx, rulesMark(entity), "")
}

// TakeRules lets an entity type be resolved by changed rules, as a person wants.
// It says false if the rules have changed again, or the trial is at work.
func (db *DB) TakeRules(ctx context.Context, id string, a Activation) (taken bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		mark, err := tx.setting(ctx, rulesMark(a.Entity))
		if err != nil || mark != id {
			return err
		}
		state := ""
		if _, err := tx.one(ctx, `SELECT state FROM trial WHERE id = $1`+tx.db.d.lock, []any{id}, &state); err != nil || state != TrialReady && state != TrialFailed {
			return err
		}
		if err := tx.setSetting(ctx, rulesMark(a.Entity), ""); err != nil {
			return err
		}
		taken = true
		return tx.judgeTrial(ctx, id, TrialTaken, a.Who, a.Why, 0)
	})
	if err != nil {
		return false, fmt.Errorf("take trial %s: %w", id, err)
	}
	return taken, nil
}
