package rest

import (
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/internal/record"
)

func duration(d config.Duration) time.Duration { return time.Duration(d) }

// meaning is what an answer says, once the error handler has spoken.
type meaning struct {
	class string // "" success; else a class of the error handler
	id    string // with exists
	rule  bool   // the error handler said so
}

// ruleFor finds the error handler's rule for an answer, if there is one.
func (c *Client) ruleFor(a answer) (meaning, error) {
	vars := a.vars()
	for i, r := range c.rules {
		if r.Status != 0 && r.Status != a.Status {
			continue
		}
		if r.when.given() {
			// A test that cannot be worked out for this answer does not fit it.
			if fits, err := r.when.Run(vars); err != nil || fits != true {
				continue
			}
		}
		m := meaning{class: r.Class, rule: true}
		if r.id.given() {
			id, err := r.id.Run(vars)
			if err != nil {
				return m, fmt.Errorf("error_handler rule %d: id: %w", i+1, err)
			}
			m.id, _ = id.(string)
		}
		return m, nil
	}
	return meaning{}, nil
}

// meaningOf asks the error handler first, then the success test, then the status.
func (c *Client) meaningOf(s *stream, a answer) (meaning, error) {
	if m, err := c.ruleFor(a); err != nil || m.rule {
		return m, err
	}
	vars := a.vars()
	if a.Status >= 200 && a.Status <= 299 {
		if !a.isJSON {
			return meaning{class: "unknown"}, nil
		}
		if s.success.given() {
			if ok, err := s.success.Run(vars); err != nil || ok != true {
				return meaning{class: "rejected"}, nil
			}
		}
		return meaning{}, nil
	}
	return meaning{class: classOf(a.Status)}, nil
}

// classOf is the usual meaning of a status.
func classOf(status int) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "auth"
	case status == http.StatusNotFound, status == http.StatusGone:
		return "gone"
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return "conflict"
	case status == http.StatusTooManyRequests:
		return "rate_limited"
	case status == http.StatusSeeOther, status == http.StatusRequestTimeout, status >= 500, status < 200:
		return "unknown" // the write may have happened
	}
	return "rejected"
}

// describe is the text of a refused answer: its status, what it was taken for
// and, if the configuration says where it stands, the server's own sentence
// with the values we sent cut out.
func (c *Client) describe(a answer, sent map[string]any) string {
	text := fmt.Sprintf("status %d", a.Status)
	if a.Status == 0 { // one entry of an answer
		text = "refused"
	}
	if !c.message.given() {
		return text
	}
	v, err := c.message.Run(a.vars())
	said, _ := v.(string)
	if err != nil || strings.TrimSpace(said) == "" {
		return text
	}
	r := []rune(strings.Join(strings.Fields(hide(said, map[string]any{"sent": sent, "secrets": c.auth.secrets()})), " "))
	if len(r) > 200 {
		r = append(r[:199:199], '…')
	}
	return text + ": " + string(r)
}

// hide cuts the values of a change out of a sentence: servers like to repeat
// what they refuse. Longer values go first, so that no rest of them stays.
func hide(said string, sent map[string]any) string {
	var values []string
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case nil, bool:
		case string:
			values = append(values, v)
		case map[string]any:
			for _, e := range v {
				collect(e)
			}
		case []any:
			for _, e := range v {
				collect(e)
			}
		default:
			values = append(values, fmt.Sprint(v))
		}
	}
	collect(sent)
	sort.Slice(values, func(i, j int) bool {
		return len(values[i]) > len(values[j]) || len(values[i]) == len(values[j]) && values[i] < values[j]
	})
	for _, v := range values {
		if len(strings.TrimSpace(v)) >= 2 {
			said = strings.ReplaceAll(said, v, "…")
		}
	}
	return said
}

// readError is a refused read as callers branch on it; asked is what the
// request was filled with.
func (c *Client) readError(m meaning, a answer, asked map[string]any) error {
	err := errors.New(c.describe(a, asked))
	switch m.class {
	case "auth":
		return fmt.Errorf("%w: %w", connectors.ErrAuth, err)
	case "rate_limited":
		return &connectors.RateLimited{After: a.RetryAfter, Err: err}
	case "gone":
		return fmt.Errorf("%w: %w", record.ErrNotFound, err)
	case "rejected", "exists":
		return fmt.Errorf("%w: %w", connectors.ErrRejected, err)
	case "conflict":
		return fmt.Errorf("%w: %w", connectors.ErrConflict, err)
	}
	if !a.isJSON && a.Status < 300 {
		return fmt.Errorf("status %d, but the body is not one JSON value", a.Status)
	}
	if a.RetryAfter > 0 {
		return &connectors.RateLimited{After: a.RetryAfter, Err: err}
	}
	return err
}
