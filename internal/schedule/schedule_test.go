package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t
}

func mustCron(t testing.TB, line, zone string) Plan {
	t.Helper()
	p, err := Cron(line, zone, "crm")
	if err != nil {
		t.Fatalf("Cron(%q, %q): %v", line, zone, err)
	}
	p.shift = 0
	return p
}

func TestNextRun(t *testing.T) {
	every := Every(5*time.Minute, "crm")
	every.shift = 0
	tests := []struct {
		name        string
		plan        Plan
		after, want string
	}{
		{"every 5m", every, "2026-03-01 09:01:00", "2026-03-01 09:05:00"},
		{"every 5m, on the grid", every, "2026-03-01 09:05:00", "2026-03-01 09:10:00"},
		{"daily at 3, UTC", mustCron(t, "0 3 * * *", ""), "2026-03-01 09:00:00", "2026-03-02 03:00:00"},
		{"daily at 3, Shanghai", mustCron(t, "0 3 * * *", "Asia/Shanghai"), "2026-03-01 09:00:00", "2026-03-01 19:00:00"},
		{"spring forward: 2:30 is not there that day", mustCron(t, "30 2 * * *", "Europe/Berlin"), "2026-03-28 12:00:00", "2026-03-30 00:30:00"},
		{"autumn back: 3:30 comes once", mustCron(t, "30 3 * * *", "Europe/Berlin"), "2026-10-25 02:30:00", "2026-10-26 02:30:00"},
		{"@daily", mustCron(t, "@daily", ""), "2026-03-01 09:00:00", "2026-03-02 00:00:00"},
		{"29 February", mustCron(t, "0 0 29 2 *", ""), "2026-03-01 09:00:00", "2028-02-29 00:00:00"},
	}
	for _, tt := range tests {
		if got := tt.plan.Next(at(tt.after)); !got.Equal(at(tt.want)) {
			t.Errorf("%s: Next(%s) = %s, want %s", tt.name, tt.after, got.Format("2006-01-02 15:04:05"), tt.want)
		}
	}
}

func TestLinesThatAreNone(t *testing.T) {
	for _, tt := range []struct{ line, zone, want string }{
		{"0 3 * *", "", "five fields"},
		{"", "", "five fields"},
		{"61 3 * * *", "", "five fields"},
		{"TZ=", "", "under zone"},
		{"CRON_TZ=Asia/Tokyo 0 3 * * *", "", "under zone"},
		{"@every 5m", "", "under every"},
		{"0 0 30 2 *", "", "never comes"},
		{"0 3 * * *", "Mars/Olympus", "no time zone"},
		{"0 3 * * *", "Local", "no time zone"},
		{"* * * * * *", "", "five fields"},
	} {
		if _, err := Cron(tt.line, tt.zone, "crm"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Cron(%q, %q) = %v, want an error with %q", tt.line, tt.zone, err, tt.want)
		}
	}
}

func FuzzCronNeverPanics(f *testing.F) {
	for _, s := range []string{"0 3 * * *", "TZ=", "@every", "*/0 * * * *", "1-60/9 * * * *", "0 0 30 2 *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		p, err := Cron(line, "", "x")
		if err != nil {
			return
		}
		now := at("2026-03-01 09:00:00")
		if next := p.Next(now); !next.After(now) {
			t.Errorf("Cron(%q): Next(%s) = %s, want a later time", line, now, next)
		}
	})
}

func TestOffsetIsTheSourcesOwnAndSmall(t *testing.T) {
	seen := map[time.Duration]bool{}
	for i := range 20 {
		uid := fmt.Sprint("s", i)
		p := Every(5*time.Minute, uid)
		if p.shift != Every(5*time.Minute, uid).shift || p.shift < 0 || p.shift >= 30*time.Second {
			t.Errorf("offset of %s is %s, want the same each time and below 30s", uid, p.shift)
		}
		seen[p.shift] = true
	}
	if len(seen) < 15 {
		t.Errorf("20 sources have %d offsets, want them spread", len(seen))
	}
}

func TestOneMissedRunIsMadeUpFor(t *testing.T) {
	daily := mustCron(t, "0 3 * * *", "")
	now := at("2026-03-10 09:00:00")
	timer := NewTimer(daily, at("2026-03-05 03:00:00"), now) // four runs missed
	runs := 0
	for ; timer.Wait(now) <= 0; runs++ {
		timer.Done(now, now.Add(time.Minute))
		now = now.Add(time.Minute)
	}
	if want := at("2026-03-11 03:00:00"); runs != 1 || !timer.Next().Equal(want) {
		t.Errorf("%d runs at once, then %s; want 1, then %s", runs, timer.Next(), want)
	}
	for _, tt := range []struct {
		name string
		plan Plan
		due  bool
	}{{"fixed distance", Every(time.Hour, "a"), true}, {"cron", daily, false}} {
		if got := NewTimer(tt.plan, time.Time{}, now).Wait(now) <= 0; got != tt.due {
			t.Errorf("%s, never pulled: due = %v, want %v", tt.name, got, tt.due)
		}
	}
}

// TestAnyClockGivesNeitherStormNorStall moves the clock at random: between two
// runs lies at least half the distance of what the clock showed going forward,
// and after going forward for two distances a run has come.
func TestAnyClockGivesNeitherStormNorStall(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		every := time.Duration(rapid.IntRange(1, 7200).Draw(r, "every")) * time.Second
		plan := Every(every, rapid.StringN(0, 8, -1).Draw(r, "uid"))
		now := at("2026-03-01 09:00:00")
		timer := NewTimer(plan, time.Time{}, now)
		forward, idle := time.Duration(0), time.Duration(0) // time that went by since the last run; without a jump
		first, runs, jumps := true, 0, 0
		for range rapid.IntRange(20, 80).Draw(r, "steps") {
			if timer.Wait(now) <= 0 {
				if !first && forward < every/2 && jumps == 0 {
					r.Fatalf("a run after %s, want at least half of %s between two", forward, every)
				}
				took := time.Duration(rapid.IntRange(0, 3).Draw(r, "took")) * every / 2
				timer.Done(now, now.Add(took))
				now = now.Add(took)
				first, forward, idle, jumps = false, took, 0, 0
				runs++
				if timer.Wait(now) <= 0 {
					r.Fatalf("due again at once after a run: a storm")
				}
				continue
			}
			if idle > 2*every+time.Second {
				r.Fatalf("no run for %s with every %s: a stall", idle, every)
			}
			switch rapid.IntRange(0, 9).Draw(r, "step") {
			case 0: // set back
				now = now.Add(-time.Duration(rapid.IntRange(1, 100000).Draw(r, "back")) * time.Second)
				idle = 0
				jumps++
			case 1: // set forward, or slept
				now = now.Add(time.Duration(rapid.IntRange(1, 100000).Draw(r, "on")) * time.Second)
				jumps++
			default:
				step := every / 4
				now, forward, idle = now.Add(step), forward+step, idle+step
			}
		}
		if runs == 0 {
			r.Fatalf("no run at all")
		}
	})
}

func TestBackOffDoublesUpToItsBound(t *testing.T) {
	b := NewBreaker("crm")
	now := at("2026-03-01 09:00:00")
	if b.State(now) != Closed || b.Wait(now) != 0 {
		t.Errorf("a new breaker is %s and waits %s, want closed and 0", b.State(now), b.Wait(now))
	}
	last := time.Duration(0)
	for i := range 30 {
		b.Failed(now, 5*time.Minute, 0)
		w := b.Wait(now)
		if w < last || w < firstPause || w > MaxPause {
			t.Errorf("failure %d: wait %s after %s, want it growing from %s to at most %s", i+1, w, last, firstPause, MaxPause)
		}
		last = w
		if b.State(now) != Open || b.State(now.Add(w)) != HalfOpen {
			t.Errorf("failure %d: %s, and %s after the wait; want open and half open", i+1, b.State(now), b.State(now.Add(w)))
		}
	}
	if last != MaxPause {
		t.Errorf("the longest wait is %s, want %s", last, MaxPause)
	}
	if w := b.Wait(now.Add(-time.Hour)); w != 0 {
		t.Errorf("with the clock set back the wait is %s, want 0: no stall", w)
	}
	if n := b.Worked(); n != 30 || b.State(now) != Closed {
		t.Errorf("Worked = %d and %s, want 30 and closed", n, b.State(now))
	}
	b.Failed(now, time.Second, 7*time.Minute)
	if w := b.Wait(now); w != 7*time.Minute {
		t.Errorf("the system asked for 7m and is left alone for %s", w)
	}
}

func TestAFailureThatIsNotTheSystemsOwnIsTriedAgainSoon(t *testing.T) {
	b := NewBreaker("crm")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 40 {
		b.Away(now, 0)
		if w := b.Wait(now); w != awayPause || b.Failures() != i+1 || b.State(now) != Open {
			t.Fatalf("failure %d: wait %s, %d failures, %s; want %s, each counted, open", i+1, w, b.Failures(), b.State(now), awayPause)
		}
		now = now.Add(awayPause)
	}
	if b.Away(now, 10*time.Minute); b.Wait(now) != 10*time.Minute {
		t.Errorf("wait %s, want the 10 minutes that the system asked for", b.Wait(now))
	}
	if first := b.Failed(now, 0, 0); !first || b.Wait(now) > firstPause*11/10 {
		t.Errorf("the system's own first failure, told as such: %v, waits %s, want no more than its first pause", first, b.Wait(now))
	}
	if n := b.Worked(); n != 42 || b.State(now) != Closed {
		t.Errorf("it worked after %d failures, want 42, and is %s", n, b.State(now))
	}
}
