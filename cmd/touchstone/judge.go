package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"touchstone/internal/app"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// objectNames says how a system names what it holds of our entities.
func objectNames(system string) map[string]string {
	if system == "zendesk" {
		return map[string]string{record.Company: "organizations", record.Person: "users"}
	}
	return map[string]string{record.Company: "companies", record.Person: "contacts"}
}

// judge compares what a system says was applied with what our outbox says was
// delivered. The system's own log decides: every delivered row was applied, no
// write was applied twice, and nothing was applied that we do not know of.
func judge(ctx context.Context, a *app.App, system, base string) (judged int, wrong []string, err error) {
	applied, err := appliedLog(ctx, base)
	if err != nil {
		return 0, nil, fmt.Errorf("read the applied log of %s: %w", system, err)
	}
	objects := objectNames(system)
	creates := map[string]int{}            // our key → objects made
	values := map[string]map[string]bool{} // object/id/path → values it was ever given
	ours := 0
	for _, w := range applied {
		if w.Actor != "api" {
			continue
		}
		if len(w.Fields) > 0 || w.Created {
			ours++
		}
		if w.Created && w.ExternalID != "" {
			creates[w.ExternalID]++
		}
		for path, c := range w.Fields {
			note(values, w.Object+"/"+w.ID+"/"+path, c.New)
		}
	}
	for _, twice := range simulator.Doubled(applied) {
		wrong = append(wrong, system+": "+twice)
	}
	delivered := 0
	for after := int64(0); ; {
		rows, err := a.Store.Rows(ctx, "", store.Delivered, after, 500)
		if err != nil {
			return 0, nil, err
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			after = r.Seq
			if a.SourceName(r.System) != system {
				continue
			}
			delivered++
			judged++
			if r.Op != string(record.Update) && creates[r.Key] == 0 {
				wrong = append(wrong, fmt.Sprintf("%s: row %s says golden record %s was created, the log knows nothing of it", system, r.ID, r.Key))
				continue
			}
			for path, sent := range r.Fields {
				if !wasGiven(values, objects[r.Entity]+"/"+r.ExternalID+"/"+path, sent, r.Got[path]) {
					wrong = append(wrong, fmt.Sprintf("%s: row %s says %s of %s was written, the log knows nothing of it", system, r.ID, path, r.ExternalID))
				}
			}
		}
	}
	unsettled, err := unsettledRows(ctx, a, system)
	if err != nil {
		return 0, nil, err
	}
	if ours > delivered+unsettled {
		wrong = append(wrong, fmt.Sprintf("%s: %d writes were applied, the outbox knows of %d", system, ours, delivered+unsettled))
	}
	return judged, wrong, nil
}

// unsettledRows counts the writes of which the outbox knows that they may have
// been applied.
func unsettledRows(ctx context.Context, a *app.App, system string) (n int, err error) {
	for _, state := range []string{store.Unknown, store.Inflight} {
		for after := int64(0); ; {
			rows, err := a.Store.Rows(ctx, "", state, after, 500)
			if err != nil {
				return 0, err
			}
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				after = r.Seq
				if a.SourceName(r.System) == system {
					n++
				}
			}
		}
	}
	return n, nil
}

// note keeps that a path was given a value; a vendor that logs a group of
// fields as one (organization_fields) gave each of them its own.
func note(values map[string]map[string]bool, key string, v any) {
	if group, ok := v.(map[string]any); ok {
		for name, inner := range group {
			note(values, key+"."+name, inner)
		}
	}
	if values[key] == nil {
		values[key] = map[string]bool{}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	x, err := record.DecodeJSON(b)
	if err != nil {
		return
	}
	values[key][string(record.Canonical(nil, x))] = true
}

func wasGiven(values map[string]map[string]bool, key string, wanted ...json.RawMessage) bool {
	for _, w := range wanted {
		if x, err := record.DecodeJSON(w); err == nil && values[key][string(record.Canonical(nil, x))] {
			return true
		}
	}
	return false
}

// appliedLog reads a system's applied log over its admin interface.
func appliedLog(ctx context.Context, base string) ([]simulator.Applied, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/_admin/applied", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the system answers %s", res.Status)
	}
	var list []simulator.Applied
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var w simulator.Applied
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, lines.Err()
}
