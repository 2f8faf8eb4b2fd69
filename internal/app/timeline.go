package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/store"
)

// Happened is one entry of a golden record's history.
type Happened struct {
	At       string         `json:"at"`
	What     string         `json:"what"`              // published | joined | left | decision
	Version  int            `json:"version,omitempty"` // of published
	Fields   []HappenedTo   `json:"fields,omitempty"`  // what published changed
	Record   string         `json:"record,omitempty"`  // that joined or left
	Golden   string         `json:"golden,omitempty"`  // where it came from or went
	Decision *ShownDecision `json:"decision,omitempty"`
}

// HappenedTo is a field that a version gave another value or origin: value ←
// source ← rule ← who.
type HappenedTo struct {
	Field string   `json:"field"`
	Rule  string   `json:"rule,omitempty"` // "" when the field went away
	From  []string `json:"from,omitempty"`
	Pin   string   `json:"decision,omitempty"`
}

// GoldenHistory is what happened to a golden record.
type GoldenHistory struct {
	ID        string     `json:"id"`
	Now       string     `json:"now"` // the golden record that holds its founder now
	Moved     bool       `json:"moved,omitempty"`
	Elsewhere []Place    `json:"elsewhere,omitempty"` // members of then that live elsewhere now
	Events    []Happened `json:"events"`              // oldest first
}

// mostHappened bounds what one history lists of each kind.
const mostHappened = 1000

// GoldenHistory tells what happened to the golden record of an id, also when
// that id has moved on.
func (a *App) GoldenHistory(ctx context.Context, id string) (h GoldenHistory, err error) {
	rec, _, err := a.anchorOf(ctx, id)
	if err != nil {
		return h, err
	}
	now := int64(0)
	const always = "9999"
	if now, err = a.Store.FounderAt(ctx, rec, always); err != nil {
		return h, err
	}
	if _, isRef, _ := a.sourceRef(id); isRef { // of a source record: of the golden record it is in
		rec = now
	}
	anchors, err := a.Store.Anchors(ctx, []int64{rec, now})
	if err != nil {
		return h, err
	}
	h.ID, h.Now = anchors[rec], anchors[now]
	see, err := a.sight(ctx)
	if err != nil {
		return h, err
	}
	if see.reach == nil {
		h.Elsewhere, err = a.elsewhere(ctx, rec, now)
	}
	if err != nil {
		return h, err
	}
	h.Moved = rec != now || len(h.Elsewhere) > 0
	walks, err := a.Store.Crosswalks(ctx, rec, mostHappened)
	if err != nil {
		return h, err
	}
	if err := a.published(ctx, rec, &h); err != nil {
		return h, err
	}
	if err := a.walked(ctx, rec, walks, &h); err != nil {
		return h, err
	}
	if err := a.decidedOn(ctx, walks, &h); err != nil {
		return h, err
	}
	if err := a.veilHistory(ctx, see, &h); err != nil {
		return h, err
	}
	slices.SortStableFunc(h.Events, func(x, y Happened) int { return strings.Compare(x.At, y.At) })
	return h, nil
}

// elsewhere lists where members of then live now.
func (a *App) elsewhere(ctx context.Context, founder, now int64) ([]Place, error) {
	list, err := a.Store.Elsewhere(ctx, founder, now, mostElsewhere)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var recs []int64
	for _, b := range list {
		recs = append(recs, b.Rec, b.Founder)
	}
	refs, err := a.Store.Refs(ctx, recs)
	if err != nil {
		return nil, err
	}
	anchors, err := a.Store.Anchors(ctx, recs)
	if err != nil {
		return nil, err
	}
	var out []Place
	for _, b := range list {
		out = append(out, Place{Ref: a.refName(refs[b.Rec]), Golden: anchors[b.Founder]})
	}
	return out, nil
}

func (a *App) published(ctx context.Context, founder int64, h *GoldenHistory) error {
	versions, err := a.Store.GoldenVersions(ctx, founder, "9999", mostHappened)
	if err != nil {
		return err
	}
	slices.Reverse(versions)
	before := map[string]golden.FieldRef{}
	for _, v := range versions {
		var now map[string]golden.FieldRef
		if err := json.Unmarshal([]byte(v.Refs), &now); err != nil {
			return fmt.Errorf("history: %w", err)
		}
		h.Events = append(h.Events, Happened{At: v.At, What: "published", Version: v.Version, Fields: a.changedRefs(before, now)})
		before = now
	}
	return nil
}

func (a *App) changedRefs(before, now map[string]golden.FieldRef) []HappenedTo {
	var out []HappenedTo
	for name, r := range now {
		if old, ok := before[name]; ok && old.Hash == r.Hash && slices.Equal(old.From, r.From) && old.Pin == r.Pin {
			continue
		}
		f := HappenedTo{Field: name, Rule: r.Rule, Pin: r.Pin}
		for _, from := range r.From {
			f.From = append(f.From, a.refNames(from))
		}
		out = append(out, f)
	}
	for name := range before {
		if _, ok := now[name]; !ok {
			out = append(out, HappenedTo{Field: name})
		}
	}
	slices.SortFunc(out, func(x, y HappenedTo) int { return strings.Compare(x.Field, y.Field) })
	return out
}

// walked tells which records joined and left.
func (a *App) walked(ctx context.Context, founder int64, walks []store.Belonged, h *GoldenHistory) error {
	var recs []int64
	for _, b := range walks {
		recs = append(recs, b.Rec, b.Founder)
	}
	refs, err := a.Store.Refs(ctx, recs)
	if err != nil {
		return err
	}
	anchors, err := a.Store.Anchors(ctx, recs)
	if err != nil {
		return err
	}
	was := map[int64]int64{}
	for _, b := range walks {
		old := was[b.Rec]
		was[b.Rec] = b.Founder
		e := Happened{At: b.At, Record: a.refName(refs[b.Rec])}
		switch {
		case b.Founder == founder && old != founder:
			e.What, e.Golden = "joined", anchors[old]
		case b.Founder != founder && old == founder:
			e.What, e.Golden = "left", anchors[b.Founder]
		default:
			continue
		}
		h.Events = append(h.Events, e)
	}
	return nil
}

func (a *App) decidedOn(ctx context.Context, walks []store.Belonged, h *GoldenHistory) error {
	recs := make([]int64, len(walks))
	for i, b := range walks {
		recs[i] = b.Rec
	}
	slices.Sort(recs)
	list, err := a.Store.DecisionsOn(ctx, slices.Compact(recs))
	if err != nil {
		return err
	}
	shown, err := a.showDecisions(ctx, list)
	if err != nil {
		return err
	}
	for i := range shown {
		h.Events = append(h.Events, Happened{At: shown[i].At, What: "decision", Decision: &shown[i]})
	}
	return nil
}

// movedOn says, of an id that was asked for, where members of then live now.
func (a *App) movedOn(ctx context.Context, id string, now int64, s *Shown) error {
	if _, isRef, _ := a.sourceRef(id); isRef {
		return nil
	}
	rec, _, err := a.Store.Anchored(ctx, strings.TrimSpace(id))
	if err != nil {
		return err
	}
	s.Elsewhere, err = a.elsewhere(ctx, rec, now)
	s.Moved = s.Moved || len(s.Elsewhere) > 0
	return err
}
