package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"touchstone/connectors"
	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// EventIntake takes one source's events of one kind in: pull, land, validate.
// It is to events what Intake is to records.
type EventIntake struct {
	Store   *store.DB
	Log     *slog.Logger
	Source  string // uid
	Name    string
	Kind    string // the events' name in the configuration
	Stream  string
	Deriver *EventDeriver
	Puller  connectors.Puller
	Busy    sync.Locker // see Intake
	// Stopping says, before each page, that the pass is to end here; nil for never.
	Stopping func() bool
}

// Pass pulls until the source has no more and gives the counts. Progress is
// told after every page. What was landed before an error stays.
func (in *EventIntake) Pass(ctx context.Context, progress func(store.Counts)) (total store.Counts, err error) {
	ctx, span := trace.Start(ctx, "stream", trace.Text("touchstone.events", in.Kind))
	defer func() { span.EndOf(total.Pulled, err) }()
	run, err := in.Store.StartRun(ctx, in.Source, store.EventStream(in.Kind))
	if err != nil {
		return total, err
	}
	err = in.pages(ctx, run, func(c store.Counts) {
		total = total.Add(c)
		if progress != nil {
			progress(total)
		}
	})
	text := ""
	if err != nil {
		err = fmt.Errorf("source %s: events %s: %w", in.Name, in.Kind, err)
		text = err.Error()
	}
	var end error
	if errors.Is(err, ErrStopped) || err != nil && ctx.Err() != nil {
		end = in.Store.StopRun(context.WithoutCancel(ctx), run)
	} else {
		end = in.Store.EndRun(context.WithoutCancel(ctx), run, text)
	}
	in.Log.InfoContext(ctx, "pass of events ended", "source", in.Name, "events", in.Kind, "pulled", total.Pulled, "stored", total.Stored,
		"unchanged", total.Unchanged, "quarantined", total.Quarantined, "filtered", total.Filtered, "failed", text != "")
	return total, errors.Join(err, end)
}

func (in *EventIntake) pages(ctx context.Context, run string, landed func(store.Counts)) error {
	cursor, err := in.Store.Cursor(ctx, in.Source, store.EventStream(in.Kind))
	if err != nil {
		return err
	}
	pass := &passState{seen: map[[8]byte]sighting{}}
	for page := 1; ; page++ {
		if in.Stopping != nil && in.Stopping() {
			return ErrStopped
		}
		next, c, more, err := in.page(ctx, run, page, cursor, pass)
		landed(c)
		if err != nil {
			return fmt.Errorf("pull page %d: %w", page, err)
		}
		if !more {
			return nil
		}
		cursor = next
	}
}

func (in *EventIntake) page(ctx context.Context, run string, page int, cursor []byte, pass *passState) (next []byte, c store.Counts, more bool, err error) {
	if in.Busy != nil {
		in.Busy.Lock()
		defer in.Busy.Unlock()
	}
	ctx, span := trace.Detail(ctx, "page")
	defer func() { span.EndOf(c.Pulled, err) }()
	p, cursor, err := pullPage(ctx, in.Puller, in.Stream, cursor, page == 1)
	if err != nil {
		return nil, c, false, err
	}
	items, known := make([]store.EventItem, 0, len(p.Records)), make(decoded, len(p.Records))
	for _, raw := range p.Records {
		it := in.Deriver.item(raw, known)
		if p.Snapshot && !it.Filtered {
			double := store.Item{Raw: it.Raw, Hash: it.Hash}
			pass.see(&double)
			it.Duplicate = double.Duplicate
		}
		items = append(items, it)
	}
	ctx, landing := trace.Start(ctx, "land")
	c, err = in.Store.LandEvents(ctx, store.EventLanding{
		Source: in.Source, Kind: in.Kind, Items: items, Cursor: p.Cursor, Run: run,
		Derive: func(h store.History) (store.EventDerived, error) { return in.Deriver.derive(h, known) },
	})
	landing.EndOf(len(items), err)
	if err != nil {
		return nil, c, false, err
	}
	if p.More && bytes.Equal(cursor, p.Cursor) {
		return nil, c, false, errors.New("the cursor does not move on, stopped before pulling for ever")
	}
	return p.Cursor, c, p.More, nil
}
