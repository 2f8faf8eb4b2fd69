package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"touchstone/internal/app"
	"touchstone/internal/store"
	"touchstone/matching/label"
)

// labelStore asks the pairs that wait in the store; the answers are decisions.
func (c *cli) labelStore(ctx context.Context, in io.Reader, a *app.App, f labelFlags) error {
	names := a.EntityNames()
	if err := oneOf("--entity", f.entity, names); err != nil {
		return err
	}
	if f.entity != "" {
		names = []string{f.entity}
	}
	var seen []string
	s := newSession(c, f.lang, &ruler{app: a, by: f.by.by(), c: c})
	for _, name := range names {
		if len(s.questions) >= f.most {
			break
		}
		asks, err := a.Asks(ctx, name, f.most-len(s.questions))
		if err != nil {
			return err
		}
		for _, p := range asks {
			seen = append(seen, p.Pair.A.Golden, p.Pair.B.Golden)
			s.questions = append(s.questions, question{a: p.A, b: p.B, show: func() shownPair {
				out := shownPair{weight: p.Bits, probability: p.Probability}
				for _, f := range p.Fields {
					out.fields = append(out.fields, [3]string{f.Name, f.A, f.B})
				}
				return out
			}})
		}
	}
	if err := c.saw(ctx, a, "label", seen...); err != nil {
		return err
	}
	return s.run(ctx, in)
}

// ruler makes decisions of answers.
type ruler struct {
	app  *app.App
	by   app.By
	c    *cli
	made []string // decisions of this session; "" where one was refused or stood already
}

func (r *ruler) answer(ctx context.Context, q question, a label.Answer) error {
	decide := r.app.Unsure
	switch a {
	case label.Same:
		decide = r.app.Merge
	case label.Different:
		decide = r.app.Apart
	}
	d, err := decide(ctx, q.a, q.b, r.by)
	var no *app.Unclear
	var against *store.Contradiction
	if errors.As(err, &no) || errors.As(err, &against) { // an earlier answer has settled this pair
		fmt.Fprintln(r.c.err, plain(err.Error()))
		r.made = append(r.made, "")
		return nil
	}
	if err != nil {
		return err
	}
	if d.Existing {
		d.Decision = ""
	}
	r.made = append(r.made, d.Decision)
	return nil
}

func (r *ruler) back(ctx context.Context) error {
	last := r.made[len(r.made)-1]
	r.made = r.made[:len(r.made)-1]
	if last == "" {
		return nil
	}
	_, err := r.app.Undo(ctx, last, r.by)
	return err
}

func (r *ruler) done() string { return "" }
