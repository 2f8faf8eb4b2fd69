package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"touchstone/connectors"
	"touchstone/internal/schedule"
	"touchstone/internal/seal"
)

// Finding is one thing the doctor looked at.
type Finding struct {
	What   string `json:"what"`
	State  string `json:"state"` // ok, warn (somebody should look), bad (it does not work)
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// The states of a finding.
const (
	FindingOK   = "ok"
	FindingWarn = "warn"
	FindingBad  = "bad"
)

const (
	maxClockSkew = 30 * time.Second // tokens and signatures are refused beyond some minutes
	checkBound   = 20 * time.Second // for one system
)

// Doctor looks at everything an installation needs, changes nothing, and goes
// on after what it finds.
func (a *App) Doctor(ctx context.Context) (list []Finding) {
	add := func(what, state, text, remedy string) { list = append(list, Finding{what, state, text, remedy}) }
	for _, w := range a.Config.Warnings {
		add("configuration", FindingWarn, w.Path+": "+w.Text, fmt.Sprintf("see line %d of the configuration", w.Line))
	}
	if len(a.Config.Warnings) == 0 {
		add("configuration", FindingOK, fmt.Sprintf("%d sources, %d targets", len(a.Config.Sources), len(a.Config.Targets)), "")
	}
	list = append(list, versions(), a.storeHealth(ctx))
	list = append(list, a.diskHealth(), keyHealth(a.opts.Dir), a.zones())
	list = append(list, a.databaseClock(ctx), a.accessHealth(ctx))
	for _, s := range a.order {
		list = append(list, a.systemHealth(ctx, s))
	}
	if r, ok := FindRunning(a.opts.Dir); ok {
		add("daemon", FindingOK, fmt.Sprintf("runs as pid %d since %s", r.PID, r.Since), "")
	} else {
		add("daemon", FindingOK, "does not run on this folder", "")
	}
	return list
}

func versions() Finding {
	return Finding{"version", FindingOK, fmt.Sprintf("touchstone %s, %s, %s/%s", Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH), ""}
}

func (a *App) storeHealth(ctx context.Context) Finding {
	v, err := a.Store.Version(ctx)
	if err != nil {
		return Finding{"store", FindingBad, err.Error(), "see that the database is there and that its address is right"}
	}
	damage, err := a.Store.Integrity(ctx)
	switch {
	case err != nil:
		return Finding{"store", FindingBad, err.Error(), "put the last backup back (touchstone restore)"}
	case len(damage) > 0:
		return Finding{"store", FindingBad, fmt.Sprintf("%s: damaged in %d places: %s", v, len(damage), damage[0]), "stop the daemon, keep the damaged file, and put the last backup back (touchstone restore)"}
	}
	return Finding{"store", FindingOK, v + ": whole", ""}
}

func (a *App) diskHealth() Finding {
	free := a.free()
	switch limit := int64(a.Config.Alert.Disk); {
	case free < 0:
		return Finding{"disk", FindingWarn, "the room that is left cannot be read", "look with df"}
	case limit > 0 && free < limit:
		return Finding{"disk", FindingBad, fmt.Sprintf("%d MiB are free, less than %s", free>>20, a.Config.Alert.Disk), "make room where the data is, or move it"}
	}
	return Finding{"disk", FindingOK, fmt.Sprintf("%d MiB are free", free>>20), ""}
}

// keyHealth looks at who can read the installation key: who has it and the
// store has everything.
func keyHealth(dir string) Finding {
	path := filepath.Join(dir, seal.KeyFile)
	info, err := os.Stat(path)
	if err != nil {
		return Finding{"key", FindingBad, "the installation key is not there", "put " + seal.KeyFile + " back from where it is kept: without it the store cannot be read"}
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return Finding{"key", FindingBad, fmt.Sprintf("others can read the installation key (mode %04o)", mode), "chmod 600 " + path}
	}
	if d, err := os.Stat(dir); err == nil && d.Mode().Perm()&0o022 != 0 {
		return Finding{"key", FindingBad, fmt.Sprintf("others can write to the data folder (mode %04o)", d.Mode().Perm()), "chmod 700 " + dir}
	}
	return Finding{"key", FindingOK, "only its user can read it; keep a copy where the backups are not", ""}
}

func (a *App) zones() Finding {
	for _, s := range a.Config.Sources {
		if _, err := schedule.Zone(s.Zone); err != nil {
			return Finding{"time zones", FindingBad, "source " + s.Name + ": " + err.Error(), "install tzdata, or mend zone"}
		}
	}
	return Finding{"time zones", FindingOK, "known", ""}
}

func (a *App) databaseClock(ctx context.Context) Finding {
	theirs, err := a.Store.Now(ctx)
	switch {
	case err != nil:
		return Finding{"clock", FindingWarn, "the database's clock cannot be read", ""}
	case theirs.IsZero():
		return Finding{"clock", FindingOK, a.opts.Env.Clock.Now().Format(time.RFC3339), ""}
	}
	return skewed("clock", "the database", a.opts.Env.Clock.Now().Sub(theirs))
}

func skewed(what, whose string, skew time.Duration) Finding {
	if skew.Abs() > maxClockSkew {
		return Finding{what, FindingBad, fmt.Sprintf("this machine's clock is %s off %s's", skew.Round(time.Second), whose), "let both keep time (NTP): tokens and signatures are refused, and times of changes mislead"}
	}
	return Finding{what, FindingOK, fmt.Sprintf("within %s of %s", skew.Abs().Round(time.Second), whose), ""}
}

// systemHealth asks one system whether it is there and takes the credentials,
// and holds its clock against ours.
func (a *App) systemHealth(ctx context.Context, s *system) Finding {
	what := "source " + s.source.Name
	c, ok := s.puller.(connectors.Checker)
	if !ok {
		return Finding{what, FindingOK, "nothing to ask: type " + s.source.Type, ""}
	}
	ctx, cancel := context.WithTimeout(ctx, checkBound)
	defer cancel()
	a.life.metrics.takeSkew()
	err := c.Check(ctx)
	skew, dated := a.life.metrics.takeSkew()
	switch {
	case errors.Is(err, connectors.ErrAuth):
		return Finding{what, FindingBad, err.Error(), "renew the credentials of this source, then: touchstone reload"}
	case errors.Is(err, context.DeadlineExceeded):
		return Finding{what, FindingBad, fmt.Sprintf("no answer within %s", checkBound), "see that the system is up and can be reached from here"}
	case err != nil:
		return Finding{what, FindingBad, err.Error(), "see that the system is up, can be reached from here, and that its address is right"}
	case dated && skew.Abs() > maxClockSkew:
		return skewed(what, "the system", skew)
	}
	return Finding{what, FindingOK, "answers, and takes the credentials", ""}
}
