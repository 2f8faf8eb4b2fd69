package demo

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/simplifiedchinese"

	"touchstone/internal/simulator"
)

// Vendors gives the demo's customers as they stand in three vendors' systems:
// the CRM's in HubSpot, the desk's in Zendesk, the registry's companies in
// GLEIF. The bad records are left out, but for values that a vendor can hold.
func Vendors() (hubspot, zendesk, gleif simulator.Seed, err error) {
	crm, desk, err := Seeds()
	if err != nil {
		return nil, nil, nil, err
	}
	if hubspot, err = asHubSpot(crm); err != nil {
		return nil, nil, nil, err
	}
	if zendesk, err = asZendesk(desk); err != nil {
		return nil, nil, nil, err
	}
	gleif, err = asGLEIF()
	return hubspot, zendesk, gleif, err
}

// vendorID turns an id of the demo (c1001) into that of a vendor's object.
func vendorID(source, entity, id string) (vendor, kind, newID string) {
	n := strings.TrimLeft(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	switch source + " " + entity {
	case "crm company":
		return "hubspot", "companies", "70" + n
	case "crm person":
		return "hubspot", "contacts", "50" + n
	case "desk company":
		return "zendesk", "organizations", "360" + n
	case "desk person":
		return "zendesk", "users", "260" + n
	case "registry company":
		if i, err := strconv.Atoi(n); err == nil && i > 0 {
			return "gleif", "lei-records", simulator.LEI(i)
		}
	}
	return "", "", ""
}

// VendorTruth is Truth for the objects of Vendors: sources hubspot, zendesk and
// gleif, with their ids.
func VendorTruth() ([]Link, error) {
	links, err := Truth()
	if err != nil {
		return nil, err
	}
	var out []Link
	for _, l := range links {
		if vendor, _, id := vendorID(l.Source, l.Entity, l.ID); vendor != "" {
			out = append(out, Link{vendor, l.Entity, id, l.Customer})
		}
	}
	return out, nil
}

// object is one record of the demo's CRM or desk.
type object map[string]any

// decode reads the records of one kind. Those with a value that no vendor's
// field can hold (a list, an object where a text belongs) are left out.
func decode(list []json.RawMessage) ([]object, error) {
	var out []object
	for _, raw := range list {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var o object
		if err := d.Decode(&o); err != nil {
			return nil, fmt.Errorf("read demo data: %w", err)
		}
		holds := true
		for k, v := range o {
			switch v := v.(type) {
			case []any:
				holds = false
			case map[string]any:
				holds = holds && k == "address"
			case string:
				holds = holds && !strings.ContainsRune(v, 0)
			}
		}
		if holds {
			out = append(out, o)
		}
	}
	return out, nil
}

// str gives a value as a text, "" for none.
func (o object) str(name string) string {
	switch v := o[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// pick renames values: "domain=website" puts website under domain. Empty ones
// are left out.
func (o object) pick(names string) map[string]any {
	m := map[string]any{}
	for _, n := range strings.Fields(names) {
		to, from, renamed := strings.Cut(n, "=")
		if !renamed {
			from = to
		}
		if v := o.str(from); v != "" {
			m[to] = v
		}
	}
	return m
}

// companyKey is what a company is found by when a person names it.
func companyKey(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name))
}

// employers says for whom the persons of a source work who do not say it
// themselves: person → company, ids of the source. Person n works for customer
// n, in every system in which that company stands.
func employers(source string) (map[string]string, error) {
	links, err := Truth()
	if err != nil {
		return nil, err
	}
	companies := map[string]string{}
	for _, l := range links {
		if l.Source == source && l.Entity == "company" && companies[l.Customer] == "" {
			companies[l.Customer] = l.ID
		}
	}
	out := map[string]string{}
	for _, l := range links {
		if l.Source == source && l.Entity == "person" {
			out[l.ID] = companies["company-"+strings.TrimPrefix(l.Customer, "person-")]
		}
	}
	return out, nil
}

func asHubSpot(crm simulator.Seed) (simulator.Seed, error) {
	companies, err := decode(crm["companies"])
	if err != nil {
		return nil, err
	}
	contacts, err := decode(crm["contacts"])
	if err != nil {
		return nil, err
	}
	b := seeds{seed: simulator.Seed{}}
	employer, employees := map[string]string{}, map[string][]any{}
	for _, o := range companies {
		_, _, id := vendorID("crm", "company", o.str("id"))
		if key := companyKey(o.str("name")); key != "" && employer[key] == "" {
			employer[key] = id
		}
	}
	type person struct {
		id, company string
		o           object
	}
	works, err := employers("crm")
	if err != nil {
		return nil, err
	}
	people := make([]person, 0, len(contacts))
	for _, o := range contacts {
		_, _, id := vendorID("crm", "person", o.str("id"))
		p := person{id, employer[companyKey(o.str("company"))], o}
		if at := works[o.str("id")]; o.str("company") == "" && at != "" {
			_, _, p.company = vendorID("crm", "company", at)
		}
		people = append(people, p)
		if p.company != "" {
			employees[p.company] = append(employees[p.company], id)
		}
	}
	for _, o := range companies {
		_, _, id := vendorID("crm", "company", o.str("id"))
		m := map[string]any{"properties": o.pick("name website phone company_email=email address=street city state=region zip=postcode country industry registration_no numberofemployees=employees")}
		if list := employees[id]; list != nil {
			m["associations"] = map[string]any{"contacts": list}
		}
		b.add("companies", id, o.str("updated_at"), m)
	}
	for i, p := range people {
		links := map[string]any{}
		if p.company != "" {
			links["companies"] = []any{p.company}
		}
		if i%8 == 0 {
			ticket := "90" + strconv.Itoa(1001+i/8)
			links["tickets"] = []any{ticket}
			about := map[string]any{"contacts": []any{p.id}}
			if p.company != "" {
				about["companies"] = []any{p.company}
			}
			subject, content := ticketText(i/8, p.o.str("first_name")+p.o.str("last_name"))
			b.add("tickets", ticket, p.o.str("updated_at"), map[string]any{"associations": about, "properties": map[string]any{
				"subject": subject, "content": content, "hs_pipeline": "0", "hs_pipeline_stage": strconv.Itoa(1 + i/8%4), "hs_ticket_priority": "MEDIUM",
			}})
		}
		b.add("contacts", p.id, p.o.str("updated_at"), map[string]any{"associations": links, "properties": p.o.pick(
			"firstname=first_name lastname=last_name email phone company date_of_birth=dob address=street city state=region zip=postcode country")})
	}
	return b.seed, b.err
}

func asZendesk(desk simulator.Seed) (simulator.Seed, error) {
	companies, err := decode(desk["companies"])
	if err != nil {
		return nil, err
	}
	contacts, err := decode(desk["contacts"])
	if err != nil {
		return nil, err
	}
	b := seeds{seed: simulator.Seed{}}
	organization := map[string]string{}
	for _, o := range companies {
		_, _, id := vendorID("desk", "company", o.str("id"))
		if key := companyKey(o.str("title")); key != "" && organization[key] == "" {
			organization[key] = id
		}
		m := o.pick("name=title")
		own := o.pick("tax_id email=mail phone=tel website=url sector headcount")
		own = o.address(own)
		m["organization_fields"] = own
		b.add("organizations", id, o.str("updated_at"), m)
	}
	works, err := employers("desk")
	if err != nil {
		return nil, err
	}
	for i, o := range contacts {
		_, _, id := vendorID("desk", "person", o.str("id"))
		m := o.pick("name=full_name email=mail phone=tel")
		if mail, ok := m["email"].(string); ok {
			m["email"] = strings.ToLower(mail)
		}
		m["user_fields"] = o.address(o.pick("organisation born"))
		org := organization[companyKey(o.str("organisation"))]
		if at := works[o.str("id")]; o.str("organisation") == "" && at != "" {
			_, _, org = vendorID("desk", "company", at)
		}
		if org != "" {
			m["organization_id"] = json.Number(org)
		}
		b.add("users", id, o.str("updated_at"), m)
		if i%6 == 0 {
			subject, text := ticketText(i/6, o.str("full_name"))
			t := map[string]any{"subject": subject, "description": text, "requester_id": json.Number(id), "status": "open", "tags": []any{"demo"}}
			if org != "" {
				t["organization_id"] = json.Number(org)
			}
			b.add("tickets", "7"+strconv.Itoa(1001+i/6), o.str("updated_at"), t)
		}
	}
	return b.seed, b.err
}

// address adds a desk record's address to m, in fields of their own.
func (o object) address(m map[string]any) map[string]any {
	if a, ok := o["address"].(map[string]any); ok {
		for k, v := range object(a).pick("street=line city region=state postcode=zip country") {
			m[k] = v
		}
	}
	return m
}

// registrar says where the companies of a country are registered (GLEIF's list
// of registration authorities).
func registrar(country string) string {
	switch country {
	case "CN":
		return "RA000172"
	case "GB":
		return "RA000585"
	case "DE":
		return "RA000242"
	case "FR":
		return "RA000189"
	}
	return "RA000602"
}

func asGLEIF() (simulator.Seed, error) {
	raw, err := read("registry.csv")
	if err != nil {
		return nil, err
	}
	utf8, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	if err != nil {
		return nil, fmt.Errorf("read demo data registry.csv: %w", err)
	}
	r := csv.NewReader(bytes.NewReader(utf8))
	r.FieldsPerRecord = -1 // one line is bad on purpose
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read demo data registry.csv: %w", err)
	}
	b := seeds{seed: simulator.Seed{}}
	for i, l := range lines[1:] {
		if len(l) != len(lines[0]) || l[1] == "" || strings.ContainsRune(strings.Join(l, ""), 0) {
			continue
		}
		_, _, lei := vendorID("registry", "company", l[0])
		o := object{"name": l[1], "registered_as": l[2], "line": l[5], "city": l[6], "region": l[7], "postcode": l[8], "country": l[9], "registered_at": registrar(l[9])}
		m := o.pick("name registered_as line city region postcode country registered_at")
		m["language"] = "en"
		if strings.ContainsFunc(l[1], func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			m["language"] = "zh"
		}
		b.add("lei-records", lei, fmt.Sprintf("2025-%02d-%02dT00:00:00Z", 1+i/28%12, 1+i%28), m)
	}
	return b.seed, b.err
}

// ticketText makes up what a customer asked for.
func ticketText(n int, who string) (subject, text string) {
	if strings.ContainsFunc(who, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		list := []string{"发票抬头有误", "请更改联系电话", "订单尚未收到", "合同续签"}
		return list[n%len(list)], "您好，" + list[n%len(list)] + "，请尽快处理。谢谢。"
	}
	list := []string{"Wrong name on the invoice", "New phone number", "Order has not arrived", "Contract renewal"}
	return list[n%len(list)], "Hello, " + strings.ToLower(list[n%len(list)]) + ". Please have a look. Thank you."
}

// seeds collects seed objects.
type seeds struct {
	seed simulator.Seed
	err  error // the first one
}

func (b *seeds) add(kind, id, at string, fields map[string]any) {
	fields["id"], fields["updated_at"] = id, at
	raw, err := json.Marshal(fields)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("make demo data %s %s: %w", kind, id, err)
	}
	b.seed[kind] = append(b.seed[kind], raw)
}
