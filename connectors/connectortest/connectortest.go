// Package connectortest is the suite that every connector passes: it checks
// what the comments of package connectors promise.
package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
	"touchstone/internal/record"
)

const (
	maxPages = 10_000
	// patience is how long a Pull may take to notice that its context ended.
	patience = 2 * time.Second
)

// Puller checks one stream of a connector. open returns a fresh client each
// time, as after a restart, all looking at the same unchanging system; the
// suite closes those that have a Close method. want is the Data of every
// record of a whole pass, in order.
func Puller(t *testing.T, open func(t *testing.T) connectors.Puller, stream string, want []string) {
	t.Helper()
	s := suite{open: open, stream: stream, want: want}
	if !t.Run("whole pass", s.wholePass) {
		return // without one there is nothing to compare with
	}
	t.Run("resumes from every cursor", s.resumes)
	t.Run("same cursor same page", s.sameCursor)
	t.Run("a second pass starts again", s.secondPass)
	t.Run("stops when cancelled", s.cancelled)
	t.Run("records are complete", s.complete)
}

type suite struct {
	open   func(t *testing.T) connectors.Puller
	stream string
	want   []string
}

// client opens a fresh client that is closed with the test.
func (s suite) client(t *testing.T) connectors.Puller {
	t.Helper()
	p := s.open(t)
	if c, ok := p.(interface{ Close() error }); ok {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	return p
}

// pass pulls from the cursor to the end. The cursor given to the client is a
// copy that is spoilt afterwards, so that one which keeps it is found out.
func (s suite) pass(t *testing.T, p connectors.Puller, cursor []byte) []connectors.Page {
	t.Helper()
	var pages []connectors.Page
	seen := map[string]bool{}
	for range maxPages {
		page := s.pull(t, p, cursor)
		pages = append(pages, page)
		if !page.More {
			return pages
		}
		if seen[string(page.Cursor)] {
			t.Fatalf("page %d returned the cursor %q for the second time: the pass would never end", len(pages), page.Cursor)
		}
		seen[string(page.Cursor)] = true
		cursor = page.Cursor
	}
	t.Fatalf("no end after %d pages", maxPages)
	return nil
}

func (s suite) pull(t *testing.T, p connectors.Puller, cursor []byte) connectors.Page {
	t.Helper()
	var lent []byte
	if cursor != nil {
		lent = append([]byte{}, cursor...)
	}
	page, err := p.Pull(t.Context(), s.stream, lent)
	if err != nil {
		t.Fatalf("Pull(%q, cursor %q): %v", s.stream, cursor, err)
	}
	for i := range lent {
		lent[i] = '!'
	}
	return page
}

func (s suite) wholePass(t *testing.T) {
	got := data(s.pass(t, s.client(t), nil))
	if diff := cmp.Diff(s.want, got, equateEmpty()); diff != "" {
		t.Fatalf("records of a whole pass (-want +got):\n%s", diff)
	}
}

func (s suite) resumes(t *testing.T) {
	pages := s.pass(t, s.client(t), nil)
	given := 0
	for i, page := range pages[:len(pages)-1] {
		given += len(page.Records)
		got := data(s.pass(t, s.client(t), page.Cursor))
		if diff := cmp.Diff(s.want[given:], got, equateEmpty()); diff != "" {
			t.Errorf("a fresh client resumed at the cursor of page %d, %q (-want +got):\n%s", i+1, page.Cursor, diff)
		}
	}
}

func (s suite) sameCursor(t *testing.T) {
	p := s.client(t)
	var cursor []byte
	for n := 1; ; n++ {
		first := s.pull(t, p, cursor)
		again := s.pull(t, p, cursor)
		fresh := s.pull(t, s.client(t), cursor)
		if diff := cmp.Diff(shown(first), shown(again)); diff != "" {
			t.Errorf("page %d pulled twice with cursor %q (-first +second):\n%s", n, cursor, diff)
		}
		if diff := cmp.Diff(shown(first), shown(fresh)); diff != "" {
			t.Errorf("page %d pulled by a fresh client with cursor %q (-first +fresh):\n%s", n, cursor, diff)
		}
		if !first.More || n == maxPages {
			return
		}
		cursor = first.Cursor
	}
}

// secondPass goes on from the cursor of a finished pass. A snapshot starts
// again; a source of changes may give anything it has given before.
func (s suite) secondPass(t *testing.T) {
	p := s.client(t)
	pages := s.pass(t, p, nil)
	last := pages[len(pages)-1]
	got := data(s.pass(t, p, last.Cursor))
	if last.Snapshot {
		if diff := cmp.Diff(s.want, got, equateEmpty()); diff != "" {
			t.Errorf("second pass of a snapshot (-want +got):\n%s", diff)
		}
		return
	}
	known := map[string]bool{}
	for _, d := range s.want {
		known[d] = true
	}
	for i, d := range got {
		if !known[d] {
			t.Errorf("second pass over an unchanged system: record %d is new: %s", i+1, d)
		}
	}
}

func (s suite) cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := s.client(t)
	done := make(chan error, 1)
	go func() {
		_, err := p.Pull(ctx, s.stream, nil)
		done <- err
	}()
	wait, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Pull with a cancelled context: error %v, want one that wraps context.Canceled", err)
		}
	case <-wait.Done():
		t.Errorf("Pull with a cancelled context has not returned after %v; later it gave error %v", patience, <-done)
	}
	if got := data(s.pass(t, p, nil)); !cmp.Equal(s.want, got, equateEmpty()) {
		t.Errorf("the pass after a cancelled one gave %d records, want %d", len(got), len(s.want))
	}
}

// complete checks each record by itself, and that no page's memory is used
// again by the next one.
func (s suite) complete(t *testing.T) {
	pages := s.pass(t, s.client(t), nil)
	if diff := cmp.Diff(s.want, data(pages), equateEmpty()); diff != "" {
		t.Errorf("records read after the whole pass: a page was overwritten by a later one (-want +got):\n%s", diff)
	}
	ids, n := 0, 0
	for _, page := range pages {
		if page.Snapshot != pages[0].Snapshot {
			t.Errorf("Snapshot is %v on one page and %v on another of the same pass", pages[0].Snapshot, page.Snapshot)
		}
		for _, r := range page.Records {
			n++
			if r.ID != "" {
				ids++
			}
			if err := sound(r, s.stream); err != nil {
				t.Errorf("record %d (%s): %v", n, r.Place, err)
			}
		}
	}
	if readable := n - unreadable(pages); ids != 0 && ids < readable {
		t.Errorf("%d of %d readable records have an ID: want all, or none if the mapping finds them", ids, readable)
	}
}

// sound checks one record against the contract of record.Raw.
func sound(r record.Raw, stream string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(r.Data, &object); err != nil {
		return fmt.Errorf("data is not a JSON object: %w", err)
	}
	if _, ok := object["unreadable"]; r.Problem != "" && (!ok || len(object) != 1) {
		return fmt.Errorf("with the problem %q its data is not {\"unreadable\": …}", r.Problem)
	}
	switch {
	case r.Entity != "" && r.Entity != stream:
		return fmt.Errorf("entity is %q, want the stream %q or none", r.Entity, stream)
	case r.Place == "":
		return errors.New("place is empty, want where the record was found")
	case !r.Stamp.IsZero() && r.Stamp.Location() != time.UTC:
		return fmt.Errorf("stamp is in %v, want UTC", r.Stamp.Location())
	}
	return nil
}

func unreadable(pages []connectors.Page) int {
	n := 0
	for _, page := range pages {
		for _, r := range page.Records {
			if r.Problem != "" {
				n++
			}
		}
	}
	return n
}

func data(pages []connectors.Page) []string {
	var all []string
	for _, page := range pages {
		for _, r := range page.Records {
			all = append(all, string(r.Data))
		}
	}
	return all
}

// view is what two pulls with one cursor must have in common; the cursors that
// they return may differ.
type view struct {
	Records  []string
	More     bool
	Snapshot bool
}

func shown(p connectors.Page) view {
	v := view{More: p.More, Snapshot: p.Snapshot}
	for _, r := range p.Records {
		v.Records = append(v.Records, fmt.Sprintf("%s %s %s %v %s %s %s", r.ID, r.Version, r.Place, r.Deleted, record.FormatTime(r.Stamp), r.Problem, r.Data))
	}
	return v
}

func equateEmpty() cmp.Option {
	return cmp.FilterValues(func(a, b []string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Comparer(func(_, _ []string) bool { return true }))
}
