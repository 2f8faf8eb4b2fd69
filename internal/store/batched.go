package store

import "context"

// batchedKey marks the context of a transaction of many statements of which none
// changes much.
type batchedKey struct{}

// Batched marks a transaction of many statements that change a few hundred rows
// each. SQLite notes the pages that a statement changes, to undo it by itself, and
// writes the notes to a file where they are more than 64 kB: for rows that lie
// anywhere that is as much again as all that is kept of them. In such a transaction
// they stay in memory, a few MB for one statement.
func Batched(ctx context.Context) context.Context {
	return context.WithValue(ctx, batchedKey{}, true)
}

// batched has the next transaction of SQLite's writer, whose turn it is, keep what
// statements note in memory, if it is marked. Back has others keep it as before:
// one of theirs may change a whole table.
func (db *DB) batched(ctx context.Context) (back func(), err error) {
	if db.d.name != "sqlite" || ctx.Value(batchedKey{}) == nil {
		return func() {}, nil
	}
	if _, err := db.write.ExecContext(ctx, "PRAGMA temp_store = MEMORY"); err != nil {
		return nil, err
	}
	return func() {
		// It fails with a connection that is lost, and a new one is as it was.
		_, _ = db.write.ExecContext(context.WithoutCancel(ctx), "PRAGMA temp_store = DEFAULT")
	}, nil
}
