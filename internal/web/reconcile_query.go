package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

// reconcileQuery is one query of a batch.
type reconcileQuery struct {
	text   string
	types  []string // of ours; nil for all
	none   bool     // no entity has the types asked for
	limit  int
	values []lookup.Value
}

type reconcileCandidate struct {
	ID          string             `json:"id"`
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Type        []reconcileType    `json:"type"`
	Score       float64            `json:"score"`
	Match       bool               `json:"match"`
	Features    []reconcileFeature `json:"features"`

	weight float64
}

type reconcileFeature struct {
	ID    string `json:"id"`
	Value any    `json:"value"` // a number or a boolean
}

type reconcileResult struct {
	Result []reconcileCandidate `json:"result"`
}

// reconcileQueries answers a batch: each query by itself.
func (s *server) reconcileQueries(w http.ResponseWriter, r *http.Request, text string) {
	batch, err := readObject([]byte(text))
	if err != nil {
		s.failed(w, r, "reconcile", err)
		return
	}
	if len(batch) > maxQueries {
		s.refuse(w, http.StatusRequestEntityTooLarge, apiError{
			Field: "queries", Text: fmt.Sprintf("holds %d queries, want at most %d", len(batch), maxQueries), TextZh: fmt.Sprintf("共 %d 个查询，最多 %d 个", len(batch), maxQueries),
		})
		return
	}
	queries := make(map[string]reconcileQuery, len(batch))
	for _, name := range slices.Sorted(maps.Keys(batch)) {
		if queries[name], err = readReconcileQuery("queries."+name, batch[name]); err != nil {
			s.failed(w, r, "reconcile", err)
			return
		}
	}
	results := make(map[string]reconcileResult, len(batch))
	var shown []string
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		list, err := s.reconcileOne(r, queries[name])
		if err != nil {
			s.failed(w, r, "reconcile", err)
			return
		}
		for _, c := range list {
			if !slices.Contains(shown, c.ID) {
				shown = append(shown, c.ID)
			}
		}
		results[name] = reconcileResult{list}
	}
	if s.reconcileSeen(w, r, shown) {
		s.answer(w, http.StatusOK, results)
	}
}

// reconcileSeen keeps in the audit trail what is about to be shown.
func (s *server) reconcileSeen(w http.ResponseWriter, r *http.Request, ids []string) bool {
	if len(ids) == 0 {
		return true
	}
	if err := s.opts.LookUp.Seen(r.Context(), who(r.Context()), "read.reconcile", ids); err != nil {
		s.failed(w, r, "reconcile", err)
		return false
	}
	return true
}

// readReconcileQuery checks one query as the specification's schema has it.
func readReconcileQuery(at string, v any) (q reconcileQuery, err error) {
	obj, ok := v.(map[string]any)
	if !ok {
		return q, &lookup.Problem{Field: at, En: "is no object", Zh: "不是对象"}
	}
	q.limit = lookup.DefaultLimit
	strict := "any"
	for _, name := range slices.Sorted(maps.Keys(obj)) {
		var good bool
		switch v := obj[name]; name {
		case "query":
			q.text, good = v.(string)
		case "type":
			q.types, good = texts(v)
		case "type_strict":
			strict, good = v.(string)
			good = good && slices.Contains([]string{"any", "should", "all"}, strict)
		case "limit":
			q.limit, good = readReconcileLimit(v)
		case "properties":
			q.values, good = readProperties(v)
		default:
			good = false
		}
		if !good {
			return q, &lookup.Problem{Field: at + "." + name, En: "is not what version 0.2 of the Reconciliation API has there", Zh: "不符合 Reconciliation API 0.2 的规定"}
		}
	}
	if q.text = cutBytes(strings.TrimSpace(q.text), lookup.MaxValue); q.text == "" && len(q.values) == 0 {
		return q, &lookup.Problem{Field: at, En: "has neither query nor properties", Zh: "既没有 query 也没有 properties"}
	}
	if asked := q.types; len(asked) > 0 {
		known := func(t string) bool { return slices.Contains(lookup.Entities(), t) }
		q.types = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(asked))), func(t string) bool { return !known(t) })
		// Everybody has one type: nobody has all of two.
		q.none = len(q.types) == 0 || strict == "all" && (len(q.types) > 1 || slices.ContainsFunc(asked, func(t string) bool { return !known(t) }))
	}
	return q, nil
}

// texts reads a text or a list of texts.
func texts(v any) ([]string, bool) {
	if s, ok := v.(string); ok {
		return []string{s}, true
	}
	list, ok := v.([]any)
	var out []string
	for _, e := range list {
		s, text := e.(string)
		ok = ok && text
		out = append(out, s)
	}
	return out, ok
}

func readReconcileLimit(v any) (int, bool) {
	n, ok := v.(json.Number)
	f, err := n.Float64()
	if !ok || err != nil || f < 1 || f != math.Trunc(f) {
		return 0, false
	}
	return int(min(f, lookup.MaxLimit)), true
}

// readProperties reads [{"pid": …, "v": …}]. A value that is an entity counts by
// its name.
func readProperties(v any) (out []lookup.Value, ok bool) {
	list, ok := v.([]any)
	for _, e := range list {
		p, object := e.(map[string]any)
		pid, named := p["pid"].(string)
		values, many := p["v"].([]any)
		if !many {
			values = []any{p["v"]}
		}
		if !object || !named {
			return nil, false
		}
		one := lookup.Value{Path: pid}
		for _, v := range values[:min(len(values), lookup.MaxEntries)] {
			text, good := propertyText(v)
			if !good {
				return nil, false
			}
			one.Values = append(one.Values, cutBytes(text, lookup.MaxValue))
		}
		out = append(out, one)
	}
	return out, ok
}

func propertyText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case map[string]any:
		id, ok := v["id"].(string)
		if name, named := v["name"].(string); named && name != "" {
			return name, ok
		}
		return id, ok
	}
	return "", false
}

// cutBytes shortens a text at a character.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// reconcileOne looks one query up, among each type that was asked for.
func (s *server) reconcileOne(r *http.Request, q reconcileQuery) ([]reconcileCandidate, error) {
	list := []reconcileCandidate{}
	if q.none {
		return list, nil
	}
	if c, found, err := s.reconcileByID(r, q); err != nil || found {
		return append(list, c), err
	}
	types := q.types
	if len(types) == 0 {
		types = lookup.Entities()
	}
	same := 0
	for _, entity := range types {
		question, some, err := reconcileQuestion(entity, q)
		if err != nil {
			return nil, err
		}
		if !some {
			continue
		}
		a, err := s.opts.LookUp.LookUp(r.Context(), question)
		if err != nil {
			return nil, err
		}
		for _, c := range a.Candidates {
			if c.Golden == "" {
				continue // it has no identifier yet
			}
			if c.Verdict == lookup.Same {
				same++
			}
			list = append(list, s.reconciled(r, entity, a.Review, c))
		}
	}
	slices.SortFunc(list, func(a, b reconcileCandidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.weight, a.weight), cmp.Compare(a.ID, b.ID))
	})
	for i := range list { // of two that seem the same a person has to choose
		list[i].Match = list[i].Match && same == 1
	}
	return list[:min(len(list), q.limit)], nil
}

// reconcileByID answers a query that is the identifier of a golden record.
func (s *server) reconcileByID(r *http.Request, q reconcileQuery) (c reconcileCandidate, found bool, err error) {
	if q.text == "" || strings.ContainsAny(q.text, " \t") || len(q.text) > 64 {
		return c, false, nil
	}
	known, err := s.opts.LookUp.Shown(r.Context(), []string{q.text})
	g, found := known[q.text]
	if err != nil || !found || len(q.types) > 0 && !slices.Contains(q.types, g.Entity) {
		return c, false, err
	}
	return reconcileCandidate{
		ID: g.ID, Name: g.Name, Description: s.held(r, g.Systems), Type: s.typeOf(r, g.Entity), Score: 100, Match: true, Features: []reconcileFeature{{"identifier", true}},
	}, true, nil
}

// reconcileQuestion makes a question of a query: its text is the name. What the
// entity type has no field for is left out; some is false when nothing is left.
func reconcileQuestion(entity string, q reconcileQuery) (out lookup.Query, some bool, err error) {
	name := "name"
	if entity == record.Person {
		name = "full_name"
	}
	var values []lookup.Value
	for _, v := range q.values {
		if property(entity, v.Path) {
			values = append(values, v)
		}
	}
	if q.text != "" {
		values = append(values, lookup.Value{Path: name, Values: []string{q.text}})
	}
	if !slices.ContainsFunc(values, func(v lookup.Value) bool {
		return slices.ContainsFunc(v.Values, func(s string) bool { return strings.TrimSpace(s) != "" })
	}) {
		return out, false, nil
	}
	out = lookup.Query{Entity: entity, Limit: q.limit, Name: q.text}
	out.Fields, err = lookup.Own(nil).FromPaths(entity, values)
	return out, err == nil, err
}

// reconciled is a candidate in the specification's words. The score is the
// probability in percent; with hard evidence against it, no more than a case for
// a person has. The features are the weight, the weight of each field in bits,
// and its level.
func (s *server) reconciled(r *http.Request, entity string, review float64, c lookup.Candidate) reconcileCandidate {
	out := reconcileCandidate{
		ID: c.Golden, Name: cmp.Or(c.Name, c.Golden), Description: s.held(r, c.Systems), Type: s.typeOf(r, entity),
		Match: c.Verdict == lookup.Same, weight: c.Weight,
	}
	p := c.Probability
	if c.Veto != nil {
		p = min(p, review)
	}
	out.Score = math.Round(p*1e5) / 1e3
	out.Features = []reconcileFeature{{"weight_bits", c.Weight}, {"probability", c.Probability}}
	var fields []string
	weights, levels := map[string]float64{}, map[string]string{}
	for _, part := range c.Parts {
		id := strings.ReplaceAll(part.Field, " ", "_")
		if _, known := weights[id]; !known {
			fields = append(fields, id)
			levels[id] = strings.NewReplacer(", ", "_", " ", "_").Replace(part.Level)
		}
		weights[id] += part.Weight
	}
	for _, id := range fields {
		out.Features = append(out.Features, reconcileFeature{id, math.Round(weights[id]*1000) / 1000})
		if id != "prior" {
			out.Features = append(out.Features, reconcileFeature{id + "." + levels[id], true})
		}
	}
	if c.Veto != nil {
		out.Features = append(out.Features, reconcileFeature{"veto", true})
	}
	return out
}

func (s *server) typeOf(r *http.Request, entity string) []reconcileType {
	list := s.types(r)
	return slices.DeleteFunc(list, func(t reconcileType) bool { return t.ID != entity })
}

// held says which systems hold a golden record.
func (s *server) held(r *http.Request, systems []lookup.System) string {
	names := make([]string, len(systems))
	for i, x := range systems {
		names[i] = x.Source
		if x.Records > 1 {
			names[i] += " ×" + strconv.Itoa(x.Records)
		}
	}
	return strings.Join(names, asksIn(r).And)
}
