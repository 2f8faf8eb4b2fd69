package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/internal/httpx"
	"touchstone/internal/record"
)

// batch is a compiled Batch.
type batch struct {
	request
	Batch
	item                            *body
	results, success, errs, ref, id program
	job                             job
}

// job is a compiled Job.
type job struct {
	request
	Job
	id, done, failed program
}

func resultVars() map[string]any { return map[string]any{"result": nil} }

func (c *compiler) batch(above config.Node, w Write) batch {
	b := w.Batch
	at := above.Key("batch")
	out := batch{Batch: b, request: c.request(at, b.Method, b.Path, b.Query, map[string]any{})}
	if b.Path == "" {
		return out
	}
	itemVars := writeVars()
	itemVars["place"] = int64(0)
	out.item = c.tree(b.Item, itemVars)
	out.results = c.expr(b.Results, answerVars(), anyKind)
	out.success = c.expr(b.Success, resultVars(), boolKind)
	out.errs = c.expr(b.Errors, answerVars(), anyKind)
	out.ref = c.expr(b.Ref, resultVars(), anyKind)
	out.id = c.expr(b.ID, resultVars(), textKind)
	if !b.Item.IsZero() && b.Item.Kind != config.ObjectTree {
		c.say(at.Key("item"), "want an object")
	}
	if b.Items == "" || b.Results.IsZero() {
		c.say(at, "needs items, the member that takes the objects, and results, where the answer tells what became of each")
	}
	j := b.Job
	out.job = job{Job: j, request: c.request(at.Key("job"), http.MethodGet, j.Path, nil, map[string]any{"job": ""})}
	out.job.id = c.expr(j.ID, answerVars(), textKind)
	out.job.done = c.expr(j.Done, answerVars(), boolKind)
	out.job.failed = c.expr(j.Failed, answerVars(), boolKind)
	if j.Path != "" && (j.ID.IsZero() || j.Done.IsZero()) {
		c.say(at.Key("job"), "needs id, the job's id in the answer, and done, when it has ended")
	}
	return out
}

// together says how many of the first changes go in one request: the same
// operation on the same kind of object, no object twice, none under a
// precondition.
func (c *Client) together(changes []record.Change) int {
	first := changes[0]
	s, err := c.stream(first.Entity)
	if err != nil {
		return 1
	}
	w, err := s.writeFor(first.Op)
	if err != nil || !w.batch.given() {
		return 1
	}
	seen := map[string]bool{}
	for n, ch := range changes {
		name := ch.ExternalID + "\x00" + ch.Key
		conditional := s.Precondition == "etag" && ch.Precondition != ""
		if n == w.batch.Max || ch.Entity != first.Entity || ch.Op != first.Op || seen[name] || conditional && n > 0 {
			return n
		}
		if conditional && w.given() {
			return 1
		}
		seen[name] = true
	}
	return len(changes)
}

// pushBatch sends changes in one request and reads what became of each. A
// batch that is refused whole is sent again in halves until the one that is at
// fault stands alone.
func (c *Client) pushBatch(ctx context.Context, s *stream, w write, changes []record.Change) []connectors.Result {
	all := func(r connectors.Result) []connectors.Result {
		if r.Err != nil {
			r.Err = fmt.Errorf("%s %s in a batch: %w", changes[0].Op, changes[0].Entity, r.Err)
		}
		out := make([]connectors.Result, len(changes))
		for i := range out {
			out[i] = r
			out[i].ExternalID = changes[i].ExternalID
		}
		return out
	}
	body, err := w.batchBody(changes)
	if err != nil {
		return c.halves(ctx, s, w, changes, rejected("%w", err))
	}
	u, err := c.address(w.batch.request, map[string]any{})
	if err != nil {
		return all(rejected("%w", err))
	}
	a, token, err := c.send(ctx, call{method: w.batch.method, url: u, body: body, route: w.batch.route})
	if res := unsent(err); err != nil && res.Outcome == connectors.Rejected {
		return c.halves(ctx, s, w, changes, res)
	} else if err != nil {
		return all(res)
	}
	m, err := c.meaningOf(s, a)
	switch {
	case err != nil:
		return all(connectors.Result{Outcome: connectors.Unknown, Err: err})
	case c.stale(m, a) && c.auth.renew(ctx, token) == nil:
		return all(connectors.Result{Outcome: connectors.Retry, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, connectors.ErrRenewed)})
	case m.class == "":
	case m.class == "rejected", m.class == "conflict", m.class == "gone", m.class == "exists", m.class == "reset":
		return c.halves(ctx, s, w, changes, c.refused(m, a, changes[0]))
	default:
		return all(c.refused(m, a, record.Change{Fields: everything(changes)}))
	}
	if w.batch.job.given() {
		if a, err = c.await(ctx, s, w.batch.job, a); err != nil {
			return all(connectors.Result{Outcome: connectors.Unknown, Err: err})
		}
	}
	return c.perItem(s, w, changes, a)
}

// everything is what a batch sent, for cutting it out of a server's sentence.
func everything(changes []record.Change) map[string]any {
	list := make([]any, 0, 2*len(changes))
	for _, ch := range changes {
		list = append(list, ch.Fields, ch.Key)
	}
	return map[string]any{"": list}
}

// halves sends the two halves of a batch that was refused whole.
func (c *Client) halves(ctx context.Context, s *stream, w write, changes []record.Change, refused connectors.Result) []connectors.Result {
	if len(changes) == 1 {
		if refused.Err != nil {
			refused.Err = fmt.Errorf("%s %s: %w", changes[0].Op, changes[0].Entity, refused.Err)
		}
		return []connectors.Result{refused}
	}
	mid := len(changes) / 2
	out := c.pushBatch(ctx, s, w, changes[:mid])
	if stop := stopper(out); stop != nil {
		return append(out, notSent(changes[mid:], *stop)...)
	}
	return append(out, c.pushBatch(ctx, s, w, changes[mid:])...)
}

func (w write) batchBody(changes []record.Change) (nest, error) {
	items := make([]any, len(changes))
	for i, ch := range changes {
		item, err := w.batch.item.object(map[string]any{"id": ch.ExternalID, "key": ch.Key, "place": int64(i)})
		if err != nil {
			return nil, fmt.Errorf("item: %w", err)
		}
		if err := w.putFields(item, w.batch.Wrap, ch); err != nil {
			return nil, err
		}
		items[i] = item
	}
	root := nest{}
	return root, put(root, w.batch.Items, items)
}

// perItem reads a batch's answer. What it does not tell of stays unknown.
func (c *Client) perItem(s *stream, w write, changes []record.Change, a answer) []connectors.Result {
	out := make([]connectors.Result, len(changes))
	for i, ch := range changes {
		out[i] = connectors.Result{Outcome: connectors.Unknown, ExternalID: ch.ExternalID, Err: fmt.Errorf("%s %s in a batch: the answer does not say what became of it", ch.Op, ch.Entity)}
	}
	results, err := listOf(w.batch.results, a)
	failed, err2 := listOf(w.batch.errs, a)
	if err != nil || err2 != nil {
		for i := range out {
			out[i].Err = fmt.Errorf("%s %s in a batch: %w", changes[i].Op, changes[i].Entity, errors.Join(err, err2))
		}
		return out
	}
	places := w.batch.places(changes)
	bare := len(results) == len(changes) && len(failed) == 0 // then their order tells whose they are
	for n, e := range results {
		at := w.batch.refs(e, places)
		if len(at) == 0 && bare {
			at = []int{n}
		}
		ok := true
		if w.batch.success.given() {
			v, err := w.batch.success.Run(map[string]any{"result": e})
			ok = err == nil && v == true
		}
		for _, i := range at {
			if ok {
				out[i] = c.written(s, w, changes[i], e)
			} else {
				out[i] = c.refusedEntry(changes[i], e, a)
			}
		}
	}
	for _, e := range failed {
		for _, i := range w.batch.refs(e, places) {
			out[i] = c.refusedEntry(changes[i], e, a)
		}
	}
	return out
}

func listOf(p program, a answer) ([]any, error) {
	if !p.given() {
		return nil, nil
	}
	v, err := p.Run(a.vars())
	if err != nil || v == nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("the answer gives %s, want a list of results", nameOf(v))
	}
	return list, nil
}

// places maps what tells a change in an answer to its place in the batch.
func (b batch) places(changes []record.Change) map[string]int {
	out := make(map[string]int, len(changes))
	for i, ch := range changes {
		name := ch.ExternalID
		switch b.By {
		case "key":
			name = ch.Key
		case "place":
			name = strconv.Itoa(i)
		}
		if name != "" {
			out[name] = i
		}
	}
	return out
}

// refs are the places that an entry of an answer is about.
func (b batch) refs(entry any, places map[string]int) (at []int) {
	if !b.ref.given() {
		return nil
	}
	v, err := b.ref.Run(map[string]any{"result": entry})
	if err != nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, e := range list {
		if i, ok := places[textOf(e)]; ok {
			at = append(at, i)
		}
	}
	return at
}

func (c *Client) written(s *stream, w write, change record.Change, entry any) connectors.Result {
	res := connectors.Result{Outcome: connectors.Applied, ExternalID: change.ExternalID}
	object, _ := entry.(map[string]any)
	if !w.batch.id.given() {
		s.identify(&res, object)
		return res
	}
	if id, err := w.batch.id.Run(map[string]any{"result": entry}); err == nil && id != nil && id != "" {
		res.ExternalID, _ = id.(string)
	}
	return res
}

// refusedEntry reads one refusal within an answer as if it were an answer of
// its own: with its own status if it shows one. What nothing knows better is
// final.
func (c *Client) refusedEntry(change record.Change, entry any, whole answer) connectors.Result {
	one := answer{Answer: &httpx.Answer{Header: http.Header{}, RetryAfter: whole.RetryAfter}, body: entry, isJSON: true}
	if object, ok := entry.(map[string]any); ok {
		if n, err := strconv.Atoi(textOf(object["status"])); err == nil && n >= 100 && n <= 599 {
			one.Status = n
		}
	}
	m, err := c.ruleFor(one)
	switch {
	case err != nil:
		return connectors.Result{Outcome: connectors.Unknown, ExternalID: change.ExternalID, Err: err}
	case m.rule:
	case one.Status >= 400:
		m.class = classOf(one.Status)
	default:
		m.class = "rejected"
	}
	if m.class == "auth" && !m.rule {
		m.class = "rejected" // of this object, not of the whole system
	}
	res := c.refused(m, one, change)
	if res.Err != nil {
		res.Err = fmt.Errorf("%s %s in a batch: %w", change.Op, change.Entity, res.Err)
	}
	if res.ExternalID == "" {
		res.ExternalID = change.ExternalID
	}
	return res
}

// await asks about a job until it has ended. Not to see its end is an error:
// then nothing is known of any of its changes.
func (c *Client) await(ctx context.Context, s *stream, j job, a answer) (answer, error) {
	v, err := j.id.Run(a.vars())
	id, _ := v.(string)
	if err != nil || strings.TrimSpace(id) == "" {
		return a, errors.New("the answer names no job to wait for")
	}
	u, err := c.address(j.request, map[string]any{"job": id})
	if err != nil {
		return a, fmt.Errorf("job: %w", err)
	}
	clock := c.http.Clock()
	step := duration(j.Every)
	for end := clock.Now().Add(duration(j.Timeout)); ; step = min(step*3/2, max(10*time.Second, duration(j.Every))) {
		if ended(j, a) {
			return a, nil
		}
		if !clock.Now().Before(end) {
			return a, fmt.Errorf("the job has not ended within %s", j.Timeout)
		}
		if err := clock.Sleep(ctx, step); err != nil {
			return a, fmt.Errorf("waiting for the job: %w", err)
		}
		// A look that fails is looked again: the job goes on by itself.
		if got, m, err := c.ask(ctx, s, call{method: http.MethodGet, url: u, route: j.route}); err == nil && m.class == "" {
			a = got
		} else if ctx.Err() != nil {
			return a, fmt.Errorf("waiting for the job: %w", ctx.Err())
		}
	}
}

func ended(j job, a answer) bool {
	if v, err := j.done.Run(a.vars()); err == nil && v == true {
		return true
	}
	if !j.failed.given() {
		return false
	}
	v, err := j.failed.Run(a.vars())
	return err == nil && v == true
}
