package config

import (
	"cmp"
	"slices"
	"strings"

	"touchstone/internal/record"
)

// SourceEvent says how one of a source's streams of events is read: tickets,
// orders, calls, mails, page views, surveys.
type SourceEvent struct {
	Name     string   `yaml:",key"`
	Stream   string   `yaml:"stream" doc:"The stream of the connector; the event's own name when left out." example:"tickets"`
	ID       Expr     `yaml:"id" required:"true" doc:"The event's own id in the source: with it the same event comes twice and counts once." example:"record.id"`
	Of       []Party  `yaml:"of" required:"true" orone:"true" doc:"The records it belongs to: one, or a list of them, the most important first."`
	At       Expr     `yaml:"at" required:"true" doc:"When it happened." example:"record.created_at"`
	Stamp    Expr     `yaml:"stamp" doc:"When the source last changed the event." example:"record.updated_at"`
	Deleted  Expr     `yaml:"deleted" doc:"True when the source has deleted the event."`
	Where    Expr     `yaml:"where" doc:"Only events for which this is true; the rest is counted and left out."`
	Map      []Named  `yaml:"map" doc:"type (the event's name when left out), amount, currency, channel, status, subject, payload; any other name becomes a part of the payload." example:"status: record.status"`
	Schema   string   `yaml:"schema" doc:"A JSON Schema file for the mapped event, in addition to the built-in one." example:"ticket.schema.json"`
	Volatile []string `yaml:"volatile" doc:"JSON pointers to what changes without meaning: left out when events are compared." example:"[/updated_at]"`
	Place    Node     `yaml:"-"`
}

// Party names a record that an event belongs to.
type Party struct {
	Entity string `yaml:"entity" required:"true" doc:"The entity of the record."`
	ID     Expr   `yaml:"id" required:"true" doc:"The record's id in its source, over record; when it is missing the event does not belong to one." example:"record.requester_id"`
	Source string `yaml:"source" doc:"The source of the record; this one when left out."`
	Place  Node   `yaml:"-"`
}

// SourceRelation says how an edge from a source's record to another record is
// read.
type SourceRelation struct {
	Name   string `yaml:",key"`
	To     string `yaml:"to" required:"true" doc:"The entity of the other end." example:"company"`
	ID     Expr   `yaml:"id" required:"true" doc:"The other end's id in its source; when it is missing there is no edge." example:"record.company_id"`
	Source string `yaml:"source" doc:"The source of the other end; this one when left out."`
	Title  Expr   `yaml:"title" doc:"The title the person has there." example:"record.jobtitle"`
	Role   Expr   `yaml:"role" doc:"The part in buying: initiator, influencer, decider, buyer or user."`
	Share  Expr   `yaml:"share" doc:"The share in percent, 0 to 100."`
	Since  Expr   `yaml:"since" doc:"The first day."`
	Until  Expr   `yaml:"until" doc:"The last day; missing while it lasts."`
	Place  Node   `yaml:"-"`
}

// TargetReference says that a field of a target's object is the target's own id of a
// related golden record.
type TargetReference struct {
	Field    string `yaml:",key"`
	Relation string `yaml:"relation" required:"true" doc:"The relation that leads to the other golden record." example:"employer"`
	Value    Expr   `yaml:"value" doc:"What to write, over id; the id as text when left out." example:"number(id)"`
	Place    Node   `yaml:"-"`
}

// Check reports what is wrong with an event's values.
func (e SourceEvent) Check(at Node) (problems []Problem) {
	if !plainName(e.Name) || len(e.Name) > maxName {
		problems = append(problems, at.atKey().Problem("an event's name is made of letters, digits, _ and -, at most %d bytes", maxName))
	}
	for i, p := range e.Volatile {
		if !strings.HasPrefix(p, "/") {
			problems = append(problems, at.Key("volatile").Index(i).Problem("is %q, want a JSON pointer: /%s", p, p))
		}
	}
	for _, m := range e.Map {
		if m.Name != "payload" && eventField(m.Name) && m.Value.Expr.IsZero() && (m.Value.Parts != nil || m.Value.Items != nil) {
			problems = append(problems, m.At.Problem("is %s, but %s is one value; want an expression", m.At.describe(), m.Name))
		}
	}
	return problems
}

// StreamName is the stream that the events are pulled from.
func (e SourceEvent) StreamName() string { return cmp.Or(e.Stream, e.Name) }

// Check reports a name that could not be stored.
func (r SourceRelation) Check(at Node) []Problem {
	if !plainName(r.Name) || len(r.Name) > maxName {
		return []Problem{at.atKey().Problem("a relation's name is made of letters, digits, _ and -, at most %d bytes", maxName)}
	}
	return nil
}

// Check reports a field that is none.
func (r TargetReference) Check(at Node) []Problem {
	if !fieldPath(r.Field) {
		return []Problem{at.atKey().Problem("%q is no field path; want names with dots between: company.id", r.Field)}
	}
	return nil
}

func eventField(name string) bool { return slices.Contains(record.EventFields, name) }

// checkEvents holds events, relations and references against the rest of the
// file.
func (c Config) checkEvents(sources *sourceIndex) (problems []Problem) {
	entities := c.entityNames()
	known := func(at Node, key, name string, names []string, what string) {
		if name != "" && !slices.Contains(names, name) {
			problems = append(problems, at.Key(key).Problem("no %s %q%s", what, name, hint(name, names)))
		}
	}
	source := func(at Node, name string) {
		if name != "" && !sources.has(name) {
			problems = append(problems, at.Key("source").Problem("no source %q%s", name, sources.hint(name)))
		}
	}
	reads := func(at Node, key string, own Source, source, entity string) {
		i, ok := sources.place[cmp.Or(source, own.Name)]
		if !ok || entity == "" || !slices.Contains(entities, entity) || slices.ContainsFunc(c.Sources[i].Entities, func(e SourceEntity) bool { return e.Entity == entity }) {
			return
		}
		problems = append(problems, at.Key(key).Problem("source %s reads no %s; name the source that does: source: NAME", c.Sources[i].Name, entity))
	}
	ends := map[[2]string]string{} // entity, relation → the other end's entity
	for _, s := range c.Sources {
		for _, e := range s.Events {
			for _, p := range e.Of {
				known(p.Place, "entity", p.Entity, entities, "entity")
				source(p.Place, p.Source)
				reads(p.Place, "entity", s, p.Source, p.Entity)
			}
		}
		for _, e := range s.Entities {
			for _, r := range e.Relations {
				known(r.Place, "to", r.To, entities, "entity")
				source(r.Place, r.Source)
				reads(r.Place, "to", s, r.Source, r.To)
				key := [2]string{e.Entity, r.Name}
				if other := ends[key]; other != "" && other != r.To {
					problems = append(problems, r.Place.Key("to").Problem("%s of %s leads to %s in another source; one relation leads to one entity", r.Name, e.Entity, other))
				}
				ends[key] = r.To
			}
		}
	}
	for _, t := range c.Targets {
		var names []string
		for key := range ends {
			if key[0] == t.Entity {
				names = append(names, key[1])
			}
		}
		slices.Sort(names)
		for _, r := range t.References {
			known(r.Place, "relation", r.Relation, names, "source gives "+t.Entity+" a relation")
		}
	}
	return problems
}

// RelationEnd gives the entity at the other end of a relation; "" when no
// source reads one of this name.
func (c *Config) RelationEnd(entity, relation string) string {
	for _, s := range c.Sources {
		for _, e := range s.Entities {
			for _, r := range e.Relations {
				if e.Entity == entity && r.Name == relation {
					return r.To
				}
			}
		}
	}
	return ""
}
