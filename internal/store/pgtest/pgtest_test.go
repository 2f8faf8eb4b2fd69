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
