package main

import "fmt"

// badObject is a record that a real system would hand over without blushing.
type badObject struct{ source, entity, why, fields string }

var badObjects = []badObject{
	{"crm", "company", "name missing", `"email":"info@nameless.example","city":"Leeds"`},
	{"crm", "company", "name null", `"name":null,"phone":"020 7946 0991"`},
	{"crm", "company", "name blank", `"name":"   ","website":"blank.example"`},
	{"crm", "company", "NUL byte in name", `"name":"Zero\u0000Byte Ltd","city":"Hull"`},
	{"crm", "company", "negative employees", `"name":"Minus Five Ltd","employees":-5`},
	{"crm", "company", "number of ten million digits", `"name":"Astronomical Inc","employees":1e10000000`},
	{"crm", "company", "employees not a number", `"name":"Manifold Corp","employees":"many"`},
	{"crm", "company", "name an object", `"name":{"first":"Two","last":"Parts"}`},
	{"crm", "company", "name a list", `"name":["One","Two"],"country":"GB"`},
	{"crm", "person", "impossible birth date", `"first_name":"Leap","last_name":"Never","dob":"1990-02-31"`},
	{"crm", "person", "birth date of zeros", `"first_name":"Null","last_name":"Stunde","dob":"0000-00-00"`},
	{"crm", "person", "no name", `"email":"nobody@nameless.example"`},
	{"crm", "person", "NUL byte in name", `"first_name":"Nul\u0000","last_name":"Byte"`},
	{"crm", "person", "name a list", `"first_name":"List","last_name":["A","B"]`},
	{"desk", "company", "title missing", `"mail":"hello@untitled.example"`},
	{"desk", "company", "negative headcount", `"title":"Nobody There GmbH","headcount":-1`},
	{"desk", "company", "number of ten million digits", `"title":"大数有限公司","headcount":1e10000000`},
	{"desk", "person", "impossible birth date", `"full_name":"Ada Février","born":"1985-02-30"`},
	{"desk", "person", "name null", `"full_name":null,"tel":"+1 555 0100"`},
}

// badLines are whole lines of the two tables, after the id.
var badLines = []struct{ source, entity, why, rest string }{
	{"registry", "company", "too many columns", "多列有限公司,91310000MA1K00000X,,,上海市静安区南京西路1号,上海,上海,200040,CN,贸易,12,多余,更多"},
	{"registry", "company", "NUL byte in name", "空\x00字节有限公司,,,,,北京,北京,100000,CN,,"},
	{"registry", "company", "name missing", ",91110000MA0000000X,,,,北京,北京,100000,CN,,8"},
	{"registry", "company", "negative employees", "负员工有限公司,,,,,广州,广东,510000,CN,,-20"},
	{"registry", "company", "employees not a number", "若干人有限公司,,,,,深圳,广东,518000,CN,,若干"},
	{"register", "person", "impossible birth date", "Monat,Dreizehn,1979-13-45,,,Köln,,50667,DE"},
}

// addBad appends the bad records, each with an id of its own, and lists them.
func (b *builder) addBad() error {
	for _, o := range badObjects {
		p, err := placeOf(o.entity, o.source)
		if err != nil {
			return err
		}
		id, stamp := b.newID(p)
		b.object(p.file, id, stamp, o.fields)
		b.bad = append(b.bad, []string{p.source, o.entity, id, o.why})
	}
	for _, l := range badLines {
		p, err := placeOf(l.entity, "registry")
		if err != nil {
			return err
		}
		id, _ := b.newID(p)
		fmt.Fprintf(b.file(p.file), "%s,%s\n", id, l.rest)
		b.bad = append(b.bad, []string{l.source, l.entity, id, l.why})
	}
	return nil
}
