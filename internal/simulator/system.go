package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"touchstone/internal/env"
)

// System is one running system. Its methods and its handler may be used at the
// same time.
type System struct {
	profile Profile
	seed    Seed
	dir     string
	clock   env.Clock

	mu      sync.Mutex // guards everything below
	log     *os.File
	size    int64 // bytes of the log that count
	broken  bool  // the log could not be written
	n       int   // applied writes
	objects map[string]*collection
	keys    map[string]keyed // idempotency key → the first answer
	faults  []*fault
	fired   map[string]int // fault kind → times
	served  map[string]int // "GET 200" → answers
	late    []zombie

	settings Settings
	used     [][]time.Time      // for each limit, the requests that count
	unseen   map[string]glimpse // object/id → how searches still see it
	pages    map[string]int     // object → pages since a list began
	calls    int                // requests to a vendor's API
	unsynced bool               // the log holds lines that are not synced yet
}

// keyed is what a repeated idempotency key gets.
type keyed struct {
	request string
	answer  answer
}

// Open opens the system whose state lives in dir: the seed with the applied log
// over it. Reopening continues exactly where it was, after a kill too; only
// requests that were still on their way (zombies) are gone, and faults are the
// profile's again. One process at a time may hold a folder.
func Open(dir string, p Profile, seed Seed) (*System, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	s := &System{profile: p, seed: seed, dir: dir, clock: p.Clock}
	if s.clock == nil {
		s.clock = env.Real().Clock
	}
	if s.profile.PageSize <= 0 {
		s.profile.PageSize = 100
	}
	if err := s.rewind(); err != nil {
		return nil, fmt.Errorf("open %s: %w", p.Name, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // the folder is the caller's choice
		return nil, fmt.Errorf("open %s: %w", p.Name, err)
	}
	if err := checkMeta(dir, meta{System: p.Name, Seed: seed.hash()}); err != nil {
		return nil, fmt.Errorf("open %s: %w", p.Name, err)
	}
	f, entries, size, err := openLog(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", p.Name, err)
	}
	s.log, s.size = f, size
	for _, e := range entries {
		if err := s.apply(e); err != nil {
			return nil, fmt.Errorf("open %s: %w", p.Name, errors.Join(err, f.Close()))
		}
	}
	return s, nil
}

// rewind puts the state back to the seed and the faults to the profile's.
func (s *System) rewind() error {
	s.objects = map[string]*collection{}
	for _, o := range s.profile.Objects {
		c, err := newCollection(o, s.seed[o.Name])
		if err != nil {
			return err
		}
		s.objects[o.Name] = c
	}
	for name := range s.seed {
		if s.objects[name] == nil {
			return fmt.Errorf("seed: profile has no object %q", name)
		}
	}
	s.n, s.keys, s.late = 0, map[string]keyed{}, nil
	s.fired, s.served = map[string]int{}, map[string]int{}
	s.faults = armed(s.profile.Faults)
	s.unseen, s.pages = map[string]glimpse{}, map[string]int{}
	s.set(s.profile.Settings)
	return nil
}

// Reset forgets every write, durably.
func (s *System) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		return errClosed
	}
	if err := cutLog(s.log, 0); err != nil {
		s.broken = true
		return err
	}
	s.size, s.broken = 0, false
	return s.rewind()
}

// Applied lists every write that was applied, as the file holds it.
func (s *System) Applied() ([]Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		return nil, errClosed
	}
	b := make([]byte, s.size)
	if _, err := s.log.ReadAt(b, 0); err != nil && s.size > 0 {
		return nil, fmt.Errorf("read applied log: %w", err)
	}
	list, _, err := parseLog(b)
	return list, err
}

// State gives everything the system holds as canonical JSON: equal states give
// equal bytes.
func (s *System) State() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{"n": s.n, "keys": len(s.keys)}
	for name, c := range s.objects {
		list := make([]map[string]any, 0, len(c.order))
		for _, it := range c.order {
			m := s.profile.render(it)
			m["version"] = it.version
			list = append(list, m)
		}
		out[name] = map[string]any{"next": c.next, "items": list}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode state: %w", err)
	}
	return b, nil
}

var errClosed = errors.New("system is closed")

// Close closes the log. Writes that come later are refused.
func (s *System) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		return nil
	}
	err := s.log.Close()
	s.log = nil
	return err
}

// Handler serves the system's API and, to loopback only, its /_admin.
func (s *System) Handler() http.Handler {
	mux := http.NewServeMux()
	s.admin(mux)
	if s.profile.dialect != nil {
		mux.Handle("/", s.profile.dialect.handler(s))
		return mux
	}
	mux.HandleFunc("GET /{object}", s.api(s.list))
	mux.HandleFunc("POST /{object}", s.api(s.change))
	mux.HandleFunc("GET /{object}/{id}", s.api(s.one))
	mux.HandleFunc("PATCH /{object}/{id}", s.api(s.change))
	mux.HandleFunc("DELETE /{object}/{id}", s.api(s.change))
	mux.HandleFunc("PUT /{object}/by-external-id/{key}", s.api(s.change))
	return mux
}
