package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// TestQueueSortsCountWhatIsThere: of any filter, from any place on, each pair is counted
// once, by the first reason that holds, whether kept counts tell it or a walk.
func TestQueueSortsCountWhatIsThere(t *testing.T) {
	const now, later = "2026-02-01T00:00:00.000000Z", "2026-03-01T00:00:00.000000Z"
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			e, _ := storetest.Env(1)
			db, behind := open(t, dsn, e), raw(t, dsn)
			r := rand.New(rand.NewPCG(1, 2))
			pick := func(of ...string) string { return of[r.IntN(len(of))] }
			var pairs []store.QueuedPair
			insert := "INSERT INTO queue (a, b, x, y, entity, kind, low, high, weight, far, chance, pairs, value, systems, damage, rank_damage, name, since, assigned, due, until, escalated, proposer) VALUES "
			for i := range int64(800) {
				p := store.QueuedPair{
					A: i, B: 1000 + i, X: i, Y: 1000 + i, Entity: pick("company", "company", "person"), Kind: pick("below", "below", "below", "below", "below", "below", "below", "below", "below", "below", "group", "group", "group", pick("veto", "stale")),
					Low: pick("s1", "s2"), High: pick("s2", "s3"), Chance: r.Int64N(1e6), Value: r.Int64N(100), Systems: r.IntN(4), Damage: r.Int64N(50),
				}
				p.Assigned, p.Until, p.Proposer = pick("", "", "", "ann", "bob"), pick("", "", "", "2026-01-01T00:00:00.000000Z", later), pick("", "", "", "", "ann")
				pairs = append(pairs, p)
				if i > 0 {
					insert += ", "
				}
				insert += fmt.Sprintf("(%d, %d, %d, %d, '%s', '%s', '%s', '%s', 0, 0, %d, 1, %d, %d, %d, %d, '', '', '%s', '', '%s', 0, '%s')",
					p.A, p.B, p.X, p.Y, p.Entity, p.Kind, p.Low, p.High, p.Chance, p.Value, p.Systems, p.Damage, -p.Damage, p.Assigned, p.Until, p.Proposer)
			}
			for _, q := range []string{insert, "UPDATE queue SET low = 's0' WHERE a % 7 = 1", "UPDATE queue SET kind = 'below', entity = 'person' WHERE a % 11 = 1", "DELETE FROM queue WHERE a % 13 = 1"} {
				if _, err := behind.ExecContext(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			pairs = slices.DeleteFunc(pairs, func(p store.QueuedPair) bool { return p.A%13 == 1 })
			for i := range pairs {
				if pairs[i].A%7 == 1 {
					pairs[i].Low = "s0"
				}
				if pairs[i].A%11 == 1 {
					pairs[i].Kind, pairs[i].Entity = "below", "person"
				}
			}
			if damage, err := db.Integrity(t.Context()); err != nil || len(damage) > 0 {
				t.Fatalf("the kept counts tell %v, %v", damage, err)
			}
			seen := map[string]int{}
			for i := range 300 {
				f := store.QueueFilter{Entity: pick("company", "person"), Kind: pick("", "", "below", "stale", "veto", "bridge"), Source: pick("", "s1", "s2"), Now: now}
				if f.Source != "" {
					f.Other = pick("", "s1", "s3")
				}
				if i%4 > 0 {
					f.After = f.Place(pairs[r.IntN(len(pairs))])
				}
				s := store.QueueSort{Me: "ann", WithVeto: r.IntN(2) == 0, WithOld: r.IntN(2) == 0}
				switch i % 6 { // what only a walk tells
				case 1:
					s.Value, s.Systems = 70, 2
				case 2:
					f.Unassigned, f.From = true, 200_000
				case 3:
					f.Skipped = true
				}
				want := map[string]int{}
				for _, p := range pairs {
					sources := f.Source == "" || p.Low == f.Source || p.High == f.Source
					if f.Other != "" {
						sources = p.Low == min(f.Source, f.Other) && p.High == max(f.Source, f.Other)
					}
					if p.Entity != f.Entity || f.Kind != "" && p.Kind != f.Kind || !sources || (p.Until > now) != f.Skipped || f.Unassigned && p.Assigned != "" || p.Chance < f.From ||
						f.After != (store.QueuePlace{}) && f.Place(p).Compare(f.After) <= 0 {
						continue
					}
					why := ""
					switch {
					case p.Proposer != "":
						why = store.SortProposed
					case p.Assigned == "bob":
						why = store.SortAssigned
					case s.Value > 0 && (p.Value >= s.Value || p.Systems > s.Systems):
						why = store.SortTwo
					case p.Kind == "stale" && !s.WithOld:
						why = store.SortStale
					case p.Kind == "veto" && !s.WithVeto:
						why = store.SortVeto
					}
					want[why]++
					seen[why]++
				}
				got, err := db.QueueSorts(t.Context(), f, s)
				maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
				if err != nil || !maps.Equal(got, want) {
					t.Fatalf("%+v by %+v: %v, %v; want %v", f, s, got, err, want)
				}
			}
			for _, why := range []string{"", store.SortProposed, store.SortAssigned, store.SortTwo, store.SortStale, store.SortVeto} {
				if seen[why] < 20 {
					t.Errorf("%d pairs are of the reason %q", seen[why], why)
				}
			}
		})
	}
}
