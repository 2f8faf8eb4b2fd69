package file

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCSVTakesWhatCustomersWrite(t *testing.T) {
	at := func(line string) string { return "a.csv line " + line }
	tests := []struct {
		name, text string
		opts       Options
		want       []shown
	}{
		{"plain", "id,name\n1,Acme\n2,贝塔\n", Options{}, []shown{{`{"id":"1","name":"Acme"}`, at("2"), ""}, {`{"id":"2","name":"贝塔"}`, at("3"), ""}}},
		{"CRLF and no end of line at the end", "id,name\r\n1,Acme\r\n2,Beta", Options{}, []shown{{`{"id":"1","name":"Acme"}`, at("2"), ""}, {`{"id":"2","name":"Beta"}`, at("3"), ""}}},
		{"CR alone", "id,name\r1,\"A\rB\"\r2,Beta\r", Options{}, []shown{{`{"id":"1","name":"A\rB"}`, at("2"), ""}, {`{"id":"2","name":"Beta"}`, at("4"), ""}}},
		{"a CR inside a line of a file with LF is text", "id,name\n1,A\rB\n", Options{}, []shown{{`{"id":"1","name":"A\rB"}`, at("2"), ""}}},
		{"doubled quotes, delimiters and line breaks in quotes", "id,name\n1,\"A \"\"x\"\", B\r\nC\"\n2,\"\"\n3,\"\"\"\"\n", Options{}, []shown{
			{`{"id":"1","name":"A \"x\", B\r\nC"}`, at("2"), ""}, {`{"id":"2","name":""}`, at("4"), ""}, {`{"id":"3","name":"\""}`, at("5"), ""},
		}},
		{"bare quotes are text", "id,name\n1,5\" pipe\n2,a \"b\" c\n3,\"John \"J\" Doe\"\n", Options{}, []shown{
			{`{"id":"1","name":"5\" pipe"}`, at("2"), ""}, {`{"id":"2","name":"a \"b\" c"}`, at("3"), ""}, {`{"id":"3","name":"John \"J\" Doe"}`, at("4"), ""},
		}},
		{"blanks behind a closing quote", "id,name,x\n1,\"Acme\" ,y\n2,\"Beta\"\t\n", Options{}, []shown{{`{"id":"1","name":"Acme","x":"y"}`, at("2"), ""}, {`{"id":"2","name":"Beta"}`, at("3"), ""}}},
		{"too few fields are missing, surplus empty ones dropped, surplus full ones a problem", "id,name\n1\n2,b,,\n3,b,c\n", Options{}, []shown{
			{`{"id":"1"}`, at("2"), ""},
			{`{"id":"2","name":"b"}`, at("3"), ""},
			{`{"unreadable":"3,b,c"}`, at("4"), `line 4: has 3 columns, the header has 2; a "," inside a value needs quotes around the value`},
		}},
		{"blank lines are passed over and counted", "\nid,name\n\n1,a\n\r\n2,b\n\n", Options{}, []shown{{`{"id":"1","name":"a"}`, at("4"), ""}, {`{"id":"2","name":"b"}`, at("6"), ""}}},
		{"semicolons", "id;name\n1;a,b\n", Options{}, []shown{{`{"id":"1","name":"a,b"}`, at("2"), ""}}},
		{"tabs", "id\tname\n1\ta\n", Options{}, []shown{{`{"id":"1","name":"a"}`, at("2"), ""}}},
		{"bars", "id|name\n1|a\n", Options{}, []shown{{`{"id":"1","name":"a"}`, at("2"), ""}}},
		{"full-width commas", "编号，名称\n1，甲\n2，\"乙，丙\" \n", Options{}, []shown{{`{"编号":"1","名称":"甲"}`, at("2"), ""}, {`{"编号":"2","名称":"乙，丙"}`, at("3"), ""}}},
		{"a full-width comma in a value", "编号,名称\n1,甲，乙\n2,丙，丁，戊\n", Options{}, []shown{{`{"编号":"1","名称":"甲，乙"}`, at("2"), ""}, {`{"编号":"2","名称":"丙，丁，戊"}`, at("3"), ""}}},
		{"one column", "name\nAcme\n", Options{}, []shown{{`{"name":"Acme"}`, at("2"), ""}}},
		{"delimiter named", "a:b\n1:2\n", Options{Delimiter: ":"}, []shown{{`{"a":"1","b":"2"}`, at("2"), ""}}},
		{"no header found", "1,Acme,x@example.com\n2,Beta\n", Options{}, []shown{{`{"c1":"1","c2":"Acme","c3":"x@example.com"}`, at("1"), ""}, {`{"c1":"2","c2":"Beta"}`, at("2"), ""}}},
		{"no header told", "id,name\n1,a\n", Options{Header: no()}, []shown{{`{"c1":"id","c2":"name"}`, at("1"), ""}, {`{"c1":"1","c2":"a"}`, at("2"), ""}}},
		{"header told", "1,2\n3,4\n", Options{Header: yes()}, []shown{{`{"1":"3","2":"4"}`, at("2"), ""}}},
		{"columns without a name", "id,,name,\n1,x,a,\n", Options{}, []shown{{`{"id":"1","c2":"x","name":"a"}`, at("2"), ""}}},
		{"control characters are escaped", "id,name\n1,a\tb\\c\x01\n", Options{}, []shown{{`{"id":"1","name":"a\tb\\c\u0001"}`, at("2"), ""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readOne(t, "a.csv", tt.text, tt.opts)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("reading %q (-want +got):\n%s", tt.text, diff)
			}
			for _, r := range got {
				if !json.Valid([]byte(r.Data)) {
					t.Errorf("reading %q: data %s is not JSON", tt.text, r.Data)
				}
			}
		})
	}
}

func TestUnclosedQuoteLosesOneLineOnly(t *testing.T) {
	tests := []struct{ name, text, bad, problem, next string }{
		{"followed by plain lines", "id,a,b\n1,x,\"open\n2,x,y\n3,x,y\n", "1,x,\"open", "line 2: quote opened in column 3 is never closed", `{"id":"2","a":"x","b":"y"}`},
		{"followed by quoted lines", "id,a,b\n1,\"open,y\n2,\"x\",\"y\"\n", "1,\"open,y", "line 2: quote opened in column 2 is never closed", `{"id":"2","a":"x","b":"y"}`},
		{"in the first column", "id,a,b\n\"1,x,y\n\"2\",x,\"y\"\n", "\"1,x,y", "line 2: quote opened in column 1 is never closed", `{"id":"2","a":"x","b":"y"}`},
	}
	for _, tt := range tests {
		got := readOne(t, "a.csv", tt.text, Options{})
		want, _ := json.Marshal(map[string]string{"unreadable": tt.bad})
		if len(got) < 2 || got[0].Data != string(want) || got[0].Problem != tt.problem || got[1].Data != tt.next || got[1].Problem != "" {
			t.Errorf("%s: reading %q = %+v, want %s with problem %q, then %s", tt.name, tt.text, got, want, tt.problem, tt.next)
		}
	}
}

func TestUnclosedQuoteLooksAheadNoFurtherThanARecord(t *testing.T) {
	text := "id,a\n1,\"open\n" + strings.Repeat("2,plain\n", 400) + "3,\"closed\"\n"
	got := readOne(t, "a.csv", text, Options{MaxRecord: 256})
	if len(got) != 402 || got[0].Problem == "" || got[1].Data != `{"id":"2","a":"plain"}` || got[401].Data != `{"id":"3","a":"closed"}` {
		t.Errorf("read %d records, first %+v, last %+v; want 402, only the first with a problem", len(got), got[0], got[len(got)-1])
	}
}

// TestManyBrokenQuotesTakeLinearTime would take very long if every line's
// search went as far as a record may be long.
func TestManyBrokenQuotesTakeLinearTime(t *testing.T) {
	for _, line := range []string{"\"\"a", "\"a", "\"\"\"a", "x,\"a\"\"b", "\"\"\"\"a", "\"a\" b"} {
		const n = 30_000
		got := readOne(t, "a.csv", "id,a\n"+strings.Repeat(line+"\n", n), Options{})
		problems := 0
		for _, r := range got {
			if r.Problem != "" {
				problems++
			}
		}
		if len(got) != n || problems != n {
			t.Errorf("%d lines %s: %d records, %d with a problem, want all", n, line, len(got), problems)
		}
	}
}

func TestTenMegabyteFieldIsCutAndReadingGoesOn(t *testing.T) {
	for _, quotes := range []string{"", `"`} {
		text := "id,a\n1," + quotes + strings.Repeat("x", 10<<20) + quotes + "\n2,y\n"
		got := readOne(t, "a.csv", text, Options{})
		if len(got) != 2 {
			t.Fatalf("quotes %q: read %d records, want 2", quotes, len(got))
		}
		if want := "line 2: the record is longer than 1048576 bytes; shorten it, or raise max_record"; got[0].Problem != want {
			t.Errorf("quotes %q: problem %q, want %q", quotes, got[0].Problem, want)
		}
		if n := len(got[0].Data); n > 2100 {
			t.Errorf("quotes %q: the cut record has %d bytes, want about 2,000", quotes, n)
		}
		if want := (shown{`{"id":"2","a":"y"}`, "a.csv line 3", ""}); got[1] != want {
			t.Errorf("quotes %q: next record %+v, want %+v", quotes, got[1], want)
		}
	}
}

func TestRecordOfExactlyTheLongestLengthIsRead(t *testing.T) {
	for _, extra := range []int{-1, 0, 1} {
		value := strings.Repeat("x", 256+extra-len(`1,"`)-len(`"`)-1)
		text := "id,a\n1,\"" + value + "\n\"\n2,y\n"
		got := readOne(t, "a.csv", text, Options{MaxRecord: 256})
		last := got[len(got)-1]
		if good := got[0].Problem == ""; good != (extra <= 0) || last.Data != `{"id":"2","a":"y"}` {
			t.Errorf("record of %d bytes, most allowed 256: first problem %q, last record %s", 256+extra, got[0].Problem, last.Data)
		}
	}
}

func TestHeaderNamesMustDiffer(t *testing.T) {
	dir := folder(t, map[string]string{"a.csv": "id,name,phone,name\n1,a,b,c\n"})
	_, err := client(t, dir, Options{Path: "a.csv"}).Pull(t.Context(), "company", nil)
	if want := `read a.csv: header: columns 2 and 4 are both named "name"; rename one of them`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestAWrongDelimiterIsTold(t *testing.T) {
	dir := folder(t, map[string]string{"a.csv": "id,name\n1,a\n", "one.csv": "id\n1\n", "quoted.csv": "\"name, in full\"\n1\n", "wide.csv": "id，name\n1，a\n"})
	_, err := client(t, dir, Options{Path: "a.csv", Delimiter: ";"}).Pull(t.Context(), "company", nil)
	if want := `read a.csv: header: by delimiter ";" it is one column, "id,name"; set delimiter: ",", or leave the key out to have it found`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = client(t, dir, Options{Path: "wide.csv", Delimiter: ";"}).Pull(t.Context(), "company", nil)
	if want := `read wide.csv: header: by delimiter ";" it is one column, "id，name"; set delimiter: "，", or leave the key out to have it found`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for _, path := range []string{"one.csv", "quoted.csv"} {
		if page, err := client(t, dir, Options{Path: path, Delimiter: ";"}).Pull(t.Context(), "company", nil); err != nil || len(page.Records) != 1 {
			t.Errorf("%s, a file of one column: %d records, %v; want 1", path, len(page.Records), err)
		}
	}
}

// sameAsStandard compares our reader with encoding/csv on what encoding/csv
// can read.
func sameAsStandard(t interface {
	Helper()
	Fatalf(string, ...any)
}, rows [][]string, crlf bool,
) {
	t.Helper()
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.UseCRLF = crlf
	if err := w.WriteAll(rows); err != nil {
		t.Fatalf("write %q: %v", rows, err)
	}
	std := csv.NewReader(bytes.NewReader(text.Bytes()))
	std.FieldsPerRecord = -1
	want, err := std.ReadAll()
	if err != nil {
		t.Fatalf("encoding/csv cannot read %q: %v", text.String(), err)
	}
	got := fieldsOf(t, text.Bytes())
	for i := range got { // encoding/csv makes LF of CR LF inside quotes
		for j := range got[i] {
			got[i][j] = strings.ReplaceAll(got[i][j], "\r\n", "\n")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("reading %q (-encoding/csv +ours):\n%s", text.String(), diff)
	}
}

// fieldsOf reads all rows of a text with the row reader alone.
func fieldsOf(t interface{ Fatalf(string, ...any) }, text []byte) [][]string {
	in := &input{r: bytes.NewReader(text), buf: make([]byte, 64), eol: '\n', enc: encoded{name: encUTF8}}
	c := &csvScanner{in: in, max: 1 << 20, line: 1, delim: []byte(",")}
	var rows [][]string
	for {
		used, lines, problem, err := c.record(noCancel())
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil || problem != "" {
			t.Fatalf("reading %q: problem %q, error %v", text, problem, err)
		}
		row := make([]string, len(c.fields))
		for i, f := range c.fields {
			row[i] = string(in.buf[in.lo+f.lo : in.lo+f.hi])
			if f.doubled {
				row[i] = strings.ReplaceAll(row[i], `""`, `"`)
			}
		}
		rows = append(rows, row)
		if err := c.advance(noCancel(), used, lines); err != nil {
			t.Fatalf("reading %q: %v", text, err)
		}
	}
}

func TestReadsLikeEncodingCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.StringMatching("[a-z\",\r\n 京;]{0,6}"), rapid.String())
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 1, 5), 1, 6).Draw(t, "rows")
		sameAsStandard(t, rows, rapid.Bool().Draw(t, "crlf"))
	})
}

// FuzzCSV reads any bytes: nothing panics, every record is a JSON object, and
// the pages end.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\r1\r", "\"a\",b\n\"x\ny\",\"\"\"\"\n", "a;b\n1;\"open\n2;3", "\xff\xfea\x00,\x00", "\xd6\xd0,\xce\xc4\n", "{\"a\":1}\n[]\n", "x，y\n1，2"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, lines bool) {
		name := "a.csv"
		if lines {
			name = "a.jsonl"
		}
		c := client(t, folder(t, map[string]string{name: string(text)}), Options{Path: name, MaxRecord: 256})
		var cursor []byte
		for range len(text) + 2 {
			page, err := c.Pull(t.Context(), "company", cursor)
			if err != nil {
				return // a header that cannot be used
			}
			for _, r := range page.Records {
				var object map[string]any
				if err := json.Unmarshal(r.Data, &object); err != nil {
					t.Fatalf("reading %q: data %q is no JSON object: %v", text, r.Data, err)
				}
			}
			if cursor = page.Cursor; !page.More {
				return
			}
		}
		t.Fatalf("reading %q: no end", text)
	})
}
