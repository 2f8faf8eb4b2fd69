package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"touchstone/config"
	"touchstone/internal/api"
	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc"
	"touchstone/internal/env"
	"touchstone/internal/web"
)

// daemonLog writes as the configuration wants it; --verbose writes everything.
func (c *cli) daemonLog(cfg config.Log) *slog.Logger {
	opts := &slog.HandlerOptions{Level: slog.LevelInfo}
	var level slog.Level
	if level.UnmarshalText([]byte(cfg.Level)) == nil {
		opts.Level = level
	}
	if c.verbose {
		opts.Level = slog.LevelDebug
	}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(c.err, opts))
	}
	return slog.New(slog.NewTextHandler(c.err, opts))
}

// serve runs the daemon with its page until ctx ends. SIGHUP makes it read its
// configuration anew.
func (c *cli) serve(ctx context.Context, a *app.App, listen string, show bool) error {
	token := a.Config.Server.APIToken.Reveal()
	if token == "" {
		if err := onLoopback(listen); err != nil {
			return err
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen for pages: %w", err)
	}
	address := "http://" + l.Addr().String() + "/"
	d := app.NewDaemon(a, func() (*config.Config, error) { return config.Load(c.config, c.loadOptions(false)) })
	d.Page = address
	pages := &swapping{}
	page := func(a *app.App) {
		server := a.Config.Server
		provider, err := identityProvider(server.OIDC)
		if err != nil {
			a.Log.Error("the identity provider cannot be asked", "err", err)
			provider = unasked{err} // nobody gets in by it; the pages do not open for all
		}
		if t := server.APIToken.Reveal(); t != "" || config.OnLoopback(listen) {
			token = t // a new configuration does not open what listens already
		}
		pages.set(web.New(a, web.Options{
			Env: env.Real(), Log: a.Log, Health: a.Healthy, Ready: d.Ready, Metrics: a.Metrics(), Tracer: a.Tracer(),
			ShowValues: true, // only who sits here, or has the token, gets to any page
			Token:      token, Hosts: server.Hosts, Addresses: !config.OnLoopback(listen),
			LookUp: a, Reconcile: server.Reconcile.Reveal(), People: a.People(), Demo: c.demoPage, Ending: ctx.Done(), Proxies: server.Networks(),
			Provider: provider, ProviderName: server.OIDC.Name,
			Mount: func(handle func(string, auth.Permission, auth.Narrow, http.HandlerFunc)) {
				api.Mount(a, api.Options{Env: env.Real(), Log: a.Log}, handle)
			},
		}))
	}
	page(a)
	d.Changed = page
	srv := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	if a.Config.Log.Format == "json" && !show {
		a.Log.Info("serving", "address", address)
	} else {
		fmt.Fprintf(c.err, "Touchstone is at %s\n", address)
	}
	if !c.demoPage {
		if err := c.offerSetup(ctx, a, address); err != nil {
			return err
		}
	}
	if show {
		openBrowser(ctx, address)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.Run(ctx) })
	g.Go(func() error { return serveUntil(ctx, srv, l) })
	g.Go(func() error { return hangups(ctx, d) })
	if err := systemd(ctx, "READY=1"); err != nil {
		a.Log.Warn("the service manager could not be told", "err", err)
	}
	context.AfterFunc(ctx, func() { _ = systemd(context.WithoutCancel(ctx), "STOPPING=1") }) // it sees the end as well
	return g.Wait()
}

// unasked is an identity provider that cannot be asked.
type unasked struct{ err error }

func (u unasked) Begin(string, string) (string, string, error) {
	return "", "", fmt.Errorf("%w: %w", oidc.ErrDown, u.err)
}

func (u unasked) Finish(context.Context, string, string, url.Values) (oidc.Person, string, error) {
	return oidc.Person{}, "", fmt.Errorf("%w: %w", oidc.ErrDown, u.err)
}

// identityProvider is the configured one; nil for none.
func identityProvider(o config.OIDC) (web.Provider, error) {
	if o.Issuer == "" {
		return nil, nil
	}
	roles := make(map[string]auth.Role, len(o.Roles))
	for _, r := range o.Roles {
		roles[r.Group] = auth.Role(r.Role)
	}
	p, err := oidc.New(oidc.Options{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), Scopes: o.Scopes, Claim: o.Claim, Roles: roles, Env: env.Real()})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// offerSetup shows the link that makes the first account, where there is none
// yet. It is for who reads the daemon's output, and for one use within the hour.
func (c *cli) offerSetup(ctx context.Context, a *app.App, address string) error {
	token, err := a.People().OfferSetup(ctx)
	if err != nil || token == "" {
		return err
	}
	if a.Config.Log.Format == "json" {
		a.Log.Warn("nobody has an account yet; the link makes the first one, once, within the hour", "link", address+"setup?token="+token)
		return nil
	}
	fmt.Fprintf(c.err, "Nobody has an account yet. This link makes the first one, once, within the hour:\n  %ssetup?token=%s\n", address, token)
	return nil
}

// swapping serves with a handler that can be replaced while it serves.
type swapping struct{ now atomic.Pointer[http.Handler] }

func (s *swapping) set(h http.Handler) { s.now.Store(&h) }

func (s *swapping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*s.now.Load()).ServeHTTP(w, r)
}

// hangups takes a new configuration at each SIGHUP. What became of it stands in
// the log and in status.
func hangups(ctx context.Context, d *app.Daemon) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			if _, err := d.Reload(ctx); err != nil {
				return nil // ctx has ended
			}
		}
	}
}

// systemd tells the service manager, where there is one (sd_notify(3)).
func systemd(ctx context.Context, state string) error {
	path := lookupEnv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if strings.HasPrefix(path, "@") {
		path = "\x00" + path[1:]
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unixgram", path)
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	if e := conn.Close(); err == nil {
		err = e
	}
	return err
}
