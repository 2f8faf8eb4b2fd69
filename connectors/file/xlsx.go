package file

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Limits of a workbook: a part may inflate to 300 times what it takes in the
// file (sheets of equal rows reach 200, a bomb 1,000), and nothing of it that
// stands between two tags may be longer than 1 MiB: a cell holds 32,767
// characters.
const (
	inflateTimes  = 300
	inflateFloor  = 1 << 20
	largestPart   = 8 << 30
	longestMarkup = 1 << 20
	lastRow       = 1 << 20 // of a sheet, by the file format
	lastColumn    = 1 << 14
	mostMerges    = 100_000
)

// Magic numbers of what is and what is not a workbook.
const (
	zipMagic = "PK\x03\x04"
	oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
)

// workbook is an opened .xlsx file (ECMA-376, SpreadsheetML). Only what a
// record needs is read: sheets, shared strings, number formats.
type workbook struct {
	parts    map[string]*zip.File // by name in small letters
	folder   string               // of the workbook part
	sheets   []sheetInfo
	date1904 bool
	targets  map[string]string // relationship id → part
	shared   string            // part of the shared strings; "" for none
	styles   string
	keep     int // bytes of shared strings that stay in memory
}

type sheetInfo struct {
	name, part string
	hidden     bool
}

func openWorkbook(r io.ReaderAt, size int64) (*workbook, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not a workbook, save it as .xlsx again: %w", err)
	}
	w := &workbook{parts: map[string]*zip.File{}, targets: map[string]string{}, keep: sharedInMemory}
	for _, f := range z.File {
		w.parts[strings.ToLower(strings.TrimPrefix(f.Name, "/"))] = f
	}
	main := "xl/workbook.xml"
	err = w.relations("_rels/.rels", "", func(_, kind, target string) {
		if strings.HasSuffix(kind, "/officeDocument") {
			main = target
		}
	})
	if err != nil {
		return nil, err
	}
	if w.parts[strings.ToLower(main)] == nil {
		return nil, errors.New("not a workbook: it has no workbook part; save it as .xlsx")
	}
	w.folder = path.Dir(main)
	err = w.relations(path.Join(w.folder, "_rels", path.Base(main)+".rels"), w.folder, func(id, kind, target string) {
		w.targets[id] = target
		switch {
		case strings.HasSuffix(kind, "/sharedStrings"):
			w.shared = target
		case strings.HasSuffix(kind, "/styles"):
			w.styles = target
		}
	})
	if err != nil {
		return nil, err
	}
	return w, w.readSheets(main)
}

// relations reads a .rels part; one that is not there holds nothing.
func (w *workbook) relations(name, base string, each func(id, kind, target string)) error {
	return w.elements(name, func(e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		target := attr(e, "Target")
		if rest, ok := strings.CutPrefix(target, "/"); ok {
			target = rest
		} else {
			target = path.Join(base, target)
		}
		each(attr(e, "Id"), attr(e, "Type"), target)
		return nil
	})
}

func (w *workbook) readSheets(main string) error {
	err := w.elements(main, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			w.date1904 = attr(e, "date1904") == "1" || attr(e, "date1904") == "true"
		case "sheet":
			state := attr(e, "state")
			w.sheets = append(w.sheets, sheetInfo{name: attr(e, "name"), part: w.targets[attr(e, "id")], hidden: state == "hidden" || state == "veryHidden"})
		}
		return nil
	})
	if err == nil && len(w.sheets) == 0 {
		err = errors.New("not a workbook: it lists no sheet")
	}
	return err
}

// sheet finds the named sheet, or the first that is not hidden. Others are
// those that stand beside it and can be seen.
func (w *workbook) sheet(name string) (s sheetInfo, others []string, err error) {
	at := slices.IndexFunc(w.sheets, func(s sheetInfo) bool { return name != "" && s.name == name || name == "" && !s.hidden })
	if at < 0 {
		var names []string
		for _, s := range w.sheets {
			names = append(names, strconv.Quote(s.name))
		}
		if name == "" {
			return s, nil, fmt.Errorf("every sheet is hidden; name one of them by sheet: %s", strings.Join(names, ", "))
		}
		return s, nil, fmt.Errorf("there is no sheet %q, there are %s", name, strings.Join(names, ", "))
	}
	for i, o := range w.sheets {
		if i != at && !o.hidden {
			others = append(others, o.name)
		}
	}
	if w.parts[strings.ToLower(w.sheets[at].part)] == nil {
		return s, nil, fmt.Errorf("sheet %q holds no rows that can be read (a chart?); name another one by sheet", w.sheets[at].name)
	}
	return w.sheets[at], others, nil
}

// elements calls each for every start tag of a part; a part that is not there
// has none.
func (w *workbook) elements(name string, each func(xml.StartElement) error) error {
	d, closer, err := w.open(context.Background(), name)
	if err != nil || d == nil {
		return err
	}
	defer func() { _ = closer.Close() }() // only read from
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("part %s: %w", name, err)
		}
		if e, ok := t.(xml.StartElement); ok {
			if err := each(e); err != nil {
				return err
			}
		}
	}
}

// open starts to read a part; nil when there is none.
func (w *workbook) open(ctx context.Context, name string) (*xml.Decoder, io.Closer, error) {
	f := w.parts[strings.ToLower(name)]
	if f == nil || name == "" {
		return nil, nil, nil
	}
	r, err := f.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("part %s: %w", name, err)
	}
	most := min(int64(f.CompressedSize64)*inflateTimes+inflateFloor, largestPart)
	d := xml.NewDecoder(&boundedXML{ctx: ctx, r: r, left: most})
	d.Strict = true
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("is written in %s; save the workbook anew", charset)
	}
	return d, r, nil
}

// boundedXML ends a part that inflates too far, or that has too much between
// two tags: the decoder would take all of it into memory.
type boundedXML struct {
	ctx  context.Context // a Reader is given none
	r    io.Reader
	left int64
	run  int // bytes since the last <
}

var errBomb = errors.New("the workbook inflates to far more than it should: it looks made to fill memory; save it anew")

func (b *boundedXML) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if i := bytes.LastIndexByte(p[:n], '<'); i >= 0 {
		b.run = n - i
	} else {
		b.run += n
	}
	if b.left < 0 || b.run > longestMarkup {
		return 0, errBomb
	}
	return n, err
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
