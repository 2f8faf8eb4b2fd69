package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"touchstone/config"
	"touchstone/internal/auth/oidc"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Sees lists the scopes and masks that accounts and tokens can be given.
func (p *People) Sees() (scopes, masks []string) { return p.access.ScopeNames(), p.access.MaskNames() }

// sees checks names of scopes and masks, and gives them in the order of the
// configuration, each once.
func (p *People) sees(scopes, masks []string) (s, m []string, err error) {
	pick := func(no func(name string, known []string) error, asked, known []string) (out []string, err error) {
		for _, name := range asked {
			if !slices.Contains(known, name) {
				return nil, no(name, known)
			}
		}
		for _, name := range known {
			if slices.Contains(asked, name) {
				out = append(out, name)
			}
		}
		return out, nil
	}
	if s, err = pick(noScope, scopes, p.access.ScopeNames()); err == nil {
		m, err = pick(noMask, masks, p.access.MaskNames())
	}
	return s, m, err
}

func noScope(name string, known []string) error {
	if len(known) == 0 {
		return web.Refuse("scope", "there is no scope %q: the configuration has none below access", name)
	}
	return web.Refuse("scope", "there is no scope %q; the configuration has %s", name, strings.Join(known, ", "))
}

func noMask(name string, known []string) error {
	if len(known) == 0 {
		return web.Refuse("mask", "there is no mask %q: the configuration has none below access", name)
	}
	return web.Refuse("mask", "there is no mask %q; the configuration has %s", name, strings.Join(known, ", "))
}

// unknown are the names that the configuration does not have (any more).
func (p *People) unknown(scopes, masks []string) (out []string) {
	for _, x := range []struct{ have, known []string }{{scopes, p.access.ScopeNames()}, {masks, p.access.MaskNames()}} {
		for _, name := range x.have {
			if !slices.Contains(x.known, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// within refuses a token that would reach more than its account.
func within(reach []string, a store.Account) error {
	for _, name := range reach {
		if len(a.Reach) > 0 && !slices.Contains(a.Reach, name) {
			return web.Refuse("scope", "%s does not reach %q: a token never sees more than its account", a.Login, name)
		}
	}
	return nil
}

// tokenSees is what a token sees: no more than its account does now.
func tokenSees(t store.APIToken) (scopes, masks []string) {
	scopes = t.Reach
	switch {
	case len(t.OwnerReach) == 0:
	case len(t.Reach) == 0:
		scopes = t.OwnerReach
	default:
		scopes = slices.DeleteFunc(slices.Clone(t.Reach), func(name string) bool { return !slices.Contains(t.OwnerReach, name) })
	}
	masks = slices.Clone(t.OwnerMasks)
	for _, name := range t.Masks {
		if !slices.Contains(masks, name) {
			masks = append(masks, name)
		}
	}
	return scopes, masks
}

// groupSees is what a person's groups say that the person sees; nil where they say
// nothing.
func (p *People) groupSees(who oidc.Person) (reach, masks *[]string) {
	var s, m []string
	said := false
	for _, g := range p.groups {
		if !slices.Contains(who.Groups, g.Group) {
			continue
		}
		said = true
		s, m = append(s, g.Scopes...), append(m, g.Masks...)
	}
	if i := slices.IndexFunc(p.groups, func(g config.GroupSees) bool { return g.Group == config.Others }); !said && i >= 0 {
		said, s, m = true, p.groups[i].Scopes, p.groups[i].Masks
	}
	if !said {
		return nil, nil
	}
	s, m, err := p.sees(s, m)
	if err != nil {
		return nil, nil // config has held the names against its own
	}
	return &s, &m
}

// accessHealth looks for accounts and tokens that name a scope or a mask which the
// configuration does not have: they see no customer.
func (a *App) accessHealth(ctx context.Context) Finding {
	people := a.People()
	persons, err := people.Persons(ctx)
	if err != nil {
		return Finding{"access", FindingBad, err.Error(), ""}
	}
	tokens, err := people.Tokens(ctx, "")
	if err != nil {
		return Finding{"access", FindingBad, err.Error(), ""}
	}
	var lost []string
	for _, p := range persons {
		if len(p.Unknown) > 0 {
			lost = append(lost, "account "+p.Login+": "+strings.Join(p.Unknown, ", "))
		}
	}
	for _, t := range tokens {
		if len(t.Unknown) > 0 && t.State == "active" {
			lost = append(lost, "token "+t.ID+": "+strings.Join(t.Unknown, ", "))
		}
	}
	if len(lost) > 0 {
		return Finding{
			"access", FindingBad, "these name scopes or masks that the configuration does not have, and see no customer: " + strings.Join(lost, "; "),
			"put them back below access, or give the account others: touchstone user set LOGIN --scope … --mask …",
		}
	}
	return Finding{"access", FindingOK, fmt.Sprintf("%d scopes, %d masks", len(a.Config.Access.Scopes), len(a.Config.Access.Masks)), ""}
}
