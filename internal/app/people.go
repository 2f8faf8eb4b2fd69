package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

const (
	// hashesAtOnce bounds the memory that passwords take: 19 MiB each.
	hashesAtOnce = 2
	// codeLife is how long after the password its code may come.
	codeLife = 5 * time.Minute
	// provedLife is how long a password counts as just given.
	provedLife = 10 * time.Minute
	// touchEvery is how often a session that is used is written down, at most.
	touchEvery  = 5 * time.Minute
	touchBound  = 2 * time.Second
	setupLife   = time.Hour
	signInBound = 20 * time.Second
	// lockFree, lockFirst and lockMost say how an account is locked: after so
	// many wrong passwords in a row, for a time that doubles.
	lockFree  = 5
	lockFirst = 30 * time.Second
	lockMost  = 15 * time.Minute
	maxAgent  = 80
	// maxName bounds names that people give, in characters.
	maxName = 100
)

// gate is what guards sign-ins as long as the process lives.
type gate struct {
	hasher    *auth.Hasher
	names     *auth.Throttle // by what was typed as a name, whether anybody has it or not
	addresses *auth.Throttle
}

func newGate(e env.Env) *gate {
	return &gate{
		hasher:    auth.NewHasher(e.Rand, hashesAtOnce),
		names:     &auth.Throttle{Free: lockFree, First: lockFirst, Most: lockMost, Keys: 10_000, Forget: time.Hour},
		addresses: &auth.Throttle{Free: 20, First: 10 * time.Second, Most: 5 * time.Minute, Keys: 10_000, Forget: time.Hour},
	}
}

// People is who may sign in, and with what.
type People struct {
	db   *store.DB
	env  env.Env
	log  *slog.Logger
	gate *gate
	cfg  config.Session
	// access and groups say what accounts and groups can be narrowed to.
	access config.Access
	groups []config.GroupSees
}

var _ web.People = (*People)(nil)

// People gives the part of the installation that knows accounts.
func (a *App) People() *People {
	return &People{db: a.Store, env: a.opts.Env, log: a.Log, gate: a.life.gate, cfg: a.Config.Server.Session, access: a.Config.Access, groups: a.Config.Server.OIDC.Reach}
}

func (p *People) now() time.Time { return p.env.Clock.Now() }

// HasAccounts says whether anybody has an account.
func (p *People) HasAccounts(ctx context.Context) (bool, error) { return p.db.HasAccounts(ctx) }

// OfferSetup makes the token of a link that makes the first account; "" where
// there are accounts.
func (p *People) OfferSetup(ctx context.Context) (token string, err error) {
	token = auth.NewSecret(p.env.Rand)
	offered, err := p.db.OfferSetup(ctx, auth.HashSecret(token), setupLife)
	if err != nil || !offered {
		return "", err
	}
	return token, nil
}

// Visit finds who has a session token.
func (p *People) Visit(ctx context.Context, token string) (v web.Visit, found bool, err error) {
	hash := auth.HashSecret(token)
	s, a, found, err := p.db.SessionOf(ctx, hash, time.Duration(p.cfg.Idle))
	if err != nil || !found {
		return v, false, err
	}
	now := p.now()
	if now.Sub(parse(s.Seen)) > min(touchEvery, time.Duration(p.cfg.Idle)/2) {
		p.touch(ctx, func(ctx context.Context) error { return p.db.SessionSeen(ctx, hash) })
	}
	taste, err := p.taste(ctx, a.ID)
	if err != nil {
		return v, false, err
	}
	return web.Visit{
		Actor: auth.Actor{ID: a.Login, Name: shownName(a), Role: auth.Role(a.Role), Scopes: a.Reach, Masks: a.Masks}, Taste: taste,
		Account: a.ID, Login: a.Login, Session: s.ID, Token: token, MustChange: a.MustChange, TwoStep: a.TOTP,
		Fresh: now.Sub(parse(s.Proved)) < provedLife,
	}, true, nil
}

// touch writes down that something was used. The reader does not wait long for
// it, and is served all the same.
func (p *People) touch(ctx context.Context, write func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, touchBound)
	defer cancel()
	if err := write(ctx); err != nil {
		p.log.Debug("not written down that a session was used", "err", err)
	}
}

func shownName(a store.Account) string {
	if a.Name == "" {
		return a.Login
	}
	return a.Name
}

// Bearer finds who has an API token.
func (p *People) Bearer(ctx context.Context, token string) (actor auth.Actor, found bool, err error) {
	t, found, err := p.db.TokenOf(ctx, auth.HashSecret(token))
	if err != nil || !found {
		return actor, false, err
	}
	if t.Used == "" || p.now().Sub(parse(t.Used)) > touchEvery {
		p.touch(ctx, func(ctx context.Context) error { return p.db.TokenUsed(ctx, t.ID) })
	}
	actor = auth.Actor{ID: "token:" + t.ID, Name: t.Name, Role: auth.Role(t.Role)}
	actor.Scopes, actor.Masks = tokenSees(t)
	if t.Login != "" {
		actor.ID, actor.Name = t.Login, t.Login+" · "+t.Name // who acts is the person: two tokens are not two people
	}
	for _, s := range t.Scopes {
		actor.Only = append(actor.Only, auth.Permission(s))
	}
	return actor, true, nil
}

// SignIn checks a password. Of a name that nobody has, of one that is locked and
// of a wrong password the same is told, and the same work is done.
func (p *People) SignIn(ctx context.Context, from web.Caller, login, password string) (in web.SignedIn, err error) {
	ctx, cancel := context.WithTimeout(ctx, signInBound)
	defer cancel()
	login, invalid := auth.CheckLogin(login)
	if invalid != nil {
		login = "?" // nobody's; the same work is done
	}
	done, err := p.begin(from, "name "+login)
	if err != nil {
		return in, err
	}
	var a store.Account
	found := false
	if invalid == nil {
		if a, found, err = p.db.AccountByLogin(ctx, login); err != nil {
			return in, err
		}
	}
	ok, err := p.gate.hasher.Verify(ctx, a.Hash, password)
	if err != nil {
		return in, busy(err)
	}
	if !ok || !found || a.State != store.AccountActive || p.locked(a) {
		return in, p.refused(ctx, from, a.ID, "password")
	}
	if a.TOTP {
		done(false) // wrong codes of before go on counting until one is right
		return web.SignedIn{Pending: p.pending(a)}, nil
	}
	in, err = p.signedIn(ctx, from, store.SignIn{Account: a})
	if err == nil {
		done(true)
	}
	return in, err
}

// SignInCode goes on with a sign-in that needs a code of the authenticator, or a
// recovery code.
func (p *People) SignInCode(ctx context.Context, from web.Caller, pending, code string) (in web.SignedIn, err error) {
	ctx, cancel := context.WithTimeout(ctx, signInBound)
	defer cancel()
	a, err := p.pendingAccount(ctx, pending)
	if err != nil {
		return in, err
	}
	done, err := p.begin(from, "name "+a.Login)
	if err != nil {
		return in, err
	}
	s := store.SignIn{Account: a}
	s.Recovery = auth.PlainRecovery(code)
	if s.Recovery == "" {
		var ok bool
		if s.Step, ok = auth.CheckTOTP(a.TOTPKey, code, p.now(), a.TOTPStep); !ok {
			return in, p.refused(ctx, from, a.ID, "code")
		}
	}
	if p.locked(a) {
		return in, p.refused(ctx, from, a.ID, "code")
	}
	in, err = p.signedIn(ctx, from, s)
	if err == nil {
		done(true)
	}
	return in, err
}

// begin counts a try of a name from an address. Done takes it back: with all,
// the name starts anew.
func (p *People) begin(from web.Caller, name string) (done func(all bool), err error) {
	now, address := p.now(), "address "+network(from.Address)
	if wait, ok := p.gate.addresses.Take(address, now); !ok {
		return nil, &web.SlowDown{Wait: wait}
	}
	if wait, ok := p.gate.names.Take(name, now); !ok {
		p.gate.addresses.Done(address, false)
		return nil, &web.SlowDown{Wait: wait}
	}
	return func(all bool) {
		p.gate.addresses.Done(address, false)
		p.gate.names.Done(name, all)
	}, nil
}

// network is who an address stands for: of IPv6 a customer has at least 2^64.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Unmap().Is4() {
		return address
	}
	n, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return n.String()
}

func (p *People) locked(a store.Account) bool { return a.LockedUntil > store.TimeText(p.now()) }

// pause is how long an account is locked after so many wrong passwords in a row.
func (p *People) pause(failed int) time.Duration {
	if failed < lockFree {
		return 0
	}
	return min(lockMost, lockFirst<<min(failed-lockFree, 10))
}

func (p *People) refused(ctx context.Context, from web.Caller, id, why string) error {
	p.log.Warn("sign-in refused", "address", from.Address, "why", why, "known", id != "")
	if err := p.db.Refused(ctx, id, why, from.Address, p.pause); err != nil {
		return err
	}
	return web.ErrWrong
}

func busy(err error) error {
	if errors.Is(err, auth.ErrBusy) {
		return &web.SlowDown{Wait: 5 * time.Second}
	}
	return err
}

// pending says, sealed with the installation's key, that an account's password
// was right a short while ago. It is worth nothing without a code.
func (p *People) pending(a store.Account) string {
	text := fmt.Sprintf("%s.%d.%d", a.ID, a.Rights, p.now().Add(codeLife).Unix())
	return text + "." + p.mac(text)
}

func (p *People) mac(text string) string {
	return fmt.Sprintf("%x", p.db.Keyed("sign-in", []byte(text)))
}

func (p *People) pendingAccount(ctx context.Context, pending string) (a store.Account, err error) {
	parts := strings.Split(pending, ".")
	if len(parts) != 4 || !equal(p.mac(strings.Join(parts[:3], ".")), parts[3]) {
		return a, web.ErrTooLate
	}
	until, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || p.now().Unix() >= until {
		return a, web.ErrTooLate
	}
	a, found, err := p.db.AccountByID(ctx, parts[0])
	if err == nil && (!found || strconv.FormatInt(a.Rights, 10) != parts[1] || a.State != store.AccountActive || !a.TOTP) {
		err = web.ErrTooLate
	}
	return a, err
}

// signedIn begins the session with a token that nobody had before.
func (p *People) signedIn(ctx context.Context, from web.Caller, s store.SignIn) (in web.SignedIn, err error) {
	token := auth.NewSecret(p.env.Rand)
	s.Session, s.Life, s.Agent = auth.HashSecret(token), time.Duration(p.cfg.Absolute), agentName(from.Agent)
	_, err = p.db.SignedIn(ctx, s)
	if errors.Is(err, store.ErrNotSignedIn) {
		return in, p.refused(ctx, from, s.Account.ID, "code used, or account changed")
	}
	if err != nil {
		return in, err
	}
	return web.SignedIn{Token: token, Life: s.Life, Role: auth.Role(s.Account.Role)}, nil
}

// agentName is a browser and its system in a few words; what cannot be told is
// left out.
func agentName(agent string) string {
	first := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	browser := first("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := first("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	return strings.Join(slices.DeleteFunc([]string{browser, system}, func(s string) bool { return s == "" }), " · ")
}

// SignOut ends a visit.
func (p *People) SignOut(ctx context.Context, v web.Visit) error {
	err := p.db.EndSession(ctx, v.Account, v.Session, v.Login)
	if errors.Is(err, record.ErrNotFound) {
		return nil // it is over already
	}
	return err
}

// SetupOpen says with web.ErrSetupOver that a set-up token is good for nothing.
func (p *People) SetupOpen(ctx context.Context, token string) error {
	return told(p.db.SetupOpen(ctx, auth.HashSecret(token)))
}

// Setup makes the first account and signs it in.
func (p *People) Setup(ctx context.Context, from web.Caller, token string, n web.NewPerson) (in web.SignedIn, err error) {
	ctx, cancel := context.WithTimeout(ctx, signInBound)
	defer cancel()
	if err := p.SetupOpen(ctx, token); err != nil {
		return in, err // before anything is hashed
	}
	n.Role, n.MustChange = auth.Admin, false
	a, err := p.add(ctx, n, auth.HashSecret(token), "")
	if err != nil {
		return in, err
	}
	return p.signedIn(ctx, from, store.SignIn{Account: a})
}

// Prove checks the visitor's own password again.
func (p *People) Prove(ctx context.Context, v web.Visit, password string) error {
	ctx, cancel := context.WithTimeout(ctx, signInBound)
	defer cancel()
	done, err := p.begin(web.Caller{Address: "session " + v.Session}, "name "+v.Login)
	if err != nil {
		return err
	}
	a, found, err := p.db.AccountByID(ctx, v.Account)
	if err != nil {
		return err
	}
	ok, err := p.gate.hasher.Verify(ctx, a.Hash, password)
	if err != nil {
		return busy(err)
	}
	if !ok || !found {
		if err := p.refused(ctx, web.Caller{Address: "a session"}, a.ID, "password again"); !errors.Is(err, web.ErrWrong) {
			return err
		}
		return web.ErrOwnPassword
	}
	done(true)
	return p.db.SessionProved(ctx, auth.HashSecret(v.Token))
}

// told turns the store's words about accounts into those of the pages.
func told(err error) error {
	switch {
	case errors.Is(err, store.ErrSetupOver):
		return web.ErrSetupOver
	case errors.Is(err, store.ErrLoginTaken):
		return web.ErrLoginTaken
	case errors.Is(err, store.ErrLastAdmin):
		return web.ErrLastAdmin
	}
	return err
}
