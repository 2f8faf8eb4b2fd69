package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// AccountQuery chooses accounts, by login name.
type AccountQuery struct {
	Text  string // in the login name or the name, in any case; "" for all
	After string // login name to go on behind
	Limit int
}

// accountsLooked is how many accounts are looked at in one step for a text.
const accountsLooked = 500

// AccountPage lists up to q.Limit accounts by login name. More says that there
// are others behind the last.
func (db *DB) AccountPage(ctx context.Context, q AccountQuery) (list []Account, more bool, err error) {
	q.Limit = max(q.Limit, 1)
	if q.Text = strings.ToLower(strings.TrimSpace(q.Text)); q.Text == "" {
		err = db.view(ctx, accountColumns+` WHERE login > $1 ORDER BY login LIMIT $2`, []any{q.After, q.Limit + 1}, func(r *sql.Rows) error {
			a, err := db.scanAccount(r)
			list = append(list, a)
			return err
		})
	} else {
		list, err = db.accountsWith(ctx, q)
	}
	if err != nil {
		return nil, false, fmt.Errorf("list accounts: %w", err)
	}
	more = len(list) > q.Limit
	return list[:min(len(list), q.Limit)], more, nil
}

// accountsWith finds one more account with a text than is asked for, where there
// are so many. The engines fold letters other than ASCII differently, so names
// are compared here.
func (db *DB) accountsWith(ctx context.Context, q AccountQuery) (list []Account, err error) {
	var found []string
	for looked := accountsLooked; looked == accountsLooked && len(found) <= q.Limit; {
		looked = 0
		err := db.view(ctx, `SELECT login, name FROM account WHERE login > $1 ORDER BY login LIMIT $2`, []any{q.After, accountsLooked}, func(r *sql.Rows) error {
			var login, name string
			err := r.Scan(&login, &name)
			if looked, q.After = looked+1, login; strings.Contains(strings.ToLower(login), q.Text) || strings.Contains(strings.ToLower(name), q.Text) {
				found = append(found, login)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	found = found[:min(len(found), q.Limit+1)]
	err = viewIn(ctx, db, accountColumns+` WHERE login IN $LIST`, found, func(r *sql.Rows) error {
		a, err := db.scanAccount(r)
		list = append(list, a)
		return err
	})
	slices.SortFunc(list, func(x, y Account) int { return cmp.Compare(x.Login, y.Login) })
	return list, err
}

// CountAccounts counts all accounts.
func (db *DB) CountAccounts(ctx context.Context) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM account`, nil, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("count accounts: %w", err)
	}
	return n, nil
}
