package storetest

import (
	"fmt"
	"time"

	"touchstone/internal/store"
)

// Script runs a random course of operations, the same for the same seed.
func Script(b *Bench, seed uint64, steps int) {
	s := &script{Bench: b, rnd: dice{state: seed}}
	s.Land(Item("1", Named("first")))
	for range steps {
		s.step()
	}
	Resolve(b)
}

type script struct {
	*Bench
	rnd     dice
	rulings []string
}

func (s *script) step() {
	ctx := s.Context()
	switch s.rnd.IntN(12) {
	case 0, 1, 2, 3:
		s.landPage()
	case 4, 5:
		Resolve(s.Bench)
	case 6:
		s.ruleOrWithdraw()
	case 7:
		if open := s.quarantine("open"); len(open) > 0 {
			err := s.DB.Release(ctx, open[s.rnd.IntN(len(open))].ID, "ann", "why not")
			s.Logf("release: %v", err) // an unreadable one is refused
		}
	case 8:
		s.Must(s.DB.DeriveAgain(ctx, Source, Entity))
	case 9, 10:
		s.deliver()
	case 11:
		s.Clock.Advance(time.Duration(s.rnd.IntN(120)) * time.Minute)
	}
}

func (s *script) landPage() {
	var page []store.Item
	seen := map[string]bool{}
	for range 1 + s.rnd.IntN(8) {
		id := fmt.Sprint(s.rnd.IntN(15))
		name := fmt.Sprint("name ", s.rnd.IntN(5))
		it := Item(id, Named(name, [2]uint64{uint64(s.rnd.IntN(4)), uint64(s.rnd.IntN(2))}))
		if s.rnd.IntN(8) == 0 {
			it = Item(id, Bad(name))
		}
		if s.rnd.IntN(3) > 0 {
			it = Stamped(it, s.rnd.IntN(60))
		}
		it.Duplicate, seen[id] = seen[id], true
		it.Raw.Deleted = s.rnd.IntN(10) == 0
		it.Filtered = s.rnd.IntN(10) == 0
		it.Raw.Version = fmt.Sprint("e", s.rnd.IntN(3))
		if s.rnd.IntN(20) == 0 {
			it.Raw.Problem = "broken"
		}
		if s.rnd.IntN(4) == 0 {
			it.Key = fmt.Sprint("key-", 1+s.rnd.IntN(40))
		}
		page = append(page, it)
	}
	s.LandAs(store.Landing{Items: page, Cursor: []byte(fmt.Sprint("c", s.rnd.IntN(1000)))})
}

// known gives the landing numbers of the golden records' members.
func (s *script) known() []int64 {
	list, err := s.DB.GoldenList(s.Context(), store.GoldenFilter{Limit: 100, All: true})
	s.Must(err)
	var recs []int64
	for _, g := range list {
		recs = append(recs, g.Founder)
	}
	return recs
}

func (s *script) ruleOrWithdraw() {
	recs := s.known()
	if len(s.rulings) > 0 && s.rnd.IntN(3) == 0 {
		i := s.rnd.IntN(len(s.rulings))
		s.Must(s.DB.Withdraw(s.Context(), s.rulings[i], "ann"))
		s.rulings = append(s.rulings[:i], s.rulings[i+1:]...)
		return
	}
	if len(recs) < 2 {
		return
	}
	i, j := s.rnd.IntN(len(recs)), s.rnd.IntN(len(recs))
	if i != j {
		s.rulings = append(s.rulings, s.rule([]string{"must", "cannot"}[s.rnd.IntN(2)], recs[i], recs[j]))
	}
}

func (s *script) deliver() {
	ctx := s.Context()
	var rows []store.Row
	for _, rec := range s.known() {
		if s.rnd.IntN(3) == 0 {
			rows = append(rows, row("out", rec, rec*int64(s.rnd.IntN(2)), fmt.Sprint("name ", s.rnd.IntN(5))))
		}
	}
	s.Link(func(tx *store.LinkTx) error { return tx.AddRows(ctx, rows, nil) })
	if s.rnd.IntN(6) == 0 {
		_, err := s.DB.Interrupted(ctx, "out")
		s.Must(err)
	}
	unsettled, err := s.DB.Unsettled(ctx, "out", 5)
	s.Must(err)
	states := []string{store.Pending, store.Unknown, store.Delivered, store.Delivered, store.Rejected, store.Conflicted, store.Dead, store.Superseded}
	for _, r := range append(s.claim("out", 1+s.rnd.IntN(10)), unsettled...) {
		if s.rnd.IntN(8) == 0 {
			continue // stays inflight
		}
		st := store.Settlement{State: states[s.rnd.IntN(len(states))], Outcome: "seeded", Refused: s.rnd.IntN(4) == 0, Replan: s.rnd.IntN(4) == 0}
		if s.rnd.IntN(2) == 0 {
			st.Got, st.Verified = r.Fields, s.rnd.IntN(2) == 0
		}
		if s.rnd.IntN(3) == 0 {
			st.NotBefore, st.ZombieUntil = s.Clock.Now().Add(time.Minute), s.Clock.Now().Add(time.Hour)
		}
		if st.State == store.Delivered && r.Rec == 0 {
			st.ExternalID = fmt.Sprint(s.rnd.IntN(25))
		}
		s.settle(r, st)
	}
}
