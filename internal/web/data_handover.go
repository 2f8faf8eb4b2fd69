package web

import (
	"context"
	"time"
)

// HandoverData is who looks after which customers, and passing them on.
type HandoverData interface {
	// Owners counts the customers of everybody, the most first.
	Owners(ctx context.Context, entity string) (OwnerList, error)
	// PreviewHandover says what passing customers on would do; HandOver does it.
	PreviewHandover(ctx context.Context, q HandoverQuery) (HandoverPreview, error)
	HandOver(ctx context.Context, q HandoverQuery, token string, by By) (id string, err error)
	// Handovers lists them, the newest first.
	Handovers(ctx context.Context, limit int) ([]HandoverRow, error)
	// HandoverPage reads one with its customers, behind a number.
	HandoverPage(ctx context.Context, id, after string, limit int) (HandoverPage, error)
}

// OwnerList is who looks after the customers of an entity type.
type OwnerList struct {
	Entity   string
	Entities []string
	Sources  []string
	Owners   []Count // "" for nobody
	// Of who reaches many customers and not all: Part says that not all of them were
	// looked at yet, and At when they were, where that was not now.
	Part bool `json:"part,omitempty"`
	At   time.Time
}

// HandoverQuery chooses the customers of one owner; "" for those that have none.
// Source keeps those that it has a record of.
type HandoverQuery struct{ Entity, From, To, Source string }

// HandoverPreview is what passing them on would do.
type HandoverPreview struct {
	HandoverQuery
	Customers int
	Examples  []CustomerName
	Writes    []Count  // objects of each target that has the owner, at most
	Unwritten []string // targets that have no field for it
	Token     string   // of this list: another one is refused
}

// Shown are the ids of the customers that it names.
func (p HandoverPreview) Shown() []string {
	ids := make([]string, len(p.Examples))
	for i, c := range p.Examples {
		ids[i] = c.ID
	}
	return ids
}

// CustomerName is what a customer is called.
type CustomerName struct{ ID, Name string }

// HandoverRow is a hand-over in a list.
type HandoverRow struct {
	ID, Entity, From, To string
	Who, Why             string
	At                   time.Time
	Customers            int
	Undone               bool
}

// HandoverPart is one customer of the certificate.
type HandoverPart struct {
	N      int
	Golden string // "" where it is gone
	Name   string
	Before string
	Now    string // what stands there
	Erased bool
	Writes []HandoverWrite
}

// HandoverWrite is what became of the write to one target; "" for none needed.
type HandoverWrite struct{ Target, State string }

// HandoverPage is the certificate, page by page.
type HandoverPage struct {
	HandoverRow
	Targets []string
	Parts   []HandoverPart
	Next    string
}
