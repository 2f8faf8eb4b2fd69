// Package record holds the nouns of Touchstone: references, values, source
// records, changes. It imports nothing of ours.
package record

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Entity types that are built in.
const (
	Company = "company"
	Person  = "person"
)

// Ref names one source record: the uid of its source, its entity type and the
// id it has there. It is safe to log: it holds no customer data but the id.
type Ref struct{ Source, Entity, ID string }

// String gives "source/entity/id", with / and % in the parts escaped, so that
// ParseRef can read it back.
func (r Ref) String() string {
	return refEscape.Replace(r.Source) + "/" + refEscape.Replace(r.Entity) + "/" + refEscape.Replace(r.ID)
}

// Word is String as one word, for lists joined by blanks: those of the id are
// escaped too. ParseRef reads it back.
func (r Ref) Word() string { return strings.ReplaceAll(r.String(), " ", "%20") }

// Compare orders references by source, entity and id, byte by byte.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(strings.Compare(r.Source, o.Source), strings.Compare(r.Entity, o.Entity), strings.Compare(r.ID, o.ID))
}

var (
	refEscape   = strings.NewReplacer("%", "%25", "/", "%2F")
	refUnescape = strings.NewReplacer("%2F", "/", "%25", "%", "%20", " ")
)

// ParseRef reads what String or Word wrote.
func ParseRef(s string) (Ref, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return Ref{}, fmt.Errorf("reference %q: want source/entity/id", s)
	}
	return Ref{refUnescape.Replace(parts[0]), refUnescape.Replace(parts[1]), refUnescape.Replace(parts[2])}, nil
}

// Raw is one record as a source gave it. Data is a JSON object. A record that
// could not be read at all carries Problem instead and, in Data, a JSON object
// {"unreadable": "<the text>"}: it is landed and quarantined like any other.
type Raw struct {
	Entity  string
	ID      string
	Version string    // the source's own version or etag; "" if it has none
	Stamp   time.Time // the source's own time of last change, UTC; zero if it has none
	Deleted bool
	Data    []byte
	Place   string // where it was found, for messages: "line 12", "page 3, record 7"
	Problem string // why it could not be read; "" for a good record
}

// Op is what a change does to the object in the target.
type Op string

// The operations.
const (
	Create Op = "create"
	Update Op = "update"
	Upsert Op = "upsert"
)

// Change is one write to one object of a target, already mapped to the
// target's own field names.
type Change struct {
	Row          string // the outbox row; results come back by it
	Entity       string // the target's entity
	Op           Op
	ExternalID   string         // the target's own id of the object; "" for a create
	Key          string         // our id for the object, sent as its external key at create and upsert
	Idempotency  string         // same key, same bytes
	Precondition string         // etag or version the object must still have; "" for none
	Fields       map[string]any // field path in the target → value; nil value clears the field
	// Base is what stood at the paths of Fields when the change was made; nil for
	// not known. A target that can compares it in the same step as it writes.
	Base map[string]any
}

// Reason is one ground for a quarantine or one note on a record: which rule
// refused which value of which field, and how to mend it.
type Reason struct {
	Rule   string `json:"rule"`            // "schema", "required", "unreadable", "map" …
	Field  string `json:"field,omitempty"` // field or JSON pointer
	Value  string `json:"value,omitempty"` // shortened to 120 characters; never logged
	Text   string `json:"text"`            // what is wrong
	Remedy string `json:"remedy"`          // how to mend it
}

// ErrNotFound says that something asked for by id is not there.
var ErrNotFound = errors.New("not found")

// TimeLayout is how times are stored and shown to machines: UTC, microseconds.
const TimeLayout = "2006-01-02T15:04:05.000000Z"

// FormatTime renders t in TimeLayout; the zero time is "".
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeLayout)
}

// ParseTime reads what FormatTime wrote.
func ParseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(TimeLayout, s)
}
