package config

// Level is what people may count on: when a source's data are fresh and a
// target's writes in time, and in which share of the time both are to hold.
type Level struct {
	Fresh     Duration `yaml:"fresh" default:"15m" min:"1s" doc:"A source's data are fresh from a good run until the next is due, and for so long after that."`
	Delivered Duration `yaml:"delivered" default:"15m" min:"1s" doc:"A target is in time while none of its writes waits longer. Time in which it waits for a person does not count."`
	Goal      Percent  `yaml:"goal" default:"99%" doc:"In this share of the last 30 days that is to hold; what is left is the error budget."`
}

// Check reports a goal that is always met.
func (l Level) Check(at Node) []Problem {
	if l.Goal <= 0 {
		return []Problem{at.Key("goal").Problem("is %s, want more than 0%%", l.Goal)}
	}
	return nil
}
