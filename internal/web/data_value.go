package web

import (
	"context"
	"time"
)

// ValueData is which values count as another one.
type ValueData interface {
	// ValueMaps lists what is in force of an entity type, and the values of a
	// field with how many records have them.
	ValueMaps(ctx context.Context, q ValueQuery) (ValuePage, error)
	// PreviewValue says how many records a map would concern; MapValue makes it.
	PreviewValue(ctx context.Context, q ValueQuery) (ValuePreview, error)
	MapValue(ctx context.Context, q ValueQuery, by By) (decision string, err error)
}

// ValueQuery names a field of texts, and what of it is to count as what.
type ValueQuery struct {
	Entity, Field string
	From, To      string
}

// ValueMapRow is one decision on values.
type ValueMapRow struct {
	Decision, Field string
	Who, Why        string
	At              time.Time
	From            []string // the first ones
	More            int
	To              string
	Several         bool // From count as several values
}

// ValueHeld is a value with how many records have it.
type ValueHeld struct {
	Value  string
	Count  int
	Target bool // something counts as it
}

// ValueMissed is a value that a table of the configuration does not know.
type ValueMissed struct {
	Table, Value string
	Count        int
}

// ValuePage is the values of a field.
type ValuePage struct {
	ValueQuery
	Entities, Fields []string
	Maps             []ValueMapRow
	Values           []ValueHeld // the most frequent first
	Distinct         int
	Records          int
	Partial          bool // only the oldest records were counted: there are very many
	Missed           []ValueMissed
	AllMissed        int
}

// ValuePreview is what a map would do.
type ValuePreview struct {
	ValueQuery
	Records int
}
