package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"touchstone/internal/env"
	"touchstone/internal/store"
)

// TestPairsThatAreDue: whether few or many pairs are due, those that are by a time
// are listed page by page, each once, in the order that is asked for.
func TestPairsThatAreDue(t *testing.T) {
	orders := map[string]string{"damage": "rank_damage", "name": "name"}
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			db, behind := open(t, dsn, env.Real()), raw(t, dsn)
			fillWithin(t, behind, 8200)
			for _, every := range []int{37, 3} { // 221 and 2,731 pairs
				if _, err := behind.ExecContext(t.Context(), fmt.Sprintf(`UPDATE queue SET name = 'n' || (a %% 97), assigned = CASE WHEN a %% 2 = 0 THEN 'ann' ELSE '' END,
					due = CASE WHEN a %% %d <> 0 THEN '' WHEN a %% 5 = 0 THEN '2025' ELSE '2023' END`, every)); err != nil {
					t.Fatal(err)
				}
				for order, column := range orders {
					for _, ask := range []struct {
						f     store.QueueFilter
						where string
					}{
						{store.QueueFilter{DueBefore: "2024"}, ""},
						{store.QueueFilter{DueBefore: "2026", Assigned: "ann"}, " AND assigned = 'ann'"},
						{store.QueueFilter{DueBefore: "2024", Reach: store.Reach{3}}, " AND x % 7 = 0 AND x % 15 <> 0 AND y % 15 <> 0"},
						{store.QueueFilter{DueBefore: "2022"}, ""},
					} {
						f := ask.f
						f.Entity, f.Order, f.Limit, f.Now = "company", order, 40, "2024"
						want := placesOf(t, behind, `SELECT a, b FROM queue WHERE due <> '' AND due <= '`+f.DueBefore+`'`+ask.where+` ORDER BY `+column+`, a, b`)
						got := eachWithin(t, order, func(after store.QueuePlace) (keys []store.QueuePlace, to store.QueuePlace, err error) {
							f.After = after
							list, next, _, err := db.Queue(t.Context(), f)
							for _, p := range list {
								keys = append(keys, store.QueuePlace{A: p.A, B: p.B})
							}
							if next != nil {
								to = *next
							}
							return keys, to, err
						})
						if !slices.Equal(got, want) {
							t.Errorf("every %d, by %s, %+v: %d pairs %v, want %d: %v", every, order, ask.f, len(got), got[:min(9, len(got))], len(want), want[:min(9, len(want))])
						}
					}
				}
			}
		})
	}
}

// placesOf asks the table itself.
func placesOf(t *testing.T, db *sql.DB, q string) (list []store.QueuePlace) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at store.QueuePlace
		if err := rows.Scan(&at.A, &at.B); err != nil {
			t.Fatal(err)
		}
		list = append(list, at)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
