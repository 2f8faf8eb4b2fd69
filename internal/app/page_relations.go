package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/web"
)

func endShown(e End) web.RelationEnd {
	return web.RelationEnd{ID: e.ID, Name: e.Name, Entity: e.Entity, Ref: e.Ref, Outside: e.Outside}
}

func relationShown(r Relation, founder int64) web.RelationRow {
	other, _ := r.other(founder)
	return web.RelationRow{
		Kind: r.Kind, Out: r.a == founder, A: endShown(r.A), B: endShown(r.B), Other: endShown(other), Title: r.Title, Role: r.Role, Stance: r.Stance, Share: r.Share,
		Since: r.Since, Until: r.Until, Over: r.Over, Source: r.Source, Decision: r.Decision, Who: r.Who, Why: r.Why, At: parse(r.At),
	}
}

func relationsShown(list []Relation, founder int64) (out []web.RelationRow) {
	for _, r := range list {
		out = append(out, relationShown(r, founder))
	}
	return out
}

// checkDay refuses a day that is none; "" is today.
func checkDay(day string) error {
	if day == "" {
		return nil
	}
	_, err := ParseDate(day)
	return err
}

// Relations lists the relations of a customer for a page.
func (a *App) Relations(ctx context.Context, id, day string) (p web.RelationsPage, err error) {
	if err := checkDay(day); err != nil {
		return p, err
	}
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return p, err
	}
	p = web.RelationsPage{ID: g.ID, Entity: g.Entity, Day: a.dayOr(day)}
	if p.Name, err = a.seenName(ctx, g); err != nil {
		return p, err
	}
	list, more, err := a.relationsAmong(ctx, []int64{g.Founder}, p.Day)
	if err != nil {
		return p, err
	}
	p.Rows, p.More = relationsShown(list, g.Founder), more
	for _, k := range relationKinds() {
		if k.from == "" || k.from == g.Entity {
			p.Kinds = append(p.Kinds, k.name)
		}
	}
	return p, nil
}

// orgShown lists a chart from the top.
func (c OrgChart) shown() web.OrgChart {
	out := web.OrgChart{Company: endShown(c.Company), Day: c.Day, More: c.More, Past: relationsShown(c.Past, 0)}
	at := map[int64]int{}
	c.Walk(func(n *OrgNode, depth int) {
		p := web.OrgPerson{RelationEnd: endShown(n.End), Depth: depth, Parent: -1, Title: n.Title, Roles: relationsShown(n.Roles, n.founder), Works: relationsShown(n.Works, n.founder)}
		if m, ok := at[n.manager]; ok && n.manager != 0 {
			p.Parent = m
		}
		if n.Stance != nil {
			r := relationShown(*n.Stance, n.founder)
			p.Stance = &r
		}
		if n.Line != nil {
			r := relationShown(*n.Line, n.founder)
			p.Line = &r
		}
		at[n.founder] = len(out.People)
		out.People = append(out.People, p)
	})
	for _, g := range c.Gaps {
		x := web.OrgGap{Kind: g.Kind, Role: g.Role}
		if g.Person != nil {
			e := endShown(*g.Person)
			x.Person = &e
		}
		out.Gaps = append(out.Gaps, x)
	}
	return out
}

func (t GroupTree) shown() web.GroupTree {
	out := web.GroupTree{Day: t.Day, Totals: moneyOf(t.Totals), More: t.More, Others: relationsShown(t.Others, 0)}
	var above []int
	t.Walk(func(n *GroupNode, depth int) {
		m := web.GroupMember{RelationEnd: endShown(n.End), Depth: depth, Parent: -1, Kind: n.Kind, Share: n.Share, Held: n.Held, Own: moneyOf(n.Own), Total: moneyOf(n.Total)}
		if above = above[:depth]; depth > 0 {
			m.Parent = above[depth-1]
		}
		if n.Link != nil {
			m.Since, m.Until, m.Decision = n.Link.Since, n.Link.Until, n.Link.Decision
		}
		above = append(above, len(out.Nodes))
		out.Nodes = append(out.Nodes, m)
		if n.ID == t.Asked {
			out.Company = m.RelationEnd
		}
	})
	for _, e := range t.Circle {
		out.Circle = append(out.Circle, endShown(e))
	}
	return out
}

// OrgChartPage reads the people of a company for a page.
func (a *App) OrgChartPage(ctx context.Context, id, day string) (web.OrgChart, error) {
	if err := checkDay(day); err != nil {
		return web.OrgChart{}, err
	}
	c, err := a.OrgChart(ctx, id, day)
	if err != nil {
		return web.OrgChart{}, err
	}
	return c.shown(), nil
}

// GroupTreePage reads the group of a company for a page.
func (a *App) GroupTreePage(ctx context.Context, id, day string) (web.GroupTree, error) {
	if err := checkDay(day); err != nil {
		return web.GroupTree{}, err
	}
	t, err := a.GroupTree(ctx, id, day)
	if err != nil {
		return web.GroupTree{}, err
	}
	return t.shown(), nil
}

// done tells a page what a decision came to.
func done(key string, d Decided, err error) (web.Done, error) {
	if err != nil {
		return web.Done{}, err
	}
	return web.Done{Key: key, Undo: d.Decision}, nil
}

// PinField sets a field as a page asks for it; over an earlier pin.
func (a *App) PinField(ctx context.Context, f web.PinForm, by web.By) (web.Done, error) {
	r := PinRequest{Golden: f.ID, Field: f.Field, Value: f.Value, Pick: f.Pick, Ask: true, Seen: f.Seen}
	if f.Until != "" {
		var err error
		if r.Until, err = ParseDate(f.Until); err != nil {
			return web.Done{}, web.Refuse("until", "%s", toldOf(err))
		}
	}
	d, err := a.Pin(ctx, r, By{Who: by.Who, Why: by.Why, Over: true})
	if r.Pick == "" {
		err = ofTyped("value", err)
	}
	return done("field.pinned", d, err)
}

// UnpinField lets the sources decide a field again.
func (a *App) UnpinField(ctx context.Context, id, field string, by web.By) (web.Done, error) {
	d, err := a.Unpin(ctx, id, field, By{Who: by.Who, Why: by.Why})
	return done("field.unpinned", d, err)
}

// StateRelation states a relation as a page asks for it; in the place of an earlier
// statement of the same.
func (a *App) StateRelation(ctx context.Context, f web.RelateForm, by web.By) (web.Done, error) {
	from, err := a.named(ctx, f.From, "person")
	if err != nil {
		return web.Done{}, err
	}
	to, err := a.named(ctx, f.To, "to")
	if err != nil {
		return web.Done{}, err
	}
	r := Relate{From: from, Kind: f.Kind, To: to, Title: f.Title, Role: f.Role, Stance: f.Stance, Share: f.Share, Since: f.Since, Until: f.Until}
	d, err := a.Relate(ctx, r, By{Who: by.Who, Why: by.Why, Over: true})
	return done("relation.stated", d, err)
}

// named finds the customer that somebody typed into a field: an id, or a name
// that is one customer's alone.
func (a *App) named(ctx context.Context, text, field string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", web.Refuse(field, "say who the other customer is: name or id")
	}
	if id, err := a.byID(ctx, text); err != nil || id != "" {
		return id, err
	}
	found, err := a.Customers(ctx, web.CustomerQuery{Text: text, Limit: 6})
	if err != nil {
		return "", err
	}
	var same []string
	for _, g := range found.List {
		if strings.EqualFold(g.Name, text) {
			same = append(same, g.ID)
		}
	}
	switch {
	case len(same) == 1:
		return same[0], nil
	case len(found.List) == 1:
		return found.List[0].ID, nil
	case len(found.List) == 0:
		return "", web.Refuse(field, "nobody of this name is known")
	}
	return "", web.Refuse(field, "several customers have this name: take the id of one of them")
}

// FinishRelation ends a person's statement.
func (a *App) FinishRelation(ctx context.Context, decision, until string, by web.By) (web.Done, error) {
	d, err := a.EndRelation(ctx, decision, until, By{Who: by.Who, Why: by.Why})
	return done("relation.ended", d, err)
}

// mostListed bounds the rows of a list that is taken away.
const mostListed = 50_000

// EachCustomer gives every customer that a question finds.
func (a *App) EachCustomer(ctx context.Context, q web.CustomerQuery, fn func(web.Golden) error) (cut bool, err error) {
	q.Limit, q.After = exportPage, ""
	for n := 0; ; {
		p, err := a.Customers(ctx, q)
		if err != nil {
			return false, err
		}
		for _, g := range p.List {
			if n++; n > mostListed {
				return true, nil
			}
			if err := fn(g); err != nil {
				return false, err
			}
		}
		if q.After = p.Next; p.Next == "" {
			return false, nil
		}
	}
}

// placesOf lists where the records that once belonged to an id live now.
func (a *App) placesOf(ctx context.Context, id string, now int64) (out []web.MovedRecord, err error) {
	rec, _, err := a.anchorOf(ctx, id)
	if errors.Is(err, record.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("where %s has gone: %w", id, err)
	}
	list, err := a.elsewhere(ctx, rec, now)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		out = append(out, web.MovedRecord{Record: a.markOf(p.Ref), Golden: p.Golden})
	}
	return slices.Clip(out), nil
}
