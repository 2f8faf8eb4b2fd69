// Package lookup is the question whether a customer is already there, asked
// before somebody is entered (查重), and its answer. It reads questions from
// JSON, from FIELD=VALUE and from paths; it does no I/O.
package lookup

import (
	"fmt"

	"touchstone/internal/record"
)

// Bounds of a question.
const (
	// MaxValue is the longest value, in bytes.
	MaxValue = 4000
	// MaxEntries is how many entries a list may have.
	MaxEntries = 50
	// MaxLimit and DefaultLimit bound the candidates of an answer.
	MaxLimit     = 50
	DefaultLimit = 5
)

// Query asks for the golden records that one record would belong to. Nothing of
// it is stored.
type Query struct {
	Entity string
	Fields record.Fields
	Limit  int // candidates at most; 0: DefaultLimit
	// Name is a text by which golden records are found beside the comparison keys,
	// and weighed like the others; "" for none.
	Name string
	// All shows the compared values of the candidates, not only the caller's own.
	All bool
}

// Verdict says what a candidate's weight means.
type Verdict string

// The verdicts, by the thresholds of the configuration. A candidate that hard
// evidence stands against is never Same.
const (
	Same  Verdict = "same"
	Maybe Verdict = "maybe"
	No    Verdict = "no"
)

// Answer lists candidates, best first.
type Answer struct {
	Entity string `json:"entity"`
	Model  string `json:"model"` // version of the match model that weighed
	// Link and Review are the probabilities from which a verdict is same and maybe.
	Link       float64     `json:"link"`
	Review     float64     `json:"review"`
	Candidates []Candidate `json:"candidates"`
	Compared   int         `json:"compared"` // source records that were weighed
	// Cut says that more records share a key with the question than are weighed;
	// those with the most and rarest keys were.
	Cut bool `json:"cut"`
	// Common are the keys that too many records have for anybody to be found by
	// them alone.
	Common []string `json:"common_keys,omitempty"`
	// Incomplete says that the first records are being taken in, and not everybody
	// can be found yet.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Candidate is a golden record, or a source record that is not resolved yet.
type Candidate struct {
	Golden      string     `json:"golden,omitempty"`  // "" for a source record that is not resolved yet
	Outside     bool       `json:"outside,omitempty"` // out of the reach of who asks: no more is told of it
	Name        string     `json:"name"`
	Verdict     Verdict    `json:"verdict"`
	Probability float64    `json:"probability"`
	Weight      float64    `json:"weight_bits"`
	Deleted     bool       `json:"deleted,omitempty"` // every source has deleted it
	Veto        *Words     `json:"veto,omitempty"`    // hard evidence against it
	Words       Words      `json:"words"`
	Systems     []System   `json:"systems"`
	Records     []string   `json:"records,omitempty"` // SOURCE/ENTITY/ID, where all is shown
	Parts       []Part     `json:"parts"`
	Shows       []ShownOne `json:"shows,omitempty"` // fields that the configuration lets be shown
}

// System is a system that holds a candidate.
type System struct {
	Source  string `json:"source"`
	Records int    `json:"records"`
}

// Part is one piece of the weight. Given is what the caller sent, in standard
// form; Found the candidate's value, where it may be shown.
type Part struct {
	Field  string  `json:"field"`
	Level  string  `json:"level"`
	Weight float64 `json:"weight_bits"`
	Given  string  `json:"given,omitempty"`
	Found  string  `json:"found,omitempty"`
	Zh     PartZh  `json:"zh"`
}

// PartZh names a part in Chinese.
type PartZh struct {
	Field string `json:"field"`
	Level string `json:"level"`
}

// Words is a sentence in both languages.
type Words struct {
	En string `json:"en"`
	Zh string `json:"zh"`
}

// ShownOne is a field of a golden record that may be shown.
type ShownOne struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Found is a golden record for a list: of suggestions, or for a preview.
type Found struct {
	ID, Entity, Name string
	Systems          []System
	Fields           record.Fields
}

// Problem is what is wrong with a question, for the one who asked.
type Problem struct {
	Field  string // path of the value; "" for the whole
	En, Zh string
}

// Error gives the path and the English text.
func (p *Problem) Error() string {
	if p.Field == "" {
		return p.En
	}
	return p.Field + " " + p.En
}

func problem(field, en, zh string, args ...any) *Problem {
	return &Problem{field, fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...)}
}
