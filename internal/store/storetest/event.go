package storetest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func events() []subtest {
	return []subtest{
		{"EventTwiceIsOne", eventTwice},
		{"EventChangedIsANewVersion", eventChanged},
		{"EventOlderStampStaysHistory", eventLate},
		{"EventDuplicateInAPass", eventDuplicate},
		{"EventFilteredAndDeleted", eventFiltered},
		{"EventBeforeItsRecord", eventEarly},
		{"EventOfSeveralRecords", eventSeveral},
		{"EventsFollowMergeAndSplit", eventMerge},
		{"EventsFollowAnyMerge", eventAnyMerge},
		{"EventsListedByTime", eventPages},
		{"EventErrorRollsBackAll", eventRollback},
		{"EventRulesDeriveAgain", eventRules},
		{"EventTotalsAreExact", eventTotals},
		{"RelationsDangleAndJoin", relations},
		{"RelationsEnqueueWhatRefers", dependants},
	}
}

// Happening makes an event that belongs to records of the suite's source.
func Happening(id, status, amount string, minute int, of ...string) store.EventItem {
	j, _ := json.Marshal(happening{Status: status, Amount: amount, Minute: minute, Of: of})
	h := sha256.Sum256(j)
	return store.EventItem{Raw: record.Raw{ID: id, Data: j}, Hash: h[:]}
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

type happening struct {
	Status, Amount string
	Minute         int
	Of             []string
}

// DeriveEvent is the suite's derivation: an event with the status "bad" does
// not pass.
func DeriveEvent(h store.History) (d store.EventDerived, err error) {
	for i := len(h.Versions) - 1; i >= 0; i-- {
		v := h.Versions[i]
		if v.Problem == store.DuplicateProblem {
			continue
		}
		var raw happening
		if err := json.Unmarshal(v.Raw, &raw); err != nil {
			return d, err
		}
		if d.Event.Of == nil {
			for _, id := range raw.Of {
				d.Event.Of = append(d.Event.Of, record.Ref{Source: Source, Entity: Entity, ID: id})
			}
		}
		if raw.Status == "bad" {
			if v.N == h.Current {
				d.Bad = []record.Reason{{Rule: "test", Text: "is bad"}}
			}
			continue
		}
		d.Version, d.Live = v.N, !v.Deleted
		of := d.Event.Of
		d.Event = record.Event{
			Type: h.Ref.Entity, At: record.FormatTime(Start().Add(minutes(raw.Minute))), Status: raw.Status, Amount: raw.Amount, Subject: "about " + h.Ref.ID,
			Payload: json.RawMessage(`{"n":1}`), Of: of,
		}
		if raw.Amount != "" {
			d.Event.Currency = "EUR"
		}
		return d, nil
	}
	return d, nil
}

// Happened lands events as one page of kind ticket.
func (b *Bench) Happened(items ...store.EventItem) store.Counts {
	b.Helper()
	c, err := b.DB.LandEvents(b.Context(), store.EventLanding{Source: Source, Kind: "ticket", Items: items, Derive: DeriveEvent})
	b.Must(err)
	if sum := c.Stored + c.Unchanged + c.Echo + c.Quarantined + c.Filtered; sum != c.Pulled || c.Pulled != len(items) {
		b.Errorf("counts %+v do not add up to %d events", c, len(items))
	}
	return c
}

// Again derives every event that waits for it.
func (b *Bench) Again() (n int) {
	b.Helper()
	for {
		evs, err := b.DB.EventsToDerive(b.Context(), 2)
		b.Must(err)
		if len(evs) == 0 {
			return n
		}
		n += len(evs)
		b.Must(b.DB.RederiveEvents(b.Context(), evs, DeriveEvent))
	}
}

// Listed is a list of events as text: id status version, and ~ when it waits.
func (b *Bench) Listed(f store.EventFilter) string {
	b.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	list, err := b.DB.Events(b.Context(), f)
	b.Must(err)
	var out []string
	for _, e := range list {
		text := fmt.Sprintf("%s %s %d", e.ID, e.Status, e.Version)
		if e.Waiting {
			text += "~"
		}
		if e.Subject != "about "+e.ID || string(e.Payload) != `{"n":1}` {
			b.Errorf("event %s opens to subject %q, payload %s", e.ID, e.Subject, e.Payload)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func eventTwice(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	page := []store.EventItem{Happening("e1", "open", "", 1, "1"), Happening("e2", "open", "", 2, "1"), Happening("e3", "bad", "", 3, "1")}
	same(b, "first", b.Happened(page...), store.Counts{Pulled: 3, Stored: 2, Quarantined: 1})
	same(b, "second", b.Happened(page...), store.Counts{Pulled: 3, Unchanged: 3})
	same(b, "list", b.Listed(store.EventFilter{}), "e2 open 1, e1 open 1")
	other, err := b.DB.LandEvents(b.Context(), store.EventLanding{Source: Source, Kind: "order", Items: page[:1], Derive: DeriveEvent})
	b.Must(err)
	same(b, "another kind with the same id", other, store.Counts{Pulled: 1, Stored: 1})
	same(b, "of one kind", b.Listed(store.EventFilter{Kind: "order"}), "e1 open 1")
	same(b, "of one type", b.Listed(store.EventFilter{Type: "ticket", Source: Source}), "e2 open 1, e1 open 1")
	faults, err := b.DB.EventFaults(b.Context(), 0, 10)
	b.Must(err)
	if len(faults) != 1 || faults[0].ID != "e3" || len(faults[0].Faulty) != 1 || faults[0].Faulty[0].Text != "is bad" {
		b.Errorf("events in quarantine %+v, want e3 with its reason", faults)
	}
	n, err := b.DB.EventCounts(b.Context())
	b.Must(err)
	same(b, "counts", n, store.EventCounts{Events: 3, Quarantined: 1})
}

func eventChanged(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	for i, status := range []string{"open", "pending", "open"} {
		same(b, "landing "+status, b.Happened(Happening("e1", status, "", 1, "1")), store.Counts{Pulled: 1, Stored: 1})
		same(b, "list", b.Listed(store.EventFilter{}), fmt.Sprintf("e1 %s %d", status, i+1))
	}
	same(b, "a version that does not pass", b.Happened(Happening("e1", "bad", "", 1, "1")), store.Counts{Pulled: 1, Quarantined: 1})
	same(b, "the one before stays", b.Listed(store.EventFilter{}), "e1 open 3")
	b.Happened(Happening("e1", "solved", "", 1, "1"))
	same(b, "list", b.Listed(store.EventFilter{}), "e1 solved 5")
	faults, err := b.DB.EventFaults(b.Context(), 0, 10)
	b.Must(err)
	same(b, "events in quarantine", len(faults), 0)
}

func stampedEvent(it store.EventItem, minute int) store.EventItem {
	it.Raw.Stamp = Start().Add(minutes(minute))
	return it
}

func eventLate(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	b.Happened(stampedEvent(Happening("e1", "solved", "", 1, "1"), 10))
	late := stampedEvent(Happening("e1", "open", "", 1, "1"), 5)
	same(b, "late", b.Happened(late), store.Counts{Pulled: 1, Stored: 1})
	same(b, "late again", b.Happened(late), store.Counts{Pulled: 1, Unchanged: 1})
	same(b, "list", b.Listed(store.EventFilter{}), "e1 solved 1")
}

func eventDuplicate(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	double := Happening("e1", "other", "", 1, "1")
	double.Duplicate = true
	page := []store.EventItem{Happening("e1", "open", "", 1, "1"), double}
	same(b, "first", b.Happened(page...), store.Counts{Pulled: 2, Stored: 1, Quarantined: 1})
	same(b, "again", b.Happened(page...), store.Counts{Pulled: 2, Unchanged: 2})
	same(b, "list", b.Listed(store.EventFilter{}), "e1 open 1")
}

func eventFiltered(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	out := Happening("e1", "open", "", 1, "1")
	out.Filtered = true
	same(b, "never let in", b.Happened(out), store.Counts{Pulled: 1, Filtered: 1})
	b.Happened(Happening("e1", "open", "", 1, "1"))
	same(b, "filtered later", b.Happened(out), store.Counts{Pulled: 1, Filtered: 1})
	same(b, "list", b.Listed(store.EventFilter{}), "")
	same(b, "let in again", b.Happened(Happening("e1", "open", "", 1, "1")), store.Counts{Pulled: 1, Stored: 1})
	gone := Happening("e1", "open", "", 1, "1")
	gone.Raw.Deleted = true
	same(b, "deleted", b.Happened(gone), store.Counts{Pulled: 1, Stored: 1})
	same(b, "deleted again", b.Happened(gone), store.Counts{Pulled: 1, Unchanged: 1})
	same(b, "list", b.Listed(store.EventFilter{}), "")
}

// founder is the founder of a record's golden record.
func (b *Bench) founder(id string) int64 {
	b.Helper()
	return b.Members(id)[0].Golden
}

func eventEarly(b *Bench) {
	b.Happened(Happening("e1", "open", "", 1, "1"), Happening("e2", "open", "", 2, "2"), Happening("e3", "open", "", 3, "1"))
	same(b, "before the record", b.Listed(store.EventFilter{}), "e3 open 1~, e2 open 1~, e1 open 1~")
	b.Land(Item("1", Named("Ada")))
	same(b, "as soon as it has landed", b.Listed(store.EventFilter{}), "e3 open 1, e2 open 1~, e1 open 1")
	same(b, "events derived again", b.Again(), 2)
	Resolve(b)
	same(b, "of all", b.Listed(store.EventFilter{}), "e3 open 1, e2 open 1~, e1 open 1")
	same(b, "of the record", b.Listed(store.EventFilter{Founder: b.founder("1")}), "e3 open 1, e1 open 1")
	n, err := b.DB.EventCounts(b.Context())
	b.Must(err)
	same(b, "counts", n, store.EventCounts{Events: 3, Waiting: 1})
	same(b, "landed again", b.Happened(Happening("e1", "open", "", 1, "1")), store.Counts{Pulled: 1, Unchanged: 1})
}

func eventSeveral(b *Bench) {
	b.Land(Item("2", Named("Bob")))
	b.Happened(Happening("e1", "open", "", 1, "1", "2"))
	Resolve(b)
	same(b, "of the second", b.Listed(store.EventFilter{Founder: b.founder("2")}), "e1 open 1")
	b.Land(Item("1", Named("Ada")))
	same(b, "derived again", b.Again(), 1)
	Resolve(b)
	same(b, "of the first", b.Listed(store.EventFilter{Founder: b.founder("1")}), "e1 open 1")
	b.Happened(Happening("e1", "moved", "", 1, "2"))
	same(b, "of the first afterwards", b.Listed(store.EventFilter{Founder: b.founder("1")}), "")
	same(b, "of the second afterwards", b.Listed(store.EventFilter{Founder: b.founder("2")}), "e1 moved 2")
}

func eventMerge(b *Bench) {
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")))
	b.Happened(Happening("e1", "open", "", 1, "1"), Happening("e2", "open", "", 2, "2"), Happening("e3", "open", "", 3, "1", "2"))
	Resolve(b)
	r := b.Recs("1", "2")
	place := func(one, two int64) {
		b.Link(func(tx *store.LinkTx) error {
			return tx.Place(b.Context(), []store.Placed{{Rec: r[0], Comp: r[0], Golden: one}, {Rec: r[1], Comp: r[0], Golden: two}})
		})
	}
	place(r[0], r[0])
	same(b, "merged", b.Listed(store.EventFilter{Founder: r[0]}), "e3 open 1, e2 open 1, e1 open 1")
	same(b, "the other", b.Listed(store.EventFilter{Founder: r[1]}), "")
	place(r[0], r[1])
	same(b, "split, the first", b.Listed(store.EventFilter{Founder: r[0]}), "e3 open 1, e1 open 1")
	same(b, "split, the second", b.Listed(store.EventFilter{Founder: r[1]}), "e3 open 1, e2 open 1")
}

// eventAnyMerge merges and splits at random, while events and records come: at
// any time a golden record has the events of its members, each once.
func eventAnyMerge(b *Bench) {
	const records, happenings = 7, 20
	d := dice{state: 11}
	of := map[string][]string{}
	golden := map[string]int64{}
	for range 60 {
		switch id := fmt.Sprint(d.IntN(records)); d.IntN(3) {
		case 0:
			e := fmt.Sprintf("e%d", d.IntN(happenings))
			of[e] = []string{id}
			if other := fmt.Sprint(d.IntN(records)); other != id {
				of[e] = append(of[e], other)
			}
			b.Happened(Happening(e, "open", "", 1, of[e]...))
		case 1:
			b.Land(Item(id, Named("n"+id)))
			if golden[id] == 0 {
				golden[id] = b.Rec(id)
			}
		default:
			other := fmt.Sprint(d.IntN(records))
			if golden[id] == 0 || golden[other] == 0 {
				continue
			}
			golden[id] = golden[other]
			if d.IntN(2) == 0 {
				golden[id] = b.Rec(id)
			}
		}
		b.Again()
		var placed []store.Placed
		for i := range records {
			if id := fmt.Sprint(i); golden[id] != 0 {
				placed = append(placed, store.Placed{Rec: b.Rec(id), Comp: 1, Golden: golden[id]})
			}
		}
		b.Link(func(tx *store.LinkTx) error { return tx.Place(b.Context(), placed) })
		b.checkHappened(of, golden)
	}
}

// checkHappened compares every golden record's events with those of its members.
func (b *Bench) checkHappened(of map[string][]string, golden map[string]int64) {
	b.Helper()
	want := map[int64]map[string]bool{}
	for _, founder := range golden {
		want[founder] = map[string]bool{}
	}
	for e, ids := range of {
		for _, id := range ids {
			if founder := golden[id]; founder != 0 {
				want[founder][e] = true
			}
		}
	}
	for founder, set := range want {
		list, err := b.DB.Events(b.Context(), store.EventFilter{Founder: founder, Limit: 1000})
		b.Must(err)
		got := map[string]bool{}
		for _, e := range list {
			got[e.ID] = true
		}
		if len(list) != len(set) || fmt.Sprint(got) != fmt.Sprint(set) {
			b.Fatalf("events of golden record %d: %v in %d rows, want %v", founder, got, len(list), set)
		}
	}
}

// eventPages lists by time, also where many events have one time.
func eventPages(b *Bench) {
	b.Land(Item("1", Named("Ada")), Item("2", Named("Ada")))
	var page []store.EventItem
	for i := range 700 {
		page = append(page, Happening(fmt.Sprintf("e%d", i), "open", "", i/50, "1", "2"))
	}
	same(b, "landing", b.Happened(page...), store.Counts{Pulled: 700, Stored: 700})
	Resolve(b)
	for _, founder := range []int64{0, b.founder("1")} {
		seen := map[string]bool{}
		f := store.EventFilter{Founder: founder, Limit: 64}
		last := store.EventPlace{At: "9"}
		for {
			list, err := b.DB.Events(b.Context(), f)
			b.Must(err)
			if len(list) == 0 {
				break
			}
			for _, e := range list {
				if seen[e.ID] || e.At > last.At || e.At == last.At && e.Ev >= last.Ev {
					b.Fatalf("event %s at %s, %d comes twice or behind %+v", e.ID, e.At, e.Ev, last)
				}
				seen[e.ID], last = true, store.EventPlace{At: e.At, Ev: e.Ev}
			}
			f.Before = last
		}
		same(b, "events seen", len(seen), 700)
	}
}

func eventRollback(b *Bench) {
	broken := fmt.Errorf("the derivation broke")
	_, err := b.DB.LandEvents(b.Context(), store.EventLanding{
		Source: Source, Kind: "ticket", Cursor: []byte("page 1"), Items: []store.EventItem{Happening("e1", "open", "", 1, "1")},
		Derive: func(store.History) (store.EventDerived, error) { return store.EventDerived{}, broken },
	})
	if err == nil || !strings.Contains(err.Error(), "event crm/ticket/e1: the derivation broke") {
		b.Errorf("LandEvents = %v: want the derivation's error with the event", err)
	}
	cursor, err := b.DB.Cursor(b.Context(), Source, store.EventStream("ticket"))
	b.Must(err)
	equalBytes(b, "cursor", cursor, nil)
	same(b, "list", b.Listed(store.EventFilter{}), "")
	_, err = b.DB.LandEvents(b.Context(), store.EventLanding{
		Source: Source, Kind: "ticket", Cursor: []byte("page 1"), Items: []store.EventItem{Happening("e1", "open", "", 1, "1")}, Derive: DeriveEvent,
	})
	b.Must(err)
	cursor, err = b.DB.Cursor(b.Context(), Source, store.EventStream("ticket"))
	b.Must(err)
	equalBytes(b, "cursor", cursor, []byte("page 1"))
}

func eventRules(b *Bench) {
	ctx := b.Context()
	b.Happened(Happening("e1", "open", "", 1, "1"), Happening("e2", "open", "", 2, "1"))
	for _, step := range []struct {
		hash    string
		changed bool
		again   int
	}{{"a", false, 0}, {"a", false, 0}, {"b", true, 2}} {
		changed, err := b.DB.EventRulesChanged(ctx, Source, "ticket", step.hash)
		b.Must(err)
		same(b, "changed to "+step.hash, changed, step.changed)
		same(b, "derived again", b.Again(), step.again)
	}
	b.Must(b.DB.UnconfiguredEvents(ctx, func(string, string) bool { return true }))
	same(b, "derived while configured", b.Again(), 0)
	b.Must(b.DB.UnconfiguredEvents(ctx, func(string, string) bool { return false }))
	evs, err := b.DB.EventsToDerive(ctx, 10)
	b.Must(err)
	same(b, "events to derive", len(evs), 2)
	b.Must(b.DB.RederiveEvents(ctx, evs, func(store.History) (store.EventDerived, error) { return store.EventDerived{}, nil }))
	same(b, "list", b.Listed(store.EventFilter{}), "")
}

func eventTotals(b *Bench) {
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")))
	b.Happened(Happening("e1", "", "0.10", 1, "1"), Happening("e2", "", "0.2", 2, "1", "2"), Happening("e3", "", "999999999999999999.000000001", 3, "1"), Happening("e4", "", "", 4, "1"))
	Resolve(b)
	totals, err := b.DB.EventTotals(b.Context(), []int64{b.founder("1"), b.founder("2")})
	b.Must(err)
	text := func(id string) string {
		j, _ := json.Marshal(totals[b.founder(id)])
		return string(j)
	}
	at := func(m int) string { return record.FormatTime(Start().Add(minutes(m))) }
	same(b, "totals of 1", text("1"), fmt.Sprintf(`[{"type":"ticket","count":1,"first":%q,"last":%q},{"type":"ticket","currency":"EUR","count":3,"amount":"999999999999999999.300000001","first":%q,"last":%q}]`, at(4), at(4), at(1), at(3)))
	same(b, "totals of 2", text("2"), fmt.Sprintf(`[{"type":"ticket","currency":"EUR","count":1,"amount":"0.2","first":%q,"last":%q}]`, at(2), at(2)))
}

// related derives like Derive, with an edge to the record that is named.
func related(to string) store.Derive {
	return func(h store.History) (store.Derived, error) {
		d, err := Derive(h)
		if to != "" {
			d.Relations = []record.Relation{{Kind: "employer", To: record.Ref{Source: Source, Entity: Entity, ID: to}, Title: "CTO", Since: "2020-01-02"}}
			d.Misses = []store.Miss{{Table: "industry", Value: "x"}}
		}
		return d, err
	}
}

func relations(b *Bench) {
	ctx := b.Context()
	b.LandAs(store.Landing{Items: []store.Item{Item("1", Named("Ada"))}, Derive: related("2")})
	Resolve(b)
	edges := func(id string) (text string) {
		out, in, err := b.DB.EdgesOf(ctx, b.founder(id), 10)
		b.Must(err)
		for _, e := range out {
			text += fmt.Sprintf("%s to %s %s %q known %v; ", e.Kind, e.To.ID, e.Title, e.Since, e.ToGolden != "")
		}
		for _, e := range in {
			text += fmt.Sprintf("%s from %s; ", e.Kind, e.From.ID)
		}
		return text
	}
	same(b, "dangling", edges("1"), `employer to 2 CTO "2020-01-02" known false; `)
	list, all, err := b.DB.Misses(ctx, 10)
	b.Must(err)
	same(b, "looked up in vain", fmt.Sprint(list, all), "[{industry x 1}] 1")
	b.Land(Item("2", Named("Acme")))
	Resolve(b)
	same(b, "joined", edges("1"), `employer to 2 CTO "2020-01-02" known true; `)
	same(b, "from the other side", edges("2"), "employer from 1; ")
	b.LandAs(store.Landing{Items: []store.Item{Item("1", Named("Ada L."))}, Derive: related("")})
	same(b, "a version without it", edges("1")+edges("2"), "")
	_, all, err = b.DB.Misses(ctx, 10)
	b.Must(err)
	same(b, "looked up in vain afterwards", all, 0)
}

func dependants(b *Bench) {
	b.LandAs(store.Landing{Items: []store.Item{Item("1", Named("Ada")), Item("3", Named("Cyd"))}, Derive: related("2")})
	b.Land(Item("2", Named("Acme")))
	Resolve(b)
	same(b, "nothing waits", len(b.resolving()), 0)
	founder := b.founder("2")
	b.Link(func(tx *store.LinkTx) error {
		ends, err := tx.FarEnds(b.Context(), b.Recs("1", "2", "3"))
		if err != nil {
			return err
		}
		same(b, "far ends", len(ends), 2)
		same(b, "far end", ends[0].Founder, founder)
		ids, err := tx.ExternalIDs(b.Context(), Source, Entity, []int64{founder, 999})
		if err != nil {
			return err
		}
		same(b, "external ids", fmt.Sprint(ids), fmt.Sprint(map[int64]string{founder: "2"}))
		return tx.EnqueueDependants(b.Context(), []int64{founder})
	})
	same(b, "waits", b.resolving(), b.Recs("1", "3"))
}
