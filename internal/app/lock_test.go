package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"touchstone/internal/seal"
	"touchstone/internal/store"
)

// TestTwoDataFoldersShareNoSQLiteFile: the store lies in the one's data folder,
// and the other's configuration names it.
func TestTwoDataFoldersShareNoSQLiteFile(t *testing.T) {
	w := fed(t, "", 1)
	x := newWorld(t, filepath.Join(w.dir, "data", "touchstone.db"))
	x.yaml = w.yaml
	key, err := os.ReadFile(filepath.Join(w.dir, "data", seal.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(x.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(x.dir, "data", seal.KeyFile), key, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := x.parse()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(x.dsn); err != nil {
		t.Fatal(err)
	}
	second, err := Open(t.Context(), cfg, Options{Dir: filepath.Join(x.dir, "data"), Store: x.dsn, Env: x.env})
	if err == nil {
		err = second.Close()
		t.Fatalf("the second opened it too (%v)", err)
	}
	var held *store.HeldError
	if !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Errorf("the second = %v, want it told who holds the store", err)
	}
}

// TestACommandThatLooksStopsNoStart: whoever asks whether a daemon runs does not
// look like one.
func TestACommandThatLooksStopsNoStart(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			for ctx.Err() == nil {
				FindRunning(dir)
			}
		})
	}
	for i := range 500 {
		f, err := lockDir(dir, store.Holder{PID: i + 1})
		if err != nil {
			t.Errorf("start %d: %v", i, err)
			break
		}
		if again, err := lockDir(dir, store.Holder{}); err == nil {
			t.Errorf("start %d: a second one got the folder too (%v)", i, again.Close())
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	looking.Wait()
}
