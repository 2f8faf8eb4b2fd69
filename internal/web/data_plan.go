package web

import (
	"context"
	"time"
)

// QualityData is how good the data is.
type QualityData interface {
	// Quality reads what was counted last of every source.
	Quality(ctx context.Context) (Quality, error)
	// FieldProfile reads what was counted of one field.
	FieldProfile(ctx context.Context, source, entity, field string) (FieldProfile, error)
	// FieldRecords lists the records behind a figure of a field.
	FieldRecords(ctx context.Context, q FieldQuery) (FieldRecords, error)
	// SchemaPage lists the fields that a source's own records have.
	SchemaPage(ctx context.Context, source string) (SchemaPage, error)
	// Health reads the score of the data over the last days.
	Health(ctx context.Context, days int) (Health, error)
}

// PlanData is what would be written, and the decisions on it.
type PlanData interface {
	// Plans lists every target with what waits.
	Plans(ctx context.Context) ([]PlanSummary, error)
	// PlanPage reads one target's plan; rows are those of a part.
	PlanPage(ctx context.Context, q PlanQuery) (PlanPage, error)
	// ApprovePlan lets a part of a plan be written.
	ApprovePlan(ctx context.Context, d PlanDecision, by By) error
	// RefusePlan drops a part of a plan, and says whether more of it is left.
	RefusePlan(ctx context.Context, d PlanDecision, by By) (more bool, err error)
	// Unrefuse takes the refusal of a row back.
	Unrefuse(ctx context.Context, row string, by By) error
	// StopTarget stops sending to a target; GoOnTarget lets it go on.
	StopTarget(ctx context.Context, target string, by By) error
	GoOnTarget(ctx context.Context, target string, by By) error
}

// RunData is the pulls of sources.
type RunData interface {
	// Runs lists runs, newest first.
	Runs(ctx context.Context, f RunFilter) (RunList, error)
	// RunPage reads one run with what it said.
	RunPage(ctx context.Context, id string) (RunPage, error)
	// RunNow pulls a source at once; StopRun ends its pull between two pages.
	RunNow(ctx context.Context, source string, by By) error
	StopRun(ctx context.Context, source string, by By) error
}

// LiveData is the counts that pages show while they stand.
type LiveData interface {
	// Live gives counts by name, of who reaches some customers alone theirs, and the
	// names of those that were counted among a part. It costs little however often
	// it is asked.
	Live(ctx context.Context) (counts map[string]int, atLeast []string, err error)
	// NoteAlert keeps that a person looks after an incident, silences it for some
	// time, or with Clear takes that back.
	NoteAlert(ctx context.Context, n AlertNote, by By) error
}

// Quality is what was counted of every source, entity by entity.
type Quality struct {
	At       time.Time // of the oldest count; zero for none yet
	Entities []QualityEntity
	// Within says that it was counted of customers in reach alone, over so many
	// records; Part that these have more.
	Within  bool
	Part    bool
	Records int
}

// QualityEntity is one entity type over its sources.
type QualityEntity struct {
	Entity  string
	Fields  []string
	Sources []QualitySource
}

// Score is how good data is: shares from 0 to 1, and their sum in points from 0
// to 100.
type Score struct {
	Score                                         float64
	Completeness, Validity, Uniqueness, Freshness float64
	Records                                       int
}

// QualitySource is one source's figures of an entity type.
type QualitySource struct {
	Source      string
	At          time.Time
	Quarantined int
	Doubles     int
	Score       Score
	Fields      []FieldFigures // in the order of QualityEntity.Fields
	Goals       []GoalFigures
	Unused      int // fields of the source that nothing is mapped from
}

// FieldFigures are the counts of one field: Filled + Missing are the records,
// Valid + Invalid the values.
type FieldFigures struct {
	Filled, Missing, Values, Valid, Invalid, Dirty, Fresh, Distinct int
	Checked                                                         bool // validity means something
}

// GoalFigures are how many records have all that a goal takes.
type GoalFigures struct {
	Name         string
	Fields       []string
	All, Records int
}

// FieldProfile is one field of one source.
type FieldProfile struct {
	Source, Entity, Field, Check string
	At                           time.Time
	Records                      int
	FieldFigures
	Shortest, Longest       int
	Lengths, Shapes, Names  []Count
	OtherShapes, OtherNames int
	Provinces               map[string]int // of regions of China, by code; nil for other fields
	Elsewhere               int
}

// FieldQuery asks for the records behind a figure: Is is missing, filled,
// invalid, dirty, shape, name or length, and Value the shape, name or length.
type FieldQuery struct {
	Source, Entity, Field, Is, Value, After string
	Limit                                   int
	Scan                                    int // how many records are looked at at most; 0 for the default
}

// FieldRecord is a record with its values of a field.
type FieldRecord struct {
	ID, Golden string
	Values     []string
}

// FieldRecords is a page of them.
type FieldRecords struct {
	Rows    []FieldRecord
	Next    string
	Partial bool // ended early: many did not match
	Total   int  // as it was counted; -1 when that is not known
}

// SchemaField is a field of a source's own records.
type SchemaField struct {
	Path                 string
	Types                []string
	Filled               int
	MappedTo             []string
	First, Changed, Gone time.Time
	New                  bool // came after the first count
}

// SchemaPage is what a source's records look like.
type SchemaPage struct {
	Source   string
	Entities []SchemaEntity
}

// SchemaEntity is the fields of one entity type.
type SchemaEntity struct {
	Entity string
	Sample int // records looked at
	At     time.Time
	Fields []SchemaField
}

// HealthDay is the score of a day.
type HealthDay struct {
	Day string // 2006-01-02
	Score
}

// HealthLine is a source's scores, one a day, in the order of Health.Days; a
// score of a day without a count is negative.
type HealthLine struct {
	Source, Entity string
	Scores         []float64
	Now            Score
}

// Moved is why the score changed: Part is completeness, validity, uniqueness,
// freshness or records.
type Moved struct {
	Source, Entity, Part string
	Points               float64
}

// Health is the score of the data with its trend.
type Health struct {
	Days   []HealthDay // oldest first; none when nothing was counted yet
	Lines  []HealthLine
	Change float64 // since the first day
	Moved  []Moved // the strongest first
}

// PlanSummary is one target's plan in figures.
type PlanSummary struct {
	Target, System, Entity   string
	Held                     string // why it waits for a person; "" when it does not
	First                    bool   // no plan of these rules was approved yet
	Stopped                  bool
	StoppedBy, StoppedWhy    string
	Waiting, Behind, Objects int     // rows; those since the last approval; objects of the system
	Brake                    float64 // share
	Braked                   bool    // they touch more than the brake allows
	HeldBack                 int     // rows that were not let go with others
	Delivered, Failed        int
	Refused                  int
	LeftOut                  int
	LastSeq                  int64
}

// Gone is the share of rows that went of those that were planned, from 0 to 1.
func (p PlanSummary) Gone() float64 {
	if all := p.Waiting + p.Delivered + p.Failed; all > 0 {
		return float64(p.Delivered) / float64(all)
	}
	return 0
}

// PlanPart is rows that do the same with the same fields.
type PlanPart struct {
	Op     string
	Fields []string
	Rows   int
	Held   bool
}

// PlanQuery asks for rows of a plan; "" for all. Refused lists what was refused
// instead.
type PlanQuery struct {
	Target, Op, Field, After string
	Refused                  bool
	Limit                    int
}

// PlanPage is one target's plan.
type PlanPage struct {
	PlanSummary
	Parts  []PlanPart
	Fields []PlanField // what each field would go through
	Rows   []WriteRow
	Next   string
	Total  int // rows of what is listed
}

// PlanField counts the rows that write a field.
type PlanField struct {
	Field            string
	Creates, Updates int
}

// PlanDecision approves or refuses a part of a plan up to the last row that the
// person saw.
type PlanDecision struct {
	Target, Op, Field string
	Upto              int64
	Brake             bool // the person has confirmed that it touches more than the brake allows
}

// RunFilter chooses runs; "" for all.
type RunFilter struct {
	Source, State, After string
	Limit                int
}

// RunItem is a run in a list.
type RunItem struct {
	ID, Source string
	RunRow
	Left    time.Duration // about how long it still takes; 0 when that is not known
	Usual   time.Duration // how long it usually takes
	Running bool          // by this daemon, now
}

// RunList is a page of runs.
type RunList struct {
	Rows    []RunItem
	Next    string
	Sources []RunSource
}

// RunSource is a source with what its runs are doing.
type RunSource struct {
	Name    string
	Running bool
	Next    time.Time
}

// RunLine is one thing that a run said.
type RunLine struct {
	At          time.Time
	Level, Text string
}

// RunPage is one run.
type RunPage struct {
	RunItem
	Lines []RunLine
}

// AlertRow is an incident that lasts.
type AlertRow struct {
	Rule, Subject, Text string
	Began               time.Time
	Who, Why            string    // who looks after it
	Until               time.Time // silent until then; zero when it is not
}

// AlertNote is what a person says of an incident.
type AlertNote struct {
	Rule, Subject string
	Silent        time.Duration // 0: they look after it
	Clear         bool
}

// SetupStep is one thing to do before Touchstone works by itself: Done of All.
type SetupStep struct {
	Kind      string // sources, pulled, golden, target, approved, delivered
	Done, All int
	Href      string
}
