// Package simulator holds customer systems that behave like the vendors': HTTP
// servers on loopback with paging, etags, external keys, idempotency keys and
// the faults that real ones show. The demo, `touchstone simulate` and the fault
// tests all use this one implementation.
package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"touchstone/internal/env"
)

// Profile says how one system behaves. The zero value of each switch is the
// weaker system: one that honours nothing.
type Profile struct {
	Name  string
	Token string // asked for as "Authorization: Bearer <token>"; "" asks for none

	ETag             bool // objects carry an etag, If-Match is honoured
	UniqueExternalID bool // a second live object with the same external_id is refused
	IdempotencyKeys  bool // the same Idempotency-Key is applied once, for ever
	Normalise        bool // texts are trimmed and phones rewritten when they are written

	PageSize int // the most a list answers at once, whatever was asked; 0: 100
	Objects  []Object
	Faults   []Fault // active from the start; /_admin/faults changes them

	Settings Settings // limits, lag and the like; /_admin/settings changes them

	// Clock waits in slow answers and dates Retry-After; nil is the real clock.
	// It never decides a state: the system's own time is counted (see Start).
	Clock env.Clock

	tick    time.Duration // what a write adds to the system's clock; 0: Tick
	dialect dialect       // a vendor's API; nil is the plain one of this package
}

// Object is one kind of object, served under /<Name>.
type Object struct {
	Name   string // "companies"
	Prefix string // ids are Prefix1001, Prefix1002 …
	// Fields are what may be written: a path ("address.city" nests) and what it
	// must be. external_id is always there.
	Fields   map[string]Kind
	Required []string // must not be blank at create
	Phones   []string // rewritten when the profile normalises

	newID func(n int) string // nil: Prefix and the number

	key string // path of the id that the client gives; "": external_id
}

// Kind is the JSON type that a field takes; null is always taken and clears.
type Kind string

// The kinds.
const (
	Text   Kind = "text"
	Number Kind = "number"
	Any    Kind = "any"
)

// Seed is what a system holds before the first write: for each object name a
// list of JSON objects, each with "id" (a text), "updated_at" (RFC 3339) and
// whatever fields, also such as Profile would refuse: real systems hold them.
type Seed map[string][]json.RawMessage

// CRM is a system that promises everything: etags, unique external ids,
// idempotency keys.
func CRM() Profile {
	return Profile{
		Name: "crm", Token: "demo-crm",
		ETag: true, UniqueExternalID: true, IdempotencyKeys: true,
		Objects: []Object{
			{
				Name: "companies", Prefix: "c", Required: []string{"name"}, Phones: []string{"phone"},
				Fields: fields("name registration_no email phone website street city region postcode country industry owner", "employees"),
			},
			{
				Name: "contacts", Prefix: "p", Phones: []string{"phone"},
				Fields: fields("first_name last_name email phone company dob street city region postcode country owner", ""),
			},
		},
	}
}

// Desk is a support desk: other field names, a nested address, no idempotency
// keys, and it rewrites what it is given.
func Desk() Profile {
	address := " address.line address.city address.state address.zip address.country"
	return Profile{
		Name: "desk", Token: "demo-desk",
		ETag: true, UniqueExternalID: true, Normalise: true,
		Objects: []Object{
			{
				Name: "companies", Prefix: "o", Required: []string{"title"}, Phones: []string{"tel"},
				Fields: fields("title tax_id mail tel url sector"+address, "headcount"),
			},
			{
				Name: "contacts", Prefix: "u", Phones: []string{"tel"},
				Fields: fields("full_name mail tel organisation born"+address, ""),
			},
		},
	}
}

func fields(texts, numbers string) map[string]Kind {
	m := map[string]Kind{}
	for _, f := range strings.Fields(texts) {
		m[f] = Text
	}
	for _, f := range strings.Fields(numbers) {
		m[f] = Number
	}
	return m
}

// check reports the first thing wrong with the profile.
func (p Profile) check() error {
	if p.Name == "" || len(p.Objects) == 0 {
		return fmt.Errorf("profile %q: a name and at least one object are needed", p.Name)
	}
	seen := map[string]bool{}
	for _, o := range p.Objects {
		if o.Name == "" || strings.ContainsAny(o.Name, "/{}") || strings.HasPrefix(o.Name, "_") || o.Prefix == "" {
			return fmt.Errorf("profile %s: object %q: want a plain name and an id prefix", p.Name, o.Name)
		}
		if seen[o.Name] || seen["prefix "+o.Prefix] {
			return fmt.Errorf("profile %s: object %q: name or prefix is there twice", p.Name, o.Name)
		}
		seen[o.Name], seen["prefix "+o.Prefix] = true, true
	}
	for _, f := range p.Faults {
		if err := f.check(); err != nil {
			return fmt.Errorf("profile %s: %w", p.Name, err)
		}
	}
	if err := p.Settings.check(); err != nil {
		return fmt.Errorf("profile %s: %w", p.Name, err)
	}
	return nil
}

// keyPath is where the id that the client gives stands.
func (o Object) keyPath() string { return cmp.Or(o.key, externalID) }

// fieldKind finds a path's kind. Group is true when the path only leads to
// fields, as "address" does.
func (o Object) fieldKind(path string) (kind Kind, group, known bool) {
	if path == externalID && o.key == "" {
		return Text, false, true
	}
	if k, ok := o.Fields[path]; ok {
		return k, false, true
	}
	for f := range o.Fields { // order is irrelevant: any hit is the same answer
		if strings.HasPrefix(f, path+".") {
			return "", true, true
		}
	}
	return "", false, false
}
