package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"

	"touchstone/internal/audit"
)

// self is who acts where no person does.
const self = "touchstone"

// auditLanded tells of the versions of one page by one hash over theirs: what is
// landed cannot be changed afterwards without the trail saying so.
func (tx *Tx) auditLanded(ctx context.Context, what, source, stream string, hashes [][]byte) error {
	if len(hashes) == 0 {
		return nil
	}
	h := sha256.New()
	for _, one := range hashes {
		h.Write(one)
	}
	return tx.audit(ctx, []auditEntry{{self, what, source + "/" + stream, nil, tx.keyed("landed", h.Sum(nil))}})
}

// supersede takes waiting rows out of the outbox: newer ones take their place.
func (tx *Tx) supersede(ctx context.Context, seqs []int64) error {
	if len(seqs) == 0 {
		return nil
	}
	var ids []string
	err := eachIn(ctx, tx, `UPDATE outbox SET state = 'superseded', settled_at = $X1 WHERE state = 'pending' AND seq IN $LIST RETURNING id`, seqs, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, tx.now)
	if err != nil {
		return fmt.Errorf("supersede outbox rows: %w", err)
	}
	entries := make([]auditEntry, len(ids))
	for i, id := range ids {
		entries[i] = auditEntry{self, "outbox.superseded", id, nil, nil}
	}
	return tx.audit(ctx, entries)
}

// auditAttached tells that an object of ours was tied to its golden record.
func (tx *Tx) auditAttached(ctx context.Context, ruling string, founder int64) error {
	ids, err := tx.goldenIDsOf(ctx, []int64{founder})
	if err != nil {
		return err
	}
	return tx.auditAll(ctx, []audit.Entry{{Who: self, What: "ruling.must", Subjects: append([]string{ruling}, ids...)}})
}
