package pipeline

import (
	"strings"

	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// SamePoint gives the text under which two entries of a list field are one:
// a phone in two spellings is one phone. "" leaves it to the exact entry.
func SamePoint(field string, p record.Point) string {
	switch field {
	case "phones":
		if number, ext, _ := standardise.Phone(p.Value, ""); number != "" {
			return tail(number) + "x" + ext
		}
	case "emails":
		if local, domain, _ := standardise.Email(p.Value); domain != "" {
			return local + "@" + domain
		}
	case "ids":
		id, _ := standardise.Identifier(p.Parts["scheme"], p.Value)
		return strings.ToLower(p.Parts["scheme"] + "/" + p.Parts["issuer"] + "/" + id.Value)
	case "addresses":
		var b strings.Builder
		for _, part := range record.AddressParts {
			b.WriteString(standardise.Fold(p.Parts[part]) + "|")
		}
		return b.String() + standardise.Fold(p.Value)
	case "aliases":
		return standardise.Fold(p.Value)
	}
	return ""
}

// tail is the last nine digits: a number with and without its country code is
// one number.
func tail(number string) string {
	return number[max(len(number)-9, 0):]
}
