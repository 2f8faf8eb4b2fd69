package app

import (
	"context"
	"slices"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/rules/worth"
)

const (
	// usualPairs and mostPairsListed are how many pairs one answer lists.
	usualPairs      = 20
	mostPairsListed = 1000
	// mostTextFound bounds the golden records that a text is looked for in.
	mostTextFound = 500
)

// OpenPairs lists open pairs: those of every entity type in one order, unless
// one is named.
func (a *App) OpenPairs(ctx context.Context, q web.ReviewQuery) (out web.OpenPairs, err error) {
	out.Currency = a.Config.Review.Currency
	see, err := a.sight(ctx)
	if err != nil {
		return out, err
	}
	if _, named := a.findable(see, q.Entity); !named && q.Order == web.OrderName {
		q.Order = "" // the order would tell names
	}
	if a.worthMasked(see) {
		q.Value, q.Order = 0, see.orderWithoutWorth(q.Order)
	}
	f, err := a.queueFilter(ctx, q)
	if err != nil {
		return out, err
	}
	if f.Reach = see.reach; f.Reach != nil {
		q.Today = false // that set is chosen of all pairs
	}
	if out.Open, out.AtLeast, err = a.Store.QueueLength(ctx, f.Reach); err != nil {
		return out, err
	}
	if q.Today {
		set, err := a.today(ctx, q.Me, q.Entity, 0)
		if err != nil {
			return out, err
		}
		out.Items, err = a.todayItems(ctx, set)
		return out, err
	}
	list, next, partial, err := a.queued(ctx, f, a.queueEntities(q.Entity))
	if err != nil {
		return out, err
	}
	out.Partial = partial
	if out.Next, err = placeText(next); err != nil {
		return out, err
	}
	out.Items, err = a.items(ctx, list)
	return out, err
}

// queueEntities are the entity types of a question, in their order.
func (a *App) queueEntities(name string) (names []string) {
	for _, e := range a.entities {
		if e.resolver != nil && (name == "" || e.name == name) {
			names = append(names, e.name)
		}
	}
	return names
}

// queued lists the pairs of several entity types in one order.
func (a *App) queued(ctx context.Context, f store.QueueFilter, entities []string) (all []store.QueuedPair, next *store.QueuePlace, partial bool, err error) {
	limit := f.Limit
	var ends []store.QueuePlace // the list is whole up to the first of them
	for _, name := range entities {
		f.Entity = name
		list, at, part, err := a.Store.Queue(ctx, f)
		if err != nil {
			return nil, nil, false, err
		}
		if all = append(all, list...); at != nil {
			ends = append(ends, *at)
		}
		partial = partial || part
	}
	slices.SortFunc(all, func(p, q store.QueuedPair) int { return f.Place(p).Compare(f.Place(q)) })
	if len(ends) > 0 {
		first := slices.MinFunc(ends, store.QueuePlace.Compare)
		all = slices.DeleteFunc(all, func(p store.QueuedPair) bool { return f.Place(p).Compare(first) > 0 })
		next = &first
	}
	if len(all) > limit {
		all = all[:limit]
	}
	if len(all) == limit && limit > 0 && (next != nil || len(entities) > 1) {
		at := f.Place(all[limit-1])
		next, partial = &at, false
	}
	return all, next, partial, nil
}

// queueFilter reads a question.
func (a *App) queueFilter(ctx context.Context, q web.ReviewQuery) (f store.QueueFilter, err error) {
	now := a.opts.Env.Clock.Now()
	f = store.QueueFilter{Order: q.Order, Kind: q.Kind, Proposed: q.Proposed, Skipped: q.Skipped, Now: store.TimeText(now), Limit: q.Limit}
	switch {
	case q.Order != "" && !slices.Contains(web.ReviewOrders, q.Order):
		return f, web.Refuse("order", "there is no order %q: want one of %s", q.Order, wordsOf("order", web.ReviewOrders))
	case q.Kind != "" && !slices.Contains(web.ReviewKinds, q.Kind):
		return f, web.Refuse("kind", "there is no kind of pairs %q: want one of %s", q.Kind, wordsOf("why", web.ReviewKinds))
	case q.Entity != "" && len(a.queueEntities(q.Entity)) == 0:
		return f, web.Refuse("entity", "there is no entity type %q: want one of %s", q.Entity, wordsOf("entity", a.queueEntities("")))
	case !(q.From >= 0 && q.From <= 1) || !(q.To >= 0 && q.To <= 1) || q.To > 0 && q.To < q.From:
		return f, web.Refuse("from", "the probability is to lie between 0 and 1, from below to")
	case !(q.Value >= 0 && q.Value <= 1e12):
		return f, web.Refuse("value", "the value is to be 0 or more")
	case q.Limit < 0 || q.Limit > mostPairsListed:
		return f, web.Refuse("limit", "the length is %d, want 1 to %d", q.Limit, mostPairsListed)
	case q.Other != "" && q.Source == "":
		return f, web.Refuse("source", "name one source, or two")
	case (q.Today || q.Assigned == "me") && q.Me == "":
		return f, web.Refuse("assigned", "nobody asks: there is no list of one's own")
	}
	if f.Limit == 0 {
		f.Limit = usualPairs
	}
	for _, s := range []struct {
		name string
		uid  *string
	}{{q.Source, &f.Source}, {q.Other, &f.Other}} {
		if s.name == "" {
			continue
		}
		if *s.uid, err = a.knownSource(s.name); err != nil {
			return f, web.Refuse("source", "there is no source %q", s.name)
		}
	}
	f.From, f.To = millionths(q.From), millionths(q.To)
	f.Value = int64(q.Value * worth.Unit)
	switch q.Assigned {
	case "me":
		f.Assigned = q.Me
	case "nobody":
		f.Unassigned = true
	default:
		f.Assigned = q.Assigned
	}
	switch q.Due {
	case "":
	case "overdue":
		f.DueBefore = f.Now
	case "today":
		f.DueBefore = store.TimeText(now.UTC().Truncate(24 * time.Hour).Add(24*time.Hour - time.Microsecond))
	case "week":
		f.DueBefore = store.TimeText(now.Add(7 * 24 * time.Hour))
	default:
		return f, web.Refuse("due", "there is no time %q: want overdue, today or week", q.Due)
	}
	if q.Proposed {
		f.NotProposer = q.Me
	}
	if f.After, err = placeOf(q.After); err != nil {
		return f, err
	}
	if q.Text != "" {
		f.Founders, err = a.foundersOf(ctx, q.Text)
	}
	return f, err
}

// foundersOf finds golden records by a text, at most mostTextFound.
func (a *App) foundersOf(ctx context.Context, text string) ([]int64, error) {
	found := []int64{} // none is an answer
	page, err := a.Customers(ctx, web.CustomerQuery{Text: text, Limit: mostTextFound})
	if err != nil {
		return nil, err
	}
	ids := []string{page.Direct}
	for _, g := range page.List {
		ids = append(ids, g.ID)
	}
	founders, err := a.Store.Founders(ctx, ids)
	return append(found, founders...), err
}

// items shows queued pairs.
func (a *App) items(ctx context.Context, list []store.QueuedPair) ([]web.QueueItem, error) {
	var recs []int64
	var keys [][2]int64
	for _, p := range list {
		recs, keys = append(recs, p.A, p.B), append(keys, [2]int64{min(p.X, p.Y), max(p.X, p.Y)})
	}
	members, err := a.Store.MembersByRec(ctx, recs)
	if err != nil {
		return nil, err
	}
	var founders []int64
	for _, p := range list {
		founders = append(founders, p.X, p.Y)
	}
	ids, err := a.Store.GoldenIDs(ctx, founders)
	if err != nil {
		return nil, err
	}
	proposals, err := a.Store.OpenProposals(ctx, keys)
	if err != nil {
		return nil, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]web.QueueItem, len(list))
	for i, p := range list {
		out[i] = a.itemSeen(see, p)
		for _, side := range []struct {
			rec, founder int64
			into         *web.Side
		}{{p.A, p.X, &out[i].A}, {p.B, p.Y, &out[i].B}} {
			m := members[side.rec]
			f, err := fieldsOf(m)
			if err != nil {
				return nil, err
			}
			f = see.fields(m.Ref.Entity, f)
			*side.into = web.Side{Source: a.SourceName(m.Ref.Source), ID: m.Ref.ID, Name: DisplayName(m.Ref.Entity, f), Golden: ids[side.founder], Deleted: !m.Live}
		}
		if prop, ok := proposals[keys[i]]; ok {
			out[i].Proposed, out[i].Proposer = prop.Answer, prop.Who
		}
	}
	return out, nil
}

// itemSeen is item without what is made of a masked field.
func (a *App) itemSeen(see sight, p store.QueuedPair) web.QueueItem {
	x := a.item(p)
	if a.worthMasked(see) {
		x.Value, x.Damage = 0, 0
	}
	return x
}

// worthMasked says whether what customers are worth is the value of a field that
// is kept from who asks.
func (a *App) worthMasked(see sight) bool {
	field := a.Config.Review.Field()
	return field != "" && slices.ContainsFunc(a.entities, func(e *entity) bool { return see.masked(e.name, field) != "" })
}

// orderWithoutWorth is an order that tells nothing of what customers are worth.
func (sight) orderWithoutWorth(order string) string {
	if order == "" || order == web.OrderDamage {
		return web.OrderScore
	}
	return order
}

func (a *App) item(p store.QueuedPair) web.QueueItem {
	return web.QueueItem{
		ID: pairID(store.OpenPair{A: p.A, B: p.B}), Entity: p.Entity, Kind: p.Kind,
		Chance: float64(p.Chance) / worth.Certain, Bits: float64(p.Weight) / 1000, Value: units(p.Value), Damage: units(p.Damage),
		Systems: p.Systems, Pairs: p.Pairs, Since: parse(p.Since), Due: parse(p.Due), Until: parse(p.Until), Assigned: p.Assigned, Escalated: p.Escalated,
	}
}

// units are whole units of the base currency.
func units(hundredths int64) float64 { return float64(hundredths) / worth.Unit }

func fieldsOf(m store.Member) (record.Fields, error) {
	authored, err := golden.ParseAuthored(m.Authored)
	if err != nil {
		return nil, err
	}
	return authored.Fields(), nil
}
