package dedupe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// Meaning is what a column holds.
type Meaning string

// The meanings. Those of the first group are fields of a company or a person,
// compared with what is known of them; those of the second are kinds of value,
// compared by their shape.
const (
	OrgName   Meaning = "name"
	LegalName Meaning = "legal_name"
	Alias     Meaning = "alias"
	Given     Meaning = "given_name"
	Family    Meaning = "family_name"
	Full      Meaning = "full_name"
	Birth     Meaning = "birth_date"
	Employer  Meaning = "employer"
	Email     Meaning = "email"
	Phone     Meaning = "phone"
	Website   Meaning = "website"
	House     Meaning = "house_number"
	Street    Meaning = "street"
	District  Meaning = "district"
	City      Meaning = "city"
	Region    Meaning = "region"
	Postcode  Meaning = "postcode"
	Country   Meaning = "country"
	Number    Meaning = "id_number" // an official number: registration, tax, social security

	Code     Meaning = "code"
	Text     Meaning = "text"
	LongText Meaning = "long_text"
	Figure   Meaning = "number"
	Date     Meaning = "date"
	List     Meaning = "list"
	Category Meaning = "category"

	RowID  Meaning = "id"     // names the row: never compared
	Source Meaning = "source" // where the row is from: never compared
	Ignore Meaning = "ignore"
	Empty  Meaning = "empty"
)

// Meanings lists what --map takes.
func Meanings() []Meaning {
	return []Meaning{
		OrgName, LegalName, Alias, Given, Family, Full, Birth, Employer, Email, Phone, Website, House, Street, District, City, Region, Postcode, Country, Number,
		Code, Text, LongText, Figure, Date, List, Category, RowID, Source, Ignore,
	}
}

// Read is what a column was taken for, and why.
type Read struct {
	Column   string  `json:"column"`
	Meaning  Meaning `json:"meaning"`
	Evidence string  `json:"evidence"`
	Filled   float64 `json:"filled"`   // share of rows with a value
	Distinct int     `json:"distinct"` // values
	legal    float64 // share of values with a legal form
}

// blank says whether a value only stands for none.
func blank(s string) bool {
	if len(s) > longestBlank {
		return false
	}
	if s == "" {
		return true
	}
	switch s[0] { // few others come this far
	case '-', '?', '#', '(', '\\', 'n', 'N', 'u', 'U', "无"[0], "未"[0], "暂"[0]:
	default:
		return false
	}
	switch strings.ToLower(s) {
	case "-", "--", "n/a", "na", "null", "none", "nan", "nil", "\\n", "?", "unknown", "无", "未知", "暂无", "#n/a", "(null)":
		return true
	}
	return false
}

// longestBlank: none of them is longer, in any case of its letters (a Kelvin
// sign is three bytes, and a k in lower case).
const longestBlank = 9

// profile is what the values of a column look like.
type profile struct {
	filled, distinct                                                int
	email, web, date, number, digits, phone, legal, coded, official float64
	words, runes                                                    float64 // mean
	list                                                            float64 // share with a list separator
}

// maxSample is how many distinct values are looked at: the first by their hash.
// A share is then known within 2 or 3 %.
const maxSample = 500

func profiled(c *Column) profile {
	p := profile{}
	sample := c.sample(&p)
	for _, code := range sample {
		p.look(c.value(code))
	}
	n := float64(max(len(sample), 1))
	for _, x := range []*float64{&p.email, &p.web, &p.date, &p.number, &p.digits, &p.phone, &p.legal, &p.coded, &p.official, &p.words, &p.runes, &p.list} {
		*x /= n
	}
	return p
}

// sample counts the column's values, and chooses those to be looked at.
func (c *Column) sample(p *profile) []uint32 {
	held := make([]uint32, c.values()) // by code, how many rows
	for row := range c.codes.len() {
		held[c.codes.at(row)]++
	}
	var all []uint64 // hashes, where a value may have several codes
	if c.loose {
		all = make([]uint64, 0, len(held))
	}
	var chosen []hashed
	most := ^uint64(0) // the hash from which none will be chosen
	for code, n := range held {
		v := c.value(uint32(code))
		if n == 0 || blank(v) {
			continue
		}
		p.filled += int(n)
		h := hash(v)
		if c.loose {
			all = append(all, h)
		} else {
			p.distinct++
		}
		if h > most {
			continue
		}
		if chosen = append(chosen, hashed{h, uint32(code)}); len(chosen) == 4*maxSample {
			if chosen = lowest(chosen); len(chosen) == maxSample {
				most = chosen[maxSample-1].hash
			}
		}
	}
	if c.loose {
		p.distinct = distinct(all)
	}
	var codes []uint32
	for _, x := range lowest(chosen) {
		codes = append(codes, x.code)
	}
	return codes
}

type hashed struct {
	hash uint64
	code uint32
}

// lowest gives those of the lowest hashes, of each the first.
func lowest(xs []hashed) []hashed {
	slices.SortFunc(xs, func(a, b hashed) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.code, b.code)) })
	xs = slices.CompactFunc(xs, func(a, b hashed) bool { return a.hash == b.hash })
	return xs[:min(len(xs), maxSample)]
}

func (p *profile) look(v string) {
	add := func(x *float64, yes bool) {
		if yes {
			*x++
		}
	}
	digits, letters := 0, 0
	for _, r := range v {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	if strings.Contains(v, "@") || strings.Contains(v, "＠") {
		_, domain, note := standardise.Email(v)
		add(&p.email, domain != "" && note != "domain without a dot")
	}
	low := strings.ToLower(v)
	add(&p.web, strings.HasPrefix(low, "http") || strings.HasPrefix(low, "www.") || !strings.ContainsAny(v, " @") && !startsDigit(v) && standardise.Domain(v) != "")
	d := ""
	if len(v) >= 8 && len(v) <= 25 {
		d, _ = standardise.Date(v)
	}
	add(&p.date, d != "")
	_, isNumber := figure(v)
	add(&p.number, isNumber)
	add(&p.digits, digits > 0 && letters == 0)
	add(&p.phone, digits >= 7 && digits <= 15 && letters == 0 && (strings.HasPrefix(v, "+") || strings.ContainsAny(v, "()- ./") && d == "" && !isNumber))
	add(&p.coded, digits > 0 && len(v) <= 20 && !strings.Contains(v, " "))
	if len(v) >= officialLen && digits > 0 {
		id, _ := standardise.Identifier("", v)
		add(&p.official, id.Checked && len(id.Value) >= officialLen)
	}
	if letters > 0 {
		o, _ := standardise.Organisation(v)
		add(&p.legal, o.Form != "")
	}
	p.words += float64(len(strings.Fields(standardise.Fold(v))))
	p.runes += float64(utf8.RuneCountInString(v))
	add(&p.list, strings.Contains(v, "**") || strings.Count(v, ";") >= 1 || strings.Count(v, "|") >= 1 || strings.Count(v, ",") >= 2 || strings.Count(v, "、") >= 1)
}

// officialLen is from where on a check digit alone proves an official number.
const officialLen = 18

func startsDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// Recognise says what each column means: by its name and its values. mapped
// corrects it, column name → meaning. An unknown column or meaning is an error.
func Recognise(t *Table, mapped map[string]string, id string) ([]Read, error) {
	for name, m := range mapped {
		if t.Column(name) == nil {
			return nil, usage("there is no column %q; the columns are %s", name, strings.Join(t.columnNames(), ", "))
		}
		if !slices.Contains(Meanings(), Meaning(m)) {
			return nil, usage("column %s: %q is no meaning; use one of %s", name, m, joined(Meanings()))
		}
	}
	if id != "" && t.Column(id) == nil {
		return nil, usage("there is no column %q for the id; the columns are %s", id, strings.Join(t.columnNames(), ", "))
	}
	var out []Read
	for _, c := range t.Columns {
		p := profiled(c)
		r := Read{Column: c.Name, Distinct: p.distinct, Filled: float64(p.filled) / float64(max(t.Rows(), 1)), legal: p.legal}
		switch m, ok := mapped[c.Name]; {
		case c.Name == id:
			r.Meaning, r.Evidence = RowID, "given by --id"
		case ok:
			r.Meaning, r.Evidence = Meaning(m), "given by --map"
		default:
			r.Meaning, r.Evidence = meant(c.Name, p)
		}
		out = append(out, r)
	}
	settleNames(out)
	return out, nil
}

func (t *Table) columnNames() []string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}

func joined(ms []Meaning) string {
	var out []string
	for _, m := range ms {
		out = append(out, string(m))
	}
	return strings.Join(out, ", ")
}

// meant judges one column: what its values prove goes before what its name
// says, and the name before their shape.
func meant(name string, p profile) (Meaning, string) {
	named, word := byName(name)
	switch {
	case p.filled == 0:
		return Empty, "no values"
	case named == RowID:
		if p.distinct == p.filled {
			return RowID, fmt.Sprintf("named %q, every value once", word)
		}
	case p.official >= 0.5:
		return Number, share(p.official, "numbers with a right check digit")
	case p.email >= 0.6:
		return Email, share(p.email, "e-mail addresses")
	case named == Phone && p.digits >= 0.5, named == "" && p.phone >= 0.8:
		return Phone, also(word, share(max(p.phone, p.digits), "phone numbers"))
	case named == Birth && p.date >= 0.3, named == Date && p.date >= 0.3:
		return named, also(word, share(p.date, "dates"))
	case named == Website && p.web >= 0.5, named == "" && p.web >= 0.8 && p.number < 0.2:
		return Website, also(word, share(p.web, "web addresses"))
	case named == Email, named == Phone, named == Birth, named == Date, named == Website: // the values say otherwise
	case named != "":
		return named, fmt.Sprintf("named %q", word)
	}
	return byShape(p)
}

func also(word, values string) string {
	if word == "" {
		return values
	}
	return fmt.Sprintf("named %q, %s", word, values)
}

func share(x float64, what string) string { return fmt.Sprintf("%.0f %% are %s", 100*x, what) }

func byShape(p profile) (Meaning, string) {
	switch {
	case p.date >= 0.8 && p.words <= 4:
		return Date, share(p.date, "dates")
	case p.distinct <= 20 && p.filled >= 20*p.distinct, p.distinct == 1:
		return Category, fmt.Sprintf("%d values only", p.distinct)
	case p.number >= 0.9:
		return Figure, share(p.number, "numbers")
	case p.list >= 0.4:
		return List, share(p.list, "lists")
	case p.legal >= 0.3:
		return OrgName, share(p.legal, "names with a legal form")
	case p.digits >= 0.8, p.coded >= 0.8:
		return Code, share(max(p.digits, p.coded), "short and hold digits")
	case p.runes > 40 || p.words > 6:
		return LongText, fmt.Sprintf("%.0f words on average", p.words)
	}
	return Text, fmt.Sprintf("%.1f words on average", p.words)
}

// settleNames reads a lone "name" by what stands beside it.
func settleNames(rs []Read) {
	has := func(ms ...Meaning) bool {
		return slices.ContainsFunc(rs, func(r Read) bool { return slices.Contains(ms, r.Meaning) })
	}
	if !has(Given, Family, Birth) {
		for i := range rs {
			if rs[i].Meaning == Employer && !has(Full, OrgName) && rs[i].Evidence != "given by --map" { // "company" without a person is the company
				rs[i].Meaning = OrgName
			}
		}
		return
	}
	for i := range rs {
		if rs[i].Meaning == OrgName && rs[i].Evidence != "given by --map" {
			if n, _ := byName(rs[i].Column); n == OrgName && !strings.Contains(strings.ToLower(rs[i].Column), "compan") {
				rs[i].Meaning = Full
			} else {
				rs[i].Meaning = Employer
			}
			rs[i].Evidence += ", beside a person's"
		}
	}
}

// EntityOf says what the rows are: persons, companies, or other things.
func EntityOf(rs []Read) string {
	n := map[Meaning]int{}
	for _, r := range rs {
		n[r.Meaning]++
	}
	switch {
	case n[Given]+n[Family]+n[Full]+n[Birth] > 0:
		return record.Person
	case n[LegalName]+n[Number] > 0 && n[OrgName]+n[LegalName] > 0, n[OrgName] > 0 && slices.ContainsFunc(rs, func(r Read) bool { return r.Meaning == OrgName && r.legal >= 0.2 }):
		return record.Company
	}
	return Other
}

// Other is the entity of rows that are neither persons nor companies.
const Other = "other"
