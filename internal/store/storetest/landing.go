package storetest

import (
	"errors"
	"fmt"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func landings() []subtest {
	return []subtest{
		{"LandNewAndUnchanged", landNew},
		{"LandThereAndBackMakesThreeVersions", landBack},
		{"LandOlderStampStaysHistory", landLate},
		{"LandTwiceChangesNothing", landTwice},
		{"LandDuplicateInAPass", landDuplicate},
		{"LandFilteredBecomesTombstone", landFiltered},
		{"LandDeleteAndReturn", landDelete},
		{"LandEtagAlone", landEtag},
		{"LandUnreadable", landUnreadable},
		{"LandErrorRollsBackAll", landRollback},
		{"LandTextsOfEveryKind", landTexts},
		{"LandBigPage", landBig},
		{"LandSourcesApart", landSources},
	}
}

func landNew(b *Bench) {
	page := []store.Item{Item("1", Named("Ada")), Item("2", Named("Bob"))}
	same(b, "first landing", b.Land(page...), store.Counts{Pulled: 2, Stored: 2})
	same(b, "second landing", b.Land(page...), store.Counts{Pulled: 2, Unchanged: 2})
	if a, c := b.Rec("1"), b.Rec("2"); a <= 0 || c != a+1 {
		b.Errorf("landing numbers %d, %d: want them positive and in page order", a, c)
	}
	h := b.History("1")
	same(b, "versions", names(h), []string{"Ada"})
	same(b, "current", h.Current, 1)
	if h.Versions[0].SeenAt.Before(Start()) || !h.Versions[0].Stamp.IsZero() {
		b.Errorf("seen at %v, stamp %v: want the time of landing and none", h.Versions[0].SeenAt, h.Versions[0].Stamp)
	}
	m := b.Members("1")
	if len(m) != 1 || authoredName(m[0]) != "Ada" || !m[0].Live || m[0].Version != 1 || m[0].Comp != 0 || m[0].Golden != 0 {
		b.Errorf("member %+v: want a live, unlinked Ada in version 1", m)
	}
	ref := record.Ref{Source: Source, Entity: Entity, ID: "1"}
	same(b, "reference", m[0].Ref, ref)
	same(b, "anchor", m[0].Anchor, Vault().Anchor(Source, Entity, "1"))
	refs, err := b.DB.Refs(b.Context(), b.Recs("1", "2"))
	b.Must(err)
	same(b, "Refs", refs[b.Rec("1")], ref)
	_, err = b.DB.Rec(b.Context(), record.Ref{Source: Source, Entity: Entity, ID: "9"})
	if !errors.Is(err, record.ErrNotFound) {
		b.Errorf("Rec of an unknown record: %v, want ErrNotFound", err)
	}
}

func landBack(b *Bench) {
	for _, name := range []string{"A", "B", "A"} {
		same(b, "landing "+name, b.Land(Item("1", Named(name))), store.Counts{Pulled: 1, Stored: 1})
	}
	h := b.History("1")
	same(b, "versions", names(h), []string{"A", "B", "A"})
	same(b, "current", h.Current, 3)
	same(b, "authored", authoredName(b.Members("1")[0]), "A")
}

func landLate(b *Bench) {
	b.Land(Stamped(Item("1", Named("new")), 10))
	late := Stamped(Item("1", Named("old")), 5)
	same(b, "late landing", b.Land(late), store.Counts{Pulled: 1, Stored: 1})
	same(b, "late landing again", b.Land(late), store.Counts{Pulled: 1, Unchanged: 1})
	h := b.History("1")
	same(b, "versions in the source's order", names(h), []string{"old", "new"})
	same(b, "current", h.Current, 1)
	same(b, "authored", authoredName(b.Members("1")[0]), "new")
	same(b, "the current one again", b.Land(Stamped(Item("1", Named("new")), 10)), store.Counts{Pulled: 1, Unchanged: 1})
	same(b, "a newer one", b.Land(Stamped(Item("1", Named("newest")), 11)), store.Counts{Pulled: 1, Stored: 1})
	same(b, "authored", authoredName(b.Members("1")[0]), "newest")
}

func landTwice(b *Bench) {
	b.Land(Stamped(Item("1", Named("now")), 50), Item("2", Named("x")))
	dup := Item("2", Named("z"))
	dup.Duplicate = true
	gone := Item("3", Named("never let in"))
	gone.Filtered = true
	page := []store.Item{
		Stamped(Item("1", Named("older")), 10), Stamped(Item("1", Named("oldest")), 5), Stamped(Item("1", Named("newest")), 60),
		Item("2", Named("y")), dup, gone, Item("4", Bad("b")),
	}
	same(b, "first", b.Land(page...), store.Counts{Pulled: 7, Stored: 4, Quarantined: 2, Filtered: 1})
	before := b.dump()
	same(b, "second", b.Land(page...), store.Counts{Pulled: 7, Unchanged: 6, Filtered: 1})
	same(b, "all that is stored", b.dump(), before)
	h := b.History("1")
	same(b, "versions", names(h), []string{"oldest", "older", "now", "newest"})
}

// dump is the facts of every record of the suite's source, in text.
func (b *Bench) dump() string {
	b.Helper()
	b.Must(b.DB.DeriveAgain(b.Context(), Source, Entity))
	backlog, err := b.DB.BacklogDerive(b.Context(), Entity, 1<<20)
	b.Must(err)
	var out strings.Builder
	b.Must(b.DB.Rederive(b.Context(), backlogRecs(backlog), func(h store.History) (store.Derived, error) {
		fmt.Fprintf(&out, "%d %s current %d\n", h.Rec, h.Ref, h.Current)
		for _, v := range h.Versions {
			fmt.Fprintf(&out, "  %d %d %q %s %s %v %q %q %v\n", v.N, v.Seq, v.Raw, record.FormatTime(v.Stamp), record.FormatTime(v.SeenAt), v.Deleted, v.Problem, v.Place, v.Released)
		}
		for _, w := range h.Writes {
			fmt.Fprintf(&out, "  write %d %s %s\n", w.Seq, w.Sent, w.Got)
		}
		return Derive(h)
	}))
	return out.String()
}

func landDuplicate(b *Bench) {
	dup := Item("1", Named("second"))
	dup.Duplicate = true
	same(b, "page", b.Land(Item("1", Named("first")), dup), store.Counts{Pulled: 2, Stored: 1, Quarantined: 1})
	h := b.History("1")
	same(b, "current", h.Current, 1)
	same(b, "problem", h.Versions[1].Problem, store.DuplicateProblem)
	same(b, "authored", authoredName(b.Members("1")[0]), "first")
	list := b.quarantine("open")
	if len(list) != 1 || list[0].Version != 2 {
		b.Fatalf("open quarantine %+v: want version 2", list)
	}
	same(b, "again", b.Land(Item("1", Named("first")), dup), store.Counts{Pulled: 2, Unchanged: 2})
	b.Land(Item("1", Named("third")))
	same(b, "open rows after a newer version", len(b.quarantine("open")), 1)
	same(b, "authored", authoredName(b.Members("1")[0]), "third")
}

func landFiltered(b *Bench) {
	out := Item("1", Named("Ada"))
	out.Filtered = true
	same(b, "never let in", b.Land(out), store.Counts{Pulled: 1, Filtered: 1})
	if _, err := b.DB.Rec(b.Context(), record.Ref{Source: Source, Entity: Entity, ID: "1"}); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("a filtered record was kept: %v", err)
	}
	b.Land(Item("1", Named("Ada")))
	same(b, "filtered later", b.Land(out), store.Counts{Pulled: 1, Filtered: 1})
	m := b.Members("1")[0]
	if m.Live || authoredName(m) != "Ada" {
		b.Errorf("member %+v: want a tombstone that keeps its identity", m)
	}
	same(b, "filtered again", b.Land(out), store.Counts{Pulled: 1, Filtered: 1})
	same(b, "versions", len(b.History("1").Versions), 2)
	same(b, "let in again", b.Land(Item("1", Named("Ada"))), store.Counts{Pulled: 1, Stored: 1})
	same(b, "live", b.Members("1")[0].Live, true)
	bad := Item("2", Bad("Bob"))
	b.Land(Item("2", Named("Bob")))
	bad.Filtered = true
	same(b, "filtered and bad", b.Land(bad), store.Counts{Pulled: 1, Filtered: 1})
	unreadable := Item("2", `{"unreadable":"x"}`)
	unreadable.Filtered, unreadable.Raw.Problem = true, "broken"
	same(b, "filtered and unreadable", b.Land(unreadable), store.Counts{Pulled: 1, Filtered: 1})
}

func landDelete(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	gone := Item("1", Named("Ada"))
	gone.Raw.Deleted = true
	same(b, "delete", b.Land(gone), store.Counts{Pulled: 1, Stored: 1})
	same(b, "live", b.Members("1")[0].Live, false)
	same(b, "delete again", b.Land(gone), store.Counts{Pulled: 1, Unchanged: 1})
	same(b, "return", b.Land(Item("1", Named("Ada"))), store.Counts{Pulled: 1, Stored: 1})
	same(b, "live", b.Members("1")[0].Live, true)
}

func landEtag(b *Bench) {
	it := Item("1", Named("Ada"))
	it.Raw.Version = "e1"
	b.Land(it)
	it.Raw.Version = "e2"
	same(b, "etag alone", b.Land(it), store.Counts{Pulled: 1, Unchanged: 1})
	same(b, "etag", b.objects("1")[b.Rec("1")].Etag, "e2")
	same(b, "versions", len(b.History("1").Versions), 1)
	it.Raw.Version = ""
	b.Land(it)
	same(b, "etag after an answer without one", b.objects("1")[b.Rec("1")].Etag, "e2")
}

func (b *Bench) objects(ids ...string) (objects map[int64]store.Object) {
	b.Helper()
	recs := b.Recs(ids...)
	b.Link(func(tx *store.LinkTx) (err error) {
		objects, err = tx.Objects(b.Context(), recs)
		return err
	})
	return objects
}

func landUnreadable(b *Bench) {
	it := Item("1", `{"unreadable":"<html>"}`)
	it.Raw.Problem, it.Raw.Place = "invalid character '<'", "line 3"
	same(b, "unreadable", b.Land(it), store.Counts{Pulled: 1, Quarantined: 1})
	list := b.quarantine("open")
	if len(list) != 1 || list[0].Place != "line 3" || len(list[0].Reasons) != 1 || list[0].Reasons[0].Rule != "unreadable" {
		b.Errorf("quarantine %+v: want one unreadable record of line 3", list)
	}
	same(b, "members", len(b.Members("1")), 0)
	same(b, "objects", len(b.objects("1")), 0)
	same(b, "again", b.Land(it), store.Counts{Pulled: 1, Unchanged: 1})
}

func landRollback(b *Bench) {
	run, err := b.DB.StartRun(b.Context(), Source, Entity)
	b.Must(err)
	b.LandAs(store.Landing{Items: []store.Item{Item("1", Named("Ada"))}, Cursor: []byte("page 1"), Run: run})
	broken := errors.New("the derivation broke")
	_, err = b.DB.Land(b.Context(), store.Landing{
		Source: Source, Entity: Entity, Run: run, Cursor: []byte("page 2"),
		Items: []store.Item{Item("1", Named("Bea")), Item("2", Named("Cyd"))},
		Derive: func(h store.History) (store.Derived, error) {
			if h.Ref.ID == "2" {
				return store.Derived{}, broken
			}
			return Derive(h)
		},
	})
	if !errors.Is(err, broken) || !strings.Contains(fmt.Sprint(err), "crm/company/2") {
		b.Errorf("Land = %v: want the derivation's error with the reference", err)
	}
	cursor, err := b.DB.Cursor(b.Context(), Source, Entity)
	b.Must(err)
	equalBytes(b, "cursor", cursor, []byte("page 1"))
	same(b, "versions", names(b.History("1")), []string{"Ada"})
	if _, err := b.DB.Rec(b.Context(), record.Ref{Source: Source, Entity: Entity, ID: "2"}); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("a record of the failed page was kept: %v", err)
	}
	counts, err := b.DB.RunCounts(b.Context(), "")
	b.Must(err)
	same(b, "run counts", counts, store.Counts{Pulled: 1, Stored: 1})
}

// landTexts stores what one engine would refuse: NUL and bytes that are no
// UTF-8. The raw bytes stay as they came.
func landTexts(b *Bench) {
	for _, tt := range []struct{ id, want string }{
		{"nul\x00inside", "nulinside"},
		{"bad\xff\xfeutf8", "bad\uFFFDutf8"},
		{"宁波试金石", "宁波试金石"},
		{"quote'\"\\%_", "quote'\"\\%_"},
		{" blanks ", " blanks "},
	} {
		it := Item(tt.id, Named("x"))
		it.Raw.Place, it.Raw.Version = "line\x00 1\xff", "e\x00tag"
		it.Raw.Data = append(it.Raw.Data, "\n\x00\xff"...)
		it.Raw.Problem = "not \xffJSON\x00"
		same(b, fmt.Sprintf("landing %q", tt.id), b.Land(it), store.Counts{Pulled: 1, Quarantined: 1})
		same(b, fmt.Sprintf("landing %q again", tt.id), b.Land(it), store.Counts{Pulled: 1, Unchanged: 1})
		h := b.History(tt.want)
		same(b, "id", h.Ref.ID, tt.want)
		same(b, "place", h.Versions[0].Place, "line 1\uFFFD")
		same(b, "problem", h.Versions[0].Problem, "not \uFFFDJSON")
		equalBytes(b, "raw", h.Versions[0].Raw, it.Raw.Data)
	}
	b.Must(b.DB.SetSetting(b.Context(), "n\x00ame", "v\xffalue"))
	value, err := b.DB.Setting(b.Context(), "name")
	b.Must(err)
	same(b, "setting", value, "v\uFFFDalue")
}

func landBig(b *Bench) {
	const n = 5000
	items := make([]store.Item, n)
	for i := range items {
		items[i] = Item(fmt.Sprintf("id-%05d", i), Named(fmt.Sprintf("name %d", i), [2]uint64{uint64(i % 7), uint64(i)}))
	}
	same(b, "landing", b.Land(items...), store.Counts{Pulled: n, Stored: n})
	same(b, "again", b.Land(items...), store.Counts{Pulled: n, Unchanged: n})
	backlog, err := b.DB.BacklogResolve(b.Context(), Entity, 0, 2*n)
	b.Must(err)
	same(b, "backlog", len(backlog), n)
	p, err := b.DB.Publish(b.Context(), backlogRecs(backlog), KeysOf, store.Lists{Cap: 100})
	b.Must(err)
	same(b, "published", len(p.Recs), n)
	same(b, "last record", authoredName(b.Members("id-04999")[0]), "name 4999")
}

func landSources(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	same(b, "the same id of another source", b.LandAs(store.Landing{Source: "erp", Items: []store.Item{Item("1", Named("Ada"))}}), store.Counts{Pulled: 1, Stored: 1})
	other, err := b.DB.Rec(b.Context(), record.Ref{Source: "erp", Entity: Entity, ID: "1"})
	b.Must(err)
	if other == b.Rec("1") {
		b.Error("two sources share one record")
	}
}
