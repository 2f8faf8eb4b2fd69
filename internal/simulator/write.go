package simulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/record"
)

// request is one call of the API, read completely.
type request struct {
	method  string
	path    string // as sent, escaped
	object  string
	id      string // "" for POST, and for PUT by external id
	key     string // the external id of a PUT
	body    []byte
	ifMatch string
	idem    string
	human   bool
	fault   string
}

// answer is what goes back.
type answer struct {
	status     int
	etag       string
	replayed   bool
	retryAfter string
	header     http.Header // what else goes with it; may be nil
	body       []byte
}

func jsonAnswer(status int, v any) answer {
	b, err := json.Marshal(v)
	if err != nil { // our own maps of JSON values: only a bug gets here
		return answer{status: http.StatusInternalServerError, body: []byte(`{"error":{"code":"internal"}}`)}
	}
	return answer{status: status, body: b}
}

// refusal is an error answer: {"error": {"code": …, "message": …, …}}.
func refusal(status int, code, message string, more ...string) answer {
	e := map[string]string{"code": code, "message": message}
	for i := 0; i+1 < len(more); i += 2 {
		e[more[i]] = more[i+1]
	}
	return jsonAnswer(status, map[string]any{"error": e})
}

func notFound(what string) answer {
	return refusal(http.StatusNotFound, "not_found", what+" is not there")
}

// hash names a request by everything that an idempotency key stands for.
func (q request) hash() string {
	sum := sha256.Sum256(append([]byte(q.method+" "+q.path+"\n"), q.body...))
	return hex.EncodeToString(sum[:])
}

// write carries out one write: all checks, the log, the state, the answer. The
// caller holds the lock.
func (s *System) write(q request) answer {
	c := s.objects[q.object]
	if c == nil {
		return notFound("object type")
	}
	if !s.profile.IdempotencyKeys || q.human {
		q.idem = ""
	}
	if q.idem != "" {
		if first, ok := s.keys[q.idem]; ok {
			if first.request != q.hash() {
				return refusal(http.StatusUnprocessableEntity, "idempotency_key_reused", "this idempotency key came with another request")
			}
			a := first.answer
			a.replayed = true
			return a
		}
	}
	it, refused := s.subject(c, q)
	if refused != nil {
		return *refused
	}
	if it != nil && s.profile.ETag && q.ifMatch != "" && q.ifMatch != "*" && strings.Trim(q.ifMatch, `"`) != it.etag() {
		return refusal(http.StatusPreconditionFailed, "precondition_failed", "the object has changed", "etag", it.etag())
	}
	e := Applied{Method: q.method, Object: q.object, Fields: map[string]Change{}, Fault: q.fault, Actor: "api"}
	if q.human {
		e.Actor = "human"
	}
	if q.method == http.MethodDelete {
		e.Deleted = true
	} else if refused := s.fill(c, it, q, &e); refused != nil {
		return *refused
	}
	return s.commit(c, it, q, e)
}

// subject finds the object that a write is about; nil for one to be created.
func (s *System) subject(c *collection, q request) (*item, *answer) {
	switch q.method {
	case http.MethodPost:
		return nil, nil
	case http.MethodPut:
		return c.holder(q.key), nil
	}
	it := c.byID[q.id]
	if it == nil || it.deleted {
		a := notFound(c.Name + " " + q.id)
		return nil, &a
	}
	return it, nil
}

// fill checks the body and enters what it would change.
func (s *System) fill(c *collection, it *item, q request, e *Applied) *answer {
	body, err := decodeObject(q.body)
	if err != nil {
		a := refusal(http.StatusBadRequest, "bad_request", "the body is not a JSON object")
		return &a
	}
	if q.method == http.MethodPut {
		if given, ok := body[externalID]; ok && text(given) != q.key {
			a := refusal(http.StatusUnprocessableEntity, "external_id_mismatch", "external_id differs from the address", "field", externalID)
			return &a
		}
		body[externalID] = q.key
	}
	have := map[string]any{}
	if it != nil {
		have = it.fields
	}
	for _, l := range leaves(c.Object, "", body) {
		v, refused := s.value(c.Object, l)
		if refused != nil {
			return refused
		}
		if old := get(have, l.path); !same(old, v) {
			e.Fields[l.path] = Change{Old: old, New: v}
		}
	}
	if it == nil {
		for _, f := range c.Required {
			if strings.TrimSpace(text(e.Fields[f].New)) == "" {
				a := refusal(http.StatusUnprocessableEntity, "required", "a required field is missing", "field", f)
				return &a
			}
		}
	}
	return s.unique(c, it, e)
}

// value checks one written value and gives what the system makes of it.
func (s *System) value(o Object, l leaf) (any, *answer) {
	kind, group, known := o.fieldKind(l.path)
	if !known {
		a := refusal(http.StatusUnprocessableEntity, "unknown_field", "there is no field "+strconv.Quote(l.path), "field", l.path)
		return nil, &a
	}
	if l.value == nil {
		return nil, nil
	}
	ok := !group
	if d := s.profile.dialect; d != nil {
		l.value = d.clean(o, l.path, l.value)
	}
	switch v := l.value.(type) {
	case string:
		ok = ok && kind != Number
		if s.profile.Normalise {
			return normalise(v, slices.Contains(o.Phones, l.path)), wrongType(ok, l.path)
		}
	case json.Number:
		ok = ok && kind != Text
	default:
		ok = ok && kind == Any
	}
	return l.value, wrongType(ok, l.path)
}

func wrongType(ok bool, path string) *answer {
	if ok {
		return nil
	}
	a := refusal(http.StatusUnprocessableEntity, "wrong_type", "the value has the wrong type", "field", path)
	return &a
}

// unique refuses an external id that another live object has.
func (s *System) unique(c *collection, it *item, e *Applied) *answer {
	if d := s.profile.dialect; d != nil {
		if cl := d.clash(s, c, it, e.Fields); cl != nil {
			a := refusal(http.StatusConflict, "duplicate", "another object has this "+cl.path, "existing_id", cl.other.id)
			return &a
		}
		return nil
	}
	ch, ok := e.Fields[externalID]
	if !ok || !s.profile.UniqueExternalID || text(ch.New) == "" {
		return nil
	}
	if other := c.holder(text(ch.New)); other != nil && other != it {
		a := refusal(http.StatusConflict, "duplicate", "an object with this external_id is there", "existing_id", other.id)
		return &a
	}
	return nil
}

// commit logs the entry, then makes it true, then answers.
func (s *System) commit(c *collection, it *item, q request, e Applied) answer {
	if s.log == nil || s.broken {
		return refusal(http.StatusInternalServerError, "storage", "the system cannot store writes")
	}
	if q.idem != "" {
		e.IdempotencyKey, e.Request = q.idem, q.hash()
	}
	made, err := s.enter(c, it, e)
	if err := errors.Join(err, s.sync()); err != nil {
		return refusal(http.StatusInternalServerError, "storage", "the system cannot store writes")
	}
	if it == nil {
		return s.shown(Applied{Created: true}, made)
	}
	return s.shown(Applied{}, made)
}

// enter logs an entry and makes it true; it is nil for an object to be created.
// The caller holds the lock, and syncs before it answers.
func (s *System) enter(c *collection, it *item, e Applied) (*item, error) {
	e.N = s.n + 1
	e.At = record.FormatTime(s.now(e.N))
	e.Created = it == nil
	if e.Created {
		e.ID = c.Prefix + strconv.Itoa(c.next)
		if c.newID != nil {
			e.ID = c.newID(c.next)
		}
	} else {
		e.ID = it.id
		e.ExternalID = text(get(it.fields, c.keyPath()))
		s.glimpse(c, it, false)
	}
	if ch, ok := e.Fields[c.keyPath()]; ok {
		e.ExternalID = text(ch.New)
	}
	if err := s.append(e); err != nil {
		return nil, err
	}
	if err := s.apply(e); err != nil {
		s.broken = true // the log and the state no longer agree: only reopening helps
		return nil, err
	}
	made := c.byID[e.ID]
	if e.Created {
		s.glimpse(c, made, true)
	}
	return made, nil
}

// now is the system's own time after n writes.
func (s *System) now(n int) time.Time {
	return Start.Add(time.Duration(n) * cmp.Or(s.profile.tick, Tick))
}

// shown is the answer to an applied write: the object as it is now.
func (s *System) shown(e Applied, it *item) answer {
	status := http.StatusOK
	if e.Created {
		status = http.StatusCreated
	}
	a := jsonAnswer(status, s.profile.render(it))
	if s.profile.ETag {
		a.etag = it.etag()
	}
	return a
}

// remember keeps the first answer to an idempotency key, also when the log is
// read again.
func (s *System) remember(e Applied, it *item) error {
	if e.IdempotencyKey == "" {
		return nil
	}
	if _, ok := s.keys[e.IdempotencyKey]; ok {
		return fmt.Errorf("entry %d: idempotency key is there twice", e.N)
	}
	s.keys[e.IdempotencyKey] = keyed{request: e.Request, answer: s.shown(e, it)}
	return nil
}

// edit is a person's write, past etags and idempotency: fields, or a deletion,
// or with no id a new object.
type edit struct {
	Object string         `json:"object"`
	ID     string         `json:"id"`
	Fields map[string]any `json:"fields"`
	Delete bool           `json:"delete"`
}

func (ed edit) request() (request, error) {
	q := request{method: http.MethodPatch, object: ed.Object, id: ed.ID, human: true}
	switch {
	case ed.Delete:
		q.method = http.MethodDelete
		return q, nil
	case ed.ID == "":
		q.method = http.MethodPost
	}
	b, err := json.Marshal(maps.Clone(ed.Fields))
	if ed.Fields == nil {
		b = []byte("{}")
	}
	q.body = b
	return q, err
}
