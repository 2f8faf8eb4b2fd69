package web

import (
	"fmt"
	"time"
)

// customerTabs are the pages of one customer, and which of them this is.
type customerTabs struct{ ID, Entity, Here string }

// passed hands a part of a page what it shows, with the time of the page.
type passed struct {
	Now  time.Time
	V    any
	Link string // where its links begin
}

// drawing is a chart with what it says.
type drawing struct {
	Chart treeChart
	Title string
}

// first gives the first rows of a list, of those that say the same one.
func first(n int, list []RelationRow) (out []RelationRow) {
	type said struct{ kind, id, ref, title, role, stance string }
	seen := map[said]bool{}
	for _, r := range list {
		s := said{r.Kind, r.Other.ID, r.Other.Ref, r.Title, r.Role, r.Stance}
		if r.Other.ID != "" {
			s.ref = ""
		}
		if len(out) < n && !seen[s] {
			seen[s] = true
			out = append(out, r)
		}
	}
	return out
}

// month writes 2026-03 as people do.
func (w words) month(m string) string {
	t, err := time.Parse("2006-01", m)
	if err != nil {
		return m
	}
	if w.Code == "en" {
		return t.Format("January 2006")
	}
	return fmt.Sprintf(w.T("month"), t.Year(), int(t.Month()))
}
