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
	// CountValues has the values of a field counted anew where they are counted in
	// the background.
	CountValues(ctx context.Context, q ValueQuery) error
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

// ValueState says as of when values were counted. Of few records they are counted
// for each page.
type ValueState struct {
	Kept        bool      // they are counted in the background
	At          time.Time // as of when; zero before the first count, and where they are counted for each page
	Counting    bool      // they are being counted anew
	Done, Whole int       // records of that
	Failed      bool      // the last count could not be made
}

// ValuePage is the values of a field.
type ValuePage struct {
	ValueQuery
	Entities, Fields []string
	Maps             []ValueMapRow
	Values           []ValueHeld // the most frequent first
	Distinct         int
	More             bool // there are more distinct values than were counted
	Records          int
	ValueState
	Missed    []ValueMissed
	AllMissed int
}

// ValuePreview is what a map would do.
type ValuePreview struct {
	ValueQuery
	Records int
	AtMost  bool // it is none of the most frequent values: there may be fewer
	ValueState
}
