// Package file pulls records from files: CSV in its many dialects and JSON
// lines, in the encodings that customers' systems write, and Excel workbooks.
package file

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"touchstone/connectors"
)

// Limits of a page and of what is shown of a record that cannot be read.
const (
	pageRecords      = 1000
	pageBytes        = 8 << 20
	defaultMaxRecord = 1 << 20
	largestMaxRecord = pageBytes / 2
	smallestRecord   = 256
	unreadableRunes  = 2000
	keptNotes        = 100
	mergedFill       = "fill"
)

// Options says which files to read and how. What is left empty is found out
// from each file.
type Options struct {
	// Path is a glob as of path.Match, relative to the configuration's folder.
	// An absolute path is taken as it is; a relative one cannot leave the
	// folder, not by ".." and not by a symbolic link.
	Path string `yaml:"path"`
	// Format is csv, jsonl or xlsx; "" goes by the name's extension, then by content.
	Format string `yaml:"format"`
	// Delimiter of CSV; "" is found among , ; tab | and the full-width ，.
	Delimiter string `yaml:"delimiter"`
	// Encoding is utf-8, utf-16le, utf-16be, gb18030, big5 or windows-1252; ""
	// is found: UTF-8, UTF-16 or GB18030.
	Encoding string `yaml:"encoding"`
	// Header says whether the first row of a CSV file names the columns; nil is
	// found. Without a header the columns are c1, c2 …
	Header *bool `yaml:"header"`
	// Sheet is the sheet of a workbook to read; "" is the first that is not hidden.
	Sheet string `yaml:"sheet"`
	// HeaderRow is the number of the row of a workbook that names the columns; 0
	// is found among the first rows.
	HeaderRow int `yaml:"header_row" min:"0" max:"1048576"`
	// Merged says what merged cells of a workbook hold: "" or first the value in
	// the first of them, fill in each.
	Merged string `yaml:"merged" oneof:"first fill"`
	// MaxRecord is the longest record in bytes of UTF-8 text, 1 MiB if 0. A
	// longer one is given with a Problem and reading goes on behind it.
	MaxRecord int `yaml:"max_record"`
}

// Client reads the files of one source. It is safe for concurrent use; between
// the pages of a pass it keeps the current file open, one for each stream.
type Client struct {
	dir     string // root of all paths
	pattern string // glob below dir, with slashes
	opts    Options
	seed    string // digest of what decides how a file is read

	mu    sync.Mutex
	open  map[string]*pass // by stream: the pass that goes on at pass.cursor
	notes map[string][]string
}

var _ connectors.Puller = (*Client)(nil)

// Open checks opts and returns a client for the files below dir. It does not
// touch the disk.
func Open(dir string, opts Options) (*Client, error) {
	opts.Encoding = encodingName(opts.Encoding)
	if opts.MaxRecord == 0 {
		opts.MaxRecord = defaultMaxRecord
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	c := &Client{dir: dir, pattern: path.Clean(filepath.ToSlash(opts.Path)), opts: opts, open: map[string]*pass{}, notes: map[string][]string{}}
	if path.IsAbs(c.pattern) {
		c.dir, c.pattern = splitAbsolute(c.pattern)
	}
	c.seed = c.fingerprint()
	return c, nil
}

func (o Options) check() error {
	switch {
	case o.Path == "":
		return fmt.Errorf("path: is missing, want a file or a pattern such as erp/*.csv")
	case !filepath.IsAbs(o.Path) && !filepath.IsLocal(o.Path):
		return fmt.Errorf("path: %q leaves the folder of the configuration; move the file there or give an absolute path", o.Path)
	}
	if _, err := path.Match(filepath.ToSlash(o.Path), ""); err != nil {
		return fmt.Errorf("path: %q is not a pattern: a [ is not closed", o.Path)
	}
	if !slices.Contains([]string{"", formatCSV, formatJSONL, formatXLSX}, o.Format) {
		return fmt.Errorf("format: is %q, want csv, jsonl or xlsx, or leave it out", o.Format)
	}
	if d := o.Delimiter; d != "" && (utf8.RuneCountInString(d) != 1 || strings.ContainsAny(d, "\"\r\n\x00\ufffd")) {
		return fmt.Errorf("delimiter: is %q, want one character that is no quote and no line break", d)
	}
	if _, ok := decoder(o.Encoding); !ok && o.Encoding != "" {
		return fmt.Errorf("encoding: is %q, want one of %s", o.Encoding, strings.Join(encodings(), ", "))
	}
	switch {
	case !slices.Contains([]string{"", "first", mergedFill}, o.Merged):
		return fmt.Errorf("merged: is %q, want first or fill", o.Merged)
	case o.HeaderRow < 0 || o.HeaderRow > lastRow:
		return fmt.Errorf("header_row: is %d, want the number of a row", o.HeaderRow)
	case o.HeaderRow > 0 && o.Header != nil && !*o.Header:
		return fmt.Errorf("header_row: is %d, but header is false; keep one", o.HeaderRow)
	}
	if o.MaxRecord < smallestRecord || o.MaxRecord > largestMaxRecord {
		return fmt.Errorf("max_record: is %d, want %d to %d bytes", o.MaxRecord, smallestRecord, largestMaxRecord)
	}
	return nil
}

// splitAbsolute parts an absolute pattern into the folder without any pattern
// character, which becomes the root, and the rest.
func splitAbsolute(pattern string) (dir, rest string) {
	parts := strings.Split(pattern, "/")
	n := slices.IndexFunc(parts, func(s string) bool { return strings.ContainsAny(s, `*?[\`) })
	if n < 0 {
		n = len(parts) - 1
	}
	return filepath.FromSlash(strings.Join(parts[:n], "/") + "/"), strings.Join(parts[n:], "/")
}

// fingerprint is equal for two clients that read the same file alike.
func (c *Client) fingerprint() string {
	header := "found"
	if c.opts.Header != nil {
		header = fmt.Sprint(*c.opts.Header)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "2 %q %q %q %q %s %d %q %d %q", c.opts.Path, c.opts.Format, c.opts.Delimiter, c.opts.Encoding, header, c.opts.MaxRecord,
		c.opts.Sheet, c.opts.HeaderRow, c.opts.Merged))
	return hex.EncodeToString(sum[:])
}

// Notes says what an admin should know of the files of the stream's last pass
// though it is no error: "erp/a.csv: the file is empty". It names files and
// columns, never what stands in a record.
func (c *Client) Notes(stream string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.notes[stream])
}

// Unchanged says whether the files are the ones that the finished pass read
// which gave this cursor: same names, sizes and times of change, read with the
// same options. The caller may then leave the next pass out. It does not look
// into the files: one that was only touched counts as changed, which costs a
// pass and nothing else.
func (c *Client) Unchanged(cursor []byte) (bool, error) {
	at, err := parseCursor(cursor)
	if err != nil || !at.Done || at.Options != c.seed[:optionsDigits] {
		return false, err
	}
	root, err := openFolder(c.dir)
	if err != nil {
		return false, err
	}
	defer func() { _ = root.Close() }() // only read from
	names, err := c.list(root)
	if err != nil {
		return false, err
	}
	sum := c.seed
	for _, name := range names {
		info, err := root.Stat(name)
		if err != nil {
			return false, fmt.Errorf("look at file: %w", told(err))
		}
		sum = chain(sum, name, info)
	}
	return sum == at.Sum, nil
}

// Close closes the files kept open between pages. The client can be used on.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for stream, p := range c.open {
		p.close()
		delete(c.open, stream)
	}
	return nil
}
