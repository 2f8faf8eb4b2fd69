package app

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// SetPassword gives the visitor another password.
func (p *People) SetPassword(ctx context.Context, v web.Visit, password string) (string, error) {
	if err := auth.CheckPassword(password, v.Login, v.Actor.Name); err != nil {
		return "", err
	}
	a, _, err := p.db.AccountByID(ctx, v.Account)
	if err != nil {
		return "", err
	}
	same, err := p.gate.hasher.Verify(ctx, a.Hash, password)
	if err != nil {
		return "", busy(err)
	}
	if same {
		return "", web.ErrSame
	}
	hash, err := p.gate.hasher.Hash(ctx, password)
	if err != nil {
		return "", busy(err)
	}
	if err := p.db.ChangeAccount(ctx, v.Account, store.AccountChange{Hash: &hash, Keep: auth.HashSecret(v.Token)}, v.Login); err != nil {
		return "", err
	}
	return p.renew(ctx, v)
}

func (p *People) renew(ctx context.Context, v web.Visit) (string, error) {
	token := auth.NewSecret(p.env.Rand)
	return token, p.db.RenewSession(ctx, auth.HashSecret(v.Token), auth.HashSecret(token))
}

// Me reads the visitor's own account.
func (p *People) Me(ctx context.Context, v web.Visit) (m web.MyAccount, err error) {
	if m.Person, err = p.person(ctx, v.Login, v.Session); err != nil {
		return m, err
	}
	if m.Recovery, err = p.db.RecoveryLeft(ctx, v.Account); err != nil {
		return m, err
	}
	m.Tokens, err = p.Tokens(ctx, v.Login)
	return m, err
}

// BeginTwoStep gives a new key for the visitor's authenticator.
func (p *People) BeginTwoStep(ctx context.Context, v web.Visit) (web.Authenticator, error) {
	key := auth.NewTOTPKey(p.env.Rand)
	if err := p.db.SetTOTP(ctx, v.Account, key); err != nil {
		return web.Authenticator{}, err
	}
	return authenticator(v.Login, key), nil
}

// WaitingTwoStep gives the key again, as long as no code confirmed it.
func (p *People) WaitingTwoStep(ctx context.Context, v web.Visit) (web.Authenticator, error) {
	a, found, err := p.db.AccountByID(ctx, v.Account)
	if err != nil {
		return web.Authenticator{}, err
	}
	if !found || a.TOTP || len(a.TOTPKey) == 0 {
		return web.Authenticator{}, fmt.Errorf("authenticator that waits: %w", record.ErrNotFound)
	}
	return authenticator(v.Login, a.TOTPKey), nil
}

func authenticator(login string, key []byte) web.Authenticator {
	return web.Authenticator{Text: auth.TOTPText(key), Address: auth.TOTPAddress("Touchstone", login, key)}
}

// ConfirmTwoStep puts the authenticator in force.
func (p *People) ConfirmTwoStep(ctx context.Context, v web.Visit, code string) ([]string, error) {
	a, found, err := p.db.AccountByID(ctx, v.Account)
	if err != nil {
		return nil, err
	}
	step, ok := auth.CheckTOTP(a.TOTPKey, code, p.now(), a.TOTPStep)
	if !found || a.TOTP || len(a.TOTPKey) == 0 || !ok {
		return nil, web.ErrCode
	}
	codes := auth.NewRecoveryCodes(p.env.Rand)
	plain := make([]string, len(codes))
	for i, c := range codes {
		plain[i] = auth.PlainRecovery(c)
	}
	if err := p.db.ConfirmTOTP(ctx, v.Account, step, plain); err != nil {
		return nil, err
	}
	return codes, nil
}

// EndTwoStep takes the visitor's authenticator away.
func (p *People) EndTwoStep(ctx context.Context, v web.Visit) (string, error) {
	if err := p.db.DropTOTP(ctx, v.Account, auth.HashSecret(v.Token), v.Login); err != nil {
		return "", err
	}
	return p.renew(ctx, v)
}

// EndSession ends one session of the visitor's, or all others with "".
func (p *People) EndSession(ctx context.Context, v web.Visit, id string) error {
	if id == "" {
		return p.db.EndSessions(ctx, v.Account, auth.HashSecret(v.Token), v.Login)
	}
	return p.db.EndSession(ctx, v.Account, id, v.Login)
}

// Persons lists all accounts.
func (p *People) Persons(ctx context.Context) (list []web.Person, err error) {
	accounts, err := p.db.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		list = append(list, p.shown(a))
	}
	return list, nil
}

// PersonsOf lists accounts by login name.
func (p *People) PersonsOf(ctx context.Context, q web.PersonQuery) (out web.PersonList, err error) {
	if out.All, err = p.db.CountAccounts(ctx); err != nil {
		return out, err
	}
	accounts, more, err := p.db.AccountPage(ctx, store.AccountQuery{Text: q.Text, After: q.After, Limit: q.Limit})
	for _, a := range accounts {
		out.List = append(out.List, p.shown(a))
	}
	if more {
		out.Next = accounts[len(accounts)-1].Login
	}
	return out, err
}

func (p *People) shown(a store.Account) web.Person {
	s := web.Person{
		ID: a.ID, Login: a.Login, Name: shownName(a), Role: auth.Role(a.Role), State: a.State, TwoStep: a.TOTP, MustChange: a.MustChange,
		Reach: a.Reach, Masks: a.Masks, Unknown: p.unknown(a.Reach, a.Masks),
		Created: parse(a.Created), SignedIn: parse(a.SignedIn), Failed: a.Failed,
	}
	if a.State == store.AccountActive && p.locked(a) {
		s.State, s.LockedUntil = "locked", parse(a.LockedUntil)
	}
	return s
}

// Person reads one account with its sessions.
func (p *People) Person(ctx context.Context, login string) (web.Person, error) {
	return p.person(ctx, login, "")
}

func (p *People) person(ctx context.Context, login, here string) (w web.Person, err error) {
	a, err := p.byLogin(ctx, login)
	if err != nil {
		return w, err
	}
	w = p.shown(a)
	sessions, err := p.db.Sessions(ctx, a.ID, time.Duration(p.cfg.Idle))
	for _, s := range sessions {
		w.Sessions = append(w.Sessions, web.SessionRow{ID: s.ID, Created: parse(s.Created), Seen: parse(s.Seen), Ends: parse(s.Ends), Agent: s.Agent, Here: s.ID == here})
	}
	return w, err
}

func (p *People) byLogin(ctx context.Context, login string) (store.Account, error) {
	login, err := auth.CheckLogin(login)
	if err != nil {
		return store.Account{}, fmt.Errorf("account: %w: %w", err, record.ErrNotFound)
	}
	a, found, err := p.db.AccountByLogin(ctx, login)
	if err == nil && !found {
		err = fmt.Errorf("account %s: %w", login, record.ErrNotFound)
	}
	return a, err
}

// personRole says whether a person can have a role.
func personRole(r auth.Role) bool { return r != auth.Machine && slices.Contains(auth.Roles(), r) }

// AddPerson makes an account.
func (p *People) AddPerson(ctx context.Context, by web.By, n web.NewPerson) (password string, err error) {
	if n.Password == "" {
		n.Password, n.MustChange = madeUp(p.env.Rand), true
	}
	_, err = p.add(ctx, n, nil, by.Who)
	return n.Password, err
}

// madeUp is a password for the first time: 80 random bits.
func madeUp(random func([]byte)) string {
	codes := auth.NewRecoveryCodes(random)
	return codes[0] + "-" + codes[1][:4]
}

// reserved are names under which Touchstone itself acts.
func reserved(login string) bool {
	return slices.Contains([]string{"touchstone", "page", "token", "tokens", "anybody", "nobody", "unknown"}, login)
}

func (p *People) add(ctx context.Context, n web.NewPerson, setup []byte, who string) (a store.Account, err error) {
	login, err := auth.CheckLogin(n.Login)
	if err != nil {
		return a, err
	}
	n.Name = strings.Join(strings.Fields(n.Name), " ")
	switch {
	case reserved(login):
		return a, web.ErrLoginTaken
	case !personRole(n.Role):
		return a, web.ErrRole
	case utf8.RuneCountInString(n.Name) > maxName:
		return a, web.Refuse("name", "the name is too long: want 100 characters or fewer")
	}
	if n.Reach, n.Masks, err = p.sees(n.Reach, n.Masks); err != nil {
		return a, err
	}
	if err := auth.CheckPassword(n.Password, login, n.Name); err != nil {
		return a, err
	}
	hash, err := p.gate.hasher.Hash(ctx, n.Password)
	if err != nil {
		return a, busy(err)
	}
	a, err = p.db.AddAccount(ctx, store.NewAccount{Login: login, Name: n.Name, Role: string(n.Role), Hash: hash, MustChange: n.MustChange, Reach: n.Reach, Masks: n.Masks, Setup: setup}, who)
	return a, told(err)
}

// ChangePerson changes an account's role, state, or what it sees.
func (p *People) ChangePerson(ctx context.Context, by web.By, login string, c web.PersonChange) error {
	a, err := p.byLogin(ctx, login)
	if err != nil {
		return err
	}
	var change store.AccountChange
	if c.Role != "" {
		if !personRole(c.Role) {
			return web.ErrRole
		}
		role := string(c.Role)
		change.Role = &role
	}
	if c.State != "" {
		if c.State != store.AccountActive && c.State != store.AccountDisabled {
			return web.Refuse("state", "an account is active or disabled")
		}
		change.State = &c.State
	}
	reach, masks := a.Reach, a.Masks
	if c.Reach != nil {
		if reach, _, err = p.sees(*c.Reach, nil); err != nil {
			return err
		}
		change.Reach = &reach
	}
	if c.Masks != nil {
		if _, masks, err = p.sees(nil, *c.Masks); err != nil {
			return err
		}
		change.Masks = &masks
	}
	return told(p.db.ChangeAccount(ctx, a.ID, change, by.Who))
}

// ResetPassword gives an account a password that has to be changed when it is
// used.
func (p *People) ResetPassword(ctx context.Context, by web.By, login string) (string, error) {
	password := madeUp(p.env.Rand)
	return password, p.GivePassword(ctx, by, login, password, true)
}

// GivePassword gives an account a password; all its sessions end.
func (p *People) GivePassword(ctx context.Context, by web.By, login, password string, mustChange bool) error {
	a, err := p.byLogin(ctx, login)
	if err != nil {
		return err
	}
	if err := auth.CheckPassword(password, a.Login, a.Name); err != nil {
		return err
	}
	hash, err := p.gate.hasher.Hash(ctx, password)
	if err != nil {
		return busy(err)
	}
	if err := p.db.ChangeAccount(ctx, a.ID, store.AccountChange{Hash: &hash, MustChange: mustChange}, by.Who); err != nil {
		return err
	}
	p.gate.names.Done("name "+a.Login, true)
	return nil
}

// ResetTwoStep takes an account's authenticator away.
func (p *People) ResetTwoStep(ctx context.Context, by web.By, login string) error {
	a, err := p.byLogin(ctx, login)
	if err != nil {
		return err
	}
	return p.db.DropTOTP(ctx, a.ID, nil, by.Who)
}

// EndSessionsOf ends all sessions of an account.
func (p *People) EndSessionsOf(ctx context.Context, by web.By, login string) error {
	a, err := p.byLogin(ctx, login)
	if err != nil {
		return err
	}
	return p.db.EndSessions(ctx, a.ID, nil, by.Who)
}

// Tokens lists the API tokens of an account, or all with "".
func (p *People) Tokens(ctx context.Context, login string) (list []web.APIToken, err error) {
	account := ""
	if login != "" {
		a, err := p.byLogin(ctx, login)
		if err != nil {
			return nil, err
		}
		account = a.ID
	}
	tokens, err := p.db.Tokens(ctx, account)
	return p.shownTokens(tokens), err
}

// TokensOf lists API tokens, the newest first.
func (p *People) TokensOf(ctx context.Context, q web.TokenQuery) (out web.TokenList, err error) {
	of := store.TokenQuery{Text: q.Text, After: q.After, Limit: q.Limit}
	if q.Login != "" {
		a, err := p.byLogin(ctx, q.Login)
		if err != nil {
			return out, err
		}
		of.Account = a.ID
	}
	if out.All, err = p.db.CountTokens(ctx); err != nil {
		return out, err
	}
	tokens, more, err := p.db.TokenPage(ctx, of)
	out.List = p.shownTokens(tokens)
	if more {
		out.Next = tokens[len(tokens)-1].ID
	}
	return out, err
}

func (p *People) shownTokens(tokens []store.APIToken) (list []web.APIToken) {
	now := p.now()
	for _, t := range tokens {
		w := web.APIToken{
			ID: t.ID, Shown: t.Shown, Name: t.Name, Login: t.Login, Role: auth.Role(t.Role), Scopes: t.Scopes, Reach: t.Reach, Masks: t.Masks, Unknown: p.unknown(t.Reach, t.Masks), Created: parse(t.Created),
			Expires: parse(t.Expires), Used: parse(t.Used), CreatedBy: t.CreatedBy, State: "active",
		}
		switch {
		case t.Revoked != "":
			w.State = "revoked"
		case t.Expires != "" && !now.Before(w.Expires):
			w.State = "expired"
		}
		list = append(list, w)
	}
	return list
}

// maxTokenDays bounds how long a token is good for that ends at all.
const maxTokenDays = 3650

// AddToken makes an API token.
func (p *People) AddToken(ctx context.Context, by web.By, n web.NewToken) (string, error) {
	t := store.APIToken{Name: strings.Join(strings.Fields(n.Name), " "), Role: string(n.Role)}
	if t.Name == "" || utf8.RuneCountInString(t.Name) > maxName {
		return "", web.Refuse("name", "a token needs a name of 1 to 100 characters that says what it is for")
	}
	if n.Days < 0 || n.Days > maxTokenDays {
		return "", web.Refuse("days", "want 1 to %d days, or 0 for a token that does not end", maxTokenDays)
	}
	var err error
	if t.Reach, t.Masks, err = p.sees(n.Reach, n.Masks); err != nil {
		return "", err
	}
	role := n.Role
	if n.Login != "" {
		a, err := p.byLogin(ctx, n.Login)
		if err != nil {
			return "", err
		}
		t.Account, role = a.ID, auth.Role(a.Role)
		if err := within(t.Reach, a); err != nil {
			return "", err
		}
	} else if !slices.Contains(auth.Roles(), role) {
		return "", web.ErrRole
	}
	for _, s := range n.Scopes {
		if !(auth.Actor{Role: role}).May(auth.Permission(s)) || auth.Permission(s) == auth.Open {
			return "", fmt.Errorf("%w: %s", web.ErrScope, s)
		}
	}
	t.Scopes = slices.Compact(slices.Sorted(slices.Values(n.Scopes)))
	if n.Days > 0 {
		t.Expires = store.TimeText(p.now().Add(time.Duration(n.Days) * 24 * time.Hour))
	}
	token, shown := auth.NewToken(p.env.Rand)
	t.Shown = shown
	_, err = p.db.AddToken(ctx, t, auth.HashSecret(token), by.Who)
	return token, err
}

// RevokeToken ends an API token of an account, or any with "".
func (p *People) RevokeToken(ctx context.Context, by web.By, id, login string) error {
	account := ""
	if login != "" {
		a, err := p.byLogin(ctx, login)
		if err != nil {
			return err
		}
		account = a.ID
	}
	return p.db.RevokeToken(ctx, id, account, by.Who)
}
