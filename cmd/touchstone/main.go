// Touchstone makes one true record out of the many a company keeps of each of
// its customers, and puts it back.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // schedules in any time zone, also on a machine without the tables

	"touchstone/config"
	"touchstone/internal/app"
	"touchstone/internal/env"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/say"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Exit codes: the contract with scripts.
const (
	exitDone   = 0
	exitPerson = 1 // done, but something needs a person, or a check failed
	exitUsage  = 2 // wrong usage or configuration
	exitFailed = 3 // could not run
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ended, end := context.WithCancel(context.Background())
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the process at once
		if env.Real().Clock.Sleep(ended, stopBound) == nil {
			fmt.Fprintln(os.Stderr, "touchstone: not everything came to its end in time; it goes on at the next start")
			os.Exit(exitDone)
		}
	})
	code := run(ctx, os.Args[1:])
	end()
	stop()
	os.Exit(code)
}

// stopBound is how long the process lives after it was asked to stop. What is
// cut then is settled at the next start, as after any crash.
const stopBound = 9500 * time.Millisecond

// errPerson says that all is done, and somebody should look.
var errPerson = errors.New("something needs a person")

// usageError is a mistake in the command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func run(ctx context.Context, args []string) int {
	c := &cli{out: os.Stdout, err: os.Stderr}
	root := c.root()
	root.SetArgs(args)
	return c.exit(root.ExecuteContext(ctx))
}

// exit tells what went wrong, and gives the exit code.
func (c *cli) exit(err error) int {
	var problems config.Problems
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errPerson):
		return exitPerson
	case errors.As(err, &problems):
		c.problems(problems)
		return exitUsage
	case strings.HasPrefix(err.Error(), "unknown command"): // cobra has no type for it
		c.wrong(hinted{err, "touchstone --help lists them"})
		return exitUsage
	case errors.As(err, &usage), wronglyAsked(err), errors.Is(err, record.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		c.wrong(err)
		return exitUsage
	default:
		c.wrong(err)
		return exitFailed
	}
}

// wronglyAsked says whether what was asked cannot be done as it was asked.
func wronglyAsked(err error) bool {
	var unclear *app.Unclear
	var impossible *store.Impossible
	var problem *lookup.Problem
	return errors.As(err, &unclear) || errors.As(err, &impossible) || errors.As(err, &problem)
}

// wrong tells what went wrong and, where that is known, what to do next.
func (c *cli) wrong(err error) {
	text := err.Error()
	var told say.Teller
	if errors.As(err, &told) {
		t := told.Told()
		text = strings.Replace(text, t.String(), titled(t).String(), 1)
	}
	fmt.Fprintln(c.err, "touchstone:", text)
	var h hinted
	hint := ofSystem(err)
	if errors.As(err, &h) {
		hint = h.hint
	}
	if hint != "" {
		fmt.Fprintln(c.err, " ", hint)
	}
}

// titled is a sentence with the titles of the fields that it is about. Names that
// it lists to choose from stay: they are typed so.
func titled(t say.Text) say.Text {
	args := make([]any, len(t.Args))
	for i, arg := range t.Args {
		switch x := arg.(type) {
		case say.Word:
			if x.Group == "field" {
				arg = web.FieldTitle(x.Name)
			}
		case say.Text:
			arg = titled(x)
		case say.Texts:
			several := make(say.Texts, len(x))
			for k, t := range x {
				several[k] = titled(t)
			}
			arg = several
		}
		args[i] = arg
	}
	return say.Text{English: t.English, Args: args}
}
