package storetest

import (
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/store"
)

func searches() []subtest {
	return []subtest{
		{"SearchFindsWhatCarriesEveryTerm", searchTerms},
		{"SearchFollowsEveryChange", searchChanges},
		{"SearchPagesGiveEachAnswerOnce", searchPages},
	}
}

func (b *Bench) named(founder int64, version int, name, words string, sources ...string) store.GoldenChange {
	c := b.change(founder, fmt.Sprint("g", founder), version, 1)
	c.Search = store.SearchText{Name: name, Words: words, Sources: sources}
	return c
}

func (b *Bench) found(q store.SearchQuery) []string {
	b.Helper()
	var ids []string
	for range 100 {
		page, err := b.DB.Search(b.Context(), q)
		b.Must(err)
		for _, g := range page.List {
			ids = append(ids, g.ID)
		}
		if q.After = page.Next; q.After == "" {
			return ids
		}
	}
	b.Fatal("the pages of a search do not end")
	return nil
}

func terms(words ...string) (list [][]string) {
	for _, w := range words {
		list = append(list, strings.Split(w, "|"))
	}
	return list
}

func searchTerms(b *Bench) {
	b.save(
		b.named(1, 1, "上海美跃包装材料有限公司", "info@meiyue.example.cn ~201088861268 上海", "crm", "desk"),
		b.named(2, 1, "美跃", "上海", "crm"),
		b.named(3, 1, "acme holdings ltd", "3m中国 a_b@x.example.com", "desk"),
		b.named(4, 1, "acme", "boston", "erp"),
	)
	for _, tt := range []struct {
		q    store.SearchQuery
		want string
	}{
		{store.SearchQuery{Terms: terms("美跃"), Name: "美跃"}, "g2 g1"}, // named so comes first
		{store.SearchQuery{Terms: terms("跃")}, "g1 g2"},
		{store.SearchQuery{Terms: terms("司")}, "g1"},
		{store.SearchQuery{Terms: terms("有限公司")}, "g1"},
		{store.SearchQuery{Terms: terms("跃包")}, "g1"},
		{store.SearchQuery{Terms: terms("跃上")}, ""}, // not across words
		{store.SearchQuery{Terms: terms("美跃", "info")}, "g1"},
		{store.SearchQuery{Terms: terms("acm"), Name: "acm"}, "g3 g4"},
		{store.SearchQuery{Terms: terms("acme"), Name: "acme"}, "g4 g3"},
		{store.SearchQuery{Terms: terms("cme")}, ""},
		{store.SearchQuery{Terms: terms("acme", "ltd")}, "g3"},
		{store.SearchQuery{Terms: terms("l")}, "g3"},
		{store.SearchQuery{Terms: terms("3m", "中国")}, "g3"},
		{store.SearchQuery{Terms: terms("68880102|~20108886")}, "g1"},
		{store.SearchQuery{Terms: terms("a_b@x")}, "g3"},
		{store.SearchQuery{Terms: terms("a%b")}, ""},
		{store.SearchQuery{Source: "crm"}, "g1 g2"},
		{store.SearchQuery{Source: "cr"}, ""},
		{store.SearchQuery{Several: true}, "g1"},
		{store.SearchQuery{Entity: "person"}, ""},
		{store.SearchQuery{}, "g1 g2 g3 g4"},
		{store.SearchQuery{Terms: terms("acme"), Source: "erp"}, "g4"},
		{store.SearchQuery{Since: "2999-01-01T00:00:00.000000Z"}, ""},
		{store.SearchQuery{Since: "2000-01-01T00:00:00.000000Z", Terms: terms("boston")}, "g4"},
	} {
		tt.q.Limit = 1
		same(b, fmt.Sprintf("search %+v", tt.q), strings.Join(b.found(tt.q), " "), tt.want)
	}
	_, err := b.DB.Search(b.Context(), store.SearchQuery{After: "x"})
	if err == nil {
		b.Error("a place to go on from that is none was taken")
	}
}

func searchChanges(b *Bench) {
	look := func(what, term, want string) {
		b.Helper()
		same(b, what, strings.Join(b.found(store.SearchQuery{Terms: terms(term), Limit: 10}), " "), want)
	}
	b.save(b.named(1, 1, "old name", "kept", "crm"))
	b.save(b.named(1, 2, "new name", "kept", "crm"))
	look("the old name", "old", "")
	look("the new name", "new", "g1")
	look("a word that stayed", "kept", "g1")
	dead := b.named(1, 3, "new name", "kept", "crm")
	dead.Live = 0
	b.save(dead)
	look("without live members", "new", "")
	b.save(b.named(1, 4, "back again", "", "crm"))
	look("back", "back", "g1")
	b.Link(func(tx *store.LinkTx) error {
		return tx.DropGolden(b.Context(), []store.Golden{b.change(1, "g1", 4, 1).Golden})
	})
	look("dropped", "back", "")
	b.save(b.named(1, 5, "back again", "", "crm"))
	look("after a return", "back", "g1")
	moved := b.named(1, 5, "back again", "", "desk")
	b.Link(func(tx *store.LinkTx) error { return tx.SaveSearch(b.Context(), []store.GoldenChange{moved}) })
	same(b, "by the new source", len(b.found(store.SearchQuery{Source: "desk", Limit: 1})), 1)
	same(b, "by the old source", len(b.found(store.SearchQuery{Source: "crm", Limit: 1})), 0)
}

// searchPages has more golden records than are ranked: the walk and the ranking
// give the same answers, each once.
func searchPages(b *Bench) {
	const n = 2300
	var all []store.GoldenChange
	for i := int64(1); i <= n; i++ {
		name := "common"
		if i%100 == 0 {
			name = "common rare"
		}
		if i%1000 == 0 {
			name = "exactly"
		}
		all = append(all, b.named(i, 1, name, "exactly", "crm"))
	}
	b.Link(func(tx *store.LinkTx) error {
		tx.Untouched = true
		return tx.SaveGolden(b.Context(), all)
	})
	for _, tt := range []struct {
		q     store.SearchQuery
		n     int
		first string
	}{
		{store.SearchQuery{Terms: terms("exactly"), Name: "exactly"}, n, "g1000 g2000 g1 g2"},
		{store.SearchQuery{Terms: terms("exactly", "rare")}, 21, "g100 g200"},
		{store.SearchQuery{Terms: terms("exactly"), Name: "nobody"}, n, "g1 g2"},
		{store.SearchQuery{}, n, "g1 g2"},
	} {
		for _, limit := range []int{1000, 77} {
			tt.q.Limit = limit
			ids := b.found(tt.q)
			distinct := slices.Compact(slices.Sorted(slices.Values(ids)))
			same(b, fmt.Sprintf("%v by %d", tt.q.Terms, limit), [2]int{len(ids), len(distinct)}, [2]int{tt.n, tt.n})
			if got := strings.Join(ids, " "); !strings.HasPrefix(got, tt.first+" ") {
				b.Errorf("%v by %d begins with %.40s, want %s", tt.q.Terms, limit, got, tt.first)
			}
		}
	}
	tt := store.SearchQuery{Terms: terms("exactly"), Name: "exactly", Limit: 1}
	page, err := b.DB.Search(b.Context(), tt)
	b.Must(err)
	same(b, "total of many", page.Total, -1)
	page, err = b.DB.Search(b.Context(), store.SearchQuery{Terms: terms("rare"), Limit: 1})
	b.Must(err)
	same(b, "total of few", page.Total, 21)
}
