package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite docs/commands.md")

// TestCommandReference holds that docs/commands.md says what the program says
// of itself, and that every command and option has something to say.
func TestCommandReference(t *testing.T) {
	root := (&cli{out: io.Discard, err: io.Discard}).root()
	root.InitDefaultHelpFlag()
	each(root, func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s says nothing of itself", c.CommandPath())
		}
		if c.Parent() == root && c.GroupID == "" && c.Name() != "version" {
			t.Errorf("%s stands under no heading of the list of commands (groups)", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s says nothing of itself", c.CommandPath(), f.Name)
			}
		})
	})
	path := filepath.Join("..", "..", "docs", "commands.md")
	want := commandReference(root)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s is stale; go test ./cmd/touchstone -run CommandReference -update rewrites it (-want +have):\n%s", path, diff)
	}
}

// each visits a command and those below it, as they are listed.
func each(c *cobra.Command, fn func(*cobra.Command)) {
	fn(c)
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" && sub.Name() != "completion" {
			each(sub, fn)
		}
	}
}

func commandReference(root *cobra.Command) []byte {
	var b bytes.Buffer
	b.WriteString("# Commands\n\nMade from the program itself; `touchstone COMMAND --help` says the same.\n\n")
	b.WriteString("Results go to standard output, logs and progress to standard error. With `--json` results are JSON.\n\n")
	fmt.Fprintf(&b, "| exit code | meaning |\n|---|---|\n| %d | done |\n| %d | done, but something needs a person, or a check failed |\n| %d | wrong usage or configuration |\n| %d | could not run |\n\n",
		exitDone, exitPerson, exitUsage, exitFailed)
	b.WriteString("Options of every command:\n\n")
	options(&b, root.PersistentFlags())
	each(root, func(c *cobra.Command) {
		if c == root || !c.Runnable() && !c.HasSubCommands() {
			return
		}
		fmt.Fprintf(&b, "## %s\n\n%s.\n\n", strings.TrimPrefix(c.CommandPath(), "touchstone "), strings.TrimSuffix(c.Short, "."))
		if c.Runnable() {
			fmt.Fprintf(&b, "```\n%s\n```\n\n", strings.TrimSuffix(c.UseLine(), " [flags]"))
		}
		if c.Long != "" {
			fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(c.Long))
		}
		if c.Example != "" {
			fmt.Fprintf(&b, "```sh\n%s\n```\n\n", strings.Trim(c.Example, "\n"))
		}
		options(&b, c.LocalNonPersistentFlags())
	})
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

func options(b *bytes.Buffer, flags *pflag.FlagSet) {
	var rows strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name += ", `-" + f.Shorthand + "`"
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			name += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			usage += " (default `" + f.DefValue + "`)"
		}
		fmt.Fprintf(&rows, "| %s | %s |\n", name, strings.ReplaceAll(usage, "|", "\\|"))
	})
	if rows.Len() > 0 {
		fmt.Fprintf(b, "| option | |\n|---|---|\n%s\n", rows.String())
	}
}
