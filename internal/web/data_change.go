package web

import (
	"context"
	"time"

	"touchstone/internal/say"
)

// ChangeData is merges, splits and what takes them back.
type ChangeData interface {
	// SplitPage reads a customer's source records to choose from.
	SplitPage(ctx context.Context, id string) (SplitPage, error)
	// ChangePreview says what a change would do, and does nothing.
	ChangePreview(ctx context.Context, c CustomerChange) (ChangePreview, error)
	// ChangeCustomers makes a change. It gives the decision, and whether it stood
	// already.
	ChangeCustomers(ctx context.Context, c CustomerChange, by By) (decision string, existing bool, err error)
	// DecisionsPage lists what people have decided, newest first.
	DecisionsPage(ctx context.Context, q DecisionQuery) (DecisionsPage, error)
	// DecisionPage reads one decision with its balance.
	DecisionPage(ctx context.Context, id string) (DecisionPage, error)
}

// CustomerChange is a merge of two customers (A and B: golden ids, or source
// records), a split of Records from the customer From, or an undo of Decision.
type CustomerChange struct {
	Act      string // merge, split, undo
	A, B     string
	Records  []string
	From     string
	Decision string
	Over     bool // earlier decisions that stand against it go out of force
}

// SplitPage is a customer with the records that may leave it.
type SplitPage struct {
	ID, Entity, Name string
	Moved            bool // the id that was asked for now belongs to this customer
	Records          []SplitRecord
	More             int // not listed
}

// SplitRecord is one source record, and what would go with it.
type SplitRecord struct {
	Ref, Source, ID, Name             string
	Live, Made                        bool // Made: by our own push
	Events, Consents, Relations, Pins int
	Fields                            []Field
}

// DecisionQuery chooses decisions; "" for all.
type DecisionQuery struct {
	State, Kind, Who, Customer string
	After                      string
	Limit                      int
}

// DecisionRow is one decision.
type DecisionRow struct {
	ID, Kind, State, Who, Why string
	At, Until, Withdrawn      time.Time
	WithdrawnBy               string
	Withdraws                 []string
	Records                   []string
	More                      int // further records
	Field, Value              string
	From                      []string
	Problem                   string
	Undoable                  bool
	Balanced, Refused         bool // its effect has been weighed
}

// DecisionsPage is a page of them.
type DecisionsPage struct {
	Rows     []DecisionRow
	Next     string
	Partial  bool   // enough was looked through: Next goes on looking
	Customer string // the golden id that the list is about; "" for all
	Name     string
}

// Certificate is the balance of one decision's effect.
type Certificate struct {
	At      time.Time
	Refused bool // it did not balance, and was rolled back
	Erased  bool
	Kept    bool // what stands in it is kept from the reader
	Moved   int
	Lines   []BalanceLine
}

// DecisionPage is one decision.
type DecisionPage struct {
	DecisionRow
	Customers    []Golden // where its records stand now
	Certificates []Certificate
}

// ChangePreview is what a merge, a split or an undo would do, worked out by the
// code that does it, in a transaction that was rolled back.
type ChangePreview struct {
	Act      string `json:"act"`                // merge, split, undo
	Existing bool   `json:"existing,omitempty"` // Decision says so already: nothing would change
	Decision string `json:"decision,omitempty"` // of those that exist
	Refused  string `json:"refused,omitempty"`  // why it cannot be decided so
	// RefusedSaid is Refused, to be said in other languages.
	RefusedSaid say.Text          `json:"-"`
	Earlier     []EarlierDecision `json:"earlier,omitempty"` // it is refused because of these
	Over        []EarlierDecision `json:"over,omitempty"`    // these would go out of force
	Later       []EarlierDecision `json:"later,omitempty"`   // merges that came on top of the one taken back: they stay

	Customers []ChangedCustomer `json:"customers"` // those before first, then those that come into being
	Moves     []RecordMove      `json:"moves"`
	Targets   []TargetEffect    `json:"targets"`
	Balance   []BalanceLine     `json:"balance"`
	Notes     []ChangeNote      `json:"notes,omitempty"`
	Waiting   int               `json:"waiting,omitempty"` // of these records, those with news of their own that are not worked in yet
	MoreMoves int               `json:"more_moves,omitempty"`
}

// Quiet says that no customer would change.
func (p ChangePreview) Quiet() bool { return len(p.Customers) == 0 && len(p.Moves) == 0 }

// EarlierDecision is a decision that a change meets.
type EarlierDecision struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Who  string `json:"who"`
	At   string `json:"at"`
	Why  string `json:"why,omitempty"`
}

// ChangedCustomer is a golden record before and after.
type ChangedCustomer struct {
	ID      string        `json:"id"`
	Entity  string        `json:"entity"`
	State   string        `json:"state"` // changed; gone: it becomes part of another; new: it comes (back) into being
	Name    string        `json:"name"`
	OldName string        `json:"old_name,omitempty"` // where it is another
	Into    string        `json:"into,omitempty"`     // of one that is gone: where its id leads then
	Fields  []FieldChange `json:"fields"`
	Before  *Holdings     `json:"before,omitempty"`
	After   *Holdings     `json:"after,omitempty"`
}

// FieldChange is one field of a golden record; From says where its value is from.
type FieldChange struct {
	Name    string   `json:"name"`
	Old     string   `json:"old"`
	New     string   `json:"new"`
	OldFrom []string `json:"old_from,omitempty"`
	NewFrom []string `json:"new_from,omitempty"`
	Pinned  bool     `json:"pinned,omitempty"` // the new value is a pin
}

// Holdings are what a customer has.
type Holdings struct {
	Records   []string `json:"records"` // source records, at most mostMoves
	More      int      `json:"more,omitempty"`
	Events    int      `json:"events"`
	Consents  int      `json:"consents"`
	Relations int      `json:"relations"` // that lead away from it, or to it
	Pins      int      `json:"pins"`
	Money     []Money  `json:"money,omitempty"`
}

// RecordMove is a source record that goes to another customer, with what follows
// it.
type RecordMove struct {
	Record    string `json:"record"` // source/entity/id
	Source    string `json:"source"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	From      string `json:"from"` // golden ids
	To        string `json:"to"`
	Deleted   bool   `json:"deleted,omitempty"`
	Made      bool   `json:"made,omitempty"` // by our own push
	Events    int    `json:"events"`
	Consents  int    `json:"consents"`
	Relations int    `json:"relations"`
	Pins      int    `json:"pins"`
}

// TargetEffect is what one target would be sent.
type TargetEffect struct {
	Target    string         `json:"target"`
	System    string         `json:"system"`
	Creates   int            `json:"creates"`
	Updates   int            `json:"updates"`
	None      int            `json:"none"`                // objects of these customers that need nothing
	Withdrawn int            `json:"withdrawn,omitempty"` // writes that wait now and would not be sent
	Held      string         `json:"held,omitempty"`      // why its writes wait for a person
	Writes    []TargetChange `json:"writes"`
	More      int            `json:"more,omitempty"`
}

// TargetChange is one write.
type TargetChange struct {
	Op     string   `json:"op"`
	Golden string   `json:"golden"`
	Object string   `json:"object,omitempty"` // the target's own id; "" for a new one
	Fields []Change `json:"fields"`
	Undo   string   `json:"undo"` // what taking it back costs: update (the old values are written again), left (the new object stays there)
}

// ChangeNote is something to know before deciding. Key names a text of the
// page, Args fill it.
type ChangeNote struct {
	Key  string   `json:"key"`
	Args []string `json:"args,omitempty"`
	Bad  bool     `json:"bad,omitempty"` // it cannot be undone
}

// BalanceLine is what customers hold of one kind from one system, before and
// after.
type BalanceLine struct {
	System   string `json:"system"`
	Kind     string `json:"kind"` // records, events, money, consents, relations, referrals, pins
	Unit     string `json:"unit,omitempty"`
	Before   int    `json:"before"`
	After    int    `json:"after"`
	SumOld   string `json:"sum_before,omitempty"`
	SumNew   string `json:"sum_after,omitempty"`
	Balanced bool   `json:"balanced"`
}
