package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/seal"
)

// PairNote is something that somebody said or did about two golden records
// without deciding.
type PairNote struct {
	ID, Who, At string
	What        string // note | assign | due | skip | escalate | propose | withdraw | confirm
	Text        string
	Erased      bool
}

// PairProposal is an answer that waits for a second account, or did.
type PairProposal struct {
	ID         string
	A, B, X, Y int64
	Answer     string // same | apart
	Who, Why   string
	At, Ended  string
	State      string // open | confirmed | withdrawn | overruled
	Decision   string
}

// SubjectByRec finds a source record by its landing number, with the golden
// record it belongs to now.
func (tx *DecideTx) SubjectByRec(ctx context.Context, rec int64) (Subject, error) {
	return tx.subject(ctx, fmt.Sprint(rec), ` WHERE s.rec = $1`, rec)
}

// Versions gives the versions in force of source records.
func (tx *DecideTx) Versions(ctx context.Context, recs ...int64) (map[int64]int, error) {
	out := map[int64]int{}
	err := eachIn(ctx, tx.Tx, `SELECT rec, version FROM feature WHERE rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec int64
		var n int
		err := r.Scan(&rec, &n)
		out[rec] = n
		return err
	})
	return out, err
}

// Queued finds the open pair of two golden records.
func (tx *DecideTx) Queued(ctx context.Context, x, y int64) (p QueuedPair, found bool, err error) {
	err = tx.query(ctx, queueColumns+` FROM queue q WHERE q.x = $1 AND q.y = $2 UNION ALL `+queueColumns+` FROM queue q WHERE q.x = $2 AND q.y = $1`, []any{x, y}, func(r *sql.Rows) error {
		found = true
		p, err = scanQueued(r)
		return err
	})
	return p, found, err
}

// Valued says what two golden records are worth together and how many systems
// hold either.
func (tx *DecideTx) Valued(ctx context.Context, ap *Appraisal, x, y int64) (value int64, systems int, err error) {
	known, err := tx.valued(ctx, ap, []int64{x, y})
	if err != nil {
		return 0, 0, err
	}
	systems = systemsOf(known[x], known[y])
	value, _ = ap.Worth(0, known[x].value, known[y].value, systems)
	return value, systems, nil
}

// Confirmed says whether a person's merge or pin is in force on one of these
// records.
func (tx *DecideTx) Confirmed(ctx context.Context, recs []int64) (is bool, err error) {
	for _, end := range []string{"a", "b"} {
		err := eachIn(ctx, tx.Tx, `SELECT 1 FROM ruling WHERE withdrawn = '' AND decision <> '' AND kind IN ('must', 'pin') AND `+end+` IN $LIST LIMIT 1`, recs, func(*sql.Rows) error {
			is = true
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return is, nil
}

// Note keeps what somebody said or did about two golden records, in the audit
// trail too.
func (tx *DecideTx) Note(ctx context.Context, x, y int64, n PairNote) error {
	n.ID = tx.db.env.ID()
	x, y = min(x, y), max(x, y)
	var salt []byte
	if found, err := tx.one(ctx, `SELECT salt FROM source_record WHERE rec = $1`, []any{x}, &salt); err != nil || !found {
		return errors.Join(err, notFoundUnless(found, "source record", fmt.Sprint(x)))
	}
	if len(salt) == 0 {
		return fmt.Errorf("note: %w", seal.ErrErased)
	}
	sealed, err := tx.db.vault.Seal(salt, "pair"+n.ID, []byte(n.Text))
	if err != nil {
		return fmt.Errorf("seal note: %w", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO pair_note (id, a, b, who, at, what, text) VALUES ($1,$2,$3,$4,$5,$6,$7)`, n.ID, x, y, n.Who, tx.now, n.What, sealed)
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	return tx.audit(ctx, []auditEntry{{n.Who, "pair." + n.What, fmt.Sprintf("%d-%d", x, y), nil, nil}})
}

func notFoundUnless(found bool, what, id string) error {
	if found {
		return nil
	}
	return notFound(what, id)
}

// mostNotes bounds what is read of one pair.
const mostNotes = 500

// NotesBetween lists what was said about two golden records, whoever their
// founders were then, oldest first. Recs are their source records.
func (tx *DecideTx) NotesBetween(ctx context.Context, recs []int64) (list []PairNote, err error) {
	err = eachIn(ctx, tx.Tx, `SELECT n.id, n.b, n.who, n.at, n.what, n.text, s.salt FROM pair_note n JOIN source_record s ON s.rec = n.a WHERE n.a IN $LIST ORDER BY n.at, n.id LIMIT `+fmt.Sprint(mostNotes), recs, func(r *sql.Rows) error {
		var n PairNote
		var b int64
		var sealed, salt []byte
		if err := r.Scan(&n.ID, &b, &n.Who, &n.At, &n.What, &sealed, &salt); err != nil {
			return err
		}
		if !slices.Contains(recs, b) {
			return nil
		}
		plain, err := tx.db.vault.Open(salt, sealed)
		if errors.Is(err, seal.ErrErased) {
			n.Erased, err = true, nil
		}
		n.Text = string(plain)
		list = append(list, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	slices.SortFunc(list, func(x, y PairNote) int { return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.ID, y.ID)) })
	return list, nil
}

// Work changes what is to be done about two golden records.
func (tx *DecideTx) Work(ctx context.Context, x, y int64, change func(*QueueWork)) error {
	k := pairOf(x, y)
	known, err := tx.workOf(ctx, []founderPair{k})
	if err != nil {
		return err
	}
	w := known[k]
	queued, open, err := tx.Queued(ctx, x, y)
	if err != nil {
		return err
	}
	if open {
		w = queued.QueueWork
	}
	change(&w)
	_, err = tx.exec(ctx, `INSERT INTO pair_work (x, y, assigned, due, until, escalated) VALUES ($1,$2,$3,$4,$5,$6)
		ON CONFLICT (x, y) DO UPDATE SET assigned = excluded.assigned, due = excluded.due, until = excluded.until, escalated = excluded.escalated`,
		k[0], k[1], w.Assigned, w.Due, w.Until, w.Escalated)
	if err == nil && open {
		_, err = tx.exec(ctx, `UPDATE queue SET assigned = $1, due = $2, until = $3, escalated = $4 WHERE a = $5 AND b = $6`,
			w.Assigned, w.Due, w.Until, w.Escalated, queued.A, queued.B)
	}
	if err != nil {
		return fmt.Errorf("work on a pair: %w", err)
	}
	return nil
}

const proposalColumns = `SELECT id, a, b, x, y, answer, who, why, at, ended, state, decision FROM pair_proposal`

func scanProposal(r *sql.Rows) (p PairProposal, err error) {
	err = r.Scan(&p.ID, &p.A, &p.B, &p.X, &p.Y, &p.Answer, &p.Who, &p.Why, &p.At, &p.Ended, &p.State, &p.Decision)
	return p, err
}

// OpenProposal is the answer that waits on two golden records.
func (tx *DecideTx) OpenProposal(ctx context.Context, x, y int64) (p PairProposal, found bool, err error) {
	k := pairOf(x, y)
	err = tx.query(ctx, proposalColumns+` WHERE state = 'open' AND x = $1 AND y = $2`, []any{k[0], k[1]}, func(r *sql.Rows) error {
		found = true
		p, err = scanProposal(r)
		return err
	})
	return p, found, err
}

// Propose keeps an answer until a second account gives the same.
func (tx *DecideTx) Propose(ctx context.Context, p PairProposal) error {
	k := pairOf(p.X, p.Y)
	_, err := tx.exec(ctx, `INSERT INTO pair_proposal (id, a, b, x, y, answer, who, why, at, state) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,'open')`,
		"p"+tx.db.env.ID(), p.A, p.B, k[0], k[1], p.Answer, p.Who, p.Why, tx.now)
	if err != nil {
		return fmt.Errorf("propose: %w", err)
	}
	return tx.proposer(ctx, k, p.Who)
}

// EndProposal closes an open one.
func (tx *DecideTx) EndProposal(ctx context.Context, p PairProposal, state, decision string) error {
	_, err := tx.exec(ctx, `UPDATE pair_proposal SET state = $1, ended = $2, decision = $3 WHERE id = $4 AND state = 'open'`, state, tx.now, decision, p.ID)
	if err != nil {
		return fmt.Errorf("end a proposal: %w", err)
	}
	return tx.proposer(ctx, pairOf(p.X, p.Y), "")
}

func (tx *DecideTx) proposer(ctx context.Context, k founderPair, who string) error {
	_, err := tx.exec(ctx, `UPDATE queue SET proposer = $1 WHERE x = $2 AND y = $3 OR x = $3 AND y = $2`, who, k[0], k[1])
	return err
}

// OpenProposals gives the answers that wait on pairs of golden records, the
// smaller founder first.
func (db *DB) OpenProposals(ctx context.Context, pairs [][2]int64) (map[[2]int64]PairProposal, error) {
	out := map[[2]int64]PairProposal{}
	wanted, xs := map[[2]int64]bool{}, []int64{}
	for _, k := range pairs {
		wanted[k], xs = true, append(xs, k[0])
	}
	slices.Sort(xs)
	err := viewIn(ctx, db, proposalColumns+` WHERE state = 'open' AND x IN $LIST`, slices.Compact(xs), func(r *sql.Rows) error {
		p, err := scanProposal(r)
		if k := [2]int64{p.X, p.Y}; wanted[k] {
			out[k] = p
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("proposals: %w", err)
	}
	return out, nil
}

// Founders gives the founders of the golden records that golden ids, once
// shown, lead to now.
func (db *DB) Founders(ctx context.Context, ids []string) (founders []int64, err error) {
	err = viewIn(ctx, db, `SELECT DISTINCT c.golden FROM source_record s JOIN crosswalk c ON c.rec = s.rec WHERE s.anchor IN $LIST`, ids, func(r *sql.Rows) error {
		var f int64
		err := r.Scan(&f)
		founders = append(founders, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golden records: %w", err)
	}
	slices.Sort(founders)
	return slices.Compact(founders), nil
}

// EscalateOverdue hands every open pair whose time is over on to an account,
// once, at most n of them; it gives their number.
func (db *DB) EscalateOverdue(ctx context.Context, to, who string, n int) (done int, err error) {
	now := formatTime(db.env.Clock.Now())
	var late []QueuedPair
	err = db.view(ctx, queueColumns+` FROM queue q WHERE q.due <> '' AND q.due <= $1 AND q.escalated = 0 ORDER BY q.due, q.a, q.b LIMIT $2`, []any{now, n}, func(r *sql.Rows) error {
		p, err := scanQueued(r)
		late = append(late, p)
		return err
	})
	if err != nil || len(late) == 0 {
		return 0, err
	}
	err = db.Decide(ctx, func(tx *DecideTx) error {
		for _, p := range late {
			if err := tx.Work(ctx, p.X, p.Y, func(w *QueueWork) { w.Assigned, w.Escalated = to, w.Escalated+1 }); err != nil {
				return err
			}
			if err := tx.Note(ctx, p.X, p.Y, PairNote{Who: who, What: "escalate", Text: to}); err != nil && !errors.Is(err, seal.ErrErased) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("hand on what is overdue: %w", err)
	}
	return len(late), nil
}

// DecisionTimes lists when an account last decided pairs, the newest first, at
// most n times.
func (db *DB) DecisionTimes(ctx context.Context, who string, n int) (at []string, err error) {
	err = db.view(ctx, `SELECT at FROM decision WHERE who = $1 AND kind IN ('merge', 'split', 'unsure') ORDER BY seq DESC LIMIT $2`, []any{who, n}, func(r *sql.Rows) error {
		var s string
		err := r.Scan(&s)
		at = append(at, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("decisions of an account: %w", err)
	}
	return at, nil
}
