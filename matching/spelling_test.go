package matching_test

import (
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
)

// TestOneNameInThreeSpellings: a name in characters meets itself as Hong Kong and
// Taiwan spell it, by a key and by the levels that pinyin has.
func TestOneNameInThreeSpellings(t *testing.T) {
	m := model(t, record.Person)
	of := func(name string) *matching.Features {
		return matching.Standardise(record.Person, record.Fields{"full_name": record.TextValue(name), "birth_date": record.TextValue("1978-06-05")})
	}
	tests := []struct{ han, latin, family, given string }{
		{"陳大文", "Chan Tai Man", "same reading", "same reading"},
		{"陳大文", "Tai Man Peter CHAN", "same reading", "same reading"},
		{"陳大文", "Chen Dawen", "same reading", "same reading"},
		{"黃家輝", "Wong Ka Fai", "same reading", "same reading"},
		{"張小明", "Cheung Siu Ming", "same reading", "same reading"},
		{"謝志偉", "Hsieh Chih-Wei", "same reading", "same reading"},
		{"蔡曉君", "TSAI, HSIAO-CHUN", "same reading", "same reading"},
		{"陳建宏", "Chen Chien Hung", "same reading", "same reading"},
		{"張國雄", "Chang Kuo-hsiung", "same reading", "same reading"},
		{"李大文", "Chan Tai Man", "different", "same reading"},
		{"陳志明", "Chan Tai Man", "same reading", "different"},
	}
	for _, tt := range tests {
		a, b := of(tt.han), of(tt.latin)
		got := map[string]string{}
		for _, p := range m.Explain(a, b) {
			got[p.Field] = p.Level
		}
		if got["family name"] != tt.family || got["given name"] != tt.given {
			t.Errorf("%s and %s: family name %q, given name %q; want %q, %q", tt.han, tt.latin, got["family name"], got["given name"], tt.family, tt.given)
		}
		keyed := false
		for _, k := range m.SharedKeys(a, b) {
			keyed = keyed || k.Rule == "name"
		}
		if want := tt.family == "same reading" && tt.given == "same reading"; keyed != want {
			t.Errorf("%s and %s are found by the name: %v, want %v", tt.han, tt.latin, keyed, want)
		}
	}
}
