package web

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"touchstone/internal/table"
)

// CertificateCSV writes the certificate of a hand-over for a spreadsheet, a line a
// customer, with every formula made harmless.
type CertificateCSV struct {
	out  *csv.Writer
	head HandoverPage
}

// NewCertificateCSV begins the certificate of p, whichever of its customers p
// holds, with the names of the columns.
func NewCertificateCSV(w io.Writer, p HandoverPage) (*CertificateCSV, error) {
	c := &CertificateCSV{csv.NewWriter(w), p}
	return c, c.write(append([]string{"n", "customer", "name", "before", "after", "now", "at", "who", "why", "undone"}, p.Targets...))
}

// Add writes one customer.
func (c *CertificateCSV) Add(x HandoverPart) error {
	p := &c.head
	cells := []string{strconv.Itoa(x.N), x.Golden, x.Name, x.Before, p.To, x.Now, p.At.UTC().Format(time.RFC3339), p.Who, p.Why, strconv.FormatBool(p.Undone)}
	for _, w := range x.Writes {
		cells = append(cells, w.State)
	}
	return c.write(cells)
}

func (c *CertificateCSV) write(cells []string) error {
	for i, text := range cells {
		cells[i] = table.Harmless(text)
	}
	return c.out.Write(cells)
}

// Close writes what is left.
func (c *CertificateCSV) Close() error {
	c.out.Flush()
	return c.out.Error()
}
