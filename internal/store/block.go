package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sort"
)

// Key is a blocking key's two hashes, as matching.Key has them.
type Key struct{ Coarse, Fine uint64 }

// Compare orders keys by their coarse hash, then by the finer one.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Coarse, o.Coarse), cmp.Compare(k.Fine, o.Fine))
}

// Feature is a record's features with the stamp of their derivation.
type Feature struct {
	Rec      int64
	Seq      int64
	Live     bool
	Features []byte
}

// Published is what Publish has done.
type Published struct {
	Recs    []int64         // to be linked again, sorted
	Waiting map[int64]int64 // the stamps with which they wait
	Keys    map[int64][]Key // theirs; sorted
	// Lists are the records that share a key, by the rule of Publish, for each key
	// of Recs as it is in Keys: sorted, each once.
	Lists   map[Key][]int64
	Spilled int // keys whose lists gave nothing: both were too long
	// Counter says until when changes of features are seen: see FeaturesAt.
	Counter int64

	shared sharedChange
}

// Publish makes the blocking keys of the records visible and gives the records
// that must be linked again: these, and every holder of a list that has crossed
// the cap in either direction. A pair is a candidate iff it shares a list of at
// most line.Cap records, or, past it, the finer list: so the crossing changes
// which pairs are candidates, and only this keeps the result free of order. So
// do the records that hold a value that became shared, or is so no longer: they
// are put on the backlog.
//
// The stamps with which records wait are read in the same transaction as the
// features whose keys were published: what changes later gets a newer stamp, and
// Done leaves it on the list. So are the posting lists: whoever publishes later
// finds the pairs with these records.
func (db *DB) Publish(ctx context.Context, recs []int64, keysOf func(features []byte) ([]Key, error), line Lists) (p Published, err error) {
	mark := db.kept.mark()
	var read []Feature
	err = db.publishing(ctx, func(tx *Tx, k *keptPostings) error {
		if err := tx.byKeys(ctx); err != nil {
			return err
		}
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var lists lister
		p = Published{Recs: slices.Clone(recs), Keys: make(map[int64][]Key, len(recs)), Lists: map[Key][]int64{}}
		coarse := map[uint64][]int64{} // coarse lists as they stand
		var redo []int64
		for wave := recs; len(wave) > 0; {
			for _, rec := range wave {
				p.Keys[rec] = nil
			}
			d := &keyDelta{coarse: map[uint64]int{}, fine: map[Key]int{}, keys: p.Keys}
			if err := tx.diffKeys(ctx, wave, keysOf, d); err != nil {
				return err
			}
			if err := d.write(ctx, tx); err != nil {
				return err
			}
			read = append(read, d.read...)
			if err := tx.aheadOfPublishing(ctx, k.likely(lists, tx), d, wave, line); err != nil {
				return err
			}
			if lists == nil {
				if lists, err = k.asked(ctx, tx); err != nil {
					return err
				}
			}
			if !lists.apply(d) {
				lists = tx.storedLists()
			}
			holders, err := crossings(ctx, lists, d, line.Cap, coarse)
			if err != nil {
				return err
			}
			leaning, err := tx.sharing(ctx, lists, d, line, &p.shared)
			if err != nil {
				return err
			}
			redo = append(redo, leaning...) // they may be many: their turn comes with the backlog
			// These are linked again too, and may themselves wait with new keys.
			wave = slices.DeleteFunc(slices.Clone(holders), func(rec int64) bool { _, known := p.Keys[rec]; return known })
			redo, p.Recs = append(redo, holders...), append(p.Recs, wave...)
		}
		slices.Sort(redo)
		redo = slices.Compact(redo)
		slices.Sort(p.Recs)
		p.Recs = slices.Compact(p.Recs)
		if err := tx.enqueueAgain(ctx, redo); err != nil {
			return err
		}
		if p.Waiting, err = tx.backlogSeqs(ctx, p.Recs); err != nil {
			return err
		}
		if _, err = tx.one(ctx, featureCounter, nil, &p.Counter); err != nil {
			return err
		}
		if lists == nil { // no records
			return nil
		}
		k.asks(p.Keys)
		p.Lists, p.Spilled, err = listsOf(ctx, lists, p.Keys, line.Cap, coarse)
		return err
	})
	if err != nil {
		return Published{}, fmt.Errorf("publish keys: %w", err)
	}
	db.kept.put(mark, read)
	return p, nil
}

// listsOf reads the lists of records' keys. Coarse holds those that are known.
func listsOf(ctx context.Context, lists lister, keys map[int64][]Key, limit int, coarse map[uint64][]int64) (map[Key][]int64, int, error) {
	var all []Key
	for _, list := range keys {
		all = append(all, list...)
	}
	slices.SortFunc(all, Key.Compare)
	posted, err := byRule(ctx, lists, slices.Compact(all), limit, coarse)
	if err != nil {
		return nil, 0, err
	}
	out, spilled := make(map[Key][]int64, len(posted)), 0
	for _, p := range posted {
		if p.Spilled {
			spilled++
		}
		out[p.Key] = p.Recs
	}
	return out, spilled, nil
}

// keyDelta is the net change of the posting lists.
type keyDelta struct {
	coarse      map[uint64]int
	fine        map[Key]int
	added, gone [][]any
	published   [][]any
	keys        map[int64][]Key // of each record, whether they have changed or not
	// read are the features of a few records: the scan asks for them next. Those of
	// a batch are read while the next one is written.
	read []Feature
}

func (tx *Tx) diffKeys(ctx context.Context, recs []int64, keysOf func([]byte) ([]Key, error), d *keyDelta) error {
	return eachIn(ctx, tx, `SELECT rec, version, seq, live, features, published FROM feature WHERE rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec, seq int64
		var version int
		var live bool
		var features, published []byte
		if err := r.Scan(&rec, &version, &seq, &live, &features, &published); err != nil {
			return err
		}
		if version > 0 && len(recs) <= few {
			d.read = append(d.read, Feature{Rec: rec, Seq: seq, Live: live, Features: features})
		}
		var keys []Key
		if version > 0 { // else nothing is in force any more
			var err error
			if keys, err = keysOf(features); err != nil {
				return fmt.Errorf("record %d: %w", rec, err)
			}
		}
		d.keys[rec] = keys
		now := packKeys(keys)
		if bytes.Equal(now, published) {
			return nil
		}
		was := unpackKeys(published)
		d.countCoarse(was, keys, -1)
		d.countCoarse(keys, was, 1)
		for _, k := range was {
			if !slices.Contains(keys, k) {
				d.fine[k]--
				d.gone = append(d.gone, []any{int64(k.Coarse), int64(k.Fine), rec})
			}
		}
		for _, k := range keys {
			if !slices.Contains(was, k) {
				d.fine[k]++
				d.added = append(d.added, []any{int64(k.Coarse), int64(k.Fine), rec})
			}
		}
		d.published = append(d.published, []any{rec, now, "", 0, 0, 0, "", []byte{}})
		return nil
	})
}

// countCoarse adds by to the lists that one record's keys name and others do
// not. A record is on a coarse list once, whatever number of fine ones it is on.
func (d *keyDelta) countCoarse(keys, others []Key, by int) {
	for i, k := range keys {
		same := func(o Key) bool { return o.Coarse == k.Coarse }
		if !slices.ContainsFunc(others, same) && !slices.ContainsFunc(keys[:i], same) {
			d.coarse[k.Coarse] += by
		}
	}
}

func (d *keyDelta) write(ctx context.Context, tx *Tx) error {
	if len(d.gone)+len(d.added) > 0 {
		if err := tx.changingPostings(ctx); err != nil {
			return err
		}
	}
	if err := tx.eachRowOf(ctx, `DELETE FROM blocking_key WHERE (key, fine, rec) IN (VALUES $ROWS)`, d.gone, nil); err != nil {
		return err
	}
	sort.Slice(d.added, func(i, j int) bool { return lessKeyRow(d.added[i], d.added[j]) })
	if err := tx.insert(ctx, `INSERT INTO blocking_key (key, fine, rec)`, `ON CONFLICT DO NOTHING`, d.added); err != nil {
		return err
	}
	// The rows are there: only the conflict's part takes place.
	return tx.insert(ctx, `INSERT INTO feature (rec, published, entity, version, seq, live, authored, features)`,
		`ON CONFLICT (rec) DO UPDATE SET published = excluded.published`, d.published)
}

func lessKeyRow(a, b []any) bool {
	for i := range 3 {
		if x, y := a[i].(int64), b[i].(int64); x != y {
			return x < y
		}
	}
	return false
}

// enqueueAgain puts records on the backlog, or renews their stamp there: an
// acknowledgement of the earlier wait does not take them off.
func (tx *Tx) enqueueAgain(ctx context.Context, recs []int64) error {
	if len(recs) == 0 {
		return nil
	}
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return err
	}
	return execIn(ctx, tx, `INSERT INTO backlog (rec, stage, entity, seq)
		SELECT rec, 2, entity, CAST($X1 AS BIGINT) FROM feature WHERE rec IN $LIST ON CONFLICT (rec) DO UPDATE SET seq = excluded.seq`, recs, seq)
}

func packKeys(keys []Key) []byte {
	b := make([]byte, 0, 16*len(keys))
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, k.Coarse)
		b = binary.BigEndian.AppendUint64(b, k.Fine)
	}
	return b
}

func unpackKeys(b []byte) []Key {
	keys := make([]Key, 0, len(b)/16)
	for ; len(b) >= 16; b = b[16:] {
		keys = append(keys, Key{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])})
	}
	return keys
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// Postings gives, for each key, the records that share it by the rule of
// Publish: the coarse list, or the fine one where the coarse is past the limit,
// or nothing where both are. Lists are sorted and name a record once. Spilled
// says how many keys gave nothing.
func (db *DB) Postings(ctx context.Context, keys []Key, limit int) (lists map[Key][]int64, spilled int, err error) {
	posted, err := byRule(ctx, postings{db.d, db.view}, keys, limit, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("read postings: %w", err)
	}
	lists = make(map[Key][]int64, len(keys))
	for _, p := range posted {
		if _, done := lists[p.Key]; done {
			continue
		}
		if p.Spilled {
			spilled++
		}
		lists[p.Key] = p.Recs
	}
	return lists, spilled, nil
}

// featureRoom is how much memory Features takes at a time.
const featureRoom = 64 << 10

// Features loads the features of records.
func (db *DB) Features(ctx context.Context, recs []int64) ([]Feature, error) {
	var list []Feature
	q := `SELECT rec, seq, live, features FROM feature WHERE version > 0 AND rec IN $LIST`
	var room []byte // they lie in few pieces of memory, in the order in which they are read
	err := viewIn(ctx, db, q, recs, func(r *sql.Rows) error {
		var f Feature
		var features sql.RawBytes
		if err := r.Scan(&f.Rec, &f.Seq, &f.Live, &features); err != nil {
			return err
		}
		if cap(room)-len(room) < len(features) {
			room = make([]byte, 0, max(featureRoom, len(features)))
		}
		from := len(room)
		room = append(room, features...)
		f.Features = room[from:len(room):len(room)]
		list = append(list, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load features: %w", err)
	}
	return list, nil
}

// Standing counts the records of an entity type that have features in force.
func (db *DB) Standing(ctx context.Context, entity string) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM feature WHERE entity = $1 AND version > 0`, []any{entity}, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("count features of %s: %w", entity, err)
	}
	return n, nil
}
