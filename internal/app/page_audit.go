package app

import (
	"context"
	"strings"

	"touchstone/internal/audit"
	"touchstone/internal/web"
)

// Refused keeps that somebody was not let do what an address does.
func (a *App) Refused(ctx context.Context, who, address, detail string) error {
	return a.Store.Note(ctx, audit.Entry{Who: who, What: "request.refused", Subjects: []string{address}, Outcome: audit.Refused, Detail: detail})
}

// AuditPage lists the trail for the page.
func (a *App) AuditPage(ctx context.Context, q web.AuditQuery) (p web.AuditPage, err error) {
	rows, err := a.ListAudit(ctx, AuditQuery{Who: q.Who, What: q.What, Subject: q.Subject, From: q.From, To: q.To, Before: q.Before}, q.Limit+1)
	if err != nil {
		return p, err
	}
	rows, p.Next = pageOf(rows, q.Limit, func(r AuditRow) int64 { return r.Seq })
	var decisions []string
	for _, r := range rows {
		if takesBack(r) {
			decisions = append(decisions, r.Subjects[0])
		}
	}
	inForce, err := a.Store.InForce(ctx, decisions)
	if err != nil {
		return p, err
	}
	for _, r := range rows {
		e := web.AuditEntry{Seq: r.Seq, N: r.N, At: r.At, Who: r.Who, Role: r.Role, Request: r.Request, What: r.What, Subjects: r.Subjects, Outcome: r.Outcome, Detail: r.Detail}
		if takesBack(r) && inForce[r.Subjects[0]] {
			e.Undo = r.Subjects[0]
		}
		p.List = append(p.List, e)
	}
	if p.Whos, err = a.Store.AuditWhos(ctx); err != nil {
		return p, err
	}
	if p.Whats, err = a.Store.AuditWhats(ctx); err != nil {
		return p, err
	}
	s, err := a.AuditState(ctx)
	p.State = web.AuditState{
		Sealed: s.Sealed, Open: s.Open, Verified: parse(s.Verified.At), Upto: s.Verified.Upto, Problem: s.Verified.Problem, Found: s.Verified.Found,
		Checkpoint: parse(s.Checkpoint), Elsewhere: s.Elsewhere, Unsent: s.Unsent,
	}
	return p, err
}

// takesBack says whether an entry tells of a decision that a person can undo.
func takesBack(r AuditRow) bool {
	return strings.HasPrefix(r.What, "decision.") && r.What != "decision.expiry" && len(r.Subjects) > 0
}
