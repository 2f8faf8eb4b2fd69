package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/env"
)

// retryPolicy decides on short retries of one request. Only reads are retried,
// and only after a broken connection, 502, 503 or 504.
type retryPolicy struct {
	env   env.Env
	gates gates
	read  bool
	done  int // retries so far
}

func (p *retryPolicy) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if !p.read {
		return false, nil
	}
	if err != nil {
		return isConnectionError(err), nil
	}
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		// A longer wish is the caller's to keep.
		return retryAfter(resp.Header, p.env.Clock.Now()) <= maxRetryWait, nil
	}
	return false, nil
}

// wait does the waiting itself, on our clock, and gives the library nothing
// left to wait for. It doubles from 200 ms, plus up to half as much again so
// that clients that fell together do not come back together.
func (p *retryPolicy) wait(ctx context.Context, attempt int, resp *http.Response) time.Duration {
	p.done++
	d := 200 * time.Millisecond << min(attempt, 8)
	var b [1]byte
	p.env.Rand(b[:])
	d += d * time.Duration(b[0]) / 512
	if resp != nil {
		d = max(d, retryAfter(resp.Header, p.env.Clock.Now()))
	}
	// An error here is the context's end, which the library sees next.
	if p.env.Clock.Sleep(ctx, min(d, maxRetryWait)) == nil {
		_ = p.gates.turn(ctx)
	}
	return 0
}

// isConnectionError says that trying again may help: not for refused
// certificates, redirects or an end of the context.
func isConnectionError(err error) bool {
	var (
		cert      *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
	)
	switch {
	case errors.Is(err, ErrOtherHost), errors.Is(err, errTooManyRedirects), errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded), errors.As(err, &cert), errors.As(err, &authority), errors.As(err, &host):
		return false
	}
	return true
}

// checkRedirect follows a read on its own host and scheme, so that no header of
// ours ever leaves it. A redirected write is given back as the answer.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if !isRead(via[0].Method) {
		return http.ErrUseLastResponse
	}
	if !sameOrigin(req.URL, via[0].URL) {
		return ErrOtherHost
	}
	if len(via) > maxRedirects {
		return errTooManyRedirects
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case strings.EqualFold(u.Scheme, "https"):
		return "443"
	}
	return "80"
}

// retryAfter reads the Retry-After header (RFC 9110, 10.2.3): seconds or a date.
// A date is compared with the answer's own Date, so that a clock that is off on
// either side does not matter. Nonsense and the past are 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	when, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(when.Sub(now), 0), MaxRetryAfter)
}
