package connectors

import "context"

// Row is one record of a table as it was read: Fields in the order of Names,
// or, where a file does not hold columns, Data as a JSON object. All of it is
// lent: it is valid until the next row.
type Row struct {
	// Names are those of the columns: one and the same slice for all rows of a
	// file, and another for another file.
	Names []string
	// Fields are the texts, at most as many as Names; nil where Data holds the
	// record.
	Fields [][]byte
	Data   []byte
	// Problem says why the record could not be read; "" where it could.
	Problem string
	// Place names file and line of a record with a Problem.
	Place string
}

// RowReader is a capability beside Puller, for who reads a whole table at once
// and keeps columns: no page, no cursor and no object for each record. It gives
// the records that Pull gives, with the same problems.
type RowReader interface {
	Rows(ctx context.Context, each func(*Row) error) error
}
