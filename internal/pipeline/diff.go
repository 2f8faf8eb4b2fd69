package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"touchstone/config"
	"touchstone/internal/expr"
	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// Target is one kind of object of one system, with its mapping compiled.
type Target struct {
	Name   string
	System string // uid of the source
	Entity string
	Policy string
	Create record.Op // how new objects are made: create, or an upsert by our key
	Rules  string    // hash of what decides its writes: a change needs a new approval
	fields []targetField
	owned  map[string]bool
	where  *expr.Program
	tables map[string]map[string]string
	// Failed is told of a golden record that could not be mapped; the error
	// holds no values.
	Failed func(goldenID string, err error)
}

// Writes says whether what is mapped to a path is written: into the objects that
// are there, or those that are made.
func (t *Target) Writes(path string) bool { return t.owned[path] || t.Policy != config.UpdateOnly }

func (t *Target) failed(id string, err error) {
	if t.Failed != nil {
		t.Failed(id, err)
	}
}

type targetField struct {
	path    string
	program *expr.Program
	ref     *targetRef // instead of a program
}

// NewTarget compiles a target's mapping. System is the uid of its source.
func NewTarget(t config.Target, system string, around ...Around) (*Target, []config.Problem) {
	near := nearOf(around)
	c := &compiler{vars: near.vars("golden"), tables: near.Tables}
	out := &Target{tables: near.Tables, Name: t.Name, System: system, Entity: t.Entity, Policy: t.Policy, owned: map[string]bool{}, where: c.compile(t.Where, expr.Any)}
	for _, m := range t.Map {
		fmt.Fprintf(&c.text, "field %s\n", m.Name)
		out.fields = append(out.fields, targetField{path: m.Name, program: c.compile(m.Value.Expr, expr.Any)})
	}
	for _, r := range t.References {
		end := ""
		if near.End != nil {
			end = near.End(t.Entity, r.Relation)
		}
		out.fields = append(out.fields, targetField{path: r.Field, ref: c.reference(r, end)})
	}
	for _, o := range t.Owns {
		out.owned[o] = true
		if spec, ok := record.Spec(t.Entity, o); ok { // one of our field names: what is mapped from it
			for _, m := range t.Map {
				if text := m.Value.Expr.Text; text == "golden."+spec.Name || strings.HasPrefix(text, "golden."+spec.Name+"[") {
					out.owned[m.Name] = true
				}
			}
		}
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{t.Name, system, t.Entity, t.Policy, strings.Join(t.Owns, ","), c.text.String()}, "\x00")))
	out.Rules = hex.EncodeToString(sum[:8])
	return out, c.problems
}

// Differ plans writes: for every object of every target, what differs between
// what the golden record says and what stands there.
type Differ struct {
	Targets []*Target
	Rank    map[string]int // source uid → rank, the best first, for references
	// Dropped, if set, is told of the waiting writes that a plan takes back.
	Dropped func(seqs []int64)
}

// Plan writes outbox rows for the golden records made in this transaction and
// gives their number.
func (d *Differ) Plan(ctx context.Context, tx *store.LinkTx, members []store.Member, made []madeGolden, gone []store.Golden) (n int, err error) {
	ctx, span := trace.Start(ctx, "plan")
	defer func() { span.EndOf(n, err) }()
	if len(d.Targets) > 0 {
		if err := tx.LockFacts(ctx); err != nil { // what is on its way must not move while we plan
			return 0, err
		}
	}
	for _, t := range d.Targets {
		p := &planning{t: t, tx: tx, members: members, rank: d.Rank, kept: store.Planned{Target: t.Name, Misses: map[int64][]store.Miss{}}}
		for _, g := range gone {
			p.kept.Founders = append(p.kept.Founders, g.Founder)
		}
		if err := p.load(ctx, made); err != nil {
			return n, fmt.Errorf("plan %s: %w", t.Name, err)
		}
		for _, m := range made {
			if m.golden.Entity != t.Entity {
				continue
			}
			if err := p.golden(ctx, m); err != nil {
				return n, fmt.Errorf("plan %s: golden record %s: %w", t.Name, m.golden.ID, err)
			}
		}
		if err := tx.AddRows(ctx, p.rows, p.superseded); err != nil {
			return n, err
		}
		if d.Dropped != nil {
			d.Dropped(p.superseded)
		}
		if err := tx.SavePlanned(ctx, p.kept); err != nil {
			return n, err
		}
		n += len(p.rows)
	}
	return n, nil
}

// planning is one target in one transaction.
type planning struct {
	t          *Target
	tx         *store.LinkTx
	members    []store.Member
	objects    map[int64]store.Object
	states     map[int64]store.TargetState
	byRec      map[int64][]store.Row
	byFounder  map[int64][]store.Row // creates
	rows       []store.Row
	superseded []int64

	rank map[string]int
	to   pointing
	kept store.Planned
}

func (p *planning) load(ctx context.Context, made []madeGolden) error {
	rows, err := p.stored(ctx, made)
	if err != nil {
		return err
	}
	if err := p.point(ctx, made); err != nil {
		return err
	}
	p.byRec, p.byFounder = map[int64][]store.Row{}, map[int64][]store.Row{}
	for _, r := range rows {
		if r.Rec != 0 {
			p.byRec[r.Rec] = append(p.byRec[r.Rec], r)
		}
		if r.Op != string(record.Update) {
			p.byFounder[r.Founder] = append(p.byFounder[r.Founder], r)
		}
	}
	return nil
}

// stored reads the target's objects among the members, what is known of them, and
// their rows of the outbox and the members' creates.
func (p *planning) stored(ctx context.Context, made []madeGolden) (rows []store.Row, err error) {
	var objects, all []int64
	for _, m := range made {
		if m.golden.Entity != p.t.Entity {
			continue
		}
		for _, i := range m.group.members {
			all = append(all, p.members[i].Rec)
			if p.members[i].Ref.Source == p.t.System {
				objects = append(objects, p.members[i].Rec)
			}
		}
	}
	slices.Sort(objects)
	if p.objects, err = p.tx.Objects(ctx, objects); err != nil {
		return nil, err
	}
	if p.states, err = p.tx.TargetStates(ctx, p.t.Name, objects); err != nil {
		return nil, err
	}
	return p.tx.RowsOf(ctx, p.t.Name, objects, all)
}

// golden plans one golden record's objects in the target.
func (p *planning) golden(ctx context.Context, m madeGolden) error {
	var missed misses
	wanted, keep, err := p.t.wanted(m, &missed)
	founder := m.golden.Founder
	p.kept.Founders = append(p.kept.Founders, founder)
	if err == nil && !keep {
		p.kept.LeftOut = append(p.kept.LeftOut, founder)
	}
	if keep && len(missed.list) > 0 {
		p.kept.Misses[founder] = missed.list
	}
	var held map[string]bool
	var wait store.Outstanding
	if err == nil && keep {
		held, wait, err = p.refer(ctx, m, wanted)
	}
	if err != nil {
		// A mapping that fails on these values stops its own write, not the rest.
		p.t.failed(m.golden.ID, err)
		wanted, keep = nil, false
	}
	objects := 0
	for _, i := range m.group.members {
		mem := p.members[i]
		o, ok := p.objects[mem.Rec]
		if mem.Ref.Source != p.t.System {
			continue
		}
		objects++
		if !ok || o.Deleted || !mem.Live || !keep || p.t.Policy == config.CreateOnly {
			p.drop(p.byRec[mem.Rec])
			continue
		}
		if err := p.update(m, o, wanted, held); err != nil {
			return err
		}
	}
	return p.create(m, wanted, wait, keep && objects == 0 && m.record.Live > 0 && p.t.Policy != config.UpdateOnly)
}

// drop supersedes pending rows that nobody wants any more.
func (p *planning) drop(rows []store.Row) {
	for _, r := range rows {
		if r.State == store.Pending {
			p.superseded = append(p.superseded, r.Seq)
		}
	}
}

// update plans the owned fields of an object that differ.
func (p *planning) update(m madeGolden, o store.Object, wanted map[string]any, held map[string]bool) error {
	theirs, err := record.DecodeObject(o.Raw)
	if err != nil {
		return err
	}
	rows := p.byRec[o.Rec]
	fields, base := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	h, seen := sha256.New(), sha256.New()
	for _, f := range p.t.fields {
		if !p.t.owned[f.path] || held[f.path] {
			continue
		}
		now, has := getPath(theirs, f.path)
		want, asked := wanted[f.path]
		if f.ref != nil && sameID(want, now) {
			want = now
		}
		if !asked {
			if !ours(rows, f.path, now, has) {
				continue // we have no value; what stands there is theirs
			}
			want = nil // what stands there is only ours, and we no longer say it
		}
		w, n := record.Canonical(nil, want), record.Canonical(nil, now)
		fmt.Fprintf(h, "%s=%s\n", f.path, w)
		fmt.Fprintf(seen, "%s=%s\n", f.path, n)
		repr, known := p.states[o.Rec].Repr[f.path]
		switch {
		case bytes.Equal(w, n), want == nil && !has:
		case known && canonicalText(repr.Sent) == string(w) && canonicalText(repr.Got) == string(n):
			// that is what the target makes of our value
		default:
			fields[f.path], base[f.path] = w, n
		}
	}
	row := store.Row{
		Target: p.t.Name, System: p.t.System, Entity: p.t.Entity, Op: string(record.Update), Founder: m.golden.Founder,
		Rec: o.Rec, ExternalID: o.ExternalID, Key: m.golden.ID, Fields: fields, Base: base, Wanted: p.tx.Keyed("wanted", h.Sum(nil)[:16]),
	}
	refusal := sha256.Sum256(append(h.Sum(nil), seen.Sum(nil)...))
	row.Refusal = p.tx.Keyed("refusal", refusal[:16])
	return p.settle(row, rows, o)
}

// ours says whether a value is only there because we wrote it.
func ours(rows []store.Row, path string, now any, has bool) bool {
	for i := len(rows) - 1; i >= 0; i-- {
		r := rows[i]
		sent, ok := r.Fields[path]
		if !ok || r.SentSeq == 0 || r.State == store.Rejected || r.State == store.Conflicted {
			continue
		}
		if !has || now == nil {
			return false
		}
		j := string(record.Canonical(nil, now))
		return j == canonicalText(sent) || r.Got[path] != nil && j == canonicalText(r.Got[path])
	}
	return false
}

// settle adds the row unless the same is on its way, was refused, or nothing
// is left to write.
func (p *planning) settle(row store.Row, rows []store.Row, o store.Object) error {
	var open []store.Row
	for _, r := range rows {
		switch {
		case r.State == store.Pending || r.State == store.Inflight || r.State == store.Unknown:
			open = append(open, r)
		case r.State == store.Delivered && r.SentSeq > o.Seq && bytes.Equal(r.Wanted, row.Wanted) && len(r.Got) == 0:
			return nil // written, not read since
		}
	}
	if len(row.Fields) == 0 {
		p.drop(open)
		return nil
	}
	if bytes.Equal(p.states[o.Rec].Refused, row.Refusal) {
		p.drop(open)
		return nil
	}
	for _, r := range open {
		if bytes.Equal(r.Wanted, row.Wanted) && sameFields(r.Fields, row.Fields) {
			return nil
		}
	}
	p.drop(open)
	p.rows = append(p.rows, row)
	return nil
}

func sameFields(a, b map[string]json.RawMessage) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || canonicalText(v) != canonicalText(w) {
			return false
		}
	}
	return true
}

// create plans a new object for a golden record that has none in the target,
// and takes back creates that are not wanted any more.
func (p *planning) create(m madeGolden, wanted map[string]any, wait store.Outstanding, want bool) error {
	var rows []store.Row
	for _, i := range m.group.members {
		rows = append(rows, p.byFounder[p.members[i].Rec]...)
	}
	fields := map[string]json.RawMessage{}
	h := sha256.New()
	for _, f := range p.t.fields {
		if v, ok := wanted[f.path]; ok && v != nil {
			fields[f.path] = record.Canonical(nil, v)
			fmt.Fprintf(h, "%s=%s\n", f.path, fields[f.path])
		}
	}
	row := store.Row{
		Target: p.t.Name, System: p.t.System, Entity: p.t.Entity, Op: string(cmp.Or(p.t.Create, record.Create)), Founder: m.golden.Founder,
		Key: p.freeKey(m, rows), Fields: fields, Wanted: p.tx.Keyed("wanted", h.Sum(nil)[:16]),
	}
	if want && wait.Founder != 0 {
		row.WaitsOn, row.Error = wait.Founder, fmt.Sprintf("waits until %s has been created there, to refer to it", wait.Golden)
	}
	p.to.waits[row.Founder] = row.WaitsOn
	for _, r := range rows {
		switch r.State {
		case store.Pending:
			if want && r.Founder == row.Founder && r.Key == row.Key && bytes.Equal(r.Wanted, row.Wanted) && r.WaitsOn == row.WaitsOn {
				want = false
				continue
			}
			p.superseded = append(p.superseded, r.Seq)
		case store.Inflight, store.Unknown, store.Delivered:
			if r.Rec == 0 {
				want = false // on its way; the object joins when it is read
			}
		case store.Superseded:
			if (r.ExternalID != "" || r.Dropped) && r.Founder == row.Founder && bytes.Equal(r.Wanted, row.Wanted) {
				want = false // the target has said that it exists, or a person does not want it
			}
		case store.Rejected, store.Dead, store.Conflicted:
			if r.Founder == row.Founder && bytes.Equal(r.Wanted, row.Wanted) {
				want = false
			}
		}
	}
	if want && len(fields) > 0 {
		p.rows = append(p.rows, row)
	}
	return nil
}

// freeKey is the golden record's id, or the next name made of it, under which
// none of its creates has made an object that belongs to another golden record
// now: where the key is unique, a create under that one would write to an object
// that a person has taken out.
func (p *planning) freeKey(m madeGolden, creates []store.Row) string {
	taken := map[string]bool{}
	for _, r := range creates {
		if r.Rec != 0 && !slices.ContainsFunc(m.group.members, func(i int) bool { return p.members[i].Rec == r.Rec }) {
			taken[r.Key] = true
		}
	}
	key := m.golden.ID
	for n := 2; taken[key]; n++ {
		key = fmt.Sprintf("%s.%d", m.golden.ID, n)
	}
	return key
}

// wanted is what the golden record says, by target path. A path whose value is
// missing is absent.
func (t *Target) wanted(m madeGolden, missed *misses) (map[string]any, bool, error) {
	vars := lookupVars(t.tables, missed, "golden", goldenView(m.golden.ID, m.record))
	if t.where != nil {
		v, err := t.where.Run(vars)
		if err != nil {
			return nil, false, fmt.Errorf("where: %w", err)
		}
		if !truth(v) {
			return nil, false, nil
		}
	}
	out := make(map[string]any, len(t.fields))
	for _, f := range t.fields {
		if f.ref != nil {
			continue // known only with the crosswalk: see refer
		}
		v, err := f.program.Run(vars)
		if err != nil {
			return nil, false, fmt.Errorf("map %s: %w", f.path, err)
		}
		if v != nil {
			out[f.path] = v
		}
	}
	return out, true, nil
}

// goldenView is a golden record as expressions see it.
func goldenView(id string, rec golden.Record) map[string]any {
	out := make(map[string]any, len(rec.Fields)+1)
	out["id"] = id
	for name, v := range rec.Fields {
		out[name] = viewValue(v)
	}
	return out
}

func viewValue(v record.Value) any {
	switch v.Kind {
	case record.Null:
		return nil
	case record.Number:
		return json.Number(v.Text)
	case record.Bool:
		return v.Text == "true"
	case record.List:
		list := make([]any, len(v.Points))
		for i, pt := range v.Points {
			m := make(map[string]any, len(pt.Parts)+2)
			for k, s := range pt.Parts {
				m[k] = s
			}
			if pt.Value != "" {
				m["value"] = pt.Value
			}
			if pt.Kind != "" {
				m["kind"] = pt.Kind
			}
			list[i] = m
		}
		return list
	}
	return v.Text
}
