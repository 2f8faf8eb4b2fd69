package matching

import (
	"strings"
	"testing"

	"touchstone/internal/record"
)

// who makes the features of a record from "field: value" pairs.
func who(entity string, pairs ...string) *Features {
	f := record.Fields{}
	for _, p := range pairs {
		name, v, _ := strings.Cut(p, ": ")
		switch name {
		case "phones", "emails":
			f[name] = record.ListValue(record.Point{Value: v})
		case "ids":
			f[name] = record.ListValue(record.Point{Value: v, Parts: map[string]string{"scheme": "reg"}})
		case "addresses":
			f[name] = record.ListValue(record.Point{Parts: map[string]string{"line": v, "city": "Leeds", "postcode": "LS1 4AP", "country": "GB"}})
		default:
			f[name] = record.TextValue(v)
		}
	}
	return Standardise(entity, f)
}

func TestRelate(t *testing.T) {
	for _, tt := range []struct {
		name, entity string
		a, b         []string
		kind         string // "" for none
		reverse      bool
		evidence     string // fields
	}{
		{"a branch and its head", record.Company, []string{"name: 北京字节科技有限公司上海分公司", "phones: +86 21 5888 0003"}, []string{"name: 北京字节科技有限公司", "phones: +86 10 5888 0001"}, BranchOf, false, "name"},
		{"a head and its branch", record.Company, []string{"name: 北京字节科技有限公司", "website: zj.example.cn"}, []string{"name: 北京字节科技有限公司上海分公司", "website: zj.example.cn"}, BranchOf, true, "name web"},
		{"two branches", record.Company, []string{"name: 北京字节科技有限公司上海分公司"}, []string{"name: 北京字节科技有限公司深圳分公司"}, SameGroup, false, "name"},
		{"a branch of a sister firm", record.Company, []string{"name: Acme Logistics Ltd, Leeds Branch", "website: acme.example"}, []string{"name: Acme Insurance Ltd", "website: acme.example"}, SameGroup, false, "name web"},
		{"one name, two registry numbers", record.Company, []string{"name: Acme Tools Ltd", "ids: 07946001", "website: acme.example"}, []string{"name: Acme Tools Ltd", "ids: 51172233", "website: acme.example"}, SameGroup, false, "name web"},
		{"one domain, other names", record.Company, []string{"name: Acme Tools Ltd", "website: acme.example"}, []string{"name: Zenith Bakery Ltd", "website: acme.example"}, SameGroup, false, "web"},
		{"a holding by its name", record.Company, []string{"name: Acme Holdings Ltd", "addresses: 12 Mill Lane"}, []string{"name: Acme Tools Ltd", "addresses: 12 Mill Lane"}, SameGroup, false, "name addresses"},
		{"one switchboard", record.Company, []string{"name: Acme Tools Ltd", "phones: +44 113 496 0001"}, []string{"name: Zenith Bakery Ltd", "phones: +44 113 496 0001"}, SharesPhone, false, "phones"},
		{"one building, same unit", record.Company, []string{"name: Acme Tools Ltd", "addresses: 12 Mill Lane"}, []string{"name: Zenith Bakery Ltd", "addresses: 12 Mill Lane"}, SharesAddress, false, "addresses"},
		{"nothing in common", record.Company, []string{"name: Acme Tools Ltd"}, []string{"name: Zenith Bakery Ltd"}, "", false, ""},
		{"a brand that two trades use", record.Company, []string{"name: Zenith Bakery Ltd"}, []string{"name: Zenith Logistics Ltd"}, "", false, ""},
		{"one customer is no relation", record.Company, []string{"name: Acme Tools Ltd", "phones: +44 113 496 0001"}, []string{"name: ACME Tools Limited", "phones: 0113 496 0001", "country: GB"}, "", false, ""},
		{"a household", record.Person, []string{"full_name: Anna Schmidt", "addresses: 12 Mill Lane"}, []string{"full_name: Bernd Schmidt", "addresses: 12 Mill Lane"}, Household, false, "family name addresses"},
		{"father and son", record.Person, []string{"full_name: John Smith Sr", "addresses: 12 Mill Lane"}, []string{"full_name: John Smith Jr", "addresses: 12 Mill Lane"}, Household, false, "family name addresses"},
		{"one address, other family", record.Person, []string{"full_name: Anna Schmidt", "addresses: 12 Mill Lane"}, []string{"full_name: Peter Miller", "addresses: 12 Mill Lane"}, SharesAddress, false, "addresses"},
		{"one phone", record.Person, []string{"full_name: 王小明", "phones: +86 138 0013 8000"}, []string{"full_name: 李娜", "phones: +86 138 0013 8000"}, SharesPhone, false, "phones"},
		{"a family name alone", record.Person, []string{"full_name: Anna Schmidt"}, []string{"full_name: Bernd Schmidt"}, "", false, ""},
	} {
		m, _ := StartModel(tt.entity)
		a, b := who(tt.entity, tt.a...), who(tt.entity, tt.b...)
		got, is := m.Relate(a, b, m.Threshold(0.5))
		var fields []string
		for _, p := range got.Evidence {
			fields = append(fields, p.Field)
		}
		if is != (tt.kind != "") || got.Kind != tt.kind || got.Reverse != tt.reverse || strings.Join(fields, " ") != tt.evidence || is && got.Apart == "" {
			t.Errorf("%s: %v %+v by %q, want %q, reverse %v, by %q (weight %d)", tt.name, is, got, fields, tt.kind, tt.reverse, tt.evidence, m.Weigh(a, b).Total)
		}
		back, isBack := m.Relate(b, a, m.Threshold(0.5))
		if isBack != is || back.Kind != got.Kind || got.Kind == BranchOf && back.Reverse == got.Reverse || back.Apart != got.Apart {
			t.Errorf("%s: seen from the other side %+v, want the same of %+v", tt.name, back, got)
		}
	}
}

// What many share ties nobody.
func TestRelateLeavesOutWhatManyShare(t *testing.T) {
	m, _ := StartModel(record.Company)
	all := func(uint64) bool { return true }
	a := who(record.Company, "name: Acme Tools Ltd", "phones: +44 113 496 0001", "website: acme.example", "addresses: 12 Mill Lane").Share(all)
	b := who(record.Company, "name: Zenith Bakery Ltd", "phones: +44 113 496 0001", "website: acme.example", "addresses: 12 Mill Lane").Share(all)
	if got, is := m.Relate(a, b, m.Threshold(0.5)); is {
		t.Errorf("two firms at a shared switchboard, domain and address are tied: %+v", got)
	}
}
