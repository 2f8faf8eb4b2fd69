package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
)

// Stats is what /_admin/stats answers.
type Stats struct {
	System  string         `json:"system"`
	Applied int            `json:"applied"`
	Objects map[string]int `json:"objects"` // live ones
	Deleted map[string]int `json:"deleted"`
	Waiting int            `json:"waiting"` // zombies not yet landed
	Faults  map[string]int `json:"faults"`  // how often each kind fired
	Served  map[string]int `json:"served"`  // answers by method and status
}

// Stats counts what the system holds and did since it was opened.
func (s *System) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		System: s.profile.Name, Applied: s.n, Waiting: len(s.late),
		Objects: map[string]int{}, Deleted: map[string]int{}, Faults: map[string]int{}, Served: map[string]int{},
	}
	for name, c := range s.objects {
		for _, it := range c.order {
			if it.deleted {
				st.Deleted[name]++
			} else {
				st.Objects[name]++
			}
		}
	}
	for k, n := range s.fired {
		st.Faults[k] = n
	}
	for k, n := range s.served {
		st.Served[k] = n
	}
	return st
}

// SetFaults replaces all faults; their counts start anew.
func (s *System) SetFaults(list []Fault) error {
	for _, f := range list {
		if err := f.check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = armed(list)
	return nil
}

// Faults lists the faults that are set.
func (s *System) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, 0, len(s.faults))
	for _, f := range s.faults {
		list = append(list, f.Fault)
	}
	return list
}

// Flush lets every waiting zombie land now and says how many did.
func (s *System) Flush() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.land(true)
}

// admin adds the endpoints that stand for the people who use the system and for
// the judge of a test. They take no token, and answer to loopback only.
func (s *System) admin(mux *http.ServeMux) {
	handle := func(pattern string, do func(http.ResponseWriter, *http.Request) answer) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !loopback(r) {
				s.send(w, r, verdict{answer: refusal(http.StatusForbidden, "forbidden", "only for loopback")})
				return
			}
			if a := do(w, r); a.status != 0 {
				s.send(w, r, verdict{answer: a})
			}
		})
	}
	handle("POST /_admin/edit", s.adminEdit)
	handle("POST /_admin/merge", s.adminMerge)
	handle("GET /_admin/counters", s.adminCounters)
	handle("GET /_admin/settings", func(http.ResponseWriter, *http.Request) answer { return jsonAnswer(http.StatusOK, s.Settings()) })
	handle("PUT /_admin/settings", s.adminSettings)
	handle("GET /_admin/applied", s.adminApplied)
	handle("GET /_admin/stats", func(http.ResponseWriter, *http.Request) answer { return jsonAnswer(http.StatusOK, s.Stats()) })
	handle("GET /_admin/faults", func(http.ResponseWriter, *http.Request) answer { return jsonAnswer(http.StatusOK, s.Faults()) })
	handle("PUT /_admin/faults", s.adminFaults)
	handle("POST /_admin/flush", func(http.ResponseWriter, *http.Request) answer {
		return jsonAnswer(http.StatusOK, map[string]int{"landed": s.Flush()})
	})
	handle("POST /_admin/reset", func(http.ResponseWriter, *http.Request) answer {
		if err := s.Reset(); err != nil {
			return refusal(http.StatusInternalServerError, "storage", "the system cannot store writes")
		}
		return jsonAnswer(http.StatusOK, s.Stats())
	})
}

// loopback asks for both ends: a page in a browser can be made to send requests
// from here under another host's name.
func loopback(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func (s *System) adminEdit(w http.ResponseWriter, r *http.Request) answer {
	var ed edit
	if err := readJSON(w, r, &ed); err != nil {
		return refusal(http.StatusBadRequest, "bad_request", err.Error())
	}
	q, err := ed.request()
	if err != nil {
		return refusal(http.StatusBadRequest, "bad_request", "fields cannot be encoded")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.write(q)
	s.land(false)
	return a
}

func (s *System) adminFaults(w http.ResponseWriter, r *http.Request) answer {
	var list []Fault
	if err := readJSON(w, r, &list); err != nil {
		return refusal(http.StatusBadRequest, "bad_request", err.Error())
	}
	if err := s.SetFaults(list); err != nil {
		return refusal(http.StatusUnprocessableEntity, "bad_fault", err.Error())
	}
	return jsonAnswer(http.StatusOK, s.Faults())
}

func (s *System) adminApplied(w http.ResponseWriter, _ *http.Request) answer {
	list, err := s.Applied()
	if err != nil {
		return refusal(http.StatusInternalServerError, "storage", "the log cannot be read")
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for _, e := range list {
		if err := enc.Encode(e); err != nil {
			return answer{} // the client went away
		}
	}
	return answer{}
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("body: cannot be read")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}
