package record

// Relation is a typed, dated edge from a source record to another one: an
// employment, a parent, a branch, a partner. The other end may not be known yet.
type Relation struct {
	Kind  string // its name in the configuration: employer, parent …
	To    Ref    // Source is the uid
	Title string
	Role  string // in buying, one of BuyingRoles; "" when the source says none
	Share string // percent, decimal text
	Since string // YYYY-MM-DD
	Until string // YYYY-MM-DD; "" while it lasts
	Ended bool   // Until is not after the record's own time
}

// BuyingRoles are the parts that a person has in a company's buying.
var BuyingRoles = []string{"initiator", "influencer", "decider", "buyer", "user"}

// Stances are what a person is to a company's buying from us.
var Stances = []string{"supporter", "neutral", "opponent", "unknown"}
