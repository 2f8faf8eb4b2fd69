package record

import (
	"encoding/json"
	"testing"
)

func TestAlike(t *testing.T) {
	for _, tt := range []struct {
		sent, got string
		want      bool
	}{
		{`"+44 113 496 0001"`, `"00441134960001"`, true},
		{`"020 7946 0018 ext 12"`, `"020794600" `, false},
		{`"020 7946 0018 ext 12"`, `"0207946001812"`, true},
		{`" Acme  Tools "`, `"ACME TOOLS"`, true},
		{`"Acme Tools"`, `"Acme"`, false},
		{`"+44 113 496 0001"`, `"+44 113 496 0003"`, false},
		{`"+44 113 496 0001"`, `null`, false},
		{`null`, `null`, true},
		{`null`, `"x"`, false},
		{`7`, `7.0`, false},
		{`"--"`, `"++"`, false},
		{`"a1"`, `"1"`, false},
	} {
		if got := Alike(json.RawMessage(tt.sent), json.RawMessage(tt.got)); got != tt.want {
			t.Errorf("Alike(%s, %s) = %v, want %v", tt.sent, tt.got, got, tt.want)
		}
	}
}
