package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"touchstone/internal/audit"
	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// States of an account.
const (
	AccountActive   = "active"
	AccountDisabled = "disabled"
)

// Errors about accounts that a caller branches on.
var (
	// ErrLoginTaken says that another account has this login name.
	ErrLoginTaken = errors.New("this login name is taken")
	// ErrLastAdmin says that nobody could manage the installation afterwards.
	ErrLastAdmin = errors.New("this is the last active admin: make another one first")
	// ErrSetupOver says that the set-up link is used up, too old, or was none.
	ErrSetupOver = errors.New("this set-up link is used up or too old")
)

// Account is somebody who may sign in. Times are in TimeLayout, "" for never.
type Account struct {
	ID, Login, Name, Role, State string
	MustChange, TOTP             bool
	Failed                       int
	LockedUntil                  string
	Rights                       int64
	Created, SignedIn            string
	Reach, Masks                 []string // names of scopes and masks; nil for none

	// What a sign-in is checked against; never shown.
	Hash     string
	TOTPKey  []byte // of a confirmed authenticator, or of one that is being set up
	TOTPStep int64
}

// adminRole is the role that can manage accounts.
const adminRole = "admin"

const accountColumns = `SELECT id, login, name, role, state, hash, must_change, totp, salt, totp_on, totp_step, failed, locked_until, rights, created, signed_in, reach, masks FROM account`

func (db *DB) scanAccount(r *sql.Rows) (a Account, err error) {
	var sealed, salt []byte
	var reach, masks string
	if err := r.Scan(&a.ID, &a.Login, &a.Name, &a.Role, &a.State, &a.Hash, &a.MustChange, &sealed, &salt, &a.TOTP, &a.TOTPStep, &a.Failed, &a.LockedUntil, &a.Rights, &a.Created, &a.SignedIn, &reach, &masks); err != nil {
		return a, err
	}
	a.Reach, a.Masks = namesIn(reach), namesIn(masks)
	if len(sealed) > 0 {
		a.TOTPKey, err = db.vault.Open(salt, sealed)
	}
	return a, err
}

// HasAccounts says whether anybody has an account.
func (db *DB) HasAccounts(ctx context.Context) (has bool, err error) {
	err = db.view(ctx, `SELECT 1 FROM account LIMIT 1`, nil, func(*sql.Rows) error { has = true; return nil })
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return has, nil
}

// Accounts lists all accounts by login name.
func (db *DB) Accounts(ctx context.Context) (list []Account, err error) {
	err = db.view(ctx, accountColumns+` ORDER BY login`, nil, func(r *sql.Rows) error {
		a, err := db.scanAccount(r)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return list, nil
}

// AccountByLogin finds an account by its login name; found is false where there
// is none.
func (db *DB) AccountByLogin(ctx context.Context, login string) (Account, bool, error) {
	return db.account(ctx, `login`, login)
}

// AccountByID finds an account.
func (db *DB) AccountByID(ctx context.Context, id string) (Account, bool, error) {
	return db.account(ctx, `id`, id)
}

func (db *DB) account(ctx context.Context, column, value string) (a Account, found bool, err error) {
	err = db.view(ctx, accountColumns+` WHERE `+column+` = $1`, []any{value}, func(r *sql.Rows) error {
		found = true
		a, err = db.scanAccount(r)
		return err
	})
	if err != nil {
		return a, false, fmt.Errorf("find account: %w", err)
	}
	return a, found, nil
}

// NewAccount is an account to be made.
type NewAccount struct {
	Login, Name, Role, Hash string
	MustChange              bool
	Reach, Masks            []string // names of scopes and masks
	// Setup is the hash of the set-up token that makes the first account; nil
	// where somebody who may makes it.
	Setup []byte
}

// AddAccount makes an account. With a set-up token it uses that up, and is
// refused once there is an account.
func (db *DB) AddAccount(ctx context.Context, n NewAccount, who string) (Account, error) {
	a := Account{ID: "u" + db.env.ID(), Login: n.Login, Name: n.Name, Role: n.Role, State: AccountActive, MustChange: n.MustChange, Rights: 1, Reach: n.Reach, Masks: n.Masks}
	err := db.inOrder(ctx, func(tx *Tx) error {
		if n.Setup != nil {
			if err := tx.useSetup(ctx, n.Setup); err != nil {
				return err
			}
			who = a.Login
		}
		if err := tx.insertAccount(ctx, a, n.Hash); err != nil {
			return err
		}
		a.Created = tx.now
		return tx.auditAll(ctx, []audit.Entry{{Who: who, What: "account.add", Subjects: []string{a.Login}, Detail: a.Role + seesText(a.Reach, a.Masks)}})
	})
	if err != nil {
		return Account{}, fmt.Errorf("add account: %w", err)
	}
	return a, nil
}

// insertAccount says with ErrLoginTaken that nothing was written.
func (tx *Tx) insertAccount(ctx context.Context, a Account, hash string) error {
	made, err := tx.exec(ctx, `INSERT INTO account (id, login, name, role, state, hash, must_change, totp, salt, totp_on, totp_step, failed, locked_until, rights, created, signed_in, reach, masks)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0, 0, 0, '', 1, $9, '', $10, $11) ON CONFLICT (login) DO NOTHING`,
		a.ID, a.Login, a.Name, a.Role, AccountActive, hash, a.MustChange, []byte{}, tx.now, strings.Join(a.Reach, " "), strings.Join(a.Masks, " "))
	if err == nil && made == 0 {
		err = ErrLoginTaken
	}
	return err
}

// inOrder is inTx for what changes accounts: the lock that their audit entries
// need is taken first, so that nobody waits in a circle.
func (db *DB) inOrder(ctx context.Context, fn func(*Tx) error) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// AccountChange says what is to be different; nil leaves a thing as it is.
type AccountChange struct {
	Role, State, Name, Hash *string
	Reach, Masks            *[]string // names of scopes and masks
	MustChange              bool      // goes with Hash
	// Keep is the hash of the token of a session that goes on all the same; nil
	// for none.
	Keep []byte
}

// ChangeAccount changes an account. Another role, state or password ends its
// sessions at once; the last active admin stays one.
func (db *DB) ChangeAccount(ctx context.Context, id string, c AccountChange, who string) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		var login, role, state, name, hash, reach, masks string
		var must bool
		found, err := tx.one(ctx, `SELECT login, role, state, name, hash, must_change, reach, masks FROM account WHERE id = $1`, []any{id}, &login, &role, &state, &name, &hash, &must, &reach, &masks)
		if err != nil {
			return err
		}
		if !found {
			return notFound("account", id)
		}
		wasAdmin := role == adminRole && state == AccountActive
		var entries []audit.Entry
		note := func(what, detail string) {
			entries = append(entries, audit.Entry{Who: who, What: "account." + what, Subjects: []string{login}, Detail: detail})
		}
		rights := 0
		if c.Role != nil && *c.Role != role {
			note("role", role+" → "+*c.Role)
			role, rights = *c.Role, 1
		}
		if c.State != nil && *c.State != state {
			note(*c.State, "")
			state, rights = *c.State, 1
		}
		if c.Hash != nil {
			note("password", "")
			hash, must, rights = *c.Hash, c.MustChange, 1
		}
		if c.sees(&reach, &masks) {
			note("reach", role+seesText(namesIn(reach), namesIn(masks)))
		}
		if c.Name != nil && *c.Name != name {
			note("name", "")
			name = *c.Name
		}
		if _, err := tx.exec(ctx, `UPDATE account SET role = $2, state = $3, name = $4, hash = $5, must_change = $6, rights = rights + $7,
			failed = failed * (1 - $7), locked_until = CASE WHEN $7 = 1 THEN '' ELSE locked_until END, reach = $8, masks = $9 WHERE id = $1`, id, role, state, name, hash, must, rights, reach, masks); err != nil {
			return err
		}
		if wasAdmin && (role != adminRole || state != AccountActive) {
			if err := tx.needAdmin(ctx); err != nil {
				return err
			}
		}
		if rights > 0 {
			if err := tx.endSessions(ctx, id, c.Keep); err != nil {
				return err
			}
		}
		return tx.auditAll(ctx, entries)
	})
	if err != nil {
		return fmt.Errorf("change account: %w", err)
	}
	return nil
}

// loginOf is the name that the audit trail knows an account by.
func (tx *Tx) loginOf(ctx context.Context, id string) (login string, err error) {
	if _, err = tx.one(ctx, `SELECT login FROM account WHERE id = $1`, []any{id}, &login); err != nil {
		return "", fmt.Errorf("account of an audit entry: %w", err)
	}
	if login == "" {
		login = id
	}
	return login, nil
}

// sees puts in other scopes and masks, and says whether they are others.
func (c AccountChange) sees(reach, masks *string) (other bool) {
	for _, x := range []struct {
		now *[]string
		was *string
	}{{c.Reach, reach}, {c.Masks, masks}} {
		if x.now == nil {
			continue
		}
		if text := strings.Join(*x.now, " "); text != *x.was {
			*x.was, other = text, true
		}
	}
	return other
}

// namesIn reads names with blanks between; nil for none.
func namesIn(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Fields(text)
}

// seesText says for the audit trail what an account or token sees.
func seesText(reach, masks []string) (text string) {
	if len(reach) > 0 {
		text += " scopes " + strings.Join(reach, ",")
	}
	if len(masks) > 0 {
		text += " masks " + strings.Join(masks, ",")
	}
	return text
}

func (tx *Tx) needAdmin(ctx context.Context) error {
	left, err := tx.one(ctx, `SELECT 1 FROM account WHERE role = $1 AND state = $2 LIMIT 1`, []any{adminRole, AccountActive}, new(int))
	if err == nil && !left {
		err = ErrLastAdmin
	}
	return err
}

// SetTOTP keeps the key of an authenticator. It is asked for only once
// ConfirmTOTP has seen a code of it.
func (db *DB) SetTOTP(ctx context.Context, id string, key []byte) error {
	salt := make([]byte, seal.SaltSize)
	db.env.Rand(salt)
	sealed, err := db.vault.Seal(salt, "totp", key)
	if err != nil {
		return fmt.Errorf("keep authenticator: %w", err)
	}
	err = db.inOrder(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE account SET totp = $2, salt = $3, totp_on = 0, totp_step = 0 WHERE id = $1 AND totp_on = 0`, id, sealed, salt)
		if err == nil && n == 0 {
			err = notFound("account without an authenticator", id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep authenticator: %w", err)
	}
	return nil
}

// ConfirmTOTP puts the authenticator in force after a code of the given step,
// and keeps the recovery codes.
func (db *DB) ConfirmTOTP(ctx context.Context, id string, step int64, codes []string) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		var login string
		found, err := tx.one(ctx, `UPDATE account SET totp_on = 1, totp_step = $2 WHERE id = $1 AND totp_on = 0 AND totp_step < $2 RETURNING login`, []any{id, step}, &login)
		if err != nil {
			return err
		}
		if !found {
			return notFound("authenticator that waits for a code", id)
		}
		if err := tx.setRecovery(ctx, id, codes); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who: login, what: "account.totp", subject: login}})
	})
	if err != nil {
		return fmt.Errorf("confirm authenticator: %w", err)
	}
	return nil
}

// DropTOTP takes the authenticator and its recovery codes away and ends the
// account's sessions, but for the one to keep.
func (db *DB) DropTOTP(ctx context.Context, id string, keep []byte, who string) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		var login string
		found, err := tx.one(ctx, `UPDATE account SET totp = $2, salt = $2, totp_on = 0, totp_step = 0, failed = 0, locked_until = '', rights = rights + 1 WHERE id = $1 RETURNING login`, []any{id, []byte{}}, &login)
		if err != nil {
			return err
		}
		if !found {
			return notFound("account", id)
		}
		if err := tx.setRecovery(ctx, id, nil); err != nil {
			return err
		}
		if err := tx.endSessions(ctx, id, keep); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who: who, what: "account.totp_reset", subject: login}})
	})
	if err != nil {
		return fmt.Errorf("reset authenticator: %w", err)
	}
	return nil
}

func (tx *Tx) setRecovery(ctx context.Context, id string, codes []string) error {
	if _, err := tx.exec(ctx, `DELETE FROM recovery_code WHERE account = $1`, id); err != nil {
		return err
	}
	for _, c := range codes {
		if _, err := tx.exec(ctx, `INSERT INTO recovery_code (account, hash) VALUES ($1, $2)`, id, tx.db.recoveryHash(id, c)); err != nil {
			return err
		}
	}
	return nil
}

// recoveryHash is keyed: a code is short enough to be tried against a stolen
// database, were the key not needed for it.
func (db *DB) recoveryHash(id, code string) []byte { return db.vault.MAC("recovery", id, code) }

// RecoveryLeft counts the recovery codes that were not used.
func (db *DB) RecoveryLeft(ctx context.Context, id string) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM recovery_code WHERE account = $1`, []any{id}, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("count recovery codes: %w", err)
	}
	return n, nil
}

const setupSetting = "setup_token"

// OfferSetup makes a token good for making the first account, in place of an
// earlier one. Hash is of the token; offered is false where there are accounts.
func (db *DB) OfferSetup(ctx context.Context, hash []byte, life time.Duration) (offered bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if has, err := tx.one(ctx, `SELECT 1 FROM account LIMIT 1`, nil, new(int)); err != nil || has {
			return err
		}
		now, err := record.ParseTime(tx.now)
		if err != nil {
			return err
		}
		offered = true
		return tx.setSetting(ctx, setupSetting, fmt.Sprintf("%x %s", hash, formatTime(now.Add(life))))
	})
	if err != nil {
		return false, fmt.Errorf("offer set-up: %w", err)
	}
	return offered, nil
}

// SetupOpen says with ErrSetupOver that a set-up token makes no account.
func (db *DB) SetupOpen(ctx context.Context, hash []byte) error {
	return db.reading(ctx, func(tx *Tx) error { return tx.setupOpen(ctx, hash) })
}

func (tx *Tx) setupOpen(ctx context.Context, hash []byte) error {
	if has, err := tx.one(ctx, `SELECT 1 FROM account LIMIT 1`, nil, new(int)); err != nil {
		return err
	} else if has {
		return ErrSetupOver
	}
	value, err := tx.setting(ctx, setupSetting)
	if err != nil {
		return err
	}
	want := fmt.Sprintf("%x ", hash)
	if len(value) <= len(want) || value[:len(want)] != want || value[len(want):] <= tx.now {
		return ErrSetupOver
	}
	return nil
}

func (tx *Tx) useSetup(ctx context.Context, hash []byte) error {
	if err := tx.setupOpen(ctx, hash); err != nil {
		return err
	}
	return tx.setSetting(ctx, setupSetting, "")
}
