package dedupe

import (
	"fmt"
	"os"
)

// OnDisk is how many bytes a table has put into its temporary file.
func OnDisk(t *Table) int64 {
	if t.disk == nil {
		return 0
	}
	return t.disk.size.Load()
}

// LoseDisk takes the temporary file away.
func LoseDisk(t *Table) { _ = t.disk.file.Close() }

// Spills says whether a table puts what it can into a temporary file.
func Spills(t *Table) bool { return t.disk != nil }

// FillDisk makes the temporary file one that is read but takes nothing more.
func FillDisk(t *Table) error {
	full, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", t.disk.file.Fd()))
	if err != nil {
		return err
	}
	_ = t.disk.file.Close()
	t.disk.file = full
	return nil
}
