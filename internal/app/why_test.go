package app

import (
	"encoding/json"
	"strings"
	"testing"

	"touchstone/matching"
)

// TestWhySaysWhatDecided: each way to be one customer, or two, with what would
// turn it.
func TestWhySaysWhatDecided(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := two(t, dsn,
			[]string{
				acme("c1", "2", `,"phone":"+44 113 496 0001"`),
				`{"id":"c5","updated_at":"2026-01-02T00:00:00Z","name":"Vetoed Works Ltd","phone":"+44 161 496 0005","website":"vetoed.example","lei":"213800WSGIIZCXF1P572"}`,
				`{"id":"c2","updated_at":"2026-01-02T00:00:00Z","name":"Northern Lights Bakery Ltd","phone":"+44 1904 496 001","website":"northern-lights.example"}`,
			},
			[]string{
				acme("o1", "1", ""),
				`{"id":"o5","updated_at":"2026-01-01T00:00:00Z","name":"Vetoed Works Ltd","phone":"+44 161 496 0005","website":"vetoed.example","lei":"5493001KJTIIGC8Y1R12"}`,
				`{"id":"o2","updated_at":"2026-01-01T00:00:00Z","name":"Zenith Bakery","city":"York","country":"GB","phone":"+44 1904 496 002"}`,
				`{"id":"o3","updated_at":"2026-01-01T00:00:00Z","name":"Northern Lights Bakery","website":"northern-lights.example"}`,
				`{"id":"o4","updated_at":"2026-01-01T00:00:00Z","name":"Northern Lights Bakery","phone":"+44 1904 496 001"}`,
			})
		w.yaml = strings.ReplaceAll(strings.Split(w.yaml, "targets:")[0], "          name: 'record.name'", "          name: 'record.name'\n          id: {scheme: '\"lei\"', value: 'record.lei'}")
		w.open()
		w.clean()
		why := func(a, b, decided, en, zh string) Why {
			t.Helper()
			x, err := w.app.Why(t.Context(), a, b)
			if err != nil {
				t.Fatal(err)
			}
			said, saidZh := strings.Join(x.Sentences("en"), " "), strings.Join(x.Sentences("zh"), " ")
			if x.Decided != decided || !strings.Contains(said, en) || !strings.Contains(saidZh, zh) {
				t.Errorf("why %s %s: by %s, %q, %q; want %s, %q, %q", a, b, x.Decided, said, saidZh, decided, en, zh)
			}
			if strings.Contains(said+saidZh, "%!") {
				t.Errorf("why %s %s says %q %q", a, b, said, saidZh)
			}
			sum := int32(0)
			for _, p := range x.Pair.Parts {
				sum += p.Weight
			}
			if bits(sum) != x.Pair.Weight {
				t.Errorf("why %s %s: the parts sum to %v, the weight is %v", a, b, bits(sum), x.Pair.Weight)
			}
			return x
		}
		why("crm:c1", "desk:o1", ByLink, "It would turn if", "结果就会改变")
		x := why("crm:c1", "desk:o2", ByWeight, "are two customers", "是两个客户")
		if x.Pair.Weight >= x.Link {
			t.Errorf("a pair of %v bits at a threshold of %v is apart by its weight", x.Pair.Weight, x.Link)
		}
		for _, f := range x.Flips {
			if f.Weight < x.Link {
				t.Errorf("flip %+v does not reach the threshold %v", f, x.Link)
			}
		}
		why("crm:c5", "desk:o5", ByWeight, "have different lei numbers", "lei 号码不同") // what they share weighs nothing then, and hard evidence is told all the same
		merge := w.decision(w.app.Merge(t.Context(), "crm:c1", "desk:o2", ann))
		w.clean()
		if x := why("crm:c1", "desk:o2", ByRuling, "ann", "由人工决定"); len(x.Rulings) != 1 || x.Rulings[0].ID != merge {
			t.Errorf("decisions %+v, want %s", x.Rulings, merge)
		}
		if x := why("desk:o1", "desk:o2", ByRuling, "undo "+merge, merge); len(x.Rulings) != 1 {
			t.Errorf("decisions %+v, want the merge that names both", x.Rulings)
		}
		split := w.decision(w.app.Split(t.Context(), []string{"desk:o4"}, "crm:c2", ann))
		w.clean()
		why("crm:c2", "desk:o4", ByRuling, split, split)
		w.decision(w.app.Undo(t.Context(), split, ann))
		w.clean()
		if x := why("desk:o3", "desk:o4", ByPath, "tied through others", "crm/company/c2"); len(x.Path) != 2 || len(x.Flips) == 0 {
			t.Errorf("path %+v, flips %+v; want the way through c2, and what would cut it", x.Path, x.Flips)
		}
		w.end()
	})
}

// TestEveryMatchWordIsTranslated: a new field or level needs its Chinese name.
func TestEveryMatchWordIsTranslated(t *testing.T) {
	for _, entity := range []string{"company", "person"} {
		m, _ := matching.StartModel(entity)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var model struct {
			Fields []struct {
				Name   string
				Levels []struct{ Name string }
			}
		}
		if err := json.Unmarshal(b, &model); err != nil {
			t.Fatal(err)
		}
		for _, f := range model.Fields {
			if MatchWord("zh", f.Name) == f.Name {
				t.Errorf("%s: the field %q has no Chinese name", entity, f.Name)
			}
			for _, l := range f.Levels {
				if MatchWord("zh", l.Name) == l.Name {
					t.Errorf("%s %s: the level %q has no Chinese name", entity, f.Name, l.Name)
				}
			}
		}
	}
}
