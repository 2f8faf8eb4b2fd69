package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"touchstone/internal/record"
)

// Reference gives the description of the file in Markdown, from the same tags
// as the walker's checks.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(referenceIntro)
	for _, s := range []struct {
		title, about string
		typ          reflect.Type
	}{
		{"The file", "", reflect.TypeFor[Config]()},
		{"store", "", reflect.TypeFor[Store]()},
		{"server", "", reflect.TypeFor[Server]()},
		{"server.session", "", reflect.TypeFor[Session]()},
		{"log", "", reflect.TypeFor[Log]()},
		{"alert", aboutAlert, reflect.TypeFor[Alert]()},
		{"alert.webhook", "", reflect.TypeFor[AlertWebhook]()},
		{"alert.mail", "", reflect.TypeFor[AlertMail]()},
		{"trace", aboutTrace, reflect.TypeFor[Trace]()},
		{"audit", aboutAudit, reflect.TypeFor[Audit]()},
		{"audit.checkpoints", "", reflect.TypeFor[AuditCheckpoints]()},
		{"access.scopes.NAME", "A part of the customers. Accounts, groups and tokens that name it reach these alone; all that it says holds together.", reflect.TypeFor[Scope]()},
		{"access.masks.NAME", "Fields that are kept back from the accounts, groups and tokens that name it. A field that is kept back cannot be searched by either.", reflect.TypeFor[Mask]()},
		{"sources.NAME", "A source also takes the keys of its connector; see the connector's own page.", reflect.TypeFor[Source]()},
		{"sources.NAME.deletes", "", reflect.TypeFor[Deletes]()},
		{"sources.NAME.entities.ENTITY", "", reflect.TypeFor[SourceEntity]()},
		{"sources.NAME.entities.ENTITY.relations.NAME", "Edges from these records to others: an employment, a parent, a branch, a partner.", reflect.TypeFor[SourceRelation]()},
		{"sources.NAME.events.NAME", "What happened to or with customers: tickets, orders, calls, mails, page views, surveys.", reflect.TypeFor[SourceEvent]()},
		{"sources.NAME.events.NAME.of", "", reflect.TypeFor[Party]()},
		{"entities.ENTITY", "", reflect.TypeFor[Entity]()},
		{"entities.ENTITY.match", "", reflect.TypeFor[Match]()},
		{"targets.NAME", "", reflect.TypeFor[Target]()},
		{"targets.NAME.references.FIELD", "", reflect.TypeFor[TargetReference]()},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n", s.title)
		if s.about != "" {
			b.WriteString(s.about + "\n\n")
		}
		table(&b, shapeOf(s.typ))
	}
	b.WriteString("\n## Strategies of survive\n\nEach keeps the values it prefers, the next chooses among those.\n\n")
	fmt.Fprintf(&b, "`%s`\n", strings.Join(shapeOf(reflect.TypeFor[Survive]()).value.oneof, "` · `"))
	for _, entity := range []string{record.Company, record.Person} {
		fmt.Fprintf(&b, "\n## Fields of %s\n\n| field | one entry | parts |\n|---|---|---|\n", entity)
		for _, f := range record.Specs(entity) {
			parts := ""
			if f.Kind == record.List {
				parts = strings.Join(append([]string{"value", "kind"}, f.Parts...), ", ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f.Name, f.One, parts)
		}
	}
	return []byte(b.String())
}

const referenceIntro = `# The configuration file

Generated from the code: ` + "`go test ./config -update`" + `. ` + "`touchstone init`" + ` writes a first file, ` + "`touchstone check`" + ` finds
every mistake in one, ` + "`touchstone check --print`" + ` shows what takes effect.

A **length of time** is written 30s, 5m, 1h30m or 2d. A **share** is written 5% or 0.05. An **expression** is written
bare: ` + "`record.name`" + `; put it in single quotes when it contains ": ", " #" or starts with a quote or bracket.
` + "`${env:NAME}`" + ` and ` + "`${file:PATH}`" + ` stand for a whole value; a file is looked up beside this one, and a line break at its end is
left out. Secrets belong there and are shown nowhere. Aliases and merge keys (&name, *name, <<) work. A file is UTF-8, at
most 1 MiB, one document, at most 32 levels deep.
`

func table(b *strings.Builder, s shape) {
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	for _, f := range s.fields {
		def := f.def
		if f.required {
			def = "required"
		}
		doc := f.doc
		if f.example != "" {
			doc += " Example: `" + strings.ReplaceAll(f.example, "|", `\|`) + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.key, kindOf(f), def, doc)
	}
}

// kindOf names the kind of a value in a word or two.
func kindOf(f field) string {
	switch f.typ {
	case reflect.TypeFor[Duration](), reflect.TypeFor[time.Duration]():
		return "length of time"
	case reflect.TypeFor[Percent]():
		return "share"
	case reflect.TypeFor[Secret]():
		return "secret"
	case reflect.TypeFor[Expr]():
		return "expression"
	case reflect.TypeFor[[]Named]():
		return "name: expression, parts or list"
	case reflect.TypeFor[[]Survive]():
		return "field: list of strategies"
	case reflect.TypeFor[[]Party]():
		return "mapping, or list of them"
	case reflect.TypeFor[[]Table]():
		return "name: value: meaning pairs, or the path of a CSV file"
	}
	switch w := strings.TrimPrefix(want(f.typ, f), "a "); w {
	case "list":
		return "list of texts"
	default:
		return w
	}
}
