package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"touchstone/internal/audit"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// BenchmarkAudit lists a trail of a million rows in every way the page asks, and
// checks it once. It says of each the time of one page of 50.
func BenchmarkAudit(b *testing.B) {
	const rows, part = 1_000_000, 500 // the times in the filters below follow from them
	for _, eng := range engines() {
		b.Run(eng.name, func(b *testing.B) {
			e, clock := storetest.Env(1)
			db := open(b, eng.dsn(b), e)
			ctx := context.Background()
			started := time.Now()
			whats := []string{"golden.save", "golden.save", "golden.save", "outbox.plan", "outbox.delivered", "read.customer", "record.land"}
			for i := 0; i < rows; i += part {
				clock.Advance(time.Minute)
				entries := make([]audit.Entry, part)
				for k := range entries {
					n := i + k
					entries[k] = audit.Entry{Who: "touchstone", What: whats[n%len(whats)], Subjects: []string{fmt.Sprintf("g%015d", n%100_000)}}
					switch {
					case n%1000 == 7:
						entries[k] = audit.Entry{Who: fmt.Sprint("steward", n%7), What: "decision.merge", Subjects: []string{fmt.Sprint("d", n), fmt.Sprintf("g%015d", n%100_000), fmt.Sprintf("g%015d", (n+1)%100_000)}}
					case n == 5_005:
						entries[k] = audit.Entry{Who: "rare", What: "backup.made", Subjects: []string{"store"}}
					}
				}
				if err := db.NoteAll(ctx, entries); err != nil {
					b.Fatal(err)
				}
			}
			filled := time.Since(started)
			started = time.Now()
			for n := 1; n > 0; {
				var err error
				if n, err = db.Seal(ctx, 1000); err != nil {
					b.Fatal(err)
				}
			}
			sealed := time.Since(started)
			started = time.Now()
			r, err := db.AuditVerify(ctx, audit.NewKey(db.LogID(), [32]byte{}).Public(), audit.Marks{})
			if err != nil || !r.Whole() {
				b.Fatalf("%+v %v", r, err)
			}
			b.Logf("%d rows: written in %v, sealed in %v, verified in %v", rows, filled, sealed, time.Since(started))
			day := func(n int) string {
				return store.TimeText(storetest.Start().Add(time.Duration(n) * rows / part / 10 * time.Minute))
			}
			for name, f := range map[string]store.AuditFilter{
				"all": {}, "merges": {What: []string{"decision.merge"}}, "one steward": {Who: "steward3"}, "rare person": {Who: "rare"}, "steward's merges": {Who: "steward3", What: []string{"decision.merge"}},
				"touchstone": {Who: "touchstone"}, "looks": {What: []string{"read.customer"}}, "one customer": {Subject: "g000000000000042"}, "customer's looks": {Subject: "g000000000000042", What: []string{"read.customer"}},
				"old day": {From: day(2), To: day(3)}, "merges of old": {What: []string{"decision.merge"}, To: day(3)}, "steward of old": {Who: "steward3", From: day(1), To: day(2)}, "nobody": {Who: "nobody"}, "far page": {Before: 200_000},
			} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						if _, err := db.AuditList(ctx, f, 51); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			b.Run("head and words", func(b *testing.B) {
				for b.Loop() {
					if _, err := db.AuditHead(ctx); err != nil {
						b.Fatal(err)
					}
					if _, err := db.AuditWhats(ctx); err != nil {
						b.Fatal(err)
					}
					if _, err := db.AuditWhos(ctx); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
