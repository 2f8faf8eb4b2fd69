package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// turn gives the place behind a page.
func (l *listing) turn(a answer, at place, list []any, high string) (next place, more bool, err error) {
	got := len(list)
	token, more, err := l.nextToken(a, at, got)
	if err != nil {
		return at, false, err
	}
	next = place{Mark: at.Mark, High: high, Token: &token, Pages: at.Pages + 1, Until: at.Until, Last: at.Last, After: at.After, Count: at.Count + got, Size: at.Size}
	if l.order.given() {
		if next.Last, err = l.lastOf(list, at.Last); err != nil {
			return at, false, err
		}
	}
	if most := l.pager.Restart.MaxResults; most > 0 && got > 0 && next.Count+got > most {
		// The next page would be cut, or refused: search anew behind what came.
		if next.Last == at.Last {
			return at, false, errors.New("paginator.restart: the search gives the same results again; {{ last }} does not filter")
		}
		next.Token, next.Count, next.After = nil, 0, next.Last
		return next, true, nil
	}
	if !more {
		next = next.over()
		if l.pager.Keep && token != "" {
			next.Token = &token
		}
		return next, false, nil
	}
	var again bool
	if next.Loop, again = at.Loop.next(token); again || at.Token != nil && *at.Token == token {
		return at, false, errors.New("the page token came before in this pass: it would never end")
	}
	return next, true, nil
}

// lastOf is the greatest order_by of a page. Where these are numbers they have
// to grow: a search that is sorted otherwise would lose what stands behind.
func (l *listing) lastOf(list []any, last string) (string, error) {
	for i, e := range list {
		v, err := l.order.Run(map[string]any{"record": e})
		if err != nil {
			return "", fmt.Errorf("record %d: paginator.restart.order_by: %w", i+1, err)
		}
		id, _ := v.(string)
		if id == "" {
			return "", fmt.Errorf("record %d: paginator.restart.order_by gives nothing", i+1)
		}
		n, ok := markNumber(id)
		before, numbers := markNumber(last)
		if ok && numbers && n.Cmp(before) <= 0 {
			return "", errors.New("paginator.restart: the records do not come sorted by order_by, or {{ last }} does not filter; nothing of the page is taken")
		}
		last = id
	}
	return last, nil
}

func (l *listing) counted() bool { return l.pager.Type == "page" || l.pager.Type == "offset" }

// since is the time or number from which a pass asks, as the records write it;
// "" in the first.
func (l *listing) since(mark string) (string, error) {
	step := duration(l.inc.Step)
	behind := duration(l.inc.Lookback)
	if !l.inc.Inclusive {
		behind = max(behind, step, time.Second) // else what shares the mark's time and comes late would be lost
	}
	return back(mark, behind, step)
}

// until is the end of a pass's window, as requests write it.
func (l *listing) until(now time.Time) (string, error) {
	t := now.Add(-duration(l.inc.Lag)).UTC()
	return written(t.Format("2006-01-02T15:04:05.000Z"), l.inc.Format)
}

// listCall is the request for a page.
func (c *Client) listCall(l *listing, since string, at place) (call, error) {
	from, err := written(since, l.inc.Format)
	if err != nil {
		return call{}, err
	}
	if from == "" {
		from = l.Start
	}
	vars := map[string]any{"cursor": from, "until": at.Until, "last": at.After}
	u, err := c.address(l.request, vars)
	if err != nil {
		return call{}, err
	}
	q := call{method: l.method, url: u, header: http.Header{}, safe: true, route: l.route}
	if l.method == http.MethodPost {
		if q.body, err = l.body.object(vars); err != nil {
			return call{}, fmt.Errorf("body: %w", err)
		}
	}
	if err := q.turnTo(l.pager, at.Token); err != nil {
		return q, err
	}
	l.sized(&q, at)
	return q, nil
}

// turnTo puts the page token where it goes.
func (q *call) turnTo(p Paginator, token *string) error {
	if token == nil && (p.Type == "page" || p.Type == "offset") {
		first := strconv.Itoa(p.First)
		if p.Type == "offset" {
			first = "0"
		}
		token = &first
	}
	switch {
	case token == nil:
	case p.Type == "link":
		link, err := url.Parse(*token)
		if err != nil {
			return errors.New("the link to the next page is not an address")
		}
		q.url = q.url.ResolveReference(link)
	case p.Inject.Header != "":
		q.header.Set(p.Inject.Header, *token)
	case p.Inject.Body != "":
		return put(q.body, p.Inject.Body, *token)
	default:
		v := q.url.Query()
		v.Set(p.Inject.Query, *token)
		q.url.RawQuery = v.Encode()
	}
	return nil
}

// nextToken finds what asks for the next page; more is false on the last one.
// An empty page is the end only where pages are counted and nothing else says it.
func (l *listing) nextToken(a answer, at place, got int) (token string, more bool, err error) {
	end := got == 0
	if l.stop.given() {
		v, err := l.stop.Run(a.vars())
		if err != nil {
			return "", false, fmt.Errorf("paginator.stop_when: %w", err)
		}
		end = v == true
	}
	switch l.pager.Type {
	case "cursor", "link":
		v, err := l.token.Run(a.vars())
		if err != nil {
			return "", false, fmt.Errorf("paginator.token: %w", err)
		}
		token, _ = v.(string)
		if l.secretParam != "" {
			token = withoutParam(token, l.secretParam)
		}
		return token, token != "" && (!l.stop.given() || !end), nil
	case "page", "offset":
		n := 0
		if l.pager.Type == "page" {
			n = l.pager.First
		}
		if at.Token != nil {
			if n, err = strconv.Atoi(*at.Token); err != nil {
				return "", false, errors.New("the cursor is not one of this connector")
			}
		}
		if l.pager.Type == "page" {
			return strconv.Itoa(n + 1), !end, nil
		}
		return strconv.Itoa(n + got), !end, nil
	}
	return "", false, nil
}

// withoutParam takes a query parameter out of an address: the link to the next
// page may hold the key, and the cursor that keeps the link is no place for it.
func withoutParam(link, name string) string {
	u, err := url.Parse(link)
	if err != nil || !strings.Contains(u.RawQuery, name) {
		return link
	}
	q := u.Query()
	q.Del(name)
	u.RawQuery = q.Encode()
	return u.String()
}
