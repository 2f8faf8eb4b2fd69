package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// rulingsHead is the first line of an export.
type rulingsHead struct {
	Touchstone   string `json:"touchstone"` // "rulings"
	Format       int    `json:"format"`
	Installation string `json:"installation"` // says which key signed, and nothing of the key
}

const rulingsFormat = 1

// rulingsLine is one decision, by names that mean the same in another store.
type rulingsLine struct {
	ID        string       `json:"id"`
	Kind      string       `json:"kind"`
	Who       string       `json:"who"`
	Why       string       `json:"why,omitempty"`
	At        string       `json:"at"`
	Until     string       `json:"until,omitempty"`
	Withdraws []string     `json:"withdraws,omitempty"`
	Pairs     []rulingPair `json:"pairs,omitempty"`
	Values    *rulingMap   `json:"values,omitempty"`
	Relation  *rulingEdge  `json:"relation,omitempty"`
	Repairs   []rulingMend `json:"repairs,omitempty"`
	Refused   []rulingEdge `json:"refused,omitempty"` // relations that were proposed
	Sig       string       `json:"sig,omitempty"`
}

type rulingPair struct {
	Kind     string          `json:"kind"`
	A        string          `json:"a"`
	B        string          `json:"b,omitempty"`
	AVersion int             `json:"a_version,omitempty"` // the versions seen
	BVersion int             `json:"b_version,omitempty"`
	Field    string          `json:"field,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"`
}

// rulingMap says which values of a field count as another one.
type rulingMap struct {
	Entity string      `json:"entity"`
	Field  string      `json:"field"`
	Pairs  [][2]string `json:"pairs"` // from, to
}

// rulingEdge says how two customers are related.
type rulingEdge struct {
	A      string `json:"a"`
	B      string `json:"b"`
	Kind   string `json:"kind"`
	Title  string `json:"title,omitempty"`
	Role   string `json:"role,omitempty"`
	Stance string `json:"stance,omitempty"`
	Share  string `json:"share,omitempty"`
	Since  string `json:"since,omitempty"`
	Until  string `json:"until,omitempty"`
}

// fingerprint names this installation.
func (a *App) fingerprint() string {
	return hex.EncodeToString(a.vault.MAC("rulings", "installation")[:8])
}

func (a *App) sign(l rulingsLine) (string, error) {
	l.Sig = ""
	text, err := marshal(l)
	return hex.EncodeToString(a.vault.MAC("rulings", "line", text)), err
}

// ExportRulings writes every decision as one JSON line, oldest first, signed
// with the installation's key, and gives their number. What was erased is left
// out.
func (a *App) ExportRulings(ctx context.Context, w io.Writer) (n int, err error) {
	out := bufio.NewWriter(w)
	head, err := marshal(rulingsHead{"rulings", rulingsFormat, a.fingerprint()})
	if err != nil {
		return 0, err
	}
	if _, err := out.WriteString(head + "\n"); err != nil {
		return 0, fmt.Errorf("export rulings: %w", err)
	}
	write := func(l rulingsLine) error {
		if l.Sig, err = a.sign(l); err != nil {
			return err
		}
		text, err := marshal(l)
		if err != nil {
			return err
		}
		n++
		_, err = out.WriteString(text + "\n")
		return err
	}
	if err := a.exportLoose(ctx, write); err != nil {
		return n, fmt.Errorf("export rulings: %w", err)
	}
	if err := a.exportDecisions(ctx, write); err != nil {
		return n, fmt.Errorf("export rulings: %w", err)
	}
	return n, out.Flush()
}

// looseID names a ruling without a decision so that it means the same elsewhere.
func (a *App) looseID(id string) string { return a.fingerprint() + "-" + id }

func (a *App) exportLoose(ctx context.Context, write func(rulingsLine) error) error {
	for after := ""; ; {
		list, err := a.Store.LooseRulings(ctx, after, exportPage)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, p := range list {
			after = p.ID
			l := rulingsLine{ID: a.looseID(p.ID), Kind: store.Imported, Who: p.Who, Why: p.Why, At: p.At, Pairs: []rulingPair{a.portable(p)}}
			if err := write(l); err != nil {
				return err
			}
		}
	}
}

func (a *App) exportDecisions(ctx context.Context, write func(rulingsLine) error) error {
	for after := int64(0); ; {
		list, err := a.Store.Decisions(ctx, store.DecisionFilter{After: after, Limit: exportPage})
		if err != nil || len(list) == 0 {
			return err
		}
		pairs, err := a.Store.RuledPairs(ctx, ids(list))
		if err != nil {
			return err
		}
		known, err := a.Store.DecisionKinds(ctx, withdrawn(list))
		if err != nil {
			return err
		}
		maps, err := a.Store.ValueMapsOf(ctx, ids(list))
		if err != nil {
			return err
		}
		relations, err := a.Store.SaidOf(ctx, ids(list))
		if err != nil {
			return err
		}
		refused, err := a.Store.RefusedOf(ctx, ids(list))
		if err != nil {
			return err
		}
		for _, d := range list {
			after = d.Seq
			l := rulingsLine{ID: d.ID, Kind: d.Kind, Who: d.Who, Why: d.Why, At: d.At, Until: d.Until}
			for _, id := range d.Withdraws {
				if known[id] == "" {
					id = a.looseID(id)
				}
				l.Withdraws = append(l.Withdraws, id)
			}
			if m, ok := maps[d.ID]; ok {
				l.Values = &rulingMap{m.Entity, m.Field, m.Pairs}
			}
			if r, ok := relations[d.ID]; ok {
				l.Relation = &rulingEdge{a.refName(r.RefA), a.refName(r.RefB), r.Kind, r.Title, r.Role, r.Stance, r.Share, r.Since, r.Until}
			}
			for _, x := range refused[d.ID] {
				l.Refused = append(l.Refused, rulingEdge{A: a.refName(x.A), B: a.refName(x.B), Kind: x.Kind})
			}
			if d.Kind == store.Repaired {
				if l.Repairs, err = a.portableRepairs(ctx, d.ID); err != nil {
					return err
				}
			}
			for _, p := range pairs[d.ID] {
				if !p.Erased {
					l.Pairs = append(l.Pairs, a.portable(p))
				}
			}
			if err := write(l); err != nil {
				return err
			}
		}
	}
}

func withdrawn(list []store.Decision) (out []string) {
	for _, d := range list {
		out = append(out, d.Withdraws...)
	}
	return out
}

func (a *App) portable(p store.RuledPair) rulingPair {
	out := rulingPair{Kind: p.Kind, A: a.refName(p.RefA), AVersion: p.AVersion, BVersion: p.BVersion, Field: p.Field}
	if p.RefB.ID != "" {
		out.B = a.refName(p.RefB)
	}
	if p.Kind == store.Pinned {
		out.Value = json.RawMessage(p.Value)
	}
	return out
}

// ImportReport says what became of an import.
type ImportReport struct {
	Imported   int           `json:"imported"`
	Existing   int           `json:"existing"`   // stood already
	Pending    int           `json:"pending"`    // of the imported: with rulings on, or repairs of, records that have not landed
	Verified   int           `json:"verified"`   // signed by this installation
	Unverified int           `json:"unverified"` // signed by another one: nobody here can tell
	Refused    []RefusedLine `json:"refused,omitempty"`
}

// RefusedLine is a line that was not taken, and why.
type RefusedLine struct {
	Line int    `json:"line"`
	What string `json:"what"` // the decision, or the golden record of a crosswalk
	Why  string `json:"why"`
}

func (r *ImportReport) refuse(line int, what string, why error) {
	r.Refused = append(r.Refused, RefusedLine{line, what, why.Error()})
}

// importBatch is how many decisions are taken in one transaction.
const importBatch = 200

// longestLine bounds one line of an import.
const longestLine = 64 << 20

// ImportRulings takes what ExportRulings wrote, here or elsewhere. A decision
// that is known already changes nothing; one that contradicts what was decided
// here is refused; a line that this installation signed and somebody changed
// since is refused too.
func (a *App) ImportRulings(ctx context.Context, r io.Reader) (rep ImportReport, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	head, err := readHead(lines)
	if err != nil {
		return rep, err
	}
	taking := taking{a: a, rep: &rep}
	for line := 2; lines.Scan(); line++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		p, id, err := a.readRuling(lines.Bytes(), head.Installation == a.fingerprint(), &rep)
		if err != nil {
			rep.refuse(line, id, err)
			continue
		}
		if err := taking.add(ctx, p, line, id); err != nil {
			return rep, err
		}
	}
	if err := lines.Err(); err != nil {
		return rep, fmt.Errorf("read rulings: %w", err)
	}
	if err := taking.flush(ctx); err != nil {
		return rep, err
	}
	return rep, a.repairsDue(ctx)
}

func readHead(lines *bufio.Scanner) (head rulingsHead, err error) {
	if !lines.Scan() {
		return head, errors.Join(unclear("line 1: the file is empty; it begins with what touchstone rulings export writes first"), lines.Err())
	}
	if err := json.Unmarshal(lines.Bytes(), &head); err != nil || head.Touchstone != "rulings" {
		return head, unclear("line 1: this is no export of rulings: it begins with {\"touchstone\":\"rulings\",…}")
	}
	if head.Format != rulingsFormat {
		return head, unclear("line 1: format %d; this program reads format %d", head.Format, rulingsFormat)
	}
	return head, nil
}

var rulingKinds = []string{store.Merged, store.Split, store.Pinned, store.Unpinned, store.Undecided, store.Imported, store.Undone, store.Expired, store.Mapped, store.Related, store.HandedOver, store.Repaired, store.Unrelated}

func (a *App) readRuling(text []byte, ours bool, rep *ImportReport) (p store.Portable, id string, err error) {
	var l rulingsLine
	if err := json.Unmarshal(text, &l); err != nil {
		return p, "", errors.New("it is no JSON object of a decision")
	}
	if ours {
		sig, err := a.sign(l)
		if err != nil {
			return p, l.ID, err
		}
		if !hmac.Equal([]byte(sig), []byte(l.Sig)) {
			return p, l.ID, errors.New("its signature does not match: it was changed after the export")
		}
		rep.Verified++
	} else {
		rep.Unverified++
	}
	if l.ID == "" || l.Who == "" || !slices.Contains(rulingKinds, l.Kind) {
		return p, l.ID, fmt.Errorf("a decision needs id, who and a kind of %s", strings.Join(rulingKinds, ", "))
	}
	p.NewDecision = store.NewDecision{ID: l.ID, Kind: l.Kind, Who: l.Who, Why: l.Why, At: l.At, Withdraws: l.Withdraws}
	if p.Until, err = record.ParseTime(l.Until); err != nil {
		return p, l.ID, errors.New("until is no time")
	}
	if _, err := record.ParseTime(l.At); err != nil || l.At == "" {
		return p, l.ID, errors.New("at is no time")
	}
	if l.Values != nil || l.Kind == store.Mapped {
		if p.Map, err = readMap(l.Values); err != nil {
			return p, l.ID, err
		}
	}
	if l.Relation != nil || l.Kind == store.Related {
		if p.Said, err = readEdge(l.Relation); err != nil {
			return p, l.ID, err
		}
	}
	for _, x := range l.Refused {
		one := store.RefusedPair{Kind: x.Kind}
		if one.A, err = record.ParseRef(x.A); err == nil {
			one.B, err = record.ParseRef(x.B)
		}
		if err != nil || x.Kind == "" {
			return p, l.ID, errors.Join(errors.New("a refused relation needs a, b, kind"), err)
		}
		p.Unties = append(p.Unties, one)
	}
	for _, x := range l.Repairs {
		mend, err := readMend(x)
		if err != nil {
			return p, l.ID, err
		}
		p.Mends = append(p.Mends, mend)
	}
	for _, x := range l.Pairs {
		pair, err := readPair(x)
		if err != nil {
			return p, l.ID, err
		}
		p.Pairs = append(p.Pairs, pair)
	}
	return p, l.ID, nil
}

func readMap(x *rulingMap) (*store.ValueMap, error) {
	if x == nil {
		return nil, errors.New("a decision on values needs values: entity, field, pairs")
	}
	return newMap(MapRequest{Entity: x.Entity, Field: x.Field, Pairs: x.Pairs})
}

func readEdge(x *rulingEdge) (*store.SaidBetween, error) {
	if x == nil {
		return nil, errors.New("a decision on a relation needs relation: a, b, kind")
	}
	_, said, err := Relate{Kind: x.Kind, Title: x.Title, Role: x.Role, Stance: x.Stance, Share: x.Share, Since: x.Since, Until: x.Until}.checked()
	if err != nil {
		return nil, err
	}
	s := &store.SaidBetween{SaidRelation: said}
	if s.RefA, err = record.ParseRef(x.A); err != nil {
		return nil, err
	}
	s.RefB, err = record.ParseRef(x.B)
	return s, err
}

func readPair(x rulingPair) (p store.PortablePair, err error) {
	p = store.PortablePair{Kind: x.Kind, Field: x.Field, Value: string(x.Value)}
	if p.A, err = record.ParseRef(x.A); err != nil {
		return p, err
	}
	switch x.Kind {
	case "must", "cannot", store.Undecided:
		if p.B, err = record.ParseRef(x.B); err != nil {
			return p, err
		}
		if p.A.Entity != p.B.Entity {
			return p, fmt.Errorf("a pair is of one kind of record, and this one is of %s and %s", p.A.Entity, p.B.Entity)
		}
	case store.Pinned:
		var v record.Value
		if _, ok := record.Spec(p.A.Entity, x.Field); !ok || json.Unmarshal(x.Value, &v) != nil {
			return p, errors.New("a pin needs a field and a value of it")
		}
		p.Value = string(v.AppendJSON(nil)) // as we write it: an equal pin is known by its text
	default:
		return p, errors.New("a pair is of kind must, cannot, unsure or pin")
	}
	return p, nil
}

// taking gathers decisions for a transaction.
type taking struct {
	a     *App
	rep   *ImportReport
	list  []store.Portable
	lines []int
	names []string
}

func (t *taking) add(ctx context.Context, p store.Portable, line int, name string) error {
	t.list, t.lines, t.names = append(t.list, p), append(t.lines, line), append(t.names, name)
	if len(t.list) < importBatch {
		return nil
	}
	return t.flush(ctx)
}

func (t *taking) flush(ctx context.Context) error {
	if len(t.list) == 0 {
		return nil
	}
	took, err := t.a.Store.Take(ctx, t.list)
	if err != nil {
		return err
	}
	for i, x := range took {
		switch {
		case x.Refused != nil:
			t.rep.refuse(t.lines[i], t.names[i], x.Refused)
		case x.Existing:
			t.rep.Existing++
		default:
			t.rep.Imported++
			if x.Decision.Pending > 0 {
				t.rep.Pending++
			}
		}
	}
	t.list, t.lines, t.names = nil, nil, nil
	return nil
}
