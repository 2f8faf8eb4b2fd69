package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"touchstone/internal/record"
)

// Claim takes up to n rows of a target that may be sent now, in their order,
// and commits them as inflight before the first byte leaves. An object with an
// unsettled row, or one whose unknown request may still land, waits, and its
// rows go one at a time, the oldest first. An object that has changed since and
// is not resolved yet waits too: its row was planned on what stood there
// before. So does a create while anything of its system waits: it may be the
// very object. And a create that refers to another golden record waits while
// that one's create is not settled, or what came of it is not resolved. Nothing
// is claimed of an entity type that is being switched to another match model, or
// while one that the target refers to is.
//
// What may be sent is looked for first without holding up other writers: most
// often it is nothing, and then much may wait.
func (db *DB) Claim(ctx context.Context, target string, n int, refers ...string) (rows []Row, err error) {
	now := formatTime(db.env.Clock.Now())
	var able []int64
	take := func(into *[]int64) rowScan {
		return func(r *sql.Rows) error {
			var seq int64
			err := r.Scan(&seq)
			*into = append(*into, seq)
			return err
		}
	}
	err = db.view(ctx, claimable("$1", "$2")+` ORDER BY o.seq LIMIT $3`, []any{target, now, n}, take(&able))
	if err != nil {
		return nil, fmt.Errorf("look for rows of %s: %w", target, err)
	}
	if len(able) == 0 {
		return nil, nil
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		for _, entity := range refers {
			if on, err := tx.setting(ctx, activatingMark(entity)); err != nil || on != "" {
				return err
			}
		}
		var seqs []int64
		err := eachIn(ctx, tx, claimable("$X1", "$X2")+` AND o.seq IN $LIST ORDER BY o.seq`+tx.db.d.skip, able, take(&seqs), target, tx.now)
		if err != nil || len(seqs) == 0 {
			return err
		}
		first, err := tx.nextSeq(ctx, len(seqs))
		if err != nil {
			return err
		}
		for i, seq := range seqs {
			_, err := tx.exec(ctx, `UPDATE outbox SET state = 'inflight', attempt = attempt + 1, sent_seq = $1, sent_at = $2,
				precondition = COALESCE((SELECT s.etag FROM source_record s WHERE s.rec = outbox.rec), '') WHERE seq = $3`, first+int64(i), tx.now, seq)
			if err != nil {
				return err
			}
		}
		rows, err = tx.rowsBySeq(ctx, seqs)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim rows of %s: %w", target, err)
	}
	return rows, nil
}

// claimable selects the rows of a target that may be sent at a time. Each
// question for other rows of an object is one index's: a planner that is asked
// for either of two walks all rows of the target for each.
func claimable(target, now string) string {
	before := `x.target = o.target AND x.seq <> o.seq AND (x.state IN ('inflight','unknown') OR x.zombie_until > ` + now + ` OR x.state = 'pending' AND x.seq < o.seq)`
	return `SELECT o.seq FROM outbox o WHERE o.target = ` + target + ` AND o.state = 'pending' AND o.held = 0 AND o.not_before <= ` + now + `
		AND (o.rec = 0 OR NOT EXISTS (SELECT 1 FROM backlog t WHERE t.rec = o.rec))
		AND (o.rec <> 0 OR (o.entity, o.system) NOT IN (SELECT y.a, y.b FROM tally y WHERE y.what = 'backlog' GROUP BY y.a, y.b HAVING sum(y.n) > 0))
		AND NOT EXISTS (SELECT 1 FROM setting m WHERE m.name = 'activating/' || o.entity AND m.value <> '')
		AND (o.rec = 0 OR NOT EXISTS (SELECT 1 FROM outbox x WHERE x.rec = o.rec AND ` + before + `))
		AND (o.rec <> 0 OR NOT EXISTS (SELECT 1 FROM outbox x WHERE x.founder = o.founder AND x.rec = 0 AND ` + before + `))
		AND (o.waits_on = 0 OR NOT EXISTS (SELECT 1 FROM outbox p WHERE p.founder = o.waits_on AND p.system = o.system AND (` + outstanding + `
			OR p.op <> 'update' AND p.state = 'delivered' AND EXISTS (SELECT 1 FROM backlog t WHERE t.rec IN (p.rec, p.founder))))
			AND NOT EXISTS (SELECT 1 FROM backlog t JOIN crosswalk c ON c.rec = t.rec WHERE c.golden = o.founder))`
}

func (tx *Tx) rowsBySeq(ctx context.Context, seqs []int64) ([]Row, error) {
	var rows []Row
	err := eachIn(ctx, tx, rowColumns+` WHERE o.seq IN $LIST ORDER BY o.seq`, seqs, func(r *sql.Rows) error {
		o, err := tx.db.scanRow(r)
		rows = append(rows, o)
		return err
	})
	return rows, err
}

// Interrupted turns rows that a stopped process left inflight into unknown
// ones. Call it when nobody else delivers to the target.
func (db *DB) Interrupted(ctx context.Context, target string) (int, error) {
	n, left := int64(0), false
	err := db.view(ctx, `SELECT 1 FROM outbox WHERE target = $1 AND state = 'inflight' LIMIT 1`, []any{target}, func(*sql.Rows) error { left = true; return nil })
	if err != nil || !left {
		return 0, err
	}
	err = db.inTx(ctx, func(tx *Tx) (err error) {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		n, err = tx.exec(ctx, `UPDATE outbox SET state = 'unknown', error = 'the process stopped before the answer came' WHERE target = $1 AND state = 'inflight'`, target)
		return err
	})
	return int(n), err
}

// Unsettled lists the unknown rows of a target that may be settled now.
func (db *DB) Unsettled(ctx context.Context, target string, n int) ([]Row, error) {
	return db.rows(ctx, `WHERE o.target = $1 AND o.state = 'unknown' AND o.not_before <= $2 ORDER BY o.seq LIMIT $3`,
		target, formatTime(db.env.Clock.Now()), n)
}

// Rows lists a target's rows in some states, oldest first, for plans and pages.
// An empty target means all.
func (db *DB) Rows(ctx context.Context, target string, state string, after int64, n int) ([]Row, error) {
	if target == "" {
		return db.rows(ctx, `WHERE o.state = $1 AND o.seq > $2 ORDER BY o.seq LIMIT $3`, state, after, n)
	}
	return db.rows(ctx, `WHERE o.target = $1 AND o.state = $2 AND o.seq > $3 ORDER BY o.seq LIMIT $4`, target, state, after, n)
}

func (db *DB) rows(ctx context.Context, where string, args ...any) (list []Row, err error) {
	err = db.view(ctx, rowColumns+" "+where, args, func(r *sql.Rows) error {
		o, err := db.scanRow(r)
		list = append(list, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("outbox rows: %w", err)
	}
	return list, nil
}

// Settlement is what became of one attempt.
type Settlement struct {
	State       string
	ExternalID  string
	Got         map[string]json.RawMessage // what stands there now, at the paths we wrote
	Verified    bool
	NotBefore   time.Time // for pending and unknown
	ZombieUntil time.Time
	Outcome     string // for the delivery log
	Problem     string // why, without customers' data
	Request     []byte // hash
	Refused     bool   // remember that the target will not take this
	Replan      bool   // let the planner look at the object again
	Unapplied   bool   // surely not applied: what stands there is not our writing
}

// Settle writes what became of an attempt.
func (db *DB) Settle(ctx context.Context, row Row, s Settlement) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var salt []byte
		if _, err := tx.one(ctx, `SELECT salt FROM source_record WHERE rec = $1`, []any{row.sealedBy}, &salt); err != nil {
			return err
		}
		got := []byte{}
		if s.Got != nil {
			var err error
			if got, err = tx.sealJSON(salt, "got"+row.ID, s.Got); err != nil {
				return err
			}
		}
		settled := tx.now
		if s.State == Pending || s.State == Unknown {
			settled = ""
		}
		n, err := tx.exec(ctx, `UPDATE outbox SET state = $1, external_id = CASE WHEN $2 = '' THEN external_id ELSE $2 END, got = $3, verified = $4,
			not_before = $5, zombie_until = CASE WHEN zombie_until > $6 THEN zombie_until ELSE $6 END, error = $7, settled_at = $8, attempt = $9,
			sent_seq = CASE WHEN $10 = 1 THEN 0 ELSE sent_seq END WHERE seq = $11 AND state IN ('inflight','unknown')`,
			s.State, s.ExternalID, got, s.Verified, record.FormatTime(s.NotBefore), record.FormatTime(s.ZombieUntil), s.Problem, settled, row.Attempt, s.Unapplied, row.Seq)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil // settled by somebody else meanwhile
		}
		if err := tx.logDelivery(ctx, row, s); err != nil {
			return err
		}
		if row.Rec == 0 {
			if row.Rec, err = tx.attachSettled(ctx, row, s); err != nil || row.Rec == 0 {
				return err
			}
		}
		if err := tx.saveTargetState(ctx, row, s); err != nil {
			return err
		}
		seq, err := tx.nextSeq(ctx, 1)
		if err != nil {
			return err
		}
		switch {
		case s.State == Rejected || s.State == Conflicted || s.Got != nil && !s.Verified:
			// what counts as our own writing has changed
			return tx.enqueue(ctx, [][]any{{row.Rec, stageDerive, row.Entity, seq}})
		case s.Replan:
			return tx.enqueue(ctx, [][]any{{row.Rec, stageResolve, row.Entity, seq}})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle row %s: %w", row.ID, err)
	}
	return nil
}

// attachSettled gives the object of a create: the one it was attached to when
// that was landed, or the one landed before the answer told its id. 0 when the
// object is yet to be landed.
func (tx *Tx) attachSettled(ctx context.Context, row Row, s Settlement) (rec int64, err error) {
	if _, err := tx.one(ctx, `SELECT rec FROM outbox WHERE seq = $1`, []any{row.Seq}, &rec); err != nil || rec != 0 {
		return rec, err
	}
	if s.State != Delivered || s.ExternalID == "" {
		return 0, nil
	}
	found, err := tx.one(ctx, `SELECT rec FROM source_record WHERE source = $1 AND entity = $2 AND external_id = $3`,
		[]any{row.System, row.Entity, s.ExternalID}, &rec)
	if err != nil || !found {
		return 0, err
	}
	if err := tx.attach(ctx, row.Seq, row.Founder, rec, s.ExternalID); err != nil {
		return 0, err
	}
	if err := tx.enqueueAgain(ctx, []int64{row.Founder, rec}); err != nil {
		return 0, err
	}
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return 0, err
	}
	// what was pulled there before may be our own writing
	return rec, tx.enqueue(ctx, [][]any{{rec, stageDerive, row.Entity, seq}})
}

func (tx *Tx) logDelivery(ctx context.Context, row Row, s Settlement) error {
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return err
	}
	readback := []byte{}
	if s.Got != nil {
		j, err := json.Marshal(s.Got)
		if err != nil {
			return err
		}
		readback = tx.db.vault.MAC("readback", string(j))[:16]
	}
	_, err = tx.exec(ctx, `INSERT INTO delivery (seq, row, attempt, at, request, outcome, answer, readback) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		seq, row.ID, row.Attempt, tx.now, s.Request, s.Outcome, s.Problem, readback)
	if err != nil {
		return err
	}
	return tx.audit(ctx, []auditEntry{{"touchstone", "outbox." + s.State, row.ID, nil, readback}})
}

// saveTargetState keeps what the target made of our values, and what it
// refused.
func (tx *Tx) saveTargetState(ctx context.Context, row Row, s Settlement) error {
	if s.Got == nil && !s.Refused {
		return nil
	}
	var repr, refused, salt []byte
	if _, err := tx.one(ctx, `SELECT salt FROM source_record WHERE rec = $1`, []any{row.Rec}, &salt); err != nil {
		return err
	}
	if _, err := tx.one(ctx, `SELECT repr, refused FROM target_state WHERE target = $1 AND rec = $2`, []any{row.Target, row.Rec}, &repr, &refused); err != nil {
		return err
	}
	m := map[string]Representation{}
	if err := tx.openJSON(salt, repr, &m); err != nil {
		return err
	}
	for path, got := range s.Got {
		if record.SameJSON(got, row.Fields[path]) {
			delete(m, path)
			continue
		}
		m[path] = Representation{Sent: row.Fields[path], Got: got}
	}
	if s.Refused {
		refused = row.Refusal
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return err
	}
	sealed, err := tx.db.vault.Seal(salt, fmt.Sprint("repr", row.Target, row.Rec, ".", row.Seq), plain)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO target_state (target, rec, repr, refused) VALUES ($1,$2,$3,$4)
		ON CONFLICT (target, rec) DO UPDATE SET repr = excluded.repr, refused = excluded.refused`, row.Target, row.Rec, sealed, refused)
	return err
}

// saveCreated keeps what the target made of the values of creates whose objects
// have just landed. They were settled before that, when there was no record yet
// to keep it with.
func (tx *Tx) saveCreated(ctx context.Context, made []int64) error {
	if len(made) == 0 {
		return nil
	}
	rows, err := tx.rowsBySeq(ctx, made)
	if err != nil {
		return fmt.Errorf("creates that landed: %w", err)
	}
	for _, r := range rows {
		if err := tx.saveTargetState(ctx, r, Settlement{Got: r.Got}); err != nil {
			return err
		}
	}
	return nil
}

// LinkExisting ties an object that the target says is there already to the
// golden record whose create it refused.
func (db *DB) LinkExisting(ctx context.Context, row Row, rec int64) error {
	return db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO ruling (id, kind, a, b, field, value, who, why, at) VALUES ($1, 'must', $2, $3, '', '', 'touchstone', 'the target said the object exists already', $4)
			ON CONFLICT (id) DO NOTHING`, fmt.Sprintf("exists-%d", row.Seq), min(row.Founder, rec), max(row.Founder, rec), tx.now)
		if err != nil {
			return err
		}
		return tx.enqueueAgain(ctx, []int64{row.Founder, rec})
	})
}

// Approval says how far a target's writing is approved.
type Approval struct {
	Approved bool  // for these rules
	Upto     int64 // last row covered for the brake
}

// Approval reads the approval of a target's rules.
func (db *DB) Approval(ctx context.Context, target, rules string) (a Approval, err error) {
	err = db.view(ctx, `SELECT upto FROM approval WHERE target = $1 AND rules = $2 ORDER BY upto`, []any{target, rules}, func(r *sql.Rows) error {
		a.Approved = true
		return r.Scan(&a.Upto)
	})
	return a, err
}

// Approve lets a target's rows be sent, up to the newest one there is now.
func (db *DB) Approve(ctx context.Context, target, rules, who, why string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		var upto int64
		if _, err := tx.one(ctx, `SELECT COALESCE(max(seq), 0) FROM outbox WHERE target = $1`, []any{target}, &upto); err != nil {
			return err
		}
		return tx.approve(ctx, target, rules, who, why, upto)
	})
}

func (tx *Tx) approve(ctx context.Context, target, rules, who, why string, upto int64) error {
	if _, err := tx.exec(ctx, `INSERT INTO approval (target, rules, upto, who, why, at) VALUES ($1,$2,$3,$4,$5,$6)
		ON CONFLICT (target, rules, at) DO UPDATE SET upto = excluded.upto`, target, rules, upto, who, why, tx.now); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE outbox SET held = 0 WHERE target = $1 AND state = 'pending' AND held = 1 AND seq <= $2`, target, upto); err != nil {
		return err
	}
	return tx.audit(ctx, []auditEntry{{who, "plan.approve", target, nil, []byte(rules)}})
}

// Load is how much of a system a target's waiting rows touch.
type Load struct {
	Waiting int // pending rows
	Behind  int // of them, those after a given row
	Objects int // live objects of the system and entity
}

// Load counts a target's waiting rows and its system's objects.
func (db *DB) Load(ctx context.Context, target, system, entity string, upto int64) (l Load, err error) {
	kept, err := db.tallies(ctx, tallyOutbox, tallyRecords)
	if err != nil {
		return l, err
	}
	for _, t := range kept {
		switch {
		case t.what == tallyOutbox && t.a == target && t.b == Pending:
			l.Waiting += t.n
		case t.what == tallyRecords && t.a == system && t.b == entity:
			l.Objects = t.n - t.m
		}
	}
	if l.Behind = l.Waiting; upto <= 0 || l.Waiting == 0 {
		return l, nil
	}
	err = db.view(ctx, `SELECT count(*) FROM outbox WHERE target = $1 AND state = 'pending' AND seq > $2`, []any{target, upto}, func(r *sql.Rows) error { return r.Scan(&l.Behind) })
	return l, err
}

// NextDue is when the earliest waiting or unknown row of a target may go on;
// zero when none waits.
func (db *DB) NextDue(ctx context.Context, target string) (time.Time, error) {
	// Each part is the first of an index: of what waits nothing else is read.
	var at sql.NullString
	err := db.view(ctx, `SELECT min(x.at) FROM (
		SELECT min(not_before) AS at FROM outbox WHERE target = $1 AND state = 'pending' AND held = 0 AND waits_on = 0
		UNION ALL SELECT min(CASE WHEN zombie_until > not_before THEN zombie_until ELSE not_before END) FROM outbox WHERE target = $1 AND state = 'unknown') AS x`,
		[]any{target}, func(r *sql.Rows) error { return r.Scan(&at) })
	if err != nil || !at.Valid {
		return time.Time{}, err
	}
	if at.String == "" {
		return db.env.Clock.Now(), nil
	}
	return record.ParseTime(at.String)
}

// Resending notes, before a row is sent again without the protection of a key
// or an etag, until when that request may still land.
func (db *DB) Resending(ctx context.Context, row Row, until time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `UPDATE outbox SET zombie_until = $1 WHERE seq = $2 AND zombie_until < $1`, record.FormatTime(until), row.Seq)
		return err
	})
}
