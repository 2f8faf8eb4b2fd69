package app

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/rules/repair"
)

// faultsLooked is how many of the rows that who asks reaches are looked at for the
// faults that a list begins with.
const faultsLooked = 1000

// faultsSeen counts the faults of open rows, of who reaches some of them alone
// theirs.
func (a *App) faultsSeen(ctx context.Context, w store.Within) ([]store.FaultGroup, error) {
	if w.Reach == nil {
		return a.Store.FaultGroups(ctx)
	}
	return a.Store.FaultsWithin(ctx, w, faultsLooked)
}

// faultSeen is one fault as who asks sees it.
func (a *App) faultSeen(ctx context.Context, w store.Within, fault string) (g store.FaultGroup, found bool, err error) {
	if w.Reach != nil {
		return a.Store.FaultWithin(ctx, w, fault)
	}
	groups, err := a.Store.FaultGroups(ctx)
	for _, x := range groups {
		if x.Fault == fault {
			return x, true, err
		}
	}
	return g, false, err
}

// sameFaults says of each fault of a record how many open rows have it that who asks
// reaches.
func (a *App) sameFaults(ctx context.Context, w store.Within, q quarantined, reasons []record.Reason) (map[string]int, error) {
	if w.Reach == nil {
		return a.Store.FaultCounts(ctx, q.Rec)
	}
	out := map[string]int{}
	for _, r := range reasons {
		fault := a.Store.Fault(q.Ref, r)
		if _, known := out[fault]; known {
			continue
		}
		g, _, err := a.Store.FaultWithin(ctx, w, fault)
		if err != nil {
			return nil, err
		}
		out[fault] = g.N
	}
	return out, nil
}

// placeMasked says whether the field that a reason points at is kept back; of what
// points at none nobody can say what it quotes.
func (s sight) placeMasked(entity, place string) bool {
	if len(s.masks) == 0 {
		return false
	}
	name, _, _ := repair.Place(place)
	return name == "" || s.masked(entity, name) != ""
}

// reasonSeen is a reason as far as it may be seen: of a masked field its rule and its
// place.
func (s sight) reasonSeen(entity string, r record.Reason) record.Reason {
	if s.placeMasked(entity, r.Field) {
		return record.Reason{Rule: r.Rule, Field: r.Field}
	}
	return r
}

// reason is reasonSeen for a page.
func (s sight) reason(entity string, r record.Reason) web.Reason {
	return webReason(s.reasonSeen(entity, r))
}

// reasons are what a rule says of a record, as far as it may be seen.
func (s sight) reasons(entity string, list []record.Reason) []record.Reason {
	out := slices.Clone(list)
	for i, r := range out {
		out[i] = s.reasonSeen(entity, r)
	}
	return out
}

// repairSeen is a repair without what is kept back.
func (s sight) repairSeen(r web.RepairOf) web.RepairOf {
	if s.placeMasked(r.Entity, r.Field) {
		r.Was, r.Now = "", ""
	}
	return r
}

// rawSeen is a record as it came, of who has a mask that part of it that fields are
// made of which are not masked, and no masked one.
func (a *App) rawSeen(see sight, ref record.Ref, raw []byte) []byte {
	if len(see.masks) == 0 {
		return raw
	}
	obj, err := record.DecodeObject(raw)
	if err != nil {
		return nil
	}
	var open, shut []string
	e, _ := a.sourceEntity(ref.Source, ref.Entity)
	for _, f := range e.Map {
		if see.placeMasked(ref.Entity, f.Name) {
			shut = append(shut, valuePaths(f.Value)...)
		} else {
			open = append(open, valuePaths(f.Value)...)
		}
	}
	kept, some := keepPaths(obj, "", open, shut)
	if !some {
		kept = map[string]any{}
	}
	return record.Canonical(nil, kept)
}

// keepPaths leaves of a value what stands at, or in, one of the open paths and has
// nothing to do with a shut one.
func keepPaths(v any, path string, open, shut []string) (kept any, some bool) {
	inside := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return path == p || strings.HasPrefix(path, p+".") })
	}
	if path != "" && inside(shut) {
		return nil, false
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, x := range v {
			if k, ok := keepPaths(x, join(path, name), open, shut); ok {
				out[name] = k
			}
		}
		return out, len(out) > 0
	case []any:
		out := []any{}
		for i, x := range v {
			if k, ok := keepPaths(x, join(path, strconv.Itoa(i)), open, shut); ok {
				out = append(out, k)
			}
		}
		return out, len(out) > 0
	}
	parted := slices.ContainsFunc(shut, func(p string) bool { return strings.HasPrefix(p, path+".") }) // a masked field is a piece of the text
	return v, path != "" && inside(open) && !parted
}
