package config

import (
	"slices"

	"touchstone/internal/record"
)

// Access is which customers and which of their fields accounts see that do not
// see all. Accounts, groups and tokens name its scopes and masks.
type Access struct {
	Scopes []Scope `yaml:"scopes" doc:"Which customers, by name. Who has several scopes reaches the customers of each; who has none reaches all."`
	Masks  []Mask  `yaml:"masks" doc:"Which fields are kept from whom, by name. Of who has several all hold."`
}

// Scope is a part of the customers. All that it says holds together.
type Scope struct {
	Name     string   `yaml:",key"`
	Sources  []string `yaml:"sources" doc:"Customers with a record of one of these sources." example:"[crm]"`
	Entities []string `yaml:"entities" doc:"Customers of these kinds." example:"[company]"`
	Where    Expr     `yaml:"where" doc:"Customers for whom this is true, over golden or its fields by name; city, region, district and postcode are those of the first address, and so is country where there is no such field." example:"country == \"CN\" && city in [\"上海\", \"杭州\"]"`
	At       Node     `yaml:"-"`
}

// Mask is fields that are kept back.
type Mask struct {
	Name   string      `yaml:",key"`
	Fields []MaskField `yaml:"fields" required:"true" doc:"Field: hide, or partial: the last four characters of a number or an id, the domain of an address of mail or web, the first character of a name, the year of a date, country and region of an address. company.ids is the field of one kind of customer." example:"{ids: hide, phones: partial}"`
	At     Node        `yaml:"-"`
}

// MaskField is how one field is kept back.
type MaskField struct {
	Field string `yaml:",key"`
	How   string `yaml:",value" oneof:"hide partial"`
	At    Node   `yaml:"-"`
}

// The ways to mask.
const (
	MaskHide    = "hide"
	MaskPartial = "partial"
)

// Check reports names and fields that make no sense.
func (a Access) Check(at Node) (problems []Problem) {
	for _, s := range a.Scopes {
		if !plainName(s.Name) || len(s.Name) > maxName {
			problems = append(problems, s.At.atKey().Problem("a scope's name is made of letters, digits, _ and -, at most %d bytes", maxName))
		}
		if len(s.Sources) == 0 && len(s.Entities) == 0 && s.Where.IsZero() {
			problems = append(problems, s.At.Problem("says nothing: want sources, entities or where; who reaches all customers needs no scope"))
		}
	}
	for _, m := range a.Masks {
		if !plainName(m.Name) || len(m.Name) > maxName {
			problems = append(problems, m.At.atKey().Problem("a mask's name is made of letters, digits, _ and -, at most %d bytes", maxName))
		}
		if len(m.Fields) == 0 {
			problems = append(problems, lacking(m.At, "fields", "is missing: want the fields that are kept back, such as {ids: hide}"))
		}
	}
	return problems
}

// check holds scopes and masks against the sources and entity types of the file.
func (a Access) check(sources *sourceIndex, entities []string) (problems []Problem) {
	for _, s := range a.Scopes {
		for i, name := range s.Sources {
			if !sources.has(name) {
				problems = append(problems, s.At.Key("sources").Index(i).Problem("no source %q%s", name, sources.hint(name)))
			}
		}
		for i, name := range s.Entities {
			if !slices.Contains(entities, name) {
				problems = append(problems, s.At.Key("entities").Index(i).Problem("no entity %q%s", name, hint(name, entities)))
			}
		}
	}
	for _, m := range a.Masks {
		for _, f := range m.Fields {
			problems = append(problems, f.check(entities)...)
		}
	}
	return problems
}

// check finds fields that no kind of customer has. Of an entity of one's own all
// names are taken: its schema is not read here.
func (f MaskField) check(entities []string) []Problem {
	kind, name := f.Of()
	if kind != "" && !slices.Contains(entities, kind) {
		return []Problem{f.At.atKey().Problem("no entity %q%s", kind, hint(kind, entities))}
	}
	var known []string
	for _, e := range entities {
		if kind != "" && e != kind {
			continue
		}
		if record.Specs(e) == nil {
			return nil
		}
		if _, ok := record.Spec(e, name); ok {
			return nil
		}
		known = append(known, fieldNames(e)...)
	}
	return []Problem{f.At.atKey().Problem("no kind of customer has a field %q%s", name, hint(name, known))}
}

// Of is the kind of customer that the field is of, "" for all, and its name.
func (f MaskField) Of() (kind, name string) {
	for i := range f.Field {
		if f.Field[i] == '.' {
			return f.Field[:i], f.Field[i+1:]
		}
	}
	return "", f.Field
}

// ScopeNames lists the names of the scopes.
func (a Access) ScopeNames() (names []string) {
	for _, s := range a.Scopes {
		names = append(names, s.Name)
	}
	return names
}

// MaskNames lists the names of the masks.
func (a Access) MaskNames() (names []string) {
	for _, m := range a.Masks {
		names = append(names, m.Name)
	}
	return names
}
