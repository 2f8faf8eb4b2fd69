package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/record"
)

// Start is when a system's own clock starts; each applied write adds Tick. So
// the same writes in the same order give the same state, to the last stamp.
var Start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// Tick is what one applied write adds to the system's clock.
const Tick = time.Millisecond

// item is one object of a system.
type item struct {
	id      string
	created time.Time
	updated time.Time
	version int
	deleted bool
	merged  string // the object it was merged into
	fields  map[string]any
}

func (it *item) etag() string { return "v" + strconv.Itoa(it.version) }

// collection is all objects of one kind: by id, and in the order of lists.
type collection struct {
	Object
	next  int // number of the next id
	byID  map[string]*item
	order []*item // by (updated, id)
}

func compareItems(a, b *item) int {
	return cmp.Or(a.updated.Compare(b.updated), compareIDs(a.id, b.id))
}

// compareIDs orders by length first, so that c9999 comes before c10000.
func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// firstID is the number of the first id of every kind of object.
const firstID = 1001

func newCollection(o Object, seed []json.RawMessage) (*collection, error) {
	c := &collection{Object: o, next: firstID, byID: make(map[string]*item, len(seed))}
	for i, raw := range seed {
		it, err := seedItem(raw)
		if err != nil {
			return nil, fmt.Errorf("seed %s %d: %w", o.Name, i+1, err)
		}
		if c.byID[it.id] != nil {
			return nil, fmt.Errorf("seed %s %d: id %q is there twice", o.Name, i+1, it.id)
		}
		c.byID[it.id] = it
		c.order = append(c.order, it)
		if n, err := strconv.Atoi(strings.TrimPrefix(it.id, o.Prefix)); err == nil && n >= c.next {
			c.next = n + 1
		}
	}
	slices.SortFunc(c.order, compareItems)
	return c, nil
}

func seedItem(raw json.RawMessage) (*item, error) {
	m, err := decodeObject(raw)
	if err != nil {
		return nil, err
	}
	it := &item{id: text(m["id"]), version: 1, fields: m}
	if it.id == "" {
		return nil, fmt.Errorf("no id")
	}
	it.updated, err = time.Parse(time.RFC3339Nano, text(m["updated_at"]))
	if err != nil {
		return nil, fmt.Errorf("%s: updated_at: %w", it.id, err)
	}
	it.updated = it.updated.UTC().Truncate(time.Microsecond)
	it.created = it.updated
	if made := text(m["created_at"]); made != "" {
		if it.created, err = time.Parse(time.RFC3339Nano, made); err != nil {
			return nil, fmt.Errorf("%s: created_at: %w", it.id, err)
		}
	}
	it.deleted, _ = m["deleted"].(bool)
	for _, own := range []string{"id", "updated_at", "created_at", "deleted", "etag"} {
		delete(m, own)
	}
	return it, nil
}

// place finds where an item stands, or would stand, in the list order.
func (c *collection) place(it *item) (int, bool) {
	return slices.BinarySearchFunc(c.order, it, compareItems)
}

// touch gives the item a new stamp and moves it to its place.
func (c *collection) touch(it *item, at time.Time) {
	if i, found := c.place(it); found {
		c.order = slices.Delete(c.order, i, i+1)
	}
	it.updated = at
	i, _ := c.place(it)
	c.order = slices.Insert(c.order, i, it)
}

// withExternalID lists the objects with that external id, tombstones too, in id
// order; none for an empty one.
func (c *collection) withExternalID(key string) []*item {
	if key == "" {
		return nil
	}
	var found []*item
	for _, it := range c.order {
		if text(get(it.fields, c.keyPath())) == key {
			found = append(found, it)
		}
	}
	slices.SortFunc(found, func(a, b *item) int { return compareIDs(a.id, b.id) })
	return found
}

// holder finds the oldest live object with that external id.
func (c *collection) holder(key string) *item {
	for _, it := range c.withExternalID(key) {
		if !it.deleted {
			return it
		}
	}
	return nil
}

// render gives an object as the API shows it.
func (p Profile) render(it *item) map[string]any {
	m := make(map[string]any, len(it.fields)+4)
	for k, v := range it.fields {
		m[k] = v
	}
	m["id"] = it.id
	m["updated_at"] = record.FormatTime(it.updated)
	m["deleted"] = it.deleted
	if p.ETag {
		m["etag"] = it.etag()
	}
	return m
}

// apply carries out one entry of the applied log. It is the only way a state
// changes, when serving and when reopening alike.
func (s *System) apply(e Applied) error {
	c := s.objects[e.Object]
	if c == nil {
		return fmt.Errorf("entry %d: unknown object %q", e.N, e.Object)
	}
	it := c.byID[e.ID]
	if e.Created {
		if it != nil {
			return fmt.Errorf("entry %d: %s %s is there already", e.N, e.Object, e.ID)
		}
		it = &item{id: e.ID, fields: map[string]any{}}
		c.byID[e.ID] = it
		c.next++
	}
	if it == nil {
		return fmt.Errorf("entry %d: no %s %s", e.N, e.Object, e.ID)
	}
	at, err := record.ParseTime(e.At)
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.N, err)
	}
	if e.Created {
		it.created = at
	}
	if e.Merged != "" {
		it.merged = e.Merged
	}
	for _, path := range e.paths() {
		set(it.fields, path, e.Fields[path].New)
	}
	if e.Created || e.Deleted || len(e.Fields) > 0 {
		it.version++
		it.deleted = it.deleted || e.Deleted
		c.touch(it, at)
	}
	s.n = e.N
	return s.remember(e, it)
}
