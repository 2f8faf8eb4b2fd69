package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"touchstone/connectors"
	"touchstone/internal/record"
)

// Pull gives the next page: at most 1,000 records and 8 MiB of text (Data may
// be longer by its escapes). Files come in the
// order of their names. Records carry no ID, Version and Stamp: the mapping
// finds them in Data.
//
// A file that changes while a page is read from it is an error. Pulling again
// with the same cursor then begins that file anew, so that a pass always ends
// with files read whole; the same happens when a file changes between pages.
func (c *Client) Pull(ctx context.Context, stream string, cursor []byte) (connectors.Page, error) {
	if err := ctx.Err(); err != nil {
		return connectors.Page{}, err
	}
	p := c.take(stream, cursor)
	if p == nil {
		var err error
		if p, err = c.start(cursor); err != nil {
			return connectors.Page{}, err
		}
		if p.fresh {
			c.setNotes(stream, nil)
		}
	}
	page, err := p.page(ctx, stream)
	if err != nil {
		p.close()
		return connectors.Page{}, err
	}
	c.addNotes(stream, p.notes)
	p.notes = nil
	if !page.More {
		p.close()
		return page, nil
	}
	p.cursor = string(page.Cursor)
	c.keep(stream, p)
	return page, nil
}

// take hands out the open pass of the stream if it stands at the cursor.
func (c *Client) take(stream string, cursor []byte) *pass {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.open[stream]
	if p == nil {
		return nil
	}
	delete(c.open, stream)
	if p.cursor != string(cursor) {
		p.close()
		return nil
	}
	return p
}

func (c *Client) keep(stream string, p *pass) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.open[stream]; old != nil {
		old.close()
	}
	c.open[stream] = p
}

func (c *Client) setNotes(stream string, notes []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes[stream] = notes
}

func (c *Client) addNotes(stream string, notes []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range notes {
		if len(c.notes[stream]) < keptNotes && !slices.Contains(c.notes[stream], n) {
			c.notes[stream] = append(c.notes[stream], n)
		}
	}
}

// list names the files that match, in byte order. None at all is an error: a
// share that is not mounted must not look like a source without customers.
func (c *Client) list(root *os.Root) ([]string, error) {
	names, err := fs.Glob(root.FS(), c.pattern)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	var files []string
	for _, name := range names {
		info, err := root.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("look at file: %w", told(err))
		}
		if info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		// Stat tells a missing file from a link that leads out of the folder.
		info, err := root.Stat(c.pattern)
		switch glob := strings.ContainsAny(c.pattern, `*?[\`); {
		case err == nil && info.IsDir():
			return nil, fmt.Errorf("%s is a folder; name the files in it by a pattern: %s", c.opts.Path, path.Join(filepath.ToSlash(c.opts.Path), "*.csv"))
		case err != nil && !glob:
			return nil, fmt.Errorf("look at file: %w", told(err))
		}
		return nil, fmt.Errorf("no file matches %s in %s", c.opts.Path, c.dir)
	}
	slices.Sort(files)
	return files, nil
}

// pass is one reading of all files, standing between two records.
type pass struct {
	c      *Client
	root   *os.Root
	files  []string // still to be read, the current one first
	cur    *reader  // the current file once it is open
	sum    string   // over the finished files
	resume position // where to go on in files[0] when it is opened
	cursor string   // the cursor last returned
	notes  []string
	fresh  bool
	buf    []byte // the record being built
}

// start begins a pass at the cursor.
func (c *Client) start(cursor []byte) (*pass, error) {
	at, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	if at.Done || at.Options != c.seed[:optionsDigits] {
		at = position{}
	}
	root, err := openFolder(c.dir)
	if err != nil {
		return nil, err
	}
	p := &pass{c: c, root: root, sum: c.seed, resume: at, fresh: at.File == ""}
	if p.files, err = c.list(root); err != nil {
		p.close()
		return nil, err
	}
	if at.File != "" {
		n, found := slices.BinarySearch(p.files, at.File)
		p.files, p.sum = p.files[n:], at.Sum
		if !found { // gone since: go on behind it
			p.resume = position{}
		}
	}
	return p, nil
}

func (p *pass) close() {
	p.closeFile()
	_ = p.root.Close() // only read from
}

func (p *pass) closeFile() {
	if p.cur != nil {
		if c, ok := p.cur.scan.(io.Closer); ok {
			_ = c.Close() // a file of its own that is of no use any more
		}
		_ = p.cur.f.Close() // only read from
		p.cur = nil
	}
}

// page reads on until the page is full or the files are at their end.
func (p *pass) page(ctx context.Context, stream string) (connectors.Page, error) {
	page := connectors.Page{Snapshot: true}
	size := 0
	for len(page.Records) == 0 || len(page.Records) < pageRecords && size+p.c.opts.MaxRecord <= pageBytes {
		if p.cur == nil {
			if len(p.files) == 0 {
				page.Cursor = position{Options: p.c.seed[:optionsDigits], Sum: p.sum, Done: true}.encode()
				return page, nil
			}
			if err := p.openNext(ctx); err != nil {
				return page, err
			}
		}
		if len(page.Records)%64 == 0 {
			if err := ctx.Err(); err != nil {
				return page, err
			}
		}
		item, err := p.cur.scan.next(ctx, p.buf[:0])
		if errors.Is(err, io.EOF) {
			if err := p.finishFile(); err != nil {
				return page, err
			}
			continue
		}
		if err != nil {
			return page, fmt.Errorf("read %s: %w", p.cur.name, err)
		}
		p.buf = item.data
		p.cur.records++
		size += len(item.data)
		page.Records = append(page.Records, record.Raw{
			Entity:  stream,
			Data:    slices.Clone(item.data),
			Place:   p.cur.name + " " + cmp.Or(item.place, "line "+strconv.Itoa(item.line)),
			Problem: item.problem,
		})
	}
	if err := p.cur.unchanged(); err != nil {
		return page, err
	}
	page.More = true
	page.Cursor = p.position().encode()
	return page, nil
}

// position is where the next record begins: behind a record of an open file.
func (p *pass) position() position {
	offset, line := p.cur.scan.position()
	return position{
		Options: p.c.seed[:optionsDigits], Sum: p.sum, File: p.cur.name,
		Size: p.cur.info.Size(), Mod: p.cur.info.ModTime().UnixNano(), Offset: offset, Line: line,
	}
}

func (p *pass) openNext(ctx context.Context) error {
	at := p.resume
	p.resume = position{}
	r, err := openFile(ctx, p.root, p.files[0], p.c.opts, at)
	if err != nil {
		return err
	}
	p.cur = r
	if r.note != "" && !r.resumed {
		p.notes = append(p.notes, r.name+": "+r.note)
	}
	return nil
}

// finishFile adds the file at its end to the sum, if it is still the one that
// was opened.
func (p *pass) finishFile() error {
	r := p.cur
	if err := r.unchanged(); err != nil {
		return err
	}
	switch {
	case r.info.Size() == 0:
		p.notes = append(p.notes, r.name+": the file is empty")
	case r.records == 0 && !r.resumed:
		p.notes = append(p.notes, r.name+": the file holds no records")
	}
	p.sum = chain(p.sum, r.name, r.info)
	p.files = p.files[1:]
	p.closeFile()
	return nil
}
