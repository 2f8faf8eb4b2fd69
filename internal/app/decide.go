package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/say"
	"touchstone/internal/store"
)

// By says who decides, why, and whether earlier decisions that stand against
// it are withdrawn by it (else it is refused with their names).
type By struct {
	Who, Why string
	Over     bool
}

// Decided is a decision made, or the same one that stood already.
type Decided struct {
	Decision string   `json:"decision"`
	Kind     string   `json:"kind"`
	Existing bool     `json:"existing,omitempty"` // it stood already; nothing has changed
	Rulings  int      `json:"rulings"`            // pairs of records and pins it is stored as
	Withdrew []string `json:"withdrew,omitempty"` // earlier decisions it took out of force
	TakenAs  string   `json:"taken_as,omitempty" doc:"of a pin: what the typed value was taken as, where that is another form"`
}

// Unclear refuses a decision that cannot be made as it was asked for.
type Unclear struct{ Said say.Text }

func (u *Unclear) Error() string { return u.Said.String() }

// Told says what is wrong, in any language.
func (u *Unclear) Told() say.Text { return u.Said }

// ForReader says that the text is for who asked, on a page too.
func (u *Unclear) ForReader() bool { return true }

// wordOf is a name of ours in a sentence.
func wordOf(group, name string) say.Word { return say.Word{Group: group, Name: name} }

func wordsOf(group string, names []string) say.Words { return say.Words{Group: group, Names: names} }

// toldOf is the sentence of an error, to be said in any language.
func toldOf(err error) say.Text {
	var told say.Teller
	if errors.As(err, &told) {
		return told.Told()
	}
	return say.New("%s", err)
}

func unclear(format string, args ...any) error { return &Unclear{say.New(format, args...)} }

// mostPairs is up to how many pairs a split names every leaving record with
// every staying one. A larger one ties those who leave, and those who stay, to
// each other, and parts the two at one pair.
const mostPairs = 10_000

// Merge says that two golden records are one customer: every record of the one
// and of the other, as they stand now. It overrides vetoes and weights. Of two
// records of one golden record it says that they belong together whatever
// becomes of the evidence.
func (a *App) Merge(ctx context.Context, x, y string, by By) (Decided, error) {
	return a.decide(ctx, store.Merged, by, a.merging(ctx, x, y))
}

// making says what a decision is made of, or gives the one that says the same
// already.
type making func(*store.DecideTx, *store.NewDecision) (*store.Decision, error)

func (a *App) merging(ctx context.Context, x, y string) making {
	return func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		s, t, err := a.two(ctx, tx, x, y)
		if err != nil {
			return nil, err
		}
		return mergeOf(ctx, tx, n, s, t)
	}
}

// mergeOf is what a merge of two subjects is made of, or the decision that says
// so already.
func mergeOf(ctx context.Context, tx *store.DecideTx, n *store.NewDecision, s, t store.Subject) (*store.Decision, error) {
	if d, found, err := tx.Together(ctx, s.Rec, t.Rec); err != nil || found {
		if err != nil || !d.Stale {
			return &d, err
		}
		n.Withdraws = []string{d.ID}
		n.Rulings, err = tx.Said(ctx, d.ID)
		return nil, err
	}
	if s.Founder == t.Founder {
		n.Rulings = star("must", []int64{s.Rec, t.Rec})
		return nil, nil
	}
	n.Rulings = []store.Ruling{{Kind: "must", A: s.Rec, B: t.Rec}}
	for _, side := range []store.Subject{s, t} {
		loose, err := looseEnds(ctx, tx, side)
		if err != nil {
			return nil, err
		}
		for _, rec := range loose {
			n.Rulings = append(n.Rulings, store.Ruling{Kind: "must", A: side.Rec, B: rec})
		}
	}
	return nil, nil
}

// looseEnds gives the records of a golden record that no decision ties to the
// one that was named, one for each chain of them. A merge ties these; what an
// earlier decision has tied is its own, so that taking that back takes back all
// that it said, also under later merges.
func looseEnds(ctx context.Context, tx *store.DecideTx, side store.Subject) (loose []int64, err error) {
	gone, err := tx.Parted(ctx, side.Rec)
	if err != nil {
		return nil, err
	}
	recs := slices.DeleteFunc(side.Recs(), func(rec int64) bool { return gone[rec] })
	chain, err := tx.Chains(ctx, recs)
	if err != nil {
		return nil, err
	}
	tied := map[int]bool{chain[side.Rec]: true}
	for _, rec := range recs {
		if !tied[chain[rec]] {
			tied[chain[rec]] = true
			loose = append(loose, rec)
		}
	}
	return loose, nil
}

// two finds what two names stand for: two records of one entity type.
func (a *App) two(ctx context.Context, tx *store.DecideTx, x, y string) (s, t store.Subject, err error) {
	if s, err = a.subject(ctx, tx, x); err != nil {
		return s, t, err
	}
	if t, err = a.subject(ctx, tx, y); err != nil {
		return s, t, err
	}
	switch {
	case s.Rec == t.Rec:
		err = unclear("%s and %s are the same record", x, y)
	case s.Ref.Entity != t.Ref.Entity:
		err = unclear("%s is a %s and %s a %s", x, wordOf("entity", s.Ref.Entity), y, wordOf("entity", t.Ref.Entity))
	}
	return s, t, err
}

// star ties the first record to each other one.
func star(kind string, recs []int64) []store.Ruling {
	var out []store.Ruling
	for _, rec := range recs[min(len(recs), 1):] {
		out = append(out, store.Ruling{Kind: kind, A: recs[0], B: rec})
	}
	return out
}

// Split takes source records out of a golden record. They stay together with
// each other; the evidence between them and those that stay counts no more.
func (a *App) Split(ctx context.Context, records []string, from string, by By) (Decided, error) {
	return a.decide(ctx, store.Split, by, a.splitting(ctx, records, from))
}

func (a *App) splitting(ctx context.Context, records []string, from string) making {
	return func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		g, err := a.subject(ctx, tx, from)
		if err != nil {
			return nil, err
		}
		leaving, standing, err := a.leaving(ctx, tx, records, g, from)
		if err != nil {
			return nil, err
		}
		if standing != nil {
			if !standing.Stale {
				return standing, nil
			}
			n.Leaving, n.Withdraws = leaving, []string{standing.ID}
			n.Rulings, err = tx.Said(ctx, standing.ID)
			return nil, err
		}
		follow := tx.Tied
		if n.Over {
			follow = tx.Made // a record that an object was made for stays when it is to
		}
		if leaving, err = withObjects(ctx, follow, leaving, g.Recs()); err != nil {
			return nil, err
		}
		staying := slices.DeleteFunc(g.Recs(), func(rec int64) bool { return slices.Contains(leaving, rec) })
		if len(staying) == 0 {
			return nil, unclear("all records of golden record %s would leave: name those that are another customer", g.ID)
		}
		n.Leaving, n.Rulings = leaving, partRulings(leaving, staying)
		return nil, nil
	}
}

// withObjects adds to the records that leave a golden record what follows them:
// the objects that were made for them in targets, so that none is made a second
// time, and of an object the record that it was made for. Where nobody would
// stay then, the named records leave alone, and what ties them is named.
func withObjects(ctx context.Context, follow func(context.Context, []int64) ([]int64, error), named, members []int64) ([]int64, error) {
	for leaving := slices.Clone(named); ; {
		tied, err := follow(ctx, leaving)
		if err != nil {
			return nil, err
		}
		tied = slices.DeleteFunc(tied, func(rec int64) bool { return !slices.Contains(members, rec) })
		if len(tied) == 0 {
			return leaving, nil
		}
		if leaving = append(leaving, tied...); len(leaving) == len(members) {
			return named, nil
		}
		slices.Sort(leaving)
	}
}

// leaving finds the records that are to leave a golden record; or, when they
// have left it already, the decision that says so.
func (a *App) leaving(ctx context.Context, tx *store.DecideTx, records []string, g store.Subject, from string) (recs []int64, standing *store.Decision, err error) {
	var out []string
	for _, name := range records {
		s, err := a.subject(ctx, tx, name)
		if err != nil {
			return nil, nil, err
		}
		if s.Founder != g.Founder {
			out = append(out, name)
		}
		if !slices.Contains(recs, s.Rec) {
			recs = append(recs, s.Rec)
		}
	}
	slices.Sort(recs)
	if len(out) == 0 {
		return recs, nil, nil
	}
	if len(out) == len(records) {
		list, err := tx.RuledBetween(ctx, []string{"cannot"}, recs, g.Recs())
		if err != nil {
			return nil, nil, err
		}
		for _, d := range list {
			if d.Kind == store.Split {
				return recs, &d, nil
			}
		}
	}
	return nil, nil, unclear("%s is not in golden record %s", strings.Join(out, ", "), from)
}

func partRulings(leaving, staying []int64) []store.Ruling {
	out := star("must", leaving)
	if len(leaving)*len(staying) > mostPairs {
		out = append(out, star("must", staying)...)
		return append(out, store.Ruling{Kind: "cannot", A: leaving[0], B: staying[0]})
	}
	for _, l := range leaving {
		for _, s := range staying {
			out = append(out, store.Ruling{Kind: "cannot", A: l, B: s})
		}
	}
	return out
}

// PinRequest is a person's word on a field.
type PinRequest struct {
	Golden, Field string
	Value         string    // as typed: see ParsePinned
	Pick          string    // instead of Value: the source record whose value is taken
	Until         time.Time // zero: for good
	// Ask refuses a value that would be taken in another form than typed with a
	// *Restated, unless Seen is that form.
	Ask  bool
	Seen string
	// Plain takes the value in the form that it has: it stood there before.
	Plain bool
	// country is what a number without one is of; "" for the customer's.
	country string
}

// Pin sets a field of a golden record. It wins over every source, survives what
// the sources say later, and ends at Until by an event of its own. It belongs to
// the record that was named, of a golden id the one that gave it: where that
// goes, by merge or split, the pin goes.
func (a *App) Pin(ctx context.Context, r PinRequest, by By) (Decided, error) {
	if !r.Until.IsZero() && !r.Until.After(a.opts.Env.Clock.Now()) {
		return Decided{}, unclear("the time to pin until has passed already")
	}
	as := ""
	d, err := a.decide(ctx, store.Pinned, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		g, err := a.subject(ctx, tx, r.Golden)
		if err != nil {
			return nil, err
		}
		if err := a.unmasked(ctx).settable(g.Ref.Entity, r.Field); err != nil {
			return nil, err
		}
		p, err := a.pinned(ctx, tx, g, r)
		if err != nil {
			return nil, err
		}
		as = p.taken()
		return pinOf(ctx, tx, n, g.Rec, g.Recs(), p, r.Until)
	})
	if err == nil {
		d.TakenAs = as
	}
	return d, err
}

// pinOf is what a pin of a value on a record is made of, or the decision that says
// so already. Earlier pins on the field of any record of the customer stand against
// it: the newest of them counts.
func pinOf(ctx context.Context, tx *store.DecideTx, n *store.NewDecision, rec int64, customer []int64, p TypedPin, until time.Time) (*store.Decision, error) {
	text := string(p.Value.AppendJSON(nil))
	n.How = p.how()
	n.Until = until
	n.Rulings = []store.Ruling{{Kind: store.Pinned, A: rec, Field: p.Field, Value: text}}
	earlier, err := tx.PinsOn(ctx, customer, p.Field)
	earlier = withoutHandovers(earlier)
	if err != nil || len(earlier) == 0 {
		return nil, err
	}
	if last := earlier[len(earlier)-1]; last.Value == text && last.Until == record.FormatTime(until) && !last.Stale {
		return &last.Decision, nil
	}
	list := decisionsOf(earlier)
	if !n.Over {
		return nil, &store.Contradiction{Earlier: list}
	}
	n.Withdraws, err = tx.Beneath(ctx, ids(list))
	return nil, err
}

func decisionsOf(pins []store.PinOn) []store.Decision {
	out := make([]store.Decision, len(pins))
	for i, p := range pins {
		out[i] = p.Decision
	}
	return out
}

func ids(list []store.Decision) []string {
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.ID
	}
	return out
}

// Unpin ends every pin on a field of a golden record.
func (a *App) Unpin(ctx context.Context, id, field string, by By) (Decided, error) {
	return a.decide(ctx, store.Unpinned, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		g, err := a.subject(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if err := a.unmasked(ctx).settable(g.Ref.Entity, field); err != nil {
			return nil, err
		}
		name := field
		if spec, ok := record.Spec(g.Ref.Entity, field); ok {
			name = spec.Name
		}
		pins, err := tx.PinsOn(ctx, g.Recs(), name)
		if err != nil {
			return nil, err
		}
		if n := len(pins); n > 0 && len(withoutHandovers(pins)) < n {
			return nil, unclear("%s of golden record %s was handed over with others by %s: pin another value, or undo that", wordOf("field", field), g.ID, pins[n-1].ID)
		}
		if len(pins) == 0 {
			return nil, unclear("no pin on %s of golden record %s is in force", wordOf("field", field), g.ID)
		}
		n.Withdraws, err = tx.Beneath(ctx, ids(decisionsOf(pins)))
		return nil, err
	})
}

// mostUnsure bounds the pairs that one "unsure" takes out of the queue.
const mostUnsure = 1000

// Unsure takes what may be one customer out of the queue, without any effect on
// golden records. It comes back when an identifying field of either changes.
func (a *App) Unsure(ctx context.Context, x, y string, by By) (Decided, error) {
	return a.decide(ctx, store.Undecided, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		s, t, err := a.two(ctx, tx, x, y)
		if err != nil {
			return nil, err
		}
		if s.Founder == t.Founder {
			return nil, unclear("%s and %s are one golden record: take a record out with split, or leave it", x, y)
		}
		return nil, unsureOf(ctx, tx, n, s, t, by.Over)
	})
}

// unsureOf is what an "unsure" of two subjects is made of.
func unsureOf(ctx context.Context, tx *store.DecideTx, n *store.NewDecision, s, t store.Subject, over bool) error {
	earlier, err := tx.RuledBetween(ctx, []string{"must", "cannot"}, s.Recs(), t.Recs())
	if err != nil {
		return err
	}
	if len(earlier) > 0 && !over {
		return &store.Contradiction{Earlier: earlier}
	}
	n.Withdraws = append(n.Withdraws, ids(earlier)...)
	n.Mark = fmt.Sprint(min(s.Founder, t.Founder), " ", max(s.Founder, t.Founder))
	pairs, err := tx.Between(ctx, s.Recs(), t.Recs(), mostUnsure)
	if len(pairs) == 0 {
		pairs = [][2]int64{{s.Rec, t.Rec}}
	}
	for _, p := range pairs {
		n.Rulings = append(n.Rulings, store.Ruling{Kind: store.Undecided, A: p[0], B: p[1]})
	}
	return err
}

// Undo takes a decision back, also an undo. What others have decided stays: an
// undo that would bring back something they stand against is refused with their
// names.
func (a *App) Undo(ctx context.Context, id string, by By) (Decided, error) {
	by.Over = false
	if err := a.reachDecision(ctx, id); err != nil {
		return Decided{}, err
	}
	if d, done, err := a.undoOther(ctx, id, by); done {
		return d, err
	}
	mended, err := a.Store.RepairedBy(ctx, id)
	if err != nil {
		return Decided{}, err
	}
	out, err := a.decide(ctx, store.Undone, by, a.undoing(ctx, id))
	if err != nil || len(mended) == 0 {
		return out, err
	}
	return out, a.deriveNow(ctx, mended)
}

func (a *App) undoing(ctx context.Context, id string) making {
	return func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		d, err := tx.Decision(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case d.Seq == 0:
			return nil, unclear("%s is a fact that our own push found out: take the record out with split --over", id)
		case d.Kind == store.Expired:
			return nil, unclear("%s is the end of a pin's time: pin again", id)
		case d.Withdrawn != "":
			w, err := tx.Decision(ctx, d.WithdrawnBy)
			if err != nil || w.Kind == store.Undone {
				return &w, err
			}
			return nil, unclear("%s is not in force: %s (%s by %s) has withdrawn it; undo that", id, w.ID, wordOf("decision", w.Kind), w.Who)
		}
		n.Withdraws = []string{id}
		return nil, nil
	}
}

var errNoMaker = errors.New("a decision needs somebody who makes it")

// decide makes one decision.
func (a *App) decide(ctx context.Context, kind string, by By, plan making) (out Decided, err error) {
	if by.Who == "" {
		return out, errNoMaker
	}
	err = a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		out, err = a.decideIn(ctx, tx, kind, by, plan)
		return err
	})
	if err != nil {
		return Decided{}, fmt.Errorf("%s: %w", kind, err)
	}
	if !out.Existing {
		a.landed.ring() // a decision takes effect at once, not with the next look
	}
	return out, nil
}

// decideIn is decide in a transaction. What it was, or was not, the queue knows
// at once.
func (a *App) decideIn(ctx context.Context, tx *store.DecideTx, kind string, by By, plan making) (Decided, error) {
	n := store.NewDecision{Kind: kind, Who: by.Who, Why: by.Why, Over: by.Over}
	d, err := plan(tx, &n)
	if err != nil {
		return Decided{}, err
	}
	existing := d != nil
	if !existing {
		var made store.Decision
		if made, existing, err = tx.Add(ctx, n); err != nil {
			return Decided{}, err
		}
		d = &made
		if err := tx.Requeue(ctx, a.appraisal); err != nil {
			return Decided{}, err
		}
	}
	return Decided{Decision: d.ID, Kind: d.Kind, Existing: existing, Rulings: d.Rulings, Withdrew: d.Withdraws}, nil
}

// subject finds what a golden id or a source reference stands for, where who asks
// reaches it.
func (a *App) subject(ctx context.Context, tx *store.DecideTx, name string) (store.Subject, error) {
	ref, isRef, err := a.sourceRef(name)
	if err != nil {
		return store.Subject{}, err
	}
	var s store.Subject
	if isRef {
		s, err = tx.SubjectByRef(ctx, ref)
	} else {
		s, err = tx.SubjectByID(ctx, strings.TrimSpace(name))
	}
	if err != nil {
		return s, err
	}
	return s, a.reachSubject(ctx, tx, name, s)
}

// sourceRef reads source/entity/id, or source:id where the source has one kind
// of record, and says whether it is one of these; else it is a golden id. Source
// becomes the uid.
func (a *App) sourceRef(text string) (ref record.Ref, isRef bool, err error) {
	text = strings.TrimSpace(text)
	if ref, err := record.ParseRef(text); err == nil {
		uid, err := a.knownSource(ref.Source)
		ref.Source = uid
		return ref, true, err
	}
	source, id, short := strings.Cut(text, ":")
	if !short || id == "" {
		return ref, false, nil
	}
	uid, err := a.knownSource(source)
	if err != nil {
		return ref, true, err
	}
	s := a.systems[source]
	if s == nil || len(s.source.Entities) != 1 {
		return ref, true, unclear("source %s has several kinds of records: say %s/ENTITY/%s", source, source, id)
	}
	return record.Ref{Source: uid, Entity: s.source.Entities[0].Entity, ID: id}, true, nil
}

// knownSource gives the uid of a source that is configured, or once was.
func (a *App) knownSource(name string) (string, error) {
	if s := a.systems[name]; s != nil {
		return s.uid, nil
	}
	for uid, n := range a.uidToName {
		if n == name {
			return uid, nil
		}
	}
	return "", fmt.Errorf("source %q: %w", name, record.ErrNotFound)
}
