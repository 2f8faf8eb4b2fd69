package web

import (
	"slices"
	"strings"
	"testing"
)

// TestProposalsAreStatedTogetherAsWhatAllCanBe: what is offered fits every one of
// those listed.
func TestProposalsAreStatedTogetherAsWhatAllCanBe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		as   [][]string
		want []string
	}{
		{nil, nil},
		{[][]string{{"branch_of"}}, []string{"branch_of"}},
		{[][]string{{"parent", "parent_of", "partner"}, {"parent", "parent_of", "partner"}}, []string{"parent", "parent_of", "partner"}},
		{[][]string{{"partner", "branch_of"}, {"parent", "parent_of", "partner"}}, []string{"partner"}},
		{[][]string{{"branch_of"}, nil, {"branch_of"}}, nil},
	}
	for _, tt := range tests {
		rows := make([]Proposal, len(tt.as))
		for i, as := range tt.as {
			rows[i].As = as
		}
		if got := alike(rows); !slices.Equal(got, tt.want) {
			t.Errorf("%v can all be stated as %v, want %v", tt.as, got, tt.want)
		}
	}
}

// TestWeakLinksAsATable: every page of them, with names, records and weights.
func TestWeakLinksAsATable(t *testing.T) {
	t.Parallel()
	w := get(t, newHandler(newOffice(), nil), "/bridges.csv?entity=company")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if w.Code != 200 || len(lines) != 3 || !strings.Contains(lines[0], "probability") {
		t.Errorf("%d: %q, want a header and two pages of weak links", w.Code, lines)
	}
}
