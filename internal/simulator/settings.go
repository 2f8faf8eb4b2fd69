package simulator

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Settings are the knobs of a system that /_admin/settings turns while it runs.
// They hold until it is opened again.
type Settings struct {
	// Limits refuse what comes too often, with 429.
	Limits []Limit `json:"limits,omitempty"`
	// LagMS is how long a write stays unseen by searches (HubSpot) and exports
	// (Zendesk), in milliseconds of the real clock.
	LagMS int `json:"lag_ms,omitempty"`
	// ResultCap is how many results a search can page through; 0: 10,000.
	ResultCap int `json:"result_cap,omitempty"`
	// PageMax is the most that one page holds; 0: what the vendor says.
	PageMax int `json:"page_max,omitempty"`
	// JobSteps is how many requests a queued job waits for; 0: 2, so that it is
	// seen queued, working and completed.
	JobSteps int `json:"job_steps,omitempty"`
	// TokenSeconds is the life of an OAuth access token; 0: 1,800.
	TokenSeconds int `json:"token_seconds,omitempty"`
	// RotateRefresh gives a new refresh token with each access token, and takes
	// the old one no more.
	RotateRefresh bool `json:"rotate_refresh,omitempty"`
}

// Limit is one rate limit.
type Limit struct {
	Name     string `json:"name"` // the vendor's name of it, such as SECONDLY
	Requests int    `json:"requests"`
	Seconds  int    `json:"seconds"`        // length of its rolling window
	Only     string `json:"only,omitempty"` // counts only such requests: "search", "incremental"; "" is all
}

func (st Settings) check() error {
	for _, l := range st.Limits {
		if l.Requests < 1 || l.Seconds < 1 {
			return fmt.Errorf("limit %q: requests and seconds are %d and %d, want 1 or more", l.Name, l.Requests, l.Seconds)
		}
	}
	if min(st.LagMS, st.ResultCap, st.PageMax, st.JobSteps, st.TokenSeconds) < 0 {
		return errors.New("settings: no number may be negative")
	}
	return nil
}

// Settings gives the settings as they are.
func (s *System) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// SetSettings replaces all settings; what limits have counted is forgotten.
func (s *System) SetSettings(st Settings) error {
	if err := st.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(st)
	return nil
}

// set wants the lock held.
func (s *System) set(st Settings) {
	s.settings, s.used = st, make([][]time.Time, len(st.Limits))
}

// over counts a request at every limit it falls under. Over one of them it
// gives that one, counts nothing, and says when there is room again.
func (s *System) over(class string) (over *Limit, wait time.Duration) {
	now := s.clock.Now()
	for i, l := range s.settings.Limits {
		if l.Only != "" && l.Only != class {
			continue
		}
		window := time.Duration(l.Seconds) * time.Second
		for len(s.used[i]) > 0 && now.Sub(s.used[i][0]) >= window {
			s.used[i] = s.used[i][1:]
		}
		if len(s.used[i]) >= l.Requests {
			return &s.settings.Limits[i], window - now.Sub(s.used[i][0])
		}
	}
	for i, l := range s.settings.Limits {
		if l.Only == "" || l.Only == class {
			s.used[i] = append(s.used[i], now)
		}
	}
	return nil, 0
}

// room says how many more requests limit i takes now.
func (s *System) room(i int) int { return s.settings.Limits[i].Requests - len(s.used[i]) }

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

func (s *System) adminSettings(w http.ResponseWriter, r *http.Request) answer {
	var st Settings
	if err := readJSON(w, r, &st); err != nil {
		return refusal(http.StatusBadRequest, "bad_request", err.Error())
	}
	if err := s.SetSettings(st); err != nil {
		return refusal(http.StatusUnprocessableEntity, "bad_settings", err.Error())
	}
	return jsonAnswer(http.StatusOK, s.Settings())
}

// glimpse is an object as searches still see it, until the index has caught up.
type glimpse struct {
	until time.Time
	old   *item // nil: not at all
}

// glimpse keeps the object as it stands before a write, or, when it was just
// made, keeps it out of searches.
func (s *System) glimpse(c *collection, it *item, isNew bool) {
	if s.settings.LagMS == 0 {
		return
	}
	key, now := c.Name+"/"+it.id, s.clock.Now()
	until := now.Add(time.Duration(s.settings.LagMS) * time.Millisecond)
	if g, ok := s.unseen[key]; ok && now.Before(g.until) {
		s.unseen[key] = glimpse{until, g.old}
		return
	}
	g := glimpse{until: until}
	if !isNew {
		old := *it
		old.fields = cloneMap(it.fields)
		g.old = &old
	}
	s.unseen[key] = g
}

// seen gives an object as a search sees it; nil when it does not yet.
func (s *System) seen(c *collection, it *item) *item {
	key := c.Name + "/" + it.id
	g, ok := s.unseen[key]
	if !ok {
		return it
	}
	if s.clock.Now().Before(g.until) {
		return g.old
	}
	delete(s.unseen, key)
	return it
}

// cloneMap copies a JSON object with the objects in it.
func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if inner, ok := v.(map[string]any); ok {
			v = cloneMap(inner)
		}
		out[k] = v
	}
	return out
}
