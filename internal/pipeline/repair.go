package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// repaired puts what a person has set in the place of what the mapping gave, and
// drops what was wrong with those fields in the mapping.
func repaired(fields record.Fields, reasons []record.Reason, repairs map[string]json.RawMessage) (record.Fields, []record.Reason) {
	if len(repairs) == 0 {
		return fields, reasons
	}
	out := maps.Clone(fields)
	for name, now := range repairs {
		if now == nil {
			delete(out, name)
			continue
		}
		var v record.Value
		if v.UnmarshalJSON(now) == nil { // we wrote it ourselves; it reads
			out[name] = v
		}
	}
	kept := slices.DeleteFunc(slices.Clone(reasons), func(r record.Reason) bool {
		_, ok := repairs[r.Field]
		return ok
	})
	return out, kept
}

// mended is a field that a person has set: what the mapping gave, and what it
// holds instead.
type mended struct {
	was     record.Value
	had     bool
	now     record.Value
	leftOut bool
}

// madeBy says what the repairs of a version replace.
func (w *walk) madeBy(obj map[string]any, repairs map[string]json.RawMessage) map[string]mended {
	if len(repairs) == 0 {
		return nil
	}
	plain, _ := w.d.Mapper.Map(obj)
	after, _ := repaired(plain, nil, repairs)
	out := make(map[string]mended, len(repairs))
	for name := range repairs {
		m := mended{}
		m.was, m.had = plain[name]
		var holds bool
		m.now, holds = after[name]
		m.leftOut = !holds
		out[name] = m
	}
	return out
}

// stillRepaired puts repairs into the values of a version in which an echo of ours
// was replaced by what the source's people had set before it: where that is what
// was repaired, the repair counts on. Otherwise the broken value would come back
// behind our own writing of the mended one.
func (w *walk) stillRepaired(fields record.Fields, own map[string]json.RawMessage) record.Fields {
	out := maps.Clone(fields)
	for name, m := range w.repairs {
		if v, has := fields[name]; has != m.had || !v.Equal(m.was) {
			continue
		}
		if m.leftOut {
			delete(out, name)
		} else {
			out[name] = m.now
		}
	}
	out, _ = repaired(out, nil, own)
	return out
}

// Judged is what becomes of one version under today's rules.
type Judged struct {
	Fields  record.Fields   // as mapped, the repairs in their place
	Reasons []record.Reason // why it does not pass
	// Unreadable says that nothing could be read: no field can be mended.
	Unreadable bool
}

// Judge maps and validates a version with repairs, those that it has and then
// more; a nil one leaves its field out. Nothing is kept.
func (d *Deriver) Judge(v store.Version, more map[string]json.RawMessage) Judged {
	all := maps.Clone(v.Repairs)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, more)
	v.Repairs = all
	obj, fields, _, reasons := d.read(&v, nil, nil)
	return Judged{Fields: fields, Reasons: reasons, Unreadable: obj == nil}
}

// Owned says whether the target's writes may set a path.
func (t *Target) Owned(path string) bool { return t.owned[path] }

// Preview gives what a field of a golden record would be at a path of the target;
// ok is false where it has no value there.
func (t *Target) Preview(path, id string, fields record.Fields) (v any, ok bool, err error) {
	for _, f := range t.fields {
		if f.path != path || f.program == nil {
			continue
		}
		view := map[string]any{"id": id}
		for name, value := range fields {
			view[name] = viewValue(value)
		}
		v, err := f.program.Run(lookupVars(t.tables, nil, "golden", view))
		if err != nil {
			return nil, false, fmt.Errorf("map %s: %w", path, err)
		}
		return v, v != nil, nil
	}
	return nil, false, nil
}

// At gives the value at a path of a raw record.
func At(obj map[string]any, path string) (any, bool) { return getPath(obj, path) }
