package app

import (
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
)

// TestPagesOfOnePlatformAreNoSameDomain: two shop pages share the page, and two
// firms' own sites the domain.
func TestPagesOfOnePlatformAreNoSameDomain(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"https://www.facebook.com/kestrelvalley", "facebook.com/KestrelValley/", samePage},
		{"https://kestrel.en.alibaba.com", "kestrel.en.alibaba.com/products", samePage},
		{"https://kestrel-valley.example.com", "kestrel-valley.example.com/about", "same domain"},
	} {
		var f [2]*matching.Features
		for i, site := range []string{tt.a, tt.b} {
			f[i] = matching.Standardise(record.Company, record.Fields{"name": record.TextValue("Kestrel Valley"), "website": record.TextValue(site)})
		}
		model, ok := matching.StartModel(record.Company)
		if !ok {
			t.Fatal("companies have no model to start from")
		}
		got := ""
		for _, p := range worded(model.Explain(f[0], f[1])) {
			if p.Field == "web" && got == "" {
				got = p.Level
			}
		}
		if got != tt.want {
			t.Errorf("%s and %s: the level is %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
	if zh := MatchWord("zh", samePage); zh == samePage {
		t.Errorf("%q has no Chinese word", samePage)
	}
}
