package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// body reads {"user": {…}} and the like.
func (zendesk) body(c *call) (map[string]any, answer, bool) {
	m, err := decodeObject(c.body)
	if err != nil {
		return nil, zdError(http.StatusBadRequest, "InvalidRequest", "the body is not a JSON object"), false
	}
	in, ok := m[zdSingular(c.object)].(map[string]any)
	if !ok {
		return nil, zdError(http.StatusBadRequest, "ParameterMissing", "Parameter "+zdSingular(c.object)+" is required"), false
	}
	return in, answer{}, true
}

// plan works out what a write changes, or why it cannot be stored. What the
// vendor does not know, it leaves out without a word.
func (z zendesk) plan(c *call, col *collection, it *item, in map[string]any) (map[string]Change, map[string][2]string) {
	values, wrong := map[string]any{}, map[string][2]string{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v := in[name]
		kind, known := col.Fields[name]
		switch {
		case !known:
			continue
		case name == "user_fields", name == "organization_fields":
			own, ok := v.(map[string]any)
			if !ok {
				continue
			}
			merged, _ := orDefault(itemOr(it), name, map[string]any{}).(map[string]any)
			merged = cloneMap(merged)
			maps.Copy(merged, own)
			values[name] = merged
			continue
		case kind == Text:
			if _, ok := v.(string); !ok && v != nil {
				v = scalarText(v)
			}
		case kind == Number:
			v = zdID(v)
			if v == nil && in[name] != nil {
				wrong[name] = [2]string{title(name) + ": is invalid", "InvalidValue"}
			}
		}
		values[name] = v
	}
	if mail := strings.TrimSpace(text(values["email"])); mail != "" && !mailLike(mail) {
		wrong["email"] = [2]string{"Email:  " + mail + " is not properly formatted", "InvalidFormat"}
	}
	if id, ok := values["organization_id"].(json.Number); ok && c.s.objects[zdOrgs].live(id.String()) == nil {
		wrong["organization_id"] = [2]string{"Organization: is invalid", "InvalidValue"}
	}
	if id, ok := values["requester_id"].(json.Number); ok && c.s.objects[zdUsers].live(id.String()) == nil {
		wrong["requester_id"] = [2]string{"Requester: is invalid", "InvalidValue"}
	}
	changes := c.changes(col, it, values)
	for _, f := range col.Required {
		ch, given := changes[f]
		if it == nil && !given || given && strings.TrimSpace(text(ch.New)) == "" {
			wrong[f] = [2]string{title(f) + ": cannot be blank", "BlankValue"}
		}
	}
	if cl := z.clash(c.s, col, it, changes); cl != nil {
		wrong[cl.path] = zdTaken(cl)
	}
	return changes, wrong
}

// itemOr stands for an object that is still to be made.
func itemOr(it *item) *item {
	if it == nil {
		return &item{fields: map[string]any{}}
	}
	return it
}

// scalarText is what the vendor makes of a number or a boolean in a text field.
func scalarText(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return nil
}

// zdID reads an id that was sent as a number or a text; nil for anything else.
func zdID(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v
	case string:
		if v != "" && strings.Trim(v, "0123456789") == "" {
			return json.Number(strings.TrimLeft(v, "0"))
		}
	}
	return nil
}

func title(field string) string {
	words := strings.ReplaceAll(strings.TrimSuffix(field, "_id"), "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

func zdTaken(cl *clash) [2]string {
	switch cl.path {
	case "email":
		return [2]string{"Email: " + cl.value + " is already being used by another user", "DuplicateValue"}
	case "external_id":
		return [2]string{"External: " + cl.value + " has already been taken", "DuplicateValue"}
	}
	return [2]string{"Name: " + cl.value + " has already been taken", "DuplicateValue"}
}

func (z zendesk) one(c *call) answer {
	it := c.s.objects[c.object].byID[c.r.PathValue("id")]
	if it == nil || it.deleted && c.object != zdUsers { // a deleted user is still shown, inactive
		return zdMissing()
	}
	return z.shown(c, http.StatusOK, it)
}

func (z zendesk) shown(c *call, status int, it *item) answer {
	a := jsonAnswer(status, map[string]any{zdSingular(c.object): z.render(c, c.object, it)})
	a.header = zdRateHeaders(c)
	if c.r.Method != http.MethodGet {
		a.header.Set("Location", c.base()+"/api/v2/"+c.object+"/"+it.id+".json")
	}
	return a
}

func (z zendesk) create(c *call) answer {
	in, a, ok := z.body(c)
	if !ok {
		return a
	}
	if c.object == zdTix {
		if a, ok := z.openTicket(c, in); !ok {
			return a
		}
	}
	col := c.s.objects[c.object]
	changes, wrong := z.plan(c, col, nil, in)
	if len(wrong) > 0 {
		return zdInvalid(wrong)
	}
	return z.shown(c, http.StatusCreated, c.store(col, nil, Applied{Fields: changes}))
}

func (z zendesk) update(c *call) answer {
	in, a, ok := z.body(c)
	if !ok {
		return a
	}
	col := c.s.objects[c.object]
	it := col.live(c.r.PathValue("id"))
	if it == nil {
		return zdMissing()
	}
	if c.object == zdTix && scalar(in["safe_update"]) == "true" && text(in["updated_stamp"]) != zdTime(it.updated) {
		return zdError(http.StatusConflict, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again.")
	}
	changes, wrong := z.plan(c, col, it, in)
	if len(wrong) > 0 {
		return zdInvalid(wrong)
	}
	return z.shown(c, http.StatusOK, c.store(col, it, Applied{Fields: changes}))
}

// remove deletes. A deleted user is answered, the others are 204.
func (z zendesk) remove(c *call) answer {
	col := c.s.objects[c.object]
	it := col.live(c.r.PathValue("id"))
	if it == nil {
		return zdMissing()
	}
	it = c.store(col, it, Applied{Deleted: true})
	if c.object == zdUsers {
		return z.shown(c, http.StatusOK, it)
	}
	return answer{status: http.StatusNoContent}
}

// match finds who create_or_update means: a user by external id or address, an
// organization by id or external id.
func (zendesk) match(col *collection, in map[string]any) *item {
	if id, ok := zdID(in["id"]).(json.Number); ok && col.Name == zdOrgs {
		return col.live(id.String())
	}
	if found := col.with("external_id", text(in["external_id"]), true); len(found) > 0 {
		return found[0]
	}
	if col.Name != zdUsers {
		return nil
	}
	if found := col.with("email", strings.ToLower(strings.TrimSpace(text(in["email"]))), false); len(found) > 0 {
		return found[0]
	}
	return nil
}

func (z zendesk) createOrUpdate(c *call) answer {
	in, a, ok := z.body(c)
	if !ok {
		return a
	}
	col := c.s.objects[c.object]
	it := z.match(col, in)
	changes, wrong := z.plan(c, col, it, in)
	if len(wrong) > 0 {
		return zdInvalid(wrong)
	}
	status := http.StatusOK
	if it == nil {
		status = http.StatusCreated
	}
	return z.shown(c, status, c.store(col, it, Applied{Fields: changes}))
}

// showMany answers up to 100 objects by ids or external_ids.
func (z zendesk) showMany(c *call) answer {
	q, col := c.r.URL.Query(), c.s.objects[c.object]
	ids, keys := commas(q, "ids"), commas(q, "external_ids")
	if len(ids)+len(keys) == 0 || len(ids)+len(keys) > 100 {
		return zdError(http.StatusBadRequest, "ParameterMissing", "Parameter ids or external_ids is required, with at most 100")
	}
	var found []*item
	for _, id := range ids {
		if it := col.live(id); it != nil {
			found = append(found, it)
		}
	}
	for _, key := range keys {
		found = append(found, col.with("external_id", key, true)...)
	}
	return jsonAnswer(http.StatusOK, map[string]any{c.object: z.renderAll(c, found), "count": len(found), "next_page": nil, "previous_page": nil})
}

// searchKind finds by external_id; organizations by name too, users by a query:
// a word of the name, or field:value.
func (z zendesk) searchKind(c *call) answer {
	q, col := c.r.URL.Query(), c.s.objects[c.object]
	var found []*item
	switch {
	case q.Has("external_id"):
		found = col.with("external_id", q.Get("external_id"), true)
	case q.Has("name") && c.object == zdOrgs:
		found = col.with("name", q.Get("name"), true)
	case q.Has("query") && c.object == zdUsers:
		want := strings.ToLower(strings.Trim(q.Get("query"), `"`))
		field, value, named := strings.Cut(want, ":")
		for _, it := range col.byIDs() {
			if it.deleted {
				continue
			}
			if named && strings.ToLower(text(it.fields[field])) == strings.Trim(value, `"`) || !named && zdMentions(it, want) {
				found = append(found, it)
			}
		}
	default:
		return zdError(http.StatusBadRequest, "ParameterMissing", "Parameter query or external_id is required")
	}
	return z.numbered(c, q, c.object, found)
}

func zdMentions(it *item, want string) bool {
	for _, f := range []string{"name", "email", "phone", "notes"} {
		if want != "" && strings.Contains(strings.ToLower(text(it.fields[f])), want) {
			return true
		}
	}
	return false
}

// openTicket puts a new ticket's comment and requester where a ticket keeps them.
func (z zendesk) openTicket(c *call, in map[string]any) (answer, bool) {
	if comment, ok := in["comment"].(map[string]any); ok {
		in["description"] = text(comment["body"])
	}
	users := c.s.objects[zdUsers]
	if who, ok := in["requester"].(map[string]any); ok {
		it := z.match(users, who)
		if it == nil {
			changes, wrong := z.plan(c, users, nil, who)
			if len(wrong) > 0 {
				return zdInvalid(wrong), false
			}
			it = c.store(users, nil, Applied{Fields: changes})
		}
		in["requester_id"] = json.Number(it.id)
	}
	if id, ok := zdID(in["requester_id"]).(json.Number); ok && in["organization_id"] == nil {
		if it := users.live(id.String()); it != nil {
			in["organization_id"] = it.fields["organization_id"]
		}
	}
	return answer{}, true
}

// mergeUsers merges the user of the path into the one of the body. Only end
// users can be merged.
func (z zendesk) mergeUsers(c *call) answer {
	in, a, ok := z.body(c)
	if !ok {
		return a
	}
	col := c.s.objects[zdUsers]
	loser := col.live(c.r.PathValue("id"))
	var winner *item
	if id, ok := zdID(in["id"]).(json.Number); ok {
		winner = col.live(id.String())
	} else {
		winner = z.match(col, in)
	}
	if loser == nil || winner == nil || winner == loser {
		return zdMissing()
	}
	for _, it := range []*item{winner, loser} {
		if orDefault(it, "role", "end-user") != "end-user" {
			return zdError(http.StatusForbidden, "Forbidden", "Only end users can be merged")
		}
	}
	if err := c.s.merge(col, winner, loser, Applied{Method: c.r.Method, Actor: "api", Fault: string(c.fault)}); err != nil {
		return z.says(c, trouble{status: http.StatusInternalServerError})
	}
	return z.shown(c, http.StatusOK, winner)
}

func (z zendesk) mergeOrganizations(c *call) answer {
	m, err := decodeObject(c.body)
	in, ok := m["organization_merge"].(map[string]any)
	if err != nil || !ok {
		return zdError(http.StatusBadRequest, "ParameterMissing", "Parameter organization_merge is required")
	}
	col := c.s.objects[zdOrgs]
	id, _ := zdID(in["winner_id"]).(json.Number)
	loser, winner := col.live(c.r.PathValue("id")), col.live(id.String())
	if loser == nil || winner == nil || winner == loser {
		return zdMissing()
	}
	if err := c.s.merge(col, winner, loser, Applied{Method: c.r.Method, Actor: "api", Fault: string(c.fault)}); err != nil {
		return z.says(c, trouble{status: http.StatusInternalServerError})
	}
	name := c.s.callID()
	return jsonAnswer(http.StatusCreated, map[string]any{"organization_merge": map[string]any{
		"id": name, "url": c.base() + "/api/v2/organization_merges/" + name + ".json", "loser_id": json.Number(loser.id), "winner_id": json.Number(winner.id), "status": "complete",
	}})
}

// absorb moves what pointed at the loser: tickets of a user, users and tickets
// of an organization.
func (zendesk) absorb(s *System, c *collection, winner, loser *item) (own map[string]any, others []relink) {
	field := "requester_id"
	if c.Name == zdOrgs {
		field = "organization_id"
	}
	for _, kind := range []string{zdUsers, zdTix} {
		if c.Name == kind {
			continue
		}
		for _, it := range s.objects[kind].byIDs() {
			if n, ok := it.fields[field].(json.Number); ok && n.String() == loser.id && !it.deleted {
				others = append(others, relink{s.objects[kind], it, map[string]any{field: json.Number(winner.id)}})
			}
		}
	}
	return nil, others
}
