package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"touchstone/connectors"
	"touchstone/connectors/connectortest"
)

func noCancel() context.Context { return context.Background() }

func TestFilesKeepThePullersPromises(t *testing.T) {
	const n = 2500
	utf8Text, jsonl := "id,name\n", ""
	var wantCSV, wantJSONL []string
	for i := range n {
		name := fmt.Sprintf("客户 %d", i)
		if i%100 == 7 {
			name += "\nzwei Zeilen"
		}
		utf8Text += fmt.Sprintf("%d,\"%s\"\n", i, name)
		wantCSV = append(wantCSV, fmt.Sprintf(`{"id":"%d","name":"%s"}`, i, strings.ReplaceAll(name, "\n", `\n`)))
		doc := fmt.Sprintf(`{"id": %d, "n": {"x": [1, 2.50]}}`, i)
		jsonl += doc + "\n"
		wantJSONL = append(wantJSONL, doc)
	}
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(utf8Text)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(utf8Text)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	half := strings.Index(utf8Text, "1500,")
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"utf-8", map[string]string{"a.csv": utf8Text}, wantCSV},
		{"utf-8 with byte order mark", map[string]string{"a.csv": "\ufeff" + utf8Text}, wantCSV},
		{"gb18030", map[string]string{"a.csv": gb}, wantCSV},
		{"utf-16", map[string]string{"a.csv": wide}, wantCSV},
		{"several files, one empty, one without records", map[string]string{"a.csv": utf8Text[:half], "b.csv": "", "c.csv": "id,name\n", "d.csv": "id,name\n" + utf8Text[half:]}, wantCSV},
		{"jsonl", map[string]string{"a.jsonl": jsonl}, wantJSONL},
		{"nothing", map[string]string{"a.csv": ""}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, tt.files)
			connectortest.Puller(t, func(t *testing.T) connectors.Puller { return client(t, dir, Options{Path: "*.*"}) }, "company", tt.want)
		})
	}
}

func TestEmptyFileAndHeaderOnlyGiveNotesAndNoRecords(t *testing.T) {
	c := client(t, folder(t, map[string]string{"a.csv": "", "b.csv": "id,name\n", "c.csv": "\ufeff", "d.jsonl": "\n\n"}), Options{Path: "*"})
	records, _ := all(t, c, nil)
	want := []string{"a.csv: the file is empty", "b.csv: the file holds no records", "c.csv: the file holds no records", "d.jsonl: the file holds no records"}
	if diff := cmp.Diff(want, c.Notes("company")); diff != "" || len(records) != 0 {
		t.Errorf("%d records, want 0; notes (-want +got):\n%s", len(records), diff)
	}
}

func TestEncodingIsFound(t *testing.T) {
	const text = "编号,名称\n1,北京百度网讯科技有限公司\n2,上海贝塔\n"
	want := []shown{{`{"编号":"1","名称":"北京百度网讯科技有限公司"}`, "a.csv line 2", ""}, {`{"编号":"2","名称":"上海贝塔"}`, "a.csv line 3", ""}}
	const trad = "編號,名稱\n1,臺北資訊\n"
	wantTrad := []shown{{`{"編號":"1","名稱":"臺北資訊"}`, "a.csv line 2", ""}}
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		return s
	}
	tests := []struct {
		name, text, option string
		want               []shown
	}{
		{"utf-8", text, "", want},
		{"utf-8 with byte order mark", "\ufeff" + text, "", want},
		{"utf-8 with byte order mark, named", "\ufeff" + text, "UTF-8", want},
		{"gb18030", encode(simplifiedchinese.GB18030.NewEncoder().String(text)), "", want},
		{"gbk named", encode(simplifiedchinese.GBK.NewEncoder().String(text)), "gbk", want},
		{"utf-16le with byte order mark", encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)), "", want},
		{"utf-16le without", encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(text)), "", want},
		{"utf-16be with byte order mark", encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)), "", want},
		{"utf-16be without", encode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String(text)), "", want},
		{"utf-16le named, with byte order mark", encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)), "utf-16le", want},
		{"big5 named", encode(traditionalchinese.Big5.NewEncoder().String(trad)), "big5", wantTrad},
		{"windows-1252 named", encode(charmap.Windows1252.NewEncoder().String("id,name\n1,Müller €\n")), "windows-1252", []shown{{`{"id":"1","name":"Müller €"}`, "a.csv line 2", ""}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, readOne(t, "a.csv", tt.text, Options{Encoding: tt.option})); diff != "" {
			t.Errorf("%s, encoding %q (-want +got):\n%s", tt.name, tt.option, diff)
		}
	}
}

func TestWrongEncodingIsAProblemOfTheRecord(t *testing.T) {
	tests := []struct{ name, text, encoding, problem string }{
		{"windows-1252 read as utf-8", "id,name\n1,M\xfcller\n2,b\n", "", "byte 11 of the file, 0xfc, is not UTF-8: the text looks like windows-1252; save the file as UTF-8, or set encoding: windows-1252"},
		{"the same behind a byte order mark", "\xef\xbb\xbfid,name\n1,M\xfcller\n2,b\n", "", "byte 14 of the file, 0xfc, is not UTF-8: the text looks like windows-1252; save the file as UTF-8, or set encoding: windows-1252"},
		{"gb18030 read as utf-8", "id,name\n1,\xb1\xb1\xbe\xa9\n2,b\n", "utf-8", "byte 10 of the file, 0xb1, is not UTF-8: the text looks like gb18030; save the file as UTF-8, or set encoding: gb18030"},
		{"utf-8 read as gb18030", "id,name\n1,M\xfc\n2,b\n", "gb18030", "holds bytes that are not gb18030; save the file as UTF-8, or name its encoding by the key encoding"},
	}
	for _, tt := range tests {
		got := readOne(t, "a.csv", tt.text, Options{Encoding: tt.encoding})
		if len(got) != 2 || got[0].Problem != tt.problem || !strings.HasPrefix(got[0].Data, `{"unreadable":"1,`) || got[1].Data != `{"id":"2","name":"b"}` {
			t.Errorf("%s: got %+v, want two records, the first with problem %q", tt.name, got, tt.problem)
		}
	}
}

func TestNULByteIsAProblemOfTheRecord(t *testing.T) {
	got := readOne(t, "a.csv", "id,name\n1,a\x00b\n2,b\n", Options{})
	want := []shown{
		{`{"unreadable":"1,a` + "\ufffd" + `b"}`, "a.csv line 2", "holds a NUL byte at offset 11 of the text; remove it where the file is made"},
		{`{"id":"2","name":"b"}`, "a.csv line 3", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFileThatChangesWhileReadIsAnErrorThenReadAnew(t *testing.T) {
	text := "id,name\n" + strings.Repeat("1,a\n", 1500)
	dir := folder(t, map[string]string{"a.csv": text})
	c := client(t, dir, Options{Path: "a.csv"})
	page, err := c.Pull(t.Context(), "company", nil)
	if err != nil || len(page.Records) != 1000 {
		t.Fatalf("first page: %d records, error %v", len(page.Records), err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "a.csv"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("2,b\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Pull(t.Context(), "company", page.Cursor); err == nil || err.Error() != "read a.csv: the file changed while it was being read" {
		t.Fatalf("second page of a changed file: error %v, want one that says so", err)
	}
	records, _ := all(t, c, page.Cursor)
	if len(records) != 1501 {
		t.Errorf("pulled again with the same cursor: %d records, want the whole new file, 1501", len(records))
	}
}

func TestPassGoesOnBehindAFileThatIsGone(t *testing.T) {
	dir := folder(t, map[string]string{"a.csv": "id\n" + strings.Repeat("a\n", 1500), "b.csv": "id\nb\n"})
	page, err := client(t, dir, Options{Path: "*.csv"}).Pull(t.Context(), "company", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a.csv")); err != nil {
		t.Fatal(err)
	}
	records, _ := all(t, client(t, dir, Options{Path: "*.csv"}), page.Cursor)
	if len(records) != 1 || string(records[0].Data) != `{"id":"b"}` {
		t.Errorf("got %+v, want only b.csv's record", show(records))
	}
}

func TestUnchangedKnowsAFinishedPass(t *testing.T) {
	files := map[string]string{"a.csv": "id\n1\n", "b.csv": "id\n2\n"}
	dir := folder(t, files)
	path := filepath.Join(dir, "a.csv")
	_, done := all(t, client(t, dir, Options{Path: "*.csv"}), nil)
	tests := []struct {
		name   string
		change func() error
		opts   Options
		want   bool
	}{
		{"nothing happened", func() error { return nil }, Options{Path: "*.csv"}, true},
		{"other options", func() error { return nil }, Options{Path: "*.csv", Delimiter: ";"}, false},
		{"touched", func() error { return os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000, 0)) }, Options{Path: "*.csv"}, false},
		{"file added", func() error { return os.WriteFile(filepath.Join(dir, "c.csv"), []byte("id\n"), 0o600) }, Options{Path: "*.csv"}, false},
	}
	for _, tt := range tests {
		if err := tt.change(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got, err := client(t, dir, tt.opts).Unchanged(done); got != tt.want || err != nil {
			t.Errorf("%s: Unchanged = %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
	if got, err := client(t, dir, Options{Path: "*.csv"}).Unchanged(nil); got || err != nil {
		t.Errorf("Unchanged(nil) = %v, %v, want false: no pass has ended", got, err)
	}
}

func TestNoPathLeavesTheFolder(t *testing.T) {
	outside := folder(t, map[string]string{"secret.csv": "id\n1\n"})
	dir := folder(t, map[string]string{"in.csv": "id\n1\n"})
	if err := os.Symlink(filepath.Join(outside, "secret.csv"), filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"../x.csv", "a/../../x.csv", "..", ""} {
		if _, err := Open(dir, Options{Path: path}); err == nil {
			t.Errorf("Open with path %q: no error, want it refused", path)
		}
	}
	for _, path := range []string{"link.csv", "*.csv"} {
		_, err := client(t, dir, Options{Path: path}).Pull(t.Context(), "company", nil)
		if err == nil || !strings.Contains(err.Error(), "escapes") {
			t.Errorf("path %q with a link that leads out: error %v, want it refused", path, err)
		}
	}
	records, _ := all(t, client(t, dir, Options{Path: filepath.Join(outside, "*.csv")}), nil)
	if len(records) != 1 || records[0].Place != "secret.csv line 2" {
		t.Errorf("an absolute path: got %+v, want the one record", show(records))
	}
}

func TestMissingFilesAreAnErrorNotAnEmptySource(t *testing.T) {
	dir := folder(t, map[string]string{"a.txt": "x", "sub/a.txt": "x"})
	for _, tt := range []struct{ dir, path, want string }{
		{dir, "a.csv", "look at file: a.csv: no such file or directory"},
		{dir, "sub/b.csv", "look at file: sub/b.csv: no such file or directory"},
		{dir, "*.csv", "no file matches *.csv in " + dir},
		{dir, "sub/*.csv", "no file matches sub/*.csv in " + dir},
		{dir, "sub", "sub is a folder; name the files in it by a pattern: sub/*.csv"},
		{dir, ".", ". is a folder; name the files in it by a pattern: *.csv"},
		{filepath.Join(dir, "none"), "*.csv", "the folder " + filepath.Join(dir, "none") + " is not there"},
	} {
		page, err := client(t, tt.dir, Options{Path: tt.path}).Pull(t.Context(), "company", nil)
		if err == nil || err.Error() != tt.want {
			t.Errorf("path %q: got %d records and %v, want %s", tt.path, len(page.Records), err, tt.want)
		}
	}
}

func TestOpenRefusesWrongOptions(t *testing.T) {
	tests := []struct {
		opts Options
		want string
	}{
		{Options{}, "path: is missing"},
		{Options{Path: "a[.csv"}, "path: \"a[.csv\" is not a pattern"},
		{Options{Path: "a", Format: "xml"}, "format: is \"xml\", want csv, jsonl or xlsx"},
		{Options{Path: "a", Delimiter: ",,"}, "delimiter: is \",,\", want one character"},
		{Options{Path: "a", Delimiter: "\""}, "delimiter: is"},
		{Options{Path: "a", Encoding: "ebcdic"}, "encoding: is \"ebcdic\", want one of utf-8"},
		{Options{Path: "a", MaxRecord: 5}, "max_record: is 5, want 256 to 4194304 bytes"},
	}
	for _, tt := range tests {
		if _, err := Open(".", tt.opts); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("Open(%+v): error %v, want one that begins %q", tt.opts, err, tt.want)
		}
	}
}

func TestClientIsSafeForConcurrentUse(t *testing.T) {
	c := client(t, folder(t, map[string]string{"a.csv": "id\n" + strings.Repeat("x\n", 3500)}), Options{Path: "a.csv"})
	var wg sync.WaitGroup
	for _, stream := range []string{"company", "company", "person", "person"} {
		wg.Go(func() {
			n := 0
			var cursor []byte
			for {
				page, err := c.Pull(t.Context(), stream, cursor)
				if err != nil {
					t.Errorf("stream %s after %d records: %v", stream, n, err)
					return
				}
				n += len(page.Records)
				if cursor = page.Cursor; !page.More {
					break
				}
			}
			if n != 3500 {
				t.Errorf("stream %s: %d records, want 3500", stream, n)
			}
			c.Notes(stream)
		})
	}
	wg.Wait()
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	row := "1," + strings.Repeat("京", 300) + "\n"
	text, err := simplifiedchinese.GB18030.NewEncoder().String(row)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 20_000
	size := rows * len(text)
	c := client(t, folder(t, map[string]string{"a.csv": "id,name\n" + strings.Repeat(text, rows)}), Options{Path: "a.csv"})
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var cursor []byte
	for n := 0; ; n++ {
		page, err := c.Pull(t.Context(), "company", cursor)
		if err != nil {
			t.Fatal(err)
		}
		cursor = page.Cursor
		if n%5 == 4 {
			page = connectors.Page{More: page.More}
			runtime.GC()
			runtime.ReadMemStats(&now)
			if now.HeapAlloc > before.HeapAlloc+4<<20 {
				t.Fatalf("page %d of a file of %d MB: %d bytes in use, %d before", n+1, size>>20, now.HeapAlloc, before.HeapAlloc)
			}
		}
		if !page.More {
			return
		}
	}
}

func TestForeignCursorIsAnError(t *testing.T) {
	c := client(t, folder(t, map[string]string{"a.csv": "id\n1\n"}), Options{Path: "a.csv"})
	for _, cursor := range []string{"x", `{"off":-1}`, `[]`} {
		if _, err := c.Pull(t.Context(), "company", []byte(cursor)); err == nil {
			t.Errorf("Pull with cursor %q: no error", cursor)
		}
	}
}

func TestPagesAreBounded(t *testing.T) {
	row := "1," + strings.Repeat("x", 900_000) + "\n"
	c := client(t, folder(t, map[string]string{"a.csv": "id,a\n" + strings.Repeat(row, 20)}), Options{Path: "a.csv"})
	var cursor []byte
	for n := 0; ; {
		page, err := c.Pull(t.Context(), "company", cursor)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, r := range page.Records {
			size += len(r.Data)
		}
		if n += len(page.Records); size > pageBytes {
			t.Errorf("a page of %d bytes, want at most %d", size, pageBytes)
		}
		if cursor = page.Cursor; !page.More {
			if n != 20 {
				t.Errorf("%d records in all, want 20", n)
			}
			return
		}
	}
}
