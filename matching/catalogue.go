package matching

import "touchstone/internal/record"

// field is one piece of evidence with its levels; level 0 is always "missing"
// and weighs nothing.
type field struct {
	name   string
	levels []string
	kind   string // of an entity type of one's own; "" for the built-in ones
}

// The levels a pair can have in each field, by number. A model gives each its
// weight.
const missing = 0

const (
	nameExact = 1 + iota
	nameReading
	nameNear
	nameContained
	nameAcronym
	nameAlike
	nameDifferent
)

const (
	same      = 1
	different = 2
)

const (
	branchSame = 1 + iota
	branchOther
	branchDifferent
)

const (
	idSame = 1 + iota
	idNear
	idDifferent
)

const (
	phoneSame = 1 + iota
	phoneNear
	phoneShared
	phoneDifferent
)

const (
	webAddress = 1 + iota
	webDomain
	webNear
	webShared
	webDifferent
)

const (
	placeExact = 1 + iota
	placeBuilding
	placeNear
	placeStreet
	placeShared
	placePostcode
	placeElsewhere
	placeDistrict
	placeCity
	placeDifferent
)

const (
	familyExact = 1 + iota
	familyReading
	familyNear
	familyAlike
	familyDifferent
)

const (
	givenExact = 1 + iota
	givenShort
	givenReading
	givenNickname
	givenInitial
	givenNear
	givenAlike
	givenDifferent
)

const (
	birthSame = 1 + iota
	birthSwapped
	birthSlip
	birthClose
	birthYear
	birthDifferent
)

const (
	mailSame = 1 + iota
	mailLocal
	mailNear
	mailFromName
	mailDomain
	mailShared
	mailDifferent
)

const (
	employerSame = 1 + iota
	employerNear
	employerDifferent
)

const (
	middleSame = 1 + iota
	middleInitial
	middleDifferent
)

// Positions of the fields of a company.
const (
	cName = iota
	cTrade
	cBranch
	cPlace
	cForm
	cIDs
	cPhone
	cWeb
	cAddress
	cCountry
)

// Positions of the fields of a person.
const (
	pFamily = iota
	pGiven
	pMiddle
	pOrder
	pBirth
	pPhone
	pEmail
	pAddress
	pIDs
	pEmployer
)

// maxFields times four bits make a pattern.
const maxFields = 16

var (
	placeLevels = []string{"missing", "same", "same building", "nearly same", "same street", "same, shared", "same postcode", "same city, another street", "same district", "same city", "different"}
	idLevels    = []string{"missing", "same", "nearly same", "different"}
	telLevels   = []string{"missing", "same", "nearly same", "same, shared", "different"}

	companyCatalogue = []field{
		{name: "name", levels: []string{"missing", "same", "same reading", "nearly same", "contained", "acronym", "alike", "different"}},
		{name: "trade", levels: []string{"missing", "same", "different"}},
		{name: "branch", levels: []string{"missing", "same", "another of the group", "different"}},
		{name: "name place", levels: []string{"missing", "same", "different"}},
		{name: "legal form", levels: []string{"missing", "same", "different"}},
		{name: "ids", levels: idLevels},
		{name: "phones", levels: telLevels},
		{name: "web", levels: []string{"missing", "same address", "same domain", "nearly same domain", "same, shared", "different"}},
		{name: "addresses", levels: placeLevels},
		{name: "country", levels: []string{"missing", "same", "different"}},
	}
	personCatalogue = []field{
		{name: "family name", levels: []string{"missing", "same", "same reading", "nearly same", "alike", "different"}},
		{name: "given name", levels: []string{"missing", "same", "same, one character", "same reading", "nickname", "initial", "nearly same", "alike", "different"}},
		{name: "middle name", levels: []string{"missing", "same", "initial", "different"}},
		{name: "name order", levels: []string{"missing", "straight", "swapped"}},
		{name: "birth date", levels: []string{"missing", "same", "day and month swapped", "one slip", "close", "same year", "different"}},
		{name: "phones", levels: telLevels},
		{name: "emails", levels: []string{"missing", "same", "same local part", "nearly same", "alike, made from the name", "same own domain", "same, shared", "different"}},
		{name: "addresses", levels: placeLevels},
		{name: "ids", levels: idLevels},
		{name: "employer", levels: []string{"missing", "same", "nearly same", "different"}},
	}
)

func catalogue(entity string) []field {
	switch entity {
	case record.Company:
		return companyCatalogue
	case record.Person:
		return personCatalogue
	}
	return nil
}
