package simulator

import (
	"cmp"
	"strings"
	"time"
)

// render gives a record with every member that the register's records have.
func (gleif) render(c *call, it *item) map[string]any {
	self := c.base() + "/api/v1/lei-records/" + it.id
	related := func(name string) map[string]any {
		return map[string]any{"links": map[string]any{"related": self + "/" + name}}
	}
	return map[string]any{
		"type": leiRecords, "id": it.id, "links": map[string]any{"self": self},
		"attributes": map[string]any{
			"lei": it.id, "entity": leiEntity(it), "registration": leiRegistration(it),
			// spglobal is a made-up number; a legal form of 8888 is one that has no code.
			"bic": nil, "mic": nil, "ocid": leiOcid(it), "qcc": nil, "spglobal": []any{"9" + it.id[10:18]}, "conformityFlag": "CONFORMING",
		},
		"relationships": map[string]any{
			"managing-lou": related("managing-lou"), "lei-issuer": related("lei-issuer"), "field-modifications": related("field-modifications"),
			"direct-parent":   map[string]any{"links": map[string]any{"reporting-exception": self + "/direct-parent-reporting-exception"}},
			"ultimate-parent": map[string]any{"links": map[string]any{"reporting-exception": self + "/ultimate-parent-reporting-exception"}},
		},
	}
}

// orNull gives a text, null for none.
func orNull(it *item, field string) any {
	if s := text(it.fields[field]); s != "" {
		return s
	}
	return nil
}

// leiOcid is the entity's number in OpenCorporates: country and register number.
func leiOcid(it *item) any {
	country, number := text(it.fields["country"]), text(it.fields["registered_as"])
	if country == "" || number == "" {
		return nil
	}
	return strings.ToLower(country) + "/" + number
}

func leiEntity(it *item) map[string]any {
	language := cmp.Or(text(it.fields["language"]), "en")
	lines := []any{}
	if l := text(it.fields["line"]); l != "" {
		lines = append(lines, l)
	}
	address := func() map[string]any {
		return map[string]any{
			"language": language, "addressLines": lines, "addressNumber": nil, "addressNumberWithinBuilding": nil, "mailRouting": nil,
			"city": orNull(it, "city"), "region": orNull(it, "region"), "country": orNull(it, "country"), "postalCode": orNull(it, "postcode"),
		}
	}
	translated := []any{}
	if s := text(it.fields["transliterated"]); s != "" {
		translated = append(translated, map[string]any{"name": s, "language": "zh", "type": "PREFERRED_ASCII_TRANSLITERATED_LEGAL_NAME"})
	}
	return map[string]any{
		"legalName":  map[string]any{"name": orNull(it, "name"), "language": language},
		"otherNames": []any{}, "transliteratedOtherNames": translated,
		"legalAddress": address(), "headquartersAddress": address(),
		"registeredAt": map[string]any{"id": orNull(it, "registered_at"), "other": nil}, "registeredAs": orNull(it, "registered_as"),
		"jurisdiction": orNull(it, "country"), "category": cmp.Or(text(it.fields["category"]), "GENERAL"),
		"legalForm":        map[string]any{"id": cmp.Or(text(it.fields["legal_form"]), "8888"), "other": nil},
		"associatedEntity": map[string]any{"lei": nil, "name": nil}, "status": cmp.Or(text(it.fields["status"]), "ACTIVE"),
		"expiration": map[string]any{"date": nil, "reason": nil}, "successorEntity": map[string]any{"lei": nil, "name": nil},
		"successorEntities": []any{}, "creationDate": it.created.AddDate(-5, 0, 0).Format(time.RFC3339), "subCategory": nil,
		"otherAddresses": []any{}, "eventGroups": []any{},
	}
}

func leiRegistration(it *item) map[string]any {
	return map[string]any{
		"initialRegistrationDate": cmp.Or(text(it.fields["first_registered"]), it.created.Format(time.RFC3339)),
		"lastUpdateDate":          it.updated.Truncate(time.Second).Format(time.RFC3339), "status": cmp.Or(text(it.fields["registration_status"]), "ISSUED"),
		"nextRenewalDate": cmp.Or(text(it.fields["next_renewal"]), it.created.AddDate(1, 0, 0).Format(time.RFC3339)), "managingLou": LEI(0),
		"corroborationLevel": "FULLY_CORROBORATED", "validatedAt": map[string]any{"id": orNull(it, "registered_at"), "other": nil},
		"validatedAs": orNull(it, "registered_as"), "otherValidationAuthorities": []any{},
	}
}
