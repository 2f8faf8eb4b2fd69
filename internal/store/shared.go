package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/record"
)

// Lists are the limits of an entity type's posting lists.
type Lists struct {
	Entity string
	Cap    int // a list longer than this is not scanned
	// Names is how many different names may stand on the list of a counted key
	// before its value is shared; 0: none is ever.
	Names int
}

// Counted says whether a key's finer hash is that of its holder's name
// (block.Counted).
func (k Key) Counted() bool { return k.Coarse&1 == 1 }

// sharing brings the list of shared values up to date with the change of the
// posting lists, and gives the records that hold a value which crossed the line:
// all their pairs are weighed anew. The list is a function of the posting lists
// and Names alone.
func (tx *Tx) sharing(ctx context.Context, p lister, d *keyDelta, lists Lists, change *sharedChange) (again []int64, err error) {
	stored, err := tx.setting(ctx, sharedMark(lists.Entity))
	if err != nil {
		return nil, err
	}
	if len(change.turned) == 0 {
		change.from, change.to = stored, stored
	}
	names, _, _ := strings.Cut(stored, " ")
	var was, is map[int64]bool
	if want := strconv.Itoa(lists.Names); names == want || stored == "" && lists.Names == 0 {
		var touched []int64
		for _, k := range d.sortedFine() {
			if k.Counted() {
				touched = append(touched, int64(k.Coarse))
			}
		}
		touched = slices.Compact(touched)
		if len(touched) == 0 || lists.Names == 0 {
			return nil, nil
		}
		if was, err = tx.sharedAmong(ctx, touched); err != nil {
			return nil, err
		}
		if is, err = p.manyNames(ctx, touched, lists.Names); err != nil {
			return nil, err
		}
	} else { // another model, another line
		if was, err = tx.sharedOf(ctx, lists.Entity); err != nil {
			return nil, err
		}
		if is, err = tx.countAll(ctx, lists); err != nil {
			return nil, err
		}
		stored = ""
	}
	var come, gone []int64
	for _, v := range sortedKeys(is) {
		if !was[v] {
			come = append(come, v)
		}
	}
	for _, v := range sortedKeys(was) {
		if !is[v] {
			gone = append(gone, v)
		}
	}
	if len(come)+len(gone) == 0 && stored != "" {
		return nil, nil
	}
	again, change.to, err = tx.writeShared(ctx, p, lists, come, gone)
	for _, v := range come {
		change.turned = append(change.turned, turnedShared{v, true})
	}
	for _, v := range gone {
		change.turned = append(change.turned, turnedShared{v, false})
	}
	return again, err
}

// sharedChange is what a publishing has done to a list of shared values: of one stamp
// it made that of another.
type sharedChange struct {
	from, to string
	turned   []turnedShared
}

type turnedShared struct {
	value int64
	is    bool // shared from now on
}

// of gives the list that the change has left, where that handed in is the one that it
// found: most changes are of a few values among thousands.
func (c sharedChange) of(have *Shared) (s *Shared, known bool) {
	switch {
	case have == nil || c.to == "":
		return nil, false
	case have.stamp == c.to:
		return have, true
	case have.stamp != c.from || c.from == "":
		return nil, false
	}
	s = &Shared{stamp: c.to, values: maps.Clone(have.values)}
	for _, t := range c.turned {
		if t.is {
			s.values[uint64(t.value)] = true
		} else {
			delete(s.values, uint64(t.value))
		}
	}
	return s, true
}

func sharedMark(entity string) string { return "shared/" + entity }

// stampShared notes by which line the list was made, and that it is a new one.
func (tx *Tx) stampShared(ctx context.Context, lists Lists) (stamp string, err error) {
	n, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return "", err
	}
	stamp = fmt.Sprint(lists.Names, " ", n)
	return stamp, tx.setSetting(ctx, sharedMark(lists.Entity), stamp)
}

func (tx *Tx) writeShared(ctx context.Context, p lister, lists Lists, come, gone []int64) (holders []int64, stamp string, err error) {
	if err := execIn(ctx, tx, `DELETE FROM shared_value WHERE value IN $LIST`, gone); err != nil {
		return nil, "", err
	}
	rows := make([][]any, len(come))
	for i, v := range come {
		rows[i] = []any{v, lists.Entity}
	}
	if err := tx.insert(ctx, `INSERT INTO shared_value (value, entity)`, "", rows); err != nil {
		return nil, "", err
	}
	if stamp, err = tx.stampShared(ctx, lists); err != nil {
		return nil, "", err
	}
	for _, v := range slices.Concat(come, gone) {
		if holders, err = p.holders(ctx, holders, Key{Coarse: uint64(v)}); err != nil {
			return nil, "", err
		}
	}
	slices.Sort(holders)
	return slices.Compact(holders), stamp, nil
}

// sharedAmong gives those of the values that stand on the list.
func (tx *Tx) sharedAmong(ctx context.Context, values []int64) (map[int64]bool, error) {
	was := map[int64]bool{}
	err := eachIn(ctx, tx, `SELECT value FROM shared_value WHERE value IN $LIST`, values, intoSet(was))
	return was, err
}

func (tx *Tx) sharedOf(ctx context.Context, entity string) (map[int64]bool, error) {
	was := map[int64]bool{}
	err := tx.query(ctx, `SELECT value FROM shared_value WHERE entity = $1`, []any{entity}, intoSet(was))
	return was, err
}

func intoSet(set map[int64]bool) rowScan {
	return func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		set[v] = true
		return err
	}
}

// countAll counts the names of every value of an entity type.
func (tx *Tx) countAll(ctx context.Context, lists Lists) (map[int64]bool, error) {
	is := map[int64]bool{}
	if lists.Names == 0 {
		return is, nil
	}
	if err := tx.byAll(ctx); err != nil {
		return nil, err
	}
	err := tx.query(ctx, `SELECT b.key FROM blocking_key b JOIN feature f ON f.rec = b.rec WHERE f.entity = $1 AND b.key % 2 <> 0
		GROUP BY b.key HAVING count(DISTINCT b.fine) > $2`, []any{lists.Entity, lists.Names}, intoSet(is))
	return is, err
}

// Shared is the list of an entity type's shared values. It is not changed.
type Shared struct {
	stamp  string
	values map[uint64]bool
}

// Has says whether a value, by the hash of its key, is shared.
func (s *Shared) Has(value uint64) bool { return s != nil && s.values[value] }

// Len is the number of shared values.
func (s *Shared) Len() int {
	if s == nil {
		return 0
	}
	return len(s.values)
}

// Shared gives the list as it stands: the one handed in, where it is still the
// same.
func (db *DB) Shared(ctx context.Context, entity string, have *Shared) (*Shared, error) {
	stamp, err := db.Setting(ctx, sharedMark(entity)) // first: a list read later is at least as new
	if err != nil {
		return nil, fmt.Errorf("shared values of %s: %w", entity, err)
	}
	return sharedAt(ctx, stamp, have, entity, db.view)
}

// SharedBy is Shared as a publishing has left it.
func (db *DB) SharedBy(ctx context.Context, p Published, entity string, have *Shared) (*Shared, error) {
	if s, known := p.shared.of(have); known {
		return s, nil
	}
	return db.Shared(ctx, entity, have)
}

// sharedAt gives the list of a stamp: the one handed in, or what read finds.
func sharedAt(ctx context.Context, stamp string, have *Shared, entity string, read ask) (*Shared, error) {
	if have != nil && have.stamp == stamp {
		return have, nil
	}
	s := &Shared{stamp: stamp, values: map[uint64]bool{}}
	err := read(ctx, `SELECT value FROM shared_value WHERE entity = $1`, []any{entity}, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		s.values[uint64(v)] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("shared values of %s: %w", entity, err)
	}
	return s, nil
}

// SharedUse says how much a shared value is used.
type SharedUse struct {
	Value    uint64 // hash of its key
	Records  int
	Names    int
	Features []byte // of the holder with the lowest landing number
}

// SharedUses lists the shared values of an entity type by how many names use
// them, at most most.
func (db *DB) SharedUses(ctx context.Context, entity string, most int) (uses []SharedUse, err error) {
	err = db.view(ctx, `SELECT u.value, u.records, u.names, f.features FROM (
			SELECT s.value, count(DISTINCT b.rec) AS records, count(DISTINCT b.fine) AS names, min(b.rec) AS rec
			FROM shared_value s JOIN blocking_key b ON b.key = s.value WHERE s.entity = $1 GROUP BY s.value
			ORDER BY names DESC, records DESC, s.value LIMIT $2) AS u
		JOIN feature f ON f.rec = u.rec ORDER BY u.names DESC, u.records DESC, u.value`, []any{entity, most}, func(r *sql.Rows) error {
		var u SharedUse
		var v int64
		err := r.Scan(&v, &u.Records, &u.Names, &u.Features)
		u.Value = uint64(v)
		uses = append(uses, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("shared values of %s: %w", entity, err)
	}
	return uses, nil
}

// Holders lists the records that stand on a key's posting list by landing
// number, at most most.
func (db *DB) Holders(ctx context.Context, key uint64, most int) (refs []record.Ref, err error) {
	err = db.view(ctx, `SELECT s.source, s.entity, s.external_id FROM (SELECT DISTINCT rec FROM blocking_key WHERE key = $1 ORDER BY rec LIMIT $2) AS b
		JOIN source_record s ON s.rec = b.rec ORDER BY b.rec`, []any{int64(key), most}, func(r *sql.Rows) error {
		var ref record.Ref
		err := r.Scan(&ref.Source, &ref.Entity, &ref.ID)
		refs = append(refs, ref)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("holders of a shared value: %w", err)
	}
	return refs, nil
}
