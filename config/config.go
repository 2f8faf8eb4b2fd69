// Package config turns the user's YAML file into checked structs, and finds
// every problem of the file before anything starts. Only config reads
// configuration files and the environment.
package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"touchstone/internal/record"
)

// Config is a whole file, checked, with its defaults.
type Config struct {
	Store    Store    `yaml:"store" doc:"Where Touchstone remembers everything."`
	Server   Server   `yaml:"server" doc:"The pages and the API."`
	Log      Log      `yaml:"log" doc:"What the daemon says while it runs."`
	Alert    Alert    `yaml:"alert" doc:"When to call a person, and how. Without webhook and mail the page and status show the alerts, and nobody is called."`
	Level    Level    `yaml:"level" doc:"The service levels that the page of them holds sources and targets to."`
	Trace    Trace    `yaml:"trace" doc:"Where traces of what the daemon does are sent."`
	Audit    Audit    `yaml:"audit" doc:"How the audit trail can be checked from outside."`
	Access   Access   `yaml:"access" doc:"Which customers and which of their fields accounts see that do not see all."`
	Review   Review   `yaml:"review" doc:"The pairs that wait for a person: what they are worth, in which time, and when two have to agree."`
	Sources  []Source `yaml:"sources" required:"true" doc:"The systems that records are pulled from, by name; order counts where nothing else decides."`
	Entities []Entity `yaml:"entities" doc:"What is known of each kind of customer. company and person are built in and need no entry."`
	Targets  []Target `yaml:"targets" doc:"The systems that changes are written back to, by name. Without targets nothing is ever written."`

	Tables []Table `yaml:"tables" doc:"Owners and pick lists: what a value of one system means, for lookup(\"name\", value) in maps. Case and white space around a value do not count."`

	// Dir is the folder of the file: relative paths in it start there.
	Dir string `yaml:"-"`
	// Warnings are not wrong, but a person should see them.
	Warnings []Problem `yaml:"-"`
}

// Store is where the database is: a SQLite file or a PostgreSQL database.
type Store struct {
	Path     string `yaml:"path" doc:"A SQLite file; relative to the data directory. touchstone.db unless postgres is given." example:"touchstone.db"`
	Postgres Secret `yaml:"postgres" doc:"The address of a PostgreSQL database, instead of path." example:"${env:DATABASE_URL}"`
	MaxSize  Size   `yaml:"max_size" doc:"The most the SQLite file may hold. Work that needs more waits until there is room; nothing is lost. No bound when left out." example:"20GiB"`
	Memory   Size   `yaml:"memory" default:"256MiB" max:"64GiB" doc:"How much memory is used to remember what records are compared by, about 280 bytes a record, and the lists by which they are found, about 300 bytes a record; the lists are kept while they fit into half of it. What does not fit is read again." example:"1GiB"`
}

// defaultStore is the path of the store when nothing is said.
const defaultStore = "touchstone.db"

// Check reports two stores at once.
func (s Store) Check(at Node) []Problem {
	if s.Path != "" && !s.Postgres.IsZero() {
		return []Problem{at.Key("postgres").Problem("path and postgres are both given; keep one")}
	}
	if s.MaxSize > 0 && s.MaxSize < 16<<20 {
		return []Problem{at.Key("max_size").Problem("is %s, want 16MiB or more", s.MaxSize)}
	}
	return nil
}

// Load reads and checks a file. When the file is wrong the error is Problems.
func Load(path string, opts Options) (*Config, error) {
	src, err := opts.readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, src, opts)
}

// Parse checks the content of a file; the name serves for messages and, by its
// folder, for relative paths. When it is wrong the error is Problems.
func Parse(file string, src []byte, opts Options) (*Config, error) {
	doc, problems := read(file, filepath.Dir(file), src, opts)
	if doc.root == nil {
		return nil, doc.finish(problems)
	}
	if bad := doc.layPresets(); len(bad) > 0 {
		return nil, doc.finish(append(problems, bad...)) // without a preset every key of its source would seem to lack
	}
	cfg := &Config{Dir: doc.dir}
	w := newWalker(doc)
	w.problems = problems
	for _, p := range problems {
		w.unsure[p.Path] = true
	}
	top := Node{doc: doc, line: 1, column: 1}
	top.place(doc.root)
	w.structure(top, reflectOf(cfg), pairsOf(doc.root), nil)
	for _, s := range cfg.Sources {
		w.connector(s)
	}
	cfg.Warnings = doc.finish(append(w.warnings, guessedLiterals(doc, cfg.Sources)...))
	if len(w.problems) > 0 {
		return nil, doc.finish(w.problems)
	}
	cfg.complete()
	return cfg, nil
}

// connector has a source's own part checked by the one it belongs to.
func (w *walker) connector(s Source) {
	check := w.doc.opts.Connectors[s.Type]
	if check == nil {
		return
	}
	var ps Problems
	if err := check(s); errors.As(err, &ps) {
		w.problems = append(w.problems, ps...)
	} else if err != nil {
		w.report(s.At.atKey(), "%v", err)
	}
}

// complete fills in what depends on the rest of the file.
func (c *Config) complete() {
	if c.Store.Path == "" && c.Store.Postgres.IsZero() {
		c.Store.Path = defaultStore
	}
	for _, name := range []string{record.Company, record.Person} {
		if !slices.ContainsFunc(c.Entities, func(e Entity) bool { return e.Name == name }) {
			c.Entities = append(c.Entities, Entity{Name: name, Match: Match{Link: defaultLink, Review: defaultReview}, Brake: defaultBrake})
		}
	}
	for i := range c.Entities {
		e := &c.Entities[i]
		if e.Schema == "" {
			e.Schema = e.Name
		}
		for j, s := range e.Survive {
			e.Survive[j].Field = plural(e.Name, s.Field)
		}
		ranked := make(map[string]bool, len(e.SourceRank))
		for _, name := range e.SourceRank {
			ranked[name] = true
		}
		for _, s := range c.Sources {
			if !ranked[s.Name] {
				e.SourceRank = append(e.SourceRank, s.Name)
			}
		}
	}
	for i := range c.Sources {
		if c.Sources[i].Every == 0 && c.Sources[i].Cron == "" {
			c.Sources[i].Every = defaultEvery
		}
	}
	for i := range c.Targets {
		if t := &c.Targets[i]; t.System == "" {
			t.System = t.Name
		}
	}
}

// plural is the field's own name for a name that may be the singular of a list.
func plural(entity, field string) string {
	if spec, ok := record.Spec(entity, field); ok {
		return spec.Name
	}
	return field
}

// Check holds the parts of the file against each other.
func (c Config) Check(at Node) (problems []Problem) {
	sources, entities := c.sourceIndex(), c.entityNames()
	for _, s := range c.Sources {
		for _, e := range s.Entities {
			if !slices.Contains(entities, e.Entity) {
				problems = append(problems, e.At.atKey().Problem("no entity %q; an entity of your own needs an entry below entities:%s", e.Entity, hint(e.Entity, entities)))
			}
		}
	}
	for _, e := range c.Entities {
		ranks := at.Key("entities").Key(e.Name).Key("source_rank")
		ranked := make(map[string]bool, len(e.SourceRank))
		for i, name := range e.SourceRank {
			switch {
			case !sources.has(name):
				problems = append(problems, ranks.Index(i).Problem("no source %q%s", name, sources.hint(name)))
			case ranked[name]:
				problems = append(problems, ranks.Index(i).Problem("%q is ranked twice", name))
			}
			ranked[name] = true
		}
	}
	problems = append(problems, c.checkEvents(sources)...)
	for _, t := range c.Targets {
		if !slices.Contains(entities, t.Entity) && t.Entity != "" {
			problems = append(problems, t.At.Key("entity").Problem("no entity %q%s", t.Entity, hint(t.Entity, entities)))
		}
		switch {
		case t.System == "" && !sources.has(t.Name):
			problems = append(problems, t.At.atKey().Problem("no source %q; name the target after its source, or say system: SOURCE%s", t.Name, sources.hint(t.Name)))
		case t.System != "" && !sources.has(t.System):
			problems = append(problems, t.At.Key("system").Problem("no source %q%s", t.System, sources.hint(t.System)))
		}
	}
	problems = append(problems, c.Access.check(sources, entities)...)
	problems = append(problems, c.groupNames(at)...)
	return append(problems, c.renames(sources)...)
}

// renames reports a former name that another source has now, or had too.
func (c Config) renames(sources *sourceIndex) (problems []Problem) {
	had := map[string]string{}
	for _, s := range c.Sources {
		for i, was := range s.Was {
			at := s.At.Key("was").Index(i)
			switch {
			case sources.has(was):
				problems = append(problems, at.Problem("%q is the name of a source now; a former name must be free", was))
			case had[was] != "":
				problems = append(problems, at.Problem("%q is a former name of source %s too", was, had[was]))
			}
			had[was] = s.Name
		}
	}
	return problems
}

func (c Config) entityNames() []string {
	names := []string{record.Company, record.Person}
	for _, e := range c.Entities {
		if !slices.Contains(names, e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}
