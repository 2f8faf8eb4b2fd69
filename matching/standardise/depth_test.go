package standardise

import "testing"

func TestIdentifiersOfTheWorld(t *testing.T) {
	for _, tt := range []struct{ scheme, right, wrong string }{ // examples published by the offices
		{"siren", "732 829 320", "732829321"},
		{"siret", "732 829 320 00074", "73282932000075"},
		{"abn", "51 824 753 556", "51824753557"},
		{"acn", "004 085 616", "004085617"},
		{"身份证", "11010519491231002X", "110105194912310021"},
		{"vat", "ATU13585627", "ATU13585626"},
		{"vat", "BE0428759497", "BE0428759498"},
		{"vat", "DK13585628", "DK13585627"},
		{"vat", "EE100594102", "EE100594103"},
		{"vat", "EL094259216", "EL094259217"},
		{"vat", "FI20774740", "FI20774741"},
		{"vat", "HR33392005961", "HR33392005962"},
		{"vat", "HU12892312", "HU12892313"},
		{"vat", "IT00743110157", "IT00743110158"},
		{"vat", "LU15027442", "LU15027443"},
		{"vat", "MT11679112", "MT11679113"},
		{"vat", "NL004495445B01", "NL004495446B01"},
		{"vat", "PL8567346215", "PL8567346216"},
		{"vat", "PT501964843", "PT501964842"},
		{"vat", "SE123456789701", "SE123456789101"},
		{"vat", "SI50223054", "SI50223055"},
		{"vat", "SK2022749619", "SK2022749618"},
	} {
		if id, note := Identifier(tt.scheme, tt.right); !id.Checked || id.Wrong || note != "" {
			t.Errorf("Identifier(%q, %q) = %+v, %q; want it checked and right", tt.scheme, tt.right, id, note)
		}
		if id, note := Identifier(tt.scheme, tt.wrong); id.Checked || !id.Wrong || note != "check digit wrong" {
			t.Errorf("Identifier(%q, %q) = %+v, %q; want the check digit wrong", tt.scheme, tt.wrong, id, note)
		}
	}
	for _, tt := range []struct {
		scheme, in string
		want       ID
		note       string
	}{
		{"", "11010519491231002X", ID{"cnid", "11010519491231002X", true, false}, ""},
		{"Companies House", "445790", ID{"crn", "00445790", false, false}, ""},
		{"crn", "SC123456", ID{"crn", "SC123456", false, false}, ""},
		{"crn", "12", ID{"crn", "12", false, false}, "not eight characters"},
		{"EIN", "12-3456789", ID{"ein", "123456789", false, false}, ""},
		{"vat", "CY10259033P", ID{"vat", "CY10259033P", false, false}, ""}, // no rule here
		{"vat", "IT1", ID{"vat", "IT1", false, false}, ""},
	} {
		if got, note := Identifier(tt.scheme, tt.in); got != tt.want || note != tt.note {
			t.Errorf("Identifier(%q, %q) = %+v, %q; want %+v, %q", tt.scheme, tt.in, got, note, tt.want, tt.note)
		}
	}
}

func TestDatesInManyForms(t *testing.T) {
	for _, tt := range []struct{ in, want, note string }{
		{"5/6/1978", "1978-06-05", ""}, // either may be the day
		{"5/5/1978", "1978-05-05", ""},
		{"25/6/1978", "1978-06-25", ""},
		{"1978-06-05", "1978-06-05", ""},
		{"5 June 1978", "1978-06-05", ""},
		{"June 5th, 1978", "1978-06-05", ""},
		{"15 AUGUST 1978", "1978-08-15", ""},
		{"5. Juni 1978", "1978-06-05", ""},
		{"5 août 1978", "1978-08-05", ""},
		{"5 juillet 1978", "1978-07-05", ""},
		{"1978-Dec-05", "1978-12-05", ""},
		{"05.06.78", "1978-06-05", "year of two digits"},
		{"25/06/03", "2003-06-25", "year of two digits"},
		{"二〇二六年十一月五日", "2026-11-05", ""},
		{"一九七八年六月二十五日", "1978-06-25", ""},
		{"民国六十七年六月五日", "1978-06-05", ""},
		{"2026年11月", "", "not a date"}, // no day
		{"农历八月十五", "", "lunar date"},
		{"1978-06-05 10:11:12", "1978-06-05", ""},
		{"19780605T101112Z", "1978-06-05", ""},
		{"12 34 56", "", "not a date"},
		{"mardi 5 juin 1978", "1978-06-05", ""}, // Tuesday, not March
		{"martes 5 de junio de 1978", "1978-06-05", ""},
		{"5 mart 1978", "1978-03-05", ""},
		{"5 de outubro de 1990", "1990-10-05", ""},
		{"05-JUN-78", "1978-06-05", "year of two digits"},
		{"June 5, 10:30", "", "not a date"},
	} {
		if got, note := Date(tt.in); got != tt.want || note != tt.note {
			t.Errorf("Date(%q) = %q, %q; want %q, %q", tt.in, got, note, tt.want, tt.note)
		}
	}
}

// TestChineseCitiesInLatinLetters: a city is one city in either script.
func TestChineseCitiesInLatinLetters(t *testing.T) {
	for _, tt := range []struct{ city, region, country, wantCity, wantRegion string }{
		{"Shanghai", "", "CN", "上海", ""},
		{"Hangzhou", "Zhejiang", "CN", "杭州", "浙江"},
		{"Xi'an", "Shaanxi Province", "CN", "西安", "陕西"},
		{"Suzhou", "Anhui", "CN", "宿州", "安徽"},
		{"Suzhou City", "Jiangsu", "CN", "苏州", "江苏"},
		{"Suzhou", "", "CN", "苏州", ""},
		{"Hong Kong", "", "HK", "香港", ""},
		{"Anyang", "", "KR", "anyang", ""},
		{"Nowhere", "", "CN", "nowhere", ""},
	} {
		a := Place("", "", tt.city, tt.region, "", tt.country)
		if a.City != tt.wantCity || a.Region != tt.wantRegion {
			t.Errorf("%s, %s, %s: %q in %q, want %q in %q", tt.city, tt.region, tt.country, a.City, a.Region, tt.wantCity, tt.wantRegion)
		}
	}
}
