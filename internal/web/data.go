package web

import (
	"context"
	"time"
)

// Source is what the pages need of the rest of Touchstone, an interface for
// each area. What is asked for by a name or an id that is not there gives
// record.ErrNotFound; what cannot be done as it was asked for gives a
// ReaderError.
type Source interface {
	AccessData
	SystemsData
	QuarantineData
	DeskData
	QueueData
	CustomerData
	AuditData
	ChangeData
	ConflictData
	ProposalData
	QualityData
	LevelData
	PlanData
	ModelData
	HandoverData
	ValueData
	RunData
	LiveData
	ViewData
	// Seen keeps that who was shown these: it is called before they are shown.
	Seen(ctx context.Context, who, what string, subjects []string) error
}

// SystemsData is how the sources and targets are.
type SystemsData interface {
	// Overview reads everything the first page shows, in one consistent view.
	Overview(ctx context.Context) (Overview, error)
	// SourcePage reads one source.
	SourcePage(ctx context.Context, name string) (SourcePage, error)
	// TargetPage reads one target with its rows in a state, behind a row.
	TargetPage(ctx context.Context, name, state, after string) (TargetPage, error)
}

// QuarantineData is what could not be taken in.
type QuarantineData interface {
	// QuarantinePage lists quarantined records.
	QuarantinePage(ctx context.Context, f QuarantineFilter) (QuarantinePage, error)
	// QuarantineRecord reads one of them with its raw record.
	QuarantineRecord(ctx context.Context, id string) (QuarantineRecord, error)
	RepairData
}

// CustomerData is the golden records.
type CustomerData interface {
	// Customers searches golden records.
	Customers(ctx context.Context, q CustomerQuery) (CustomerPage, error)
	// Customer reads one golden record with everything about it.
	Customer(ctx context.Context, id string) (Customer, error)
	CustomerDetail
}

// RunRow is one pull of one source and entity.
type RunRow struct {
	Entity         string
	State          string // running, done, failed, interrupted
	Problem        string
	Started, Ended time.Time

	Pulled, Stored, Unchanged, Echo, Quarantined, Filtered int

	Uncounted bool // the counts are of all customers, and kept from who reaches some
}

// Uncount is how a run went, without its counts and what it said of its problem.
func (r RunRow) Uncount() RunRow {
	return RunRow{Entity: r.Entity, State: r.State, Started: r.Started, Ended: r.Ended, Uncounted: true}
}

// SourceEntity is what a source holds of one entity.
type SourceEntity struct {
	Entity      string
	Records     int
	Quarantined int
	Cursor      time.Time // when its cursor last moved
}

// SourcePage is one source.
type SourcePage struct {
	SourceRow
	Every    time.Duration
	Entities []SourceEntity
	Runs     []RunRow // newest first
}

// Change is one field of a write.
type Change struct{ Path, Old, New string }

// WriteRow is one row of the outbox.
type WriteRow struct {
	ID, Target, Op, State string
	Golden                string // id of the golden record
	ExternalID            string
	Problem               string
	Attempt               int
	Verified              bool
	At, Settled           time.Time
	Fields                []Change
}

// Count is a number with the name of what it counts.
type Count struct {
	Name string
	N    int
}

// TargetPage is one target.
type TargetPage struct {
	TargetRow
	Policy string
	Owns   []string
	Brake  float64 // share
	States []Count
	Shown  string // the state whose rows are listed
	Rows   []WriteRow
	Next   string
}

// QuarantineFilter chooses quarantined records; "" for all.
type QuarantineFilter struct {
	State, Source, Rule, After string
	Fault                      string // only records with this fault
	Age                        string // only records that wait longer: one of QuarantineAges
	Limit                      int
}

// Reason is one ground for a quarantine.
type Reason struct{ Rule, Field, Value, Text, Remedy string }

// QuarantineRow is one quarantined version.
type QuarantineRow struct {
	ID, Source, Entity, Record, Place, State string
	At                                       time.Time
	Who, Why                                 string
	Version                                  int
	Reasons                                  []Reason
}

// QuarantinePage is a page of them.
type QuarantinePage struct {
	Rows   []QuarantineRow
	Faults []FaultGroup // of open records, the most frequent first
	More   int          // faults that are not listed
	Of     *FaultGroup  // the one that is asked for
	// Repairs are in force; of them Overtaken are of versions that the source has
	// replaced since.
	Repairs, Overtaken int
	Next               string
	Partial            bool // ended early: many did not match
	Sources            []Count
	States             []Count
	Uncounted          bool // the sources and states are not counted: who asks reaches some rows alone
}

// QuarantineRecord is one of them as it came.
type QuarantineRecord struct {
	QuarantineRow
	Raw      string // as it came
	Kept     bool   // what is kept from who asks, and what cannot be told from it, is left out of it
	Lines    []RawLine
	Problems []Mending  // of a record that waits
	Golden   string     // id of the golden record it is in; "" for none yet
	Repairs  []RepairOf // in force on any version of it
	Waits    []WriteRow // what is to be written back to its system
	Next     string     // the record that waits behind it
}

// Side is one record of a pair.
type Side struct {
	Source, ID, Name string
	Golden           string
	Deleted          bool
}

// Evidence is one part of a weight.
type Evidence struct {
	Field, Level, A, B string
	Bits               float64
}

// PairField is a field of two records side by side.
type PairField struct{ Name, A, B string }

// Pair is two source records.
type Pair struct {
	ID, Entity  string
	A, B        Side
	Bits        float64
	Threshold   float64 // from which pairs are merged, in bits
	Probability float64
	Bridge      bool
	Veto        string
	Shared      []string // keys that brought them together
	Evidence    []Evidence
	Fields      []PairField
}

// Why is the word for why the pair is not merged.
func (p Pair) Why() string {
	switch {
	case p.Veto != "":
		return "veto"
	case p.A.Golden != "" && p.A.Golden == p.B.Golden:
		return "merged"
	case p.Bits < p.Threshold:
		return "below"
	case p.Bridge:
		return "bridge"
	}
	return "group"
}

// Ambiguous is a record that could belong to two customers, and stands with one.
type Ambiguous struct {
	Record Side
	Sides  [2]AmbiguousSide // the stronger first
}

// AmbiguousSide is the record of one of the two that it is most like.
type AmbiguousSide struct {
	Side
	Pair string // id of the pair
	Bits float64
	Here bool // the record stands with this one
}

// CustomerQuery asks for golden records.
type CustomerQuery struct {
	Text, Entity, Source string
	Several              bool
	Since                string // 2006-01-02
	After                string
	Limit                int
}

// CustomerPage is a page of them.
type CustomerPage struct {
	List     []Golden
	Next     string
	Total    int // -1: too many to count
	Partial  bool
	Entities []string
	Sources  []string
	Direct   string // id of the golden record that was asked for by an id
}

// GoldenField is a field of a golden record.
type GoldenField struct {
	Name, Value, Rule string
	From              []string
	Since             time.Time
	Losers            []Field
	Who               string // of a pin
	Marks             []Mark
}

// Mark is a note on a value: what is odd about it.
type Mark struct {
	Entry int    // which of several values, from 0
	Value string // it, of several; "" of one
	Text  string // its words are mark.Text
	// Wants and Has are the check digit that was expected and the one that stands
	// there; "" where that is not known.
	Wants, Has string
}

// GoldenMember is a source record behind it.
type GoldenMember struct {
	Source, ID, Name string
	Live             bool
	Version          int
	Made             bool // by our own push
	Fields           []Field
	Ref              string // source/entity/id
}

// GoldenVersion is one entry of its history.
type GoldenVersion struct {
	Version int
	At      time.Time
	Changed []string // fields whose origin changed
}

// Customer is a golden record with everything about it.
type Customer struct {
	ID, Entity, Name string
	Moved            bool
	Former           string        // the id asked for, where it has moved
	Elsewhere        []MovedRecord // records that once belonged to that id
	Version          int
	Changed          time.Time
	Known, Of        int // fields with a value, of those there are
	Unknown          []string
	Sources          []string
	Flags            []Flag
	Fields           []GoldenField
	Members          []GoldenMember
	MoreMembers      int
	History          []GoldenVersion
	Writes           []WriteRow
	Links            []Pair
}
