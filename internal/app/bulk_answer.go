package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/rules/worth"
)

// bulkScan is how many pairs are looked at in one step for those of a question.
const bulkScan = 5000

// bulkPlan is what a bulk answer would do.
type bulkPlan struct {
	web.BulkPreview
	pairs []store.QueuedPair
}

// The reasons why a pair of the question is left out of a bulk answer.
const (
	leftTwo      = "two"      // it needs two accounts
	leftProposed = "proposed" // an answer waits for a second account
	leftAssigned = "assigned" // it was given to somebody else
	leftVeto     = "veto"     // something excludes it, and vetoes were not asked for
	leftStale    = "stale"    // a person has ruled on it
	leftChain    = "chain"    // a customer is in another pair of the job: merged with two it would join three
	leftMost     = "most"     // the job is full
)

// PreviewBulk says what one answer to all pairs of a question would do, and
// what it leaves out. It changes nothing.
func (a *App) PreviewBulk(ctx context.Context, q web.ReviewQuery, answer string) (web.BulkPreview, error) {
	p, err := a.planBulk(ctx, q, answer)
	return p.BulkPreview, err
}

func (a *App) planBulk(ctx context.Context, q web.ReviewQuery, answer string) (p bulkPlan, err error) {
	if answer != web.AnswerSame && answer != web.AnswerApart {
		return p, web.Refuse("answer", "want same or apart")
	}
	see, err := a.sight(ctx)
	if err != nil {
		return p, err
	}
	if a.worthMasked(see) {
		q.Value = 0
	}
	q.Order, q.After, q.Limit, q.Today, q.Proposed = "", "", mostPairsListed, false, false
	f, err := a.queueFilter(ctx, q)
	if err != nil {
		return p, err
	}
	f.Scan, f.Reach = bulkScan, see.reach
	left, taken := map[string]int{}, map[int64]bool{}
	named := f.Founders != nil // by a text: few, and each is looked at
	f, err = a.eachQueued(ctx, f, q.Entity, func(x store.QueuedPair) bool {
		why := a.leftOut(x, q, answer, taken)
		if why == "" && len(p.pairs) == a.Config.Review.Bulk.Most {
			if !named {
				return false
			}
			why = leftMost
		}
		if why != "" {
			left[why]++
			return true
		}
		taken[x.X], taken[x.Y] = true, true
		p.pairs = append(p.pairs, x)
		return true
	})
	if err != nil {
		return p, err
	}
	founders := make([]int64, 0, len(taken))
	for founder := range taken {
		founders = append(founders, founder)
	}
	slices.Sort(founders)
	g, asked := errgroup.WithContext(ctx) // three questions that do not need each other
	if f.After != (store.QueuePlace{}) {
		g.Go(func() error { return a.countBehind(asked, f, q, answer, founders, left) })
	}
	g.Go(func() error { return a.sumBulk(asked, see, &p, answer, len(founders)) })
	var members map[string]int
	if answer == web.AnswerSame {
		g.Go(func() (err error) {
			members, err = a.Store.MembersBySource(asked, founders)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return p, err
	}
	for _, t := range a.targets {
		if n := members[t.system.uid]; n > 0 {
			p.Writes = append(p.Writes, web.Count{Name: t.config.Name, N: n})
		}
	}
	for _, why := range []string{leftTwo, leftProposed, leftAssigned, leftVeto, leftStale, leftChain, leftMost} {
		if left[why] > 0 {
			p.LeftOut = append(p.LeftOut, web.Count{Name: why, N: left[why]})
		}
	}
	return p, nil
}

// eachQueued gives the pairs of a question in the order of what they are worth
// until fn wants no more. What it gives back asks for those behind the last that
// was taken; its After is the zero value where there are none.
func (a *App) eachQueued(ctx context.Context, f store.QueueFilter, entity string, fn func(store.QueuedPair) bool) (store.QueueFilter, error) {
	var heads []*queueHead // of each entity type
	for _, name := range a.queueEntities(entity) {
		h := &queueHead{f: f, more: true}
		h.f.Entity = name
		heads = append(heads, h)
	}
	for {
		var first *queueHead
		for _, h := range heads {
			if err := h.fill(ctx, a.Store); err != nil {
				return f, err
			}
			if len(h.list) > 0 && (first == nil || f.Place(h.list[0]).Compare(f.Place(first.list[0])) < 0) {
				first = h
			}
		}
		if first == nil {
			f.After = store.QueuePlace{}
			return f, nil
		}
		x := first.list[0]
		if !fn(x) {
			return f, nil
		}
		f.After, first.list = f.Place(x), first.list[1:]
	}
}

// queueHead is what was read of one entity type's pairs and is not taken yet.
type queueHead struct {
	f    store.QueueFilter
	list []store.QueuedPair
	more bool
}

// fill reads on where nothing is left and there is more.
func (h *queueHead) fill(ctx context.Context, db *store.DB) error {
	for len(h.list) == 0 && h.more {
		list, next, _, err := db.Queue(ctx, h.f)
		if err != nil {
			return err
		}
		if h.list, h.more = list, next != nil; h.more {
			h.f.After = *next
		}
	}
	return nil
}

// countBehind counts the pairs behind those that a full job has taken or left
// out, by why they are left out: as one by one, but by the store.
func (a *App) countBehind(ctx context.Context, f store.QueueFilter, q web.ReviewQuery, answer string, founders []int64, left map[string]int) error {
	two := a.Config.Review.Two
	s := store.QueueSort{
		Me: q.Me, Systems: two.Systems, WithOld: q.Kind == web.KindStale, WithVeto: answer != web.AnswerSame || q.Kind == web.KindVeto,
	}
	if two.Value > 0 {
		s.Value = int64(math.Ceil(two.Value * worth.Unit))
	}
	names := map[string]string{"": leftMost, store.SortProposed: leftProposed, store.SortAssigned: leftAssigned, store.SortTwo: leftTwo, store.SortStale: leftStale, store.SortVeto: leftVeto}
	entities := a.queueEntities(q.Entity)
	sorted, chained := make([]map[string]int, len(entities)), make([]int, len(entities))
	g, ctx := errgroup.WithContext(ctx)
	for i, entity := range entities {
		f := f
		f.Entity = entity
		g.Go(func() (err error) {
			sorted[i], err = a.Store.QueueSorts(ctx, f, s)
			return err
		})
		if answer != web.AnswerSame {
			continue
		}
		// Those of customers that another pair of the job has are chains.
		g.Go(func() (err error) {
			chained[i], err = a.Store.QueueUnsorted(ctx, f, s, founders)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range entities {
		for why, n := range sorted[i] {
			left[names[why]] += n
		}
		left[leftMost], left[leftChain] = left[leftMost]-chained[i], left[leftChain]+chained[i]
	}
	return nil
}

// leftOut says why a pair is not for a bulk answer.
func (a *App) leftOut(x store.QueuedPair, q web.ReviewQuery, answer string, taken map[int64]bool) string {
	two := a.Config.Review.Two
	switch {
	case x.Proposer != "":
		return leftProposed
	case x.Assigned != "" && x.Assigned != q.Me:
		return leftAssigned
	case two.Value > 0 && units(x.Value) >= two.Value || two.Systems > 0 && x.Systems > two.Systems:
		return leftTwo
	case x.Kind == web.KindStale && q.Kind != web.KindStale:
		return leftStale
	case answer == web.AnswerSame && x.Kind == web.KindVeto && q.Kind != web.KindVeto:
		return leftVeto
	case answer == web.AnswerSame && (taken[x.X] || taken[x.Y]):
		return leftChain
	}
	return ""
}

// bulkExamples is how many pairs a preview shows.
const bulkExamples = 10

// sumBulk adds up what a plan does to so many customers.
func (a *App) sumBulk(ctx context.Context, see sight, p *bulkPlan, answer string, customers int) (err error) {
	h := sha256.New()
	fmt.Fprintln(h, answer)
	value, damage := int64(0), int64(0)
	for _, x := range p.pairs {
		fmt.Fprintln(h, x.A, x.B, x.X, x.Y, x.Kind, x.Weight)
		value, damage = value+x.Value, damage+x.Damage
	}
	p.Token = hex.EncodeToString(h.Sum(nil)[:12])
	p.Pairs, p.Customers, p.Left = len(p.pairs), customers, customers
	p.Value, p.Damage, p.Currency = units(value), units(damage), a.Config.Review.Currency
	examples := p.pairs
	if a.worthMasked(see) { // the order would tell what they are worth
		p.Value, p.Damage = 0, 0
		examples = slices.Clone(examples)
		slices.SortFunc(examples, func(x, y store.QueuedPair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	}
	if p.Examples, err = a.items(ctx, examples[:min(len(examples), bulkExamples)]); err != nil || answer != web.AnswerSame {
		return err
	}
	p.Left -= len(p.pairs) // each customer is in one pair
	return nil
}

// StartBulk keeps what a preview showed as a job. When it would do something
// else by now it is refused.
func (a *App) StartBulk(ctx context.Context, q web.ReviewQuery, answer, token string, by web.By) (out web.BulkJob, err error) {
	if by.Who == "" {
		return out, errors.New("a bulk job needs somebody who starts it")
	}
	q.Me = by.Who
	p, err := a.planBulk(ctx, q, answer)
	switch {
	case err != nil:
		return out, err
	case len(p.pairs) == 0:
		return out, web.Refuse("", "there is no pair to decide")
	case p.Token != token:
		return out, web.Refuse("token", "other pairs wait now than the preview has shown: look at it again")
	}
	question, err := json.Marshal(q)
	if err != nil {
		return out, err
	}
	id := ""
	err = a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		pairs := make([]store.BulkPair, len(p.pairs))
		for i, x := range p.pairs {
			l, err := a.look(ctx, tx, x.A, x.B)
			if err != nil && !errors.Is(err, record.ErrNotFound) {
				return err
			}
			pairs[i] = store.BulkPair{A: x.A, B: x.B, Seen: l.seen}
		}
		id, err = tx.StartBulk(ctx, store.BulkJob{Answer: answer, Who: by.Who, Why: by.Why, Query: string(question)}, pairs)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("start a bulk job: %w", err)
	}
	return a.BulkJob(ctx, id)
}

// WorkBulk works on a job until it is done or stopped, and tells how far it is.
// It can be cut at any time: what was decided is kept with the job's place in
// one transaction, so whoever goes on begins at the next pair. Several may work
// on one job.
func (a *App) WorkBulk(ctx context.Context, id string, progress func(done int)) (err error) {
	ctx, span := a.tracer.Start(ctx, "bulk answer")
	defer a.landed.ring() // once for the job: its decisions follow each other too quickly to wake the resolver for each
	pause := time.Second / time.Duration(max(a.Config.Review.Bulk.Pace, 1))
	done := 0
	defer func() { span.EndOf(done, err) }()
	for {
		more, err := a.bulkStep(ctx, id)
		if err != nil || !more {
			return err
		}
		if done++; progress != nil {
			progress(done)
		}
		if err := a.opts.Env.Clock.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// bulkStep decides the next pair of a job.
func (a *App) bulkStep(ctx context.Context, id string) (more bool, err error) {
	job, err := a.Store.BulkJob(ctx, id)
	if err != nil || job.State != store.BulkRunning {
		return false, err
	}
	err = a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		p, found, err := tx.NextBulk(ctx, id)
		if more = found; err != nil || !found {
			return err
		}
		q := web.PairAnswer{ID: pairID(store.OpenPair{A: p.A, B: p.B}), Answer: job.Answer, Seen: p.Seen}
		out, err := a.answerIn(ctx, tx, q, By{Who: job.Who, Why: bulkWhy(job)}, false)
		switch {
		case errors.Is(err, record.ErrNotFound):
			out = web.PairOutcome{State: web.OutcomeChanged}
		case err != nil:
			return err
		}
		state := "skipped"
		if out.State == web.OutcomeDecided {
			state = "decided"
		}
		return tx.EndBulkPair(ctx, id, p.N, state, out.Decision)
	})
	if err != nil {
		return false, fmt.Errorf("bulk job %s: %w", id, err)
	}
	return more, nil
}

func bulkWhy(j store.BulkJob) string {
	if j.Why == "" {
		return "bulk " + j.ID
	}
	return "bulk " + j.ID + ": " + j.Why
}

// BulkJobs lists jobs, the newest first.
func (a *App) BulkJobs(ctx context.Context, limit int) ([]web.BulkJob, error) {
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	list, err := a.Store.BulkJobs(ctx, "", see.reach, min(max(limit, 1), mostPairsListed))
	if err != nil {
		return nil, err
	}
	out := make([]web.BulkJob, len(list))
	for i, j := range list {
		out[i] = a.bulkShown(j)
	}
	return out, nil
}

// BulkJob reads one.
func (a *App) BulkJob(ctx context.Context, id string) (web.BulkJob, error) {
	if err := a.reachBulk(ctx, id); err != nil {
		return web.BulkJob{}, err
	}
	j, err := a.Store.BulkJob(ctx, id)
	if err != nil {
		return web.BulkJob{}, err
	}
	return a.bulkShown(j), nil
}

func (a *App) bulkShown(j store.BulkJob) web.BulkJob {
	out := web.BulkJob{
		ID: j.ID, Answer: j.Answer, Who: j.Who, Why: j.Why, State: j.State, Began: parse(j.At), Ended: parse(j.Ended),
		Pairs: j.Pairs, Decided: j.Decided, Skipped: j.Skipped, Problem: j.Problem, Undo: j.Undo,
	}
	if j.State == store.BulkRunning {
		pace := max(a.Config.Review.Bulk.Pace, 1)
		out.LeftSeconds = (j.Pairs - j.Decided - j.Skipped + pace - 1) / pace
	}
	return out
}

// StopBulk ends a job before its next pair.
func (a *App) StopBulk(ctx context.Context, id string, by web.By) (web.BulkJob, error) {
	return a.turnBulk(ctx, id, by, store.BulkStopped, web.Refuse("", "the job is not running"), store.BulkRunning)
}

// ResumeBulk lets a job that was stopped, or whose process is gone, go on behind
// the last pair that it decided.
func (a *App) ResumeBulk(ctx context.Context, id string, by web.By) (web.BulkJob, error) {
	return a.turnBulk(ctx, id, by, store.BulkRunning, web.Refuse("", "the job is at its end"), store.BulkStopped, store.BulkRunning)
}

func (a *App) turnBulk(ctx context.Context, id string, by web.By, to string, otherwise error, from ...string) (web.BulkJob, error) {
	if err := a.reachBulk(ctx, id); err != nil {
		return web.BulkJob{}, err
	}
	err := a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		turned, err := tx.TurnBulk(ctx, id, by.Who, to, from...)
		if err == nil && !turned {
			err = otherwise
		}
		return err
	})
	if err != nil {
		return web.BulkJob{}, err
	}
	return a.BulkJob(ctx, id)
}

// UndoBulk takes back everything that a job has decided and that is still in
// force, by one decision, which can be undone itself. A running job stops.
func (a *App) UndoBulk(ctx context.Context, id string, by web.By) (web.BulkJob, error) {
	if by.Who == "" {
		return web.BulkJob{}, errors.New("an undo needs somebody who asks for it")
	}
	if err := a.reachBulk(ctx, id); err != nil {
		return web.BulkJob{}, err
	}
	err := a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		turned, err := tx.TurnBulk(ctx, id, by.Who, store.BulkUndone, store.BulkRunning, store.BulkStopped, store.BulkDone)
		if err != nil {
			return err
		}
		if !turned {
			return web.Refuse("", "the job is taken back already")
		}
		ids, err := tx.BulkDecisions(ctx, id)
		if err != nil || len(ids) == 0 {
			return err
		}
		why := "takes bulk " + id + " back"
		if by.Why != "" {
			why += ": " + by.Why
		}
		d, err := a.decideIn(ctx, tx, store.Undone, By{Who: by.Who, Why: why}, func(_ *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
			n.Withdraws = ids
			return nil, nil
		})
		if err != nil {
			return err
		}
		return tx.BulkUndo(ctx, id, d.Decision)
	})
	var against *store.Contradiction
	if errors.As(err, &against) {
		return web.BulkJob{}, web.Refuse("", "it cannot be taken back as a whole: %s", against.Told())
	}
	if err != nil {
		return web.BulkJob{}, fmt.Errorf("take back bulk job %s: %w", id, err)
	}
	a.landed.ring()
	return a.BulkJob(ctx, id)
}

// bulkLook is how often the daemon looks for jobs.
const bulkLook = 2 * time.Second

// runBulk works on the jobs that wait, one after the other, until it is asked to
// end.
func (a *App) runBulk(asked context.Context) error {
	for {
		jobs, err := a.Store.BulkJobs(asked, store.BulkRunning, nil, 1)
		if err == nil && len(jobs) > 0 {
			err = a.WorkBulk(asked, jobs[0].ID, nil)
		}
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case err != nil && asked.Err() == nil:
			a.Log.Error("a bulk job failed; it is tried again", "err", err)
		}
		if a.opts.Env.Clock.Sleep(asked, bulkLook) != nil {
			return nil
		}
	}
}
