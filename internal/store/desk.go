package store

import "context"

// RulingsOn lists the rulings in force that begin at records, the oldest first,
// pins with their values.
func (db *DB) RulingsOn(ctx context.Context, recs []int64) (list []Ruling, err error) {
	err = db.reading(ctx, func(tx *Tx) error {
		list, err = (&LinkTx{Tx: tx}).Rulings(ctx, recs)
		return err
	})
	return list, err
}
