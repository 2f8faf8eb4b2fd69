package standardise

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLegalFormsOfTheWorld(t *testing.T) {
	for _, tt := range []struct{ in, brand, form string }{
		{"Weber Gesellschaft mit beschränkter Haftung", "weber", "gmbh"},
		{"Weber G.m.b.H.", "weber", "gmbh"},
		{"Weber Ges.m.b.H.", "weber", "gmbh"},
		{"Weber gGmbH", "weber", "ggmbh"},
		{"Weber GmbH & Co. KGaA", "weber", "gmbhcokgaa"},
		{"Weber GbR", "weber", "gbr"},
		{"Cementos Sol S.A. de C.V.", "cementos sol", "sadecv"},
		{"Cementos Sol S. de R.L. de C.V.", "cementos sol", "srldecv"},
		{"Orlen Sp. z o.o.", "orlen", "spzoo"},
		{"Orlen spółka z ograniczoną odpowiedzialnością", "orlen", "spzoo"},
		{"Orlen Sp. z o.o. Sp. k.", "orlen", "spzoospk"},
		{"ООО «Ромашка»", "ромашка", "ooo"},
		{"Общество с ограниченной ответственностью Ромашка", "ромашка", "ooo"},
		{"JSC Tactical Missiles", "tactical missiles", "jsc"},
		{"Tactical Missiles Joint Stock Company", "tactical missiles", "jsc"},
		{"Gazprom Neft OAO", "gazprom neft", "oao"},
		{"Toyoda K.K.", "toyoda", "kk"},
		{"Toyoda Kabushiki Kaisha", "toyoda", "kk"},
		{"株式會社日立", "日立", "kk"},
		{"日立株式会社", "日立", "kk"},
		{"Maju Jaya Sdn. Bhd.", "maju jaya", "sdnbhd"},
		{"Koala Pty. Ltd.", "koala", "pty"},
		{"Koala Proprietary Limited", "koala", "pty"},
		{"Novum A/S", "novum", "as"},
		{"Nokka Oy", "nokka", "oy"},
		{"Nokka Oyj", "nokka", "oyj"},
		{"Volva AB (publ)", "volva", "ab"},
		{"Duna Kft.", "duna", "kft"},
		{"Duna Korlátolt Felelősségű Társaság", "duna", "kft"},
		{"Vltava s.r.o.", "vltava", "sro"},
		{"Vltava, spol. s r.o.", "vltava", "sro"},
		{"Sava d.o.o.", "sava", "doo"},
		{"Beta Ltda.", "beta", "ltda"},
		{"Beta Lda", "beta", "ltda"},
		{"Acme Limited Liabilit yCompany", "acme", "llc"}, // a space slipped
		{"Tata Private Limited", "tata", "pvt"},
		{"Boğaz Anonim Şirketi", "bogaz", "as"},
		{"Boğaz Ltd. Şti.", "bogaz", "ltdsti"},
		{"PT Astra Tbk", "astra", "pt"},
		{"Công ty TNHH Hoa Sen", "hoa sen", "tnhh"},
		{"주식회사 한국", "한국", "jusik"},
		{"한국 주식회사", "한국", "jusik"},
		{"NV Philips", "philips", "nv"},
		{"海川股份有限公司", "海川", "gf"},
		{"海川有限责任公司", "海川", "yx"},
		{"海川投资合伙企业（有限合伙）", "海川投资合伙企业", "hh"},
		{"海川有限合伙企业", "海川", "hh"},
		{"Co Ltd", "co", "ltd"}, // something always stays
	} {
		if o, _ := Organisation(tt.in); o.Brand != tt.brand || o.Form != tt.form {
			t.Errorf("Organisation(%q): brand %q, form %q; want %q, %q", tt.in, o.Brand, o.Form, tt.brand, tt.form)
		}
	}
}

func TestPartsOfCompanyNames(t *testing.T) {
	for _, tt := range []struct {
		in    string
		want  Org
		alias string
	}{
		{"上海美跃包装材料有限公司", Org{Brand: "美跃", Trade: "包装材料", Form: "yx", Place: "上海", Roman: "meiyue", Han: true}, ""},
		{"美跃(上海)包装材料有限公司", Org{Brand: "美跃", Trade: "包装材料", Form: "yx", Place: "上海", Roman: "meiyue", Han: true}, ""},
		{"Shanghai Meiyue Packaging Co., Ltd.", Org{Brand: "meiyue", Trade: "packaging", Form: "ltd", Place: "上海", Roman: "meiyue"}, ""},
		{"Meiyue (Shanghai) Packaging Co., Ltd.", Org{Brand: "meiyue", Trade: "packaging", Form: "ltd", Place: "上海", Roman: "meiyue"}, ""},
		{"Bank of China (Hong Kong) Limited", Org{Brand: "bank of china", Form: "ltd", Place: "香港", Roman: "bankofchina"}, ""}, // a company of its own
		{"长兴县美跃包装有限公司", Org{Brand: "美跃", Trade: "包装", Form: "yx", Place: "长兴", Roman: "meiyue", Han: true}, ""},
		{"上海市浦东新区美跃包装有限公司", Org{Brand: "美跃", Trade: "包装", Form: "yx", Place: "浦东", Roman: "meiyue", Han: true}, ""},
		{"海川贸易有限公司北京办事处", Org{Brand: "海川", Trade: "贸易", Form: "yx", Branch: "北京", Role: RoleBranch, Roman: "haichuan", Han: true}, ""},
		{"海川贸易有限公司（曾用名：海东贸易有限公司）", Org{Brand: "海川", Trade: "贸易", Form: "yx", Roman: "haichuan", Han: true}, "海东贸易有限公司"},
		{"Weber GmbH Zweigniederlassung Berlin", Org{Brand: "weber", Form: "gmbh", Branch: "berlin", Role: RoleBranch, Roman: "weber"}, ""},
		{"Dupont SARL Succursale de Lyon", Org{Brand: "dupont", Form: "sarl", Branch: "lyon", Role: RoleBranch, Roman: "dupont"}, ""},
		{"Banco Sol S.A., Sucursal Madrid", Org{Brand: "banco sol", Form: "sa", Branch: "madrid", Role: RoleBranch, Roman: "bancosol"}, ""},
		{"Acme Inc. t/a Skytech", Org{Brand: "acme", Form: "inc", Roman: "acme"}, "Skytech"},
		{"Acme Inc. (formerly Skytech LLC)", Org{Brand: "acme", Form: "inc", Roman: "acme"}, "Skytech LLC"},
		{"ОАО Газ", Org{Brand: "газ", Form: "oao", Roman: "gaz"}, ""},
		{"Καφέ Α.Ε.", Org{Brand: "καφε", Form: "ae", Roman: "kafe"}, ""},
	} {
		got, alias := Organisation(tt.in)
		if diff := cmp.Diff(tt.want, got); diff != "" || alias != tt.alias {
			t.Errorf("Organisation(%q): alias %q, want %q (-want +got):\n%s", tt.in, alias, tt.alias, diff)
		}
	}
}

func TestNamesWithTitlesAndParticles(t *testing.T) {
	for _, tt := range []struct {
		full string
		want Human
	}{
		{"Prof. Dr. Anna Schmidt", Human{Given: "anna", Family: "schmidt", GivenRoman: "anna", FamilyRoman: "schmidt"}},
		{"Anna Schmidt, PhD", Human{Given: "anna", Family: "schmidt", GivenRoman: "anna", FamilyRoman: "schmidt"}},
		{"John Smith MBA", Human{Given: "john", Family: "smith", GivenRoman: "john", FamilyRoman: "smith"}},
		{"Anna Schmidt geb. Müller", Human{Given: "anna", Family: "schmidt", GivenRoman: "anna", FamilyRoman: "schmidt"}},
		{"Mary Jones née Smith", Human{Given: "mary", Family: "jones", GivenRoman: "mary", FamilyRoman: "jones"}},
		{"Maria de la Cruz", Human{Given: "maria", Family: "de la cruz", GivenRoman: "maria", FamilyRoman: "delacruz"}},
		{"Omar al-Rashid", Human{Given: "omar", Family: "al rashid", GivenRoman: "omar", FamilyRoman: "alrashid"}},
		{"Ahmad bin Ismail", Human{Given: "ahmad", Family: "bin ismail", GivenRoman: "ahmad", FamilyRoman: "binismail"}},
		{"王小明先生", Human{Given: "小明", Family: "王", GivenRoman: "xiaoming", FamilyRoman: "wang", Readings: []string{"wong", "ong"}, Han: true}},
		{"李女士", Human{Family: "李", FamilyRoman: "li", Readings: []string{"lee"}, Han: true}},
		{"陈大文", Human{Given: "大文", Family: "陈", GivenRoman: "dawen", FamilyRoman: "chen", Readings: []string{"chan", "tan"}, Han: true}},
		{"Иван Петров", Human{Given: "иван", Family: "петров", GivenRoman: "ivan", FamilyRoman: "petrov"}},
		{"Γιώργος Παππάς", Human{Given: "γιωργοσ", Family: "παππασ", GivenRoman: "giorgos", FamilyRoman: "pappas"}},
	} {
		if diff := cmp.Diff(tt.want, Name("", "", tt.full)); diff != "" {
			t.Errorf("Name(%q) (-want +got):\n%s", tt.full, diff)
		}
	}
}

func TestAddressesOfTheWorld(t *testing.T) {
	for _, tt := range []struct {
		line, city string
		want       Address
	}{
		{"PO Box 123", "Boston", Address{Street: "po box", House: "123", City: "boston"}},
		{"P.O. Box 123", "Boston", Address{Street: "po box", House: "123", City: "boston"}},
		{"Postfach 123", "Bonn", Address{Street: "po box", House: "123", City: "bonn"}},
		{"5th Floor, 120 Main St", "Boston", Address{Street: "main st", House: "120", Units: "5", City: "boston"}},
		{"120 Main Street, Floor 5", "Boston", Address{Street: "main st", House: "120", Units: "5", City: "boston"}},
		{"26 A", "Berlin", Address{House: "26a", City: "berlin"}},
		{"Bergstr. 26 a", "Berlin", Address{Street: "bergst", House: "26a", City: "berlin"}},
		{"Kalverstraat 92", "Amsterdam", Address{Street: "kalverst", House: "92", City: "amsterdam"}},
		{"12 Rue de la Gare", "Lyon", Address{Street: "r de la gare", House: "12", City: "lyon"}},
		{"Avenida Sol 7, piso 3", "Madrid", Address{Street: "ave sol", House: "7", Units: "3", City: "madrid"}},
		{"123 St. Louis Ave", "Boston", Address{Street: "saint louis ave", House: "123", City: "boston"}},
		{"ул. Ленина, д. 5, кв. 7", "Москва", Address{Street: "ул ленина", House: "5", Units: "7", City: "москва"}},
		{"慈溪市解放路一百二十号", "", Address{Street: "解放路", House: "120", District: "慈溪", City: "宁波", Region: "浙江"}},
		{"昌平区锦绣路969號三楼", "", Address{Street: "锦绣路", House: "969", Units: "3", District: "昌平", City: "北京", Region: "北京"}},
		{"昌平区锦绣路969号3F", "", Address{Street: "锦绣路", House: "969", Units: "3", District: "昌平", City: "北京", Region: "北京"}},
		{"昆山市前进路5号", "", Address{Street: "前进路", House: "5", District: "昆山", City: "苏州", Region: "江苏"}},
		{"新区前进路5号", "昆山", Address{Street: "前进路", House: "5", District: "新区", City: "昆山", Region: "江苏"}},
		{"延边朝鲜族自治州延吉市河南街8号", "", Address{Street: "河南街", House: "8", District: "延吉", City: "延边", Region: "吉林"}},
		{"朝阳区建国路8号", "", Address{Street: "建国路", House: "8", District: "朝阳"}}, // Beijing and Changchun have one
		{"江苏省 南京市 江宁区，解放路 558 号", "", Address{Street: "解放路", House: "558", District: "江宁", City: "南京", Region: "江苏"}},
	} {
		if diff := cmp.Diff(tt.want, Place(tt.line, "", tt.city, "", "", "")); diff != "" {
			t.Errorf("Place(%q, %q) (-want +got):\n%s", tt.line, tt.city, diff)
		}
	}
}
