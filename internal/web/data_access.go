package web

import "context"

// AccessData says what who asks reaches, as the context says who that is.
type AccessData interface {
	// ReachCustomer says with record.ErrNotFound that a customer is out of reach,
	// or that there is none.
	ReachCustomer(ctx context.Context, id string) error
	// ReachPair says the same of the customers of a pair.
	ReachPair(ctx context.Context, id string) error
}
