package standardise

import "testing"

// A Chinese trade and its translation are one line of business.
func TestTradesAcrossLanguages(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		apart bool
	}{
		{"海川网络科技有限公司", "Haichuan Network Technology Co., Ltd.", false},
		{"海川企业管理咨询有限公司", "Haichuan Enterprise Management Consulting Co., Ltd.", false},
		{"海川房地产开发有限公司", "Haichuan Real Estate Development", false},
		{"海川商贸有限公司", "Haichuan Trading", false},
		{"海川供应链管理有限公司", "Haichuan Supply Chain Management", false},
		{"海川科技有限公司", "Haichuan Intelligent Technology", false},
		{"海川食品有限公司", "Haichuan Textile", true},
		{"海川网络科技有限公司", "Haichuan Environmental Technology", true},
		{"海川科技有限公司", "Haichuan Trading", true},
		{"海川有限公司", "Haichuan Trading", false},
		{"Acme Foods", "Acme Food Services", false},
		{"Acme Foods", "Acme Furniture", true},
		{"Acme Roofing", "Acme Management", true},
	} {
		a, _ := Organisation(tt.a)
		b, _ := Organisation(tt.b)
		x, y := TradesOf(a.Trade), TradesOf(b.Trade)
		if x.Apart(&y) != tt.apart || y.Apart(&x) != tt.apart {
			t.Errorf("%s (%q) and %s (%q): apart %v, want %v", tt.a, a.Trade, tt.b, b.Trade, x.Apart(&y), tt.apart)
		}
	}
	if n := len(tradeClasses()); n > 64*len(Trades{}) {
		t.Errorf("%d lines of business, and room for %d", n, 64*len(Trades{}))
	}
	for han, words := range hanTradeWords() {
		for _, w := range words {
			if _, ok := tradeClasses()[w]; !ok {
				t.Errorf("%s is said to be %q, which is no standard word", han, w)
			}
		}
	}
}
