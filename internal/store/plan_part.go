package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PlanPart counts the waiting rows of a target that do the same with the same
// paths.
type PlanPart struct {
	Op    string
	Paths []string // sorted; nil for rows of an older release
	Held  bool     // a person let other rows go, and not yet these
	Rows  int
	shape string
}

// object names what a row writes to: the object, or the golden record that it
// makes one for.
func (o Row) object() [2]int64 {
	if o.Rec != 0 {
		return [2]int64{o.Rec, 0}
	}
	return [2]int64{0, o.Founder}
}

// heldBefore tells which objects have a row among these that a person has not
// let go: what takes its place is not let go either.
func (tx *LinkTx) heldBefore(ctx context.Context, superseded []int64) (map[[2]int64]bool, error) {
	held := map[[2]int64]bool{}
	err := eachIn(ctx, tx.Tx, `SELECT rec, founder FROM outbox WHERE held = 1 AND seq IN $LIST`, superseded, func(r *sql.Rows) error {
		var o Row
		err := r.Scan(&o.Rec, &o.Founder)
		held[o.object()] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rows that are held: %w", err)
	}
	return held, nil
}

// shapes gives the shape of each row, and keeps those that are new.
func (tx *LinkTx) shapes(ctx context.Context, rows []Row) ([]string, error) {
	ids, known := make([]string, len(rows)), map[string]string{}
	for i, o := range rows {
		ids[i] = shapeOf(o.Fields, known)
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if _, err := tx.exec(ctx, `INSERT INTO shape (id, paths) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, id, known[id]); err != nil {
			return nil, fmt.Errorf("shape of a write: %w", err)
		}
	}
	return ids, nil
}

func shapeOf(fields map[string]json.RawMessage, known map[string]string) string {
	paths := "\n" + strings.Join(slices.Sorted(maps.Keys(fields)), "\n") + "\n"
	sum := sha256.Sum256([]byte(paths))
	id := hex.EncodeToString(sum[:8])
	known[id] = paths
	return id
}

// PlanParts counts a target's waiting rows by what they do.
func (db *DB) PlanParts(ctx context.Context, target string) (list []PlanPart, err error) {
	kept, err := db.tallies(ctx, tallyOutbox)
	if err != nil {
		return nil, fmt.Errorf("parts of the plan of %s: %w", target, err)
	}
	for _, t := range kept {
		if part := strings.Split(t.c, " "); t.a == target && t.b == Pending && len(part) == 3 {
			list = append(list, PlanPart{Op: part[0], Held: part[1] == "1", shape: part[2], Rows: t.n})
		}
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.shape
	}
	paths := map[string]string{}
	err = viewIn(ctx, db, `SELECT id, paths FROM shape WHERE id IN $LIST`, ids, func(r *sql.Rows) error {
		var id, text string
		err := r.Scan(&id, &text)
		paths[id] = text
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("parts of the plan of %s: %w", target, err)
	}
	for i, p := range list {
		if text := strings.Trim(paths[p.shape], "\n"); text != "" {
			list[i].Paths = strings.Split(text, "\n")
		}
	}
	slices.SortStableFunc(list, func(a, b PlanPart) int {
		return cmp.Or(cmp.Compare(heldRank(a), heldRank(b)), cmp.Compare(a.Op, b.Op), slices.Compare(a.Paths, b.Paths))
	})
	return list, nil
}

func heldRank(p PlanPart) int {
	if p.Held {
		return 1
	}
	return 0
}

// PlanFilter chooses waiting rows of a target; "" and 0 for all.
type PlanFilter struct {
	Target string
	Op     string
	Path   string // rows that write it, whatever else they write
	Upto   int64  // rows up to this one: what the person saw
}

// planWhere is the condition of a filter, from the parameter $n on.
func planWhere(f PlanFilter, n int) (where string, args []any) {
	where = fmt.Sprintf(`o.target = $%d AND o.state = 'pending' AND ($%d = '' OR o.op = $%d) AND ($%d = 0 OR o.seq <= $%d)
		AND ($%d = '' OR EXISTS (SELECT 1 FROM shape h WHERE h.id = o.shape AND replace(h.paths, $%d, '') <> h.paths))`, n, n+1, n+1, n+2, n+2, n+3, n+3)
	path := f.Path
	if path != "" {
		path = "\n" + path + "\n"
	}
	return where, []any{f.Target, f.Op, f.Upto, path}
}

// PlanRows lists waiting rows behind one, oldest first, at most n.
func (db *DB) PlanRows(ctx context.Context, f PlanFilter, after int64, n int) ([]Row, error) {
	where, args := planWhere(f, 3)
	return db.rows(ctx, `WHERE o.seq > $1 AND `+where+` ORDER BY o.seq LIMIT $2`, append([]any{after, n}, args...)...)
}

// LastWaiting is the number of a target's newest waiting row; 0 for none.
func (db *DB) LastWaiting(ctx context.Context, target string) (seq int64, err error) {
	err = db.view(ctx, `SELECT COALESCE(max(seq), 0) FROM outbox WHERE target = $1 AND state = 'pending'`, []any{target}, func(r *sql.Rows) error { return r.Scan(&seq) })
	return seq, err
}

// ApprovePart lets the rows of a filter be sent, up to one that a person saw;
// the target's other rows up to there are held until they are let go as well.
// It gives the number of rows let go.
func (db *DB) ApprovePart(ctx context.Context, f PlanFilter, rules, who, why string) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var before int
		if _, err := tx.one(ctx, `SELECT count(*) FROM approval WHERE target = $1 AND rules = $2`, []any{f.Target, rules}, &before); err != nil {
			return err
		}
		if before == 0 { // with the first approval everything else is held
			if _, err := tx.exec(ctx, `UPDATE outbox SET held = 1 WHERE target = $1 AND state = 'pending' AND seq <= $2`, f.Target, f.Upto); err != nil {
				return err
			}
		} else if err := tx.holdBehind(ctx, f, rules); err != nil {
			return err
		}
		where, args := planWhere(f, 1)
		done, err := tx.exec(ctx, `UPDATE outbox SET held = 0 WHERE seq IN (SELECT o.seq FROM outbox o WHERE `+where+`)`, args...)
		if err != nil {
			return err
		}
		n = int(done)
		if _, err := tx.exec(ctx, `INSERT INTO approval (target, rules, upto, who, why, at) VALUES ($1,$2,$3,$4,$5,$6)
			ON CONFLICT (target, rules, at) DO UPDATE SET upto = excluded.upto`, f.Target, rules, f.Upto, who, why, tx.now); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who, "plan.approve", f.Target, nil, []byte(rules + " " + f.Op + " " + f.Path)}})
	})
	if err != nil {
		return 0, fmt.Errorf("approve a part of the plan of %s: %w", f.Target, err)
	}
	return n, nil
}

// holdBehind holds what was planned since the last approval and would go with
// this one unasked.
func (tx *Tx) holdBehind(ctx context.Context, f PlanFilter, rules string) error {
	_, err := tx.exec(ctx, `UPDATE outbox SET held = 1 WHERE target = $1 AND state = 'pending' AND seq <= $2
		AND seq > (SELECT max(a.upto) FROM approval a WHERE a.target = $1 AND a.rules = $3)`, f.Target, f.Upto, rules)
	return err
}

// RefusePart drops the rows of a filter for good, at most n of them, and gives
// how many: what they would write is not planned again until what we want, or
// what stands there, is different. A row that has been sent meanwhile is left.
func (db *DB) RefusePart(ctx context.Context, f PlanFilter, who, why string, n int) (int, error) {
	rows, err := db.PlanRows(ctx, f, 0, n)
	if err != nil {
		return 0, err
	}
	done := 0
	for page := range slices.Chunk(rows, refusePage) {
		var now int
		err := db.inTx(ctx, func(tx *Tx) error {
			if err := tx.lockFacts(ctx); err != nil {
				return err
			}
			now = 0
			for _, r := range page {
				var sent *WrongState
				switch err := tx.reviveRow(ctx, r.ID, who, why, "drop", []string{Pending}, 1); {
				case err == nil:
					now++
				case !errors.As(err, &sent):
					return err
				}
			}
			return nil
		})
		if err != nil {
			return done, fmt.Errorf("refuse a part of the plan of %s: %w", f.Target, err)
		}
		done += now
	}
	return done, nil
}

// refusePage is how many rows are refused in one transaction.
const refusePage = 200

// RefusedRows lists the rows of a target that a person did not want, behind one,
// oldest first, at most n, and counts them all.
func (db *DB) RefusedRows(ctx context.Context, target string, after int64, n int) (list []Row, total int, err error) {
	if list, err = db.rows(ctx, `WHERE o.target = $1 AND o.dropped = 1 AND o.seq > $2 ORDER BY o.seq LIMIT $3`, target, after, n); err != nil {
		return nil, 0, err
	}
	err = db.view(ctx, `SELECT count(*) FROM outbox WHERE target = $1 AND dropped = 1`, []any{target}, func(r *sql.Rows) error { return r.Scan(&total) })
	return list, total, err
}

// Unrefuse takes refusals back: what the rows would write is planned anew, if it
// is still wanted.
func (db *DB) Unrefuse(ctx context.Context, ids []string, who, why string) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		note := "refusal taken back by " + who
		if why != "" {
			note += ": " + why
		}
		n = 0
		entries := make([]auditEntry, 0, len(ids))
		for _, id := range ids {
			var r Row
			found, err := tx.one(ctx, `SELECT seq, target, founder, rec FROM outbox WHERE id = $1 AND dropped = 1`, []any{id}, &r.Seq, &r.Target, &r.Founder, &r.Rec)
			switch {
			case err != nil:
				return err
			case !found:
				return notFound("refused row", id)
			}
			if _, err := tx.exec(ctx, `UPDATE outbox SET dropped = 0, error = $1 WHERE seq = $2`, note, r.Seq); err != nil {
				return err
			}
			again := r.Founder
			if r.Rec != 0 {
				again = r.Rec
				if _, err := tx.exec(ctx, `UPDATE target_state SET refused = $1 WHERE target = $2 AND rec = $3`, []byte{}, r.Target, r.Rec); err != nil {
					return err
				}
			}
			if err := tx.enqueueAgain(ctx, []int64{again}); err != nil {
				return err
			}
			entries = append(entries, auditEntry{who, "plan.unrefuse", id, nil, nil})
			n++
		}
		return tx.audit(ctx, entries)
	})
	if err != nil {
		return 0, fmt.Errorf("take a refusal back: %w", err)
	}
	return n, nil
}

// Pause is why nothing is sent to a target for now.
type Pause struct {
	Who string `json:"who"`
	Why string `json:"why"`
	At  string `json:"at"`
}

func pauseMark(target string) string { return "paused/" + target }

// PauseTarget stops sending to a target: what is under way ends, nothing new
// begins until it is resumed.
func (db *DB) PauseTarget(ctx context.Context, target, who, why string) error {
	return db.setPause(ctx, target, who, "target.pause", func(now string) (string, error) {
		b, err := json.Marshal(Pause{who, why, now})
		return string(b), err
	})
}

// ResumeTarget lets it go on.
func (db *DB) ResumeTarget(ctx context.Context, target, who string) error {
	return db.setPause(ctx, target, who, "target.resume", func(string) (string, error) { return "", nil })
}

func (db *DB) setPause(ctx context.Context, target, who, what string, value func(now string) (string, error)) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		text, err := value(tx.now)
		if err != nil {
			return err
		}
		if err := tx.setSetting(ctx, pauseMark(target), text); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who, what, target, nil, nil}})
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, target, err)
	}
	return nil
}

// Paused says whether, and why, nothing is sent to a target for now.
func (db *DB) Paused(ctx context.Context, target string) (p Pause, paused bool, err error) {
	text, err := db.Setting(ctx, pauseMark(target))
	if err != nil || text == "" {
		return p, false, err
	}
	return p, true, json.Unmarshal([]byte(text), &p)
}
