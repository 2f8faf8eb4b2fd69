package sqldb

import (
	"path/filepath"
	"slices"
	"strings"

	"touchstone/config"
)

// Options is a source of type sqldb, as the file declares it.
type Options struct {
	At        config.Node
	DSN       config.Secret   `yaml:"dsn" doc:"The database: postgres://user:password@host/name, or sqlite:FILE." example:"${env:ERP_DATABASE}"`
	Path      string          `yaml:"path" doc:"A SQLite file, instead of dsn; relative to the configuration's folder, which it cannot leave." example:"erp.db"`
	PageSize  int             `yaml:"page_size" default:"1000" min:"1" max:"10000" doc:"How many rows a page has at most."`
	Timeout   config.Duration `yaml:"timeout" default:"30s" min:"1s" max:"10m" doc:"How long one statement may take; the database itself stops it."`
	MaxRecord config.Size     `yaml:"max_record" default:"1MiB" min:"1KiB" max:"4MiB" doc:"The longest row, as JSON; a longer one goes to quarantine."`
	Streams   []Stream        `yaml:"streams" required:"true" doc:"What is read and written, by the name that entities and targets use."`
}

// Stream is one table or query. Names of columns are exact: PostgreSQL folds
// what was made without quotes to small letters.
type Stream struct {
	At       config.Node
	Name     string          `yaml:",key"`
	Table    string          `yaml:"table" doc:"The table, with its schema where it has one. Only a table can be written to." example:"sales.customers"`
	Query    string          `yaml:"query" doc:"One SELECT to read from instead; with a table beside it the table is written to." example:"SELECT c.*, a.city FROM customers c JOIN addresses a ON a.customer = c.id"`
	ID       []string        `yaml:"id" required:"true" min:"1" doc:"The columns that tell rows apart; several are joined with a slash." example:"[id]"`
	Changed  []string        `yaml:"changed" doc:"The column that tells when a row was changed last: a time or a growing number. Of several the first that is not null counts. Rows without any are read with every pass. Without this key every pass reads everything." example:"[updated_at, created_at]"`
	Lookback config.Duration `yaml:"lookback" default:"0s" min:"0s" max:"90d" doc:"How far behind the last change the next pass reads, for transactions that end late." example:"5m"`
	Version  string          `yaml:"version" doc:"A column that changes with every write to the row, such as PostgreSQL's own xmin: a write then counts on it instead of on the columns it changes." example:"xmin"`
	Deleted  string          `yaml:"deleted" doc:"The column that marks a row as deleted: anything but null, false, 0, no and an empty text." example:"deleted_at"`
	Key      string          `yaml:"key" doc:"The column that takes our key for a row that we make." example:"touchstone_id"`
	Unique   bool            `yaml:"unique_key" doc:"The key column has a unique index: a row is then never made twice, whatever breaks."`
}

// Check reports what is wrong with the block as a whole.
func (o Options) Check(at config.Node) (problems []config.Problem) {
	switch {
	case o.DSN.IsZero() && o.Path == "":
		problems = append(problems, at.Key("dsn").Problem("is missing; want dsn: ${env:NAME}, or path: FILE for SQLite"))
	case !o.DSN.IsZero() && o.Path != "":
		problems = append(problems, at.Key("path").Problem("dsn and path are both given; keep one"))
	}
	if o.Path != "" && !filepath.IsAbs(o.Path) && !filepath.IsLocal(o.Path) {
		problems = append(problems, at.Key("path").Problem("%q leaves the folder of the configuration; move the file there or give an absolute path", o.Path))
	}
	if dsn := o.DSN.Reveal(); dsn != "" {
		if _, _, err := parseDSN(dsn); err != nil {
			problems = append(problems, at.Key("dsn").Problem("%s", err))
		}
	}
	return problems
}

// Check reports what is wrong with a stream's values.
func (s Stream) Check(at config.Node) (problems []config.Problem) {
	if s.Table == "" && s.Query == "" {
		problems = append(problems, at.Key("table").Problem("is missing; want table: NAME, or query: SELECT …"))
	}
	if strings.Contains(s.Query, ";") {
		problems = append(problems, at.Key("query").Problem("holds a semicolon; want one SELECT without one"))
	}
	if slices.Contains(strings.Split(s.Table, "."), "") && s.Table != "" || strings.Count(s.Table, ".") > 1 {
		problems = append(problems, at.Key("table").Problem("is %q, want NAME or SCHEMA.NAME", s.Table))
	}
	for _, list := range []struct {
		key   string
		names []string
	}{{"id", s.ID}, {"changed", s.Changed}} {
		for i, name := range list.names {
			if strings.TrimSpace(name) == "" || slices.Index(list.names, name) < i {
				problems = append(problems, at.Key(list.key).Index(i).Problem("is %q; want each column once", name))
			}
		}
	}
	if s.Lookback > 0 && len(s.Changed) == 0 {
		problems = append(problems, at.Key("lookback").Problem("needs changed: a full pass reads everything anyway"))
	}
	if s.Unique && s.Key == "" {
		problems = append(problems, at.Key("unique_key").Problem("needs key: the column that takes our key"))
	}
	for _, c := range []struct{ key, name string }{{"key", s.Key}, {"version", s.Version}} {
		if c.name != "" && s.Table == "" {
			problems = append(problems, at.Key(c.key).Problem("needs table: a query cannot be written to"))
		}
	}
	return problems
}
