package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// TestEverythingHoldsWhereThePartsMeet plays what TestReferencesHoldThroughAnything
// does, and between it people's decisions and undos, pins that end, other match
// models, bulk turns that are cut short and restarts: in the end references hold,
// nothing is written in turn, and a rebuild gives the same.
func TestEverythingHoldsWhereThePartsMeet(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w, crm, desk := linkedWorld(t, "", nil, nil)
			r := rand.New(rand.NewPCG(seed, 11))
			w.opts = Options{Batch: 1 + r.IntN(4), Bulk: []int{1, 4}[seed%2], Names: r.IntN(3), Cap: []int{0, 2, 4}[r.IntN(3)]}
			w.open()
			w.otherModel()
			m := &meeting{play: play{world: w, crm: crm, desk: desk, r: r}}
			for range 40 {
				if k := r.IntN(16); k < 7 || len(m.companies) < 3 {
					m.step()
				} else {
					m.meet(k)
				}
			}
			w.clean()
			w.clean()
			w.later(40 * time.Minute) // every pin that ends has ended
			m.check()
			w.end()
		})
	}
}

type meeting struct {
	play
	decisions []string
}

func (m *meeting) some(ids []string) string { return ids[m.r.IntN(len(ids))] }

func (m *meeting) company() string { return "crm/company/" + m.some(m.companies) }

// decided keeps a decision that was made; one may be refused, and for no reason
// but these.
func (m *meeting) decided(d Decided, err error) {
	m.Helper()
	var against *store.Contradiction
	var no *Unclear
	switch {
	case err == nil:
		m.decisions, m.rulings = append(m.decisions, d.Decision), nil
	case !errors.As(err, &against) && !errors.As(err, &no) && !errors.Is(err, record.ErrNotFound):
		m.Errorf("decision: %v", err)
	}
}

func (m *meeting) meet(k int) {
	m.Helper()
	ctx, by := m.Context(), By{Who: "ann", Over: m.r.IntN(2) == 0}
	switch k {
	case 7, 8:
		m.decided(m.app.Merge(ctx, m.company(), m.company(), by))
	case 9, 10:
		m.decided(m.app.Split(ctx, []string{m.company()}, m.company(), by))
	case 11:
		if len(m.decisions) > 0 {
			m.decided(m.app.Undo(ctx, m.some(m.decisions), by))
		}
	case 12:
		if _, err := m.app.ActivateModel(ctx, []string{"company/other", "company/start-4"}[m.r.IntN(2)], "ann", ""); err != nil {
			m.Error(err)
		}
	case 13:
		if err := m.app.PullAll(ctx); err != nil {
			m.Error(err)
		}
		cut, cancel := context.WithCancel(ctx)
		left := m.r.IntN(4)
		_ = m.app.Resolve(cut, func(string, string, int) { // where it is cut decides whether it fails
			if left--; left < 0 {
				cancel()
			}
		})
		cancel()
	case 14:
		m.restart("")
	default:
		until := m.clock.Now().Add(time.Duration(1+m.r.IntN(20)) * time.Minute)
		m.decided(m.app.Pin(ctx, PinRequest{Golden: m.company(), Field: "name", Value: fmt.Sprint("Pinned ", m.r.IntN(9)), Until: until}, by))
	}
}
