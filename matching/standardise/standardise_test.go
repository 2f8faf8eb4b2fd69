package standardise

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"  Zoë\u0308  O'Brien ", "zoe obrien"}, // accents go, composed or not
		{"Ｔｏｕｃｈ１２", "touch12"},
		{"Müller-Lüdenscheidt GmbH", "muller ludenscheidt gmbh"},
		{"Straße Ørsted Łódź İstanbul", "strasse orsted lodz istanbul"},
		{"樂興電子", "乐兴电子"},
		{"乾坤 乾燥", "乾坤 干燥"}, // the phrase is kept where the character alone changes
		{"㈱日立", "株 日立"},
		{"A&B #3", "a & b # 3"},
		{"\x00\xff", ""},
		{"占㉷ ㄱㅏ", "占차 가"}, // Korean letters are put together
		{"！？", ""},
	} {
		if got := Fold(tt.in); got != tt.want {
			t.Errorf("Fold(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestOrganisation(t *testing.T) {
	for _, tt := range []struct {
		in    string
		want  Org
		alias string
	}{
		{"The Acme Technologies, Inc.", Org{Brand: "acme", Trade: "tech", Form: "inc", Roman: "acme"}, ""},
		{"Jones & Stone Intl. L.L.C. (dba Skytech)", Org{Brand: "jones stone", Trade: "international", Form: "llc", Roman: "jonesstone"}, "Skytech"},
		{"Redline Max S.p.A.", Org{Brand: "redline max", Form: "spa", Roman: "redlinemax"}, ""},
		{"Weber Technik GmbH & Co. KG", Org{Brand: "weber", Trade: "tech", Form: "gmbhcokg", Roman: "weber"}, ""},
		{"Weber Bau UG (haftungsbeschränkt)", Org{Brand: "weber", Trade: "construction", Form: "ug", Roman: "weber"}, ""},
		{"Acme Pty Ltd", Org{Brand: "acme", Form: "pty", Roman: "acme"}, ""},
		{"Acme Foods - Boston", Org{Brand: "acme", Trade: "food", Branch: "boston", Roman: "acme"}, ""},
		{"Acme Foods (Leeds Branch)", Org{Brand: "acme", Trade: "food", Branch: "leeds", Role: RoleBranch, Roman: "acme"}, ""},
		{"Beijing Xianrendian Machinery Co., Ltd.", Org{Brand: "xianrendian", Trade: "machine", Form: "ltd", Place: "北京", Roman: "xianrendian"}, ""},
		{"上海市莲凯电子有限公司", Org{Brand: "莲凯", Trade: "电子", Form: "yx", Place: "上海", Roman: "liankai", Han: true}, ""},
		{"乐兴（南京）電子股份有限公司", Org{Brand: "乐兴", Trade: "电子", Form: "gf", Place: "南京", Roman: "lexing", Readings: []string{"yuexing"}, Han: true}, ""},
		{"冬海（)企业管理咨询有限责任公司", Org{Brand: "冬海", Trade: "企业管理咨询", Form: "yx", Roman: "donghai", Han: true}, ""},
		{"丰隆家具", Org{Brand: "丰隆", Trade: "家具", Roman: "fenglong", Han: true}, ""},
		{"海川贸易有限公司上海分公司", Org{Brand: "海川", Trade: "贸易", Form: "yx", Branch: "上海", Role: RoleBranch, Roman: "haichuan", Han: true}, ""},
		{"海川集团有限公司", Org{Brand: "海川", Form: "yx", Role: RoleGroup, Roman: "haichuan", Han: true}, ""},
		{"海川（集团）股份有限公司", Org{Brand: "海川", Form: "gf", Role: RoleGroup, Roman: "haichuan", Han: true}, ""},
		{"海川投资控股有限公司", Org{Brand: "海川", Trade: "投资", Form: "yx", Role: RoleHolding, Roman: "haichuan", Han: true}, ""},
		{"海川集团电子商务有限公司", Org{Brand: "海川", Trade: "集团电子商务", Form: "yx", Roman: "haichuan", Han: true}, ""}, // one of the group's companies
		{"Acme Holdings International Ltd", Org{Brand: "acme", Trade: "international", Form: "ltd", Role: RoleHolding, Roman: "acme"}, ""},
		{"Acme Hodlings, Inc.", Org{Brand: "acme", Form: "inc", Role: RoleHolding, Roman: "acme"}, ""},
		{"Acme Group Holdings plc", Org{Brand: "acme", Form: "plc", Role: RoleParent, Roman: "acme"}, ""},
		{"海川控股集团有限公司", Org{Brand: "海川", Form: "yx", Role: RoleParent, Roman: "haichuan", Han: true}, ""},
		{"Groupe Acme SAS", Org{Brand: "acme", Form: "sas", Role: RoleGroup, Roman: "acme"}, ""},
		{"Acme Beteiligungsgesellschaft mbH", Org{Brand: "acme", Form: "gmbh", Role: RoleHolding, Roman: "acme"}, ""},
		{"Acme Verwaltungs-GmbH", Org{Brand: "acme", Form: "gmbh", Role: RolePartner, Roman: "acme"}, ""},
		{"Acme Group Logistics GmbH", Org{Brand: "acme", Trade: "group logistic", Form: "gmbh", Roman: "acme"}, ""},
		{"Acme Technik GmbH Zweigniederlassung Köln", Org{Brand: "acme", Trade: "tech", Form: "gmbh", Branch: "koln", Role: RoleBranch, Roman: "acme"}, ""},
		{"Group 4 Ltd", Org{Brand: "group 4", Form: "ltd", Roman: "group4"}, ""},
		{"Acme Distirbution Ltd", Org{Brand: "acme", Trade: "distribution", Form: "ltd", Roman: "acme"}, ""},
		{"Inc", Org{Brand: "inc", Roman: "inc"}, ""}, // a brand always stays
		{"有限公司", Org{Brand: "有限", Roman: "youxian", Han: true}, ""},
		{"", Org{}, ""},
	} {
		got, alias := Organisation(tt.in)
		if diff := cmp.Diff(tt.want, got); diff != "" || alias != tt.alias {
			t.Errorf("Organisation(%q): alias %q, want %q (-want +got):\n%s", tt.in, alias, tt.alias, diff)
		}
	}
}

func TestName(t *testing.T) {
	for _, tt := range []struct {
		given, family, full string
		want                Human
	}{
		{"Frederick", "Williamson", "", Human{Given: "frederick", Family: "williamson", GivenRoman: "frederick", FamilyRoman: "williamson"}},
		{"Amanda Yvonne", "Holmes Jr.", "", Human{Given: "amanda", Middle: "yvonne", Family: "holmes", GivenRoman: "amanda", FamilyRoman: "holmes", Suffix: "jr"}},
		{"Frederick Williamson", "", "", Human{Given: "frederick", Family: "williamson", GivenRoman: "frederick", FamilyRoman: "williamson"}},
		{"", "", "Dr. Ludwig van Beethoven", Human{Given: "ludwig", Family: "van beethoven", GivenRoman: "ludwig", FamilyRoman: "vanbeethoven"}},
		{"", "", "Lovelace, Ada", Human{Given: "ada", Family: "lovelace", GivenRoman: "ada", FamilyRoman: "lovelace"}},
		{"", "", "John Smith III", Human{Given: "john", Family: "smith", GivenRoman: "john", FamilyRoman: "smith", Suffix: "iii"}},
		{"", "", "歐陽娜娜", Human{Given: "娜娜", Family: "欧阳", GivenRoman: "nana", FamilyRoman: "ouyang", Readings: []string{"auyeung"}, Han: true}},
		{"郑建", "", "", Human{Given: "建", Family: "郑", GivenRoman: "jian", FamilyRoman: "zheng", Readings: []string{"cheng", "tay"}, Han: true}},
		{"先生", "李", "", Human{Family: "李", FamilyRoman: "li", Readings: []string{"lee"}, Han: true}},
		{"雄信", "单", "", Human{Given: "雄信", Family: "单", GivenRoman: "xiongxin", FamilyRoman: "shan", Readings: []string{"dan", "chan"}, Han: true}},
		{"", "", "Wang Xiaoming", Human{Given: "xiaoming", Family: "wang", GivenRoman: "xiaoming", FamilyRoman: "wang"}}, // as Chinese people write it
		{"", "", "Xiao-Ming Wang", Human{Given: "xiaoming", Family: "wang", GivenRoman: "xiaoming", FamilyRoman: "wang"}},
		{"", "", "Wang Xiao Ming", Human{Given: "xiaoming", Family: "wang", GivenRoman: "xiaoming", FamilyRoman: "wang"}},
		{"Xiao Ming", "Wang", "", Human{Given: "xiaoming", Family: "wang", GivenRoman: "xiaoming", FamilyRoman: "wang"}},
		{"", "", "Nana Ou Yang", Human{Given: "nana", Family: "ouyang", GivenRoman: "nana", FamilyRoman: "ouyang"}},
		{"", "", "Shangguan Wan'er", Human{Given: "waner", Family: "shangguan", GivenRoman: "waner", FamilyRoman: "shangguan"}},
		{"", "", "Lyu Bu", Human{Given: "bu", Family: "lv", GivenRoman: "bu", FamilyRoman: "lv"}},
		{"", "", "呂布", Human{Given: "布", Family: "吕", GivenRoman: "bu", FamilyRoman: "lv", Readings: []string{"lu", "lui"}, Han: true}},
		{"", "", "司馬重行", Human{Given: "重行", Family: "司马", GivenRoman: "zhongxing", FamilyRoman: "sima", GivenReadings: []string{"chongxing", "zhonghang", "chonghang"}, Han: true}},
		{"", "", "单于夜", Human{Given: "夜", Family: "单于", GivenRoman: "ye", FamilyRoman: "chanyu", Readings: []string{"danyu"}, Han: true}},
		{"", "", "Tim Ann Cook", Human{Given: "tim", Middle: "ann", Family: "cook", GivenRoman: "tim", FamilyRoman: "cook"}}, // not every name is Chinese
		{"", "", "", Human{}},
	} {
		if diff := cmp.Diff(tt.want, Name(tt.given, tt.family, tt.full)); diff != "" {
			t.Errorf("Name(%q, %q, %q) (-want +got):\n%s", tt.given, tt.family, tt.full, diff)
		}
	}
	if !Nickname("bob", "robert") || !Nickname("robert", "bob") || Nickname("bob", "peter") {
		t.Error("Nickname: bob is robert both ways, and not peter")
	}
}

func TestPhone(t *testing.T) {
	for _, tt := range []struct{ in, region, want, ext, note string }{
		{"+86 138-0013-8000", "", "+8613800138000", "", ""},
		{"１３８００１３８０００", "", "+8613800138000", "", ""},
		{"010-8477 7190 转 123", "CN", "+861084777190", "123", ""},
		{"86-76934673318", "CN", "+8676934673318", "", ""},
		{"(614) 732-7439 x844", "US", "+16147327439", "844", ""},
		{"1-617-897-3115", "US", "+16178973115", "", ""},
		{"614-732-7439 ext. 4", "US", "+16147327439", "4", ""},
		{"+44 (0)20 7946 0001", "", "+442079460001", "", ""},
		{"020 7946 0001", "GB", "+442079460001", "", ""},
		{"0044 20 7946 0001", "DE", "+442079460001", "", ""},
		{"0170 1234567", "DE", "+491701234567", "", ""},
		{"020 7946 0001", "", "2079460001", "", ""},
		{"12", "US", "", "", "not a phone number"},
		{"call me", "", "", "", "not a phone number"},
		{"000000", "", "", "", "not a phone number"},
	} {
		got, ext, note := Phone(tt.in, tt.region)
		if got != tt.want || ext != tt.ext || note != tt.note {
			t.Errorf("Phone(%q, %q) = %q, %q, %q; want %q, %q, %q", tt.in, tt.region, got, ext, note, tt.want, tt.ext, tt.note)
		}
	}
}

func TestEmailAndDomain(t *testing.T) {
	for _, tt := range []struct{ in, local, domain, note string }{
		{" ADA+shop@Example.com ", "ada", "example.com", ""},
		{"a.da.l@googlemail.com", "adal", "gmail.com", ""},
		{"a.da@example.com", "a.da", "example.com", ""},
		{"Ada <ada@example.com>", "ada", "example.com", ""},
		{"info@example.com", "info", "example.com", "role address"},
		{"ada@localhost", "ada", "localhost", "domain without a dot"},
		{"ada at example.com", "", "", "not an email address"},
		{"a@b@c.de", "", "", "not an email address"},
	} {
		if l, d, note := Email(tt.in); l != tt.local || d != tt.domain || note != tt.note {
			t.Errorf("Email(%q) = %q, %q, %q; want %q, %q, %q", tt.in, l, d, note, tt.local, tt.domain, tt.note)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{"HTTP://WWW.Oxford.CO.UK/about?x=1", "oxford.co.uk"},
		{"www.lexing.cn", "lexing.cn"},
		{"shop.acme.com.cn:8080", "acme.com.cn"},
		{"https://user@acme.com/", "acme.com"},
		{"acme", ""},
		{"co.uk", ""},
		{"our site.com", ""},
	} {
		if got := Domain(tt.in); got != tt.want {
			t.Errorf("Domain(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestIdentifier(t *testing.T) {
	for _, tt := range []struct {
		scheme, in string
		want       ID
		note       string
	}{
		{"统一社会信用代码", "91350100M000100Y43", ID{"uscc", "91350100M000100Y43", true, false}, ""}, // the example of GB 32100-2015
		{"", "91350100m000100y43", ID{"uscc", "91350100M000100Y43", true, false}, ""},
		{"uscc", "91350100M000100Y44", ID{"uscc", "91350100M000100Y44", false, true}, "check digit wrong"},
		{"LEI", "5493 00IB P32U QZ0K L24", ID{"lei", "549300IBP32UQZ0KL24", false, true}, "check digit wrong"},
		{"lei", "529900T8BM49AURSDO55", ID{"lei", "529900T8BM49AURSDO55", true, false}, ""},
		{"IBAN", "GB82 WEST 1234 5698 7654 32", ID{"iban", "GB82WEST12345698765432", true, false}, ""},
		{"vat", "DE136695976", ID{"vat", "DE136695976", true, false}, ""},
		{"vat", "DE136695975", ID{"vat", "DE136695975", false, true}, "check digit wrong"},
		{"VAT", "FR 83 404833048", ID{"vat", "FR83404833048", true, false}, ""},
		{"D-U-N-S", "15-048-3782", ID{"duns", "150483782", false, false}, ""},
		{"duns", "123", ID{"duns", "123", false, false}, "not nine digits"},
		{"", "HRB 246449", ID{"reg", "HRB246449", false, false}, ""},
		{"uscc", " - ", ID{}, ""},
	} {
		got, note := Identifier(strings.ReplaceAll(tt.scheme, "-", ""), tt.in)
		if got != tt.want || note != tt.note {
			t.Errorf("Identifier(%q, %q) = %+v, %q; want %+v, %q", tt.scheme, tt.in, got, note, tt.want, tt.note)
		}
	}
}

func TestDate(t *testing.T) {
	for _, tt := range []struct{ in, want, note string }{
		{"1978-06-05", "1978-06-05", ""},
		{"19780605", "1978-06-05", ""},
		{"5/6/1978", "1978-06-05", ""},
		{"1978-13-06", "1978-06-13", "day and month swapped"},
		{"06/13/1978", "1978-06-13", "day and month swapped"},
		{"1978年6月5日", "1978-06-05", ""},
		{"１９７８．６．５", "1978-06-05", ""},
		{"1978-06-05T00:00:00Z", "1978-06-05", ""},
		{"2000-02-29", "2000-02-29", ""},
		{"1900-02-29", "", "not a date"},
		{"0000-01-01", "", "not a date"},
		{"soon", "", "not a date"},
		{"", "", ""},
	} {
		if got, note := Date(tt.in); got != tt.want || note != tt.note {
			t.Errorf("Date(%q) = %q, %q; want %q, %q", tt.in, got, note, tt.want, tt.note)
		}
	}
}

func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		line, city, region, postcode, country string
		want                                  Address
	}{
		{"8908 Turner Boulevard Apartment 331", "Columbus", "OH", "43240", "US", Address{Street: "turner blvd", House: "8908", Units: "331", City: "columbus", Region: "oh", Postcode: "43240", Country: "US"}},
		{"Flat 12, 5 High Street", "London", "", "SW1 4JW", "United Kingdom", Address{Street: "high st", House: "5", Units: "12", City: "london", Postcode: "sw14jw", Country: "GB"}},
		{"4295 Walnut Ave, Raleigh", "", "NC", "", "", Address{Street: "walnut ave", House: "4295", City: "raleigh", Region: "nc"}},
		{"Bergstraße 26", "Berlin", "", "", "DE", Address{Street: "bergst", House: "26", City: "berlin", Country: "DE"}},
		{"江苏省南京市江宁区解放路558號17栋117", "", "", "214620", "中国", Address{Street: "解放路", House: "558", Units: "17 117", District: "江宁", City: "南京", Region: "江苏", Postcode: "214620", Country: "CN"}},
		{"和平区光明南路八八五号", "天津市", "天津", "", "CN", Address{Street: "光明南路", House: "885", District: "和平", City: "天津", Region: "天津", Country: "CN"}},
		{"思明区胜利西路２５２号28-4-540", "厦门", "", "", "CN", Address{Street: "胜利西路", House: "252", Units: "28 4 540", District: "思明", City: "厦门", Region: "福建", Country: "CN"}},
		{"南京路十二号", "上海", "", "", "", Address{Street: "南京路", House: "12", City: "上海", Region: "上海"}},
		{"北京市朝阳区建国路88号SOHO现代城A座1201室", "", "", "", "", Address{Street: "建国路", House: "88", Units: "a 1201", District: "朝阳", City: "北京", Region: "北京"}},
		{"上海市浦東新區世紀大道100號", "", "", "", "", Address{Street: "世纪大道", House: "100", District: "浦东", City: "上海", Region: "上海"}},
		{"苏州市昆山市前进路5号", "", "", "", "", Address{Street: "前进路", House: "5", District: "昆山", City: "苏州", Region: "江苏"}},
		{"杭州市西湖区文三路12号 邮编：310012", "", "", "", "", Address{Street: "文三路", House: "12", District: "西湖", City: "杭州", Region: "浙江", Postcode: "310012"}},
		{"某县某路3号", "", "", "", "", Address{Street: "某路", House: "3", District: "某县"}}, // unknown stays unknown
		{"阳光小区3号楼", "", "", "", "", Address{Street: "阳光小区", House: "3"}},
		{"12 Oak St, Apt 4, Boston, MA 02101-1234, USA", "", "", "", "", Address{Street: "oak st", House: "12", Units: "4", City: "boston", Region: "ma", Postcode: "021011234", Country: "US"}},
		{"5 High Street, London SW1A 1AA", "", "", "", "", Address{Street: "high st", House: "5", City: "london", Postcode: "sw1a1aa"}},
		{"Bergstraße 26, 10115 Berlin", "", "", "", "", Address{Street: "bergst", House: "26", City: "berlin", Postcode: "10115"}},
		{"Suite 500", "", "", "", "", Address{Units: "", House: "500"}},
		{"", "", "", "", "", Address{}},
	} {
		if diff := cmp.Diff(tt.want, Place(tt.line, "", tt.city, tt.region, tt.postcode, tt.country)); diff != "" {
			t.Errorf("Place(%q) (-want +got):\n%s", tt.line, diff)
		}
	}
}

// Every phrase and character of the tables folds to what folds to itself.
func TestEveryTablePhraseIsStable(t *testing.T) {
	for _, table := range []string{tsPhrases, tsCharacters} {
		for line := range strings.Lines(table) {
			from, _, _ := strings.Cut(line, "\t")
			if once := Fold(from); Fold(once) != once {
				t.Errorf("Fold(%q) = %q, and again %q", from, once, Fold(once))
			}
		}
	}
}
