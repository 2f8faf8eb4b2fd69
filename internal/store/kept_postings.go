package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
)

// keptPostings are all posting lists in memory, a copy of the table blocking_key:
// what a publishing asks of them it need not read. There are all or none, so that a
// key which is not there is known to be nobody's.
//
// The copy is of a state that a counter in the store names: whoever changes the
// table raises it. Where it has moved by itself, another process has, or a bulk
// turn, and the copy is dropped. So it is where a transaction that changed it did
// not come to an end.
type keptPostings struct {
	mu     sync.Mutex // held by who publishes, from before its transaction until after
	most   int        // bytes; 0: nothing is kept
	whole  bool
	large  bool  // they have no room: nobody tries again
	number int64 // of the store's counter, of which the copy is
	read   int   // lists that were read from the store for want of a copy
	parts  []*postingRoom
	heads  []int64 // the first key of each part
}

// postingRoom holds postings in the order of the table. A part that is full is cut
// into two.
type postingRoom struct {
	n    int
	key  [postingRoomSize]int64
	fine [postingRoomSize]int64
	rec  [postingRoomSize]uint32
}

const (
	postingRoomSize = 256
	postingRoomCost = 20*postingRoomSize + 8 + 16 // with its place in the lists
	// postingFill is how many postings a part has after all were read: room is left
	// for those that come.
	postingFill = postingRoomSize * 7 / 8
)

// posting is a row of the table.
type posting struct {
	key, fine int64
	rec       uint32
}

func (p posting) compare(o posting) int {
	return cmp.Or(cmp.Compare(p.key, o.key), cmp.Compare(p.fine, o.fine), cmp.Compare(p.rec, o.rec))
}

func (r *postingRoom) at(i int) posting { return posting{r.key[i], r.fine[i], r.rec[i]} }

// find gives the place of the first posting that is not before p.
func (r *postingRoom) find(p posting) int {
	return sort.Search(r.n, func(i int) bool { return r.at(i).compare(p) >= 0 })
}

func (r *postingRoom) insert(i int, p posting) {
	copy(r.key[i+1:r.n+1], r.key[i:r.n])
	copy(r.fine[i+1:r.n+1], r.fine[i:r.n])
	copy(r.rec[i+1:r.n+1], r.rec[i:r.n])
	r.key[i], r.fine[i], r.rec[i] = p.key, p.fine, p.rec
	r.n++
}

func (r *postingRoom) remove(i int) {
	copy(r.key[i:], r.key[i+1:r.n])
	copy(r.fine[i:], r.fine[i+1:r.n])
	copy(r.rec[i:], r.rec[i+1:r.n])
	r.n--
}

// cut moves the second half into a part of its own.
func (r *postingRoom) cut() *postingRoom {
	half, next := r.n/2, &postingRoom{n: r.n - r.n/2}
	copy(next.key[:], r.key[half:r.n])
	copy(next.fine[:], r.fine[half:r.n])
	copy(next.rec[:], r.rec[half:r.n])
	r.n = half
	return next
}

// drop forgets all.
func (k *keptPostings) drop() { k.whole, k.parts, k.heads = false, nil, nil }

// size is what the copy takes, in bytes.
func (k *keptPostings) size() int { return len(k.parts) * postingRoomCost }

// put adds a posting behind all others.
func (k *keptPostings) put(p posting) {
	last := len(k.parts) - 1
	if last < 0 || k.parts[last].n == postingFill {
		k.parts, k.heads = append(k.parts, &postingRoom{}), append(k.heads, p.key)
		last++
	}
	r := k.parts[last]
	r.insert(r.n, p)
}

// part gives the number of the part in which p stands, or would.
func (k *keptPostings) part(p posting) int {
	i := sort.Search(len(k.heads), func(i int) bool {
		if h := k.heads[i]; h != p.key {
			return h > p.key
		}
		return k.parts[i].at(0).compare(p) > 0
	})
	return max(i-1, 0)
}

func (k *keptPostings) add(p posting) {
	if len(k.parts) == 0 {
		k.put(p)
		return
	}
	n := k.part(p)
	r := k.parts[n]
	i := r.find(p)
	if i < r.n && r.at(i) == p {
		return
	}
	if r.n == postingRoomSize {
		next := r.cut()
		k.parts, k.heads = slices.Insert(k.parts, n+1, next), slices.Insert(k.heads, n+1, next.key[0])
		if i > r.n {
			n, r, i = n+1, next, i-r.n
		}
	}
	r.insert(i, p)
	k.heads[n] = r.key[0]
}

func (k *keptPostings) remove(p posting) {
	if len(k.parts) == 0 {
		return
	}
	n := k.part(p)
	r := k.parts[n]
	i := r.find(p)
	if i == r.n || r.at(i) != p {
		return
	}
	if r.remove(i); r.n > 0 {
		k.heads[n] = r.key[0]
		return
	}
	k.parts, k.heads = slices.Delete(k.parts, n, n+1), slices.Delete(k.heads, n, n+1)
}

// from calls fn with what stands from p on, in order, until it says no.
func (k *keptPostings) from(p posting, fn func(posting) bool) {
	if len(k.parts) == 0 {
		return
	}
	n := k.part(p)
	for i := k.parts[n].find(p); n < len(k.parts); n, i = n+1, 0 {
		for r := k.parts[n]; i < r.n; i++ {
			if !fn(r.at(i)) {
				return
			}
		}
	}
}

// of calls fn with the records on a list, one for each row: of a coarse one where
// the key has no finer part.
func (k *keptPostings) of(list Key, fn func(rec int64) bool) {
	p := posting{key: int64(list.Coarse), fine: int64(list.Fine)}
	if list.Fine == 0 {
		p.fine = math.MinInt64
	}
	k.from(p, func(q posting) bool {
		return q.key == p.key && (list.Fine == 0 || q.fine == p.fine) && fn(int64(q.rec))
	})
}

func (k *keptPostings) apply(d *keyDelta) bool {
	for _, list := range [...]struct {
		rows [][]any
		do   func(posting)
	}{{d.gone, k.remove}, {d.added, k.add}} {
		for _, row := range list.rows {
			rec := row[2].(int64)
			if rec > math.MaxUint32 {
				k.large = true
				k.drop()
				return false
			}
			list.do(posting{row[0].(int64), row[1].(int64), uint32(rec)}) //nolint:gosec // just looked at
		}
	}
	return true
}

// The same questions as postings answers from the store.

func (k *keptPostings) lists(_ context.Context, lists []Key, limit int) (map[Key][]int64, error) {
	found := make(map[Key][]int64, len(lists))
	var room []int64 // they lie in few pieces of memory
	for _, list := range lists {
		if _, is := found[list]; is {
			continue
		}
		if cap(room)-len(room) < limit {
			room = make([]int64, 0, max(limit, 4096))
		}
		recs, most := room[len(room):], (limit+1)*mostFine
		k.of(list, func(rec int64) bool {
			recs = append(recs, rec)
			return len(recs) < most
		})
		slices.Sort(recs)
		recs = slices.Compact(recs)
		if len(recs) <= cap(room)-len(room) {
			room = room[:len(room)+len(recs)]
		}
		found[list] = recs[:len(recs):len(recs)]
	}
	return found, nil
}

func (k *keptPostings) rows(_ context.Context, lists []Key, stop int) ([]int, error) {
	counts := make([]int, len(lists))
	for i, list := range lists {
		if stop > 0 {
			k.of(list, func(int64) bool {
				counts[i]++
				return counts[i] < stop
			})
		}
	}
	return counts, nil
}

func (k *keptPostings) lengths(ctx context.Context, lists []Key, stop int) (map[Key]int, error) {
	found, err := k.lists(ctx, lists, stop)
	n := make(map[Key]int, len(found))
	for list, recs := range found {
		n[list] = min(len(recs), stop)
	}
	return n, err
}

func (k *keptPostings) holders(_ context.Context, to []int64, list Key) ([]int64, error) {
	k.of(list, func(rec int64) bool {
		to = append(to, rec)
		return true
	})
	return to, nil
}

func (k *keptPostings) manyNames(_ context.Context, values []int64, names int) (map[int64]bool, error) {
	is := map[int64]bool{}
	for _, v := range values {
		next := posting{key: v, fine: math.MinInt64}
		for n := 0; ; {
			at, found := posting{}, false
			k.from(next, func(p posting) bool {
				at, found = p, p.key == v
				return false
			})
			if !found {
				break
			}
			if n++; n > names {
				is[v] = true
				break
			}
			if at.fine == math.MaxInt64 {
				break
			}
			next.fine = at.fine + 1
		}
	}
	return is, nil
}

// postingCounter counts the transactions that changed posting lists.
const (
	postingCounter = `SELECT value FROM counter WHERE name = 'posting'`
	raisePostings  = `UPDATE counter SET value = value + 1 WHERE name = 'posting' RETURNING value`
)

// changesPostings comes with any change of the table blocking_key, and gives the
// number of the state that the transaction makes.
func (tx *Tx) changesPostings(ctx context.Context) (int64, error) {
	if tx.postingNumber == 0 {
		if _, err := tx.one(ctx, raisePostings, nil, &tx.postingNumber); err != nil {
			return 0, err
		}
	}
	return tx.postingNumber, nil
}

// changingPostings is changesPostings of who needs the number later: it is there
// when something was asked after it.
func (tx *Tx) changingPostings(ctx context.Context) error {
	if tx.postingNumber != 0 {
		return nil
	}
	return tx.later(ctx, bundled{q: raisePostings, scan: func(r *sql.Rows) error { return r.Scan(&tx.postingNumber) }})
}

// publishing runs fn in one writing transaction, with the posting lists in memory,
// which are brought up to what it commits.
func (db *DB) publishing(ctx context.Context, fn func(*Tx, *keptPostings) error) error {
	k := &db.postings
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.worth(ctx, db); err != nil {
		return err
	}
	number := int64(0)
	err := db.inTx(ctx, func(tx *Tx) error {
		err := fn(tx, k)
		number = tx.postingNumber
		return err
	})
	switch {
	case number == 0: // nothing is changed
		return err
	case err != nil:
		k.drop()
	case k.whole && number != k.number+1: // another process was in between
		k.drop()
	case k.size() > k.most:
		k.large = true
		k.drop()
	default:
		k.number = number
	}
	db.kept.leave(k.size())
	return err
}

// leastRead is how many lists have to be read from the store before it is asked
// whether that was enough to read all of them once.
const leastRead = 64

// worth reads all lists into memory when so many have been read from the store as
// there are records: what is published then goes on. The caller holds the lock.
func (k *keptPostings) worth(ctx context.Context, db *DB) error {
	if k.whole || k.large || k.most == 0 || k.read < leastRead {
		return nil
	}
	var last int64
	if err := db.view(ctx, `SELECT COALESCE(max(rec), 0) FROM feature`, nil, func(r *sql.Rows) error { return r.Scan(&last) }); err != nil {
		return err
	}
	if int64(k.read) < last {
		return nil
	}
	return k.warm(ctx, db)
}

// likely is who will be asked for lists: who is known to be, or else whom asked will
// give unless another process was in between.
func (k *keptPostings) likely(known lister, tx *Tx) lister {
	switch {
	case known != nil:
		return known
	case k.whole:
		return k
	}
	return tx.storedLists()
}

// asked gives who is to be asked for lists in a transaction: this, where it is the
// copy of what the transaction began with, or else the store.
func (k *keptPostings) asked(ctx context.Context, tx *Tx) (lister, error) {
	if k.whole {
		if err := tx.flush(ctx); err != nil { // the number may wait
			return nil, err
		}
		began := tx.postingNumber - 1
		if tx.postingNumber == 0 {
			if _, err := tx.one(ctx, postingCounter, nil, &began); err != nil {
				return nil, err
			}
		}
		if began == k.number {
			return k, nil
		}
		k.drop()
	}
	return tx.storedLists(), nil
}

// asks counts lists that are read from the store for want of a copy.
func (k *keptPostings) asks(keys map[int64][]Key) {
	if k.whole {
		return
	}
	for _, list := range keys {
		k.read += len(list)
	}
}

// bound says how many bytes there may be, and gives how many there are.
func (k *keptPostings) bound(most int) (size int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.most, k.large = most, false; k.size() > most {
		k.drop()
	}
	return k.size()
}

// forget drops all that is about to change.
func (k *keptPostings) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop()
}

// WarmPostings reads all posting lists into memory, if they have room in half of
// what KeepFeatures gives, and says how many postings that are; 0 where they have
// none. Publishing is quicker with them.
func (db *DB) WarmPostings(ctx context.Context) (n int, err error) {
	k := &db.postings
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.warm(ctx, db); err != nil {
		return 0, err
	}
	for _, r := range k.parts {
		n += r.n
	}
	return n, nil
}

// errNoRoom ends the reading of lists that have no room in memory.
var errNoRoom = errors.New("no room")

// warm reads all, unless they are there already. The caller holds the lock.
func (k *keptPostings) warm(ctx context.Context, db *DB) error {
	if k.whole || k.large || k.most == 0 {
		return nil
	}
	k.read = 0
	err := db.Snapshot(ctx, func(tx *LookTx) error {
		if _, err := tx.one(ctx, postingCounter, nil, &k.number); err != nil {
			return err
		}
		err := tx.query(ctx, `SELECT key, fine, rec FROM blocking_key ORDER BY key, fine, rec`, nil, func(r *sql.Rows) error {
			var p posting
			var rec int64
			if err := r.Scan(&p.key, &p.fine, &rec); err != nil {
				return err
			}
			if p.rec = uint32(rec); int64(p.rec) != rec || k.size() > k.most { //nolint:gosec // which is looked at
				k.large = true
				return errNoRoom
			}
			k.put(p)
			return nil
		})
		return err
	})
	if errors.Is(err, errNoRoom) {
		err = nil
	}
	if k.whole = err == nil && !k.large; !k.whole {
		k.drop()
	}
	db.kept.leave(k.size())
	if err != nil {
		return fmt.Errorf("keep posting lists: %w", err)
	}
	return nil
}
