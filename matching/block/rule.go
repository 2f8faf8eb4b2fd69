package block

// KeyHash is a key without its text: what is kept of the keys of many records.
type KeyHash struct {
	Coarse, Fine uint64 // Fine 0: there is none
	Rule         Rule
}

// Rule is the number of a way of making keys.
type Rule uint8

// The rules that keys are made by, in the order of their names' table.
const (
	ID Rule = iota
	IDHead
	IDTail
	Phone
	Email
	Domain
	DomainName
	Local
	LocalHead
	LocalTail
	Name
	NameFull
	NameHead
	NameTail
	InitialsBirthYear
	Skeleton
	BirthMonthName
	YearDayName
	FamilyPostcode
	Birth
	Address
	Street
	PostcodeHouse
	PostcodeName
	Alike // texts of which many neighbouring letters are the same (MinHash)
	Rules // how many there are
)

// ruleNames are what the hashes are made from: they must never change.
func ruleNames() [Rules]string {
	return [Rules]string{
		"id", "id-head", "id-tail", "phone", "email", "domain", "domain-name", "local", "local-head", "local-tail",
		"name", "name-full", "name-head", "name-tail", "initials-birth-year", "skeleton", "birth-month-name", "year-day-name", "family-postcode", "birth",
		"address", "street", "postcode-house", "postcode-name", "alike",
	}
}

// String is the name of the rule; "" for a number that is none's.
func (r Rule) String() string {
	if r >= Rules {
		return ""
	}
	return ruleNames()[r]
}
