// Package connectors is the contract with outside systems. A connector does
// only what its system can do and says so by the interfaces it implements; the
// pipeline asks by type assertion. It never sleeps, retries or stores.
package connectors

import (
	"context"
	"errors"
	"time"

	"touchstone/internal/record"
)

// Puller reads records. Stream is an entity's name in the configuration.
// Cursor is what the last page returned, nil at first: opaque to the caller,
// and safe to use again. The same cursor may give records already given.
// Page.More == false ends a pass; an empty page does not.
// An error means that nothing of this page may be stored.
type Puller interface {
	Pull(ctx context.Context, stream string, cursor []byte) (Page, error)
}

// Page is one page of records with the cursor that comes after it.
type Page struct {
	Records []record.Raw
	Cursor  []byte
	More    bool
	// Snapshot says that this pass, from the page whose cursor was nil to the one
	// with More == false, gives every record there is (a file), not only the
	// changed ones.
	Snapshot bool
}

// Pusher writes changes. It answers for each, len(results) == len(batch), or
// fails and every change is unknown. It promises nothing about repetition: the
// target's Class does.
type Pusher interface {
	Push(ctx context.Context, batch []record.Change) ([]Result, error)
}

// Result is what became of one change.
type Result struct {
	Row        string
	Outcome    Outcome
	ExternalID string        // the object's id in the target, when known
	Version    string        // the object's etag or version after the write, when known
	RetryAfter time.Duration // with Retry: how long the target asked to wait; 0 if it did not say
	Err        error         // why, for every outcome but Applied
}

// Outcome says what the target did with a change.
type Outcome string

// The outcomes.
const (
	Applied  Outcome = "applied"
	Rejected Outcome = "rejected" // final: this change will never be taken as it is
	Conflict Outcome = "conflict" // the precondition no longer holds
	Retry    Outcome = "retry"    // surely not applied; try later
	Unknown  Outcome = "unknown"  // may or may not have been applied
	Exists   Outcome = "exists"   // create refused: ExternalID names the object that is there already
)

// Reader reads single objects: for preconditions and read-back. An object that
// does not exist is absent from the answer. Ids are the target's own.
type Reader interface {
	Read(ctx context.Context, entity string, ids []string) ([]record.Raw, error)
}

// KeyFinder finds objects by the external key that we gave them at create. It
// is how an unknown create is settled. It may return more than one object.
type KeyFinder interface {
	FindByKey(ctx context.Context, entity, key string) ([]record.Raw, error)
}

// Class says what a target promises about repetition (reliability protocol):
// it decides how a write with an unknown outcome is settled.
type Class struct {
	IdempotencyKey bool          // A: the same key is applied once
	KeyLife        time.Duration // how long a key is remembered
	UniqueKey      bool          // B: our external key is unique there; upsert by it
	Conditional    bool          // C: If-Match is honoured
	Searchable     bool          // D: objects can be found by our key
	Queued         bool          // a create may land after its answer (a job): until MaxRequestLife is over, not finding it proves nothing
	MaxRequestLife time.Duration // the longest a request may linger before it lands
}

// Classed is a Pusher that knows its class.
type Classed interface {
	Class(entity string) Class
}

// Checker proves that the system is there and the credentials are taken.
type Checker interface {
	Check(ctx context.Context) error
}

// Errors that callers branch on.
var (
	ErrAuth     = errors.New("credentials rejected") // stop this system, tell the admin
	ErrRejected = errors.New("rejected")
	ErrConflict = errors.New("conflict")
	// ErrNotSent says that a change never left: the system could not be reached,
	// or has just refused everything. The change itself is not at fault.
	ErrNotSent = errors.New("not sent")
	// ErrRenewed says of a change that was not sent that only its credentials had
	// ended, and that there are new ones: it may be sent at once.
	ErrRenewed = errors.New("the token had ended; there is a new one")
)

// RateLimited says that the system asked for a pause.
type RateLimited struct {
	After time.Duration // 0: it did not say
	Err   error
}

func (e *RateLimited) Error() string { return "rate limited: " + e.Err.Error() }
func (e *RateLimited) Unwrap() error { return e.Err }

// Keyed is a Pusher whose objects carry our external key: KeyField is the
// dotted path of the field that holds it, "" where the entity has none.
type Keyed interface {
	KeyField(entity string) string
}

// Keeper keeps small secrets of connectors, sealed: a refresh token that is
// replaced whenever it is used. Load gives nil for a name that was never kept.
type Keeper interface {
	Load(ctx context.Context, name string) ([]byte, error)
	Save(ctx context.Context, name string, value []byte) error
}

// Claimer is a Keeper that lets one process at a time work on a name. Claim
// answers false while somebody else has it; a claim ends by release, or after
// life when its process died.
type Claimer interface {
	Claim(ctx context.Context, name string, life time.Duration) (release func(context.Context) error, ok bool, err error)
}
