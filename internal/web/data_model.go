package web

import (
	"context"
	"time"
)

// ModelData is what decides who is one customer: models, thresholds, and what a
// change of them would do.
type ModelData interface {
	// ModelPage lists the models of every entity type and what is in force.
	ModelPage(ctx context.Context) ([]ModelEntity, error)
	// OneModel reads one model beside the one in force, or another one.
	OneModel(ctx context.Context, entity, version, beside string) (OneModel, error)
	// Scores counts the pairs of an entity type by weight, and what other
	// thresholds would make of them.
	Scores(ctx context.Context, entity string, link, review float64) (Scores, error)
	// Trials lists what was tried, the newest first.
	Trials(ctx context.Context, entity string, limit int) ([]TrialItem, error)
	// TrialPage reads one with its plan.
	TrialPage(ctx context.Context, id string) (TrialPage, error)
	// AskTrial has a change worked out beside the store.
	AskTrial(ctx context.Context, t TrialAsked, by By) (id string, err error)
	// TakeTrial puts it in force, RefuseTrial drops it, UndoTrial takes it back.
	TakeTrial(ctx context.Context, id string, brake bool, by By) error
	RefuseTrial(ctx context.Context, id string, by By) error
	UndoTrial(ctx context.Context, id string, by By) error
}

// ModelEntity is one entity type's models.
type ModelEntity struct {
	Entity           string
	Link, Review     float64 // in force
	OfLink, OfReview float64 // of the configuration
	Own              bool    // other thresholds than the configuration's are in force
	Switching        bool    // not every record is weighed by what is in force yet
	Waiting          int     // records that wait for that
	Models           []ModelRow
	History          []ModelTurn // the newest first
}

// ModelRow is a model in a list.
type ModelRow struct {
	Entity, Version string
	Active          bool
	At              time.Time
	Who             string
	Fitted          bool
	Records         int
	Pairs           int
	Same, Different int // labels that it learned from
}

// ModelTurn is what was put in force, by whom.
type ModelTurn struct {
	Generation   int
	Version      string
	Link, Review float64 // 0 for those of the configuration
	Who, Why     string
	At           time.Time
}

// OneModel is a model beside another one.
type OneModel struct {
	ModelRow
	Beside  string // version of the other one; "" for none
	Prior   float64
	Prior2  float64
	Fields  []ModelField
	Others  []string // versions that it can be set beside
	Figures ModelFigures
}

// ModelField is one field's levels, the closest first.
type ModelField struct {
	Field  string
	Levels []ModelLevel
}

// ModelLevel is what one level weighs, in bits, in both.
type ModelLevel struct {
	Level  string
	Weight float64
	Other  float64
	M, U   float64 // how often matches and other pairs have it; 0 where it was not fitted
	Kept   bool    // seen too rarely: the old weight stays
}

// ModelFigures are what was measured while a model was fitted.
type ModelFigures struct {
	From       string
	Random     int
	Matches    float64
	Iterations int
	Converged  bool
	Before     float64 // log loss of the labels, bits a label
	After      float64
	Note       string
	Reaches    []ModelReach
}

// ModelReach is from which weight on labelled pairs are matches in a share.
type ModelReach struct {
	Wanted float64
	Weight float64 // bits
	Found  bool
}

// Scores are the pairs of an entity type by weight.
type Scores struct {
	ModelEntity
	Try, TryReview float64 // probabilities that are tried
	Bins           []ScoreBin
	// Linked is how many pairs the links in force take, TryLinked how many those
	// tried would; likewise of the pairs that a person is shown. Below the review
	// threshold in force pairs are not kept: Unknown says that some are missing.
	Linked, TryLinked, Shown, TryShown int
	Unknown                            bool
}

// ScoreBin is the pairs of one bit of weight, from At on.
type ScoreBin struct {
	At    int
	Pairs int
}

// TrialAsked is what is to be tried. Zero thresholds are those in force, an empty
// version is the model in force; Configured goes back to those of the
// configuration.
type TrialAsked struct {
	Entity, Version string
	Link, Review    float64
	Configured      bool
	Train           bool // fit a model first, from the records and what people decided, and try that
}

// TrialItem is a trial in a list.
type TrialItem struct {
	ID, Entity, Kind, State string
	Version, From           string
	Link, Review            float64
	FromLink, FromReview    float64
	Stage                   string
	Done, Whole             int
	Who, Why                string
	At, Ended               time.Time
	Judge, Judged           string
	JudgedAt                time.Time
	Problem                 string
	Merges, Splits, Moves   int
	New, Changed, Gone      int
	Records                 int
	Creates, Updates        int
}

// Touched counts the golden records that would not be what they were.
func (r TrialItem) Touched() int { return r.New + r.Changed + r.Gone }

// Share is how far the work is, from 0 to 1.
func (r TrialItem) Share() float64 {
	if r.Whole > 0 {
		return min(float64(r.Done)/float64(r.Whole), 1)
	}
	return 0
}

// TrialWrites are what one system would be sent.
type TrialWrites struct {
	Target, System   string
	Creates, Updates int
	Fields           []Count
}

// TrialSize counts golden records of so many members.
type TrialSize struct {
	Size      string
	Now, Then int
}

// TrialWay is a record that would go to another golden record.
type TrialWay struct{ What, Record, From, To string }

// TrialPair is a pair next to the threshold, with its weight in bits.
type TrialPair struct {
	Pair, A, B    string
	Weight, Was   float64
	Known, Linked bool
}

// TrialLabels is how something does on the pairs that people decided.
type TrialLabels struct {
	Same, Different, Linked                                               int
	Precision, PrecisionLow, PrecisionHigh, Recall, RecallLow, RecallHigh float64
	Loss                                                                  float64
}

// TrialPage is a trial with its plan.
type TrialPage struct {
	TrialItem
	Sizes            []TrialSize
	Fields           []Count
	Writes           []TrialWrites
	Ways             []TrialWay
	MoreWays         int
	Pairs            []TrialPair
	LabelsOf, Labels TrialLabels // none decided where Same + Different is 0
	Stale            bool        // something else is in force than it was compared with
	Brake            float64     // share of golden records from which one has to confirm
	Braked           bool
	Switching        bool // it was taken, and not every record is weighed by it yet
	Waiting          int  // records that wait for that
	CanUndo          bool
}
