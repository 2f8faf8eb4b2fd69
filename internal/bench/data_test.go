package bench

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

var (
	heads  = strings.Fields("Acu Bri Cor Del Ever Flex Gen Hel Inno Jet Kor Lum Max Nov Omni Pro Quan Ret Syn Tri Uni Ver West Xen Zen Blue Red Silver Iron Sky North East Summit Pioneer Clear Bright Green Stone Cross High")
	tails  = strings.Fields("tech dyne ora via ix ant co tek line point wave core gen lux mark net soft star field path bridge works peak grove land ton data sys flow link")
	trades = strings.Fields("Technologies Solutions Systems Consulting Logistics Foods Industries Manufacturing Services Capital Construction Engineering Electronics Software Media Insurance Medical Transport Energy Security Design Trading")
	forms  = []string{"Inc.", "LLC", "Ltd", "GmbH", "Corp.", "PLC", "SARL"}
	brands = []rune("华润中信达盛恒通瑞丰金鑫宏伟美佳联创新科德明海天龙腾飞翔远大正阳光辉煌宝利康泰安顺吉祥福兴旺昌")
	works  = []string{"科技", "贸易", "物流", "建材", "电子", "食品", "机械", "化工", "服饰", "医疗器械", "软件", "广告"}
	cities = [][2]string{{"上海", "200"}, {"北京", "100"}, {"深圳", "518"}, {"广州", "510"}, {"杭州", "310"}, {"成都", "610"}, {"武汉", "430"}, {"南京", "210"}}
	towns  = []string{"Boston", "Chicago", "Houston", "Leeds", "London", "Berlin", "Hamburg", "Lyon", "Dallas", "Denver", "Bristol", "Munich"}
	roads  = []string{"Oak", "Maple", "Cedar", "Main", "Lake", "Hill", "Park", "Pine", "Union", "Mill", "Market", "River"}
)

// company is one row of the made-up table.
type company struct{ name, reg, email, phone, web, street, city, region, postcode, country, industry, employees string }

// WriteCompanies writes n rows to a CSV file; a share of them are further,
// slightly wrong copies of a company that was there before. The same n and
// seed give the same bytes.
func WriteCompanies(path string, n int, copies float64, seed uint64) (err error) {
	f, err := os.Create(path) //nolint:gosec // the caller's temporary folder
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "id,name,registration_no,email,phone,website,street,city,region,postcode,country,industry,employees")
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // made-up data
	var seen []company
	for i := range n {
		var c company
		if len(seen) > 0 && r.Float64() < copies {
			c = copyOf(r, seen[r.IntN(len(seen))])
		} else {
			c = invent(r, i)
			seen = append(seen, c)
		}
		fmt.Fprintf(w, "r%07d,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n", i, c.name, c.reg, c.email, c.phone, c.web, c.street, c.city, c.region, c.postcode, c.country, c.industry, c.employees)
	}
	return w.Flush()
}

func invent(r *rand.Rand, i int) company {
	if r.IntN(2) == 0 {
		city := cities[r.IntN(len(cities))]
		brand := string([]rune{brands[r.IntN(len(brands))], brands[r.IntN(len(brands))]})
		trade := works[r.IntN(len(works))]
		web := fmt.Sprintf("b%d.example.cn", i)
		return company{
			name: city[0] + brand + trade + "有限公司", reg: fmt.Sprintf("9131%014d", i), email: "info@" + web,
			phone: fmt.Sprintf("+86 21 %08d", r.IntN(1e8)), web: "https://" + web,
			street: fmt.Sprintf("%s路%d号%d室", string(brands[r.IntN(len(brands))]), 1+r.IntN(999), 100+r.IntN(2000)), city: city[0],
			postcode: fmt.Sprintf("%s%03d", city[1], r.IntN(1000)), country: "CN", industry: trade, employees: fmt.Sprint(1 + r.IntN(5000)),
		}
	}
	trade := trades[r.IntN(len(trades))]
	brand := heads[r.IntN(len(heads))] + tails[r.IntN(len(tails))]
	web := fmt.Sprintf("%s%d.example.com", strings.ToLower(brand), i)
	return company{
		name: brand + " " + trade + " " + forms[r.IntN(len(forms))], email: "contact@" + web,
		phone: fmt.Sprintf("+1 %03d 555 %04d", 200+r.IntN(700), r.IntN(10000)), web: web,
		street: fmt.Sprintf("%d %s Street", 1+r.IntN(9999), roads[r.IntN(len(roads))]), city: towns[r.IntN(len(towns))],
		postcode: fmt.Sprintf("%05d", 10000+r.IntN(89999)), country: "US", industry: trade, employees: fmt.Sprint(1 + r.IntN(5000)),
	}
}

// copyOf is another record of the same company: something is missing, something
// is misspelt.
func copyOf(r *rand.Rand, c company) company {
	for range 1 + r.IntN(3) {
		switch r.IntN(6) {
		case 0:
			c.phone = ""
		case 1:
			c.email = "sales" + c.email[strings.IndexByte(c.email, '@'):]
		case 2:
			c.street, c.postcode = "", ""
		case 3:
			c.web = ""
		case 4:
			c.reg = ""
		default:
			name := []rune(c.name)
			at := r.IntN(len(name) - 1)
			name[at], name[at+1] = name[at+1], name[at]
			c.name = string(name)
		}
	}
	return c
}
