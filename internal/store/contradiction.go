package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// tie is a ruling as an edge of the graph of rulings. Decision names what it
// belongs to: a decision, or itself.
type tie struct {
	a, b     int64
	decision string
	at       string
}

// settleContradictions finds the earlier decisions that cannot hold beside a new
// one: a cannot-link between two records that must-links tie together. With
// Over the new decision withdraws them, otherwise they are given back. Own are
// the decisions that have just come into force, the new one last. What only came back
// with it and cannot hold beside what else came back gives way, the older to the newer
// as it would have when that was made.
func (tx *Tx) settleContradictions(ctx context.Context, d Decision, n NewDecision, own []string, touched map[int64]bool) ([]Decision, error) {
	var earlier []Decision
	delete(touched, 0)
	for range mostContradictions {
		cycle, err := tx.contradiction(ctx, sortedKeys(touched), own)
		if err != nil || len(cycle) == 0 {
			return earlier, err
		}
		against := newest(cycle, own)
		gives := against == ""
		if gives {
			against = oldest(cycle, d.ID)
		}
		if against == "" {
			return nil, impossible("the decision contradicts itself: a record cannot be one with another and not be it")
		}
		if !n.Over && !gives {
			e, err := tx.Decision(ctx, against)
			if err != nil {
				return nil, err
			}
			earlier = append(earlier, e)
		}
		// Without over the caller rolls all of this back; it only serves to name
		// everything that stands in the way.
		if _, err := tx.withdraw(ctx, d.ID, []string{against}, touched); err != nil {
			return nil, err
		}
		if len(n.Leaving) > 0 {
			if err := tx.sayRest(ctx, d, against, n.Leaving); err != nil {
				return nil, err
			}
		}
	}
	return nil, impossible("it contradicts more than %d earlier decisions: undo some of them first", mostContradictions)
}

// sayRest says again what a withdrawn decision said of the records on either
// side of a split: only what joined the two sides goes.
func (tx *Tx) sayRest(ctx context.Context, d Decision, withdrawn string, leaving []int64) error {
	sides := [2]map[int64]bool{{}, {}}
	err := tx.query(ctx, `SELECT a, b FROM ruling WHERE decision = $1 AND kind = 'must'`, []any{withdrawn}, func(r *sql.Rows) error {
		var a, b int64
		err := r.Scan(&a, &b)
		for _, rec := range [2]int64{a, b} {
			sides[boolInt(slices.Contains(leaving, rec))][rec] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	var rest []Ruling
	for _, side := range sides {
		recs := sortedKeys(side)
		for _, rec := range recs[min(len(recs), 1):] {
			rest = append(rest, Ruling{Kind: "must", A: recs[0], B: rec})
		}
	}
	return tx.insertRulings(ctx, d, "", rest)
}

// mostContradictions bounds what one decision can take back.
const mostContradictions = 1000

// contradiction gives one chain of must-links whose ends a cannot-link parts, and
// that link; none where there is none.
func (tx *Tx) contradiction(ctx context.Context, recs []int64, own []string) (cycle []tie, err error) {
	near, all, err := tx.mustChains(ctx, recs)
	if err != nil {
		return nil, err
	}
	chain := chains(near, all)
	var bad []tie
	err = eachIn(ctx, tx, `SELECT a, b, CASE WHEN decision = '' THEN id ELSE decision END, at FROM ruling WHERE kind = 'cannot' AND withdrawn = '' AND a IN $LIST`, all,
		func(r *sql.Rows) error {
			var t tie
			err := r.Scan(&t.a, &t.b, &t.decision, &t.at)
			if c, ok := chain[t.b]; ok && c == chain[t.a] {
				bad = append(bad, t)
			}
			return err
		})
	if err != nil || len(bad) == 0 {
		return nil, err
	}
	slices.SortFunc(bad, cmpTie)
	// A pair that is tied directly comes first: only what joins those who leave
	// to those who stay is in the way, not what holds either together.
	first := bad[0]
	for _, t := range bad {
		if slices.ContainsFunc(near[t.a], func(m tie) bool { return m.b == t.b && !slices.Contains(own, m.decision) }) {
			first = t
			break
		}
	}
	return append(path(near, first.a, first.b), first), nil
}

// newest is the newest decision of some ties that is not among own; "" for none.
func newest(ties []tie, own []string) string {
	found := tie{}
	for _, t := range ties {
		if !slices.Contains(own, t.decision) && (found.decision == "" || t.since(found) > 0) {
			found = t
		}
	}
	return found.decision
}

// oldest is the oldest decision of some ties that is not the new one; "" for none.
func oldest(ties []tie, own string) string {
	found := tie{}
	for _, t := range ties {
		if t.decision != own && (found.decision == "" || t.since(found) < 0) {
			found = t
		}
	}
	return found.decision
}

// since orders ties by their time.
func (t tie) since(u tie) int {
	return cmp.Or(cmp.Compare(t.at, u.at), cmp.Compare(t.decision, u.decision))
}

func cmpTie(x, y tie) int {
	return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(x.decision, y.decision))
}

// mustChains follows the must-links in force from the records.
func (tx *Tx) mustChains(ctx context.Context, recs []int64) (near map[int64][]tie, all []int64, err error) {
	near = map[int64][]tie{}
	known := map[int64]bool{}
	for _, r := range recs {
		known[r] = true
	}
	for wave := recs; len(wave) > 0; {
		all = append(all, wave...)
		var next []int64
		for _, end := range []string{"a", "b"} {
			err := eachIn(ctx, tx, `SELECT a, b, CASE WHEN decision = '' THEN id ELSE decision END, at FROM ruling
				WHERE kind = 'must' AND withdrawn = '' AND `+end+` IN $LIST`, wave, func(r *sql.Rows) error {
				var t tie
				if err := r.Scan(&t.a, &t.b, &t.decision, &t.at); err != nil {
					return err
				}
				near[t.a] = append(near[t.a], t)
				near[t.b] = append(near[t.b], tie{t.b, t.a, t.decision, t.at})
				for _, x := range [2]int64{t.a, t.b} {
					if !known[x] {
						known[x] = true
						next = append(next, x)
					}
				}
				return nil
			})
			if err != nil {
				return nil, nil, fmt.Errorf("must-links: %w", err)
			}
		}
		wave = next
	}
	slices.Sort(all)
	return near, all, nil
}

// chains numbers the records by the chain of must-links they hang in.
func chains(near map[int64][]tie, all []int64) map[int64]int {
	out := map[int64]int{}
	n := 0
	for _, rec := range all {
		if _, done := out[rec]; done {
			continue
		}
		n++
		out[rec] = n
		for queue := []int64{rec}; len(queue) > 0; {
			x := queue[0]
			queue = queue[1:]
			for _, t := range near[x] {
				if _, done := out[t.b]; !done {
					out[t.b] = n
					queue = append(queue, t.b)
				}
			}
		}
	}
	return out
}

// path is a shortest chain of must-links between two records.
func path(near map[int64][]tie, from, to int64) []tie {
	came := map[int64]tie{from: {}}
	for queue := []int64{from}; len(queue) > 0; {
		x := queue[0]
		queue = queue[1:]
		if x == to {
			break
		}
		for _, t := range near[x] {
			if _, done := came[t.b]; !done {
				came[t.b] = t
				queue = append(queue, t.b)
			}
		}
	}
	var out []tie
	for x := to; x != from; x = came[x].a {
		out = append(out, came[x])
	}
	return out
}
