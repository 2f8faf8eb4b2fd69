package auth

// Narrow says how an address is kept to what somebody reaches who does not reach
// all customers, or may not see all their fields. Every address of the pages and
// of the API names one.
type Narrow string

// The ways. What is not one of them is refused to who is narrowed.
const (
	// NoValues shows nothing of customers and counts none of them.
	NoValues Narrow = "no values"
	// Counts shows no customers' values but counts of all: refused to who reaches
	// some customers alone. A mask does not matter.
	Counts Narrow = "counts of all"
	// ByCustomer is about the customer {id}, who has to be in reach; all else that is
	// shown is chosen by reach, and values are masked.
	ByCustomer Narrow = "by customer"
	// ByPair is about the pair {id}: both its customers have to be in reach. Values
	// are masked.
	ByPair Narrow = "by pair"
	// ByList chooses its rows by reach and masks their values.
	ByList Narrow = "by list"
	// CustomerUnmasked is ByCustomer for answers whose values cannot be masked:
	// refused to who has a mask.
	CustomerUnmasked Narrow = "by customer, unmasked"
	// WholeOnly cannot be narrowed: refused to who is.
	WholeOnly Narrow = "whole only"
)

// Narrows lists them all.
func Narrows() []Narrow {
	return []Narrow{NoValues, Counts, ByCustomer, ByPair, ByList, CustomerUnmasked, WholeOnly}
}

// Scoped says whether the actor reaches some customers alone.
func (a Actor) Scoped() bool { return a.Scopes != nil }

// Masked says whether fields are kept from the actor.
func (a Actor) Masked() bool { return len(a.Masks) > 0 }

// Narrowed says whether the actor does not see all of all customers.
func (a Actor) Narrowed() bool { return a.Scoped() || a.Masked() }

// Admits says whether an address may answer the actor at all.
func (n Narrow) Admits(a Actor) bool {
	switch n {
	case NoValues, ByCustomer, ByPair, ByList:
		return true
	case Counts:
		return !a.Scoped()
	case CustomerUnmasked:
		return !a.Masked()
	}
	return !a.Narrowed()
}

// AboutCustomer and AboutPair say whether {id} of the address is a customer, or
// a pair, that has to be in reach.
func (n Narrow) AboutCustomer() bool { return n == ByCustomer || n == CustomerUnmasked }

// AboutPair is for pairs what AboutCustomer is for customers.
func (n Narrow) AboutPair() bool { return n == ByPair }
