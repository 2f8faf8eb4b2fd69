package storetest

import (
	"fmt"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func plans() []subtest {
	return []subtest{
		{"APartIsLetGoAndTheRestIsHeld", planApprovePart},
		{"WhatIsHeldStaysHeldWhenPlannedAnew", planHeldAnew},
		{"APartIsRefusedAndTakenBack", planRefusePart},
		{"APauseIsKept", planPause},
		{"RunsKeepTheirLastLines", runLines},
		{"RunsAreListedByPage", runPages},
		{"OldRunsAreForgottenAndStillCount", runsForgotten},
		{"ProfilesAndHealthAreKept", profileKept},
		{"AlertNotesAreKept", alertNotes},
		{"DoublesOfASource", doubles},
	}
}

// fielded is a row that writes these paths.
func fielded(target string, rec int64, paths ...string) store.Row {
	r := row(target, rec, rec, "x")
	clear(r.Fields)
	for _, p := range paths {
		r.Fields[p] = quoted(p)
	}
	return r
}

func (b *Bench) parts(target string) string {
	b.Helper()
	list, err := b.DB.PlanParts(b.Context(), target)
	b.Must(err)
	var out []string
	for _, p := range list {
		held := ""
		if p.Held {
			held = " held"
		}
		out = append(out, fmt.Sprintf("%s %s ×%d%s", p.Op, strings.Join(p.Paths, "+"), p.Rows, held))
	}
	return strings.Join(out, "; ")
}

func planApprovePart(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2", "3", "4")
	rows := b.add(fielded("out", r[0], "phone"), fielded("out", r[1], "phone", "email"), fielded("out", r[2], "phones"), row("out", r[3], 0, "new"))
	same(b, "parts", b.parts("out"), "create name ×1; update email+phone ×1; update phone ×1; update phones ×1")
	last, err := b.DB.LastWaiting(ctx, "out")
	b.Must(err)
	same(b, "last waiting", last, rows[3].Seq)
	phone := store.PlanFilter{Target: "out", Op: "update", Path: "phone", Upto: last}
	list, err := b.DB.PlanRows(ctx, phone, 0, 10)
	b.Must(err)
	same(b, "rows that write phone", len(list), 2)
	n, err := b.DB.ApprovePart(ctx, phone, "rules", "amy", "looks right")
	b.Must(err)
	same(b, "let go", n, 2)
	same(b, "claimed", len(b.claim("out", 10)), 2)
	due, err := b.DB.NextDue(ctx, "out")
	b.Must(err)
	same(b, "what is held is never due", due.IsZero(), true)
	n, err = b.DB.ApprovePart(ctx, store.PlanFilter{Target: "out", Op: "create", Upto: last}, "rules", "amy", "")
	b.Must(err)
	same(b, "creates let go", n, 1)
	same(b, "parts left", b.parts("out"), "create name ×1; update phones ×1 held")
	b.Must(b.DB.ApproveUpto(ctx, "out", "rules", "amy", "", last))
	same(b, "with the whole nothing is held", b.parts("out"), "create name ×1; update phones ×1")
}

func planHeldAnew(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	rows := b.add(fielded("out", r[0], "phone"), fielded("out", r[1], "email"))
	_, err := b.DB.ApprovePart(ctx, store.PlanFilter{Target: "out", Path: "email", Upto: rows[1].Seq}, "rules", "amy", "")
	b.Must(err)
	b.Link(func(tx *store.LinkTx) error {
		return tx.AddRows(ctx, []store.Row{fielded("out", r[0], "phone", "fax"), fielded("out", r[1], "email", "fax")}, []int64{rows[0].Seq, rows[1].Seq})
	})
	same(b, "parts", b.parts("out"), "update email+fax ×1; update fax+phone ×1 held")
}

func planRefusePart(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2", "3")
	b.add(fielded("out", r[0], "phone"), fielded("out", r[1], "phone"), fielded("out", r[2], "email"))
	b.Resolved()
	n, err := b.DB.RefusePart(ctx, store.PlanFilter{Target: "out", Path: "phone"}, "amy", "phones are theirs", 10)
	b.Must(err)
	same(b, "refused", n, 2)
	list, total, err := b.DB.RefusedRows(ctx, "out", 0, 1)
	b.Must(err)
	if len(list) != 1 || total != 2 || !strings.Contains(list[0].Error, "amy: phones are theirs") || !list[0].Dropped {
		b.Errorf("refused rows %+v of %d: want one of two, with who and why", list, total)
	}
	same(b, "planned again at once", len(b.resolving()), 2)
	b.Resolved()
	_, err = b.DB.Unrefuse(ctx, []string{list[0].ID}, "amy", "Ann Lee called")
	b.Must(err)
	row, err := b.DB.RowByID(ctx, list[0].ID)
	b.Must(err)
	same(b, "the row says who took it back and why", row.Error, "refusal taken back by amy: Ann Lee called")
	trail, err := b.DB.AuditList(ctx, store.AuditFilter{Subject: row.ID, What: []string{"plan.unrefuse"}}, 10)
	b.Must(err)
	if len(trail) != 1 || trail[0].Who != "amy" || len(trail[0].After) > 0 {
		b.Errorf("the trail tells of the refusal taken back as %+v: want one entry of amy's without the reason", trail)
	}
	same(b, "planned again when taken back", b.resolving(), r[:1])
	_, total, err = b.DB.RefusedRows(ctx, "out", 0, 1)
	b.Must(err)
	same(b, "refused that are left", total, 1)
	if _, err := b.DB.Unrefuse(ctx, []string{list[0].ID}, "amy", ""); err == nil {
		b.Error("a refusal is taken back twice")
	}
}

func planPause(b *Bench) {
	ctx := b.Context()
	_, paused, err := b.DB.Paused(ctx, "out")
	b.Must(err)
	same(b, "paused at first", paused, false)
	b.Must(b.DB.PauseTarget(ctx, "out", "amy", "wrong numbers"))
	p, paused, err := b.DB.Paused(ctx, "out")
	b.Must(err)
	same(b, "paused", fmt.Sprint(paused, p.Who, p.Why, p.At != ""), "trueamywrong numberstrue")
	b.Must(b.DB.ResumeTarget(ctx, "out", "amy"))
	_, paused, err = b.DB.Paused(ctx, "out")
	b.Must(err)
	same(b, "paused after going on", paused, false)
}

func runLines(b *Bench) {
	ctx := b.Context()
	run, err := b.DB.StartRun(ctx, Source, Entity)
	b.Must(err)
	b.LandAs(store.Landing{Run: run, Items: []store.Item{Item("1", Named("a")), Item("2", Bad("b"))}})
	for i := range 205 {
		b.Must(b.DB.SayRun(ctx, run, "warn", fmt.Sprint("note ", i)))
	}
	b.Must(b.DB.EndRun(ctx, run, "the line broke"))
	lines, err := b.DB.RunLines(ctx, run)
	b.Must(err)
	if len(lines) != 200 || lines[199].Text != "the line broke" || lines[199].Level != "error" || lines[0].N != 8 || lines[0].Text != "note 6" {
		b.Errorf("%d lines, the first %+v, want the last 200", len(lines), lines[0])
	}
	second, err := b.DB.StartRun(ctx, Source, Entity)
	b.Must(err)
	b.LandAs(store.Landing{Run: second, Items: []store.Item{Item("1", Named("a"))}})
	b.Must(b.DB.StopRun(ctx, second))
	lines, err = b.DB.RunLines(ctx, second)
	b.Must(err)
	if len(lines) != 2 || lines[0].Text != "pulled 1, unchanged 1" || lines[1].Level != "warn" {
		b.Errorf("lines of a stopped run: %+v", lines)
	}
}

func runPages(b *Bench) {
	ctx := b.Context()
	var ids []string
	for i := range 5 {
		run, err := b.DB.StartRun(ctx, []string{Source, "erp"}[i%2], Entity)
		b.Must(err)
		b.Must(b.DB.EndRun(ctx, run, []string{"", "", "broke"}[i%3]))
		ids = append([]string{run}, ids...)
	}
	var got []string
	f := store.RunFilter{Limit: 2}
	for {
		page, err := b.DB.RunList(ctx, f)
		b.Must(err)
		for _, r := range page {
			got = append(got, r.ID)
			f.Started, f.ID = r.Started, r.ID
		}
		if len(page) < 2 {
			break
		}
	}
	same(b, "runs, newest first", got, ids)
	list, err := b.DB.RunList(ctx, store.RunFilter{Source: "erp", Limit: 9})
	b.Must(err)
	same(b, "runs of one source", len(list), 2)
	list, err = b.DB.RunList(ctx, store.RunFilter{State: "failed", Limit: 9})
	b.Must(err)
	same(b, "runs that failed", len(list), 1)
	one, err := b.DB.RunShow(ctx, ids[0])
	b.Must(err)
	same(b, "the run asked for", one.ID, ids[0])
	if _, err := b.DB.RunShow(ctx, "none"); err == nil || !strings.Contains(err.Error(), record.ErrNotFound.Error()) {
		b.Errorf("a run that is not there: %v", err)
	}
	took, pulled, err := b.DB.Took(ctx, Source, Entity, 9)
	b.Must(err)
	same(b, "past runs", fmt.Sprint(len(took), pulled), "2 [0 0]")
}

func runsForgotten(b *Bench) {
	ctx := b.Context()
	for i := range 140 {
		run, err := b.DB.StartRun(ctx, Source, Entity)
		b.Must(err)
		b.LandAs(store.Landing{Run: run, Items: []store.Item{Item("1", Named("a"))}})
		problem := ""
		if i > 20 {
			problem = "broke"
		}
		b.Must(b.DB.EndRun(ctx, run, problem))
		b.Clock.Advance(24 * time.Hour)
	}
	list, err := b.DB.RunList(ctx, store.RunFilter{Limit: 1000})
	b.Must(err)
	// The newest hundred with the one that began last, the first, and the last good one.
	if len(list) >= 140 || len(list) < 100 {
		b.Errorf("%d of 140 runs are left", len(list))
	}
	done, err := b.DB.PassDone(ctx, Source, Entity)
	b.Must(err)
	same(b, "the last good run is kept", done, true)
	sums, err := b.DB.RunSums(ctx)
	b.Must(err)
	same(b, "pulled in all", sums[Source].Pulled, 140)
	first, err := b.DB.FirstRuns(ctx)
	b.Must(err)
	if at := first[Source]; at.Sub(Start()) > time.Hour {
		b.Errorf("the first run is of %v, want of the beginning", at)
	}
}

func profileKept(b *Bench) {
	ctx := b.Context()
	b.landNamed("1", "2")
	mark, err := b.DB.ProfileMark(ctx, Source, Entity)
	b.Must(err)
	again, err := b.DB.ProfileMark(ctx, Source, Entity)
	b.Must(err)
	same(b, "the mark of what is the same", again, mark)
	b.landNamed("3")
	moved, err := b.DB.ProfileMark(ctx, Source, Entity)
	b.Must(err)
	same(b, "the mark moves", moved != mark, true)
	for _, body := range []string{`{"a":1}`, `{"a":2}`} {
		b.Must(b.DB.SaveProfile(ctx, store.Profile{Source: Source, Entity: Entity, At: "t", Mark: mark, Body: body}))
	}
	list, err := b.DB.Profiles(ctx)
	b.Must(err)
	same(b, "profiles", list, []store.Profile{{Source: Source, Entity: Entity, At: "t", Mark: mark, Body: `{"a":2}`}})
	page, err := b.DB.HoldingsPage(ctx, Source, Entity, 0, 2)
	b.Must(err)
	rest, err := b.DB.HoldingsPage(ctx, Source, Entity, page[len(page)-1].Rec, 2)
	b.Must(err)
	same(b, "records by page", fmt.Sprint(len(page), page[0].ID, len(rest)), "211")

	day := func(d, body string) store.Health { return store.Health{Day: d, At: "t", Body: body} }
	b.Must(b.DB.SaveHealth(ctx, []store.Health{day("2026-01-01", "1"), day("2026-01-02", "2")}, ""))
	b.Must(b.DB.SaveHealth(ctx, []store.Health{day("2026-01-02", "3")}, "2026-01-02"))
	days, err := b.DB.HealthSince(ctx, "2026-01-01")
	b.Must(err)
	same(b, "days", days, []store.Health{day("2026-01-02", "3")})
	levels(b)
}

func alertNotes(b *Bench) {
	ctx := b.Context()
	for _, until := range []string{"", "2027"} {
		b.Must(b.DB.NoteAlert(ctx, store.AlertNote{Rule: "disk_low", Who: "amy", Why: "ordered", Until: until}))
	}
	list, err := b.DB.AlertNotes(ctx)
	b.Must(err)
	if len(list) != 1 || list[0].Until != "2027" || list[0].Who != "amy" || list[0].At == "" {
		b.Errorf("notes %+v: want the second in the place of the first", list)
	}
	b.Must(b.DB.UnnoteAlert(ctx, "disk_low", "", "amy"))
	list, err = b.DB.AlertNotes(ctx)
	b.Must(err)
	same(b, "notes left", len(list), 0)
}

func doubles(b *Bench) {
	r := b.landNamed("1", "2", "3")
	b.place(store.Placed{Rec: r[0], Comp: r[0], Golden: r[0]}, store.Placed{Rec: r[1], Comp: r[0], Golden: r[0]}, store.Placed{Rec: r[2], Comp: r[2], Golden: r[2]})
	live, double, err := b.DB.Doubles(b.Context(), Source, Entity)
	b.Must(err)
	same(b, "live and double", []int{live, double}, []int{3, 1})
}

// levels adds time to service levels, none of it twice.
func levels(b *Bench) {
	ctx := b.Context()
	b.Helper()
	at := func(minute int) time.Time { return time.Date(2026, 1, 2, 0, minute, 0, 0, time.UTC) }
	until, err := b.DB.LevelsUntil(ctx)
	b.Must(err)
	same(b, "kept before the first time", until.IsZero(), true)
	day := func(day string, good, whole time.Duration) store.LevelDay {
		return store.LevelDay{Day: day, Kind: "source", Name: "u", Good: good, Whole: whole}
	}
	b.Must(b.DB.AddLevels(ctx, []store.LevelDay{day("2026-01-01", time.Minute, time.Minute)}, at(0), at(1), ""))
	b.Must(b.DB.AddLevels(ctx, []store.LevelDay{day("2026-01-02", time.Second, time.Minute)}, at(1), at(2), ""))
	for range 2 { // as if two asked at once
		b.Must(b.DB.AddLevels(ctx, []store.LevelDay{day("2026-01-02", time.Minute, 3*time.Minute)}, at(2), at(5), "2026-01-02"))
	}
	list, err := b.DB.LevelsSince(ctx, "2026-01-01")
	b.Must(err)
	same(b, "levels", list, []store.LevelDay{day("2026-01-02", time.Minute+time.Second, 4*time.Minute)})
	until, err = b.DB.LevelsUntil(ctx)
	b.Must(err)
	same(b, "kept until", until, at(5))
}
