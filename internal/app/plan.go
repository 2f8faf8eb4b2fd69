package app

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// PlannedField is one field of a planned write: what stands there, what will.
type PlannedField struct {
	Path string          `json:"path"`
	Old  json.RawMessage `json:"old"`
	New  json.RawMessage `json:"new"`
}

// PlannedWrite is one write that waits.
type PlannedWrite struct {
	Row        string         `json:"row"`
	Target     string         `json:"target"`
	Op         string         `json:"op"`
	Golden     string         `json:"golden"`
	ExternalID string         `json:"external_id,omitempty"`
	Problem    string         `json:"problem,omitempty"`
	Fields     []PlannedField `json:"fields"`
}

// PlanTarget is one target's plan.
type PlanTarget struct {
	Target  string         `json:"target"`
	System  string         `json:"system"`
	Entity  string         `json:"entity"`
	Held    string         `json:"held,omitempty"` // why it waits for a person
	Creates int            `json:"creates"`
	Updates int            `json:"updates"`
	LeftOut int            `json:"left_out,omitempty"` // golden records that the target's where leaves out
	Upto    int64          `json:"upto"`               // number of the last row: what the person saw
	Writes  []PlannedWrite `json:"writes"`
}

// Plan shows the writes in a state, by target, at most most writes each; the
// counts are of all. What would be written is store.Pending.
func (a *App) Plan(ctx context.Context, only, state string, most int) ([]PlanTarget, error) {
	var plans []PlanTarget
	for _, t := range a.targets {
		if only != "" && t.config.Name != only {
			continue
		}
		p := PlanTarget{Target: t.config.Name, System: t.config.System, Entity: t.config.Entity, Writes: []PlannedWrite{}}
		var err error
		if p.Held, err = t.deliverer.Held(ctx); err != nil {
			return nil, err
		}
		if p.LeftOut, err = a.Store.LeftOut(ctx, t.config.Name); err != nil {
			return nil, err
		}
		if p.Creates, p.Updates, p.Upto, err = a.Store.OpCounts(ctx, t.config.Name, state); err != nil {
			return nil, err
		}
		for after := int64(0); len(p.Writes) < most; {
			rows, err := a.Store.Rows(ctx, t.config.Name, state, after, min(most-len(p.Writes), exportPage))
			if err != nil {
				return nil, err
			}
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				after = r.Seq
				p.Writes = append(p.Writes, plannedWrite(r))
			}
		}
		plans = append(plans, p)
	}
	if only != "" && len(plans) == 0 {
		return nil, fmt.Errorf("target %q: %w", only, record.ErrNotFound)
	}
	return plans, nil
}

func plannedWrite(r store.Row) PlannedWrite {
	w := PlannedWrite{Row: r.ID, Target: r.Target, Op: r.Op, Golden: r.Key, ExternalID: r.ExternalID, Problem: r.Error}
	for path, v := range r.Fields {
		old := r.Base[path]
		if old == nil {
			old = json.RawMessage("null")
		}
		w.Fields = append(w.Fields, PlannedField{Path: path, Old: old, New: v})
	}
	sort.Slice(w.Fields, func(i, j int) bool { return w.Fields[i].Path < w.Fields[j].Path })
	return w
}

// Approve lets a target's plan be written.
func (a *App) Approve(ctx context.Context, name, who, why string) error {
	return a.ApproveUpto(ctx, name, who, why, 0)
}

// ApproveUpto lets a target's plan be written up to a row that the person saw;
// what was planned behind it counts for the brake. 0 is all there is now.
func (a *App) ApproveUpto(ctx context.Context, name, who, why string, upto int64) error {
	for _, t := range a.targets {
		if t.config.Name == name {
			if upto > 0 {
				return a.Store.ApproveUpto(ctx, name, t.plan.Rules, who, why, upto)
			}
			return a.Store.Approve(ctx, name, t.plan.Rules, who, why)
		}
	}
	return fmt.Errorf("target %q: %w", name, record.ErrNotFound)
}
