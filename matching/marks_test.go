package matching_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/standardise"
)

func TestCheckDigitThatWasExpected(t *testing.T) {
	tests := []struct{ scheme, value, wants, has string }{
		{"uscc", "91350100M000100Y44", "3", "4"},
		{"uscc", "91350100M000100Y43", "", ""}, // right
		{"uscc", "91350100M000100Y4", "", ""},  // too short: no digit is the one
		{"cnid", "110101199003070079", "0", "9"},
		{"siren", "732829321", "0", "1"},
		{"lei", "5493001KJTIIGC8Y1R13", "12", "13"},
		{"iban", "GB83WEST12345698765432", "82", "83"},
		{"vat", "DE136695977", "6", "7"},
		{"vat", "FR83404833048", "", ""}, // its check is not at the end
		{"cnreg", "110108000000017", "6", "7"},
	}
	for _, tt := range tests {
		id, _ := standardise.Identifier(tt.scheme, tt.value)
		wants, has := id.Expected()
		if wants != tt.wants || has != tt.has {
			t.Errorf("%s %s wants %q and has %q, want %q and %q", tt.scheme, tt.value, wants, has, tt.wants, tt.has)
		}
		if wants == "" {
			continue
		}
		mended := tt.value[:len(tt.value)-len(has)] + wants
		if tt.scheme == "iban" {
			mended = tt.value[:2] + wants + tt.value[4:]
		}
		if id, note := standardise.Identifier(tt.scheme, mended); !id.Checked || note != "" {
			t.Errorf("%s %s with %s at its place is checked: %v, %q; want it right", tt.scheme, tt.value, wants, id.Checked, note)
		}
	}
}

func TestMarksOfRecords(t *testing.T) {
	fields := record.Fields{
		"country": record.TextValue("CN"),
		"ids":     record.ListValue(record.Point{Value: "91350100M000100Y43"}, record.Point{Value: "91350100M000100Y44", Parts: map[string]string{"scheme": "uscc"}}),
		"phones":  record.ListValue(record.Point{Value: "13800138000"}, record.Point{Value: "none"}),
		"emails":  record.ListValue(record.Point{Value: "info@acme.example"}),
	}
	check := matching.Noted{Mark: matching.Mark{Field: "ids", Index: 1, Text: standardise.NoteCheckDigit}, Wants: "3", Has: "4"}
	phone := matching.Noted{Mark: matching.Mark{Field: "phones", Index: 1, Text: "not a phone number"}}
	role := matching.Noted{Mark: matching.Mark{Field: "emails", Index: 0, Text: standardise.NoteRole}}
	for entity, want := range map[string][]matching.Noted{record.Company: {check, phone}, record.Person: {check, phone, role}} {
		if diff := cmp.Diff(want, matching.MarksOf(entity, nil, fields)); diff != "" {
			t.Errorf("marks of a %s (-want +got):\n%s", entity, diff)
		}
	}
	shape := matching.Shape{{Name: "hotline", Kind: matching.KindPhone}, {Name: "service", Kind: matching.KindPhone}, {Name: "mail", Kind: matching.KindEmail}}
	got := matching.MarksOf("device", shape, record.Fields{
		"hotline": record.TextValue("+49 30 901820"),
		"service": record.ListValue(record.Point{Value: "+49 30 901821"}, record.Point{Value: "none"}),
		"mail":    record.TextValue("at home"),
	})
	want := []matching.Noted{
		{Mark: matching.Mark{Field: "mail", Text: "not an email address"}},
		{Mark: matching.Mark{Field: "service", Index: 1, Text: "not a phone number"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("marks of an entity type of one's own (-want +got):\n%s", diff)
	}
}
