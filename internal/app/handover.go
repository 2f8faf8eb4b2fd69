package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

const (
	// mostHandedOver bounds the customers of one hand-over: it is one transaction.
	mostHandedOver = 20_000
	// mostOwners bounds the owners that are listed.
	mostOwners = 500
	// handoverExamples is how many customers a preview names.
	handoverExamples = 10
	// longestOwner bounds the name of an owner, in bytes.
	longestOwner = 200
)

// ownedEntity checks that customers of an entity type have owners.
func (a *App) ownedEntity(entity string) error {
	if _, ok := record.Spec(entity, record.Owner); !ok || a.entityNamed(entity) == nil {
		return unclear("%q has no field %s: want %s or %s", entity, wordOf("field", record.Owner), wordOf("entity", record.Company), wordOf("entity", record.Person))
	}
	return nil
}

// Owners counts the customers of everybody, the most first.
func (a *App) Owners(ctx context.Context, entity string) (out web.OwnerList, err error) {
	for _, e := range a.entities {
		if _, ok := record.Spec(e.name, record.Owner); ok {
			out.Entities = append(out.Entities, e.name)
		}
	}
	if entity == "" && len(out.Entities) > 0 {
		entity = out.Entities[0]
	}
	if err := a.ownedEntity(entity); err != nil {
		return out, err
	}
	out.Entity = entity
	for _, s := range a.order {
		out.Sources = append(out.Sources, s.source.Name)
	}
	list, part, at, err := a.ownersSeen(ctx, entity)
	out.Part, out.At = part, at
	for _, o := range list {
		out.Owners = append(out.Owners, web.Count{Name: o.Owner, N: o.Customers})
	}
	return out, err
}

// handing is a hand-over that is prepared.
type handing struct {
	web.HandoverPreview
	founders []int64
}

func (a *App) handing(ctx context.Context, q web.HandoverQuery) (h handing, err error) {
	q.To, q.From = strings.TrimSpace(q.To), strings.TrimSpace(q.From)
	h.HandoverQuery = q
	if err := a.ownedEntity(q.Entity); err != nil {
		return h, err
	}
	switch {
	case q.To == "":
		return h, web.Refuse("to", "say who the customers go to")
	case len(q.To) > longestOwner:
		return h, web.Refuse("to", "the name is longer than %d bytes", longestOwner)
	case q.To == q.From:
		return h, web.Refuse("to", "they are that person's already: name another one")
	}
	source := ""
	if q.Source != "" {
		if source, err = a.knownSource(q.Source); err != nil {
			return h, web.Refuse("source", "there is no source %q", q.Source)
		}
	}
	see, err := a.sight(ctx)
	if err != nil {
		return h, err
	}
	list, err := a.ownedSeen(ctx, see, q.Entity, q.From, source)
	switch {
	case err != nil:
		return h, err
	case len(list) > mostHandedOver:
		return h, unclear("more than %d customers: choose those of one source, and then the next", mostHandedOver)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, q.Entity, q.From, q.To)
	for i, o := range list {
		fmt.Fprintln(sum, o.Founder)
		h.founders = append(h.founders, o.Founder)
		if i < handoverExamples {
			h.Examples = append(h.Examples, web.CustomerName{ID: o.ID})
		}
	}
	fields, err := a.Store.FieldsOf(ctx, h.founders[:len(h.Examples)])
	if err != nil {
		return h, err
	}
	for i := range h.Examples {
		if _, h.Examples[i].Name, err = see.ownedOf(q.Entity, fields[h.founders[i]]); err != nil {
			return h, err
		}
	}
	h.Customers, h.Token = len(list), hex.EncodeToString(sum.Sum(nil)[:12])
	return h, nil
}

// PreviewHandover says what passing the customers of one owner to another would
// do: how many they are, and how many objects of each target are written at
// most. It changes nothing.
func (a *App) PreviewHandover(ctx context.Context, q web.HandoverQuery) (web.HandoverPreview, error) {
	h, err := a.handing(ctx, q)
	if err != nil {
		return h.HandoverPreview, err
	}
	members, err := a.Store.MembersBySource(ctx, h.founders)
	if err != nil {
		return h.HandoverPreview, err
	}
	for _, t := range a.targets {
		if t.config.Entity != q.Entity {
			continue
		}
		if len(ownerPaths(t)) == 0 {
			h.Unwritten = append(h.Unwritten, t.config.Name)
		} else {
			h.Writes = append(h.Writes, web.Count{Name: t.config.Name, N: members[t.system.uid]})
		}
	}
	return h.HandoverPreview, nil
}

// ownerPaths are the fields of a target that are mapped from the owner and may be
// written.
func ownerPaths(t *target) (paths []string) {
	for _, m := range t.config.Map {
		if mentioned(m.Value.Expr.Text, record.Owner) && (slices.Contains(t.config.Owns, m.Name) || slices.Contains(t.config.Owns, record.Owner)) {
			paths = append(paths, m.Name)
		}
	}
	return paths
}

// HandOver passes the customers that a preview has shown to another owner, by
// one decision: a pin on the owner of each. Undo takes all of it back.
func (a *App) HandOver(ctx context.Context, q web.HandoverQuery, token string, by web.By) (id string, err error) {
	if by.Why == "" {
		return "", web.Refuse("why", "say why: it is kept with every customer that is passed on")
	}
	h, err := a.handing(ctx, q)
	switch {
	case err != nil:
		return "", err
	case h.Customers == 0:
		return "", unclear("there is no customer to pass on")
	case token != "" && token != h.Token:
		return "", web.Refuse("token", "they are other customers now than the preview has shown: look at it again")
	}
	text := string(record.TextValue(h.To).AppendJSON(nil))
	d, err := a.decide(ctx, store.HandedOver, By{Who: by.Who, Why: by.Why}, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		still, err := tx.StillOwned(ctx, h.From, h.founders)
		if err != nil {
			return nil, err
		}
		if len(still) != len(h.founders) {
			return nil, unclear("they are other customers now than were counted: look at it again")
		}
		for _, rec := range h.founders {
			n.Rulings = append(n.Rulings, store.Ruling{Kind: store.Pinned, A: rec, Field: record.Owner, Value: text})
		}
		n.Passes = &store.Handover{Entity: h.Entity, Former: h.From, Owner: h.To}
		return nil, nil
	})
	if err == nil {
		a.life.owners.forget()
	}
	return d.Decision, err
}

// withoutHandovers leaves out the pins of hand-overs: a newer pin wins over them,
// and one customer's is not to take back that of the others.
func withoutHandovers(pins []store.PinOn) []store.PinOn {
	return slices.DeleteFunc(slices.Clone(pins), func(p store.PinOn) bool { return p.Kind == store.HandedOver })
}

// Handovers lists them, the newest first.
func (a *App) Handovers(ctx context.Context, limit int) (list []web.HandoverRow, err error) {
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := a.Store.Handovers(ctx, w, limit)
	for _, h := range stored {
		list = append(list, see.handover(handoverRow(h)))
	}
	return list, err
}

func handoverRow(h store.Handover) web.HandoverRow {
	return web.HandoverRow{ID: h.ID, Entity: h.Entity, From: h.Former, To: h.Owner, Who: h.Who, Why: h.Why, At: parse(h.At), Customers: h.Parts, Undone: h.Withdrawn != ""}
}

// HandoverPage reads one with its customers: what stood there before, what stands
// there now, and whether the systems have it.
func (a *App) HandoverPage(ctx context.Context, id, after string, limit int) (p web.HandoverPage, err error) {
	if err := a.reachIDs(ctx, "hand-over", []string{id}, a.Store.DecisionsReached); err != nil {
		return p, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return p, err
	}
	h, err := a.Store.Handover(ctx, id)
	if err != nil {
		return p, err
	}
	p.HandoverRow = see.handover(handoverRow(h))
	behind := 0
	if after != "" {
		if behind, err = strconv.Atoi(after); err != nil || behind < 0 {
			return p, unclear("%q is no place in this list", after)
		}
	}
	parts, err := a.Store.HandoverParts(ctx, id, behind, limit+1)
	if err != nil {
		return p, err
	}
	parts, p.Next = pageOf(parts, limit, func(x store.HandoverPart) int64 { return int64(x.N) })
	var founders []int64
	for _, x := range parts {
		if x.Golden != 0 {
			founders = append(founders, x.Golden)
		}
	}
	fields, err := a.Store.FieldsOf(ctx, founders)
	if err != nil {
		return p, err
	}
	wrote, err := a.wroteOwner(ctx, h, founders, &p)
	if err != nil {
		return p, err
	}
	for _, x := range parts {
		row := web.HandoverPart{N: x.N, Golden: x.ID, Erased: x.Erased}
		if before, shown := see.value(h.Entity, record.Owner, record.TextValue(x.Before)); shown {
			row.Before = before.Text
		}
		if row.Now, row.Name, err = see.ownedOf(h.Entity, fields[x.Golden]); err != nil {
			return p, err
		}
		for i, name := range p.Targets {
			row.Writes = append(row.Writes, web.HandoverWrite{Target: name, State: wrote[i][x.Golden]})
		}
		p.Parts = append(p.Parts, row)
	}
	return p, nil
}

// wroteOwner finds what became of the writes, target by target.
func (a *App) wroteOwner(ctx context.Context, h store.Handover, founders []int64, p *web.HandoverPage) (wrote []map[int64]string, err error) {
	for _, t := range a.targets {
		if t.config.Entity != h.Entity {
			continue
		}
		for _, path := range ownerPaths(t) {
			w, err := a.Store.WroteOf(ctx, t.config.Name, path, h.Seq, founders)
			if err != nil {
				return nil, err
			}
			p.Targets, wrote = append(p.Targets, t.config.Name), append(wrote, w)
			break // one field of it tells
		}
	}
	return wrote, nil
}

// ownedOf reads from fields of a golden record who its owner is, and what it is
// called, as far as either may be seen; "" where it is gone.
func (s sight) ownedOf(entity string, fields []byte) (owner, name string, err error) {
	if len(fields) == 0 {
		return "", "", nil
	}
	var f record.Fields
	if err := json.Unmarshal(fields, &f); err != nil {
		return "", "", fmt.Errorf("golden record: %w", err)
	}
	f = s.fields(entity, f)
	return f[record.Owner].Text, DisplayName(entity, f), nil
}

// EachHandedOver gives the whole certificate, customer by customer.
func (a *App) EachHandedOver(ctx context.Context, id string, fn func(web.HandoverPage, web.HandoverPart) error) error {
	for after, more := "", true; more; {
		p, err := a.HandoverPage(ctx, id, after, exportPage)
		if err != nil {
			return err
		}
		for _, x := range p.Parts {
			if err := fn(p, x); err != nil {
				return err
			}
		}
		after, more = p.Next, p.Next != ""
	}
	return nil
}
