package web

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/table"
)

// exportBound is how long a list may take to be taken away.
const exportBound = 5 * time.Minute

// file begins an answer that the browser keeps as a file. It may take longer than
// a page.
func (s *server) file(w http.ResponseWriter, kind, name string) {
	if err := http.NewResponseController(w).SetWriteDeadline(env.Deadline(exportBound)); err != nil {
		s.opts.Log.Debug("no deadline for an export", "err", err)
	}
	h := w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// sheet begins a table for a spreadsheet that is sent as it is made.
func (s *server) sheet(w http.ResponseWriter, name string, head ...string) (write func(cells ...string) error, end func()) {
	s.file(w, "text/csv", name)
	out := csv.NewWriter(w)
	write = harmless(out)
	_ = write(head...) // Error tells at the end
	return write, func() {
		if out.Flush(); out.Error() != nil {
			s.opts.Log.Debug("export not sent", "file", name, "err", out.Error())
		}
	}
}

// harmless writes lines with every formula made harmless.
func harmless(out *csv.Writer) func(cells ...string) error {
	return func(cells ...string) error {
		for i, c := range cells {
			cells[i] = table.Harmless(c)
		}
		return out.Write(cells)
	}
}

// table answers with a table that is there already.
func (s *server) table(w http.ResponseWriter, name string, head []string, rows [][]string) {
	write, end := s.sheet(w, name, head...)
	defer end()
	for _, row := range rows {
		if write(row...) != nil { // end tells
			return
		}
	}
}

// send writes a text that may be long.
func (s *server) send(w http.ResponseWriter, r *http.Request, text string) {
	if _, err := io.WriteString(w, text); err != nil {
		s.opts.Log.Debug("text not sent", "path", r.URL.Path, "err", err)
	}
}

// exportPart is how many records of an export are read, and kept as shown, at a
// time; exportPartBytes how long their rows may be together.
const (
	exportPart      = 500
	exportPartBytes = 1 << 20
)

// parts is a table that is sent part by part. Before a part leaves it is kept in
// the audit trail whom it shows.
type parts struct {
	s          *server
	w          http.ResponseWriter
	r          *http.Request
	what, name string
	head       []string
	subjects   []string
	rows       [][]string
	bytes      int
	write      func(cells ...string) error // nil before the first part
	finish     func()
}

func (s *server) parts(w http.ResponseWriter, r *http.Request, what, name string, head ...string) *parts {
	return &parts{s: s, w: w, r: r, what: what, name: name, head: head}
}

// add takes a row that shows these subjects.
func (p *parts) add(ctx context.Context, subjects []string, cells ...string) error {
	p.subjects, p.rows = append(p.subjects, subjects...), append(p.rows, cells)
	for _, c := range cells {
		p.bytes += len(c)
	}
	if len(p.rows) < exportPart && p.bytes < exportPartBytes {
		return nil
	}
	return p.flush(ctx)
}

func (p *parts) flush(ctx context.Context) error {
	if list := unique(p.subjects); len(list) > 0 {
		if err := p.s.data.Seen(ctx, who(ctx), p.what, list); err != nil {
			return err
		}
	}
	if p.write == nil {
		p.write, p.finish = p.s.sheet(p.w, p.name, p.head...)
	}
	for _, row := range p.rows {
		if err := p.write(row...); err != nil {
			return err
		}
	}
	p.subjects, p.rows, p.bytes = nil, nil, 0
	return nil
}

// end sends the rest. Where the list could not be read to its end an error is
// answered, or the answer is cut off if it has begun: it must not end as if it
// were whole.
func (p *parts) end(ctx context.Context, err error) {
	if err == nil {
		err = p.flush(ctx)
	}
	switch {
	case err == nil:
		p.finish()
	case p.write == nil:
		p.s.answerError(p.w, p.r, err, nil)
	default:
		p.s.opts.Log.WarnContext(ctx, "export not sent to its end", "path", p.r.URL.Path, "err", err)
		panic(http.ErrAbortHandler)
	}
}

// errEnough ends a list that a page holds no more of.
var errEnough = errors.New("enough for one page")

func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func unique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
