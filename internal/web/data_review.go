package web

import (
	"context"
	"time"

	"touchstone/internal/say"
)

// QueueData is the queue of open pairs and what people do about them. A pair is
// named by the landing numbers of two source records, "12-40"; a customer here
// is a golden record. Of two customers the queue holds one pair, the strongest.
// A question or an answer that makes no sense gives a *Problem.
type QueueData interface {
	// OpenPairs lists open pairs, at most q.Limit of them.
	OpenPairs(ctx context.Context, q ReviewQuery) (OpenPairs, error)
	// ReviewStats counts what waits for an account, and says what a number of
	// minutes remove of the expected damage. Minutes 0 is the configured budget.
	ReviewStats(ctx context.Context, me, entity string, minutes int) (ReviewStats, error)
	// PairWork is what people have done about a pair, as an account sees it.
	PairWork(ctx context.Context, id, me string) (PairWork, error)

	// AnswerPair decides a pair, proposes a decision, or says why neither. What is
	// wrong with a value picked or a relation said with it is a *Problem, and nothing
	// is written.
	AnswerPair(ctx context.Context, a PairAnswer, by By) (PairOutcome, error)
	// AssignPair gives a pair to an account; to "" is nobody.
	AssignPair(ctx context.Context, id, to string, by By) error
	// DuePair sets until when a pair is to be decided; zero is the configured time.
	DuePair(ctx context.Context, id string, due time.Time, by By) error
	// SkipPair puts a pair aside until a time; zero takes it back.
	SkipPair(ctx context.Context, id string, until time.Time, by By) error
	// EscalatePair hands a pair on to whom the configuration names.
	EscalatePair(ctx context.Context, id string, by By) error
	// NotePair keeps a comment.
	NotePair(ctx context.Context, id, text string, by By) error
	// WithdrawProposal takes back what an account proposed.
	WithdrawProposal(ctx context.Context, id string, by By) error

	// PreviewBulk says what one answer to all pairs of a question would do. The
	// order, the place and the length of the question do not count.
	PreviewBulk(ctx context.Context, q ReviewQuery, answer string) (BulkPreview, error)
	// StartBulk keeps what a preview showed as a job, which the daemon works on.
	StartBulk(ctx context.Context, q ReviewQuery, answer, token string, by By) (BulkJob, error)
	// BulkJobs lists jobs, the newest first; BulkJob reads one.
	BulkJobs(ctx context.Context, limit int) ([]BulkJob, error)
	BulkJob(ctx context.Context, id string) (BulkJob, error)
	// StopBulk ends a job before its next pair, ResumeBulk lets it go on there,
	// UndoBulk takes back everything that it decided, as one act.
	StopBulk(ctx context.Context, id string, by By) (BulkJob, error)
	ResumeBulk(ctx context.Context, id string, by By) (BulkJob, error)
	UndoBulk(ctx context.Context, id string, by By) (BulkJob, error)
}

// The orders of the queue.
const (
	OrderDamage = "damage" // what a decision is worth, the most first
	OrderScore  = "score"  // nearest to the link threshold first
	OrderOldest = "oldest"
	OrderName   = "name"
)

// ReviewOrders are the orders that can be asked for, the usual one first.
var ReviewOrders = []string{OrderDamage, OrderScore, OrderOldest, OrderName}

// The kinds of open pairs: why a pair was not merged.
const (
	KindBelow  = "below"  // its weight is below the link threshold
	KindVeto   = "veto"   // something excludes it
	KindBridge = "bridge" // two groups that hang together by it alone
	KindGroup  = "group"  // strong enough, but its group is not
	KindStale  = "stale"  // a person has ruled on it, and what identifies a record has changed since
)

// ReviewKinds are the kinds that can be asked for.
var ReviewKinds = []string{KindBelow, KindVeto, KindBridge, KindGroup, KindStale}

// The answers to a pair.
const (
	AnswerSame   = "same"
	AnswerApart  = "apart"
	AnswerUnsure = "unsure"
)

// ReviewQuery chooses open pairs. The zero value is all that are not put aside.
type ReviewQuery struct {
	Order    string // "" for OrderDamage
	Entity   string
	Source   string  // a source that either record comes from; with Other the two
	Other    string  // the other record's source
	From, To float64 // probability, 0 to 1; To 0 is 1
	Value    float64 // at risk at least, in the base currency
	Kind     string
	Assigned string // "" all, "me", "nobody", or an account
	Due      string // "" all, "overdue", "today", or "week": the next seven days
	Text     string // a word of either customer, or an id
	Today    bool   // of the asking account's set of today alone
	Proposed bool   // those alone that wait for a second account, which Me may be
	Skipped  bool   // those alone that are put aside
	Me       string // who asks: the name of the account
	After    string // OpenPairs.Next of the page before
	Limit    int    // 0 for 20
}

// QueueItem is an open pair in a list, without the records' values beside their
// names.
type QueueItem struct {
	ID, Entity, Kind string
	A, B             Side
	Chance           float64 // that they are one customer, 0 to 1
	Bits             float64
	Value            float64 // of both customers, in the base currency
	Damage           float64 // expected, that a decision removes; same currency
	Systems          int     // that hold either customer
	Pairs            int     // of records between the two customers
	Since            time.Time
	Due              time.Time // zero: none
	Until            time.Time // put aside until; zero: not
	Assigned         string
	Escalated        int    // how often
	Proposed         string // the answer that waits for a second account
	Proposer         string
	Done             bool // of today's set: decided meanwhile
}

// OpenPairs is a page of the queue.
type OpenPairs struct {
	Items    []QueueItem
	Next     string // "" at the end
	Partial  bool   // many did not match: Next goes on looking
	Open     int    // pairs that wait, whatever the question
	AtLeast  bool   // Open was counted among a part of the pairs
	Currency string // of values and damage; "" where none is configured
}

// CurvePoint is the share of the expected damage that so many decisions remove.
type CurvePoint struct {
	Decisions int
	Share     float64 // 0 to 1
}

// ReviewStats say what waits, and what time can do about it.
type ReviewStats struct {
	Open     int
	AtLeast  bool    // Open was counted among a part of the pairs
	Damage   float64 // expected, of all open pairs
	Currency string
	ByEntity []Count
	ByKind   []Count
	Mine     int // assigned to me
	Overdue  int
	Second   int // wait for a second account, which I may be
	Skipped  int

	Seconds   float64 // a decision takes
	Measured  int     // decisions of mine that this is measured on; 0: the default
	Minutes   int     // the budget
	Decisions int     // that fit into it: today's set, which stays the same all day
	Removes   float64 // share of the expected damage that these remove, 0 to 1
	Decided   int     // of today's set
	Curve     []CurvePoint
}

// PairNote is a comment on a pair.
type PairNote struct {
	ID, Who string
	At      time.Time
	Text    string
	Erased  bool
}

// PairEvent is something that was done about a pair.
type PairEvent struct {
	At   time.Time
	Who  string
	What string // assign, due, skip, escalate, propose, withdraw, confirm, merge, split, unsure, undo …
	Text string // to whom, until when, why
}

// PairProposal is an answer that waits for a second account.
type PairProposal struct {
	Answer, Who, Why string
	At               time.Time
	Mine             bool // the asking account made it and cannot confirm it
}

// PairWork is what people have done about a pair.
type PairWork struct {
	Item     QueueItem
	Open     bool   // it waits for a person
	Seen     string // to be sent with the answer: what the answer is about
	Notes    []PairNote
	History  []PairEvent // the newest first
	Proposal *PairProposal
	// Two says why two accounts have to answer: "value", "systems", "confirmed";
	// "" when one is enough.
	Two string
	// Decided is the decision in force between the two, when there is one.
	Decided *PairDecided
}

// PairDecided is a decision on a pair.
type PairDecided struct {
	ID, Answer, Who, Why string
	At                   time.Time
}

// PairAnswer is somebody's answer to a pair.
type PairAnswer struct {
	ID, Answer string
	Seen       string // PairWork.Seen, of what the person looked at; "" is not checked
	Over       bool   // withdraw earlier decisions that stand against it
	Picks      []Pick // of AnswerSame: values that the customer is to have
	Relation   string // of AnswerApart: how the two belong together, one of PairRelations; or "". A proposal keeps none
}

// The states of an answer.
const (
	OutcomeDecided  = "decided"
	OutcomeProposed = "proposed" // it waits for a second account
	OutcomeAlready  = "already"  // somebody has decided it meanwhile: By says who
	OutcomeChanged  = "changed"  // what the person looked at is not what stands there now
	OutcomeRefused  = "refused"  // earlier decisions stand against it
)

// PairOutcome says what became of an answer. Nothing was written unless it is
// decided or proposed.
type PairOutcome struct {
	State    string
	Decision string   // to undo; of a proposal ""
	With     []string `json:"-"` // what was decided with it, to undo too: of PairAnswer.Picks the pins, of its Relation that
	By       *PairDecided
	Earlier  []PairDecided // of a refusal
	Text     string        // a sentence in English, for logs and programs
	Said     say.Text      `json:"-"` // it, for other languages
}

// BulkPreview is what one answer to many pairs would do.
type BulkPreview struct {
	Pairs     int // that would be decided
	Customers int // golden records they are about
	Left      int // golden records that would be there of these afterwards
	Value     float64
	Damage    float64
	Currency  string
	Writes    []Count // by target: objects that would be written at most
	Examples  []QueueItem
	LeftOut   []Count // why pairs of the question would not be decided: two, proposed, assigned, veto, stale, chain, most
	Token     string  // to be sent with StartBulk
}

// BulkJob is one answer to many pairs, under way or done.
type BulkJob struct {
	ID, Answer, Who, Why string
	State                string // running, stopped, done, undone
	Began, Ended         time.Time
	Pairs                int // to decide
	Decided, Skipped     int // skipped: changed, decided or refused since the preview
	Problem              string
	LeftSeconds          int    // estimate while it runs
	Undo                 string // the decision that took it back
}
