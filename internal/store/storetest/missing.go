package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func missings() []subtest {
	return []subtest{
		{"MissingTwiceIsDeleted", missingTwice},
		{"MissingComesBack", missingBack},
		{"MissingBrakeWaitsForAPerson", missingBrake},
		{"MissingAmongUnreadableWaits", missingUnread},
		{"MissingClosesQuarantine", missingQuarantine},
		{"MissingLooksAgainAndAtItsOwn", missingRace},
		{"MissingManyPages", missingPages},
	}
}

// whole is a pass that gave these ids, a day after the one before.
func (b *Bench) whole(ids ...string) store.Reconciled {
	b.Helper()
	return b.wholeAs(store.Reconcile{}, ids...)
}

func (b *Bench) wholeAs(r store.Reconcile, ids ...string) store.Reconciled {
	b.Helper()
	b.Clock.Advance(24 * time.Hour)
	if r.Mark.Seq == 0 {
		var err error
		r.Mark, err = b.DB.BeginPass(b.Context())
		b.Must(err)
	}
	r.Source, r.Entity, r.Run, r.Derive = Source, Entity, "run", Derive
	r.Seen = func(id string) bool { return slices.Contains(ids, id) }
	if r.Grace == 0 {
		r.Grace = time.Hour
	}
	if r.Brake == 0 {
		r.Brake = 0.1
	}
	out, err := b.DB.Reconcile(b.Context(), r)
	b.Must(err)
	return out
}

func (b *Bench) landMany(n int) (ids []string) {
	b.Helper()
	var page []store.Item
	for i := range n {
		id := fmt.Sprintf("%05d", i)
		ids, page = append(ids, id), append(page, Item(id, Named("N "+id)))
	}
	b.Land(page...)
	return ids
}

func missingTwice(b *Bench) {
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")), Item("3", Named("Cyd")))
	same(b, "nobody away", b.whole("1", "2", "3"), store.Reconciled{})
	same(b, "away once", b.whole("1", "3"), store.Reconciled{Missing: 1})
	same(b, "still alive", b.Members("2")[0].Live, true)
	n, err := b.DB.MissingCount(b.Context())
	b.Must(err)
	same(b, "marks", n, 1)
	same(b, "away again within the grace", b.wholeAs(store.Reconcile{Grace: 48 * time.Hour}, "1", "3"), store.Reconciled{})
	same(b, "away again after it", b.whole("1", "3"), store.Reconciled{Deleted: 1})
	same(b, "deleted", b.Members("2")[0].Live, false)
	h := b.History("2")
	same(b, "versions", len(h.Versions), 2)
	same(b, "the tombstone is current and deleted", h.Current == 2 && h.Versions[1].Deleted, true)
	same(b, "away for ever", b.whole("1", "3"), store.Reconciled{})
	same(b, "versions afterwards", len(b.History("2").Versions), 2)
	same(b, "seen again", b.Land(Item("2", Named("Bob"))), store.Counts{Pulled: 1, Stored: 1})
	same(b, "alive again", b.Members("2")[0].Live, true)
	same(b, "all there", b.whole("1", "2", "3"), store.Reconciled{})
}

func missingBack(b *Bench) {
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")))
	same(b, "away", b.whole("1"), store.Reconciled{Missing: 1})
	same(b, "back", b.whole("1", "2"), store.Reconciled{Back: 1})
	same(b, "away for the first time again", b.whole("1"), store.Reconciled{Missing: 1})
	gone := Item("2", Named("Bob"))
	gone.Raw.Deleted = true
	b.Land(gone)
	same(b, "deleted by the source itself: the mark goes", b.whole("1"), store.Reconciled{Back: 1})
}

func missingBrake(b *Bench) {
	ctx := b.Context()
	ids := b.landMany(40)
	few := ids[:28]
	same(b, "away", b.whole(few...), store.Reconciled{Missing: 12})
	same(b, "12 of 40 are too many", b.whole(few...), store.Reconciled{Waiting: 12})
	holds, err := b.DB.HeldDeletes(ctx)
	b.Must(err)
	if len(holds) != 1 || holds[0].Why != store.HeldByBrake || holds[0].Due != 12 || holds[0].Live != 40 || holds[0].Allowed {
		b.Errorf("held %+v, want 12 of 40 by the brake, not allowed", holds)
	}
	same(b, "more stay away", b.whole(ids[:1]...), store.Reconciled{Missing: 27, Waiting: 12})
	b.Must(b.DB.AllowDeletes(ctx, Source, "ann"))
	same(b, "many more than the person was told of", b.whole(ids[:1]...), store.Reconciled{Waiting: 39})
	b.Must(b.DB.AllowDeletes(ctx, Source, "ann"))
	same(b, "let", b.whole(ids[:1]...), store.Reconciled{Deleted: 39})
	holds, err = b.DB.HeldDeletes(ctx)
	b.Must(err)
	same(b, "held afterwards", len(holds), 0)
	if err := b.DB.AllowDeletes(ctx, Source, "ann"); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("AllowDeletes where nothing waits: %v, want ErrNotFound", err)
	}
}

func missingUnread(b *Bench) {
	broken := Item("unreadable-1", `{"unreadable":"x"}`)
	broken.Raw.Problem = "broken"
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")), broken)
	old := store.Reconcile{Unread: []string{"unreadable-1"}}
	same(b, "away, what is broken was so before", b.wholeAs(old, "1", "unreadable-1"), store.Reconciled{Missing: 1})
	same(b, "deleted", b.wholeAs(old, "1", "unreadable-1"), store.Reconciled{Deleted: 1})

	mark, err := b.DB.BeginPass(b.Context())
	b.Must(err)
	again := Item("unreadable-2", `{"unreadable":"y"}`)
	again.Raw.Problem = "broken"
	b.Land(again)
	since := store.Reconcile{Mark: mark, Unread: []string{"unreadable-1", "unreadable-2"}}
	same(b, "away in the pass that brought something broken", b.wholeAs(since, "unreadable-1", "unreadable-2"), store.Reconciled{Missing: 1})
	since.Mark = store.Mark{}
	same(b, "it may be that one", b.wholeAs(since, "unreadable-1", "unreadable-2"), store.Reconciled{Waiting: 1})
	holds, err := b.DB.HeldDeletes(b.Context())
	b.Must(err)
	if len(holds) != 1 || holds[0].Why != store.HeldByUnread {
		b.Errorf("held %+v, want one by what cannot be read", holds)
	}
	same(b, "it can be read again", b.wholeAs(old, "1", "unreadable-1", "unreadable-2"), store.Reconciled{Back: 1})
	holds, err = b.DB.HeldDeletes(b.Context())
	b.Must(err)
	same(b, "held afterwards", len(holds), 0)
}

func missingQuarantine(b *Bench) {
	b.Land(Item("1", Named("Ada")), Item("2", Bad("b")), Item("3", Named("Cyd")))
	double := Item("3", Named("Other"))
	double.Duplicate = true
	b.Land(double)
	same(b, "open rows", len(b.quarantine("open")), 2)
	b.whole("1")
	same(b, "deleted", b.whole("1").Deleted, 2)
	same(b, "open rows afterwards", len(b.quarantine("open")), 0)
	same(b, "gone rows", len(b.quarantine("gone")), 2)
	b.Must(b.DB.Rederive(b.Context(), b.Recs("1", "2", "3"), Derive))
	same(b, "open rows derived again", len(b.quarantine("open")), 0)
	b.Land(Item("2", Bad("b")), Item("3", Named("Cyd")))
	same(b, "open rows when they are back", len(b.quarantine("open")), 2)
}

// missingRace: a record that came after the pass began, and one of another
// source.
func missingRace(b *Bench) {
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")))
	b.LandAs(store.Landing{Source: "other", Items: []store.Item{Item("7", Named("Eve"))}})
	mark, err := b.DB.BeginPass(b.Context())
	b.Must(err)
	b.Land(Item("3", Named("Cyd")))
	for range 3 {
		same(b, "a record that came after the pass began", b.wholeAs(store.Reconcile{Mark: mark}, "1", "2"), store.Reconciled{})
	}
	same(b, "away", b.whole("1", "3"), store.Reconciled{Missing: 1})
}

// missingPages: more ids than are compared at a time. One record changes after
// it was looked at: it is left alone.
func missingPages(b *Bench) {
	var ids []string
	for i := range 5100 {
		ids = append(ids, fmt.Sprintf("%05d", i))
	}
	for part := range slices.Chunk(ids, 1000) {
		var page []store.Item
		for _, id := range part {
			page = append(page, Item(id, Named("N")))
		}
		b.Land(page...)
	}
	known := map[string]bool{}
	for i, id := range ids {
		known[id] = i%10 != 3
	}
	r := store.Reconcile{Source: Source, Entity: Entity, Run: "run", Derive: Derive, Brake: 0.2, Seen: func(id string) bool { return known[id] }}
	var err error
	r.Mark, err = b.DB.BeginPass(b.Context())
	b.Must(err)
	first, err := b.DB.Reconcile(b.Context(), r)
	b.Must(err)
	same(b, "first pass", first, store.Reconciled{Missing: 510})
	r.Seen = func(id string) bool {
		if id == "05050" {
			b.Land(Item("00003", Named("changed")))
		}
		return known[id]
	}
	second, err := b.DB.Reconcile(b.Context(), r)
	b.Must(err)
	same(b, "second pass", second, store.Reconciled{Deleted: 509})
	same(b, "what changed meanwhile lives", b.Members("00003")[0].Live, true)
}
