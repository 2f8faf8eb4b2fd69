package dedupe_test

import (
	"fmt"
	"strings"
	"testing"

	"touchstone/internal/dedupe"
	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/live"
)

// house makes the records of ten groups. Each group's companies share brand,
// domain, telephone and address; each company stands twice, as the desk and as
// the register write it. The last column says which company a row is.
func house() [][]string {
	rows := [][]string{{"id", "name", "registration_no", "email", "phone", "website", "street", "city", "postcode", "country", "entity"}}
	latin := strings.Fields("Kestrel Brankow Ostermann Vellmore Tarkwin Lindqvara")
	han := strings.Fields("凯斯特 博朗科 维尔摩 塔克文")
	domains := strings.Fields("kestrel.example brankow.example ostermann.example vellmore.example tarkwin.example lindqvara.example kaisite.example bolangke.example weiermo.example takewen.example")
	streets := strings.Fields("Hafenweg Ulmenallee Kirchgasse Domplatz Rosenstieg Auwiesen 人民路 中山北路 解放大道 学院街")
	for g, brand := range append(latin, han...) {
		domain := domains[g]
		number := 104410 + 37219*g // the companies of a group stand one after the other in the register
		add := func(desk, register string, numbered bool) {
			number++
			no := ""
			if numbered {
				no = fmt.Sprintf("HRB %d", number)
			}
			entity := fmt.Sprintf("%s %d", brand, number)
			street, city, post, country := fmt.Sprintf("%s %d", streets[g], 10+7*g), "Hamburg", fmt.Sprintf("20%d", 111+97*g), "DE"
			if g >= len(latin) {
				street, city, post, country = fmt.Sprintf("%s%d号", streets[g], 10+7*g), "南京", fmt.Sprintf("210%d", 111+97*g), "CN"
			}
			phone := fmt.Sprintf("+49 40 %d", 5512300+71839*g)
			rows = append(rows,
				[]string{fmt.Sprintf("d%d", len(rows)), desk, "", "info@" + domain, phone, "www." + domain, "", "", "", country, entity},
				[]string{fmt.Sprintf("r%d", len(rows)), register, no, "", phone, domain, street, city, post, country, entity},
				[]string{fmt.Sprintf("c%d", len(rows)), desk, no, "info@" + domain, phone, domain, street, city, post, country, entity})
		}
		if g >= len(latin) {
			for _, n := range [][2]string{
				{"集团有限公司", "集團有限公司"}, {"食品有限公司", "食品有限责任公司"}, {"物流有限公司", "物流有限公司"}, {"物流有限公司苏州分公司", "物流有限公司蘇州分公司"}, {"投资控股有限公司", "投资控股有限公司"},
			} {
				add("南京"+brand+n[0], brand+"（南京）"+n[1], n[0] != "投资控股有限公司")
			}
			add("北京"+brand+"食品有限公司", "北京市"+brand+"食品有限公司", true)
			continue
		}
		for _, n := range [][2]string{
			{" Holding GmbH", " Holding Gesellschaft mit beschränkter Haftung"},
			{" Foods GmbH", " FOODS GMBH"},
			{" Logistik GmbH", " LOGISTIK GMBH"},
			{" Logistik GmbH Niederlassung Köln", " LOGISTIK GMBH NIEDERLASSUNG KOELN"},
			{" Verwaltungs-GmbH", " VERWALTUNGS GMBH"},
			{" Immobilien GmbH & Co. KG", " IMMOBILIEN GMBH & CO KG"},
		} {
			add(brand+n[0], strings.ToUpper(brand)+n[1], n[0] != " Verwaltungs-GmbH")
		}
	}
	return rows
}

// Companies of one house are never one customer, and what is one of them is
// found: whatever the learnt weights and the start model say.
func TestHouseholdsOfCompaniesStayApart(t *testing.T) {
	rows := house()
	entity := map[string]string{}
	plain := make([][]string, len(rows))
	for i, r := range rows {
		plain[i] = r[:len(r)-1]
		entity[r[0]] = r[len(r)-1]
	}
	tab, res := table(t, dedupe.Options{ID: "id", Entity: "company", Workers: 2}, plain...)
	clusters := map[string]int{}
	for id, c := range byID(tab, res) {
		clusters[id] = c
	}
	wantApart(t, "dedupe", rows, clusters)

	m, _ := matching.StartModel(record.Company)
	l := live.New(live.Config{Model: m, Link: m.Threshold(0.95)})
	for _, r := range rows[1:] {
		l.Upsert(record.Ref{Source: "house", Entity: record.Company, ID: r[0]}, matching.Standardise(record.Company, houseFields(r)))
	}
	clusters = map[string]int{}
	for c, group := range l.Partition() {
		for _, ref := range group {
			clusters[ref.ID] = c
		}
	}
	wantApart(t, "start model", rows, clusters)
}

func houseFields(r []string) record.Fields {
	f := record.Fields{"name": record.TextValue(r[1]), "website": record.TextValue(r[5]), "country": record.TextValue(r[9])}
	list := func(field, value string, parts map[string]string) {
		if value != "" || parts != nil && parts["line"] != "" {
			f[field] = record.ListValue(record.Point{Value: value, Parts: parts})
		}
	}
	list("ids", r[2], map[string]string{"scheme": "registration_no"})
	list("emails", r[3], nil)
	list("phones", r[4], nil)
	list("addresses", "", map[string]string{"line": r[6], "city": r[7], "postcode": r[8]})
	return f
}

// wantApart: no cluster holds two companies, and few stand in two.
func wantApart(t *testing.T, how string, rows [][]string, clusters map[string]int) {
	t.Helper()
	first, name := map[int]int{}, 1
	parts := map[string]map[int]bool{}
	for i, r := range rows[1:] {
		c := clusters[r[0]]
		e := r[len(r)-1]
		if parts[e] == nil {
			parts[e] = map[int]bool{}
		}
		parts[e][c] = true
		if at, ok := first[c]; ok && rows[at][len(r)-1] != e {
			t.Errorf("%s: %q (%s) and %q (%s) are one customer", how, rows[at][name], rows[at][2], r[name], r[2])
		} else if !ok {
			first[c] = i + 1
		}
	}
	whole := 0
	for _, p := range parts {
		if len(p) == 1 {
			whole++
		}
	}
	if whole*10 < len(parts)*9 {
		t.Errorf("%s: %d of %d companies are found whole, want 9 of 10", how, whole, len(parts))
	}
	t.Logf("%s: %d companies, %d whole", how, len(parts), whole)
}
