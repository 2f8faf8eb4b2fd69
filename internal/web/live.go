package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"touchstone/internal/auth"
)

func (s *server) liveRoutes(m *routes) {
	m.handle("GET /live", auth.See, auth.ByList, s.live)
	m.handle("POST /alerts", auth.Operate, auth.Counts, s.noteAlert)
}

const (
	// liveClients bounds how many streams there are at once; past it a page
	// stands without them.
	liveClients = 200
	liveEvery   = 2 * time.Second
	// liveLife is how long one stream lasts. The browser asks for the next at
	// once, and is then looked at again: a sign-out ends streams so. It is well
	// below the time that the server gives an answer to be written.
	liveLife = 10 * time.Second
)

// live streams the counts that pages show while they stand (server-sent events,
// HTML standard section 9.2). A message is sent when something has changed, and a
// comment otherwise, so that a browser that went away is noticed. The handler
// itself is the loop: it starts nothing that could outlive it.
func (s *server) live(w http.ResponseWriter, r *http.Request) {
	if s.streams.Add(1) > liveClients {
		s.streams.Add(-1)
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer s.streams.Add(-1)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy in between must not wait for more
	ctx, cancel := context.WithTimeout(r.Context(), 2*liveLife)
	defer cancel()
	out := http.NewResponseController(w)
	clock := s.opts.Env.Clock
	var last []byte
	for until := clock.Now().Add(liveLife); ; {
		counts, atLeast, err := s.data.Live(ctx)
		if err != nil {
			if ctx.Err() == nil {
				s.opts.Log.Warn("live counts could not be read", "err", err)
			}
			return
		}
		now, err := json.Marshal(liveTexts(counts, atLeast))
		if err != nil {
			return
		}
		text := ": still here\n\n"
		if !bytes.Equal(now, last) {
			text, last = fmt.Sprintf("retry: 1000\nevent: counts\ndata: %s\n\n", now), now
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
		if s.ending() || !clock.Now().Add(liveEvery).Before(until) || clock.Sleep(ctx, liveEvery) != nil {
			return
		}
	}
}

// ending says whether the server is asked to end.
func (s *server) ending() bool {
	select {
	case <-s.opts.Ending:
		return true
	default:
		return false
	}
}

// liveTexts writes the counts as the page shows them.
func liveTexts(counts map[string]int, atLeast []string) map[string]string {
	out := make(map[string]string, len(counts))
	for name, n := range counts {
		out[name] = count(n)
	}
	for _, name := range atLeast {
		out[name] += "+"
	}
	return out
}

// silences are for how long an alert can be silenced, by the value of the form.
func silences() map[string]time.Duration {
	return map[string]time.Duration{"": 0, "1h": time.Hour, "1d": 24 * time.Hour, "7d": 7 * 24 * time.Hour}
}

func (s *server) noteAlert(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	f := r.PostForm
	n := AlertNote{Rule: cutText(f.Get("rule"), 100), Subject: cutText(f.Get("subject"), 200), Clear: f.Get("clear") != ""}
	silent, known := silences()[f.Get("silent")]
	if !known {
		s.message(w, r, http.StatusBadRequest, "form.title", "form.text")
		return
	}
	n.Silent = silent
	s.act(w, r, "/", func(ctx context.Context, by By) (Done, error) {
		key := "alerts.done.taken"
		switch {
		case n.Clear:
			key = "alerts.done.clear"
		case n.Silent > 0:
			key = "alerts.done.silent"
		}
		return Done{Key: key}, s.data.NoteAlert(ctx, n, by)
	}, nil)
}
