package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"touchstone/connectors"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// Intake takes one source's records of one entity in: pull, land, validate,
// standardise. A bad record is quarantined with every reason; its batch, its
// source and its cursor go on.
type Intake struct {
	Store    *store.DB
	Log      *slog.Logger
	Source   string // uid
	Name     string
	Stream   string
	Deriver  *Deriver
	Puller   connectors.Puller
	KeyField string // where objects carry our external key; "" for nowhere
	// Busy is held while a page is pulled and landed, so that no stale page
	// lands over what was written and read back meanwhile; nil for a system that
	// is never written to.
	Busy sync.Locker
	// Deletes says what a record's staying away from a whole pass means; nil for
	// nothing.
	Deletes *Deletes
	// Stopping says, before each page, that the pass is to end here; nil for never.
	Stopping func() bool
}

// ErrStopped says that a pass was asked to end between two pages. It goes on
// from its cursor.
var ErrStopped = errors.New("stopped between two pages")

// Pass pulls until the source has no more and gives the counts. Progress is
// told after every page. What was landed before an error stays.
func (in *Intake) Pass(ctx context.Context, progress func(store.Counts)) (total store.Counts, err error) {
	ctx, span := trace.Start(ctx, "stream", trace.Text("touchstone.entity", in.Deriver.Entity))
	defer func() { span.EndOf(total.Pulled, err) }()
	run, err := in.Store.StartRun(ctx, in.Source, in.Deriver.Entity)
	if err != nil {
		return total, err
	}
	told := func(c store.Counts) {
		total = total.Add(c)
		if progress != nil {
			progress(total)
		}
	}
	pass, err := in.pages(ctx, run, told)
	if err == nil {
		var gone int
		gone, err = in.reconcile(ctx, run, pass)
		told(store.Counts{Gone: gone})
	}
	text := ""
	if err != nil {
		err = fmt.Errorf("source %s: %w", in.Name, err)
		text = err.Error()
	}
	var end error
	if errors.Is(err, ErrStopped) || err != nil && ctx.Err() != nil {
		end = in.Store.StopRun(context.WithoutCancel(ctx), run)
	} else {
		end = in.Store.EndRun(context.WithoutCancel(ctx), run, text)
	}
	in.Log.InfoContext(ctx, "pass ended", "source", in.Name, "entity", in.Deriver.Entity, "pulled", total.Pulled, "stored", total.Stored,
		"unchanged", total.Unchanged, "echo", total.Echo, "quarantined", total.Quarantined, "filtered", total.Filtered, "gone", total.Gone, "failed", text != "")
	return total, errors.Join(err, end)
}

func (in *Intake) pages(ctx context.Context, run string, landed func(store.Counts)) (*passState, error) {
	cursor, err := in.Store.Cursor(ctx, in.Source, in.Deriver.Entity)
	if err != nil {
		return nil, err
	}
	pass := &passState{seen: map[[8]byte]sighting{}, whole: true}
	if pass.mark, err = in.Store.BeginPass(ctx); err != nil {
		return nil, err
	}
	for page := 1; ; page++ {
		if in.Stopping != nil && in.Stopping() {
			return nil, ErrStopped
		}
		next, c, more, err := in.page(ctx, run, page, cursor, pass)
		landed(c)
		if err != nil {
			return nil, fmt.Errorf("pull page %d: %w", page, err)
		}
		if !more {
			return pass, nil
		}
		cursor = next
	}
}

// pullPage pulls one page and gives the cursor that it begins at. A full pass
// begins at the beginning, also after a crash in the middle of one: only so is an
// id that comes twice seen twice.
func pullPage(ctx context.Context, from connectors.Puller, stream string, cursor []byte, first bool) (p connectors.Page, at []byte, err error) {
	ctx, span := trace.Start(ctx, "fetch")
	defer func() { span.End(err) }()
	p, err = from.Pull(ctx, stream, cursor)
	if err == nil && first && p.Snapshot && cursor != nil {
		cursor = nil
		p, err = from.Pull(ctx, stream, cursor)
	}
	return p, cursor, err
}

// page pulls and lands one page, and gives the cursor behind it.
func (in *Intake) page(ctx context.Context, run string, page int, cursor []byte, pass *passState) (next []byte, c store.Counts, more bool, err error) {
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
	pass.whole = pass.whole && p.Snapshot
	items, known := in.items(p, pass)
	ctx, landing := trace.Start(ctx, "land")
	c, err = in.Store.Land(ctx, store.Landing{
		Source: in.Source, Entity: in.Deriver.Entity, Items: items, Cursor: p.Cursor, Run: run,
		Derive: func(h store.History) (store.Derived, error) { return in.Deriver.derive(h, known) },
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

func (in *Intake) items(p connectors.Page, pass *passState) ([]store.Item, decoded) {
	items := make([]store.Item, 0, len(p.Records))
	known := make(decoded, len(p.Records))
	for _, raw := range p.Records {
		it := in.item(raw, known)
		if p.Snapshot {
			pass.see(&it)
		}
		items = append(items, it)
	}
	return items, known
}

// NoID is the problem of a record that the mapping finds no id in.
const NoID = "the record has no id"

// Item reads who a pulled record is.
func (in *Intake) item(raw record.Raw, known decoded) store.Item {
	it := store.Item{Raw: raw}
	obj, err := record.DecodeObject(raw.Data)
	if err != nil || raw.Problem != "" {
		return unreadable(it, err)
	}
	id, reasons := in.Deriver.Mapper.Identify(obj, raw)
	if id.ID == "" {
		reasons = append(reasons, record.Reason{Text: NoID})
	}
	if len(reasons) > 0 {
		it.Raw.ID = id.ID
		return unreadable(it, said(reasons[0]))
	}
	it.Raw.ID, it.Raw.Version, it.Raw.Stamp, it.Raw.Deleted = id.ID, id.Version, id.Stamp, id.Deleted
	it.Filtered = !id.Keep
	it.Hash = in.Deriver.Mapper.Hash(obj)
	if known != nil && len(raw.Data) > 0 {
		known[&raw.Data[0]] = obj
	}
	if in.KeyField != "" {
		if v, ok := getPath(obj, in.KeyField); ok {
			it.Key, _ = scalar(v)
		}
	}
	return it
}

// unreadable keeps what cannot be read under an id made of its content, so
// that it is kept once, shown, and counted.
func unreadable(it store.Item, err error) store.Item {
	if it.Raw.Problem == "" {
		it.Raw.Problem = err.Error()
	}
	if !json.Valid(it.Raw.Data) {
		text, _ := json.Marshal(map[string]string{"unreadable": cut(string(it.Raw.Data))})
		it.Raw.Data = text
	}
	h := sum(it.Raw.Data)
	if it.Raw.ID == "" {
		it.Raw.ID = unreadID + hex.EncodeToString(h[:8])
	}
	it.Hash = h[:16]
	return it
}

func sum(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

// LandRead takes in what was read outside a pass: a read-back, or an object
// that was not what we thought. It moves no cursor and counts in no run.
func (in *Intake) LandRead(ctx context.Context, raws []record.Raw) error {
	items := make([]store.Item, len(raws))
	for i, raw := range raws {
		items[i] = in.item(raw, nil)
	}
	_, err := in.Store.Land(ctx, store.Landing{Source: in.Source, Entity: in.Deriver.Entity, Items: items, Derive: in.Deriver.Derive})
	return err
}

// Project gives a raw record's values at target paths as canonical JSON; null
// where there is none.
func (in *Intake) Project(raw record.Raw, paths []string) (map[string]json.RawMessage, error) {
	obj, err := record.DecodeObject(raw.Data)
	if err != nil {
		return nil, err
	}
	out := make(map[string]json.RawMessage, len(paths))
	for _, p := range paths {
		v, _ := getPath(obj, p)
		out[p] = record.Canonical(nil, v)
	}
	return out, nil
}

// Identify gives a raw record's id at the source.
func (in *Intake) Identify(raw record.Raw) (string, error) {
	it := in.item(raw, nil)
	if it.Raw.Problem != "" {
		return "", errors.New("an object without a readable id")
	}
	return it.Raw.ID, nil
}
