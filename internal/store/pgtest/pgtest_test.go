package pgtest_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"touchstone/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestEveryTestHasItsOwnEmptySchema(t *testing.T) {
	ctx := context.Background()
	first, second := pgtest.DSN(t), pgtest.DSN(t)
	for _, dsn := range []string{first, second} {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(ctx, `CREATE TABLE mine (a int)`); err != nil {
			t.Errorf("the schema is not empty: %v", err)
		}
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSchemaIsGoneWhenTheTestEnds(t *testing.T) {
	ctx := context.Background()
	var dsn string
	t.Run("inner", func(t *testing.T) { dsn = pgtest.DSN(t) })
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var schema *string
	if err := conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
		t.Fatal(err)
	}
	if schema != nil {
		t.Errorf("current_schema() = %q after the test, want none", *schema)
	}
}

// TestFilledIsAsItWasFilled: what one test does to a database, the next one does not
// see, and filling happens anew only where tables were changed.
func TestFilledIsAsItWasFilled(t *testing.T) {
	ctx := context.Background()
	exec := func(dsn, q string) error {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, q)
		return err
	}
	fills := 0
	fill := func(dsn string) error {
		fills++
		return exec(dsn, `CREATE TABLE other (a int PRIMARY KEY); CREATE TABLE mine (a int REFERENCES other, n int);
			CREATE FUNCTION count_mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE mine SET n = n + 1; RETURN NEW; END $$;
			INSERT INTO other VALUES (1); INSERT INTO mine VALUES (1, 0);
			CREATE TRIGGER counted AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION count_mine()`)
	}
	for i, c := range []struct {
		do    string
		fills int
	}{
		{`INSERT INTO other VALUES (2); UPDATE mine SET a = 2`, 1},
		{`DELETE FROM mine; DELETE FROM other`, 1},
		{`TRUNCATE mine`, 1},
		{`ALTER TABLE mine ADD b int; DROP TRIGGER counted ON other`, 1},
		{`SELECT 1`, 2},
	} {
		t.Run(c.do, func(t *testing.T) {
			dsn := pgtest.Filled(t, fill)
			if fills != c.fills && os.Getenv(pgtest.Variable) == "" {
				t.Errorf("filled %d times before test %d, want %d", fills, i, c.fills)
			}
			conn, err := pgx.Connect(ctx, dsn)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			err = conn.QueryRow(ctx, `SELECT concat((SELECT string_agg(mine::text, ',') FROM mine), (SELECT string_agg(other::text, ',') FROM other))`).Scan(&got)
			if err != nil || got != "(1,0)(1)" {
				t.Errorf("it holds %s, %v", got, err)
			}
			if err := exec(dsn, c.do); err != nil {
				t.Error(err)
			}
			// The connection stays open: it is ended when the test is.
		})
	}
}
