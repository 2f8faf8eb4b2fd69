package web

import (
	"encoding/json"
	"net/http"
	"strings"

	"touchstone/internal/say"
)

// programPath is what the addresses of the described API begin with. All its
// errors are problem details (RFC 9457), also those that this package answers.
const programPath = apiPath + "v1/"

// tellProgram answers a request to the described API with a problem; false where
// the request is for something else.
func tellProgram(w http.ResponseWriter, r *http.Request, status int, detail say.Text) bool {
	if !strings.HasPrefix(r.URL.Path, programPath) {
		return false
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail.In(asksIn(r))}) // a client that went away is its own affair
	return true
}
