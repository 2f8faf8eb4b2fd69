package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"touchstone/config"
	"touchstone/internal/auth"
	"touchstone/internal/golden"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// wireAccess compiles the scopes and has them kept.
func (a *App) wireAccess(ctx context.Context, problems *config.Problems) error {
	a.scopes = map[string]string{}
	var list []store.ReachScope
	for _, s := range a.Config.Access.Scopes {
		scope, bad := pipeline.NewScope(s, a.around(), func(err error) {
			a.Log.Warn("a scope's condition could not be worked out: such customers are out of its reach", "scope", s.Name, "err", err)
		})
		*problems = append(*problems, bad...)
		a.scopes[s.Name] = scope.Hash
		if !slices.ContainsFunc(list, func(x store.ReachScope) bool { return x.Hash == scope.Hash }) {
			list = append(list, scope)
		}
	}
	if len(*problems) > 0 || a.opts.Shared {
		return nil
	}
	return a.Store.SetReach(ctx, list)
}

// sight is what who asks may see of customers.
type sight struct {
	reach store.Reach        // nil for all
	masks []config.MaskField // all hold
}

// findable says what golden records of an entity type, or of all for "", may be
// looked for by: all that they are found by, their names alone, or neither. Who
// could ask whether a field holds a value would read it by guessing.
func (a *App) findable(see sight, entity string) (all, name bool) {
	all, name = true, true
	if len(see.masks) == 0 {
		return all, name
	}
	one := a.entityNamed(entity) != nil
	for _, e := range a.entities {
		if one && e.name != entity {
			continue
		}
		masked := func(fields ...string) bool {
			return slices.ContainsFunc(fields, func(f string) bool { return see.masked(e.name, f) != "" })
		}
		if record.Specs(e.name) == nil { // of one's own: found by whatever texts it has, and called by one of them
			name = name && !masked(a.mappedFields(e.name)...)
			continue
		}
		name = name && !masked("name", "full_name", "legal_name", "given_name", "family_name")
		all = all && !masked("aliases", "employer", "emails", "website", "phones", "ids", "addresses")
	}
	return all && name, name
}

// sight reads what who asks may see. A name that the configuration does not have
// keeps everything back: who was narrowed by it was meant to see less, not more.
func (a *App) sight(ctx context.Context) (s sight, err error) {
	actor := auth.From(ctx)
	if !actor.Narrowed() {
		return s, nil
	}
	masks, hashes, nobody := a.narrowing(actor)
	s.masks = masks
	if nobody {
		s.reach = store.Reach{}
		return s, nil
	}
	if actor.Scoped() {
		s.reach, err = a.Store.ReachOf(ctx, hashes)
	}
	return s, err
}

// narrowing is what the names of who asks stand for: the fields that their masks
// keep back, and their scopes' hashes; nobody where the configuration does not have
// one of the names.
func (a *App) narrowing(actor auth.Actor) (masks []config.MaskField, hashes []string, nobody bool) {
	for _, name := range actor.Masks {
		i := slices.IndexFunc(a.Config.Access.Masks, func(m config.Mask) bool { return m.Name == name })
		if i < 0 {
			nobody = true
			continue
		}
		masks = append(masks, a.Config.Access.Masks[i].Fields...)
	}
	for _, name := range actor.Scopes {
		hash, ok := a.scopes[name]
		nobody = nobody || !ok
		hashes = append(hashes, hash)
	}
	return masks, hashes, nobody
}

// UnknownAccess names the scopes and masks of an account or token that the
// configuration does not have; who has one sees no customer.
func (a *App) UnknownAccess(scopes, masks []string) (unknown []string) {
	for _, name := range scopes {
		if _, ok := a.scopes[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	known := a.Config.Access.MaskNames()
	for _, name := range masks {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// reached refuses golden records that who asks does not reach, as if there were
// none.
func (a *App) reached(ctx context.Context, founders ...int64) error {
	s, err := a.sight(ctx)
	if err != nil || s.reach == nil {
		return err
	}
	in, err := a.Store.Reached(ctx, s.reach, founders)
	if err != nil {
		return err
	}
	for _, f := range founders {
		if !in[f] {
			return fmt.Errorf("customer: %w", record.ErrNotFound)
		}
	}
	return nil
}

// ReachCustomer refuses a customer that who asks does not reach.
func (a *App) ReachCustomer(ctx context.Context, id string) error {
	if !auth.From(ctx).Narrowed() {
		return nil
	}
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return err
	}
	return a.reached(ctx, g.Founder)
}

// ReachPair refuses a pair of whose customers who asks does not reach both.
func (a *App) ReachPair(ctx context.Context, id string) error {
	if !auth.From(ctx).Narrowed() {
		return nil
	}
	x, err := a.pairRecords(ctx, id)
	if err != nil {
		return err
	}
	return a.reached(ctx, x[0].Golden, x[1].Golden)
}

var _ web.AccessData = (*App)(nil)

// masked says whether anything is kept back of a field, by either of its names, and
// how.
func (s sight) masked(entity, field string) (how string) {
	if len(s.masks) == 0 {
		return ""
	}
	if spec, ok := record.Spec(entity, field); ok {
		field = spec.Name
	}
	for _, m := range s.masks {
		kind, name := m.Of()
		if kind != "" && kind != entity {
			continue
		}
		if spec, ok := record.Spec(entity, name); ok {
			name = spec.Name
		}
		if name != field {
			continue
		}
		if m.How == config.MaskHide {
			return config.MaskHide
		}
		how = config.MaskPartial
	}
	return how
}

// partMasked is masked of a field, or of the whole that a part is of.
func (s sight) partMasked(entity, field string) bool {
	name, _ := golden.SplitField(field)
	return s.masked(entity, name) != ""
}

// fields are those that may be seen, as far as they may.
func (s sight) fields(entity string, f record.Fields) record.Fields {
	if len(s.masks) == 0 {
		return f
	}
	out := make(record.Fields, len(f))
	for name, v := range f {
		if v, ok := s.value(entity, name, v); ok {
			out[name] = v
		}
	}
	return out
}

// asked are the fields of a question whose answer may depend on them: by others
// values could be guessed.
func (s sight) asked(entity string, f record.Fields) record.Fields {
	if len(s.masks) == 0 {
		return f
	}
	out := make(record.Fields, len(f))
	for name, v := range f {
		if s.masked(entity, name) == "" {
			out[name] = v
		}
	}
	return out
}

// value is one value as far as it may be seen; false where nothing of it may.
func (s sight) value(entity, field string, v record.Value) (record.Value, bool) {
	switch s.masked(entity, field) {
	case "":
		return v, true
	case config.MaskHide:
		return record.Value{}, false
	}
	if v.Blank() {
		return v, true
	}
	if v.Kind != record.List {
		v.Text = partial(v.Kind, field, v.Text)
		if v.Kind == record.Number || v.Kind == record.Date {
			v.Kind = record.Text // what is left is none any more
		}
		return v, v.Text != ""
	}
	points := make([]record.Point, 0, len(v.Points))
	for _, p := range v.Points {
		points = append(points, partialPoint(field, p))
	}
	v.Points = points
	return v, true
}

const veil = "•••"

// partial leaves what a partial mask leaves of one value.
func partial(kind record.Kind, field, text string) string {
	switch {
	case kind == record.Date && len(text) >= 4:
		return text[:4]
	case kind == record.Date, kind == record.Number, kind == record.Bool:
		return ""
	case field == "phones" || field == "ids":
		return lastFour(text)
	case field == "emails":
		if at := strings.LastIndexByte(text, '@'); at >= 0 {
			return veil + text[at:]
		}
		return veil
	case field == "website":
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	if size == len(text) || unicode.IsDigit(first) {
		return veil
	}
	return string(first) + veil
}

// lastFour are the last four letters and digits of a number that is long enough
// not to be told from them.
func lastFour(text string) string {
	var list []rune
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			list = append(list, r)
		}
	}
	if len(list) < 8 {
		return veil
	}
	return veil + string(list[len(list)-4:])
}

// partialPoint leaves what a partial mask leaves of an entry of a list: of an
// address country and region, of the rest of its value.
func partialPoint(field string, p record.Point) record.Point {
	out := p
	out.Parts = map[string]string{}
	for _, name := range []string{"country", "region", "scheme"} {
		if v := p.Parts[name]; v != "" {
			out.Parts[name] = v
		}
	}
	if p.Value != "" {
		out.Value = partial(record.Text, field, p.Value)
	}
	return out
}

// name is what a golden record is called.
func (s sight) name(g store.Golden) (string, error) {
	if len(s.masks) == 0 {
		return goldenName(g)
	}
	var f record.Fields
	if err := json.Unmarshal(g.Fields, &f); err != nil {
		return "", fmt.Errorf("golden record %s: %w", g.ID, err)
	}
	return DisplayName(g.Entity, s.fields(g.Entity, f)), nil
}

// provenance is where values came from; the values that lost are masked too.
func (s sight) provenance(entity string, all map[string]golden.Provenance) map[string]golden.Provenance {
	if len(s.masks) == 0 {
		return all
	}
	out := make(map[string]golden.Provenance, len(all))
	for name, p := range all {
		if s.masked(entity, name) == config.MaskHide {
			continue
		}
		losers := make([]golden.Loser, 0, len(p.Losers))
		for _, l := range p.Losers {
			var ok bool
			if l.Value, ok = s.value(entity, name, l.Value); ok {
				losers = append(losers, l)
			}
		}
		p.Losers = losers
		out[name] = p
	}
	return out
}
