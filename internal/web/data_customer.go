package web

import (
	"context"
	"time"
)

// CustomerDetail is what stands around one golden record, and what people say
// of it. A customer is named by golden id.
type CustomerDetail interface {
	// Timeline lists what happened to a customer, newest first.
	Timeline(ctx context.Context, id string, q TimelineQuery) (Timeline, error)
	// EachHappening gives every row of a timeline, newest first.
	EachHappening(ctx context.Context, id string, q TimelineQuery, fn func(TimelineRow) error) error
	// CustomerField reads one field with its losers and its history.
	CustomerField(ctx context.Context, id, field string) (FieldPage, error)
	// CustomerAt reads a customer as of a day, and where from is not "" what has
	// changed since then.
	CustomerAt(ctx context.Context, id, day, from string) (CustomerAt, error)
	// MemberRecord reads one source record as it came, newest version first.
	MemberRecord(ctx context.Context, id, ref string) (MemberRecord, error)
	// Relations lists the relations of a customer as of a day, "" for today.
	Relations(ctx context.Context, id, day string) (RelationsPage, error)
	// OrgChartPage reads the people of a company as of a day.
	OrgChartPage(ctx context.Context, id, day string) (OrgChart, error)
	// GroupTreePage reads the group of a company as of a day.
	GroupTreePage(ctx context.Context, id, day string) (GroupTree, error)

	PinField(ctx context.Context, p PinForm, by By) (Done, error)
	UnpinField(ctx context.Context, id, field string, by By) (Done, error)
	StateRelation(ctx context.Context, r RelateForm, by By) (Done, error)
	FinishRelation(ctx context.Context, decision, until string, by By) (Done, error)

	// EachCustomer gives every customer that a question finds, up to a bound; cut
	// says that there are more.
	EachCustomer(ctx context.Context, q CustomerQuery, fn func(Golden) error) (cut bool, err error)
}

// Money is an exact sum of one currency; Amount is "" where nothing had one.
type Money struct {
	Currency string `json:"currency"`
	Amount   string `json:"sum"`
	N        int    `json:"events"`
}

// TimelineQuery chooses what a timeline shows; "" for all.
type TimelineQuery struct {
	Kind   string // event, change, write, or a type of event
	Source string
	Month  string // 2006-01: begin with this one
	After  string // place of the last row shown
	Limit  int
}

// TimelineRow is one thing that happened.
type TimelineRow struct {
	At               time.Time
	Kind             string // event, published, joined, left, decision, write
	Type             string // of an event; of a decision or a write what it was
	Source, ID       string
	Subject          string
	Channel, Status  string
	Amount, Currency string
	Fields           []string // that were changed
	Golden           string   // where a record came from or went
	Who, Why         string
	Decision         string
}

// TimelineMonth is a month with what is in it.
type TimelineMonth struct {
	Month string // 2006-01
	N     int
	Sums  []Money
	Rows  []TimelineRow // of this page
}

// Timeline is a page of what happened.
type Timeline struct {
	ID, Name, Entity string
	Months           []TimelineMonth // all of them, newest first
	N                int
	Sums             []Money
	Types, Sources   []string // what it can be narrowed to
	Next             string
	Cut              bool // the history beside the events is longer than what is read of it
}

// FieldPage is one field of a customer: value ← source ← rule ← who.
type FieldPage struct {
	ID, Name, Entity string
	Field            GoldenField
	Known            bool   // the customer has a value
	Kind             string // text, number, date, bool or list
	Pin              *PinShown
	Losers           []Loser
	History          []FieldVersion // newest first
}

// PinShown is a pin in force.
type PinShown struct {
	Decision, Who, Why string
	At, Until          time.Time
}

// Loser is a value that another one won over.
type Loser struct{ Value, Ref, Source string }

// FieldVersion is a field as it was published once.
type FieldVersion struct {
	Version         int
	At              time.Time
	Value           string
	State           string // "", erased, differs, unknown, gone
	Rule            string
	From            []string
	Who, Why, PinID string
}

// CustomerAt is a customer as of a day.
type CustomerAt struct {
	Day, From string
	ID        string // its golden id then
	Moved     bool
	Version   int
	Since     time.Time
	Fields    []FieldThen // of the day; with From only those that differ
	Members   []string
	Joined    []string // between From and Day
	Left      []string
	Missing   bool // it was not there yet on Day
	NoBefore  bool // it was not there yet on From
}

// FieldThen is a field then, and before.
type FieldThen struct {
	Name, Value, Before string
	State               string // as of FieldVersion
	Rule                string
	From                []string
	Who                 string
}

// MemberRecord is a source record as it came.
type MemberRecord struct {
	ID, Name, Source, Entity, Record string
	Erased                           bool
	Versions                         []MemberVersion
}

// MemberVersion is one version of it.
type MemberVersion struct {
	N       int
	Seen    time.Time
	Deleted bool
	Problem string
	Raw     string // JSON, indented
}

// RelationEnd is one end of a relation; ID is "" while it has not landed.
type RelationEnd struct {
	ID, Name, Entity, Ref string
	Outside               bool // out of the reader's reach: no more of it is told
}

// RelationRow is an edge between two customers.
type RelationRow struct {
	Kind                       string
	Out                        bool // it leads away from the customer that is shown
	A, B, Other                RelationEnd
	Title, Role, Stance, Share string
	Since, Until               string
	Over                       bool
	Source                     string // that says so; "" where a person does
	Decision, Who, Why         string
	At                         time.Time
}

// RelationsPage is the relations of a customer.
type RelationsPage struct {
	ID, Name, Entity, Day string
	Rows                  []RelationRow
	More                  bool
	Kinds                 []string // that can be stated of it
}

// OrgPerson is a person of a company, in the order of the chart.
type OrgPerson struct {
	RelationEnd
	Depth, Parent int // Parent is the index of the manager in the chart; -1 for none
	Title         string
	Roles         []RelationRow
	Stance        *RelationRow
	Line          *RelationRow
	Works         []RelationRow
}

// OrgGap is what a chart does not know; its words are gap.Kind.
type OrgGap struct {
	Kind, Role string
	Person     *RelationEnd
}

// OrgChart is the people of a company by reporting line.
type OrgChart struct {
	Company RelationEnd
	Day     string
	People  []OrgPerson
	Gaps    []OrgGap
	Past    []RelationRow
	More    bool
}

// GroupMember is a company of a group, in the order of the tree.
type GroupMember struct {
	RelationEnd
	Depth, Parent     int
	Kind, Share, Held string
	Since, Until      string
	Decision          string // of the link to the one above; "" where a source gives it
	Own, Total        []Money
}

// GroupTree is a group of companies.
type GroupTree struct {
	Company RelationEnd
	Day     string
	Nodes   []GroupMember
	Circle  []RelationEnd
	Others  []RelationRow
	Totals  []Money
	More    bool
}

// PinForm asks for a field to be pinned.
type PinForm struct {
	ID, Field, Value, Pick, Until string
	Seen                          string // the form of Value that was shown: see Problem.Take
}

// RelateForm asks for a relation to be stated.
type RelateForm struct{ From, Kind, To, Title, Role, Stance, Share, Since, Until string }

// MovedRecord is a source record that once belonged to an id, and the golden
// record that it belongs to now.
type MovedRecord struct{ Record, Golden string }

// Flag is something to know about a customer; its words are flag.Key.
type Flag struct {
	Key string
	N   int
}
