package app

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// mostCrosswalk bounds the rows of one crosswalk: it is grouped in memory.
const mostCrosswalk = 5_000_000

// crosswalkGroup is one golden record of an imported crosswalk.
type crosswalkGroup struct {
	name string
	line int
	refs []record.Ref // Source is the name
}

// ImportCrosswalk takes an existing crosswalk as CSV: source, id, golden, and
// entity where a source has several kinds of records. The records of one golden
// are one customer from now on, each golden a decision of its own; those that
// have not landed follow when they do. What stands against it is listed.
func (a *App) ImportCrosswalk(ctx context.Context, r io.Reader, file string, by By) (rep ImportReport, err error) {
	groups, err := a.readCrosswalk(r, &rep)
	if err != nil {
		return rep, fmt.Errorf("%s: %w", file, err)
	}
	taking := taking{a: a, rep: &rep}
	for _, g := range groups {
		if len(g.refs) < 2 {
			continue
		}
		p := store.Portable{NewDecision: store.NewDecision{Kind: store.Imported, Who: by.Who, Why: strings.TrimSpace(by.Why + " crosswalk " + file + ", golden " + g.name)}}
		var mark []string
		for _, ref := range g.refs {
			mark = append(mark, ref.String())
		}
		slices.Sort(mark)
		p.Mark = strings.Join(mark, " ")
		center := g.refs[0]
		for _, ref := range g.refs { // one that has landed speaks for the others now
			if uid, err := a.knownSource(ref.Source); err == nil {
				if _, err := a.Store.Rec(ctx, record.Ref{Source: uid, Entity: ref.Entity, ID: ref.ID}); err == nil {
					center = ref
					break
				} else if !errors.Is(err, record.ErrNotFound) {
					return rep, err
				}
			}
		}
		for _, ref := range g.refs {
			if ref != center {
				p.Pairs = append(p.Pairs, store.PortablePair{Kind: "must", A: center, B: ref})
			}
		}
		if err := taking.add(ctx, p, g.line, g.name); err != nil {
			return rep, err
		}
	}
	return rep, taking.flush(ctx)
}

func (a *App) readCrosswalk(r io.Reader, rep *ImportReport) ([]*crosswalkGroup, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return nil, unclear("line 1: no header; it needs the columns source, id, golden")
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range []string{"source", "id", "golden"} {
		if _, ok := at[name]; !ok {
			return nil, unclear("line 1: the column %s is missing; it needs source, id, golden (and entity where a source has several kinds of records)", name)
		}
	}
	// Companies and persons are often numbered each for themselves: golden 1 of
	// the one has nothing to do with golden 1 of the other.
	type named struct{ entity, golden string }
	byName, in2 := map[named]*crosswalkGroup{}, map[record.Ref]*crosswalkGroup{}
	var groups []*crosswalkGroup
	for n := 0; ; n++ {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return groups, nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			return nil, unclear("line %d: it is no row of CSV: %v", broken.Line, broken.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("read crosswalk: %w", err)
		}
		line, _ := in.FieldPos(0)
		if n == mostCrosswalk {
			return nil, unclear("line %d: more than %d rows; import it in parts, each golden record whole", line, mostCrosswalk)
		}
		ref, golden, err := a.crosswalkRow(row, at)
		if err != nil {
			rep.refuse(line, golden, err)
			continue
		}
		name := named{ref.Entity, golden}
		g := byName[name]
		if g == nil {
			g = &crosswalkGroup{name: golden, line: line}
			byName[name], groups = g, append(groups, g)
		}
		switch other := in2[ref]; other {
		case nil:
			in2[ref] = g
			g.refs = append(g.refs, ref)
		case g: // the same row again
		default:
			rep.refuse(line, golden, fmt.Errorf("%s stands under golden %s in line %d too", ref, other.name, other.line))
		}
	}
}

func (a *App) crosswalkRow(row []string, at map[string]int) (ref record.Ref, golden string, err error) {
	cell := func(name string) string {
		if i, ok := at[name]; ok && i < len(row) {
			return strings.Clone(strings.TrimSpace(row[i]))
		}
		return ""
	}
	ref, golden = record.Ref{Source: cell("source"), Entity: cell("entity"), ID: cell("id")}, cell("golden")
	if ref.Source == "" || ref.ID == "" || golden == "" {
		return ref, golden, errors.New("source, id and golden must not be empty")
	}
	if ref.Entity != "" {
		return ref, golden, nil
	}
	s := a.systems[ref.Source]
	if s == nil {
		return ref, golden, fmt.Errorf("source %q is not configured: say the entity in a column of its own", ref.Source)
	}
	if len(s.source.Entities) != 1 {
		return ref, golden, fmt.Errorf("source %s has several kinds of records: say which in the column entity", ref.Source)
	}
	ref.Entity = s.source.Entities[0].Entity
	return ref, golden, nil
}
