package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"touchstone/config"
	"touchstone/internal/audit"
	"touchstone/internal/seal"
	"touchstone/internal/store"
)

// KeySuffix is appended to a backup's name for the installation key beside it.
const KeySuffix = ".key"

// Backup writes the store into a new SQLite file while work goes on; with the
// installation key beside it when asked: whoever has both can read everything.
func (a *App) Backup(ctx context.Context, path string, withKey bool) (c store.Copied, err error) {
	ctx, span := a.tracer.Start(ctx, "backup")
	defer func() { span.End(err) }()
	if withKey {
		if err := copyNew(filepath.Join(a.opts.Dir, seal.KeyFile), path+KeySuffix); err != nil {
			return store.Copied{}, fmt.Errorf("backup of the key: %w", err)
		}
	}
	c, err = a.Store.Backup(ctx, path)
	if err != nil && withKey {
		err = errors.Join(err, os.Remove(path+KeySuffix))
	}
	return c, err
}

// Restore puts a backup into the store of a configuration, which must be empty.
// The installation key must be in the data folder, or be given as a file, which
// is then copied there.
func Restore(ctx context.Context, cfg *config.Config, opts Options, backup, key string) (c store.Copied, err error) {
	a := &App{Config: cfg, opts: opts}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return c, fmt.Errorf("make data folder: %w", err)
	}
	lock, err := lockDir(opts.Dir, a.me())
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	own := filepath.Join(opts.Dir, seal.KeyFile)
	if key != "" {
		if err := copyNew(key, own); err != nil {
			return c, fmt.Errorf("restore the key: %w", err)
		}
	}
	if _, err := os.Stat(own); err != nil {
		return c, fmt.Errorf("restore: the installation key is not in %s: a backup cannot be read without the key it was made with; name it with --key: %w", opts.Dir, err)
	}
	vault, err := seal.Open(opts.Dir, opts.Env.Rand)
	if err != nil {
		return c, err
	}
	if dsn := a.dsn(); store.IsFile(dsn) {
		f, err := lockPath(dsn + ".lock")
		if err != nil {
			return c, fmt.Errorf("lock the store: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
	}
	if c, err = store.Restore(ctx, backup, a.dsn(), vault, opts.Env, a.me()); err != nil {
		return c, err
	}
	return c, noteRestored(ctx, a.dsn(), vault, opts)
}

// noteRestored leaves the restore in the trail of what was restored.
func noteRestored(ctx context.Context, dsn string, vault *seal.Vault, opts Options) (err error) {
	db, err := store.Open(ctx, dsn, vault, opts.Env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Note(ctx, audit.Entry{Who: "touchstone", What: "backup.restored", Subjects: []string{"store"}})
}

// copyNew copies a small secret file to a place where nothing is yet, for its
// user alone, and waits until it is on the disk.
func copyNew(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and is not written over: %w", to, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, 1<<20))
	return errors.Join(err, out.Sync(), out.Close())
}
