package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Identity is a person of an identity provider, with what the provider says.
type Identity struct {
	Issuer, Subject   string
	Login, Name, Role string
	// Reach and Masks are what the person's groups see; nil where the groups do not
	// say, and the account stays as it is.
	Reach, Masks *[]string
}

// maxNamesakes bounds how many accounts may differ by their number alone.
const maxNamesakes = 100

// AccountOf gives the account of a person of an identity provider, made new at
// the first sign-in: without a password, under the login name or, where that is
// taken, the name with a number. Name and role are as the provider says now;
// another role ends the account's sessions. The last active admin stays one.
func (db *DB) AccountOf(ctx context.Context, p Identity) (Account, error) {
	var id string
	err := db.inOrder(ctx, func(tx *Tx) error {
		id = ""
		found, err := tx.one(ctx, `SELECT account FROM account_identity WHERE issuer = $1 AND subject = $2`, []any{p.Issuer, p.Subject}, &id)
		if err != nil || found {
			return err
		}
		login := p.Login
		for n := 2; ; n++ {
			id = "u" + db.env.ID()
			fresh := Account{ID: id, Login: login, Name: p.Name, Role: p.Role}
			if p.Reach != nil {
				fresh.Reach = *p.Reach
			}
			if p.Masks != nil {
				fresh.Masks = *p.Masks
			}
			err := tx.insertAccount(ctx, fresh, "")
			if err == nil {
				break
			}
			if !errors.Is(err, ErrLoginTaken) || n > maxNamesakes {
				return err
			}
			login = p.Login + "-" + strconv.Itoa(n)
		}
		if _, err := tx.exec(ctx, `INSERT INTO account_identity (issuer, subject, account) VALUES ($1, $2, $3)`, p.Issuer, p.Subject, id); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who: login, what: "account.add", subject: login + " " + p.Role + " by the identity provider"}})
	})
	if err != nil {
		return Account{}, fmt.Errorf("account of an identity: %w", err)
	}
	a, found, err := db.AccountByID(ctx, id)
	if err != nil || !found {
		return a, errors.Join(err, ErrNotSignedIn)
	}
	var c AccountChange
	if a.Role != p.Role {
		c.Role = &p.Role
	}
	if p.Name != "" && a.Name != p.Name {
		c.Name = &p.Name
	}
	if p.Reach != nil && !slices.Equal(*p.Reach, a.Reach) || p.Masks != nil && !slices.Equal(*p.Masks, a.Masks) {
		c.Reach, c.Masks = p.Reach, p.Masks
	}
	if (c.Role == nil && c.Name == nil && c.Reach == nil && c.Masks == nil) || a.State != AccountActive {
		return a, nil
	}
	if err := db.ChangeAccount(ctx, id, c, "identity provider"); err != nil {
		return a, err
	}
	a, _, err = db.AccountByID(ctx, id)
	return a, err
}
