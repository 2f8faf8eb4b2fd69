package web

import (
	"encoding/csv"
	"errors"
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
	write = func(cells ...string) error {
		for i, c := range cells {
			cells[i] = table.Harmless(c)
		}
		return out.Write(cells)
	}
	_ = write(head...) // Error tells at the end
	return write, func() {
		if out.Flush(); out.Error() != nil {
			s.opts.Log.Debug("export not sent", "file", name, "err", out.Error())
		}
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
