package file

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"touchstone/connectors"
	"touchstone/connectors/connectortest"
)

// written makes a workbook as a spreadsheet program does.
func written(t testing.TB, fill func(f *excelize.File) error) string {
	t.Helper()
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	if err := fill(f); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// packed makes a workbook by hand: one sheet, and what else is given.
func packed(t testing.TB, sheet string, more map[string]string) string {
	t.Helper()
	parts := map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="x"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="x/sharedStrings" Target="/xl/sharedStrings.xml"/><Relationship Id="rId3" Type="x/styles" Target="styles.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData>` + sheet + `</sheetData></worksheet>`,
	}
	for name, text := range more {
		parts[name] = text
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// grid writes rows from A1 on.
func grid(f *excelize.File, sheet string, rows ...[]any) error {
	for i, row := range rows {
		if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
			return err
		}
	}
	return nil
}

func wantRecords(t *testing.T, got []shown, want ...string) {
	t.Helper()
	var texts []string
	for _, g := range got {
		text := g.Place + " " + g.Data
		if g.Problem != "" {
			text += " ! " + g.Problem
		}
		texts = append(texts, text)
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestWorkbookValues(t *testing.T) {
	book := written(t, func(f *excelize.File) error {
		for _, s := range []struct {
			col, format string
			id          int
		}{{"E", "", 14}, {"F", "yyyy\"年\"m\"月\"d\"日\" hh:mm", 0}, {"G", "00000", 0}, {"H", "[h]:mm", 0}, {"I", "", 11}, {"J", "h:mm AM/PM", 0}} {
			style := &excelize.Style{NumFmt: s.id}
			if s.format != "" {
				style.CustomNumFmt = &s.format
			}
			id, err := f.NewStyle(style)
			if err != nil {
				return err
			}
			if err := f.SetColStyle("Sheet1", s.col, id); err != nil {
				return err
			}
			if err := f.SetCellStyle("Sheet1", s.col+"2", s.col+"4", id); err != nil {
				return err
			}
		}
		if err := grid(f, "Sheet1", []any{"id", "名称", "phone", "ok", "day", "at", "code", "long", "big", "clock", "sum"},
			[]any{"00123", "北京 <试金石> & \"x\"\nline", 13912345678, true, 46081, 46081.520833333336, 123, 1.5, 1.2345678901234567e19, 0.75},
			[]any{"00124", "", 0.1, false, 60, 1, 1234567, nil, -12.5}); err != nil {
			return err
		}
		if err := f.SetCellFormula("Sheet1", "K2", "=1+1"); err != nil {
			return err
		}
		return f.SetCellValue("Sheet1", "K3", 1.1)
	})
	got := readOne(t, "a.xlsx", book, Options{})
	wantRecords(t, got[1:], `a.xlsx Sheet1!3 {"id":"00124","名称":null,"phone":0.1,"ok":false,"day":"1900-02-29","at":"1900-01-01T00:00:00","code":"1234567","long":null,"big":-12.5,"clock":null,"sum":1.1}`)
	wantRecords(t, got[:1], `a.xlsx Sheet1!2 {"unreadable":"{\"id\":\"00123\",\"名称\":\"北京 <试金石> & \\\"x\\\"\\nline\",\"phone\":13912345678,\"ok\":true,\"day\":\"2026-02-28\",\"at\":\"2026-02-28T12:30:00\",\"code\":\"00123\",\"long\":1.5,\"big\":12345678901234567000,\"clock\":\"18:00:00\",\"sum\":null}"} ! cell K2 is a formula without a stored value; open the workbook in a spreadsheet program and save it`)
}

func TestWorkbookCellsAsTheyAreStored(t *testing.T) {
	styles := `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-804]aaaa;@"/><numFmt numFmtId="165" formatCode="0.00E+00"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="165"/><xf numFmtId="31"/></cellXfs></styleSheet>`
	shared := `<sst><si><t>id</t></si><si><r><t>Ri</t></r><r><t xml:space="preserve">ch </t></r><rPh sb="0"><t>reading</t></rPh></si><si><t>a_x000D_b_x005F_</t></si></sst>`
	for _, tt := range []struct{ name, row, want string }{
		{"shared and rich text", `<c t="s"><v>1</v></c>`, `"Rich "`},
		{"escapes", `<c t="s"><v>2</v></c>`, `"a\rb_"`},
		{"a shared string that is not there", `<c t="s"><v>9</v></c>`, `! cell A2 names a shared string that the workbook does not have`},
		{"inline", `<c t="inlineStr"><is><t>x</t></is></c>`, `"x"`},
		{"formula's text", `<c t="str"><f>A1</f><v>cached</v></c>`, `"cached"`},
		{"formula's empty text", `<c t="str"><f>A1</f><v></v></c>`, `skipped`},
		{"formula's number", `<c><f>A1</f><v>1E3</v></c>`, `1000`},
		{"error", `<c t="e"><f>A1</f><v>#REF!</v></c><c t="b"><v>1</v></c>`, `null,"c2":true`},
		{"true", `<c t="b"><v>1</v></c>`, `true`},
		{"ISO date", `<c t="d"><v>2026-02-28</v></c>`, `"2026-02-28"`},
		{"long whole number", `<c><v>12345678901234567890</v></c>`, `12345678901234567890`},
		{"seventeen digits", `<c><v>1.1000000000000001</v></c>`, `1.1`},
		{"small", `<c><v>1.5E-7</v></c>`, `0.00000015`},
		{"large with a scientific format", `<c s="2"><v>6.2148302E+17</v></c>`, `621483020000000000`},
		{"date style", `<c s="1"><v>1</v></c>`, `"1900-01-01"`},
		{"date style, last of 1899", `<c s="1"><v>0</v></c>`, `"1899-12-31"`},
		{"date style, Chinese", `<c s="3"><v>45658</v></c>`, `"2025-01-01"`},
		{"date style, out of range", `<c s="1"><v>-1</v></c>`, `-1`},
		{"not a number", `<c><v>NaN</v></c>`, `"NaN"`},
		{"only blanks", `<c t="inlineStr"><is><t></t></is></c>`, `skipped`},
		{"second column", `<c r="B2"><v>5</v></c>`, `null,"c2":5`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			book := packed(t, `<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2">`+tt.row+`</row><row r="5"><c t="inlineStr"><is><t>end</t></is></c></row><row r="9"/>`,
				map[string]string{"xl/styles.xml": styles, "xl/sharedStrings.xml": shared})
			got := readOne(t, "a.xlsx", book, Options{Header: yes()})
			if last := got[len(got)-1]; last.Place != "a.xlsx S!5" {
				t.Errorf("last place %q, want a.xlsx S!5", last.Place)
			}
			text := "skipped"
			if len(got) == 2 {
				text = strings.TrimSuffix(strings.TrimPrefix(got[0].Data, `{"id":`), "}")
				if got[0].Problem != "" {
					text = "! " + got[0].Problem
				}
			}
			if text != tt.want {
				t.Errorf("%s gives %s, want %s", tt.row, text, tt.want)
			}
		})
	}
	early := packed(t, `<row><c t="inlineStr"><is><t>day</t></is></c></row><row><c s="1"><v>0.5</v></c></row>`, map[string]string{
		"xl/styles.xml":   styles,
		"xl/workbook.xml": `<workbook xmlns:r="x"><workbookPr date1904="1"/><sheets><sheet name="S" r:id="rId1"/></sheets></workbook>`,
	})
	wantRecords(t, readOne(t, "a.xlsx", early, Options{}), `a.xlsx S!2 {"day":"1904-01-01"}`)
}

func TestWorkbookFormatCodes(t *testing.T) {
	for code, want := range map[string]cellFormat{
		"yyyy-mm-dd":       {date: true},
		"m/d/yy h:mm":      {date: true, clock: true},
		"mmm":              {date: true},
		"mm:ss":            {clock: true},
		"h:mm AM/PM":       {clock: true},
		`0.00"days"`:       {},
		`#,##0\d`:          {},
		"General":          {},
		"0.00E+00":         {},
		"[Red]0":           {},
		"[$-804]yyyy年m月d日": {date: true},
		"[h]:mm:ss":        {},
		"@":                {},
		"000000":           {zeros: 6},
		"0":                {},
		`0;"days"`:         {},
		"\"":               {},
		"[":                {},
		"\\":               {},
	} {
		if got := formatOf(code); got != want {
			t.Errorf("formatOf(%q) = %+v, want %+v", code, got, want)
		}
	}
}

func TestWorkbookSheetsAndHeaders(t *testing.T) {
	book := written(t, func(f *excelize.File) error {
		for _, name := range []string{"客户", "old"} {
			if _, err := f.NewSheet(name); err != nil {
				return err
			}
		}
		if err := f.SetSheetVisible("Sheet1", false); err != nil {
			f.SetActiveSheet(1)
		}
		f.SetActiveSheet(1)
		if err := f.SetSheetVisible("Sheet1", false); err != nil {
			return err
		}
		if err := grid(f, "Sheet1", []any{"id", "secret"}, []any{"h1", "x"}); err != nil {
			return err
		}
		if err := grid(f, "客户", []any{"Customer list 2026"}, []any{}, []any{"id", "name", "", "name2"}, []any{"a", "Ada", "note", nil, "far"}, []any{nil, nil}, []any{"b"}); err != nil {
			return err
		}
		return grid(f, "old", []any{1, "x@example.com"}, []any{2, "y@example.com"})
	})
	visible := []string{
		`a.xlsx 客户!4 {"id":"a","name":"Ada","c3":"note","name2":null,"c5":"far"}`,
		`a.xlsx 客户!6 {"id":"b","name":null,"c3":null,"name2":null,"c5":null}`,
	}
	wantRecords(t, readOne(t, "a.xlsx", book, Options{}), visible...)
	wantRecords(t, readOne(t, "a.xlsx", book, Options{HeaderRow: 3}), visible...)
	wantRecords(t, readOne(t, "book", book, Options{}), strings.ReplaceAll(visible[0], "a.xlsx", "book"), strings.ReplaceAll(visible[1], "a.xlsx", "book"))
	wantRecords(t, readOne(t, "a.xlsx", book, Options{Sheet: "Sheet1"}), `a.xlsx Sheet1!2 {"id":"h1","secret":"x"}`)
	wantRecords(t, readOne(t, "a.xlsx", book, Options{Sheet: "old"}), `a.xlsx old!1 {"c1":1,"c2":"x@example.com"}`, `a.xlsx old!2 {"c1":2,"c2":"y@example.com"}`)
	c := client(t, folder(t, map[string]string{"a.xlsx": book}), Options{Path: "*.xlsx"})
	all(t, c, nil)
	if notes := strings.Join(c.Notes("company"), "\n"); !strings.Contains(notes, `"客户" is read, ["old"] are not`) {
		t.Errorf("notes %q, want that sheet old is not read", notes)
	}
	for name, opts := range map[string]Options{
		`there is no sheet "none", there are "Sheet1", "客户", "old"`: {Path: "*.xlsx", Sheet: "none"},
		`header: row 2 of sheet "客户" is empty`:                      {Path: "*.xlsx", HeaderRow: 2},
	} {
		_, err := client(t, folder(t, map[string]string{"a.xlsx": book}), opts).Pull(t.Context(), "company", nil)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v, want %s", opts, err, name)
		}
	}
}

func TestWorkbookMergedCells(t *testing.T) {
	book := written(t, func(f *excelize.File) error {
		if err := grid(f, "Sheet1", []any{"group", "name", "a", "b"}, []any{"North", "Ada", "x"}, []any{nil, "Bob", "y"}, []any{nil, "Cyd"}, []any{"South", "Eve"}); err != nil {
			return err
		}
		if err := f.MergeCell("Sheet1", "A2", "A4"); err != nil {
			return err
		}
		return f.MergeCell("Sheet1", "C3", "D4")
	})
	wantRecords(t, readOne(t, "a.xlsx", book, Options{}),
		`a.xlsx Sheet1!2 {"group":"North","name":"Ada","a":"x","b":null}`, `a.xlsx Sheet1!3 {"group":null,"name":"Bob","a":"y","b":null}`,
		`a.xlsx Sheet1!4 {"group":null,"name":"Cyd","a":null,"b":null}`, `a.xlsx Sheet1!5 {"group":"South","name":"Eve","a":null,"b":null}`)
	wantRecords(t, readOne(t, "a.xlsx", book, Options{Merged: "fill"}),
		`a.xlsx Sheet1!2 {"group":"North","name":"Ada","a":"x","b":null}`, `a.xlsx Sheet1!3 {"group":"North","name":"Bob","a":"y","b":"y"}`,
		`a.xlsx Sheet1!4 {"group":"North","name":"Cyd","a":"y","b":"y"}`, `a.xlsx Sheet1!5 {"group":"South","name":"Eve","a":null,"b":null}`)
}

// streamed makes a workbook of n rows.
func streamed(t testing.TB, dir string, n int, text func(i int) string) {
	t.Helper()
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetRow("A1", []any{"id", "name", "phone"}); err != nil {
		t.Fatal(err)
	}
	for i := 2; i <= n+1; i++ {
		if err := w.SetRow(fmt.Sprintf("A%d", i), []any{i, text(i), 13900000000 + i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveAs(filepath.Join(dir, "big.xlsx")); err != nil {
		t.Fatal(err)
	}
}

func TestWorkbookSuite(t *testing.T) {
	dir := t.TempDir()
	streamed(t, dir, 2300, func(i int) string { return fmt.Sprint("Name ", i) })
	var want []string
	for i := 2; i <= 2301; i++ {
		want = append(want, fmt.Sprintf(`{"id":%d,"name":"Name %d","phone":%d}`, i, i, 13900000000+i))
	}
	connectortest.Puller(t, func(t *testing.T) connectors.Puller { return client(t, dir, Options{Path: "*.xlsx"}) }, "company", want)
}

func TestWorkbooksThatAreNone(t *testing.T) {
	bomb := `<row><c t="inlineStr"><is><t>` + strings.Repeat("x", 1200<<10) + `</t></is></c></row>`
	rows := strings.Repeat(`<row/>`+strings.Repeat(" ", 900<<10), 6)
	for name, tt := range map[string]struct{ text, want string }{
		"old.xls":    {oleMagic + "rest", "save it as .xlsx without a password"},
		"torn.xlsx":  {packed(t, "<row/>", nil)[:300], "not a workbook"},
		"text.xlsx":  {"id,name\n1,x\n", "not a workbook"},
		"other.xlsx": {packed(t, "", map[string]string{"xl/workbook.xml": "<workbook/>"}), "lists no sheet"},
		"cell.xlsx":  {packed(t, bomb, nil), "made to fill memory"},
		"many.xlsx":  {packed(t, rows, nil), "made to fill memory"},
		"bad.xlsx":   {packed(t, `<row r="2"><c><v>1</c>`, nil), "behind row"},
		"rows.xlsx":  {packed(t, `<row r="7"><c><v>1</v></c></row><row r="3"><c><v>1</v></c></row>`, nil), `a row is numbered "3"`},
		"cols.xlsx":  {packed(t, `<row><c r="ZZZZ1"><v>1</v></c></row>`, nil), "stands in no column"},
		"dtd.xlsx":   {packed(t, `<row><c><v>&lol;</v></c></row>`, nil), "invalid character entity"},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, folder(t, map[string]string{name: tt.text}), Options{Path: name})
			var err error
			var cursor []byte
			for range 5000 {
				var page connectors.Page
				if page, err = c.Pull(t.Context(), "company", cursor); err != nil || !page.More {
					break
				}
				cursor = page.Cursor
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want an error with %q", err, tt.want)
			}
		})
	}
	for _, empty := range []string{"", packed(t, "", nil), packed(t, `<row r="1"/>`, nil)} {
		if got := readOne(t, "a.xlsx", empty, Options{}); len(got) != 0 {
			t.Errorf("an empty workbook of %d bytes gives %v", len(empty), got)
		}
	}
}

// TestSharedTextsSpillToAFile: what is too much for memory is found again in
// whatever order it is asked for.
func TestSharedTextsSpillToAFile(t *testing.T) {
	var b strings.Builder
	const n = 40
	text := func(i int) string { return fmt.Sprint(i, strings.Repeat("s", 40<<10)) }
	for i := range n {
		b.WriteString("<si><t>" + text(i) + "</t></si>")
	}
	book := packed(t, "", map[string]string{"xl/sharedStrings.xml": "<sst>" + b.String() + "</sst>"})
	w, err := openWorkbook(strings.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	w.keep = 1 << 20
	t.Setenv("TMPDIR", t.TempDir())
	s, err := w.sharedTexts(context.Background())
	if err == nil && (s.file == nil || s.memory != nil) {
		t.Error("1.6 MiB of text are all in memory")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 2, 39, 5, 38, 39, 0} {
		if got, err := s.get(fmt.Sprint(i)); err != nil || got != text(i) {
			t.Errorf("text %d: %.10q…, %v", i, got, err)
		}
	}
	if _, err := s.get("40"); err == nil {
		t.Error("text 40 is there")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "touchstone-strings-*")); len(left) > 0 {
		t.Errorf("files left: %v", left)
	}
}

// BenchmarkWorkbookRows reads 100,000 rows; with TOUCHSTONE_BENCH_ALL_ROWS set, as
// many as a sheet can have.
func BenchmarkWorkbookRows(b *testing.B) {
	dir := b.TempDir()
	rows := 100_000
	if os.Getenv("TOUCHSTONE_BENCH_ALL_ROWS") != "" {
		rows = lastRow - 1
	}
	streamed(b, dir, rows, func(i int) string { return fmt.Sprint("Name of a company ", i) })
	b.ResetTimer()
	var most uint64
	start := time.Now()
	for range b.N {
		c := client(b, dir, Options{Path: "*.xlsx"})
		var cursor []byte
		n := 0
		for {
			page, err := c.Pull(b.Context(), "company", cursor)
			if err != nil {
				b.Fatal(err)
			}
			n += len(page.Records)
			if cursor = page.Cursor; !page.More {
				break
			}
			if n%50_000 == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
		if n != rows {
			b.Fatalf("%d records, want %d", n, rows)
		}
	}
	b.ReportMetric(float64(time.Since(start).Microseconds())/float64(b.N*rows), "µs/record")
	b.ReportMetric(float64(most)/(1<<20), "MiB-heap")
}
