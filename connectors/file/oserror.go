package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// told is what went wrong with a file, in the words of a person: os.Root puts the
// system call before the name ("statat list.csv"), which tells an admin nothing.
func told(err error) error {
	var p *fs.PathError
	if !errors.As(err, &p) {
		return err
	}
	return &named{p}
}

// named is a path error without its system call.
type named struct{ path *fs.PathError }

func (n *named) Error() string { return fmt.Sprintf("%s: %v", n.path.Path, n.path.Err) }

func (n *named) Unwrap() error { return n.path }

// openFolder opens the folder that a source's files are in.
func openFolder(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &missing{dir, err}
	case err != nil:
		return nil, fmt.Errorf("open folder: %w", told(err))
	}
	return root, nil
}

// missing is an error of a folder that is not there.
type missing struct {
	dir string
	err error
}

func (m *missing) Error() string { return fmt.Sprintf("the folder %s is not there", m.dir) }

func (m *missing) Unwrap() error { return m.err }
