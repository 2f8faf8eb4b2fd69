package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a search.
const (
	hsSearchMax   = 200
	hsSearchCap   = 10_000
	hsMaxGroups   = 6
	hsMaxFilters  = 6
	hsMaxQueryLen = 3000
)

// hsSearch is the body of a search. limit and after come as texts or numbers.
type hsSearch struct {
	FilterGroups []struct {
		Filters []hsFilter `json:"filters"`
	} `json:"filterGroups"`
	Sorts      []json.RawMessage `json:"sorts"`
	Query      string            `json:"query"`
	Properties []string          `json:"properties"`
	Limit      any               `json:"limit"`
	After      any               `json:"after"`
}

type hsFilter struct {
	PropertyName string `json:"propertyName"`
	Operator     string `json:"operator"`
	Value        any    `json:"value"`
	HighValue    any    `json:"highValue"`
	Values       []any  `json:"values"`
}

// number reads a whole number that was sent as one or as a text.
func number(v any, missing int) (int, bool) {
	switch v := v.(type) {
	case nil:
		return missing, true
	case string:
		if v == "" {
			return missing, true
		}
		n, err := strconv.Atoi(v)
		return n, err == nil
	case json.Number:
		n, err := strconv.Atoi(v.String())
		return n, err == nil
	}
	return 0, false
}

// scalar gives a filter's value as a text.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// search answers at most the first 10,000 results of a query, 200 at a time.
// What was written a moment ago may not be found yet.
func (h hubspot) search(c *call) answer {
	var q hsSearch
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.UseNumber()
	if err := d.Decode(&q); err != nil {
		return h.invalid(c, "Invalid input JSON")
	}
	col := c.s.objects[c.object]
	if why := q.check(col); why != "" {
		return h.invalid(c, why)
	}
	limit, ok := number(q.Limit, 10)
	if !ok || limit < 1 || limit > hsSearchMax {
		return h.invalid(c, "limit must be between 1 and "+strconv.Itoa(hsSearchMax))
	}
	if m := c.s.settings.PageMax; m > 0 {
		limit = min(limit, m)
	}
	after, ok := number(q.After, 0)
	if !ok || after < 0 {
		return h.invalid(c, "after is not a valid offset")
	}
	most := cmp.Or(c.s.settings.ResultCap, hsSearchCap)
	if after+limit > most && after >= most {
		return h.invalid(c, "There was a problem with the request: paging past "+strconv.Itoa(most)+" results is not supported.")
	}
	found := h.found(c, col, q)
	page := found[min(after, len(found)):min(after+limit, len(found), max(most, after))]
	if c.fault == EmptyPage {
		page = nil
	}
	sh := hsShape{properties: q.Properties}
	if sh.properties == nil {
		sh.properties = hsDefaults(c.object)
	}
	out := map[string]any{"total": len(found), "results": h.renderAll(col, page, sh)}
	next := after + len(page)
	if c.fault == Endless && after > 0 {
		next = after
	}
	if next < len(found) || c.fault == Endless {
		out["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(next)}}
	}
	return h.answer(c, http.StatusOK, out)
}

// check says what is wrong with a search, "" for nothing.
func (q hsSearch) check(col *collection) string {
	if len(q.FilterGroups) > hsMaxGroups || len(q.Query) > hsMaxQueryLen || len(q.Sorts) > 1 {
		return "too many filter groups or sorts, or too long a query"
	}
	for _, g := range q.FilterGroups {
		if len(g.Filters) > hsMaxFilters {
			return "too many filters in a group"
		}
		for _, f := range g.Filters {
			_, _, known := col.fieldKind(hsProperty(f.PropertyName))
			if !known && !hsReadOnly(f.PropertyName) {
				return "Property " + strconv.Quote(f.PropertyName) + " does not exist"
			}
			switch f.Operator {
			case "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN":
			case "BETWEEN":
				if f.HighValue == nil {
					return "BETWEEN needs value and highValue"
				}
			default:
				return "operator " + strconv.Quote(f.Operator) + " is not supported"
			}
			if strings.HasSuffix(f.Operator, "IN") && len(f.Values) == 0 {
				return f.Operator + " needs values"
			}
		}
	}
	return ""
}

// found lists what a search finds, in its order.
func (h hubspot) found(c *call, col *collection, q hsSearch) []*item {
	var list []*item
	for _, it := range col.byIDs() {
		if it = c.s.seen(col, it); it == nil || it.deleted || !q.fits(col, it) {
			continue
		}
		list = append(list, it)
	}
	by, down := "createdate", false
	if len(q.Sorts) == 1 {
		var s struct{ PropertyName, Direction string }
		if err := json.Unmarshal(q.Sorts[0], &s); err == nil && s.PropertyName != "" {
			by, down = s.PropertyName, s.Direction == "DESCENDING"
		} else if name := strings.Trim(string(q.Sorts[0]), `"`); name != "" {
			by, down = strings.TrimPrefix(name, "-"), strings.HasPrefix(name, "-")
		}
	}
	slices.SortStableFunc(list, func(a, b *item) int {
		x, _ := hsValue(col, a, by)
		y, _ := hsValue(col, b, by)
		if down {
			return hsCompare(by, y, x)
		}
		return hsCompare(by, x, y)
	})
	return list
}

func (q hsSearch) fits(col *collection, it *item) bool {
	if q.Query != "" && !hsMentions(it, q.Query) {
		return false
	}
	for _, g := range q.FilterGroups {
		if !slices.ContainsFunc(g.Filters, func(f hsFilter) bool { return !f.fits(col, it) }) {
			return true
		}
	}
	return len(q.FilterGroups) == 0
}

// hsMentions looks for a text in any property, without case.
func hsMentions(it *item, what string) bool {
	props, _ := it.fields["properties"].(map[string]any)
	for _, v := range props {
		if strings.Contains(strings.ToLower(text(v)), strings.ToLower(what)) {
			return true
		}
	}
	return false
}

func (f hsFilter) fits(col *collection, it *item) bool {
	have, ok := hsValue(col, it, f.PropertyName)
	c := func(v any) int { return hsCompare(f.PropertyName, have, scalar(v)) }
	switch f.Operator {
	case "HAS_PROPERTY":
		return ok
	case "NOT_HAS_PROPERTY":
		return !ok
	case "EQ":
		return ok && c(f.Value) == 0
	case "NEQ":
		return !ok || c(f.Value) != 0
	case "LT":
		return ok && c(f.Value) < 0
	case "LTE":
		return ok && c(f.Value) <= 0
	case "GT":
		return ok && c(f.Value) > 0
	case "GTE":
		return ok && c(f.Value) >= 0
	case "BETWEEN":
		return ok && c(f.Value) >= 0 && c(f.HighValue) <= 0
	case "IN":
		return ok && slices.ContainsFunc(f.Values, func(v any) bool { return c(v) == 0 })
	case "NOT_IN":
		return ok && !slices.ContainsFunc(f.Values, func(v any) bool { return c(v) == 0 })
	case "CONTAINS_TOKEN":
		return ok && hsToken(have, scalar(f.Value))
	}
	return !ok || !hsToken(have, scalar(f.Value)) // NOT_CONTAINS_TOKEN
}

// hsCompare compares two values of a property: times as times, numbers as
// numbers, texts without case.
func hsCompare(name, a, b string) int {
	switch {
	case strings.HasSuffix(name, "date"):
		return hsMillis(a).Compare(hsMillis(b))
	case name == "hs_object_id", name == "numberofemployees":
		x, err1 := strconv.ParseInt(a, 10, 64)
		y, err2 := strconv.ParseInt(b, 10, 64)
		if err1 == nil && err2 == nil {
			return cmp.Compare(x, y)
		}
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// hsMillis reads a time: ISO 8601 or milliseconds since 1970.
func hsMillis(s string) time.Time {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.UnixMilli(ms)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.Truncate(time.Millisecond)
}

// hsToken looks for a word in a value, where * at an end stands for anything.
func hsToken(have, want string) bool {
	want = strings.ToLower(want)
	bare := strings.Trim(want, "*")
	for _, w := range strings.FieldsFunc(strings.ToLower(have), func(r rune) bool { return strings.ContainsRune(" ,;@./-_", r) }) {
		switch {
		case w == bare,
			strings.HasPrefix(want, "*") && strings.HasSuffix(w, bare),
			strings.HasSuffix(want, "*") && strings.HasPrefix(w, bare):
			return true
		}
	}
	return strings.EqualFold(have, bare)
}
