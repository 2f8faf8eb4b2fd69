package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"touchstone/internal/auth"
	"touchstone/internal/say"
)

const (
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

// access lets in who may see the pages. Where there are accounts that is who
// has one and is signed in, or has a token. Without accounts it is who has
// server.api_token; without that too it is who sits at this machine: whatever
// was forwarded by a proxy is refused, because then the reader is somebody else.
func (s *server) access(m *routes) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.tellRefusals(r.Context())
		if m.open(r) {
			m.mux.ServeHTTP(w, r.WithContext(auth.With(r.Context(), auth.Actor{ID: "page:anybody"})))
			return
		}
		accounts, err := s.hasAccounts(r.Context())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		actor, local := auth.Actor{ID: "page:token", Role: auth.Admin}, auth.Actor{ID: "page:local", Role: auth.Admin}
		switch {
		case r.Header.Get("Authorization") != "" && (accounts || s.opts.Token != "" || strings.Contains(r.Header.Get("Authorization"), auth.TokenPrefix)):
			var status int
			if actor, status = s.bearer(r); status != http.StatusOK {
				w.Header().Set("WWW-Authenticate", `Bearer realm="touchstone"`)
				s.keptOut(w, r, status)
				return
			}
		case accounts:
			s.visiting(w, r, m)
			return
		case s.opts.Token == "":
			if s.opts.Addresses || forwarded(r) {
				s.message(w, r, http.StatusForbidden, "access.proxy.title", "access.proxy.text")
				return
			}
			if actor = local; s.opts.Demo {
				actor = demoActor(r)
			}
		case !s.session(r):
			s.signInFirst(w, r)
			return
		}
		m.mux.ServeHTTP(w, r.WithContext(auth.With(r.Context(), actor)))
	})
}

// signInFirst answers who is not signed in.
func (s *server) signInFirst(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, apiPath) {
		s.keptOut(w, r, http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
}

// apiPath is what addresses for programs begin with.
const apiPath = "/api/"

// keptOut answers who gave no token, or a wrong one: programs as all else is
// told them.
func (s *server) keptOut(w http.ResponseWriter, r *http.Request, status int) {
	detail := say.New("the token is missing or wrong; want Authorization: Bearer with an API token or server.api_token")
	if status == http.StatusTooManyRequests {
		detail = say.New("too many wrong tokens; wait a moment")
	}
	switch {
	case tellProgram(w, r, status, detail):
	case !strings.HasPrefix(r.URL.Path, apiPath):
		http.Error(w, http.StatusText(status), status)
	default:
		zh, _ := byCode("zh-Hans")
		s.refuse(w, status, apiError{Text: detail.String(), TextZh: detail.In(words{zh})})
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

// callerAddress is the address a request comes from, without the port. Of what
// a known proxy forwards it is the last one that is not a proxy's: what stands
// before that anybody can write there.
func (s *server) callerAddress(r *http.Request) string {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(list) - 1; i >= 0 && s.isProxy(address); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(list[i]))
		if err != nil {
			break
		}
		address = next.Unmap().String()
	}
	return address
}

func (s *server) isProxy(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(s.opts.Proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// try checks a token given by an address, unless that has guessed too often.
func (s *server) try(r *http.Request, good func() bool) int {
	address, now := s.callerAddress(r), s.opts.Env.Clock.Now()
	if s.attempts.spent(address, now) {
		return http.StatusTooManyRequests
	}
	if !good() {
		s.attempts.wrong(address, now)
		s.opts.Log.WarnContext(r.Context(), "wrong token", "address", address)
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

// bearer finds who a token belongs to: an API token, or server.api_token.
func (s *server) bearer(r *http.Request) (actor auth.Actor, status int) {
	kind, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given = strings.TrimSpace(given)
	if !strings.EqualFold(kind, "Bearer") {
		return actor, http.StatusUnauthorized
	}
	actor = auth.Actor{ID: "page:token", Role: auth.Admin}
	if s.opts.People == nil || !strings.HasPrefix(given, auth.TokenPrefix) {
		return actor, s.try(r, func() bool { return s.tokenIs(given) })
	}
	who, found, err := s.opts.People.Bearer(r.Context(), given)
	if err != nil {
		s.opts.Log.ErrorContext(r.Context(), "token not looked for", "err", err)
		return actor, http.StatusServiceUnavailable
	}
	return who, s.try(r, func() bool { return found })
}

// shows says whether who asks may be shown values of the customers that they reach.
func (s *server) shows(r *http.Request) bool {
	return s.opts.ShowValues && auth.From(r.Context()).May(auth.SeeCustomers)
}

// values says whether who asks may be shown customers' values where they are not
// narrowed.
func (s *server) values(r *http.Request) bool {
	return s.shows(r) && !auth.From(r.Context()).Narrowed()
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
