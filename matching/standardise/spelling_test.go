package standardise

import (
	"slices"
	"testing"
)

func TestNamesOfHongKongAndTaiwan(t *testing.T) {
	for _, tt := range []struct {
		given, family, full string
		wantGiven, middle   string
		wantFamily, reading string // reading: one of the given name's, "" for none
	}{
		{"", "", "Chan Tai Man", "taiman", "", "chan", "dawen"},
		{"", "", "CHAN, Tai Man", "taiman", "", "chan", "dawen"},
		{"", "", "Tai-Man Chan", "taiman", "", "chan", "dawen"},
		{"Tai Man", "Chan", "", "taiman", "", "chan", "dawen"},
		{"Taiman", "Chan", "", "taiman", "", "chan", "dawen"},
		{"", "", "Wong Ka Fai", "kafai", "", "wong", "jiahui"},
		{"", "", "Ka Fai Wong", "kafai", "", "wong", "jiahui"},
		{"", "", "Peter Chan Tai Man", "taiman", "peter", "chan", "dawen"},
		{"", "", "Chan Tai Man Peter", "taiman", "peter", "chan", "dawen"},
		{"", "", "Peter Tai Man Chan", "taiman", "peter", "chan", "dawen"},
		{"", "", "CHAN, Tai Man Peter", "taiman", "peter", "chan", "dawen"},
		{"", "", "Wong Tai Man Ho", "taiman", "ho", "wong", "dawen"}, // the commoner family name
		{"", "", "Ho Tai Man Wong", "taiman", "ho", "wong", "dawen"},
		{"", "", "Cheung Siu Ming", "siuming", "", "cheung", "xiaoming"},
		{"", "", "Ng Wing Yan", "wingyan", "", "ng", "yongxin"},
		{"", "", "Wong Fai", "fai", "", "wong", "hui"},
		{"", "", "Hsieh Chih-Wei", "chihwei", "", "hsieh", "zhiwei"},
		{"", "", "Chih-Wei Hsieh", "chihwei", "", "hsieh", "zhiwei"},
		{"", "", "Tsai Hsiao Chun", "hsiaochun", "", "tsai", "xiaojun"},
		{"", "", "Chen Chien-Hung", "chienhung", "", "chen", "jianhong"},
		{"", "", "Chang Kuo Hsiung", "kuohsiung", "", "chang", "guoxiong"},
		// As they were: pinyin, and names of other parts of the world.
		{"", "", "Wang Xiaoming", "xiaoming", "", "wang", ""},
		{"", "", "Li Na", "na", "", "li", ""},
		{"", "", "Ann Lee", "ann", "", "lee", ""},
		{"", "", "Jude Law", "jude", "", "law", ""},
		{"", "", "Robert Downey", "robert", "", "downey", ""},
		{"", "", "Kim Min Ho", "kim", "min", "ho", ""},
		{"", "", "Maria So", "maria", "", "so", ""},
		{"", "", "Amanda Tang Holmes", "amanda", "tang", "holmes", ""},
		{"Mary Ann", "Lee", "", "mary", "ann", "lee", ""},
	} {
		h := Name(tt.given, tt.family, tt.full)
		if h.Given != tt.wantGiven || h.Middle != tt.middle || h.Family != tt.wantFamily {
			t.Errorf("%q %q %q is %q %q of the %q, want %q %q of the %q", tt.given, tt.family, tt.full, h.Given, h.Middle, h.Family, tt.wantGiven, tt.middle, tt.wantFamily)
		}
		if tt.reading == "" && len(h.GivenReadings) > 0 || tt.reading != "" && !slices.Contains(h.GivenReadings, tt.reading) || len(h.GivenReadings) > maxReadings {
			t.Errorf("%q %q %q may be read %q, want %q among at most %d", tt.given, tt.family, tt.full, h.GivenReadings, tt.reading, maxReadings)
		}
	}
}

func TestWadeGiles(t *testing.T) {
	for pinyin, want := range map[string]string{
		"zhang": "chang", "xie": "hsieh", "cai": "tsai", "guo": "kuo", "xu": "hsu", "zeng": "tseng", "ye": "yeh", "zhi": "chih", "zi": "tzu", "rong": "jung", "qian": "chien", "jun": "chun", "luo": "lo", "duo": "to", "hui": "hui", "gui": "kuei", "lv": "lu", "yue": "yueh", "xue": "hsueh", "juan": "chuan", "er": "erh", "bei": "pei", "shuo": "shuo",
	} {
		if got := wadeGilesOf(pinyin); got[0] != want {
			t.Errorf("%s is spelt %q, want %q", pinyin, got, want)
		}
	}
}

// TestCantoneseTable: each syllable has characters that are read in pinyin.
func TestCantoneseTable(t *testing.T) {
	m := cantoneseSyllables()
	if len(m) < 150 {
		t.Errorf("%d syllables, want 150 or more", len(m))
	}
	for s, list := range m {
		for _, p := range list {
			if p == "" || !isPinyin(p, 2) {
				t.Errorf("%s is read %q", s, list)
			}
		}
	}
}
