package config

import (
	"maps"
	"slices"
	"strings"

	"touchstone/internal/record"
)

// Entity is what is known of one kind of customer.
type Entity struct {
	Name       string    `yaml:",key"`
	Schema     string    `yaml:"schema" doc:"The JSON Schema of its records: company, person or a file. An entity of your own needs one." example:"company"`
	Match      Match     `yaml:"match" doc:"When two records are the same customer."`
	Survive    []Survive `yaml:"survive" doc:"Field: strategies in order; each keeps the values it prefers, the next chooses among those."`
	SourceRank []string  `yaml:"source_rank" doc:"Names of sources, the most trusted first. Sources that are not named follow in the order of the file." example:"[erp, crm]"`
	Goals      []Goal    `yaml:"goals" doc:"What the records are needed for, by name: the fields that it takes. Completeness is measured by them; built-in goals (identify, reach) serve where there are none."`
	Brake      Percent   `yaml:"brake" default:"10%" doc:"A change of mapping, survivorship, thresholds or targets that changes more of its golden records than this share, and at least 100 of them, waits for a person. 100% for never."`
	At         Node      `yaml:"-"`
}

// Goal is something that records are needed for, and the fields it takes.
type Goal struct {
	Name   string   `yaml:",key"`
	Fields []string `yaml:",value" min:"1"`
	At     Node     `yaml:"-"`
}

// Match holds the two thresholds of matching, and by what an entity type of one's
// own is compared.
type Match struct {
	Link   Percent           `yaml:"link" default:"0.95" doc:"Records are linked without asking from this probability on."`
	Review Percent           `yaml:"review" default:"0.6" doc:"Pairs are shown to a person from this probability on."`
	Fields map[string]string `yaml:"fields" doc:"What the fields of an entity of your own are, by name: name, text, id (a number of its own: two of them are two things), code (a number that others may share), number, date, category, phone, email, web, address or ignore. What is left out is told by its schema and its name; company and person know theirs." example:"{vin: id, plate: code, model: name}"`
}

// MatchKinds are the kinds that a field of an entity of one's own may have.
func MatchKinds() []string {
	return []string{"name", "text", "id", "code", "number", "date", "category", "phone", "email", "web", "address", "ignore"}
}

const (
	defaultLink   = Percent(0.95)
	defaultReview = Percent(0.6)
	defaultBrake  = Percent(0.1)
)

// Check reports thresholds in the wrong order.
func (m Match) Check(at Node) []Problem {
	if m.Review > m.Link {
		return []Problem{at.Key("review").Problem("is %g, above link (%g); want at most that", float64(m.Review), float64(m.Link))}
	}
	return nil
}

// Survive says how a field's golden value is chosen among its sources.
type Survive struct {
	Field      string   `yaml:",key"`
	Strategies []string `yaml:",value" min:"1" oneof:"source_rank most_recent most_frequent longest most_complete min max union"`
	At         Node     `yaml:"-"`
}

// Check reports what is wrong with an entity's values.
func (e Entity) Check(at Node) (problems []Problem) {
	builtin := record.Specs(e.Name) != nil
	if !plainName(e.Name) || len(e.Name) > maxName {
		problems = append(problems, at.atKey().Problem("an entity's name is made of letters, digits, _ and -, at most %d bytes", maxName))
	}
	if !builtin && e.Schema == "" {
		problems = append(problems, lacking(at, "schema", "is missing: an entity of your own needs a JSON Schema file (company and person have one built in)"))
	}
	problems = append(problems, e.checkFields(at.Key("match").Key("fields"), builtin)...)
	for _, g := range e.Goals {
		for i, f := range g.Fields {
			if _, ok := record.Spec(e.Name, f); builtin && !ok {
				problems = append(problems, g.At.Index(i).Problem("%s has no field %q%s", e.Name, f, hint(f, fieldNames(e.Name))))
			}
		}
	}
	seen := map[string]string{}
	for _, s := range e.Survive {
		if _, ok := record.Spec(e.Name, s.Field); builtin && !ok {
			problems = append(problems, s.At.atKey().Problem("%s has no field %q%s", e.Name, s.Field, hint(s.Field, fieldNames(e.Name))))
			continue
		}
		field := plural(e.Name, s.Field)
		if other := seen[field]; other != "" {
			problems = append(problems, s.At.atKey().Problem("%s and %s are the same field; keep one", other, s.Field))
		}
		seen[field] = s.Field
		for i, name := range s.Strategies {
			if slices.Index(s.Strategies, name) < i {
				problems = append(problems, s.At.Index(i).Problem("%s is given twice", name))
			}
		}
	}
	return problems
}

// checkFields reports kinds that there are not.
func (e Entity) checkFields(at Node, builtin bool) (problems []Problem) {
	if builtin && len(e.Match.Fields) > 0 {
		return []Problem{at.Problem("stands below %s, whose fields are known; it is for entities of your own", e.Name)}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Match.Fields)) {
		if kind := e.Match.Fields[name]; !slices.Contains(MatchKinds(), kind) {
			problems = append(problems, at.Key(name).Problem("is %q, want one of %s%s", kind, strings.Join(MatchKinds(), ", "), hint(kind, MatchKinds())))
		}
	}
	return problems
}
