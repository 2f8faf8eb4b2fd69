package web

import (
	"html/template"
	"strings"
	"time"

	"touchstone/internal/auth"
)

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
