package web

import (
	"net/http"

	"touchstone/internal/audit"
)

// numbered gives every request a number: what fails tells it to the reader and
// the log, and what is done under it stands in the audit trail with it.
func (s *server) numbered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(audit.With(r.Context(), audit.By{Request: s.opts.Env.ID()})))
	})
}

// number is what numbered gave; one of its own where nobody did.
func (s *server) number(r *http.Request) string {
	if n := audit.From(r.Context()).Request; n != "" {
		return n
	}
	return s.opts.Env.ID()
}
