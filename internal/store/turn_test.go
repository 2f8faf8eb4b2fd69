package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestPeopleGoBeforeWorkInTheBackground: who waits for the writer comes in the
// order of coming, people first; work in the background has its turn all the same.
func TestPeopleGoBeforeWorkInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q turns
		var order []string
		ctx := t.Context()
		done, err := q.take(ctx)
		if err != nil {
			t.Fatal(err)
		}
		come := func(name string, ctx context.Context) {
			go func() {
				done, err := q.take(ctx)
				if err != nil {
					order = append(order, name+" left")
					return
				}
				order = append(order, name)
				done()
			}()
			synctest.Wait()
		}
		tired, leave := context.WithCancel(ctx)
		come("resolver", Patient(ctx))
		come("ann", ctx)
		come("source", Patient(ctx))
		come("tired", tired)
		come("bob", ctx)
		leave()
		synctest.Wait()
		done()
		synctest.Wait()
		if want := []string{"tired left", "ann", "bob", "resolver", "source"}; !slices.Equal(order, want) {
			t.Errorf("turns went to %q, want %q", order, want)
		}

		// However many people come, background work is not left out.
		order = nil
		done, _ = q.take(ctx)
		come("resolver", Patient(ctx))
		for range 3 * ahead {
			come("ann", ctx)
		}
		done()
		synctest.Wait()
		if at := slices.Index(order, "resolver"); at < ahead-3 || at > ahead || len(order) != 3*ahead+1 {
			t.Errorf("work in the background had turn %d of %d, want about %d", at, len(order), ahead)
		}
		if done, err := q.take(ctx); err != nil || q.impeding.Load() != 0 {
			t.Errorf("afterwards: %v, %d wait", err, q.impeding.Load())
		} else {
			done()
		}
		gone, end := context.WithCancel(ctx)
		end()
		if done, err := q.take(gone); err == nil {
			done() // the turn was free
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("who is gone: %v", err)
		}
	})
}
