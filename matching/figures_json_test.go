package matching

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/matching/eval"
)

func TestFiguresAreWrittenInBitsAndReadAsTheyWereKept(t *testing.T) {
	want := Figures{
		From: "builtin", Records: 7, Prior: 0.01, PriorWeight: -9999, OldPrior: -13000,
		Fields: []FieldFigures{{Field: "name", Levels: []LevelFigures{{Level: "same", M: 0.5, U: 0.25, Weight: 7213, Old: 7000, Kept: true}}}},
		Labels: &LabelFigures{Thresholds: []eval.Reach{{Wanted: 0.99, Found: true, Threshold: 4321}}},
	}
	b, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"prior_weight_bits":-9.999`, `"old_prior_weight_bits":-13`, `"weight_bits":7.213`, `"old_weight_bits":7`, `"threshold_bits":4.321`} {
		if strings.Count(string(b), part) != 1 {
			t.Errorf("%s does not have %s once", b, part)
		}
	}
	kept := `{"from":"builtin","records":7,"pairs":0,"random":0,"share":0,"matches":0,"prior":0.01,"prior_weight":-9999,"old_prior_weight":-13000,"iterations":0,"converged":false,` +
		`"fields":[{"field":"name","levels":[{"level":"same","m":0.5,"u":0.25,"weight":7213,"old_weight":7000,"kept":true}]}],` +
		`"labels":{"thresholds":[{"wanted":0.99,"found":true,"threshold":4321}]}}`
	for what, text := range map[string]string{"bits": string(b), "thousandths": kept} {
		var got Figures
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("figures in %s are read otherwise (-want +got):\n%s", what, diff)
		}
	}
}
