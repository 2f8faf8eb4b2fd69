package app

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// queueFirm is a row of one of the queue's tables: firms of one name in two systems
// that nothing else ties together.
func queueFirm(id string, n int, city string) string {
	return fmt.Sprintf("%s,%s,%s", id, firmName(n), city)
}

// firmName is a name that is like no other one.
func firmName(n int) string {
	first := []string{"Quarry", "Zenith", "Lantern", "Harbour", "Meadow", "Falcon", "Copper", "Violet", "Thistle", "Juniper"}
	second := []string{"Bakery", "Optics", "Timber", "Glass", "Textiles", "Marine", "Foundry", "Dairy", "Tiles", "Pumps"}
	return first[n%10] + " " + second[n/10%10] + " Ltd"
}

// queueWorld has n firms that stand in crm and in desk, each in two towns, so
// that every pair of one name waits for a person, and orders of some of them.
func queueWorld(t *testing.T, dsn string, n int, review string, orders ...string) *world {
	t.Helper()
	w := newWorld(t, dsn)
	crm, desk := "id,name,city\n", "id,name,city\n"
	for i := range n {
		crm += queueFirm(fmt.Sprint("c", i), i, "Leeds") + "\n"
		desk += queueFirm(fmt.Sprint("d", i), i, "Leeds") + "\n"
	}
	w.write("crm.csv", crm)
	w.write("desk.csv", desk)
	w.write("orders.csv", "id,customer,at,amount,currency\n"+strings.Join(orders, "\n")+"\n")
	source := func(name string) string {
		return strings.ReplaceAll(`
  NAME:
    type: file
    path: NAME.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, address: {city: record.city}}`, "NAME", name)
	}
	w.yaml = review + "\nsources:" + source("crm") + source("desk") + `
  orders:
    type: file
    path: orders.csv
    events:
      order:
        id: record.id
        of: {source: crm, entity: company, id: record.customer}
        at: record.at
        map: {amount: record.amount, currency: record.currency}
entities:
  company:
    match: {link: 0.9999999999, review: 0.2}
`
	return w
}

// pairs are the open pairs as lines: the names of both records and what the
// pair is worth.
func (w *world) pairs(q web.ReviewQuery) (lines []string) {
	w.Helper()
	for q.Limit = 7; ; {
		p, err := w.app.OpenPairs(w.Context(), q)
		if err != nil {
			w.Fatalf("open pairs %+v: %v", q, err)
		}
		for _, x := range p.Items {
			lines = append(lines, fmt.Sprintf("%s=%s %.0f", x.A.ID, x.B.ID, x.Value))
		}
		if q.After = p.Next; q.After == "" {
			return lines
		}
	}
}

// pair finds the open pair of two source records.
func (w *world) pair(a, b string) web.QueueItem {
	w.Helper()
	work, err := w.app.PairWork(w.Context(), w.pairOf(a, b), "")
	if err != nil {
		w.Fatalf("pair %s %s: %v", a, b, err)
	}
	return work.Item
}

func (w *world) pairOf(a, b string) string {
	x, y := w.rec(a), w.rec(b)
	return pairID(store.OpenPair{A: min(x, y), B: max(x, y)})
}

// TestQueueIsOrderedByExpectedLoss: by the orders of the last year, and again
// when they change, on both engines.
func TestQueueIsOrderedByExpectedLoss(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := queueWorld(t, dsn, 4, "review: {currency: EUR, rates: {USD: 0.5}}",
			"o1,c2,2026-01-05T00:00:00Z,900.00,EUR", "o2,c1,2026-01-05T00:00:00Z,400,USD", "o3,c0,2024-01-05T00:00:00Z,5000,EUR", "o4,c3,2026-02-01T00:00:00Z,70,JPY")
		w.open()
		w.clean()
		want := []string{"c2=d2 901", "c1=d1 201", "c0=d0 2", "c3=d3 2"}
		if got := w.pairs(web.ReviewQuery{}); !slices.Equal(got, want) {
			t.Errorf("by damage %q, want %q", got, want)
		}
		for _, tt := range []struct {
			q    web.ReviewQuery
			want []string
		}{
			{web.ReviewQuery{Value: 201}, []string{"c2=d2 901", "c1=d1 201"}},
			{web.ReviewQuery{Order: web.OrderName, Value: 201}, []string{"c2=d2 901", "c1=d1 201"}}, // Lantern, Zenith
			{web.ReviewQuery{Order: web.OrderName}, []string{"c3=d3 2", "c2=d2 901", "c0=d0 2", "c1=d1 201"}},
			{web.ReviewQuery{Source: "crm", Other: "desk", Value: 201}, []string{"c2=d2 901", "c1=d1 201"}},
			{web.ReviewQuery{Source: "crm", Other: "crm"}, nil},
			{web.ReviewQuery{Kind: web.KindVeto}, nil},
			{web.ReviewQuery{Kind: web.KindBelow, Value: 901}, []string{"c2=d2 901"}},
			{web.ReviewQuery{Text: "lantern"}, []string{"c2=d2 901"}},
			{web.ReviewQuery{Text: "nobody"}, nil},
			{web.ReviewQuery{To: 0.01}, nil},
			{web.ReviewQuery{Entity: "person"}, nil},
		} {
			if got := w.pairs(tt.q); !slices.Equal(got, tt.want) {
				t.Errorf("%+v: %q, want %q", tt.q, got, tt.want)
			}
		}
		// More orders, and a year later fewer.
		w.write("orders.csv", "id,customer,at,amount,currency\no2,c1,2026-01-05T00:00:00Z,4000,USD\no5,c0,2026-02-01T00:00:00Z,300,EUR\no1,c2,2026-01-05T00:00:00Z,900.00,EUR\n")
		w.clean()
		if got, want := w.pairs(web.ReviewQuery{}), []string{"c1=d1 2001", "c2=d2 901", "c0=d0 301", "c3=d3 2"}; !slices.Equal(got, want) {
			t.Errorf("after more orders %q, want %q", got, want)
		}
		w.verify()
		w.sleep(330 * 24 * time.Hour)
		w.clean()
		if got, want := w.pairs(web.ReviewQuery{}), []string{"c0=d0 301", "c1=d1 2", "c2=d2 2", "c3=d3 2"}; !slices.Equal(got, want) {
			t.Errorf("a year after two orders %q, want %q", got, want)
		}
		w.verify()
	})
}

// TestBadQuestionsOfTheQueueAreRefused with what would be right.
func TestBadQuestionsOfTheQueueAreRefused(t *testing.T) {
	t.Parallel()
	w := queueWorld(t, "", 1, "")
	w.open()
	for _, tt := range []struct {
		q    web.ReviewQuery
		want string
	}{
		{web.ReviewQuery{Order: "size"}, "order"},
		{web.ReviewQuery{Kind: "odd"}, "kind"},
		{web.ReviewQuery{Entity: "ship"}, "entity"},
		{web.ReviewQuery{From: 0.9, To: 0.5}, "from"},
		{web.ReviewQuery{From: -1}, "from"},
		{web.ReviewQuery{Value: -1}, "value"},
		{web.ReviewQuery{Limit: 5000}, "limit"},
		{web.ReviewQuery{Other: "crm"}, "source"},
		{web.ReviewQuery{Source: "nowhere"}, "source"},
		{web.ReviewQuery{Due: "soon"}, "due"},
		{web.ReviewQuery{Assigned: "me"}, "assigned"},
		{web.ReviewQuery{After: "%%"}, "after"},
		{web.ReviewQuery{After: "e30"}, "after"},
	} {
		var p *web.Problem
		if _, err := w.app.OpenPairs(t.Context(), tt.q); !errors.As(err, &p) || p.Field != tt.want || p.Text == "" {
			t.Errorf("%+v: %v, want a problem of %s", tt.q, err, tt.want)
		}
	}
}

// TestQueueFollowsWhateverHappens: after any history of pulls, answers, undos
// and days the queue kept row by row equals the one made anew.
func TestQueueFollowsWhateverHappens(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := queueWorld(t, dsn, 8, "review: {currency: EUR}")
		w.opts.Bulk = 1 << 20
		w.open()
		w.clean()
		random := rand.New(rand.NewPCG(14, 1))
		orders := []string{}
		var made []string
		for step := range 24 {
			switch i := random.IntN(8); random.IntN(6) {
			case 0:
				orders = append(orders, fmt.Sprintf("o%d,c%d,2026-0%d-05T00:00:00Z,%d,EUR", step, i, 1+random.IntN(3), random.IntN(1000)))
				w.write("orders.csv", "id,customer,at,amount,currency\n"+strings.Join(orders, "\n")+"\n")
			case 1:
				w.write("desk.csv", "id,name,city\n"+queueFirm(fmt.Sprint("d", i), (i+random.IntN(2))%8, []string{"York", "Leeds", "Hull"}[random.IntN(3)])+"\n")
			case 2, 3:
				x := w.pairs(web.ReviewQuery{})
				if len(x) == 0 {
					continue
				}
				a, b, _ := strings.Cut(strings.Fields(x[random.IntN(len(x))])[0], "=")
				out, err := w.app.AnswerPair(t.Context(), web.PairAnswer{ID: w.pairOf(refOf(a), refOf(b)), Answer: []string{web.AnswerSame, web.AnswerApart, web.AnswerUnsure}[random.IntN(3)]}, web.By{Who: "ann"})
				if err != nil {
					t.Fatal(err)
				}
				if out.State == web.OutcomeDecided {
					made = append(made, out.Decision)
				}
			case 4:
				if len(made) > 0 {
					if _, err := w.app.Undo(t.Context(), made[random.IntN(len(made))], ann); err != nil && !refusedUndo(err) {
						t.Fatal(err)
					}
				}
			case 5:
				w.sleep(time.Duration(random.IntN(90)) * 24 * time.Hour)
			}
			if random.IntN(2) == 0 {
				w.clean()
			}
		}
		w.clean()
		kept := w.queueRows()
		if err := w.app.Store.RemakeQueue(t.Context(), w.app.appraisal(record.Company)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(kept, w.queueRows()); diff != "" {
			t.Errorf("the queue differs from the one made anew (-kept +anew):\n%s", diff)
		}
		w.verify()
	})
}

func refOf(id string) string {
	if id[0] == 'c' {
		return "crm/company/" + id
	}
	return "desk/company/" + id
}

func refusedUndo(err error) bool {
	var against *store.Contradiction
	var no *Unclear
	return errors.As(err, &against) || errors.As(err, &no)
}

// queueRows is the whole queue.
func (w *world) queueRows() []store.QueuedPair {
	w.Helper()
	list, _, _, err := w.app.Store.Queue(w.Context(), store.QueueFilter{Entity: record.Company, Limit: 1000, Now: store.TimeText(w.app.opts.Env.Clock.Now())})
	if err != nil {
		w.Fatal(err)
	}
	return list
}
