package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// rulingMend is a repair of an export: what a person says a field of a record
// holds, in place of what was there.
type rulingMend struct {
	Record  string          `json:"record"`            // source/entity/external id
	Version int             `json:"version,omitempty"` // of the record where the person saw it
	Field   string          `json:"field"`
	Remedy  string          `json:"remedy"`
	Was     json.RawMessage `json:"was,omitempty"` // nothing, where there was nothing
	Now     json.RawMessage `json:"now,omitempty"` // nothing: the field is left out
}

func (a *App) portableRepairs(ctx context.Context, decision string) (list []rulingMend, err error) {
	repairs, err := a.Store.RepairsOfDecision(ctx, decision)
	for _, p := range repairs {
		if p.Erased {
			continue
		}
		name := p.Ref.String()
		if !p.Waits {
			name = a.refName(p.Ref)
		}
		list = append(list, rulingMend{name, p.Version, p.Field, p.Remedy, p.Was, p.Now})
	}
	return list, err
}

func readMend(x rulingMend) (p store.PortableRepair, err error) {
	p = store.PortableRepair{Version: x.Version, Field: x.Field, Remedy: x.Remedy}
	if p.Ref, err = record.ParseRef(x.Record); err != nil {
		return p, err
	}
	if x.Field == "" || x.Remedy == "" {
		return p, errors.New("a repair needs record, field and remedy")
	}
	if p.Was, err = sameForm(x.Was); err == nil {
		p.Now, err = sameForm(x.Now)
	}
	if err != nil {
		return p, fmt.Errorf("what a repair of %s found or says is no value of a field", x.Field)
	}
	return p, nil
}

// sameForm writes a value as we write it.
func sameForm(text json.RawMessage) (json.RawMessage, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var v record.Value
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	return v.AppendJSON(nil), nil
}

const (
	// repairsAtOnce is how many waiting repairs are settled in one transaction.
	repairsAtOnce = 200
	// versionsLooked is among how many versions of a record that of a repair is
	// looked for.
	versionsLooked = 20
)

// repairsDue has repairs that came from elsewhere take effect on the versions
// they are of, as far as their records have landed.
func (a *App) repairsDue(ctx context.Context) error {
	for {
		list, look, err := a.Store.RepairsLanded(ctx, repairsAtOnce)
		if err != nil {
			return err
		}
		if len(list) == repairsAtOnce {
			look = store.RepairsLook{} // there may be more
		}
		if len(list) == 0 && look == (store.RepairsLook{}) {
			return nil
		}
		settled, err := a.versionsOf(ctx, list)
		if err != nil {
			return err
		}
		n, err := a.Store.SettleRepairs(ctx, settled, look)
		if err != nil {
			return err
		}
		if n > 0 {
			a.Log.Info("repairs took effect on records that have landed", "repairs", n)
		}
		if len(list) < repairsAtOnce {
			return nil
		}
	}
}

// mendedField is a field of a version that was mended.
type mendedField struct {
	rec     int64
	version int
	field   string
}

func (a *App) versionsOf(ctx context.Context, list []store.WaitingRepair) ([]store.SettledRepair, error) {
	out := make([]store.SettledRepair, len(list))
	before := map[mendedField][]json.RawMessage{}
	for i, w := range list {
		s, err := a.versionOf(ctx, w, before)
		if err != nil {
			return nil, err
		}
		if s.Problem == "" {
			at := mendedField{s.Rec, s.At, s.Field}
			before[at] = append(before[at], s.Now)
		}
		out[i] = s
	}
	return out, nil
}

// versionOf finds the version that a repair is of: one that the rules refused,
// whose field holds what the person saw, or what an earlier repair said it holds.
// The one with the number it had elsewhere is asked first, then the newest.
func (a *App) versionOf(ctx context.Context, w store.WaitingRepair, before map[mendedField][]json.RawMessage) (s store.SettledRepair, err error) {
	s.WaitingRepair = w
	if w.Erased {
		s.Problem = "its values were erased"
		return s, nil
	}
	versions, err := a.Store.FaultyVersions(ctx, w.Rec, versionsLooked)
	if err != nil {
		return s, err
	}
	if len(versions) == 0 {
		s.Problem = fmt.Sprintf("the rules have never refused %s here: there is nothing to mend", w.Ref)
		return s, nil
	}
	slices.SortStableFunc(versions, func(x, y store.FaultyVersion) int {
		return boolOrder(x.Version == w.Version) - boolOrder(y.Version == w.Version)
	})
	for _, v := range versions {
		found, err := a.holds(ctx, v, w, before[mendedField{w.Rec, v.Version, w.Field}])
		if err != nil {
			return s, err
		}
		if found {
			s.At = v.Version
			return s, nil
		}
	}
	s.Problem = fmt.Sprintf("no version of %s that the rules refused here holds in %s what the repair was made on", w.Ref, w.Field)
	return s, nil
}

func boolOrder(first bool) int {
	if first {
		return 0
	}
	return 1
}

// holds says whether a field of a version holds what a repair was made on.
func (a *App) holds(ctx context.Context, v store.FaultyVersion, w store.WaitingRepair, before []json.RawMessage) (bool, error) {
	earlier, err := a.Store.RepairsSaid(ctx, w.Rec, v.Version, w.Field)
	if err != nil {
		return false, err
	}
	for _, x := range slices.Concat(earlier, before) {
		if bytes.Equal(x, w.Was) {
			return true, nil
		}
	}
	row, err := a.Store.QuarantineShow(ctx, v.Row)
	if err != nil {
		return false, err
	}
	e := a.entityNamed(row.Ref.Entity)
	if e == nil || e.derivers[row.Ref.Source] == nil || unreadable(row.Reasons) {
		return false, nil
	}
	judged := e.derivers[row.Ref.Source].Judge(store.Version{N: row.Version, Raw: row.Raw, Place: row.Place}, nil)
	var was json.RawMessage
	if x, has := judged.Fields[w.Field]; has {
		was = x.AppendJSON(nil)
	}
	return !judged.Unreadable && bytes.Equal(was, w.Was), nil
}
