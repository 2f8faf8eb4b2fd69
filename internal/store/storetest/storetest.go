// Package storetest is the suite that a store passes on every engine: what the
// comments of internal/store promise, it checks. It also holds the world such
// tests live in: a clock that advances when it is read, and randomness that
// repeats.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/internal/seal"
	"touchstone/internal/store"
)

// Source and Entity are what the suite's records belong to.
const (
	Source = "crm"
	Entity = record.Company
)

// Start is what the suite's clock shows first.
func Start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// Clock is a clock for tests: it advances by a millisecond whenever it is
// read, and sleeping only moves it.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time, which no other call gives again.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

// Sleep moves the clock.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.Advance(d)
	return ctx.Err()
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Env is a world that is the same each time.
func Env(seed byte) (env.Env, *Clock) {
	clock := &Clock{now: Start()}
	d := dice{state: uint64(seed)}
	var mu sync.Mutex
	return env.Env{Clock: clock, Rand: func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		for i := range p {
			p[i] = byte(d.next())
		}
	}}, clock
}

// dice is SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators, 2014): the same throws for the same seed.
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// IntN throws a number from 0 to n-1.
func (d *dice) IntN(n int) int { return int(d.next() % uint64(n)) }

// Vault has the installation key of the suite's stores.
func Vault() *seal.Vault { return seal.New([32]byte{7: 7}) }

// Run is the suite. Open gives an empty store that lives in the world e and is
// closed when its test ends.
func Run(t *testing.T, open func(t *testing.T, e env.Env) *store.DB) {
	for _, s := range [][]subtest{landings(), quarantines(), repairs(), runs(), blocks(), links(), goldens(), searches(), lookups(), outboxes(), settlings(), rebuilds(), events(), keeping(), missings(), decisions(), accounts(), plans(), counts()} {
		for _, sub := range s {
			t.Run(sub.name, func(t *testing.T) {
				t.Parallel()
				e, clock := Env(1)
				b := &Bench{T: t, DB: open(t, e), Clock: clock}
				sub.run(b)
				b.keptCounts()
			})
		}
	}
}

type subtest struct {
	name string
	run  func(b *Bench)
}

// Bench is one test with its store.
type Bench struct {
	*testing.T
	DB    *store.DB
	Clock *Clock
}

// Item makes a landing item. Its hash is of the data.
func Item(id, data string) store.Item {
	h := sha256.Sum256([]byte(data))
	return store.Item{Raw: record.Raw{Entity: Entity, ID: id, Data: []byte(data)}, Hash: h[:]}
}

// Stamped gives the item the source's own time, in minutes after Start.
func Stamped(it store.Item, minute int) store.Item {
	it.Raw.Stamp = Start().Add(time.Duration(minute-1000) * time.Minute)
	return it
}

// Must stops the test on an error.
func (b *Bench) Must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// Land lands items as one page.
func (b *Bench) Land(items ...store.Item) store.Counts {
	b.Helper()
	return b.LandAs(store.Landing{Items: items})
}

// LandAs lands with the suite's source, entity and derivation where none are
// given, and checks that the counts add up.
func (b *Bench) LandAs(l store.Landing) store.Counts {
	b.Helper()
	if l.Source == "" {
		l.Source = Source
	}
	l.Entity = Entity
	if l.Derive == nil {
		l.Derive = Derive
	}
	c, err := b.DB.Land(b.Context(), l)
	b.Must(err)
	if sum := c.Stored + c.Unchanged + c.Echo + c.Quarantined + c.Filtered; sum != c.Pulled || c.Pulled != len(l.Items) {
		b.Errorf("counts %+v do not add up to %d items", c, len(l.Items))
	}
	return c
}

// Rec finds a record's landing number.
func (b *Bench) Rec(id string) int64 {
	b.Helper()
	rec, err := b.DB.Rec(b.Context(), record.Ref{Source: Source, Entity: Entity, ID: id})
	b.Must(err)
	return rec
}

// Recs finds landing numbers.
func (b *Bench) Recs(ids ...string) []int64 {
	b.Helper()
	recs := make([]int64, len(ids))
	for i, id := range ids {
		recs[i] = b.Rec(id)
	}
	return recs
}

// History gives a record's facts as a derivation sees them.
func (b *Bench) History(id string) (h store.History) {
	b.Helper()
	b.Must(b.DB.Rederive(b.Context(), []int64{b.Rec(id)}, func(x store.History) (store.Derived, error) {
		h = x
		return Derive(x)
	}))
	return h
}

// Link runs one linking transaction.
func (b *Bench) Link(fn func(tx *store.LinkTx) error) {
	b.Helper()
	b.Must(b.DB.Link(b.Context(), fn))
}

// Members loads members by their ids at the source.
func (b *Bench) Members(ids ...string) []store.Member {
	b.Helper()
	var list []store.Member
	recs := b.Recs(ids...)
	b.Link(func(tx *store.LinkTx) (err error) {
		list, err = tx.Members(b.Context(), recs)
		return err
	})
	return list
}

// body is what the suite's raw records hold.
type body struct {
	Name string      `json:"name"`
	Bad  string      `json:"bad,omitempty"`  // why it does not pass
	Keys [][2]uint64 `json:"keys,omitempty"` // blocking keys
}

// Derive is the suite's derivation: it takes the name as the one field, and
// gives the keys as features. A name equal to the last one we sent is an echo.
func Derive(h store.History) (store.Derived, error) { return derive(h, true) }

// DeriveLoose is Derive under rules that let everything readable pass.
func DeriveLoose(h store.History) (store.Derived, error) { return derive(h, false) }

func derive(h store.History, strict bool) (store.Derived, error) {
	d := store.Derived{Bad: map[int][]record.Reason{}}
	authored := map[string]authoredField{}
	for _, v := range h.Versions {
		var raw body
		err := json.Unmarshal(v.Raw, &raw)
		switch {
		case v.Problem != "" || err != nil:
			d.Bad[v.N] = []record.Reason{{Rule: "unreadable", Text: "cannot be read"}}
			continue
		case raw.Bad != "" && strict && !v.Released && !v.Deleted:
			d.Bad[v.N] = []record.Reason{{Rule: "test", Field: "bad", Value: raw.Bad, Text: "is bad", Remedy: "be good"}}
			continue
		}
		d.Live = !v.Deleted
		if v.Deleted && d.Version > 0 {
			continue
		}
		d.Version = v.N
		if d.Features, err = json.Marshal(raw.Keys); err != nil {
			return d, err
		}
		if d.Echo = isEcho(h.Writes, v.Seq, raw.Name); d.Echo {
			continue
		}
		since := v.Stamp
		if since.IsZero() {
			since = v.SeenAt
		}
		if have, ok := authored["name"]; !ok || have.Value != raw.Name {
			authored["name"] = authoredField{Version: v.N, Since: record.FormatTime(since), Value: raw.Name}
		}
	}
	var err error
	d.Authored, err = json.Marshal(authored)
	return d, err
}

// authoredField is an authored value as the suite's derivation writes it.
type authoredField struct {
	Version int    `json:"n"`
	Since   string `json:"s"`
	Value   string `json:"v"`
}

func isEcho(writes []store.Write, seq int64, name string) bool {
	echo := false
	for _, w := range writes {
		if w.Seq < seq {
			j, _ := json.Marshal(name)
			echo = record.SameJSON(w.Sent["name"], j)
		}
	}
	return echo
}

// KeysOf reads the suite's features.
func KeysOf(features []byte) ([]store.Key, error) {
	var pairs [][2]uint64
	if err := json.Unmarshal(features, &pairs); err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	keys := make([]store.Key, len(pairs))
	for i, p := range pairs {
		keys[i] = store.Key{Coarse: p[0], Fine: p[1]}
	}
	return keys, nil
}

// Named makes a raw record with a name and blocking keys.
func Named(name string, keys ...[2]uint64) string {
	j, _ := json.Marshal(body{Name: name, Keys: keys})
	return string(j)
}

// Bad makes a raw record that does not pass.
func Bad(name string) string {
	j, _ := json.Marshal(body{Name: name, Bad: "because"})
	return string(j)
}

func names(h store.History) (list []string) {
	for _, v := range h.Versions {
		var raw body
		if err := json.Unmarshal(v.Raw, &raw); err != nil {
			raw.Name = "?"
		}
		list = append(list, raw.Name)
	}
	return list
}

func authoredName(m store.Member) string {
	var a map[string]authoredField
	if err := json.Unmarshal(m.Authored, &a); err != nil {
		return err.Error()
	}
	return a["name"].Value
}

func backlogRecs(list []store.Backlog) []int64 {
	recs := []int64{}
	for _, t := range list {
		recs = append(recs, t.Rec)
	}
	return recs
}

// same compares and tells both sides.
func same[T any](b *Bench, what string, got, want T) {
	b.Helper()
	g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)
	if g != w {
		b.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func equalBytes(b *Bench, what string, got, want []byte) {
	b.Helper()
	if !bytes.Equal(got, want) {
		b.Errorf("%s: got %q, want %q", what, got, want)
	}
}
