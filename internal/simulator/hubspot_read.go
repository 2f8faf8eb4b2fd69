package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// hsPageMax is the most that a list gives.
const hsPageMax = 100

// commas reads a list parameter: repeated, separated by commas, or both.
func commas(q url.Values, name string) []string {
	var out []string
	for _, v := range q[name] {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// shape reads what an answer is to show from the address.
func (hubspot) shape(c *call) hsShape {
	q := c.r.URL.Query()
	sh := hsShape{properties: commas(q, "properties"), associations: commas(q, "associations")}
	if sh.properties == nil {
		sh.properties = hsDefaults(c.object)
	}
	return sh
}

// list pages through all objects in the order of their ids; "after" is the
// last id given.
func (h hubspot) list(c *call) answer {
	q := c.r.URL.Query()
	limit, most := 10, hsPageMax
	if m := c.s.settings.PageMax; m > 0 {
		most = m
	}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > hsPageMax {
			return h.invalid(c, "limit must be between 1 and "+strconv.Itoa(hsPageMax))
		}
		limit = n
	}
	limit = min(limit, most)
	col := c.s.objects[c.object]
	archived := q.Get("archived") == "true"
	after := q.Get("after")
	var page []*item
	more := false
	for _, it := range col.byIDs() {
		if it.deleted != archived || it.merged != "" || after != "" && compareIDs(it.id, after) <= 0 {
			continue
		}
		if more = len(page) == limit; more {
			break
		}
		page = append(page, it)
	}
	if c.fault == EmptyPage {
		page, more = nil, true
	}
	sh := h.shape(c)
	out := map[string]any{"results": h.renderAll(col, page, sh)}
	next := after
	if len(page) > 0 {
		next = page[len(page)-1].id
	}
	switch {
	case c.fault == Endless && after != "":
		more, next = true, after
	case c.fault == EmptyPage && after == "":
		next = "0"
	}
	if more || c.fault == Endless {
		q.Set("after", next)
		out["paging"] = map[string]any{"next": map[string]any{"after": next, "link": c.base() + c.r.URL.Path + "?" + q.Encode()}}
	}
	return h.answer(c, http.StatusOK, out)
}

func (h hubspot) renderAll(col *collection, list []*item, sh hsShape) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, it := range list {
		out = append(out, h.render(col, it, sh))
	}
	return out
}

// find looks an object up by its id, or by the unique property idProperty. The
// id of an object that was merged away leads to the one that took it in.
func (hubspot) find(col *collection, id, idProperty string) *item {
	switch idProperty {
	case "", "hs_object_id":
		for it := col.byID[id]; it != nil; it = col.byID[it.merged] {
			if it.merged == "" {
				return it
			}
		}
		return nil
	case "email":
		id = strings.ToLower(strings.TrimSpace(id))
	}
	if found := col.with(hsProperty(idProperty), id, false); len(found) > 0 {
		return found[0]
	}
	return nil
}

// idProperty refuses one that is not unique.
func (h hubspot) idProperty(c *call, name string) (answer, bool) {
	if name == "" || name == "hs_object_id" || name == "touchstone_id" || name == "email" && c.object == hsContacts {
		return answer{}, true
	}
	return h.invalid(c, "Property "+strconv.Quote(name)+" is not a unique property"), false
}

func (h hubspot) one(c *call) answer {
	q := c.r.URL.Query()
	if a, ok := h.idProperty(c, q.Get("idProperty")); !ok {
		return a
	}
	col := c.s.objects[c.object]
	it := h.find(col, c.r.PathValue("id"), q.Get("idProperty"))
	if it == nil || it.deleted != (q.Get("archived") == "true") {
		return h.missing(c)
	}
	return h.answer(c, http.StatusOK, h.render(col, it, h.shape(c)))
}

// links answers the associations of many objects at once: search gives none.
func (h hubspot) links(c *call) answer {
	var in struct{ Inputs []hsInput }
	if a, ok := h.decode(c, &in); !ok {
		return a
	}
	col, to := c.s.objects[c.object], c.r.PathValue("to")
	if c.s.objects[to] == nil {
		return h.invalid(c, "Unable to infer object type from: "+to)
	}
	results, errs := []map[string]any{}, []map[string]any{}
	for _, q := range in.Inputs {
		it := col.live(q.ID)
		if it == nil || len(hsLinks(it, to)) == 0 {
			errs = append(errs, map[string]any{
				"status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
				"message": "No " + hsSingular(to) + " is associated with " + hsSingular(c.object) + " " + q.ID + ".",
				"context": map[string]any{"fromObjectId": []string{q.ID}, "fromObjectType": []string{hsSingular(c.object)}, "toObjectType": []string{hsSingular(to)}},
			})
			continue
		}
		var list []map[string]any
		for i, id := range hsLinks(it, to) {
			types := []map[string]any{{"category": "HUBSPOT_DEFINED", "typeId": 279, "label": nil}}
			if i == 0 {
				types = slices.Insert(types, 0, map[string]any{"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"})
			}
			list = append(list, map[string]any{"toObjectId": json.Number(id), "associationTypes": types})
		}
		results = append(results, map[string]any{"from": map[string]any{"id": q.ID}, "to": list})
	}
	return h.batchAnswer(c, http.StatusOK, results, errs)
}
