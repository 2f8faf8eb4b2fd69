package dedupe

import (
	"cmp"
	"fmt"
	"os"
	"sync/atomic"
)

// disk is a temporary file for what is not to stay in memory: pieces are added to
// it and read again by their place. It has no name while there is anything in it:
// whatever ends the process, the system takes it away. Where a piece cannot be read again, or
// written, that is remembered and blank bytes stand for it; every stage asks at
// its end. A nil disk has nothing on it.
type disk struct {
	file   *os.File
	size   atomic.Int64
	failed atomic.Pointer[error]
}

// newDisk makes the file in the folder for temporary files.
func newDisk() (*disk, error) {
	f, err := os.CreateTemp("", "touchstone-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file (TMPDIR names another folder): %w", err)
	}
	_ = os.Remove(f.Name()) // it lives on while it is open; where that is not so, close removes it
	return &disk{file: f}, nil
}

// add gives the place where the bytes stand now.
func (d *disk) add(b []byte) int64 {
	at := d.size.Add(int64(len(b))) - int64(len(b))
	if _, err := d.file.WriteAt(b, at); err != nil {
		d.fail(fmt.Errorf("write a temporary file (TMPDIR names another folder, and more --memory needs less of it): %w", err))
	}
	return at
}

// read fills b from a place.
func (d *disk) read(at int64, b []byte) {
	if _, err := d.file.ReadAt(b, at); err != nil {
		clear(b)
		d.fail(fmt.Errorf("read a temporary file: %w", err))
	}
}

func (d *disk) fail(err error) { d.failed.CompareAndSwap(nil, &err) }

// err is the first thing that went wrong.
func (d *disk) err() error {
	if d == nil {
		return nil
	}
	if err := d.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (d *disk) close() error {
	if d == nil {
		return nil
	}
	err := d.file.Close()
	if rest := os.Remove(d.file.Name()); rest != nil && !os.IsNotExist(rest) {
		err = cmp.Or(err, rest)
	}
	if err != nil {
		return fmt.Errorf("close a temporary file: %w", err)
	}
	return nil
}
