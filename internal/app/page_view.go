package app

import (
	"context"
	"errors"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Views lists the lists of a page that somebody keeps by name, and then those that
// others share.
func (a *App) Views(ctx context.Context, page, who string) ([]web.View, error) {
	list, err := a.Store.SavedViews(ctx, page, who)
	var out []web.View
	for _, v := range list {
		out = append(out, web.View{ID: v.ID, Who: v.Who, Name: v.Name, Query: v.Query, Shared: v.Shared})
	}
	return out, err
}

// SaveView keeps a list of a page by name.
func (a *App) SaveView(ctx context.Context, page string, v web.View) error {
	err := a.Store.SaveView(ctx, page, store.SavedView{Who: v.Who, Name: v.Name, Query: v.Query, Shared: v.Shared})
	var cannot *store.Impossible
	if errors.As(err, &cannot) {
		return web.Refused("name", cannot.Said)
	}
	return err
}

// DropView forgets a list of a page; where others is set also one that somebody
// else shares.
func (a *App) DropView(ctx context.Context, page, id, who string, others bool) error {
	return a.Store.DropView(ctx, page, id, who, others)
}
