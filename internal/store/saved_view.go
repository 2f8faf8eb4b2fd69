package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"touchstone/internal/audit"
)

// SavedView is a list of a page that somebody keeps by name. A shared one is
// offered to everybody who reads the page.
type SavedView struct {
	ID, Who, Name, Query string
	Shared               bool
}

// mostViews bounds the lists that one person keeps of a page, and those that all
// share of it.
const mostViews = 50

// SavedViews lists what somebody keeps of a page, and then what others share, each
// by name.
func (db *DB) SavedViews(ctx context.Context, page, who string) (list []SavedView, err error) {
	err = db.view(ctx, `SELECT id, who, name, query, shared FROM saved_view WHERE page = $1 AND (who = $2 OR shared = 1) LIMIT $3`, []any{page, who, 2 * mostViews}, func(r *sql.Rows) error {
		var v SavedView
		err := r.Scan(&v.ID, &v.Who, &v.Name, &v.Query, &v.Shared)
		list = append(list, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("saved views: %w", err)
	}
	slices.SortFunc(list, func(a, b SavedView) int {
		return cmp.Or(cmp.Compare(boolInt(a.Who != who), boolInt(b.Who != who)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// SaveView keeps a list by name; one of the same name and person is replaced. That
// one is shared, or not any more, stands in the audit trail.
func (db *DB) SaveView(ctx context.Context, page string, v SavedView) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		var was, own, shared int
		if _, err := tx.one(ctx, `SELECT COALESCE(max(shared), 0) FROM saved_view WHERE page = $1 AND who = $2 AND name = $3`, []any{page, v.Who, v.Name}, &was); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM saved_view WHERE page = $1 AND who = $2 AND name = $3`, page, v.Who, v.Name); err != nil {
			return err
		}
		if _, err := tx.one(ctx, `SELECT count(CASE WHEN who = $2 THEN 1 END), count(CASE WHEN shared = 1 THEN 1 END) FROM saved_view WHERE page = $1`, []any{page, v.Who}, &own, &shared); err != nil {
			return err
		}
		switch {
		case own >= mostViews:
			return impossible("%d views are kept already: take one away first", mostViews)
		case v.Shared && shared >= mostViews:
			return impossible("%d views are shared already: take one away first", mostViews)
		}
		id := "v" + tx.db.env.ID()
		if _, err := tx.exec(ctx, `INSERT INTO saved_view (id, who, page, name, query, at, shared) VALUES ($1,$2,$3,$4,$5,$6,$7)`, id, v.Who, page, v.Name, v.Query, tx.now, boolInt(v.Shared)); err != nil {
			return err
		}
		return tx.auditView(ctx, v.Who, was == 1, v.Shared, page, v.Name)
	})
	if err != nil {
		return fmt.Errorf("saved view: %w", err)
	}
	return nil
}

// DropView forgets a list that somebody keeps of a page; where others is set also
// one that somebody else shares. One that is not there is none already.
func (db *DB) DropView(ctx context.Context, page, id, who string, others bool) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		var name string
		var shared bool
		found, err := tx.one(ctx, `SELECT name, shared FROM saved_view WHERE id = $1 AND page = $2 AND (who = $3 OR (shared = 1 AND $4 = 1))`, []any{id, page, who, boolInt(others)}, &name, &shared)
		if err != nil || !found {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM saved_view WHERE id = $1`, id); err != nil {
			return err
		}
		return tx.auditView(ctx, who, shared, false, page, name)
	})
	if err != nil {
		return fmt.Errorf("saved view: %w", err)
	}
	return nil
}

// auditView keeps that a list has come to be shared, or is not any more.
func (tx *Tx) auditView(ctx context.Context, who string, was, is bool, page, name string) error {
	what := ""
	switch {
	case is:
		what = "view.share"
	case was:
		what = "view.unshare"
	default:
		return nil
	}
	return tx.auditAll(ctx, []audit.Entry{{Who: who, What: what, Subjects: []string{page}, Detail: name}})
}
