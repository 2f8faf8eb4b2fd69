package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Count says what happened to one object, by whose hand. "Api" counts are what
// a client is answerable for.
type Count struct {
	Object     string `json:"object"`
	ID         string `json:"id"`
	ExternalID string `json:"external_id,omitempty"`
	Created    int    `json:"created"`   // by the API
	Updated    int    `json:"updated"`   // by the API, and something changed
	Unchanged  int    `json:"unchanged"` // written by the API with what stood there
	Deleted    int    `json:"deleted"`   // by the API, merges too
	Human      int    `json:"human"`     // all that people did
}

// Counters sums an applied log up: one row for each object, in their order.
func Counters(log []Applied) []Count {
	byID := map[[2]string]*Count{}
	for _, e := range log {
		if e.Actor == "system" {
			continue
		}
		key := [2]string{e.Object, e.ID}
		c := byID[key]
		if c == nil {
			c = &Count{Object: e.Object, ID: e.ID}
			byID[key] = c
		}
		c.ExternalID = cmp.Or(e.ExternalID, c.ExternalID)
		switch {
		case e.Actor != "api":
			c.Human++
		case e.Created:
			c.Created++
		case e.Deleted:
			c.Deleted++
		case len(e.Fields) > 0:
			c.Updated++
		default:
			c.Unchanged++
		}
	}
	list := make([]Count, 0, len(byID))
	for _, c := range byID {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), compareIDs(a.ID, b.ID))
	})
	return list
}

// Doubled lists what a client did twice, a sentence each: two objects made for
// one external id, and a change made again although nobody had undone it.
func Doubled(log []Applied) []string {
	made, wrong := map[string][]string{}, []string{}
	for _, e := range log {
		if e.Actor != "api" {
			continue
		}
		if e.Created && e.ExternalID != "" {
			key := e.Object + " for " + e.ExternalID
			made[key] = append(made[key], e.ID)
		}
		if !e.Created && !e.Deleted && len(e.Fields) == 0 {
			wrong = append(wrong, fmt.Sprintf("entry %d: %s %s was written with what stood there", e.N, e.Object, e.ID))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(made)) {
		if len(made[key]) > 1 {
			wrong = append(wrong, fmt.Sprintf("%s were made twice: %v", key, made[key]))
		}
	}
	return wrong
}

func (s *System) adminCounters(http.ResponseWriter, *http.Request) answer {
	log, err := s.Applied()
	if err != nil {
		return refusal(http.StatusInternalServerError, "storage", "the log cannot be read")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"objects": Counters(log), "doubled": Doubled(log)})
}
