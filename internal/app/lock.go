package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"touchstone/internal/store"
)

const lockFile = "touchstone.lock"

// Running is the process that has the data folder, and where it can be spoken
// to. It stands in the lock file, which only its user can read.
type Running struct {
	store.Holder
	Control string `json:"control,omitempty"` // address on loopback
	Token   string `json:"token,omitempty"`
	Page    string `json:"page,omitempty"` // address of the pages
}

// lockDir takes the data folder for this process: two daemons on one folder
// would deliver the same rows. The lock goes with the process, however it ends.
func lockDir(dir string, me store.Holder) (*os.File, error) {
	f, err := lockPath(filepath.Join(dir, lockFile))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		text := fmt.Sprintf("another touchstone is running on %s", dir)
		if r, ok := readRunning(dir); ok {
			text += fmt.Sprintf(" (host %s, pid %d, since %s)", r.Host, r.PID, r.Since)
		}
		return nil, errors.New(text + ": stop it first, or give this one another --dir")
	}
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := writeRunning(f, Running{Holder: me}); err != nil {
		return nil, errors.Join(fmt.Errorf("lock data folder: %w", err), f.Close())
	}
	return f, nil
}

func lockPath(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockAlone(int(f.Fd())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockAlone takes a file for this process. One that is only being looked at
// (FindRunning) can be shared, and is free again at once.
func lockAlone(fd int) (err error) {
	const looks = 10_000
	for range looks {
		if err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if shared := syscall.Flock(fd, syscall.LOCK_SH|syscall.LOCK_NB); shared != nil {
			return shared
		}
		if err := syscall.Flock(fd, syscall.LOCK_UN); err != nil {
			return err
		}
	}
	return err
}

// writeRunning puts the text down in one write, so that nobody reads half of it.
func writeRunning(f *os.File, r Running) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}

func readRunning(dir string) (r Running, ok bool) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return r, false
	}
	defer func() { _ = f.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	return r, err == nil && json.Unmarshal(b, &r) == nil && r.PID != 0
}

// FindRunning tells which process has the data folder now; ok is false when
// none does.
func FindRunning(dir string) (r Running, ok bool) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return r, false
	}
	defer func() { _ = f.Close() }() // it was only read
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err == nil {
		return r, false
	}
	return readRunning(dir)
}

// me is this process as others are told of it.
func (a *App) me() store.Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return store.Holder{Host: host, PID: os.Getpid(), Since: store.TimeText(a.opts.Env.Clock.Now())}
}

// takeStore makes this process the only one that works on the store: by a lock
// beside a SQLite file, which another data folder's configuration may name too,
// by a lease on PostgreSQL.
func (a *App) takeStore(ctx context.Context) error {
	if a.Store.Engine() == "sqlite" {
		f, err := lockPath(a.dsn() + ".lock")
		if errors.Is(err, syscall.EWOULDBLOCK) {
			h, _, err := a.Store.LeaseHolder(ctx)
			return errors.Join(&store.HeldError{Holder: h}, err)
		}
		if err != nil {
			return fmt.Errorf("lock the store: %w", err)
		}
		a.life.locks = append(a.life.locks, f)
	}
	return a.Store.TakeLease(ctx, a.me())
}
