package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/text/transform"
)

const (
	formatCSV   = "csv"
	formatJSONL = "jsonl"
	formatXLSX  = "xlsx"
	sampleBytes = 64 << 10
)

// item is one record as JSON, with the line it begins at.
type item struct {
	data    []byte
	line    int
	place   string // where it stands in the file; "" for the line
	problem string
}

// scanner reads the records of one file. next appends the record's JSON to out
// and answers io.EOF behind the last.
type scanner interface {
	next(ctx context.Context, out []byte) (item, error)
	position() (offset int64, line int)
}

// reader is one open file.
type reader struct {
	name    string
	f       *os.File
	info    fs.FileInfo // as it was when the file was opened
	scan    scanner
	records int
	resumed bool
	note    string
}

// openFile opens a file, finds out how it is written and goes to the position,
// if the file is still the one that the position was taken in.
func openFile(ctx context.Context, root *os.Root, name string, opts Options, at position) (_ *reader, err error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", told(err))
	}
	defer func() {
		if err != nil {
			_ = f.Close() // only read from
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at file: %w", told(err))
	}
	r := &reader{name: name, f: f, info: info}
	head := make([]byte, sampleBytes)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if isWorkbook(name, opts.Format, head[:n]) {
		return r, r.openWorkbook(ctx, head[:n], opts, at)
	}
	enc := sniff(head[:n], opts.Encoding)
	in, err := enc.open(f, 0)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if err := in.sample(ctx); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if format(name, opts.Format, in.window()) == formatJSONL {
		r.scan = &jsonlScanner{in: in, max: opts.MaxRecord, line: 1}
	} else {
		s, err := newCSV(ctx, in, opts)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		r.scan = s
	}
	if at.Offset > in.offset() && at.Size == info.Size() && at.Mod == info.ModTime().UnixNano() {
		r.resumed = true
		if err := r.forward(ctx, enc, in, at); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	return r, nil
}

// isWorkbook goes by the option, the extension, then by how the file begins.
func isWorkbook(name, option string, head []byte) bool {
	if option != "" {
		return option == formatXLSX
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".xlsx", ".xlsm", ".xls":
		return true
	}
	return bytes.HasPrefix(head, []byte(zipMagic)) || bytes.HasPrefix(head, []byte(oleMagic))
}

func (r *reader) openWorkbook(ctx context.Context, head []byte, opts Options, at position) error {
	if len(head) == 0 {
		r.scan = &jsonlScanner{in: &input{r: r.f, buf: make([]byte, 1), eol: '\n'}, max: opts.MaxRecord, line: 1} // an empty file holds nothing
		return nil
	}
	if bytes.HasPrefix(head, []byte(oleMagic)) {
		return fmt.Errorf("read %s: it is an old .xls workbook, or one with a password; save it as .xlsx without a password", r.name)
	}
	s, err := newXLSX(ctx, r.f, r.info.Size(), opts)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.name, err)
	}
	r.scan, r.note = s, s.note
	if at.Offset > 0 && at.Size == r.info.Size() && at.Mod == r.info.ModTime().UnixNano() {
		r.resumed = true
		if err := s.forward(at.Offset); err != nil {
			return errors.Join(fmt.Errorf("read %s: %w", r.name, err), s.Close())
		}
	}
	return nil
}

// forward moves to the position: by a seek in UTF-8, else by decoding and
// dropping what stands before it.
func (r *reader) forward(ctx context.Context, enc encoded, in *input, at position) error {
	if enc.name == encUTF8 {
		next, err := enc.open(r.f, at.Offset)
		if err != nil {
			return err
		}
		next.eol = in.eol
		*in = *next
	} else if err := in.discard(ctx, at.Offset); err != nil {
		return err
	}
	switch s := r.scan.(type) {
	case *csvScanner:
		s.line = at.Line
	case *jsonlScanner:
		s.line = at.Line
	}
	return nil
}

// unchanged says whether the open file is still as it was when it was opened.
func (r *reader) unchanged() error {
	info, err := r.f.Stat()
	if err != nil {
		return fmt.Errorf("look at file: %w", err)
	}
	if info.Size() != r.info.Size() || !info.ModTime().Equal(r.info.ModTime()) {
		return fmt.Errorf("read %s: the file changed while it was being read", r.name)
	}
	return nil
}

// format goes by the option, the extension, then the first character.
func format(name, option string, text []byte) string {
	if option != "" {
		return option
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".tab":
		return formatCSV
	case ".jsonl", ".ndjson":
		return formatJSONL
	}
	if t := strings.TrimLeft(string(text), " \t\r\n"); strings.HasPrefix(t, "{") {
		return formatJSONL
	}
	return formatCSV
}

// open gives the text of f from the offset on, which only UTF-8 may have.
func (e encoded) open(f *os.File, offset int64) (*input, error) {
	if _, err := f.Seek(int64(e.bom)+offset, io.SeekStart); err != nil {
		return nil, err
	}
	in := &input{r: f, buf: make([]byte, 2*sampleBytes), base: offset, eol: '\n', enc: e}
	if dec, _ := decoder(e.name); e.name != encUTF8 {
		in.r = transform.NewReader(f, dec.NewDecoder())
	}
	return in, nil
}
