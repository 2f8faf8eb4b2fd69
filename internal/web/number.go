package web

import (
	"net/http"

	"touchstone/internal/audit"
	"touchstone/internal/say"
)

// numbered gives every request a number: what fails tells it to the reader and
// the log, and what is done under it stands in the audit trail with it.
func (s *server) numbered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := audit.With(r.Context(), audit.By{Request: s.opts.Env.ID()})
		Speaks(next).ServeHTTP(w, r.WithContext(ctx))
	})
}

// Speaks lets what stands behind it tell refusals with say.To in the language
// that a request asks for.
func Speaks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(say.With(r.Context(), words{pickLanguage("", r.Header.Get("Accept-Language"))})))
	})
}

// number is what numbered gave; one of its own where nobody did.
func (s *server) number(r *http.Request) string {
	if n := audit.From(r.Context()).Request; n != "" {
		return n
	}
	return s.opts.Env.ID()
}
