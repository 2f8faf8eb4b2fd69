package config

import "time"

// Session is how long people stay signed in.
type Session struct {
	Idle     Duration `yaml:"idle" default:"8h" min:"5m" doc:"A session that was not used for so long is over."`
	Absolute Duration `yaml:"absolute" default:"7d" min:"15m" doc:"A session is over after so long, used or not."`
}

// longestSession bounds both: a sign-in is no key for ever.
const longestSession = Duration(90 * 24 * time.Hour)

// Check reports sessions that would never end.
func (s Session) Check(at Node) (problems []Problem) {
	if s.Absolute > longestSession {
		problems = append(problems, at.Key("absolute").Problem("is %s; want 90d or less", s.Absolute))
	}
	if s.Idle > s.Absolute {
		problems = append(problems, at.Key("idle").Problem("is longer than absolute (%s): it would never count", s.Absolute))
	}
	return problems
}
