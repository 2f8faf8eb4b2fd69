package app

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"touchstone/internal/store"
)

// readRows reads a CSV file without its header.
func readRows(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// TestQueueRemovesTwiceTheDamageOfScoreOrder: on 2,000 labelled records of
// companies in Chinese and English whose yearly turnover is drawn log-normal,
// the queue's order takes off at least twice the true damage that the order of
// scores does, decision by decision, at 5, 10 and 20 % of the queue. True is
// what the labels say: a duplicate that stays apart costs what rules/worth says
// of its value, and a pair of two customers costs nothing.
func TestQueueRemovesTwiceTheDamageOfScoreOrder(t *testing.T) {
	t.Parallel()
	// A careful threshold leaves some hundred pairs of this small list to a person;
	// turnovers of firms spread over some orders of magnitude.
	const link, sigma = "0.999", 2
	const data = "../../matching/testdata/"
	w := newWorld(t, "")
	text, err := os.ReadFile(data + "company_mixed_2k.csv")
	if err != nil {
		t.Fatal(err)
	}
	w.write("list.csv", string(text))
	cluster := map[string]string{}
	for _, row := range readRows(t, data+"company_mixed_2k_truth.csv") {
		cluster[row[0]] = row[1]
	}
	random := rand.New(rand.NewPCG(7, 14))
	orders := []string{"id,customer,at,amount,currency"}
	for i, row := range readRows(t, data+"company_mixed_2k.csv") {
		turnover := math.Exp(math.Log(5000) + sigma*random.NormFloat64())
		orders = append(orders, fmt.Sprintf("o%d,%s,2026-01-15T00:00:00Z,%.2f,EUR", i, row[0], turnover))
	}
	w.write("orders.csv", strings.Join(orders, "\n")+"\n")
	w.yaml = `review: {currency: EUR}
sources:
  list:
    type: file
    path: list.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, phone: record.phone, email: record.email, website: record.website, country: record.country, address: {line: record.street, city: record.city, region: record.region, postcode: record.postcode, country: record.country}}
  orders:
    type: file
    path: orders.csv
    events: {order: {id: record.id, of: {source: list, entity: company, id: record.customer}, at: record.at, map: {amount: record.amount, currency: record.currency}}}
entities:
  company: {match: {link: ` + link + `, review: 0.05}}
`
	w.open()
	w.pass()
	ap := w.app.appraisal("company")
	// removed is what the first n decisions of an order take off, in 1/100 EUR.
	order := func(by string) (removed []int64, open int) {
		list, _, _, err := w.app.Store.Queue(t.Context(), store.QueueFilter{Entity: ap.Entity, Order: by, Limit: 100_000, Now: store.TimeText(w.app.opts.Env.Clock.Now())})
		if err != nil {
			t.Fatal(err)
		}
		recs := []int64{}
		for _, p := range list {
			recs = append(recs, p.A, p.B)
		}
		refs, err := w.app.Store.Refs(t.Context(), recs)
		if err != nil {
			t.Fatal(err)
		}
		sum, same := int64(0), 0
		for _, p := range list {
			if cluster[refs[p.A].ID] == cluster[refs[p.B].ID] {
				sum += w.app.worth().Losses.OfApart(p.Value, p.Systems)
				same++
			}
			removed = append(removed, sum)
		}
		t.Logf("%s: %d pairs wait, %d are one customer", by, len(list), same)
		return removed, len(list)
	}
	score, n := order("score")
	damage, _ := order("damage")
	if n < 300 {
		t.Fatalf("%d pairs wait, want some hundred", n)
	}
	total := float64(damage[n-1])
	for _, share := range []int{5, 10, 20} {
		k := n * share / 100
		ratio := float64(damage[k-1]) / float64(score[k-1])
		t.Logf("first %2d %% (%d decisions): %.1f %% of the damage by score, %.1f %% by damage: %.1f times", share, k, 100*float64(score[k-1])/total, 100*float64(damage[k-1])/total, ratio)
		if ratio < 2 {
			t.Errorf("the first %d %% remove %.2f times what score order does, want at least twice", share, ratio)
		}
	}
}
