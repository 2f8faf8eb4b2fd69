package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
	"touchstone/internal/store/storetest"
)

// worker opens a store as a daemon would, on a real clock.
func worker(t *testing.T, dsn, host string) (*store.DB, error) {
	t.Helper()
	e, _ := storetest.Env(3)
	e.Clock = env.Real().Clock
	db := open(t, dsn, e)
	return db, db.TakeLease(t.Context(), store.Holder{Host: host, PID: 42})
}

func TestSecondDaemonIsToldWhoHoldsTheStore(t *testing.T) {
	dsn := pgtest.DSN(t)
	first, err := worker(t, dsn, "one.example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, err = worker(t, dsn, "two.example.com")
	var held *store.HeldError
	if !errors.As(err, &held) || held.Host != "one.example.com" || held.PID != 42 || held.Since == "" {
		t.Fatalf("a second daemon: %v, want it refused with host, pid and since", err)
	}
	if !strings.Contains(err.Error(), "one.example.com, pid 42, since 20") {
		t.Errorf("the message is %q, want host, pid and since in it", err)
	}
	if h, isHeld, err := first.LeaseHolder(t.Context()); err != nil || !isHeld || h.Host != "one.example.com" {
		t.Errorf("LeaseHolder = %+v, %v, %v; want the first, held", h, isHeld, err)
	}
	if err := first.SetSetting(t.Context(), "x", "1"); err != nil {
		t.Errorf("the holder writes: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := worker(t, dsn, "three.example.com")
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	if h, _, err := third.LeaseHolder(t.Context()); err != nil || h.Host != "three.example.com" {
		t.Errorf("LeaseHolder = %+v, %v; want the third", h, err)
	}
}

func TestOtherSchemasHaveLeasesOfTheirOwn(t *testing.T) {
	for _, dsn := range []string{pgtest.DSN(t), pgtest.DSN(t)} {
		if _, err := worker(t, dsn, "one.example.com"); err != nil {
			t.Error(err)
		}
	}
}

// TestLostLeaseEndsEveryWrite cuts the first daemon's connection that holds the
// lock, as a broken network does, and lets another take over.
func TestLostLeaseEndsEveryWrite(t *testing.T) {
	dsn := pgtest.DSN(t)
	first, err := worker(t, dsn, "one.example.com")
	if err != nil {
		t.Fatal(err)
	}
	cut := func() {
		var n int
		if err := raw(t, dsn).QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted
			AND ((classid::bigint << 32) | objid::bigint) = hashtextextended('touchstone:' || current_schema(), 0)`).Scan(&n); err != nil || n != 1 {
			t.Fatalf("cut %d connections, %v; want the one that holds the lock", n, err)
		}
	}
	// Nobody took over: the lock is taken again and work goes on.
	cut()
	if err := first.KeepOnce(t.Context()); err != nil {
		t.Errorf("keeping the lease after its connection broke: %v", err)
	}
	if err := first.SetSetting(t.Context(), "x", "1"); err != nil {
		t.Errorf("writing after that: %v", err)
	}
	// Somebody took over: no write gets through, and the keeper says so.
	cut()
	second, err := worker(t, dsn, "two.example.com")
	if err != nil {
		t.Fatalf("taking over: %v", err)
	}
	if err := first.SetSetting(t.Context(), "x", "2"); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("a write after the lease was lost = %v, want ErrLeaseLost", err)
	}
	if err := first.KeepOnce(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("keeping the lost lease = %v, want ErrLeaseLost", err)
	}
	if v, err := second.Setting(t.Context(), "x"); err != nil || v != "1" {
		t.Errorf("the value is %q, %v; want 1, what was written under the lease", v, err)
	}
}

// TestTakingOverWaitsForAWriteThatBegan: a transaction that began under the old
// lease ends before the new one begins.
func TestTakingOverWaitsForAWriteThatBegan(t *testing.T) {
	dsn := pgtest.DSN(t)
	first, err := worker(t, dsn, "one.example.com")
	if err != nil {
		t.Fatal(err)
	}
	began, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- first.InTxAt(context.Background(), time.Unix(0, 0), func(*store.Tx) error {
			close(began)
			<-goOn
			return nil
		})
	}()
	<-began
	if _, err := raw(t, dsn).ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
		AND ((classid::bigint << 32) | objid::bigint) = hashtextextended('touchstone:' || current_schema(), 0)`); err != nil {
		t.Fatal(err)
	}
	taken := make(chan error, 1)
	go func() {
		_, err := worker(t, dsn, "two.example.com")
		taken <- err
	}()
	select {
	case err := <-taken:
		t.Errorf("taken over (%v) while a write of the old holder was under way", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Errorf("the write that began in time: %v", err)
	}
	if err := <-taken; err != nil {
		t.Errorf("taking over after that: %v", err)
	}
}

func TestSQLiteRemembersWhoWorksOnIt(t *testing.T) {
	db, err := worker(t, engines()[0].dsn(t), "one.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if h, held, err := db.LeaseHolder(t.Context()); err != nil || !held || h.Host != "one.example.com" || h.PID != 42 {
		t.Errorf("LeaseHolder = %+v, %v, %v; want who took it", h, held, err)
	}
}
