package label

import (
	"fmt"
	"strings"
	"testing"
)

func TestATruthBesideAResult(t *testing.T) {
	for _, tt := range []struct{ name, truth, result, want string }{
		{"clusters, one record unnamed", "id,cluster\n1,a\n2,a\n3,b\n", "id,cluster\n3,x\n2,x\n1,y\n4,y\n", "[0 0 3] [1 2 2] <nil>"},
		{"a record is missing", "id,cluster\n1,a\n2,a\n", "id,cluster\n1,x\n", `[] [] there is no record "2", which the truth names`},
		{"true pairs, others alone", "id_a,id_b\n1,2\n2,9\n", "id,cluster\n1,x\n2,x\n3,x\n4,y\n", "[0 0 2 3] [1 1 1 4] <nil>"},
		{"a name on both sides", "id,cluster\n1,x\n2,y\n", "id,cluster\n1,y\n2,x\n", "[0 2] [1 3] <nil>"},
	} {
		truth, err := ReadTruth(strings.NewReader(tt.truth), "truth.csv")
		if err != nil {
			t.Fatal(err)
		}
		result, err := ReadTruth(strings.NewReader(tt.result), "result.csv")
		if err != nil {
			t.Fatal(err)
		}
		a, b, err := truth.Beside(result)
		if got := fmt.Sprint(a, b, err); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
