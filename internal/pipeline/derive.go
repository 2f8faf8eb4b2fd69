package pipeline

import (
	"encoding/json"
	"slices"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/rules/schema"
)

// Deriver computes what follows from a source record's history: verdicts, the
// authored values, the features. It is a pure function of the history.
type Deriver struct {
	Entity  string
	Mapper  *Mapper
	Schemas []*schema.Schema // the entity's, then the source's own
	Shape   matching.Shape   // of an entity type of one's own
}

// Derive walks the versions in the source's order.
//
// A value that only brings back what we wrote there is an echo: the authored
// value before it stays in force, until the source shows something else. That
// is decided on the raw field we wrote, before mapping: the authored raw
// record is the raw record with every echo replaced by what stood there before.
func (d *Deriver) Derive(h store.History) (store.Derived, error) { return d.derive(h, nil) }

// decoded are records that were decoded on their way in, by the first byte of
// their text: decoding again is a tenth of an intake's work.
type decoded map[*byte]map[string]any

func (d *Deriver) derive(h store.History, known decoded) (store.Derived, error) {
	w := walk{d: d, h: h, known: known, values: map[string]authoredRaw{}}
	out := store.Derived{Bad: map[int][]record.Reason{}}
	for i := range h.Versions {
		w.step(&h.Versions[i], &out)
	}
	if out.Version == 0 {
		return out, nil
	}
	out.Live = w.live
	out.Misses = w.misses
	if w.live {
		out.Relations = w.relations
	}
	out.Echo = w.echo
	out.Authored = w.authored.AppendJSON(make([]byte, 0, 1024))
	features := w.features
	if features == nil {
		features = matching.StandardiseAs(d.Entity, d.Shape, w.authored.Fields())
	}
	out.Features = features.AppendBinary(nil)
	return out, nil
}

// authoredRaw is what the source's people set at one path that we wrote to.
type authoredRaw struct {
	value any
	has   bool
	echo  bool // what stands there now is ours
	// over is the write after which something else was seen there: if its value
	// comes back after that, somebody has put it there.
	over int64
}

type walk struct {
	d        *Deriver
	h        store.History
	known    decoded
	values   map[string]authoredRaw // by path
	prev     map[string]any         // raw record of the last good version
	authored golden.Authored
	features *matching.Features
	live     bool
	echo     bool

	relations []record.Relation
	misses    []store.Miss
	repairs   map[string]mended // of the version whose values are authored, by field
}

func (w *walk) step(v *store.Version, out *store.Derived) {
	var missed misses
	obj, fields, relations, reasons := w.d.read(v, w.known, &missed)
	if len(reasons) > 0 && (obj == nil || !v.Released) {
		out.Bad[v.N] = reasons
		return
	}
	if v.Deleted {
		w.live = false
		if out.Version > 0 || len(obj) == 0 {
			return // keeps its identity, gives no values; has none to give if it never passed
		}
	} else {
		w.live = true
	}
	out.Version = v.N
	own, echoed := w.ownRaw(obj, v.Seq)
	if len(echoed) > 0 {
		missed = misses{}
		fields, _ = w.d.Mapper.mapped(own, &missed)
		fields = w.stillRepaired(fields, v.Repairs)
		relations, _ = w.d.Mapper.Relations(own, earlier(v.Stamp, v.SeenAt), &missed)
	} else {
		w.repairs = w.madeBy(obj, v.Repairs)
	}
	w.relations, w.misses = relations, missed.list
	changed := w.setAuthored(fields, v)
	w.echo = len(echoed) > 0 && !changed
	w.prev = obj
}

// read decodes, maps and validates one version.
func (d *Deriver) read(v *store.Version, known decoded, missed *misses) (map[string]any, record.Fields, []record.Relation, []record.Reason) {
	if v.Problem != "" {
		remedy := "mend the record at the source; it is read again with the next pull"
		if v.Problem == NoID {
			remedy = "fill it at the source; where no record has one, correct id in the source's mapping"
		}
		return nil, nil, nil, []record.Reason{{Rule: "unreadable", Text: v.Problem, Remedy: remedy}}
	}
	obj, err := known.object(v.Raw)
	if err != nil {
		return nil, nil, nil, []record.Reason{{Rule: "unreadable", Text: err.Error(), Remedy: "mend the record at the source; it is read again with the next pull"}}
	}
	fields, reasons := d.Mapper.mapped(obj, missed)
	fields, reasons = repaired(fields, reasons, v.Repairs)
	if v.Deleted {
		return obj, fields, nil, nil // a tombstone often holds little more than an id
	}
	relations, more := d.Mapper.Relations(obj, earlier(v.Stamp, v.SeenAt), missed)
	return obj, fields, relations, slices.Concat(reasons, more, d.validate(fields))
}

func (k decoded) object(raw []byte) (map[string]any, error) {
	if len(raw) > 0 {
		if obj, ok := k[&raw[0]]; ok {
			return obj, nil
		}
	}
	return record.DecodeObject(raw)
}

func (d *Deriver) validate(fields record.Fields) []record.Reason {
	var reasons []record.Reason
	doc := fields.AppendJSON(make([]byte, 0, 1024))
	for _, s := range d.Schemas {
		reasons = append(reasons, s.Validate(doc)...)
	}
	return reasons
}

// ownRaw gives the raw record as the source's own people left it, and the
// paths at which an echo was replaced.
func (w *walk) ownRaw(obj map[string]any, seq int64) (map[string]any, []string) {
	last := map[string]store.Write{}
	for _, wr := range w.h.Writes {
		if wr.Seq >= seq {
			break
		}
		for path := range wr.Sent {
			last[path] = wr
		}
	}
	var echoed []string
	own := obj
	for _, path := range sortedNames(last) {
		now, has := getPath(obj, path)
		before, had := getPath(w.prev, path)
		was, known := w.values[path]
		if !known {
			was = authoredRaw{value: before, has: had && w.prev != nil}
		}
		switch {
		case w.prev != nil && has == had && sameJSON(now, before):
			// not touched since: what it was, it still is
		case was.over != last[path].Seq && equalsWrite(now, has, w.prev == nil, last[path], path):
			was.echo = true
		default:
			was = authoredRaw{value: now, has: has, over: last[path].Seq}
		}
		w.values[path] = was
		if was.echo {
			echoed = append(echoed, path)
			own = withPath(own, path, was.value, was.has)
		}
	}
	return own, echoed
}

// equalsWrite says whether a value is what we sent, or what the target made of
// it. Of a write that was not read back yet that is not known: then a like
// value counts, and whatever an object that we have just created holds there.
func equalsWrite(now any, has, created bool, w store.Write, path string) bool {
	j := []byte("null")
	if has {
		j = record.Canonical(nil, now)
	}
	if w.Got == nil {
		return created || record.Alike(w.Sent[path], j)
	}
	return record.SameJSON(j, w.Sent[path]) || w.Got[path] != nil && record.SameJSON(j, w.Got[path])
}

func canonicalText(raw json.RawMessage) string {
	v, err := record.DecodeJSON(raw)
	if err != nil {
		return string(raw)
	}
	return string(record.Canonical(nil, v))
}

func sameJSON(a, b any) bool {
	return string(record.Canonical(nil, a)) == string(record.Canonical(nil, b))
}

// setAuthored takes over what changed. Recency is per field: when this field
// last changed between two versions, cut at the landing time, so that no
// source lives in the future.
func (w *walk) setAuthored(fields record.Fields, v *store.Version) (changed bool) {
	since := record.FormatTime(earlier(v.Stamp, v.SeenAt))
	next := make(golden.Authored, len(fields))
	for name, value := range fields {
		f, ok := w.authored[name]
		if !ok || !f.Value.Equal(value) {
			f = golden.Field{Value: value, Since: since, Version: v.N}
			changed = true
		}
		next[name] = f
	}
	changed = changed || len(next) != len(w.authored)
	w.authored = next
	return changed
}

func earlier(stamp, seen time.Time) time.Time {
	if stamp.IsZero() || stamp.After(seen) {
		return seen
	}
	return stamp
}
