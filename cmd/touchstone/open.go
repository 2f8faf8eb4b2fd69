package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// openFile opens a file that was named on the command line. A folder opens as
// well and fails only when it is read: it is refused by its name here.
func openFile(name string) (*os.File, error) {
	f, err := os.Open(name) //nolint:gosec // reading what the caller names is its purpose
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noFile(name)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = usageError{folderNamed(name)}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// noFile says that there is no file of a name.
type noFile string

func (n noFile) Error() string { return "there is no file " + string(n) }

func (n noFile) Unwrap() error { return fs.ErrNotExist }

func folderNamed(name string) error { return fmt.Errorf("%s is a folder; name a file", name) }
