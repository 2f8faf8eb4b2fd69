package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// hsBatchMax is the most inputs of one batch.
const hsBatchMax = 100

// hsBatch is the body of a batch.
type hsBatch struct {
	Properties []string  `json:"properties"`
	IDProperty string    `json:"idProperty"`
	Inputs     []hsInput `json:"inputs"`
}

// batch reads and bounds the body of a batch.
func (h hubspot) batch(c *call) (b hsBatch, a answer, ok bool) {
	if a, ok := h.decode(c, &b); !ok {
		return b, a, false
	}
	if len(b.Inputs) == 0 || len(b.Inputs) > hsBatchMax {
		return b, h.invalid(c, "the number of inputs must be between 1 and "+strconv.Itoa(hsBatchMax)), false
	}
	for _, in := range b.Inputs {
		if a, ok := h.idProperty(c, cmp.Or(in.IDProperty, b.IDProperty)); !ok {
			return b, a, false
		}
	}
	return b, answer{}, true
}

// batchAnswer is 207 as soon as one input failed.
func (h hubspot) batchAnswer(c *call, status int, results, errs []map[string]any) answer {
	now := hsTime(c.s.now(c.s.n))
	m := map[string]any{"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
	if len(errs) > 0 {
		status = http.StatusMultiStatus
		m["errors"], m["numErrors"] = errs, len(errs)
	}
	return h.answer(c, status, m)
}

// lost is the error of inputs whose objects are not there, all in one.
func (hubspot) lost(object string, ids []string) []map[string]any {
	if len(ids) == 0 {
		return nil
	}
	return []map[string]any{{
		"status": "error", "category": "OBJECT_NOT_FOUND",
		"message": "Could not get some " + strings.ToUpper(hsSingular(object)) + " objects, they may be deleted or not exist. Check that ids are valid.",
		"context": map[string]any{"ids": ids},
	}}
}

func (h hubspot) batchRead(c *call) answer {
	b, a, ok := h.batch(c)
	if !ok {
		return a
	}
	col := c.s.objects[c.object]
	sh := hsShape{properties: b.Properties}
	if sh.properties == nil {
		sh.properties = hsDefaults(c.object)
	}
	results, lost := []map[string]any{}, []string(nil)
	for _, in := range b.Inputs {
		it := h.find(col, in.ID, cmp.Or(in.IDProperty, b.IDProperty))
		if it == nil || it.deleted != (c.r.URL.Query().Get("archived") == "true") {
			lost = append(lost, in.ID)
			continue
		}
		results = append(results, h.render(col, it, sh))
	}
	return h.batchAnswer(c, http.StatusOK, results, h.lost(c.object, lost))
}

// batchProblems refuses the whole batch for any property that is not right.
func (h hubspot) batchProblems(c *call, col *collection, inputs []hsInput) (answer, bool) {
	var list []hsProblem
	for _, in := range inputs {
		list = append(list, h.problems(col, in.Properties)...)
	}
	if list == nil {
		return answer{}, true
	}
	return h.refuseProperties(c, list), false
}

// batchCreate makes all or, when every input has a trace id, those that can be
// made: without one the vendor cannot say which it was, and refuses all.
func (h hubspot) batchCreate(c *call) answer {
	b, a, ok := h.batch(c)
	if !ok {
		return a
	}
	col := c.s.objects[c.object]
	if a, ok := h.batchProblems(c, col, b.Inputs); !ok {
		return a
	}
	traced := !slices.ContainsFunc(b.Inputs, func(in hsInput) bool { return in.TraceID == "" })
	if !traced {
		seen := map[string]bool{}
		for _, in := range b.Inputs {
			changes := h.plan(c, col, nil, in)
			mail := text(changes[hsProperty("email")].New)
			if cl := h.clash(c.s, col, nil, changes); cl != nil || mail != "" && c.object == hsContacts && seen[mail] {
				word := hsSingular(c.object)
				return h.hsError(c, http.StatusConflict, "CONFLICT", strings.ToUpper(word[:1])+word[1:]+" already exists", nil)
			}
			seen[mail] = true
		}
	}
	results, errs := []map[string]any{}, []map[string]any(nil)
	for _, in := range b.Inputs {
		changes := h.plan(c, col, nil, in)
		if cl := h.clash(c.s, col, nil, changes); cl != nil {
			errs = append(errs, hsConflictOf(cl, c.object, in.TraceID))
			continue
		}
		results = append(results, h.withTrace(h.render(col, h.keep(c, col, nil, changes), hsShape{}), in))
	}
	return h.batchAnswer(c, http.StatusCreated, results, errs)
}

func hsConflictOf(cl *clash, object, trace string) map[string]any {
	ctx := map[string]any{"existingId": []string{cl.other.id}}
	if trace != "" {
		ctx["objectWriteTraceId"] = []string{trace}
	}
	return map[string]any{"status": "error", "category": "CONFLICT", "message": hsExists(cl, object), "context": ctx}
}

func (hubspot) withTrace(m map[string]any, in hsInput) map[string]any {
	if in.TraceID != "" {
		m["objectWriteTraceId"] = in.TraceID
	}
	return m
}

func (h hubspot) batchUpdate(c *call) answer {
	b, a, ok := h.batch(c)
	if !ok {
		return a
	}
	col := c.s.objects[c.object]
	var twice []string
	seen := map[string]bool{}
	for _, in := range b.Inputs {
		if seen[in.ID] {
			twice = append(twice, in.ID)
		}
		seen[in.ID] = true
	}
	if twice != nil {
		return h.hsError(c, http.StatusBadRequest, "VALIDATION_ERROR", "Duplicate IDs found in batch input: ["+strings.Join(twice, ", ")+"]. IDs must be unique",
			map[string]any{"context": map[string]any{"ids": twice}})
	}
	if a, ok := h.batchProblems(c, col, b.Inputs); !ok {
		return a
	}
	results, errs, lost := []map[string]any{}, []map[string]any(nil), []string(nil)
	for _, in := range b.Inputs {
		it := h.find(col, in.ID, cmp.Or(in.IDProperty, b.IDProperty))
		if it == nil || it.deleted {
			lost = append(lost, in.ID)
			continue
		}
		changes := h.plan(c, col, it, in)
		if cl := h.clash(c.s, col, it, changes); cl != nil {
			errs = append(errs, hsConflictOf(cl, c.object, in.TraceID))
			continue
		}
		it = h.keep(c, col, it, changes)
		results = append(results, h.withTrace(h.render(col, it, hsShape{}), in))
	}
	return h.batchAnswer(c, http.StatusOK, results, append(errs, h.lost(c.object, lost)...))
}

// batchUpsert creates or updates by a unique property.
func (h hubspot) batchUpsert(c *call) answer {
	b, a, ok := h.batch(c)
	if !ok {
		return a
	}
	col := c.s.objects[c.object]
	if a, ok := h.batchProblems(c, col, b.Inputs); !ok {
		return a
	}
	results, errs := []map[string]any{}, []map[string]any(nil)
	for _, in := range b.Inputs {
		by := cmp.Or(in.IDProperty, b.IDProperty)
		if in.ID == "" || by == "" {
			return h.invalid(c, "every input needs id and idProperty")
		}
		it := h.find(col, in.ID, by)
		if it != nil && it.deleted {
			it = nil
		}
		if in.Properties == nil {
			in.Properties = map[string]any{}
		}
		if _, given := in.Properties[by]; !given && by != "hs_object_id" {
			in.Properties[by] = in.ID
		}
		changes := h.plan(c, col, it, in)
		if cl := h.clash(c.s, col, it, changes); cl != nil {
			errs = append(errs, hsConflictOf(cl, c.object, in.TraceID))
			continue
		}
		made := h.keep(c, col, it, changes)
		m := h.withTrace(h.render(col, made, hsShape{}), in)
		m["new"] = it == nil
		results = append(results, m)
	}
	return h.batchAnswer(c, http.StatusOK, results, errs)
}

func (h hubspot) batchArchive(c *call) answer {
	b, a, ok := h.batch(c)
	if !ok {
		return a
	}
	col := c.s.objects[c.object]
	for _, in := range b.Inputs {
		if it := col.live(in.ID); it != nil {
			c.store(col, it, Applied{Deleted: true})
		}
	}
	return answer{status: http.StatusNoContent, header: h.rateHeaders(c)}
}
