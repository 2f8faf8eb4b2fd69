package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// QueueFilter chooses open pairs of one entity type and their order.
type QueueFilter struct {
	Entity      string
	Order       string // damage | score | oldest | name
	Source      string // uid that either record comes from
	Other       string // uid of the other's
	From, To    int64  // probability in millionths; To 0 for no bound
	Value       int64  // at least, 1/100 of the base currency
	Kind        string
	Assigned    string // account
	Unassigned  bool
	DueBefore   string  // time
	Founders    []int64 // golden records that one of the two has to be of; nil for any
	Reach       Reach   // both golden records have to be reached
	Proposed    bool    // those alone that wait for a second account …
	NotProposer string  // … which this one may be
	Skipped     bool    // those alone that are put aside at Now; else those that are not
	Now         string
	After       QueuePlace
	Limit       int
	Scan        int // how many are looked at for the others at most; 0 for the default

	common bool // most pairs are of this kind: the index that holds all that filters ask for serves better
}

// QueuePlace is a pair's place in an order. The zero value is the beginning.
type QueuePlace struct {
	Number int64  `json:"n,omitempty"` // of the orders damage and score
	Text   string `json:"t,omitempty"` // of the orders oldest and name
	A      int64  `json:"a"`
	B      int64  `json:"b"`
}

// queueScan is how many pairs are looked at for those that a filter without an
// index of its own keeps.
const queueScan = 20_000

// mostFound bounds the pairs of the golden records that a text was found in.
const mostFound = 5000

// column is what an order goes by.
func (f QueueFilter) column() (name string, text bool) {
	switch f.Order {
	case "score":
		return "far", false
	case "oldest":
		return "since", true
	case "name":
		return "name", true
	}
	return "rank_damage", false
}

// Place is a pair's place in the filter's order.
func (f QueueFilter) Place(p QueuedPair) QueuePlace {
	at := QueuePlace{A: p.A, B: p.B}
	switch f.Order {
	case "score":
		at.Number = int64(p.Far)
	case "oldest":
		at.Text = p.Since
	case "name":
		at.Text = p.Name
	default:
		at.Number = -p.Damage
	}
	return at
}

// Compare orders places.
func (p QueuePlace) Compare(q QueuePlace) int {
	return cmp.Or(cmp.Compare(p.Number, q.Number), cmp.Compare(p.Text, q.Text), cmp.Compare(p.A, q.A), cmp.Compare(p.B, q.B))
}

// queueQuery is a query in the making.
type queueQuery struct {
	where []string
	args  []any
}

// and adds a condition; each ? stands for the next value.
func (q *queueQuery) and(text string, values ...any) {
	for _, v := range values {
		q.args = append(q.args, v)
		text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(q.args)), 1)
	}
	q.where = append(q.where, text)
}

// driver names the condition that an index serves in the order of damage.
func (f QueueFilter) driver() string {
	switch _, text := f.column(); {
	case text || f.Order == "score":
		return ""
	case f.Assigned != "":
		return "assigned"
	case f.Proposed:
		return "proposed"
	case f.Source != "" && f.Other != "":
		return "sources"
	case f.Kind != "" && !f.common:
		return "kind"
	}
	return ""
}

// conditions is the query's WHERE.
func (q *queueQuery) conditions() string { return " WHERE " + strings.Join(q.where, " AND ") }

// walk begins a query with what an index serves: the entity type, the driving
// condition and the place.
func (f QueueFilter) walk() *queueQuery {
	q := &queueQuery{}
	f.drive(q)
	f.place(q, ">")
	if f.Skipped {
		f.aside(q)
	} else {
		f.awake(q)
	}
	return q
}

// drive adds the entity type and the driving condition.
func (f QueueFilter) drive(q *queueQuery) {
	q.and("q.entity = ?", f.Entity)
	switch f.driver() {
	case "assigned":
		q.and("q.assigned <> '' AND q.assigned = ?", f.Assigned)
	case "proposed":
		q.and("q.proposer <> ''")
	case "sources":
		q.and("q.low = ? AND q.high = ?", min(f.Source, f.Other), max(f.Source, f.Other))
	case "kind":
		q.and("q.kind = ?", f.Kind)
	}
}

// place adds on which side of the filter's place, > or <=, where it has one.
func (f QueueFilter) place(q *queueQuery, side string) {
	if f.After == (QueuePlace{}) {
		return
	}
	column, text := f.column()
	key := any(f.After.Number)
	if text {
		key = f.After.Text
	}
	q.and("(q."+column+", q.a, q.b) "+side+" (?, ?, ?)", key, f.After.A, f.After.B)
}

// aside adds that a pair is put aside.
func (f QueueFilter) aside(q *queueQuery) { q.and("q.until <> '' AND q.until > ?", f.Now) }

// awake adds that it is not.
func (f QueueFilter) awake(q *queueQuery) { q.and("q.until <= ?", f.Now) }

// from says that of a pair's two sources are those that the filter asks for.
func (f QueueFilter) from(low, high string) bool {
	if f.Source != "" && f.Other != "" {
		return low == min(f.Source, f.Other) && high == max(f.Source, f.Other)
	}
	return f.Source == "" || low == f.Source || high == f.Source
}

// rest gives what no index serves, apart from the walk whose values it goes on with.
func (f QueueFilter) rest(args []any) *queueQuery {
	q := &queueQuery{args: slices.Clone(args)}
	f.others(q)
	return q
}

// others adds what no index serves.
func (f QueueFilter) others(q *queueQuery) {
	by := f.driver()
	if f.Assigned != "" && by != "assigned" {
		q.and("q.assigned = ?", f.Assigned)
	}
	if f.Proposed && by != "proposed" {
		q.and("q.proposer <> ''")
	}
	if f.NotProposer != "" {
		q.and("q.proposer <> ?", f.NotProposer)
	}
	switch {
	case f.Source != "" && f.Other != "" && by != "sources":
		q.and("q.low = ? AND q.high = ?", min(f.Source, f.Other), max(f.Source, f.Other))
	case f.Source != "" && f.Other == "":
		q.and("(q.low = ? OR q.high = ?)", f.Source, f.Source)
	}
	if f.Kind != "" && by != "kind" {
		q.and("q.kind = ?", f.Kind)
	}
	if f.Unassigned {
		q.and("q.assigned = ''")
	}
	if f.From > 0 {
		q.and("q.chance >= ?", f.From)
	}
	if f.To > 0 {
		q.and("q.chance <= ?", f.To)
	}
	if f.Value > 0 {
		q.and("q.value >= ?", f.Value)
	}
	if w := f.Reach.within("q.x"); w != "" {
		q.and(w + f.Reach.and("q.y"))
	}
	if f.DueBefore != "" {
		q.and("q.due <> '' AND q.due <= ?", f.DueBefore)
	}
}

// queueSeen are the columns that filters look at: those of the index that the
// order of damage walks.
const queueSeen = `SELECT q.a, q.b, q.x, q.y, q.entity, q.rank_damage, q.until, q.kind, q.low, q.high, q.chance, q.value, q.systems, q.assigned, q.due, q.proposer`

// Queue lists open pairs in the filter's order, at most f.Limit. Next is where
// to go on, nil at the end; partial says that the list is short because many
// were looked at that the filter leaves out.
func (db *DB) Queue(ctx context.Context, f QueueFilter) (list []QueuedPair, next *QueuePlace, partial bool, err error) {
	if f.Scan == 0 {
		f.Scan = queueScan
	}
	if f.Reach != nil && f.Founders == nil {
		founders, few, err := f.Reach.few(ctx, db)
		if err != nil {
			return nil, nil, false, fmt.Errorf("pairs to review: %w", err)
		}
		if few {
			f.Founders = append([]int64{}, founders...)
		}
	}
	due, fewDue, err := db.fewDue(ctx, f)
	if err != nil {
		return nil, nil, false, fmt.Errorf("pairs to review: %w", err)
	}
	f, err = db.asCommon(ctx, f)
	if err != nil {
		return nil, nil, false, err
	}
	take := func(r *sql.Rows) error {
		p, err := scanQueued(r)
		list = append(list, p)
		return err
	}
	column, text := f.column()
	order := " ORDER BY q." + column + ", q.a, q.b LIMIT "
	walk := f.walk()
	from := ` FROM queue q WHERE ` + strings.Join(walk.where, " AND ") + order
	rest := f.rest(walk.args)
	switch {
	case f.Founders != nil:
		list, err = db.queueOf(ctx, f)
	case fewDue:
		list = due
	case len(rest.where) == 0:
		err = db.view(ctx, fmt.Sprint(queueColumns, from, f.Limit+1), walk.args, take)
	default: // the pairs that are left out are not read whole
		seen := queueSeen
		if column != "rank_damage" {
			seen += ", q." + column
		}
		keys := fmt.Sprint(`SELECT q.a, q.b FROM (`, seen, from, f.Scan, `) q WHERE `, strings.Join(rest.where, " AND "), order, f.Limit+1)
		of := `CROSS JOIN queue q WHERE q.a = k.a AND q.b = k.b`
		if db.d.name == "postgres" { // which else reads the whole queue for more than a few
			of = `CROSS JOIN LATERAL (SELECT * FROM queue z WHERE z.a = k.a AND z.b = k.b LIMIT 1) q`
		}
		err = db.view(ctx, fmt.Sprint(queueColumns, ` FROM (`, keys, `) k `, of, ` ORDER BY q.`, column, `, q.a, q.b`), rest.args, take)
	}
	if err != nil {
		return nil, nil, false, fmt.Errorf("pairs to review: %w", err)
	}
	if len(list) > f.Limit {
		list = list[:f.Limit]
		at := f.Place(list[f.Limit-1])
		return list, &at, false, nil
	}
	if len(rest.where) == 0 || f.Founders != nil || fewDue {
		return list, nil, false, nil
	}
	err = db.view(ctx, fmt.Sprint(`SELECT q.a, q.b, q.`, column, from, `1 OFFSET `, f.Scan-1), walk.args, func(r *sql.Rows) error {
		at := QueuePlace{}
		into := any(&at.Number)
		if text {
			into = &at.Text
		}
		next, partial = &at, true
		return r.Scan(&at.A, &at.B, into)
	})
	if err != nil {
		return nil, nil, false, fmt.Errorf("pairs to review: %w", err)
	}
	return list, next, partial, nil
}

// asCommon notes that a filter asks for a kind that most pairs are of, and for more.
func (db *DB) asCommon(ctx context.Context, f QueueFilter) (QueueFilter, error) {
	if f.driver() != "kind" || f.Founders != nil || len(f.rest(nil).where) == 0 {
		return f, nil
	}
	kept, err := db.tallies(ctx, tallyQueue)
	all, kind := 0, 0
	for _, t := range kept {
		if t.a == f.Entity {
			if all += t.n; t.b == f.Kind {
				kind += t.n
			}
		}
	}
	f.common = 2*kind > all
	return f, err
}

// queueOf lists the open pairs of the filter's golden records, one more than
// f.Limit where there are.
func (db *DB) queueOf(ctx context.Context, f QueueFilter) (list []QueuedPair, err error) {
	known, most := map[[2]int64]bool{}, max(mostFound, f.Limit)
	for _, end := range []string{"x", "y"} {
		err := viewIn(ctx, db, queueColumns+` FROM queue q WHERE q.`+end+` IN $LIST`+f.Reach.and("q.x")+f.Reach.and("q.y")+` LIMIT `+fmt.Sprint(most), f.Founders, func(r *sql.Rows) error {
			p, err := scanQueued(r)
			if k := [2]int64{p.A, p.B}; !known[k] && len(known) < most && f.keeps(p) {
				known[k] = true
				list = append(list, p)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(p, q QueuedPair) int { return f.Place(p).Compare(f.Place(q)) })
	return list[:min(len(list), f.Limit+1)], nil
}

// mostDue bounds the pairs that are found by the time by which they are due: where
// these are more, a page of them is found on the way.
const mostDue = 1000

// fewDue lists the open pairs that are due by the filter's time, one more than
// f.Limit where there are; few says that it asks for those alone and they are few.
func (db *DB) fewDue(ctx context.Context, f QueueFilter) (list []QueuedPair, few bool, err error) {
	if f.DueBefore == "" || f.Founders != nil {
		return nil, false, nil
	}
	n := 0
	err = db.view(ctx, `SELECT count(*) FROM (SELECT 1 FROM queue q WHERE q.due <> '' AND q.due <= $1 LIMIT $2) AS d`, []any{f.DueBefore, mostDue + 1}, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil || n > mostDue {
		return nil, false, err
	}
	err = db.view(ctx, queueColumns+` FROM queue q WHERE q.due <> '' AND q.due <= $1`+f.Reach.and("q.x")+f.Reach.and("q.y"), []any{f.DueBefore}, func(r *sql.Rows) error {
		p, err := scanQueued(r)
		if err == nil && f.keeps(p) {
			list = append(list, p)
		}
		return err
	})
	slices.SortFunc(list, func(p, q QueuedPair) int { return f.Place(p).Compare(f.Place(q)) })
	return list[:min(len(list), f.Limit+1)], true, err
}

// keeps says what the conditions of a query say, of a pair in memory.
func (f QueueFilter) keeps(p QueuedPair) bool {
	return p.Entity == f.Entity && f.from(p.Low, p.High) && (p.Until > f.Now) == f.Skipped && (f.After == QueuePlace{} || f.Place(p).Compare(f.After) > 0) &&
		(f.Assigned == "" || p.Assigned == f.Assigned) && (!f.Unassigned || p.Assigned == "") && (!f.Proposed || p.Proposer != "") &&
		(f.NotProposer == "" || p.Proposer != f.NotProposer) && (f.Kind == "" || p.Kind == f.Kind) && p.Chance >= f.From &&
		(f.To == 0 || p.Chance <= f.To) && p.Value >= f.Value && (f.DueBefore == "" || p.Due != "" && p.Due <= f.DueBefore)
}

// QueuedByRecs finds the open pair of the golden records that two source
// records belong to now.
func (db *DB) QueuedByRecs(ctx context.Context, a, b int64) (p QueuedPair, found bool, err error) {
	err = db.view(ctx, queuedByRecs, []any{a, b}, func(r *sql.Rows) error {
		found = true
		p, err = scanQueued(r)
		return err
	})
	if err != nil {
		return p, false, fmt.Errorf("pair to review: %w", err)
	}
	return p, found, nil
}

const queuedByRecs = queueColumns + ` FROM crosswalk c JOIN crosswalk d ON d.rec = $2 JOIN queue q ON q.x = c.golden AND q.y = d.golden WHERE c.rec = $1
	UNION ALL ` + queueColumns + ` FROM crosswalk c JOIN crosswalk d ON d.rec = $2 JOIN queue q ON q.x = d.golden AND q.y = c.golden WHERE c.rec = $1`

// QueueCount is how many pairs wait and what deciding them would take off the
// expected loss.
type QueueCount struct {
	Entity, Kind string
	Pairs        int
	Damage       int64
}

// QueueCounts counts the open pairs by entity type and kind.
func (db *DB) QueueCounts(ctx context.Context) (list []QueueCount, err error) {
	kept, err := db.tallies(ctx, tallyQueue)
	for _, t := range kept { // sorted: those of a kind, by their sources, stand together
		if len(list) == 0 || list[len(list)-1].Entity != t.a || list[len(list)-1].Kind != t.b {
			list = append(list, QueueCount{Entity: t.a, Kind: t.b})
		}
		last := &list[len(list)-1]
		last.Pairs, last.Damage = last.Pairs+t.n, last.Damage+int64(t.m)
	}
	return slices.DeleteFunc(list, func(c QueueCount) bool { return c.Pairs == 0 && c.Damage == 0 }), err
}

// QueueLength counts the open pairs whose customers are both reached; more says that
// there are so many pairs that not all were looked at.
func (db *DB) QueueLength(ctx context.Context, reach Reach) (n int, more bool, err error) {
	list, err := db.QueueCounts(ctx)
	for _, c := range list {
		n += c.Pairs
	}
	if err != nil || reach == nil || n == 0 {
		return n, false, err
	}
	more, n = n > reachCounted, 0
	founders, few, err := reach.few(ctx, db)
	switch {
	case err != nil:
	case few: // a pair in reach is found by its first end
		more = false
		err = viewIn(ctx, db, `SELECT count(*) FROM queue q WHERE q.x IN $LIST`+reach.and("q.y"), founders, func(r *sql.Rows) error {
			part := 0
			err := r.Scan(&part)
			n += part
			return err
		})
	default:
		err = db.view(ctx, `SELECT count(*) FROM (SELECT x, y FROM queue LIMIT $1) q WHERE `+reach.within("q.x")+reach.and("q.y"), []any{reachCounted}, func(r *sql.Rows) error { return r.Scan(&n) })
	}
	if err != nil {
		return 0, false, fmt.Errorf("count pairs to review: %w", err)
	}
	return n, more, nil
}
