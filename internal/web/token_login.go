package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	sessionCookie = "touchstone_session"
	// sessionLife is how long a sign-in by server.api_token holds.
	sessionLife = 12 * time.Hour
)

// session reads the cookie: when it ends, and a MAC of that under the token, so
// that nothing is stored and a new token ends every session.
func (s *server) session(r *http.Request) bool {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	end, mac, _ := strings.Cut(c.Value, ".")
	seconds, err := strconv.ParseInt(end, 10, 64)
	return err == nil && s.opts.Env.Clock.Now().Unix() < seconds && hmac.Equal([]byte(mac), []byte(s.sessionMAC(end)))
}

func (s *server) sessionMAC(end string) string {
	m := hmac.New(sha256.New, []byte(s.opts.Token))
	m.Write([]byte("touchstone session " + end))
	return hex.EncodeToString(m.Sum(nil))
}

// loginPage is the sign-in form.
type loginPage struct {
	page
	Next    string
	Problem string
}

func (s *server) showLogin(w http.ResponseWriter, r *http.Request, status int, next, problem string) {
	p := s.page(w, r, "login")
	if problem != "" {
		problem = p.words.T(problem)
	}
	s.render(w, r, status, "login.html", loginPage{p, ourPath(next), problem})
}

// ourPath keeps only an address of ours: a sign-in must not lead elsewhere.
func ourPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// tokenLogin signs in who has server.api_token, where there are no accounts.
func (s *server) tokenLogin(w http.ResponseWriter, r *http.Request) {
	next := ourPath(r.PostForm.Get("next"))
	switch status := s.try(r, func() bool { return s.tokenIs(strings.TrimSpace(r.PostForm.Get("token"))) }); status {
	case http.StatusOK:
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(int(attemptEvery/time.Second)))
		s.showLogin(w, r, status, next, "login.slow")
		return
	default:
		s.showLogin(w, r, status, next, "login.wrong")
		return
	}
	end := strconv.FormatInt(s.opts.Env.Clock.Now().Add(sessionLife).Unix(), 10)
	s.setSession(w, r, end+"."+s.sessionMAC(end), int(sessionLife/time.Second))
	http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // ourPath keeps only addresses of ours
}

func (s *server) setSession(w http.ResponseWriter, r *http.Request, value string, age int) {
	keepCookie(w, r, sessionCookie, value, "/", age, http.SameSiteStrictMode)
}
