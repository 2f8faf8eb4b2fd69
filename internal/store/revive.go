package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/say"
)

// Retry plans rows again that were refused, in conflict or given up: a person
// has mended what stood in the way. Nothing is sent as it was: the planner looks
// at what stands there now. It gives their number.
func (db *DB) Retry(ctx context.Context, ids []string, who, why string) (int, error) {
	return db.revive(ctx, "", ids, who, why, "retry", []string{Rejected, Conflicted, Dead}, 0)
}

// Drop takes rows out of the queue for good: what they would write is not
// planned again until what we want, or what stands there, is different.
func (db *DB) Drop(ctx context.Context, ids []string, who, why string) (int, error) {
	return db.revive(ctx, "", ids, who, why, "drop", []string{Pending, Rejected, Conflicted, Dead}, 1)
}

// ReviveAs is Retry, or Drop, of rows that are stuck, kept under the id of an act
// so that Unrevive can take it back.
func (db *DB) ReviveAs(ctx context.Context, act string, ids []string, drop bool, who, why string) (int, error) {
	if drop {
		return db.revive(ctx, act, ids, who, why, "drop", []string{Rejected, Conflicted, Dead}, 1)
	}
	return db.revive(ctx, act, ids, who, why, "retry", []string{Rejected, Conflicted, Dead}, 0)
}

func (db *DB) revive(ctx context.Context, act string, ids []string, who, why, what string, from []string, dropped int) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		for _, id := range ids {
			if err := tx.keepRevived(ctx, act, id); err != nil {
				return err
			}
			if err := tx.reviveRow(ctx, id, who, why, what, from, dropped); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}

func (tx *Tx) reviveRow(ctx context.Context, id, who, why, what string, from []string, dropped int) error {
	var r Row
	found, err := tx.one(ctx, `SELECT seq, target, op, founder, rec, state, refusal FROM outbox WHERE id = $1`, []any{id}, &r.Seq, &r.Target, &r.Op, &r.Founder, &r.Rec, &r.State, &r.Refusal)
	switch {
	case err != nil:
		return err
	case !found:
		return notFound("outbox row", id)
	case !slices.Contains(from, r.State):
		return &WrongState{Row: id, State: r.State, Want: from}
	}
	// What was refused is no writing of ours, in whatever state the row ends; a
	// create that may have been applied stays one, to know its object by.
	unapplied := r.State == Rejected || r.State == Conflicted && r.Rec != 0
	note := map[string]string{"retry": "planned again by ", "drop": "dropped by "}[what] + who
	if why != "" {
		note += ": " + why
	}
	_, err = tx.exec(ctx, `UPDATE outbox SET state = 'superseded', settled_at = $1, error = $2, dropped = $3, sent_seq = CASE WHEN $4 = 1 THEN 0 ELSE sent_seq END,
		external_id = CASE WHEN rec = 0 THEN '' ELSE external_id END WHERE seq = $5`, tx.now, note, dropped, unapplied, r.Seq)
	if err != nil {
		return err
	}
	refused, again := []byte{}, r.Founder
	if r.Rec != 0 {
		if dropped == 1 {
			refused = r.Refusal
		}
		again = r.Rec
		_, err = tx.exec(ctx, `INSERT INTO target_state (target, rec, repr, refused) VALUES ($1, $2, $3, $4)
			ON CONFLICT (target, rec) DO UPDATE SET refused = excluded.refused`, r.Target, r.Rec, []byte{}, refused)
		if err != nil {
			return err
		}
	}
	if err := tx.enqueueAgain(ctx, []int64{again}); err != nil {
		return err
	}
	return tx.audit(ctx, []auditEntry{{who, "outbox." + what, id, nil, nil}})
}

// WrongState refuses to revive a row.
type WrongState struct {
	Row, State string
	Want       []string
}

func (w *WrongState) Error() string {
	return w.Told().String()
}

// Told says with which rows it can be done.
func (w *WrongState) Told() say.Text {
	return say.New("row %s is %s; it can be done with rows that are %s", w.Row, say.Word{Group: "row", Name: w.State}, say.Words{Group: "row", Names: w.Want})
}

// ApproveUpto lets a target's rows be sent, up to one that a person saw.
func (db *DB) ApproveUpto(ctx context.Context, target, rules, who, why string, upto int64) error {
	return db.inTx(ctx, func(tx *Tx) error {
		var last int64
		if _, err := tx.one(ctx, `SELECT COALESCE(max(seq), 0) FROM outbox WHERE target = $1`, []any{target}, &last); err != nil {
			return err
		}
		if upto > last {
			return fmt.Errorf("the plan of %s ends with number %d: %w", target, last, errBeyond)
		}
		return tx.approve(ctx, target, rules, who, why, upto)
	})
}

var errBeyond = errors.New("there is no later row to approve")

// keyHashes makes the outbox of a store from before the hashes were keyed like
// one of today: the old hashes are keyed in their place, so that nothing is
// planned or sent again.
func (tx *Tx) keyHashes(ctx context.Context) error {
	const name = "outbox hashes"
	have, err := tx.setting(ctx, name)
	if err != nil || have == "keyed" {
		return err
	}
	for _, c := range []struct{ q, update, what string }{
		{`SELECT seq, '', wanted FROM outbox ORDER BY seq`, `UPDATE outbox SET wanted = $1 WHERE seq = $2`, "wanted"},
		{`SELECT seq, '', refusal FROM outbox ORDER BY seq`, `UPDATE outbox SET refusal = $1 WHERE seq = $2`, "refusal"},
		{`SELECT rec, target, refused FROM target_state ORDER BY rec, target`, `UPDATE target_state SET refused = $1 WHERE rec = $2 AND target = $3`, "refusal"},
	} {
		if err := tx.keyColumn(ctx, c.q, c.update, c.what); err != nil {
			return fmt.Errorf("key the hashes of the outbox: %w", err)
		}
	}
	return tx.setSetting(ctx, name, "keyed")
}

func (tx *Tx) keyColumn(ctx context.Context, q, update, what string) error {
	type old struct {
		n    int64
		name string
		hash []byte
	}
	var list []old
	err := tx.query(ctx, q, nil, func(r *sql.Rows) error {
		var o old
		err := r.Scan(&o.n, &o.name, &o.hash)
		if len(o.hash) > 0 {
			list = append(list, o)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, o := range list {
		args := []any{tx.keyed(what, o.hash), o.n}
		if o.name != "" {
			args = append(args, o.name)
		}
		if _, err := tx.exec(ctx, update, args...); err != nil {
			return err
		}
	}
	return nil
}
