package store_test

import (
	"slices"
	"testing"

	"touchstone/internal/store/storetest"
)

// TestACountThatIsWrongIsTold: the check of a store compares what is kept with
// what is there. That they agree after any work, the suite checks.
func TestACountThatIsWrongIsTold(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			e, _ := storetest.Env(1)
			db := open(t, dsn, e)
			if _, err := raw(t, dsn).ExecContext(t.Context(), `INSERT INTO tally (what, a, b, c, n, m) VALUES ('records', 'crm', 'company', '', 2, 1)`); err != nil {
				t.Fatal(err)
			}
			damage, err := db.Integrity(t.Context())
			if want := []string{"kept count of records crm company: 2 and 1 are kept, 0 and 0 are there"}; err != nil || !slices.Equal(damage, want) {
				t.Errorf("the check tells %q, %v; want %q", damage, err, want)
			}
		})
	}
}

// TestCountsAreSummedUp: what statements have added to kept counts becomes one
// row for each, and says the same.
func TestCountsAreSummedUp(t *testing.T) {
	dsn := engines()[1].dsn(t)
	e, _ := storetest.Env(1)
	db := open(t, dsn, e)
	behind := raw(t, dsn)
	for range 200 {
		for _, q := range []string{
			`INSERT INTO golden (founder, id, entity, fields, provenance, members, live, version, changed_at) SELECT 1 + count(*), 'g' || count(*), 'company', '{}', '{}', 1, 1, 1, '' FROM golden`,
			`UPDATE golden SET live = 2 WHERE founder % 2 = 0`,
		} {
			if _, err := behind.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func() (rows, golden, members int) {
		if err := behind.QueryRowContext(t.Context(), `SELECT count(*) FROM tally`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		n, err := db.Numbers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return rows, n.Golden, n.Members
	}
	if rows, golden, members := count(); rows < 300 || golden != 200 || members != 300 {
		t.Errorf("%d rows tell of %d golden records with %d members, want 300 rows or more, 200 and 300", rows, golden, members)
	}
	if err := db.FoldTally(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows, golden, members := count(); rows != 1 || golden != 200 || members != 300 {
		t.Errorf("summed up, %d rows tell of %d golden records with %d members, want one, 200 and 300", rows, golden, members)
	}
}
