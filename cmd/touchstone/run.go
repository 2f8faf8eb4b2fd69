package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"touchstone/internal/app"
)

func (c *cli) runCmd() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon, or one pass of it",
		// What other daemons call it.
		SuggestFor: []string{"serve", "start", "daemon", "server"},
		Args:       args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(false)
			if err != nil {
				return err
			}
			if !once {
				c.logger = c.daemonLog(cfg.Log)
			}
			a, err := c.openWith(cmd.Context(), cfg, false)
			if err != nil {
				return err
			}
			defer c.close(a)
			if once {
				return c.once(cmd.Context(), a)
			}
			return c.serve(cmd.Context(), a, a.Config.Server.Listen, false)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "pull every source once, resolve, deliver, and end")
	return cmd
}

func (c *cli) close(a *app.App) {
	if err := a.Close(); err != nil {
		fmt.Fprintln(c.err, "touchstone: close:", err)
	}
}

func (c *cli) once(ctx context.Context, a *app.App) error {
	progress, end := c.progress()
	if err := a.Start(ctx); err != nil {
		return err
	}
	sum, err := a.Pass(ctx, progress)
	end()
	if err != nil {
		return err
	}
	if err := c.summary(sum); err != nil {
		return err
	}
	if len(sum.Problems) > 0 || len(sum.Held) > 0 || sum.Refused > 0 {
		return errPerson
	}
	return nil
}

func (c *cli) summary(s app.Summary) error {
	return c.print(s, func() {
		c.table([]string{"records", ""}, counted([][]any{
			{"pulled", s.Pulled},
			{"= stored", s.Stored},
			{"+ unchanged", s.Unchanged},
			{"+ echo", s.Echo},
			{"+ quarantined", s.Quarantined},
			{"+ filtered", s.Filtered},
			{"missing at their source", s.Missing},
			{"deleted for it", s.Gone},
			{"golden records", s.Golden},
			{"merged into them", s.Merged},
			{"pairs to review", s.Review},
			{"writes planned", s.Planned},
			{"writes delivered", s.Pushed},
			{"of them verified", s.Verified},
			{"writes refused", s.Refused},
			{"writes that wait", s.Waiting},
			{"writes that stand refused", s.Failed},
			{"left out by a target's where", s.LeftOut},
			{"values no table knows", s.Unmapped},
		}))
		if e := s.Events; e != nil {
			c.table([]string{"events", ""}, [][]any{
				{"pulled", e.Pulled},
				{"= stored", e.Stored},
				{"+ unchanged", e.Unchanged},
				{"+ quarantined", e.Refused},
				{"+ filtered", e.Filtered},
				{"in force", e.Events},
				{"whose record has not landed", e.Waiting},
				{"in quarantine", e.Faulty},
			})
		}
		for _, m := range s.UnmappedValues {
			fmt.Fprintf(c.out, "table %s does not know: %s (%d records)\n", m.Table, plain(m.Value), m.Count)
		}
		for _, h := range s.Held {
			fmt.Fprintln(c.out, "held:", plain(h))
		}
		for _, p := range s.Problems {
			for _, line := range strings.Split(p, "\n") {
				fmt.Fprintln(c.out, "problem:", plain(line))
			}
		}
		if s.Quarantined > 0 {
			fmt.Fprintln(c.out, "why they are in quarantine: touchstone quarantine list")
		}
		if s.Review > 0 {
			fmt.Fprintln(c.out, "the pairs to review: touchstone label asks them here; on the page, by touchstone run, they stand at /review")
		}
		if s.Refused+s.Failed > 0 {
			fmt.Fprintln(c.out, "which writes were refused, and why: touchstone status")
		}
	})
}

// counted leaves out what did not happen, but for the counts that a person
// looks for: 0 says something there.
func counted(rows [][]any) [][]any {
	return slices.DeleteFunc(rows, func(r []any) bool {
		return r[1] == 0 && !slices.Contains([]any{"pulled", "= stored", "+ unchanged", "+ quarantined", "golden records", "merged into them"}, r[0])
	})
}

// serveUntil serves until ctx ends, then lets open requests finish for a while.
func serveUntil(ctx context.Context, srv *http.Server, l net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return srv.Shutdown(stop)
	})
	return g.Wait()
}

// openBrowser shows the page where there is a display; it is no fault when it
// cannot.
func openBrowser(ctx context.Context, address string) {
	name := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case strings.TrimSpace(lookupEnv("DISPLAY")+lookupEnv("WAYLAND_DISPLAY")) == "":
		return
	}
	if path, err := exec.LookPath(name); err == nil {
		cmd := exec.CommandContext(ctx, path, address) //nolint:gosec // our own address
		if cmd.Start() == nil {
			go func() { _ = cmd.Wait() }() // ends with ctx
		}
	}
}
