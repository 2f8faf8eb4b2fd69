package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// foresight are answers that the readers of one turn were given ahead.
type foresight struct {
	of    *DB // another store's turn within this one asks for itself
	mu    sync.Mutex
	asked answers
}

type (
	foresightKey  struct{}
	collectionKey struct{}
)

// Foresee marks the context of a turn: what Ahead asks within it is not asked again,
// until the turn commits something itself. What others commit meanwhile is seen as
// if they had come a moment later.
func (db *DB) Foresee(ctx context.Context) context.Context {
	if !db.d.bundles {
		return ctx
	}
	return context.WithValue(ctx, foresightKey{}, &foresight{of: db})
}

func (db *DB) foresight(ctx context.Context) (*foresight, bool) {
	f, is := ctx.Value(foresightKey{}).(*foresight)
	return f, is && f.of == db
}

// Ahead asks in one message what the functions would ask one by one, within a turn
// and where that saves waiting: on PostgreSQL. They are run without getting any
// answers, as if nothing were stored, up to where they would write, and when they
// are run again what they ask for has been answered.
func (db *DB) Ahead(ctx context.Context, ask ...func(context.Context) error) error {
	f, is := db.foresight(ctx)
	if !is {
		return nil
	}
	var list []bundled
	collecting := context.WithValue(ctx, collectionKey{}, &list)
	for _, fn := range ask {
		if err := fn(collecting); err != nil && !errors.Is(err, errAhead) {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	read := answersTo(list)
	db.mu.RLock()
	defer db.mu.RUnlock()
	rows, err := db.read.QueryContext(ctx, "", &bundle{list: list})
	if err == nil {
		err = closed(rows, eachAnswer(rows, list))
	}
	switch {
	case Lost(err):
		return nil // each is asked by itself, over another connection
	case err != nil:
		return fmt.Errorf("ask ahead: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = read
	return nil
}

// Foreseen says whether the turn has committed nothing since it asked ahead.
func (db *DB) Foreseen(ctx context.Context) bool {
	f, is := db.foresight(ctx)
	if !is {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked != nil
}

// forgets drops what was answered before a transaction of the same turn.
func (db *DB) forgets(ctx context.Context) {
	if f, is := db.foresight(ctx); is {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asked = nil
	}
}

// collects notes a question instead of asking it, where Ahead runs who asks.
func collects(ctx context.Context, q string, args []any) bool {
	list, is := ctx.Value(collectionKey{}).(*[]bundled)
	if is {
		*list = append(*list, bundled{q: q, args: args})
	}
	return is
}

// collecting says that nothing may be written: Ahead wants to know the questions.
func collecting(ctx context.Context) bool { return ctx.Value(collectionKey{}) != nil }

// foreseen gives the answer to a question that was asked ahead, once.
func (db *DB) foreseen(ctx context.Context, q string, args []any) (*recorded, bool) {
	f, is := db.foresight(ctx)
	if !is {
		return nil, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked.take(q, args)
}
