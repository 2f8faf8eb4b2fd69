package main

import (
	"strings"
	"testing"

	"touchstone/matching"
)

// TestWaterfall: each bar begins where the one before it ended, and the last
// total is the weight.
func TestWaterfall(t *testing.T) {
	for _, tt := range []struct {
		name      string
		weights   []int32
		threshold float64
		totals    string
	}{
		{"up and over", []int32{-13000, 9000, 9000}, 4.2, "-13.0 -4.0 +5.0"},
		{"down only", []int32{-13000, -4000}, 4.2, "-13.0 -17.0"},
		{"the threshold itself", []int32{-1000, 1000}, 0, "-1.0 +0.0"},
		{"one part of nothing", []int32{0}, 4.2, "+0.0"},
		{"nothing at all, at nothing", []int32{0}, 0, "+0.0"},
	} {
		var parts []matching.Part
		for _, w := range tt.weights {
			parts = append(parts, matching.Part{Weight: w})
		}
		bars, totals := waterfall(parts, tt.threshold)
		if got := strings.Join(totals, " "); got != tt.totals || len(bars) != len(parts) {
			t.Errorf("%s: totals %s and %d bars, want %s and %d", tt.name, got, len(bars), tt.totals, len(parts))
		}
		for i, b := range bars {
			if len([]rune(b)) > fallWidth || !strings.ContainsAny(b, "█░") {
				t.Errorf("%s: bar %d is %q", tt.name, i, b)
			}
		}
	}
}
