package matching

import (
	"testing"

	"touchstone/internal/record"
)

// TestMostKeysIsABound holds that no record makes more keys than mostKeys says:
// where that is at most MaxKeys, none is cut off.
func TestMostKeysIsABound(t *testing.T) {
	list := func(values ...string) record.Value {
		var points []record.Point
		for _, v := range values {
			points = append(points, record.Point{Value: v, Parts: map[string]string{"line": "12 " + v + " street", "postcode": "SW1A 1AA", "city": "London"}})
		}
		return record.ListValue(points...)
	}
	company := record.Fields{
		"name": record.TextValue("长行重庆银行有限公司"), "legal_name": record.TextValue("Longer Trading Company Ltd"), "website": record.TextValue("longer.example"),
		"phones": list("+44 20 7946 0001", "+44 20 7946 0002"), "emails": list("info@longer.example", "someone.else@gmail.com"),
		"addresses": list("abbey", "baker"), "ids": list("12345678", "AB-99-XY-77"), "aliases": list("单于贸易", "Another Name"),
	}
	person := record.Fields{
		"given_name": record.TextValue("行长"), "family_name": record.TextValue("单"), "birth_date": record.TextValue("1980-02-03"), "employer": record.TextValue("Acme Ltd"),
		"phones": list("+44 20 7946 0001"), "emails": list("ann.archer@firm.example", "ann.archer.longer@gmail.com"), "addresses": list("abbey", "baker"), "ids": list("12345678"),
	}
	for entity, fields := range map[string]record.Fields{record.Company: company, record.Person: person} {
		f := Standardise(entity, fields)
		if n, most := len(f.namedKeys(1000, 0)), f.mostKeys(); n > most || n < 8 {
			t.Errorf("%s: %d keys, mostKeys says %d", entity, n, most)
		}
	}
}
