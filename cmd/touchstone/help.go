package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/matching/compare"
)

// helpCmd shows what a command does. A command that is not there is a mistake,
// as it is when it is called.
func (c *cli) helpCmd() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Say what a command does",
		ValidArgsFunction: func(cmd *cobra.Command, path []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
			if at, err := commandAt(cmd.Root(), path); err == nil {
				for _, sub := range at.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, path []string) error {
			at, err := commandAt(cmd.Root(), path)
			if err != nil {
				return err
			}
			at.InitDefaultHelpFlag() // else its own help would not tell of it
			return at.Help()
		},
	}
}

// commandAt follows the names of commands.
func commandAt(root *cobra.Command, path []string) (*cobra.Command, error) {
	at, rest, err := root.Find(path)
	if len(rest) > 0 { // which is an error to it for the root's alone
		return nil, noCommand(at, rest[0])
	}
	return at, err
}

// noCommand says that a command has no such command, and which is nearest.
func noCommand(at *cobra.Command, name string) error {
	hint := at.CommandPath() + " --help lists them"
	if near := nearestCommand(at, name); near != "" {
		hint = fmt.Sprintf("did you mean %s %s? %s", at.CommandPath(), near, hint)
	}
	if !at.HasSubCommands() {
		hint = at.CommandPath() + " --help says how it is called"
	}
	return usageError{hinted{fmt.Errorf("%s has no command %q", at.CommandPath(), name), hint}}
}

// nearestCommand is the command that was likely meant: one that is known by that
// name elsewhere, else that of the fewest slips, of equals the first in the
// alphabet; "" where more than half of the letters would be slips.
func nearestCommand(at *cobra.Command, name string) (near string) {
	most := max(len(name)/2, 1)
	for _, sub := range at.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		for _, other := range sub.SuggestFor {
			if strings.EqualFold(other, name) {
				return sub.Name()
			}
		}
		slips := compare.LevenshteinString(strings.ToLower(name), sub.Name(), compare.Max)
		if slips < most || slips == most && near == "" {
			near, most = sub.Name(), slips
		}
	}
	return near
}
