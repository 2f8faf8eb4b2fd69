package label

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadPairs(t *testing.T) {
	tests := []struct {
		name, in string
		want     []Pair
		wrong    string
	}{
		{"plain", "id_a,id_b,label\n1,2,same\n3,4,different\n5,6,unsure\n", []Pair{{A: "1", B: "2", Answer: Same, Line: 2}, {A: "3", B: "4", Answer: Different, Line: 3}, {A: "5", B: "6", Answer: Unsure, Line: 4}}, ""},
		{"other words, a mark, more columns", "\ufeffLabel,id_b,note,ID_A,who\nY,2,x,1,ann\n不同,4,,3,\n", []Pair{{A: "1", B: "2", Answer: Same, Who: "ann", Line: 2}, {A: "3", B: "4", Answer: Different, Line: 3}}, ""},
		{"twice the same", "id_a,id_b,label\n1,2,same\n2,1,match\n", []Pair{{A: "1", B: "2", Answer: Same, Line: 2}}, ""},
		{"empty", "", nil, "x.csv:1: the file is empty"},
		{"no label", "id_a,id_b\n1,2\n", nil, "x.csv:1: there is no column label; want id_a,id_b,label"},
		{"no ids", "a,b,label\n1,2,same\n", nil, "x.csv:1: there is no column id_a"},
		{"bad word", "id_a,id_b,label\n1,2,perhaps\n", nil, `x.csv:2:5: "perhaps" is no label`},
		{"empty id", "id_a,id_b,label\n1,2,same\n,2,same\n", nil, "x.csv:3:1: the id is empty"},
		{"itself", "id_a,id_b,label\n1,1,same\n", nil, `x.csv:2:3: a pair of "1" with itself`},
		{"two answers", "id_a,id_b,label\n1,2,same\n2,1,different\n", nil, "x.csv:3:5: 2 and 1 are different here and same in line 2"},
		{"short line", "id_a,id_b,label\n1,2\n", nil, "x.csv:2: the line has more or fewer columns than the 3 of the head"},
		{"bare quote", "id_a,id_b,label\n1,a\"b,same\n", nil, "x.csv:2:4: bare"},
		{"column twice", "id_a,id_a,label\n", nil, "x.csv:1: the column id_a stands there twice"},
	}
	for _, tt := range tests {
		got, err := ReadPairs(strings.NewReader(tt.in), "x.csv")
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.wrong)
			}
			continue
		}
		if d := cmp.Diff(tt.want, got); err != nil || d != "" {
			t.Errorf("%s: error %v, differs (-want +got):\n%s", tt.name, err, d)
		}
	}
}

func TestReadTruth(t *testing.T) {
	tests := []struct {
		name, in string
		want     map[string]string
		open     bool
		wrong    string
	}{
		{"clusters", "id,cluster\n1,x\n2,x\n3,y\n", map[string]string{"1": "x", "2": "x", "3": "y"}, false, ""},
		{"pairs, closed", "id_a,id_b\n1,2\n3,2\n5,4\n", map[string]string{"1": "1", "2": "1", "3": "1", "4": "4", "5": "4"}, true, ""},
		{"pairs, all labelled same", "id_a,id_b,label\n1,2,same\n", map[string]string{"1": "1", "2": "1"}, true, ""},
		{"labels", "id_a,id_b,label\n1,2,same\n3,4,different\n", nil, false, `t.csv:3:5: "different" is no true pair: answers are labels`},
		{"two clusters", "id,cluster\n1,x\n1,y\n", nil, false, `t.csv:3:1: "1" stands in two clusters`},
		{"no columns", "a,b\n1,2\n", nil, false, "t.csv:1: want the columns id and cluster, or id_a and id_b"},
	}
	for _, tt := range tests {
		got, err := ReadTruth(strings.NewReader(tt.in), "t.csv")
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.wrong)
			}
			continue
		}
		if d := cmp.Diff(tt.want, got.Cluster); err != nil || d != "" || got.Open != tt.open {
			t.Errorf("%s: error %v, open %v, differs (-want +got):\n%s", tt.name, err, got.Open, d)
		}
	}
}

func TestWrittenLabelsAreReadAgain(t *testing.T) {
	want := []Pair{{A: "a,1", B: "b\"2", Answer: Same, Who: "ann", When: "2026-01-02T03:04:05Z", Source: "asked", Line: 2}, {A: "c", B: "d", Answer: Unsure, Line: 3}}
	var b bytes.Buffer
	for i, p := range want {
		w, err := NewWriter(&b, i == 0) // each time anew: a session goes on
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadPairs(&b, "labels.csv")
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("error %v, differs (-want +got):\n%s", err, d)
	}
}
