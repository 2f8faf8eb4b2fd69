package web

import (
	"encoding/csv"
	"errors"
	"net/http"
	"slices"

	"touchstone/internal/table"
)

// table answers with a table for a spreadsheet.
func (s *server) table(w http.ResponseWriter, name string, head []string, rows [][]string) {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	out := csv.NewWriter(w)
	_ = out.Write(head) // Error tells at the end
	for _, row := range rows {
		for i, cell := range row {
			row[i] = table.Harmless(cell)
		}
		_ = out.Write(row)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		s.opts.Log.Debug("export not sent", "err", err)
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
