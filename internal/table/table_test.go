package table

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Ada": "Ada", "=1+1": "'=1+1", "+44 20": "'+44 20", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1",
		"\n=1": "'\n=1", "＝1": "'＝1", "a=1": "a=1", "'x": "'x", "你好": "你好",
	} {
		if got := Harmless(in); got != want {
			t.Errorf("Harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

func rows() [][]Cell {
	return [][]Cell{
		{Text("a,b"), {Text: "-12.5", Number: true}, Text("=cmd|' /C calc'!A0")},
		{Text("say \"hi\"\n你好"), {Text: "12345678901234567890", Number: true}, Text("")},
		{Text("+44"), {Text: "100", Number: true}, Text("00123")},
	}
}

func write(t *testing.T, w Writer, err error) {
	t.Helper()
	if err == nil {
		err = w.Sheet("company", []string{"名称", "n", "note"})
	}
	for _, r := range rows() {
		if err == nil {
			err = w.Row(r)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	w, err := New(CSV, &b)
	write(t, w, err)
	want := "\ufeff名称,n,note\r\n\"a,b\",-12.5,'=cmd|' /C calc'!A0\r\n\"say \"\"hi\"\"\r\n你好\",12345678901234567890,\r\n'+44,100,00123\r\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if err := w.Sheet("person", nil); err == nil {
		t.Error("a CSV file takes a second table")
	}
	if _, err := New("ods", &b); err == nil {
		t.Error("a format that is none is taken")
	}
}

func TestXLSX(t *testing.T) {
	var b bytes.Buffer
	w := newXLSX(&b)
	w.last = 3 // the header and two rows
	write(t, w, nil)
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if got := strings.Join(f.GetSheetList(), "|"); got != "company|company 2" {
		t.Errorf("sheets %s, want company|company 2", got)
	}
	want := map[string]string{"A2": "a,b", "B2": "-12.5", "C2": "'=cmd|' /C calc'!A0", "B3": "12345678901234567890", "A3": "say \"hi\"\n你好"}
	for cell, text := range want {
		got, err := f.GetCellValue("company", cell)
		formula, _ := f.GetCellFormula("company", cell)
		if err != nil || got != text || formula != "" {
			t.Errorf("%s = %q, formula %q, %v; want %q and none", cell, got, formula, err, text)
		}
	}
	for cell, kind := range map[string]excelize.CellType{"B2": excelize.CellTypeUnset, "B3": excelize.CellTypeInlineString, "C2": excelize.CellTypeInlineString} {
		if got, err := f.GetCellType("company", cell); err != nil || got != kind {
			t.Errorf("%s is of type %v, %v; want %v (numbers are numbers, as long as every digit is kept)", cell, got, err, kind)
		}
	}
	if got, _ := f.GetCellValue("company 2", "A2"); got != "'+44" {
		t.Errorf("first row of the second sheet: %q, want '+44", got)
	}
	if long := valueOf(Text(strings.Repeat("长", 40000))).(string); len([]rune(long)) != longestCell || !strings.HasSuffix(long, "…") {
		t.Errorf("a long text has %d characters, want %d, the last one …", len([]rune(long)), longestCell)
	}
}
