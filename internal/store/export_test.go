package store

import "context"

// KeepOnce is one round of KeepLease.
func (db *DB) KeepOnce(ctx context.Context) error { return db.keep(ctx) }

// CopiedTables are the tables of a backup.
func CopiedTables() []string { return copiedTables() }
