package config

import (
	"math"
	"slices"
	"strings"

	"touchstone/internal/record"
)

// Review is how the pairs that wait for a person are ordered, and who decides.
type Review struct {
	Currency string             `yaml:"currency" doc:"The currency that values are told in, and events are turned into by rates. Without it amounts are added as they stand, whatever their currency." example:"EUR"`
	Rates    map[string]float64 `yaml:"rates" doc:"What one unit of another currency is worth in currency. Amounts of a currency that stands nowhere count nothing." example:"{USD: 0.86, CNY: 0.12}"`
	Value    string             `yaml:"value" default:"events" doc:"What a customer is worth: events, the amounts of the last 365 days, or a field with a number, such as revenue." example:"revenue"`
	Loss     ReviewLoss         `yaml:"loss" doc:"What a wrong state costs while it lasts."`
	Minutes  int                `yaml:"minutes" default:"40" min:"1" max:"1440" doc:"The time a steward has a day: as many pairs as fit into it are chosen in the morning."`
	Due      Duration           `yaml:"due" doc:"In which time a pair is to be decided; no time when left out." example:"5d"`
	Escalate string             `yaml:"escalate" doc:"The account that pairs are handed on to, by a person, or when they are overdue." example:"lead"`
	Two      ReviewTwo          `yaml:"two_persons" doc:"When the answer of one account is not enough: the first is kept as proposed, and takes effect when another account gives the same."`
	Bulk     ReviewBulk         `yaml:"bulk" doc:"One answer to many pairs."`
}

// ReviewLoss is what a wrong state costs.
type ReviewLoss struct {
	Apart  Percent `yaml:"apart" default:"5%" doc:"Share of both customers' value that is lost while one customer stands as two."`
	Wrong  float64 `yaml:"wrong" min:"0" max:"1000000" doc:"How many times as much is lost while two customers stand as one; when left out, what match.link says: 19 times at 95 %." example:"50"`
	System float64 `yaml:"system" default:"10" min:"0" max:"1000000000" doc:"What each system that shows the wrong state adds, in the base currency."`
}

// ReviewTwo says which pairs need two accounts.
type ReviewTwo struct {
	Value     float64 `yaml:"value" min:"0" doc:"Pairs of this value and more, in the base currency; 0 for none." example:"100000"`
	Systems   int     `yaml:"systems" min:"0" doc:"Pairs that more systems than this hold; 0 for none." example:"3"`
	Confirmed bool    `yaml:"confirmed" doc:"Pairs of which people have already confirmed both customers, by a merge or a pinned value."`
}

// ReviewBulk bounds bulk decisions.
type ReviewBulk struct {
	Most int `yaml:"most" default:"2000" min:"1" max:"5000" doc:"Pairs that one job decides at most."`
	Pace int `yaml:"pace" default:"20" min:"1" max:"1000" doc:"Pairs a job decides in a second at most."`
}

// eventsValue is the value of Review.Value that stands for events.
const eventsValue = "events"

// Field is the field that says what a customer is worth; "" for events.
func (r Review) Field() string {
	if r.Value == eventsValue {
		return ""
	}
	return r.Value
}

// Check reports currencies, rates and fields that make no sense.
func (r Review) Check(at Node) (problems []Problem) {
	if r.Currency != "" && !currencyCode(r.Currency) {
		problems = append(problems, at.Key("currency").Problem("is %q, want the three capital letters of a currency, like EUR", r.Currency))
	}
	if len(r.Rates) > 0 && r.Currency == "" {
		problems = append(problems, lacking(at, "currency", "is missing: rates say what others are worth in it"))
	}
	names := make([]string, 0, len(r.Rates))
	for name := range r.Rates {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		rate := r.Rates[name]
		switch k := at.Key("rates").Key(name); {
		case !currencyCode(name):
			problems = append(problems, k.atKey().Problem("%q is no currency; want its three capital letters, like USD", name))
		case !(rate > 0) || rate > 1e6 || math.IsInf(rate, 0):
			problems = append(problems, k.Problem("is %v, want more than 0 and at most 1000000", rate))
		}
	}
	if f := r.Field(); f != "" && len(f) > maxName {
		problems = append(problems, at.Key("value").Problem("want events, or the name of a field"))
	} else if f != "" {
		for _, entity := range []string{record.Company, record.Person} {
			if spec, ok := record.Spec(entity, f); ok && spec.Kind != record.Number {
				problems = append(problems, at.Key("value").Problem("%s is no number; want events, or a field that is one, like revenue", f))
				break
			}
		}
	}
	if r.Due < 0 {
		problems = append(problems, at.Key("due").Problem("is %s, want 0 or more", r.Due))
	}
	return problems
}

func currencyCode(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
