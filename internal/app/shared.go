package app

import "context"

// SharedUsers notes for each shared value the records that hold it, oldest
// first, at most most of each.
func (a *App) SharedUsers(ctx context.Context, list []SharedIdentifier, most int) error {
	for i, s := range list {
		refs, err := a.Store.Holders(ctx, s.hash, most)
		if err != nil {
			return err
		}
		list[i].Users = nil
		for _, ref := range refs {
			list[i].Users = append(list[i].Users, a.refName(ref))
		}
	}
	return nil
}
