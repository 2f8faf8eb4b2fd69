package pipeline

import (
	"context"

	"touchstone/internal/golden"
	"touchstone/internal/store"
)

// valuesOf gives the decisions on values as the transaction sees them. They are
// read once, and again when one was made or taken back.
func (r *Resolver) valuesOf(ctx context.Context, tx *store.LinkTx) (golden.Values, error) {
	maps, err := tx.ValueMaps(ctx, r.Entity, r.Maps)
	if err != nil {
		return golden.Values{}, err
	}
	if maps != r.Maps {
		r.Maps, r.values = maps, Values(maps.List)
	}
	return r.values, nil
}

// Values makes stored maps ready to be asked.
func Values(list []store.ValueMap) golden.Values {
	mappings := make([]golden.Mapping, len(list))
	for i, m := range list {
		mappings[i] = golden.Mapping{Decision: m.Decision, Field: m.Field, Pairs: m.Pairs}
	}
	return golden.NewValues(mappings)
}
