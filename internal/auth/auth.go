// Package auth says who somebody is to Touchstone and what they may do. It
// knows no HTTP and no database.
package auth

import (
	"context"
	"slices"
)

// Role is what somebody's work is.
type Role string

// The roles.
const (
	Viewer  Role = "viewer"  // looks at customers
	Steward Role = "steward" // decides pairs, mends records
	Admin   Role = "admin"   // runs the installation, and all that a steward does
	Auditor Role = "auditor" // reads what was done, changes nothing
	Machine Role = "machine" // a program with a token of its own
)

// PersonRoles are those that a person can have, in the order in which people are
// shown them.
func PersonRoles() []Role { return []Role{Viewer, Steward, Admin, Auditor} }

// Roles lists all, in that order.
func Roles() []Role { return append(PersonRoles(), Machine) }

// Permission is one thing that somebody may do. Every address of the pages and
// of the API needs one.
type Permission string

// The permissions.
const (
	Open         Permission = "open"      // nobody has to be known: sign-in, stylesheet, health
	Self         Permission = "self"      // one's own account
	See          Permission = "see"       // how the systems are, without customers' values
	SeeCustomers Permission = "customers" // customers' values
	SeeAudit     Permission = "audit"     // what everybody did
	Decide       Permission = "decide"    // pairs, splits, pins, relations
	Repair       Permission = "repair"    // quarantined records, conflicts
	Approve      Permission = "approve"   // plans and models
	Operate      Permission = "operate"   // run and stop sources and targets
	Accounts     Permission = "accounts"  // people and tokens
	Export       Permission = "export"    // take lists of customers away
)

// Permissions lists them all.
func Permissions() []Permission {
	return []Permission{Open, Self, See, SeeCustomers, SeeAudit, Decide, Repair, Approve, Operate, Accounts, Export}
}

// granted is the table of roles and what they may do.
func granted(r Role) []Permission {
	switch r {
	case Viewer:
		return []Permission{Open, Self, See, SeeCustomers}
	case Steward:
		return []Permission{Open, Self, See, SeeCustomers, Decide, Repair, Export}
	case Admin:
		return []Permission{Open, Self, See, SeeCustomers, Decide, Repair, Approve, Operate, Accounts, Export, SeeAudit}
	case Auditor:
		return []Permission{Open, Self, See, SeeCustomers, SeeAudit, Export}
	case Machine:
		return []Permission{Open, See, SeeCustomers}
	}
	return []Permission{Open}
}

// Actor is who asks for something. The zero Actor is nobody: it may see what is
// open.
type Actor struct {
	ID   string // of the account or token, as the audit trail keeps it; "page:local" for who sits at this machine
	Name string // shown to people
	Role Role
	Only []Permission // a token's scopes: no more than these; nil for all of the role
	// Scopes are the scopes of the configuration that the actor reaches, together;
	// nil for all customers, and none of them for no customer. Masks are those that
	// all hold.
	Scopes, Masks []string
}

// May says whether the actor has a permission.
func (a Actor) May(p Permission) bool {
	return slices.Contains(granted(a.Role), p) && (a.Only == nil || p == Open || slices.Contains(a.Only, p))
}

type actorKey struct{}

// With gives a context in which this actor asks.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From gives who asks; nobody where no one was put there.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
