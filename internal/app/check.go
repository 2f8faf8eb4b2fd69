package app

import (
	"os"
	"path/filepath"
	"runtime/debug"

	"touchstone/config"
	"touchstone/internal/pipeline"
	"touchstone/rules/schema"
)

// Check compiles every expression and schema of a configuration without
// touching a system or a store.
func Check(cfg *config.Config) (problems config.Problems) {
	around := pipeline.Around{Tables: pipeline.Tables(cfg), End: cfg.RelationEnd}
	for _, src := range cfg.Sources {
		for _, e := range src.Events {
			_, bad := pipeline.NewEventMapper(src, e, around)
			problems = append(problems, bad...)
			if e.Schema != "" {
				problems = append(problems, checkSchema(cfg, e.Schema, e.Place)...)
			}
		}
		for _, e := range src.Entities {
			_, bad := pipeline.NewMapper(src, e, around)
			problems = append(problems, bad...)
			if e.Schema != "" {
				problems = append(problems, checkSchema(cfg, e.Schema, e.At)...)
			}
		}
	}
	for _, e := range cfg.Entities {
		if e.Schema != "" {
			problems = append(problems, checkSchema(cfg, e.Schema, e.At)...)
		}
	}
	for _, t := range cfg.Targets {
		_, bad := pipeline.NewTarget(t, t.System, around)
		problems = append(problems, bad...)
	}
	return problems
}

func checkSchema(cfg *config.Config, name string, at config.Node) []config.Problem {
	if _, ok := schema.Builtin(name); ok {
		return nil
	}
	src, err := os.ReadFile(filepath.Join(cfg.Dir, name)) //nolint:gosec // the admin's own file
	if err == nil {
		_, err = schema.Compile(name, src)
	}
	if err != nil {
		return []config.Problem{at.Key("schema").Problem("%s", err)}
	}
	return nil
}

// Version is the version of the program as it was built.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
