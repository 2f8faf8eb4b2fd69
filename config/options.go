package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Options say how a file is read. The zero Options read the real environment
// and the real files.
type Options struct {
	// NoSecrets leaves ${env:…} and ${file:…} unresolved, which is then no
	// problem: a file can be checked where its secrets are not.
	NoSecrets bool
	// Env looks up an environment variable; nil is os.LookupEnv.
	Env func(string) (string, bool)
	// ReadFile reads the configuration and what ${file:…} names; nil reads from
	// disk, at most a little more than 1 MiB.
	ReadFile func(string) ([]byte, error)
	// Connectors check a source's own part of the file, by type: usually they
	// decode Source.Options and each SourceEntity.Options. When the error is
	// Problems these join the file's own, so that all come at once. Without an
	// entry for its type a source's own keys are not examined here.
	Connectors map[string]func(Source) error
}

// maxSecret is the most a file named by ${file:…} may hold: keys and
// certificates are far smaller.
const maxSecret = 64 << 10

// look resolves a reference. The error never holds the value.
func (o Options) look(dir, kind, name string) (string, error) {
	if kind == "env" {
		v, ok := o.env(name)
		switch {
		case !ok:
			return "", fmt.Errorf("environment variable %s is not set", name)
		case v == "":
			return "", fmt.Errorf("environment variable %s is empty", name)
		}
		return v, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := o.readFile(path)
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("file %s does not exist", name)
	case errors.As(err, &pe):
		return "", fmt.Errorf("file %s cannot be read: %w", name, pe.Err)
	case err != nil:
		return "", fmt.Errorf("file %s cannot be read: %w", name, err)
	case len(b) > maxSecret:
		return "", fmt.Errorf("file %s is larger than %s", name, Size(maxSecret))
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", fmt.Errorf("file %s is empty", name)
	}
	return v, nil
}

func (o Options) env(name string) (string, bool) {
	if o.Env != nil {
		return o.Env(name)
	}
	return os.LookupEnv(name)
}

// readTable is readFile for what may be larger than a configuration.
func (o Options) readTable(path string) ([]byte, error) {
	if o.ReadFile != nil {
		return o.ReadFile(path)
	}
	f, err := os.Open(path) //nolint:gosec // the admin names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxTableFile+1))
}

// cause is an error without the path, which the message names already.
func cause(err error) error {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("it does not exist")
	case errors.As(err, &pe):
		return pe.Err
	}
	return err
}

func (o Options) readFile(path string) ([]byte, error) {
	if o.ReadFile != nil {
		return o.ReadFile(path)
	}
	f, err := os.Open(path) //nolint:gosec // the admin names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}
