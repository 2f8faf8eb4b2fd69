package web

import (
	"context"
	"time"
)

// AuditData is the audit trail.
type AuditData interface {
	// AuditPage lists entries, the newest first, and says how the trail stands. A
	// day or time that is none gives a ReaderError.
	AuditPage(ctx context.Context, q AuditQuery) (AuditPage, error)
	// Refused keeps that somebody was not let do what an address does: the detail
	// says why, and how often.
	Refused(ctx context.Context, who, address, detail string) error
}

// AuditQuery asks for entries; "" for all.
type AuditQuery struct {
	Who     string
	What    string // an action, or the first word of several
	Subject string
	From    string // a day or a time
	To      string
	Before  int64 // behind this row
	Limit   int
}

// Filtered says whether something is asked for.
func (q AuditQuery) Filtered() bool { return q.Who+q.What+q.Subject+q.From+q.To != "" }

// AuditEntry is one entry.
type AuditEntry struct {
	Seq, N        int64 // of the row; in the chain, 0 while it is open
	At            time.Time
	Who, Role     string
	Request, What string
	Subjects      []string
	Outcome       string
	Detail        string // how, in a few words; "" for none
	Undo          string // the decision that can be taken back; "" for none
}

// AuditState is how the trail stands.
type AuditState struct {
	Sealed     int64
	Open       int
	Verified   time.Time // zero: never
	Upto       int64     // entries that were checked
	Problem    string    // the first that was found
	Found      int
	Checkpoint time.Time
	Elsewhere  bool // checkpoints are left outside of the store
	Unsent     string
}

// AuditPage is a page of the trail.
type AuditPage struct {
	List        []AuditEntry
	Next        string
	Whos, Whats []string // to choose from
	State       AuditState
}
