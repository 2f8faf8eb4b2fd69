package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/trace"
	"touchstone/internal/web"
)

const (
	// valuesAtOnce is up to how many records a page counts values itself, and is
	// exact; of more they are counted in the background, and kept.
	valuesAtOnce = 2_000
	// valuesKept is how many values are kept of a count, the most frequent ones.
	valuesKept = 1_000
	// mostCounted bounds the distinct values that are counted for a page.
	mostCounted = 200_000
	// A count is shown that many times as long as it took, and a minute at least,
	// before a look at it has it made anew.
	valuesRest = 50
	valuesOld  = time.Minute
	// valuesNote is how often a count tells how far it is.
	valuesNote = time.Second
)

// countedValues are the values of a field, the most frequent first.
type countedValues struct {
	Values   []web.ValueHeld `json:"values"`
	Records  int             `json:"records"`        // that have one
	Distinct int             `json:"distinct"`       // that were counted
	Left     int             `json:"left,omitempty"` // times that a value came which was not
}

func newCounted(g *gathered) (c countedValues) {
	c.Values = make([]web.ValueHeld, 0, len(g.values))
	for text, h := range g.values {
		c.Values = append(c.Values, web.ValueHeld{Value: text, Count: h.count})
	}
	c.Records, c.Distinct, c.Left = g.records, len(g.values), g.left
	c.sort()
	return c
}

func (c *countedValues) sort() {
	slices.SortFunc(c.Values, func(x, y web.ValueHeld) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Value, y.Value))
	})
}

// whole says whether every value is there with its count: that none is beyond
// those is known then too.
func (c *countedValues) whole() bool { return c.Left == 0 && len(c.Values) == c.Distinct }

// has gives how many records have a value, or at most have it.
func (c *countedValues) has(text string) (records int, most bool) {
	if i := slices.IndexFunc(c.Values, func(v web.ValueHeld) bool { return v.Value == text }); i >= 0 {
		return c.Values[i].Count, false
	}
	if c.whole() || len(c.Values) == 0 {
		return 0, false
	}
	return c.Values[len(c.Values)-1].Count, true
}

// replaced is what was counted before decisions on values came into force. A
// record that has two values which count as one now counts twice until the next
// count.
func (c *countedValues) replaced(field string, by golden.Values) {
	name, part := golden.SplitField(field)
	at := map[string]int{}
	var out []web.ValueHeld
	for _, v := range c.Values {
		for _, text := range golden.Texts(replacedText(by, name, part, v.Value), part) {
			i, ok := at[text]
			if !ok {
				i = len(out)
				at[text] = i
				out = append(out, web.ValueHeld{Value: text})
			}
			out[i].Count += v.Count
		}
	}
	c.Distinct -= len(c.Values) - len(out)
	c.Values = out
	c.sort()
}

// replacedText is what one text of a field, or of a part of it, counts as.
func replacedText(by golden.Values, name, part, text string) record.Value {
	forms := []record.Value{record.TextValue(text), {Kind: record.List, Points: []record.Point{{Value: text}}}}
	if part != "" {
		forms = []record.Value{{Kind: record.List, Points: []record.Point{{Parts: map[string]string{part: text}}}}}
	}
	for _, v := range forms {
		if to, decisions := by.Replace(name, v); len(decisions) > 0 {
			return to
		}
	}
	return forms[0]
}

// gatherField reads the values of a field as they count now, of all live records
// of an entity type, or of one source, by uid. Told is called with how many were
// read.
func (a *App) gatherField(ctx context.Context, entity, source, field string, by golden.Values, g *gathered, told func(done int)) error {
	name, part := golden.SplitField(field)
	key, done := []byte(`"`+name+`":`), 0
	return a.Store.EachHolding(ctx, entity, source, func(h store.Holding) error {
		if done++; told != nil {
			told(done)
		}
		if !bytes.Contains(h.Authored, key) { // most of what counting takes is reading what nobody asked for
			return nil
		}
		authored, err := golden.ParseAuthored(h.Authored)
		if err != nil {
			return fmt.Errorf("authored values of record %d: %w", h.Rec, err)
		}
		v, _ := by.Replace(name, authored[name].Value)
		from := ""
		if g.bySource {
			from = a.SourceName(h.Source)
		}
		g.add(golden.Texts(v, part), from)
		return nil
	})
}

// valuesNow gives the values of a field for a page: counted now where there are
// few records, and otherwise as they were counted last. What is too old, or was
// never counted, is asked for.
func (a *App) valuesNow(ctx context.Context, entity, field string, maps []store.ValueMap) (c countedValues, state web.ValueState, err error) {
	whole, err := a.Store.LiveRecords(ctx, entity)
	if err != nil {
		return c, state, err
	}
	by := pipeline.Values(maps)
	if whole <= valuesAtOnce {
		g := gathered{values: map[string]*holders{}, most: mostCounted}
		if err := a.gatherField(ctx, entity, "", field, by, &g, nil); err != nil {
			return c, state, err
		}
		return newCounted(&g), state, nil
	}
	kept, err := a.Store.ValueCount(ctx, entity, field)
	if err != nil {
		return c, state, err
	}
	mark, err := a.Store.MapsMark(ctx, entity)
	if err != nil {
		return c, state, err
	}
	if kept.At != "" {
		if err := json.Unmarshal(kept.Body, &c); err != nil {
			return c, state, fmt.Errorf("counted values: %w", err)
		}
		if kept.Maps != mark {
			c.replaced(field, by)
		}
	}
	state = web.ValueState{At: parse(kept.At), Kept: true, Counting: kept.Asked != "", Done: kept.Done, Whole: kept.Whole, Failed: kept.Problem != ""}
	age := a.opts.Env.Clock.Now().Sub(state.At)
	if old := kept.At == "" || kept.Maps != mark || age > max(valuesOld, valuesRest*kept.Took); old && !state.Counting && !state.Failed {
		if err := a.Store.AskValueCount(ctx, entity, field, whole); err != nil {
			return c, state, err
		}
		state.Counting, state.Whole = true, whole
	}
	return c, state, nil
}

// CountValues has the values of a field counted anew.
func (a *App) CountValues(ctx context.Context, q web.ValueQuery) error {
	if _, err := mapField(q.Entity, q.Field); err != nil {
		return err
	}
	whole, err := a.Store.LiveRecords(ctx, q.Entity)
	if err != nil || whole <= valuesAtOnce {
		return err
	}
	return a.Store.AskValueCount(ctx, q.Entity, q.Field, whole)
}

// runValueCounts counts what pages ask for, one after the other, until it is
// asked to end.
func (a *App) runValueCounts(asked context.Context) error {
	for {
		_, err := a.WorkValueCounts(asked)
		err = errors.Join(err, a.workOwners(asked))
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case err != nil && asked.Err() == nil:
			a.Log.Error("values and owners could not be counted", "err", err)
		}
		if a.opts.Env.Clock.Sleep(asked, trialLook) != nil {
			return nil
		}
	}
}

// WorkValueCounts counts the values that pages wait for, and says how many fields
// that were. Cut short a count begins anew.
func (a *App) WorkValueCounts(ctx context.Context) (counted int, err error) {
	list, err := a.Store.ValueCountsAsked(ctx)
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		err := a.countField(ctx, c)
		if err != nil && (ctx.Err() != nil || errors.Is(err, store.ErrLeaseLost)) {
			return counted, err
		}
		if err != nil {
			c.Problem = err.Error()
			return counted, errors.Join(fmt.Errorf("count the values of %s.%s: %w", c.Entity, c.Field, err), a.Store.EndValueCount(ctx, c))
		}
		counted++
	}
	return counted, nil
}

func (a *App) countField(ctx context.Context, c store.ValueCount) (err error) {
	ctx, span := a.tracer.Start(ctx, "count values", trace.Text("touchstone.entity", c.Entity), trace.Text("touchstone.field", c.Field))
	defer func() { span.End(err) }()
	mark, err := a.Store.MapsMark(ctx, c.Entity) // before they are read: what comes between has it counted anew
	if err != nil {
		return err
	}
	maps, err := a.Store.ValueMaps(ctx, c.Entity)
	if err != nil {
		return err
	}
	clock := a.opts.Env.Clock
	began := clock.Now()
	noted := began
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	g := gathered{values: map[string]*holders{}, most: mostCounted}
	err = a.gatherField(work, c.Entity, "", c.Field, pipeline.Values(maps), &g, func(done int) {
		if done%1000 != 0 {
			return
		}
		if now := clock.Now(); now.Sub(noted) >= valuesNote {
			noted = now
			if err := a.Store.NoteValueCount(ctx, c.Entity, c.Field, done); err != nil {
				stop(err)
			}
		}
	})
	if cause := context.Cause(work); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		return err
	}
	out := newCounted(&g)
	// A longer text cannot be mapped, and is no spelling of anything.
	out.Values = slices.DeleteFunc(out.Values, func(v web.ValueHeld) bool { return len(v.Value) > longestValue })
	out.Values = out.Values[:min(len(out.Values), valuesKept)]
	if c.Body, err = json.Marshal(out); err != nil {
		return err
	}
	c.At, c.Took, c.Maps = store.TimeText(began), clock.Now().Sub(began), mark
	return a.Store.EndValueCount(ctx, c)
}

// liveValues gives how far the counts of values are.
func (a *App) liveValues(ctx context.Context, c map[string]int) error {
	list, err := a.Store.ValueCountsAsked(ctx)
	for _, x := range list {
		c["values."+x.Entity+"."+x.Field] = x.Done
	}
	return err
}
