// Package schedule says when a source is pulled next. It does no waiting: the
// caller asks with its own clock, so that a clock that jumps, a machine that
// slept and a process that stood still all end in one run, never in many and
// never in none.
package schedule

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Plan is when a source is pulled: at a fixed distance, or by a cron line.
// Each source has an offset of its own within the plan, made of its uid, so that
// many sources of one distance do not start in one moment; the same source
// starts at the same offset after every restart.
type Plan struct {
	every time.Duration
	cron  cron.Schedule
	zone  *time.Location
	shift time.Duration
}

// maxShift bounds a source's offset; it is never more than a tenth of the
// distance between two runs.
const maxShift = time.Minute

// Every is a plan with a fixed distance, which must be above 0.
func Every(d time.Duration, uid string) Plan {
	return Plan{every: d, shift: share(uid, d)}
}

// Cron is a plan of the five fields minute, hour, day of month, month, day of
// week, or @hourly, @daily, @weekly, @monthly, @yearly, in the named time zone
// of the IANA data base; "" is UTC.
func Cron(line, zone, uid string) (Plan, error) {
	loc, err := Zone(zone)
	if err != nil {
		return Plan{}, err
	}
	// The parser takes a zone before the line, and panics on some of them.
	if line = strings.TrimSpace(line); strings.Contains(line, "=") {
		return Plan{}, errors.New("want five fields like 0 3 * * *; the time zone stands under zone")
	}
	if strings.HasPrefix(line, "@every") {
		return Plan{}, errors.New("want five fields like 0 3 * * *; a fixed distance stands under every")
	}
	s, err := cron.ParseStandard(line)
	if err != nil {
		return Plan{}, fmt.Errorf("want five fields (minute hour day month weekday) like 0 3 * * *: %w", err)
	}
	// A day that never comes (30 February) is found by looking five years on.
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, loc)
	first := s.Next(from)
	if first.IsZero() {
		return Plan{}, errors.New("never comes: no date fits all five fields")
	}
	return Plan{cron: s, zone: loc, shift: share(uid, s.Next(first).Sub(first))}, nil
}

// Zone is a time zone by its name; "" is UTC. Local is refused: it would make
// the same file mean another time on another machine.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") {
		return nil, errors.New("is no time zone; want a name like Europe/Berlin or Asia/Shanghai")
	}
	return loc, nil
}

// share is the offset of a uid within a distance.
func share(uid string, distance time.Duration) time.Duration {
	most := min(distance/10, maxShift)
	if most < time.Millisecond {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(uid))
	return time.Duration(h.Sum64()%uint64(most/time.Millisecond)) * time.Millisecond
}

// Next is the first run after a moment. With a fixed distance the runs stand on
// a grid that begins at 1970-01-01 UTC, moved by the source's offset.
func (p Plan) Next(after time.Time) time.Time {
	if p.cron != nil {
		return p.cron.Next(after.Add(-p.shift).In(p.zone)).Add(p.shift).UTC()
	}
	since := after.Sub(time.Unix(0, 0)) - p.shift
	n := since / p.every
	if since < 0 && since%p.every != 0 {
		n--
	}
	return time.Unix(0, 0).Add((n+1)*p.every + p.shift).UTC()
}

// gap is how far a run may lie ahead before the clock must have been set back.
func (p Plan) gap(now time.Time) time.Duration {
	if p.cron == nil {
		return 2 * p.every
	}
	first := p.Next(now)
	return p.Next(first).Sub(now)
}
