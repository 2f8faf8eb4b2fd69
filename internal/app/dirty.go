package app

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/rules/text"
)

// TextNote marks a place in a text of a record. It holds nothing up: a steward
// sees it, and decides.
type TextNote struct {
	Ref   string `json:"ref"`
	Field string `json:"field"` // "name", "addresses.city"
	Index int    `json:"index"` // which entry of a list
	Is    string `json:"is"`    // what stands there
	text.Finding
}

// DirtyTexts are the records in whose texts something does not belong.
type DirtyTexts struct {
	Records int        `json:"records"` // looked through
	Dirty   int        `json:"dirty"`
	Notes   []TextNote `json:"notes"` // of the first records
}

// DirtyText looks through the texts of all live records of an entity type, of
// one source when it is named, and lists the notes of up to limit records.
func (a *App) DirtyText(ctx context.Context, entity, source string, limit int) (out DirtyTexts, err error) {
	if record.Specs(entity) == nil {
		return out, unclear("there is no entity type %q: want %s or %s", entity, wordOf("entity", record.Company), wordOf("entity", record.Person))
	}
	out.Notes = []TextNote{}
	var dirty []int64
	notes := map[int64][]TextNote{}
	err = a.eachAuthored(ctx, entity, source, func(h store.Holding, authored golden.Authored) error {
		out.Records++
		list := textNotes("", authored.Fields())
		if len(list) == 0 {
			return nil
		}
		if out.Dirty++; out.Dirty <= limit {
			dirty, notes[h.Rec] = append(dirty, h.Rec), list
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("texts of %s: %w", entity, err)
	}
	refs, err := a.Store.Refs(ctx, dirty)
	if err != nil {
		return out, err
	}
	for _, rec := range dirty {
		for _, n := range notes[rec] {
			n.Ref = a.refName(refs[rec])
			out.Notes = append(out.Notes, n)
		}
	}
	return out, nil
}

// textNotes marks the texts of one record, in the order of its fields.
func textNotes(ref string, fields record.Fields) (notes []TextNote) {
	type place struct {
		field string
		index int
	}
	var places []place
	var texts []string
	add := func(field string, index int, s string) {
		if s != "" {
			places, texts = append(places, place{field, index}), append(texts, s)
		}
	}
	for _, name := range fields.Names() {
		switch v := fields[name]; v.Kind {
		case record.Text:
			add(name, 0, v.Text)
		case record.List:
			for i, p := range v.Points {
				add(name, i, p.Value)
				for _, part := range slices.Sorted(maps.Keys(p.Parts)) {
					add(name+"."+part, i, p.Parts[part])
				}
			}
		}
	}
	for i, list := range text.DetectAll(texts) {
		for _, f := range list {
			notes = append(notes, TextNote{Ref: ref, Field: places[i].field, Index: places[i].index, Is: texts[i][f.From:f.To], Finding: f})
		}
	}
	return notes
}
