package app

import (
	"touchstone/internal/record"
	"touchstone/internal/web"
)

// ShownPair is an open pair for people and programs.
type ShownPair struct {
	ID          string    `json:"pair"`
	Entity      string    `json:"entity"`
	Kind        string    `json:"kind"` // below | veto | bridge | group | stale
	A           ShownSide `json:"a"`
	B           ShownSide `json:"b"`
	Probability float64   `json:"probability"`
	Bits        float64   `json:"weight_bits"`
	Value       float64   `json:"value"`  // of both customers, in the base currency
	Damage      float64   `json:"damage"` // what a decision takes off the expected loss
	Systems     int       `json:"systems"`
	Pairs       int       `json:"record_pairs"`
	Since       string    `json:"since,omitempty"`
	Due         string    `json:"due,omitempty"`
	Until       string    `json:"until,omitempty"` // put aside until
	Assigned    string    `json:"assigned,omitempty"`
	Escalated   int       `json:"escalated,omitempty"`
	Proposed    string    `json:"proposed,omitempty"` // the answer that waits for a second account
	Proposer    string    `json:"proposer,omitempty"`
	Done        bool      `json:"done,omitempty"`
}

// ShownSide is one record of a pair.
type ShownSide struct {
	Record string `json:"record"`
	Name   string `json:"name"`
	Golden string `json:"golden"`
}

// ShownPairs is a page of them.
type ShownPairs struct {
	Pairs    []ShownPair `json:"pairs"`
	Open     int         `json:"open"` // whatever was asked for
	Next     string      `json:"next,omitempty"`
	Partial  bool        `json:"partial,omitempty"`
	Currency string      `json:"currency,omitempty"`
}

// ShowPairs makes a page of open pairs ready for printing.
func ShowPairs(p web.OpenPairs) ShownPairs {
	return ShownPairs{Pairs: showItems(p.Items), Open: p.Open, Next: p.Next, Partial: p.Partial, Currency: p.Currency}
}

func showItems(items []web.QueueItem) []ShownPair {
	out := []ShownPair{}
	for _, x := range items {
		side := func(s web.Side) ShownSide {
			return ShownSide{Record: s.Source + "/" + x.Entity + "/" + s.ID, Name: s.Name, Golden: s.Golden}
		}
		out = append(out, ShownPair{
			ID: x.ID, Entity: x.Entity, Kind: x.Kind, A: side(x.A), B: side(x.B), Probability: x.Chance, Bits: x.Bits, Value: x.Value, Damage: x.Damage,
			Systems: x.Systems, Pairs: x.Pairs, Since: record.FormatTime(x.Since), Due: record.FormatTime(x.Due), Until: record.FormatTime(x.Until),
			Assigned: x.Assigned, Escalated: x.Escalated, Proposed: x.Proposed, Proposer: x.Proposer, Done: x.Done,
		})
	}
	return out
}

// ShownStats say what waits for an account, for people and programs.
type ShownStats struct {
	Open      int          `json:"open"`
	Damage    float64      `json:"damage"`
	Currency  string       `json:"currency,omitempty"`
	Mine      int          `json:"mine"`
	Overdue   int          `json:"overdue"`
	Second    int          `json:"second"`
	Skipped   int          `json:"skipped"`
	Seconds   float64      `json:"seconds"`
	Measured  int          `json:"measured"`
	Minutes   int          `json:"minutes"`
	Decisions int          `json:"decisions"`
	Decided   int          `json:"decided"`
	Removes   float64      `json:"removes"`
	Curve     []ShownPoint `json:"curve"`
}

// ShownPoint is the share of the expected loss that so many decisions remove.
type ShownPoint struct {
	Decisions int     `json:"decisions"`
	Share     float64 `json:"share"`
}

// ShowStats makes stats ready for printing.
func ShowStats(s web.ReviewStats) ShownStats {
	out := ShownStats{
		Open: s.Open, Damage: s.Damage, Currency: s.Currency, Mine: s.Mine, Overdue: s.Overdue, Second: s.Second, Skipped: s.Skipped, Seconds: s.Seconds,
		Measured: s.Measured, Minutes: s.Minutes, Decisions: s.Decisions, Decided: s.Decided, Removes: s.Removes, Curve: []ShownPoint{},
	}
	for _, c := range s.Curve {
		out.Curve = append(out.Curve, ShownPoint(c))
	}
	return out
}

// ShownOutcome is what became of an answer.
type ShownOutcome struct {
	State    string   `json:"state"`
	Decision string   `json:"decision,omitempty"`
	By       string   `json:"by,omitempty"` // who has decided it meanwhile
	Text     string   `json:"text,omitempty"`
	Earlier  []string `json:"earlier,omitempty"` // decisions that stand against it
}

// ShowOutcome makes an outcome ready for printing.
func ShowOutcome(o web.PairOutcome) ShownOutcome {
	out := ShownOutcome{State: o.State, Decision: o.Decision, Text: o.Text}
	if o.By != nil {
		out.By = o.By.Who
	}
	for _, e := range o.Earlier {
		out.Earlier = append(out.Earlier, e.ID)
	}
	return out
}

// ShownBulk is what one answer to many pairs would do.
type ShownBulk struct {
	Pairs     int          `json:"pairs"`
	Customers int          `json:"customers"`
	Left      int          `json:"customers_afterwards"`
	Value     float64      `json:"value"`
	Damage    float64      `json:"damage"`
	Currency  string       `json:"currency,omitempty"`
	Writes    []ShownCount `json:"writes"`
	LeftOut   []ShownCount `json:"left_out"`
	Examples  []ShownPair  `json:"examples"`
}

// ShownCount is a number with its name.
type ShownCount struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func showCounts(list []web.Count) []ShownCount {
	out := []ShownCount{}
	for _, c := range list {
		out = append(out, ShownCount(c))
	}
	return out
}

// ShowBulk makes a preview ready for printing.
func ShowBulk(p web.BulkPreview) ShownBulk {
	return ShownBulk{
		Pairs: p.Pairs, Customers: p.Customers, Left: p.Left, Value: p.Value, Damage: p.Damage, Currency: p.Currency,
		Writes: showCounts(p.Writes), LeftOut: showCounts(p.LeftOut), Examples: showItems(p.Examples),
	}
}

// ShownJob is a bulk job.
type ShownJob struct {
	ID      string `json:"job"`
	Answer  string `json:"answer"`
	State   string `json:"state"` // running | stopped | done | undone
	Who     string `json:"who"`
	Why     string `json:"why,omitempty"`
	Began   string `json:"began"`
	Ended   string `json:"ended,omitempty"`
	Pairs   int    `json:"pairs"`
	Decided int    `json:"decided"`
	Skipped int    `json:"skipped"`
	Undo    string `json:"undo,omitempty"`
}

// ShowJobs makes jobs ready for printing.
func ShowJobs(jobs []web.BulkJob) []ShownJob {
	out := []ShownJob{}
	for _, j := range jobs {
		out = append(out, ShownJob{
			ID: j.ID, Answer: j.Answer, State: j.State, Who: j.Who, Why: j.Why, Began: record.FormatTime(j.Began), Ended: record.FormatTime(j.Ended),
			Pairs: j.Pairs, Decided: j.Decided, Skipped: j.Skipped, Undo: j.Undo,
		})
	}
	return out
}
