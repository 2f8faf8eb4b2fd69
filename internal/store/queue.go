package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
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
	for _, table := range []string{"match", "bridge"} {
		for _, end := range [][2]string{{"a", "b"}, {"b", "a"}} {
			q := `SELECT m.a, m.b, m.weight, c.golden FROM ` + table + ` m JOIN crosswalk c ON c.rec = m.` + end[1] + ` WHERE m.` + end[0] + ` IN $LIST`
			err := eachIn(ctx, tx, q, recs, func(r *sql.Rows) error {
				var c crossing
				var other int64
				if err := r.Scan(&c.a, &c.b, &c.weight, &other); err != nil {
					return err
				}
				if c.x, c.y = of[c.a], other; end[0] == "b" {
					c.x, c.y = other, of[c.b]
				}
				if c.x == c.y {
					return nil
				}
				k := pairOf(c.x, c.y)
				bridged[k] = bridged[k] || table == "bridge"
				if counted[records{c.a, c.b}] { // seen from its other end, or as a match
					return nil
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
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	stale, err := tx.dropRuled(ctx, recs, of, pairs)
	if err != nil {
		return nil, err
	}
	return pairs, tx.kinds(ctx, ap, pairs, bridged, stale)
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
		if p.Far = abs32(p.Weight - ap.Link); p.Weight >= ap.Link && !bridged[k] && !stale[k] {
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

// customer is a golden record as it counts for the queue.
type customer struct {
	name    string
	value   int64
	sources []string
}

// appraise fills in what the pairs are worth.
func (tx *Tx) appraise(ctx context.Context, ap *Appraisal, pairs map[founderPair]*QueuedPair) error {
	var founders, recs []int64
	for k, p := range pairs {
		founders, recs = append(founders, k[0], k[1]), append(recs, p.A, p.B)
	}
	slices.Sort(founders)
	known, err := tx.valued(ctx, ap, slices.Compact(founders))
	if err != nil {
		return err
	}
	slices.Sort(recs)
	source := map[int64]string{}
	err = eachIn(ctx, tx, `SELECT rec, source FROM source_record WHERE rec IN $LIST`, slices.Compact(recs), func(r *sql.Rows) error {
		var rec int64
		var uid string
		err := r.Scan(&rec, &uid)
		source[rec] = uid
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range pairs {
		x, y := known[p.X], known[p.Y]
		p.Low, p.High = min(source[p.A], source[p.B]), max(source[p.A], source[p.B])
		all := append(slices.Clone(x.sources), y.sources...)
		slices.Sort(all)
		p.Systems = len(slices.Compact(all))
		p.Chance = ap.Chance(p.Weight, p.Kind == "veto" || p.Kind == "bridge" || p.Kind == "group" || p.Kind == "stale")
		p.Value, p.Damage = ap.Worth(p.Chance, x.value, y.value, p.Systems)
		if p.Name = min(x.name, y.name); p.Name == "" {
			p.Name = max(x.name, y.name)
		}
	}
	return nil
}

// valued reads golden records as they count for the queue.
func (tx *Tx) valued(ctx context.Context, ap *Appraisal, founders []int64) (map[int64]*customer, error) {
	out := make(map[int64]*customer, len(founders))
	for _, f := range founders {
		out[f] = &customer{}
	}
	err := eachIn(ctx, tx, `SELECT founder, name FROM search_text WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
		var f int64
		var name string
		err := r.Scan(&f, &name)
		out[f].name = cutBytes(name, maxQueueName)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = eachIn(ctx, tx, `SELECT DISTINCT c.golden, s.source FROM crosswalk c JOIN source_record s ON s.rec = c.rec WHERE c.golden IN $LIST`, founders, func(r *sql.Rows) error {
		var f int64
		var uid string
		err := r.Scan(&f, &uid)
		out[f].sources = append(out[f].sources, uid)
		return err
	})
	if err != nil {
		return nil, err
	}
	if ap.Field != nil {
		err := eachIn(ctx, tx, `SELECT founder, fields FROM golden WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
			var f int64
			var fields string
			err := r.Scan(&f, &fields)
			out[f].value = ap.Field([]byte(fields))
			return err
		})
		return out, err
	}
	return out, tx.eventSums(ctx, ap, founders, out)
}

// eventSums adds up what was earned with golden records in the year before the
// queue's day.
func (tx *Tx) eventSums(ctx context.Context, ap *Appraisal, founders []int64, out map[int64]*customer) error {
	if any, err := tx.one(ctx, `SELECT 1 FROM event_state LIMIT 1`, nil, new(int)); err != nil || !any {
		return err
	}
	from, err := tx.queueFrom(ctx)
	if err != nil {
		return err
	}
	// An event of two records of one customer is one event.
	return eachIn(ctx, tx, `SELECT c.golden, s.ev, s.amount, s.currency FROM crosswalk c JOIN event_of o ON o.rec = c.rec AND o.at > $X1 JOIN event_state s ON s.ev = o.ev
		WHERE s.amount <> '' AND c.golden IN $LIST GROUP BY c.golden, s.ev, s.amount, s.currency`, founders, func(r *sql.Rows) error {
		var f, ev int64
		var amount, currency string
		err := r.Scan(&f, &ev, &amount, &currency)
		out[f].value += ap.Amount(amount, currency)
		return err
	}, from)
}

// queueDay is the setting that holds the day up to which the queue values
// events: a fact of the clock, so that a rebuild needs none.
const queueDay = "queue_day"

// valueDays is how far back events count.
const valueDays = 365

// queueFrom is the time from which events count.
func (tx *Tx) queueFrom(ctx context.Context) (string, error) {
	day, err := tx.setting(ctx, queueDay)
	if err != nil {
		return "", err
	}
	if day == "" {
		day = tx.now[:len(time.DateOnly)]
		if err := tx.setSetting(ctx, queueDay, day); err != nil {
			return "", err
		}
	}
	return yearBefore(day)
}

func yearBefore(day string) (string, error) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", fmt.Errorf("day of the queue: %w", err)
	}
	return formatTime(t.AddDate(0, 0, -valueDays)), nil
}

const queueColumns = `SELECT q.a, q.b, q.x, q.y, q.entity, q.kind, q.low, q.high, q.weight, q.far, q.chance, q.pairs, q.value, q.systems, q.damage, q.name,
	q.since, q.assigned, q.due, q.until, q.escalated, q.proposer`

func scanQueued(r *sql.Rows) (p QueuedPair, err error) {
	err = r.Scan(&p.A, &p.B, &p.X, &p.Y, &p.Entity, &p.Kind, &p.Low, &p.High, &p.Weight, &p.Far, &p.Chance, &p.Pairs, &p.Value, &p.Systems, &p.Damage, &p.Name,
		&p.Since, &p.Assigned, &p.Due, &p.Until, &p.Escalated, &p.Proposer)
	return p, err
}

// queuedOf reads the queue's pairs of these golden records.
func (tx *Tx) queuedOf(ctx context.Context, founders []int64) (map[founderPair]QueuedPair, error) {
	out := map[founderPair]QueuedPair{}
	for _, end := range []string{"x", "y"} {
		err := eachIn(ctx, tx, queueColumns+` FROM queue q WHERE q.`+end+` IN $LIST`, founders, func(r *sql.Rows) error {
			p, err := scanQueued(r)
			out[pairOf(p.X, p.Y)] = p
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// writeQueue writes what changed. What people did about a pair stays with the
// two golden records.
func (tx *Tx) writeQueue(ctx context.Context, ap *Appraisal, old map[founderPair]QueuedPair, pairs map[founderPair]*QueuedPair) error {
	keys := make([]founderPair, 0, len(pairs))
	for k := range pairs {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, comparePairs)
	var fresh []founderPair
	for _, k := range keys {
		if was, known := old[k]; known {
			pairs[k].Since, pairs[k].QueueWork = was.Since, was.QueueWork
		} else {
			fresh = append(fresh, k)
		}
	}
	work, err := tx.workOf(ctx, fresh)
	if err != nil {
		return err
	}
	for _, k := range fresh {
		p := pairs[k]
		p.Since, p.QueueWork = tx.now, work[k]
		if p.Due == "" && ap.Due > 0 {
			at, err := record.ParseTime(tx.now)
			if err != nil {
				return err
			}
			p.Due = formatTime(at.Add(ap.Due))
		}
	}
	var gone, rows [][]any
	for _, k := range sortedPairs(old) {
		was := old[k]
		if p := pairs[k]; p == nil || p.A != was.A || p.B != was.B {
			gone = append(gone, []any{was.A, was.B})
		}
	}
	for _, k := range keys {
		p := pairs[k]
		if was, known := old[k]; known && was == *p {
			continue
		}
		rows = append(rows, []any{
			p.A, p.B, p.X, p.Y, p.Entity, p.Kind, p.Low, p.High, p.Weight, p.Far, p.Chance, p.Pairs, p.Value, p.Systems, p.Damage, -p.Damage, p.Name,
			p.Since, p.Assigned, p.Due, p.Until, p.Escalated, p.Proposer,
		})
	}
	if err := tx.eachRowOf(ctx, `DELETE FROM queue WHERE (a, b) IN (VALUES $ROWS)`, gone, nil); err != nil {
		return err
	}
	return tx.insert(ctx, `INSERT INTO queue (a, b, x, y, entity, kind, low, high, weight, far, chance, pairs, value, systems, damage, rank_damage, name,
			since, assigned, due, until, escalated, proposer)`,
		`ON CONFLICT (a, b) DO UPDATE SET x = excluded.x, y = excluded.y, entity = excluded.entity, kind = excluded.kind, low = excluded.low, high = excluded.high,
			weight = excluded.weight, far = excluded.far, chance = excluded.chance, pairs = excluded.pairs, value = excluded.value, systems = excluded.systems,
			damage = excluded.damage, rank_damage = excluded.rank_damage, name = excluded.name, since = excluded.since, assigned = excluded.assigned,
			due = excluded.due, until = excluded.until, escalated = excluded.escalated, proposer = excluded.proposer`, rows)
}

func comparePairs(p, q founderPair) int {
	return cmp.Or(cmp.Compare(p[0], q[0]), cmp.Compare(p[1], q[1]))
}

func sortedPairs[V any](m map[founderPair]V) []founderPair {
	keys := make([]founderPair, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, comparePairs)
	return keys
}

// workOf reads what people have done about pairs of golden records, and whose
// answer waits for a second one.
func (tx *Tx) workOf(ctx context.Context, pairs []founderPair) (map[founderPair]QueueWork, error) {
	out := map[founderPair]QueueWork{}
	if len(pairs) == 0 {
		return out, nil
	}
	wanted, xs := map[founderPair]bool{}, make([]int64, 0, len(pairs))
	for _, k := range pairs {
		wanted[k], xs = true, append(xs, k[0])
	}
	err := eachIn(ctx, tx, `SELECT x, y, assigned, due, until, escalated FROM pair_work WHERE x IN $LIST`, slices.Compact(xs), func(r *sql.Rows) error {
		var k founderPair
		var w QueueWork
		err := r.Scan(&k[0], &k[1], &w.Assigned, &w.Due, &w.Until, &w.Escalated)
		if wanted[k] {
			out[k] = w
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = eachIn(ctx, tx, `SELECT x, y, who FROM pair_proposal WHERE state = 'open' AND x IN $LIST`, slices.Compact(xs), func(r *sql.Rows) error {
		var k founderPair
		var who string
		err := r.Scan(&k[0], &k[1], &who)
		if wanted[k] {
			w := out[k]
			w.Proposer = who
			out[k] = w
		}
		return err
	})
	return out, err
}
