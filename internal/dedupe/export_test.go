package dedupe

import "os"

// OnDisk is how many bytes a table has put into its temporary file.
func OnDisk(t *Table) int64 {
	if t.disk == nil {
		return 0
	}
	return t.disk.size.Load()
}

// LoseDisk takes the temporary file away.
func LoseDisk(t *Table) { _ = t.disk.file.Close() }

// FillDisk makes the temporary file one that nothing more fits into.
func FillDisk(t *Table) error {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_ = t.disk.file.Close()
	t.disk.file = full
	return nil
}
