package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/record"
)

// StuckStates are the states of rows that nobody but a person moves on.
func StuckStates() []string { return []string{Conflicted, Rejected, Dead} }

// OpCounts counts a target's rows in a state by whether they change an object or
// make one, and gives the number of the last of them; 0 for none.
func (db *DB) OpCounts(ctx context.Context, target, state string) (creates, updates int, last int64, err error) {
	kept, err := db.tallies(ctx, tallyOutbox)
	if err != nil {
		return 0, 0, 0, err
	}
	for _, t := range kept {
		switch op, _, _ := strings.Cut(t.c, " "); {
		case t.a != target || t.b != state:
		case op == string(record.Update):
			updates += t.n
		default:
			creates += t.n
		}
	}
	err = db.view(ctx, `SELECT COALESCE(max(seq), 0) FROM outbox WHERE target = $1 AND state = $2`, []any{target, state}, func(r *sql.Rows) error { return r.Scan(&last) })
	if err != nil {
		return 0, 0, 0, fmt.Errorf("last row of %s: %w", target, err)
	}
	return creates, updates, last, nil
}

// DeliveredTo lists the updates of objects that were delivered and are reached,
// oldest first.
func (db *DB) DeliveredTo(ctx context.Context, target string, reach Reach, recs []int64) (list []Row, err error) {
	err = viewIn(ctx, db, rowColumns+` WHERE o.target || '' = $X1 AND o.state || '' = 'delivered' AND o.op = 'update' AND o.rec IN $LIST`+reach.write("o")+` ORDER BY o.seq`, recs, func(r *sql.Rows) error {
		o, err := db.scanRow(r)
		list = append(list, o)
		return err
	}, target)
	if err != nil {
		return nil, fmt.Errorf("outbox rows: %w", err)
	}
	slices.SortFunc(list, func(a, b Row) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}

// RowByID reads one row.
func (db *DB) RowByID(ctx context.Context, id string) (Row, error) {
	list, err := db.rows(ctx, `WHERE o.id = $1`, id)
	if err == nil && len(list) == 0 {
		err = notFound("outbox row", id)
	}
	if err != nil {
		return Row{}, err
	}
	return list[0], nil
}

// AtSource is what stands at the source of a record by its current version.
type AtSource struct {
	Raw     []byte
	Stamp   string // the source's own time of it, "" where it gives none
	SeenAt  string
	Deleted bool
}

// AtSourceNow reads the current versions of records.
func (db *DB) AtSourceNow(ctx context.Context, recs []int64) (map[int64]AtSource, error) {
	out := make(map[int64]AtSource, len(recs))
	err := viewIn(ctx, db, `SELECT s.rec, v.raw, s.salt, v.stamp, v.seen_at, s.deleted FROM source_record s
		JOIN source_version v ON v.rec = s.rec AND v.version = s.version WHERE s.rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec int64
		var x AtSource
		var raw, salt []byte
		if err := r.Scan(&rec, &raw, &salt, &x.Stamp, &x.SeenAt, &x.Deleted); err != nil {
			return err
		}
		var err error
		x.Raw, err = db.vault.Open(salt, raw)
		out[rec] = x
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what stands there: %w", err)
	}
	return out, nil
}

// keepRevived keeps what a row was, under the id of an act; "" for none.
func (tx *Tx) keepRevived(ctx context.Context, act, id string) error {
	if act == "" {
		return nil
	}
	_, err := tx.exec(ctx, `INSERT INTO revival (act, seq, state, sent, external_id, error) SELECT CAST($1 AS TEXT), seq, state, sent_seq, external_id, error FROM outbox WHERE id = $2
		ON CONFLICT (act, seq) DO NOTHING`, act, id)
	return err
}

// Unrevive takes back what was planned again or dropped under an act: the rows
// are what they were, and what was planned in their place and not sent yet is not
// sent. It gives how many it took back; those whose successor was sent stay.
func (db *DB) Unrevive(ctx context.Context, act, who, why string) (back, sent int, err error) {
	type row struct {
		Row
		was       string
		sent      int64
		ext, text string
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var list []row
		err := tx.query(ctx, `SELECT v.state, v.sent, v.external_id, v.error, o.seq, o.id, o.target, o.rec, o.founder, o.op, o.state, o.refusal, o.settled_at FROM revival v JOIN outbox o ON o.seq = v.seq
			WHERE v.act = $1 ORDER BY v.seq`, []any{act}, func(r *sql.Rows) error {
			var x row
			err := r.Scan(&x.was, &x.sent, &x.ext, &x.text, &x.Seq, &x.ID, &x.Target, &x.Rec, &x.Founder, &x.Op, &x.State, &x.Refusal, &x.SettledAt)
			list = append(list, x)
			return err
		})
		switch {
		case err != nil:
			return err
		case len(list) == 0:
			return notFound("act", act)
		}
		back, sent = 0, 0
		for _, x := range list {
			ok, err := tx.unreviveRow(ctx, x.Row, x.was, x.sent, x.ext, x.text)
			if err != nil {
				return err
			}
			if !ok {
				sent++
				continue
			}
			back++
			if err := tx.audit(ctx, []auditEntry{{who, "outbox.unrevive", x.ID, nil, nil}}); err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, `DELETE FROM revival WHERE act = $1`, act)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("take back: %w", err)
	}
	return back, sent, nil
}

// unreviveRow takes one row back; ok is false when what was planned in its place
// has been sent, or it is no longer what the act made of it.
func (tx *Tx) unreviveRow(ctx context.Context, x Row, was string, sentSeq int64, ext, text string) (ok bool, err error) {
	if x.State != Superseded {
		return false, nil
	}
	same := `target = $1 AND seq > $2 AND ((rec <> 0 AND rec = $3) OR (rec = 0 AND $3 = 0 AND founder = $4))`
	var on int
	if _, err := tx.one(ctx, `SELECT count(*) FROM outbox WHERE `+same+` AND state NOT IN ('pending','superseded')`, []any{x.Target, x.Seq, x.Rec, x.Founder}, &on); err != nil || on > 0 {
		return false, err
	}
	if _, err := tx.exec(ctx, `UPDATE outbox SET state = 'superseded', settled_at = $5, error = 'taken back' WHERE `+same+` AND state = 'pending'`, x.Target, x.Seq, x.Rec, x.Founder, tx.now); err != nil {
		return false, err
	}
	_, err = tx.exec(ctx, `UPDATE outbox SET state = $1, error = $2, dropped = 0, sent_seq = $3, external_id = $4 WHERE seq = $5`, was, text, sentSeq, ext, x.Seq)
	if err != nil || x.Rec == 0 {
		return err == nil, err
	}
	// What was refused stays refused, so that it is not planned again by itself.
	_, err = tx.exec(ctx, `INSERT INTO target_state (target, rec, repr, refused) VALUES ($1, $2, $3, $4)
		ON CONFLICT (target, rec) DO UPDATE SET refused = excluded.refused`, x.Target, x.Rec, []byte{}, x.Refusal)
	return err == nil, err
}
