package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc"
)

// People is who may sign in, with what, and what becomes of it. Secrets go in
// and come out; nothing keeps them.
type People interface {
	// HasAccounts says whether anybody has an account. From then on all have to
	// sign in.
	HasAccounts(ctx context.Context) (bool, error)
	// Visit finds who has a session token; false where it opens nothing (any more).
	Visit(ctx context.Context, token string) (Visit, bool, error)
	// Bearer finds who has an API token; false where it opens nothing (any more).
	Bearer(ctx context.Context, token string) (auth.Actor, bool, error)
	// SignIn checks a password. The error is ErrWrong, *SlowDown or none of the
	// reader's making.
	SignIn(ctx context.Context, from Caller, login, password string) (SignedIn, error)
	// SignInCode goes on with a sign-in that needs a code. ErrTooLate says that
	// it has to begin anew.
	SignInCode(ctx context.Context, from Caller, pending, code string) (SignedIn, error)
	// SignInFrom signs in whom the identity provider has signed in.
	SignInFrom(ctx context.Context, from Caller, who oidc.Person) (SignedIn, error)
	// SignOut ends a visit.
	SignOut(ctx context.Context, v Visit) error
	// SetupOpen says with ErrSetupOver that a set-up token is good for nothing.
	SetupOpen(ctx context.Context, token string) error
	// Setup makes the first account with a set-up token, and signs it in.
	Setup(ctx context.Context, from Caller, token string, n NewPerson) (SignedIn, error)
	// Prove checks the visitor's own password again: ErrOwnPassword, *SlowDown.
	Prove(ctx context.Context, v Visit, password string) error

	// Me reads the visitor's own account.
	Me(ctx context.Context, v Visit) (MyAccount, error)
	// SetPassword gives the visitor another password, and the visit another
	// token; all other sessions end. The error is an auth.Weak where it is one.
	SetPassword(ctx context.Context, v Visit, password string) (token string, err error)
	// BeginTwoStep gives a new key for the visitor's authenticator.
	BeginTwoStep(ctx context.Context, v Visit) (Authenticator, error)
	// WaitingTwoStep gives the key again, as long as no code confirmed it.
	WaitingTwoStep(ctx context.Context, v Visit) (Authenticator, error)
	// ConfirmTwoStep puts the authenticator in force with a code of it (else
	// ErrCode) and gives the recovery codes, which are shown once.
	ConfirmTwoStep(ctx context.Context, v Visit, code string) (recovery []string, err error)
	// EndTwoStep takes the visitor's authenticator away.
	EndTwoStep(ctx context.Context, v Visit) (token string, err error)
	// SetTaste keeps how the visitor wants the pages.
	SetTaste(ctx context.Context, v Visit, t Taste) error
	// EndSession ends one session of the visitor's, or all others with "".
	EndSession(ctx context.Context, v Visit, id string) error

	// Sees lists the scopes and masks that accounts and tokens can be given.
	Sees() (scopes, masks []string)
	// PersonsOf lists accounts by login name.
	PersonsOf(ctx context.Context, q PersonQuery) (PersonList, error)
	// Person reads one of them by the login name, with its sessions.
	Person(ctx context.Context, login string) (Person, error)
	// AddPerson makes an account; password is what it was given, shown once.
	AddPerson(ctx context.Context, by By, n NewPerson) (password string, err error)
	// ChangePerson changes an account's role or state.
	ChangePerson(ctx context.Context, by By, login string, c PersonChange) error
	// ResetPassword gives an account a password that has to be changed when it is
	// used, shown once.
	ResetPassword(ctx context.Context, by By, login string) (password string, err error)
	// ResetTwoStep takes an account's authenticator away.
	ResetTwoStep(ctx context.Context, by By, login string) error
	// EndSessionsOf ends all sessions of an account.
	EndSessionsOf(ctx context.Context, by By, login string) error

	// TokensOf lists API tokens, the newest first.
	TokensOf(ctx context.Context, q TokenQuery) (TokenList, error)
	// AddToken makes an API token; it is shown once.
	AddToken(ctx context.Context, by By, n NewToken) (token string, err error)
	// RevokeToken ends an API token of an account, or any with "".
	RevokeToken(ctx context.Context, by By, id, login string) error
}

// PersonQuery chooses accounts, by login name.
type PersonQuery struct {
	Text  string // in the login name or the name, in any case; "" for all
	After string // Next of the page before
	Limit int
}

// PersonList is one page of accounts.
type PersonList struct {
	List []Person
	Next string // After for the next page; "" at the end
	All  int    // accounts there are, whatever is asked for
}

// TokenQuery chooses API tokens, the newest first.
type TokenQuery struct {
	Login string // of an account; "" for all
	Text  string // in the name, the login name or the beginning, in any case; "" for all
	After string // Next of the page before
	Limit int
}

// TokenList is one page of API tokens.
type TokenList struct {
	List []APIToken
	Next string // After for the next page; "" at the end
	All  int    // tokens there are, whatever is asked for
}

// Why a sign-in or a change of an account is refused. The words are for the
// command line; the pages have their own.
var (
	ErrWrong       = errors.New("the name, the password or the code is wrong")
	ErrTooLate     = errors.New("this sign-in took too long: begin again")
	ErrSetupOver   = errors.New("this set-up link is used up or too old: restart the daemon for a new one, or add an account with touchstone user add LOGIN --role admin")
	ErrOwnPassword = errors.New("this is not your password")
	ErrSame        = errors.New("this is the password that is to be replaced")
	ErrCode        = errors.New("this is not the code of now")
	ErrLoginTaken  = errors.New("this login name is taken")
	ErrLastAdmin   = errors.New("this is the last active admin: make another one first")
	ErrRole        = errors.New("there is no such role; want viewer, steward, admin or auditor")
	ErrScope       = errors.New("there is no such permission, or the role does not have it")
)

// SlowDown says that too many tries went before: come back after Wait.
type SlowDown struct{ Wait time.Duration }

func (s *SlowDown) Error() string {
	return fmt.Sprintf("too many tries: wait %s", s.Wait.Round(time.Second))
}

// Caller is where a sign-in comes from.
type Caller struct {
	Address string // without the port
	Agent   string // what the browser says of itself
}

// Visit is a signed-in person at a browser.
type Visit struct {
	Actor      auth.Actor
	Account    string // id of the account
	Login      string
	Session    string // id of the session
	Token      string // what the cookie holds
	Fresh      bool   // the password was given a short while ago
	MustChange bool   // nothing but another password can be set
	TwoStep    bool
	Taste      Taste
}

// SignedIn is what came of a sign-in: a token for the cookie, or, where a code
// is needed too, what to go on with.
type SignedIn struct {
	Token   string
	Life    time.Duration
	Role    auth.Role
	Pending string
}

// NewPerson is an account to be made.
type NewPerson struct {
	Login, Name string
	Role        auth.Role
	Password    string // "": one is made up
	MustChange  bool
	// Reach and Masks are names of scopes and masks; none: all customers, all fields.
	Reach, Masks []string
}

// PersonChange says what is to be different; "" leaves a thing as it is.
type PersonChange struct {
	Role  auth.Role
	State string // active, disabled
	// Reach and Masks are the names of all its scopes and masks from now on; nil
	// leaves them.
	Reach, Masks *[]string
}

// Person is an account as it is shown.
type Person struct {
	ID, Login, Name   string
	Role              auth.Role
	State             string // active, disabled, locked
	TwoStep           bool
	MustChange        bool
	Created, SignedIn time.Time
	LockedUntil       time.Time
	Failed            int
	Reach, Masks      []string // names of scopes and masks; none: all customers, all fields
	Unknown           []string // of them those that the configuration does not have: no customer is seen
	Sessions          []SessionRow
}

// MyAccount is the visitor's own account.
type MyAccount struct {
	Person
	Recovery int // codes left
	Tokens   []APIToken
}

// SessionRow is one sign-in that goes on.
type SessionRow struct {
	ID            string
	Created, Seen time.Time
	Ends          time.Time
	Agent         string
	Here          bool
}

// Authenticator is a key for one, which is shown until a code confirms it.
type Authenticator struct {
	Text    string // in groups of four
	Address string // otpauth://…
}

// APIToken is a token as it is shown.
type APIToken struct {
	ID, Shown, Name, Login string
	Role                   auth.Role
	Scopes                 []string
	Reach, Masks           []string // names of scopes and masks of its own
	Unknown                []string // of them those that the configuration does not have
	Created, Expires, Used time.Time
	CreatedBy              string
	State                  string // active, expired, revoked
}

// NewToken is a token to be made: of an account, or of a machine with a role.
type NewToken struct {
	Name   string
	Login  string // "" for a machine's
	Role   auth.Role
	Scopes []string
	Reach  []string // names of scopes: no more customers than these
	Masks  []string
	Days   int // how long it is good; 0 for ever
}
