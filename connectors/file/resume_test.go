package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

// TestEveryRecordIsAPlaceToResume draws texts full of quotes and line ends and
// goes on behind each of their records with a newly opened file.
func TestEveryRecordIsAPlaceToResume(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	rapid.Check(t, func(t *rapid.T) {
		text := "id,名称\n" + rapid.StringMatching("[a京\",\n\r ]{0,80}").Draw(t, "text")
		encoded := text
		var err error
		switch rapid.IntRange(0, 3).Draw(t, "encoding") {
		case 1:
			encoded = "\ufeff" + text
		case 2:
			encoded, err = simplifiedchinese.GB18030.NewEncoder().String(text)
		case 3:
			encoded, err = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte(encoded), 0o600); err != nil {
			t.Fatal(err)
		}
		whole, places := readFrom(t, root, position{})
		for i, at := range places {
			rest, _ := readFrom(t, root, at)
			if diff := cmp.Diff(whole[i+1:], rest); diff != "" {
				t.Fatalf("%q resumed behind record %d at %+v (-whole +resumed):\n%s", text, i+1, at, diff)
			}
		}
	})
}

// TestFilesOfAnyNameAreResumed: a program that was started anew goes on behind
// the last page, also in a file whose name is no UTF-8 (客户.csv in GBK).
func TestFilesOfAnyNameAreResumed(t *testing.T) {
	const rows = 2*pageRecords + 7
	for _, name := range []string{"a.csv", "客户.csv", "\xbf\xcd\xbb\xa7.csv", "\xff.csv"} {
		dir := folder(t, map[string]string{name: "id\n" + strings.Repeat("1\n", rows), "0.csv": "id\n1\n", "\xfe\xfe.csv": "id\n1\n"})
		var cursor []byte
		n := 0
		for pages := 0; ; pages++ {
			if pages > 5 {
				t.Fatalf("%q: no end", name)
			}
			page, err := client(t, dir, Options{Path: "*.csv"}).Pull(t.Context(), "company", cursor)
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			n += len(page.Records)
			if cursor = page.Cursor; !page.More {
				break
			}
		}
		if n != rows+2 {
			t.Errorf("%q: %d records with a new client for each page, want %d", name, n, rows+2)
		}
	}
}

// readFrom reads a.csv from the position; behind each record it takes the
// position at which the next begins.
func readFrom(t *rapid.T, root *os.Root, at position) (records []string, places []position) {
	r, err := openFile(t.Context(), root, "a.csv", Options{MaxRecord: 256}, at)
	if err != nil {
		t.Fatalf("open at %+v: %v", at, err)
	}
	defer func() { _ = r.f.Close() }()
	records = []string{}
	for {
		it, err := r.scan.next(t.Context(), nil)
		if errors.Is(err, io.EOF) {
			return records, places
		}
		if err != nil {
			t.Fatalf("read at %+v: %v", at, err)
		}
		records = append(records, fmt.Sprintf("%d %s %s", it.line, it.problem, it.data))
		offset, line := r.scan.position()
		places = append(places, position{Size: r.info.Size(), Mod: r.info.ModTime().UnixNano(), Offset: offset, Line: line})
	}
}
