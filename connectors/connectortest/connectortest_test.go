package connectortest

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"touchstone/connectors"
	"touchstone/internal/record"
)

// paged gives n records, two to a page, with an empty page in the middle.
type paged struct{ n int }

func (p paged) Pull(ctx context.Context, stream string, cursor []byte) (connectors.Page, error) {
	if err := ctx.Err(); err != nil {
		return connectors.Page{}, fmt.Errorf("pull: %w", err)
	}
	at, _ := strconv.Atoi(string(cursor)) // nil and "end" start again
	page := connectors.Page{Snapshot: true, More: true}
	for i := at; i < min(at+2, p.n); i++ {
		page.Records = append(page.Records, record.Raw{ID: strconv.Itoa(i), Entity: stream, Data: []byte(doc(i)), Place: "record " + strconv.Itoa(i)})
	}
	page.Cursor = []byte(strconv.Itoa(at + 2))
	if at >= p.n {
		page.More, page.Cursor = false, []byte("end")
	}
	return page, nil
}

func doc(i int) string { return fmt.Sprintf(`{"n":%d}`, i) }

func TestSuiteAcceptsAPullerThatKeepsThePromises(t *testing.T) {
	var want []string
	for i := range 5 {
		want = append(want, doc(i))
	}
	Puller(t, func(*testing.T) connectors.Puller { return paged{5} }, "company", want)
}

func TestSoundFindsBrokenRecords(t *testing.T) {
	tests := []struct {
		why string
		r   record.Raw
		ok  bool
	}{
		{"a good record", record.Raw{Data: []byte(`{"a":1}`), Place: "line 1"}, true},
		{"a good unreadable one", record.Raw{Data: []byte(`{"unreadable":"x"}`), Place: "line 1", Problem: "p"}, true},
		{"data is no object", record.Raw{Data: []byte(`[1]`), Place: "line 1"}, false},
		{"a problem with other data", record.Raw{Data: []byte(`{"a":1}`), Place: "line 1", Problem: "p"}, false},
		{"no place", record.Raw{Data: []byte(`{}`)}, false},
		{"another stream's entity", record.Raw{Data: []byte(`{}`), Place: "line 1", Entity: "person"}, false},
	}
	for _, tt := range tests {
		if err := sound(tt.r, "company"); (err == nil) != tt.ok {
			t.Errorf("%s: sound(%+v) = %v, want accepted: %v", tt.why, tt.r, err, tt.ok)
		}
	}
}
