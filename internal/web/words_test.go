package web

import (
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMessageTablesHoldTheSameKeys(t *testing.T) {
	all := languages()
	base := slices.Sorted(maps.Keys(all[0].table))
	for _, l := range all {
		for _, k := range base {
			if want, got := verbsOf(all[0].table[k]), verbsOf(words{l}.N(k, 1)); l.counts[k] && !slices.Equal(want, got) {
				t.Errorf("%s %q of one takes %v, of many in English %v", l.Code, k, got, want)
			}
		}
	}
	for _, l := range all[1:] {
		if got := slices.Sorted(maps.Keys(l.table)); !slices.Equal(got, base) {
			for _, k := range base {
				if _, ok := l.table[k]; !ok {
					t.Errorf("%s lacks %q", l.Code, k)
				}
			}
			for _, k := range got {
				if _, ok := all[0].table[k]; !ok {
					t.Errorf("%s has %q, which English lacks", l.Code, k)
				}
			}
		}
		for _, k := range base {
			if want, got := verbsOf(all[0].table[k]), verbsOf(l.table[k]); !slices.Equal(want, got) {
				t.Errorf("%s %q takes %v, English %v", l.Code, k, got, want)
			}
			if strings.TrimSpace(l.table[k]) == "" {
				t.Errorf("%s %q is empty", l.Code, k)
			}
		}
	}
}

// TestEveryKeyUsedIsThere reads the keys out of the templates and of our own
// code, and finds the words that nobody uses. Keys put together from a group and
// a name count by their group.
func TestEveryKeyUsedIsThere(t *testing.T) {
	l := languages()[0]
	var text strings.Builder
	templates, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range templates {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	own, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range own {
		if !strings.HasSuffix(name, "_test.go") {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(b)
		}
	}
	all := text.String()
	uses := regexp.MustCompile(`(?:\b|\()(t|n|T|N)(?:\(| )"([a-z0-9_.]+)"`).FindAllStringSubmatch(all, -1)
	if len(uses) < 100 {
		t.Errorf("%d uses of words found, want 100 or more", len(uses))
	}
	for _, m := range uses {
		if _, ok := l.table[m[2]]; !ok && !strings.HasSuffix(m[2], ".") {
			t.Errorf("%q is used, and no file of words has it", m[2])
		} else if plural := l.counts[m[2]]; ok && plural != strings.EqualFold(m[1], "n") {
			t.Errorf("%q is used by %s, and has a form by number: %v", m[2], m[1], plural)
		}
	}
	groups := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:word|\.word)(?:\(| )"([a-z0-9_.]+)"`).FindAllStringSubmatch(all, -1) {
		groups[m[1]] = true
	}
	for k := range l.table {
		group, _, _ := strings.Cut(k, ".")
		if i := strings.LastIndexByte(k, '.'); i > 0 && (groups[k[:i]] || groups[group]) {
			continue
		}
		if !strings.Contains(all, `"`+k+`"`) && !strings.Contains(all, `"`+strings.TrimSuffix(k, ".none")+`"`) {
			t.Errorf("%q is used nowhere", k)
		}
	}
	for _, s := range []State{StateNew, StateRunning, StateOK, StateQuiet, StateWaiting, StateFailing, StateStopped} {
		if l.table["state."+string(s)] == "" {
			t.Errorf("state %q has no word", s)
		}
	}
	for _, q := range []string{QueueReview, QueueQuarantine, QueuePlan, QueueUnknown, QueueConflict, QueueDead} {
		if l.table["queue."+q] == "" || l.table["queue."+q+".hint"] == "" {
			t.Errorf("queue %q has no word or no hint", q)
		}
	}
}

func TestNumbersAndTimesAsPeopleSayThem(t *testing.T) {
	counts := map[int]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567", -1234: "−1\u202f234"}
	for n, want := range counts {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	en, _ := byCode("en")
	zh, _ := byCode("zh-Hans")
	tests := []struct {
		ago    time.Duration
		en, zh string
	}{
		{0, "just now", "刚刚"},
		{-time.Hour, "just now", "刚刚"}, // another machine's clock is ahead
		{59 * time.Second, "just now", "刚刚"},
		{time.Minute, "1 min ago", "1 分钟前"},
		{59 * time.Minute, "59 min ago", "59 分钟前"},
		{time.Hour, "1 h ago", "1 小时前"},
		{47 * time.Hour, "1 d ago", "1 天前"},
		{8 * 24 * time.Hour, "2025-12-28", "2025-12-28"},
	}
	for _, tt := range tests {
		if got := (words{en}).ago(now, now.Add(-tt.ago)); got != tt.en {
			t.Errorf("%v ago in English = %q, want %q", tt.ago, got, tt.en)
		}
		if got := (words{zh}).ago(now, now.Add(-tt.ago)); got != tt.zh {
			t.Errorf("%v ago in Chinese = %q, want %q", tt.ago, got, tt.zh)
		}
	}
	for _, tt := range []struct {
		in     time.Duration
		en, zh string
	}{
		{-time.Second, "in a moment", "即将"},
		{4*time.Minute + 59*time.Second, "in 4 min", "4 分钟后"},
		{3 * time.Hour, "in 3 h", "3 小时后"},
		{50 * time.Hour, "in 2 d", "2 天后"},
		{8 * 24 * time.Hour, now.Add(8 * 24 * time.Hour).Format(time.DateOnly), now.Add(8 * 24 * time.Hour).Format(time.DateOnly)},
	} {
		if got, zhGot := (words{en}).ahead(now, now.Add(tt.in)), (words{zh}).ahead(now, now.Add(tt.in)); got != tt.en || zhGot != tt.zh {
			t.Errorf("in %v is %q and %q, want %q and %q", tt.in, got, zhGot, tt.en, tt.zh)
		}
	}
	spans := []struct {
		d      time.Duration
		en, zh string
	}{
		{0, "0 s", "0 秒"},
		{250 * time.Millisecond, "250 ms", "250 毫秒"},
		{1500 * time.Millisecond, "1.5 s", "1.5 秒"},
		{15 * time.Minute, "15 min", "15 分钟"},
		{90 * time.Minute, "1 h 30 min", "1 小时 30 分钟"},
	}
	for _, tt := range spans {
		if got, zhGot := (words{en}).span(tt.d), (words{zh}).span(tt.d); got != tt.en || zhGot != tt.zh {
			t.Errorf("a span of %v is %q and %q, want %q and %q", tt.d, got, zhGot, tt.en, tt.zh)
		}
	}
	if got, zhGot := (words{en}).word("entity", "event/ticket"), (words{zh}).word("entity", "event/ticket"); got != "ticket" || zhGot != "工单" {
		t.Errorf("a kind of events is %q and %q", got, zhGot)
	}
	if got := (words{en}).ago(now, time.Time{}); got != "never" {
		t.Errorf("the zero time is %q, want never", got)
	}
}

func TestSparkline(t *testing.T) {
	tests := []struct {
		week []int
		want string
	}{
		{nil, ""},
		{[]int{4}, ""},
		{[]int{0, 0}, "3.0,17.0 81.0,17.0"},
		{[]int{0, 10, 5}, "3.0,17.0 42.0,3.0 81.0,10.0"},
		{[]int{-4, 10}, "3.0,17.0 81.0,3.0"},
	}
	for _, tt := range tests {
		got := ""
		if s := sparkline(tt.week); s != nil {
			got = s.Points
		}
		if got != tt.want {
			t.Errorf("sparkline(%v) = %q, want %q", tt.week, got, tt.want)
		}
	}
}

// TestColoursCanBeRead holds the contrast of text on its background at 4.5 or
// more in both themes: WCAG 2.2, success criterion 1.4.3.
func TestColoursCanBeRead(t *testing.T) {
	css, err := files.ReadFile("assets/css/10-tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`).FindAllStringSubmatch(string(css), -1) {
		tokens[m[1]] = [2]string{m[2], m[3]}
	}
	for _, m := range regexp.MustCompile(`--(brand[a-z-]*): (#[0-9a-f]{6});`).FindAllStringSubmatch(string(css), -1) {
		tokens[m[1]] = [2]string{m[2], m[2]}
	}
	pairs := [][2]string{
		{"ink", "paper"},
		{"ink", "panel"},
		{"muted", "paper"},
		{"muted", "panel"},
		{"accent", "paper"},
		{"good", "good-soft"},
		{"warn", "warn-soft"},
		{"bad", "bad-soft"},
		{"info", "info-soft"},
		{"good", "paper"},
		{"warn", "panel"},
		{"bad", "panel"},
		{"accent", "panel"},
		{"panel", "accent"},
		{"ink", "warn-soft"},
		{"ink", "soft"},
		{"muted", "soft"},
		{"brand-ink", "brand"},
		{"brand-muted", "brand"},
	}
	for _, p := range pairs {
		for i, theme := range []string{"light", "dark"} {
			a, b := tokens[p[0]][i], tokens[p[1]][i]
			if a == "" || b == "" {
				t.Fatalf("token %s or %s is not in the stylesheet", p[0], p[1])
			}
			if c := contrast(t, a, b); c < 4.5 {
				t.Errorf("%s: %s on %s has contrast %.2f, want 4.5", theme, p[0], p[1], c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is relative luminance as WCAG 2.2 defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
