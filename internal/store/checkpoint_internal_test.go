package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCheckpointBesideTheWriter: what one transaction has committed comes into the file
// though nobody writes any more, long before the writer itself would do so.
func TestCheckpointBesideTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	db := openBare(t, path)
	write := func(rows int) {
		t.Helper()
		err := db.inTx(t.Context(), func(tx *Tx) error {
			_, err := tx.exec(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
				INSERT INTO setting (name, value) SELECT 'row ' || (SELECT count(*) FROM setting) || ' ' || i, '' FROM n`, rows)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	size := func() int64 {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	write(checkpointAfter / 4)
	if db.checkpoints.under.Load() || size() != before {
		t.Error("a checkpoint after few rows")
	}
	write(checkpointAfter)
	for db.checkpoints.under.Load() {
		time.Sleep(time.Millisecond)
	}
	if size() <= before {
		t.Error("no checkpoint after many rows")
	}
}
