package standardise

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// odd are seeds of every kind: what has gone wrong somewhere once.
var odd = []string{
	"", " ", "Zoë Müller & Co.", "樂興電子 么麼", "+86 (0)138 0013 8000 ext 4", "a.b+c@gmail.com", "13/06/1978", "https://www.x.co.uk/", "91350100M000100Y43", "八八五号", "Ǆﬁ℡Å가각ﷺ",
	"海川（(上海)）有限公司上海分公司", "株式会社有限公司", "S. p. A.", "& & &", "(dba )", " - ", "Niederlassung", "ООО", "王先生先生", "née née", "Dr. Dr.", "van der", "江苏省江苏省市市区区", "一百千万号3F", "P O Box", "5th floor", "邮编", "00", "+0000000000",
	"\xff\xfe\x00", "e\u0301\u0301", "𠮷野家", strings.Repeat("é&", 200), strings.Repeat("有限公司", 90), "民国", "农历", "@", "a@", "yahoo-@yahoo.de", "-a-b@yahoo.com", "..", "http://[::1]:80/", "Xx",
}

func seed(f *testing.F) {
	for _, s := range odd {
		f.Add(s)
	}
}

// sound: an output is valid UTF-8 and no longer than any input is read.
func sound(t *testing.T, what, in string, outs ...string) {
	t.Helper()
	for _, out := range outs {
		if !utf8.ValidString(out) || utf8.RuneCountInString(out) > 6*maxRunes { // a character's reading has up to six letters
			t.Errorf("%s(%q) gives %q, which is not sound", what, in, out)
		}
	}
}

func FuzzFold(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		sound(t, "Fold", s, once)
		if again := Fold(once); again != once {
			t.Errorf("Fold(%q) = %q, and again %q", s, once, again)
		}
		if slow := foldAny(s); slow != once {
			t.Errorf("Fold(%q) = %q, by stages %q", s, once, slow)
		}
	})
}

func FuzzOrganisation(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		o, alias := Organisation(s)
		sound(t, "Organisation", s, append([]string{o.Brand, o.Trade, o.Form, o.Place, o.Branch, o.Roman}, o.Readings...)...)
		if len(alias) > 4*len(s) || len(o.Readings) > maxReadings {
			t.Errorf("Organisation(%q): alias %q, readings %q", s, alias, o.Readings)
		}
		if again, _ := Organisation(s); again.Brand != o.Brand || again.Form != o.Form {
			t.Errorf("Organisation(%q) gives %+v, and then %+v", s, o, again)
		}
	})
}

func FuzzName(f *testing.F) {
	for _, s := range odd {
		f.Add(s, "", "")
		f.Add("", s, s)
		f.Add("", "", s)
	}
	f.Fuzz(func(t *testing.T, given, family, full string) {
		h := Name(given, family, full)
		sound(t, "Name", given+"|"+family+"|"+full, h.Given, h.Middle, h.Family, h.GivenRoman, h.FamilyRoman, h.Suffix)
		if len(h.Readings) > maxFurther+1 || len(h.GivenReadings) > maxReadings {
			t.Errorf("Name(%q, %q, %q): readings %q, %q", given, family, full, h.Readings, h.GivenReadings)
		}
	})
}

func FuzzPlace(f *testing.F) {
	for _, s := range odd {
		f.Add(s, "", "")
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, line, district, city string) {
		a := Place(line, district, city, district, city, line)
		sound(t, "Place", line+"|"+district+"|"+city, a.Street, a.House, a.Units, a.District, a.City, a.Region, a.Postcode, a.Country)
		if len(a.Country) != 0 && len(a.Country) != 2 {
			t.Errorf("Place(%q): country %q", line, a.Country)
		}
	})
}

func FuzzPhone(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		for _, region := range []string{"", "CN", "US", "GB", "DE"} {
			p, ext, _ := Phone(s, region)
			sound(t, "Phone", s, p, ext)
			if len(p) > 18 || len(ext) > maxExtension {
				t.Errorf("Phone(%q, %q) = %q, %q: too long", s, region, p, ext)
			}
			if strings.HasPrefix(p, "+") {
				if again, _, _ := Phone(p, region); again != p {
					t.Errorf("Phone(%q, %q) = %q, and again %q", s, region, p, again)
				}
			}
		}
	})
}

func FuzzEmail(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		l, d, _ := Email(s)
		sound(t, "Email", s, l, d)
		if l == "" {
			return
		}
		if l2, d2, _ := Email(l + "@" + d); l2 != l || d2 != d {
			t.Errorf("Email(%q) = %q @ %q, and again %q @ %q", s, l, d, l2, d2)
		}
	})
}

func FuzzDomain(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		d := Domain(s)
		sound(t, "Domain", s, d)
		if d != "" && Domain(d) != d {
			t.Errorf("Domain(%q) = %q, and again %q", s, d, Domain(d))
		}
	})
}

func FuzzSite(f *testing.F) {
	seed(f)
	for _, s := range []string{"https://www.facebook.com/acme", "acme.1688.com/%E7%BE", "amazon.de/s?me=%00%ff", "qq.com/a\x00b", "x.com/?id=%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		site, platform := Site(s)
		sound(t, "Site", s, site, platform)
		name, on := strings.CutPrefix(site, platform+"/")
		switch d := Domain(s); {
		case platform == "" && site != d, platform != "" && platform != d:
			t.Errorf("Site(%q) = %q on %q, its domain is %q", s, site, platform, d)
		case platform != "" && site != "" && (!on || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '/' })):
			t.Errorf("Site(%q) = %q on %q", s, site, platform)
		}
	})
}

func FuzzIdentifier(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		for _, scheme := range []string{"", "vat", "uscc", "iban", "siret", "crn", "abn", "acn", "cnid", "cnreg"} {
			id, _ := Identifier(scheme, s)
			sound(t, "Identifier", s, id.Scheme, id.Value)
			if id.Value == "" {
				continue
			}
			if wants, has := id.Expected(); wants != "" && (id.Checked || len(wants) != len(has) || wants == has) {
				t.Errorf("Identifier(%q, %q) = %+v wants %q for %q", scheme, s, id, wants, has)
			}
			if again, _ := Identifier(id.Scheme, id.Value); again != id {
				t.Errorf("Identifier(%q, %q) = %+v, and again %+v", scheme, s, id, again)
			}
		}
	})
}

func FuzzDate(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		d, _ := Date(s)
		if d == "" {
			return
		}
		if again, note := Date(d); again != d || note != "" {
			t.Errorf("Date(%q) = %q, and again %q, %q", s, d, again, note)
		}
	})
}

func FuzzCountry(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		if c := Country(s); c != "" && (len(c) != 2 || Country(c) != c) {
			t.Errorf("Country(%q) = %q, and again %q", s, c, Country(c))
		}
	})
}

// Every character is folded alike by the quick way and by stages.
func TestEveryCharacterFoldsAlikeBothWays(t *testing.T) {
	for r := rune(1); r <= 0xffff; r++ {
		s := "a" + string(r) + "b"
		if fast, slow := Fold(s), foldAny(s); fast != slow {
			t.Errorf("Fold(%q) = %q, by stages %q", s, fast, slow)
		}
	}
}
