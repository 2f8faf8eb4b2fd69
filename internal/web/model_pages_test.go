package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"touchstone/internal/record"
)

func oneTrial(state string) TrialItem {
	return TrialItem{
		ID: "t1", Entity: "company", Kind: "model", State: state, Version: "fit-1", From: "start-3", Link: 0.9, Review: 0.5, FromLink: 0.95, FromReview: 0.6,
		Stage: "resolve", Done: 40, Whole: 316, Who: "amy", Why: "too <many> pairs", At: testNow, Merges: 12, Splits: 3, Moves: 1, New: 3, Changed: 20, Gone: 12, Records: 316, Creates: 2, Updates: 38,
	}
}

func oneEntity() ModelEntity {
	return ModelEntity{
		Entity: "company", Link: 0.9, Review: 0.6, OfLink: 0.95, OfReview: 0.6, Own: true, Switching: true, Waiting: 7,
		Models:  []ModelRow{{Entity: "company", Version: "start-3", Active: true, At: testNow}, {Entity: "company", Version: "fit-1", At: testNow, Who: "amy", Fitted: true, Records: 316, Pairs: 1200, Same: 40, Different: 12}},
		History: []ModelTurn{{Generation: 1, Version: "start-3", Link: 0.9, Review: 0.6, Who: "amy", Why: "<b>", At: testNow}},
	}
}

func (office) ModelPage(context.Context) ([]ModelEntity, error) {
	return []ModelEntity{oneEntity()}, nil
}

func (office) OneModel(_ context.Context, entity, version, _ string) (OneModel, error) {
	if version == "none" {
		return OneModel{}, fmt.Errorf("match model %s/%s: %w", entity, version, record.ErrNotFound)
	}
	m := oneEntity().Models[1]
	m.Version = version
	return OneModel{
		ModelRow: m, Beside: "start-3", Prior: -12, Prior2: -11.5, Others: []string{"start-3"},
		Fields:  []ModelField{{"name", []ModelLevel{{"same", 11, 10, 0.9, 0.0001, false}, {"different", -7, -7, 0.01, 0.9, true}}}},
		Figures: ModelFigures{From: "start-3", Random: 5000, Matches: 300, Iterations: 12, Converged: true, Before: 0.4, After: 0.2, Note: "few", Reaches: []ModelReach{{0.95, 7.5, true}, {0.99, 0, false}}},
	}, nil
}

func (office) Scores(_ context.Context, entity string, link, review float64) (Scores, error) {
	if entity == "none" {
		return Scores{}, fmt.Errorf("entity type %s: %w", entity, record.ErrNotFound)
	}
	if review > link {
		return Scores{}, &Problem{Text: "review is above link"}
	}
	e := oneEntity()
	if link == 0 {
		link, review = e.Link, e.Review
	}
	return Scores{ModelEntity: e, Try: link, TryReview: review, Bins: []ScoreBin{{0, 10}, {1, 20}, {5, 300}}, Linked: 300, TryLinked: 320, Shown: 30, TryShown: 10}, nil
}

func (office) Trials(context.Context, string, int) ([]TrialItem, error) {
	return []TrialItem{oneTrial("ready"), oneTrial("taken")}, nil
}

func (office) TrialPage(_ context.Context, id string) (TrialPage, error) {
	if id == "none" {
		return TrialPage{}, fmt.Errorf("trial %s: %w", id, record.ErrNotFound)
	}
	state := "ready"
	if _, s, ok := strings.Cut(id, "-"); ok {
		state = s
	}
	t := oneTrial(state)
	t.ID = id
	return TrialPage{
		TrialItem: t, Sizes: []TrialSize{{"1", 280, 262}, {"2", 30, 40}}, Fields: []Count{{"name", 9}}, Writes: []TrialWrites{{"crm", "crm", 2, 38, []Count{{"phone", 38}}}},
		Ways: []TrialWay{{"merge", "SECRET-VALUE <i>", "a", "b"}}, MoreWays: 15, Pairs: []TrialPair{{"3-7", "SECRET-VALUE", "b", 4.1, 3, true, true}, {"3-9", "a", "b", 2, 0, false, false}},
		LabelsOf: TrialLabels{Same: 4, Different: 2, Precision: 0.9}, Labels: TrialLabels{Same: 4, Different: 2, Precision: 0.95}, Brake: 0.1, Braked: true, Switching: state == "taken", Waiting: 7, CanUndo: state == "taken",
	}, nil
}

func (f office) AskTrial(_ context.Context, t TrialAsked, by By) (string, error) {
	if t.Version == "start-3" {
		return "", &Problem{Text: "that is in <force> already"}
	}
	f.seen.add(fmt.Sprintf("asked %+v %+v", t, by))
	return "t9", nil
}

func (f office) TakeTrial(_ context.Context, id string, brake bool, by By) error {
	if !brake {
		return &Problem{Field: "brake", Text: "confirm that <35> are meant"}
	}
	f.seen.add(fmt.Sprintf("took %s %+v", id, by))
	return nil
}

func (f office) RefuseTrial(_ context.Context, id string, by By) error {
	f.seen.add(fmt.Sprintf("refused %s %+v", id, by))
	return nil
}

func (f office) UndoTrial(_ context.Context, id string, by By) error {
	f.seen.add(fmt.Sprintf("undid %s %+v", id, by))
	return nil
}

// TestTrialsAreAskedForAndJudged goes through every form of the models' pages.
func TestTrialsAreAskedForAndJudged(t *testing.T) {
	tests := []struct {
		path, want string
		form       url.Values
		status     int
	}{
		{"/models/company/try", "asked {Entity:company Version:fit-1 Link:0 Review:0 Configured:false Train:false} {Who:page:local Why:better}", url.Values{"version": {"fit-1"}, "why": {"better"}}, 303},
		{"/models/company/try", "asked {Entity:company Version: Link:0.9 Review:0.5 Configured:false Train:false} {Who:page:local Why:}", url.Values{"link": {"90 %"}, "review": {"0.5"}}, 303},
		{"/models/company/try", "asked {Entity:company Version: Link:0 Review:0 Configured:false Train:true} {Who:page:local Why:}", url.Values{"train": {"1"}}, 303},
		{"/models/company/try", "asked {Entity:company Version: Link:0 Review:0 Configured:true Train:false} {Who:page:local Why:}", url.Values{"configured": {"1"}}, 303},
		{"/models/company/try", "such as 0.95 or 95%", url.Values{"link": {"much"}}, 422},
		{"/models/company/try", "in &lt;force&gt; already", url.Values{"version": {"start-3"}, "why": {"kept <b>"}}, 422},
		{"/trials/t1/take", "confirm that &lt;35&gt; are meant", url.Values{"why": {"kept <b>"}}, 422},
		{"/trials/t1/take", "took t1 {Who:page:local Why:seen}", url.Values{"why": {"seen"}, "brake": {"1"}}, 303},
		{"/trials/t1/refuse", "refused t1 {Who:page:local Why:no}", url.Values{"why": {"no"}}, 303},
		{"/trials/t1-taken/undo", "undid t1-taken {Who:page:local Why:}", nil, 303},
	}
	for _, tt := range tests {
		o := newOffice()
		w := post(t, newHandler(o, nil), tt.path, tt.form)
		got := w.Body.String()
		if w.Code == http.StatusSeeOther {
			got = o.seen.text()
		}
		if w.Code != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%s %v: %d, %q is missing in\n%s", tt.path, tt.form, w.Code, tt.want, got)
		}
		if why := tt.form.Get("why"); w.Code == 422 && why != "" && !strings.Contains(got, "kept &lt;b&gt;") {
			t.Errorf("%s: what was typed is gone", tt.path)
		}
	}
}
