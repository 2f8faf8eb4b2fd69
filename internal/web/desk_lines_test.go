package web

import "testing"

// TestPartsOfAFieldAreNamed: three times "same" beside a name says nothing; each
// part but the field's own is named.
func TestPartsOfAFieldAreNamed(t *testing.T) {
	part := func(field string) Evidence { return Evidence{Field: field, Level: "same", Bits: 1} }
	v := deskView{Desk: Desk{Rows: []DeskRow{
		{Name: "name", A: []string{"Acme GmbH"}, B: []string{"Acme GmbH"}, Evidence: []Evidence{part("name"), part("branch"), part("legal form")}},
		{Name: "website", A: []string{"acme.example"}, B: []string{"acme.example"}, Evidence: []Evidence{part("web")}},
	}}}
	v.lines()
	var got []string
	for _, l := range v.Lines {
		for _, f := range l.Falls {
			got = append(got, f.Of)
		}
	}
	want := []string{"", "branch", "legal form", ""}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("the parts are named %q, want %q", got, want)
		}
	}
}
