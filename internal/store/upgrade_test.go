package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// TestAnUpgradeCountsWhatIsThere: a store from before owners and weights were
// counted says after its upgrade what it would have said.
func TestAnUpgradeCountsWhatIsThere(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			e, _ := storetest.Env(1)
			db, err := store.Open(t.Context(), dsn, storetest.Vault(), e)
			if err != nil {
				t.Fatal(err)
			}
			behind := raw(t, dsn)
			exec := func(q string) {
				t.Helper()
				if _, err := behind.ExecContext(t.Context(), q); err != nil {
					t.Fatalf("%v\n%s", err, q)
				}
			}
			numbers := `WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 30) SELECT `
			bytes := map[string]string{"sqlite": "X''", "postgres": "''::bytea"}[eng.name]
			for entity, first := range map[string]string{"company": "0", "person": "100", "vessel": "200"} {
				exec(`INSERT INTO source_record (rec, source, entity, external_id, anchor, version, latest, hash, stamp, etag, deleted) ` + numbers + first + ` + n, 's', '` + entity + `', '` + first + `-' || n, '` + first + `-' || n, 1, 1, ` + bytes + `, '', '', 0 FROM k`)
				exec(`INSERT INTO golden (founder, id, entity, fields, provenance, members, live, version, changed_at, owner) ` + numbers + first + ` + n, '` + first + `-' || n, '` + entity +
					`', CASE WHEN n % 3 = 0 THEN '{"name":"x"}' WHEN n = 1 THEN '{"owner":"Zoë \"Z\""}' ELSE '{"name":"x","owner":"o' || (n % 3) || '"}' END, '{}', 1, CASE WHEN n < 28 THEN 1 ELSE 0 END, 1, '',
					CASE WHEN '` + entity + `' = 'vessel' OR n % 3 = 0 THEN '' WHEN n = 1 THEN 'Zoë "Z"' ELSE 'o' || (n % 3) END FROM k`)
				exec(`INSERT INTO match (a, b, weight, pattern, model, entity) ` + numbers + first + ` + n, ` + first + ` + n + 1, n * 333 - 3000, 0, 'm', '` + entity + `' FROM k`)
			}
			exec(`INSERT INTO golden (founder, id, entity, fields, provenance, members, live, version, changed_at, owner) VALUES (131, '100-31', 'person', '{"owner":"` + storetest.LongName() + `"}', '{}', 1, 1, 1, '', '` + storetest.LongName() + `')`)
			exec(`INSERT INTO queue (a, b, x, y, entity, kind, low, high, weight, far, chance, pairs, value, systems, damage, rank_damage, name, since, assigned, due, until, escalated, proposer) ` + numbers +
				`n, n + 1, n, n + 1, 'company', CASE WHEN n % 4 = 0 THEN 'veto' ELSE 'below' END, 's' || (n % 3), 's3', 0, 0, 0, 1, 0, 1, n, -n, '', '', '', '', '', 0, '' FROM k`)
			said := func(db *store.DB) (out []any) {
				counts, err := db.QueueCounts(t.Context())
				if err != nil || len(counts) != 2 {
					t.Fatal(counts, err)
				}
				out = append(out, counts)
				for _, entity := range []string{"company", "person", "vessel"} {
					owners, err := db.Owners(t.Context(), entity, 9)
					if err != nil {
						t.Fatal(err)
					}
					bins, err := db.Scores(t.Context(), entity)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, owners, bins)
				}
				return out
			}
			want := said(db)
			if owners := want[1].([]store.OwnerCount); len(owners) != 4 || !slices.Contains(owners, store.OwnerCount{Owner: `Zoë "Z"`, Customers: 1}) || !slices.Contains(owners, store.OwnerCount{Owner: "", Customers: 9}) {
				t.Fatalf("owners %+v", owners)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := store.MigrateDown(t.Context(), dsn, 25); err != nil {
				t.Fatal(err)
			}
			db = open(t, dsn, e)
			if diff := cmp.Diff(want, said(db)); diff != "" {
				t.Errorf("after the upgrade (-before +after):\n%s", diff)
			}
			if damage, err := db.Integrity(t.Context()); err != nil || len(damage) > 0 {
				t.Errorf("after the upgrade: %q, %v", damage, err)
			}

			exec(`UPDATE golden SET owner = 'Eve' WHERE founder = 1`)
			exec(`UPDATE match SET entity = 'person' WHERE a = 1`)
			exec(`INSERT INTO bridge (a, b, weight, entity) VALUES (1, 2, 5, 'person'), (3, 4, 5, 'company')`)
			exec(`INSERT INTO tally (what, a, b, c, n, m) VALUES ('owner', 'company', 'Mallory', '', 3, 0)`)
			damage, err := db.Integrity(t.Context())
			got := strings.Join(damage, "\n")
			for _, want := range []string{"kept count of owner company: 3 and 0 are kept, 0 and 0 are there", "owners of golden records: 1 say something else", "entity types of pairs: 1 say something else", "entity types of bridges: 1 say something else"} {
				if err != nil || !strings.Contains(got, want) {
					t.Errorf("the check tells %q, %v; want %q", got, err, want)
				}
			}
			if strings.Contains(got, "Mallory") {
				t.Errorf("the check names a person: %s", got)
			}
		})
	}
}

// TestAnUpgradeWaitsForWhatIsWritten: what another process has begun to write while a
// store is brought up is counted as the new store counts.
func TestAnUpgradeWaitsForWhatIsWritten(t *testing.T) {
	dsn := engines()[1].dsn(t)
	e, _ := storetest.Env(1)
	if err := open(t, dsn, e).Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.MigrateDown(t.Context(), dsn, 38); err != nil {
		t.Fatal(err)
	}
	behind := raw(t, dsn)
	tx, err := behind.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.ExecContext(t.Context(), `INSERT INTO queue (a, b, x, y, entity, kind, low, high, weight, far, chance, pairs, value, systems, damage, rank_damage, name, since, assigned, due, until, escalated, proposer)
		SELECT n, n + 1, n, n + 1, 'company', 'below', 's1', 's2', 0, 0, 0, 1, 0, 1, 1, -1, '', '', '', '', '', 0, '' FROM generate_series(1, 10) AS n`)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	var db *store.DB
	go func() {
		var err error
		db, err = store.Open(context.Background(), dsn, storetest.Vault(), e)
		done <- err
	}()
	for waits := 0; waits == 0; {
		select {
		case err = <-done: // it did not wait: the counts tell
			done <- err
			waits = 1
		default:
			if err := behind.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_locks WHERE relation = 'queue'::regclass AND NOT granted`).Scan(&waits); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if damage, err := db.Integrity(t.Context()); err != nil || len(damage) > 0 {
		t.Errorf("after the upgrade: %q, %v", damage, err)
	}
}
