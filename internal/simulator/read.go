package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"touchstone/internal/record"
)

// position is what a list's cursor holds: the last object given. It stays good
// when objects change between two pages, as a keyset does.
type position struct {
	Updated string `json:"u"`
	ID      string `json:"i"`
	Since   string `json:"s,omitempty"`
	Page    int    `json:"p"` // number of the page that this cursor asks for
}

func (p position) encode() (string, error) {
	b, err := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func decodePosition(cursor string) (p position, err error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(b, &p)
}

// badQuery refuses a list's parameter.
func badQuery(name string) answer {
	return refusal(http.StatusBadRequest, "bad_request", "query parameter "+name+" is not understood", "parameter", name)
}

// pageNumber says which page a list request asks for, 1 for the first.
func pageNumber(query url.Values) int {
	if p, err := decodePosition(query.Get("cursor")); err == nil && p.Page > 0 {
		return p.Page
	}
	return 1
}

// page answers a list: objects by (updated_at, id) from updated_since on, that
// very stamp included, or all with one external id. The caller holds the lock.
func (s *System) page(object string, query url.Values, f FaultKind) answer {
	c := s.objects[object]
	if c == nil {
		return notFound("object type")
	}
	if query.Has(externalID) {
		found := c.withExternalID(query.Get(externalID))
		return s.listing(found, nil)
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	switch {
	case query.Get("limit") == "":
		limit = s.profile.PageSize
	case err != nil || limit < 1:
		return badQuery("limit")
	}
	limit = min(limit, s.profile.PageSize)
	at := position{Since: query.Get("updated_since"), Page: 1}
	cursor := query.Get("cursor")
	if cursor != "" {
		if at, err = decodePosition(cursor); err != nil {
			return badQuery("cursor")
		}
	}
	from, ok := c.start(at)
	if !ok {
		return badQuery("updated_since")
	}
	to := min(from+limit, len(c.order))
	items := c.order[from:to]
	endless := f == Endless
	switch {
	case f == EmptyPage:
		at.Page++
		next, err := at.encode()
		if err != nil {
			return refusal(http.StatusInternalServerError, "internal", "cursor")
		}
		return s.listing(nil, next)
	case endless && cursor != "":
		return s.listing(items, cursor)
	case to == len(c.order) && !endless || len(items) == 0:
		return s.listing(items, nil)
	}
	last := items[len(items)-1]
	next, err := position{Updated: record.FormatTime(last.updated), ID: last.id, Since: at.Since, Page: at.Page + 1}.encode()
	if err != nil {
		return refusal(http.StatusInternalServerError, "internal", "cursor")
	}
	return s.listing(items, next)
}

// start finds the first place in the list that a position asks for.
func (c *collection) start(at position) (int, bool) {
	if at.ID != "" {
		t, err := record.ParseTime(at.Updated)
		i, found := c.place(&item{id: at.ID, updated: t})
		if found {
			i++
		}
		return i, err == nil
	}
	if at.Since == "" {
		return 0, true
	}
	since, err := time.Parse(time.RFC3339Nano, at.Since)
	i, _ := slices.BinarySearchFunc(c.order, since, func(it *item, t time.Time) int {
		if it.updated.Before(t) {
			return -1
		}
		return 1
	})
	return i, err == nil
}

func (s *System) listing(items []*item, next any) answer {
	list := make([]map[string]any, 0, len(items))
	for _, it := range items {
		list = append(list, s.profile.render(it))
	}
	return jsonAnswer(http.StatusOK, map[string]any{"items": list, "next_cursor": next})
}

// object answers one object by its id. A deleted one is not found: only lists
// show tombstones.
func (s *System) object(name, id string) answer {
	c := s.objects[name]
	if c == nil {
		return notFound("object type")
	}
	it := c.byID[id]
	if it == nil || it.deleted {
		return notFound(name + " " + id)
	}
	return s.shown(Applied{}, it)
}
