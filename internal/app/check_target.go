package app

import (
	"fmt"
	"io"
	"io/fs"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/connectors/all"
	"touchstone/internal/record"
)

// noData says that nothing was ever run on a data folder.
type noData string

func (d noData) Error() string {
	return fmt.Sprintf("no data in %s: nothing was run there yet; touchstone run --once makes a first pass, or name the right folder with --dir", string(d))
}

func (noData) Unwrap() error { return fs.ErrNotExist }

// writer is a Pusher that knows which operations an entity can be sent.
type writer interface {
	Writes(entity string, op record.Op) bool
}

// writing finds how a target's new objects are made, and what it asks of its
// system that the system cannot do.
func writing(t config.Target, src config.Source, c connectors.Puller) (create record.Op, problems []config.Problem) {
	create = record.Create
	if t.Policy == config.Upsert {
		create = record.Upsert
	}
	if _, ok := c.(connectors.Pusher); !ok {
		return create, []config.Problem{t.At.Problem("system %s is of type %s and cannot be written to", t.System, src.Type)}
	}
	w, ok := c.(writer)
	if !ok {
		return create, nil
	}
	updates, creates, upserts := w.Writes(t.Entity, record.Update), w.Writes(t.Entity, record.Create), w.Writes(t.Entity, record.Upsert)
	if !updates && !creates && !upserts {
		return create, []config.Problem{t.At.Problem("source %s only reads %s: none of its streams' writes (create, update, upsert) is declared", t.System, t.Entity)}
	}
	if t.Policy != config.CreateOnly && !updates {
		problems = append(problems, t.At.Problem("policy %s changes objects, and the %s of source %s have no update; declare it in the stream, or say policy: create_only", t.Policy, t.Entity, t.System))
	}
	if t.Policy == config.UpdateOnly {
		return create, problems
	}
	switch {
	case !creates && !upserts, t.Policy == config.CreateOnly && !creates:
		problems = append(problems, t.At.Problem("policy %s makes objects, and the %s of source %s have no create; declare it in the stream, or say policy: update_only", t.Policy, t.Entity, t.System))
	case !upserts:
		create = record.Create
	}
	return create, problems
}

// CheckTargets proves that what the targets ask can be done by their systems,
// as far as their own configuration says so. It touches none of them. An error
// is what stands in the way of looking.
func CheckTargets(cfg *config.Config, deps all.Deps) (problems config.Problems, err error) {
	sources := make(map[string]*config.Source, len(cfg.Sources))
	for i := range cfg.Sources {
		sources[cfg.Sources[i].Name] = &cfg.Sources[i]
	}
	for _, t := range cfg.Targets {
		src := sources[t.System]
		if src == nil {
			continue
		}
		c, err := all.Open(*src, deps)
		if err := gather(&problems, err); err != nil {
			return problems, err
		}
		if c == nil {
			continue
		}
		_, bad := writing(t, *src, c)
		problems = append(problems, bad...)
		if closer, ok := c.(io.Closer); ok {
			if err := closer.Close(); err != nil {
				return problems, fmt.Errorf("close %s: %w", src.Name, err)
			}
		}
		if !reads(*src, t.Entity) && len(bad) == 0 {
			problems = append(problems, unread(t))
		}
	}
	return problems, nil
}

func reads(src config.Source, entity string) bool {
	for _, e := range src.Entities {
		if e.Entity == entity {
			return true
		}
	}
	return false
}

func unread(t config.Target) config.Problem {
	return t.At.Problem("source %s does not read %s: a target is read back, so its entity has to be mapped there too", t.System, t.Entity)
}
