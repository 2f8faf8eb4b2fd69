package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"touchstone/internal/audit"
	"touchstone/internal/record"
)

// maxSessions is how many sessions an account may have; the oldest make room.
const maxSessions = 20

// ErrNotSignedIn says that the account changed while somebody signed in, or that
// the code was used before.
var ErrNotSignedIn = errors.New("the account changed meanwhile, or the code was used before")

// SignIn is a sign-in whose password was right.
type SignIn struct {
	Account  Account
	Step     int64  // of the code of an authenticator that was given; 0 for none
	Recovery string // the recovery code that was given; "" for none
	Session  []byte // hash of the new session's token
	Life     time.Duration
	Agent    string // which browser, in a few words
}

// SignedIn begins a session, if the account is still what it was when the
// password was checked and the code was not used before. An account whose
// authenticator is in force needs one of the two codes.
func (db *DB) SignedIn(ctx context.Context, in SignIn) (id string, err error) {
	id = db.env.ID()
	a := in.Account
	err = db.inOrder(ctx, func(tx *Tx) error {
		now, err := record.ParseTime(tx.now)
		if err != nil {
			return err
		}
		how := ""
		switch {
		case in.Recovery != "":
			how = "recovery code"
			n, err := tx.exec(ctx, `DELETE FROM recovery_code WHERE account = $1 AND hash = $2`, a.ID, db.recoveryHash(a.ID, in.Recovery))
			if err != nil {
				return err
			}
			if n == 0 {
				return ErrNotSignedIn
			}
		case a.TOTP && in.Step == 0:
			return ErrNotSignedIn
		}
		n, err := tx.exec(ctx, `UPDATE account SET failed = 0, locked_until = '', signed_in = $2, totp_step = CASE WHEN $3 > 0 THEN $3 ELSE totp_step END
			WHERE id = $1 AND rights = $4 AND state = $5 AND ($3 = 0 OR totp_step < $3)`, a.ID, tx.now, in.Step, a.Rights, AccountActive)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotSignedIn
		}
		if err := tx.sweepSessions(ctx, a.ID); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `INSERT INTO web_session (hash, id, account, rights, created, seen, ends, proved, agent) VALUES ($1, $2, $3, $4, $5, $5, $6, $5, $7)`,
			in.Session, id, a.ID, a.Rights, tx.now, formatTime(now.Add(in.Life)), in.Agent); err != nil {
			return err
		}
		return tx.auditAll(ctx, []audit.Entry{{Who: a.Login, What: "session.begin", Subjects: []string{id, a.Login}, Detail: how}})
	})
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return id, nil
}

// sweepSessions makes room for one more session of an account, and takes away
// what has ended.
func (tx *Tx) sweepSessions(ctx context.Context, account string) error {
	if _, err := tx.exec(ctx, `DELETE FROM web_session WHERE ends <= $1`, tx.now); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM web_session WHERE account = $1 AND hash NOT IN (SELECT hash FROM web_session WHERE account = $1 ORDER BY seen DESC, id LIMIT $2)`,
		account, maxSessions-1)
	return err
}

// Refused keeps that a sign-in failed. A known account counts it, and is locked
// for what pause makes of the count; id is "" for a name that nobody has, which
// is not kept: people type their password there.
func (db *DB) Refused(ctx context.Context, id, why, address string, pause func(failed int) time.Duration) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		subject := "unknown"
		if id != "" {
			var failed int
			if _, err := tx.one(ctx, `UPDATE account SET failed = failed + 1 WHERE id = $1 RETURNING failed, login`, []any{id}, &failed, &subject); err != nil {
				return err
			}
			now, err := record.ParseTime(tx.now)
			if err != nil {
				return err
			}
			if d := pause(failed); d > 0 {
				if _, err := tx.exec(ctx, `UPDATE account SET locked_until = $2 WHERE id = $1`, id, formatTime(now.Add(d))); err != nil {
					return err
				}
			}
		}
		return tx.auditAll(ctx, []audit.Entry{{Who: "page:anybody", What: "session.refused", Subjects: []string{subject}, Detail: why + " from " + address, Outcome: audit.Refused}})
	})
	if err != nil {
		return fmt.Errorf("keep a refused sign-in: %w", err)
	}
	return nil
}

// Session is a sign-in that goes on.
type Session struct {
	ID, Account                 string
	Created, Seen, Ends, Proved string
	Agent                       string
}

// SessionOf finds the session of a token by its hash, with its account. It is
// not found when it is over, was idle for too long, or the account has changed
// its rights since.
func (db *DB) SessionOf(ctx context.Context, hash []byte, idle time.Duration) (s Session, a Account, found bool, err error) {
	now := db.env.Clock.Now()
	err = db.view(ctx, `SELECT s.id, s.account, s.created, s.seen, s.ends, s.proved, s.agent, a.login, a.name, a.role, a.must_change, a.totp_on, a.rights, a.hash, a.reach, a.masks
		FROM web_session s JOIN account a ON a.id = s.account AND a.rights = s.rights AND a.state = $2 WHERE s.hash = $1 AND s.ends > $3 AND s.seen > $4`,
		[]any{hash, AccountActive, formatTime(now), formatTime(now.Add(-idle))}, func(r *sql.Rows) error {
			found = true
			var reach, masks string
			err := r.Scan(&s.ID, &s.Account, &s.Created, &s.Seen, &s.Ends, &s.Proved, &s.Agent, &a.Login, &a.Name, &a.Role, &a.MustChange, &a.TOTP, &a.Rights, &a.Hash, &reach, &masks)
			a.Reach, a.Masks = namesIn(reach), namesIn(masks)
			return err
		})
	if err != nil {
		return s, a, false, fmt.Errorf("find session: %w", err)
	}
	a.ID, a.State = s.Account, AccountActive
	return s, a, found, nil
}

// SessionSeen keeps that a session was used now.
func (db *DB) SessionSeen(ctx context.Context, hash []byte) error {
	return db.touch(ctx, `UPDATE web_session SET seen = $2 WHERE hash = $1`, hash)
}

// SessionProved keeps that the password was given again now.
func (db *DB) SessionProved(ctx context.Context, hash []byte) error {
	return db.touch(ctx, `UPDATE web_session SET proved = $2 WHERE hash = $1`, hash)
}

func (db *DB) touch(ctx context.Context, q string, hash []byte) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, q, hash, tx.now)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	return nil
}

// RenewSession gives a session another token: what the browser had before opens
// nothing any more.
func (db *DB) RenewSession(ctx context.Context, old, fresh []byte) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE web_session SET hash = $2, proved = $3, rights = (SELECT rights FROM account WHERE account.id = web_session.account) WHERE hash = $1`, old, fresh, tx.now)
		if err == nil && n == 0 {
			err = fmt.Errorf("session: %w", record.ErrNotFound)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	return nil
}

// Sessions lists the sessions of an account that go on, the last used first.
func (db *DB) Sessions(ctx context.Context, account string, idle time.Duration) (list []Session, err error) {
	now := db.env.Clock.Now()
	err = db.view(ctx, `SELECT s.id, s.account, s.created, s.seen, s.ends, s.proved, s.agent FROM web_session s JOIN account a ON a.id = s.account AND a.rights = s.rights
		WHERE s.account = $1 AND s.ends > $2 AND s.seen > $3 ORDER BY s.seen DESC, s.id`, []any{account, formatTime(now), formatTime(now.Add(-idle))}, func(r *sql.Rows) error {
		var s Session
		err := r.Scan(&s.ID, &s.Account, &s.Created, &s.Seen, &s.Ends, &s.Proved, &s.Agent)
		list = append(list, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

// EndSession ends one session of an account by its id.
func (db *DB) EndSession(ctx context.Context, account, id, who string) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `DELETE FROM web_session WHERE account = $1 AND id = $2`, account, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound("session", id)
		}
		login, err := tx.loginOf(ctx, account)
		if err != nil {
			return err
		}
		return tx.auditAll(ctx, []audit.Entry{{Who: who, What: "session.end", Subjects: []string{id, login}}})
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndSessions ends all sessions of an account, but for the one to keep.
func (db *DB) EndSessions(ctx context.Context, account string, keep []byte, who string) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		if err := tx.endSessions(ctx, account, keep); err != nil {
			return err
		}
		login, err := tx.loginOf(ctx, account)
		if err != nil {
			return err
		}
		return tx.auditAll(ctx, []audit.Entry{{Who: who, What: "session.end", Subjects: []string{login}, Detail: "all sessions"}})
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

func (tx *Tx) endSessions(ctx context.Context, account string, keep []byte) error {
	if keep == nil {
		keep = []byte{}
	}
	if _, err := tx.exec(ctx, `DELETE FROM web_session WHERE account = $1 AND hash <> $2`, account, keep); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `UPDATE web_session SET rights = (SELECT rights FROM account WHERE account.id = web_session.account) WHERE hash = $1`, keep)
	return err
}
