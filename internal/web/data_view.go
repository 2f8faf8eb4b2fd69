package web

import "context"

// ViewData is the lists that people keep by name. A page is named as in the
// address of its views: review, customers, quarantine.
type ViewData interface {
	// Views lists what somebody keeps of a page, and then what others share.
	Views(ctx context.Context, page, who string) ([]View, error)
	// SaveView keeps a list for v.Who in the place of one of the same name.
	SaveView(ctx context.Context, page string, v View) error
	// DropView forgets one; where others is set also one that somebody else shares.
	DropView(ctx context.Context, page, id, who string, others bool) error
}

// View is a list kept by name: the question that makes it, as in an address. A
// shared one is offered to everybody who reads the page.
type View struct {
	ID, Who, Name, Query string
	Shared               bool
}
