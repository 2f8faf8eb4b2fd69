package web

import "testing"

func TestProvincesAreNamedInTheReadersCharacters(t *testing.T) {
	tests := []struct{ short, want string }{{"粤", "粵"}, {"沪", "滬"}, {"宁", "寧"}, {"浙", "浙"}, {"黑", "黑"}}
	for _, tt := range tests {
		if got := traditional(tt.short); got != tt.want {
			t.Errorf("%s is %s in traditional characters, want %s", tt.short, got, tt.want)
		}
	}
}
