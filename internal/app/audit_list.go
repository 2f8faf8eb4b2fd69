package app

import (
	"context"
	"strings"
	"time"

	"touchstone/internal/store"
)

// AuditQuery asks for entries of the audit trail; what is left out is not asked
// for.
type AuditQuery struct {
	Who     string
	What    string // an action ("decision.merge"), or the first word of several ("decision")
	Subject string // the id of a customer, decision, row, target …
	From    string // a day (its beginning) or a time
	To      string // a day (its end) or a time
	Before  int64  // a row's number: those behind it on the list
}

// AuditRow is an entry for people.
type AuditRow struct {
	Seq      int64     `json:"seq"`
	N        int64     `json:"n,omitempty"` // number in the chain; 0 while it is open
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	Role     string    `json:"role,omitempty"`
	Request  string    `json:"request,omitempty"`
	What     string    `json:"what"`
	Subjects []string  `json:"subjects,omitempty"`
	Outcome  string    `json:"outcome"`
	Detail   string    `json:"detail,omitempty"`
}

// ListAudit lists entries, the newest first.
func (a *App) ListAudit(ctx context.Context, q AuditQuery, n int) ([]AuditRow, error) {
	f := store.AuditFilter{Who: strings.TrimSpace(q.Who), Subject: strings.TrimSpace(q.Subject), Before: q.Before}
	var err error
	if f.From, f.To, err = auditTimes(q.From, q.To); err != nil {
		return nil, err
	}
	if f.What, err = a.auditActions(ctx, strings.TrimSpace(q.What)); err != nil {
		return nil, err
	}
	if q.What != "" && len(f.What) == 0 {
		return nil, nil
	}
	items, err := a.Store.AuditList(ctx, f, n)
	if err != nil {
		return nil, err
	}
	rows := make([]AuditRow, len(items))
	for i, e := range items {
		rows[i] = AuditRow{Seq: e.Seq, N: e.N, At: parse(e.At), Who: e.Who, Role: e.Role, Request: e.Request, What: e.What, Subjects: e.Subjects, Outcome: e.Outcome, Detail: e.Detail}
	}
	return rows, nil
}

// auditActions gives the actions that a word stands for; none for "any".
func (a *App) auditActions(ctx context.Context, word string) (list []string, err error) {
	if word == "" {
		return nil, nil
	}
	all, err := a.Store.AuditWhats(ctx)
	if err != nil {
		return nil, err
	}
	for _, what := range all {
		if what == word || strings.HasPrefix(what, strings.TrimSuffix(word, ".")+".") {
			list = append(list, what)
		}
	}
	return list, nil
}

// auditTimes reads the bounds as the store writes times: from the first to before
// the second.
func auditTimes(from, to string) (low, high string, err error) {
	read := func(text string, days int) (string, error) {
		text = strings.TrimSpace(text)
		if text == "" {
			return "", nil
		}
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			return store.TimeText(t.AddDate(0, 0, days)), nil
		}
		t, err := ParseDate(text)
		return store.TimeText(t), err
	}
	if low, err = read(from, 0); err != nil {
		return "", "", err
	}
	high, err = read(to, 1)
	return low, high, err
}
