package app

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func TestExportAsTable(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "id,name,phone,website,employees\nl1,=Evil Tools Ltd,+44 113 496 0001,eviltools.example,5\nl2,试金石有限公司,,stone.example,120\n")
	w.open()
	w.clean()
	var b bytes.Buffer
	if rows, err := w.app.ExportTable(t.Context(), "csv", "company", &b); err != nil || rows != 3 {
		t.Fatalf("CSV: %d rows, %v; want 3", rows, err)
	}
	lines := strings.Split(strings.TrimPrefix(b.String(), "\ufeff"), "\r\n")
	if want := "golden_id,changed_at,records,name,legal_name,aliases,ids,phones,emails,website,addresses,country,industry,employees,revenue,founded,status,owner"; lines[0] != want {
		t.Errorf("header %q, want %q", lines[0], want)
	}
	if want := ",list/company/l1,'=Evil Tools Ltd,,,,'+44 113 496 0001,,eviltools.example,,,,5,,,,"; !strings.HasSuffix(lines[1], want) {
		t.Errorf("row %q, want it to end %q", lines[1], want)
	}
	b.Reset()
	if rows, err := w.app.ExportTable(t.Context(), "xlsx", "", &b); err != nil || rows != 3 {
		t.Fatalf("workbook: %d rows, %v; want 3", rows, err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if got := strings.Join(f.GetSheetList(), " "); got != "company person" {
		t.Errorf("sheets %q, want company person", got)
	}
	for cell, want := range map[string]string{"D2": "'=Evil Tools Ltd", "D3": "试金石有限公司", "N2": "5", "N3": "120"} {
		if got, err := f.GetCellValue("company", cell); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", cell, got, err, want)
		}
	}
}
