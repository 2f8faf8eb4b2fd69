package matching_test

import (
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/standardise"
)

func TestSites(t *testing.T) {
	tests := []struct{ address, site, platform string }{
		{"https://www.acme.co.uk/about", "acme.co.uk", ""},
		{"https://shop.acme.com", "acme.com", ""},
		{"https://www.facebook.com/acme", "facebook.com/acme", "facebook.com"},
		{"http://de-de.facebook.com/Acme/?ref=ts", "facebook.com/acme", "facebook.com"},
		{"m.facebook.com/pages/A.c.m.e/1234567", "facebook.com/acme", "facebook.com"},
		{"https://www.facebook.com/profile.php?id=1000456", "facebook.com/1000456", "facebook.com"},
		{"https://www.facebook.com", "", "facebook.com"},
		{"https://acme.1688.com/page/index.html", "1688.com/acme", "1688.com"},
		{"http://acme.en.alibaba.com", "alibaba.com/acme", "alibaba.com"},
		{"https://shop123456.taobao.com/", "taobao.com/shop123456", "taobao.com"},
		{"https://detail.1688.com/offer/5421.html", "", "1688.com"},
		{"https://www.amazon.de/stores/Acme/page/0F1A-22", "amazon.de/acme", "amazon.de"},
		{"https://www.amazon.de/s?me=A2XYZ", "amazon.de/a2xyz", "amazon.de"},
		{"https://www.amazon.de/dp/B000123", "", "amazon.de"},
		{"https://www.etsy.com/de/shop/AcmeCrafts", "etsy.com/acmecrafts", "etsy.com"},
		{"https://www.ebay.co.uk/str/acme-parts", "ebay.co.uk/acme-parts", "ebay.co.uk"},
		{"https://linktr.ee/acme", "linktr.ee/acme", "linktr.ee"},
		{"https://www.linkedin.com/company/acme-ltd/about/", "linkedin.com/acme-ltd", "linkedin.com"},
		{"https://www.youtube.com/@acme", "youtube.com/acme", "youtube.com"},
		{"https://sites.google.com/view/acme/home", "google.com/acme", "google.com"},
		{"https://acme.wordpress.com/blog", "wordpress.com/acme", "wordpress.com"},
		{"https://acme.github.io/docs", "acme.github.io", ""},
		{"https://acme.blogspot.com", "acme.blogspot.com", ""},
		{"https://acme.wixsite.com/home", "acme.wixsite.com", ""},
		{"https://mp.weixin.qq.com/s?__biz=MzA3", "qq.com/mza3", "qq.com"},
		{"www.163.com", "", "163.com"},
		{"acme.free.fr", "free.fr/acme", "free.fr"},
		{"http://home.t-online.de/home/acme/", "t-online.de/acme", "t-online.de"},
		{"https://www.facebook.com/%E7%BE%8E%E8%B7%83", "facebook.com/美跃", "facebook.com"},
		{"https://www.facebook.com/%zz/", "facebook.com/%zz", "facebook.com"},
		{"nothing here", "", ""},
	}
	for _, tt := range tests {
		if site, platform := standardise.Site(tt.address); site != tt.site || platform != tt.platform {
			t.Errorf("Site(%q) = %q on %q, want %q on %q", tt.address, site, platform, tt.site, tt.platform)
		}
	}
}

// TestShopsOfOnePlatformAreNotOne: what they share is the platform's.
func TestShopsOfOnePlatformAreNotOne(t *testing.T) {
	m := model(t, record.Company)
	of := func(name, site, mail string) *matching.Features {
		f := record.Fields{"name": record.TextValue(name), "website": record.TextValue(site)}
		if mail != "" {
			f["emails"] = record.ListValue(record.Point{Value: mail})
		}
		return matching.Standardise(record.Company, f)
	}
	tests := []struct {
		a, b  string
		level string // of the web
		keyed bool   // by the domain
	}{
		{"https://www.facebook.com/acme", "https://www.facebook.com/zenith", "different", false},
		{"https://www.facebook.com/acme1", "https://www.facebook.com/acmee", "different", false},
		{"https://www.facebook.com/acme", "http://fr-fr.facebook.com/Acme/", "same domain", true},
		{"https://acme.1688.com", "https://zenith.1688.com", "different", false},
		{"https://acme.1688.com", "http://acme.1688.com/page", "same domain", true},
		{"https://www.amazon.de/stores/acme", "https://www.amazon.de/stores/zenith", "different", false},
		{"https://www.facebook.com", "https://www.facebook.com", "", false},
		{"https://www.facebook.com/acme", "https://www.acme.example.com", "", false},
		{"https://www.facebook.com/acme", "https://www.instagram.com/acme", "", false},
		{"https://acme.github.io", "https://zenith.github.io", "different", false},
		{"https://acme.github.io", "https://acme.github.io/shop", "same domain", true},
		{"https://www.acme.de", "http://acme.de/kontakt", "same domain", true},
	}
	for _, tt := range tests {
		a, b := of("Kestrel Optics", tt.a, ""), of("Meadow Timber", tt.b, "")
		level := ""
		for _, p := range m.Explain(a, b) {
			if p.Field == "web" {
				level = p.Level
			}
		}
		keyed := false
		for _, k := range m.SharedKeys(a, b) {
			keyed = keyed || k.Rule == "domain"
		}
		if level != tt.level || keyed != tt.keyed {
			t.Errorf("%s and %s: web %q, found by the domain %v; want %q, %v", tt.a, tt.b, level, keyed, tt.level, tt.keyed)
		}
	}
	a, b := of("Kestrel Optics", "", "kestrel@marketplace.example"), of("Meadow Timber", "", "meadow@marketplace.example")
	if len(m.SharedKeys(a, b)) == 0 {
		t.Error("two addresses of one firm's own domain share no key")
	}
	a, b = of("Kestrel Optics", "", "kestrel@amazon.de"), of("Meadow Timber", "", "meadow@amazon.de")
	if keys := m.SharedKeys(a, b); len(keys) > 0 {
		t.Errorf("two addresses at a platform share %v", keys)
	}
}
