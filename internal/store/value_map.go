package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/seal"
)

// Mapped is the kind of a decision that values of a field stand for another one.
const Mapped = "map"

// ValueMap is what one decision says of the values of a field.
type ValueMap struct {
	Decision string // its id; "" before it is made
	Seq      int64
	Entity   string
	Field    string      // "industry", or "addresses.city" for a part of a list's entries
	Pairs    [][2]string // from, to; sorted by from, each from once
}

// ValueMaps are those in force of an entity type, oldest decision first. They are
// not changed.
type ValueMaps struct {
	stamp string
	List  []ValueMap
}

// mark says in words what a map says, so that the same again is the same.
func (m *ValueMap) mark() (string, error) {
	b, err := json.Marshal([]any{m.Entity, m.Field, m.Pairs})
	return string(b), err
}

func valuesMark(entity string) string { return "values/" + entity }

// insertMap writes what a decision says of values.
func (tx *Tx) insertMap(ctx context.Context, decision string, m *ValueMap) error {
	text, err := json.Marshal(m.Pairs)
	if err != nil {
		return err
	}
	salt := make([]byte, seal.SaltSize)
	tx.db.env.Rand(salt)
	sealed, err := tx.db.vault.Seal(salt, "values"+decision, text)
	if err != nil {
		return fmt.Errorf("seal values: %w", err)
	}
	if _, err := tx.exec(ctx, `INSERT INTO value_map (decision, entity, field, salt, sealed) VALUES ($1,$2,$3,$4,$5)`, decision, m.Entity, m.Field, salt, sealed); err != nil {
		return fmt.Errorf("values: %w", err)
	}
	return tx.mapTurned(ctx, decision)
}

// mapTurned notes that a decision on values came into force or went out of it;
// of other decisions nothing.
func (tx *Tx) mapTurned(ctx context.Context, decision string) error {
	var entity string
	found, err := tx.one(ctx, `SELECT entity FROM value_map WHERE decision = $1`, []any{decision}, &entity)
	if err != nil || !found {
		return err
	}
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `INSERT INTO value_map_due (decision, seq) VALUES ($1, $2) ON CONFLICT (decision) DO UPDATE SET seq = excluded.seq`, decision, seq); err != nil {
		return err
	}
	return tx.setSetting(ctx, valuesMark(entity), strconv.FormatInt(seq, 10))
}

const valueMapQuery = `SELECT m.decision, d.seq, m.entity, m.field, m.salt, m.sealed FROM value_map m JOIN decision d ON d.id = m.decision`

// eachMap opens the maps that a query gives.
func (db *DB) eachMap(into *[]ValueMap) rowScan {
	return func(r *sql.Rows) error {
		var m ValueMap
		var salt, sealed []byte
		if err := r.Scan(&m.Decision, &m.Seq, &m.Entity, &m.Field, &salt, &sealed); err != nil {
			return err
		}
		plain, err := db.vault.Open(salt, sealed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(plain, &m.Pairs); err != nil {
			return fmt.Errorf("values of decision %s: %w", m.Decision, err)
		}
		*into = append(*into, m)
		return nil
	}
}

func (tx *Tx) mapsInForce(ctx context.Context, entity string) (list []ValueMap, err error) {
	err = tx.query(ctx, valueMapQuery+` WHERE m.entity = $1 AND d.withdrawn = '' ORDER BY d.seq`, []any{entity}, tx.db.eachMap(&list))
	return list, err
}

// ValueMaps gives the maps in force as this transaction sees them: the ones
// handed in, where they are still the same.
func (tx *Tx) ValueMaps(ctx context.Context, entity string, have *ValueMaps) (*ValueMaps, error) {
	stamp, err := tx.setting(ctx, valuesMark(entity))
	if err != nil || have != nil && have.stamp == stamp {
		return have, err
	}
	m := &ValueMaps{stamp: stamp}
	if m.List, err = tx.mapsInForce(ctx, entity); err != nil {
		return nil, fmt.Errorf("values of %s: %w", entity, err)
	}
	return m, nil
}

// ValueMaps lists the maps in force of an entity type, oldest decision first.
func (db *DB) ValueMaps(ctx context.Context, entity string) (list []ValueMap, err error) {
	err = db.view(ctx, valueMapQuery+` WHERE m.entity = $1 AND d.withdrawn = '' ORDER BY d.seq`, []any{entity}, db.eachMap(&list))
	if err != nil {
		return nil, fmt.Errorf("values of %s: %w", entity, err)
	}
	return list, nil
}

// ValueMapsOf gives what decisions say of values, in force or not, by decision.
func (db *DB) ValueMapsOf(ctx context.Context, decisions []string) (map[string]ValueMap, error) {
	var list []ValueMap
	err := viewIn(ctx, db, valueMapQuery+` WHERE m.decision IN $LIST ORDER BY d.seq`, decisions, db.eachMap(&list))
	if err != nil {
		return nil, fmt.Errorf("values of decisions: %w", err)
	}
	out := make(map[string]ValueMap, len(list))
	for _, m := range list {
		out[m.Decision] = m
	}
	return out, nil
}

// settleMaps finds the earlier decisions on values that cannot hold beside a new
// one, or one that came back: the same value stands for two others, or values
// stand for each other in a circle. With Over they are withdrawn, otherwise given
// back. Own are the decisions that have just come into force.
func (tx *Tx) settleMaps(ctx context.Context, d Decision, n NewDecision, own []string, touched map[int64]bool) (earlier []Decision, err error) {
	turned, err := tx.db.entitiesOf(ctx, tx, own)
	if err != nil {
		return nil, err
	}
	for _, entity := range turned {
		for range mostContradictions {
			list, err := tx.mapsInForce(ctx, entity)
			if err != nil {
				return nil, err
			}
			against, found := mapContradiction(list, own)
			if !found {
				break
			}
			if against == "" {
				return nil, impossible("the decision contradicts itself: values would stand for each other in a circle")
			}
			if !n.Over {
				e, err := tx.Decision(ctx, against)
				if err != nil {
					return nil, err
				}
				earlier = append(earlier, e)
			}
			// Without over the caller rolls all of this back.
			if _, err := tx.withdraw(ctx, d.ID, []string{against}, touched); err != nil {
				return nil, err
			}
		}
	}
	return earlier, nil
}

// entitiesOf gives the entity types whose values decisions speak of.
func (db *DB) entitiesOf(ctx context.Context, tx *Tx, decisions []string) (entities []string, err error) {
	err = eachIn(ctx, tx, `SELECT DISTINCT entity FROM value_map WHERE decision IN $LIST`, decisions, func(r *sql.Rows) error {
		var e string
		err := r.Scan(&e)
		entities = append(entities, e)
		return err
	})
	slices.Sort(entities)
	return slices.Compact(entities), err
}

// mapContradiction gives the newest earlier decision that is in the way; "" when
// only own ones are.
func mapContradiction(list []ValueMap, own []string) (against string, found bool) {
	type said struct {
		to       string
		decision int
	}
	says := map[[2]string]said{} // field, from
	pick := func(decisions ...int) {
		found = true
		newest := -1
		for _, i := range decisions {
			if !slices.Contains(own, list[i].Decision) && (newest < 0 || list[i].Seq > list[newest].Seq) {
				newest = i
			}
		}
		if newest >= 0 {
			against = list[newest].Decision
		}
	}
	for i, m := range list {
		for _, p := range m.Pairs {
			key := [2]string{m.Field, p[0]}
			if s, ok := says[key]; ok && s.to != p[1] {
				pick(s.decision, i)
				return against, true
			}
			says[key] = said{p[1], i}
		}
	}
	for _, m := range list {
		if !slices.Contains(own, m.Decision) {
			continue // before own ones came there was no circle
		}
		for _, p := range m.Pairs {
			var path []int
			for s, ok := says[[2]string{m.Field, p[0]}]; ok; s, ok = says[[2]string{m.Field, s.to}] {
				path = append(path, s.decision)
				if s.to == p[0] {
					pick(path...)
					return against, true
				}
				if len(path) > len(says) { // a circle that p only leads to: its own pair finds it
					break
				}
			}
		}
	}
	return "", false
}

// MapsDue is what decisions on values that were made or taken back leave to do:
// by entity type and field, the values whose records are resolved again.
type MapsDue struct {
	Values map[string]map[string]map[string]bool // entity → field → value
	seqs   map[string]int64                      // decision → as read
}

// MapsDue gives what is to do; nil, almost always, when there is nothing.
func (db *DB) MapsDue(ctx context.Context) (*MapsDue, error) {
	due := &MapsDue{Values: map[string]map[string]map[string]bool{}, seqs: map[string]int64{}}
	err := db.view(ctx, `SELECT decision, seq FROM value_map_due ORDER BY decision`, nil, func(r *sql.Rows) error {
		var id string
		var seq int64
		err := r.Scan(&id, &seq)
		due.seqs[id] = seq
		return err
	})
	if err != nil || len(due.seqs) == 0 {
		return nil, err
	}
	maps, err := db.ValueMapsOf(ctx, sortedKeys(due.seqs))
	if err != nil {
		return nil, err
	}
	for _, id := range sortedKeys(maps) {
		m := maps[id]
		fields := due.Values[m.Entity]
		if fields == nil {
			fields = map[string]map[string]bool{}
			due.Values[m.Entity] = fields
		}
		if fields[m.Field] == nil {
			fields[m.Field] = map[string]bool{}
		}
		for _, p := range m.Pairs {
			fields[m.Field][p[0]] = true
		}
	}
	for _, entity := range sortedKeys(due.Values) {
		list, err := db.ValueMaps(ctx, entity)
		if err != nil {
			return nil, err
		}
		leading(due.Values[entity], list)
	}
	return due, nil
}

// leading adds the values that lead to one of fields' values by maps in force.
func leading(fields map[string]map[string]bool, list []ValueMap) {
	for more := true; more; {
		more = false
		for _, m := range list {
			values := fields[m.Field]
			for _, p := range m.Pairs {
				if values[p[1]] && !values[p[0]] {
					values[p[0]], more = true, true
				}
			}
		}
	}
}

// Holding is a record with its authored values as stored.
type Holding struct {
	Rec      int64
	Source   string // uid
	Authored []byte
}

// holdingPage is how many records are read at once.
const holdingPage = 2000

// EachHolding gives the authored values of an entity type's live records, in the
// order they landed; of one source when its uid is given.
func (db *DB) EachHolding(ctx context.Context, entity, source string, fn func(Holding) error) error {
	for after := int64(0); ; {
		var page []Holding
		// Joined, PostgreSQL reads source records from the first on for every page.
		err := db.view(ctx, `SELECT rec, source, authored FROM (SELECT f.rec, (SELECT s.source FROM source_record s WHERE s.rec = f.rec) AS source, f.authored FROM feature f
			WHERE f.entity = $1 AND f.rec > $2 AND f.version > 0 AND f.live <> 0) AS held WHERE $3 = '' OR source = $3 ORDER BY rec LIMIT $4`,
			[]any{entity, after, source, holdingPage}, func(r *sql.Rows) error {
				var h Holding
				var authored string
				err := r.Scan(&h.Rec, &h.Source, &authored)
				h.Authored = []byte(authored)
				page = append(page, h)
				return err
			})
		if err != nil {
			return fmt.Errorf("values of %s: %w", entity, err)
		}
		for _, h := range page {
			after = h.Rec
			if err := fn(h); err != nil {
				return err
			}
		}
		if len(page) < holdingPage {
			return nil
		}
	}
}

// MapsDone puts the records on the backlog and notes that it was done; what has
// become due again meanwhile stays due.
func (db *DB) MapsDone(ctx context.Context, due *MapsDue, recs []int64) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		for part := range slices.Chunk(recs, holdingPage) {
			if err := tx.enqueueAgain(ctx, part); err != nil {
				return err
			}
		}
		for _, id := range sortedKeys(due.seqs) {
			if _, err := tx.exec(ctx, `DELETE FROM value_map_due WHERE decision = $1 AND seq = $2`, id, due.seqs[id]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sorted puts pairs in the order they are kept in, each from once. The error
// says which value is to stand for two, or for none.
func Sorted(pairs [][2]string) ([][2]string, error) {
	out := slices.Clone(pairs)
	slices.SortFunc(out, func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
	out = slices.DeleteFunc(slices.Compact(out), func(p [2]string) bool { return p[0] == p[1] })
	for i, p := range out {
		if strings.TrimSpace(p[0]) == "" || strings.TrimSpace(p[1]) == "" {
			return nil, fmt.Errorf("a value is empty")
		}
		if i > 0 && out[i-1][0] == p[0] {
			return nil, fmt.Errorf("one value is to stand for two others")
		}
	}
	return out, nil
}
