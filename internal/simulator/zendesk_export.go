package simulator

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// zdExportMax is the most that one page of an export holds.
const zdExportMax = 1000

// zdCursor writes an export's position: the stamp and id of the last object.
func zdCursor(at time.Time, id string) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d.%06d||%s|", at.Unix(), at.Nanosecond()/1000, id))
}

func readZdCursor(s string) (*item, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	stamp, rest, ok := strings.Cut(string(b), "||")
	sec, micro, ok2 := strings.Cut(stamp, ".")
	n, err2 := strconv.ParseInt(sec, 10, 64)
	m, err3 := strconv.ParseInt(micro, 10, 64)
	if err != nil || err2 != nil || err3 != nil || !ok || !ok2 {
		return nil, false
	}
	return &item{id: strings.TrimSuffix(rest, "|"), updated: time.Unix(n, m*1000).UTC()}, true
}

// startTime reads start_time. The vendor refuses one of the last minute.
func startTime(c *call, q url.Values) (time.Time, answer, bool) {
	n, err := strconv.ParseInt(q.Get("start_time"), 10, 64)
	if err != nil {
		return time.Time{}, zdError(http.StatusBadRequest, "ParameterMissing", "Parameter start_time is required"), false
	}
	at := time.Unix(n, 0).UTC()
	if at.After(c.s.clock.Now().Add(-time.Minute)) {
		return at, zdError(http.StatusBadRequest, "StartTimeTooRecent", "Too recent start_time. Use a start_time older than 60 seconds"), false
	}
	return at, answer{}, true
}

func perPage(c *call, q url.Values) int {
	n := zdExportMax
	if v, err := strconv.Atoi(q.Get("per_page")); err == nil && v > 0 {
		n = min(n, v)
	}
	if m := c.s.settings.PageMax; m > 0 {
		n = min(n, m)
	}
	return n
}

// exported gives the objects of an export from a place in the order of their
// last change, at most n, and says whether more follow. What was written within
// the lag is not there yet, and ends the export before it: it comes later.
func exported(c *call, col *collection, from, n int) (page []*item, more bool) {
	for _, it := range col.order[from:] {
		if c.s.seen(col, it) != it {
			return page, false
		}
		if len(page) == n {
			return page, true
		}
		page = append(page, it)
	}
	return page, false
}

// cursorExport is the cursor-based incremental export.
func (z zendesk) cursorExport(c *call) answer {
	q, col := c.r.URL.Query(), c.s.objects[c.object]
	at := &item{}
	from := 0
	if q.Has("cursor") {
		var ok bool
		if at, ok = readZdCursor(q.Get("cursor")); !ok {
			return zdError(http.StatusBadRequest, "InvalidValue", "Invalid cursor")
		}
		i, found := col.place(at)
		if from = i; found {
			from++
		}
	} else {
		start, a, ok := startTime(c, q)
		if !ok {
			return a
		}
		at.id, at.updated = "0", start.Add(-time.Microsecond) // what has that very stamp is in
		from, _ = col.start(position{Since: start.Format(time.RFC3339)})
	}
	page, more := exported(c, col, from, perPage(c, q))
	if c.fault == EmptyPage {
		page, more = nil, true
	}
	last := at
	if len(page) > 0 {
		last = page[len(page)-1]
	}
	if c.fault == Endless && q.Has("cursor") {
		last, more = at, true
	}
	cursor := zdCursor(last.updated, last.id)
	out := map[string]any{
		c.object: z.renderAll(c, page), "after_cursor": cursor, "before_cursor": nil, "before_url": nil, "end_of_stream": !more,
		"after_url": c.base() + "/api/v2/incremental/" + c.object + "/cursor.json?cursor=" + url.QueryEscape(cursor) + withPerPage(q),
	}
	return jsonAnswer(http.StatusOK, out)
}

func withPerPage(q url.Values) string {
	if v := q.Get("per_page"); v != "" {
		return "&per_page=" + url.QueryEscape(v)
	}
	return ""
}

// timeExport is the time-based incremental export: start_time is in, and so is
// everything of the page's last second, which the next page then gives again.
func (z zendesk) timeExport(c *call) answer {
	q, col := c.r.URL.Query(), c.s.objects[c.object]
	start, a, ok := startTime(c, q)
	if !ok {
		return a
	}
	from, _ := col.start(position{Since: start.Format(time.RFC3339)})
	all, _ := exported(c, col, from, len(col.order))
	n := min(perPage(c, q), len(all))
	for n > 0 && n < len(all) && all[n].updated.Unix() == all[n-1].updated.Unix() {
		n++
	}
	page, more := all[:n], n < len(all)
	end := start.Unix()
	if n > 0 {
		end = page[n-1].updated.Unix()
	}
	next := end
	if more && end == start.Unix() {
		next = end + 1 // the whole page was of one second: the vendor goes on after it
	}
	if c.fault == EmptyPage {
		page, more, next = nil, true, start.Unix()
	}
	if c.fault == Endless {
		more, next = true, start.Unix()
	}
	return jsonAnswer(http.StatusOK, map[string]any{
		c.object: z.renderAll(c, page), "count": len(page), "end_of_stream": !more, "end_time": next,
		"next_page": c.base() + "/api/v2/incremental/" + c.object + ".json?start_time=" + strconv.FormatInt(next, 10) + withPerPage(q),
	})
}

func (z zendesk) renderAll(c *call, list []*item) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, it := range list {
		out = append(out, z.render(c, c.object, it))
	}
	return out
}

// list pages by cursor when page[size] is given, else by number.
func (z zendesk) list(c *call) answer {
	q, col := c.r.URL.Query(), c.s.objects[c.object]
	all := make([]*item, 0, len(col.order))
	for _, it := range col.byIDs() {
		if !it.deleted {
			all = append(all, it)
		}
	}
	return z.paged(c, q, c.object, c.object, all)
}

// paged gives one page of all, which stand in the order of their ids; name is
// the list's in the answer, path its address below /api/v2.
func (z zendesk) paged(c *call, q url.Values, name, path string, all []*item) answer {
	if !q.Has("page[size]") && !q.Has("page[after]") {
		return z.numbered(c, q, name, all)
	}
	size, err := strconv.Atoi(cmp.Or(q.Get("page[size]"), "100"))
	if err != nil || size < 1 || size > 100 {
		return zdError(http.StatusBadRequest, "InvalidPaginationParameter", "page[size] must be between 1 and 100")
	}
	if m := c.s.settings.PageMax; m > 0 {
		size = min(size, m)
	}
	from, after := 0, ""
	if v := q.Get("page[after]"); v != "" {
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return zdError(http.StatusBadRequest, "InvalidPaginationParameter", "page[after] is not valid")
		}
		after = string(b)
		for from < len(all) && compareIDs(all[from].id, after) <= 0 {
			from++
		}
	}
	page := all[from:min(from+size, len(all))]
	more := from+len(page) < len(all)
	if c.fault == EmptyPage {
		page, more = nil, true
	}
	if len(page) > 0 && (c.fault != Endless || after == "") {
		after = page[len(page)-1].id
	}
	more = more || c.fault == Endless
	cursor := base64.StdEncoding.EncodeToString([]byte(after))
	var next any
	if more {
		q.Set("page[after]", cursor)
		next = c.base() + "/api/v2/" + path + ".json?" + q.Encode()
	}
	return jsonAnswer(http.StatusOK, map[string]any{
		name: z.renderAll(c, page), "links": map[string]any{"next": next, "prev": nil},
		"meta": map[string]any{"has_more": more, "after_cursor": cursor, "before_cursor": nil},
	})
}

// numbered pages by number, 100 at a time.
func (z zendesk) numbered(c *call, q url.Values, name string, all []*item) answer {
	n, err := strconv.Atoi(cmp.Or(q.Get("page"), "1"))
	size, err2 := strconv.Atoi(cmp.Or(q.Get("per_page"), "100"))
	if err != nil || err2 != nil || n < 1 || size < 1 || n > 1_000_000 {
		return zdError(http.StatusBadRequest, "InvalidPaginationParameter", "page and per_page must be numbers above 0")
	}
	size = min(size, 100)
	if m := c.s.settings.PageMax; m > 0 {
		size = min(size, m)
	}
	from := min((n-1)*size, len(all))
	page := all[from:min(from+size, len(all))]
	var next, prev any
	at := func(n int) string {
		q.Set("page", strconv.Itoa(n))
		path, _, _ := strings.Cut(c.r.RequestURI, "?")
		return "http://" + c.r.Host + path + "?" + q.Encode()
	}
	if from+len(page) < len(all) {
		next = at(n + 1)
	}
	if n > 1 {
		prev = at(n - 1)
	}
	return jsonAnswer(http.StatusOK, map[string]any{name: z.renderAll(c, page), "count": len(all), "next_page": next, "previous_page": prev})
}

// deletedList lists what was deleted, merged-away users too.
func (z zendesk) deletedList(c *call) answer {
	var gone []*item
	for _, it := range c.s.objects[c.object].byIDs() {
		if it.deleted {
			gone = append(gone, it)
		}
	}
	return z.paged(c, c.r.URL.Query(), "deleted_"+c.object, "deleted_"+c.object, gone)
}
