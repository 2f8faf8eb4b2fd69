package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"touchstone/internal/httpx"
)

// PageSize names where a list's page size stands.
type PageSize struct {
	Query string `yaml:"query" doc:"a query parameter" example:"limit"`
	Body  string `yaml:"body" doc:"a member of the body, dotted" example:"limit"`
}

func (p PageSize) given() bool { return p.Query+p.Body != "" }

// sizeOf is the page size that a request asks for; 0 where it says none.
func (p PageSize) sizeOf(q call) int {
	text := ""
	switch {
	case p.Query != "":
		text = q.url.Query().Get(p.Query)
	case p.Body != "":
		if v, ok := memberAt(q.body, p.Body); ok {
			text = fmt.Sprint(v)
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// resize asks for pages of another size, as a number where it was one.
func (p PageSize) resize(q *call, size int) {
	if p.Query != "" {
		u := *q.url
		v := u.Query()
		v.Set(p.Query, strconv.Itoa(size))
		u.RawQuery = v.Encode()
		q.url = &u
		return
	}
	steps := strings.Split(p.Body, ".")
	object := q.body
	for _, step := range steps[:len(steps)-1] {
		next, ok := object[step].(nest)
		if !ok {
			return
		}
		object = next
	}
	last := steps[len(steps)-1]
	if _, text := object[last].(string); text {
		object[last] = strconv.Itoa(size)
	} else {
		object[last] = json.Number(strconv.Itoa(size))
	}
}

func memberAt(object nest, path string) (any, bool) {
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		next, ok := object[step].(nest)
		if !ok {
			return nil, false
		}
		object = next
	}
	v, ok := object[steps[len(steps)-1]]
	return v, ok
}

// smaller is the same place of a list in pages of a smaller size: half as long,
// or, where pages are counted, the largest size in which the place is the
// beginning of a page too. False where there is none.
func (l *listing) smaller(q call, at place) (place, bool) {
	p := l.pager
	size := p.Size.sizeOf(q)
	if size < 2 {
		return at, false
	}
	part := 2
	if p.Type == "page" {
		for size%part != 0 {
			part++
		}
		if at.Token != nil {
			n, err := strconv.Atoi(*at.Token)
			if err != nil {
				return at, false
			}
			token := strconv.Itoa((n-p.First)*part + p.First)
			at.Token = &token
		}
	}
	at.Size = size / part
	return at, true
}

// tooLarge says what to do about a page that is not read, or about a record that
// is too long by itself.
func (c *Client) tooLarge(l *listing, q call, err error) error {
	if !errors.Is(err, httpx.ErrTooLarge) {
		return err
	}
	most := c.opts.Requester.MaxBody
	switch {
	case l.pager.Size.sizeOf(q) == 1:
		return fmt.Errorf("one record alone is longer than %s; raise requester.max_body of the source, nothing behind it is read until then: %w", most, err)
	case l.pager.Size.given():
		return fmt.Errorf("the page is longer than %s, and the request says no page size that could be halved; raise requester.max_body of the source, nothing behind it is read until then: %w", most, err)
	}
	return fmt.Errorf("the page is longer than %s; raise requester.max_body of the source, or ask for fewer records a page (paginator.size lets that be done by itself); nothing behind it is read until then: %w", most, err)
}

// sized puts the place's page size into a request.
func (l *listing) sized(q *call, at place) {
	if at.Size > 0 && l.pager.Size.given() {
		l.pager.Size.resize(q, at.Size)
	}
}
