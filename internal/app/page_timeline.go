package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// happening is a row of a timeline with its place: by time, and at one time
// events by their number before what we did ourselves.
type happening struct {
	at  string
	seq int64
	web.TimelineRow
}

func (h happening) before(at string, seq int64) bool { return h.at < at || h.at == at && h.seq < seq }

// timelineOf is a timeline's question with everything named.
type timelineOf struct {
	g      store.Golden
	q      web.TimelineQuery
	source string // uid
}

func (a *App) timelineOf(ctx context.Context, id string, q web.TimelineQuery) (t timelineOf, err error) {
	t.q = q
	if t.g, _, err = a.findGolden(ctx, id); err != nil || q.Source == "" {
		return t, err
	}
	t.source, err = a.knownSource(q.Source)
	return t, err
}

// events says whether events are asked for, and of which type.
func (t timelineOf) events() (typ string, wanted bool) {
	switch t.q.Kind {
	case "change", "write":
		return "", false
	case "", "event":
		return "", true
	}
	return t.q.Kind, true
}

// Timeline lists what happened to a customer in all systems, newest first: its
// events, which follow it through merges and splits, how its golden record
// changed, and what was written. Its sums are those of the events it counts.
func (a *App) Timeline(ctx context.Context, id string, q web.TimelineQuery) (out web.Timeline, err error) {
	t, err := a.timelineOf(ctx, id, q)
	if err != nil {
		return out, err
	}
	out.ID, out.Entity = t.g.ID, t.g.Entity
	if out.Name, err = a.seenName(ctx, t.g); err != nil {
		return out, err
	}
	ours, cut, err := a.ourDoings(ctx, t)
	if err != nil {
		return out, err
	}
	out.Cut = cut
	if err := a.countTimeline(ctx, t, ours, &out); err != nil {
		return out, err
	}
	rows, next, err := a.timelineRows(ctx, t, ours, q.After, max(q.Limit, 1))
	if err != nil {
		return out, err
	}
	out.Next = next
	for _, h := range rows {
		if i := slices.IndexFunc(out.Months, func(m web.TimelineMonth) bool { return m.Month == monthOf(h.at) }); i >= 0 {
			out.Months[i].Rows = append(out.Months[i].Rows, h.TimelineRow)
		}
	}
	return out, nil
}

// EachHappening gives every row of a timeline, newest first.
func (a *App) EachHappening(ctx context.Context, id string, q web.TimelineQuery, fn func(web.TimelineRow) error) error {
	t, err := a.timelineOf(ctx, id, q)
	if err != nil {
		return err
	}
	ours, _, err := a.ourDoings(ctx, t)
	if err != nil {
		return err
	}
	for after := q.After; ; {
		rows, next, err := a.timelineRows(ctx, t, ours, after, exportPage)
		if err != nil {
			return err
		}
		for _, h := range rows {
			if err := fn(h.TimelineRow); err != nil {
				return err
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
}

func monthOf(at string) string { return at[:min(len(at), 7)] }

// countTimeline counts by month and sums the events exactly.
func (a *App) countTimeline(ctx context.Context, t timelineOf, ours []happening, out *web.Timeline) error {
	months, total := map[string]*monthSums{}, newMonth()
	month := func(at string) *monthSums {
		m := monthOf(at)
		if months[m] == nil {
			months[m] = newMonth()
		}
		return months[m]
	}
	typ, wanted := t.events()
	types, sources := map[string]bool{}, map[string]bool{}
	err := a.Store.EachEventRow(ctx, store.EventFilter{Founder: t.g.Founder}, func(e store.EventRow) error {
		types[e.Type], sources[a.SourceName(e.Source)] = true, true
		if !wanted || typ != "" && typ != e.Type || t.source != "" && t.source != e.Source {
			return nil
		}
		for _, m := range []*monthSums{month(e.At), total} {
			if err := m.add(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, h := range ours {
		month(h.at).n++
		total.n++
	}
	for m, sums := range months {
		out.Months = append(out.Months, web.TimelineMonth{Month: m, N: sums.n, Sums: sums.list()})
	}
	slices.SortFunc(out.Months, func(x, y web.TimelineMonth) int { return strings.Compare(y.Month, x.Month) })
	out.N, out.Sums = total.n, total.list()
	out.Types, out.Sources = sortedNames(types), sortedNames(sources)
	return nil
}

func sortedNames(m map[string]bool) (out []string) {
	for name := range m {
		if name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// monthSums counts and sums by currency.
type monthSums struct {
	n    int
	sums map[string]*groupSum
}

func newMonth() *monthSums { return &monthSums{sums: map[string]*groupSum{}} }

func (m *monthSums) add(e store.EventRow) error {
	m.n++
	if e.Amount == "" {
		return nil
	}
	x, ok := new(big.Rat).SetString(e.Amount)
	if !ok {
		return fmt.Errorf("sum events: an amount is no number")
	}
	_, decimals, _ := strings.Cut(e.Amount, ".")
	addTo(m.sums, e.Currency, &groupSum{count: 1, sum: x, decimals: len(decimals)})
	return nil
}

func (m *monthSums) list() []web.Money { return moneyOf(totalsOf(m.sums)) }

func moneyOf(totals []GroupTotal) []web.Money {
	out := make([]web.Money, 0, len(totals))
	for _, t := range totals {
		out = append(out, web.Money{Currency: t.Currency, Amount: t.Amount, N: t.Count})
	}
	return out
}

// timelineRows gives the rows behind a place.
func (a *App) timelineRows(ctx context.Context, t timelineOf, ours []happening, after string, limit int) (rows []happening, next string, err error) {
	at, seq, err := timelinePlace(after, t.q.Month)
	if err != nil {
		return nil, "", err
	}
	if typ, wanted := t.events(); wanted {
		f := store.EventFilter{Founder: t.g.Founder, Source: t.source, Type: typ, Limit: limit + 1}
		if at != "" {
			f.Before = store.EventPlace{At: at, Ev: seq}
		}
		list, err := a.Store.Events(ctx, f)
		if err != nil {
			return nil, "", err
		}
		see, err := a.sight(ctx)
		if err != nil {
			return nil, "", err
		}
		for _, e := range list {
			if len(see.masks) > 0 {
				e.Subject = "" // people write values into it
			}
			rows = append(rows, happening{e.At, e.Ev, web.TimelineRow{
				At: parse(e.At), Kind: "event", Type: e.Type, Source: a.SourceName(e.Source), ID: e.ID, Subject: e.Subject,
				Channel: e.Channel, Status: e.Status, Amount: e.Amount, Currency: e.Currency,
			}})
		}
	}
	for _, h := range ours {
		if at == "" || h.before(at, seq) {
			rows = append(rows, h)
		}
	}
	slices.SortFunc(rows, func(x, y happening) int { return cmp.Or(strings.Compare(y.at, x.at), cmp.Compare(y.seq, x.seq)) })
	if len(rows) > limit {
		rows = rows[:limit]
		next = fmt.Sprintf("%d@%s", rows[limit-1].seq, rows[limit-1].at)
	}
	return rows, next, nil
}

// timelinePlace reads where to go on: behind a row, or with a month.
func timelinePlace(after, month string) (at string, seq int64, err error) {
	if after == "" {
		if month == "" {
			return "", 0, nil
		}
		return month + "~", 0, nil // behind every day of the month
	}
	number, at, ok := strings.Cut(after, "@")
	seq, err = strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || at == "" {
		return "", 0, fmt.Errorf("place in a timeline: %w", record.ErrNotFound)
	}
	return at, seq, nil
}

// mostDoings bounds what is read of a customer's writes.
const mostDoings = 500

// ourDoings lists how a golden record changed and what was written of it, as
// far as the question asks for it.
func (a *App) ourDoings(ctx context.Context, t timelineOf) (list []happening, cut bool, err error) {
	if k := t.q.Kind; k == "" || k == "change" {
		h, err := a.GoldenHistory(ctx, t.g.ID)
		if err != nil {
			return nil, false, err
		}
		cut = len(h.Events) >= mostHappened
		for _, e := range h.Events {
			if row := ownHappening(e); t.source == "" || row.Source == t.q.Source {
				list = append(list, happening{at: e.At, TimelineRow: row})
			}
		}
	}
	if k := t.q.Kind; k == "" || k == "write" {
		rows, err := a.Store.RowsOfFounder(ctx, t.g.Founder, mostDoings)
		if err != nil {
			return nil, false, err
		}
		cut = cut || len(rows) == mostDoings
		for _, r := range rows {
			row := web.TimelineRow{At: parse(r.At), Kind: "write", Type: r.Op, Source: r.Target, ID: r.ExternalID, Status: r.State, Fields: slices.Sorted(maps.Keys(r.Fields))}
			to := a.targetNamed(r.Target)
			if t.source == "" || to != nil && to.config.System == t.q.Source {
				list = append(list, happening{at: r.At, TimelineRow: row})
			}
		}
	}
	slices.SortStableFunc(list, func(x, y happening) int { return strings.Compare(x.at, y.at) })
	for i := range list { // below every event of the same time, in a fixed order
		list[i].seq = int64(i - len(list))
	}
	return list, cut, nil
}

// ownHappening shows an entry of a golden record's history.
func ownHappening(e Happened) web.TimelineRow {
	row := web.TimelineRow{At: parse(e.At), Kind: e.What, Golden: e.Golden}
	switch e.What {
	case "joined", "left":
		if ref, err := record.ParseRef(e.Record); err == nil {
			row.Source, row.ID = ref.Source, ref.ID
		}
	case "published":
		for _, f := range e.Fields {
			row.Fields = append(row.Fields, f.Field)
		}
	case "decision":
		d := e.Decision
		row.Type, row.Who, row.Why, row.Decision, row.Status = d.Kind, d.Who, d.Why, d.ID, d.State
		if d.Field != "" {
			row.Fields = []string{d.Field}
		}
		if d.Relation != "" {
			row.Subject = d.Relation
		}
	}
	return row
}
