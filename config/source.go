package config

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"touchstone/internal/record"
)

// Source is one system that records are pulled from.
type Source struct {
	Name     string         `yaml:",key"`
	Was      []string       `yaml:"was" doc:"Former names of this source. With them its records stay the same records."`
	Preset   string         `yaml:"preset" doc:"A vendor whose interface is known: its keys are laid under the source's own. Single keys can be given otherwise, and a key without a value takes the preset's out." example:"hubspot"`
	Type     string         `yaml:"type" required:"true" oneof:"file rest sqldb" doc:"What kind of system it is; the connector's own keys stand beside it. A preset gives it."`
	Every    Duration       `yaml:"every" doc:"How often to pull, at least 1s; 5m unless cron is given." example:"5m"`
	Cron     string         `yaml:"cron" doc:"When to pull, instead of every: minute, hour, day of month, month, day of week. A run that was missed is made up for once." example:"0 3 * * *"`
	Zone     string         `yaml:"zone" doc:"The time zone of cron; UTC when left out." example:"Asia/Shanghai"`
	Where    Expr           `yaml:"where" doc:"Only records for which this expression over record is true; the rest is counted and left out." example:"record.lifecyclestage != \"other\""`
	Deletes  Deletes        `yaml:"deletes" doc:"What it means when a record no longer comes, where every pass gives all records: a file, a table without changed, a list with complete."`
	Entities []SourceEntity `yaml:"entities" required:"true" unless:"events" doc:"What the source holds, by entity: company, person or one of your own."`
	Events   []SourceEvent  `yaml:"events" doc:"What happened to or with customers, by name: tickets, orders, calls …"`
	Options  Block          `yaml:",rest"`
	At       Node           `yaml:"-"`
}

const defaultEvery = Duration(5 * time.Minute)

// SourceEntity says how a source's records of one entity are read.
type SourceEntity struct {
	Entity    string           `yaml:",key"`
	ID        Expr             `yaml:"id" doc:"The record's own id in the source. Needed unless the connector knows it; a file never does." example:"record.id"`
	Stamp     Expr             `yaml:"stamp" doc:"When the source last changed the record." example:"record.updated_at"`
	Version   Expr             `yaml:"version" doc:"The source's version or etag of the record." example:"record.etag"`
	Deleted   Expr             `yaml:"deleted" doc:"True when the source has deleted the record." example:"record.archived == true"`
	Where     Expr             `yaml:"where" doc:"Only records for which this is true, as for the source." example:"record.country == \"CN\""`
	Map       []Named          `yaml:"map" required:"true" doc:"Our field: expression over record. A list's field takes one entry under its singular (phone) or a list of entries (phones); an entry may have parts."`
	Schema    string           `yaml:"schema" doc:"A JSON Schema file for the mapped record, in addition to the entity's." example:"crm.schema.json"`
	Volatile  []string         `yaml:"volatile" doc:"JSON pointers to what changes without meaning: left out when records are compared." example:"[/etag, /updated_at]"`
	Relations []SourceRelation `yaml:"relations" doc:"Edges to other records, by name: employer, parent, branch …"`
	Link      string           `yaml:"link" doc:"Where people open a record in this system: an address in which {id} stands for the record's id. The pages lead there." example:"https://crm.example/companies/{id}"`
	Options   Block            `yaml:",rest"`
	At        Node             `yaml:"-"`
}

// Check reports what is wrong with a source's values.
func (s Source) Check(at Node) (problems []Problem) {
	if !plainName(s.Name) || len(s.Name) > maxName {
		problems = append(problems, at.atKey().Problem("a source's name is made of letters, digits, _ and -, at most %d bytes", maxName))
	}
	if s.Every < 0 || s.Every > 0 && s.Every < Duration(time.Second) {
		problems = append(problems, at.Key("every").Problem("is %s, want 1s or more", s.Every))
	}
	problems = append(problems, s.whenProblems(at)...)
	for i, was := range s.Was {
		if !plainName(was) {
			problems = append(problems, at.Key("was").Index(i).Problem("is %s, want the name a source had", at.Key("was").Index(i).describe()))
		}
	}
	for _, e := range s.Entities {
		problems = append(problems, e.linkProblems()...)
		if s.Type == "file" && e.ID.IsZero() {
			problems = append(problems, lacking(e.At, "id", "is missing: records of a file need one, for example id: record.id"))
		}
	}
	return problems
}

// linkProblems says what is wrong with the address of a record.
func (e SourceEntity) linkProblems() []Problem {
	if e.Link == "" {
		return nil
	}
	u, err := url.Parse(strings.ReplaceAll(e.Link, "{id}", "1"))
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || !strings.Contains(e.Link, "{id}") || strings.Contains(e.Link, " ") {
		return []Problem{e.At.Key("link").Problem("is no web address with {id} in it, such as https://crm.example/companies/{id}")}
	}
	return nil
}

// lacking is a problem of a key that is not there, shown at the name of the
// struct it belongs to; or of one that is there and says nothing.
func lacking(at Node, key, text string) Problem {
	if k := at.Key(key); k.node != nil {
		return k.Problem("%s", text)
	}
	at = at.atKey()
	at.path = joinPath(at.path, key)
	return at.Problem("%s", text)
}

// Check reports fields that the entity does not have and parts that a field
// does not take. A list may be mapped under both its names: phones, and one phone.
func (e SourceEntity) Check(at Node) (problems []Problem) {
	for _, m := range e.Map {
		spec, ok := record.Spec(e.Entity, m.Name)
		switch {
		case record.Specs(e.Entity) == nil:
		case !ok:
			names := fieldNames(e.Entity)
			problems = append(problems, m.At.atKey().Problem("%s has no field %q%s", e.Entity, m.Name, hint(m.Name, names)))
		default:
			problems = append(problems, shapeProblems(m, spec)...)
		}
	}
	for i, p := range e.Volatile {
		if !strings.HasPrefix(p, "/") {
			problems = append(problems, at.Key("volatile").Index(i).Problem("is %q, want a JSON pointer: /%s", p, p))
		}
	}
	return problems
}

// fieldNames are the names a mapping may use for an entity's fields.
func fieldNames(entity string) (names []string) {
	for _, s := range record.Specs(entity) {
		names = append(names, s.Name)
		if s.One != "" {
			names = append(names, s.One)
		}
	}
	return names
}

func shapeProblems(m Named, spec record.FieldSpec) (problems []Problem) {
	switch {
	case spec.Kind != record.List && m.Value.Expr.IsZero() && (m.Value.Parts != nil || m.Value.Items != nil):
		return []Problem{m.At.Problem("is %s, but %s is one value; want an expression", m.At.describe(), m.Name)}
	case m.Value.Items != nil && m.Name == spec.One:
		return []Problem{m.At.Problem("is a list, but %s is one entry; write %s for several", m.Name, spec.Name)}
	}
	entries := append([]MapValue{{Parts: m.Value.Parts}}, m.Value.Items...)
	allowed := append([]string{"value", "kind"}, spec.Parts...)
	for _, e := range entries {
		for _, p := range e.Parts {
			if !slices.Contains(allowed, p.Name) {
				problems = append(problems, p.At.atKey().Problem("%s has no part %q%s", spec.Name, p.Name, hint(p.Name, allowed)))
			}
		}
	}
	return problems
}

// guessedLiterals warns of what looks like a secret written into a connector's
// part of the file, which is decoded later.
func guessedLiterals(d *document, sources []Source) (warnings []Problem) {
	var look func(at Node, n *yaml.Node, depth int)
	look = func(at Node, n *yaml.Node, depth int) {
		_, ref := d.refs[n]
		switch {
		case n == nil || depth > maxDepth:
		case n.Kind == yaml.MappingNode:
			for _, p := range pairsOf(n) {
				look(at.child(p), p.value, depth+1)
			}
		case n.Kind == yaml.SequenceNode:
			for i := range n.Content {
				look(at.Index(i), follow(n.Content[i]), depth+1)
			}
		case d.guessed[n] && !ref && likelySecret(at):
			warnings = append(warnings, at.Problem("a secret seems to stand in the file itself; better ${env:NAME} or ${file:PATH}"))
		}
	}
	for _, s := range sources {
		for _, p := range s.Options.entries {
			c := s.At.child(p)
			look(c, p.value, 0)
		}
	}
	return warnings
}

// likelySecret is narrower than what is hidden: a warning about a user's name
// would only teach people to overlook warnings.
func likelySecret(at Node) bool {
	name := at.path[strings.LastIndexAny(at.path, ".[")+1:]
	for _, w := range []string{"token", "password", "passwd", "secret", "key", "credential"} {
		if strings.HasSuffix(name, w) {
			return true
		}
	}
	return false
}

func reflectOf(into any) reflect.Value { return reflect.ValueOf(into).Elem() }
