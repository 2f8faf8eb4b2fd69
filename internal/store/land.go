package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// Item is one pulled record on its way in.
type Item struct {
	Raw  record.Raw // its ID is known
	Hash []byte     // of the content that counts
	// Duplicate says that the same pass already gave this id with other
	// content: the record is kept and quarantined, it never becomes current.
	Duplicate bool
	// Filtered says that the source's where clause leaves the record out. A
	// record that was let in before is treated as deleted.
	Filtered bool
	// Key is our external key as the object carries it; "" when it has none.
	Key string
}

// DuplicateProblem is the problem of a version whose id came twice in one pass.
const DuplicateProblem = "an earlier record of the same pass has the same id and other content"

// Version is one version of a source record, opened.
type Version struct {
	N        int
	Seq      int64
	Raw      []byte
	Stamp    time.Time // zero when the source gives none
	SeenAt   time.Time
	Deleted  bool
	Problem  string
	Place    string
	Released bool // a person let it pass in spite of its reasons
	// Repairs are fields that a person has set for this version; nil leaves one out.
	Repairs map[string]json.RawMessage
}

// Write is what we once sent to the object: target path → value as JSON.
type Write struct {
	Seq       int64 // fact number taken before the first byte left
	Sent, Got map[string]json.RawMessage
}

// History is all there is to know of one source record.
type History struct {
	Rec      int64
	Ref      record.Ref // Source is the uid
	Versions []Version  // in the source's own order, the current one last among those that count
	Current  int        // number of the current version
	Writes   []Write    // by Seq
}

// Derived is what follows from a history.
type Derived struct {
	Version  int    // the version in force; 0 when none ever passed
	Live     bool   // false: deleted, gives no values
	Authored []byte // JSON
	Features []byte
	Echo     bool                    // the newest version only brought back what we wrote
	Bad      map[int][]record.Reason // version number → why it did not pass; released ones are left out
	// Relations are the edges that the version in force says; none of a deleted
	// record.
	Relations []record.Relation
	Misses    []Miss // what its mapping looked up in vain
}

// Miss is a value that a table of the configuration does not know.
type Miss struct{ Table, Value string }

// Derive computes what follows from a history: pure, and called inside the
// transaction.
type Derive func(History) (Derived, error)

// Landing is one page.
type Landing struct {
	Source, Entity string // uid, entity type
	Items          []Item
	Cursor         []byte // committed with the page; nil leaves it alone
	Run            string // the run to count in; "" for none
	Derive         Derive
}

// Counts say what became of pulled records:
// Pulled = Stored + Unchanged + Echo + Quarantined + Filtered.
type Counts struct {
	Pulled, Stored, Unchanged, Echo, Quarantined, Filtered int
	Gone                                                   int // not pulled: they stayed away and count as deleted now
}

// Add sums counts.
func (c Counts) Add(o Counts) Counts {
	return Counts{
		c.Pulled + o.Pulled, c.Stored + o.Stored, c.Unchanged + o.Unchanged,
		c.Echo + o.Echo, c.Quarantined + o.Quarantined, c.Filtered + o.Filtered,
		c.Gone + o.Gone,
	}
}

// Less is what came since an earlier count.
func (c Counts) Less(o Counts) Counts {
	return c.Add(Counts{-o.Pulled, -o.Stored, -o.Unchanged, -o.Echo, -o.Quarantined, -o.Filtered, -o.Gone})
}

// Land stores a page: new versions sealed, verdicts, authored values and
// features, and the cursor, all or nothing. Landing the same page twice
// changes nothing the second time.
func (db *DB) Land(ctx context.Context, l Landing) (Counts, error) {
	counts, err := db.landPage(ctx, l.Source, l.Entity, l.Cursor, l.Run, func(tx *Tx) (Counts, error) { return tx.land(ctx, l) })
	if err != nil {
		return Counts{}, fmt.Errorf("land %s/%s: %w", l.Source, l.Entity, err)
	}
	return counts, nil
}

// landPage is one landing transaction: the page, the stream's cursor behind it
// (nil leaves it alone) and the run's counts.
func (db *DB) landPage(ctx context.Context, source, stream string, cursor []byte, run string, land func(*Tx) (Counts, error)) (counts Counts, err error) {
	err = db.inTx(ctx, func(tx *Tx) (err error) {
		if counts, err = land(tx); err != nil {
			return err
		}
		if cursor != nil {
			if err := tx.setCursor(ctx, source, stream, cursor); err != nil {
				return err
			}
		}
		return tx.countRun(ctx, run, counts)
	})
	return counts, err
}

// landed is a source record during a landing.
type landed struct {
	rec             int64
	ref             record.Ref
	salt            []byte
	version, latest int
	hash            []byte
	stamp, etag     string
	deleted         bool
	isNew, etagOnly bool
	again           bool // derived before: what followed is replaced
	key             string
	pending         []pendingVersion
}

type pendingVersion struct {
	Version
	etag     string
	hash     []byte
	dup      bool
	filtered bool
}

func (tx *Tx) land(ctx context.Context, l Landing) (Counts, error) {
	c := Counts{Pulled: len(l.Items)}
	// The numbers come first: with them comes the landing lock, so that two
	// landings of one record do not both find it unknown.
	seq, err := tx.nextSeq(ctx, len(l.Items)+1)
	if err != nil {
		return c, err
	}
	known, err := tx.knownRecords(ctx, l)
	if err != nil {
		return c, err
	}
	var changed, touched []*landed
	for i := range l.Items {
		one, n := l.Items[i], seq+int64(i)
		one.Hash = tx.keyed("content", one.Hash)
		it := &one
		id := clean(it.Raw.ID)
		r := known[id]
		if r == nil && it.Filtered {
			c.Filtered++
			continue
		}
		if r == nil {
			r = tx.newRecord(l, id, n)
			known[id] = r
		}
		same, err := tx.sameAsBefore(ctx, r, it)
		switch {
		case err != nil:
			return c, err
		case same && it.Filtered:
			c.Filtered++
		case same:
			c.Unchanged++
			if r.etagOnly {
				touched = append(touched, r)
			}
		default:
			if len(r.pending) == 0 {
				changed = append(changed, r)
			}
			tx.addVersion(r, it, n)
			if it.Filtered {
				c.Filtered++
			} else {
				c.Stored++ // corrected below for echoes and quarantine
			}
		}
	}
	made, err := tx.attachCreates(ctx, l, changed)
	if err != nil {
		return c, err
	}
	if err := tx.touchEtags(ctx, touched); err != nil {
		return c, err
	}
	if err := tx.settleLanded(ctx, l, changed, seq+int64(len(l.Items)), &c); err != nil {
		return c, err
	}
	return c, tx.saveCreated(ctx, made)
}

func (tx *Tx) knownRecords(ctx context.Context, l Landing) (map[string]*landed, error) {
	ids := make([]string, len(l.Items))
	for i, it := range l.Items {
		ids[i] = it.Raw.ID
	}
	known := make(map[string]*landed, len(ids))
	err := tx.eachBySourceID(ctx, `rec, external_id, salt, version, latest, hash, stamp, etag, deleted`, l.Source, l.Entity, ids, func(r *sql.Rows) error {
		x := &landed{ref: record.Ref{Source: l.Source, Entity: l.Entity}}
		if err := r.Scan(&x.rec, &x.ref.ID, &x.salt, &x.version, &x.latest, &x.hash, &x.stamp, &x.etag, &x.deleted); err != nil {
			return err
		}
		known[x.ref.ID] = x
		return nil
	})
	return known, err
}

func (tx *Tx) newRecord(l Landing, id string, seq int64) *landed {
	salt := make([]byte, seal.SaltSize)
	tx.db.env.Rand(salt)
	return &landed{rec: seq, ref: record.Ref{Source: l.Source, Entity: l.Entity, ID: id}, salt: salt, isNew: true}
}

// sameAsBefore compares with the record's current version only: anything else
// is a new version, also when an older one had the same content (A → B → A
// ends as A). Late history and duplicates are compared with what was kept of
// them before.
func (tx *Tx) sameAsBefore(ctx context.Context, r *landed, it *Item) (bool, error) {
	if r.latest == 0 {
		return false, nil
	}
	if it.Duplicate {
		for _, p := range r.pending {
			if p.dup && bytes.Equal(p.hash, it.Hash) {
				return true, nil
			}
		}
		return tx.one(ctx, `SELECT version FROM source_version WHERE rec = $1 AND hash = $2 AND problem <> ''`, []any{r.rec, it.Hash}, new(int))
	}
	deleted := it.Raw.Deleted || it.Filtered
	if bytes.Equal(r.hash, it.Hash) && r.deleted == deleted {
		if it.Raw.Version != "" && it.Raw.Version != r.etag {
			r.etag, r.etagOnly = it.Raw.Version, true
		}
		return true, nil
	}
	if !olderThan(r, it) {
		return false, nil
	}
	for _, p := range r.pending {
		if !p.dup && bytes.Equal(p.hash, it.Hash) && p.Deleted == deleted && p.Stamp.Equal(it.Raw.Stamp) {
			return true, nil
		}
	}
	return tx.one(ctx, `SELECT version FROM source_version WHERE rec = $1 AND hash = $2 AND stamp = $3 AND deleted = $4 AND problem <> $5`,
		[]any{r.rec, it.Hash, record.FormatTime(it.Raw.Stamp), deleted, DuplicateProblem}, new(int))
}

// olderThan says whether the source's own order puts the item before the
// current version. Without stamps the landing order decides.
func olderThan(r *landed, it *Item) bool {
	s := record.FormatTime(it.Raw.Stamp)
	return s != "" && r.stamp != "" && s < r.stamp
}

func (tx *Tx) addVersion(r *landed, it *Item, seq int64) {
	v := pendingVersion{
		Version: Version{
			N: r.latest + 1, Seq: seq, Raw: it.Raw.Data, Stamp: it.Raw.Stamp, Deleted: it.Raw.Deleted || it.Filtered,
			Problem: it.Raw.Problem, Place: it.Raw.Place,
		},
		etag: it.Raw.Version, hash: it.Hash, dup: it.Duplicate, filtered: it.Filtered,
	}
	v.SeenAt, _ = record.ParseTime(tx.now)
	if v.dup {
		v.Problem = DuplicateProblem
	}
	r.latest = v.N
	if !v.dup && !olderThan(r, it) || r.version == 0 {
		r.version, r.hash, r.deleted, r.stamp, r.key = v.N, v.hash, v.Deleted, record.FormatTime(v.Stamp), it.Key
		if v.etag != "" {
			r.etag = v.etag
		}
	}
	r.pending = append(r.pending, v)
}

// touchEtags goes row by row: a bulk upsert of whole rows was measured slower.
func (tx *Tx) touchEtags(ctx context.Context, touched []*landed) error {
	for _, r := range touched {
		if len(r.pending) > 0 {
			continue // written with its new version
		}
		if _, err := tx.exec(ctx, `UPDATE source_record SET etag = $1 WHERE rec = $2`, r.etag, r.rec); err != nil {
			return err
		}
	}
	return nil
}

// createsBy finds the creates without an object by one of their names. What was sent may
// have been applied, unless the target surely refused it.
func createsBy(column string) string {
	return `SELECT seq, founder, key, external_id FROM outbox
		WHERE system = $X1 AND entity = $X2 AND rec + 0 = 0 AND sent_seq > 0 AND state <> 'rejected' AND ` + column + ` IN $LIST ORDER BY seq`
}

// attachCreates ties objects that we created ourselves to the golden record
// they were created for: a must-link fact, never a match. The object is known
// by its id, or, when the create's answer never came, by our external key in it.
// It gives the outbox rows of those creates.
func (tx *Tx) attachCreates(ctx context.Context, l Landing, changed []*landed) (made []int64, err error) {
	var fresh []*landed
	var keys, ids []string
	for _, r := range changed {
		if !r.isNew {
			continue
		}
		fresh = append(fresh, r)
		ids = append(ids, r.ref.ID)
		if r.key != "" {
			keys = append(keys, r.key)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	type create struct {
		seq, founder int64
		key, id      string
	}
	var creates []create
	for _, by := range []struct {
		column string
		values []string
	}{{"external_id", ids}, {"key", keys}} {
		err := eachIn(ctx, tx, createsBy(by.column), by.values, func(r *sql.Rows) error {
			var c create
			err := r.Scan(&c.seq, &c.founder, &c.key, &c.id)
			creates = append(creates, c)
			return err
		}, l.Source, l.Entity)
		if err != nil {
			return nil, fmt.Errorf("find our creates: %w", err)
		}
	}
	taken := map[int64]bool{} // a create has made one object
	for _, r := range fresh {
		for _, c := range creates {
			if taken[c.seq] || c.id != r.ref.ID && (r.key == "" || c.key != r.key || c.id != "") {
				continue
			}
			taken[c.seq] = true
			if err := tx.attach(ctx, c.seq, c.founder, r.rec, r.ref.ID); err != nil {
				return nil, err
			}
			made = append(made, c.seq)
			break
		}
	}
	return made, nil
}

// attach writes the must-link fact of a create. The object is there: a row that
// was given up, or was to be sent again, has been delivered after all.
func (tx *Tx) attach(ctx context.Context, row, founder, rec int64, id string) error {
	if _, err := tx.exec(ctx, `UPDATE outbox SET rec = $1, external_id = CASE WHEN external_id = '' THEN $2 ELSE external_id END,
		settled_at = CASE WHEN state IN ('pending','conflict','dead') THEN $3 ELSE settled_at END,
		state = CASE WHEN state IN ('pending','conflict','dead') THEN 'delivered' ELSE state END WHERE seq = $4`, rec, id, tx.now, row); err != nil {
		return err
	}
	ruling := fmt.Sprintf("create-%d", row)
	n, err := tx.exec(ctx, `INSERT INTO ruling (id, kind, a, b, field, value, who, why, at) VALUES ($1, 'must', $2, $3, '', '', 'touchstone', 'created by our own push', $4)
		ON CONFLICT (id) DO NOTHING`, ruling, min(founder, rec), max(founder, rec), tx.now)
	if err != nil || n == 0 {
		return err
	}
	return tx.auditAttached(ctx, ruling, founder)
}
