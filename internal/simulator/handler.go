package simulator

import (
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// verdict is an answer with the way it has to leave.
type verdict struct {
	answer
	delay time.Duration
	drop  bool // cut the connection instead of answering
	cut   bool // cut it in the middle of the body
}

// api wraps a handler of the API with authorisation, reading and answering.
func (s *System) api(do func(request, *http.Request) verdict) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.authorised(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.send(w, r, verdict{answer: refusal(http.StatusUnauthorized, "unauthorized", "the token is missing or not taken")})
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			status := http.StatusBadRequest
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			s.send(w, r, verdict{answer: refusal(status, "bad_request", "the body could not be read")})
			return
		}
		s.send(w, r, do(request{
			method: r.Method, path: r.URL.EscapedPath(),
			object: r.PathValue("object"), id: r.PathValue("id"), key: r.PathValue("key"),
			body: body, ifMatch: r.Header.Get("If-Match"), idem: r.Header.Get("Idempotency-Key"),
		}, r))
	}
}

func (s *System) authorised(r *http.Request) bool {
	if s.profile.Token == "" {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(given), []byte(s.profile.Token)) == 1
}

func (s *System) list(q request, r *http.Request) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	query := r.URL.Query()
	f := s.strike(q.object, false, !query.Has(externalID), pageNumber(query))
	if a, ok := s.refuse(f); ok {
		return verdict{answer: a}
	}
	return under(f, s.page(q.object, query, f.Kind))
}

func (s *System) one(q request, _ *http.Request) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.strike(q.object, false, false, 0)
	if a, ok := s.refuse(f); ok {
		return verdict{answer: a}
	}
	return under(f, s.object(q.object, q.id))
}

// change carries out a write under whatever fault strikes it.
func (s *System) change(q request, _ *http.Request) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.strike(q.object, true, false, 0)
	if a, ok := s.refuse(f); ok {
		return verdict{answer: a}
	}
	if f.Kind == Zombie {
		s.late = append(s.late, zombie{request: q, due: s.n + max(1, f.Writes)})
		return verdict{drop: true}
	}
	if f.Kind != Slow && f.Kind != CutBody {
		q.fault = string(f.Kind)
	}
	a := s.write(q)
	if f.Kind == Duplicate {
		s.write(q)
	}
	s.land(false)
	return under(f, a)
}

// under says how an answer leaves under a fault.
func under(f Fault, a answer) verdict {
	v := verdict{answer: a}
	switch f.Kind {
	case ApplyThenTimeout:
		v.drop = true
		v.delay = time.Duration(f.DelayMS) * time.Millisecond
	case ApplyThen500:
		v.answer = refusal(http.StatusInternalServerError, "internal", "something went wrong")
	case CutBody:
		v.cut = true
	case Slow:
		v.delay = time.Duration(f.DelayMS) * time.Millisecond
	}
	return v
}

// send lets a verdict leave, outside the lock. Cutting the connection is done
// the way net/http asks for: by panicking with its ErrAbortHandler.
func (s *System) send(w http.ResponseWriter, r *http.Request, v verdict) {
	if v.delay > 0 {
		if err := s.clock.Sleep(r.Context(), v.delay); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if v.drop {
		s.count(r.Method + " cut")
		panic(http.ErrAbortHandler)
	}
	s.count(r.Method + " " + strconv.Itoa(v.status))
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	for k, list := range v.header {
		h[k] = list
	}
	h.Set("Content-Length", strconv.Itoa(len(v.body)))
	if v.etag != "" {
		h.Set("ETag", strconv.Quote(v.etag))
	}
	if v.replayed {
		h.Set("Idempotent-Replay", "true")
	}
	if v.retryAfter != "" {
		h.Set("Retry-After", v.retryAfter)
	}
	w.WriteHeader(v.status)
	if !v.cut {
		_, _ = w.Write(v.body) // a client that went away is its own affair
		return
	}
	_, _ = w.Write(v.body[:len(v.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func (s *System) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served[what]++
}
