package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/store"
)

// madeUp is golden record number i of a made-up store: half of them Chinese.
func madeUp(r *rand.Rand, i int64) store.GoldenChange {
	brands := []rune("华润中信达盛恒通瑞丰金鑫宏伟美佳联创新科德明海天龙腾飞翔远大正阳光辉煌宝利康泰安顺吉祥福兴旺昌")
	cities := []string{"上海", "北京", "深圳", "广州", "杭州", "成都", "武汉", "南京"}
	trades := []string{"科技", "贸易", "物流", "建材", "电子", "食品", "机械", "化工", "服饰", "医疗器械", "软件", "广告"}
	heads := strings.Fields("acu bri cor del ever flex gen hel inno jet kor lum max nov omni pro quan ret syn tri uni ver west xen zen")
	tails := strings.Fields("tech dyne ora via ix ant co tek line point wave core gen lux mark net soft star field path")
	works := strings.Fields("technologies solutions systems consulting logistics foods industries manufacturing services capital")
	phone := fmt.Sprintf("~%08d1268", r.IntN(1e8))
	c := store.GoldenChange{Golden: store.Golden{
		Founder: i, ID: fmt.Sprintf("g%015d", i), Entity: "company", Provenance: []byte(`{}`), Members: 1, Live: 1, Version: 1,
	}, Refs: "{}"}
	sources := []string{"crm", "desk", "erp"}
	c.Search.Sources = sources[r.IntN(3):][:1]
	if r.IntN(5) == 0 {
		c.Search.Sources = []string{"crm", "desk"}
	}
	if i%2 == 0 {
		city := cities[r.IntN(len(cities))]
		c.Search.Name = city + string([]rune{brands[r.IntN(len(brands))], brands[r.IntN(len(brands))]}) + trades[r.IntN(len(trades))] + "有限公司"
		c.Search.Words = fmt.Sprintf("info@b%d.example.cn b%d.example.cn %s 9131%014d %s", i, i, phone, i, city)
	} else {
		c.Search.Name = heads[r.IntN(len(heads))] + tails[r.IntN(len(tails))] + " " + works[r.IntN(len(works))] + " ltd"
		c.Search.Words = fmt.Sprintf("contact@c%d.example.com c%d.example.com %s boston", i, i, phone)
	}
	c.Fields = []byte(fmt.Sprintf(`{"name":%q,"website":"www.example.com","city":"x","padding":%q}`, c.Search.Name, strings.Repeat("x", 400)))
	return c
}

// BenchmarkSearch looks golden records up in a store of a million of them, on
// both engines: go test -v -run xxx -bench Search -benchtime 1x -timeout 1h ./internal/store
func BenchmarkSearch(b *testing.B) {
	for _, eng := range engines() {
		b.Run(eng.name, func(b *testing.B) {
			for range b.N {
				searchMillion(b, open(b, eng.dsn(b), env.Real()), 1_000_000)
			}
		})
	}
}

func searchMillion(b *testing.B, db *store.DB, n int64) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(8, 1))
	began := time.Now()
	for at := int64(1); at <= n; {
		var batch []store.GoldenChange
		for ; len(batch) < 2000 && at <= n; at++ {
			batch = append(batch, madeUp(r, at))
		}
		err := db.Link(ctx, func(tx *store.LinkTx) error {
			tx.Untouched = true
			return tx.SaveGolden(ctx, batch)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	var report strings.Builder // one entry: a benchmark shows no more than ten
	fmt.Fprintf(&report, "%d golden records saved in %.0f s\n", n, time.Since(began).Seconds())
	for _, q := range []struct {
		name string
		q    store.SearchQuery
	}{
		{"a name in full", store.SearchQuery{Terms: [][]string{{"上海盛恒科技有限公司"}}, Name: "上海盛恒科技有限公司"}},
		{"two characters", store.SearchQuery{Terms: [][]string{{"盛恒"}}, Name: "盛恒"}},
		{"a common word", store.SearchQuery{Terms: [][]string{{"公司"}}, Name: "公司"}},
		{"a city and a trade", store.SearchQuery{Terms: [][]string{{"上海"}, {"物流"}}, Name: "上海 物流"}},
		{"one character", store.SearchQuery{Terms: [][]string{{"煌"}}, Name: "煌"}},
		{"a telephone's end", store.SearchQuery{Terms: [][]string{{"12345", "~54321"}}}},
		{"a mail address", store.SearchQuery{Terms: [][]string{{"info@b777778.example.cn"}}, Name: "x"}},
		{"three letters", store.SearchQuery{Terms: [][]string{{"acu"}}, Name: "acu"}},
		{"common words that meet seldom", store.SearchQuery{Terms: [][]string{{"zenpath"}, {"capital"}, {"contact@c99999"}}, Name: "x"}},
		{"common words that never meet", store.SearchQuery{Terms: [][]string{{"上海"}, {"logistics"}}, Name: "x"}},
		{"all, in more than one system", store.SearchQuery{Several: true}},
		{"all of a source", store.SearchQuery{Source: "erp"}},
		{"changed since", store.SearchQuery{Since: "2020-01-01T00:00:00.000000Z"}},
	} {
		q.q.Limit = 50
		var took []time.Duration
		var page store.SearchPage
		for range 7 {
			from := time.Now()
			var err error
			if page, err = db.Search(ctx, q.q); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(from))
		}
		first := took[0]
		slices.Sort(took)
		fmt.Fprintf(&report, "%-30s first %6.1f ms, median %6.1f ms, %2d shown of %d, partial %v\n", q.name, first.Seconds()*1000, took[3].Seconds()*1000, len(page.List), page.Total, page.Partial)
	}
	b.Log(report.String())
}
