package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/rules/worth"
)

// Worth says how the pairs that wait for a person are valued.
type Worth struct {
	Field    string           // of golden records, that says what a customer is worth; "" for events
	Currency string           // of the base; "" counts every amount as it stands
	Rates    map[string]int64 // currency → millionths of a unit of the base
	Losses   worth.Losses
	Due      time.Duration // in which a pair is to be decided; 0 for no time
}

// Hash names what the values depend on.
func (w Worth) Hash() (string, error) {
	b, err := json.Marshal(struct {
		Field, Currency string
		Rates           map[string]int64
		Losses          worth.Losses
	}{w.Field, w.Currency, w.Rates, w.Losses})
	if err != nil {
		return "", fmt.Errorf("hash what pairs are valued by: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}

// mostTimes bounds how much worse a wrong merge is taken to be.
const mostTimes = 1e6

// Appraisal is how this entity type's open pairs are told apart and valued, by
// the model in force.
func (w Worth) Appraisal(entity string, m *matching.Model, link int32) *store.Appraisal {
	losses := w.Losses
	if losses.Wrong == 0 {
		// Who merges from a threshold on says by it how much worse a wrong merge is:
		// there both acts are expected to lose the same.
		losses.Wrong = int64(math.Round(min(math.Exp2(float64(link)/1000), mostTimes) * worth.Whole))
	}
	ap := &store.Appraisal{
		Entity: entity, Link: link, Due: w.Due, Amount: w.amount,
		Chance: func(weight int32, held bool) int64 { return chance(m, weight, link, held) },
		Veto: func(a, b []byte) (bool, error) {
			var f [2]*matching.Features
			for i, packed := range [2][]byte{a, b} {
				var err error
				if f[i], err = matching.DecodeFeatures(packed); err != nil {
					return false, fmt.Errorf("features: %w", err)
				}
			}
			_, veto := m.Veto(f[0], f[1])
			return veto, nil
		},
		Worth: func(chance, one, other int64, systems int) (value, damage int64) {
			value = worth.Sum(max(one, worth.Unit), max(other, worth.Unit))
			return value, worth.Damage(chance, value, systems, losses)
		},
	}
	if w.Field != "" {
		ap.Field = w.field
	}
	return ap
}

// chance is the probability of a weight in millionths. Of a pair that would be
// merged but for something the model cannot weigh, the model's word counts up
// to the threshold only: there it would have left the pair to a person.
func chance(m *matching.Model, weight, link int32, held bool) int64 {
	if held {
		weight = min(weight, link)
	}
	return int64(math.Round(m.Probability(weight) * worth.Certain))
}

// amount is an event's amount in the base currency; in a currency without a
// rate it counts nothing.
func (w Worth) amount(amount, currency string) int64 {
	rate, ok := w.Rates[currency]
	switch {
	case w.Currency == "" || currency == "" || currency == w.Currency:
		rate = worth.Whole
	case !ok:
		return 0
	}
	n, _ := worth.Amount(amount, rate)
	return n
}

// field is what a field of a golden record says a customer is worth.
func (w Worth) field(fields []byte) int64 {
	var f record.Fields
	if json.Unmarshal(fields, &f) != nil {
		return 0
	}
	n, _ := worth.Amount(f[w.Field].Text, worth.Whole)
	return n
}

// appraisal is the resolver's own.
func (r *Resolver) appraisal() *store.Appraisal { return r.Worth.Appraisal(r.Entity, r.Model, r.Link) }

// queue brings the open pairs of all golden records that this transaction
// touched up to date.
func (l *link) queue(ctx context.Context) error {
	if l.bulk { // at its end the whole queue is made anew
		return nil
	}
	return l.tx.RefreshQueue(ctx, l.r.appraisal(), l.queued())
}

// queued are the golden records, by founder, that have or had members here.
func (l *link) queued() []int64 {
	var founders []int64
	for _, m := range l.members {
		founders = append(founders, m.Golden)
	}
	for _, p := range l.placed {
		founders = append(founders, p.Golden)
	}
	slices.Sort(founders)
	return slices.Compact(founders)
}

// fillQueue makes the queue anew if it was spoilt.
func (r *Resolver) fillQueue(ctx context.Context) error {
	return r.Store.FillQueue(ctx, r.appraisal())
}
