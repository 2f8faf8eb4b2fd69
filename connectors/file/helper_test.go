package file

import (
	"os"
	"path/filepath"
	"testing"

	"touchstone/internal/record"
)

// folder writes the files into a new directory.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatalf("make folder for %s: %v", name, err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatalf("write %s: %v", name, err)
		}
	}
	return dir
}

func client(t testing.TB, dir string, opts Options) *Client {
	t.Helper()
	c, err := Open(dir, opts)
	if err != nil {
		t.Fatalf("Open(%+v): %v", opts, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// all pulls a whole pass from the cursor and gives its last cursor too.
func all(t testing.TB, c *Client, cursor []byte) ([]record.Raw, []byte) {
	t.Helper()
	var records []record.Raw
	for {
		page, err := c.Pull(t.Context(), "company", cursor)
		if err != nil {
			t.Fatalf("Pull after %d records: %v", len(records), err)
		}
		records = append(records, page.Records...)
		cursor = page.Cursor
		if !page.More {
			return records, cursor
		}
	}
}

// shown is a record as the tables of these tests write it.
type shown struct{ Data, Place, Problem string }

func show(records []record.Raw) []shown {
	var out []shown
	for _, r := range records {
		out = append(out, shown{string(r.Data), r.Place, r.Problem})
	}
	return out
}

// readOne reads one file of this name and content.
func readOne(t testing.TB, name, text string, opts Options) []shown {
	t.Helper()
	opts.Path = name
	records, _ := all(t, client(t, folder(t, map[string]string{name: text}), opts), nil)
	return show(records)
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }
