package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The files of the demo.
const (
	crmCompanies  = "crm_companies.jsonl"
	crmContacts   = "crm_contacts.jsonl"
	deskCompanies = "desk_companies.jsonl"
	deskContacts  = "desk_contacts.jsonl"
	registryFile  = "registry.csv" // GB18030
	registerFile  = "persons.csv"
	truthFile     = "truth.csv"
	badFile       = "bad.csv"
)

// place says where a record of a source goes: the file, how its ids start, and
// the source's name in the demo configuration.
type place struct{ file, prefix, source string }

func placeOf(entity, source string) (place, error) {
	p, ok := map[string]place{
		"company crm":      {crmCompanies, "c", "crm"},
		"person crm":       {crmContacts, "p", "crm"},
		"company desk":     {deskCompanies, "o", "desk"},
		"person desk":      {deskContacts, "u", "desk"},
		"company registry": {registryFile, "REG", "registry"},
		"person registry":  {registerFile, "PER", "register"},
	}[entity+" "+source]
	if !ok {
		return p, fmt.Errorf("no place for a %s of %q", entity, source)
	}
	return p, nil
}

// registryHeader and registerHeader are the first lines of the two tables.
var (
	registryHeader = []string{"登记编号", "企业名称", "统一社会信用代码", "联系电话", "网址", "住所", "城市", "省份", "邮政编码", "国家", "行业", "从业人数"}
	registerHeader = []string{"id", "given_name", "family_name", "born", "phone", "street", "city", "region", "postcode", "country"}
)

// builder collects the files.
type builder struct {
	next   map[string]int // file → records so far
	files  map[string]*bytes.Buffer
	owners map[string]string // customer → who looks after it
	truth  [][]string
	bad    [][]string
}

// newID gives the next id of a file and the stamp that belongs to it. Three
// records share each stamp, as a bulk edit leaves them: a cursor must cope.
func (b *builder) newID(p place) (id, stamp string) {
	n := b.next[p.file]
	b.next[p.file]++
	step := 41 * time.Hour
	if p.source == "desk" {
		step = 67 * time.Hour // the smaller system lives through the same year
	}
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(n/3) * step)
	return p.prefix + strconv.Itoa(1001+n), at.Format("2006-01-02T15:04:05.000000Z")
}

func (b *builder) file(name string) *bytes.Buffer {
	if b.files[name] == nil {
		b.files[name] = &bytes.Buffer{}
	}
	return b.files[name]
}

// add puts one generated record into the file of its source.
func (b *builder) add(entity string, r row, cluster string) error {
	p, err := placeOf(entity, r["source"])
	if err != nil {
		return err
	}
	r["email"], r["website"] = safeEmail(r["email"]), safeWebsite(r["website"])
	r["owner"] = b.ownerOf(entity, cluster, r)
	id, stamp := b.newID(p)
	b.truth = append(b.truth, []string{p.source, entity, id, entity + "-" + cluster})
	if typed, odd := oddPhones[p.source+" "+id]; odd && r["phone"] == "" {
		r["phone"] = typed
	}
	switch p.file {
	case registryFile:
		return b.line(p.file, id, r["name"], r["registration_no"], r["phone"], r["website"], r["street"], r["city"], r["region"], r["postcode"], r["country"], r["industry"], r["employees"])
	case registerFile:
		return b.line(p.file, id, r["first_name"], r["last_name"], r["dob"], r["phone"], r["street"], r["city"], r["region"], r["postcode"], r["country"])
	}
	var fields string
	switch p.file {
	case crmCompanies:
		fields = members(text(r, "name registration_no email phone website street city region postcode country industry"), number("employees", r["employees"]), text(r, "owner"))
	case crmContacts:
		fields = members(text(r, "first_name last_name email phone company dob street city region postcode country owner"))
	case deskCompanies:
		fields = members(text(r, "title=name tax_id=registration_no mail=email tel=phone url=website sector=industry"), number("headcount", r["employees"]), address(r))
	case deskContacts:
		r["full_name"] = fullName(r["first_name"], r["last_name"])
		fields = members(text(r, "full_name mail=email tel=phone organisation=company born=dob"), address(r))
	}
	b.object(p.file, id, stamp, fields)
	return nil
}

// object writes one JSON line; fields are its members after id and stamp.
func (b *builder) object(file, id, stamp, fields string) {
	if fields != "" {
		fields = "," + fields
	}
	fmt.Fprintf(b.file(file), `{"id":%q,"updated_at":%q%s}`+"\n", id, stamp, fields)
}

func (b *builder) line(file string, cells ...string) error {
	w := csv.NewWriter(b.file(file))
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// members joins JSON members that are there.
func members(groups ...string) string {
	var list []string
	for _, g := range groups {
		if g != "" {
			list = append(list, g)
		}
	}
	return strings.Join(list, ",")
}

// text makes members of the columns that are not empty; "title=name" renames.
func text(r row, columns string) string {
	var list []string
	for _, c := range strings.Fields(columns) {
		name, column, renamed := strings.Cut(c, "=")
		if !renamed {
			column = name
		}
		if r[column] != "" {
			list = append(list, quote(name)+":"+quote(r[column]))
		}
	}
	return strings.Join(list, ",")
}

func number(name, value string) string {
	if _, err := strconv.Atoi(value); err != nil {
		return ""
	}
	return quote(name) + ":" + value
}

func address(r row) string {
	inner := text(r, "line=street city state=region zip=postcode country")
	if inner == "" {
		return ""
	}
	return `"address":{` + inner + "}"
}

// fullName writes a name the way a support desk does: family name first and
// without a space in Chinese.
func fullName(given, family string) string {
	if inChinese(given + family) {
		return family + given
	}
	return strings.TrimSpace(given + " " + family)
}

// quote writes a JSON string and leaves <, > and & as they are.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return strings.TrimSpace(b.String())
}

// finish puts headers on the tables, the registry into its encoding, and adds
// the two lists.
func (b *builder) finish() (map[string][]byte, error) {
	b.files[registryFile] = prefixed(registryHeader, b.file(registryFile))
	b.files[registerFile] = prefixed(registerHeader, b.file(registerFile))
	b.files[truthFile] = prefixed([]string{"source", "entity", "id", "customer"}, table(b.truth))
	b.files[badFile] = prefixed([]string{"source", "entity", "id", "why"}, table(b.bad))
	out := map[string][]byte{}
	for name, buf := range b.files {
		out[name] = buf.Bytes()
	}
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes(out[registryFile])
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", registryFile, err)
	}
	out[registryFile] = gb
	return out, nil
}

func prefixed(header []string, body *bytes.Buffer) *bytes.Buffer {
	return bytes.NewBuffer(append([]byte(strings.Join(header, ",")+"\n"), body.Bytes()...))
}

func table(rows [][]string) *bytes.Buffer {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(rows) // a buffer takes everything
	return &b
}
