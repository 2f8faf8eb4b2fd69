package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Appraisal is how the pairs of one entity type are told apart and valued. The
// functions are pure.
type Appraisal struct {
	Entity string
	Link   int32 // threshold
	// Chance gives the probability, in millionths, that a pair of this weight is
	// one customer; held says that something stands against it all the same.
	Chance func(weight int32, held bool) int64
	// Veto says whether anything excludes that two records, known by their
	// features, are one customer.
	Veto func(a, b []byte) (bool, error)
	// Amount reads an event's amount; Field the value of a golden record from its
	// fields, nil where events say it. Both are in 1/100 of the base currency.
	Amount func(amount, currency string) int64
	Field  func(fields []byte) int64
	// Worth sums what two customers are worth, and says what a decision on them is.
	Worth func(chance, one, other int64, systems int) (value, damage int64)
	Due   time.Duration // in which a new pair is to be decided; 0 for no time
}

// QueuedPair is an open pair: two golden records by their strongest pair of
// source records.
type QueuedPair struct {
	A, B      int64 // source records
	X, Y      int64 // founders of their golden records
	Entity    string
	Kind      string // below | veto | bridge | group | stale
	Low, High string // uids of the sources of A and B, in order
	Weight    int32
	Chance    int64 // in millionths
	Pairs     int   // of source records
	Value     int64 // of both customers, 1/100 of the base currency
	Systems   int
	Damage    int64 // what a decision takes off the expected loss
	Name      string
	Since     string
	QueueWork

	Far int32 // from the link threshold, 1/1000 bit
}

// QueueWork is what people have done about a pair.
type QueueWork struct {
	Assigned, Due, Until string
	Escalated            int
	Proposer             string
}

// maxQueueName bounds the name by which the queue is ordered, in bytes.
const maxQueueName = 60

// RefreshQueue brings the open pairs of these golden records up to what follows
// from the facts. Golden records that are gone have no pairs any more. The
// caller holds the landing lock.
func (tx *Tx) RefreshQueue(ctx context.Context, ap *Appraisal, founders []int64) error {
	founders = slices.Clone(founders)
	slices.Sort(founders)
	founders = slices.DeleteFunc(slices.Compact(founders), func(f int64) bool { return f == 0 })
	if len(founders) == 0 {
		return nil
	}
	old, err := tx.queuedOf(ctx, founders)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	pairs, err := tx.openBetween(ctx, ap, founders)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	if len(old)+len(pairs) == 0 {
		return nil
	}
	if err := tx.appraise(ctx, ap, pairs); err != nil {
		return fmt.Errorf("queue: value pairs: %w", err)
	}
	if err := tx.writeQueue(ctx, ap, old, pairs); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// founderPair names two golden records, the smaller founder first.
type founderPair [2]int64

func pairOf(x, y int64) founderPair { return founderPair{min(x, y), max(x, y)} }

// crossing is a stored match or bridge between records of two golden records.
type crossing struct {
	a, b, x, y int64
	weight     int32
}

// openBetween finds the pairs of these golden records with any other that
// nobody has ruled on, or whose ruling has become stale.
func (tx *Tx) openBetween(ctx context.Context, ap *Appraisal, founders []int64) (map[founderPair]*QueuedPair, error) {
	var recs []int64
	of := map[int64]int64{}
	err := eachIn(ctx, tx, `SELECT rec, golden FROM crosswalk WHERE golden IN $LIST`, founders, func(r *sql.Rows) error {
		var rec, golden int64
		err := r.Scan(&rec, &golden)
		recs, of[rec] = append(recs, rec), golden
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(recs)
	pairs := map[founderPair]*QueuedPair{}
	type records struct{ a, b int64 }
	counted := map[records]bool{}
	bridged := map[founderPair]bool{}
	read, err := tx.crossings(ctx, recs, of)
	if err != nil {
		return nil, err
	}
	for from, list := range read {
		for _, c := range list {
			k := pairOf(c.x, c.y)
			bridged[k] = bridged[k] || from >= 2
			if counted[records{c.a, c.b}] { // seen from its other end, or as a match
				continue
			}
			counted[records{c.a, c.b}] = true
			p := pairs[k]
			if p == nil {
				p = &QueuedPair{Entity: ap.Entity, Weight: c.weight, A: c.a, B: c.b, X: c.x, Y: c.y}
				pairs[k] = p
			}
			p.Pairs++
			if c.weight > p.Weight || c.weight == p.Weight && (c.a < p.A || c.a == p.A && c.b < p.B) {
				p.A, p.B, p.X, p.Y, p.Weight = c.a, c.b, c.x, c.y, c.weight
			}
		}
	}
	if len(pairs) > 0 {
		if err := tx.aheadOfValues(ctx, ap, recs, pairs); err != nil {
			return nil, err
		}
	}
	stale, err := tx.dropRuled(ctx, recs, of, pairs)
	if err != nil {
		return nil, err
	}
	return pairs, tx.kinds(ctx, ap, pairs, bridged, stale)
}

// crossings are the matches of records of golden records with those of others from
// either end, and then the bridges.
func (tx *Tx) crossings(ctx context.Context, recs []int64, of map[int64]int64) (read [4][]crossing, err error) {
	if len(recs) > few {
		return tx.crossingsOfMany(ctx, recs, of)
	}
	err = tx.crossingsOf(ctx, recs, func(r *sql.Rows) error {
		var c crossing
		var from int
		var other int64
		if err := r.Scan(&from, &c.a, &c.b, &c.weight, &other); err != nil {
			return err
		}
		if c.x, c.y = of[c.a], other; from%2 == 1 {
			c.x, c.y = other, of[c.b]
		}
		if c.x != c.y {
			read[from] = append(read[from], c)
		}
		return nil
	})
	return read, err
}

// crossingsOfMany is crossings of many records: most of what they match is among them,
// so that only the others are looked for.
func (tx *Tx) crossingsOfMany(ctx context.Context, recs []int64, of map[int64]int64) (read [4][]crossing, err error) {
	var others []int64
	err = eachIn(ctx, tx, `SELECT 0, a, b, weight FROM match WHERE a IN $LIST UNION ALL SELECT 1, a, b, weight FROM match WHERE b IN $LIST
		UNION ALL SELECT 2, a, b, weight FROM bridge WHERE a IN $LIST UNION ALL SELECT 3, a, b, weight FROM bridge WHERE b IN $LIST`, recs, func(r *sql.Rows) error {
		var c crossing
		var from int
		if err := r.Scan(&from, &c.a, &c.b, &c.weight); err != nil {
			return err
		}
		far := c.b
		if from%2 == 1 {
			far = c.a
		}
		c.x, c.y = of[c.a], of[c.b]
		if c.x != c.y {
			read[from] = append(read[from], c)
		}
		if _, known := of[far]; !known {
			others = append(others, far)
		}
		return nil
	})
	if err != nil {
		return read, err
	}
	slices.Sort(others)
	golden := map[int64]int64{}
	err = eachIn(ctx, tx, `SELECT rec, golden FROM crosswalk WHERE rec IN $LIST`, slices.Compact(others), func(r *sql.Rows) error {
		var rec, founder int64
		err := r.Scan(&rec, &founder)
		golden[rec] = founder
		return err
	})
	if err != nil {
		return read, err
	}
	for from, list := range read {
		keep := list[:0]
		for _, c := range list {
			far, founder := c.b, &c.y
			if from%2 == 1 {
				far, founder = c.a, &c.x
			}
			if _, known := of[far]; !known {
				if *founder, known = golden[far]; !known {
					continue // in no golden record
				}
			}
			keep = append(keep, c)
		}
		read[from] = keep
	}
	return read, nil
}

// crossingsOf reads the matches and bridges of records from either end.
func (tx *Tx) crossingsOf(ctx context.Context, recs []int64, scan rowScan) error {
	return eachIn(ctx, tx, `SELECT 0, m.a, m.b, m.weight, c.golden FROM match m JOIN crosswalk c ON c.rec = m.b WHERE m.a IN $LIST
		UNION ALL SELECT 1, m.a, m.b, m.weight, c.golden FROM match m JOIN crosswalk c ON c.rec = m.a WHERE m.b IN $LIST
		UNION ALL SELECT 2, m.a, m.b, m.weight, c.golden FROM bridge m JOIN crosswalk c ON c.rec = m.b WHERE m.a IN $LIST
		UNION ALL SELECT 3, m.a, m.b, m.weight, c.golden FROM bridge m JOIN crosswalk c ON c.rec = m.a WHERE m.b IN $LIST`, recs, scan)
}

// dropRuled takes out the pairs between whose records a ruling is in force, and
// gives those whose ruling has become stale.
func (tx *Tx) dropRuled(ctx context.Context, recs []int64, of map[int64]int64, pairs map[founderPair]*QueuedPair) (stale map[founderPair]bool, err error) {
	stale = map[founderPair]bool{}
	if len(pairs) == 0 {
		return stale, nil
	}
	ruled := map[founderPair]bool{}
	for _, end := range [][2]string{{"a", "b"}, {"b", "a"}} {
		q := `SELECT r.` + end[0] + `, c.golden, r.kind, r.stale FROM ruling r JOIN crosswalk c ON c.rec = r.` + end[1] + `
			WHERE r.withdrawn = '' AND r.kind IN ('must', 'cannot', 'unsure') AND r.` + end[0] + ` IN $LIST`
		err := eachIn(ctx, tx, q, recs, func(r *sql.Rows) error {
			var rec, golden int64
			var kind string
			var changed int
			err := r.Scan(&rec, &golden, &kind, &changed)
			k := pairOf(of[rec], golden)
			stale[k] = stale[k] || changed != 0 && kind != "must"
			ruled[k] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for k := range ruled { // which order decides nothing
		if !stale[k] {
			delete(pairs, k)
		}
	}
	return stale, nil
}

// kinds says why each pair was not merged.
func (tx *Tx) kinds(ctx context.Context, ap *Appraisal, pairs map[founderPair]*QueuedPair, bridged, stale map[founderPair]bool) error {
	var strong []int64
	for k, p := range pairs {
		if p.Far = max(p.Weight-ap.Link, ap.Link-p.Weight); p.Weight >= ap.Link && !bridged[k] && !stale[k] {
			strong = append(strong, p.A, p.B)
		}
	}
	features := map[int64][]byte{}
	slices.Sort(strong)
	err := eachIn(ctx, tx, `SELECT rec, features FROM feature WHERE rec IN $LIST`, slices.Compact(strong), func(r *sql.Rows) error {
		var rec int64
		var f []byte
		err := r.Scan(&rec, &f)
		features[rec] = f
		return err
	})
	if err != nil {
		return err
	}
	for k, p := range pairs {
		switch {
		case stale[k]:
			p.Kind = "stale"
		case bridged[k]:
			p.Kind = "bridge"
		case p.Weight < ap.Link:
			p.Kind = "below"
		default:
			p.Kind = "group"
			veto, err := ap.Veto(features[p.A], features[p.B])
			if err != nil {
				return fmt.Errorf("records %d and %d: %w", p.A, p.B, err)
			}
			if veto {
				p.Kind = "veto"
			}
		}
	}
	return nil
}
