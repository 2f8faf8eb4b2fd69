package assess

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"touchstone/connectors"
	"touchstone/internal/dedupe"
	"touchstone/internal/record"
)

func TestMaskedValuesTellNobody(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Ada Lovelace", "A•• L•••••••"},
		{"ada.l@example.com", "a••.l@e••••••.c••"},
		{"+44 20 7946 0001", "+•• •• •••• ••01"},
		{"1234", "••••"},
		{"上海美跃", "上•••"},
		{"", ""},
		{"x\u202e\x00y", "x\uFFFD\uFFFDy"},
		{strings.Repeat("ab ", 30), strings.Repeat("a• ", 13) + "a…"},
	}
	for _, tt := range tests {
		got := Mask(tt.in)
		if tt.in == "x\u202e\x00y" {
			if strings.ContainsAny(got, "\u202e\x00") {
				t.Errorf("Mask(%q) = %q keeps what is hidden", tt.in, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("Mask(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// list gives the rows of a CSV text as one page.
type list string

func (l list) Pull(context.Context, string, []byte) (p connectors.Page, err error) {
	lines, err := csv.NewReader(strings.NewReader(string(l))).ReadAll()
	if err != nil {
		return p, err
	}
	for _, line := range lines[1:] {
		obj := map[string]string{}
		for i, v := range line {
			obj[lines[0][i]] = v
		}
		data, err := json.Marshal(obj)
		if err != nil {
			return p, err
		}
		p.Records = append(p.Records, record.Raw{Data: data})
	}
	return p, nil
}

const rows = `id,name,email,phone
1,Acme Tools Ltd,info@acmetools.example,+44 113 496 0001
2,ACME Tools Limited,INFO@acmetools.example,0113 496 0001
3,Birch Bakery Ltd,hello@birch.example,+44 20 7946 0002
4,Cedar Carpets Ltd,not an address,+44 20 7946 0003
5,Dogwood Dairy Ltd,,unknown
`

func TestATableIsAssessed(t *testing.T) {
	table, err := dedupe.Load(t.Context(), []dedupe.Input{{Name: "rows.csv", From: list(rows)}}, 1<<30, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Table(t.Context(), table, dedupe.Options{Entity: "company", ID: "id", Workers: 1, Map: map[string]string{"name": "name", "email": "email", "phone": "phone"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != 5 || r.Duplicates != 1 || r.Twice != 1 || len(r.Examples) != 1 || len(r.Examples[0].Rows) != 2 {
		t.Errorf("%d rows, %d duplicates, examples %+v; want the first two to be one customer", r.Rows, r.Duplicates, r.Examples)
	}
	invalid := map[string]int{}
	for _, c := range r.Columns {
		invalid[c.Name] = c.Invalid
		if c.Filled+c.Missing != 5 {
			t.Errorf("%s does not add up: %+v", c.Name, c.Field)
		}
	}
	if invalid["email"] != 1 || invalid["phone"] != 1 || r.Score <= 50 || r.Score >= 100 {
		t.Errorf("score %v, invalid %v; want one address and one telephone", r.Score, invalid)
	}
}
