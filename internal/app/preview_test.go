package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// familyWorld has firms and people of a crm that a desk is written to, with
// orders, consents and employments, all of them resolved and delivered.
func familyWorld(t *testing.T, dsn string) (w *world, crm, desk *simulated) {
	t.Helper()
	var companies, contacts, tickets []string
	for i := range 4 {
		companies = append(companies, fmt.Sprintf(`{"id":"c%d","name":"Firm %c%d Works","website":"firm%d.example"}`, i, 'A'+i, 1000*(i+1), i))
		contacts = append(contacts, fmt.Sprintf(`{"id":"p%d","name":"Person Number%c","email":"p%d@example.com","company_id":"c%d","title":"Head of %d","role":"decider"}`, i, 'a'+i, i, i%3, i))
		for n := range 3 {
			tickets = append(tickets, fmt.Sprintf(`{"id":"t%d%d","kind":%q,"opened_at":"2026-01-0%dT10:00:00Z","requester_id":"p%d","company_id":"c%d","amount":%q,"currency":%q}`,
				i, n, []string{"order", "order", "consent"}[n], 1+n, i, i%3, []string{fmt.Sprintf("%d.25", 10*i+n), "", ""}[n], []string{"EUR", "", ""}[n]))
		}
	}
	w, crm, desk = linkedWorld(t, dsn, simulator.Seed{"companies": seeded(companies...), "contacts": seeded(contacts...), "tickets": seeded(tickets...)}, nil)
	w.yaml = strings.NewReplacer("title: 'record.title'}}", "title: 'record.title', role: 'record.role'}}", "map: {subject: 'record.subject'", "map: {type: 'record.kind', subject: 'record.subject'").Replace(w.yaml)
	w.open()
	w.clean()
	w.clean()
	return w, crm, desk
}

// standing is everything of customers that a decision can change, by golden id.
type standing struct {
	Golden map[string]string // fields
	Where  map[string]string // record → golden id
	Writes map[string]string // waiting rows by their id
}

func (w *world) standing() standing {
	w.Helper()
	s := standing{map[string]string{}, map[string]string{}, map[string]string{}}
	err := w.app.EachGolden(w.Context(), "", true, func(g store.Golden, members []store.Member) error {
		s.Golden[g.ID] = fmt.Sprintf("%s %d/%d", g.Fields, g.Live, g.Members)
		for _, m := range members {
			s.Where[w.app.refName(m.Ref)] = g.ID
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	for _, t := range w.app.targets {
		for _, r := range w.rows(t.config.Name, store.Pending) {
			s.Writes[r.ID] = written(t.config.Name, targetChange(sight{}, t, r))
		}
	}
	return s
}

func written(target string, c web.TargetChange) string {
	return fmt.Sprint(target, " ", c.Op, " ", c.Golden, " ", c.Object, " ", c.Fields)
}

// foretold is what a preview says would differ, in the words of effect.
func foretold(p web.ChangePreview) (out []string) {
	for _, c := range p.Customers {
		out = append(out, c.State+" "+c.ID)
		for _, f := range c.Fields {
			if c.State == "changed" {
				out = append(out, fmt.Sprintf("%s %s: %s → %s", c.ID, f.Name, f.Old, f.New))
			}
		}
	}
	for _, m := range p.Moves {
		out = append(out, m.Record+" "+m.From+" → "+m.To)
	}
	for _, t := range p.Targets {
		for _, c := range t.Writes {
			out = append(out, written(t.Target, c))
		}
	}
	slices.Sort(out)
	return out
}

// effect is what really differs between two moments.
func (w *world) effect(before, after standing) (out []string) {
	w.Helper()
	fields := func(text string) (f record.Fields) {
		if err := f.UnmarshalJSON([]byte(text[:strings.LastIndexByte(text, ' ')])); err != nil {
			w.Fatal(err)
		}
		return f
	}
	for id, was := range before.Golden {
		is, still := after.Golden[id]
		switch {
		case !still:
			out = append(out, "gone "+id)
		case is != was:
			out = append(out, "changed "+id)
			x, y := fields(was), fields(is)
			for name := range merged(x, y) {
				if a, b := ShowValue(x[name]), ShowValue(y[name]); a != b {
					out = append(out, fmt.Sprintf("%s %s: %s → %s", id, name, a, b))
				}
			}
		}
	}
	for id := range after.Golden {
		if _, was := before.Golden[id]; !was {
			out = append(out, "new "+id)
		}
	}
	for ref, id := range after.Where {
		if before.Where[ref] != id {
			out = append(out, ref+" "+before.Where[ref]+" → "+id)
		}
	}
	for row, text := range after.Writes {
		if _, waited := before.Writes[row]; !waited {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}

func merged(x, y record.Fields) record.Fields {
	out := record.Fields{}
	for _, f := range []record.Fields{x, y} {
		for name, v := range f {
			out[name] = v
		}
	}
	return out
}

// TestPreviewIsWhatHappens plays random merges, splits and undos: what a preview
// foretells of customers, records and writes is what then happens, nothing more
// and nothing less, and a preview changes nothing.
func TestPreviewIsWhatHappens(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := familyWorld(t, dsn)
		r := rand.New(rand.NewPCG(11, 3))
		refs := map[string][]string{}
		for i := range 4 {
			refs["company"] = append(refs["company"], fmt.Sprintf("crm/company/c%d", i))
			refs["person"] = append(refs["person"], fmt.Sprintf("crm/person/p%d", i))
		}
		seen := map[string]int{}
		for step := range 40 {
			list := refs[[]string{"company", "person"}[r.IntN(2)]]
			a, b := list[r.IntN(4)], list[r.IntN(4)]
			by := By{Who: "ann", Over: r.IntN(2) == 0}
			var preview func() (web.ChangePreview, error)
			var real func() (Decided, error)
			kind := []string{"merge", "merge", "split", "undo"}[r.IntN(4)]
			switch kind {
			case "merge":
				preview = func() (web.ChangePreview, error) { return w.app.PreviewMerge(t.Context(), a, b, by) }
				real = func() (Decided, error) { return w.app.Merge(t.Context(), a, b, by) }
			case "split":
				preview = func() (web.ChangePreview, error) { return w.app.PreviewSplit(t.Context(), []string{a}, b, by) }
				real = func() (Decided, error) { return w.app.Split(t.Context(), []string{a}, b, by) }
			case "undo":
				decisions, err := w.app.Decisions(t.Context(), "", 0, 1000)
				if err != nil {
					t.Fatal(err)
				}
				if len(decisions) == 0 {
					continue
				}
				id := decisions[r.IntN(len(decisions))].ID
				preview = func() (web.ChangePreview, error) { return w.app.PreviewUndo(t.Context(), id, by) }
				real = func() (Decided, error) { return w.app.Undo(t.Context(), id, by) }
			}
			before := w.standing()
			p, err := preview()
			if err != nil {
				t.Fatalf("step %d, %s %s %s: %v", step, kind, a, b, err)
			}
			if diff := cmp.Diff(before, w.standing()); diff != "" {
				t.Fatalf("step %d: a preview of %s changed something (-before +after):\n%s", step, kind, diff)
			}
			d, err := real()
			var unclear *Unclear
			var against *store.Contradiction
			refused := errors.As(err, &unclear) || errors.As(err, &against)
			switch {
			case err != nil && !refused:
				t.Fatal(err)
			case refused != (p.Refused != "") || d.Existing != p.Existing:
				t.Fatalf("step %d, %s %s %s: preview %+v, really %+v, %v", step, kind, a, b, p, d, err)
			case refused:
				seen["refused"]++
				continue
			case d.Existing:
				continue
			}
			if err := w.app.Resolve(t.Context(), func(string, string, int) {}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(foretold(p), w.effect(before, w.standing())); diff != "" {
				t.Fatalf("step %d, %s %s %s (-foretold +happened):\n%s", step, kind, a, b, diff)
			}
			seen[kind]++
			seen["moves"] += len(p.Moves)
			for _, x := range p.Targets {
				seen["writes"] += len(x.Writes)
			}
			for _, l := range p.Balance {
				if !l.Balanced {
					t.Errorf("step %d: %+v does not balance", step, l)
				}
			}
			if r.IntN(3) == 0 {
				w.clean()
			}
		}
		for _, what := range []string{"merge", "split", "undo", "refused", "moves", "writes"} {
			if seen[what] < 3 {
				t.Errorf("the histories had %v: too little of %s to show anything", seen, what)
			}
		}
		w.clean()
		w.end()
	})
}

// TestPreviewsBesideTheResolver: people look and decide while records are being
// linked; nobody waits in a circle, and linking never loses.
func TestPreviewsBesideTheResolver(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := familyWorld(t, dsn)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			for ctx.Err() == nil {
				if err := w.app.Resolve(t.Context(), func(string, string, int) {}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for i := range 8 {
			d, err := w.app.Merge(t.Context(), "crm/person/p0", fmt.Sprint("crm/person/p", 1+i%3), By{Who: "ann", Over: true})
			if err != nil {
				t.Errorf("merge %d: %v", i, err)
				continue
			}
			if _, err := w.app.PreviewMerge(t.Context(), "crm/person/p0", "crm/person/p2", ann); err != nil {
				t.Errorf("preview %d of a merge: %v", i, err)
			}
			if _, err := w.app.PreviewUndo(t.Context(), d.Decision, ann); err != nil {
				t.Errorf("preview %d of an undo: %v", i, err)
			}
			if _, err := w.app.Undo(t.Context(), d.Decision, ann); err != nil {
				t.Errorf("undo %d: %v", i, err)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("resolve beside previews: %v", err)
		}
		w.clean()
		w.verify()
	})
}
