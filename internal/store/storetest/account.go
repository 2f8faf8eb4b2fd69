package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func accounts() []subtest {
	return []subtest{
		{"AccountsAreAddedAndChanged", accountsChange},
		{"AccountsAreListedInPages", accountPages},
		{"TheLastAdminStays", lastAdmin},
		{"TheSetupTokenMakesOneAccount", setupOnce},
		{"SessionsEndWithTheRightsTheyBeganWith", sessionsEnd},
		{"CodesAreUsedOnce", codesOnce},
		{"WrongPasswordsLockAnAccount", wrongLocks},
		{"TokensEnd", tokensEnd},
	}
}

func (b *Bench) account(login, role string) store.Account {
	b.Helper()
	a, err := b.DB.AddAccount(b.Context(), store.NewAccount{Login: login, Name: login, Role: role, Hash: "hash of " + login}, "test")
	b.Must(err)
	a, found, err := b.DB.AccountByID(b.Context(), a.ID)
	if err != nil || !found {
		b.Fatalf("the account that was just added: %v, %v", found, err)
	}
	return a
}

// begin signs an account in, as it is now.
func (b *Bench) begin(id, token string) {
	b.Helper()
	a, _, err := b.DB.AccountByID(b.Context(), id)
	b.Must(err)
	_, err = b.DB.SignedIn(b.Context(), store.SignIn{Account: a, Session: []byte(token), Life: time.Hour, Agent: "test"})
	b.Must(err)
}

func (b *Bench) lives(token string, want bool) {
	b.Helper()
	_, _, found, err := b.DB.SessionOf(b.Context(), []byte(token), 30*time.Minute)
	if err != nil || found != want {
		b.Errorf("session %s goes on: %v, %v, want %v", token, found, err, want)
	}
}

func accountsChange(b *Bench) {
	ctx := b.Context()
	if has, err := b.DB.HasAccounts(ctx); err != nil || has {
		b.Fatalf("accounts in an empty store: %v, %v", has, err)
	}
	ann, bob := b.account("ann", "admin"), b.account("bob", "steward")
	if has, err := b.DB.HasAccounts(ctx); err != nil || !has {
		b.Fatalf("accounts in a store with two: %v, %v", has, err)
	}
	if _, err := b.DB.AddAccount(ctx, store.NewAccount{Login: "ann", Role: "viewer"}, "test"); !errors.Is(err, store.ErrLoginTaken) {
		b.Errorf("a second ann: %v, want ErrLoginTaken", err)
	}
	viewer, name, hash := "viewer", "Bob B.", "another"
	b.Must(b.DB.ChangeAccount(ctx, bob.ID, store.AccountChange{Role: &viewer, Name: &name}, ann.ID))
	b.Must(b.DB.ChangeAccount(ctx, bob.ID, store.AccountChange{Hash: &hash, MustChange: true}, ann.ID))
	list, err := b.DB.Accounts(ctx)
	b.Must(err)
	bob.Role, bob.Name, bob.Hash, bob.MustChange, bob.Rights = viewer, name, hash, true, 3
	same(b, "accounts", list, []store.Account{ann, bob})
	if err := b.DB.ChangeAccount(ctx, "nobody", store.AccountChange{Role: &viewer}, ann.ID); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("changing nobody: %v, want ErrNotFound", err)
	}
	audited(b, "account.role", "bob", 1)
	audited(b, "account.password", "bob", 1)
	audited(b, "account.add", "ann", 1)
}

func accountPages(b *Bench) {
	ctx := b.Context()
	for i := range 1203 {
		name := fmt.Sprint("Number ", i)
		if i%400 == 1 {
			name = "Élodie 王"
		}
		_, err := b.DB.AddAccount(ctx, store.NewAccount{Login: fmt.Sprintf("p%04d", i), Name: name, Role: "viewer"}, "test")
		b.Must(err)
	}
	all, err := b.DB.CountAccounts(ctx)
	b.Must(err)
	same(b, "accounts", all, 1203)
	for _, tt := range []struct {
		q    store.AccountQuery
		want []string
		more bool
	}{
		{store.AccountQuery{Limit: 2}, []string{"p0000", "p0001"}, true},
		{store.AccountQuery{Limit: 2, After: "p1200"}, []string{"p1201", "p1202"}, false},
		{store.AccountQuery{Limit: 2, After: "p1202"}, nil, false},
		{store.AccountQuery{Limit: 3, Text: " éLODIE"}, []string{"p0001", "p0401", "p0801"}, true},
		{store.AccountQuery{Limit: 3, Text: "王", After: "p0401"}, []string{"p0801", "p1201"}, false},
		{store.AccountQuery{Limit: 2, Text: "P120"}, []string{"p1200", "p1201"}, true},
		{store.AccountQuery{Limit: 2, Text: "%"}, nil, false},
	} {
		list, more, err := b.DB.AccountPage(ctx, tt.q)
		b.Must(err)
		var got []string
		for _, a := range list {
			got = append(got, a.Login)
		}
		same(b, fmt.Sprintf("accounts %+v", tt.q), got, tt.want)
		same(b, fmt.Sprintf("accounts %+v: more", tt.q), more, tt.more)
	}
}

func audited(b *Bench, what, subject string, want int) {
	b.Helper()
	n, err := b.DB.Audited(b.Context(), what, subject)
	b.Must(err)
	same(b, what+" of "+subject+" in the audit", n, want)
}

func lastAdmin(b *Bench) {
	ctx := b.Context()
	ann := b.account("ann", "admin")
	viewer, disabled := "viewer", store.AccountDisabled
	for _, c := range []store.AccountChange{{Role: &viewer}, {State: &disabled}} {
		if err := b.DB.ChangeAccount(ctx, ann.ID, c, ann.ID); !errors.Is(err, store.ErrLastAdmin) {
			b.Errorf("taking the last admin away by %+v: %v, want ErrLastAdmin", c, err)
		}
	}
	bob := b.account("bob", "admin")
	b.Must(b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{State: &disabled}, bob.ID))
	if err := b.DB.ChangeAccount(ctx, bob.ID, store.AccountChange{Role: &viewer}, bob.ID); !errors.Is(err, store.ErrLastAdmin) {
		b.Errorf("a disabled admin counts for one: %v, want ErrLastAdmin", err)
	}
}

func setupOnce(b *Bench) {
	ctx := b.Context()
	first := func(token string) error {
		_, err := b.DB.AddAccount(ctx, store.NewAccount{Login: "ann", Role: "admin", Setup: []byte(token)}, "")
		return err
	}
	if err := first("guess"); !errors.Is(err, store.ErrSetupOver) {
		b.Errorf("a token that was never offered: %v, want ErrSetupOver", err)
	}
	offer := func(token string, want bool) {
		b.Helper()
		ok, err := b.DB.OfferSetup(ctx, []byte(token), time.Hour)
		if err != nil || ok != want {
			b.Errorf("offering %s: %v, %v, want %v", token, ok, err, want)
		}
	}
	offer("one", true)
	b.Clock.Advance(2 * time.Hour)
	if err := first("one"); !errors.Is(err, store.ErrSetupOver) {
		b.Errorf("a token of two hours: %v, want ErrSetupOver", err)
	}
	offer("two", true)
	offer("three", true)
	if err := first("two"); !errors.Is(err, store.ErrSetupOver) {
		b.Errorf("a token that another took the place of: %v, want ErrSetupOver", err)
	}
	b.Must(b.DB.SetupOpen(ctx, []byte("three")))
	b.Must(first("three"))
	if err := first("three"); !errors.Is(err, store.ErrSetupOver) {
		b.Errorf("the same token again: %v, want ErrSetupOver", err)
	}
	offer("four", false)
}

func sessionsEnd(b *Bench) {
	ctx := b.Context()
	b.account("root", "admin")
	ann := b.account("ann", "steward")
	b.begin(ann.ID, "first")
	b.lives("first", true)
	b.lives("guess", false)
	b.Clock.Advance(20 * time.Minute)
	b.Must(b.DB.SessionSeen(ctx, []byte("first")))
	b.Clock.Advance(20 * time.Minute)
	b.lives("first", true) // idle since 20 minutes
	b.Must(b.DB.SessionSeen(ctx, []byte("first")))
	b.Clock.Advance(21 * time.Minute)
	b.lives("first", false) // an hour since it began

	viewer, disabled, active, hash := "viewer", store.AccountDisabled, store.AccountActive, "new"
	changes := []struct {
		name string
		do   func() error
	}{
		{"role", func() error { return b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{Role: &viewer}, "root") }},
		{"password", func() error { return b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{Hash: &hash}, "root") }},
		{"authenticator", func() error { return b.DB.DropTOTP(ctx, ann.ID, nil, "root") }},
		{"all", func() error { return b.DB.EndSessions(ctx, ann.ID, nil, "root") }},
		{"state", func() error { return b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{State: &disabled}, "root") }},
	}
	for _, c := range changes {
		b.begin(ann.ID, "before "+c.name)
		before, _, err := b.DB.AccountByID(ctx, ann.ID)
		b.Must(err)
		b.Must(c.do())
		b.lives("before "+c.name, false)
		if c.name == "all" {
			continue
		}
		late := store.SignIn{Account: before, Session: []byte("late " + c.name), Life: time.Hour}
		if _, err := b.DB.SignedIn(ctx, late); !errors.Is(err, store.ErrNotSignedIn) {
			b.Errorf("a sign-in that began before another %s: %v, want ErrNotSignedIn", c.name, err)
		}
	}
	b.Must(b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{State: &active}, "root"))

	b.begin(ann.ID, "mine")
	b.begin(ann.ID, "other")
	b.Must(b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{Hash: &hash, Keep: []byte("mine")}, ann.ID))
	b.lives("mine", true)
	b.lives("other", false)
	b.Must(b.DB.RenewSession(ctx, []byte("mine"), []byte("renewed")))
	b.lives("mine", false)
	b.lives("renewed", true)

	for i := range 30 {
		b.begin(ann.ID, fmt.Sprint("many ", i))
	}
	list, err := b.DB.Sessions(ctx, ann.ID, time.Hour)
	b.Must(err)
	same(b, "sessions of one account", len(list), 20)
	b.lives("many 29", true)
	b.Must(b.DB.EndSession(ctx, ann.ID, list[0].ID, ann.ID))
	b.lives("many 29", false)
	if err := b.DB.EndSession(ctx, "somebody else", list[1].ID, ann.ID); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("ending somebody else's session: %v, want ErrNotFound", err)
	}
}

func codesOnce(b *Bench) {
	ctx := b.Context()
	ann := b.account("ann", "admin")
	key := []byte("12345678901234567890")
	b.Must(b.DB.SetTOTP(ctx, ann.ID, key))
	b.Must(b.DB.ConfirmTOTP(ctx, ann.ID, 100, []string{"code-1", "code-2"}))
	a, _, err := b.DB.AccountByID(ctx, ann.ID)
	b.Must(err)
	same(b, "key of the authenticator", string(a.TOTPKey), string(key))
	if err := b.DB.SetTOTP(ctx, ann.ID, key); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("another authenticator over one in force: %v, want ErrNotFound", err)
	}
	tries := []struct {
		name     string
		step     int64
		recovery string
		want     error
	}{
		{"no code", 0, "", store.ErrNotSignedIn},
		{"the step of the confirmation", 100, "", store.ErrNotSignedIn},
		{"a step before", 99, "", store.ErrNotSignedIn},
		{"the next", 101, "", nil},
		{"the same again", 101, "", store.ErrNotSignedIn},
		{"a recovery code", 0, "code-1", nil},
		{"the same again", 0, "code-1", store.ErrNotSignedIn},
		{"one that is none", 0, "code-9", store.ErrNotSignedIn},
	}
	for i, tt := range tries {
		_, err := b.DB.SignedIn(ctx, store.SignIn{Account: a, Step: tt.step, Recovery: tt.recovery, Session: []byte{byte(i + 1)}, Life: time.Hour})
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			b.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	n, err := b.DB.RecoveryLeft(ctx, ann.ID)
	b.Must(err)
	same(b, "recovery codes left", n, 1)
	b.Must(b.DB.DropTOTP(ctx, ann.ID, nil, "test"))
	a, _, err = b.DB.AccountByID(ctx, ann.ID)
	b.Must(err)
	if n, err = b.DB.RecoveryLeft(ctx, ann.ID); err != nil || n != 0 || a.TOTP || len(a.TOTPKey) > 0 {
		b.Errorf("after the reset: %d codes, %v, authenticator %v", n, err, a.TOTP)
	}
}

func wrongLocks(b *Bench) {
	ctx := b.Context()
	ann := b.account("ann", "admin")
	pause := func(n int) time.Duration {
		if n < 3 {
			return 0
		}
		return time.Duration(n) * time.Minute
	}
	for range 3 {
		b.Must(b.DB.Refused(ctx, ann.ID, "password", "192.0.2.1", pause))
	}
	a, _, err := b.DB.AccountByID(ctx, ann.ID)
	b.Must(err)
	now := record.FormatTime(b.Clock.Now())
	if a.Failed != 3 || a.LockedUntil <= now {
		b.Errorf("after three wrong passwords: %d failed, locked until %q at %s", a.Failed, a.LockedUntil, now)
	}
	b.Must(b.DB.Refused(ctx, "", "password", "192.0.2.1", pause))
	audited(b, "session.refused", "ann", 3)
	audited(b, "session.refused", "unknown", 1)
	b.begin(ann.ID, "s")
	a, _, err = b.DB.AccountByID(ctx, ann.ID)
	b.Must(err)
	if a.Failed != 0 || a.LockedUntil != "" {
		b.Errorf("after a sign-in: %d failed, locked until %q", a.Failed, a.LockedUntil)
	}
}

func tokensEnd(b *Bench) {
	ctx := b.Context()
	b.account("root", "admin")
	ann := b.account("ann", "steward")
	add := func(hash string, t store.APIToken) store.APIToken {
		b.Helper()
		t, err := b.DB.AddToken(ctx, t, []byte(hash), "root")
		b.Must(err)
		return t
	}
	good := func(hash string, want bool) (t store.APIToken) {
		b.Helper()
		t, found, err := b.DB.TokenOf(ctx, []byte(hash))
		if err != nil || found != want {
			b.Errorf("token %s opens: %v, %v, want %v", hash, found, err, want)
		}
		return t
	}
	hers := add("hers", store.APIToken{Name: "export", Account: ann.ID, Role: "admin", Scopes: []string{"see", "export"}})
	add("machine", store.APIToken{Name: "shop", Role: "machine", Expires: record.FormatTime(b.Clock.Now().Add(time.Hour))})
	same(b, "role of a token of ann", good("hers", true).Role, "steward") // hers, whatever was asked for
	same(b, "role of a machine's token", good("machine", true).Role, "machine")
	good("guess", false)
	b.Must(b.DB.TokenUsed(ctx, hers.ID))
	b.Clock.Advance(2 * time.Hour)
	good("machine", false)
	disabled, active := store.AccountDisabled, store.AccountActive
	b.Must(b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{State: &disabled}, "root"))
	good("hers", false)
	b.Must(b.DB.ChangeAccount(ctx, ann.ID, store.AccountChange{State: &active}, "root"))
	if t := good("hers", true); t.Used == "" || t.Login != "ann" || len(t.Scopes) != 2 {
		b.Errorf("token of ann: %+v", t)
	}
	if err := b.DB.RevokeToken(ctx, hers.ID, "somebody else", "x"); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("revoking somebody else's token: %v, want ErrNotFound", err)
	}
	b.Must(b.DB.RevokeToken(ctx, hers.ID, ann.ID, ann.ID))
	good("hers", false)
	all, err := b.DB.Tokens(ctx, "")
	b.Must(err)
	own, err := b.DB.Tokens(ctx, ann.ID)
	b.Must(err)
	same(b, "tokens: all, hers", []int{len(all), len(own)}, []int{2, 1})
	for i := range 5 {
		add(fmt.Sprint("more", i), store.APIToken{Name: fmt.Sprintf("Ähre %d", i), Shown: fmt.Sprintf("ts_%d", i), Role: "machine"})
	}
	n, err := b.DB.CountTokens(ctx)
	b.Must(err)
	same(b, "tokens there are", n, 7)
	if all, err = b.DB.Tokens(ctx, ""); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		what string
		q    store.TokenQuery
		want []string
	}{
		{"all", store.TokenQuery{Limit: 2}, tokenIDs(all)},
		{"of ann", store.TokenQuery{Limit: 2, Account: ann.ID}, []string{hers.ID}},
		{"with a text in any case", store.TokenQuery{Limit: 2, Text: " äHRE"}, tokenIDs(all[:5])},
		{"of a login name", store.TokenQuery{Limit: 2, Text: "ANN"}, []string{hers.ID}},
		{"by its beginning", store.TokenQuery{Limit: 2, Text: "ts_3"}, []string{all[slices.IndexFunc(all, func(t store.APIToken) bool { return t.Shown == "ts_3" })].ID}},
		{"of nothing", store.TokenQuery{Limit: 2, Text: "zzz"}, nil},
		{"behind what is not there", store.TokenQuery{Limit: 2, After: "t-none"}, nil},
	} {
		var got []string
		for more := true; more; {
			var page []store.APIToken
			page, more, err = b.DB.TokenPage(ctx, c.q)
			b.Must(err)
			if len(page) > 0 {
				c.q.After = page[len(page)-1].ID
			}
			got = append(got, tokenIDs(page)...)
		}
		same(b, "tokens "+c.what+", page by page", got, c.want)
	}
}

func tokenIDs(list []store.APIToken) (ids []string) {
	for _, t := range list {
		ids = append(ids, t.ID)
	}
	return ids
}
