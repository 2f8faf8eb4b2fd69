package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
)

// exportPage is how many golden records are read at a time.
const exportPage = 500

// EachGolden calls fn for every golden record, by founder, with its members.
func (a *App) EachGolden(ctx context.Context, entity string, all bool, fn func(store.Golden, []store.Member) error) error {
	see, err := a.sight(ctx)
	if err != nil {
		return err
	}
	after := int64(0)
	for {
		list, err := a.Store.GoldenList(ctx, store.GoldenFilter{Entity: entity, Reach: see.reach, After: after, Limit: exportPage, All: all})
		if err != nil || len(list) == 0 {
			return err
		}
		founders := make([]int64, len(list))
		for i, g := range list {
			founders[i] = g.Founder
		}
		members, err := a.Store.MembersOf(ctx, founders)
		if err != nil {
			return err
		}
		for _, g := range list {
			if err := fn(g, members[g.Founder]); err != nil {
				return err
			}
		}
		after = list[len(list)-1].Founder
	}
}

// canonicalGolden is a golden record without ids of ours and times of
// processing: equal facts give equal bytes in whatever order they came.
type canonicalGolden struct {
	Entity  string                    `json:"entity"`
	Members []string                  `json:"members"`
	Live    int                       `json:"live"`
	Fields  json.RawMessage           `json:"fields"`
	From    map[string]canonicalField `json:"from"`
}

type canonicalField struct {
	Rule   string           `json:"rule"`
	From   []string         `json:"from"`
	Losers []canonicalLoser `json:"losers,omitempty"`
}

type canonicalLoser struct {
	Value json.RawMessage `json:"value"`
	From  string          `json:"from"`
}

// ExportCanonical writes every golden record as one JSON line, sorted by its
// sorted member references.
func (a *App) ExportCanonical(ctx context.Context, w io.Writer) error {
	type line struct{ key, text string }
	var lines []line
	err := a.EachGolden(ctx, "", true, func(g store.Golden, members []store.Member) error {
		c, err := a.canonical(g, members)
		if err != nil {
			return fmt.Errorf("golden record %s: %w", g.ID, err)
		}
		b, err := marshal(c)
		if err != nil {
			return err
		}
		lines = append(lines, line{g.Entity + "\x00" + strings.Join(c.Members, "\x00"), b})
		return nil
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	slices.SortFunc(lines, func(x, y line) int { return strings.Compare(x.key, y.key) })
	out := bufio.NewWriter(w)
	for _, l := range lines {
		if _, err := out.WriteString(l.text + "\n"); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	return out.Flush()
}

func (a *App) canonical(g store.Golden, members []store.Member) (canonicalGolden, error) {
	c := canonicalGolden{Entity: g.Entity, Live: g.Live, Fields: g.Fields, From: map[string]canonicalField{}}
	for _, m := range members {
		c.Members = append(c.Members, a.refName(m.Ref))
	}
	slices.Sort(c.Members)
	var provenance map[string]golden.Provenance
	if err := json.Unmarshal(g.Provenance, &provenance); err != nil {
		return c, err
	}
	for name, p := range provenance {
		f := canonicalField{Rule: p.Rule}
		for _, ref := range p.From {
			f.From = append(f.From, a.refNames(ref))
		}
		for _, l := range p.Losers {
			f.Losers = append(f.Losers, canonicalLoser{Value: l.Value.AppendJSON(nil), From: a.refNames(l.From)})
		}
		c.From[name] = f
	}
	return c, nil
}

// refName shows a reference with the source's name instead of its uid.
func (a *App) refName(r record.Ref) string {
	r.Source = a.SourceName(r.Source)
	return r.String()
}

// refNames is refName for the references in a provenance, one or several
// joined by blanks.
func (a *App) refNames(text string) string {
	parts := strings.Split(text, " ")
	for i, p := range parts {
		if r, err := record.ParseRef(p); err == nil {
			r.Source = a.SourceName(r.Source)
			parts[i] = r.Word()
		}
	}
	return strings.Join(parts, " ")
}

// RefNames shows the references of a provenance to people.
func (a *App) RefNames(text string) string { return a.refNames(text) }

// exportedGolden is a golden record for people and programs.
type exportedGolden struct {
	ID         string          `json:"id"`
	Entity     string          `json:"entity"`
	Version    int             `json:"version"`
	ChangedAt  string          `json:"changed_at"`
	Members    []string        `json:"members"`
	Fields     json.RawMessage `json:"fields"`
	Provenance json.RawMessage `json:"provenance"`
}

// Export writes every live golden record as one JSON line, oldest founder
// first.
func (a *App) Export(ctx context.Context, entity string, w io.Writer) error {
	see, err := a.sight(ctx)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	out := bufio.NewWriter(w)
	err = a.EachGolden(ctx, entity, false, func(g store.Golden, members []store.Member) error {
		if err := see.golden(&g); err != nil {
			return err
		}
		e := exportedGolden{ID: g.ID, Entity: g.Entity, Version: g.Version, ChangedAt: g.ChangedAt, Fields: g.Fields, Provenance: g.Provenance}
		for _, m := range members {
			e.Members = append(e.Members, a.refName(m.Ref))
		}
		b, err := marshal(e)
		if err != nil {
			return err
		}
		_, err = out.WriteString(b + "\n")
		return err
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return out.Flush()
}

// marshal is JSON in one line, with & and < as they are.
func marshal(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
