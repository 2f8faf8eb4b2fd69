package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// NamedLogin names an account.
type NamedLogin struct {
	Login string `path:"login" maxLength:"100"`
}

// Sees is which customers and fields an account or a token sees.
type Sees struct {
	Reach []string `json:"reach,omitempty" maxItems:"50" doc:"names of access.scopes: no other customers; without them all"`
	Masks []string `json:"masks,omitempty" maxItems:"50" doc:"names of access.masks: fields that are kept back"`
}

// secret is shown once.
type secret struct {
	Password string `json:"password,omitempty" doc:"shown this once; it has to be changed at the first sign-in"`
	Token    string `json:"token,omitempty" doc:"shown this once"`
}

// exceeds refuses to grant what who asks may not do: a token with few
// permissions could else make one with all.
func exceeds(ctx context.Context, role auth.Role, scopes []string) error {
	me, other := auth.From(ctx), auth.Actor{Role: role}
	for _, s := range scopes {
		other.Only = append(other.Only, auth.Permission(s))
	}
	for _, p := range auth.Permissions() {
		if me.Only != nil && p != auth.Open && p != auth.Self && other.May(p) && !me.May(p) {
			return &Problem{Status: http.StatusForbidden, Detail: "this token does not have the permission " + string(p) + ", so it cannot give it"}
		}
	}
	return nil
}

// personal tells what is wrong with a change of an account.
func personal(err error) error {
	var weak auth.Weak
	for _, own := range []error{web.ErrLoginTaken, web.ErrLastAdmin, web.ErrRole, web.ErrScope, auth.ErrLogin} {
		if errors.Is(err, own) {
			return &Problem{Status: http.StatusUnprocessableEntity, Detail: own.Error()}
		}
	}
	if errors.As(err, &weak) {
		return &Problem{Status: http.StatusUnprocessableEntity, Detail: weak.Error()}
	}
	return err
}

// accounts are people and tokens. Who came with a cookie changes them on the
// pages, which ask for the own password first (see mux.HandleFunc).
func (x *api) accounts() {
	const tag = "Accounts"
	people := x.app.People()
	type listIn struct {
		Q     string `query:"q" maxLength:"100" doc:"in the login name or the name"`
		After string `query:"after" maxLength:"100"`
		Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/accounts", "listAccounts", "Accounts by login name", auth.Accounts, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *listIn) (*Body[List[Plain[web.Person]]], error) {
			p, err := people.PersonsOf(ctx, web.PersonQuery{Text: in.Q, After: in.After, Limit: in.Limit})
			return answer(List[Plain[web.Person]]{Items: plain(p.List), Next: p.Next}, err)
		})
	add(x, op{http.MethodGet, "/accounts/{login}", "getAccount", "One account with its sessions", auth.Accounts, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *NamedLogin) (*Body[Plain[web.Person]], error) {
			p, err := people.Person(ctx, in.Login)
			return answer(Plain[web.Person]{p}, err)
		})
	type person struct {
		Body struct {
			Login string `json:"login" minLength:"2" maxLength:"64"`
			Name  string `json:"name,omitempty" maxLength:"100"`
			Role  string `json:"role" enum:"viewer,steward,admin,auditor"`
			Sees
		}
	}
	add(x, op{http.MethodPost, "/accounts", "addAccount", "Makes an account with a password that is made up", auth.Accounts, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *person) (*Body[secret], error) {
			role := auth.Role(in.Body.Role)
			if err := exceeds(ctx, role, nil); err != nil {
				return nil, err
			}
			password, err := people.AddPerson(ctx, pageBy(ctx, ""), web.NewPerson{Login: in.Body.Login, Name: in.Body.Name, Role: role, Reach: in.Body.Reach, Masks: in.Body.Masks})
			return answer(secret{Password: password}, personal(err))
		})
	type change struct {
		NamedLogin
		Body struct {
			Role  string `json:"role,omitempty" enum:",viewer,steward,admin,auditor"`
			State string `json:"state,omitempty" enum:",active,disabled"`
			// All of them from now on; an absent list leaves them.
			Reach *[]string `json:"reach,omitempty" maxItems:"50" doc:"names of all scopes that it reaches from now on; an empty list for all customers"`
			Masks *[]string `json:"masks,omitempty" maxItems:"50" doc:"names of all masks that hold from now on; an empty list for none"`
		}
	}
	add(x, op{http.MethodPost, "/accounts/{login}", "changeAccount", "Changes an account's role, state, or what it sees", auth.Accounts, auth.WholeOnly, tag, http.StatusNoContent},
		func(ctx context.Context, in *change) (*none, error) {
			if err := x.mayChange(ctx, people, in.Login, auth.Role(in.Body.Role)); err != nil {
				return nil, err
			}
			return &none{}, personal(people.ChangePerson(ctx, pageBy(ctx, ""), in.Login, web.PersonChange{Role: auth.Role(in.Body.Role), State: in.Body.State, Reach: in.Body.Reach, Masks: in.Body.Masks}))
		})
	type nothing struct {
		NamedLogin
		Body struct{}
	}
	add(x, op{http.MethodPost, "/accounts/{login}/password", "resetPassword", "Gives an account a password that has to be changed when it is used", auth.Accounts, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *nothing) (*Body[secret], error) {
			if err := x.mayChange(ctx, people, in.Login, ""); err != nil {
				return nil, err
			}
			password, err := people.ResetPassword(ctx, pageBy(ctx, ""), in.Login)
			return answer(secret{Password: password}, personal(err))
		})
	add(x, op{http.MethodPost, "/accounts/{login}/sign-out", "endSessions", "Ends all sessions of an account", auth.Accounts, auth.WholeOnly, tag, http.StatusNoContent},
		func(ctx context.Context, in *nothing) (*none, error) {
			return &none{}, people.EndSessionsOf(ctx, pageBy(ctx, ""), in.Login)
		})
	x.tokens(people)
}

// mayChange refuses to touch accounts that may more than who asks.
func (x *api) mayChange(ctx context.Context, people *app.People, login string, role auth.Role) error {
	p, err := people.Person(ctx, login)
	if err != nil {
		return err
	}
	return errors.Join(exceeds(ctx, p.Role, nil), exceeds(ctx, role, nil))
}

func (x *api) tokens(people *app.People) {
	const tag = "Accounts"
	type listIn struct {
		Login string `query:"login" maxLength:"100" doc:"only this account's"`
		Q     string `query:"q" maxLength:"100" doc:"in the name, the login name or the beginning"`
		After string `query:"after" maxLength:"100"`
		Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/tokens", "listTokens", "API tokens, the newest first, without what they are", auth.Accounts, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *listIn) (*Body[List[Plain[web.APIToken]]], error) {
			l, err := people.TokensOf(ctx, web.TokenQuery{Login: in.Login, Text: in.Q, After: in.After, Limit: in.Limit})
			return answer(List[Plain[web.APIToken]]{Items: plain(l.List), Next: l.Next}, err)
		})
	type token struct {
		Body struct {
			Name   string   `json:"name" minLength:"1" maxLength:"100" doc:"what it is for"`
			Login  string   `json:"login,omitempty" maxLength:"100" doc:"of this account; without it a machine's"`
			Role   string   `json:"role,omitempty" enum:",viewer,steward,admin,auditor,machine" doc:"of a machine"`
			Scopes []string `json:"scopes,omitempty" maxItems:"20" doc:"no more than these permissions; without them all of the role"`
			Sees
			Days int `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"how long it is good; 0 for ever"`
		}
	}
	add(x, op{http.MethodPost, "/tokens", "addToken", "Makes an API token", auth.Accounts, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *token) (*Body[secret], error) {
			b := in.Body
			role := auth.Role(b.Role)
			if b.Login != "" {
				p, err := people.Person(ctx, strings.TrimSpace(b.Login))
				if err != nil {
					return nil, err
				}
				role = p.Role
			}
			if err := exceeds(ctx, role, b.Scopes); err != nil {
				return nil, err
			}
			text, err := people.AddToken(ctx, pageBy(ctx, ""), web.NewToken{Name: b.Name, Login: b.Login, Role: role, Scopes: b.Scopes, Reach: b.Reach, Masks: b.Masks, Days: b.Days})
			return answer(secret{Token: text}, personal(err))
		})
	add(x, op{http.MethodPost, "/tokens/{id}/revoke", "revokeToken", "Ends an API token", auth.Accounts, auth.WholeOnly, tag, http.StatusNoContent},
		func(ctx context.Context, in *only) (*none, error) {
			return &none{}, people.RevokeToken(ctx, pageBy(ctx, in.Body.Why), in.ID, "")
		})
}
