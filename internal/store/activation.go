package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// Thresholds are the probabilities from which records are linked and pairs are
// shown to a person; both 0 for those of the configuration.
type Thresholds struct{ Link, Review float64 }

// Activation is a model, with its thresholds, that was put in force.
type Activation struct {
	Entity, Version string
	Generation      int64 // 0 before the first
	Thresholds
	Of           Thresholds // what the configuration said then
	Who, Why, At string
}

// Holding gives the thresholds in force beside a configuration: a configuration
// that has changed since is the newer word.
func (a Activation) Holding(configured Thresholds) Thresholds {
	if a.Thresholds == (Thresholds{}) || a.Of != configured {
		return configured
	}
	return a.Thresholds
}

const activationColumns = `SELECT entity, generation, version, link, review, of_link, of_review, who, why, at FROM activation`

// ActivationAt reads the activation that began a generation; that of generation
// 0 is empty.
func (db *DB) ActivationAt(ctx context.Context, entity string, generation int64) (a Activation, err error) {
	a.Entity = entity
	err = db.view(ctx, activationColumns+` WHERE entity = $1 AND generation = $2`, []any{entity, generation}, scanActivation(func(x Activation) { a = x }))
	if err != nil {
		return a, fmt.Errorf("which thresholds of %s are in force: %w", entity, err)
	}
	return a, nil
}

// Activations lists what was put in force of an entity type, the newest first,
// at most n.
func (db *DB) Activations(ctx context.Context, entity string, n int) (list []Activation, err error) {
	err = db.view(ctx, activationColumns+` WHERE entity = $1 ORDER BY generation DESC LIMIT $2`, []any{entity, n}, scanActivation(func(x Activation) { list = append(list, x) }))
	if err != nil {
		return nil, fmt.Errorf("activations of %s: %w", entity, err)
	}
	return list, nil
}

func scanActivation(into func(Activation)) rowScan {
	return func(r *sql.Rows) error {
		var a Activation
		var link, review, ofLink, ofReview string
		err := r.Scan(&a.Entity, &a.Generation, &a.Version, &link, &review, &ofLink, &ofReview, &a.Who, &a.Why, &a.At)
		if err != nil {
			return err
		}
		for i, into := range []*float64{&a.Link, &a.Review, &a.Of.Link, &a.Of.Review} {
			text := [4]string{link, review, ofLink, ofReview}[i]
			if text == "" {
				continue
			}
			if *into, err = strconv.ParseFloat(text, 64); err != nil {
				return fmt.Errorf("thresholds of generation %d: %w", a.Generation, err)
			}
		}
		into(a)
		return nil
	}
}

func thresholdText(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// activate puts a model with its thresholds in force: it becomes the active one, a
// new generation begins, and every record of the entity type waits to be weighed
// by it. What is cut short afterwards goes on with the backlog. Until
// EndActivation the entity type counts as being switched. It gives 0, and does
// nothing, if both are in force already; with keep the thresholds stay as they
// are.
func (tx *Tx) activate(ctx context.Context, a Activation, keep bool) (generation int64, err error) {
	if err := tx.lockFacts(ctx); err != nil {
		return 0, err
	}
	active := 0
	found, err := tx.one(ctx, `SELECT active FROM model WHERE entity = $1 AND version = $2`+tx.db.d.lock, []any{a.Entity, a.Version}, &active)
	switch {
	case err != nil:
		return 0, err
	case !found:
		return 0, notFound("match model", a.Entity+"/"+a.Version)
	}
	var last Activation
	if err := tx.query(ctx, activationColumns+` WHERE entity = $1 ORDER BY generation DESC LIMIT 1`, []any{a.Entity}, scanActivation(func(x Activation) { last = x })); err != nil {
		return 0, err
	}
	if keep {
		a.Thresholds, a.Of = last.Thresholds, last.Of
	}
	if a.Thresholds == (Thresholds{}) {
		a.Of = Thresholds{}
	}
	if active == 1 && a.Thresholds == last.Thresholds && a.Of == last.Of {
		return 0, nil
	}
	before := ""
	if _, err := tx.one(ctx, `SELECT version FROM model WHERE entity = $1 AND active = 1`, []any{a.Entity}, &before); err != nil {
		return 0, err
	}
	if _, err := tx.exec(ctx, `UPDATE model SET active = CASE WHEN version = $2 THEN 1 ELSE 0 END WHERE entity = $1`, a.Entity, a.Version); err != nil {
		return 0, err
	}
	generation = last.Generation + 1
	if _, err := tx.exec(ctx, `INSERT INTO activation (entity, generation, version, who, why, at, link, review, of_link, of_review) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
		a.Entity, generation, a.Version, a.Who, a.Why, tx.now, thresholdText(a.Link), thresholdText(a.Review), thresholdText(a.Of.Link), thresholdText(a.Of.Review)); err != nil {
		return 0, err
	}
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return 0, err
	}
	if _, err := tx.exec(ctx, `INSERT INTO backlog (rec, stage, entity, seq)
		SELECT rec, 2, entity, CAST($1 AS BIGINT) FROM feature WHERE entity = $2 ON CONFLICT (rec) DO UPDATE SET seq = excluded.seq`, seq, a.Entity); err != nil {
		return 0, err
	}
	if err := tx.setSetting(ctx, activatingMark(a.Entity), a.Version); err != nil {
		return 0, err
	}
	return generation, tx.audit(ctx, []auditEntry{{who: a.Who, what: "model.activated", subject: a.Entity + "/" + a.Version, before: []byte(before + last.said()), after: []byte(a.Version + a.said())}})
}

// said tells thresholds for the audit trail; nothing of those of the
// configuration.
func (a Activation) said() string {
	if a.Thresholds == (Thresholds{}) {
		return ""
	}
	return " " + thresholdText(a.Link) + " " + thresholdText(a.Review)
}
