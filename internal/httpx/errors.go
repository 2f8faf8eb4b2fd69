package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Errors that callers branch on.
var (
	ErrOtherHost = errors.New("refused to go to another host or scheme")
	ErrTooLarge  = errors.New("body too large")
	ErrCut       = errors.New("body cut short")

	errTooManyRedirects = errors.New("too many redirects")
)

// Error is a request without a whole answer. Its text holds the method, the
// address without query and user, and a reason of ours: never a header, a body
// or what a server wrote.
type Error struct {
	Op      string
	Reason  string
	NotSent bool          // nothing of the request can have reached the server
	After   time.Duration // with NotSent: how long a limit of ours is used up, at most MaxRetryAfter; else 0
	cause   error
}

func (e *Error) Error() string { return e.Op + ": " + e.Reason }

// Unwrap gives one of this package's errors or the context's, or nil.
func (e *Error) Unwrap() error { return e.cause }

// shown is an address as errors and logs may show it.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

func newError(ctx context.Context, op string, err error, sent *sentinel) *Error {
	e := &Error{Op: op, NotSent: sent.nothing()}
	var (
		body      *bodyError
		dial      *net.OpError
		dns       *net.DNSError
		timeout   net.Error
		cert      *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &body):
		e.Reason, e.cause = body.text, body.cause
	case errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, context.Canceled):
		e.Reason, e.cause = "stopped", context.Canceled
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		e.Reason, e.cause = "no whole answer in time", context.DeadlineExceeded
	case errors.Is(err, ErrOtherHost):
		e.Reason, e.cause = "redirects to another host or scheme", ErrOtherHost
	case errors.Is(err, errTooManyRedirects):
		e.Reason = "redirects too often"
	case errors.As(err, &cert), errors.As(err, &authority):
		e.Reason, e.NotSent = "the server's certificate is not trusted", true
	case errors.As(err, &dns):
		e.Reason, e.NotSent = "the host is not found", true
	case errors.As(err, &dial) && dial.Op == "dial":
		e.Reason, e.NotSent = "cannot connect", true
		if errors.Is(err, syscall.ECONNREFUSED) {
			e.Reason = "connection refused"
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Reason = "the connection was closed before the answer"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Reason = "the connection was reset"
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Reason, e.cause = "no answer in time", context.DeadlineExceeded
	default:
		e.Reason = "the connection failed or the answer is not HTTP"
	}
	return e
}
