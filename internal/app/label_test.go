package app

import (
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/internal/store/storetest"
	"touchstone/matching"
	"touchstone/matching/label"
)

// TestTrainLearnsFromLabels: from decisions in the store and from a file, on both
// databases; a name that is wrong is said with its line.
func TestTrainLearnsFromLabels(t *testing.T) {
	for name, dsn := range map[string]string{"sqlite": "", "postgres": storetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			w := fed(t, dsn, matching.LeastRecords)
			script{}.resolve(w)
			ctx, ann := t.Context(), By{Who: "ann"}
			source := w.app.SourceName(w.app.order[0].uid)
			ref := func(id string) string { return source + "/company/" + id }
			merged, err := w.app.Merge(ctx, ref("r0000"), ref("r0001"), ann)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.app.Apart(ctx, ref("r0002"), ref("r0005"), ann); err != nil {
				t.Fatal(err)
			}
			if d, err := w.app.Apart(ctx, ref("r0005"), ref("r0002"), ann); err != nil || !d.Existing {
				t.Errorf("the same again the other way round: %+v, %v", d, err)
			}
			got, err := w.app.Train(ctx, record.Company, "ann", Labels{Rulings: true})
			if err != nil || got.Figures.Labels == nil || got.Figures.Labels.Same == 0 || got.Figures.Labels.Different == 0 || max(got.Figures.Labels.Same, got.Figures.Labels.Different) > mostOfDecision {
				t.Fatalf("labels from decisions: %+v, %v", got.Figures.Labels, err)
			}
			file := Labels{Name: "l.csv", Pairs: []label.Pair{
				{A: ref("r0000"), B: ref("r0001"), Answer: label.Same, Line: 2},
				{A: ref("r0002"), B: ref("r0005"), Answer: label.Different, Line: 3},
				{A: ref("r0002"), B: ref("r0006"), Answer: label.Unsure, Line: 4},
			}}
			again, err := w.app.Train(ctx, record.Company, "ann", file)
			if err != nil || again.Figures.Labels.Same != 1 || again.Figures.Labels.Different != 1 {
				t.Errorf("labels from a file: %+v, %v", again.Figures.Labels, err)
			}
			if twice, err := w.app.Train(ctx, record.Company, "ann", file); err != nil || twice.New || twice.Version != again.Version {
				t.Errorf("the same labels again give %s (new %v), %v; want %s", twice.Version, twice.New, err, again.Version)
			}
			if _, err := w.app.Undo(ctx, merged.Decision, ann); err != nil {
				t.Fatal(err)
			}
			undone, err := w.app.Train(ctx, record.Company, "ann", Labels{Rulings: true})
			if err != nil || undone.Figures.Labels.Same != 0 || !strings.Contains(undone.Figures.Labels.Note, "one kind of answer only") {
				t.Errorf("after the undo: %+v, %v", undone.Figures.Labels, err)
			}
			for bad, want := range map[string]string{ref("nobody"): "l.csv:7: ", "C-1001": `l.csv:7: "C-1001" names no source record`, "gone/company/1": `l.csv:7: source "gone"`} {
				_, err := w.app.Train(ctx, record.Company, "ann", Labels{Name: "l.csv", Pairs: []label.Pair{{A: bad, B: ref("r0001"), Answer: label.Same, Line: 7}}})
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("label of %s: %v, want an error with %q", bad, err, want)
				}
			}
			contest, err := w.app.CompareModels(ctx, "company/start-4", got.Version, file)
			if err != nil || contest.Pairs == 0 || contest.LabelsA == nil || contest.LabelsB.Same != 1 || len(contest.Fields) == 0 || contest.Share != 1 && contest.Share <= 0 {
				t.Errorf("start beside fitted: %+v, %v", contest, err)
			}
			for _, p := range contest.Changed {
				sum := int32(0)
				for _, part := range p.PartsB {
					sum += part.Weight
				}
				if sum != int32(p.WeightB) || p.RecordA == "" || p.RecordB == "" {
					t.Errorf("changed pair %s and %s: the parts sum to %d of %d", p.RecordA, p.RecordB, sum, p.WeightB)
				}
			}
			if _, err := w.app.CompareModels(ctx, "company/start-4", "person/start-4", Labels{}); err == nil || !strings.Contains(err.Error(), "is a model of") {
				t.Errorf("models of two entity types beside each other: %v", err)
			}
		})
	}
}
