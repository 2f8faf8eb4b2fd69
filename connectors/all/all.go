// Package all is the table of connectors: type in the configuration → how it
// is opened. Nothing registers itself.
package all

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sort"
	"strings"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/connectors/file"
	"touchstone/connectors/rest"
	"touchstone/connectors/sqldb"
	"touchstone/internal/env"
	"touchstone/internal/httpx"
)

// Deps are what connectors are given of the world.
type Deps struct {
	Env env.Env
	Log *slog.Logger
	Dir string // of the configuration file: relative paths start there
	// Keeper is where connectors keep what must outlive the process; nil where
	// nothing is pulled or pushed.
	Keeper connectors.Keeper
}

type opener func(src config.Source, deps Deps) (connectors.Puller, error)

func table() map[string]opener {
	return map[string]opener{
		"file":  openFile,
		"rest":  openREST,
		"sqldb": openSQL,
	}
}

// Open makes the connector of a source. It checks the source's own keys and
// does not connect. The error is config.Problems where the configuration is
// wrong.
func Open(src config.Source, deps Deps) (connectors.Puller, error) {
	open, ok := table()[src.Type]
	if !ok {
		var types []string
		for t := range table() {
			types = append(types, t)
		}
		sort.Strings(types)
		return nil, config.Problems{src.At.Key("type").Problem("no connector of type %q, want one of %s", src.Type, strings.Join(types, ", "))}
	}
	for _, e := range src.Entities { // no connector has keys of its own there yet
		var none struct{}
		if e.Options.IsZero() {
			continue
		}
		if err := e.Options.Decode(&none); err != nil {
			return nil, err
		}
	}
	return open(src, deps)
}

// Checks are the connectors' own checks of a configuration, by type, for
// config.Options: their problems come in the same pass as the file's.
func Checks(deps Deps) map[string]func(config.Source) error {
	checks := map[string]func(config.Source) error{}
	for name := range table() {
		checks[name] = func(src config.Source) error {
			c, err := Open(src, deps)
			if closer, ok := c.(io.Closer); ok && err == nil {
				err = closer.Close()
			}
			return err
		}
	}
	return checks
}

func openFile(src config.Source, deps Deps) (connectors.Puller, error) {
	var opts file.Options
	if err := src.Options.Decode(&opts); err != nil {
		return nil, err
	}
	c, err := file.Open(deps.Dir, opts)
	if err != nil {
		return nil, problem(src, err)
	}
	return c, nil
}

func openREST(src config.Source, deps Deps) (connectors.Puller, error) {
	opts, err := rest.Decode(src.Options)
	if err != nil {
		return nil, err
	}
	cfg := opts.HTTP()
	cfg.Log = deps.Log
	parts := rest.Parts{Keeper: deps.Keeper, Was: src.Was}
	if parts.HTTP, err = httpx.New(deps.Env, cfg); err != nil {
		return nil, problem(src, err)
	}
	if cfg, needed := opts.TokenHTTP(); needed {
		cfg.Log = deps.Log
		if parts.Token, err = httpx.New(deps.Env, cfg); err != nil {
			return nil, problem(src, err)
		}
	}
	c, err := rest.OpenWith(src.Name, opts, parts)
	if err != nil {
		return nil, problem(src, err)
	}
	return c, nil
}

func openSQL(src config.Source, deps Deps) (connectors.Puller, error) {
	var opts sqldb.Options
	if err := src.Options.Decode(&opts); err != nil {
		return nil, err
	}
	var problems config.Problems
	for _, e := range src.Entities {
		if !slices.ContainsFunc(opts.Streams, func(s sqldb.Stream) bool { return s.Name == e.Entity }) {
			problems = append(problems, e.At.Problem("there is no stream %s to read it from; want streams: {%s: {table: …, id: […]}}", e.Entity, e.Entity))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	c, err := sqldb.Open(src.Name, deps.Dir, opts)
	if err != nil {
		return nil, problem(src, err)
	}
	return c, nil
}

// problem gives an error of a connector its place in the file.
func problem(src config.Source, err error) error {
	return config.Problems{src.At.Problem("%s", fmt.Sprint(err))}
}
