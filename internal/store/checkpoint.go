package store

import (
	"context"
	"sync/atomic"
)

const (
	// checkpointAfter is how many rows are changed between two checkpoints, some 32 MiB
	// of log: a page that many transactions touch is then written once, not once for
	// each of them. Posting lists are random inserts.
	checkpointAfter = 16 << 10
	// mostLog is how long SQLite's log becomes, in pages of 4 kB, before the writer
	// itself brings what is left of it into the file, and begins it anew.
	mostLog = 64 << 10
)

// checkpoints bring what SQLite's writer has committed from the log into the file,
// beside the writer: a checkpoint waits long for the disk, and somebody's commit would
// wait with it. One that fails does no harm, the log keeps what is not in the file.
type checkpoints struct {
	last  int64 // how many rows had been changed at the last one; the writer's
	under atomic.Bool
}

// checkpoint starts one if enough has been changed since the last and none is under
// way. Whoever calls it has the writer's turn.
func (db *DB) checkpoint(ctx context.Context) {
	c := &db.checkpoints
	var rows int64 // that the writer's connection has ever changed
	if err := db.write.QueryRowContext(ctx, `SELECT total_changes()`).Scan(&rows); err != nil {
		return
	}
	if rows < c.last { // a new connection
		c.last = 0
	}
	if rows-c.last < checkpointAfter || !c.under.CompareAndSwap(false, true) {
		return
	}
	c.last = rows
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer c.under.Store(false)
		if !db.mu.TryRLock() { // the store is being closed
			return
		}
		defer db.mu.RUnlock()
		_, _ = db.read.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
	}()
}
