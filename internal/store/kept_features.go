package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
)

// keptFeatures are features of records in memory, each as the store holds it: what
// a scan or a look-up compares with was mostly compared with before.
//
// Whoever changes features says so before, with hold, and the records are neither
// given nor taken until their transaction is over. A reader notes a mark before it
// reads, and may keep only what nobody has changed since. A counter in the store
// tells of processes that this one does not know of: where it has moved by itself,
// all is forgotten.
type keptFeatures struct {
	mu     sync.Mutex
	most   int // bytes; 0: nothing is kept
	size   int
	beside int              // bytes that others take of most
	at     map[int64]uint64 // record → number of its room and place in it
	rooms  []*room          // in the order in which they were begun
	first  uint64           // number of rooms[0]
	held   map[int64]int

	released [releasedRing]int64 // those released last
	count    int64               // how many ever were
	known    int64               // the store's counter
}

// room is where features lie one behind the other. What was written is not changed:
// readers hold views on it.
type room struct {
	bytes []byte
	list  []keptFeature
}

type keptFeature struct {
	rec, seq int64
	from, to uint32
	live     bool
	asked    bool // since it came here
}

const (
	// DefaultKept is how many bytes of features are kept: those of about a million
	// records.
	DefaultKept = 256 << 20

	roomSize     = 1 << 20
	releasedRing = 1 << 15
	keptPart     = 512 // records looked for at a time: others wait no longer
	// keptCost is what a record takes beside its features: its place in the room and
	// in the map.
	keptCost = 80
)

func newKeptFeatures(most int) *keptFeatures {
	return &keptFeatures{most: most, at: map[int64]uint64{}, held: map[int64]int{}}
}

// KeepFeatures bounds the memory for features, in bytes, of which posting lists
// may take half; 0 keeps none.
func (db *DB) KeepFeatures(most int) {
	beside := db.postings.bound(most / 2)
	k := db.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.most, k.beside = most, beside; most == 0 {
		k.forget()
	}
	k.fit()
}

// leave leaves others so many bytes of what may be kept.
func (k *keptFeatures) leave(beside int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.beside = beside
	k.fit()
}

// fit gives up what has no room.
func (k *keptFeatures) fit() {
	for k.size+k.beside > k.most && len(k.rooms) > 1 {
		k.dropOldest()
	}
}

// lose forgets everything: nobody knows what the store holds.
func (k *keptFeatures) lose() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget()
}

// forget drops everything, and with it the marks of all readers.
func (k *keptFeatures) forget() {
	clear(k.at)
	k.rooms, k.first, k.size = nil, k.first+uint64(len(k.rooms)), 0
	k.count += releasedRing + 1
}

// mark is to be taken before a reader's transaction begins.
func (k *keptFeatures) mark() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.count
}

// begin notes the number that a changing transaction took of the store's counter:
// from its predecessor's on it is not this process's.
func (k *keptFeatures) begin(n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n != k.known+1 {
		k.forget()
	}
	k.known = n
}

// undo gives the number back: another process may take it. 0 is none.
func (k *keptFeatures) undo(n int64) {
	if n == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = n - 1
}

// hold says that a transaction is about to change these records' features.
func (k *keptFeatures) hold(recs []int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, rec := range recs {
		k.held[rec]++
		delete(k.at, rec)
	}
}

// release says that the transaction is over, whichever way.
func (k *keptFeatures) release(recs []int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, rec := range recs {
		if k.held[rec]--; k.held[rec] == 0 {
			delete(k.held, rec)
		}
		k.released[k.count%releasedRing] = rec
		k.count++
	}
}

// get gives those of the records that are kept and were not derived after the fact
// upto, and the others. Counter is the store's, as the reader sees it.
func (k *keptFeatures) get(recs []int64, counter, upto int64) (found []Feature, missing []int64) {
	found = make([]Feature, 0, len(recs))
	missing = k.walk(recs, counter, func(f *keptFeature, r *room) bool {
		if f.seq > upto {
			return false
		}
		f.asked = true
		found = append(found, Feature{Rec: f.rec, Seq: f.seq, Live: f.live, Features: r.bytes[f.from:f.to:f.to]})
		return true
	})
	return found, missing
}

// sees notes the store's counter: what another process has changed is not known.
func (k *keptFeatures) sees(counter int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if counter > k.known {
		k.forget()
		k.known = counter
	}
}

// walk hands over those of the records that are kept, and gives the others and those
// that are not taken.
func (k *keptFeatures) walk(recs []int64, counter int64, take func(*keptFeature, *room) bool) (missing []int64) {
	k.sees(counter)
	for part := range slices.Chunk(recs, keptPart) {
		missing = k.walkPart(part, take, missing)
	}
	return missing
}

func (k *keptFeatures) walkPart(recs []int64, take func(*keptFeature, *room) bool, missing []int64) []int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, rec := range recs {
		at, is := k.at[rec]
		if is {
			r := k.rooms[at>>32-k.first]
			is = take(&r.list[uint32(at)], r)
		}
		if !is {
			missing = append(missing, rec)
		}
	}
	return missing
}

// seqs notes the derivation stamps of those of the records that are kept, and gives
// the others. Counter is the store's, as the reader sees it.
func (k *keptFeatures) seqs(recs []int64, counter int64, seqs map[int64]int64) (missing []int64) {
	return k.walk(recs, counter, func(f *keptFeature, _ *room) bool {
		seqs[f.rec] = f.seq
		return true
	})
}

// put keeps what a reader has read that noted the mark before.
func (k *keptFeatures) put(mark int64, list []Feature) {
	for part := range slices.Chunk(list, keptPart) {
		k.putPart(mark, part)
	}
}

func (k *keptFeatures) putPart(mark int64, list []Feature) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.count-mark > releasedRing || k.most == 0 {
		return
	}
	changed := make(map[int64]bool, k.count-mark)
	for n := mark; n < k.count; n++ {
		changed[k.released[n%releasedRing]] = true
	}
	for _, f := range list {
		if _, is := k.at[f.Rec]; !is && k.held[f.Rec] == 0 && !changed[f.Rec] {
			k.add(f)
		}
	}
	k.fit()
}

func (k *keptFeatures) add(f Feature) {
	var r *room
	if n := len(k.rooms); n > 0 && len(k.rooms[n-1].bytes)+len(f.Features) <= roomSize {
		r = k.rooms[n-1]
	} else {
		if r = (&room{}); n > 0 { // a small store has one small room
			r.bytes = make([]byte, 0, roomSize)
		}
		k.rooms = append(k.rooms, r)
	}
	from := len(r.bytes)
	r.bytes = append(r.bytes, f.Features...)
	k.at[f.Rec] = (k.first+uint64(len(k.rooms)-1))<<32 | uint64(len(r.list))
	r.list = append(r.list, keptFeature{rec: f.Rec, seq: f.Seq, from: uint32(from), to: uint32(len(r.bytes)), live: f.Live}) //nolint:gosec // rooms are small
	k.size += len(f.Features) + keptCost
}

// dropOldest gives the oldest room up. What was asked for since it came there moves
// on into the newest, as long as that is no more than half of it.
func (k *keptFeatures) dropOldest() {
	r, number := k.rooms[0], k.first
	k.rooms[0] = nil
	k.rooms, k.first = k.rooms[1:], k.first+1
	moved := 0
	for i, f := range r.list {
		k.size -= int(f.to-f.from) + keptCost
		if k.at[f.rec] != number<<32|uint64(i) {
			continue
		}
		delete(k.at, f.rec)
		if f.asked && moved < len(r.bytes)/2 {
			moved += int(f.to - f.from)
			k.add(Feature{Rec: f.rec, Seq: f.seq, Live: f.live, Features: r.bytes[f.from:f.to]})
		}
	}
}

// featureCounter counts the transactions that changed features.
const featureCounter = `SELECT value FROM counter WHERE name = 'feature'`

// changesFeatures comes before any change of these records' features: of their
// values, their derivation's number or whether they are live.
func (tx *Tx) changesFeatures(ctx context.Context, recs []int64) error {
	if len(recs) == 0 {
		return nil
	}
	if tx.featureNumber == 0 {
		if _, err := tx.one(ctx, `UPDATE counter SET value = value + 1 WHERE name = 'feature' RETURNING value`, nil, &tx.featureNumber); err != nil {
			return err
		}
		tx.db.kept.begin(tx.featureNumber)
	}
	tx.db.kept.hold(recs)
	tx.holding = append(tx.holding, recs...)
	return nil
}

// FeaturesAt loads the features of records, from memory where they are there.
// Counter is that of Published: whatever was changed before it is seen.
func (db *DB) FeaturesAt(ctx context.Context, counter int64, recs []int64) ([]Feature, error) {
	const all = 1<<63 - 1
	mark := db.kept.mark()
	found, missing := db.kept.get(recs, counter, all)
	if len(missing) == 0 {
		return found, nil
	}
	read, err := db.Features(ctx, missing)
	if err != nil {
		return nil, err
	}
	db.kept.put(mark, read)
	return append(found, read...), nil
}

// warmPart is how many records are read at a time to be kept.
const warmPart = 2000

// WarmFeatures reads features into memory until it is full or all are there, those
// of the records that landed last first, and says how many. It is done where much
// will be looked up: otherwise memory fills with what is asked for.
func (db *DB) WarmFeatures(ctx context.Context) (n int, err error) {
	var counter int64
	if err := db.view(ctx, featureCounter, nil, func(r *sql.Rows) error { return r.Scan(&counter) }); err != nil {
		return 0, fmt.Errorf("keep features: %w", err)
	}
	db.kept.sees(counter)
	for before := int64(1<<63 - 1); !db.kept.full(); {
		mark, list := db.kept.mark(), make([]Feature, 0, warmPart)
		err := db.view(ctx, `SELECT rec, seq, live, features FROM feature WHERE version > 0 AND rec < $1 ORDER BY rec DESC LIMIT $2`, []any{before, warmPart}, func(r *sql.Rows) error {
			var f Feature
			err := r.Scan(&f.Rec, &f.Seq, &f.Live, &f.Features)
			list = append(list, f)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("keep features: %w", err)
		}
		db.kept.put(mark, list)
		if n += len(list); len(list) < warmPart {
			break
		}
		before = list[len(list)-1].Rec
	}
	return n, nil
}

// full says that what comes now would push out what is there.
func (k *keptFeatures) full() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.size+k.beside+roomSize > k.most
}
