package web

import (
	"net/http"
	"strings"
)

// keepCookie has the browser keep something of ours for some seconds: 0 as long
// as it is open, -1 takes it away. No script reads it, and where the page came by
// TLS it goes by TLS alone.
func keepCookie(w http.ResponseWriter, r *http.Request, name, value, path string, age int, same http.SameSite) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // secure where there is TLS; on loopback there is none
		Name: name, Value: value, Path: path, MaxAge: age, HttpOnly: true, SameSite: same, Secure: secure(r),
	})
}

// secure says whether the browser came by TLS: to us, or to a proxy before us.
func secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
