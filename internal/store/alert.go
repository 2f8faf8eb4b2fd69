package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Alert is one incident as one channel was told of it. Times are in TimeLayout,
// "" for not yet.
type Alert struct {
	ID, Rule, Subject, Text string
	Began, Ended            string
	Channel                 string
	Told, Resolved          string // last time it was told; when its end was told
	Attempt                 int    // failed ones in a row
	Next                    string // not before
	Error                   string
}

const alertColumns = `id, rule, subject, text, began, ended, channel, told, resolved, attempt, next, error`

// OpenAlerts gives the incidents that last, or whose end was not told yet, in
// the order they began.
func (db *DB) OpenAlerts(ctx context.Context) (list []Alert, err error) {
	err = db.view(ctx, `SELECT `+alertColumns+` FROM alert WHERE ended = '' OR resolved = '' ORDER BY began, rule, subject, channel`, nil, func(r *sql.Rows) error {
		var a Alert
		err := r.Scan(&a.ID, &a.Rule, &a.Subject, &a.Text, &a.Began, &a.Ended, &a.Channel, &a.Told, &a.Resolved, &a.Attempt, &a.Next, &a.Error)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return list, nil
}

// SaveAlerts writes incidents as they stand now, and forgets those whose end was
// told before a time in TimeLayout.
func (db *DB) SaveAlerts(ctx context.Context, list []Alert, forget string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		for _, a := range list {
			_, err := tx.exec(ctx, `INSERT INTO alert (`+alertColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
				ON CONFLICT (id) DO UPDATE SET text = excluded.text, ended = excluded.ended, told = excluded.told, resolved = excluded.resolved,
				attempt = excluded.attempt, next = excluded.next, error = excluded.error`,
				a.ID, a.Rule, a.Subject, a.Text, a.Began, a.Ended, a.Channel, a.Told, a.Resolved, a.Attempt, a.Next, a.Error)
			if err != nil {
				return err
			}
		}
		_, err := tx.exec(ctx, `DELETE FROM alert WHERE ended <> '' AND resolved <> '' AND resolved < $1`, forget)
		return err
	})
	if err != nil {
		return fmt.Errorf("save alerts: %w", err)
	}
	return nil
}
