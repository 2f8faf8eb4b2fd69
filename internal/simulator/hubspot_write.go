package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// hsInput is one object of a write: alone in a body, or one of inputs.
type hsInput struct {
	ID           string         `json:"id"`
	IDProperty   string         `json:"idProperty"`
	TraceID      string         `json:"objectWriteTraceId"`
	Properties   map[string]any `json:"properties"`
	Associations []struct {
		To struct {
			ID any `json:"id"`
		} `json:"to"`
	} `json:"associations"`
}

// hsProblem is what is wrong with one written property.
type hsProblem struct{ name, code, message string }

// problems checks properties as the vendor does: all of them are told at once.
func (hubspot) problems(col *collection, props map[string]any) []hsProblem {
	var out []hsProblem
	for _, name := range slices.Sorted(maps.Keys(props)) {
		_, _, known := col.fieldKind(hsProperty(name))
		v, isText := hsText(props[name])
		switch {
		case hsReadOnly(name):
			out = append(out, hsProblem{name, "READ_ONLY_VALUE", strconv.Quote(name) + " is a read only property; its value cannot be set."})
		case !known:
			out = append(out, hsProblem{name, "PROPERTY_DOESNT_EXIST", "Property " + strconv.Quote(name) + " does not exist"})
		case !isText:
			out = append(out, hsProblem{name, "INVALID_STRING", "the value of " + strconv.Quote(name) + " is not a text"})
		case v == "":
		case name == "email" && !mailLike(v):
			out = append(out, hsProblem{name, "INVALID_EMAIL", "Email address " + v + " is invalid"})
		case name == "numberofemployees":
			if _, err := strconv.ParseInt(v, 10, 64); err != nil {
				out = append(out, hsProblem{name, "INVALID_LONG", v + " was not a valid long."})
			}
		}
	}
	return out
}

// hsText takes a property's value; numbers and booleans are taken as texts, and
// null clears.
func hsText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

// mailLike is a weak test: one @ with something on both sides, and no space.
func mailLike(s string) bool {
	s = strings.TrimSpace(s)
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " \t\n") && !strings.Contains(domain, "@")
}

// refuseProperties tells of all problems in the vendor's words.
func (h hubspot) refuseProperties(c *call, list []hsProblem) answer {
	type bad struct {
		IsValid bool   `json:"isValid"`
		Message string `json:"message"`
		Error   string `json:"error"`
		Name    string `json:"name"`
	}
	var inText []bad
	var errs []map[string]any
	for _, p := range list {
		inText = append(inText, bad{Message: p.message, Error: p.code, Name: p.name})
		errs = append(errs, map[string]any{"message": p.message, "code": p.code, "context": map[string]any{"propertyName": []string{p.name}}})
	}
	b, err := json.Marshal(inText)
	if err != nil {
		return h.says(c, trouble{status: http.StatusInternalServerError})
	}
	return h.hsError(c, http.StatusBadRequest, "VALIDATION_ERROR", "Property values were not valid: "+string(b), map[string]any{"errors": errs})
}

// plan works out what a write changes.
func (hubspot) plan(c *call, col *collection, it *item, in hsInput) map[string]Change {
	values := map[string]any{}
	for name, v := range in.Properties {
		s, _ := hsText(v)
		if it == nil && s == "" {
			continue
		}
		if it != nil && s == "" && name != hsPrimary && get(it.fields, hsProperty(name)) == nil {
			continue // clearing what is not there
		}
		values[hsProperty(name)] = s
	}
	hsAssociate(c, col, it, values)
	if it == nil {
		links := map[string][]any{}
		for _, a := range in.Associations {
			id := fmt.Sprint(a.To.ID)
			if f, ok := a.To.ID.(float64); ok {
				id = strconv.FormatFloat(f, 'f', 0, 64)
			}
			for _, kind := range []string{hsCompanies, hsContacts, hsTickets} {
				if kind != col.Name && c.s.objects[kind].live(id) != nil {
					links["associations."+kind] = append(links["associations."+kind], id)
				}
			}
		}
		for path, list := range links {
			if _, primary := values[path]; primary {
				continue
			}
			values[path] = list
		}
	}
	return c.changes(col, it, values)
}

// conflict is the answer to a value that another object has.
func (h hubspot) conflict(c *call, cl *clash) answer {
	if strings.HasSuffix(cl.path, ".email") {
		return h.hsError(c, http.StatusConflict, "CONFLICT", hsExists(cl, c.object), nil)
	}
	name := strings.TrimPrefix(cl.path, "properties.")
	return h.refuseProperties(c, []hsProblem{{name, "CONFLICTING_UNIQUE_VALUE", cl.other.id + " already has that value."}})
}

func hsExists(cl *clash, object string) string {
	word := hsSingular(object)
	return strings.ToUpper(word[:1]) + word[1:] + " already exists. Existing ID: " + cl.other.id
}

func (h hubspot) create(c *call) answer {
	var in hsInput
	if a, ok := h.decode(c, &in); !ok {
		return a
	}
	col := c.s.objects[c.object]
	if list := h.problems(col, in.Properties); list != nil {
		return h.refuseProperties(c, list)
	}
	changes := h.plan(c, col, nil, in)
	if cl := h.clash(c.s, col, nil, changes); cl != nil {
		return h.conflict(c, cl)
	}
	it := h.keep(c, col, nil, changes)
	return h.answer(c, http.StatusCreated, h.render(col, it, hsShape{}))
}

func (h hubspot) update(c *call) answer {
	var in hsInput
	if a, ok := h.decode(c, &in); !ok {
		return a
	}
	idProperty := c.r.URL.Query().Get("idProperty")
	if a, ok := h.idProperty(c, idProperty); !ok {
		return a
	}
	col := c.s.objects[c.object]
	it := h.find(col, c.r.PathValue("id"), idProperty)
	if it == nil || it.deleted {
		return h.missing(c)
	}
	if list := h.problems(col, in.Properties); list != nil {
		return h.refuseProperties(c, list)
	}
	changes := h.plan(c, col, it, in)
	if cl := h.clash(c.s, col, it, changes); cl != nil {
		return h.conflict(c, cl)
	}
	it = h.keep(c, col, it, changes)
	return h.answer(c, http.StatusOK, h.render(col, it, hsShape{}))
}

// archive deletes; doing it again is no error.
func (h hubspot) archive(c *call) answer {
	col := c.s.objects[c.object]
	it := col.byID[c.r.PathValue("id")]
	if it == nil {
		return h.missing(c)
	}
	if !it.deleted {
		c.store(col, it, Applied{Deleted: true})
	}
	return answer{status: http.StatusNoContent, header: h.rateHeaders(c)}
}

func (h hubspot) merge(c *call) answer {
	var in struct{ PrimaryObjectID, ObjectIDToMerge string }
	if a, ok := h.decode(c, &in); !ok {
		return a
	}
	col := c.s.objects[c.object]
	winner, loser := col.live(in.PrimaryObjectID), col.live(in.ObjectIDToMerge)
	if winner == nil || loser == nil {
		return h.missing(c)
	}
	if winner == loser {
		return h.invalid(c, "cannot merge an object with itself")
	}
	if err := c.s.merge(col, winner, loser, Applied{Method: c.r.Method, Actor: "api", Fault: string(c.fault)}); err != nil {
		return h.says(c, trouble{status: http.StatusInternalServerError})
	}
	return h.answer(c, http.StatusOK, h.render(col, winner, hsShape{}))
}

// absorb: the winner names what it took in, and gets its links.
func (hubspot) absorb(s *System, c *collection, winner, loser *item) (own map[string]any, others []relink) {
	own = map[string]any{}
	ids := loser.id
	for _, it := range []*item{winner, loser} {
		if had := text(get(it.fields, hsProperty("hs_merged_object_ids"))); had != "" {
			ids = had + ";" + ids
		}
	}
	own[hsProperty("hs_merged_object_ids")] = ids
	for _, kind := range []string{hsCompanies, hsContacts, hsTickets} {
		if kind == c.Name {
			continue
		}
		links := hsLinks(winner, kind)
		for _, id := range hsLinks(loser, kind) {
			if !slices.Contains(links, id) {
				links = append(links, id)
			}
		}
		if len(links) > len(hsLinks(winner, kind)) {
			own["associations."+kind] = asList(links)
		}
		for _, it := range s.objects[kind].byIDs() {
			if have := hsLinks(it, c.Name); slices.Contains(have, loser.id) && !it.deleted {
				have = slices.DeleteFunc(have, func(id string) bool { return id == loser.id || id == winner.id })
				others = append(others, relink{s.objects[kind], it, map[string]any{"associations." + c.Name: asList(append(have, winner.id))}})
			}
		}
	}
	return own, others
}

func asList(ids []string) []any {
	out := make([]any, 0, len(ids))
	for _, id := range ids {
		out = append(out, id)
	}
	return out
}

// link ties two objects, seen from both.
func (h hubspot) link(c *call) answer {
	col, to := c.s.objects[c.object], c.r.PathValue("to")
	far := c.s.objects[to]
	if far == nil || to == c.object {
		return h.invalid(c, "Unable to infer object type from: "+to)
	}
	a, b := col.live(c.r.PathValue("id")), far.live(c.r.PathValue("other"))
	if a == nil || b == nil {
		return h.missing(c)
	}
	for _, side := range []struct {
		col   *collection
		it    *item
		kind  string
		other string
	}{{col, a, to, b.id}, {far, b, c.object, a.id}} {
		if links := hsLinks(side.it, side.kind); !slices.Contains(links, side.other) {
			path := "associations." + side.kind
			c.store(side.col, side.it, Applied{Fields: c.changes(side.col, side.it, map[string]any{path: asList(append(links, side.other))})})
		}
	}
	return h.batchAnswer(c, http.StatusOK, []map[string]any{{"from": map[string]any{"id": a.id}, "to": map[string]any{"id": b.id}}}, nil)
}
