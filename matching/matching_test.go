package matching_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/block"
)

func model(t testing.TB, entity string) *matching.Model {
	t.Helper()
	m, ok := matching.StartModel(entity)
	if !ok {
		t.Fatalf("no start model for %s", entity)
	}
	return m
}

var setNames = []string{"febrl1", "fake_1000", "company_mixed_2k", "person_zh_2k"}

// checkPair holds what must hold for any two records.
func checkPair(t *testing.T, m *matching.Model, a, b *matching.Features) {
	t.Helper()
	ab, ba := m.Weigh(a, b), m.Weigh(b, a)
	if ab != ba {
		t.Fatalf("Weigh is not symmetric: %v and %v\n%v\n%v", ab, ba, m.Explain(a, b), m.Explain(b, a))
	}
	sum := int32(0)
	for _, p := range m.Explain(a, b) {
		sum += p.Weight
	}
	if sum != ab.Total {
		t.Fatalf("the parts sum to %d, the weight is %d: %v", sum, ab.Total, m.Explain(a, b))
	}
	x, vx := m.Veto(a, b)
	y, vy := m.Veto(b, a)
	if x != y || vx != vy {
		t.Fatalf("Veto is not symmetric: %q %v and %q %v", x, vx, y, vy)
	}
}

// checkRecord holds what must hold for any record.
func checkRecord(t *testing.T, m *matching.Model, f *matching.Features) {
	t.Helper()
	b := f.AppendBinary(nil)
	g, err := matching.DecodeFeatures(b)
	if err != nil {
		t.Fatalf("DecodeFeatures(AppendBinary): %v", err)
	}
	if again := g.AppendBinary(nil); !bytes.Equal(b, again) {
		t.Fatalf("decoded features encode as %q, want %q", again, b)
	}
	if diff := cmp.Diff(f.Keys(), g.Keys()); diff != "" {
		t.Fatalf("keys of decoded features (-made +decoded):\n%s", diff)
	}
	if x, y := m.Weigh(f, f), m.Weigh(g, f); x != y {
		t.Fatalf("decoded features weigh %v, made ones %v", y, x)
	}
	keys := f.Keys()
	if len(keys) > matching.MaxKeys {
		t.Fatalf("%d keys, want at most %d", len(keys), matching.MaxKeys)
	}
	for i := 1; i < len(keys); i++ {
		x, y := keys[i-1], keys[i]
		if x.Coarse > y.Coarse || x.Coarse == y.Coarse && x.Fine >= y.Fine {
			t.Fatalf("keys %d and %d are out of order or repeated: %v, %v", i-1, i, x, y)
		}
	}
	checkSome(t, f)
}

func TestAnyTwoRecordsKeepThePromises(t *testing.T) {
	for _, name := range setNames {
		set := load(t, name)
		m := model(t, set.entity)
		features := set.features()
		r := rand.New(rand.NewPCG(1, 9))
		for i, f := range features {
			checkRecord(t, m, f)
			for range 10 {
				checkPair(t, m, f, features[r.IntN(len(features))])
			}
			for j := range features {
				if set.cluster[i] == set.cluster[j] {
					checkPair(t, m, f, features[j])
				}
			}
		}
	}
}

func TestStandardiseDoesNotDependOnMapOrder(t *testing.T) {
	set := load(t, "company_mixed_2k")
	for i, f := range set.fields[:300] {
		want := matching.Standardise(set.entity, f).AppendBinary(nil)
		for range 5 {
			if got := matching.Standardise(set.entity, f).AppendBinary(nil); !bytes.Equal(got, want) {
				t.Fatalf("%v: %q, then %q", set.refs[i], want, got)
			}
		}
	}
}

func TestDecodeFeaturesRefusesOtherBytes(t *testing.T) {
	good := matching.Standardise(record.Person, record.Fields{"full_name": record.TextValue("王小明"), "birth_date": record.DateValue("1980-02-03")}).AppendBinary(nil)
	for i := range good {
		if _, err := matching.DecodeFeatures(good[:i]); err == nil {
			t.Errorf("the first %d of %d bytes are accepted", i, len(good))
		}
	}
	if _, err := matching.DecodeFeatures(append(slices.Clone(good), 0)); err == nil {
		t.Error("a byte too many is accepted")
	}
}

func TestMarks(t *testing.T) {
	f := matching.Standardise(record.Company, record.Fields{
		"country": record.TextValue("CN"),
		"ids":     record.ListValue(record.Point{Value: "91350100M000100Y43", Parts: map[string]string{"scheme": "uscc"}}, record.Point{Value: "91350100M000100Y44", Parts: map[string]string{"scheme": "uscc"}}),
		"phones":  record.ListValue(record.Point{Value: "none"}, record.Point{Value: "13800138000"}),
		"emails":  record.ListValue(record.Point{Value: "info@acme.example"}, record.Point{Value: "at home"}),
		"website": record.TextValue("our site"),
	})
	want := []matching.Mark{
		{"website", 0, "not a web address"},
		{"ids", 1, "check digit wrong"},
		{"phones", 0, "not a phone number"},
		{"emails", 0, "role address"},
		{"emails", 1, "not an email address"},
	}
	if diff := cmp.Diff(want, f.Marks()); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
}

func TestModelReadsWhatItWrote(t *testing.T) {
	for _, entity := range []string{record.Company, record.Person} {
		m := model(t, entity)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := matching.DecodeModel(b)
		if err != nil {
			t.Fatalf("%s: %v", entity, err)
		}
		b2, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, b2) {
			t.Errorf("%s: %s\nafter reading: %s", entity, b, b2)
		}
	}
}

func TestDecodeModelSaysWhatIsWrong(t *testing.T) {
	m, err := json.Marshal(model(t, record.Company))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, new, want string }{
		{`"company"`, `"ship"`, `match model: field "name": its kind is "", want one of name, text, id, code, number, date, category, phone, email, web, address, ignore`},
		{`"start-4"`, `""`, "match model: version is missing"},
		{`"trade"`, `"trades"`, `match model: unknown field "trades"`},
		{`"acronym"`, `"initials"`, `match model: field "name": level 5 is "initials", want "acronym"`},
		{`"weight":9000`, `"weight":9000000`, `match model: field "name": level "same": weight 9000000 is out of range`},
	} {
		_, err := matching.DecodeModel(bytes.Replace(m, []byte(tt.old), []byte(tt.new), 1))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s for %s: error %v, want %s", tt.new, tt.old, err, tt.want)
		}
	}
}

func TestThresholdAndProbabilityAgree(t *testing.T) {
	m := model(t, record.Company)
	for _, tt := range []struct {
		p    float64
		want int32
	}{{0.5, 0}, {0.95, 4248}, {0.6, 585}} {
		w := m.Threshold(tt.p)
		if w != tt.want {
			t.Errorf("Threshold(%v) = %d, want %d", tt.p, w, tt.want)
		}
		if p := m.Probability(w); p < tt.p || p > tt.p+0.001 {
			t.Errorf("Probability(Threshold(%v)) = %v", tt.p, p)
		}
	}
}

// TestPairs tells in words what the start models decide.
func TestPairs(t *testing.T) {
	company := func(name string, more ...string) record.Fields {
		return fieldsOf(record.Company, row("name", name, more))
	}
	person := func(given, family string, more ...string) record.Fields {
		return fieldsOf(record.Person, row("first_name", given, append(more, "last_name", family)))
	}
	for _, tt := range []struct {
		name   string
		entity string
		a, b   record.Fields
		linked bool
		veto   string
	}{
		{"legal form written differently", "company", company("Oxford Energy Ltd", "website", "oxford.co.uk"), company("Oxford Energy Limited", "website", "www.oxford.co.uk"), true, ""},
		{"Chinese and English name", "company", company("北京市先仁电机械有限公司", "website", "xianrendian.cn"), company("Beijing Xianrendian Machinery Co., Ltd.", "website", "xianrendian.cn"), true, ""},
		{"place before and within brackets", "company", company("乐兴（南京）电子有限公司", "phone", "025 8860 1816", "country", "CN"), company("南京市樂興電子有限公司", "phone", "+862588601816"), true, ""},
		{"a brand with another reading", "company", company("長行科技有限公司", "phone", "025 8860 1816"), company("Changhang Technology Co., Ltd.", "phone", "+862588601816"), true, ""},
		{"two branches", "company", company("海川貿易有限公司北京分公司", "website", "haichuan.cn"), company("海川贸易有限公司上海分公司", "website", "haichuan.cn"), false, "another branch"},
		{"branch and head office", "company", company("海川贸易有限公司", "website", "haichuan.cn"), company("海川贸易有限公司上海分公司", "website", "haichuan.cn"), false, "another branch"},
		{"holding and company", "company", company("Redline Insurance Inc", "website", "redline.com"), company("Redline Holdings Inc", "website", "redline.com"), false, "another company of the group"},
		{"集团 and what it holds", "company", company("海川集团有限公司", "website", "haichuan.cn"), company("Haichuan Trading Co., Ltd.", "website", "haichuan.cn"), false, "another company of the group"},
		{"集团 is Group", "company", company("海川集团有限公司", "website", "haichuan.cn"), company("Haichuan Group Co., Ltd.", "website", "haichuan.cn"), true, ""},
		{"a holding, mistyped", "company", company("Redline Holdings Inc", "website", "redline.com"), company("Redline Hodlings", "website", "redline.com"), true, ""},
		{"a holding with its number", "company", company("Redline Inc", "registration_no", "72-1986251", "website", "redline.com"), company("Redline Holdings Inc", "registration_no", "72-1986251"), false, ""},
		{"one branch written twice", "company", company("Redline Foods Ltd - Köln", "website", "redline.com"), company("Redline Foods (Koeln Branch)", "website", "redline.com"), true, ""},
		{"one house, two trades", "company", company("Redline Foods Ltd", "website", "redline.com", "phone", "+44 20 7946 0001", "street", "12 Oak St", "city", "Leeds"), company("Redline Textiles Ltd", "website", "redline.com", "phone", "+44 20 7946 0001", "street", "12 Oak St", "city", "Leeds"), false, ""},
		{"one house, two trades in two languages", "company", company("海川食品有限公司", "website", "haichuan.cn", "phone", "025 8860 1816"), company("Haichuan Textile Co., Ltd.", "website", "haichuan.cn", "phone", "+862588601816"), false, ""},
		{"one name in two towns", "company", company("上海海川贸易有限公司", "website", "haichuan.cn"), company("北京海川贸易有限公司", "website", "haichuan.cn"), false, ""},
		{"the next number in the register", "company", company("Redline GmbH", "registration_no", "HRB 104411", "website", "redline.com"), company("Redline AG", "registration_no", "HRB 104412", "website", "redline.com"), false, ""},
		{"name alone", "company", company("Acme Supply Inc"), company("Acme Supply Inc"), false, ""},
		{"two register numbers", "company", company("Acme Supply Inc", "registration_no", "72-1986251", "website", "acme.com"), company("Acme Supply Inc", "registration_no", "31-4455667", "website", "acme.com"), false, "different reg numbers"},
		{"nickname", "person", person("Robert", "Jones", "email", "rj@jones.example"), person("Bob", "Jones", "email", "RJ@jones.example"), true, ""},
		{"pinyin", "person", person("伟", "王", "phone", "13800138000"), person("Wei", "Wang", "phone", "+86 138 0013 8000"), true, ""},
		{"pinyin, family name first", "person", record.Fields{"full_name": record.TextValue("Wang Xiaoming"), "phones": record.ListValue(record.Point{Value: "+86 138 0013 8000"})}, person("小明", "王", "phone", "13800138000"), true, ""},
		{"pinyin in the wrong fields", "person", person("Wang", "Xiaoming", "phone", "13800138000"), person("小明", "王", "phone", "13800138000"), true, ""},
		{"a name with another reading", "person", person("Chongxing", "Shan", "phone", "13800138000"), person("重行", "單", "phone", "13800138000"), true, ""},
		{"swapped", "person", person("Freya", "Shah", "dob", "1970-12-17"), person("Shah", "Freya", "dob", "1970-12-17"), true, ""},
		{"one household", "person", person("Anna", "Smith", "street", "12 Oak St", "city", "Boston", "postcode", "02101"), person("Peter", "Smith", "street", "12 Oak Street", "city", "Boston", "postcode", "02101"), false, ""},
		{"father and son", "person", person("John", "Smith Sr", "street", "12 Oak St", "city", "Boston"), person("John", "Smith Jr", "street", "12 Oak St", "city", "Boston"), true, "different generation suffix"},
		{"born a generation apart", "person", person("John", "Smith", "dob", "1950-01-02"), person("John", "Smith", "dob", "1980-06-17"), false, "birth dates far apart"},
		{"a couple with one telephone", "person", person("Anna", "Smith", "street", "12 Oak St", "city", "Boston", "postcode", "02101", "phone", "+16147327439"), person("Peter", "Smith", "street", "12 Oak Street", "city", "Boston", "postcode", "02101", "phone", "+16147327439"), false, ""},
		{"a birth date wrong from end to end", "person", person("Amber", "Blackwell", "dob", "1986-03-25", "street", "25 Thomson St", "city", "Salisbury"), person("Amber", "Blackwell", "dob", "1916-02-11", "street", "25 Thomson St", "city", "Salisbury"), false, ""},
		{"only a name", "person", person("John", "Smith"), person("John", "Smith"), false, ""},
	} {
		m := model(t, tt.entity)
		a, b := matching.Standardise(tt.entity, tt.a), matching.Standardise(tt.entity, tt.b)
		checkPair(t, m, a, b)
		if got := m.Weigh(a, b).Total >= m.Threshold(0.95); got != tt.linked {
			t.Errorf("%s: linked %v, want %v: %v", tt.name, got, tt.linked, m.Explain(a, b))
		}
		if got, vetoed := m.Veto(a, b); vetoed != (tt.veto != "") || vetoed && got != tt.veto {
			t.Errorf("%s: veto %v %q, want %q", tt.name, vetoed, got, tt.veto)
		}
		if tt.linked && len(block.Shared(a.Keys(), b.Keys())) == 0 {
			t.Errorf("%s: no blocking key is shared", tt.name)
		}
	}
}

func TestExplainShowsTheValuesCompared(t *testing.T) {
	m := model(t, record.Company)
	a := matching.Standardise(record.Company, fieldsOf(record.Company, row("name", "Acme Foods Inc", []string{"email", "INFO@acme.com", "website", "acme.com", "phone", "614-732-7439", "country", "US"})))
	b := matching.Standardise(record.Company, fieldsOf(record.Company, row("name", "ACME Food", []string{"email", "info@acme.com", "phone", "(614) 732-7438", "country", "US"})))
	want := []matching.Part{
		{Field: "prior", Level: "any two records", Weight: -13000},
		{Field: "name", Level: "same", A: "acme", B: "acme", Weight: 9000},
		{Field: "trade", Level: "same", A: "food", B: "food", Weight: 2500},
		{Field: "phones", Level: "nearly same", A: "+16147327439", B: "+16147327438", Weight: 4000},
		{Field: "web", Level: "same address", A: "info@acme.com", B: "info@acme.com", Weight: 9500},
		{Field: "country", Level: "same", A: "US", B: "US"},
	}
	if diff := cmp.Diff(want, m.Explain(a, b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func row(column, value string, more []string) map[string]string {
	out := map[string]string{column: value}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func FuzzAnyRecord(f *testing.F) {
	f.Add("Acme & Sons (dba X) L.L.C.", "王 小明", "+86 138-0013-8000 转 12", "a@b.co", "12 Oak St, Apt 4", "91350100M000100Y43", "05/06/1978")
	f.Add("（）有限公司", "Ǆ İ ß ﷺ", "００８６", "@", "八八五号", "\x00\xff", "99999999")
	f.Fuzz(func(t *testing.T, name, person, phone, email, line, id, date string) {
		point := func(s string) record.Value {
			return record.ListValue(record.Point{Value: s, Parts: map[string]string{"line": s, "city": line, "postcode": id, "country": email, "scheme": date}})
		}
		for _, entity := range []string{record.Company, record.Person} {
			m := model(t, entity)
			one := matching.Standardise(entity, record.Fields{
				"name": record.TextValue(name), "website": record.TextValue(email), "country": record.TextValue(id), "given_name": record.TextValue(person), "family_name": record.TextValue(name),
				"birth_date": record.TextValue(date), "phones": point(phone), "emails": point(email), "addresses": point(line), "ids": point(id), "employer": record.TextValue(line),
			})
			two := matching.Standardise(entity, record.Fields{
				"name": record.TextValue(person), "legal_name": record.TextValue(name), "website": record.TextValue(line), "full_name": record.TextValue(name), "birth_date": record.TextValue(id),
				"phones": point(date), "emails": point(email), "addresses": point(name), "ids": point(id),
			})
			checkRecord(t, m, one)
			checkRecord(t, m, two)
			checkPair(t, m, one, two)
			checkPair(t, m, one, one)
		}
	})
}

func FuzzDecodeFeatures(f *testing.F) {
	f.Add(matching.Standardise(record.Company, record.Fields{"name": record.TextValue("Acme Foods Inc"), "legal_name": record.TextValue("重庆长行有限公司"), "phones": record.ListValue(record.Point{Value: "+44 20 7946 0001"})}).AppendBinary(nil))
	f.Add(matching.Standardise(record.Person, record.Fields{"full_name": record.TextValue("Ada Lovelace"), "emails": record.ListValue(record.Point{Value: "ada@example.com"})}).AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := matching.DecodeFeatures(b)
		if err != nil {
			return
		}
		x.Keys()
		x.AppendKeys(nil)
		shared := x.Share(func(v uint64) bool { return v%3 == 1 })
		for _, entity := range []string{record.Company, record.Person} {
			m := model(t, entity)
			checkPair(t, m, x, x)
			checkPair(t, m, shared, shared)
			y := matching.Standardise(entity, record.Fields{
				"name": record.TextValue("重庆长行有限公司"), "legal_name": record.TextValue("Long March Ltd"), "full_name": record.TextValue("王小明"), "birth_date": record.DateValue("1980-02-03"),
				"emails": record.ListValue(record.Point{Value: "ada@example.com"}), "phones": record.ListValue(record.Point{Value: "+44 20 7946 0001"}), "ids": record.ListValue(record.Point{Value: "12345678"}),
				"addresses": record.ListValue(record.Point{Value: "12 Oak Street, London SW1A 1AA"}), "employer": record.TextValue("Acme Ltd"),
			})
			m.Weigh(x, y) // forms that nobody made hold texts that nobody standardised: they only must not panic
			m.Weigh(y, x)
			m.Veto(x, y)
			m.Explain(x, y)
			m.Flips(x, y, 0)
		}
	})
}
