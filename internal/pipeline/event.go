package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"touchstone/config"
	"touchstone/internal/expr"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/rules/schema"
)

// EventMapper reads one source's events of one kind: which event it is, whom it
// belongs to, what it says. It is safe for concurrent use.
type EventMapper struct {
	kind               string
	id                 *expr.Program
	at, stamp, deleted *expr.Program
	where              *expr.Program
	of                 []partyMap
	fields             []fieldMap
	volatile           []string
	tables             map[string]map[string]string
	text               string
}

type partyMap struct {
	source, entity string
	id             *expr.Program
}

// NewEventMapper compiles the expressions of a source's events. Every problem
// is found.
func NewEventMapper(src config.Source, e config.SourceEvent, around ...Around) (*EventMapper, []config.Problem) {
	near := nearOf(around)
	c := &compiler{vars: near.vars("record"), tables: near.Tables}
	m := &EventMapper{
		kind: e.Name, tables: near.Tables, id: c.compile(e.ID, expr.Text), at: c.compile(e.At, expr.Text), stamp: c.compile(e.Stamp, expr.Text),
		deleted: c.compile(e.Deleted, expr.Any), where: c.compile(e.Where, expr.Any),
	}
	for _, p := range e.Of {
		one := partyMap{source: near.uid(src, p.Source), entity: p.Entity, id: c.compile(p.ID, expr.Any)}
		fmt.Fprintf(&c.text, "of %s %s\n", one.source, one.entity)
		m.of = append(m.of, one)
	}
	for _, f := range e.Map {
		fmt.Fprintf(&c.text, "field %s\n", f.Name)
		m.fields = append(m.fields, fieldMap{spec: record.FieldSpec{Name: f.Name, Kind: record.Text}, value: c.value(f.Value)})
	}
	m.volatile = dotted(e.Volatile)
	m.text = c.text.String() + strings.Join(m.volatile, "\n")
	return m, c.problems
}

// RulesHash is the hash of all that decides how these events are derived.
func (m *EventMapper) RulesHash(schemas string) string {
	return (&Mapper{text: m.text}).RulesHash(schemas)
}

// Identify says which event this is, and whether the where clause lets it in.
func (m *EventMapper) Identify(obj map[string]any, raw record.Raw) (Identity, []record.Reason) {
	plain := Mapper{id: m.id, stamp: m.stamp, deleted: m.deleted, tables: m.tables}
	if m.where != nil {
		plain.where = []*expr.Program{m.where}
	}
	return plain.Identify(obj, raw)
}

// Hash is the hash of the event's content, without what is volatile.
func (m *EventMapper) Hash(obj map[string]any) []byte {
	plain := Mapper{volatile: m.volatile}
	return plain.Hash(obj)
}

// Parties gives the records that the event belongs to, each once.
func (m *EventMapper) Parties(obj map[string]any) (of []record.Ref, reasons []record.Reason) {
	vars := lookupVars(m.tables, nil, "record", obj)
	for _, p := range m.of {
		ids, err := relationMap{id: p.id}.ids(vars)
		if err != nil {
			reasons = append(reasons, mapReason("of", err))
		}
		for _, id := range ids {
			if ref := (record.Ref{Source: p.source, Entity: p.entity, ID: id}); !slices.Contains(of, ref) {
				of = append(of, ref)
			}
		}
	}
	if len(of) == 0 && len(reasons) == 0 {
		reasons = append(reasons, record.Reason{
			Rule: "of", Field: "of", Text: "names no record that it belongs to",
			Remedy: "mend the event at the source, map another field under of, or leave such events out by where",
		})
	}
	return of, reasons
}

// Map gives the event in our words. Of is not filled.
func (m *EventMapper) Map(obj map[string]any) (record.Event, []record.Reason) {
	vars := lookupVars(m.tables, nil, "record", obj)
	e := record.Event{Type: m.kind}
	var reasons []record.Reason
	at, err := m.at.Run(vars)
	if text, _ := at.(string); err != nil {
		reasons = append(reasons, mapReason("at", err))
	} else if t, err := parseStamp(strings.TrimSpace(text)); err != nil {
		reasons = append(reasons, record.Reason{Rule: "at", Field: "at", Value: cut(text), Text: "is no time we know", Remedy: "give the time it happened as 2006-01-02T15:04:05Z or in seconds since 1970"})
	} else {
		e.At = record.FormatTime(t)
	}
	payload := map[string]any{}
	for _, f := range m.fields {
		v, has, err := f.value.run(vars, obj)
		if err != nil {
			reasons = append(reasons, mapReason(f.spec.Name, err))
			continue
		}
		if !has || v == nil {
			continue
		}
		reasons = append(reasons, setEvent(&e, payload, f.spec.Name, v)...)
	}
	if len(payload) > 0 {
		e.Payload = record.Canonical(nil, payload)
	}
	return e, reasons
}

// setEvent puts a mapped value where its name belongs.
func setEvent(e *record.Event, payload map[string]any, name string, v any) []record.Reason {
	into := map[string]*string{
		"type": &e.Type, "amount": &e.Amount, "currency": &e.Currency, "channel": &e.Channel, "status": &e.Status, "subject": &e.Subject,
	}[name]
	obj, isObject := v.(map[string]any)
	switch {
	case into == nil && name == "payload" && isObject:
		for k, x := range obj {
			payload[k] = x
		}
		return nil
	case into == nil:
		payload[name] = v
		return nil
	}
	text, ok := scalar(v)
	if !ok {
		return []record.Reason{{
			Rule: "map", Field: name, Value: cut(string(record.Canonical(nil, v))), Text: "is " + composite(v) + ", must be one value or empty",
			Remedy: "mend the value at the source, or map one part of it",
		}}
	}
	switch {
	case name == "type" && text == "": // the event's name stands
	case name == "currency":
		*into = strings.ToUpper(text)
	default:
		*into = text
	}
	return nil
}

func dotted(pointers []string) (paths []string) {
	for _, v := range pointers {
		paths = append(paths, strings.ReplaceAll(strings.TrimPrefix(v, "/"), "/", "."))
	}
	return paths
}

// EventDeriver computes what follows from an event's history. It is a pure
// function of the history.
type EventDeriver struct {
	Mapper  *EventMapper
	Schemas []*schema.Schema // the built-in one, then the source's own
}

// Derive finds the newest version that passes. A version put aside as a double
// never counts.
func (d *EventDeriver) Derive(h store.History) (store.EventDerived, error) { return d.derive(h, nil) }

func (d *EventDeriver) derive(h store.History, known decoded) (store.EventDerived, error) {
	var out store.EventDerived
	for i := len(h.Versions) - 1; i >= 0; i-- {
		v := &h.Versions[i]
		if v.Problem == store.DuplicateProblem {
			continue
		}
		event, of, bad := d.read(v, known)
		if v.N == h.Current {
			out.Bad = bad
		}
		if out.Event.Of == nil {
			out.Event.Of = of
		}
		if len(bad) > 0 {
			continue
		}
		out.Version, out.Live = v.N, !v.Deleted
		event.Of = out.Event.Of
		out.Event = event
		return out, nil
	}
	return out, nil
}

// read decodes, maps and validates one version.
func (d *EventDeriver) read(v *store.Version, known decoded) (e record.Event, of []record.Ref, bad []record.Reason) {
	unreadable := func(text string) []record.Reason {
		return []record.Reason{{Rule: "unreadable", Text: text, Remedy: "mend the event at the source; it is read again with the next pull"}}
	}
	if v.Problem != "" {
		return e, nil, unreadable(v.Problem)
	}
	obj, err := known.object(v.Raw)
	if err != nil {
		return e, nil, unreadable(err.Error())
	}
	of, bad = d.Mapper.Parties(obj)
	if v.Deleted {
		return e, of, nil // a tombstone often holds little more than an id
	}
	e, more := d.Mapper.Map(obj)
	bad = append(bad, more...)
	doc := eventDocument(e)
	for _, s := range d.Schemas {
		for _, r := range s.Validate(doc) {
			if r.Field != "at" || e.At != "" { // an unreadable time has its own reason already
				bad = append(bad, r)
			}
		}
	}
	return e, of, bad
}

// eventDocument is the event as schemas see it; what is missing is absent.
func eventDocument(e record.Event) []byte {
	doc := map[string]any{}
	for name, text := range map[string]string{
		"type": e.Type, "at": e.At, "amount": e.Amount, "currency": e.Currency, "channel": e.Channel, "status": e.Status, "subject": e.Subject,
	} {
		if text != "" {
			doc[name] = text
		}
	}
	if e.Payload != nil {
		doc["payload"] = json.RawMessage(e.Payload)
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return []byte("null") // texts and what was JSON before: it encodes
	}
	return b
}

var errNoID = errors.New("the event has no id")

// item reads who a pulled event is, as Intake.item does for records.
func (d *EventDeriver) item(raw record.Raw, known decoded) store.EventItem {
	bad := func(raw record.Raw, err error) store.EventItem {
		it := unreadable(store.Item{Raw: raw}, err)
		return store.EventItem{Raw: it.Raw, Hash: it.Hash}
	}
	obj, err := record.DecodeObject(raw.Data)
	if err != nil || raw.Problem != "" {
		return bad(raw, err)
	}
	id, reasons := d.Mapper.Identify(obj, raw)
	if id.ID == "" {
		return bad(raw, errNoID)
	}
	raw.ID = id.ID
	if len(reasons) > 0 {
		return bad(raw, said(reasons[0]))
	}
	raw.Stamp, raw.Deleted = id.Stamp, id.Deleted
	if len(raw.Data) > 0 {
		known[&raw.Data[0]] = obj
	}
	return store.EventItem{Raw: raw, Hash: d.Mapper.Hash(obj), Filtered: !id.Keep}
}
