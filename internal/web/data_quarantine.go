package web

import (
	"context"
	"strings"
	"time"
)

// RepairData mends quarantined records.
type RepairData interface {
	// FaultPage shows one fault of many records, and what a remedy would make of
	// them.
	FaultPage(ctx context.Context, fault, remedy string) (FaultPage, error)
	// MendField mends one field of one record.
	MendField(ctx context.Context, r RepairForm, by By) (Done, error)
	// MendAll does a part of a bulk repair.
	MendAll(ctx context.Context, b BulkForm, by By) (BulkStep, error)
	// ReleaseRecord lets a record pass as it is.
	ReleaseRecord(ctx context.Context, id string, by By) (Done, error)
	// Fixes lists the repairs in force of a source ("" for all), in parts.
	Fixes(ctx context.Context, source string, overtaken bool, each func(RepairOf) error) error
	// UndoAct takes a decision back, or what else an action offered to undo.
	UndoAct(ctx context.Context, id string, by By) (Done, error)
}

// ActDone is what an act of an inbox did; its undo is the inbox's own.
func ActDone(key, undo string) Done {
	if undo != "" {
		undo = actMark + undo
	}
	return Done{Key: key, Undo: undo}
}

// Act is what ActDone was given to undo by; "" for none.
func (d Done) Act() string { return strings.TrimPrefix(d.Undo, actMark) }

// The words of what was done, for Done.
const (
	DoneMended     = "done.mended"
	DoneMendedPart = "done.mended.part"
	DoneReleased   = "done.released"
	DoneUndone     = "done.undone"
)

// QuarantineAges are how old records can be asked for, in days.
var QuarantineAges = []string{"1", "7", "30"}

// FaultGroup is how many records of one source wait with the same fault.
type FaultGroup struct {
	Fault, Source, Entity string
	Reason                // of the oldest, with its value
	N                     int
	Oldest                time.Time
	Sample                string // id of the oldest record
	Best                  string // the first remedy that helps it, "" for none
}

// RawLine is a line of a record as it came.
type RawLine struct {
	Text string
	Bad  bool // what is wrong stands here
}

// Mending is one reason with the ways to mend it.
type Mending struct {
	Reason
	Offers []Offer
	Typed  bool   // another value can be typed
	Now    string // what stands there
	Long   bool   // more stands there than Now shows
	Fault  string
	Same   int // records with the same fault, this one among them
	// Back says where the mended value would be written: systems that let us.
	Back []WriteBack
}

// Offer is one remedy: its name, and what stands there then.
type Offer struct {
	Remedy, Now string
	Key         string // the number that presses it, "" for none
	Lossy       bool
	Passes      bool // nothing else is wrong then
}

// Kind is the remedy without what it chooses or reads.
func (o Offer) Kind() string { return remedyKind(o.Remedy) }

// WriteBack is a field of a target that is filled from a field of ours.
type WriteBack struct{ Target, Path, Old, New string }

// RepairOf is a repair in force.
type RepairOf struct {
	Source, Entity, Record, Place, Field string
	Was, Now, Remedy, Who, Why, Decision string
	At                                   time.Time
	Version                              int
	Overtaken                            bool
	Back                                 []string // targets that write it back
}

// Kind is the remedy without what it chooses or reads.
func (r RepairOf) Kind() string { return remedyKind(r.Remedy) }

// FaultPage is one fault with what a remedy makes of the records that have it.
type FaultPage struct {
	FaultGroup
	Remedies []Trial
	Remedy   string // the one that is tried
	Looked   int    // records that were looked at
	Rows     []TrialRow
}

// Trial is a remedy with how many of the records looked at it helps.
type Trial struct {
	Remedy string
	Helps  int
}

// Kind is the remedy without what it chooses or reads.
func (t Trial) Kind() string { return remedyKind(t.Remedy) }

// Choice is what a remedy chooses, "" where it chooses nothing.
func (t Trial) Choice() string { return remedyChoice(t.Remedy) }

// TrialRow is what a remedy makes of one record.
type TrialRow struct {
	ID, Record, Place, Was, Now string
	Helps, Passes               bool
}

// RepairForm asks for one repair.
type RepairForm struct{ Row, Field, Remedy, Value string }

// BulkForm asks for a part of a bulk repair.
type BulkForm struct {
	Fault, Remedy, Decision, After string
}

// BulkStep says how far a bulk repair has come.
type BulkStep struct {
	Decision, After string // After is "" at the end
	Repaired, Left  int
}

// remedyKind is a remedy's name without what it chooses, and remedyChoice that.
func remedyKind(name string) string {
	kind, _, _ := strings.Cut(name, ":")
	return kind
}

func remedyChoice(name string) string {
	_, choice, _ := strings.Cut(name, ":")
	return choice
}
