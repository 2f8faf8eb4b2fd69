package main

import (
	"context"

	"touchstone/internal/app"
)

// saw keeps in the audit trail that these are about to be shown: ids of golden
// records, of quarantined records, of rows, or what was asked about where no
// single customer is meant. Nothing found is nothing seen.
func (c *cli) saw(ctx context.Context, a *app.App, what string, subjects ...string) error {
	var about []string
	for _, s := range subjects {
		if s != "" {
			about = append(about, s)
		}
	}
	if len(about) == 0 {
		return nil
	}
	return a.Seen(ctx, who(), "read."+what, about)
}

// eachOf gives what is seen of each element of a list.
func eachOf[T any](list []T, ids func(T) []string) (out []string) {
	for _, v := range list {
		out = append(out, ids(v)...)
	}
	return out
}

// sawGolden is saw of a golden record that may have been named by one of its
// source records: those names may say who it is, and stay out of the trail.
func (c *cli) sawGolden(ctx context.Context, a *app.App, what, name string) error {
	id, err := a.GoldenID(ctx, name)
	if err != nil {
		return err
	}
	return c.saw(ctx, a, what, id)
}

// plannedGolden are the golden records whose values a target's plan shows.
func plannedGolden(p app.PlanTarget) (ids []string) {
	for _, w := range p.Writes {
		ids = append(ids, w.Golden)
	}
	return ids
}
