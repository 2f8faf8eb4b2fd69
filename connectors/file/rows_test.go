package file

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"touchstone/connectors"
)

// readBoth reads a file by pages and by rows, each record as its members in
// order, or its problem with its place.
func readBoth(t *testing.T, opts Options, dir string) (pages, rows []string) {
	t.Helper()
	c := client(t, dir, opts)
	object := func(data []byte) string {
		m := map[string]string{}
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		var out []string
		for k, v := range m {
			out = append(out, fmt.Sprintf("%q=%q", k, v))
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	var cursor []byte
	for {
		page, err := c.Pull(t.Context(), "x", cursor)
		if err != nil {
			pages = append(pages, err.Error())
			break
		}
		for _, r := range page.Records {
			if r.Problem != "" {
				pages = append(pages, r.Place+": "+r.Problem)
			} else {
				pages = append(pages, object(r.Data))
			}
		}
		if cursor = page.Cursor; !page.More {
			break
		}
	}
	err := c.Rows(t.Context(), func(r *connectors.Row) error {
		var members []string
		for i, f := range r.Fields {
			members = append(members, fmt.Sprintf("%q=%q", r.Names[i], f))
		}
		slices.Sort(members)
		switch {
		case r.Problem != "":
			rows = append(rows, r.Place+": "+r.Problem)
		case r.Data != nil:
			rows = append(rows, object(r.Data))
		default:
			rows = append(rows, strings.Join(members, " "))
		}
		return nil
	})
	if err != nil {
		rows = append(rows, err.Error())
	}
	return pages, rows
}

// Rows gives what Pull gives, record by record and problem by problem.
func TestRowsAreThePulledRecords(t *testing.T) {
	chinese, err := simplifiedchinese.GB18030.NewEncoder().String("编号,名称\n1,宁波石头贸易有限公司\n2,\"上海, 美跃\"\n")
	if err != nil {
		t.Fatal(err)
	}
	var many strings.Builder
	many.WriteString("id,name,city\n")
	for i := range 3000 {
		fmt.Fprintf(&many, "%d,\"name %d \"\"x\"\" \n second line\",Leeds\n", i, i)
	}
	for name, text := range map[string]string{
		"plain.csv":       "id,name\n1,Ada\n\n2,Bo,\n3\n",
		"quoted.csv":      "id;name\r\n1;\"Ada; \"\"the\"\" first\"\r\n2;\"two\r\nlines\"\r\n",
		"surplus.csv":     "id,name\n1,Ada\n2,a,b,c\n3,Cy\n",
		"open.csv":        "id,name\n1,\"never closed\n2,Bo\n",
		"nul.csv":         "id,name\n1,A\x00da\n2,Bo\n",
		"encoded.csv":     chinese,
		"western.csv":     "id,name\n1,Caf\xe9\n2,Bo\n",
		"control.csv":     "id,name\n1,\x01\x1f tab\there \\ back\n2,🙂\n",
		"nohead.csv":      "1,Ada\n2,Bo\n",
		"long.csv":        "id,name\n1," + strings.Repeat("x", 400) + "\n2,Bo\n",
		"twice.csv":       "id,id\n1,2\n",
		"lines.jsonl":     `{"id":"1","name":"Ada"}` + "\n{broken\n" + `{"id":"2"}` + "\n",
		"many.csv":        many.String(),
		"empty.csv":       "",
		"header-only.csv": "id,name\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pages, rows := readBoth(t, Options{Path: name, MaxRecord: 300}, dir)
		if d := cmp.Diff(pages, rows); d != "" {
			t.Errorf("%s: pages and rows differ (-pages +rows):\n%s", name, d)
		}
	}
}

func TestRowsEndWithTheirReader(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("id\n1\n2\n3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	enough, n := fmt.Errorf("enough"), 0
	err := client(t, dir, Options{Path: "a.csv"}).Rows(t.Context(), func(*connectors.Row) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if err != enough || n != 2 { //nolint:errorlint // the very error, not one that wraps it
		t.Errorf("ended with %v after %d rows, want %v after 2", err, n, enough)
	}
}
