package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"touchstone/config"
	"touchstone/internal/app"
	"touchstone/internal/demo"
)

func (c *cli) simulateCmd() *cobra.Command {
	var listen, state string
	var systems []string
	var customers int
	cmd := &cobra.Command{
		Use: "simulate", Short: "Run simulated systems alone, each under its name", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.simulate(cmd.Context(), listen, state, systems, customers)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8490", "address, on loopback")
	cmd.Flags().StringVar(&state, "state", "touchstone-systems", "folder of their state and applied logs")
	cmd.Flags().StringSliceVar(&systems, "systems", []string{"crm", "desk"}, "which: "+strings.Join(systemNames(), ", "))
	cmd.Flags().IntVar(&customers, "customers", 0, "make up so many companies and persons for hubspot, zendesk and gleif, instead of the demo's")
	return cmd
}

func (c *cli) simulate(ctx context.Context, listen, state string, names []string, customers int) error {
	systems, err := openSystems(state, names, customers)
	if err != nil {
		return err
	}
	defer func() {
		if err := systems.Close(); err != nil {
			fmt.Fprintln(c.err, "touchstone: close:", err)
		}
	}()
	base, serve, err := systems.listen(ctx, listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "simulated systems are at %s\n%s", systems.addresses(base), systems.tokens())
	return serve(ctx)
}

// onLoopback refuses an address that others could reach: simulated systems, and
// pages without a token, stay on this machine.
func onLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usageError{fmt.Errorf("--listen %s: could be reached from other machines; want 127.0.0.1:PORT", address)}
	}
	return nil
}

// listen opens the port and gives the base address and a server that runs
// until its context ends.
func (s *simulated) listen(ctx context.Context, address string) (string, func(context.Context) error, error) {
	if err := onLoopback(address); err != nil {
		return "", nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, fmt.Errorf("listen for simulated systems: %w", err)
	}
	mux := http.NewServeMux()
	for _, sys := range s.list {
		mux.Handle("/"+sys.name+"/", http.StripPrefix("/"+sys.name, sys.Handler()))
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	serve := func(ctx context.Context) error { return serveUntil(ctx, srv, l) }
	return "http://" + l.Addr().String(), serve, nil
}

func (c *cli) demoCmd() *cobra.Command {
	var once, vendors bool
	var listen, systems string
	cmd := &cobra.Command{
		Use: "demo", Short: "Show the whole of it on made-up customers: simulated systems, daemon and page", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("dir") {
				dir, err := os.MkdirTemp("", "touchstone-demo-")
				if err != nil {
					return fmt.Errorf("make demo folder: %w", err)
				}
				c.dir = dir
				if once {
					defer os.RemoveAll(dir) //nolint:errcheck // a folder of temporary files
				}
			}
			which := demoSmall
			if vendors {
				which = demoVendors
			}
			return c.demo(cmd.Context(), which, once, listen, systems)
		},
	}
	cmd.Flags().BoolVar(&vendors, "vendors", false, "HubSpot, Zendesk and GLEIF by their presets, instead of a small CRM, a desk and two files")
	cmd.Flags().BoolVar(&once, "once", false, "one pass, the summary, and end")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8480", "address of the page, on loopback")
	cmd.Flags().StringVar(&systems, "systems", "", "address of simulated systems that run already (touchstone simulate)")
	return cmd
}

// demoKind is which systems the demo brings together.
type demoKind string

const (
	demoSmall   demoKind = "small"
	demoVendors demoKind = "vendors"
)

// systems names the simulated systems of the demo.
func (k demoKind) systems() []string {
	if k == demoVendors {
		return []string{"hubspot", "zendesk", "gleif"}
	}
	return []string{"crm", "desk"}
}

// written names those of them that the demo writes to.
func (k demoKind) written() []string { return k.systems()[:2] }

// write puts the demo's files into dir and gives its configuration.
func (k demoKind) write(dir, systems string) ([]byte, error) {
	if k == demoVendors {
		return demo.VendorConfig(demo.VendorSystems{HubSpot: systems + "/hubspot", Zendesk: systems + "/zendesk", GLEIF: systems + "/gleif"}), nil
	}
	return demo.Config("", demo.Systems{CRM: systems + "/crm", Desk: systems + "/desk"}), demo.WriteFiles(dir)
}

func (c *cli) demo(ctx context.Context, which demoKind, once bool, listen, systems string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, gctx := errgroup.WithContext(ctx)
	if systems == "" {
		s, err := openSystems(filepath.Join(c.dir, "systems"), which.systems(), 0)
		if err != nil {
			return err
		}
		defer func() {
			if err := s.Close(); err != nil {
				fmt.Fprintln(c.err, "touchstone: close:", err)
			}
		}()
		base, serve, err := s.listen(ctx, "127.0.0.1:0")
		if err != nil {
			return err
		}
		systems = base
		g.Go(func() error { return serve(gctx) })
	}
	err := c.demoDaemon(gctx, which, once, listen, strings.TrimSuffix(systems, "/"))
	cancel()
	return errors.Join(err, g.Wait())
}

// demoDaemon runs the daemon on the demo's configuration.
func (c *cli) demoDaemon(ctx context.Context, which demoKind, once bool, listen, systems string) error {
	text, err := which.write(c.dir, systems)
	if err != nil {
		return err
	}
	c.config = filepath.Join(c.dir, "touchstone.yaml")
	if err := os.WriteFile(c.config, text, 0o600); err != nil {
		return fmt.Errorf("write demo configuration: %w", err)
	}
	cfg, err := config.Load(c.config, c.loadOptions(false))
	if err != nil {
		return err
	}
	cfg.Warnings = nil // the demo's tokens open nothing
	a, err := c.openWith(ctx, cfg, false)
	if err != nil {
		return err
	}
	defer c.close(a)
	if !once {
		c.demoPage = true
		return c.serve(ctx, a, listen, true)
	}
	return c.demoOnce(ctx, a, which, systems)
}

// demoSummary is the summary of a pass with the judgement of the systems' own
// applied logs.
type demoSummary struct {
	app.Summary
	Judged      int      `json:"judged"`      // rows compared with the systems' own logs
	Disagreeing []string `json:"disagreeing"` // where a system's log and our outbox differ
}

func (c *cli) demoOnce(ctx context.Context, a *app.App, which demoKind, systems string) error {
	progress, end := c.progress()
	if err := a.Start(ctx); err != nil {
		return err
	}
	sum, err := a.Pass(ctx, progress)
	end()
	if err != nil {
		return err
	}
	out := demoSummary{Summary: sum, Disagreeing: []string{}}
	for _, system := range which.written() {
		n, wrong, err := judge(ctx, a, system, systems+"/"+system)
		if err != nil {
			return err
		}
		out.Judged += n
		out.Disagreeing = append(out.Disagreeing, wrong...)
	}
	if c.json {
		if err := c.print(out, func() {}); err != nil {
			return err
		}
	} else {
		if err := c.summary(sum); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%d writes compared with the systems' own logs, %d differ\n", out.Judged, len(out.Disagreeing))
		for _, d := range out.Disagreeing {
			fmt.Fprintln(c.out, "differs:", plain(d))
		}
	}
	if len(out.Disagreeing) > 0 || len(sum.Problems) > 0 || len(sum.Held) > 0 {
		return errPerson
	}
	return nil
}
