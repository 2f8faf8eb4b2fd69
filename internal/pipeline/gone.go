package pipeline

import (
	"context"
	"strings"
	"time"

	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// Deletes says when a record that stays away counts as deleted.
type Deletes struct {
	Grace time.Duration // the least time between the pass that missed it first and the one that deletes it
	Brake float64       // share of the source's records that may go in one pass
}

// unreadID begins the id made up for a record that could not be read.
const unreadID = "unreadable-"

// passState remembers which ids a full pass has given, to see the same id
// twice in one file, and which ones stayed away: some 40 bytes a record.
type passState struct {
	mark   store.Mark
	whole  bool // every page so far was part of a full pass
	seen   map[[8]byte]sighting
	unread []string // made-up ids, at most store.MostUnread
	more   bool     // there were more
}

// sighting is the content an id came with; zero where the source's where clause
// left it out.
type sighting struct{ hash [8]byte }

func idKey(id string) [8]byte { return [8]byte(sum([]byte(id))) }

// see takes a record in, and finds a second one with an id of this pass. The
// same content twice is one record; other content is kept, quarantined and
// never current.
func (s *passState) see(it *store.Item) {
	id := idKey(store.ID(it.Raw.ID))
	first, again := s.seen[id]
	if it.Filtered {
		if !again {
			s.seen[id] = sighting{}
		}
		return
	}
	if it.Raw.Problem != "" && strings.HasPrefix(it.Raw.ID, unreadID) {
		if len(s.unread) < store.MostUnread {
			s.unread = append(s.unread, it.Raw.ID)
		} else {
			s.more = true
		}
	}
	hash := [8]byte(it.Hash)
	if again && first.hash != hash && first != (sighting{}) {
		it.Duplicate = true
		return
	}
	s.seen[id] = sighting{hash}
}

// reconcile finds the records that stayed away from a whole pass. A pass that
// gave nothing at all proves nothing: a share that is not mounted and a table
// that is just being filled look the same.
func (in *Intake) reconcile(ctx context.Context, run string, pass *passState) (gone int, err error) {
	if in.Deletes == nil || !pass.whole || len(pass.seen) == 0 {
		return 0, nil
	}
	ctx, span := trace.Start(ctx, "reconcile")
	defer func() { span.End(err) }()
	r, err := in.Store.Reconcile(ctx, store.Reconcile{
		Source: in.Source, Entity: in.Deriver.Entity, Run: run, Mark: pass.mark,
		Seen:   func(id string) bool { _, ok := pass.seen[idKey(id)]; return ok },
		Unread: pass.unread, UnreadMore: pass.more,
		Grace: in.Deletes.Grace, Brake: in.Deletes.Brake, Derive: in.Deriver.Derive,
	})
	if err != nil {
		return r.Deleted, err
	}
	if r.Waiting > 0 {
		in.Log.WarnContext(ctx, "records stayed away and wait for a person", "source", in.Name, "entity", in.Deriver.Entity, "records", r.Waiting)
	}
	if r.Missing+r.Back+r.Deleted > 0 {
		in.Log.InfoContext(ctx, "whole pass compared", "source", in.Name, "entity", in.Deriver.Entity, "missing", r.Missing, "back", r.Back, "deleted", r.Deleted)
	}
	return r.Deleted, nil
}
