package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"touchstone/config"
	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

func (c *cli) userCmd() *cobra.Command {
	cmd := group("user", "People who may sign in, their sessions, and API tokens")
	cmd.AddCommand(c.userAddCmd(), c.userListCmd(), c.userSetCmd(), c.userRoleCmd(), c.userStateCmd("disable", "disabled", "Keep an account from signing in; its sessions end and its tokens open nothing"),
		c.userStateCmd("enable", "active", "Let a disabled account sign in again"), c.userPasswordCmd(), c.userTOTPCmd(), c.userSessionsCmd(), c.userTokenCmd())
	return cmd
}

// onPeople runs fn beside a daemon, or, where nothing was run yet, alone.
func (c *cli) onPeople(fn func(context.Context, *app.People, []string) error) func(*cobra.Command, []string) error {
	run := func(ctx context.Context, a *app.App, n []string) error { return usage(fn(ctx, a.People(), n)) }
	return func(cmd *cobra.Command, n []string) error {
		err := c.withApp(run)(cmd, n)
		if errors.Is(err, fs.ErrNotExist) {
			return c.withQuietApp(run)(cmd, n)
		}
		return err
	}
}

// usage makes what was asked wrongly a wrong usage.
func usage(err error) error {
	var weak auth.Weak
	var problem *web.Problem
	for _, e := range []error{auth.ErrLogin, web.ErrLoginTaken, web.ErrLastAdmin, web.ErrRole, web.ErrScope} {
		if errors.Is(err, e) {
			return usageError{err}
		}
	}
	if errors.As(err, &weak) || errors.As(err, &problem) {
		return usageError{err}
	}
	return err
}

func (c *cli) by() web.By { return web.By{Who: who()} }

// maxPasswordLine bounds what is read from standard input, in bytes.
const maxPasswordLine = 4096

// password asks for a password twice without showing it, or reads the first
// line of standard input where nobody types.
func (c *cli) password(what string) (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, maxPasswordLine)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usageError{errors.New("standard input has no password on its first line; or let one be made up: --generate")}
		}
		return line, nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(c.err, prompt)
		b, err := term.ReadPassword(in)
		fmt.Fprintln(c.err)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return string(b), nil
	}
	first, err := ask(what + ": ")
	if err != nil {
		return "", err
	}
	if err := auth.CheckPassword(first); err != nil { // before it is typed again
		return "", usageError{err}
	}
	again, err := ask("The same once more: ")
	if err == nil && first != again {
		err = usageError{errors.New("the two passwords are not the same; nothing was changed")}
	}
	return first, err
}

func (c *cli) userAddCmd() *cobra.Command {
	var name, role string
	var generate, must bool
	var reach, masks []string
	cmd := &cobra.Command{
		Use: "add LOGIN", Short: "Add an account", Args: args(cobra.ExactArgs(1)),
		Long: "Add an account. The password is asked for, or read from the first line of standard input.\nOnce there is an account everybody signs in, at this machine too. The first one is best an admin.",
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			person := web.NewPerson{Login: n[0], Name: name, Role: auth.Role(role), MustChange: must, Reach: reach, Masks: masks}
			if !slices.Contains(auth.PersonRoles(), person.Role) {
				return web.ErrRole // before a password is asked for
			}
			if !generate {
				var err error
				if person.Password, err = c.password("Password for " + plain(n[0])); err != nil {
					return err
				}
			}
			given, err := p.AddPerson(ctx, c.by(), person)
			if err != nil {
				return err
			}
			return c.showPassword(n[0], given, generate, "added "+n[0]+" as "+role)
		}),
	}
	cmd.Flags().StringVar(&role, "role", string(auth.Viewer), "what the account may do: viewer, steward, admin, auditor")
	seesFlags(cmd, &reach, &masks)
	cmd.Flags().StringVar(&name, "name", "", "name, as others see it; without it the login name")
	cmd.Flags().BoolVar(&generate, "generate", false, "make a password up and print it; it has to be changed when it is used")
	cmd.Flags().BoolVar(&must, "must-change", false, "the password has to be changed when it is used")
	return cmd
}

// showPassword tells what was done, with a password that was made up.
func (c *cli) showPassword(login, password string, made bool, done string) error {
	out := map[string]string{"login": login}
	if made {
		out["password"] = password
	}
	return c.print(out, func() {
		fmt.Fprintln(c.out, plain(done))
		if made {
			fmt.Fprintln(c.out, "password, shown only now:", password)
		}
	})
}

// shownPerson is an account as it is printed.
type shownPerson struct {
	Login      string    `json:"login"`
	Name       string    `json:"name"`
	Role       auth.Role `json:"role"`
	State      string    `json:"state"`
	TwoStep    bool      `json:"two_step"`
	MustChange bool      `json:"must_change,omitempty"`
	Reach      []string  `json:"reach,omitempty"`
	Masks      []string  `json:"masks,omitempty"`
	Unknown    []string  `json:"unknown,omitempty"` // scopes and masks that the configuration does not have: no customer is seen
	Created    time.Time `json:"created"`
	SignedIn   time.Time `json:"signed_in,omitzero"`
}

func (c *cli) userListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the accounts", Args: args(cobra.NoArgs),
		RunE: c.onPeople(func(ctx context.Context, p *app.People, _ []string) error {
			people, err := p.Persons(ctx)
			if err != nil {
				return err
			}
			list := make([]shownPerson, len(people))
			rows := make([][]any, len(people))
			for i, x := range people {
				list[i] = shownPerson{x.Login, x.Name, x.Role, x.State, x.TwoStep, x.MustChange, x.Reach, x.Masks, x.Unknown, x.Created, x.SignedIn}
				rows[i] = []any{x.Login, x.Name, x.Role, x.State, seesText(x.Reach, x.Masks, x.Unknown), onOff(x.TwoStep), minuteOr(x.SignedIn, "never")}
			}
			return c.print(list, func() {
				if len(list) == 0 {
					fmt.Fprintln(c.out, "nobody has an account; touchstone user add LOGIN --role admin adds the first")
					return
				}
				c.table([]string{"login", "name", "role", "state", "sees", "two-step", "last sign-in"}, rows)
			})
		}),
	}
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func minuteOr(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.Format("2006-01-02 15:04")
}

// said prints one sentence about an account, or the account's name as JSON.
func (c *cli) said(login, sentence string) error {
	return c.print(map[string]string{"login": login}, func() { fmt.Fprintln(c.out, plain(sentence)) })
}

func (c *cli) userRoleCmd() *cobra.Command {
	return &cobra.Command{
		Use: "role LOGIN ROLE", Short: "Give an account another role; its sessions end", Args: args(cobra.ExactArgs(2)),
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			if err := p.ChangePerson(ctx, c.by(), n[0], web.PersonChange{Role: auth.Role(n[1])}); err != nil {
				return err
			}
			return c.said(n[0], n[0]+" is "+n[1])
		}),
	}
}

func (c *cli) userStateCmd(use, state, short string) *cobra.Command {
	return &cobra.Command{
		Use: use + " LOGIN", Short: short, Args: args(cobra.ExactArgs(1)),
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			if err := p.ChangePerson(ctx, c.by(), n[0], web.PersonChange{State: state}); err != nil {
				return err
			}
			return c.said(n[0], n[0]+" is "+state)
		}),
	}
}

func (c *cli) userPasswordCmd() *cobra.Command {
	var generate, must bool
	cmd := &cobra.Command{
		Use: "password LOGIN", Short: "Give an account another password; its sessions end", Args: args(cobra.ExactArgs(1)),
		Long: "Give an account another password, which is asked for, or read from the first line of standard input. It takes a lock away too.",
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			if _, err := p.Person(ctx, n[0]); err != nil {
				return err // before a password is typed
			}
			if generate {
				given, err := p.ResetPassword(ctx, c.by(), n[0])
				if err != nil {
					return err
				}
				return c.showPassword(n[0], given, true, n[0]+" has another password, to be changed when it is used")
			}
			given, err := c.password("New password for " + plain(n[0]))
			if err != nil {
				return err
			}
			if err := p.GivePassword(ctx, c.by(), n[0], given, must); err != nil {
				return err
			}
			return c.said(n[0], n[0]+" has another password")
		}),
	}
	cmd.Flags().BoolVar(&generate, "generate", false, "make a password up and print it; it has to be changed when it is used")
	cmd.Flags().BoolVar(&must, "must-change", false, "the password has to be changed when it is used")
	return cmd
}

func (c *cli) userTOTPCmd() *cobra.Command {
	cmd := group("totp", "The second step of signing in")
	cmd.AddCommand(&cobra.Command{
		Use: "reset LOGIN", Short: "Take an account's authenticator and recovery codes away; its sessions end", Args: args(cobra.ExactArgs(1)),
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			if err := p.ResetTwoStep(ctx, c.by(), n[0]); err != nil {
				return err
			}
			return c.said(n[0], n[0]+" signs in by password alone")
		}),
	})
	return cmd
}

// shownSession is a session as it is printed.
type shownSession struct {
	ID    string    `json:"id"`
	Agent string    `json:"agent"`
	Began time.Time `json:"began"`
	Used  time.Time `json:"used"`
	Ends  time.Time `json:"ends"`
}

func (c *cli) userSessionsCmd() *cobra.Command {
	var end bool
	cmd := &cobra.Command{
		Use: "sessions LOGIN", Short: "List an account's sessions, or end them", Args: args(cobra.ExactArgs(1)),
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			if end {
				if err := p.EndSessionsOf(ctx, c.by(), n[0]); err != nil {
					return err
				}
				return c.said(n[0], "the sessions of "+n[0]+" have ended")
			}
			person, err := p.Person(ctx, n[0])
			if err != nil {
				return err
			}
			list := make([]shownSession, len(person.Sessions))
			rows := make([][]any, len(list))
			for i, s := range person.Sessions {
				list[i] = shownSession{s.ID, s.Agent, s.Created, s.Seen, s.Ends}
				rows[i] = []any{s.ID, s.Agent, minuteOr(s.Created, ""), minuteOr(s.Seen, ""), minuteOr(s.Ends, "")}
			}
			return c.print(list, func() { c.table([]string{"id", "browser", "began", "used", "ends"}, rows) })
		}),
	}
	cmd.Flags().BoolVar(&end, "end", false, "end all of them")
	return cmd
}

func (c *cli) userTokenCmd() *cobra.Command {
	cmd := group("token", "API tokens: what programs ask with, as Authorization: Bearer")
	cmd.AddCommand(c.tokenAddCmd(), c.tokenListCmd(), &cobra.Command{
		Use: "revoke ID", Short: "End a token", Args: args(cobra.ExactArgs(1)),
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			if err := p.RevokeToken(ctx, c.by(), n[0], ""); err != nil {
				return err
			}
			return c.print(map[string]string{"id": n[0]}, func() { fmt.Fprintln(c.out, "token", plain(n[0]), "is revoked") })
		}),
	})
	return cmd
}

func (c *cli) tokenAddCmd() *cobra.Command {
	var login, role, life string
	var scopes, reach, masks []string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make a token and print it, this once", Args: args(cobra.ExactArgs(1)),
		Long:    "Make a token and print it, this once. It is a machine's, with a role, or an account's, which it never may more than.\nScopes narrow it: " + scopeNames() + ".",
		Example: "touchstone user token add nightly-export --role machine --scope see --scope customers --expires 90d",
		RunE: c.onPeople(func(ctx context.Context, p *app.People, n []string) error {
			t := web.NewToken{Name: n[0], Login: login, Role: auth.Role(cmp.Or(role, string(auth.Machine))), Scopes: scopes, Reach: reach, Masks: masks}
			if login != "" && role != "" {
				return usageError{errors.New("--user and --role: a token of an account has the account's role")}
			}
			d, err := config.ParseDuration(life)
			if err != nil || d < 0 || d > 0 && time.Duration(d) < 24*time.Hour {
				return usageError{fmt.Errorf("--expires %s: want days, like 90d, or 0 for a token that does not end", life)}
			}
			t.Days = int(time.Duration(d) / (24 * time.Hour))
			token, err := p.AddToken(ctx, c.by(), t)
			if err != nil {
				return err
			}
			return c.print(map[string]string{"name": n[0], "token": token}, func() { fmt.Fprintln(c.out, token) })
		}),
	}
	cmd.Flags().StringVar(&login, "user", "", "whose token it is; without it a machine's")
	cmd.Flags().StringVar(&role, "role", "", "what a machine's token may do: machine (default), viewer, steward, admin, auditor")
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "narrow the token to this permission; may be given more than once")
	cmd.Flags().StringSliceVar(&reach, "reach", nil, "only the customers of this scope of the configuration (access.scopes); may be given more than once")
	cmd.Flags().StringSliceVar(&masks, "mask", nil, "without the fields of this mask of the configuration (access.masks); may be given more than once")
	cmd.Flags().StringVar(&life, "expires", "90d", "how long it is good; 0 for ever")
	return cmd
}

func scopeNames() string {
	var names []string
	for _, p := range auth.Permissions() {
		if p != auth.Open {
			names = append(names, string(p))
		}
	}
	return strings.Join(names, ", ")
}

// shownToken is a token as it is printed.
type shownToken struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Login   string    `json:"login,omitempty"`
	Role    auth.Role `json:"role"`
	Scopes  []string  `json:"scopes,omitempty"`
	Reach   []string  `json:"reach,omitempty"`
	Masks   []string  `json:"masks,omitempty"`
	Begins  string    `json:"begins"`
	State   string    `json:"state"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Used    time.Time `json:"used,omitzero"`
}

func (c *cli) tokenListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the tokens", Args: args(cobra.NoArgs),
		RunE: c.onPeople(func(ctx context.Context, p *app.People, _ []string) error {
			tokens, err := p.Tokens(ctx, "")
			if err != nil {
				return err
			}
			list := make([]shownToken, len(tokens))
			rows := make([][]any, len(tokens))
			for i, t := range tokens {
				list[i] = shownToken{t.ID, t.Name, t.Login, t.Role, t.Scopes, t.Reach, t.Masks, t.Shown, t.State, t.Created, t.Expires, t.Used}
				rows[i] = []any{t.ID, t.Name, cmp.Or(t.Login, string(t.Role)), cmp.Or(strings.Join(t.Scopes, ", "), "all of the role"), seesText(t.Reach, t.Masks, t.Unknown), t.Shown + "…", t.State, minuteOr(t.Expires, "does not end"), minuteOr(t.Used, "never")}
			}
			return c.print(list, func() {
				c.table([]string{"id", "name", "whose", "may", "sees", "begins", "state", "ends", "used"}, rows)
			})
		}),
	}
}
