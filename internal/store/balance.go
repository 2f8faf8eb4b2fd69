package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/say"
)

// The kinds of things that a balance counts. Consents are events too: those
// whose type begins with "consent", "opt" or "objection".
const (
	HeldRecords   = "records"
	HeldEvents    = "events"
	HeldMoney     = "money" // events with an amount, by currency
	HeldConsents  = "consents"
	HeldRelations = "relations"
	HeldReferrals = "referrals" // relations of others that lead here
	HeldPins      = "pins"
)

// Amount is how much of one kind is held. Digest is of everything that stands
// in the rows, whatever their order: it tells a changed row from an equal one.
type Amount struct {
	Count  int    `json:"count"`
	Sum    string `json:"sum,omitempty"` // of money: exact
	Digest string `json:"digest"`
}

// SheetLine is one kind of things of one system. Unit is the currency of money.
type SheetLine struct {
	System string `json:"system"` // uid of the source
	Kind   string `json:"kind"`
	Unit   string `json:"unit,omitempty"`
	Before Amount `json:"before"`
	After  Amount `json:"after"`
}

// Balanced says whether nothing was lost, doubled or changed.
func (l SheetLine) Balanced() bool { return l.Before == l.After }

// Sheet is what some customers held, all together, before and after a change of
// who they are: by system and kind, in a fixed order.
type Sheet struct {
	Entity    string      `json:"entity"`
	Decisions []string    `json:"decisions,omitempty"` // it came from; none: the matcher's own
	Moved     int         `json:"moved"`               // records that went to another customer
	Lines     []SheetLine `json:"lines"`
	Sealer    int64       `json:"-"` // the record whose data key seals it
}

// Imbalance refuses a change after which something is missing, doubled or
// different.
type Imbalance struct{ Sheet Sheet }

func (i *Imbalance) Error() string { return i.Text(func(uid string) string { return uid }) }

// Text says what is wrong, with the systems by the names that name gives. It
// tells kinds and counts only: sums and values are not for logs.
func (i *Imbalance) Text(name func(uid string) string) string { return i.Said(name).String() }

// Said is Text, to be said in any language.
func (i *Imbalance) Said(name func(uid string) string) say.Text {
	var parts say.Texts
	for _, l := range i.Sheet.Wrong() {
		kind := say.Word{Group: "held", Name: l.Kind}
		text := say.New("%s of %s: %d before, %d after", kind, name(l.System), l.Before.Count, l.After.Count)
		if l.Before.Count == l.After.Count {
			text = say.New("%s of %s: %d, but not the same", kind, name(l.System), l.Before.Count)
		}
		parts = append(parts, text)
	}
	return say.New("the change was rolled back, it does not balance: %s", parts)
}

// Wrong are the lines that do not balance.
func (s Sheet) Wrong() []SheetLine {
	return slices.DeleteFunc(slices.Clone(s.Lines), SheetLine.Balanced)
}

type heldKey struct{ system, kind, unit string }

type held struct {
	count  int
	sum    *big.Rat
	digest uint64
}

// Held is what some customers hold, by system, kind and currency.
type Held map[heldKey]held

func (h Held) add(system, kind, unit string, count int, sum *big.Rat, row ...any) {
	h.digest(system, kind, unit, count, sum, digestOf(row))
}

// digest is add of a row whose digest is known.
func (h Held) digest(system, kind, unit string, count int, sum *big.Rat, digest uint64) {
	k := heldKey{system, kind, unit}
	x := h[k]
	x.count += count
	if sum != nil {
		if x.sum == nil {
			x.sum = new(big.Rat)
		}
		x.sum.Add(x.sum, sum)
	}
	x.digest += digest // a sum: the same row twice is not the row once
	h[k] = x
}

// digestOf is a hash (FNV-1a) over the values of a row as text, each as
// LENGTH:TEXT; so that no two rows are written alike. A customer has thousands.
func digestOf(row []any) uint64 {
	var room [256]byte
	var number [20]byte
	line := room[:0]
	for _, v := range row {
		switch v := v.(type) {
		case string:
			line = strconv.AppendInt(line, int64(len(v)), 10)
			line = append(append(line, ':'), v...)
		case int64:
			text := strconv.AppendInt(number[:0], v, 10)
			line = strconv.AppendInt(line, int64(len(text)), 10)
			line = append(append(line, ':'), text...)
		default:
			text := fmt.Sprint(v)
			line = strconv.AppendInt(line, int64(len(text)), 10)
			line = append(append(line, ':'), text...)
		}
		line = append(line, ';')
	}
	f := fnv.New64a()
	_, _ = f.Write(line) // which cannot fail
	return f.Sum64()
}

func (x held) amount() Amount {
	a := Amount{Count: x.count}
	if x.digest != 0 || x.count != 0 {
		a.Digest = fmt.Sprintf("%016x", x.digest)
	}
	if x.sum != nil {
		a.Sum = exact(x.sum)
	}
	return a
}

// exact writes a number as a decimal, or as a fraction where it is none.
func exact(x *big.Rat) string {
	if n, is := x.FloatPrec(); is {
		return x.FloatString(n)
	}
	return x.RatString()
}

// SheetOf puts what was held beside what is.
func SheetOf(before, after Held) []SheetLine {
	keys := map[heldKey]bool{}
	for _, h := range []Held{before, after} {
		for k := range h {
			keys[k] = true
		}
	}
	list := slices.SortedFunc(maps.Keys(keys), func(x, y heldKey) int {
		return cmp.Or(cmp.Compare(x.system, y.system), cmp.Compare(kindOrder(x.kind), kindOrder(y.kind)), cmp.Compare(x.unit, y.unit))
	})
	out := make([]SheetLine, len(list))
	for i, k := range list {
		out[i] = SheetLine{System: k.system, Kind: k.kind, Unit: k.unit, Before: before[k].amount(), After: after[k].amount()}
	}
	return out
}

func kindOrder(kind string) int {
	return slices.Index([]string{HeldRecords, HeldEvents, HeldMoney, HeldConsents, HeldRelations, HeldReferrals, HeldPins}, kind)
}

// Held counts what the golden records with these founders hold, found as every
// page and export finds it: through the crosswalk. Arriving are records that
// stand in no golden record yet and are counted beside them.
func (tx *LinkTx) Held(ctx context.Context, founders, arriving []int64) (Held, error) {
	h := Held{}
	seen := map[int64]bool{}
	for _, part := range []struct {
		from string // one row a record, as c.rec
		list []int64
	}{
		{`(SELECT rec FROM crosswalk WHERE golden IN $LIST) c`, founders},
		{`(SELECT rec FROM source_record WHERE rec IN $LIST) c`, arriving},
	} {
		for _, count := range []func(context.Context, string, []int64) error{h.records(tx), h.events(tx, seen), h.relations(tx), h.pins(tx)} {
			if err := count(ctx, part.from, part.list); err != nil {
				return nil, fmt.Errorf("balance: %w", err)
			}
		}
	}
	return h, nil
}

func (h Held) records(tx *LinkTx) func(context.Context, string, []int64) error {
	return func(ctx context.Context, from string, list []int64) error {
		return eachIn(ctx, tx.Tx, `SELECT s.rec, s.source, s.external_id, s.version, s.deleted FROM `+from+` JOIN source_record s ON s.rec = c.rec`, list, func(r *sql.Rows) error {
			var rec, version int64
			var source, id string
			var deleted bool
			if err := r.Scan(&rec, &source, &id, &version, &deleted); err != nil {
				return err
			}
			h.add(source, HeldRecords, "", 1, nil, rec, id, version, deleted)
			return nil
		})
	}
}

// events counts each event once, however many of the records it belongs to; the
// digest is over each of these ties.
func (h Held) events(tx *LinkTx, seen map[int64]bool) func(context.Context, string, []int64) error {
	return func(ctx context.Context, from string, list []int64) error {
		var recs []int64
		err := eachIn(ctx, tx.Tx, `SELECT c.rec FROM `+from, list, func(r *sql.Rows) error {
			var rec int64
			err := r.Scan(&rec)
			recs = append(recs, rec)
			return err
		})
		if err != nil {
			return err
		}
		return tx.eachEvent(ctx, recs, func(e *tiedEvent) {
			count := 1
			if seen[e.ev] {
				count = 0
			}
			seen[e.ev] = true
			h.digest(e.source, HeldEvents, "", count, nil, e.digest)
			if consentType(e.kind) {
				h.digest(e.source, HeldConsents, "", count, nil, e.digest)
			}
			if e.sum != nil && count > 0 {
				h.add(e.source, HeldMoney, e.currency, count, e.sum, e.ev, e.amount)
			}
		})
	}
}

func consentType(kind string) bool {
	for _, word := range []string{"consent", "opt", "objection", "unsubscribe"} {
		if kind == word || strings.HasPrefix(kind, word+"_") || strings.HasPrefix(kind, word+".") || strings.HasPrefix(kind, word+"-") {
			return true
		}
	}
	return false
}

// relations counts those that sources give and those that people state, by the
// source of the record that stands at this end.
func (h Held) relations(tx *LinkTx) func(context.Context, string, []int64) error {
	const (
		given = `SELECT x.rec, x.n, y.source, x.kind, x.source, x.entity, x.external_id, x.title, x.role, x.share, x.since, x.until, x.ended FROM `
		said  = `SELECT x.a, x.b, y.source, x.kind, x.decision, x.role, x.stance, x.share, x.since, x.until FROM `
		force = ` JOIN decision d ON d.id = x.decision AND d.withdrawn = '' JOIN source_record y ON y.rec = c.rec`
	)
	return func(ctx context.Context, from string, list []int64) error {
		for _, q := range []struct{ kind, columns, join string }{
			{HeldRelations, given, ` JOIN relation x ON x.rec = c.rec JOIN source_record y ON y.rec = x.rec`},
			{HeldReferrals, given, ` JOIN source_record z ON z.rec = c.rec JOIN relation x ON x.source = z.source AND x.entity = z.entity AND x.external_id = z.external_id
				JOIN source_record y ON y.rec = x.rec`},
			{HeldRelations, said, ` JOIN said_relation x ON x.a = c.rec` + force},
			{HeldReferrals, said, ` JOIN said_relation x ON x.b = c.rec` + force},
		} {
			if err := h.eachRow(ctx, tx, q.kind, q.columns+from+q.join, list); err != nil {
				return err
			}
		}
		return nil
	}
}

// eachRow adds every row that a query finds; its third column is the source.
func (h Held) eachRow(ctx context.Context, tx *LinkTx, kind, q string, list []int64) error {
	return eachIn(ctx, tx.Tx, q, list, func(r *sql.Rows) error {
		row, _, err := scanAny(r)
		if err != nil {
			return err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = string(b)
			}
		}
		h.add(fmt.Sprint(row[2]), kind, "", 1, nil, row...)
		return nil
	})
}

func (h Held) pins(tx *LinkTx) func(context.Context, string, []int64) error {
	return func(ctx context.Context, from string, list []int64) error {
		if ruled, err := tx.AnyRuling(ctx); err != nil || !ruled {
			return err
		}
		return eachIn(ctx, tx.Tx, `SELECT p.id, p.field, s.source FROM `+from+` JOIN ruling p ON p.a = c.rec JOIN source_record s ON s.rec = c.rec
			WHERE p.kind = 'pin' AND p.withdrawn = ''`, list, func(r *sql.Rows) error {
			var id, field, source string
			if err := r.Scan(&id, &field, &source); err != nil {
				return err
			}
			h.add(source, HeldPins, "", 1, nil, id, field)
			return nil
		})
	}
}

// DueBalances gives the decisions whose effect on the records has not been
// weighed yet, oldest first, and the records they touch.
func (tx *LinkTx) DueBalances(ctx context.Context, recs []int64) (decisions []string, touched []int64, err error) {
	if ruled, err := tx.AnyRuling(ctx); err != nil || !ruled {
		return nil, nil, err
	}
	due := map[string]bool{}
	err = eachIn(ctx, tx.Tx, `SELECT decision, rec FROM balance_due WHERE rec IN $LIST ORDER BY decision, rec`, recs, func(r *sql.Rows) error {
		var id string
		var rec int64
		err := r.Scan(&id, &rec)
		due[id] = true
		touched = append(touched, rec)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("balances due: %w", err)
	}
	slices.Sort(touched)
	return sortedKeys(due), slices.Compact(touched), nil
}

// SaveBalance keeps the certificate of a change, sealed with the data key of one
// of its records, and takes its decisions off the list of those that are due.
func (tx *LinkTx) SaveBalance(ctx context.Context, s Sheet, touched []int64) error {
	if err := tx.lockFacts(ctx); err != nil {
		return err
	}
	if err := tx.saveBalance(ctx, s, "balanced"); err != nil {
		return err
	}
	if err := execIn(ctx, tx.Tx, `DELETE FROM balance_due WHERE rec IN $LIST`, touched); err != nil {
		return fmt.Errorf("balances due: %w", err)
	}
	return nil
}

func (tx *Tx) saveBalance(ctx context.Context, s Sheet, state string) error {
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return err
	}
	var salt []byte
	if _, err := tx.one(ctx, `SELECT salt FROM source_record WHERE rec = $1`, []any{s.Sealer}, &salt); err != nil {
		return err
	}
	text, err := json.Marshal(s.Lines)
	if err != nil {
		return err
	}
	var sealed []byte
	if len(salt) > 0 {
		if sealed, err = tx.db.vault.Seal(salt, fmt.Sprint("balance", seq), text); err != nil {
			return fmt.Errorf("seal balance: %w", err)
		}
	}
	if _, err := tx.exec(ctx, `INSERT INTO balance (seq, at, entity, state, moved, sealed_by, sheet) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		seq, tx.now, s.Entity, state, s.Moved, s.Sealer, sealed); err != nil {
		return fmt.Errorf("balance: %w", err)
	}
	rows := make([][]any, len(s.Decisions))
	for i, id := range s.Decisions {
		rows[i] = []any{id, seq}
	}
	if err := tx.insert(ctx, `INSERT INTO balance_of (decision, balance)`, "", rows); err != nil {
		return fmt.Errorf("balance: %w", err)
	}
	return nil
}
