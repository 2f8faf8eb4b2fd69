package standardise

import "testing"

func TestPhonesAreReadInTheirOwnCountry(t *testing.T) {
	for _, tt := range []struct{ in, region, want, ext string }{
		{"1-415-555-2671", "", "+14155552671", ""}, // a 1 on its own is North America's
		{"1 (800) 555-1234", "", "+18005551234", ""},
		{"138 1234 5678", "", "+8613812345678", ""},
		{"138-1234-5678", "", "+8613812345678", ""},
		{"1-415-555-2671", "US", "+14155552671", ""},
		{"+52 1 55 1234 5678", "", "+525512345678", ""}, // as dialled until 2019
		{"+52 55 1234 5678", "", "+525512345678", ""},
		{"13812345678；13912345678", "CN", "+8613812345678", ""}, // two numbers
		{"13812345678 或 13912345678", "CN", "+8613812345678", ""},
		{"+44 20 7946 0001;ext=12", "", "+442079460001", "12"},
	} {
		got, ext, note := Phone(tt.in, tt.region)
		if got != tt.want || ext != tt.ext || note != "" {
			t.Errorf("Phone(%q, %q) = %q, %q, %q; want %q, %q", tt.in, tt.region, got, ext, note, tt.want, tt.ext)
		}
	}
}

func TestChineseIdentifiers(t *testing.T) {
	for _, tt := range []struct {
		scheme, in string
		want       ID
	}{
		{"uscc", "31110000E00017525U", ID{"uscc", "31110000E00017525U", true, false}}, // a law firm's
		{"", "31110000E00017525U", ID{"uscc", "31110000E00017525U", true, false}},
		{"营业执照号", "91440300708461136T", ID{"uscc", "91440300708461136T", true, false}}, // one code since 2015
		{"税号", "91440300708461136T", ID{"uscc", "91440300708461136T", true, false}},
		{"营业执照号", "110108000000016", ID{"cnreg", "110108000000016", true, false}},
		{"身份证", "110105491231002", ID{"cnid", "11010519491231002X", true, false}}, // of the first generation
		{"", "110105199001010299", ID{"cnid", "110105199001010299", true, false}}, // the code's check holds for it as well
		{"身份证", "110105499931002", ID{"cnid", "110105499931002", false, false}},
	} {
		if got, note := Identifier(tt.scheme, tt.in); got != tt.want || note != "" {
			t.Errorf("Identifier(%q, %q) = %+v, %q; want %+v", tt.scheme, tt.in, got, note, tt.want)
		}
	}
}

func TestNamesKeepTheirForms(t *testing.T) {
	for _, tt := range []struct{ in, brand, trade, form, place, branch, alias string }{
		{"Müller - Bau GmbH", "muller", "construction", "gmbh", "", "", ""}, // a dash within the name
		{"A.P. Møller – Mærsk A/S", "ap moller maersk", "", "as", "", "", ""},
		{"Acme Ltd - Leeds", "acme", "", "ltd", "", "leeds", ""},
		{"Acme Ltd – Leeds", "acme", "", "ltd", "", "leeds", ""},
		{"Acme (formerly Beta Inc.) Ltd", "acme", "", "ltd", "", "", "Beta Inc"},
		{"Studio Aka Ltd", "studio aka", "", "ltd", "", "", ""},
		{"Acme Ltd aka Beta", "acme", "", "ltd", "", "", "Beta"},
		{"NV Energy", "nv", "energy", "", "", "", ""},
		{"N.V. Nederlandse Spoorwegen", "nederlandse spoorwegen", "", "nv", "", "", ""},
		{"Dali Foods Group Co., Ltd.", "dali", "food", "ltd", "", "", ""},
		{"Beijing Xiaomi Technology Co., Ltd.", "xiaomi", "tech", "ltd", "北京", "", ""},
		{"上海新美（原名旧美（上海））有限公司", "新美", "", "yx", "上海", "", "旧美（上海）"},
		{"上海新美（曾用名：上海旧美有限公司）", "新美", "", "", "上海", "", "上海旧美有限公司"},
		{"上海黄山机械有限公司", "黄山", "机械", "yx", "上海", "", ""}, // a brand, not a second place
		{"安徽黄山机械有限公司", "机械", "", "yx", "黄山", "", ""},
		{"江苏苏州昌明电子有限公司", "昌明", "电子", "yx", "苏州", "", ""},
		{"云南大理石材有限公司", "大理石材", "", "yx", "云南", "", ""},
		{"北海道餐饮有限公司", "北海道", "餐饮", "yx", "", "", ""},
		{"三明市美华食品有限公司", "美华", "食品", "yx", "三明", "", ""},
	} {
		o, alias := Organisation(tt.in)
		if o.Brand != tt.brand || o.Trade != tt.trade || o.Form != tt.form || o.Place != tt.place || o.Branch != tt.branch || alias != tt.alias {
			t.Errorf("Organisation(%q) = brand %q, trade %q, form %q, place %q, branch %q, alias %q; want %q, %q, %q, %q, %q, %q",
				tt.in, o.Brand, o.Trade, o.Form, o.Place, o.Branch, alias, tt.brand, tt.trade, tt.form, tt.place, tt.branch, tt.alias)
		}
	}
}

func TestNamesInOneField(t *testing.T) {
	for _, tt := range []struct{ given, family, full, wantGiven, wantMiddle, wantFamily string }{
		{"", "张伟", "", "伟", "", "张"}, // the family column holds all of it
		{"", "欧阳娜娜", "", "娜娜", "", "欧阳"},
		{"", "欧阳", "", "", "", "欧阳"},
		{"", "王", "", "", "", "王"},
		{"", "", "李雷 Li Lei", "雷", "", "李"},
		{"", "", "Lei Li (李雷)", "雷", "", "李"},
		{"", "", "David 王", "david", "", "王"},
		{"", "", "张伟2", "伟2", "", "张"},
		{"", "", "Mr Smith", "", "", "smith"},
		{"", "", "Sir Elton", "elton", "", ""},
		{"", "", "Иванов Иван Иванович", "иван", "иванович", "иванов"},
		{"", "", "Иван Иванович Иванов", "иван", "иванович", "иванов"},
	} {
		h := Name(tt.given, tt.family, tt.full)
		if h.Given != tt.wantGiven || h.Middle != tt.wantMiddle || h.Family != tt.wantFamily {
			t.Errorf("Name(%q, %q, %q) = given %q, middle %q, family %q; want %q, %q, %q",
				tt.given, tt.family, tt.full, h.Given, h.Middle, h.Family, tt.wantGiven, tt.wantMiddle, tt.wantFamily)
		}
	}
}

func TestAddressesStayInTheirProvince(t *testing.T) {
	for _, tt := range []struct {
		line, city string
		want       Address
	}{
		{"北京市朝阳门外大街1号", "", Address{Street: "朝阳门外大街", House: "1", City: "北京", Region: "北京"}},
		{"上海市黄山新村5号", "", Address{Street: "黄山新村", House: "5", City: "上海", Region: "上海"}},
		{"黄山新村5号", "上海", Address{Street: "黄山新村", House: "5", City: "上海", Region: "上海"}},
		{"安徽省黄山市屯溪区1号", "", Address{House: "1", District: "屯溪", City: "黄山", Region: "安徽"}},
		{"江苏苏州昆山花桥镇1号", "", Address{Street: "花桥镇", House: "1", District: "昆山", City: "苏州", Region: "江苏"}},
		{"Straße des 17. Juni 135", "Berlin", Address{Street: "st des juni", House: "17", Units: "135", City: "berlin"}},
		{"12 St James St", "London", Address{Street: "saint james st", House: "12", City: "london"}},
	} {
		if got := Place(tt.line, "", tt.city, "", "", ""); got != tt.want {
			t.Errorf("Place(%q, city %q) = %+v, want %+v", tt.line, tt.city, got, tt.want)
		}
	}
}

func TestSeveralAddressesInOneField(t *testing.T) {
	for _, tt := range []struct{ in, local, domain string }{
		{"ada@example.com; bob@example.com", "ada", "example.com"},
		{"ada@example.com、bob@example.com", "ada", "example.com"},
		{"ada@example.com bob@example.com", "ada", "example.com"},
		{"mailto:ada@example.com?subject=hello", "ada", "example.com"},
		{"a b@example.com", "", ""},
	} {
		if local, domain, note := Email(tt.in); local != tt.local || domain != tt.domain || (note == "") != (local != "") {
			t.Errorf("Email(%q) = %q, %q, %q; want %q, %q", tt.in, local, domain, note, tt.local, tt.domain)
		}
	}
}
