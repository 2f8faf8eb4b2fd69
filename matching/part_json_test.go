package matching

import (
	"encoding/json"
	"testing"
)

// TestPartsAreWrittenInBits: programs read the parts of a weight in one shape,
// whichever command or address gives them.
func TestPartsAreWrittenInBits(t *testing.T) {
	for _, tt := range []struct {
		part Part
		want string
	}{
		{Part{Field: "prior", Level: "any two records", Weight: -13000}, `{"field":"prior","level":"any two records","weight_bits":-13}`},
		{Part{Field: "name", Level: "nearly same", A: "acme", B: "acne", Weight: 7750}, `{"field":"name","level":"nearly same","a":"acme","b":"acne","weight_bits":7.75}`},
	} {
		if got, err := json.Marshal(tt.part); err != nil || string(got) != tt.want {
			t.Errorf("%+v is written %s (%v), want %s", tt.part, got, err, tt.want)
		}
	}
}
