package dedupe

// OnDisk is how many bytes a table has put into its temporary file.
func OnDisk(t *Table) int64 {
	if t.disk == nil {
		return 0
	}
	return t.disk.size.Load()
}

// LoseDisk takes the temporary file away.
func LoseDisk(t *Table) { _ = t.disk.file.Close() }
