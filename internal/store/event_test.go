package store_test

import (
	"database/sql"
	"fmt"
	"testing"

	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// TestEventsGoWithTheirRecord forgets a record's salt: its events cannot be
// opened any more, also those that came before it, and they do not come back.
func TestEventsGoWithTheirRecord(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			b := bench(t, dsn, 3)
			b.Happened(storetest.Happening("e1", "open", "", 1, "1"), storetest.Happening("e9", "bad", "", 1, "1"))
			b.Land(storetest.Item("1", storetest.Named("Ada")), storetest.Item("2", storetest.Named("Bob")))
			if n := b.Again(); n != 2 {
				t.Errorf("%d events derived again, want 2", n)
			}
			b.Happened(storetest.Happening("e2", "open", "", 2, "1"), storetest.Happening("e3", "open", "", 3, "2"))
			driver, address := "pgx", dsn
			if eng.name == "sqlite" {
				driver, address = "sqlite3", "file:"+dsn
			}
			raw, err := sql.Open(driver, address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = raw.Close() }()
			if _, err := raw.ExecContext(t.Context(), fmt.Sprintf(`UPDATE source_record SET salt = NULL WHERE rec = %d`, b.Rec("1"))); err != nil {
				t.Fatal(err)
			}
			if got, want := b.Listed(store.EventFilter{}), "e3 open 1"; got != want {
				t.Errorf("events %q, want %q", got, want)
			}
			if got, want := b.Happened(storetest.Happening("e1", "new", "", 1, "1")), (store.Counts{Pulled: 1, Filtered: 1}); got != want {
				t.Errorf("an erased event again: %+v, want %+v", got, want)
			}
			if got, want := b.Happened(storetest.Happening("e4", "open", "", 4, "1"), storetest.Happening("e5", "bad", "", 4, "1"), storetest.Happening("e6", "open", "", 5, "2", "1")), (store.Counts{Pulled: 3, Stored: 1, Filtered: 2}); got != want {
				t.Errorf("new events of an erased record: %+v, want %+v", got, want)
			}
			if got, want := b.Listed(store.EventFilter{}), "e6 open 1, e3 open 1"; got != want {
				t.Errorf("events %q, want %q", got, want)
			}
			faults, err := b.DB.EventFaults(t.Context(), 0, 10)
			if err != nil || len(faults) != 0 {
				t.Errorf("reasons of erased events: %+v, %v; want none", faults, err)
			}
		})
	}
}

// BenchmarkLandEvents lands pages of events whose records are known.
func BenchmarkLandEvents(b *testing.B) {
	for _, eng := range engines() {
		b.Run(eng.name, func(b *testing.B) {
			e := env.Real()
			db := open(b, eng.dsn(b), e)
			if _, err := db.Land(b.Context(), store.Landing{Source: storetest.Source, Entity: storetest.Entity, Items: page(0, 1000, "n"), Derive: trivial}); err != nil {
				b.Fatal(err)
			}
			before := cpuSeconds(b)
			n := 0
			for b.Loop() {
				items := make([]store.EventItem, 1000)
				for i := range items {
					items[i] = storetest.Happening(fmt.Sprintf("%d-%d", n, i), "open", "12.50", n, fmt.Sprintf("%07d-%07d", 0, i))
				}
				if _, err := db.LandEvents(b.Context(), store.EventLanding{Source: storetest.Source, Kind: "ticket", Items: items, Derive: storetest.DeriveEvent}); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(n*1000)/(cpuSeconds(b)-before), "events/cpu-s")
		})
	}
}
