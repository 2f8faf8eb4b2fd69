package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// QueueSort says for which reason a pair is counted: "" is the last one.
type QueueSort struct {
	Me       string // who asks
	Value    int64  // from which worth on an answer needs two accounts; 0 for none
	Systems  int    // above how many systems; 0 for none
	WithVeto bool   // pairs with a veto are as any other
	WithOld  bool   // and those a person has ruled on
}

// The reasons of QueueSorts.
const (
	SortProposed = "proposed"
	SortAssigned = "assigned"
	SortTwo      = "two"
	SortStale    = "stale"
	SortVeto     = "veto"
)

// sortReason is one reason and the condition of its pairs.
type sortReason struct {
	name, when string
	values     []any
	kind       string // of its pairs, where that is the reason
	index      string // that holds its pairs
}

// reasons gives the reasons in their order.
func (s QueueSort) reasons() []sortReason {
	list := []sortReason{
		{name: SortProposed, when: "q.proposer <> ''", index: "queue_proposer"},
		{name: SortAssigned, when: "q.assigned <> '' AND q.assigned <> ?", values: []any{s.Me}, index: "queue_assigned"},
	}
	if s.Value > 0 {
		list = append(list, sortReason{name: SortTwo, when: "q.value >= ?", values: []any{s.Value}})
	}
	if s.Systems > 0 {
		list = append(list, sortReason{name: SortTwo, when: "q.systems > ?", values: []any{s.Systems}})
	}
	if !s.WithOld {
		list = append(list, sortReason{name: SortStale, when: "q.kind = 'stale'", kind: "stale", index: "queue_kind"})
	}
	if !s.WithVeto {
		list = append(list, sortReason{name: SortVeto, when: "q.kind = 'veto'", kind: "veto", index: "queue_kind"})
	}
	return list
}

// QueueSorts counts the pairs of a filter behind its place by reason, the first
// that holds.
func (db *DB) QueueSorts(ctx context.Context, f QueueFilter, s QueueSort) (counts map[string]int, err error) {
	if f, err = db.asCommon(ctx, f); err != nil {
		return nil, err
	}
	few := f.kept() && s.Value == 0 && s.Systems == 0
	if few {
		few, err = db.fewSorted(ctx, f, s)
	}
	switch {
	case err != nil:
	case few:
		counts, err = db.keptSorts(ctx, f, s)
	default:
		counts, err = db.walkedSorts(ctx, f, s)
	}
	if err != nil {
		return nil, fmt.Errorf("count pairs to review: %w", err)
	}
	return counts, nil
}

// fewSorted says that of the filter's pairs less than a tenth are of kinds that are
// reasons: looking up each of more takes longer than walking all.
func (db *DB) fewSorted(ctx context.Context, f QueueFilter, s QueueSort) (bool, error) {
	kept, err := db.talliesOf(ctx, f.Entity, tallyQueue)
	all, sorted := 0, 0
	for _, t := range kept {
		if f.Kind != "" && t.b != f.Kind {
			continue
		}
		all += t.n
		if slices.ContainsFunc(s.reasons(), func(r sortReason) bool { return r.kind == t.b }) {
			sorted += t.n
		}
	}
	return 10*sorted < all || all == 0, err
}

// kept says that kept counts tell how many pairs a filter has, those before its place
// and those that are put aside among them.
func (f QueueFilter) kept() bool {
	return f.Founders == nil && f.Reach == nil && f.From == 0 && f.To == 0 && f.Value == 0 && f.DueBefore == "" &&
		f.Assigned == "" && !f.Unassigned && !f.Proposed && f.NotProposer == "" && !f.Skipped
}

// keptSorts takes what stands before the place, what is put aside and what has a reason
// from the kept count of the filter's pairs: each is few beside all, and an index leads
// to it. One statement sees one moment.
func (db *DB) keptSorts(ctx context.Context, f QueueFilter, s QueueSort) (map[string]int, error) {
	const all = "all"
	q := &queueQuery{}
	q.and("what = ? AND a = ?", tallyQueue, f.Entity)
	if f.Kind != "" {
		q.and("b = ?", f.Kind)
	}
	parts := []string{`SELECT '` + all + `', c, CAST(sum(n) AS BIGINT) FROM tally` + q.conditions() + ` GROUP BY c`}
	part := func(name, index string, only func()) {
		if index != "" && db.d.name == "sqlite" { // which else walks all pairs by the index that has all columns
			index = " INDEXED BY " + index
		} else {
			index = ""
		}
		q.where = nil
		f.drive(q)
		only()
		f.others(q)
		parts = append(parts, `SELECT '`+name+`', '', count(*) FROM queue q`+index+q.conditions())
	}
	if f.After != (QueuePlace{}) {
		part("before", "", func() { f.place(q, "<=") })
	}
	part("aside", "queue_skipped", func() {
		f.place(q, ">")
		f.aside(q)
	})
	reasons := s.reasons()
	for i, r := range reasons {
		if r.kind != "" && f.Kind != "" && r.kind != f.Kind {
			continue // none of the filter's pairs is of that kind
		}
		part(r.name, r.index, func() {
			f.place(q, ">")
			f.awake(q)
			q.and(r.when, r.values...)
			for _, first := range reasons[:i] {
				q.and("NOT ("+first.when+")", first.values...)
			}
		})
	}
	out := map[string]int{}
	err := db.view(ctx, strings.Join(parts, " UNION ALL "), q.args, func(r *sql.Rows) error {
		var name, sources string
		n := 0
		err := r.Scan(&name, &sources, &n)
		switch low, high, _ := strings.Cut(sources, " "); {
		case name == all && f.from(low, high):
			out[""] += n
		case name != all:
			out[name] += n
			out[""] -= n
		}
		return err
	})
	delete(out, "before")
	delete(out, "aside")
	return out, err
}

// walkedSorts walks all pairs of the filter behind its place, so what has no reason,
// which is most, is only counted and not sorted.
func (db *DB) walkedSorts(ctx context.Context, f QueueFilter, s QueueSort) (map[string]int, error) {
	where, left, q := f.sorts(s)
	from, sorted := ` FROM queue q`+where, ""
	for i, when := range left {
		sorted += " WHEN " + when + " THEN '" + s.reasons()[i].name + "'"
	}
	some := strings.Join(left, " OR ")
	n, with, out := 0, 0, map[string]int{}
	err := db.view(ctx, `SELECT count(*), count(CASE WHEN `+some+` THEN 1 END)`+from, q.args, func(r *sql.Rows) error { return r.Scan(&n, &with) })
	if err == nil && with > 0 {
		err = db.view(ctx, `SELECT CASE`+sorted+` END, count(*)`+from+` AND (`+some+`) GROUP BY 1`, q.args, func(r *sql.Rows) error {
			var why string
			var n int
			err := r.Scan(&why, &n)
			out[why] = n
			return err
		})
	}
	out[""] = n - with
	return out, err
}

// sorts gives the conditions of a filter and those of each reason, with q's values.
func (f QueueFilter) sorts(s QueueSort) (where string, left []string, q *queueQuery) {
	q = f.walk()
	f.others(q)
	where = q.conditions()
	q.where = nil
	for _, r := range s.reasons() {
		q.and(r.when, r.values...)
	}
	return where, q.where, q
}

// QueueUnsorted counts the pairs of a filter behind its place that QueueSorts has
// no reason for and that have one of some golden records.
func (db *DB) QueueUnsorted(ctx context.Context, f QueueFilter, s QueueSort, founders []int64) (int, error) {
	where, left, q := f.sorts(s)
	// The customers are the way, not the order that an index of the entity type has.
	where = strings.Replace(where, " WHERE q.entity = ", " AND q.entity || '' = ", 1)
	where = strings.ReplaceAll(where+" AND NOT ("+strings.Join(left, " OR ")+")", "$", "$X")
	found := map[[2]int64]bool{} // a pair may be found by either end
	for _, end := range []string{"x", "y"} {
		err := viewIn(ctx, db, `SELECT q.a, q.b FROM queue q WHERE q.`+end+` IN $LIST`+where, founders, func(r *sql.Rows) error {
			var pair [2]int64
			err := r.Scan(&pair[0], &pair[1])
			found[pair] = true
			return err
		}, q.args...)
		if err != nil {
			return 0, fmt.Errorf("count pairs to review: %w", err)
		}
	}
	return len(found), nil
}
