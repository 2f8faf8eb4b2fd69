package config

import (
	"net/url"
	"slices"
	"strings"
)

// OIDC is the firm's identity provider.
type OIDC struct {
	Name         string      `yaml:"name" default:"single sign-on" doc:"How the sign-in page calls it."`
	Issuer       string      `yaml:"issuer" doc:"The provider's address as its discovery document says it, with https." example:"https://id.example.com/realms/firm"`
	ClientID     string      `yaml:"client_id" doc:"What the provider calls Touchstone."`
	ClientSecret Secret      `yaml:"client_secret" doc:"Its secret there; a public client has none." example:"${env:OIDC_SECRET}"`
	Scopes       []string    `yaml:"scopes" doc:"What is asked for beside openid. Example: [profile, email, groups]"`
	Claim        string      `yaml:"claim" default:"groups" doc:"Where a person's groups stand in the id token or the access token; dots lead into objects, as in realm_access.roles."`
	Roles        []GroupRole `yaml:"roles" doc:"Which group has which role. Who is in several has the widest; who is in none is turned away."`
	Reach        []GroupSees `yaml:"reach" doc:"Which customers and fields the people of a group see. Who is in several such groups reaches the customers of each, less the fields that any of them keeps back. The group \"*\" is who is in none of the others, and has to be there: with no scopes and no masks they see everything."`
}

// GroupSees narrows the people of a group.
type GroupSees struct {
	Group  string   `yaml:"group" required:"true" doc:"Name of the group as the provider says it."`
	Scopes []string `yaml:"scopes" doc:"Names of access.scopes." example:"[shanghai]"`
	Masks  []string `yaml:"masks" doc:"Names of access.masks." example:"[no_tax_ids]"`
}

// Others is the group of everybody who is in none of those that are listed.
const Others = "*"

// groupNames reports scopes and masks of groups that the file does not have, and
// a list that leaves open what everybody else sees.
func (c Config) groupNames(at Node) (problems []Problem) {
	scopes, masks := c.Access.ScopeNames(), c.Access.MaskNames()
	list := at.Key("server").Key("oidc").Key("reach")
	others := len(c.Server.OIDC.Reach) == 0
	for i, g := range c.Server.OIDC.Reach {
		others = others || g.Group == Others
		if len(g.Scopes) == 0 && len(g.Masks) == 0 && g.Group != Others {
			problems = append(problems, list.Index(i).Problem("says nothing: want scopes or masks"))
		}
		for j, name := range g.Scopes {
			if !slices.Contains(scopes, name) {
				problems = append(problems, list.Index(i).Key("scopes").Index(j).Problem("no scope %q below access.scopes%s", name, hint(name, scopes)))
			}
		}
		for j, name := range g.Masks {
			if !slices.Contains(masks, name) {
				problems = append(problems, list.Index(i).Key("masks").Index(j).Problem("no mask %q below access.masks%s", name, hint(name, masks)))
			}
		}
	}
	if !others {
		problems = append(problems, list.Problem("does not say what people see who are in none of these groups; add {group: \"*\"} with their scopes or masks, or alone where they see everything"))
	}
	return problems
}

// GroupRole gives the people of a group a role.
type GroupRole struct {
	Group string `yaml:"group" required:"true" doc:"Name of the group as the provider says it."`
	Role  string `yaml:"role" required:"true" doc:"viewer, steward, admin or auditor."`
}

// personRoles are the roles that people can have.
func personRoles() []string { return []string{"viewer", "steward", "admin", "auditor"} }

func (o OIDC) check(at Node) (problems []Problem) {
	if o.Issuer == "" {
		if o.ClientID != "" || len(o.Roles) > 0 {
			problems = append(problems, at.Key("issuer").Problem("is missing: without it nobody is asked"))
		}
		return problems
	}
	u, err := url.Parse(o.Issuer)
	if local := err == nil && u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()); err != nil || u.Host == "" || (u.Scheme != "https" && !local) {
		problems = append(problems, at.Key("issuer").Problem("must be an https address; only on this machine http will do"))
	}
	if o.ClientID == "" {
		problems = append(problems, at.Key("client_id").Problem("is missing: the provider has to know who asks"))
	}
	if len(o.Roles) == 0 {
		problems = append(problems, at.Key("roles").Problem("is missing: nobody could get in; want a list such as [{group: crm-stewards, role: steward}]"))
	}
	for i, r := range o.Roles {
		if !slices.Contains(personRoles(), r.Role) {
			problems = append(problems, at.Key("roles").Index(i).Key("role").Problem("%q is no role; want one of %s", r.Role, strings.Join(personRoles(), ", ")))
		}
	}
	return problems
}
