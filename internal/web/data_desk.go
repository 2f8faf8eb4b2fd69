package web

import (
	"context"
	"time"
)

// DeskData is what a steward decides one pair on.
type DeskData interface {
	// Desk reads one pair with its values, its evidence and what would come of
	// uniting it.
	Desk(ctx context.Context, id string) (Desk, error)
	// UndoDecisions takes decisions back, the last first, as one act. What can be
	// undone of them is; the error says why the rest cannot.
	UndoDecisions(ctx context.Context, ids []string, by By) error
	// SplitOff takes source records, by their references, out of a golden record,
	// and gives the decision.
	SplitOff(ctx context.Context, id string, refs []string, by By) (string, error)
	// PairEffect says what uniting a pair would do, in every system.
	PairEffect(ctx context.Context, id string) (ChangePreview, error)
	// Cluster reads what holds a golden record together, after so many of its
	// unions; -1 for all.
	Cluster(ctx context.Context, id string, step int) (Cluster, error)
}

// Pick is a value that a person wants the customer of a pair to have. It is pinned
// on the record that it is of.
type Pick struct {
	Field string
	Side  string // a or b: that record's value
	Value string // as typed, with no Side
	Seen  string // the form of Value that was shown: see Problem.Take
	Until time.Time
}

// The ways in which the customers of a pair can belong together.
const (
	RelateBranchOf  = "branch_of" // the first is a branch of the second
	RelateBranchIs  = "branch_is" // the second is a branch of the first
	RelateParent    = "parent"    // the second is the parent of the first
	RelateParentOf  = "parent_of" // the first is the parent of the second
	RelateGroup     = "same_group"
	RelateHousehold = "household"
)

// PairRelations lists those that can be said of two customers of an entity type.
func PairRelations(entity string) []string {
	if entity == "person" {
		return []string{RelateHousehold}
	}
	return []string{RelateBranchOf, RelateBranchIs, RelateParent, RelateParentOf, RelateGroup}
}

// Desk is one pair as it lies before a steward.
type Desk struct {
	Pair
	Sides   [2]DeskSide
	Rows    []DeskRow
	Prior   float64    // bits before any evidence
	Other   []Evidence // evidence that belongs to no field shown
	Flips   []Flip     // single changes that would turn the answer, the smallest first
	Systems []string   // that either customer is in
	After   After
}

// DeskSide is one record of the pair.
type DeskSide struct {
	Ref     string    // source/entity/id
	Link    string    // its address in its system; "" where that is not known
	Changed time.Time // when one of its values last did
	Members int       // source records of its customer
}

// DeskRow is one field of both records. A value of several entries has them
// apart.
type DeskRow struct {
	Name           string
	A, B           []string
	SinceA, SinceB time.Time
	MarksA, MarksB []Mark
	Evidence       []Evidence
	// Wins says whose value the united customer would have: a, b, both (a list of
	// both), pin (a person's word), other (of a third record).
	Wins string
}

// Flip is a change of one field that would turn the answer.
type Flip struct {
	Field, From, To string
	Bits            float64 // of the pair then
}

// After is the customer that would come of uniting the pair.
type After struct {
	Name    string
	Members int
	Fields  []AfterField
}

// AfterField is one of its fields.
type AfterField struct{ Name, Value, Rule string }

// Cluster is a golden record as a graph of its source records.
type Cluster struct {
	ID, Entity, Name string
	Members          []ClusterMember
	Rows             []ClusterRow
	Links            []ClusterLink
	Steps            []ClusterStep
	Step             int // how many unions are shown
	Refused          []ClusterRefusal
	Split            *ClusterSplit
	LinkBits         float64 // a link needs
	Waiting          bool    // something has changed since and waits to be resolved
	More             int     // members that are not listed
}

// ClusterMember is a column: one source record.
type ClusterMember struct {
	Side
	Ref   string
	Group int  // with the unions shown
	Leave bool // it would go by the proposed split
	Made  bool // by our own push
}

// ClusterRow is one field of all members.
type ClusterRow struct {
	Name   string
	Values [][]string // by member
}

// ClusterLink is a link between two members, by their places in the list.
type ClusterLink struct {
	A, B     int
	Bits     float64
	Decision string // a person tied them
	Bridge   bool   // without it the customer parts
	Weakest  bool
	Cut      bool // the proposed split cuts it
	Pair     string
}

// ClusterStep is one union.
type ClusterStep struct {
	A, B     int
	Bits     float64
	Mean     float64
	Decision string
	Joined   []int
	Size     int
}

// ClusterRefusal is another customer that something would have tied to this one.
type ClusterRefusal struct {
	Golden, A, B string
	Bits         float64
	Why          string // ruling, veto, mean
	Veto         string
	Decision     string
}

// ClusterSplit is where it would part first.
type ClusterSplit struct {
	Leave []int
	Bits  float64 // of the links cut
	Mean  float64 // of all pairs across
	Links int
}
