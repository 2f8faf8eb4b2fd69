package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"touchstone/connectors"
	"touchstone/internal/httpx"
	"touchstone/internal/record"
)

// Pull reads one page of a stream. The high-water mark moves on only when a
// pass ends; records equal to it come again in the next pass. Whatever goes
// wrong with a page, the cursor before it stays good.
func (c *Client) Pull(ctx context.Context, name string, at []byte) (connectors.Page, error) {
	s, err := c.stream(name)
	if err != nil {
		return connectors.Page{}, err
	}
	cur, err := readCursor(at)
	if err != nil {
		return connectors.Page{}, fmt.Errorf("pull %s: %w", name, err)
	}
	if !s.list.given() {
		return connectors.Page{}, fmt.Errorf("pull %s: the stream has no list", name)
	}
	page, err := c.pull(ctx, s, cur)
	if err != nil {
		return connectors.Page{}, fmt.Errorf("pull %s: %w", name, err)
	}
	return page, nil
}

// pull reads a page of the list or, when the pass has come to its end, of the
// list of deleted objects.
func (c *Client) pull(ctx context.Context, s *stream, cur cursor) (connectors.Page, error) {
	l, at := &s.list, &cur.place
	if cur.InDeleted {
		if !s.gone.given() {
			cur.InDeleted = false // the configuration has it no more
			return c.finish(s, cur, nil, false)
		}
		if cur.Deleted == nil {
			cur.Deleted = &place{}
		}
		l, at = &s.gone, cur.Deleted
	}
	records, next, more, err := c.page(ctx, s, l, *at)
	if err != nil {
		what := "page"
		if l.gone {
			what = "deleted_list, page"
		}
		return connectors.Page{}, fmt.Errorf("%s %d: %w", what, at.Pages+1, err)
	}
	*at = next
	switch {
	case more:
	case !cur.InDeleted && s.gone.given():
		cur.InDeleted, more = true, true
	default:
		cur.InDeleted = false
	}
	return c.finish(s, cur, records, more)
}

func (c *Client) finish(s *stream, cur cursor, records []record.Raw, more bool) (connectors.Page, error) {
	b, err := cur.bytes()
	if err != nil {
		return connectors.Page{}, err
	}
	if !more {
		c.remember(s.Name, false)
	}
	return connectors.Page{Records: records, Cursor: b, More: more, Snapshot: s.List.Complete}, nil
}

// page reads one page of a list and gives the place behind it.
func (c *Client) page(ctx context.Context, s *stream, l *listing, at place) (records []record.Raw, next place, more bool, err error) {
	if c.opts.MaxPages > 0 && at.Pages >= c.opts.MaxPages {
		return nil, at, false, fmt.Errorf("the pass has had %d pages (max_pages) and does not end", at.Pages)
	}
	since, err := l.since(at.Mark)
	if err != nil {
		return nil, at, false, err
	}
	if l.untilUsed && at.Until == "" {
		if at.Until, err = l.until(c.http.Clock().Now()); err != nil {
			return nil, at, false, err
		}
	}
	q, err := c.listCall(l, since, at)
	if err != nil {
		return nil, at, false, err
	}
	a, m, err := c.ask(ctx, s, q)
	switch {
	case errors.Is(err, httpx.ErrOtherHost) && at.Token != nil && l.pager.Type == "link":
		// Kept while base_url was another, or the system leads elsewhere: then so
		// will the pass that is begun anew, and that is an error.
		return c.again(ctx, s, l, at, err)
	case errors.Is(err, httpx.ErrTooLarge):
		less, ok := l.smaller(q, at)
		if !ok {
			return nil, at, false, c.tooLarge(l, q, err)
		}
		c.note("stream %s: a page was longer than requester.max_body (%s); the rest of the pass was asked for in smaller pages", s.Name, c.opts.Requester.MaxBody)
		return c.page(ctx, s, l, less)
	case err != nil:
		return nil, at, false, err
	case m.class == "":
	case at.Token != nil && l.counted() && a.Status == http.StatusNotFound && !m.rule:
		return nil, at.over(), false, nil // past the last page
	case at.Token != nil && forgotten(l, a, m):
		return c.again(ctx, s, l, at, c.readError(m, a, nil))
	default:
		return nil, at, false, c.readError(m, a, nil)
	}
	list, err := recordsOf(l.request, l.Records.Text, a)
	if err != nil {
		return nil, at, false, err
	}
	records, high, err := c.records(s, l, list, at, since, latest(a))
	if err != nil {
		return nil, at, false, err
	}
	next, more, err = l.turn(a, at, list, high)
	return records, next, more, err
}

// forgotten says that an answer to a continued page means that the system no
// longer knows the page token.
func forgotten(l *listing, a answer, m meaning) bool {
	if m.rule {
		return m.class == "reset"
	}
	return !l.counted() && (a.Status == http.StatusBadRequest || a.Status == http.StatusNotFound || a.Status == http.StatusGone)
}

// again begins a pass again whose page token leads nowhere any more: behind
// the greatest id where the search is sorted, else from the mark. A second time
// before the pass ends is an error, told as it came; the try after that may
// begin again once more.
func (c *Client) again(ctx context.Context, s *stream, l *listing, at place, why error) ([]record.Raw, place, bool, error) {
	if !c.remember(s.Name, true) {
		c.remember(s.Name, false)
		return nil, at, false, fmt.Errorf("the system refuses its own page token, again after the pass was begun anew: %w", why)
	}
	c.note("stream %s: the system no longer knew a page token; the pass was begun anew", s.Name)
	anew := place{Mark: at.Mark, Size: at.Size}
	if l.order.given() && at.Last != "" {
		anew = place{Mark: at.Mark, High: at.High, Until: at.Until, Last: at.Last, After: at.Last, Pages: at.Pages, Size: at.Size}
	}
	return c.page(ctx, s, l, anew)
}

// remember notes that a stream's pass was begun anew, or is over. It says
// whether that is new.
func (c *Client) remember(stream string, anew bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	is := c.anew[stream]
	c.anew[stream] = anew
	return is != anew
}

// over is the place between two passes.
func (p place) over() place { return place{Mark: greater(p.Mark, p.High)} }
