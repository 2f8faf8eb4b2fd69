package web

import (
	"cmp"
	"encoding/csv"
	"io"
	"strconv"
	"time"
)

// WriteCertificate writes the certificate of a hand-over for a spreadsheet, a line
// a customer, with every formula made harmless.
func WriteCertificate(w io.Writer, p HandoverPage) error {
	out := csv.NewWriter(w)
	write := harmless(out)
	err := write(certificateHead(p)...)
	for i := 0; err == nil && i < len(p.Parts); i++ {
		err = write(certificateCells(p, p.Parts[i])...)
	}
	out.Flush()
	return cmp.Or(err, out.Error())
}

func certificateHead(p HandoverPage) []string {
	return append([]string{"n", "customer", "name", "before", "after", "now", "at", "who", "why", "undone"}, p.Targets...)
}

func certificateCells(p HandoverPage, x HandoverPart) []string {
	cells := []string{strconv.Itoa(x.N), x.Golden, x.Name, x.Before, p.To, x.Now, p.At.UTC().Format(time.RFC3339), p.Who, p.Why, strconv.FormatBool(p.Undone)}
	for _, w := range x.Writes {
		cells = append(cells, w.State)
	}
	return cells
}
