package web

import (
	"context"
	"time"
)

// ConflictData settles what was not written.
type ConflictData interface {
	// ConflictPage lists rows of the outbox that only a person moves on, or what
	// else the inbox holds.
	ConflictPage(ctx context.Context, f ConflictFilter) (ConflictPage, error)
	// SettleRow settles one row.
	SettleRow(ctx context.Context, f SettleForm, by By) (Done, error)
	// SettleRows plans all rows of a filter again, or drops them, as one act.
	SettleRows(ctx context.Context, f ConflictFilter, drop bool, by By) (Done, error)
}

// ConflictViews are what the inbox can show.
var ConflictViews = []string{"conflict", "rejected", "dead", "overwritten", "flips"}

// ConflictFilter chooses rows; "" for all.
type ConflictFilter struct {
	View, Target, Path, After string
	Limit                     int
}

// ConflictPage is a page of them.
type ConflictPage struct {
	Shown   string // the view that is listed
	Views   []Count
	Targets []string
	Rows    []ConflictRow
	Flips   []FlipRow
	Next    string
	Partial bool // enough was looked through: Next goes on looking
	AtLeast bool // Views were counted among a part of the rows
}

// ConflictRow is one write that was not made, or one that replaced a value there.
type ConflictRow struct {
	WriteRow
	Name    string // of the golden record
	Sides   []ConflictField
	Reason  string // a word for why: gone, changed, refused, missing, denied, exists, unknown, other
	Changed time.Time
	Gone    bool // the object is not there any more
}

// ConflictField is one field of a row on three sides.
type ConflictField struct {
	Path               string
	Field              string // of ours, where it is filled from one alone
	Base, Theirs, Ours string // when it was planned, there now, and what we want there
	Known              bool   // what stands there now is known
	From               string // which record our value comes from
	Kept               bool   // the values are kept from who asks
}

// Moved says that what stands there is not what stood there when it was planned.
func (f ConflictField) Moved() bool { return f.Known && f.Base != f.Theirs }

// FlipRow is a field that is written to and fro.
type FlipRow struct {
	Target, Path, Golden, Name, Field string
	Steps                             []FlipMove
}

// FlipMove is one write of it.
type FlipMove struct {
	At       time.Time
	Old, New string
}

// SettleForm settles one row: How is ours, theirs, typed or drop. Seen is the form
// of a typed value that was shown: see Problem.Take.
type SettleForm struct{ Row, How, Path, Value, Seen string }

// The words of what was done.
const (
	DoneOurs    = "done.ours"
	DoneTheirs  = "done.theirs"
	DoneTyped   = "done.typed"
	DoneDropped = "done.dropped"
	DoneNothing = "done.nothing"
)
