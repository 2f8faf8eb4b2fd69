package record

import "encoding/json"

// Event is what happened to or with a customer: a ticket, an order, a call, a
// mail, a page view, a survey. It belongs to source records, and so to golden
// records through the crosswalk, never to a golden record itself.
type Event struct {
	Type     string // what kind of thing happened: "order", "call" …
	At       string // TimeLayout
	Amount   string // decimal text, exactly as given; "" for none
	Currency string // ISO 4217, three capitals; "" for none
	Channel  string // phone, mail, web …
	Status   string
	Subject  string
	// Payload is everything else the source says of it, a JSON object; nil for
	// nothing.
	Payload json.RawMessage
	Of      []Ref // whom it belongs to, the most important first; Source is the uid
}

// EventFields are the names that an event's mapping may give a value of its
// own; every other name becomes a member of the payload.
var EventFields = []string{"type", "amount", "currency", "channel", "status", "subject", "payload"}
