package file

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// headerWithin is how many rows with something in them are looked at for the
// header.
const headerWithin = 20

// xlsxScanner reads the rows of one sheet as a stream: its memory does not grow
// with their number.
type xlsxScanner struct {
	book    *workbook
	sheet   string
	max     int
	shared  *sharedTexts
	formats []cellFormat
	d       *xml.Decoder
	part    io.Closer
	row     int       // number of the row read last
	merges  []merge   // by first row; only when they are filled
	open    []merge   // those that reach below the row read last
	ahead   []gridRow // read while the header was looked for
	names   [][]byte  // `"name":` of each column
	given   int       // number of the row given last
	note    string
}

// merge is a block of merged cells, from 0, ends included.
type merge struct {
	row, lastRow, col, lastCol int
	value                      cell
}

// gridRow is one row that has something in it.
type gridRow struct {
	number  int
	cells   []cell
	problem string
}

func newXLSX(ctx context.Context, r io.ReaderAt, size int64, opts Options) (s *xlsxScanner, err error) {
	book, err := openWorkbook(r, size)
	if err != nil {
		return nil, err
	}
	info, others, err := book.sheet(opts.Sheet)
	if err != nil {
		return nil, err
	}
	s = &xlsxScanner{book: book, sheet: info.name, max: opts.MaxRecord}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if opts.Sheet == "" && len(others) > 0 {
		s.note = fmt.Sprintf("sheet %q is read, %q are not; name one by sheet", info.name, others)
	}
	if s.formats, err = book.formats(); err != nil {
		return s, err
	}
	if opts.Merged == mergedFill {
		if s.merges, err = book.merges(ctx, info.part); err != nil {
			return s, err
		}
	}
	if s.shared, err = book.sharedTexts(ctx); err != nil {
		return s, err
	}
	if s.d, s.part, err = book.open(ctx, info.part); err != nil {
		return s, err
	}
	return s, s.header(opts)
}

// Close gives the part and the shared strings back.
func (s *xlsxScanner) Close() error {
	err := s.shared.Close()
	if s.part != nil {
		_ = s.part.Close() // only read from
	}
	return err
}

// position is the row given last, and the one behind it.
func (s *xlsxScanner) position() (int64, int) { return int64(s.given), s.given + 1 }

// forward passes over the rows up to a number.
func (s *xlsxScanner) forward(row int64) error {
	for {
		r, err := s.nextRow()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if int64(r.number) > row {
			s.ahead = slices.Insert(s.ahead, 0, r)
			return nil
		}
	}
}

// header finds the row that names the columns: the one that is named; else of
// the first rows the first that fills more than half as many columns as the
// widest of them, for a title stands alone; unless that is a record already.
func (s *xlsxScanner) header(opts Options) error {
	for len(s.ahead) < headerWithin {
		r, err := s.readRow()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if opts.HeaderRow > 0 && r.number < opts.HeaderRow {
			continue // what stands above the header is no record
		}
		s.ahead = append(s.ahead, r)
		if opts.HeaderRow > 0 {
			break
		}
	}
	if opts.Header != nil && !*opts.Header {
		return nil
	}
	at := -1
	widest := 0
	for _, r := range s.ahead {
		widest = max(widest, r.filled())
	}
	for i, r := range s.ahead {
		if r.number == opts.HeaderRow || opts.HeaderRow == 0 && 2*r.filled() > widest {
			at = i
			break
		}
	}
	switch {
	case opts.HeaderRow > 0 && at < 0 && len(s.ahead) > 0:
		return fmt.Errorf("header: row %d of sheet %q is empty; name the row that holds the names by header_row", opts.HeaderRow, s.sheet)
	case at < 0:
		return nil
	}
	row := s.ahead[at].texts()
	if opts.Header == nil && opts.HeaderRow == 0 && looksLikeData(row) {
		return nil
	}
	names, err := headerNames(row)
	if err != nil {
		return fmt.Errorf("sheet %q: %w", s.sheet, err)
	}
	for _, name := range names {
		s.addName(name)
	}
	s.ahead = s.ahead[at+1:]
	return nil
}

func (s *xlsxScanner) addName(name string) {
	s.names = append(s.names, append(appendText([]byte{'"'}, []byte(name), false), '"', ':'))
}

func (r gridRow) filled() (n int) {
	for _, c := range r.cells {
		if !c.empty() {
			n++
		}
	}
	return n
}

func (r gridRow) texts() []string {
	row := make([]string, len(r.cells))
	for i, c := range r.cells {
		row[i] = strings.TrimSpace(c.text)
	}
	return row
}

func (s *xlsxScanner) nextRow() (gridRow, error) {
	if len(s.ahead) > 0 {
		r := s.ahead[0]
		s.ahead = s.ahead[1:]
		return r, nil
	}
	return s.readRow()
}

// next gives the next row that has something in it: an empty cell is null. A
// column without a name is called by its number.
func (s *xlsxScanner) next(ctx context.Context, out []byte) (item, error) {
	if err := ctx.Err(); err != nil {
		return item{}, err
	}
	r, err := s.nextRow()
	if err != nil {
		return item{}, err
	}
	s.given = r.number
	it := item{line: r.number, place: s.sheet + "!" + strconv.Itoa(r.number), problem: r.problem}
	from := len(out)
	out = append(out, '{')
	for i := range max(len(s.names), len(r.cells)) {
		var c cell
		if i < len(r.cells) {
			c = r.cells[i]
		}
		for len(s.names) <= i {
			s.addName("c" + strconv.Itoa(len(s.names)+1))
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, s.names[i]...)
		switch {
		case c.empty():
			out = append(out, "null"...)
		case c.plain:
			out = append(out, c.text...)
		default:
			out = append(appendText(append(out, '"'), []byte(c.text), false), '"')
		}
	}
	out = append(out, '}')
	if len(out)-from > s.max && it.problem == "" {
		it.problem = fmt.Sprintf("the record is longer than %d bytes; shorten it, or raise max_record", s.max)
	}
	if it.problem != "" {
		out = appendUnreadable(out[:from], slices.Clone(out[from:]))
	}
	it.data = out
	return it, nil
}

// readRow reads on to the next row that has something in it.
func (s *xlsxScanner) readRow() (gridRow, error) {
	for {
		t, err := s.d.RawToken()
		if err != nil {
			return gridRow{}, s.broken(err)
		}
		switch e := t.(type) {
		case xml.EndElement:
			if e.Name.Local == "sheetData" {
				return gridRow{}, io.EOF
			}
		case xml.StartElement:
			if e.Name.Local != "row" {
				continue
			}
			r, err := s.cells(e)
			if err != nil {
				return r, s.broken(err)
			}
			s.fill(&r)
			if r.filled() > 0 || r.problem != "" {
				return r, nil
			}
		}
	}
}

func (s *xlsxScanner) broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF // a sheet without sheetData
	}
	return fmt.Errorf("sheet %q, behind row %d: %w", s.sheet, s.row, err)
}

func (s *xlsxScanner) cells(row xml.StartElement) (gridRow, error) {
	n := s.row + 1
	if text := attr(row, "r"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n <= s.row || n > lastRow {
			return gridRow{}, fmt.Errorf("a row is numbered %q", text)
		}
	}
	s.row = n
	r := gridRow{number: n}
	next := 0
	for {
		t, err := s.d.RawToken()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return r, err
		}
		switch e := t.(type) {
		case xml.EndElement:
			if e.Name.Local == "row" {
				return r, nil
			}
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			col := next
			if ref := attr(e, "r"); ref != "" {
				col = columnOf(ref)
			}
			if col < 0 || col >= lastColumn {
				return r, fmt.Errorf("a cell of row %d stands in no column", n)
			}
			next = col + 1
			c, problem, err := s.cell(e)
			if err != nil {
				return r, err
			}
			if problem != "" && r.problem == "" {
				r.problem = "cell " + columnLetters(col) + strconv.Itoa(n) + " " + problem
			}
			if c.empty() {
				continue
			}
			for len(r.cells) <= col {
				r.cells = append(r.cells, cell{})
			}
			r.cells[col] = c
		}
	}
}

// cell reads one cell up to its end tag. A formula gives the value that was
// stored with it, an error none.
func (s *xlsxScanner) cell(start xml.StartElement) (c cell, problem string, err error) {
	kind, style := attr(start, "t"), attr(start, "s")
	var value strings.Builder
	inValue, formula, has := false, false, false
	for {
		t, err := s.d.RawToken()
		if err != nil {
			return c, "", err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "v":
				inValue, has = true, true
			case "f":
				formula = true
			case "is":
				text, err := richText(s.d, "is")
				if err != nil {
					return c, "", err
				}
				c, has = cell{text: text}, true
			}
		case xml.CharData:
			if inValue {
				value.Write(e)
			}
		case xml.EndElement:
			if e.Name.Local == "v" {
				inValue = false
			}
			if e.Name.Local != "c" {
				continue
			}
			if formula && !has {
				return c, "is a formula without a stored value; open the workbook in a spreadsheet program and save it", nil
			}
			if kind != "inlineStr" {
				c, problem = s.value(kind, style, value.String())
			}
			return c, problem, nil
		}
	}
}

func (s *xlsxScanner) value(kind, style, text string) (cell, string) {
	if text == "" {
		return cell{}, ""
	}
	switch kind {
	case "s":
		shared, err := s.shared.get(text)
		if err != nil {
			return cell{}, err.Error()
		}
		return cell{text: shared}, ""
	case "str":
		return cell{text: unescapeX(text)}, ""
	case "b":
		return cell{text: strconv.FormatBool(text == "1" || text == "true"), plain: true}, ""
	case "d":
		return cell{text: text}, ""
	case "e":
		return cell{}, ""
	}
	var f cellFormat
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(s.formats) {
		f = s.formats[i]
	}
	return s.book.numberCell(text, f), ""
}

// merges reads the blocks of merged cells, which stand behind all rows.
func (w *workbook) merges(ctx context.Context, part string) (list []merge, err error) {
	d, closer, err := w.open(ctx, part)
	if err != nil {
		return nil, err
	}
	defer func() { _ = closer.Close() }() // only read from
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			slices.SortStableFunc(list, func(a, b merge) int { return a.row - b.row })
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "mergeCell" {
			continue
		}
		first, last, _ := strings.Cut(attr(e, "ref"), ":")
		m := merge{row: rowOf(first), lastRow: rowOf(last), col: columnOf(first), lastCol: columnOf(last)}
		if m.row < 1 || m.col < 0 || m.lastRow < m.row || m.lastCol < m.col {
			continue
		}
		if list = append(list, m); len(list) > mostMerges {
			return nil, fmt.Errorf("more than %d blocks of merged cells; leave merged: fill out", mostMerges)
		}
	}
}

// fill puts the value of a block's first cell into its other ones.
func (s *xlsxScanner) fill(r *gridRow) {
	for len(s.merges) > 0 && s.merges[0].row <= r.number {
		m := s.merges[0]
		s.merges = s.merges[1:]
		if m.row == r.number && m.col < len(r.cells) {
			m.value = r.cells[m.col]
		}
		if !m.value.empty() {
			s.open = append(s.open, m)
		}
	}
	s.open = slices.DeleteFunc(s.open, func(m merge) bool { return m.lastRow < r.number })
	if r.filled() == 0 {
		return // a row of nothing else is no record
	}
	for _, m := range s.open {
		for len(r.cells) <= m.lastCol {
			r.cells = append(r.cells, cell{})
		}
		for col := m.col; col <= m.lastCol; col++ {
			if r.cells[col].empty() {
				r.cells[col] = m.value
			}
		}
	}
}
