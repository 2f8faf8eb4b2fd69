package app

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"touchstone/internal/record"
	"touchstone/internal/say"
	"touchstone/internal/store"
)

// The kinds of relations that a person can state. "A kind B" reads: A's employer
// is B, A reports to B, A has a role in the buying of B, A is a branch of B, A
// was referred by B.
const (
	Employer   = "employer"
	ReportsTo  = "reports_to"
	BuyingRole = "role"
	Stance     = "stance"
	Parent     = "parent"
	BranchOf   = "branch_of"
	BrandOf    = "brand_of"
	Partner    = "partner"
	Supplier   = "supplier"
	ReferredBy = "referred_by"
)

// relationKind says what a kind of relation holds.
type relationKind struct {
	name     string
	from, to string // entity types; "" for any
	parts    string // of title, role, stance, share: which it has
	alias    []string
	// one says that at any time there is one of them: reports_to for a person,
	// stance for a person at a company.
	oneEach, oneAll bool
}

func relationKinds() []relationKind {
	return []relationKind{
		{name: Employer, from: record.Person, to: record.Company, parts: "title", alias: []string{"employment", "works_for"}, oneEach: true},
		{name: ReportsTo, from: record.Person, to: record.Person, alias: []string{"manager"}, oneAll: true},
		{name: BuyingRole, from: record.Person, to: record.Company, parts: "role"},
		{name: Stance, from: record.Person, to: record.Company, parts: "stance", oneEach: true},
		{name: Parent, from: record.Company, to: record.Company, parts: "share", alias: []string{"parent_company", "subsidiary_of"}, oneEach: true},
		{name: BranchOf, from: record.Company, to: record.Company, alias: []string{"branch", "head_office"}, oneEach: true},
		{name: BrandOf, from: record.Company, to: record.Company, alias: []string{"brand"}, oneEach: true},
		{name: Partner, parts: "title", alias: []string{"partners", "stakeholder"}, oneEach: true},
		{name: Supplier, to: record.Company, parts: "title", alias: []string{"suppliers", "provider"}, oneEach: true},
		{name: ReferredBy, parts: "title", alias: []string{"referral", "referrer"}, oneEach: true},
	}
}

// RelationKinds lists the kinds of relations that a person can state.
func RelationKinds() []string {
	var out []string
	for _, k := range relationKinds() {
		out = append(out, k.name)
	}
	return out
}

// kindOf finds a kind by its name or another word for it: sources name their
// relations as they like.
func kindOf(name string) (relationKind, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, k := range relationKinds() {
		if k.name == name || slices.Contains(k.alias, name) {
			return k, true
		}
	}
	return relationKind{name: name}, false
}

// Relate is a statement on how two customers are related, each named by golden
// id or source record.
type Relate struct {
	From, Kind, To string
	Title          string
	Role           string // one of record.BuyingRoles
	Stance         string // one of record.Stances
	Share          string // percent
	Since, Until   string // YYYY-MM-DD; Until is its last day
}

// longestTitle bounds a title, in characters.
const longestTitle = 200

// checked gives the statement without its ends, or says what is wrong with it.
func (r Relate) checked() (k relationKind, s store.SaidRelation, err error) {
	k, ok := kindOf(r.Kind)
	if !ok {
		return k, s, unclear("%q is no kind of relation; there are %s", r.Kind, wordsOf("relation", RelationKinds()))
	}
	s = store.SaidRelation{Kind: k.name, Title: strings.TrimSpace(r.Title)}
	for _, p := range []struct{ name, value string }{{"title", s.Title}, {"role", r.Role}, {"stance", r.Stance}, {"share", r.Share}} {
		if strings.TrimSpace(p.value) != "" && k.parts != p.name {
			return k, s, unclear("a relation of kind %s has no %s", wordOf("relation", k.name), partOf(p.name))
		}
	}
	if utf8.RuneCountInString(s.Title) > longestTitle {
		return k, s, unclear("the title is longer than %d characters", longestTitle)
	}
	if k.parts == "role" {
		if s.Role = strings.ToLower(strings.TrimSpace(r.Role)); !slices.Contains(record.BuyingRoles, s.Role) {
			return k, s, unclear("a role is one of %s", wordsOf("role", record.BuyingRoles))
		}
	}
	if k.parts == "stance" {
		if s.Stance = strings.ToLower(strings.TrimSpace(r.Stance)); !slices.Contains(record.Stances, s.Stance) {
			return k, s, unclear("a stance is one of %s", wordsOf("stance", record.Stances))
		}
	}
	if s.Share, err = shareOf(r.Share); err != nil {
		return k, s, err
	}
	s.Since, s.Until = strings.TrimSpace(r.Since), strings.TrimSpace(r.Until)
	return k, s, spanOf(s)
}

// shareOf checks a share: a decimal number of percent from 0 to 100.
func shareOf(text string) (string, error) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%"))
	if text == "" {
		return "", nil
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok || len(text) > 20 || strings.Trim(text, "0123456789.") != "" || n.Cmp(big.NewRat(100, 1)) > 0 {
		return "", unclear("a share is a number of percent from 0 to 100, such as 51 or 33.3")
	}
	return text, nil
}

// partOf is what pages call a part of a relation.
func partOf(name string) say.Word {
	if name == "title" {
		return wordOf("field", name)
	}
	return wordOf("relations", name)
}

func spanOf(s store.SaidRelation) error {
	for _, d := range []struct{ name, day string }{{"since", s.Since}, {"until", s.Until}} {
		if _, err := time.Parse(time.DateOnly, d.day); d.day != "" && err != nil {
			return unclear("%s is a date, such as 2026-01-31", partOf(d.name))
		}
	}
	if s.Since != "" && s.Until != "" && s.Until < s.Since {
		return unclear("it would end on %s, before it begins on %s", s.Until, s.Since)
	}
	return nil
}

// Relate states how two customers are related. The statement belongs to the two
// source records that are named, of a golden id the one that gave it, and goes
// where these go. Where an earlier one says otherwise for the same time it is
// refused with that one's name, or with by.Over takes its place.
func (a *App) Relate(ctx context.Context, r Relate, by By) (Decided, error) {
	plan, err := a.relating(ctx, r)
	if err != nil {
		return Decided{}, err
	}
	return a.decide(ctx, store.Related, by, plan)
}

// relateIn is Relate in a transaction.
func (a *App) relateIn(ctx context.Context, tx *store.DecideTx, r Relate, by By) (Decided, error) {
	plan, err := a.relating(ctx, r)
	if err != nil {
		return Decided{}, err
	}
	return a.decideIn(ctx, tx, store.Related, by, plan)
}

func (a *App) relating(ctx context.Context, r Relate) (making, error) {
	k, said, err := r.checked()
	if err != nil {
		return nil, err
	}
	return func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		from, to, err := a.ends(ctx, tx, k, r.From, r.To)
		if err != nil {
			return nil, err
		}
		said.A, said.B = from.Rec, to.Rec
		others := to.Recs()
		if k.oneAll {
			others = nil
		}
		earlier, err := tx.SaidAmong(ctx, k.name, from.Recs(), others)
		if err != nil {
			return nil, err
		}
		var against []store.Decision
		for _, id := range earlier {
			old, err := tx.SaidRelation(ctx, id)
			if err != nil {
				return nil, err
			}
			same := old.SaidRelation == said
			clash := (k.oneEach || k.oneAll || old.Role == said.Role && k.parts == "role") && overlap(old.SaidRelation, said)
			if !same && !clash {
				continue
			}
			d, err := tx.Decision(ctx, id)
			if err != nil || same {
				return &d, err
			}
			against = append(against, d)
		}
		if len(against) > 0 && !n.Over {
			return nil, &store.Contradiction{Earlier: against}
		}
		n.Relation = &said
		n.Withdraws, err = tx.Beneath(ctx, ids(against))
		return nil, err
	}, nil
}

// ends finds both ends of a relation.
func (a *App) ends(ctx context.Context, tx *store.DecideTx, k relationKind, x, y string) (from, to store.Subject, err error) {
	if from, err = a.subject(ctx, tx, x); err != nil {
		return from, to, err
	}
	if to, err = a.subject(ctx, tx, y); err != nil {
		return from, to, err
	}
	switch {
	case k.from != "" && from.Ref.Entity != k.from:
		err = unclear("%s is a %s; %s leads from a %s", x, wordOf("entity", from.Ref.Entity), wordOf("relation", k.name), wordOf("entity", k.from))
	case k.to != "" && to.Ref.Entity != k.to:
		err = unclear("%s is a %s; %s leads to a %s", y, wordOf("entity", to.Ref.Entity), wordOf("relation", k.name), wordOf("entity", k.to))
	case from.Founder == to.Founder:
		err = unclear("%s and %s are one customer", x, y)
	}
	return from, to, err
}

// overlap says whether two statements hold on a common day; no date is for ever.
func overlap(x, y store.SaidRelation) bool {
	const never = "9999-12-31"
	return x.Since <= cmp.Or(y.Until, never) && y.Since <= cmp.Or(x.Until, never)
}

// EndRelation says that a statement holds no longer than a last day, "" for
// today. What was so before stays so.
func (a *App) EndRelation(ctx context.Context, decision, until string, by By) (Decided, error) {
	if until == "" {
		until = a.opts.Env.Clock.Now().UTC().Format(time.DateOnly)
	}
	if err := a.reachDecision(ctx, decision); err != nil {
		return Decided{}, err
	}
	return a.decide(ctx, store.Related, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		d, err := tx.Decision(ctx, decision)
		if err != nil {
			return nil, err
		}
		old, err := tx.SaidRelation(ctx, decision)
		if err != nil {
			return nil, unclear("%s is a %s, not a relation that somebody stated", decision, wordOf("decision", d.Kind))
		}
		if d.Withdrawn != "" {
			return nil, unclear("%s is not in force: %s has withdrawn it", decision, d.WithdrawnBy)
		}
		said := old.SaidRelation
		if said.Until = until; said == old.SaidRelation {
			return &d, nil
		}
		if err := spanOf(said); err != nil {
			return nil, err
		}
		n.Relation = &said
		n.Withdraws, err = tx.Beneath(ctx, []string{decision})
		return nil, err
	})
}

// relationWords shows what a statement says beside its ends.
func relationWords(s store.SaidRelation) string {
	var parts []string
	for _, p := range []string{s.Title, s.Role, s.Stance} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if s.Share != "" {
		parts = append(parts, s.Share+" %")
	}
	if s.Since != "" || s.Until != "" {
		parts = append(parts, fmt.Sprintf("%s…%s", s.Since, s.Until))
	}
	return strings.Join(parts, ", ")
}
