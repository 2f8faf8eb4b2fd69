package web

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"touchstone/internal/auth"
)

// formAt is one of several forms of a page, with what is wrong with it and what
// was typed into it.
type formAt struct {
	Form    string
	Problem Problem
	Typed   map[string]string
}

// faultIn is a form that was sent and not taken. Its secrets are not given back.
func faultIn(r *http.Request, form string, problem Problem) formAt {
	typed := map[string]string{}
	for name := range r.PostForm {
		if !slices.Contains(secretFields(), name) {
			typed[name] = r.PostForm.Get(name)
		}
	}
	return formAt{form, problem, typed}
}

// At says whether an input of a form is at fault; "" is the form itself.
func (f formAt) At(form, field string) bool { return f.Has(form) && f.Problem.Field == field }

// Has says whether a form has anything at fault.
func (f formAt) Has(form string) bool { return f.Form == form && f.Problem.Text != "" }

// scopesOf are the permissions that somebody can give a token.
func scopesOf(a auth.Actor) []auth.Permission {
	return slices.DeleteFunc(auth.Permissions(), func(p auth.Permission) bool { return p == auth.Open || p == auth.Self || !a.May(p) })
}

// ownInput is the input for the reader's own password in one of several forms.
type ownInput struct {
	Fresh bool // it is not asked for
	For   string
	Bad   string // why it is not taken
}

func ownPart(fresh bool, form string, bad bool, why string) ownInput {
	if !bad {
		why = ""
	}
	return ownInput{fresh, form, why}
}

// tokenTable is a list of tokens and the address below which they are revoked.
type tokenTable struct {
	Now  time.Time
	To   string
	List []APIToken
}

func tokensPart(now time.Time, to string, list []APIToken) tokenTable {
	return tokenTable{now, to, list}
}

// tokenInputs is what a new token is asked for.
type tokenInputs struct {
	Typed  map[string]string
	Scopes []auth.Permission
	Roles  []auth.Role
}

func newTokenPart(typed map[string]string, scopes []auth.Permission, roles ...[]auth.Role) tokenInputs {
	in := tokenInputs{Typed: typed, Scopes: scopes}
	if len(roles) > 0 {
		in.Roles = roles[0]
	}
	return in
}

// otpauth lets the address of an authenticator's key stand in a link: it has no
// scheme that html/template knows.
func otpauth(address string) template.URL {
	if !strings.HasPrefix(address, "otpauth://totp/") {
		return ""
	}
	return template.URL(address) //nolint:gosec // made by auth.TOTPAddress, with its parts escaped
}
