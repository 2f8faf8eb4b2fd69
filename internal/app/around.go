package app

import (
	"context"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// ShownAround is what stands around a golden record: its relations both ways
// and the numbers of its events.
type ShownAround struct {
	Relations []ShownRelation    `json:"relations"`
	Events    []store.EventTotal `json:"events"`
}

// ShownRelation is one edge, seen from a golden record.
type ShownRelation struct {
	Direction string `json:"direction"` // to | from
	Kind      string `json:"kind"`
	Golden    string `json:"golden,omitempty"` // the other end; "" while it has not landed
	Name      string `json:"name,omitempty"`
	Ref       string `json:"ref"` // the other end as a source record
	Title     string `json:"title,omitempty"`
	Role      string `json:"role,omitempty"`
	Stance    string `json:"stance,omitempty"`
	Share     string `json:"share,omitempty"`
	Since     string `json:"since,omitempty"`
	Until     string `json:"until,omitempty"`
	Ended     bool   `json:"ended,omitempty"`
	Says      string `json:"says"`              // the source record or the person that says so
	Outside   bool   `json:"outside,omitempty"` // the other end is out of reach: no more of it is told
}

// mostRelations bounds the edges that are shown each way.
const mostRelations = 100

// Around shows what stands around a golden record.
func (a *App) Around(ctx context.Context, id string) (s ShownAround, err error) {
	s.Relations, s.Events = []ShownRelation{}, []store.EventTotal{}
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return s, err
	}
	out, in, err := a.Store.EdgesOf(ctx, g.Founder, mostRelations)
	if err != nil {
		return s, err
	}
	names := map[string]string{}
	see, err := a.sight(ctx)
	if err != nil {
		return s, err
	}
	var ends []record.Ref
	for _, e := range out {
		ends = append(ends, e.To)
	}
	for _, e := range in {
		ends = append(ends, e.From)
	}
	near, err := a.refsReached(ctx, see, ends)
	if err != nil {
		return s, err
	}
	show := func(direction, golden string, other record.Ref, e store.GoldenEdge) error {
		if !near[other] {
			s.Relations = append(s.Relations, ShownRelation{Direction: direction, Kind: e.Kind, Since: e.Since, Until: e.Until, Ended: e.Ended, Outside: true})
			return nil
		}
		name, err := a.nameOf(ctx, golden, names)
		s.Relations = append(s.Relations, ShownRelation{
			Direction: direction, Kind: e.Kind, Golden: golden, Name: name, Ref: a.refName(other), Title: e.Title, Role: e.Role, Share: e.Share,
			Since: e.Since, Until: e.Until, Ended: e.Ended, Says: a.refName(e.From),
		})
		return err
	}
	for _, e := range out {
		if err := show("to", e.ToGolden, e.To, e); err != nil {
			return s, err
		}
	}
	for _, e := range in {
		if err := show("from", e.FromGolden, e.From, e); err != nil {
			return s, err
		}
	}
	said, _, err := a.relationsAmong(ctx, []int64{g.Founder}, a.dayOr(""))
	if err != nil {
		return s, err
	}
	for _, r := range said {
		if r.Decision == "" {
			continue
		}
		direction, end := "to", r.B
		if r.b == g.Founder {
			direction, end = "from", r.A
		}
		if end.Outside {
			s.Relations = append(s.Relations, ShownRelation{Direction: direction, Kind: r.Kind, Since: r.Since, Until: r.Until, Ended: r.Over, Outside: true})
			continue
		}
		s.Relations = append(s.Relations, ShownRelation{
			Direction: direction, Kind: r.Kind, Golden: end.ID, Name: end.Name, Ref: end.Ref, Title: r.Title, Role: r.Role, Stance: r.Stance, Share: r.Share,
			Since: r.Since, Until: r.Until, Ended: r.Over, Says: r.Who + " (" + r.Decision + ")",
		})
	}
	totals, err := a.Store.EventTotals(ctx, []int64{g.Founder})
	s.Events = append(s.Events, totals[g.Founder]...)
	return s, err
}

// nameOf gives the name of a golden record, each read once.
func (a *App) nameOf(ctx context.Context, id string, names map[string]string) (string, error) {
	if name, ok := names[id]; ok || id == "" {
		return name, nil
	}
	g, _, err := a.Store.GoldenByID(ctx, id)
	if err != nil {
		return "", err
	}
	names[id], err = a.seenName(ctx, g)
	return names[id], err
}
