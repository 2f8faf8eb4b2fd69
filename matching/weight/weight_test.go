package weight

import (
	"encoding/json"
	"math"
	"testing"
)

func TestWeightsAreWrittenInBits(t *testing.T) {
	for _, tt := range []struct {
		m    Milli
		want string
	}{{0, "0"}, {7213, "7.213"}, {-13000, "-13"}, {-1, "-0.001"}, {500, "0.5"}, {math.MaxInt32, "2147483.647"}, {math.MinInt32, "-2147483.648"}} {
		got, err := json.Marshal(tt.m)
		if err != nil || string(got) != tt.want {
			t.Errorf("%d/1000 bit is written %s (%v), want %s", int32(tt.m), got, err, tt.want)
		}
		var back Milli
		if err := json.Unmarshal(got, &back); err != nil || back != tt.m {
			t.Errorf("%s is read as %d (%v), want %d", got, int32(back), err, int32(tt.m))
		}
	}
	for _, bad := range []string{`"7"`, "1e12", "{}"} {
		var m Milli
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s is read as %d, want an error", bad, int32(m))
		}
	}
}
