package web

import (
	"net/http"
	"strconv"
	"strings"

	"touchstone/internal/audit"
	"touchstone/internal/trace"
)

// traced traces requests, under the pattern of their address and the number that
// the log and the audit trail know them by.
func (s *server) traced(m *routes, next http.Handler) http.Handler {
	if s.opts.Tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pattern := m.patternOf(r)
		switch pattern {
		case "GET /live", "GET /healthz", "GET /readyz", "GET /metrics", "GET /assets/{name}": // asked again and again, or standing open
			next.ServeHTTP(w, r)
			return
		}
		method, route := methodOf(r), pattern[strings.Index(pattern, " ")+1:] // a pattern for GET answers HEAD too
		ctx, span := s.opts.Tracer.Serve(r, method+" "+route, trace.Text("http.request.method", method), trace.Text("http.route", route), trace.Text("touchstone.request", audit.From(r.Context()).Request))
		if span == nil {
			next.ServeHTTP(w, r)
			return
		}
		kept := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		var err error = trace.Kind("panic")
		defer func() { span.End(err) }()
		next.ServeHTTP(kept, r.WithContext(ctx))
		span.Set(trace.Int("http.response.status_code", kept.status))
		if err = nil; kept.status >= http.StatusInternalServerError {
			err = trace.Kind(strconv.Itoa(kept.status))
		}
	})
}

// patternOf is the address of a request as it was registered: what was asked for
// may hold an id or a secret.
func (m *routes) patternOf(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, reconcilePath) {
		return reconcilePath
	}
	_, pattern := m.mux.Handler(r)
	if _, ours := m.need[pattern]; !ours {
		return "other"
	}
	return pattern
}

// methodOf is a method that is known: a caller may send any word.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "_OTHER"
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader is part of http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if !w.wrote && status >= http.StatusOK {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write is part of http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap gives what is behind it to http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
