package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"touchstone/internal/audit"
)

// APIToken is what a program asks with. Times are in TimeLayout, "" for never.
type APIToken struct {
	ID, Shown, Name string
	Account         string // whose it is; "" for a machine's
	Login           string // of that account
	Role            string // what it may do, before its scopes: the account's, or its own
	Scopes          []string
	Reach, Masks    []string // names of scopes and masks of its own
	// OwnerReach and OwnerMasks are those of its account.
	OwnerReach, OwnerMasks []string
	Created                string
	CreatedBy              string
	Expires                string
	Used                   string
	Revoked                string
}

const apiColumns = `SELECT t.id, t.shown, t.name, t.account, COALESCE(a.login, ''), COALESCE(a.role, t.role), t.scopes, t.created, t.created_by, t.expires, t.used, t.revoked,
	t.reach, t.masks, COALESCE(a.reach, ''), COALESCE(a.masks, '')
	FROM api_token t LEFT JOIN account a ON a.id = t.account`

func scanToken(r *sql.Rows) (t APIToken, err error) {
	var scopes, reach, masks, ownReach, ownMasks string
	err = r.Scan(&t.ID, &t.Shown, &t.Name, &t.Account, &t.Login, &t.Role, &scopes, &t.Created, &t.CreatedBy, &t.Expires, &t.Used, &t.Revoked, &reach, &masks, &ownReach, &ownMasks)
	t.Scopes = strings.Fields(scopes)
	t.Reach, t.Masks, t.OwnerReach, t.OwnerMasks = namesIn(reach), namesIn(masks), namesIn(ownReach), namesIn(ownMasks)
	return t, err
}

// AddToken keeps a new token by its hash.
func (db *DB) AddToken(ctx context.Context, t APIToken, hash []byte, who string) (APIToken, error) {
	t.ID, t.CreatedBy = "t"+db.env.ID(), who
	err := db.inOrder(ctx, func(tx *Tx) error {
		t.Created = tx.now
		role := t.Role
		if t.Account != "" {
			role = ""
		}
		if _, err := tx.exec(ctx, `INSERT INTO api_token (id, hash, shown, name, account, role, scopes, created, created_by, expires, used, revoked, reach, masks)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', $11, $12)`, t.ID, hash, t.Shown, t.Name, t.Account, role, strings.Join(t.Scopes, " "), t.Created, t.CreatedBy, t.Expires, strings.Join(t.Reach, " "), strings.Join(t.Masks, " ")); err != nil {
			return err
		}
		of, detail := []string{t.ID}, strings.TrimSpace("of a machine: "+role)
		if t.Account != "" {
			login, err := tx.loginOf(ctx, t.Account)
			if err != nil {
				return err
			}
			of, detail = append(of, login), "of an account"
		}
		detail += seesText(t.Reach, t.Masks)
		return tx.auditAll(ctx, []audit.Entry{{Who: who, What: "token.add", Subjects: of, Detail: detail}})
	})
	if err != nil {
		return APIToken{}, fmt.Errorf("add token: %w", err)
	}
	return t, nil
}

// Tokens lists the tokens of an account, or all with "", the newest first.
func (db *DB) Tokens(ctx context.Context, account string) (list []APIToken, err error) {
	err = db.view(ctx, apiColumns+` WHERE $1 = '' OR t.account = $1 ORDER BY t.created DESC, t.id`, []any{account}, func(r *sql.Rows) error {
		t, err := scanToken(r)
		list = append(list, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return list, nil
}

// TokenQuery chooses tokens, the newest first.
type TokenQuery struct {
	Account string // "" for all
	Text    string // in the name, the login name of its account or its beginning, in any case; "" for all
	After   string // id of the token to go on behind
	Limit   int
}

// TokenPage lists up to q.Limit tokens, the newest first. More says that there
// are others behind the last. Behind a token that is not there is nothing.
func (db *DB) TokenPage(ctx context.Context, q TokenQuery) (list []APIToken, more bool, err error) {
	q.Limit, q.Text = max(q.Limit, 1), strings.ToLower(strings.TrimSpace(q.Text))
	step := q.Limit + 1
	if q.Text != "" { // the engines fold letters other than ASCII differently: texts are compared here
		step = accountsLooked
	}
	for looked := step; looked == step && len(list) <= q.Limit; {
		looked = 0
		err := db.view(ctx, apiColumns+` WHERE ($1 = '' OR t.account = $1) AND ($2 = '' OR EXISTS (SELECT 1 FROM api_token l WHERE l.id = $2
			AND (t.created < l.created OR t.created = l.created AND t.id > l.id))) ORDER BY t.created DESC, t.id LIMIT $3`, []any{q.Account, q.After, step}, func(r *sql.Rows) error {
			t, err := scanToken(r)
			looked, q.After = looked+1, t.ID
			if len(list) <= q.Limit && t.has(q.Text) {
				list = append(list, t)
			}
			return err
		})
		if err != nil {
			return nil, false, fmt.Errorf("list tokens: %w", err)
		}
	}
	more = len(list) > q.Limit
	return list[:min(len(list), q.Limit)], more, nil
}

func (t APIToken) has(text string) bool {
	return strings.Contains(strings.ToLower(t.Name), text) || strings.Contains(strings.ToLower(t.Login), text) || strings.HasPrefix(strings.ToLower(t.Shown), text)
}

// CountTokens counts all tokens.
func (db *DB) CountTokens(ctx context.Context) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM api_token`, nil, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("count tokens: %w", err)
	}
	return n, nil
}

// TokenOf finds a token by its hash. It is not found when it has expired, was
// revoked, or its account is not active.
func (db *DB) TokenOf(ctx context.Context, hash []byte) (t APIToken, found bool, err error) {
	err = db.view(ctx, apiColumns+` WHERE t.hash = $1 AND t.revoked = '' AND (t.expires = '' OR t.expires > $2) AND (t.account = '' OR a.state = $3)`,
		[]any{hash, formatTime(db.env.Clock.Now()), AccountActive}, func(r *sql.Rows) error {
			found = true
			t, err = scanToken(r)
			return err
		})
	if err != nil {
		return t, false, fmt.Errorf("find token: %w", err)
	}
	return t, found, nil
}

// TokenUsed keeps that a token was used now.
func (db *DB) TokenUsed(ctx context.Context, id string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE api_token SET used = $2 WHERE id = $1`, id, tx.now)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep that a token was used: %w", err)
	}
	return nil
}

// RevokeToken ends a token, of an account or of any with "".
func (db *DB) RevokeToken(ctx context.Context, id, account, who string) error {
	err := db.inOrder(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE api_token SET revoked = $2 WHERE id = $1 AND revoked = '' AND ($3 = '' OR account = $3)`, id, tx.now, account)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound("token", id)
		}
		return tx.audit(ctx, []auditEntry{{who: who, what: "token.revoke", subject: id}})
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}
