package app

import (
	"context"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// ownersSeen counts the customers of everybody that who asks reaches.
func (a *App) ownersSeen(ctx context.Context, entity string) ([]store.OwnerCount, error) {
	see, err := a.sight(ctx)
	switch {
	case err != nil:
		return nil, err
	case see.masked(entity, record.Owner) != "":
		return nil, keptField()
	}
	return a.Store.Owners(ctx, entity, see.reach, mostOwners)
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
