package simulator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MostCustomers bounds Synthetic.
const MostCustomers = 200_000

// Customers are made-up customers as three systems hold them.
type Customers struct {
	HubSpot, Zendesk, GLEIF Seed
	Truth                   []SameAs
}

// SameAs says which customer an object stands for.
type SameAs struct{ System, Kind, ID, Customer string }

// Synthetic makes n companies and n persons, half of them Chinese. Each person
// works for the company of the same number. HubSpot holds all; Zendesk holds
// two of three, written differently, sometimes misspelt; GLEIF holds every
// second company by its legal name. One HubSpot contact of nine stands there
// twice. The same n and salt give the same bytes.
func Synthetic(n int, salt uint64) (Customers, error) {
	if n < 1 || n > MostCustomers {
		return Customers{}, fmt.Errorf("make customers: %d, want 1 to %d", n, MostCustomers)
	}
	m := &maker{n: n, out: Customers{HubSpot: Seed{}, Zendesk: Seed{}, GLEIF: Seed{}}}
	for i := range n {
		m.dice = dice(salt*0x9e3779b97f4a7c15 + uint64(i) + 1)
		m.company(i)
		m.person(i)
	}
	return m.out, m.err
}

// dice is a splitmix64 generator (Steele, Lea, Flood 2014): made-up data needs
// no good randomness, but the same on every machine.
type dice uint64

func (d *dice) roll(n int) int {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

func pick[T any](d *dice, list []T) T { return list[d.roll(len(list))] }

// maker collects the customers; the fields below out are those of the customer
// at hand.
type maker struct {
	n    int
	dice dice
	out  Customers
	err  error

	zh                       bool
	firm, legal, host, phone string
}

func words(s string) []string { return strings.Fields(s) }

func (m *maker) company(i int) {
	d := &m.dice
	m.zh = i%2 == 1
	city, country, line, postcode := "", "", "", ""
	if m.zh {
		city = pick(d, words("上海 北京 深圳 广州 杭州 苏州 成都 武汉"))
		core := pick(d, words("美跃 鑫中 润达 天丰 宏远 安龙 来石 动水 华信 金桥 东升 瑞康")) + pick(d, words("安 盛 泰 和 源 通 达 兴"))
		trade := pick(d, words("科技 贸易 包装材料 建筑工程 服饰 电气设备 软件 医药"))
		m.firm, m.legal = core+trade, city+core+trade+"有限公司"
		country, line, postcode = "CN", pick(d, words("南京西路 人民大街 解放路 高新南路 中山东路"))+strconv.Itoa(1+d.roll(900))+"号", strconv.Itoa(200000+d.roll(300000))
		m.phone = "+86 21 5" + fmt.Sprintf("%07d", i)
	} else {
		city = pick(d, words("London Leeds Bristol Hull Oxford York"))
		core := pick(d, words("North Bright Summit Clear Silver Green Iron Blue Cor Nov Flex Star")) + pick(d, words("tech line data ridge field gate sys stone works path"))
		trade := pick(d, words("Software Catering Engineering Logistics Properties Supply Chemicals Textiles"))
		m.firm, m.legal = core+" "+trade, core+" "+trade+" "+pick(d, []string{"Limited", "Ltd", "PLC"})
		country, line, postcode = "GB", strconv.Itoa(1+d.roll(300))+" "+pick(d, words("High Station Church Mill Park"))+" Street", fmt.Sprintf("LS%d %dAB", 1+d.roll(20), d.roll(10))
		m.phone = "+44 20 7" + fmt.Sprintf("%07d", i)
	}
	m.host = "c" + strconv.Itoa(i) + ".example"
	customer := "company-" + strconv.Itoa(i)
	id := "70" + strconv.Itoa(firstID+i)
	m.add(m.out.HubSpot, "hubspot", hsCompanies, id, i, customer, map[string]any{
		"properties":   map[string]any{"name": m.firm, "domain": m.host, "phone": m.phone, "address": line, "city": city, "zip": postcode, "country": country},
		"associations": map[string]any{"contacts": []any{"50" + strconv.Itoa(firstID+i)}},
	})
	if i%3 != 2 {
		name := m.legal
		if i%5 == 0 {
			name = misspell(d, name)
		}
		m.add(m.out.Zendesk, "zendesk", zdOrgs, "360"+strconv.Itoa(firstID+i), i, customer, map[string]any{
			"name": name, "domain_names": []any{m.host}, "organization_fields": map[string]any{"phone": m.phone, "street": line, "city": city, "postcode": postcode, "country": country},
		})
	}
	if i%4 < 2 {
		language := "en"
		if m.zh {
			language = "zh"
		}
		m.add(m.out.GLEIF, "gleif", leiRecords, LEI(i+1), i, customer, map[string]any{
			"name": strings.ToUpper(m.legal), "language": language, "line": line, "city": city, "postcode": postcode, "country": country,
			"registered_as": fmt.Sprintf("%08d", 1000000+i), "registered_at": map[bool]string{true: "RA000172", false: "RA000585"}[m.zh],
		})
	}
}

func (m *maker) person(i int) {
	d := &m.dice
	given, family := pick(d, words("Ada Grace Alan Mary John Emma Oliver Ruth Peter Jane")), pick(d, words("Lovelace Hopper Turing Shelley Smith Jones Taylor Walker Wright Green"))
	full := given + " " + family
	if m.zh {
		given, family = pick(d, words("伟 芳 娜 敏 静 丽 强 磊 洋 艳"))+pick(d, words("华 明 军 平 东 红")), pick(d, words("王 李 张 刘 陈 杨 赵 黄 周 吴"))
		full = family + given
	}
	mail := "p" + strconv.Itoa(i) + "@" + m.host
	customer := "person-" + strconv.Itoa(i)
	id := "50" + strconv.Itoa(firstID+i)
	props := map[string]any{"firstname": given, "lastname": family, "email": mail, "phone": m.phone, "company": m.firm}
	links := map[string]any{"companies": []any{"70" + strconv.Itoa(firstID+i)}}
	if i%10 == 0 {
		ticket := "90" + strconv.Itoa(firstID+i)
		links["tickets"] = []any{ticket}
		m.add(m.out.HubSpot, "hubspot", hsTickets, ticket, i, "", map[string]any{
			"properties": map[string]any{"subject": "Order " + strconv.Itoa(i), "hs_pipeline": "0", "hs_pipeline_stage": "1"}, "associations": map[string]any{"contacts": []any{id}},
		})
	}
	m.add(m.out.HubSpot, "hubspot", hsContacts, id, i, customer, map[string]any{"properties": props, "associations": links})
	if i%9 == 0 { // entered a second time, without the address that would have told
		m.add(m.out.HubSpot, "hubspot", hsContacts, "50"+strconv.Itoa(firstID+m.n+i), i, customer, map[string]any{
			"properties": map[string]any{"firstname": given, "lastname": misspell(d, family), "phone": m.phone, "company": m.firm},
		})
	}
	if i%3 == 2 {
		return
	}
	if i%4 == 1 {
		full = misspell(d, full)
	}
	user := "260" + strconv.Itoa(firstID+i)
	m.add(m.out.Zendesk, "zendesk", zdUsers, user, i, customer, map[string]any{
		"name": full, "email": mail, "phone": strings.ReplaceAll(m.phone, " ", ""), "organization_id": json.Number("360" + strconv.Itoa(firstID+i)),
	})
	if i%6 == 0 {
		m.add(m.out.Zendesk, "zendesk", zdTix, "7"+strconv.Itoa(firstID+i), i, "", map[string]any{
			"subject": "Invoice " + strconv.Itoa(i), "description": "Please send it again.", "requester_id": json.Number(user), "organization_id": json.Number("360" + strconv.Itoa(firstID+i)),
		})
	}
}

// misspell swaps two neighbours in the middle, or leaves one out.
func misspell(d *dice, s string) string {
	r := []rune(s)
	if len(r) < 3 {
		return s
	}
	at := 1 + d.roll(len(r)-2)
	if len(r) > 5 && d.roll(2) == 0 {
		return string(append(r[:at:at], r[at+1:]...))
	}
	r[at], r[at+1] = r[at+1], r[at]
	return string(r)
}

// add writes one seed object. Three share each stamp, as a bulk edit leaves
// them; an empty customer is none.
func (m *maker) add(seed Seed, system, kind, id string, i int, customer string, fields map[string]any) {
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(i/3) * time.Minute)
	fields["id"], fields["updated_at"], fields["created_at"] = id, at.Format(time.RFC3339), at.AddDate(-1, 0, 0).Format(time.RFC3339)
	raw, err := json.Marshal(fields)
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("make customers: %w", err)
	}
	seed[kind] = append(seed[kind], raw)
	if customer != "" {
		m.out.Truth = append(m.out.Truth, SameAs{system, kind, id, customer})
	}
}
