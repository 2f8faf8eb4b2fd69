package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
)

// HandedOver is the kind of a decision that customers have another owner now: a
// pin for each of them.
const HandedOver = "handover"

// Handover is what one decision passed from one owner to another.
type Handover struct {
	Decision
	Entity        string
	Former, Owner string // Former is "" for customers that had nobody
	Parts         int
}

// HandoverPart is one customer of it.
type HandoverPart struct {
	N      int
	Rec    int64
	Before string
	Erased bool   // what stood there was erased with the record
	Golden int64  // founder of the golden record that it belongs to now; 0 for none
	ID     string // of that
}

// OwnerCount is how many customers somebody looks after.
type OwnerCount struct {
	Owner     string // "" for nobody
	Customers int
}

// Owners counts the golden records of an entity type by who looks after them, the
// most first, at most n. It reads kept counts; of nobody's there is none: they are
// what is left.
func (db *DB) Owners(ctx context.Context, entity string, n int) (list []OwnerCount, err error) {
	list, err = db.owners(ctx, entity)
	return mostOwned(list, n), err
}

// owners is Owners of all, in no order.
func (db *DB) owners(ctx context.Context, entity string) (list []OwnerCount, err error) {
	kept, err := db.talliesOf(ctx, entity, tallyGolden, tallyOwner)
	if err != nil {
		return nil, fmt.Errorf("owners of %s: %w", entity, err)
	}
	nobody := 0
	for _, t := range kept {
		if t.what == tallyGolden {
			nobody += t.n
			continue
		}
		nobody -= t.n
		list = append(list, OwnerCount{t.b, t.n})
	}
	if nobody > 0 {
		list = append(list, OwnerCount{"", nobody})
	}
	return list, nil
}

// mostOwned gives who looks after the most, at most n of them.
func mostOwned(list []OwnerCount, n int) []OwnerCount {
	slices.SortFunc(list, func(x, y OwnerCount) int {
		return cmp.Or(cmp.Compare(y.Customers, x.Customers), cmp.Compare(x.Owner, y.Owner))
	})
	return list[:min(len(list), n)]
}

// OwnersWithin is Owners for who reaches some golden records alone: of these so many
// are read, and more says that there may be others.
func (db *DB) OwnersWithin(ctx context.Context, entity string, reach Reach, n, look int) (list []OwnerCount, more bool, err error) {
	counted := map[string]int{}
	for after := int64(0); ; {
		founders, next, err := reach.page(ctx, db, after, min(look, ownersRead))
		if err != nil {
			return nil, false, fmt.Errorf("owners of %s: %w", entity, err)
		}
		err = viewIn(ctx, db, `SELECT owner, count(*) FROM golden WHERE founder IN $LIST AND entity = $X1 AND live > 0 GROUP BY owner`, founders, func(r *sql.Rows) error {
			var c OwnerCount
			err := r.Scan(&c.Owner, &c.Customers)
			counted[c.Owner] += c.Customers
			return err
		}, entity)
		if err != nil {
			return nil, false, fmt.Errorf("owners of %s: %w", entity, err)
		}
		if look -= len(founders); next == math.MaxInt64 || look <= 0 {
			more = next != math.MaxInt64
			break
		}
		after = next
	}
	for owner, customers := range counted {
		list = append(list, OwnerCount{owner, customers})
	}
	return mostOwned(list, n), more, nil
}

// ownersRead is how many golden records of a scope are read at a time for a count of
// their owners, or for those of one.
const ownersRead = 1000

// manyReached is how often what is asked for who reaches some has to reach, for all
// of an owner to be looked through: so much is soon found then.
const manyReached = 5

// Owned is a customer of somebody.
type Owned struct {
	Founder int64
	ID      string
}

// OwnedBy lists the golden records that are reached and that somebody looks after,
// "" for nobody, the oldest first, behind a founder, at most n; with a source's uid
// those that it has a record of. Of an owner with more than that, who reaches fewer
// has what is reached looked through: nobody's may be nearly all there are.
func (db *DB) OwnedBy(ctx context.Context, entity, owner, source string, reach Reach, after int64, n int) (list []Owned, err error) {
	if reach != nil {
		counts, err := db.owners(ctx, entity)
		if err != nil {
			return nil, err
		}
		for _, c := range counts {
			if c.Owner != owner || c.Customers <= n {
				continue
			}
			if fewer, err := reach.fewer(ctx, db, min(c.Customers, manyReached*n)); err != nil {
				return nil, err
			} else if fewer {
				return db.ownedWithin(ctx, entity, owner, source, reach, after, n)
			}
		}
	}
	// The beginning of the name is as the index golden_owner has it. The name itself is
	// put together: SQLite would set an equal one into that beginning, which is then no
	// longer the index's.
	err = db.view(ctx, `SELECT g.founder, g.id FROM golden g WHERE g.entity = $1 AND g.live > 0 AND g.owner || '' = $4 AND substr(g.owner, 1, 200) = substr($4, 1, 200) AND g.founder > $2
		AND ($3 = '' OR EXISTS (`+ownedFrom+` s.source = $3))`+reach.and("g.founder")+
		` ORDER BY g.founder LIMIT $5`, []any{entity, after, source, owner, n}, func(r *sql.Rows) error {
		var o Owned
		err := r.Scan(&o.Founder, &o.ID)
		list = append(list, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("customers of an owner: %w", err)
	}
	return list, nil
}

// ownedFrom begins a query for the records in a source of the golden record g.
const ownedFrom = `SELECT 1 FROM crosswalk c JOIN source_record s ON s.rec = c.rec WHERE c.golden = g.founder AND s.deleted = 0 AND`

// ownedWithin is OwnedBy among what is reached, page by page.
func (db *DB) ownedWithin(ctx context.Context, entity, owner, source string, reach Reach, after int64, n int) (list []Owned, err error) {
	for len(list) < n && after < math.MaxInt64 {
		var founders []int64
		founders, after, err = reach.page(ctx, db, after, ownersRead)
		if err == nil {
			err = viewIn(ctx, db, `SELECT g.founder, g.id FROM golden g WHERE g.founder IN $LIST AND g.entity = $X1 AND g.live > 0 AND g.owner = $X2
				AND ($X3 = '' OR EXISTS (`+ownedFrom+` s.source = $X3))`, founders, func(r *sql.Rows) error {
				var o Owned
				err := r.Scan(&o.Founder, &o.ID)
				list = append(list, o)
				return err
			}, entity, owner, source)
		}
		if err != nil {
			return nil, fmt.Errorf("customers of an owner: %w", err)
		}
	}
	slices.SortFunc(list, func(x, y Owned) int { return cmp.Compare(x.Founder, y.Founder) })
	return list[:min(len(list), n)], nil
}

// StillOwned gives those of some golden records that somebody looks after now.
func (tx *DecideTx) StillOwned(ctx context.Context, owner string, founders []int64) (still []int64, err error) {
	err = eachIn(ctx, tx.Tx, `SELECT g.founder FROM golden g WHERE g.live > 0 AND g.owner = $X1 AND g.founder IN $LIST`, founders, func(r *sql.Rows) error {
		var f int64
		err := r.Scan(&f)
		still = append(still, f)
		return err
	}, owner)
	if err != nil {
		return nil, fmt.Errorf("customers of an owner: %w", err)
	}
	slices.Sort(still)
	return still, nil
}

// keepHandover keeps what a decision passes on, with what stood there before.
func (tx *Tx) keepHandover(ctx context.Context, decision string, n NewDecision) error {
	recs := make([]int64, len(n.Rulings))
	for i, r := range n.Rulings {
		recs[i] = r.A
	}
	seen, err := tx.seenNow(ctx, recs)
	if err != nil {
		return err
	}
	h := n.Passes
	if _, err := tx.exec(ctx, `INSERT INTO handover (decision, entity, former, owner, parts) VALUES ($1,$2,$3,$4,$5)`, decision, h.Entity, h.Former, h.Owner, len(recs)); err != nil {
		return fmt.Errorf("hand-over: %w", err)
	}
	rows := make([][]any, len(recs))
	for i, rec := range recs {
		sealed, err := tx.db.vault.Seal(seen[rec].salt, fmt.Sprint("handover", decision, " ", i+1), []byte(h.Former))
		if err != nil {
			return fmt.Errorf("seal a hand-over: %w", err)
		}
		rows[i] = []any{decision, i + 1, rec, sealed}
	}
	if err := tx.insert(ctx, `INSERT INTO handover_part (decision, n, rec, sealed)`, "", rows); err != nil {
		return fmt.Errorf("hand-over: %w", err)
	}
	return nil
}

const handoverQuery = `SELECT h.decision, h.entity, h.former, h.owner, h.parts, d.seq, d.who, d.why, d.at, d.withdrawn, d.withdrawn_by FROM handover h JOIN decision d ON d.id = h.decision`

func (db *DB) handovers(ctx context.Context, where string, args ...any) (list []Handover, err error) {
	err = db.view(ctx, handoverQuery+where, args, func(r *sql.Rows) error {
		h := Handover{Decision: Decision{Kind: HandedOver}}
		err := r.Scan(&h.ID, &h.Entity, &h.Former, &h.Owner, &h.Parts, &h.Seq, &h.Who, &h.Why, &h.At, &h.Withdrawn, &h.WithdrawnBy)
		list = append(list, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("hand-overs: %w", err)
	}
	return list, nil
}

// handoversLooked is how many hand-overs are looked at for those that are reached.
const handoversLooked = 500

// Handovers lists those of customers that are all reached, the newest first: of who
// reaches some customers alone among the newest ones.
func (db *DB) Handovers(ctx context.Context, w Within, n int) ([]Handover, error) {
	if w.Reach == nil {
		return db.handovers(ctx, ` ORDER BY d.seq DESC LIMIT $1`, n)
	}
	ids, err := keysOf[string](ctx, db, `SELECT h.decision FROM handover h JOIN decision d ON d.id = h.decision ORDER BY d.seq DESC LIMIT $1`, handoversLooked)
	if err != nil {
		return nil, fmt.Errorf("hand-overs: %w", err)
	}
	ids, _, err = sift(ids, n, func(part []string) (map[string]bool, error) { return db.DecisionsReached(ctx, w, part) })
	if err != nil {
		return nil, err
	}
	list := make([]Handover, len(ids))
	for i, id := range ids {
		if list[i], err = db.Handover(ctx, id); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Handover reads one by its decision.
func (db *DB) Handover(ctx context.Context, id string) (Handover, error) {
	list, err := db.handovers(ctx, ` WHERE h.decision = $1`, id)
	if err == nil && len(list) == 0 {
		err = notFound("hand-over", id)
	}
	if err != nil {
		return Handover{}, err
	}
	return list[0], nil
}

// HandoverParts lists the customers of one, behind a number, at most n.
func (db *DB) HandoverParts(ctx context.Context, id string, after, n int) (list []HandoverPart, err error) {
	err = db.view(ctx, `SELECT p.n, p.rec, p.sealed, s.salt, COALESCE(c.golden, 0), COALESCE(f.anchor, '') FROM handover_part p JOIN source_record s ON s.rec = p.rec
		LEFT JOIN crosswalk c ON c.rec = p.rec LEFT JOIN source_record f ON f.rec = c.golden WHERE p.decision = $1 AND p.n > $2 ORDER BY p.n LIMIT $3`, []any{id, after, n}, func(r *sql.Rows) error {
		var p HandoverPart
		var sealed, salt []byte
		err := r.Scan(&p.N, &p.Rec, &sealed, &salt, &p.Golden, &p.ID)
		if err == nil {
			p.Before, p.Erased, err = db.openPin(salt, sealed)
		}
		list = append(list, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("hand-over %s: %w", id, err)
	}
	return list, nil
}

// WroteOf says what became of a target's newest writes of a field, planned behind
// a fact number, by golden record: its path stands in the write.
func (db *DB) WroteOf(ctx context.Context, target, path string, behind int64, founders []int64) (map[int64]string, error) {
	out := map[int64]string{}
	err := viewIn(ctx, db, `SELECT o.founder, o.state FROM outbox o JOIN shape h ON h.id = o.shape
		WHERE o.target = $X1 AND o.seq > $X2 AND replace(h.paths, $X3, '') <> h.paths AND o.founder IN $LIST ORDER BY o.seq`, founders, func(r *sql.Rows) error {
		var founder int64
		var state string
		err := r.Scan(&founder, &state)
		if state != "superseded" || out[founder] == "" {
			out[founder] = state
		}
		return err
	}, target, behind, "\n"+path+"\n")
	if err != nil {
		return nil, fmt.Errorf("writes of a hand-over: %w", err)
	}
	return out, nil
}

// FieldsOf reads the golden records of some founders.
func (db *DB) FieldsOf(ctx context.Context, founders []int64) (map[int64][]byte, error) {
	out := make(map[int64][]byte, len(founders))
	err := viewIn(ctx, db, `SELECT founder, fields FROM golden WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
		var f int64
		var fields string
		err := r.Scan(&f, &fields)
		out[f] = []byte(fields)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golden records: %w", err)
	}
	return out, nil
}
