package store_test

import (
	"errors"
	"io"
	"net/url"
	"testing"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
)

// TestAQuestionOutlivesItsConnection: connections that the server has ended are not
// asked once more each, neither by who reads nor when the store is closed; who was
// writing is told that the server was away.
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
	err = db.InTxAt(t.Context(), time.Now(), func(tx *store.Tx) error {
		end()
		_, err := tx.Follows(t.Context(), []int64{1})
		return err
	})
	if !store.Lost(err) {
		t.Errorf("a transaction whose connection was ended gives %v, want it lost", err)
	}
	for _, other := range []error{nil, io.ErrUnexpectedEOF, errors.New("other")} { // a source's, say
		if store.Lost(other) {
			t.Errorf("%v is lost, want only what the store says", other)
		}
	}
	if _, err := db.Numbers(t.Context()); err != nil {
		t.Fatal(err)
	}
	end() // the store is closed behind the test, without an error
}
