package app

import (
	"context"
	"strings"

	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// SignInFrom signs in whom the identity provider has signed in. There is no
// second step here: the provider asks for what the firm wants.
func (p *People) SignInFrom(ctx context.Context, from web.Caller, who oidc.Person) (in web.SignedIn, err error) {
	ctx, cancel := context.WithTimeout(ctx, signInBound)
	defer cancel()
	login, err := auth.CheckLogin(who.Login)
	if err != nil {
		// A name that cannot be ours: the subject names the person all the same.
		login = "person-" + strings.ToLower(auth.ShortHash(who.Issuer+" "+who.Subject))
	}
	id := store.Identity{Issuer: who.Issuer, Subject: who.Subject, Login: login, Name: who.Name, Role: string(who.Role)}
	id.Reach, id.Masks = p.groupSees(who)
	a, err := p.db.AccountOf(ctx, id)
	if err != nil {
		return in, told(err)
	}
	if a.State != store.AccountActive {
		return in, p.refused(ctx, from, a.ID, "disabled account")
	}
	a.TOTP = false
	return p.signedIn(ctx, from, store.SignIn{Account: a})
}
