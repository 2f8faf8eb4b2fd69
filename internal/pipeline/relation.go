package pipeline

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/internal/expr"
	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// relationMap is a compiled config.SourceRelation.
type relationMap struct {
	kind, source, entity                 string
	id, title, role, share, since, until *expr.Program
}

func (c *compiler) relation(r config.SourceRelation, source string) relationMap {
	fmt.Fprintf(&c.text, "relation %s %s %s\n", r.Name, r.To, source)
	return relationMap{
		kind: r.Name, source: source, entity: r.To,
		id: c.compile(r.ID, expr.Any), title: c.compile(r.Title, expr.Any), role: c.compile(r.Role, expr.Any),
		share: c.compile(r.Share, expr.Any), since: c.compile(r.Since, expr.Any), until: c.compile(r.Until, expr.Any),
	}
}

// Relations gives the record's edges; now is the record's own time, by which an
// edge with an end is over or not. An id that is a list gives an edge each.
func (m *Mapper) Relations(obj map[string]any, now time.Time, misses *misses) ([]record.Relation, []record.Reason) {
	if len(m.relations) == 0 {
		return nil, nil
	}
	vars := lookupVars(m.tables, misses, "record", obj)
	var out []record.Relation
	var reasons []record.Reason
	for _, r := range m.relations {
		ids, err := r.ids(vars)
		if err != nil {
			reasons = append(reasons, mapReason("relations."+r.kind, err))
			continue
		}
		if len(ids) == 0 {
			continue
		}
		one, bad := r.edge(vars, now)
		reasons = append(reasons, bad...)
		for _, id := range ids {
			one.To = record.Ref{Source: r.source, Entity: r.entity, ID: id}
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out, reasons
}

// mostEdges bounds the edges of one kind that one record may have.
const mostEdges = 1000

func (r relationMap) ids(vars map[string]any) ([]string, error) {
	v, err := r.id.Run(vars)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) > mostEdges {
		return nil, fmt.Errorf("names %d others, at most %d are taken", len(list), mostEdges)
	}
	var ids []string
	for _, e := range list {
		id, ok := scalar(e)
		if !ok {
			return nil, fmt.Errorf("is %s, want an id", composite(e))
		}
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// edge works out everything but the other end.
func (r relationMap) edge(vars map[string]any, now time.Time) (record.Relation, []record.Reason) {
	out := record.Relation{Kind: r.kind}
	var reasons []record.Reason
	text := func(p *expr.Program, part string, check func(string) (string, string)) string {
		if p == nil {
			return ""
		}
		field := "relations." + r.kind + "." + part
		v, err := p.Run(vars)
		if err != nil {
			reasons = append(reasons, mapReason(field, err))
			return ""
		}
		s, ok := scalar(v)
		if !ok {
			reasons = append(reasons, record.Reason{Rule: "relation", Field: field, Text: "is " + composite(v) + ", must be one value or empty", Remedy: "map one part of it"})
			return ""
		}
		if s == "" || check == nil {
			return s
		}
		good, want := check(s)
		if want != "" {
			reasons = append(reasons, record.Reason{Rule: "relation", Field: field, Value: cut(s), Text: "is not " + want, Remedy: "mend it at the source, or translate it in the mapping with lookup"})
		}
		return good
	}
	out.Title = text(r.title, "title", nil)
	out.Role = text(r.role, "role", func(s string) (string, string) {
		s = strings.ToLower(s)
		if !slices.Contains(record.BuyingRoles, s) {
			return "", "one of " + strings.Join(record.BuyingRoles, ", ")
		}
		return s, ""
	})
	out.Share = text(r.share, "share", percent)
	out.Since = text(r.since, "since", day)
	out.Until = text(r.until, "until", day)
	out.Ended = out.Until != "" && !now.IsZero() && out.Until <= now.UTC().Format(time.DateOnly)
	return out, reasons
}

// percent checks a share: a decimal number from 0 to 100.
func percent(s string) (string, string) {
	const want = "a share in percent from 0 to 100"
	s = strings.TrimSpace(strings.TrimSuffix(s, "%"))
	if len(s) > 20 || !isNumber(s) || strings.ContainsAny(s, "eE") {
		return "", want
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok || n.Sign() < 0 || n.Cmp(big.NewRat(100, 1)) > 0 {
		return "", want
	}
	return s, ""
}

func day(s string) (string, string) {
	if t, err := parseStamp(s); err == nil {
		return t.Format(time.DateOnly), ""
	}
	if d, _ := standardise.Date(s); d != "" {
		return d, ""
	}
	return "", "a date"
}
