package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"touchstone/internal/store"
)

// noteFile remembers which file the store is, where it is one.
func (a *App) noteFile() (err error) {
	if store.IsFile(a.dsn()) {
		if a.life.file, err = os.Stat(a.dsn()); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

// Healthy asks the store; a daemon that cannot reach its store is not healthy. A
// SQLite file that was taken away or replaced goes on answering, and what is
// written to it is lost: so its place is looked at.
func (a *App) Healthy(ctx context.Context) error {
	if err := a.Store.Ping(ctx); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if a.life.file == nil {
		return nil
	}
	now, err := os.Stat(a.dsn())
	if err == nil && !os.SameFile(a.life.file, now) {
		err = errors.New("another file stands in its place")
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// noRoom notes whether a part failed for want of room when it was last at work.
func (l *life) noRoom(part string, full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if full {
		l.full[part] = true
	} else {
		delete(l.full, part)
	}
}

// forgetRoom begins anew: another configuration has other parts.
func (l *life) forgetRoom() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.full)
}

// lacksRoom says whether any part failed for want of room.
func (l *life) lacksRoom() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.full) > 0
}
