package web

import "context"

// ProposalData decides what the evidence alone does not.
type ProposalData interface {
	// BridgePage lists weak links that were held back, and records between two
	// customers.
	BridgePage(ctx context.Context, entity, after string) (BridgePage, error)
	// DecideBridge joins the two sides of a pair, keeps them apart, or puts them
	// aside: join, apart or unsure.
	DecideBridge(ctx context.Context, pair, how string, by By) (Done, error)
	// ProposalPage lists relations that current records propose.
	ProposalPage(ctx context.Context, f ProposalFilter) (ProposalPage, error)
	// RefuseProposals refuses relations: those named, each "kind a b", or all of a
	// filter.
	RefuseProposals(ctx context.Context, f ProposalFilter, named []string, by By) (Done, error)
	// AcceptProposals states relations for proposals: as is one of what they offer.
	AcceptProposals(ctx context.Context, named []string, as string, by By) (Done, error)
	// SharedPage is the ledger of values that many names use.
	SharedPage(ctx context.Context, entity string) (SharedPage, error)
}

// BridgePage is a page of them.
type BridgePage struct {
	Entity   string
	Entities []string
	Rows     []BridgeRow
	Between  []Ambiguous
	Next     string
}

// BridgeRow is a weak link with the two customers that it would join.
type BridgeRow struct {
	Pair
	Members [2]int // records of each side
	Mean    float64
}

// Joined is how many records one customer would have.
func (b BridgeRow) Joined() int { return b.Members[0] + b.Members[1] }

// ProposalFilter chooses proposed relations; "" for all.
type ProposalFilter struct {
	Entity, Kind string
	Limit        int
}

// ProposalPage is a page of them.
type ProposalPage struct {
	Entity, Kind    string
	Entities, Kinds []string
	Rows            []Proposal
	More            bool // the limit cut the list
}

// Proposal is a relation that current records propose.
type Proposal struct {
	Name             string // "kind a b": by this it is decided
	Kind             string
	A, B             string // golden ids
	NameA, NameB     string
	RecordA, RecordB string
	Apart            string   // what says that they are two
	As               []string // what a person can state it as
	Evidence         []Evidence
}

// SharedPage is the ledger of shared identifiers.
type SharedPage struct {
	Entity   string
	Entities []string
	Rows     []SharedRow
}

// SharedRow is one value that more names use than the model allows.
type SharedRow struct {
	Kind, Value          string
	Names, Records, Line int
	Users                []string
}

// The words of what was done.
const (
	DoneJoined   = "done.joined"
	DoneApart    = "done.apart"
	DoneUnsure   = "done.unsure"
	DoneRefused  = "done.refused"
	DoneAccepted = "done.accepted"
	DoneProposed = "told.proposed" // the answer waits for a second account
)
