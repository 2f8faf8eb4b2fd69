package app

import (
	"slices"
	"strings"
	"testing"

	"touchstone/matching/cluster"
)

// TestHowTellsEachStep: a chain of three with its bridges and where it would
// part, a veto, a decision that ties and one that parts.
func TestHowTellsEachStep(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := two(t, dsn,
			[]string{
				`{"id":"c5","updated_at":"2026-01-02T00:00:00Z","name":"Vetoed Works Ltd","phone":"+44 161 496 0005","website":"vetoed.example","lei":"213800WSGIIZCXF1P572"}`,
				`{"id":"c2","updated_at":"2026-01-02T00:00:00Z","name":"Northern Lights Bakery Ltd","phone":"+44 1904 496 001","website":"northern-lights.example"}`,
			},
			[]string{
				`{"id":"o5","updated_at":"2026-01-01T00:00:00Z","name":"Vetoed Works Ltd","phone":"+44 161 496 0005","website":"vetoed.example","lei":"5493001KJTIIGC8Y1R12"}`,
				`{"id":"o6","updated_at":"2026-01-01T00:00:00Z","name":"Vetoed Works Ltd","phone":"+44 161 496 0005","website":"vetoed.example"}`,
				`{"id":"o3","updated_at":"2026-01-01T00:00:00Z","name":"Northern Lights Bakery","website":"northern-lights.example"}`,
				`{"id":"o4","updated_at":"2026-01-01T00:00:00Z","name":"Northern Lights Bakery","phone":"+44 1904 496 001"}`,
			})
		w.yaml = strings.ReplaceAll(strings.Split(w.yaml, "targets:")[0], "          name: 'record.name'", "          name: 'record.name'\n          id: {scheme: '\"lei\"', value: 'record.lei'}")
		w.open()
		w.clean()
		how := func(id string, want ...string) How {
			t.Helper()
			h, err := w.app.How(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for i, lang := range []string{"en", "zh"} {
				said := strings.Join(h.Sentences(lang), "\n")
				if strings.Contains(said, "%!") {
					t.Errorf("%s in %s: %s", id, lang, said)
				}
				for _, text := range want {
					if i == 0 && !strings.Contains(said, text) {
						t.Errorf("%s: %q stands nowhere in\n%s", id, text, said)
					}
				}
			}
			if len(h.Members) != len(h.Steps)+1 || h.Golden != w.golden(id).ID || h.Waiting {
				t.Errorf("%s: %d members by %d steps of %s, waiting %v; want one step for each member but the first of %s", id, len(h.Members), len(h.Steps), h.Golden, h.Waiting, w.golden(id).ID)
			}
			return h
		}
		h := how("crm:c2", "Weakest link that it needs", "Bridge, without which it parts", "touchstone split", "parted together with 3")
		if len(h.Bridges) != 2 || h.Weakest == nil || h.Split == nil || len(h.Split.Side) != 1 || h.Split.Cut[0].Weight < h.Link {
			t.Errorf("bridges %+v, weakest %+v, split %+v; want the links of a chain, and one record that would go", h.Bridges, h.Weakest, h.Split)
		}
		h = how("crm:c5", "desk/company/o5", "different lei numbers")
		if len(h.Refused) != 1 || h.Refused[0].Why != cluster.ByVeto || h.Refused[0].Golden != w.golden("desk/company/o5").ID || h.Refused[0].Weight < h.Link {
			t.Errorf("refused %+v, want the veto against %s", h.Refused, w.golden("desk/company/o5").ID)
		}
		split := w.decision(w.app.Split(t.Context(), []string{"desk:o4"}, "crm:c2", ann))
		merge := w.decision(w.app.Merge(t.Context(), "crm:c2", "crm:c5", ann))
		w.clean()
		h = how("crm:c2", "a person decided so ("+merge+")", "keeps")
		if !slices.ContainsFunc(h.Refused, func(r HowRefused) bool { return r.Why == cluster.ByRuling && r.Decision == split && r.X != "" }) {
			t.Errorf("refused %+v, want the split %s among it", h.Refused, split)
		}
		if h, err := w.app.How(t.Context(), "crm/company/nobody"); err == nil {
			t.Errorf("a record that is not there is explained: %+v", h)
		}
		w.end()
	})
}
