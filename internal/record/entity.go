package record

// FieldSpec says what a field of an entity type is.
type FieldSpec struct {
	Name string
	Kind Kind
	// One is the singular a mapping may use for one entry of a list: phone for
	// phones. "" for a field that is not a list.
	One string
	// Parts are the named parts an entry may have besides value and kind.
	Parts []string
}

// AddressParts are the levels of an address, smallest first.
var AddressParts = []string{"line", "district", "city", "region", "postcode", "country"}

// IDParts name an identifier's scheme (uscc, lei, vat, duns …) and issuer.
var IDParts = []string{"scheme", "issuer"}

var companyFields = []FieldSpec{
	{Name: "name", Kind: Text},
	{Name: "legal_name", Kind: Text},
	{Name: "aliases", Kind: List, One: "alias"},
	{Name: "ids", Kind: List, One: "id", Parts: IDParts},
	{Name: "phones", Kind: List, One: "phone"},
	{Name: "emails", Kind: List, One: "email"},
	{Name: "website", Kind: Text},
	{Name: "addresses", Kind: List, One: "address", Parts: AddressParts},
	{Name: "country", Kind: Text},
	{Name: "industry", Kind: Text},
	{Name: "employees", Kind: Number},
	{Name: "revenue", Kind: Number},
	{Name: "founded", Kind: Date},
	{Name: "status", Kind: Text},
	{Name: "owner", Kind: Text},
}

var personFields = []FieldSpec{
	{Name: "given_name", Kind: Text},
	{Name: "family_name", Kind: Text},
	{Name: "full_name", Kind: Text},
	{Name: "birth_date", Kind: Date},
	{Name: "phones", Kind: List, One: "phone"},
	{Name: "emails", Kind: List, One: "email"},
	{Name: "addresses", Kind: List, One: "address", Parts: AddressParts},
	{Name: "employer", Kind: Text},
	{Name: "title", Kind: Text},
	{Name: "ids", Kind: List, One: "id", Parts: IDParts},
	{Name: "owner", Kind: Text},
}

// Owner is the field that says who of the own people looks after a customer.
const Owner = "owner"

// Specs lists the fields of a built-in entity type in the order people read
// them; nil for an entity type that is not built in.
func Specs(entity string) []FieldSpec {
	switch entity {
	case Company:
		return companyFields
	case Person:
		return personFields
	}
	return nil
}

// Spec finds a field by its name or by the singular of a list.
func Spec(entity, name string) (FieldSpec, bool) {
	for _, s := range Specs(entity) {
		if s.Name == name || s.One == name && name != "" {
			return s, true
		}
	}
	return FieldSpec{}, false
}
