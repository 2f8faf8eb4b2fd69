package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Model is one version of a match model. It never changes.
type Model struct {
	Entity, Version string
	Body            string // as matching writes it
	Figures         string // what was measured while it was fitted, as JSON; "" for a built-in one
	At              string
	Who             string // had it fitted; "" for a built-in one
	Active          bool
}

// ActiveModel reads the active match model of an entity type; "" when there is
// none yet. Generation counts the activations: 0 before the first.
func (db *DB) ActiveModel(ctx context.Context, entity string) (body string, generation int64, err error) {
	// One statement: body and generation belong together.
	err = db.view(ctx, `SELECT body, (SELECT COALESCE(max(generation), 0) FROM activation WHERE entity = $1) FROM model WHERE entity = $1 AND active = 1`,
		[]any{entity}, func(r *sql.Rows) error { return r.Scan(&body, &generation) })
	if err != nil {
		return "", 0, fmt.Errorf("read match model of %s: %w", entity, err)
	}
	return body, generation, nil
}

// Generation counts the activations of an entity type's models.
func (db *DB) Generation(ctx context.Context, entity string) (generation int64, err error) {
	err = db.view(ctx, generationQuery, []any{entity}, func(r *sql.Rows) error { return r.Scan(&generation) })
	if err != nil {
		return 0, fmt.Errorf("which match model of %s is in force: %w", entity, err)
	}
	return generation, nil
}

const generationQuery = `SELECT COALESCE(max(generation), 0) FROM activation WHERE entity = $1`

// Generation is that of DB, within the transaction that links.
func (tx *LinkTx) Generation(ctx context.Context, entity string) (generation int64, err error) {
	_, err = tx.one(ctx, generationQuery, []any{entity}, &generation)
	return generation, err
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
		if err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who: self, what: "model.kept", subject: entity + "/" + version}})
	})
	if err != nil {
		return fmt.Errorf("save match model of %s: %w", entity, err)
	}
	return nil
}

// SaveFitted keeps a model that was fitted, as a candidate; fitted is false when
// the same one is there already.
func (db *DB) SaveFitted(ctx context.Context, m Model, who string) (fitted bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `INSERT INTO model (entity, version, body, figures, active, at, who) VALUES ($1, $2, $3, $4, 0, $5, $6)
			ON CONFLICT (entity, version) DO NOTHING`, m.Entity, m.Version, m.Body, m.Figures, tx.now, who)
		if err != nil || n == 0 {
			return err
		}
		fitted = true
		return tx.audit(ctx, []auditEntry{{who: who, what: "model.fitted", subject: m.Entity + "/" + m.Version}})
	})
	if err != nil {
		return false, fmt.Errorf("save match model of %s: %w", m.Entity, err)
	}
	return fitted, nil
}

// Models lists the models of an entity type, or of all for "", oldest first.
func (db *DB) Models(ctx context.Context, entity string) (list []Model, err error) {
	err = db.view(ctx, `SELECT entity, version, body, figures, active, at, who FROM model WHERE $1 = '' OR entity = $1 ORDER BY entity, at, version`, []any{entity}, func(r *sql.Rows) error {
		var m Model
		var active int
		err := r.Scan(&m.Entity, &m.Version, &m.Body, &m.Figures, &active, &m.At, &m.Who)
		m.Active = active == 1
		list = append(list, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list match models: %w", err)
	}
	return list, nil
}

// ActivateModel puts a model in force: in one transaction it becomes the active
// one, a new generation begins, and every record of the entity type waits to be
// weighed by it. What is cut short afterwards goes on with the backlog. Until
// EndActivation the entity type counts as being switched. Thresholds stay as they
// are. It says false, and does nothing, if the model is in force already.
func (db *DB) ActivateModel(ctx context.Context, entity, version, who, why string) (switched bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		generation, err := tx.activate(ctx, Activation{Entity: entity, Version: version, Who: who, Why: why}, true)
		switched = generation > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("activate match model: %w", err)
	}
	return switched, nil
}

func activatingMark(entity string) string { return "activating/" + entity }

// Activating says whether an entity type is being switched to another model: not
// every record has been weighed by it yet.
func (db *DB) Activating(ctx context.Context, entity string) (bool, error) {
	version, err := db.Setting(ctx, activatingMark(entity))
	if err != nil {
		return false, fmt.Errorf("match model of %s: %w", entity, err)
	}
	return version != "", nil
}

// EndActivation ends the switch of an entity type if none of its records waits,
// and says whether it did.
func (db *DB) EndActivation(ctx context.Context, entity string) (ended bool, err error) {
	if on, err := db.Activating(ctx, entity); err != nil || !on {
		return false, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		n, err := tx.exec(ctx, `UPDATE setting SET value = '' WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM backlog WHERE entity = $2)`, activatingMark(entity), entity)
		ended = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("match model of %s: %w", entity, err)
	}
	return ended, nil
}

// EachFeatures calls fn for the features of every record of an entity type that
// has any in force, page by page.
func (db *DB) EachFeatures(ctx context.Context, entity string, fn func(rec int64, features []byte) error) error {
	const page = 2000
	for after, more := int64(0), true; more; {
		n := 0
		err := db.view(ctx, `SELECT rec, features FROM feature WHERE entity = $1 AND version > 0 AND rec > $2 ORDER BY rec LIMIT $3`, []any{entity, after, page}, func(r *sql.Rows) error {
			var features []byte
			if err := r.Scan(&after, &features); err != nil {
				return err
			}
			n++
			return fn(after, features)
		})
		if err != nil {
			return fmt.Errorf("read features of %s: %w", entity, err)
		}
		more = n == page
	}
	return nil
}

// Audited counts the audit entries of an act and its only subject.
func (db *DB) Audited(ctx context.Context, what, subject string) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM audit WHERE what = $1 AND subject = $2 AND more = ''`, []any{what, subject}, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}
