package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// EventItem is one pulled event on its way in.
type EventItem struct {
	Raw       record.Raw // its ID is known
	Hash      []byte     // of the content that counts
	Duplicate bool       // the same pass already gave this id with other content
	Filtered  bool       // the where clause leaves it out
}

// EventDerived is what follows from an event's history.
type EventDerived struct {
	Version int             // in force; 0 when none ever passed
	Live    bool            // false: deleted at the source
	Event   record.Event    // of the version in force; Of is that of the current one
	Bad     []record.Reason // why the current version did not pass
}

// DeriveEvent computes what follows from an event's history, whose reference
// has the event's kind for its entity: pure, and called inside the transaction.
type DeriveEvent func(History) (EventDerived, error)

// EventLanding is one page of one source's events of one kind.
type EventLanding struct {
	Source, Kind string // uid, name in the configuration
	Items        []EventItem
	Cursor       []byte // committed with the page; nil leaves it alone
	Run          string // the run to count in; "" for none
	Derive       DeriveEvent
}

// EventStream is under what cursors, runs and rules know a kind of events: no
// entity has a slash in its name.
func EventStream(kind string) string { return "event/" + kind }

// LandEvents stores a page of events with its cursor, all or nothing. The same
// event twice is one; a changed one is a new version. An event whose record is
// not known yet is kept, and belongs to it as soon as that lands.
func (db *DB) LandEvents(ctx context.Context, l EventLanding) (Counts, error) {
	counts, err := db.landPage(ctx, l.Source, EventStream(l.Kind), l.Cursor, l.Run, func(tx *Tx) (Counts, error) { return tx.landEvents(ctx, l) })
	if err != nil {
		return Counts{}, fmt.Errorf("land events %s/%s: %w", l.Source, l.Kind, err)
	}
	return counts, nil
}

// landedEvent is an event during a landing or a derivation: a landed record
// with the key holder of its salt.
type landedEvent struct {
	landed
	holder     int64 // record that seals the salt; 0 for none
	sealedSalt []byte
	erased     bool
}

func (tx *Tx) landEvents(ctx context.Context, l EventLanding) (Counts, error) {
	c := Counts{Pulled: len(l.Items)}
	seq, err := tx.nextSeq(ctx, len(l.Items)+1) // with it comes the landing lock
	if err != nil {
		return c, err
	}
	known, err := tx.knownEvents(ctx, l)
	if err != nil {
		return c, err
	}
	var changed []*landedEvent
	for i := range l.Items {
		it, n := &l.Items[i], seq+int64(i)
		one := Item{Raw: it.Raw, Hash: tx.keyed("event", it.Hash), Duplicate: it.Duplicate, Filtered: it.Filtered}
		id := clean(it.Raw.ID)
		e := known[id]
		if e != nil && e.erased {
			c.Filtered++ // what was erased does not come back
			continue
		}
		if e == nil && it.Filtered {
			c.Filtered++
			continue
		}
		if e == nil {
			e = &landedEvent{landed: landed{rec: n, ref: record.Ref{Source: l.Source, Entity: l.Kind, ID: id}, salt: make([]byte, seal.SaltSize), isNew: true}}
			tx.db.env.Rand(e.salt)
			known[id] = e
		}
		same, err := tx.sameEvent(ctx, e, &one)
		switch {
		case err != nil:
			return c, err
		case same && it.Filtered:
			c.Filtered++
		case same:
			c.Unchanged++
		default:
			if len(e.pending) == 0 {
				changed = append(changed, e)
			}
			tx.addVersion(&e.landed, &one, n)
			if it.Filtered {
				c.Filtered++
			} else {
				c.Stored++ // corrected below for quarantine
			}
		}
	}
	if err := tx.settleEvents(ctx, changed, l.Derive, &c); err != nil {
		return c, err
	}
	var hashes [][]byte
	for _, e := range changed {
		for _, p := range e.pending {
			hashes = append(hashes, p.hash)
		}
	}
	return c, tx.auditLanded(ctx, "event.land", l.Source, l.Kind, hashes)
}

func (tx *Tx) knownEvents(ctx context.Context, l EventLanding) (map[string]*landedEvent, error) {
	ids := make([]string, len(l.Items))
	for i, it := range l.Items {
		ids[i] = it.Raw.ID
	}
	known := make(map[string]*landedEvent, len(ids))
	err := eachIn(ctx, tx, eventColumns+` WHERE e.source = $X1 AND e.kind = $X2 AND e.external_id IN $LIST`, ids, func(r *sql.Rows) error {
		e, err := tx.scanEvent(r)
		if err == nil {
			known[e.ref.ID] = e
		}
		return err
	}, l.Source, l.Kind)
	return known, err
}

const eventColumns = `SELECT e.ev, e.source, e.kind, e.external_id, e.salt, e.sealed_by, s.salt, e.version, e.latest, e.hash, e.stamp, e.deleted
	FROM event e LEFT JOIN source_record s ON s.rec = e.sealed_by`

func (tx *Tx) scanEvent(r *sql.Rows) (*landedEvent, error) {
	e := &landedEvent{}
	var holderSalt []byte
	if err := r.Scan(&e.rec, &e.ref.Source, &e.ref.Entity, &e.ref.ID, &e.sealedSalt, &e.holder, &holderSalt,
		&e.version, &e.latest, &e.hash, &e.stamp, &e.deleted); err != nil {
		return nil, err
	}
	var err error
	e.salt, err = tx.db.eventSalt(e.sealedSalt, e.holder, holderSalt)
	e.erased = len(e.salt) == 0
	return e, err
}

// eventSalt opens an event's salt; nil when it, or its record, was erased.
func (db *DB) eventSalt(salt []byte, holder int64, holderSalt []byte) ([]byte, error) {
	switch {
	case len(salt) == 0, holder != 0 && len(holderSalt) == 0:
		return nil, nil
	case holder == 0:
		return salt, nil
	}
	return db.vault.Open(holderSalt, salt)
}

// sameEvent is sameAsBefore for events.
func (tx *Tx) sameEvent(ctx context.Context, e *landedEvent, it *Item) (bool, error) {
	if e.latest == 0 {
		return false, nil
	}
	if it.Duplicate {
		for _, p := range e.pending {
			if p.dup && bytes.Equal(p.hash, it.Hash) {
				return true, nil
			}
		}
		return tx.one(ctx, `SELECT version FROM event_version WHERE ev = $1 AND hash = $2 AND problem = $3`, []any{e.rec, it.Hash, DuplicateProblem}, new(int))
	}
	deleted := it.Raw.Deleted || it.Filtered
	if bytes.Equal(e.hash, it.Hash) && e.deleted == deleted {
		return true, nil
	}
	if !olderThan(&e.landed, it) {
		return false, nil
	}
	for _, p := range e.pending {
		if !p.dup && bytes.Equal(p.hash, it.Hash) && p.Deleted == deleted && p.Stamp.Equal(it.Raw.Stamp) {
			return true, nil
		}
	}
	return tx.one(ctx, `SELECT version FROM event_version WHERE ev = $1 AND hash = $2 AND stamp = $3 AND deleted = $4 AND problem <> $5`,
		[]any{e.rec, it.Hash, record.FormatTime(it.Raw.Stamp), deleted, DuplicateProblem}, new(int))
}
