package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, written 90s, 5m, 1h30m or 2d.
type Duration time.Duration

type unit struct {
	name string
	d    time.Duration
}

// units, longest first; "ms" before "m" matters to the reader below.
func units() []unit {
	return []unit{
		{"d", 24 * time.Hour},
		{"h", time.Hour},
		{"ms", time.Millisecond},
		{"m", time.Minute},
		{"s", time.Second},
	}
}

// ParseDuration reads what a Duration may be written as. It never rounds: the
// finest unit is a millisecond.
func ParseDuration(s string) (Duration, error) {
	bad := fmt.Errorf("want a length of time like 30s, 5m, 1h30m or 2d")
	rest := strings.TrimSpace(s)
	if rest == "0" {
		return 0, nil
	}
	if _, err := strconv.ParseFloat(rest, 64); err == nil {
		return 0, fmt.Errorf("want a length of time with its unit, like 30s, 5m, 1h30m or 2d")
	}
	if rest == "" {
		return 0, bad
	}
	var sum float64
	for rest != "" {
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
			n++
		}
		v, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return 0, bad
		}
		rest = rest[n:]
		found := false
		for _, u := range units() {
			if strings.HasPrefix(rest, u.name) {
				sum, rest, found = sum+v*float64(u.d), rest[len(u.name):], true
				break
			}
		}
		if !found {
			return 0, bad
		}
	}
	if sum > float64(100*365*24*time.Hour) {
		return 0, fmt.Errorf("want at most a hundred years")
	}
	return Duration(time.Duration(math.Round(sum/1e6)) * time.Millisecond), nil
}

// String writes a duration as ParseDuration reads it: 1h30m, 2d.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	left, sign := time.Duration(d), ""
	if left < 0 {
		left, sign = -left, "-"
	}
	var b strings.Builder
	for _, u := range []unit{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := left / u.d; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			left -= n * u.d
		}
	}
	if left > 0 {
		return sign + b.String() + left.String()
	}
	return sign + b.String()
}

// MarshalJSON writes the text form.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// MarshalYAML writes the text form.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// Percent is a share between 0 and 1, written 5% or 0.05.
type Percent float64

// ParsePercent reads what a Percent may be written as.
func ParsePercent(s string) (Percent, error) {
	bad := fmt.Errorf("want a share between 0%% and 100%%, like 5%% or 0.05")
	text, scaled := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || strings.ContainsAny(text, "xXpP_") {
		return 0, bad
	}
	if scaled {
		v /= 100
	}
	if v < 0 || v > 1 {
		if !scaled && v > 1 && v <= 100 {
			return 0, fmt.Errorf("want a share between 0%% and 100%%; write %s%% for %s of a hundred", text, text)
		}
		return 0, bad
	}
	return Percent(v), nil
}

// String writes 5%.
func (p Percent) String() string {
	return strconv.FormatFloat(float64(p)*100, 'g', 10, 64) + "%"
}

// MarshalYAML writes the number, so that nothing is lost by rounding.
func (p Percent) MarshalYAML() (any, error) { return float64(p), nil }

// Size is a number of bytes, written 512, 64KiB, 16MiB, 1GiB (or KB, MB, GB in
// thousands).
type Size int64

// ParseSize reads what a Size may be written as.
func ParseSize(s string) (Size, error) {
	bad := fmt.Errorf("want a number of bytes like 512, 64KiB or 16MiB")
	text, factor := strings.TrimSpace(s), int64(1)
	for _, u := range []struct {
		name string
		n    int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if t, ok := strings.CutSuffix(text, u.name); ok {
			text, factor = strings.TrimSpace(t), u.n
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return 0, bad
	}
	return Size(n * factor), nil
}

// String writes a size in the largest unit that divides it.
func (s Size) String() string {
	switch {
	case s != 0 && s%(1<<30) == 0:
		return fmt.Sprintf("%dGiB", s>>30)
	case s != 0 && s%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", s>>20)
	case s != 0 && s%(1<<10) == 0:
		return fmt.Sprintf("%dKiB", s>>10)
	}
	return strconv.FormatInt(int64(s), 10)
}
