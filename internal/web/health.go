package web

import (
	"context"
	"encoding/json"
	"net/http"

	"touchstone/internal/auth"
)

// machineRoutes serves what other programs ask: is it up, does it work, how
// much, is it there already.
func (s *server) machineRoutes(m *routes) {
	m.handle("GET /healthz", auth.Open, auth.NoValues, s.health)
	m.handle("GET /readyz", auth.Open, auth.NoValues, s.ready)
	if s.opts.Metrics != nil {
		m.handle("GET /metrics", auth.See, auth.Counts, s.opts.Metrics.ServeHTTP)
	}
	if s.opts.LookUp != nil {
		m.handle("/api/match", auth.SeeCustomers, auth.ByList, s.match)
		m.handle("GET /api/why", auth.SeeCustomers, auth.ByList, s.whyAPI)
	}
}

// health answers machines.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, `{"status":"ok"}`
	if s.opts.Health != nil {
		ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
		defer cancel()
		if err := s.opts.Health(ctx); err != nil {
			s.opts.Log.Warn("not healthy", "err", err)
			status, text = http.StatusServiceUnavailable, `{"status":"unhealthy"}`
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // a client that went away is its own affair
}

// ready says whether the work is done now, and if not, why: parts and reasons,
// never a customer's data.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Status  string   `json:"status"`
		Reasons []string `json:"reasons,omitempty"`
	}{Status: "ready"}
	status := http.StatusOK
	if s.opts.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
		defer cancel()
		if answer.Reasons = s.opts.Ready(ctx); len(answer.Reasons) > 0 {
			answer.Status, status = "not ready", http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a client that went away is its own affair
}
