package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"touchstone/internal/golden"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/say"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// Restated refuses a typed value until who typed it has seen the form in which it
// would be taken.
type Restated struct {
	Typed, As string
	Field     string
}

func (r *Restated) Error() string { return r.Told().String() }

// Told says in which form.
func (r *Restated) Told() say.Text {
	return say.New("%q is taken as %q for %s: save again if that is meant", r.Typed, r.As, wordOf("field", r.Field))
}

// ForReader says that the text is for who asked.
func (r *Restated) ForReader() bool { return true }

// ofTyped says of what is wrong with a typed value that it is the input's.
func ofTyped(input string, err error) error {
	var again *Restated
	var wrong *Unclear
	switch {
	case errors.As(err, &again):
		p := web.Refused(input, again.Told())
		p.Take = again.As
		return p
	case errors.As(err, &wrong):
		return web.Refused(input, wrong.Told())
	}
	return err
}

// TypedPin is what a typed value would be pinned as.
type TypedPin struct {
	Field string       `json:"field"`
	Typed string       `json:"typed"`
	Value record.Value `json:"-"`
	As    string       `json:"taken_as"` // as it is shown; Typed where nothing changes
	// coded says that the field holds one of few known words, and nobody's own.
	coded bool
}

// Changed says that the value would be taken in another form than typed.
func (p TypedPin) Changed() bool { return p.As != p.Typed }

// taken is the form in which it is taken; "" for that in which it was typed.
func (p TypedPin) taken() string {
	if p.Changed() {
		return p.As
	}
	return ""
}

// how is what the audit trail says of it. The trail holds no values of customers:
// only what stands for a code is told.
func (p TypedPin) how() string {
	switch {
	case !p.Changed():
		return ""
	case p.coded && !strings.ContainsFunc(p.Typed, func(r rune) bool { return !unicode.IsLetter(r) && r != ' ' && r != '.' }):
		word := compare.Prefix(p.Typed, 60)
		if word != p.Typed {
			word += "…"
		}
		return "typed as " + word
	}
	return "typed in another form"
}

// asked refuses a value in another form until that was seen.
func (p TypedPin) asked(r PinRequest) error {
	if r.Ask && p.Changed() && r.Seen != p.As {
		return &Restated{Typed: p.Typed, As: p.As, Field: p.Field}
	}
	return nil
}

// PreviewPin says what a typed value would be pinned as, and pins nothing.
func (a *App) PreviewPin(ctx context.Context, r PinRequest) (p TypedPin, err error) {
	err = a.Store.Look(ctx, func(tx *store.DecideTx) error {
		g, err := a.subject(ctx, tx, r.Golden)
		if err != nil {
			return err
		}
		if err := a.unmasked(ctx).settable(g.Ref.Entity, r.Field); err != nil {
			return err
		}
		spec, err := pinnable(g.Ref.Entity, r.Field)
		if err != nil {
			return err
		}
		if p, err = a.typed(ctx, tx, g, spec, r); err != nil {
			return err
		}
		return p.asked(r)
	})
	return p, err
}

// pinnable finds a field that can be pinned.
func pinnable(entity, field string) (record.FieldSpec, error) {
	spec, ok := record.Spec(entity, field)
	if !ok {
		var names []string
		for _, s := range record.Specs(entity) {
			names = append(names, s.Name)
		}
		return spec, unclear("%s has no field %q; it has %s", wordOf("entity", entity), field, wordsOf("field", names))
	}
	return spec, nil
}

// typed reads a value as a person typed it, and brings it to the form in which its
// kind is written: codes, dates, numbers to call, addresses. What people decided on
// the sources' values does not count: a pin is a word on this very record.
func (a *App) typed(ctx context.Context, tx *store.DecideTx, g store.Subject, spec record.FieldSpec, r PinRequest) (p TypedPin, err error) {
	p = TypedPin{Field: spec.Name, Typed: strings.TrimSpace(r.Value)}
	read, err := ParsePinned(spec, r.Value)
	if err != nil {
		return p, err
	}
	country := r.country
	if spec.Name == "phones" && country == "" {
		if country, err = a.countryOf(ctx, tx, g); err != nil {
			return p, err
		}
	}
	var allowed []string
	if read.Kind == record.Text {
		if allowed, err = a.allowed(g.Ref.Entity, spec, read.Text); err != nil {
			return p, err
		}
	}
	if p.Value, err = canonical(spec, read, country, allowed); err != nil {
		return p, err
	}
	p.coded = spec.Name == "country" || len(allowed) > 0
	if p.As = p.Typed; spec.Kind == record.Date || !p.Value.Equal(read) {
		p.As = ShowValue(p.Value)
	}
	return p, nil
}

// allowed lists the words that a field can be given, or refuses a text; none where
// any is taken. What a system is written comes back as its record and has to pass
// its rules, or it stops there: of the systems that the field is written to, all
// have to take the word whose rules list some. Where there is none of these nothing
// can stop, and the words are those of any source, if every source's rules list
// some.
func (a *App) allowed(entity string, spec record.FieldSpec, text string) (words []string, err error) {
	e := a.entityNamed(entity)
	if e == nil {
		return nil, nil
	}
	var takers []taker
	for _, t := range a.targets {
		if d := e.derivers[t.system.uid]; d != nil && t.config.Entity == entity && t.writes(spec.Name) {
			if list, some := wordsOfRules(d, spec.Name); some && !slices.ContainsFunc(takers, func(x taker) bool { return x.name == t.system.source.Name }) {
				takers = append(takers, taker{t.system.source.Name, list})
			}
		}
	}
	if len(takers) > 0 {
		return wordsOfAll(spec, text, takers)
	}
	for _, uid := range slices.Sorted(maps.Keys(e.derivers)) {
		list, some := wordsOfRules(e.derivers[uid], spec.Name)
		if !some {
			return nil, nil
		}
		words = append(words, list...)
	}
	slices.Sort(words)
	return slices.Compact(words), nil
}

// taker is a system that a field is written to, with the words that its rules
// allow.
type taker struct {
	name  string
	words []string
}

// wordsOfRules lists the words that the rules of a source allow for a field, and
// says whether they list some: a record has to pass each schema.
func wordsOfRules(d *pipeline.Deriver, field string) (words []string, some bool) {
	for _, s := range d.Schemas {
		switch list := s.Limits(field).Enum; {
		case list == nil:
		case some:
			words = common(words, list)
		default:
			words, some = list, true
		}
	}
	return words, some
}

func common(x, y []string) []string {
	return slices.DeleteFunc(slices.Clone(x), func(word string) bool { return !slices.Contains(y, word) })
}

// wordsOfAll lists the words that all of some systems take. A text that only some
// of them take is refused with the names of the others.
func wordsOfAll(spec record.FieldSpec, text string, takers []taker) (words []string, err error) {
	is := func(word string) bool { return standardise.Fold(word) == standardise.Fold(text) }
	var without []string
	words = takers[0].words
	for _, t := range takers {
		if words = common(words, t.words); !slices.ContainsFunc(t.words, is) {
			without = append(without, t.name)
		}
	}
	field := wordOf("field", spec.Name)
	if len(words) == 0 {
		var each say.Texts
		for _, t := range takers {
			each = append(each, say.New("%s: %s", t.name, strings.Join(t.words, ", ")))
		}
		return nil, unclear("no word for %s is allowed in every system that it is written to: %s", field, each)
	}
	slices.Sort(words)
	if words = slices.Compact(words); len(without) > 0 && len(without) < len(takers) {
		return nil, unclear("%q for %s is not allowed in %s, where it is written to; allowed in every such system are %s", text, field, strings.Join(without, ", "), strings.Join(words, ", "))
	}
	return words, nil
}

// countryOf is the country that a person pinned for a customer, else the one that
// all its records agree on; "" otherwise.
func (a *App) countryOf(ctx context.Context, tx *store.DecideTx, g store.Subject) (code string, err error) {
	pins, err := tx.PinsOn(ctx, g.Recs(), "country")
	if err != nil {
		return "", err
	}
	if n := len(pins); n > 0 { // the newest counts
		var v record.Value
		if err := json.Unmarshal([]byte(pins[n-1].Value), &v); err != nil {
			return "", fmt.Errorf("pin %s: %w", pins[n-1].ID, err)
		}
		if code := standardise.CountryCode(v.Text); code != "" {
			return code, nil
		}
	}
	members, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return "", err
	}
	for _, m := range members[g.Founder] {
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return "", err
		}
		names := []string{authored["country"].Value.Text}
		for _, p := range authored["addresses"].Value.Points {
			names = append(names, p.Parts["country"])
		}
		for _, name := range names {
			switch c := standardise.CountryCode(name); {
			case c == "" || c == code:
			case code == "":
				code = c
			default:
				return "", nil
			}
		}
	}
	return code, nil
}
