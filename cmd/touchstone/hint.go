package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"touchstone/config"
	"touchstone/internal/app"
	"touchstone/internal/record"
)

// hinted is an error with what to do next: a line of its own below it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// load reads the configuration; where there is none it says how to get one.
func (c *cli) load(noSecrets bool) (*config.Config, error) {
	cfg, err := config.Load(c.config, c.loadOptions(noSecrets))
	if err == nil {
		return cfg, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{hinted{fmt.Errorf("there is no %s here", c.config), "touchstone init writes a first one; -c FILE names another"}}
	}
	if info, missing := os.Stat(c.config); missing == nil && info.IsDir() {
		return nil, usageError{hinted{folderNamed(c.config), "such as " + filepath.Join(c.config, "touchstone.yaml")}}
	}
	return cfg, err
}

var ofStrconv = regexp.MustCompile(`: (?:strconv\.Parse(\w+): parsing|time: invalid duration).*$`)

// flagError says what is wrong with a flag without the words of Go's parsers.
func flagError(cmd *cobra.Command, err error) error {
	text := ofStrconv.ReplaceAllStringFunc(err.Error(), func(s string) string {
		switch m := ofStrconv.FindStringSubmatch(s); m[1] {
		case "Int", "Uint":
			return "; want a whole number"
		case "Float":
			return "; want a number"
		case "Bool":
			return "; want true or false"
		}
		return "; want a length of time such as 30s, 5m or 1h30m"
	})
	return usageError{hinted{errors.New(text), cmd.CommandPath() + " --help lists its flags"}}
}

// found says of a name that is not known where those that are known stand. The
// names are told apart by the words of our own errors.
func found(a *app.App, err error) error {
	if !errors.Is(err, record.ErrNotFound) {
		return err
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "decision "):
		return hinted{err, "touchstone decisions list shows them"}
	case strings.Contains(text, "quarantine row "):
		return hinted{err, "touchstone quarantine list shows them"}
	case strings.Contains(text, "account "):
		return hinted{err, "touchstone user list shows them"}
	case strings.Contains(text, "token "):
		return hinted{err, "touchstone user token list shows them"}
	case strings.Contains(text, "target "):
		return hinted{err, known("targets", a.Config.Targets, func(t config.Target) string { return t.Name })}
	case strings.Contains(text, "source ") && !strings.Contains(text, "source record "):
		return hinted{err, known("sources", a.Config.Sources, func(s config.Source) string { return s.Name })}
	case strings.Contains(text, "record"):
		return hinted{err, "touchstone golden list shows their ids; a source record is named SOURCE/ENTITY/ID, like " + exampleRef(a.Config)}
	}
	return err
}

// sourceThere refuses a source that the configuration does not name; "" is none.
func sourceThere(a *app.App, name string) error {
	if name == "" || slices.ContainsFunc(a.Config.Sources, func(s config.Source) bool { return s.Name == name }) {
		return nil
	}
	return fmt.Errorf("source %s: %w", name, record.ErrNotFound)
}

func known[T any](what string, list []T, name func(T) string) string {
	if len(list) == 0 {
		return "the configuration has no " + what
	}
	names := make([]string, len(list))
	for i, x := range list {
		names[i] = name(x)
	}
	return what + " of the configuration: " + strings.Join(names, ", ")
}

// exampleRef is what the name of a source record looks like here.
func exampleRef(cfg *config.Config) string {
	for _, s := range cfg.Sources {
		for _, e := range s.Entities {
			return s.Name + "/" + e.Entity + "/1"
		}
	}
	return "crm/company/1"
}

// ofSystem says what to do about an error of the machine; "" where nothing is
// known.
func ofSystem(err error) string {
	var at *fs.PathError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, maybe a daemon of Touchstone: end it, or name another address by server.listen or --listen"
	case errors.Is(err, fs.ErrPermission):
		return "whoever runs touchstone may not: change the owner or the permissions"
	case errors.As(err, &at) && errors.Is(err, fs.ErrNotExist) && filepath.Dir(at.Path) != ".":
		dir := filepath.Dir(at.Path)
		if _, missing := os.Stat(dir); missing != nil {
			return "the folder " + dir + " is not there: make it, or name another one"
		}
	}
	return ""
}

// plural writes a number with its noun.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// groups are the headings that commands are listed under, and who stands there.
var groups = []struct {
	id, title string
	commands  []string
}{
	{"start", "Begin:", []string{"init", "check", "schema", "doctor", "demo", "simulate"}},
	{"run", "Run:", []string{"run", "status", "reload", "plan", "source", "alert", "backup", "audit", "restore", "rebuild", "user"}},
	{"look", "Look:", []string{"golden", "match", "why", "explain", "relations", "review", "events", "quarantine", "values", "text", "export"}},
	{"decide", "Decide:", []string{"merge", "split", "pin", "unpin", "unsure", "undo", "handover", "decisions", "rulings"}},
	{"match", "Match:", []string{"dedupe", "assess", "compare", "label", "eval", "train", "model", "trial"}},
}

// inGroups lists the commands under headings, in the order of a first day.
func inGroups(root *cobra.Command) {
	of := map[string]string{}
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, name := range g.commands {
			of[name] = g.id
		}
	}
	for _, cmd := range root.Commands() {
		cmd.GroupID = of[cmd.Name()]
	}
}
