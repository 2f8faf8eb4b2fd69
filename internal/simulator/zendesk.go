package simulator

import (
	"crypto/subtle"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Zendesk object kinds, as their paths name them.
const (
	zdUsers = "users"
	zdOrgs  = "organizations"
	zdTix   = "tickets"
	zdJobs  = "job_statuses"
)

// What the Zendesk profile takes: the token as a bearer, or the address with
// the token as basic authentication ("address/token:TOKEN").
const (
	ZendeskEmail = "agent@touchstone.example"
	ZendeskToken = "zendesk-api-token" //nolint:gosec // opens a simulator only
)

// zendesk speaks the Zendesk Support API v2: users, organizations, tickets.
type zendesk struct{}

// Zendesk is a support desk with the API of Zendesk Support under /api/v2. Its
// stamps have no part finer than a second, so each applied write adds one
// second to its clock.
func Zendesk() Profile {
	return Profile{
		Name: "zendesk", Token: ZendeskToken, dialect: zendesk{}, tick: time.Second,
		Objects: []Object{
			{Name: zdOrgs, Prefix: "360", Required: []string{"name"}, Fields: zdFields(
				"name external_id details notes", "tags domain_names organization_fields", "group_id")},
			{Name: zdUsers, Prefix: "260", Required: []string{"name"}, Fields: zdFields(
				"name email phone external_id role alias details notes signature time_zone locale", "tags user_fields verified suspended", "organization_id")},
			{Name: zdTix, Prefix: "7", Required: []string{"description"}, Fields: zdFields(
				"subject description external_id status priority type", "tags custom_fields", "requester_id organization_id assignee_id")},
			{Name: zdJobs, Prefix: "8", Fields: zdFields("job_type status message", "payload results", "total due")},
		},
	}
}

func zdFields(texts, anything, numbers string) map[string]Kind {
	m := fields(texts, numbers)
	for _, f := range strings.Fields(anything) {
		m[f] = Any
	}
	return m
}

func zdTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// zdSingular names one object in bodies.
func zdSingular(kind string) string {
	if kind == zdJobs {
		return "job_status"
	}
	return strings.TrimSuffix(kind, "s")
}

// orDefault gives a field, or what stands for it when it was never set.
func orDefault(it *item, path string, missing any) any {
	if v := get(it.fields, path); v != nil {
		return v
	}
	return missing
}

func (z zendesk) render(c *call, kind string, it *item) map[string]any {
	m := map[string]any{
		"id": json.Number(it.id), "url": c.base() + "/api/v2/" + kind + "/" + it.id + ".json",
		"created_at": zdTime(it.created), "updated_at": zdTime(it.updated),
		"external_id": orDefault(it, "external_id", nil), "tags": orDefault(it, "tags", []any{}),
	}
	switch kind {
	case zdUsers:
		z.user(m, it)
	case zdOrgs:
		z.organization(m, it)
	case zdTix:
		z.ticket(m, it)
	}
	return m
}

func (zendesk) user(m map[string]any, it *item) {
	role := orDefault(it, "role", "end-user")
	for _, f := range []string{"name", "email", "phone", "alias", "details", "notes", "signature", "organization_id"} {
		m[f] = orDefault(it, f, nil)
	}
	zone := orDefault(it, "time_zone", "Europe/London")
	maps.Copy(m, map[string]any{
		"time_zone": zone, "iana_time_zone": zone, "locale": orDefault(it, "locale", "en-GB"), "locale_id": 5,
		"role": role, "verified": orDefault(it, "verified", false), "suspended": orDefault(it, "suspended", false),
		"active": !it.deleted, "user_fields": orDefault(it, "user_fields", map[string]any{}),
		"shared": false, "shared_agent": false, "shared_phone_number": nil, "photo": nil, "last_login_at": nil,
		"two_factor_auth_enabled": nil, "role_type": nil, "custom_role_id": nil, "moderator": false,
		"ticket_restriction": "requested", "only_private_comments": false, "restricted_agent": role == "end-user",
		"default_group_id": nil, "report_csv": false,
	})
}

func (zendesk) organization(m map[string]any, it *item) {
	for _, f := range []string{"name", "details", "notes", "group_id"} {
		m[f] = orDefault(it, f, nil)
	}
	m["domain_names"] = orDefault(it, "domain_names", []any{})
	m["organization_fields"] = orDefault(it, "organization_fields", map[string]any{})
	m["shared_tickets"], m["shared_comments"], m["deleted_at"] = false, false, nil
	if it.deleted {
		m["deleted_at"] = zdTime(it.updated)
	}
}

func (zendesk) ticket(m map[string]any, it *item) {
	for _, f := range []string{"subject", "description", "type", "priority", "requester_id", "organization_id", "assignee_id"} {
		m[f] = orDefault(it, f, nil)
	}
	status := orDefault(it, "status", "new")
	if it.deleted {
		status = "deleted"
	}
	own := orDefault(it, "custom_fields", []any{})
	maps.Copy(m, map[string]any{
		"status": status, "raw_subject": m["subject"], "submitter_id": m["requester_id"], "custom_fields": own, "fields": own,
		"generated_timestamp": it.updated.Unix(), "via": map[string]any{"channel": "api", "source": map[string]any{"from": map[string]any{}, "to": map[string]any{}, "rel": nil}},
		"recipient": nil, "group_id": 3, "collaborator_ids": []any{}, "follower_ids": []any{}, "email_cc_ids": []any{}, "forum_topic_id": nil,
		"problem_id": nil, "has_incidents": false, "is_public": true, "due_at": nil, "satisfaction_rating": map[string]any{"score": "unoffered"},
		"sharing_agreement_ids": []any{}, "custom_status_id": 1, "encoded_id": "TS-" + it.id, "followup_ids": []any{}, "ticket_form_id": 1,
		"brand_id": 1, "allow_channelback": false, "allow_attachments": true, "from_messaging_channel": false,
	})
}

// clean does what the vendor does to values: addresses in lower case, phones
// with a + and digits only, tags in lower case without spaces.
func (zendesk) clean(_ Object, path string, v any) any {
	switch s, ok := v.(string); {
	case ok && path == "email":
		if s = strings.ToLower(strings.TrimSpace(s)); s == "" {
			return nil
		}
		return s
	case ok && path == "phone":
		return zdPhone(s)
	case ok && path == "external_id" && s == "":
		return nil
	}
	if list, ok := v.([]any); ok && path == "tags" {
		out := make([]any, 0, len(list))
		for _, t := range list {
			if tag := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(text(t)), " ", "_")); tag != "" && !slices.Contains(out, any(tag)) {
				out = append(out, tag)
			}
		}
		return out
	}
	return v
}

func zdPhone(s string) any {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	if !strings.HasPrefix(s, "+") {
		return s
	}
	return "+" + strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// clash: a user's address and external id, an organization's name and external
// id are there once. External ids are compared without case.
func (zendesk) clash(_ *System, c *collection, it *item, changes map[string]Change) *clash {
	var unique []string
	switch c.Name {
	case zdUsers:
		unique = []string{"email", "external_id"}
	case zdOrgs:
		unique = []string{"name", "external_id"}
	}
	for _, path := range unique {
		value := text(changes[path].New)
		for _, other := range c.with(path, value, path != "email") {
			if other != it {
				return &clash{other, path, value}
			}
		}
	}
	return nil
}

func zdError(status int, code, description string) answer {
	return jsonAnswer(status, map[string]any{"error": code, "description": description})
}

// zdInvalid is the answer to values that cannot be stored: field → what is
// wrong and the vendor's code of it.
func zdInvalid(details map[string][2]string) answer {
	m := map[string]any{}
	for field, d := range details {
		m[field] = []map[string]any{{"description": d[0], "error": d[1]}}
	}
	return jsonAnswer(http.StatusUnprocessableEntity, map[string]any{"error": "RecordInvalid", "description": "Record validation errors", "details": m})
}

func zdMissing() answer { return zdError(http.StatusNotFound, "RecordNotFound", "Not found") }

func (zendesk) says(c *call, t trouble) answer {
	switch t.status {
	case http.StatusTooManyRequests:
		what := "API requests"
		if t.limit.Only == "incremental" {
			what = "incremental export API requests"
		}
		a := zdError(t.status, "APIRateLimitExceeded", "Number of allowed "+what+" per minute exceeded")
		if t.wait > 0 {
			a.retryAfter = seconds(t.wait)
		}
		a.header = zdRateHeaders(c)
		return a
	case http.StatusOK:
		return zdError(t.status, "InternalError", "the request was not carried out")
	case http.StatusInternalServerError:
		return jsonAnswer(t.status, map[string]any{"status": t.status, "error": "Internal Server Error"})
	case http.StatusServiceUnavailable:
		return zdError(t.status, "ServiceUnavailable", "The service is temporarily unavailable")
	}
	return zdError(t.status, "InvalidRequest", t.why)
}

func zdRateHeaders(c *call) http.Header {
	h := http.Header{}
	for i, l := range c.s.settings.Limits {
		if l.Only == "" {
			h.Set("X-Rate-Limit", strconv.Itoa(l.Requests))
			h.Set("X-Rate-Limit-Remaining", strconv.Itoa(c.s.room(i)))
		}
	}
	return h
}

func (zendesk) allows(c *call) (answer, bool) {
	want := c.s.profile.Token
	if want == "" {
		return answer{}, true
	}
	if user, password, ok := c.r.BasicAuth(); ok {
		good := subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(ZendeskEmail+"/token:"+want)) == 1
		return jsonAnswer(http.StatusUnauthorized, map[string]any{"error": "Couldn't authenticate you"}), good
	}
	given, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return jsonAnswer(http.StatusUnauthorized, map[string]any{"error": "Couldn't authenticate you"}), false
	}
	good := subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
	return jsonAnswer(http.StatusUnauthorized, map[string]any{
		"error": "invalid_token", "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons.",
	}), good
}

// handler serves every path with and without .json at its end.
func (z zendesk) handler(s *System) http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, rt route) {
		do := rt.do
		rt.do = func(c *call) answer {
			c.s.workJobs(c)
			a := do(c)
			if a.header == nil {
				a.header = zdRateHeaders(c)
			}
			return a
		}
		mux.HandleFunc(pattern, s.vendor(rt))
	}
	on("GET /api/v2/incremental/users/cursor", route{object: zdUsers, class: "incremental", list: true, first: "cursor", do: z.cursorExport})
	on("GET /api/v2/incremental/tickets/cursor", route{object: zdTix, class: "incremental", list: true, first: "cursor", do: z.cursorExport})
	for _, kind := range []string{zdUsers, zdOrgs, zdTix} {
		p := "/api/v2/" + kind
		on("GET /api/v2/incremental/"+kind, route{object: kind, class: "incremental", list: true, do: z.timeExport})
		on("GET "+p, route{object: kind, list: true, first: "page[after]", do: z.list})
		on("GET "+p+"/show_many", route{object: kind, do: z.showMany})
		on("GET "+p+"/{id}", route{object: kind, do: z.one})
		on("POST "+p, route{object: kind, write: true, do: z.create})
		on("PUT "+p+"/{id}", route{object: kind, write: true, do: z.update})
		on("DELETE "+p+"/{id}", route{object: kind, write: true, do: z.remove})
		on("POST "+p+"/create_many", route{object: kind, write: true, do: z.queue})
		on("PUT "+p+"/update_many", route{object: kind, write: true, do: z.queue})
	}
	for _, kind := range []string{zdUsers, zdOrgs} {
		p := "/api/v2/" + kind
		on("GET "+p+"/search", route{object: kind, do: z.searchKind})
		on("POST "+p+"/create_or_update", route{object: kind, write: true, do: z.createOrUpdate})
	}
	on("POST /api/v2/users/create_or_update_many", route{object: zdUsers, write: true, do: z.queue})
	on("PUT /api/v2/users/{id}/merge", route{object: zdUsers, write: true, do: z.mergeUsers})
	on("POST /api/v2/organizations/{id}/merge", route{object: zdOrgs, write: true, do: z.mergeOrganizations})
	on("GET /api/v2/deleted_users", route{object: zdUsers, list: true, first: "page[after]", do: z.deletedList})
	on("GET /api/v2/deleted_tickets", route{object: zdTix, list: true, first: "page[after]", do: z.deletedList})
	on("GET /api/v2/job_statuses/show_many", route{object: zdJobs, do: z.jobs})
	on("GET /api/v2/job_statuses", route{object: zdJobs, do: z.jobs})
	on("GET /api/v2/job_statuses/{id}", route{object: zdJobs, do: z.job})
	on("/", route{object: "?", do: func(*call) answer { return zdError(http.StatusNotFound, "InvalidEndpoint", "Not found") }})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bare, ok := strings.CutSuffix(r.URL.Path, ".json"); ok {
			short := r.Clone(r.Context())
			short.URL.Path, short.URL.RawPath = bare, ""
			r = short
		}
		mux.ServeHTTP(w, r)
	})
}
