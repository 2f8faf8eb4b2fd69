package config

import "time"

// Level is what people may count on: when a source's data are fresh and a
// target's writes in time, and in which share of the time both are to hold.
type Level struct {
	Fresh     Duration `yaml:"fresh" default:"15m" doc:"A source's data are fresh from a good run until the next is due, and for so long after that."`
	Delivered Duration `yaml:"delivered" default:"15m" doc:"A target is in time while none of its writes waits longer. Time in which it waits for a person does not count."`
	Goal      Percent  `yaml:"goal" default:"99%" doc:"In this share of the last 30 days that is to hold; what is left is the error budget."`
}

// Check reports lengths and shares that make no sense.
func (l Level) Check(at Node) (problems []Problem) {
	for _, d := range []struct {
		key string
		d   Duration
	}{{"fresh", l.Fresh}, {"delivered", l.Delivered}} {
		if d.d < Duration(time.Second) {
			problems = append(problems, at.Key(d.key).Problem("is %s, want 1s or more", d.d))
		}
	}
	if l.Goal <= 0 {
		problems = append(problems, at.Key("goal").Problem("is %s, want more than 0%%", l.Goal))
	}
	return problems
}
