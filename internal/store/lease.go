package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// Holder is the process that works on a store.
type Holder struct {
	Host  string `json:"host"`
	PID   int    `json:"pid"`
	Since string `json:"since"`          // in TimeLayout
	Beat  string `json:"beat,omitempty"` // last sign of life, where the engine keeps one
}

// HeldError says that another process works on the store.
type HeldError struct{ Holder }

func (e *HeldError) Error() string {
	return fmt.Sprintf("another touchstone works on this store: host %s, pid %d, since %s; stop it first, or give this one a store of its own", e.Host, e.PID, e.Since)
}

// ErrLeaseLost says that another process has taken the store over. Nothing more
// may be written by this one.
var ErrLeaseLost = errors.New("another process has taken this store over: nothing more is written by this one")

const (
	leaseName = "daemon"
	// leasePatience is how long to wait for a holder that was just killed: its
	// server notices within milliseconds.
	leasePatience = 3 * time.Second
	leaseBeat     = 5 * time.Second
	// unlockBound is how long giving the lock back may take.
	unlockBound = time.Second
)

// lockKey is one number for each schema of a database.
const lockKey = `hashtextextended('touchstone:' || current_schema(), 0)`

// TakeLease makes this process the only one that works on the store, until
// Close. On PostgreSQL a lock of a connection of its own says who is alive, and
// a number that grows with each holder fences the writes of the one before. On
// SQLite the caller holds a lock on files; the row only says who. The error is
// a *HeldError while somebody else holds it.
func (db *DB) TakeLease(ctx context.Context, me Holder) error {
	if db.d.name == "postgres" {
		if err := db.lockSession(ctx); err != nil {
			return err
		}
	}
	var epoch int64
	err := db.inTx(ctx, func(tx *Tx) error {
		me.Since = tx.now
		_, err := tx.one(ctx, `INSERT INTO lease (name, epoch, host, pid, since) VALUES ($1, 1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET epoch = lease.epoch + 1, host = excluded.host, pid = excluded.pid, since = excluded.since
			RETURNING epoch`, []any{leaseName, me.Host, me.PID, me.Since}, &epoch)
		if err != nil {
			return err
		}
		return tx.beat(ctx)
	})
	if err != nil {
		return errors.Join(fmt.Errorf("take the lease: %w", err), db.unlockSession())
	}
	if db.d.name == "postgres" {
		db.epoch.Store(epoch)
	}
	return nil
}

func (tx *Tx) beat(ctx context.Context) error {
	_, err := tx.exec(ctx, `INSERT INTO lease_beat (name, at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET at = excluded.at`, leaseName, tx.now)
	return err
}

// lockSession takes the lock on a connection of its own. A server learns of a
// vanished machine by its keepalives, half a minute later.
func (db *DB) lockSession(ctx context.Context) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("take the lease: %w", err)
	}
	got, err := tryLock(ctx, db, conn)
	if err != nil || !got {
		return errors.Join(err, discard(conn))
	}
	db.session = conn
	return nil
}

func tryLock(ctx context.Context, db *DB, conn *sql.Conn) (bool, error) {
	for _, q := range []string{"SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3"} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return false, fmt.Errorf("take the lease: %w", err)
		}
	}
	const step = 100 * time.Millisecond
	for waited := time.Duration(0); ; waited += step {
		var got bool
		if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(`+lockKey+`)`).Scan(&got); err != nil {
			return false, fmt.Errorf("take the lease: %w", err)
		}
		if got {
			return true, nil
		}
		if waited >= leasePatience {
			h, _, err := db.LeaseHolder(ctx)
			if err != nil {
				return false, err
			}
			return false, &HeldError{h}
		}
		if err := db.env.Clock.Sleep(ctx, step); err != nil {
			return false, fmt.Errorf("take the lease: %w", err)
		}
	}
}

// KeepLease gives a sign of life every few seconds and returns ErrLeaseLost when
// another process has taken over, or nil when ctx ends. A connection that broke
// is made anew: while nobody else took over, work goes on.
func (db *DB) KeepLease(ctx context.Context) error {
	for {
		if err := db.env.Clock.Sleep(ctx, leaseBeat); err != nil {
			return nil
		}
		if db.d.name != "postgres" {
			continue
		}
		err := db.keep(ctx)
		if errors.Is(err, ErrLeaseLost) {
			return err
		}
	}
}

func (db *DB) keep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*leaseBeat)
	defer cancel()
	if db.session == nil || db.session.PingContext(ctx) != nil {
		if err := db.unlockSession(); err != nil {
			return err
		}
		err := db.lockSession(ctx)
		if held := (*HeldError)(nil); errors.As(err, &held) {
			return ErrLeaseLost
		}
		if err != nil {
			return err // the server is away; writes fail by themselves
		}
	}
	return db.inTx(ctx, func(tx *Tx) error { return tx.beat(ctx) }) // its fence looks at the epoch
}

func (db *DB) unlockSession() error {
	if db.session == nil {
		return nil
	}
	conn := db.session
	db.session = nil
	// Said in words the lock is free when this returns; a server that only sees
	// the connection end takes its time.
	ctx, cancel := context.WithTimeout(context.Background(), unlockBound)
	defer cancel()
	_, _ = conn.ExecContext(ctx, `SELECT pg_advisory_unlock(`+lockKey+`)`) // a broken connection has none
	return discard(conn)
}

// discard closes a connection instead of giving it back to the pool: its lock
// ends with it.
func discard(conn *sql.Conn) error {
	err := conn.Raw(func(c any) error {
		if s, ok := c.(*pgConn); ok {
			_ = s.Conn.Conn().Close(context.Background()) // a broken one says so, and is gone as well
		}
		return driver.ErrBadConn
	})
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	if e := conn.Close(); !errors.Is(e, sql.ErrConnDone) && !errors.Is(e, driver.ErrBadConn) {
		err = errors.Join(err, e)
	}
	return err
}

// leave says that nobody holds the lease any more.
func (db *DB) leave() error {
	if db.epoch.Load() == 0 || db.session == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseBeat)
	defer cancel()
	free := func() error {
		return db.inTx(ctx, func(tx *Tx) error {
			_, err := tx.exec(ctx, `UPDATE lease SET since = '' WHERE name = $1`, leaseName)
			return err
		})
	}
	err := free()
	if Lost(err) { // by a connection that was cut before: there are others
		err = free()
	}
	if errors.Is(err, ErrLeaseLost) {
		err = nil
	}
	db.epoch.Store(0)
	return errors.Join(err, db.unlockSession())
}

// fence holds this process's lease for sharing, to the end of the transaction:
// whoever takes over waits for it, and a transaction that begins later ends
// here.
func (tx *Tx) fence(ctx context.Context) error {
	epoch := tx.db.epoch.Load()
	if epoch == 0 {
		return nil
	}
	found := false
	err := tx.later(ctx, bundled{
		q: `SELECT 1 FROM lease WHERE name = $1 AND epoch = $2 FOR SHARE`, args: []any{leaseName, epoch},
		scan: func(*sql.Rows) error { found = true; return nil },
		end: func() error {
			if !found {
				return ErrLeaseLost
			}
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("look at the lease: %w", err)
	}
	return nil
}

// LeaseHolder tells who holds the store, or held it last: held says which, as
// far as the store knows.
func (db *DB) LeaseHolder(ctx context.Context) (h Holder, held bool, err error) {
	err = db.view(ctx, `SELECT l.host, l.pid, l.since, COALESCE(b.at, '') FROM lease l LEFT JOIN lease_beat b ON b.name = l.name WHERE l.name = $1`,
		[]any{leaseName}, func(r *sql.Rows) error { return r.Scan(&h.Host, &h.PID, &h.Since, &h.Beat) })
	if err != nil || h.Since == "" {
		return h, false, err
	}
	if db.d.name == "postgres" {
		var free bool
		err = db.view(ctx, `SELECT NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND ((classid::bigint << 32) | objid::bigint) = `+lockKey+`)`, nil, func(r *sql.Rows) error { return r.Scan(&free) })
		return h, !free, err
	}
	return h, true, nil
}
