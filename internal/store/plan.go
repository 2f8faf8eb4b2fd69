package store

import (
	"context"
	"fmt"
	"slices"
)

// CountTables gives PostgreSQL's planner fresh statistics after much has been
// written at once: its own come a minute later at the earliest, and until then
// it reads whole tables to find a few rows. The backlog, which most of it has just
// left, is tidied up: whoever asks whether anybody waits would read all that did.
// SQLite plans without. Kept counts are summed up.
func (db *DB) CountTables(ctx context.Context) error {
	if db.d.name != "postgres" {
		return nil
	}
	if err := db.FoldTally(ctx); err != nil {
		return err
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	_, err := db.write.ExecContext(ctx, `ANALYZE source_record, source_version, feature, backlog, blocking_key, match, bridge, crosswalk, crosswalk_version,
		golden, golden_version, search, search_text, outbox, queue, ruling, quarantine, quarantine_fault, event_of`)
	if err == nil {
		_, err = db.write.ExecContext(ctx, `VACUUM (SKIP_LOCKED) backlog`)
	}
	if err != nil {
		return fmt.Errorf("count tables: %w", err)
	}
	return nil
}

// eachBySourceID reads columns of the source records of a source and entity
// type by their ids there. On PostgreSQL the way is named, by LATERAL and by an order
// that one index alone has: left to a planner without statistics, every page of a
// first load was looked for among all records landed before it, of which another
// index knows the source and type as well.
func (tx *Tx) eachBySourceID(ctx context.Context, columns, source, entity string, ids []string, scan rowScan) error {
	if tx.db.d.name != "postgres" {
		return eachIn(ctx, tx, `SELECT `+columns+` FROM source_record WHERE source = $X1 AND entity = $X2 AND external_id IN $LIST`, ids, scan, source, entity)
	}
	q := `SELECT ` + columns + ` FROM unnest($1::text[]) AS k(id)
		CROSS JOIN LATERAL (SELECT * FROM source_record t WHERE (t.source, t.entity, t.external_id) >= ($2, $3, k.id)
			ORDER BY t.source, t.entity, t.external_id LIMIT 1) AS s
		WHERE s.source = $2 AND s.entity = $3 AND s.external_id = k.id`
	for part := range slices.Chunk(ids, listSizes[len(listSizes)-1]) {
		list := make([]string, len(part))
		for i, id := range part {
			list[i] = clean(id)
		}
		slices.Sort(list)
		if err := tx.query(ctx, q, []any{slices.Compact(list), source, entity}, scan); err != nil {
			return err
		}
	}
	return nil
}
