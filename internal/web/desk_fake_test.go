package web

import (
	"context"
	"fmt"
	"strings"
	"time"

	"touchstone/internal/record"
)

func queueItem(id string) QueueItem {
	p := onePair()
	return QueueItem{ID: id, Entity: "company", Kind: KindBelow, A: p.A, B: p.B, Chance: 0.89, Bits: 3, Value: 184_000, Damage: 20_000, Systems: 3, Pairs: 1, Since: testNow.Add(-time.Hour), Due: testNow, Assigned: "amy", Proposed: AnswerSame}
}

// OpenPairs has nothing of the entity type "none", and two pairs else.
func (office) OpenPairs(_ context.Context, q ReviewQuery) (OpenPairs, error) {
	if q.Entity == "none" {
		return OpenPairs{}, nil
	}
	return OpenPairs{Items: []QueueItem{queueItem("1-2"), queueItem("3-4")}, Next: "x", Partial: true, Open: 41, Currency: "EUR"}, nil
}

func (office) ReviewStats(context.Context, string, string, int) (ReviewStats, error) {
	return ReviewStats{
		Open: 41, Damage: 900_000, Currency: "EUR", ByEntity: []Count{{"company", 30}, {"person", 11}}, ByKind: []Count{{KindBelow, 41}},
		Mine: 2, Overdue: 1, Second: 3, Skipped: 4, Seconds: 6, Minutes: 40, Decisions: 23, Removes: 0.71, Decided: 5,
	}, nil
}

func (office) PairWork(_ context.Context, id, _ string) (PairWork, error) {
	return PairWork{
		Item: queueItem(id), Open: true, Seen: "v1", Two: "value",
		Notes:    []PairNote{{"n1", "amy", testNow.Add(-time.Minute), "<b>a note", false}, {"n2", "bo", testNow, "", true}},
		History:  []PairEvent{{testNow, "amy", "assign", "bo"}, {testNow, "amy", "escalate", ""}},
		Proposal: &PairProposal{AnswerSame, "amy", "they amy said so", testNow, true},
		Decided:  &PairDecided{"d1", AnswerApart, "bo", "amy said", testNow},
	}, nil
}

func (office) Desk(_ context.Context, id string) (Desk, error) {
	if id != "1-2" && id != "3-4" {
		return Desk{}, fmt.Errorf("pair %s: %w", id, record.ErrNotFound)
	}
	return oneDesk(id), nil
}

func oneDesk(id string) Desk {
	p := onePair()
	p.ID = id
	d := Desk{
		Pair: p, Prior: -13, Systems: []string{"crm", "desk"}, Flips: []Flip{{"phones", "different", "same", 9}},
		Sides: [2]DeskSide{{"crm/company/c1", "https://crm.example/c1", testNow.Add(-48 * time.Hour), 3}, {"desk/company/o2", "", testNow, 1}},
		After: After{"上海美跃包装有限公司", 4, []AfterField{{"name", "上海美跃包装有限公司", "source_rank"}, {"phones", "1; 2", "union"}}},
		Rows: []DeskRow{
			{Name: "name", A: []string{"上海美跃包装有限公司"}, B: []string{"上海美躍包裝"}, SinceA: testNow, Wins: "a", Evidence: []Evidence{{"name", "nearly same", "美跃", "美躍", 20}}},
			{Name: "phones", A: []string{"+86 21 6888 0102", "1"}, B: []string{"021-6888 0103"}, MarksA: []Mark{{Entry: 1, Value: "1", Text: "not a phone number"}}, MarksB: []Mark{{Text: "check digit wrong", Wants: "8", Has: "3"}}, Wins: "both", Evidence: []Evidence{{"phones", "different", "1", "2", -4}}},
			{Name: "website", A: []string{"http://a.example"}, Wins: "a"},
			{Name: "country", A: []string{"CN"}, B: []string{"CN"}},
			{Name: "industry", A: []string{"x"}, B: []string{"y"}, Wins: "pin"},
		},
		Other: []Evidence{{"trade", "same", "a", "b", 0}},
	}
	return d
}

func (office) PairEffect(context.Context, string) (ChangePreview, error) {
	return ChangePreview{Targets: []TargetEffect{
		{Target: "crm", Creates: 1, Updates: 1, Held: "x", Writes: []TargetChange{{Op: "update", Object: "c1", Fields: []Change{{"phone", "1", "2"}}}}},
		{Target: "desk", None: 1},
	}}, nil
}

// Cluster is three records in a chain of two links.
func (office) Cluster(_ context.Context, id string, step int) (Cluster, error) {
	side := func(n int) ClusterMember {
		return ClusterMember{Side: Side{"crm", fmt.Sprint("c", n), fmt.Sprint("客户 <", n), "abcd2345efgh6789", n == 3}, Ref: fmt.Sprint("crm/company/c", n), Group: n % 2, Leave: n == 1}
	}
	c := Cluster{
		ID: "abcd2345efgh6789", Entity: "company", Name: "客户", Members: []ClusterMember{side(1), side(2), side(3)}, Step: 2, LinkBits: 4.2, Waiting: true,
		Rows:    []ClusterRow{{"name", [][]string{{"客户 1"}, {"客戶 1"}, {"客户 1"}}}, {"phones", [][]string{{"1", "2"}, nil, {"2"}}}},
		Links:   []ClusterLink{{A: 0, B: 1, Bits: 6, Bridge: true, Weakest: true, Cut: true, Pair: "1-2"}, {A: 1, B: 2, Decision: "d1", Pair: "2-3"}},
		Steps:   []ClusterStep{{A: 1, B: 2, Decision: "d1", Joined: []int{2}, Size: 2}, {A: 0, B: 1, Bits: 6, Mean: 5, Joined: []int{0}, Size: 3}},
		Refused: []ClusterRefusal{{"zzzz2345efgh6789", "crm/company/c1", "desk/company/o1", 7, "veto", "another branch", ""}},
		Split:   &ClusterSplit{[]int{0}, 6, 5.5, 1},
	}
	if step >= 0 {
		c.Step = step
	}
	return c, nil
}

func (office) SplitOff(_ context.Context, _ string, refs []string, by By) (string, error) {
	if strings.Join(refs, " ") != "crm/company/c1" || by.Why == "" {
		return "", &Problem{Field: "record", Text: "not so"}
	}
	return "d9", nil
}

func (office) PreviewBulk(context.Context, ReviewQuery, string) (BulkPreview, error) {
	return BulkPreview{Pairs: 12, Customers: 24, Left: 12, Value: 5000, Currency: "EUR", Writes: []Count{{"crm", 9}}, Examples: []QueueItem{queueItem("1-2")}, LeftOut: []Count{{"two", 4}}, Token: "tok"}, nil
}

func oneJob() BulkJob {
	return BulkJob{ID: "b1", Answer: AnswerSame, Who: "amy", Why: "<i>", State: "running", Began: testNow, Pairs: 12, Decided: 3, Skipped: 1, LeftSeconds: 9}
}

func (office) BulkJobs(context.Context, int) ([]BulkJob, error) { return []BulkJob{oneJob()}, nil }

func (office) BulkJob(context.Context, string) (BulkJob, error) { return oneJob(), nil }

func (office) StartBulk(_ context.Context, q ReviewQuery, answer, token string, _ By) (BulkJob, error) {
	if q.Entity != "company" || answer != AnswerApart || token != "tok" {
		return BulkJob{}, &Problem{Text: "the queue has changed since the preview"}
	}
	return oneJob(), nil
}

func (office) StopBulk(context.Context, string, By) (BulkJob, error) { return oneJob(), nil }
