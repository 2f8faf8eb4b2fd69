package config

import (
	"slices"
	"strings"

	"touchstone/internal/record"
)

// Policies say what a target may do with a golden record.
const (
	UpdateOnly = "update_only"
	Upsert     = "upsert"
	CreateOnly = "create_only"
)

// Who approves a first plan.
const (
	ApprovePerson = "person"
	ApproveAuto   = "auto"
)

// Target is one kind of object of one system that changes are written to.
type Target struct {
	Name       string            `yaml:",key"`
	System     string            `yaml:"system" doc:"The source whose system this is; the target's own name when left out." example:"crm"`
	Entity     string            `yaml:"entity" required:"true" doc:"The entity whose golden records are written: company, person or one of your own."`
	Policy     string            `yaml:"policy" default:"update_only" oneof:"update_only upsert create_only" doc:"Whether objects are only updated, or created too, or only created."`
	Owns       []string          `yaml:"owns" doc:"The fields that may be written: the target's field paths or our field names. Every other field belongs to the target." example:"[phone, website]"`
	Map        []Named           `yaml:"map" doc:"The target's field path: expression over golden." example:"phone: golden.phones[0].value"`
	References []TargetReference `yaml:"references" doc:"Fields that hold the target's own id of a related golden record."`
	Where      Expr              `yaml:"where" doc:"Only golden records for which this is true." example:"golden.country == \"CN\""`
	Brake      Percent           `yaml:"brake" default:"5%" doc:"A plan that touches more of the target than this share stops and waits for a person."`
	Approve    string            `yaml:"approve" default:"person" oneof:"person auto" doc:"Whether a first plan waits for a person (person) or not (auto)."`
	At         Node              `yaml:"-"`
}

// Check reports what is wrong with a target's values.
func (t Target) Check(at Node) (problems []Problem) {
	if !plainName(t.Name) || len(t.Name) > maxName {
		problems = append(problems, at.atKey().Problem("a target's name is made of letters, digits, _ and -, at most %d bytes", maxName))
	}
	if t.Policy == UpdateOnly && len(t.Owns) == 0 {
		problems = append(problems, lacking(at, "owns", "names no field: with policy update_only only owned fields are ever written; want at least one"))
	}
	mapped := make([]string, len(t.Map))
	for i, m := range t.Map {
		mapped[i] = m.Name
		if m.Value.Expr.IsZero() && (m.Value.Parts != nil || m.Value.Items != nil) {
			problems = append(problems, m.At.Problem("is %s, want an expression over golden; write address.city as the key to set a nested field", m.At.describe()))
		}
		if !fieldPath(m.Name) {
			problems = append(problems, m.At.atKey().Problem("%q is no field path; want names with dots between: address.city", m.Name))
		}
	}
	for _, r := range t.References {
		if slices.Contains(mapped, r.Field) {
			problems = append(problems, r.Place.atKey().Problem("%s is mapped too; keep one", r.Field))
		}
		mapped = append(mapped, r.Field)
	}
	for i, name := range t.Owns {
		_, ours := record.Spec(t.Entity, name)
		switch {
		case slices.Index(t.Owns, name) < i:
			problems = append(problems, at.Key("owns").Index(i).Problem("%q is named twice", name))
		case len(mapped) > 0 && !ours && !slices.Contains(mapped, name) && record.Specs(t.Entity) != nil:
			problems = append(problems, at.Key("owns").Index(i).Problem("%q is neither mapped nor a field of %s%s", name, t.Entity, hint(name, mapped)))
		}
	}
	return problems
}

func fieldPath(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if strings.TrimSpace(part) == "" {
			return false
		}
	}
	return true
}
