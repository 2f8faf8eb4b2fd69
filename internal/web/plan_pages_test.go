package web

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"touchstone/internal/record"
)

func (f fake) Health(context.Context, int) (Health, error) { return Health{}, nil }

func (f fake) Levels(context.Context) (Levels, error) { return Levels{}, nil }

func (office) Levels(context.Context) (Levels, error) {
	day, hour := 24*time.Hour, time.Hour
	return Levels{
		Goal: 0.99, Fresh: 15 * time.Minute, Delivered: 15 * time.Minute, Days: []string{"2026-01-04", "2026-01-05"},
		Lines: []LevelLine{
			{Kind: "daemon", Days: []Level{{day, day}, {hour, hour}}, Week: Level{25 * hour, 25 * hour}, All: Level{25 * hour, 25 * hour}, Left: 15 * time.Minute},
			{Kind: "source", Name: "crm", Days: []Level{{day, day}, {0, hour}}, Week: Level{day, 25 * hour}, All: Level{day, 25 * hour}, Left: -45 * time.Minute},
			{Kind: "target", Name: "crm", Days: []Level{{}, {hour, hour}}, Week: Level{hour, hour}, All: Level{hour, hour}, Left: 36 * time.Second},
			{Kind: "source", Name: "desk", Days: make([]Level, 2)},
		},
	}, nil
}

func (f fake) Live(context.Context) (map[string]int, []string, error) {
	return map[string]int{"review": 41, "quarantine": 1234}, nil, nil
}

func figuresOf(filled, missing, invalid int) FieldFigures {
	return FieldFigures{Filled: filled, Missing: missing, Values: filled, Valid: filled - invalid, Invalid: invalid, Fresh: filled / 2, Distinct: filled, Checked: true}
}

func (office) Health(context.Context, int) (Health, error) {
	at := func(day string, s float64) HealthDay {
		return HealthDay{day, Score{s, 0.8, 0.99, 0.97, 0.5, 316}}
	}
	return Health{
		Days:   []HealthDay{at("2026-01-04", 80), at("2026-01-05", 83.2)},
		Lines:  []HealthLine{{"crm", "company", []float64{80, 83.2}, Score{Score: 83.2}}, {"desk", "company", []float64{-1, 70}, Score{Score: 70}}},
		Change: 3.2, Moved: []Moved{{"crm", "company", "completeness", 3.5}, {"", "", "records", -0.3}},
	}, nil
}

func (office) Quality(context.Context) (Quality, error) {
	return Quality{At: testNow, Entities: []QualityEntity{{Entity: "company", Fields: []string{"name", "phones"}, Sources: []QualitySource{
		{"crm", testNow, 3, 5, Score{83.2, 0.8, 0.99, 0.97, 0.5, 316}, []FieldFigures{figuresOf(316, 0, 0), figuresOf(200, 116, 7)}, []GoalFigures{{"reach", []string{"phones"}, 100, 316}}, 4},
		{"desk", testNow, 0, 0, Score{70, 0.8, 0.99, 0.97, 0.5, 13}, []FieldFigures{figuresOf(13, 0, 0), figuresOf(0, 13, 0)}, nil, 0},
	}}}}, nil
}

func (office) FieldProfile(_ context.Context, source, entity, field string) (FieldProfile, error) {
	if source != "crm" {
		return FieldProfile{}, fmt.Errorf("figures of %s: %w", source, record.ErrNotFound)
	}
	return FieldProfile{
		Source: source, Entity: entity, Field: field, Check: "phone", At: testNow, Records: 316, FieldFigures: figuresOf(200, 116, 7), Shortest: 3, Longest: 20,
		Lengths: []Count{{"8–15", 200}}, Shapes: []Count{{"+99 <b>", 150}, {"", 50}}, Names: []Count{{"SECRET-VALUE", 200}}, OtherNames: 2, Provinces: map[string]int{"31": 12}, Elsewhere: 4,
	}, nil
}

func (office) FieldRecords(context.Context, FieldQuery) (FieldRecords, error) {
	return FieldRecords{Rows: []FieldRecord{{"c1", "abcd2345efgh6789", []string{"SECRET-VALUE <b>"}}, {ID: "c2"}}, Next: "7", Partial: true, Total: 116}, nil
}

func (office) SchemaPage(_ context.Context, source string) (SchemaPage, error) {
	return SchemaPage{source, []SchemaEntity{{"company", 200, testNow, []SchemaField{
		{Path: "name", Types: []string{"text"}, Filled: 200, MappedTo: []string{"name"}, First: testNow},
		{Path: "fax", Types: []string{"text"}, Gone: testNow},
		{Path: "tags[]", Types: []string{"text"}, Changed: testNow},
		{Path: "vat", Types: []string{"number"}, New: true, First: testNow},
	}}}}, nil
}

func onePlan() PlanSummary {
	return PlanSummary{
		Target: "crm", System: "crm", Entity: "company", Held: "40 writes wait", First: true, Waiting: 40, Behind: 40, Objects: 316, Brake: 0.05, Braked: true,
		Delivered: 10, Failed: 1, Refused: 2, LeftOut: 3, LastSeq: 99,
	}
}

func (office) Plans(context.Context) ([]PlanSummary, error) { return []PlanSummary{onePlan()}, nil }

func (office) PlanPage(_ context.Context, q PlanQuery) (PlanPage, error) {
	if q.Target == "none" {
		return PlanPage{}, fmt.Errorf("target %s: %w", q.Target, record.ErrNotFound)
	}
	return PlanPage{
		PlanSummary: onePlan(), Parts: []PlanPart{{"update", []string{"phone", "street"}, 38, false}, {"create", []string{"phone"}, 2, true}},
		Fields: []PlanField{{"phone", 2, 38}, {"street", 0, 38}}, Rows: []WriteRow{write()}, Next: "7", Total: 40,
	}, nil
}

func (f office) ApprovePlan(_ context.Context, d PlanDecision, by By) error {
	if !d.Brake {
		return &Problem{Field: "brake", Text: "confirm that <40> writes are meant"}
	}
	f.seen.add(fmt.Sprintf("approved %+v %+v", d, by))
	return nil
}

func (f office) RefusePlan(_ context.Context, d PlanDecision, by By) (bool, error) {
	if by.Why == "" {
		return false, &Problem{Field: "why", Text: "say why"}
	}
	f.seen.add(fmt.Sprintf("refused %+v %+v", d, by))
	return false, nil
}

func (f office) Unrefuse(_ context.Context, row string, by By) error {
	f.seen.add(fmt.Sprintf("unrefused %s %+v", row, by))
	return nil
}

func (f office) StopTarget(_ context.Context, target string, by By) error {
	f.seen.add(fmt.Sprintf("stopped %s %+v", target, by))
	return nil
}

func (f office) GoOnTarget(_ context.Context, target string, by By) error {
	f.seen.add(fmt.Sprintf("going %s %+v", target, by))
	return nil
}

func oneRun() RunItem {
	return RunItem{ID: "r1", Source: "crm", RunRow: RunRow{Entity: "company", State: "running", Started: testNow.Add(-time.Minute), Pulled: 7, Stored: 7}, Left: 90 * time.Second, Usual: 2 * time.Minute, Running: true}
}

func (office) Runs(context.Context, RunFilter) (RunList, error) {
	done := oneRun()
	done.State, done.Ended, done.ID = "failed", testNow, "r0"
	return RunList{Rows: []RunItem{oneRun(), done}, Next: "2026~r0", Sources: []RunSource{{"crm", true, time.Time{}}, {"desk", false, testNow}}}, nil
}

func (office) RunPage(_ context.Context, id string) (RunPage, error) {
	if id != "r1" {
		return RunPage{}, fmt.Errorf("run %s: %w", id, record.ErrNotFound)
	}
	return RunPage{oneRun(), []RunLine{{testNow, "info", "pulled 7, stored 7"}, {testNow, "error", "get <page> 2: 503"}}}, nil
}

func (f office) RunNow(_ context.Context, source string, by By) error {
	f.seen.add(fmt.Sprintf("run %s %+v", source, by))
	return nil
}

func (f office) StopRun(_ context.Context, source string, by By) error {
	f.seen.add(fmt.Sprintf("stop %s %+v", source, by))
	return nil
}

func (f office) NoteAlert(_ context.Context, n AlertNote, by By) error {
	f.seen.add(fmt.Sprintf("note %+v %+v", n, by))
	return nil
}

// TestTheNewestDayStandsFirst: a month of days is wider than a phone, and today is
// what people look for.
func TestTheNewestDayStandsFirst(t *testing.T) {
	text := get(t, newHandler(newOffice(), nil), "/levels").Body.String()
	newest, older := strings.Index(text, ">01-05<"), strings.Index(text, ">01-04<")
	if newest < 0 || older < newest {
		t.Errorf("01-05 stands at %d, 01-04 at %d", newest, older)
	}
	first, second := strings.Index(text, "crm · fresh · 01-05: 0"), strings.Index(text, "crm · fresh · 01-04: 100")
	if first < 0 || second < first {
		t.Errorf("the cell of 01-05 stands at %d, that of 01-04 at %d", first, second)
	}
}
