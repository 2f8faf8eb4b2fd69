package simulator

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// dialect is a vendor's own API over the objects of a system. The log, the
// faults, the limits and the admin's side are the same for all.
type dialect interface {
	// handler serves the API; paths are below where the system is mounted.
	handler(s *System) http.Handler
	// allows refuses a caller without good credentials.
	allows(c *call) (refused answer, ok bool)
	// says puts what any API has to say into the vendor's words.
	says(c *call, t trouble) answer
	// clean gives what the vendor makes of a written value.
	clean(o Object, path string, v any) any
	// clash finds the object that keeps changes from being stored; nil for none.
	clash(s *System, c *collection, it *item, changes map[string]Change) *clash
}

// trouble is what goes wrong in every API alike.
type trouble struct {
	status int // 400, 404, 413, 429, 500, 503, or 200 for an error under a good status
	limit  Limit
	wait   time.Duration // 429: until there is room; 0 is unknown
	why    string
}

// clash is another object that has what must be had once.
type clash struct {
	other *item
	path  string
	value string
}

// call is one request to a vendor's API, with the system locked.
type call struct {
	s      *System
	r      *http.Request
	object string
	body   []byte
	fault  FaultKind
	class  string
}

// route says how an endpoint is handled.
type route struct {
	object string // what it is about; "" takes {object} of the path
	class  string // what limits count it as
	write  bool
	list   bool   // a page of many
	first  string // list: the parameter that a first page does not have
	open   bool   // asks for no credentials
	do     func(*call) answer
}

// vendor wraps an endpoint with what all share: reading, credentials, limits,
// faults, the log's sync.
func (s *System) vendor(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{s: s, r: r, object: rt.object, class: rt.class}
		if c.object == "" {
			c.object = r.PathValue("object")
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 8*maxBody))
		if err != nil {
			status := http.StatusBadRequest
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			s.send(w, r, verdict{answer: s.profile.dialect.says(c, trouble{status: status, why: "the body could not be read"})})
			return
		}
		c.body = body
		s.send(w, r, s.carryOut(c, rt))
	}
}

// carryOut does a call under whatever strikes it.
func (s *System) carryOut(c *call, rt route) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	d := s.profile.dialect
	if !rt.open {
		if a, ok := d.allows(c); !ok {
			return verdict{answer: a}
		}
	}
	if l, wait := s.over(rt.class); l != nil {
		return verdict{answer: d.says(c, trouble{status: http.StatusTooManyRequests, limit: *l, wait: wait})}
	}
	if rt.write && (s.log == nil || s.broken) {
		return verdict{answer: d.says(c, trouble{status: http.StatusInternalServerError})}
	}
	f := s.strike(c.object, rt.write, rt.list, s.pageOf(c, rt))
	if a, ok := s.refuseCall(c, f); ok {
		return verdict{answer: a}
	}
	if f.Kind == Zombie {
		s.late = append(s.late, zombie{due: s.n + max(1, f.Writes), arrive: func() {
			c.fault = Zombie
			rt.do(c)
		}})
		return verdict{drop: true}
	}
	if f.Kind != Slow && f.Kind != CutBody {
		c.fault = f.Kind
	}
	a := rt.do(c)
	if f.Kind == Duplicate {
		rt.do(c)
	}
	s.land(false)
	if s.unsynced || s.broken {
		if err := s.sync(); err != nil || s.broken {
			return verdict{answer: d.says(c, trouble{status: http.StatusInternalServerError})}
		}
	}
	if f.Kind == ApplyThen500 {
		return verdict{answer: d.says(c, trouble{status: http.StatusInternalServerError})}
	}
	return under(f, a)
}

// pageOf counts the pages of a list since it was last begun.
func (s *System) pageOf(c *call, rt route) int {
	if !rt.list {
		return 0
	}
	began := rt.first == "" || !c.r.URL.Query().Has(rt.first)
	if rt.first == "body" {
		began = !strings.Contains(string(c.body), `"after"`) || strings.Contains(string(c.body), `"after":""`)
	}
	if began {
		s.pages[c.object] = 0
	}
	s.pages[c.object]++
	return s.pages[c.object]
}

// refuseCall gives the answer of a fault that answers for itself.
func (s *System) refuseCall(c *call, f Fault) (answer, bool) {
	t := trouble{}
	switch f.Kind {
	case TooMany:
		t.status = http.StatusTooManyRequests
	case Unavailable:
		t.status = http.StatusServiceUnavailable
	case DieAtPage:
		t.status = http.StatusInternalServerError
	case ErrorBody:
		t.status = http.StatusOK
	default:
		return answer{}, false
	}
	a := s.profile.dialect.says(c, t)
	if spec := s.retryAfter(f.RetryAfter); spec != "" {
		a.retryAfter = spec
	}
	return a, true
}

// store logs one write and makes it true; it is nil for a new object. When the
// log cannot be written the object is the one it was, or an empty one: the
// answer of the call is then an error whatever it says.
func (c *call) store(col *collection, it *item, e Applied) *item {
	e.Method, e.Object, e.Fault = c.r.Method, col.Name, string(c.fault)
	if e.Actor == "" {
		e.Actor = "api"
	}
	if e.Fields == nil {
		e.Fields = map[string]Change{}
	}
	made, err := c.s.enter(col, it, e)
	switch {
	case err == nil:
		return made
	case it != nil:
		return it
	}
	return &item{fields: map[string]any{}, created: Start, updated: Start}
}

// changes compares values with what an object holds, after the vendor has
// cleaned them; it is nil for a new object.
func (c *call) changes(col *collection, it *item, values map[string]any) map[string]Change {
	have := map[string]any{}
	if it != nil {
		have = it.fields
	}
	out := map[string]Change{}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		v := c.s.profile.dialect.clean(col.Object, path, values[path])
		if old := get(have, path); !same(old, v) {
			out[path] = Change{Old: old, New: v}
		}
	}
	return out
}

// live finds an object that is not deleted.
func (c *collection) live(id string) *item {
	if it := c.byID[id]; it != nil && !it.deleted {
		return it
	}
	return nil
}

// with lists the live objects that have a text at a path, in the order of their
// ids; fold compares without case.
func (c *collection) with(path, value string, fold bool) []*item {
	var found []*item
	if value == "" {
		return nil
	}
	for _, it := range c.order {
		have := text(get(it.fields, path))
		if !it.deleted && (have == value || fold && strings.EqualFold(have, value)) {
			found = append(found, it)
		}
	}
	slices.SortFunc(found, func(a, b *item) int { return compareIDs(a.id, b.id) })
	return found
}

// byIDs lists all objects in the order of their ids.
func (c *collection) byIDs() []*item {
	list := slices.Clone(c.order)
	slices.SortFunc(list, func(a, b *item) int { return compareIDs(a.id, b.id) })
	return list
}

// merge puts the loser into the winner: the winner gets the texts it lacks, and
// the loser is gone. Both are one write of the log each, in one sync.
func (s *System) merge(c *collection, winner, loser *item, e Applied) error {
	taken := map[string]Change{}
	for path := range c.Fields { // each path is on its own: their order decides nothing
		if path == c.keyPath() {
			continue
		}
		if have, other := get(winner.fields, path), get(loser.fields, path); text(have) == "" && text(other) != "" {
			taken[path] = Change{Old: have, New: other}
		}
	}
	var others []relink
	if d, ok := s.profile.dialect.(absorber); ok {
		own, rest := d.absorb(s, c, winner, loser)
		for path, v := range own {
			taken[path] = Change{Old: get(winner.fields, path), New: v}
		}
		others = rest
	}
	gone := e
	gone.Object, gone.Deleted, gone.Merged, gone.Fields = c.Name, true, winner.id, map[string]Change{}
	if _, err := s.enter(c, loser, gone); err != nil {
		return err
	}
	e.Object, e.Fields = c.Name, taken
	if _, err := s.enter(c, winner, e); err != nil {
		return err
	}
	for _, o := range others { // what the vendor does of itself, after the merge
		changes := map[string]Change{}
		for path, v := range o.values {
			changes[path] = Change{Old: get(o.it.fields, path), New: v}
		}
		if _, err := s.enter(o.c, o.it, Applied{Method: e.Method, Object: o.c.Name, Fields: changes, Actor: "system"}); err != nil {
			return err
		}
	}
	return nil
}

// absorber is a dialect that does more at a merge: to the winner, and to the
// objects that pointed at the loser.
type absorber interface {
	absorb(s *System, c *collection, winner, loser *item) (own map[string]any, others []relink)
}

// relink is a change to another object.
type relink struct {
	c      *collection
	it     *item
	values map[string]any
}

// mergeRequest is a person's merge.
type mergeRequest struct {
	Object string `json:"object"`
	Winner string `json:"winner"`
	Loser  string `json:"loser"`
}

func (s *System) adminMerge(w http.ResponseWriter, r *http.Request) answer {
	var m mergeRequest
	if err := readJSON(w, r, &m); err != nil {
		return refusal(http.StatusBadRequest, "bad_request", err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.objects[m.Object]
	if c == nil {
		return notFound("object type")
	}
	winner, loser := c.live(m.Winner), c.live(m.Loser)
	if winner == nil || loser == nil || winner == loser {
		return notFound("one of two objects to merge")
	}
	if s.log == nil || s.broken {
		return refusal(http.StatusInternalServerError, "storage", "the system cannot store writes")
	}
	err := s.merge(c, winner, loser, Applied{Method: http.MethodPost, Actor: "human"})
	if err := errors.Join(err, s.sync()); err != nil {
		return refusal(http.StatusInternalServerError, "storage", "the system cannot store writes")
	}
	return s.shown(Applied{}, winner)
}

// base is the address under which the caller reached this system: scheme, host
// and the folder it is mounted at.
func (c *call) base() string {
	path, _, _ := strings.Cut(c.r.RequestURI, "?")
	own := strings.TrimSuffix(c.r.URL.EscapedPath(), ".json") // a dialect may have cut it off already
	return "http://" + c.r.Host + strings.TrimSuffix(strings.TrimSuffix(path, ".json"), own)
}

// id makes a stable name of a call, in the form of a UUID.
func (s *System) callID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", s.calls, s.n)
}
