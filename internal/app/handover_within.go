package app

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

const (
	// ownersAtOnce is of how many customers in reach, and a page more, the owners are
	// counted while somebody waits; of more they are counted in the background.
	ownersAtOnce = 2_000
	// mostOwnerCounts bounds how many such counts are kept: past it all begin anew.
	mostOwnerCounts = 200
)

// ownerCounts are who looks after how many, of those who reach many customers and not
// all, by what they reach: all who reach the same share them. Only the daemon counts.
type ownerCounts struct {
	mu    sync.Mutex
	of    map[string]*ownersWithin
	epoch int // goes up when what was counted is forgotten
}

// ownersWithin is one of them; list is nil before it was counted, and where nobody
// owns anything.
type ownersWithin struct {
	entity string
	reach  store.Reach
	list   []store.OwnerCount
	at     time.Time
	took   time.Duration
	asked  bool
}

// get gives what was counted, and asks for it again where that is too old. What was
// never counted is asked for with ask alone: few customers are counted at once.
func (k *ownerCounts) get(entity string, reach store.Reach, now time.Time, ask bool) ownersWithin {
	key := fmt.Sprintf("%s %v", entity, reach)
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.of[key]
	if c == nil {
		if !ask {
			return ownersWithin{}
		}
		if k.of == nil || len(k.of) >= mostOwnerCounts {
			k.of = map[string]*ownersWithin{}
		}
		c = &ownersWithin{entity: entity, reach: reach}
		k.of[key] = c
	}
	c.asked = c.asked || now.Sub(c.at) > max(valuesOld, valuesRest*c.took)
	return *c
}

// forget has all of them counted anew.
func (k *ownerCounts) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of = nil
	k.epoch++
}

// next gives one that is asked for.
func (k *ownerCounts) next() (c *ownersWithin, epoch int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, x := range k.of {
		if x.asked {
			return x, k.epoch
		}
	}
	return nil, 0
}

// keep keeps one that was counted, unless it was to be forgotten meanwhile.
func (k *ownerCounts) keep(c *ownersWithin, epoch int, list []store.OwnerCount, at time.Time, took time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.asked = false; epoch == k.epoch {
		c.list, c.at, c.took = list, at, took
	}
}

// workOwners counts what pages wait for.
func (a *App) workOwners(ctx context.Context) error {
	clock := a.opts.Env.Clock
	for {
		c, epoch := a.life.owners.next()
		if c == nil {
			return nil
		}
		began := clock.Now()
		list, _, err := a.Store.OwnersWithin(ctx, c.entity, c.reach, mostOwners, math.MaxInt)
		if err != nil {
			return err
		}
		a.life.owners.keep(c, epoch, list, began, clock.Now().Sub(began))
	}
}

// ownersSeen counts the customers of everybody that who asks reaches. At is when that
// was, where it was not now; part says that not all were looked at.
func (a *App) ownersSeen(ctx context.Context, entity string) (list []store.OwnerCount, part bool, at time.Time, err error) {
	see, err := a.sight(ctx)
	switch {
	case err != nil:
		return nil, false, at, err
	case see.masked(entity, record.Owner) != "":
		return nil, false, at, keptField()
	case see.reach == nil:
		list, err = a.Store.Owners(ctx, entity, mostOwners)
		return list, false, at, err
	}
	now := a.opts.Env.Clock.Now()
	if c := a.life.owners.get(entity, see.reach, now, false); c.list != nil {
		return c.list, false, c.at, nil
	}
	list, part, err = a.Store.OwnersWithin(ctx, entity, see.reach, mostOwners, ownersAtOnce)
	if part {
		a.life.owners.get(entity, see.reach, now, true)
	}
	return list, part, at, err
}

// ownedSeen lists the customers of an owner that who asks reaches, one more than a
// hand-over takes.
func (a *App) ownedSeen(ctx context.Context, see sight, entity, owner, source string) ([]store.Owned, error) {
	if see.masked(entity, record.Owner) != "" {
		return nil, keptField()
	}
	return a.Store.OwnedBy(ctx, entity, owner, source, see.reach, 0, mostHandedOver+1)
}

// handover is a hand-over without the owners where they are kept back.
func (s sight) handover(h web.HandoverRow) web.HandoverRow {
	if s.masked(h.Entity, record.Owner) != "" {
		h.From, h.To = "", ""
	}
	return h
}
