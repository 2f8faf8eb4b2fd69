package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// HubSpot object kinds, as their paths name them.
const (
	hsContacts  = "contacts"
	hsCompanies = "companies"
	hsTickets   = "tickets"
)

// HubSpotToken is the private-app token that the HubSpot profile takes.
const HubSpotToken = "pat-eu1-00000000-0000-4000-8000-000000000001" //nolint:gosec // opens a simulator only

// hubspot speaks the HubSpot CRM API v3, over contacts, companies and tickets.
// Property values are texts; a property that was cleared is "".
type hubspot struct{}

// HubSpot is a CRM with the API of HubSpot: /crm/v3/objects/…, associations
// under /crm/v4, and /oauth/v1/token. touchstone_id is a custom property that
// is unique; e-mail is unique among contacts.
func HubSpot() Profile {
	return Profile{
		Name: "hubspot", Token: HubSpotToken, dialect: hubspot{},
		Objects: []Object{
			hsObject(hsCompanies, "70", "name domain website phone address address2 city state zip country industry numberofemployees annualrevenue lifecyclestage description registration_no company_email"),
			hsObject(hsContacts, "50", "email firstname lastname phone mobilephone company jobtitle website address address2 city state zip country date_of_birth lifecyclestage hs_lead_status "+hsPrimary),
			hsObject(hsTickets, "90", "subject content hs_pipeline hs_pipeline_stage hs_ticket_priority hs_ticket_category"),
		},
	}
}

func hsObject(name, prefix, properties string) Object {
	o := Object{Name: name, Prefix: prefix, key: hsProperty("touchstone_id"), Fields: map[string]Kind{}}
	for _, p := range strings.Fields(properties + " touchstone_id") {
		o.Fields[hsProperty(p)] = Text
	}
	for _, other := range []string{hsContacts, hsCompanies, hsTickets} {
		if other != name {
			o.Fields["associations."+other] = Any
		}
	}
	return o
}

func hsProperty(name string) string { return "properties." + name }

// hsReadOnly are the properties that HubSpot sets itself.
func hsReadOnly(name string) bool {
	switch name {
	case "hs_object_id", "createdate", "lastmodifieddate", "hs_lastmodifieddate", "hs_merged_object_ids":
		return true
	}
	return false
}

// hsSingular names one object in messages and association types.
func hsSingular(object string) string {
	switch object {
	case hsCompanies:
		return "company"
	case hsContacts:
		return "contact"
	}
	return "ticket"
}

// hsTypeID is the number of an object type in addresses.
func hsTypeID(object string) string {
	switch object {
	case hsCompanies:
		return "0-2"
	case hsContacts:
		return "0-1"
	}
	return "0-5"
}

// hsDefaults are the properties of an answer that asked for none.
func hsDefaults(object string) []string {
	switch object {
	case hsCompanies:
		return []string{"name", "domain"}
	case hsContacts:
		return []string{"email", "firstname", "lastname"}
	}
	return []string{"subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority"}
}

func hsTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// hsModified is the property that holds the time of the last change.
func hsModified(object string) string {
	if object == hsContacts {
		return "lastmodifieddate"
	}
	return "hs_lastmodifieddate"
}

// hsValue gives a property as a text; ok is false when the object has none.
func hsValue(c *collection, it *item, name string) (value string, ok bool) {
	switch name {
	case "hs_object_id":
		return it.id, true
	case "createdate":
		return hsTime(it.created), true
	case hsModified(c.Name):
		return hsTime(it.updated), true
	case hsPrimary:
		value = hsPrimaryOf(c, it)
		return value, value != ""
	}
	value, ok = get(it.fields, hsProperty(name)).(string)
	return value, ok && value != ""
}

// hsShape says what an answer shows of an object.
type hsShape struct {
	properties   []string // nil: all that have a value
	associations []string
}

// render gives an object as the API shows it.
func (hubspot) render(c *collection, it *item, sh hsShape) map[string]any {
	props := map[string]any{"hs_object_id": it.id, "createdate": hsTime(it.created), hsModified(c.Name): hsTime(it.updated)}
	if sh.properties == nil {
		all, _ := it.fields["properties"].(map[string]any)
		for name, v := range all {
			if s := text(v); s != "" {
				props[name] = s
			}
		}
		delete(props, hsPrimary)
		if id := hsPrimaryOf(c, it); id != "" {
			props[hsPrimary] = id
		}
	}
	for _, name := range sh.properties {
		if v, ok := hsValue(c, it, name); ok {
			props[name] = v
		} else if _, _, known := c.fieldKind(hsProperty(name)); known || hsReadOnly(name) {
			props[name] = nil
		}
	}
	m := map[string]any{
		"id": it.id, "properties": props, "createdAt": hsTime(it.created), "updatedAt": hsTime(it.updated), "archived": it.deleted,
		"url": "https://app.hubspot.com/contacts/44000001/record/" + hsTypeID(c.Name) + "/" + it.id,
	}
	if it.deleted {
		m["archivedAt"] = hsTime(it.updated)
	}
	if as := hsAssociations(c, it, sh.associations); len(as) > 0 {
		m["associations"] = as
	}
	return m
}

// hsAssociations gives the links to each of the kinds asked for. Every link is
// there twice, labelled and unlabelled, as the vendor gives it.
func hsAssociations(c *collection, it *item, kinds []string) map[string]any {
	out := map[string]any{}
	for _, kind := range kinds {
		name := hsSingular(c.Name) + "_to_" + hsSingular(kind)
		var list []map[string]any
		for _, id := range hsLinks(it, kind) {
			list = append(list, map[string]any{"id": id, "type": name}, map[string]any{"id": id, "type": name + "_unlabeled"})
		}
		if list != nil {
			out[kind] = map[string]any{"results": list}
		}
	}
	return out
}

// hsLinks lists the ids that an object is linked to.
func hsLinks(it *item, kind string) []string {
	list, _ := get(it.fields, "associations."+kind).([]any)
	var ids []string
	for _, v := range list {
		if id := text(v); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// hsError is an error body.
func (hubspot) hsError(c *call, status int, category, message string, more map[string]any) answer {
	m := map[string]any{"status": "error", "message": message, "correlationId": c.s.callID()}
	if category != "" {
		m["category"] = category
	}
	for k, v := range more {
		m[k] = v
	}
	return jsonAnswer(status, m)
}

func (h hubspot) invalid(c *call, message string) answer {
	return h.hsError(c, http.StatusBadRequest, "VALIDATION_ERROR", message, nil)
}

func (h hubspot) missing(c *call) answer {
	return h.hsError(c, http.StatusNotFound, "OBJECT_NOT_FOUND", "resource not found", nil)
}

func (h hubspot) says(c *call, t trouble) answer {
	switch t.status {
	case http.StatusTooManyRequests:
		name := t.limit.Name
		if name == "" {
			name = "TEN_SECONDLY_ROLLING"
		}
		a := h.hsError(c, t.status, "RATE_LIMITS", "You have reached your "+strings.ToLower(name)+" limit.", map[string]any{
			"errorType": "RATE_LIMIT", "policyName": name, "requestId": c.s.callID(),
		})
		if t.wait > 0 && name == "DAILY" {
			a.retryAfter = seconds(t.wait)
		}
		a.header = h.rateHeaders(c)
		return a
	case http.StatusOK: // a good status over an error is what a gateway makes of it
		return h.hsError(c, t.status, "", "internal error", nil)
	case http.StatusServiceUnavailable:
		return h.hsError(c, t.status, "", "Service temporarily unavailable", nil)
	case http.StatusInternalServerError:
		return h.hsError(c, t.status, "", "internal error", nil)
	}
	return h.hsError(c, t.status, "VALIDATION_ERROR", t.why, nil)
}

// rateHeaders tells of the limits. Search answers have none.
func (hubspot) rateHeaders(c *call) http.Header {
	h := http.Header{}
	if c.class == "search" {
		return h
	}
	for i, l := range c.s.settings.Limits {
		n, left := fmt.Sprint(l.Requests), fmt.Sprint(c.s.room(i))
		switch l.Name {
		case "DAILY":
			h.Set("X-HubSpot-RateLimit-Daily", n)
			h.Set("X-HubSpot-RateLimit-Daily-Remaining", left)
		case "SECONDLY":
			h.Set("X-HubSpot-RateLimit-Secondly", n)
			h.Set("X-HubSpot-RateLimit-Secondly-Remaining", left)
		default:
			h.Set("X-HubSpot-RateLimit-Max", n)
			h.Set("X-HubSpot-RateLimit-Remaining", left)
			h.Set("X-HubSpot-RateLimit-Interval-Milliseconds", fmt.Sprint(l.Seconds*1000))
		}
	}
	return h
}

func (h hubspot) answer(c *call, status int, v any) answer {
	a := jsonAnswer(status, v)
	a.header = h.rateHeaders(c)
	return a
}

// clean lower-cases e-mail addresses and makes a bare host of a domain.
func (hubspot) clean(_ Object, path string, v any) any {
	s, ok := v.(string)
	switch {
	case v == nil && strings.HasPrefix(path, "properties."):
		return nil
	case !ok:
		return v
	case path == hsProperty("email"):
		return strings.ToLower(strings.TrimSpace(s))
	case path == hsProperty("domain"):
		s = strings.ToLower(strings.TrimSpace(s))
		if _, rest, ok := strings.Cut(s, "://"); ok {
			s = rest
		}
		s, _, _ = strings.Cut(s, "/")
		return strings.TrimPrefix(s, "www.")
	}
	return s
}

// clash: e-mail is unique among contacts, touchstone_id in each kind.
func (hubspot) clash(_ *System, c *collection, it *item, changes map[string]Change) *clash {
	unique := []string{hsProperty("touchstone_id")}
	if c.Name == hsContacts {
		unique = append(unique, hsProperty("email"))
	}
	for _, path := range unique {
		value := text(changes[path].New)
		for _, other := range c.with(path, value, false) {
			if other != it {
				return &clash{other, path, value}
			}
		}
	}
	return nil
}

func (h hubspot) handler(s *System) http.Handler {
	mux := http.NewServeMux()
	const o = "/crm/v3/objects/{object}"
	read := func(pattern string, rt route) { mux.HandleFunc(pattern, s.vendor(h.known(rt))) }
	write := func(pattern string, do func(*call) answer) {
		mux.HandleFunc(pattern, s.vendor(h.known(route{write: true, do: do})))
	}
	read("GET "+o, route{list: true, first: "after", do: h.list})
	read("GET "+o+"/{id}", route{do: h.one})
	read("POST "+o+"/search", route{class: "search", list: true, first: "body", do: h.search})
	read("POST "+o+"/batch/read", route{do: h.batchRead})
	read("POST /crm/v4/associations/{object}/{to}/batch/read", route{do: h.links})
	write("POST "+o, h.create)
	write("PATCH "+o+"/{id}", h.update)
	write("DELETE "+o+"/{id}", h.archive)
	write("POST "+o+"/merge", h.merge)
	write("POST "+o+"/batch/create", h.batchCreate)
	write("POST "+o+"/batch/update", h.batchUpdate)
	write("POST "+o+"/batch/upsert", h.batchUpsert)
	write("POST "+o+"/batch/archive", h.batchArchive)
	write("PUT /crm/v4/objects/{object}/{id}/associations/default/{to}/{other}", h.link)
	mux.HandleFunc("POST /oauth/v1/token", s.vendor(route{object: "oauth", write: true, open: true, do: h.token}))
	mux.HandleFunc("/", s.vendor(route{object: "?", do: func(c *call) answer { return h.hsError(c, http.StatusNotFound, "", "resource not found", nil) }}))
	return mux
}

// known refuses object types that the simulator does not hold.
func (h hubspot) known(rt route) route {
	do := rt.do
	rt.do = func(c *call) answer {
		if c.s.objects[c.object] == nil {
			return h.hsError(c, http.StatusBadRequest, "", "Unable to infer object type from: "+c.object, nil)
		}
		return do(c)
	}
	return rt
}

// decode reads a JSON body; ok is false with the answer to give.
func (h hubspot) decode(c *call, into any) (answer, bool) {
	if err := json.Unmarshal(c.body, into); err != nil {
		return h.invalid(c, "Invalid input JSON"), false
	}
	return answer{}, true
}
