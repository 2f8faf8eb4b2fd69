// Package env is the only door to what is not a function of our data: the
// clock, randomness, ids, the network and files. Everything else takes an Env,
// so that a test or a simulation can stand in for the world.
package env

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net/http"
	"time"
)

// Env is what the outside world gives.
type Env struct {
	Clock Clock
	// Rand fills p with random bytes; it never fails.
	Rand func(p []byte)
	// HTTP is the transport below every outgoing request.
	HTTP http.RoundTripper
}

// Clock tells the time and waits.
type Clock interface {
	// Now is the current time in UTC, cut to microseconds.
	Now() time.Time
	// Sleep waits for d or until ctx ends, and says which by its error.
	Sleep(ctx context.Context, d time.Duration) error
}

// Real is the world as it is.
func Real() Env {
	return Env{Clock: systemClock{}, Rand: func(p []byte) { _, _ = rand.Read(p) }, HTTP: newTransport()}
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Stopwatch starts now and tells how long it has run: for figures that decide
// nothing.
func Stopwatch() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}

// Deadline is the moment d from now by the machine's own clock: connections keep
// their deadlines by that one, whatever Clock an Env has.
func Deadline(d time.Duration) time.Time { return time.Now().Add(d) }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newTransport has a bound on every phase of a request but the body, which the
// caller's context bounds.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSHandshakeTimeout = 10 * time.Second
	t.ResponseHeaderTimeout = 60 * time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

var idCoding = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz123456789").WithPadding(base32.NoPadding)

// ID gives a new random id: 16 letters and digits, 80 bits.
func (e Env) ID() string {
	var b [10]byte
	e.Rand(b[:])
	return idCoding.EncodeToString(b[:])
}
