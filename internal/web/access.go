package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"touchstone/internal/auth"
)

const (
	sessionCookie = "touchstone_session"
	// sessionLife is how long a sign-in holds.
	sessionLife = 12 * time.Hour
	// attemptEvery and attemptBurst bound wrong tokens from one address.
	attemptEvery = 10 * time.Second
	attemptBurst = 5
	// maxAddresses bounds how many addresses are remembered; past it all start
	// anew together.
	maxAddresses = 1000
)

// who says for the audit trail who looks.
func who(ctx context.Context) string { return auth.From(ctx).ID }

// attempts counts wrong tokens by address.
type attempts struct {
	mu   sync.Mutex
	from map[string]*rate.Limiter
}

// spent says whether an address has used up its attempts; wrong takes one.
func (a *attempts) spent(address string, now time.Time) bool {
	return a.limiter(address).TokensAt(now) < 1
}

func (a *attempts) wrong(address string, now time.Time) { a.limiter(address).AllowN(now, 1) }

func (a *attempts) limiter(address string) *rate.Limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.from) >= maxAddresses && a.from[address] == nil {
		a.from = nil
	}
	if a.from == nil {
		a.from = map[string]*rate.Limiter{}
	}
	if a.from[address] == nil {
		a.from[address] = rate.NewLimiter(rate.Every(attemptEvery), attemptBurst)
	}
	return a.from[address]
}

// access lets in who may see the pages. Without a token that is who sits at
// this machine: whatever was forwarded by a proxy is refused, because then the
// reader is somebody else. With one it is who has it, at this machine too.
func (s *server) access(m *routes) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor := auth.Actor{ID: "page:token", Role: auth.Admin}
		switch {
		case m.open(r):
			actor = auth.Actor{ID: "page:anybody"}
		case s.opts.Token == "":
			if s.opts.Addresses || forwarded(r) {
				s.message(w, r, http.StatusForbidden, "access.proxy.title", "access.proxy.text")
				return
			}
			actor.ID = "page:local"
		case r.Header.Get("Authorization") != "":
			if status := s.bearer(r); status != http.StatusOK {
				w.Header().Set("WWW-Authenticate", `Bearer realm="touchstone"`)
				s.keptOut(w, r, status)
				return
			}
		case !s.session(r):
			if r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, apiPath) {
				s.keptOut(w, r, http.StatusUnauthorized)
				return
			}
			http.Redirect(w, r, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
			return
		}
		m.mux.ServeHTTP(w, r.WithContext(auth.With(r.Context(), actor)))
	})
}

// apiPath is what addresses for programs begin with.
const apiPath = "/api/"

// keptOut answers who gave no token, or a wrong one: programs as all else is
// told them.
func (s *server) keptOut(w http.ResponseWriter, r *http.Request, status int) {
	switch {
	case !strings.HasPrefix(r.URL.Path, apiPath):
		http.Error(w, http.StatusText(status), status)
	case status == http.StatusTooManyRequests:
		s.refuse(w, status, apiError{Text: "too many wrong tokens; wait a moment", TextZh: "错误令牌过多，请稍后再试"})
	default:
		s.refuse(w, status, apiError{Text: "the token is missing or wrong; want Authorization: Bearer with server.api_token", TextZh: "令牌缺失或错误：应为 Authorization: Bearer 加 server.api_token"})
	}
}

// forwarded says whether the request came through a proxy that says so.
func forwarded(r *http.Request) bool {
	for _, h := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return true
		}
	}
	return false
}

// tokenIs compares in a time that tells nothing, not even the length.
func (s *server) tokenIs(given string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.opts.Token))
	return s.opts.Token != "" && hmac.Equal(a[:], b[:])
}

// try checks a token given by an address, unless that has guessed too often.
func (s *server) try(r *http.Request, given string) int {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	now := s.opts.Env.Clock.Now()
	if s.attempts.spent(address, now) {
		return http.StatusTooManyRequests
	}
	if !s.tokenIs(given) {
		s.attempts.wrong(address, now)
		s.opts.Log.Warn("wrong token", "address", address)
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

func (s *server) bearer(r *http.Request) int {
	kind, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return http.StatusUnauthorized
	}
	return s.try(r, strings.TrimSpace(given))
}

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

func (s *server) loginForm(w http.ResponseWriter, r *http.Request) {
	s.showLogin(w, r, http.StatusOK, r.URL.Query().Get("next"), "")
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

// maxForm bounds what a form may send, in bytes.
const maxForm = 16 << 10

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.showLogin(w, r, http.StatusBadRequest, "", "login.wrong")
		return
	}
	next := ourPath(r.PostForm.Get("next"))
	switch status := s.try(r, strings.TrimSpace(r.PostForm.Get("token"))); status {
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

func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	s.setSession(w, r, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *server) setSession(w http.ResponseWriter, r *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // behind a proxy that ends TLS the header says so; on loopback there is none
		Name: sessionCookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	})
}

// seen keeps in the audit trail that these were shown, before they are. Where
// values are not shown the page is refused.
func (s *server) seen(w http.ResponseWriter, r *http.Request, what string, subjects ...string) bool {
	if !s.opts.ShowValues {
		s.message(w, r, http.StatusForbidden, "access.values.title", "access.values.text")
		return false
	}
	if len(subjects) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
	defer cancel()
	if err := s.data.Seen(ctx, who(r.Context()), what, subjects); err != nil {
		s.fail(w, r, err)
		return false
	}
	return true
}

// message is a page that says one thing, by the keys of its words.
func (s *server) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	p := s.page(w, r, "")
	s.render(w, r, status, "message.html", messagePage{p, p.words.T(title), p.words.T(text), ""})
}
