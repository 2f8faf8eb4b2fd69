package app

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching/standardise"
)

// pinned reads the field and the value that a person pins, and how a typed one was
// brought to its form.
func (a *App) pinned(ctx context.Context, tx *store.DecideTx, g store.Subject, r PinRequest) (p TypedPin, err error) {
	spec, err := pinnable(g.Ref.Entity, r.Field)
	if err != nil {
		return p, err
	}
	p.Field = spec.Name
	if r.Pick != "" {
		p.Value, err = a.picked(ctx, g, spec, r.Pick)
		return p, err
	}
	if r.Plain {
		p.Typed, p.As = r.Value, r.Value
		p.Value, err = ParsePinned(spec, r.Value)
		return p, err
	}
	if p, err = a.typed(ctx, tx, g, spec, r); err != nil {
		return p, err
	}
	return p, p.asked(r)
}

// picked is the value that a source record has.
func (a *App) picked(ctx context.Context, g store.Subject, spec record.FieldSpec, pick string) (v record.Value, err error) {
	ref, isRef, err := a.sourceRef(pick)
	if err != nil {
		return v, err
	}
	if !isRef {
		return v, unclear("%s is no source record: a value is picked from source/entity/id", pick)
	}
	members, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return v, err
	}
	for _, m := range members[g.Founder] {
		if m.Ref != ref {
			continue
		}
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return v, err
		}
		if v = authored[spec.Name].Value; v.Blank() {
			return v, unclear("%s has no %s", pick, wordOf("field", spec.Name))
		}
		return v, nil
	}
	return v, unclear("%s is not in golden record %s", pick, g.ID)
}

// ParsePinned reads a value as typed: of a list one entry's text, or JSON (a
// list of entries such as {"value": "…", "kind": "work"}).
func ParsePinned(spec record.FieldSpec, text string) (v record.Value, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return v, unclear("the value is empty: a pin says what %s is", wordOf("field", spec.Name))
	}
	switch spec.Kind {
	case record.Number:
		// Kept as it stands in the canonical form: what is no number of JSON (007, .5)
		// could be written, and never be read again.
		if len(text) > 64 || strings.Trim(text, "-.0123456789") != "" || !json.Valid([]byte(text)) {
			return v, unclear("%s is a number, such as 1200 or 12.5", wordOf("field", spec.Name))
		}
		return record.NumberValue(text), nil
	case record.Date:
		day, _ := standardise.Date(text)
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return v, unclear("%s is a date, such as 2026-01-31", wordOf("field", spec.Name))
		}
		return record.DateValue(day), nil
	case record.Bool:
		if text != "true" && text != "false" {
			return v, unclear("%s is true or false", wordOf("field", spec.Name))
		}
		return record.BoolValue(text == "true"), nil
	case record.List:
		return parsePoints(spec, text)
	}
	return record.TextValue(text), nil
}

func parsePoints(spec record.FieldSpec, text string) (v record.Value, err error) {
	if text[0] == '{' {
		text = "[" + text + "]"
	}
	if text[0] != '[' {
		return record.ListValue(record.Point{Value: text}), nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Kind != record.List || len(v.Points) == 0 {
		return v, unclear(`%s is a list of entries, such as [{"value": "…", "kind": "work"}]`, wordOf("field", spec.Name))
	}
	for _, p := range v.Points {
		if p.Value == "" && len(p.Parts) == 0 {
			return v, unclear("an entry of %s is empty: it has neither a value nor parts", wordOf("field", spec.Name))
		}
		for part := range p.Parts {
			known := false
			for _, name := range spec.Parts {
				known = known || name == part
			}
			if !known {
				return v, unclear("an entry of %s has no part %q; it has value, kind, %s", wordOf("field", spec.Name), part, wordsOf("part", spec.Parts))
			}
		}
	}
	return v, nil
}
