package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// zdJobMax is the most objects of one job.
const zdJobMax = 100

// queue takes a job. It is kept as an object of its own, so that it is done
// after a restart too; what it does is logged when it is done.
func (z zendesk) queue(c *call) answer {
	body, err := decodeObject(c.body)
	if err != nil {
		return zdError(http.StatusBadRequest, "InvalidRequest", "the body is not a JSON object")
	}
	path := strings.TrimSuffix(c.r.URL.Path, "/")
	op := path[strings.LastIndex(path, "/")+1:]
	list, _ := body[c.object].([]any)
	one, bulk := body[zdSingular(c.object)].(map[string]any)
	if bulk && op == "update_many" { // the same change to many
		list = nil
		q := c.r.URL.Query()
		for _, id := range commas(q, "ids") {
			m := cloneMap(one)
			m["id"] = zdID(id)
			list = append(list, m)
		}
		for _, key := range commas(q, "external_ids") {
			m := cloneMap(one)
			m["external_id"] = key
			list = append(list, m)
		}
	}
	if len(list) == 0 || len(list) > zdJobMax {
		return zdError(http.StatusBadRequest, "TooManyValues", "want 1 to "+strconv.Itoa(zdJobMax)+" "+c.object)
	}
	steps := c.s.settings.JobSteps
	if steps == 0 {
		steps = 2
	}
	col := c.s.objects[zdJobs]
	job := c.store(col, nil, Applied{Actor: "system", Fields: map[string]Change{
		"job_type": {New: title(zdSingular(c.object)) + " " + strings.ReplaceAll(op, "_", " ")},
		"status":   {New: "queued"}, "total": {New: json.Number(strconv.Itoa(len(list)))}, "due": {New: json.Number(strconv.Itoa(steps))},
		"payload": {New: map[string]any{"kind": c.object, "op": op, "items": list}},
	}})
	return jsonAnswer(http.StatusOK, map[string]any{"job_status": z.jobShown(c, job)})
}

// workJobs moves every job on by one request, and does those whose time has
// come. The call is any that reached the API.
func (s *System) workJobs(c *call) {
	col := s.objects[zdJobs]
	if s.log == nil || s.broken || len(col.order) == 0 {
		return
	}
	for _, job := range col.byIDs() {
		status := text(job.fields["status"])
		if status != "queued" && status != "working" {
			continue
		}
		due, _ := number(job.fields["due"], 0)
		changes := map[string]Change{"due": {Old: job.fields["due"], New: json.Number(strconv.Itoa(due - 1))}, "status": {Old: status, New: "working"}}
		if due <= 1 {
			results := zendesk{}.perform(c, job)
			changes["status"] = Change{Old: status, New: "completed"}
			changes["results"] = Change{New: results}
			changes["message"] = Change{New: "Completed at " + s.now(s.n).Format("2006-01-02 15:04:05 +0000")}
		}
		(&call{s: s, r: c.r, object: zdJobs}).store(col, job, Applied{Actor: "system", Fields: changes})
	}
}

// perform does the work of a job: each item for itself, some may fail.
func (z zendesk) perform(c *call, job *item) []any {
	payload, _ := job.fields["payload"].(map[string]any)
	kind, op := text(payload["kind"]), text(payload["op"])
	list, _ := payload["items"].([]any)
	own := &call{s: c.s, r: c.r, object: kind}
	col := c.s.objects[kind]
	results := make([]any, 0, len(list))
	for i, v := range list {
		in, _ := v.(map[string]any)
		r := map[string]any{"index": json.Number(strconv.Itoa(i))}
		results = append(results, r)
		fail := func(code, details string) {
			r["error"], r["details"], r["success"], r["status"] = code, details, false, "Failed"
		}
		var it *item
		switch op {
		case "update_many":
			if id, ok := zdID(in["id"]).(json.Number); ok {
				it = col.live(id.String())
				r["id"] = id
			} else if found := col.with("external_id", text(in["external_id"]), true); len(found) > 0 {
				it = found[0]
			}
			if it == nil {
				fail("RecordNotFound", "Not found")
				continue
			}
		case "create_or_update_many":
			it = z.match(col, in)
		}
		if kind == zdTix && it == nil {
			if a, ok := z.openTicket(own, in); !ok {
				fail("TicketCreateError", string(a.body))
				continue
			}
		}
		changes, wrong := z.plan(own, col, it, in)
		if len(wrong) > 0 {
			fail(title(zdSingular(kind))+map[bool]string{true: "Create", false: "Update"}[it == nil]+"Error", zdWhy(wrong))
			continue
		}
		made := own.store(col, it, Applied{Fields: changes})
		r["id"], r["success"] = json.Number(made.id), true
		r["action"], r["status"] = "update", "Updated"
		if it == nil {
			r["action"], r["status"] = "create", "Created"
		}
		if key := made.fields["external_id"]; key != nil {
			r["external_id"] = key
		}
	}
	return results
}

// zdWhy joins what is wrong, in the order of the fields' names.
func zdWhy(wrong map[string][2]string) string {
	var list []string
	for _, field := range []string{"description", "email", "external_id", "group_id", "name", "organization_id", "requester_id", "assignee_id"} {
		if d, ok := wrong[field]; ok {
			list = append(list, d[0])
		}
	}
	return strings.Join(list, ", ")
}

func (z zendesk) jobShown(c *call, job *item) map[string]any {
	m := map[string]any{
		"id": job.id, "url": c.base() + "/api/v2/job_statuses/" + job.id + ".json", "job_type": job.fields["job_type"], "total": job.fields["total"],
		"status": job.fields["status"], "message": orDefault(job, "message", nil), "results": orDefault(job, "results", nil), "progress": 0,
	}
	if list, ok := job.fields["results"].([]any); ok {
		m["progress"] = len(list)
	}
	return m
}

func (z zendesk) job(c *call) answer {
	job := c.s.objects[zdJobs].byID[c.r.PathValue("id")]
	if job == nil {
		return zdMissing()
	}
	return jsonAnswer(http.StatusOK, map[string]any{"job_status": z.jobShown(c, job)})
}

func (z zendesk) jobs(c *call) answer {
	ids := commas(c.r.URL.Query(), "ids")
	list := []map[string]any{}
	for _, job := range c.s.objects[zdJobs].byIDs() {
		if ids == nil && len(list) < 100 || containsText(ids, job.id) {
			list = append(list, z.jobShown(c, job))
		}
	}
	return jsonAnswer(http.StatusOK, map[string]any{"job_statuses": list, "count": len(list), "next_page": nil, "previous_page": nil})
}

func containsText(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
