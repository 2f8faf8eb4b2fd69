package store_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
)

// TestAQuestionOutlivesItsConnection: connections that the server has ended are not
// asked once more each, neither by who reads nor when the store is closed; who was in
// a transaction is told that the server was away, and of nothing else.
func TestAQuestionOutlivesItsConnection(t *testing.T) {
	plain := pgtest.DSN(t)
	u, err := url.Parse(plain)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("application_name", "cut")
	u.RawQuery = q.Encode()
	db, behind := open(t, u.String(), env.Real()), raw(t, plain)
	end := func() {
		t.Helper()
		var ended int
		if err := behind.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = 'cut'`).Scan(&ended); err != nil || ended == 0 {
			t.Fatalf("%d connections were ended, %v", ended, err)
		}
	}
	for range 3 {
		if _, err := db.Numbers(t.Context()); err != nil {
			t.Fatal(err)
		}
		end()
		if _, err := db.Numbers(t.Context()); err != nil {
			t.Errorf("asked after the connections were ended: %v", err)
		}
	}
	write := func(fn func(*store.Tx) error) error { return db.InTxAt(t.Context(), time.Now(), fn) }
	look := func(fn func(*store.Tx) error) error {
		return db.Snapshot(t.Context(), func(tx *store.LookTx) error { return fn(tx.Tx) })
	}
	for who, in := range map[string]func(func(*store.Tx) error) error{"who writes": write, "who looks": look} {
		err := in(func(tx *store.Tx) error {
			if _, err := tx.Follows(t.Context(), []int64{1}); err != nil {
				t.Errorf("%s: %v", who, err)
			}
			end()
			_, err := tx.Follows(t.Context(), []int64{1})
			return err
		})
		if !store.Lost(err) {
			t.Errorf("%s over a connection that was ended is told %v, want it lost", who, err)
		}
		for _, own := range []error{io.ErrUnexpectedEOF, net.ErrClosed, &pgconn.PgError{Code: "57P01"}} { // of a file, a source
			if err := in(func(*store.Tx) error { return own }); !errors.Is(err, own) || store.Lost(err) {
				t.Errorf("%s is told %v, lost %v; want the function's own %v", who, err, store.Lost(err), own)
			}
		}
	}
	if _, _, err := db.Postings(t.Context(), []store.Key{{Coarse: 1}}, 1); err != nil {
		t.Fatal(err)
	}
	end()
	if _, _, err := db.Postings(t.Context(), []store.Key{{Coarse: 1}}, 1); err != nil {
		t.Errorf("lists asked for after the connections were ended: %v", err)
	}
	if _, err := db.Numbers(t.Context()); err != nil {
		t.Fatal(err)
	}
	end() // the store is closed behind the test, without an error
}
