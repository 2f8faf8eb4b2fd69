package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/say"
)

// The kinds of decisions.
const (
	Merged    = "merge"  // these records are one customer
	Split     = "split"  // these records are not that customer
	Pinned    = "pin"    // this field has this value
	Unpinned  = "unpin"  // this field has no pinned value any more
	Undecided = "unsure" // nobody can tell: out of the queue, without effect
	Imported  = "import" // an existing crosswalk says so
	Undone    = "undo"   // another decision is taken back
	Expired   = "expiry" // a clock fact: a pin's time is over
)

// Decision is what a person decided. It is never changed: a later decision may
// withdraw it, and withdrawing that one brings it back.
type Decision struct {
	Seq              int64
	ID, Kind         string
	Who, Why         string
	At, Until        string
	Withdrawn        string // when it went out of force; "" while it is in force
	WithdrawnBy      string
	Withdraws        []string
	Rulings, Pending int  // records pairs and pins in it; those that wait for a record to land
	Stale            bool // in force, and an identifying field has changed since
}

// NewDecision is a decision to make.
type NewDecision struct {
	ID        string // "" for a new one
	Kind      string
	Who, Why  string
	How       string // for the audit trail: no value of a customer
	At        string // "" for now
	Until     time.Time
	Mark      string // what it says, in words of its own: the same again changes nothing
	Rulings   []Ruling
	Withdraws []string
	Map       *ValueMap // of a decision on values
	Repairs   []Repair
	Refuses   []RefusedRelation
	Relation  *SaidRelation
	Passes    *Handover // to whom customers go
	// Leaving are the records that a split takes out. What an earlier decision
	// that it withdraws said of those who leave, and of those who stay, is said
	// again by the split.
	Leaving []int64
	// Over withdraws the earlier decisions that this one contradicts; otherwise
	// it is refused with their names.
	Over bool
}

// Contradiction refuses a decision that cannot hold beside earlier ones.
type Contradiction struct{ Earlier []Decision }

func (c *Contradiction) Error() string {
	return c.Told().String()
}

// Told names the decisions that stand against it.
func (c *Contradiction) Told() say.Text {
	names := make(say.Texts, len(c.Earlier))
	for i, d := range c.Earlier {
		names[i] = say.New("%s (%s by %s, %s)", d.ID, say.Word{Group: "decision", Name: d.Kind}, d.Who, d.At)
	}
	return say.New("it contradicts %s", names)
}

// Impossible refuses a decision that cannot hold, whatever is taken back.
type Impossible struct{ Said say.Text }

func impossible(format string, args ...any) error { return &Impossible{say.New(format, args...)} }

func (i *Impossible) Error() string { return i.Said.String() }

// Told says why.
func (i *Impossible) Told() say.Text { return i.Said }

// ErrNoEffect says that a decision would change nothing that is in force.
var ErrNoEffect error = refused("nothing in force to take back")

// DecideTx is the transaction in which a person's decision is looked up, checked
// and written: what it was made of cannot move meanwhile.
type DecideTx struct {
	*Tx
	turned []int64 // records of rulings that came into force or went out of it
}

// Decide runs fn in one writing transaction.
func (db *DB) Decide(ctx context.Context, fn func(*DecideTx) error) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		return fn(&DecideTx{Tx: tx})
	})
}

// Add makes a decision. The same in force already is given back with existing
// set, unless one of its records has changed since: then it is made anew, in
// the place of the stale one. The error is a *Contradiction when earlier
// decisions stand against it.
func (tx *DecideTx) Add(ctx context.Context, n NewDecision) (d Decision, existing bool, err error) {
	if n.Map != nil && n.Mark == "" {
		if n.Mark, err = n.Map.mark(); err != nil {
			return d, false, err
		}
	}
	mark := tx.mark(n)
	if d, found, err := tx.standing(ctx, mark); err != nil || found && !d.Stale {
		return d, found, err
	} else if found {
		n.Withdraws = append(n.Withdraws, d.ID)
	}
	if d, err = tx.insertDecision(ctx, n, mark); err != nil {
		return d, false, err
	}
	touched := map[int64]bool{}
	for i := range n.Rulings {
		touched[n.Rulings[i].A], touched[n.Rulings[i].B] = true, true
	}
	revived, err := tx.withdraw(ctx, d.ID, n.Withdraws, touched)
	if err != nil {
		return d, false, err
	}
	if n.ID != "" { // it comes from elsewhere, and what withdraws it may be here already
		if err := tx.inForce(ctx, d.ID, touched, &revived); err != nil {
			return d, false, err
		}
	}
	if n.Map != nil || len(revived) > 0 && n.Kind != Expired {
		refused, err := tx.settleMaps(ctx, d, n, append(slices.Clone(revived), d.ID), touched)
		if err != nil {
			return d, false, err
		}
		if len(refused) > 0 {
			return d, false, &Contradiction{Earlier: refused}
		}
	}
	if n.links() || len(revived) > 0 && n.Kind != Expired { // the clock is not refused
		refused, err := tx.settleContradictions(ctx, d, n, append(revived, d.ID), touched)
		if err != nil {
			return d, false, err
		}
		if len(refused) > 0 {
			return d, false, &Contradiction{Earlier: refused}
		}
	}
	delete(touched, 0)
	tx.turned = append(tx.turned, sortedKeys(touched)...)
	if err := tx.enqueueAgain(ctx, sortedKeys(touched)); err != nil {
		return d, false, err
	}
	if err := tx.dueBalance(ctx, n.Kind, d.ID, sortedKeys(touched)); err != nil {
		return d, false, err
	}
	if err := tx.auditDecision(ctx, d, n.How, touched); err != nil {
		return d, false, err
	}
	d, err = tx.Decision(ctx, d.ID)
	return d, false, err
}

// links says whether a decision ties records together or keeps them apart; a pin
// does neither, and minds no contradiction.
func (n NewDecision) links() bool {
	return slices.ContainsFunc(n.Rulings, func(r Ruling) bool { return r.Kind == "must" || r.Kind == "cannot" })
}

func (tx *DecideTx) mark(n NewDecision) string {
	if n.Mark == "" {
		return ""
	}
	return tx.db.vault.Anchor("decision", n.Kind, n.Mark)
}

// standing finds the decision in force that says the same.
func (tx *DecideTx) standing(ctx context.Context, mark string) (d Decision, found bool, err error) {
	if mark == "" {
		return d, false, nil
	}
	found, err = tx.one(ctx, `SELECT id FROM decision WHERE mark = $1 AND withdrawn = '' ORDER BY seq DESC LIMIT 1`, []any{mark}, &d.ID)
	if err != nil || !found {
		return d, false, err
	}
	d, err = tx.Decision(ctx, d.ID)
	return d, true, err
}

func (tx *DecideTx) insertDecision(ctx context.Context, n NewDecision, mark string) (Decision, error) {
	d := Decision{ID: n.ID, Kind: n.Kind, Who: n.Who, Why: n.Why, At: n.At, Until: record.FormatTime(n.Until)}
	if d.ID == "" {
		d.ID = "d" + tx.db.env.ID()
	}
	if d.At == "" {
		d.At = tx.now
	}
	var err error
	if d.Seq, err = tx.nextSeq(ctx, 1); err != nil {
		return d, err
	}
	_, err = tx.exec(ctx, `INSERT INTO decision (seq, id, kind, mark, who, why, at, until) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		d.Seq, d.ID, d.Kind, mark, d.Who, d.Why, d.At, d.Until)
	if err != nil {
		return d, fmt.Errorf("decision: %w", err)
	}
	if n.Map != nil {
		if err := tx.insertMap(ctx, d.ID, n.Map); err != nil {
			return d, err
		}
	}
	if n.Relation != nil {
		if err := tx.insertRelation(ctx, d.ID, n.Relation); err != nil {
			return d, err
		}
	}
	if n.Passes != nil {
		if err := tx.keepHandover(ctx, d.ID, n); err != nil {
			return d, err
		}
	}
	if err := tx.insertRefused(ctx, d.ID, n.Refuses); err != nil {
		return d, err
	}
	if len(n.Repairs) > 0 {
		if err := tx.insertRepairs(ctx, d.ID, n.Repairs); err != nil {
			return d, err
		}
		if err := tx.deriveRecs(ctx, recsRepaired(n.Repairs)); err != nil {
			return d, err
		}
	}
	return d, tx.insertRulings(ctx, d, "", n.Rulings)
}

// insertRulings writes a decision's rulings with the versions seen now.
func (tx *Tx) insertRulings(ctx context.Context, d Decision, withdrawn string, rulings []Ruling) error {
	var recs []int64
	for _, r := range rulings {
		recs = append(recs, recsOf(r)...)
	}
	slices.Sort(recs)
	seen, err := tx.seenNow(ctx, slices.Compact(recs))
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(rulings))
	for _, r := range rulings {
		a, b := minPositive(r.A, r.B), max(r.A, r.B)*boolInt(r.B != 0)
		if r.ID == "" {
			r.ID = tx.db.env.ID()
		}
		x, y := seen[a], seen[b]
		var sealed []byte
		if r.Kind == Pinned {
			if sealed, err = tx.db.vault.Seal(x.salt, "pin"+r.ID, []byte(r.Value)); err != nil {
				return fmt.Errorf("seal pin: %w", err)
			}
		}
		rows = append(rows, []any{r.ID, r.Kind, a, b, r.Field, "", d.Who, d.Why, d.At, withdrawn, d.ID, x.version, y.version, x.hash, y.hash, sealed})
	}
	err = tx.insert(ctx, `INSERT INTO ruling (id, kind, a, b, field, value, who, why, at, withdrawn, decision, a_version, b_version, a_seen, b_seen, sealed)`, "", rows)
	if err != nil {
		return fmt.Errorf("rulings: %w", err)
	}
	return nil
}

// sight is what of a record a decision was made on.
type sight struct {
	version    int
	hash, salt []byte
}

func (tx *Tx) seenNow(ctx context.Context, recs []int64) (map[int64]sight, error) {
	out := map[int64]sight{}
	err := eachIn(ctx, tx, `SELECT s.rec, COALESCE(f.version, 0), f.features, s.salt FROM source_record s LEFT JOIN feature f ON f.rec = s.rec WHERE s.rec IN $LIST`, recs,
		func(r *sql.Rows) error {
			var rec int64
			var s sight
			var features []byte
			if err := r.Scan(&rec, &s.version, &features, &s.salt); err != nil {
				return err
			}
			if s.version > 0 {
				s.hash = tx.keyed("identity", features)
			}
			out[rec] = s
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("versions seen: %w", err)
	}
	return out, nil
}

// withdraw notes that a decision withdraws others, and gives those that came
// back into force by it.
func (tx *Tx) withdraw(ctx context.Context, by string, ids []string, touched map[int64]bool) (revived []string, err error) {
	for _, id := range ids {
		if _, err := tx.exec(ctx, `INSERT INTO decision_withdrawal (decision, withdraws) VALUES ($1, $2) ON CONFLICT DO NOTHING`, by, id); err != nil {
			return nil, err
		}
		if err := tx.inForce(ctx, id, touched, &revived); err != nil {
			return nil, err
		}
	}
	return revived, nil
}

// inForce brings a decision, and those it withdraws, into the state that
// follows from the facts: in force iff none in force withdraws it.
func (tx *Tx) inForce(ctx context.Context, id string, touched map[int64]bool, revived *[]string) error {
	var by string
	held, err := tx.one(ctx, `SELECT w.decision FROM decision_withdrawal w JOIN decision d ON d.id = w.decision
		WHERE w.withdraws = $1 AND d.withdrawn = '' ORDER BY d.seq LIMIT 1`, []any{id}, &by)
	if err != nil {
		return err
	}
	when := ""
	if held {
		when = tx.now
	}
	n, err := tx.exec(ctx, `UPDATE decision SET withdrawn = $1, withdrawn_by = $2 WHERE id = $3 AND (withdrawn = '') <> ($1 = '')`, when, by, id)
	if err != nil {
		return err
	}
	m := int64(0)
	err = tx.query(ctx, `UPDATE ruling SET withdrawn = $1 WHERE (decision = $2 OR id = $2 AND decision = '') AND (withdrawn = '') <> ($1 = '') RETURNING a, b`,
		[]any{when, id}, func(r *sql.Rows) error {
			var a, b int64
			err := r.Scan(&a, &b)
			touched[a], touched[b] = true, true
			m++
			return err
		})
	if err != nil || n+m == 0 {
		return err
	}
	if !held {
		*revived = append(*revived, id)
	}
	if err := tx.mapTurned(ctx, id); err != nil {
		return err
	}
	if err := tx.repairTurned(ctx, id); err != nil {
		return err
	}
	var next []string
	err = tx.query(ctx, `SELECT withdraws FROM decision_withdrawal WHERE decision = $1 ORDER BY withdraws`, []any{id}, func(r *sql.Rows) error {
		var w string
		err := r.Scan(&w)
		next = append(next, w)
		return err
	})
	for _, w := range next {
		if err == nil {
			err = tx.inForce(ctx, w, touched, revived)
		}
	}
	return err
}
